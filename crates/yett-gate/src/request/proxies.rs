//! Whom to believe what they say of others: the trusted proxies.
//!
//! A peer is trusted by its address alone, as the kernel or a PROXY header of another trusted peer
//! told it. Nobody is trusted unless the configuration names them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{Arrival, ClientAddr, Origin};

/// An address, or all that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The first address; IPv4 is never written as IPv6.
    first: IpAddr,
    bits: u8,
}

/// Why a word names nobody to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Neither an address, nor a network, nor one of the words.
    #[error("is neither an address nor a network")]
    NotANetwork,
    /// An address with a length, such as `10.0.0.1/8`.
    #[error("is not the first address of its network")]
    NotTheFirst(Network),
    /// All addresses there are.
    #[error("is everybody")]
    Everybody,
}

impl Network {
    /// Whether the address is in the network; an IPv4 address in the form of an IPv6 one counts as
    /// what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => masked_v4(address, self.bits) == first,
            (IpAddr::V6(first), IpAddr::V6(address)) => masked_v6(address, self.bits) == first,
            _ => false,
        }
    }

    const fn v4(first: [u8; 4], bits: u8) -> Self {
        let [a, b, c, d] = first;
        Self {
            first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            bits,
        }
    }

    const fn v6(first: u128, bits: u8) -> Self {
        Self {
            first: IpAddr::V6(Ipv6Addr::from_bits(first)),
            bits,
        }
    }
}

/// `192.0.2.1`, `10.0.0.0/8`, `fd00::/8`.
impl FromStr for Network {
    type Err = TrustError;

    fn from_str(text: &str) -> Result<Self, TrustError> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let address: IpAddr = address.parse().map_err(|_| TrustError::NotANetwork)?;
        // `::ffff:10.0.0.0/104` would be read in two ways.
        if address != address.to_canonical() {
            return Err(TrustError::NotANetwork);
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => prefix_length(bits, most).ok_or(TrustError::NotANetwork)?,
        };
        if bits == 0 {
            return Err(TrustError::Everybody);
        }
        let first = match address {
            IpAddr::V4(address) => IpAddr::V4(masked_v4(address, bits)),
            IpAddr::V6(address) => IpAddr::V6(masked_v6(address, bits)),
        };
        let network = Self { first, bits };
        if first == address {
            Ok(network)
        } else {
            Err(TrustError::NotTheFirst(network))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.first.is_ipv4() { 32 } else { 128 };
        if self.bits == whole {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}/{}", self.first, self.bits)
        }
    }
}

fn prefix_length(text: &str, most: u8) -> Option<u8> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let bits = digits.then(|| text.parse::<u8>().ok()).flatten()?;
    (bits <= most).then_some(bits)
}

fn masked_v4(address: Ipv4Addr, bits: u8) -> Ipv4Addr {
    let mask = u32::MAX
        .checked_shl(32_u32.saturating_sub(u32::from(bits)))
        .unwrap_or(0);
    Ipv4Addr::from_bits(address.to_bits() & mask)
}

fn masked_v6(address: Ipv6Addr, bits: u8) -> Ipv6Addr {
    let mask = u128::MAX
        .checked_shl(128_u32.saturating_sub(u32::from(bits)))
        .unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

/// What `private` stands for: this machine and the networks that no router of the Internet carries
/// (RFC 1918, RFC 4193, RFC 6598).
const PRIVATE: [Network; 7] = [
    Network::v4([127, 0, 0, 0], 8),
    Network::v4([10, 0, 0, 0], 8),
    Network::v4([172, 16, 0, 0], 12),
    Network::v4([192, 168, 0, 0], 16),
    Network::v4([100, 64, 0, 0], 10),
    Network::v6(1, 128),
    Network::v6(0xfc00 << 112, 7),
];

/// The peers whose word on others counts. The default is nobody.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    unix: bool,
    any_peer: bool,
}

/// The words that it could be made of.
impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.unix, "unix"), (self.any_peer, "danger_any_peer")];
        let words = words
            .into_iter()
            .filter_map(|(said, word)| said.then_some(word));
        f.debug_set()
            .entries(
                self.networks
                    .iter()
                    .map(|network| format_args!("{network}").to_string()),
            )
            .entries(words)
            .finish()
    }
}

impl TrustedProxies {
    /// Adds whom a word names: an address or network, `unix` (who reaches a Unix socket),
    /// `private` (this machine and all private networks), `danger_any_peer` (whoever connects; the
    /// hops behind are still judged by their addresses).
    ///
    /// # Errors
    /// [`TrustError`]; nothing was added.
    pub fn add(&mut self, word: &str) -> Result<(), TrustError> {
        match word {
            "unix" => self.unix = true,
            "private" => self.networks.extend(PRIVATE),
            "danger_any_peer" => self.any_peer = true,
            network => self.networks.push(network.parse()?),
        }
        Ok(())
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix && !self.any_peer
    }

    /// Whether whoever connects is trusted.
    #[must_use]
    pub const fn trusts_any_peer(&self) -> bool {
        self.any_peer
    }

    /// Whether the peer of this connection is trusted to speak for others. Never where the
    /// connection itself was relayed for somebody who was not named.
    #[must_use]
    pub fn trusts_peer(&self, arrival: &Arrival) -> bool {
        match arrival.origin() {
            Origin::Unnamed => false,
            Origin::Peer => self.any_peer || self.trusts_hop(arrival.client()),
            // The peer is then the client that a proxy named, not the one who connected.
            Origin::Named => self.trusts_hop(arrival.client()),
        }
    }

    /// Whether an address that a trusted peer named is that of a trusted proxy.
    #[must_use]
    pub fn trusts_hop(&self, hop: ClientAddr) -> bool {
        match hop {
            ClientAddr::Unix => self.unix,
            ClientAddr::Ip(address) => self
                .networks
                .iter()
                .any(|network| network.contains(address.ip())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Scheme, ServerAddr};

    fn network(text: &str) -> Result<String, TrustError> {
        text.parse::<Network>().map(|network| network.to_string())
    }

    #[test]
    fn networks_have_one_spelling() {
        for text in [
            "10.0.0.0/8",
            "192.0.2.1",
            "fd00::/8",
            "2001:db8::1",
            "::1",
            "8.0.0.0/5",
        ] {
            assert_eq!(network(text).as_deref(), Ok(text));
        }
        assert_eq!(network("10.0.0.1/32").as_deref(), Ok("10.0.0.1"));
        for text in [
            "",
            "10",
            "10.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08.",
            "010.0.0.0/8",
            "fd00::/129",
            "::ffff:10.0.0.0/104",
            "fe80::1%eth0",
            "example.com",
            "*",
            "[::1]",
        ] {
            assert_eq!(network(text), Err(TrustError::NotANetwork), "{text}");
        }
        for text in ["0.0.0.0/0", "::/0"] {
            assert_eq!(network(text), Err(TrustError::Everybody));
        }
        let Err(TrustError::NotTheFirst(meant)) = "10.1.2.3/8".parse::<Network>() else {
            panic!("an address is no network");
        };
        assert_eq!(meant.to_string(), "10.0.0.0/8");
    }

    fn trusting(words: &[&str]) -> TrustedProxies {
        let mut proxies = TrustedProxies::default();
        for word in words {
            proxies.add(word).unwrap();
        }
        proxies
    }

    fn arrival(client: &str) -> Arrival {
        let client = match client {
            "unix" => ClientAddr::Unix,
            address => ClientAddr::Ip((address.parse::<IpAddr>().unwrap(), 1).into()),
        };
        Arrival::new(client, ServerAddr::Unix, Scheme::Http)
    }

    #[test]
    fn nobody_is_trusted_unless_named() {
        let check = |words: &[&str], client: &str, expected: bool| {
            let trusted = trusting(words).trusts_peer(&arrival(client));
            assert_eq!(trusted, expected, "{words:?} {client}");
        };
        for client in ["127.0.0.1", "10.0.0.1", "::1", "unix"] {
            check(&[], client, false);
            check(&["danger_any_peer"], client, true);
        }
        check(&["10.0.0.0/8"], "10.255.0.1", true);
        check(&["10.0.0.0/8"], "::ffff:10.0.0.1", true);
        check(&["10.0.0.0/8"], "11.0.0.1", false);
        check(&["10.0.0.0/8"], "unix", false);
        check(&["fd00::/8"], "fdff::1", true);
        check(&["fd00::/8"], "fc00::1", false);
        check(&["192.0.2.1"], "192.0.2.1", true);
        check(&["192.0.2.1"], "192.0.2.2", false);
        check(&["unix"], "unix", true);
        check(&["unix"], "127.0.0.1", false);
        for client in [
            "127.8.0.1",
            "10.1.1.1",
            "172.31.0.1",
            "192.168.1.1",
            "100.127.0.1",
            "::1",
            "fd12::1",
            "fc00::1",
        ] {
            check(&["private"], client, true);
        }
        for client in [
            "172.32.0.1",
            "100.128.0.1",
            "192.0.2.1",
            "fe80::1",
            "unix",
            "::2",
        ] {
            check(&["private"], client, false);
        }
    }

    #[test]
    fn whoever_connects_is_not_every_hop() {
        let proxies = trusting(&["danger_any_peer"]);
        let stranger = arrival("203.0.113.9").client();
        assert!(!proxies.trusts_hop(stranger));
    }

    #[test]
    fn somebody_who_was_not_named_is_never_trusted() {
        let proxies = trusting(&["private", "unix", "danger_any_peer"]);
        assert!(!proxies.trusts_peer(&arrival("10.0.0.1").relayed_unnamed()));
        let named =
            arrival("10.0.0.1").relayed_for(arrival("203.0.113.9").client(), ServerAddr::Unix);
        assert!(!proxies.trusts_peer(&named));
        let named =
            arrival("203.0.113.9").relayed_for(arrival("10.0.0.1").client(), ServerAddr::Unix);
        assert!(proxies.trusts_peer(&named));
    }
}
