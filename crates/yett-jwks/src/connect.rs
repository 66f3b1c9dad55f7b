//! From the issuer's name to a connection. The name is resolved once, every address is judged, and
//! the addresses that were judged are the ones connected to: there is no second look-up in which
//! the answer could be another.
//!
//! The system resolves names on a blocking thread, which cannot be cancelled: after a timeout it
//! goes on to its own end (some seconds), and its answer is dropped.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::JwksError;
use crate::address::Reach;
use crate::endpoint::{Endpoint, Host};

/// How long an address may be silent before the next is tried beside it (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// More addresses are left alone.
const MOST_ADDRESSES: usize = 16;

/// A connection to the endpoint's host.
pub(crate) async fn connect(endpoint: &Endpoint) -> Result<TcpStream, JwksError> {
    let addresses: Vec<SocketAddr> = match &endpoint.host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, endpoint.port)],
        Host::Name(name) => lookup_host((name.as_str(), endpoint.port))
            .await
            .map_err(|error| JwksError::Resolve(Arc::new(error)))?
            .take(MOST_ADDRESSES)
            .collect(),
    };
    judge(&addresses, endpoint.reach)?;
    race(addresses).await
}

/// One address out of reach refuses them all: a name with such an address is not what the operator
/// meant, and which address would be tried is chance.
fn judge(addresses: &[SocketAddr], reach: Reach) -> Result<(), JwksError> {
    match addresses.iter().find(|address| !reach.admits(address.ip())) {
        Some(address) => Err(JwksError::AddressRefused(address.ip())),
        None => Ok(()),
    }
}

/// The first connection that succeeds, in the resolver's order, each address a little after the one
/// before. Attempts that lose are dropped.
async fn race(addresses: Vec<SocketAddr>) -> Result<TcpStream, JwksError> {
    let mut waiting = addresses.into_iter();
    let mut attempts: JoinSet<io::Result<TcpStream>> = JoinSet::new();
    let mut failure = JwksError::NoAddress;
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(TcpStream::connect(address));
        } else if attempts.is_empty() {
            return Err(failure);
        }
        tokio::select! {
            Some(ended) = attempts.join_next() => match ended {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = JwksError::Connect(Arc::new(error)),
                Err(_) => failure = JwksError::Interrupted,
            },
            () = sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn name_that_also_points_here_is_refused() {
        let both = addresses(&["192.0.2.1:443", "127.0.0.1:443"]);
        let refused = judge(&both, Reach::Elsewhere).unwrap_err();
        assert!(matches!(refused, JwksError::AddressRefused(ip) if ip.is_loopback()));
        judge(&both, Reach::LoopbackToo).unwrap();
    }

    #[test]
    fn plain_http_goes_nowhere_but_here() {
        let both = addresses(&["127.0.0.1:80", "192.0.2.1:80"]);
        let refused = judge(&both, Reach::LoopbackAlone).unwrap_err();
        assert!(matches!(refused, JwksError::AddressRefused(ip) if !ip.is_loopback()));
    }

    #[tokio::test]
    async fn address_that_refuses_does_not_hide_the_next() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap();
        let stream = race(vec![closed_port(), open]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
    }

    #[tokio::test]
    async fn when_every_address_refuses_the_last_reason_is_told() {
        let error = race(vec![closed_port(), closed_port()]).await.unwrap_err();
        assert!(
            matches!(error, JwksError::Connect(why) if why.kind() == io::ErrorKind::ConnectionRefused)
        );
    }

    /// A port that was free a moment ago.
    fn closed_port() -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }

    #[tokio::test]
    async fn odd_spellings_of_this_machine_are_seen_through() {
        for host in ["127.1", "0x7f.1", "2130706433", "0x7f000001", "0177.0.0.1"] {
            // Most are no names for TLS either; those that are must fail when they are resolved.
            let url = "https://issuer.example/";
            let mut endpoint = Endpoint::parse(url, crate::Loopback::Refused).unwrap();
            endpoint.host = Host::Name(host.into());
            let error = connect(&endpoint).await.unwrap_err();
            assert!(
                matches!(error, JwksError::AddressRefused(ip) if ip.is_loopback()),
                "{host}: {error:?}"
            );
        }
    }

    #[tokio::test]
    async fn name_without_addresses_is_an_error() {
        assert!(matches!(race(vec![]).await, Err(JwksError::NoAddress)));
    }
}
