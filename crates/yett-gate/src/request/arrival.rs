//! Facts of the connection that a request came in on. They come from the listener, or from the PROXY
//! header of a trusted proxy, never from a request's header: a client can say nothing here.

use std::net::SocketAddr;
use std::sync::Arc;

use super::TlsSession;

/// Where a request came from and to: the facts that the connection itself knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    client: ClientAddr,
    server: ServerAddr,
    scheme: Scheme,
    tls: Option<Arc<TlsSession>>,
    origin: Origin,
}

/// How the client of a connection is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// It is who connected.
    #[default]
    Peer,
    /// A trusted proxy named it in front of the connection's own bytes.
    Named,
    /// A trusted proxy relays the connection and did not say for whom: the address is the proxy's,
    /// the words are somebody else's.
    Unnamed,
}

impl Arrival {
    /// Puts the facts of one connection together.
    #[must_use]
    pub const fn new(client: ClientAddr, server: ServerAddr, scheme: Scheme) -> Self {
        Self {
            client,
            server,
            scheme,
            tls: None,
            origin: Origin::Peer,
        }
    }

    /// The connection is encrypted, and this is what its handshake said.
    #[must_use]
    pub fn over_tls(mut self, session: Arc<TlsSession>) -> Self {
        self.scheme = Scheme::Https;
        self.tls = Some(session);
        self
    }

    /// What the handshake said, where TLS ends here and not at a proxy.
    #[must_use]
    pub const fn tls(&self) -> Option<&Arc<TlsSession>> {
        self.tls.as_ref()
    }

    /// The connection is relayed for this client, who asked for this address.
    #[must_use]
    pub const fn relayed_for(mut self, client: ClientAddr, server: ServerAddr) -> Self {
        self.client = client;
        self.server = server;
        self.origin = Origin::Named;
        self
    }

    /// The connection is relayed for somebody who was not named.
    #[must_use]
    pub const fn relayed_unnamed(mut self) -> Self {
        self.origin = Origin::Unnamed;
        self
    }

    /// The client's own connection is encrypted.
    #[must_use]
    pub const fn encrypted(mut self) -> Self {
        self.scheme = Scheme::Https;
        self
    }

    /// How the client is known.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The peer.
    #[must_use]
    pub const fn client(&self) -> ClientAddr {
        self.client
    }

    /// The address of ours that the peer reached.
    #[must_use]
    pub const fn server(&self) -> ServerAddr {
        self.server
    }

    /// Whether the connection was encrypted.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
}

/// The peer of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAddr {
    /// A peer on the network.
    Ip(SocketAddr),
    /// A peer on a Unix socket, which has no address.
    Unix,
}

/// Our own end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerAddr {
    /// A network socket.
    Ip(SocketAddr),
    /// A Unix socket.
    Unix,
}

/// The scheme of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URI: `http` or `https`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
