//! For which hosts the admin address answers.
//!
//! A page in a browser can make its own name mean an address of the browser's machine (DNS
//! rebinding), and then read what is answered there. What it cannot do is ask under a host that is
//! not its own. So a host is known if nobody could have made it up for that: an IP address, a name
//! without a dot (`localhost`, the name of a container or a service: nothing in public DNS is named
//! so), a name under `.localhost`, this machine's own name, and those that the configuration names.

use std::net::{IpAddr, Ipv6Addr};

/// The names that are known besides addresses and names without a dot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// These names, and this machine's own.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        let machine = rustix::system::uname();
        let machine = machine.nodename().to_str().ok().map(str::to_owned);
        let names = names.iter().cloned().chain(machine);
        Self {
            names: names.map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Whether a `Host` header names one of them.
    pub(super) fn knows(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else {
            return false;
        };
        if let Some(inside) = name.strip_prefix('[') {
            let inside = inside.strip_suffix(']').unwrap_or_default();
            return inside.parse::<Ipv6Addr>().is_ok();
        }
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !name.is_empty()
            && name.bytes().all(plain)
            && (name.parse::<IpAddr>().is_ok()
                || !name.contains('.')
                || name.ends_with(".localhost")
                || self.names.contains(&name))
    }
}

/// The host without its port; `None` if what follows the last colon is none.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => return Some(host),
    };
    port.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_that_a_page_could_have_made_its_own_is_not_known() {
        let hosts = Hosts {
            names: vec!["yett.default.svc.cluster.local".to_owned()],
        };
        for known in [
            "127.0.0.1",
            "127.0.0.1:9000",
            "10.1.2.3:9000",
            "[::1]",
            "[::1]:9000",
            "localhost",
            "LocalHost:9000",
            "yett.localhost",
            "yett",
            "yett-1_a:9000",
            "Yett.default.svc.cluster.local:9000",
            "yett.default.svc.cluster.local.",
        ] {
            assert!(hosts.knows(known), "{known}");
        }
        for unknown in [
            "",
            ":9000",
            "evil.example",
            "evil.example:9000",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.example:127.0.0.1",
            "[::1].evil.example",
            "[evil.example]",
            "[",
            "a b",
            "evil.example@localhost",
            "localhost/evil.example",
            "127.0.0.1:9000:x",
            "é",
        ] {
            assert!(!hosts.knows(unknown), "{unknown}");
        }
    }
}
