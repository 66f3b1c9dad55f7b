//! The project's rules for tokens, and the trial of a credential against them.
//!
//! Proof is `yett-jwt`'s. On top stand djangorestframework-simplejwt's own checks, in the order of
//! its `Token.verify` (5.5): an `exp` claim, the id claim if one is configured, then the type claim.
//! Where simplejwt would not see the credential at all (a scheme in another case), a fault is not
//! held against the request; a good token still counts.

use std::fmt;
use std::sync::Arc;

use yett_jwt::{
    Algorithm, CacheSize, HeaderType, KeyId, KeySet, Refusal, RefusalKind, Rules, TokenCache,
    UnixSeconds, Verified, Verifier, VerifyingKey,
};
use zeroize::Zeroizing;

use super::keys::{ProofKeys, Unproven};
use super::{Identity, KeysAtHand};
use crate::request::{AuthScheme, Credential, RequestHead, Spelling, UnprovenToken};
use crate::settings::{GateSettingsError, SettingsFault};

/// What makes a token good: `SIMPLE_JWT` as far as an edge can check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRuleSettings {
    /// `ALGORITHM`: one that `yett-jwt` knows, by its JOSE name.
    pub algorithm: String,
    /// What tokens are proven with.
    pub key: TokenKeySource,
    /// Whether a short secret is taken.
    pub key_length: KeyLength,
    /// `LEEWAY`, in seconds, to both sides.
    pub leeway_seconds: u32,
    /// `ISSUER`: must then be the token's `iss`, exactly.
    pub issuer: Option<String>,
    /// `AUDIENCE`: one of them must then be in the token's `aud`. `None`: `aud` is not looked at,
    /// which is what simplejwt does.
    pub audience: Option<Vec<String>>,
    /// `TOKEN_TYPE_CLAIM`; `None`: the type is not checked.
    pub token_type_claim: Option<String>,
    /// The value of that claim in a token for the API, `access`.
    pub token_type: String,
    /// `JTI_CLAIM`; `None`: an id is not asked for.
    pub jti_claim: Option<String>,
    /// `AUTH_HEADER_TYPES`, at least one.
    pub header_types: Vec<String>,
}

/// Where the key comes from that tokens are proven with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKeySource {
    /// For HMAC `SIGNING_KEY`, as bytes; for the others `VERIFYING_KEY`, a PEM text.
    Here(TokenKey),
    /// `JWK_URL`: sets of keys that [`Gate::take_keys`](crate::Gate::take_keys) brings. Not for HMAC.
    Issuer,
}

/// Whether the key must be as long as its algorithm's hash (RFC 7518, 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyLength {
    /// A shorter key is refused.
    #[default]
    Enforced,
    /// A shorter key is taken: whoever sees one token may find the key by trying.
    DangerShort,
}

/// A signing key's bytes. Prints as `[secret]`, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenKey(Zeroizing<Vec<u8>>);

impl TokenKey {
    /// Wraps the bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What is wrong with a credential: precise, for the log alone. Holds nothing of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// No credential under a known scheme.
    #[error("no token was sent")]
    Missing,
    /// The scheme alone, or with more than one word behind it.
    #[error("the Authorization header is not a scheme and one token")]
    Malformed,
    /// The token is not ASCII text.
    #[error("the token is not text")]
    NotText,
    /// The proof failed.
    #[error("the token was not proven")]
    Unproven(#[source] Refusal),
    /// The issuer's keys, or its newest ones, are not here, so that nobody at the edge can say.
    #[error("the issuer's keys are not here, or not its newest")]
    NoKeys,
    /// Proven, but it never ends.
    #[error("the token has no exp claim")]
    NoExp,
    /// Proven, but without the configured id claim.
    #[error("the token has no id claim")]
    NoId,
    /// Proven, but without the configured type claim.
    #[error("the token has no type claim")]
    NoType,
    /// Proven, but of another type, for example a refresh token.
    #[error("the token is of another type")]
    WrongType,
}

/// The kinds of bad credential that a project answers differently; the names are those of the
/// manifest's `answers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the kind that it names")]
pub enum FaultKind {
    Missing,
    Malformed,
    Invalid,
    Expired,
    WrongType,
    NoType,
    NoId,
    NoExp,
}

impl CredentialFault {
    /// The kind of answer to this fault.
    #[must_use]
    pub const fn kind(&self) -> FaultKind {
        match self {
            Self::Missing => FaultKind::Missing,
            Self::Malformed => FaultKind::Malformed,
            Self::NotText | Self::NoKeys => FaultKind::Invalid,
            Self::Unproven(refusal) => match refusal.kind() {
                RefusalKind::Expired => FaultKind::Expired,
                _ => FaultKind::Invalid,
            },
            Self::NoExp => FaultKind::NoExp,
            Self::NoId => FaultKind::NoId,
            Self::NoType => FaultKind::NoType,
            Self::WrongType => FaultKind::WrongType,
        }
    }
}

/// The rules, ready to try credentials.
#[derive(Debug)]
pub(crate) struct TokenRules {
    keys: ProofKeys,
    /// Tokens that these rules proved already. The edge has no list of revoked tokens, so there is
    /// nothing to forget before a token's `exp`.
    cache: TokenCache,
    schemes: Vec<AuthScheme>,
    jti_claim: Option<String>,
    token_type_claim: Option<String>,
    token_type: String,
}

/// How far a credential's trial came.
#[derive(Debug)]
pub(super) enum Trial {
    Ended(Outcome),
    /// It names a key that the issuer may have published meanwhile; or there are no keys at all.
    KeysWanted(Option<KeyId>, Spelling),
}

/// How a credential stood its trial.
#[derive(Debug)]
pub(super) enum Outcome {
    Good(Identity),
    Bad(CredentialFault, Spelling),
}

impl Trial {
    /// The outcome with the keys that there are.
    pub(super) fn end(self, keys: KeysAtHand) -> Outcome {
        match (self, keys) {
            (Self::Ended(outcome), _) => outcome,
            (Self::KeysWanted(Some(_), spelling), KeysAtHand::Fresh) => {
                let fault = CredentialFault::Unproven(Refusal::UnknownKey);
                Outcome::Bad(fault, spelling)
            }
            (Self::KeysWanted(_, spelling), _) => Outcome::Bad(CredentialFault::NoKeys, spelling),
        }
    }
}

impl TokenRules {
    /// Prepares the rules; adds an error for each setting that cannot be obeyed.
    pub(crate) fn new(
        settings: TokenRuleSettings,
        errors: &mut Vec<GateSettingsError>,
    ) -> Option<Self> {
        let before = errors.len();
        let mut refuse = |fault| errors.push(GateSettingsError::new("token rules", fault));
        let keys = proof_keys(&settings).map_err(&mut refuse).ok();
        if settings.audience.as_ref().is_some_and(Vec::is_empty) {
            refuse(SettingsFault::NoAudience);
        }
        if settings.header_types.is_empty() {
            refuse(SettingsFault::NoHeaderType);
        }
        let mut schemes = Vec::with_capacity(settings.header_types.len());
        for scheme in &settings.header_types {
            match AuthScheme::parse(scheme) {
                Some(scheme) => schemes.push(scheme),
                None => refuse(SettingsFault::HeaderType(scheme.clone())),
            }
        }
        if errors.len() > before {
            return None;
        }
        Some(Self {
            keys: keys?,
            cache: TokenCache::new(CacheSize::default()),
            schemes,
            jti_claim: settings.jti_claim,
            token_type_claim: settings.token_type_claim,
            token_type: settings.token_type,
        })
    }

    /// Tries the credential of a request; a token is verified exactly once, and remembered.
    pub(super) fn try_credential(&self, head: &RequestHead, now: UnixSeconds) -> Trial {
        match head.credential(&self.schemes) {
            Credential::Missing => bad(CredentialFault::Missing, Spelling::AsConfigured),
            Credential::Malformed(spelling) => bad(CredentialFault::Malformed, spelling),
            Credential::Bearer(token, spelling) => self.try_token(token, spelling, now),
        }
    }

    /// Proves with this set of the issuer's keys from now on.
    pub(crate) fn take_keys(&self, set: &Arc<KeySet>) {
        self.keys.take(set);
    }

    fn try_token(&self, token: UnprovenToken<'_>, spelling: Spelling, now: UnixSeconds) -> Trial {
        let Some(token) = token.as_str() else {
            return bad(CredentialFault::NotText, spelling);
        };
        match self.keys.prove(&self.cache, token, now) {
            Ok(verified) => match self.check_claims(&verified) {
                Ok(()) => Trial::Ended(Outcome::Good(Identity::new(token, verified))),
                Err(fault) => bad(fault, spelling),
            },
            Err(Unproven::Refused(refusal)) => bad(CredentialFault::Unproven(refusal), spelling),
            Err(Unproven::NoKeys) => Trial::KeysWanted(None, spelling),
            Err(Unproven::UnknownKey(id)) => Trial::KeysWanted(Some(id), spelling),
        }
    }

    /// simplejwt's `Token.verify`.
    fn check_claims(&self, verified: &Verified) -> Result<(), CredentialFault> {
        let claims = verified.claims();
        if claims.expires_at().is_none() {
            return Err(CredentialFault::NoExp);
        }
        if let Some(name) = &self.jti_claim
            && claims.claim(name).is_none()
        {
            return Err(CredentialFault::NoId);
        }
        let Some(name) = &self.token_type_claim else {
            return Ok(());
        };
        match claims.claim(name) {
            None => Err(CredentialFault::NoType),
            Some(found) if found.as_str() == Some(&self.token_type) => Ok(()),
            Some(_) => Err(CredentialFault::WrongType),
        }
    }
}

const fn bad(fault: CredentialFault, spelling: Spelling) -> Trial {
    Trial::Ended(Outcome::Bad(fault, spelling))
}

fn proof_keys(settings: &TokenRuleSettings) -> Result<ProofKeys, SettingsFault> {
    let algorithm: Algorithm = settings
        .algorithm
        .parse()
        .map_err(|_| SettingsFault::Algorithm(settings.algorithm.clone()))?;
    let key = match &settings.key {
        TokenKeySource::Here(key) => key,
        TokenKeySource::Issuer if algorithm.is_symmetric() => {
            return Err(SettingsFault::PublishedSecret);
        }
        TokenKeySource::Issuer => return Ok(ProofKeys::published(proof_rules(settings))),
    };
    let key = match settings.key_length {
        _ if !algorithm.is_symmetric() => {
            VerifyingKey::from_pem(algorithm, &key.0).map_err(SettingsFault::PublicKey)
        }
        KeyLength::Enforced => VerifyingKey::hmac(algorithm, &key.0).map_err(SettingsFault::Key),
        KeyLength::DangerShort => {
            VerifyingKey::danger_hmac_short(algorithm, &key.0).map_err(SettingsFault::Key)
        }
    }?;
    Ok(ProofKeys::Fixed(Verifier::new(key, proof_rules(settings))))
}

fn proof_rules(settings: &TokenRuleSettings) -> Rules {
    // simplejwt does not look at `typ`, and issuers of RFC 9068 write `at+jwt`: the kind of a token
    // is told by its type claim, which is checked after the proof.
    let mut rules = Rules::new()
        .header_type(HeaderType::DangerAny)
        .leeway(settings.leeway_seconds);
    if let Some(issuer) = &settings.issuer {
        rules = rules.issuer(issuer);
    }
    match &settings.audience {
        Some(audiences) => {
            for audience in audiences {
                rules = rules.audience(audience);
            }
            rules
        }
        // simplejwt turns PyJWT's check of `aud` off when AUDIENCE is unset.
        None => rules.danger_any_audience(),
    }
}
