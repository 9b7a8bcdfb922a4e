//! [`PathSet`]: the paths of a client that has migrated, and the recovery of packets lost on old ones.
//!
//! `quiche` (0.30) keeps the packets that it has sent by path, and declares one lost when a later one
//! on the same path is acknowledged. On a path that the client has left it sends no later one, not even
//! the probe that is due when acknowledgements are missing (RFC 9002, 6.2), so what was in flight there
//! would be lost for good (<https://github.com/cloudflare/quiche/issues/2452>). `PathSet` has such
//! probes made, and sends them to the client's current address: their acknowledgement reveals the
//! losses.

use std::net::SocketAddr;

use quiche::{Error, PathEvent, SendInfo};

use super::{Http3, Quic};

/// Our address, and the client's.
pub type Path = (SocketAddr, SocketAddr);

/// The paths of a client that has more than one.
#[derive(Debug)]
pub struct PathSet {
    /// Where the client was known to be last.
    now: Path,
    /// Where it was before.
    left: Vec<Path>,
}

impl Http3 {
    /// The next event of a path between the client and the server.
    pub fn path_event(&mut self) -> Option<PathEvent> {
        let event = loop {
            match self.quic.path_event_next()? {
                // A larger packet size does not make another path.
                PathEvent::PmtuUpdated { .. } => {}
                event => break event,
            }
        };
        if self.paths.is_none() {
            let first = self.quic.path_stats().next()?;
            let now = (first.local_addr, first.peer_addr);
            self.paths = Some(Box::new(PathSet { now, left: Vec::new() }));
        }
        if let (PathEvent::PeerMigrated(local, peer), Some(paths)) = (&event, &mut self.paths) {
            let before = std::mem::replace(&mut paths.now, (*local, *peer));
            paths.left.push(before);
            paths.left.retain(|path| *path != paths.now);
        }
        Some(event)
    }
}

/// Makes a packet: its length, and the path that it is to go.
pub fn send(
    quic: &mut Quic,
    paths: Option<&PathSet>,
    room: &mut [u8],
) -> Result<(usize, Path), Error> {
    let Some(paths) = paths else { return quic.send(room).map(sent) };
    // Where a path cannot be probed now, `quiche` would send nothing at all.
    let active = quic.path_stats().find(|path| path.active);
    let active = active.map_or(paths.now, |path| (path.local_addr, path.peer_addr));
    match quic.send_on_path(room, Some(active.0), Some(active.1)) {
        Err(Error::Done) => {}
        made => return made.map(sent),
    }
    // On these paths an error is the path's: it was given up by the client.
    if let Ok(made) = quic.send(room) {
        return Ok(sent(made));
    }
    let probe = paths.left.iter().find_map(|(local, peer)| {
        let made = quic.send_on_path(room, Some(*local), Some(*peer)).ok()?;
        Some((made.0, paths.now))
    });
    probe.ok_or(Error::Done)
}

fn sent((len, info): (usize, SendInfo)) -> (usize, Path) {
    (len, (info.from, info.to))
}
