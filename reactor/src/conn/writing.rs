//! The way out of a connection: from its streams to its socket.

use std::sync::Arc;

use wire::shm::Counter;

use super::{Conn, ConnContext, ConnPhase, PumpResult, SocketReadiness};
use crate::config::PortConfig;
use crate::protocol::{Closing, Now, Outgoing, Output};
use crate::response_spool::ResponseSpool;

impl Conn {
    /// Writes until the socket or the protocol has no more; `Some` at the end of the connection.
    pub(super) fn write(
        &mut self,
        port: &PortConfig,
        cx: &mut ConnContext<'_>,
    ) -> Option<PumpResult> {
        if matches!(self.phase, ConnPhase::Lingering { .. }) {
            return None;
        }
        let mut own = self.out.take();
        let out = own.as_deref_mut().unwrap_or(cx.scratch);
        let mut taken = 0;
        let blocked = loop {
            self.streams.fill(&mut Outgoing::Bytes(out), &mut cx.streams);
            if out.is_empty() && !self.socket.has_unsent() {
                break false;
            }
            let waiting = out.len();
            let transmitted = self.socket.transmit(out);
            self.streams.wrote(waiting - out.len());
            match transmitted {
                Ok(0) => break true,
                Ok(sent) => {
                    if cx.counts {
                        cx.streams.shared.add(Counter::BytesSent, sent);
                    }
                    taken += sent;
                    if !out.is_empty() || self.socket.has_unsent() {
                        break true;
                    }
                }
                Err(_) => {
                    *out = Output::default();
                    return Some(PumpResult::Abort);
                }
            }
        };
        // Moving bytes out may have made room to read on.
        self.collect(cx);
        if blocked {
            let (pace, now) = (port.http.send_pace(port.send_timeout), cx.streams.now.instant);
            self.stalled = Some(match self.stalled {
                Some(deadline) => pace.extend(deadline, taken, now),
                None => pace.begin(now),
            });
            self.out = Some(own.unwrap_or_else(|| Box::new(std::mem::take(cx.scratch))));
            return None;
        }
        self.stalled = None;
        self.close_when_said(cx.streams.now)
    }

    /// Bytes in memory that wait for the socket.
    pub(super) fn unwritten_bytes(&self) -> u64 {
        self.out.as_ref().map_or(0, |out| out.memory_bytes()) + self.socket.unsent_bytes()
    }

    /// What waits for the socket goes to the spool, as far as there is room.
    pub(super) fn move_from_memory(&mut self, spool: &mut ResponseSpool) {
        // The bound of a response is kept before: what is here is bounded by the buffer.
        let response = Arc::default();
        let mut full = false;
        let mut keep = |content: &[u8]| {
            let slice = if full { None } else { spool.move_from_memory(content, &response) };
            full = slice.is_none();
            slice
        };
        self.socket.spool(&mut keep);
        if let Some(out) = &mut self.out {
            out.spool(&mut keep);
        }
    }

    fn close_when_said(&mut self, now: &Now) -> Option<PumpResult> {
        let unread = self.readiness != SocketReadiness::Drained || !self.pending.is_empty();
        match self.streams.closing()? {
            // A close with unread bytes is a reset, which may overtake the last response.
            Closing::Close if !unread => self.end(),
            Closing::Reset => {
                self.socket.reset_on_close();
                Some(PumpResult::Abort)
            }
            _ if matches!(self.phase, ConnPhase::HalfClosed) => self.end(),
            Closing::Close | Closing::Linger => {
                self.linger(now);
                None
            }
        }
    }
}
