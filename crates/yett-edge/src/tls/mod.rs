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

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use yett_jwt::UnixSeconds;

pub(crate) use accept::Handshake;
pub use certificate::CertificateFacts;
pub use counts::{FailedHandshakes, TlsCounts};
pub use error::{TlsError, TlsErrors};
pub use settings::{
    CertificateSource, ClientCertificates, ClientTrust, MinVersion, TlsSettings, UnknownName,
};
pub use watch::TlsNews;

use crate::clock;
use crate::meters::Page;
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

    /// Reads everything again, and says what came of it.
    pub fn renew(&self) -> TlsNews {
        match self.reload() {
            Ok(certificates) => TlsNews::Reloaded(certificates),
            Err(errors) => TlsNews::Kept(errors),
        }
    }

    /// New connections get what was read; if anything is wrong with it, nothing changes.
    fn reload(&self) -> Result<Vec<CertificateFacts>, TlsErrors> {
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

    /// A sentence for each certificate in use that runs out soon, or has.
    fn ending(&self, now: UnixSeconds) -> Vec<String> {
        let loaded = self.current.load();
        let ending = loaded.certificates.iter().filter_map(|one| one.ending(now));
        ending.collect()
    }

    /// Writes until when the certificates hold.
    pub(crate) fn measure(&self, page: &mut Page) {
        let mut family = page.gauge(
            "yett_tls_certificate_expiry_timestamp_seconds",
            "Until when each certificate in use holds.",
        );
        // Of those that go by the same labels the first end counts.
        let mut ends = BTreeMap::new();
        for one in &self.current.load().certificates {
            // Not its folder: who may ask for metrics need not know where keys are kept.
            let file = one.file.as_deref().and_then(Path::file_name);
            let file = file.unwrap_or_default().to_string_lossy().into_owned();
            let name = one.names.first().cloned().unwrap_or_default();
            let end = one.not_after.get();
            let first = ends.entry((file, name)).or_insert(end);
            *first = end.min(*first);
        }
        for ((file, name), end) in ends {
            family.add(&[("name", &name), ("file", &file)], end);
        }
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
