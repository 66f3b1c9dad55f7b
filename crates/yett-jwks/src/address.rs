//! Which IP addresses a fetch may go to. The operator names the host, but names are resolved by
//! others: a name that suddenly points at this machine or at a cloud's metadata service
//! (169.254.169.254) must not turn the client into a way in (server-side request forgery).
//!
//! Private networks (10/8, `fc00::/7` and so on) are allowed: a company's issuer is often there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address stands, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// This machine.
    Loopback,
    /// Nowhere that an issuer could be: unspecified (which connects to this machine), link-local,
    /// multicast, reserved.
    Reserved,
    /// Anywhere else.
    Elsewhere,
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Elsewhere,
    LoopbackToo,
    /// For plain `http`.
    LoopbackAlone,
}

impl Stand {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        let [first, ..] = ip.octets();
        if ip.is_loopback() {
            Self::Loopback
        } else if first == 0 || first >= 224 || ip.is_link_local() {
            // 0/8 is "this network"; 224/4 multicast; 240/4 reserved, with the broadcast address.
            Self::Reserved
        } else {
            Self::Elsewhere
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        if ip.is_loopback() {
            Self::Loopback
        } else if ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local() {
            Self::Reserved
        } else {
            carried_v4(ip).map_or(Self::Elsewhere, Self::of_v4)
        }
    }
}

/// The IPv4 address to which a packet for `ip` is delivered in the end: mapped and compatible (RFC
/// 4291 section 2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn carried_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

impl Reach {
    pub(crate) fn admits(self, ip: IpAddr) -> bool {
        match (self, Stand::of(ip)) {
            (_, Stand::Reserved)
            | (Self::Elsewhere, Stand::Loopback)
            | (Self::LoopbackAlone, Stand::Elsewhere) => false,
            (Self::Elsewhere | Self::LoopbackToo, Stand::Elsewhere)
            | (Self::LoopbackToo | Self::LoopbackAlone, Stand::Loopback) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ip: &str, expected: Stand) {
        assert_eq!(Stand::of(ip.parse().unwrap()), expected, "{ip}");
    }

    #[test]
    fn loopback_is_seen_in_every_spelling() {
        for ip in [
            "127.0.0.1",
            "127.255.0.9",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
            "2002:7f00:1::",
        ] {
            check(ip, Stand::Loopback);
        }
    }

    #[test]
    fn metadata_services_and_other_odd_places_are_seen_in_every_spelling() {
        for ip in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "febf::1",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "::ffff:0.0.0.0",
            "224.0.0.1",
            "ff02::1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            check(ip, Stand::Reserved);
        }
    }

    #[test]
    fn public_and_private_networks_are_elsewhere() {
        for ip in [
            "192.0.2.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "2001:db8::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            check(ip, Stand::Elsewhere);
        }
    }

    #[test]
    fn reserved_addresses_are_out_of_every_reach() {
        for reach in [Reach::Elsewhere, Reach::LoopbackToo, Reach::LoopbackAlone] {
            assert!(!reach.admits("169.254.169.254".parse().unwrap()));
        }
    }

    #[test]
    fn each_reach_admits_what_its_name_says() {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        let there: IpAddr = "192.0.2.1".parse().unwrap();
        let admits = |reach: Reach| (reach.admits(here), reach.admits(there));
        assert_eq!(admits(Reach::Elsewhere), (false, true));
        assert_eq!(admits(Reach::LoopbackToo), (true, true));
        assert_eq!(admits(Reach::LoopbackAlone), (true, false));
    }
}
