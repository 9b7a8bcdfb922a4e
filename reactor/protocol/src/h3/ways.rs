//! [`Ways`]: how a client that has moved is reached, and what becomes of what was sent to where it
//! was.
//!
//! `quiche` (0.30) counts what it has sent by the way it was sent, and finds that a packet was lost
//! when a later one of the same way is acknowledged. To where a client is no more it sends no later
//! one, not even the probe that is due when acknowledgements are missing (RFC 9002, 6.2), so what was
//! under way to there would be missing for good (<https://github.com/cloudflare/quiche/issues/2452>).
//! Here such probes are sent, and delivered where the client is now: with their acknowledgement the
//! losses are found.

use std::net::SocketAddr;

use quiche::{Error, PathEvent, SendInfo};

use super::{Http3, Quic};

/// Our address, and the client's.
pub type Way = (SocketAddr, SocketAddr);

/// The ways of a client that has more than one.
#[derive(Debug)]
pub struct Ways {
    /// Where the client was known to be last.
    now: Way,
    /// Where it was before.
    left: Vec<Way>,
}

impl Http3 {
    /// The next thing that happened to the ways between the client and us.
    pub fn path_event(&mut self) -> Option<PathEvent> {
        let event = loop {
            match self.quic.path_event_next()? {
                // What larger packets get through is the same way.
                PathEvent::PmtuUpdated { .. } => {}
                event => break event,
            }
        };
        if self.ways.is_none() {
            let first = self.quic.path_stats().next()?;
            let now = (first.local_addr, first.peer_addr);
            self.ways = Some(Box::new(Ways { now, left: Vec::new() }));
        }
        if let (PathEvent::PeerMigrated(local, peer), Some(ways)) = (&event, &mut self.ways) {
            let before = std::mem::replace(&mut ways.now, (*local, *peer));
            ways.left.push(before);
            ways.left.retain(|way| *way != ways.now);
        }
        Some(event)
    }
}

/// Makes a packet: its length, and the way that it is to go.
pub fn send(quic: &mut Quic, ways: Option<&Ways>, room: &mut [u8]) -> Result<(usize, Way), Error> {
    let Some(ways) = ways else { return quic.send(room).map(sent) };
    // Where a way cannot be probed now, `quiche` would send nothing at all.
    let active = quic.path_stats().find(|path| path.active);
    let active = active.map_or(ways.now, |path| (path.local_addr, path.peer_addr));
    match quic.send_on_path(room, Some(active.0), Some(active.1)) {
        Err(Error::Done) => {}
        made => return made.map(sent),
    }
    // On these ways an error is the way's: it was given up by the client.
    if let Ok(made) = quic.send(room) {
        return Ok(sent(made));
    }
    let probe = ways.left.iter().find_map(|(local, peer)| {
        let made = quic.send_on_path(room, Some(*local), Some(*peer)).ok()?;
        Some((made.0, ways.now))
    });
    probe.ok_or(Error::Done)
}

fn sent((len, info): (usize, SendInfo)) -> (usize, Way) {
    (len, (info.from, info.to))
}
