//! IP addresses as text, as every request has some: of IPv4 without the machinery that knows widths,
//! signs and bases.

use std::fmt::Write;
use std::net::IpAddr;

/// The longest text of an IPv4 address.
const LONGEST_V4: usize = 15;

/// Appends an address.
pub(crate) fn put(out: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (place, octet) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push('.');
                }
                out.push_str(itoa::Buffer::new().format(octet));
            }
        }
        IpAddr::V6(address) => {
            let _infallible = write!(out, "{address}");
        }
    }
}

/// The text of an address; one of IPv4 in IPv6's clothes without them.
pub(crate) fn canonical(address: IpAddr) -> String {
    let mut text = String::with_capacity(LONGEST_V4);
    put(&mut text, address.to_canonical());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_that_of_the_standard_library() {
        for text in [
            "0.0.0.0",
            "192.0.2.1",
            "255.255.255.255",
            "2001:db8::1",
            "::1",
        ] {
            assert_eq!(canonical(text.parse().unwrap()), text);
        }
        assert_eq!(canonical("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }
}
