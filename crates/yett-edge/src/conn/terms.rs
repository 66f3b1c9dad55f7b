//! From a listener to the protocol: what every connection of it goes through first.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use yett_gate::Arrival;

use super::from_file::FileSink;
use super::{Stop, begin, tls};
use crate::listen::{Preface, proxy_header};
use crate::service::Services;
use crate::settings::EdgeSettings;
use crate::tls::Tls;

/// On what terms a listener's connections are served.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) preface: Preface,
    /// What they are encrypted by.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) services: Arc<Services>,
    pub(crate) settings: Arc<EdgeSettings>,
    pub(crate) stopping: watch::Receiver<Stop>,
}

impl Terms {
    /// Serves one connection to its end: a PROXY header, TLS, HTTP, as far as they are spoken here.
    pub(crate) async fn serve<S>(self, mut stream: S, arrival: Arrival)
    where
        S: AsyncRead + AsyncWrite + FileSink + Unpin,
    {
        let Self {
            preface,
            tls: encrypted,
            services,
            settings,
            mut stopping,
        } = self;
        let passed = tokio::select! {
            biased;
            passed = proxy_header::pass(preface, &mut stream, arrival, &services, &settings) => passed,
            () = Arc::clone(services.crowd()).quiet_since(Instant::now()) => None,
            // Nobody has asked for anything yet.
            _stop = stopping.wait_for(|stop| *stop != Stop::No) => None,
        };
        let Some(arrival) = passed else { return };
        match encrypted {
            None => begin(stream, None, arrival, services, settings, stopping).await,
            // Boxed: a connection in clear text does not hold room for it.
            Some(encrypted) => {
                let served = tls(&encrypted, stream, arrival, services, settings, stopping);
                Box::pin(served).await;
            }
        }
    }
}
