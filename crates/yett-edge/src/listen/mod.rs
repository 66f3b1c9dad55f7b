//! Listening sockets: bound before anything else starts, so that a port in use is an error at once.

pub mod proxy_header;
mod unix;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use socket2::{Domain, Protocol, Socket, Type};

pub use unix::Permissions;

/// Connections that the kernel keeps for us before we accept them.
const BACKLOG: i32 = 2048;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP; port 0 lets the kernel choose.
    Tcp(SocketAddr),
    /// A Unix socket at this path.
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What a client speaks before it speaks HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Nothing: clear text.
    Plain,
    /// TLS.
    Tls,
}

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Requests are answered.
    Serve(Wire),
    /// Clear text, in which every client is sent to the same address with `https`.
    RedirectToHttps {
        /// The port that it is sent to.
        port: u16,
    },
}

/// What a listener's connections begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preface {
    /// Their own bytes.
    #[default]
    None,
    /// A PROXY header of a trusted proxy; who is none is let go.
    ProxyHeader,
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: Address,
    purpose: Purpose,
    preface: Preface,
}

/// Why a socket could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has it.
    #[error("{0} is in use by another program")]
    InUse(Address),
    /// Ports below 1024 need a privilege.
    #[error("not allowed to listen on {0}")]
    Forbidden(Address),
    /// The path of a Unix socket is taken by something that is not a socket.
    #[error("{0} exists and is not a socket")]
    NotASocket(PathBuf),
    /// A Unix socket cannot have the mode and the owner that it should have.
    #[error("cannot set the mode and the owner of {address}")]
    Permissions {
        /// Where.
        address: Address,
        /// The kernel's word.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot listen on {address}")]
    Other {
        /// Where.
        address: Address,
        /// The kernel's word.
        source: io::Error,
    },
}

impl Listener {
    /// Binds and listens. Nothing is accepted yet; clients wait in the backlog.
    ///
    /// A Unix socket that nobody listens on any more is replaced; one in use is an error.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind(address: &Address) -> Result<Self, ListenError> {
        Self::bind_for(address, Permissions::default())
    }

    /// The same, where a Unix socket is not for its usual users.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind_for(address: &Address, permissions: Permissions) -> Result<Self, ListenError> {
        let socket = match address {
            Address::Tcp(at) => bind_tcp(*at).map_err(|source| named(address, source))?,
            Address::Unix(path) => unix::bind(path, permissions)?,
        };
        // With port 0 the kernel chose; say what it chose.
        let address = socket
            .local_addr()
            .ok()
            .and_then(|actual| actual.as_socket())
            .map_or_else(|| address.clone(), Address::Tcp);
        Ok(Self {
            socket,
            address,
            purpose: Purpose::Serve(Wire::Plain),
            preface: Preface::None,
        })
    }

    /// The same listener for another purpose than answering requests in clear text.
    #[must_use]
    pub const fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Says what its connections begin with.
    #[must_use]
    pub const fn with_preface(mut self, preface: Preface) -> Self {
        self.preface = preface;
        self
    }

    /// What its connections begin with.
    pub(crate) const fn preface(&self) -> Preface {
        self.preface
    }

    /// Where this listens, with the port that the kernel chose.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn into_parts(self) -> (Socket, Address, Purpose) {
        (self.socket, self.address, self.purpose)
    }
}

/// As a client would write it: `https://127.0.0.1:8000`, `unix:/run/yett.sock`.
impl std::fmt::Display for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.address, self.purpose) {
            (Address::Tcp(address), Purpose::Serve(Wire::Tls)) => write!(f, "https://{address}"),
            (address, Purpose::RedirectToHttps { .. }) => write!(f, "{address}, to https"),
            (address, _) => address.fmt(f),
        }
    }
}

fn named(address: &Address, source: io::Error) -> ListenError {
    match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse(address.clone()),
        io::ErrorKind::PermissionDenied => ListenError::Forbidden(address.clone()),
        _ => ListenError::Other {
            address: address.clone(),
            source,
        },
    }
}

fn bind_tcp(at: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if at.is_ipv6() {
        // `[::]` means IPv6 alone; whoever wants both binds both.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_in_use_is_said() {
        let first = Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let second = Listener::bind(first.address());
        assert!(matches!(second, Err(ListenError::InUse(_))));
    }
}
