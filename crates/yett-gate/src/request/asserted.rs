//! Headers by which a proxy says who the client is: it has checked a certificate, a session or a login,
//! and the application believes it. A client can write them as well, so they are dropped unless the peer
//! is a trusted proxy; what that writes is handed on.
//!
//! A list of usual names cannot be whole. It is for projects whose former server set such a header over
//! whatever came, and whose code still reads it.

/// Whole names, in lower case.
const NAMES: [&str; 27] = [
    // RFC 9440 section 4 asks that they be removed.
    "client-cert",
    "client-cert-chain",
    "cf-access-authenticated-user-email",
    // Authelia, and CGI's name where it became a header.
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-arr-clientcert",
    "x-client-cert",
    "x-client-certificate",
    "x-client-dn",
    "x-client-s-dn",
    "x-client-subject-dn",
    "x-client-verify",
    "x-consumer-custom-id",
    "x-consumer-groups",
    "x-consumer-id",
    "x-consumer-username",
    "x-credential-identifier",
    "x-remote-group",
    "x-remote-groups",
    "x-remote-user",
    "x-user-dn",
    "x-vouch-user",
];

/// Beginnings of names, in lower case.
const FAMILIES: [&str; 13] = [
    "ssl-client-",
    "tailscale-user-",
    "x-amzn-mtls-",
    "x-auth-request-",
    "x-authenticated-",
    "x-authentik-",
    "x-goog-authenticated-user-",
    "x-ms-client-principal",
    "x-pomerium-claim-",
    "x-remote-extra-",
    "x-ssl-",
    "x-vouch-idp-",
    "x-webauth-",
];

/// Whether a header, in lower case, says who the client is.
pub(super) fn names_somebody(name: &str) -> bool {
    // Most requests have none that begins like these but `cookie` and `connection`.
    matches!(
        name.as_bytes().first(),
        Some(b'c' | b'r' | b's' | b't' | b'x')
    ) && (NAMES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family)))
}
