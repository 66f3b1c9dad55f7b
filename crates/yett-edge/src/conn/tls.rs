//! A connection to a TLS listener: the handshake, then HTTP as on any other.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use yett_gate::Arrival;

use super::{Protocol, Stop, begin, not_tls};
use crate::floor::rounds;
use crate::meters::Limit;
use crate::service::Services;
use crate::settings::EdgeSettings;
use crate::tls::{Handshake, Tls};

/// Serves one connection that begins with a handshake to its end.
pub(super) async fn tls<S>(
    tls: &Tls,
    stream: S,
    arrival: Arrival,
    services: Arc<Services>,
    settings: Arc<EdgeSettings>,
    mut stopping: watch::Receiver<Stop>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = tokio::select! {
        handshake = tls.accept(stream, arrival.client()) => handshake,
        // Nobody has asked for anything yet.
        () = Arc::clone(services.crowd()).quiet_since(Instant::now()) => return,
        _stop = stopping.wait_for(|stop| *stop != Stop::No) => return,
    };
    // It takes the thread longer than most requests do.
    rounds::turn();
    match handshake {
        Handshake::Done(stream, session) => {
            let protocol = Protocol::agreed(stream.get_ref().1.alpn_protocol());
            let arrival = arrival.over_tls(session);
            begin(
                stream,
                Some(protocol),
                arrival,
                services,
                settings,
                stopping,
            )
            .await;
        }
        Handshake::PlainHttp(stream) => not_tls(stream, &arrival, &services).await,
        Handshake::Slow => services.meters().met(Limit::TlsHandshake),
        Handshake::Failed => {}
    }
}
