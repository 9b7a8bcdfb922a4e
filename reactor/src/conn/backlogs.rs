//! [`Backlogs`]: the backlogs of all responses on one connection.

use super::backlog::{Backlog, Parking, ProtocolSink, Spooled};
use crate::protocol::{Flow, StreamId};
use crate::response_spool::MemoryCharge;

/// The backlogs of a connection.
#[derive(Debug, Default)]
pub struct Backlogs {
    list: Vec<Backlog>,
}

impl Backlogs {
    /// The backlog of a stream.
    pub fn find(&mut self, stream: StreamId) -> Option<&mut Backlog> {
        self.list.iter_mut().find(|backlog| backlog.stream == stream)
    }

    /// One more.
    pub fn push(&mut self, backlog: Backlog) {
        self.list.push(backlog);
    }

    /// Drops the backlog of a stream. How many bytes in memory that makes free.
    pub fn remove(&mut self, stream: StreamId) -> u64 {
        let Some(at) = self.list.iter().position(|backlog| backlog.stream == stream) else {
            return 0;
        };
        self.list.swap_remove(at).bytes
    }

    /// Those whose worker has sent the end.
    pub fn ended(&self) -> usize {
        self.list.iter().filter(|backlog| backlog.exchange.is_none()).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Keeps those that `keep` says.
    pub fn retain(&mut self, keep: impl FnMut(&mut Backlog) -> bool) {
        self.list.retain_mut(keep);
    }

    /// Gives the protocol what it may have ahead of its client. Says whether there was something.
    pub fn refill(&mut self, shared: bool, sink: &mut ProtocolSink<'_>) -> bool {
        let mut any = false;
        self.list.retain_mut(|backlog| {
            while let Some(part) = backlog.next(shared) {
                any = true;
                if backlog.give(part, sink) == Flow::Gone {
                    return false;
                }
            }
            true
        });
        any
    }

    /// Spools what the client does not take. Says whether the protocol was given something.
    pub fn spool(
        &mut self,
        parking: &mut Parking<'_>,
        charge: &mut MemoryCharge,
        sink: &mut ProtocolSink<'_>,
    ) -> bool {
        let mut any = false;
        self.list.retain_mut(|backlog| match backlog.spool(parking, charge, sink) {
            Spooled::Nothing => true,
            Spooled::Some => {
                any = true;
                true
            }
            Spooled::Gone => false,
        });
        any
    }
}
