//! [`Addresses`]: how many connections each client address has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections of each address, in all threads. An address has an entry while it has a connection,
/// so the table is never longer than the list of connections.
#[derive(Debug, Clone)]
pub struct Addresses(Arc<Table>);

#[derive(Debug)]
struct Table {
    connections_max: u32,
    pending_max: u32,
    counts: Mutex<HashMap<Network, Count>>,
}

/// Whose connections are counted together: one IPv4 address, or what one subscriber has of IPv6 at
/// least (64 bits; RFC 6177, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
}

#[derive(Debug, Default)]
struct Count {
    /// Connections whose address is known to be the client's.
    connections: u32,
    /// Those of them without a whole request head.
    pending: u32,
    /// QUIC handshakes of which nobody knows yet whether they come from there: addresses of datagrams
    /// can be forged, so these take nothing from those above.
    unproven: u32,
}

/// A connection's place in the count, which its end gives back.
#[derive(Debug)]
pub struct Seat {
    addresses: Addresses,
    network: Network,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unproven,
    Pending,
    Serving,
}

impl Addresses {
    /// Bounds per address; 0 is none. `None` when both are: nothing is counted then.
    pub fn new(connections_max: u32, pending_max: u32) -> Option<Self> {
        let bound = |max| if max == 0 { u32::MAX } else { max };
        (connections_max > 0 || pending_max > 0).then(|| {
            Self(Arc::new(Table {
                connections_max: bound(connections_max),
                pending_max: bound(pending_max),
                counts: Mutex::default(),
            }))
        })
    }

    /// A connection begins. `proven` says that its address is the client's for certain. `None` when its
    /// address has as many as it may have.
    pub fn enter(&self, address: IpAddr, proven: bool) -> Option<Seat> {
        let network = Network::of(address);
        let mut counts = self.counts();
        let (connections, pending, unproven) = match counts.get(&network) {
            Some(count) => (count.connections, count.pending, count.unproven),
            None => (0, 0, 0),
        };
        let beside = if proven { 0 } else { unproven };
        if connections.saturating_add(beside) >= self.0.connections_max
            || pending.saturating_add(beside) >= self.0.pending_max
        {
            return None;
        }
        let standing = if proven { Standing::Pending } else { Standing::Unproven };
        counts.entry(network).or_default().enter(standing);
        drop(counts);
        Some(Seat { addresses: self.clone(), network, standing })
    }

    /// Whether a QUIC client has to prove that it has this address (Retry) before it is let in.
    pub fn must_prove(&self, address: IpAddr) -> bool {
        let counts = self.counts();
        counts.get(&Network::of(address)).is_some_and(|count| {
            count.connections.saturating_add(count.unproven) >= self.0.connections_max
                || count.pending.saturating_add(count.unproven) >= self.0.pending_max
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Network, Count>> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, network: Network, from: Standing, to: Option<Standing>) {
        let mut counts = self.counts();
        let Entry::Occupied(mut entry) = counts.entry(network) else { return };
        entry.get_mut().leave(from);
        if let Some(to) = to {
            entry.get_mut().enter(to);
        }
        if entry.get().is_empty() {
            entry.remove();
        }
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

impl Count {
    fn enter(&mut self, standing: Standing) {
        self.unproven += u32::from(standing == Standing::Unproven);
        self.pending += u32::from(standing == Standing::Pending);
        self.connections += u32::from(standing != Standing::Unproven);
    }

    fn leave(&mut self, standing: Standing) {
        self.unproven -= u32::from(standing == Standing::Unproven);
        self.pending -= u32::from(standing == Standing::Pending);
        self.connections -= u32::from(standing != Standing::Unproven);
    }

    fn is_empty(&self) -> bool {
        self.connections == 0 && self.unproven == 0
    }
}

impl Seat {
    /// The handshake has shown that the address is the client's.
    pub fn proven(&mut self) {
        if self.standing == Standing::Unproven {
            self.stand(Standing::Pending);
        }
    }

    /// The head of a request has arrived.
    pub fn begun(&mut self) {
        if self.standing != Standing::Serving {
            self.stand(Standing::Serving);
        }
    }

    fn stand(&mut self, standing: Standing) {
        self.addresses.change(self.network, self.standing, Some(standing));
        self.standing = standing;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.addresses.change(self.network, self.standing, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_connections_and_no_more() {
        let addresses = Addresses::new(2, 0).unwrap();
        let first = addresses.enter(ip("192.0.2.1"), true).unwrap();
        let mut second = addresses.enter(ip("::ffff:192.0.2.1"), true).unwrap();
        second.begun();
        assert!(addresses.enter(ip("192.0.2.1"), true).is_none());
        assert!(addresses.enter(ip("192.0.2.2"), true).is_some());
        drop(first);
        assert!(addresses.enter(ip("192.0.2.1"), true).is_some());
        drop(second);
        assert!(addresses.counts().is_empty(), "nothing is left in the table");
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one_address() {
        let addresses = Addresses::new(1, 0).unwrap();
        let _one = addresses.enter(ip("2001:db8::1"), true).unwrap();
        assert!(addresses.enter(ip("2001:db8::ffff:1"), true).is_none());
        assert!(addresses.enter(ip("2001:db8:0:1::1"), true).is_some());
    }

    #[test]
    fn who_has_sent_a_head_makes_room_for_another_to_begin() {
        let addresses = Addresses::new(0, 1).unwrap();
        let mut seats = Vec::new();
        for _ in 0..10 {
            let mut seat = addresses.enter(ip("192.0.2.1"), true).unwrap();
            assert!(addresses.enter(ip("192.0.2.1"), true).is_none());
            seat.begun();
            seat.begun();
            seats.push(seat);
        }
        assert_eq!(addresses.counts()[&Network::V4([192, 0, 2, 1])].connections, 10);
    }

    #[test]
    fn forged_handshakes_take_nothing_from_who_has_the_address() {
        let addresses = Addresses::new(4, 2).unwrap();
        let forged: Vec<_> =
            std::iter::from_fn(|| addresses.enter(ip("192.0.2.1"), false)).collect();
        assert_eq!(forged.len(), 2);
        assert!(addresses.must_prove(ip("192.0.2.1")) && !addresses.must_prove(ip("192.0.2.2")));
        let mut own: Vec<_> =
            std::iter::from_fn(|| addresses.enter(ip("192.0.2.1"), true)).collect();
        assert_eq!(own.len(), 2);
        own[0].begun();
        drop(forged);
        let mut quic = addresses.enter(ip("192.0.2.1"), false).unwrap();
        assert!(addresses.must_prove(ip("192.0.2.1")));
        quic.proven();
        quic.proven();
        assert!(addresses.enter(ip("192.0.2.1"), true).is_none(), "it is pending as well");
        drop((own, quic));
        assert!(addresses.counts().is_empty());
    }
}
