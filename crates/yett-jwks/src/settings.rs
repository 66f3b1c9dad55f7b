//! What a client is made from: plain data, its defaults and bounds, and everything that can be
//! wrong with it. Mistakes come all at once. None repeats the address, which may hold a credential.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use yett_jwt::{Algorithm, LONGEST_KEY_SET};

use crate::UrlFault;

/// What [`JwksSettings::refresh`] may be. Shorter would be polling; longer would miss a key's end.
pub const REFRESHES: RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(7 * 24 * 3600);
/// What [`JwksSettings::cooldown`] may be.
pub const COOLDOWNS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
/// What [`JwksSettings::timeout`] may be. Requests wait that long, so it has an end.
pub const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
/// What [`JwksSettings::longest_body`] may be, in bytes. `yett-jwt` reads no longer sets.
pub const LONGEST_BODIES: RangeInclusive<usize> = 1..=LONGEST_KEY_SET;

/// Settings of one [`JwksClient`](crate::JwksClient).
#[derive(Clone)]
pub struct JwksSettings {
    /// Where the set is: an `https` address of at most 2,048 bytes, without user, password or
    /// fragment. It is fetched exactly as written; nothing that the issuer answers changes it.
    pub url: String,
    /// The algorithms of which keys are taken; at least one, none of them symmetric. A key for any
    /// other algorithm is left out of the set.
    pub allowed: Vec<Algorithm>,
    /// Time from one good set to the next fetch, give or take a tenth. Default 10 minutes. Must be
    /// in [`REFRESHES`].
    pub refresh: Duration,
    /// After a fetch for an unknown key id, no other such fetch starts for this long: that many
    /// tokens with made-up key ids cost the issuer one request. Default 30 seconds. Must be in
    /// [`COOLDOWNS`].
    pub cooldown: Duration,
    /// Longest time of one fetch: name, connection, TLS, head and body together. Then the fetch has
    /// failed. Default 5 seconds. Must be in [`TIMEOUTS`].
    pub timeout: Duration,
    /// A body of more bytes is refused while it is read, and the fetch has failed. Default 256 KiB,
    /// which is also the most. Must be in [`LONGEST_BODIES`].
    pub longest_body: usize,
    /// Whether the issuer may be on this machine. Default [`Loopback::Refused`].
    pub loopback: Loopback,
    /// Who may vouch for the issuer's name. Default [`Trust::System`].
    pub trust: Trust,
}

/// Whether the issuer may be on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loopback {
    /// Neither by literal (`127.0.0.1`, `[::1]`, `localhost`) nor by what its name resolves to.
    #[default]
    Refused,
    /// Also that, and there even plain `http`. For development, and for an issuer or a TLS tunnel
    /// next door: whoever may bind a port here can then choose the keys.
    Allowed,
}

/// Who may vouch for the issuer's name in TLS. Certificates are read once, when the client is made.
#[derive(Clone, Default)]
pub enum Trust {
    /// The certificates of the system; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them.
    #[default]
    System,
    /// Those, and the certificates of this PEM text: a company's own authority.
    SystemAnd(Vec<u8>),
    /// The certificates of this PEM text alone.
    Only(Vec<u8>),
}

impl JwksSettings {
    /// Settings with every default.
    #[must_use]
    pub fn new(url: impl Into<String>, allowed: impl Into<Vec<Algorithm>>) -> Self {
        Self {
            url: url.into(),
            allowed: allowed.into(),
            refresh: Duration::from_secs(600),
            cooldown: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            longest_body: LONGEST_KEY_SET,
            loopback: Loopback::default(),
            trust: Trust::default(),
        }
    }

    /// What is wrong with the numbers and the algorithms.
    pub(crate) fn mistakes(&self) -> Vec<JwksSettingsError> {
        let mut errors = Vec::new();
        if self.allowed.is_empty() {
            errors.push(JwksSettingsError::NoAlgorithm);
        }
        for algorithm in &self.allowed {
            if algorithm.is_symmetric() {
                errors.push(JwksSettingsError::Symmetric(*algorithm));
            }
        }
        let durations = [
            ("refresh", self.refresh, REFRESHES),
            ("cooldown", self.cooldown, COOLDOWNS),
            ("timeout", self.timeout, TIMEOUTS),
        ];
        for (setting, given, range) in durations {
            if !range.contains(&given) {
                errors.push(JwksSettingsError::Duration {
                    setting,
                    given,
                    least: *range.start(),
                    most: *range.end(),
                });
            }
        }
        if !LONGEST_BODIES.contains(&self.longest_body) {
            errors.push(JwksSettingsError::LongestBody(self.longest_body));
        }
        errors
    }
}

/// Without the address, whose query may hold a credential.
impl fmt::Debug for JwksSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksSettings")
            .field("allowed", &self.allowed)
            .field("refresh", &self.refresh)
            .field("cooldown", &self.cooldown)
            .field("timeout", &self.timeout)
            .field("longest_body", &self.longest_body)
            .field("loopback", &self.loopback)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// Without the certificates, which are long.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::SystemAnd(_) => "SystemAnd(..)",
            Self::Only(_) => "Only(..)",
        })
    }
}

/// Everything wrong with a set of settings; never empty.
#[derive(Debug, thiserror::Error)]
pub struct JwksSettingsErrors(Vec<JwksSettingsError>);

impl JwksSettingsErrors {
    pub(crate) const fn new(errors: Vec<JwksSettingsError>) -> Self {
        Self(errors)
    }

    /// The errors: those of the address and of trust first.
    #[must_use]
    pub fn errors(&self) -> &[JwksSettingsError] {
        &self.0
    }
}

/// One line for each error.
impl fmt::Display for JwksSettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

/// What can be wrong with one setting, and what to do. A variant with a cause says it in `Display`:
/// a list of errors has no single chain to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksSettingsError {
    /// The address.
    #[error("url: {0}")]
    Url(UrlFault),
    /// No algorithm, so that no key could be taken.
    #[error("allowed: no algorithm is named; name those that the issuer signs with")]
    NoAlgorithm,
    /// A published key is public; a symmetric one would let anybody sign.
    #[error("allowed: {0} is symmetric, and a published set holds public keys alone; leave it out")]
    Symmetric(Algorithm),
    /// A time out of its bounds.
    #[error("{setting}: {given:?} is not within {least:?} and {most:?}")]
    Duration {
        /// The field's name.
        setting: &'static str,
        /// Its value.
        given: Duration,
        /// The least it may be.
        least: Duration,
        /// The most it may be.
        most: Duration,
    },
    /// A body's bound out of its own bounds.
    #[error("longest_body: {0} bytes is not within 1 and {LONGEST_KEY_SET}")]
    LongestBody(usize),
    /// PEM text that does not parse, or a certificate in it that does not.
    #[error("trust: the PEM text is damaged, or a certificate in it is")]
    TrustDamaged,
    /// PEM text without a certificate.
    #[error("trust: the PEM text holds no certificate")]
    TrustEmpty,
    /// A system without certificates.
    #[error(
        "trust: this system has no certificates to trust; install them (ca-certificates), name them in SSL_CERT_FILE, or give your own"
    )]
    NoRoots,
    /// TLS could not be set up at all.
    #[error("trust: TLS cannot be set up here: {0}")]
    Tls(String),
}

#[cfg(test)]
mod tests;
