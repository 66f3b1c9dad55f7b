//! Every way in which a fetch can fail. No variant holds what the issuer wrote, not its body and not
//! where it wanted to redirect to; of a refused set at most key ids, escaped.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use yett_jwt::KeySetError;

/// Why there is no new set. Cheap to clone: everyone who waited for a fetch gets the same error.
///
/// All are worth another try later, and the client tries by itself; those of the configuration
/// ([`AddressRefused`](Self::AddressRefused), a [`Status`](Self::Status) of 3xx or 4xx, often
/// [`Tls`](Self::Tls)) will not go away without the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// The issuer's name has no address.
    #[error("the issuer's name was not resolved")]
    Resolve(#[source] Arc<io::Error>),
    /// The issuer's name resolved to nothing.
    #[error("the issuer's name has no address")]
    NoAddress,
    /// The name resolved (also) to an address to which no fetch may go: this machine, link-local,
    /// multicast, reserved; or for plain `http`, another machine.
    #[error("the issuer's name resolves to {0}, where keys may not be fetched from")]
    AddressRefused(IpAddr),
    /// No address of the issuer took the connection.
    #[error("no connection to the issuer")]
    Connect(#[source] Arc<io::Error>),
    /// The TLS handshake failed: a certificate that nobody trusted vouches for, for another name or
    /// out of its time; no version in common; or the connection broke.
    #[error("no secure connection to the issuer")]
    Tls(#[source] Arc<io::Error>),
    /// The exchange broke off, or was not HTTP.
    #[error("the exchange with the issuer failed")]
    Http(#[source] Arc<hyper::Error>),
    /// Any status but 200. Redirects are not followed: name the place where the set really is.
    #[error("the issuer answered with status {0} instead of 200")]
    Status(u16),
    /// A `Content-Encoding`, although none was asked for.
    #[error("the issuer answered with a compressed body, which was not asked for")]
    Encoded,
    /// A body beyond the bound.
    #[error("the issuer's answer is longer than {longest} bytes")]
    TooLong {
        /// [`JwksSettings::longest_body`](crate::JwksSettings::longest_body).
        longest: usize,
    },
    /// The fetch took longer than it may.
    #[error("the issuer did not answer within {after:?}")]
    Timeout {
        /// [`JwksSettings::timeout`](crate::JwksSettings::timeout).
        after: Duration,
    },
    /// The answer is not a JWK set, or one that must not be used: without a usable key, with two keys
    /// of one id, with too many.
    #[error("the issuer's answer is not a usable key set")]
    KeySet(#[source] Arc<KeySetError>),
    /// The fetch ended without an outcome: its runtime is shutting down, or it panicked.
    #[error("the fetch was interrupted")]
    Interrupted,
    /// There is no set yet, and too many already wait for it.
    #[error("too many already wait for the issuer's keys")]
    Crowded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_to_look_at() {
        let broken = || Arc::new(io::Error::other("broken"));
        let errors = [
            JwksError::Resolve(broken()),
            JwksError::NoAddress,
            JwksError::AddressRefused(IpAddr::from([127, 0, 0, 1])),
            JwksError::Connect(broken()),
            JwksError::Tls(broken()),
            JwksError::Status(302),
            JwksError::Encoded,
            JwksError::TooLong { longest: 262_144 },
            JwksError::Timeout {
                after: Duration::from_secs(5),
            },
            JwksError::KeySet(Arc::new(KeySetError::NoKeys)),
            JwksError::Interrupted,
            JwksError::Crowded,
        ];
        let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "the issuer's name was not resolved",
                "the issuer's name has no address",
                "the issuer's name resolves to 127.0.0.1, where keys may not be fetched from",
                "no connection to the issuer",
                "no secure connection to the issuer",
                "the issuer answered with status 302 instead of 200",
                "the issuer answered with a compressed body, which was not asked for",
                "the issuer's answer is longer than 262144 bytes",
                "the issuer did not answer within 5s",
                "the issuer's answer is not a usable key set",
                "the fetch was interrupted",
                "too many already wait for the issuer's keys",
            ]
        );
    }
}
