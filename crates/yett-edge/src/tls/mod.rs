//! TLS on the way in: certificates, handshakes, and what the application is told of them.
//!
//! Everything cryptographic is rustls with aws-lc; here is only what a server has to decide: which
//! certificate for which name (`choice`), whose client certificates are good (`clients`), when
//! files are read again (`watch`), how long a handshake may take (`accept`).
//!
//! What it never does: TLS below 1.2, renegotiation, compression, early data (rustls has none of
//! the first three; the fourth is off, as early requests can be replayed). Private keys are in no
//! error, no log and no `Debug`.

mod accept;
mod certificate;
mod choice;
mod clients;
mod counts;
mod error;
mod load;
mod self_signed;
mod session;
mod settings;
mod text;
mod watch;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

pub(crate) use accept::Handshake;
pub use certificate::CertificateFacts;
pub use counts::{FailedHandshakes, TlsCounts};
pub use error::{TlsError, TlsErrors};
pub use settings::{
    CertificateSource, ClientCertificates, ClientTrust, MinVersion, TlsSettings, UnknownName,
};
pub use watch::TlsNews;

use crate::clock;
use counts::Counters;
use load::Loaded;

/// What the TLS listeners run by. Loaded once, and anew when it is told to; connections keep what
/// they began with.
pub struct Tls {
    settings: TlsSettings,
    current: ArcSwap<Loaded>,
    counters: Counters,
}

impl Tls {
    /// Reads everything that the settings name.
    ///
    /// # Errors
    /// [`TlsErrors`]: all mistakes at once.
    pub fn load(settings: TlsSettings) -> Result<Self, TlsErrors> {
        let loaded = load::load(&settings, None, clock::unix_seconds())?;
        Ok(Self {
            settings,
            current: ArcSwap::from_pointee(loaded),
            counters: Counters::default(),
        })
    }

    /// Reads everything again. New connections get what was read; if anything is wrong with it,
    /// nothing changes.
    ///
    /// # Errors
    /// [`TlsErrors`].
    pub fn reload(&self) -> Result<Vec<CertificateFacts>, TlsErrors> {
        let before = self.current.load_full();
        let loaded = load::load(&self.settings, Some(&before), clock::unix_seconds())?;
        let facts = loaded.certificates.clone();
        self.current.store(Arc::new(loaded));
        Ok(facts)
    }

    /// The certificates in use, in their order.
    #[must_use]
    pub fn certificates(&self) -> Vec<CertificateFacts> {
        self.current.load().certificates.clone()
    }

    /// How handshakes have ended so far.
    #[must_use]
    pub fn counts(&self) -> TlsCounts {
        self.counters.counts()
    }
}

/// Says what is in use, never a key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("settings", &self.settings)
            .field("certificates", &self.current.load().certificates)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
