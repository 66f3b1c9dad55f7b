//! How many connections each client address has open, so that one cannot take them all.
//!
//! Of IPv6 a /64 network counts as one address: it is what one subscriber gets, and who has one has
//! all of its addresses. An IPv4 address in IPv6's clothes is the IPv4 address. Connections over Unix
//! sockets have none and are not counted.
//!
//! Bound: an entry for each address that has a connection open, so no more than `max_connections`.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The open connections of every address, over all listeners.
#[derive(Debug)]
pub(crate) struct Addresses {
    most: Option<NonZeroUsize>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    /// `None`: nothing is counted.
    pub(crate) fn new(most: Option<NonZeroUsize>) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: Mutex::default(),
        })
    }

    /// A place for a connection of this client.
    ///
    /// # Errors
    /// [`TooMany`]: it has as many as it may have.
    pub(crate) fn enter(self: &Arc<Self>, client: SocketAddr) -> Result<Option<Place>, TooMany> {
        let Some(most) = self.most else {
            return Ok(None);
        };
        let address = whose(client.ip());
        let mut open = self.open();
        let count = open.entry(address).or_insert(0);
        if *count >= most.get() {
            return Err(TooMany);
        }
        *count += 1;
        drop(open);
        Ok(Some(Place {
            addresses: Arc::clone(self),
            address,
        }))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address has as many connections as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// The address that a client counts as.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.open();
        if let Some(count) = open.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(most: usize) -> Arc<Addresses> {
        Addresses::new(NonZeroUsize::new(most))
    }

    fn enter(addresses: &Arc<Addresses>, client: &str) -> Result<Option<Place>, TooMany> {
        addresses.enter(client.parse().unwrap())
    }

    #[test]
    fn address_has_no_more_connections_than_it_may_have_and_who_left_makes_room() {
        let addresses = addresses(2);
        let first = enter(&addresses, "192.0.2.1:1").unwrap();
        let _second = enter(&addresses, "192.0.2.1:2").unwrap();
        assert!(enter(&addresses, "192.0.2.1:3").is_err());
        let _other = enter(&addresses, "192.0.2.2:1").unwrap();
        drop(first);
        let _third = enter(&addresses, "192.0.2.1:3").unwrap();
        assert!(enter(&addresses, "[::ffff:192.0.2.1]:4").is_err());
    }

    #[test]
    fn network_of_64_bits_counts_as_one_address() {
        let addresses = addresses(1);
        let _first = enter(&addresses, "[2001:db8::1]:1").unwrap();
        assert!(enter(&addresses, "[2001:db8::ffff:2]:1").is_err());
        let _other = enter(&addresses, "[2001:db8:0:1::1]:1").unwrap();
    }

    #[test]
    fn who_has_left_leaves_nothing() {
        let addresses = addresses(1);
        for port in 0..100 {
            let client = SocketAddr::new([192, 0, 2, port].into(), 1);
            drop(addresses.enter(client).unwrap());
        }
        assert!(addresses.open().is_empty());
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let addresses = addresses(0);
        for _ in 0..10 {
            assert!(enter(&addresses, "192.0.2.1:1").unwrap().is_none());
        }
        assert!(addresses.open().is_empty());
    }
}
