//! Connection ids (RFC 9000, 5.1): which thread a packet belongs to, and which connection.
//!
//! The first byte of an id that we choose, divided by the number of threads, leaves the index of the
//! thread that the connection lives in. The same rule is applied to the ids that clients choose for
//! their first packets, so that every packet names its thread, whoever has chosen its id.

use std::collections::HashMap;
use std::net::SocketAddr;

use boring::rand::rand_bytes;

use crate::slots::Key;

/// Bytes of an id that we choose.
pub const CID_BYTES: usize = 16;

/// An id that we have chosen.
pub type Cid = [u8; CID_BYTES];

/// A new id for a connection that lives in this thread.
pub fn choose(thread: u16, threads: u16) -> Cid {
    let mut cid = [0; CID_BYTES];
    // The library never returns an error here: it ends the process when there is no randomness.
    let _ = rand_bytes(&mut cid);
    cid[0] = steered(cid[0], thread, threads);
    cid
}

/// The thread that a packet with this destination belongs to.
pub fn owner(dcid: &[u8], threads: u16) -> u16 {
    dcid.first().map_or(0, |first| u16::from(*first) % threads.max(1))
}

/// A byte like `random` that leads to a thread.
fn steered(random: u8, thread: u16, threads: u16) -> u8 {
    let threads = threads.clamp(1, 256);
    let rounds = 256 / threads;
    // Below 256, as the thread is below the number of threads.
    (u16::from(random) % rounds * threads + thread) as u8
}

/// Which connection an id belongs to.
#[derive(Debug, Default)]
pub struct CidRoutes {
    own: HashMap<Cid, Key>,
    /// Ids that clients have chosen for their first packets, until they know ours. With the
    /// address, because two clients may choose the same.
    first: HashMap<(SocketAddr, Box<[u8]>), Key>,
}

impl CidRoutes {
    /// The connection of a packet.
    pub fn find(&self, dcid: &[u8], from: SocketAddr) -> Option<Key> {
        let own = <&Cid>::try_from(dcid).ok().and_then(|cid| self.own.get(cid));
        own.or_else(|| match self.first.is_empty() {
            true => None,
            false => self.first.get(&(from, dcid.into())),
        })
        .copied()
    }

    /// An id that we have chosen leads to this connection.
    pub fn add(&mut self, cid: Cid, key: Key) {
        self.own.insert(cid, key);
    }

    /// An id that we have chosen leads nowhere any more.
    pub fn remove(&mut self, cid: &[u8]) {
        if let Ok(cid) = <&Cid>::try_from(cid) {
            self.own.remove(cid);
        }
    }

    /// A client's first id leads to this connection.
    pub fn add_first(&mut self, from: SocketAddr, dcid: Box<[u8]>, key: Key) {
        self.first.insert((from, dcid), key);
    }

    /// A client's first id leads nowhere any more.
    pub fn remove_first(&mut self, from: SocketAddr, dcid: Box<[u8]>) {
        self.first.remove(&(from, dcid));
    }

    /// How many ids lead somewhere.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.own.len() + self.first.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_thread() {
        for threads in 1..=64 {
            for thread in 0..threads {
                for random in 0..=255 {
                    assert_eq!(owner(&[steered(random, thread, threads)], threads), thread);
                }
                assert_eq!(owner(&choose(thread, threads), threads), thread);
            }
        }
        assert_eq!(owner(&[], 4), 0);
    }

    #[test]
    fn a_route_ends_with_its_id() {
        let (here, there) = (SocketAddr::from(([1; 4], 1)), SocketAddr::from(([1; 4], 2)));
        let (a, b) = (Key { slot: 1, generation: 1 }, Key { slot: 2, generation: 1 });
        let mut routes = CidRoutes::default();
        let cid = choose(0, 1);
        routes.add(cid, a);
        routes.add_first(here, [7; 8].into(), a);
        routes.add_first(there, [7; 8].into(), b);
        assert_eq!(routes.find(&cid, there), Some(a), "wherever the client is by now");
        assert_eq!(routes.find(&[7; 8], here), Some(a));
        assert_eq!(routes.find(&[7; 8], there), Some(b));
        assert_eq!(routes.find(&[8; 8], there), None);
        routes.remove(&cid);
        routes.remove_first(here, [7; 8].into());
        routes.remove_first(there, [7; 8].into());
        assert_eq!((routes.find(&cid, here), routes.len()), (None, 0));
    }
}
