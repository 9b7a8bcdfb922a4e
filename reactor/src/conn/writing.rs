//! The way out of a connection: from its protocol to its socket, and to the spool.

use wire::limits::WRITE_BUFFER_BYTES_MAX;
use wire::shared::Counter;

use super::backlog::Parking;
use super::exchanges::Exchanges;
use super::{Conn, Context, Event, Fate, Phase};
use crate::config::PortConfig;
use crate::protocol::{Closing, Now, Output, Protocol};

impl Conn {
    /// Writes until the socket or the protocol has no more; `Some` at the end of the connection.
    pub(super) fn write(&mut self, port: &PortConfig, cx: &mut Context<'_>) -> Option<Fate> {
        if matches!(self.phase, Phase::Lingering { .. }) {
            return None;
        }
        let mut own = self.out.take();
        let out = own.as_deref_mut().unwrap_or(cx.scratch);
        let mut taken = 0;
        let blocked = loop {
            fill(out, self.protocol.as_mut(), &mut self.exchanges, cx.events, cx.now);
            if out.is_empty() && !self.socket.has_unsent() {
                break false;
            }
            match self.socket.transmit(out) {
                Ok(0) => break true,
                Ok(sent) => {
                    cx.shared.add(Counter::BytesSent, sent);
                    taken += sent;
                    if !out.is_empty() || self.socket.has_unsent() {
                        break true;
                    }
                }
                Err(_) => {
                    *out = Output::default();
                    return Some(Fate::Abort);
                }
            }
        };
        // Moving bytes out may have made room to read on.
        self.collect(cx);
        if blocked {
            let (pace, now) = (port.http.send_pace(port.send_timeout), cx.now.instant);
            self.stalled = Some(match self.stalled {
                Some(deadline) => pace.extend(deadline, taken, now),
                None => pace.begin(now),
            });
            self.out = Some(own.unwrap_or_else(|| Box::new(std::mem::take(cx.scratch))));
            return None;
        }
        self.stalled = None;
        self.close_when_said(cx.now)
    }

    /// Spools what waits for the client. Says whether the protocol was given something.
    pub(super) fn spool(&mut self, port: &PortConfig, cx: &mut Context<'_>) -> bool {
        if !self.exchanges.is_behind() {
            return false;
        }
        let mut parking = Parking::new(cx.spool, port, cx.now.instant);
        let protocol = &mut self.protocol;
        let send = |stream, part| protocol.send(stream, part, cx.now);
        let given = self.exchanges.spool(&mut parking, cx.events, send);
        self.report(cx.complaints, cx.now);
        given
    }

    fn close_when_said(&mut self, now: &Now) -> Option<Fate> {
        let unread = self.readable || !self.pending.is_empty();
        match self.protocol.closing()? {
            // A close with unread bytes is a reset, which may overtake the last response.
            Closing::Close if !unread => self.end(),
            Closing::Reset => {
                self.socket.reset_on_close();
                Some(Fate::Abort)
            }
            _ if matches!(self.phase, Phase::HalfClosed) => self.end(),
            Closing::Close | Closing::Linger => {
                self.linger(now);
                None
            }
        }
    }
}

/// Moves what may be written now from the protocol to `out`, and to the protocol what waits for that.
fn fill(
    out: &mut Output,
    protocol: &mut dyn Protocol,
    exchanges: &mut Exchanges,
    events: &mut Vec<Event>,
    now: &Now,
) {
    while out.len() < WRITE_BUFFER_BYTES_MAX as u64 {
        protocol.transmit(out, now);
        for (stream, bytes) in out.released.drain(..) {
            exchanges.released(stream, bytes);
        }
        if !exchanges.refill(events, |stream, part| protocol.send(stream, part, now)) {
            break;
        }
    }
}
