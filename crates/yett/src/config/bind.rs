//! Where to listen: `host:port`, `[::1]:8000`, `:8000`, `unix:/path`.

use super::error::{Wrong, quoted};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

const EXPECTED: &str = "host:port, [ipv6]:port, :port or unix:/path";

/// `sockaddr_un` holds 108 bytes with the closing zero; a longer path cannot be bound.
const LONGEST_UNIX_PATH: usize = 107;

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bind {
    /// An address. Port 0 lets the kernel choose.
    Ip(SocketAddr),
    /// A host name that is resolved when the socket is bound.
    Name {
        /// The name, in lower case.
        host: String,
        /// The port; 0 lets the kernel choose.
        port: u16,
    },
    /// A Unix socket, absolute.
    Unix(PathBuf),
}

impl Bind {
    /// Reads a place to listen at. `:8000` means every IPv4 address, as Gunicorn reads it.
    /// `absolute` makes the path of a Unix socket absolute.
    pub(super) fn parse(text: &str, absolute: impl Fn(&str) -> PathBuf) -> Result<Self, Wrong> {
        let wrong = |why: &str| Wrong::new(format!("{} {why}", quoted(text)), EXPECTED);
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path, absolute).map_err(wrong);
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let hint = format!("leave {scheme}:// away: {}", rest.trim_end_matches('/'));
            return Err(wrong("is a URL, not an address").hint(hint));
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let hint = format!("write 127.0.0.1:{text}, or :{text} for every IPv4 address");
            return Err(wrong("has no host").hint(hint));
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Err(wrong("has no port").hint(format!("write [{address}]:8000")));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            let hint = if text.starts_with('/') {
                format!("write unix:{text}")
            } else {
                format!("write {text}:8000")
            };
            return Err(wrong("has no port").hint(hint));
        };
        let port = port_number(port)
            .ok_or_else(|| wrong("has a port that is not a number from 0 to 65535"))?;
        let host = Host::parse(host)
            .ok_or_else(|| wrong("has a host that is neither an address nor a name"))?;
        Ok(match host {
            Host::Ip(ip) => Self::Ip(SocketAddr::new(ip, port)),
            Host::Name(host) => Self::Name { host, port },
        })
    }

    /// Whether a client of `other` could reach this, or one of the two could not be bound. Port 0
    /// overlaps with nothing.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let port = |bind: &Self| match bind {
            Self::Ip(address) => Some(address.port()),
            Self::Name { port, .. } => Some(*port),
            Self::Unix(_) => None,
        };
        match (self, other) {
            (Self::Unix(path), Self::Unix(other)) => path == other,
            (Self::Ip(one), Self::Ip(two)) => {
                let every = one.ip().is_unspecified() || two.ip().is_unspecified();
                one.port() != 0
                    && one.port() == two.port()
                    && one.is_ipv4() == two.is_ipv4()
                    && (every || one.ip() == two.ip())
            }
            // What a name means is known when it is bound; the kernel then says that it is in use.
            _ => port(self).is_some_and(|own| own != 0) && self == other,
        }
    }

    /// Whether nobody on another machine can reach it.
    pub(crate) fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Ip(address) => address.ip().is_loopback(),
            Self::Name { host, .. } => host == "localhost",
            Self::Unix(_) => true,
        }
    }

    /// The path of a Unix socket.
    pub(crate) fn unix_path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Ip(_) | Self::Name { .. } => None,
        }
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The part in front of the port.
enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text == "*" {
            return Some(Self::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        }
        if let Some(inside) = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
        {
            return inside.parse().ok().map(|ip| Self::Ip(IpAddr::V6(ip)));
        }
        if let Ok(ip) = text.parse() {
            return Some(Self::Ip(IpAddr::V4(ip)));
        }
        let numeric = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let named = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        // A dotted number that is no address (256.0.0.1) is a slip, not a name.
        (named && !numeric && !text.starts_with(['.', '-']))
            .then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

/// Digits only: `str::parse` alone would take "+80".
fn port_number(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn unix(path: &str, absolute: impl Fn(&str) -> PathBuf) -> Result<Bind, &'static str> {
    if path.is_empty() || path.ends_with('/') {
        return Err("names no file");
    }
    let path = absolute(path);
    if path.as_os_str().len() > LONGEST_UNIX_PATH {
        return Err("is longer than the 107 bytes that a Unix socket's path may have");
    }
    Ok(Bind::Unix(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    fn parse(text: &str) -> Result<Bind, String> {
        let absolute = |path: &str| Path::new("/srv/notes").join(path);
        Bind::parse(text, absolute).map_err(|wrong| wrong.at(Place::Flag("--bind")).to_string())
    }

    #[test]
    fn every_form_is_read() {
        let check = |text: &str, shown: &str| {
            assert_eq!(
                parse(text).map(|bind| bind.to_string()).as_deref(),
                Ok(shown)
            )
        };
        check("127.0.0.1:8000", "127.0.0.1:8000");
        check("[::1]:8000", "[::1]:8000");
        check("[::]:0", "[::]:0");
        check(":8000", "0.0.0.0:8000");
        check("*:80", "0.0.0.0:80");
        check("LocalHost:8000", "localhost:8000");
        check("api.internal:8000", "api.internal:8000");
        check("unix:/run/yett.sock", "unix:/run/yett.sock");
        check("unix:yett.sock", "unix:/srv/notes/yett.sock");
    }

    #[test]
    fn what_is_no_place_to_listen_is_refused_with_a_hint() {
        let check = |text: &str, message: &str| {
            let (wrong, hint) = message.split_once('|').unwrap_or((message, ""));
            let hint = if hint.is_empty() {
                String::new()
            } else {
                format!("\n  hint: {hint}")
            };
            assert_eq!(
                parse(text),
                Err(format!("--bind: {wrong}: expected {EXPECTED}{hint}"))
            );
        };
        check(
            "8000",
            "\"8000\" has no host|write 127.0.0.1:8000, or :8000 for every IPv4 address",
        );
        check(
            "localhost",
            "\"localhost\" has no port|write localhost:8000",
        );
        check(
            "/run/y.sock",
            "\"/run/y.sock\" has no port|write unix:/run/y.sock",
        );
        check("::1", "\"::1\" has no port|write [::1]:8000");
        check(
            "http://0.0.0.0:80/",
            "\"http://0.0.0.0:80/\" is a URL, not an address|leave http:// away: 0.0.0.0:80",
        );
        check(
            "a:65536",
            "\"a:65536\" has a port that is not a number from 0 to 65535",
        );
        check(
            "a:+80",
            "\"a:+80\" has a port that is not a number from 0 to 65535",
        );
        check(
            "a:",
            "\"a:\" has a port that is not a number from 0 to 65535",
        );
        check(
            "256.0.0.1:80",
            "\"256.0.0.1:80\" has a host that is neither an address nor a name",
        );
        check(
            "[127.0.0.1]:80",
            "\"[127.0.0.1]:80\" has a host that is neither an address nor a name",
        );
        check(
            "a b:80",
            "\"a b:80\" has a host that is neither an address nor a name",
        );
        check("unix:", "\"unix:\" names no file");
        let long = format!("unix:/{}", "x".repeat(107));
        assert!(
            parse(&long)
                .unwrap_err()
                .contains("longer than the 107 bytes")
        );
    }

    #[test]
    fn places_that_cannot_both_be_bound_overlap_and_ports_of_the_kernels_choice_do_not() {
        let overlaps = |a: &str, b: &str| {
            let (a, b) = (parse(a).unwrap(), parse(b).unwrap());
            assert_eq!(a.overlaps(&b), b.overlaps(&a));
            a.overlaps(&b)
        };
        assert!(overlaps(":8000", "0.0.0.0:8000"));
        assert!(overlaps(":8000", "127.0.0.1:8000"));
        assert!(overlaps("[::]:8000", "[::1]:8000"));
        assert!(overlaps("a.example:8000", "A.example:8000"));
        assert!(overlaps("unix:a", "unix:/srv/notes/a"));
        assert!(!overlaps("127.0.0.1:0", "127.0.0.1:0"));
        assert!(!overlaps("a.example:0", "a.example:0"));
        assert!(!overlaps("127.0.0.1:8000", "[::1]:8000"));
        assert!(!overlaps(":8000", "[::]:8000"));
        assert!(!overlaps(":8000", ":8001"));
    }
}
