//! Whose turn it is to send, and what becomes of streams at their end.

use quiche::Shutdown;
use quiche::h3::{HeaderRef, WireErrorCode as Code};
use wire::Reason;
use wire::limits::{QUIC_BREAK_TIME_MAX, QUIC_TURN_BYTES};

use super::Http3;
use super::carrier::Carrier;
use crate::protocol::StreamId;
use crate::protocol::error::{Fault, ProtocolError};
use crate::protocol::reply::Moved;

impl Http3 {
    /// A stream may have something to send.
    pub(super) fn queue(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id)
            && !std::mem::replace(&mut stream.queued, true)
        {
            self.ready.push(id);
        }
    }

    /// Finds the streams that have room again, and those that the client wants no more of. `quiche`
    /// does not tell of the latter by itself when a stream had room before.
    pub(super) fn take_writable(&mut self) {
        if !std::mem::take(&mut self.heard) {
            return;
        }
        let Self { quic, streams, ready, .. } = self;
        let mut stopped = Vec::new();
        for (id, stream) in streams.iter_mut() {
            match quic.stream_capacity(*id) {
                Ok(room) if room > 0 && !stream.queued && stream.exchange.reply.has_more() => {
                    stream.queued = true;
                    ready.push(*id);
                }
                Ok(_) => {}
                // STOP_SENDING, which `quiche` has answered (RFC 9000, 3.5).
                Err(_) => stopped.push(*id),
            }
        }
        for id in stopped {
            self.stopped(id);
        }
    }

    /// The client wants no response.
    fn stopped(&mut self, id: StreamId) {
        self.outlet.stream = id;
        self.end(id, Reason::ClientGone);
        self.discard(id, Code::RequestCancelled);
    }

    /// Gives `quiche` what there is of responses, the most urgent first (RFC 9218, 10).
    pub(super) fn give(&mut self) {
        while !self.ready.is_empty() {
            let mut ready = std::mem::take(&mut self.ready);
            if ready.len() > 1 {
                ready.sort_unstable_by_key(|id| {
                    let stream = self.streams.get(id);
                    (stream.map(|stream| (stream.priority.urgency, stream.turn)), *id)
                });
            }
            for id in ready.drain(..) {
                self.give_one(id);
            }
            if self.ready.is_empty() {
                self.ready = ready;
                return;
            }
        }
    }

    fn give_one(&mut self, id: StreamId) {
        let (Some(h3), Some(stream)) = (&mut self.h3, self.streams.get_mut(&id)) else { return };
        stream.queued = false;
        self.outlet.stream = id;
        let incremental = stream.priority.incremental;
        let mut carrier = Carrier {
            quic: &mut self.quic,
            h3,
            stream: id,
            framing: &mut stream.framing,
            priority: stream.priority,
        };
        let most = if incremental { QUIC_TURN_BYTES } else { usize::MAX };
        let patience = self.outlet.settings.http3.stall_timeout;
        match stream.exchange.reply.give(&mut carrier, &mut self.outlet, most, patience, &self.now)
        {
            Moved::Waits | Moved::Blocked => {}
            Moved::More => {
                self.turns += 1;
                stream.turn = self.turns;
                stream.queued = true;
                self.ready.push(id);
            }
            Moved::Again => {
                stream.queued = true;
                self.breaking.push(id);
                self.break_at.get_or_insert(self.now.instant + QUIC_BREAK_TIME_MAX);
            }
            Moved::All => self.answered(id, false),
            Moved::Reset => self.answered(id, true),
            Moved::Gone => {
                self.end(id, Reason::ClientGone);
                self.discard(id, Code::InternalError);
            }
        }
    }

    /// The client has had its time to read what is before a reset.
    pub(super) fn break_off_all(&mut self) {
        self.ready.append(&mut self.breaking);
        self.break_at = None;
    }

    /// `quiche` has all of a response, or of what there is.
    fn answered(&mut self, id: StreamId, reset: bool) {
        let Some(stream) = self.streams.remove(&id) else { return };
        if stream.exchange.was_answered() {
            self.watch.answered();
        }
        if stream.arriving {
            // RFC 9114, 4.1.1: the rest of the request is of no use.
            let _ = self.quic.stream_shutdown(id, Shutdown::Read, Code::NoError as u64);
        }
        if stream.arriving || reset || stream.framing.is_ours() {
            self.orphans.push_back(id);
        }
        self.rewind();
    }

    /// Ends the streams that are late.
    pub(super) fn late_streams(&mut self) {
        let now = self.now;
        let late =
            |deadline: Option<std::time::Instant>| deadline.is_some_and(|at| at <= now.instant);
        let ids: Vec<_> = self
            .streams
            .iter()
            .filter(|(_, s)| late(s.exchange.deadline()))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.outlet.stream = id;
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            if stream.exchange.timeout(&mut self.outlet, &now) {
                self.streams.remove(&id);
                self.discard(id, Code::RequestCancelled);
                self.rewind();
            }
            self.queue(id);
        }
        let headless: Vec<_> =
            self.opening.iter().filter(|(_, at)| **at <= now.instant).map(|(id, _)| *id).collect();
        for id in headless {
            self.opening.remove(&id);
            self.outlet.report(ProtocolError::stream(Fault::HeadTimeout));
            self.discard(id, Code::RequestIncomplete);
        }
    }

    /// Has `quiche` forget the streams that ended otherwise than it expects. It keeps what it knows
    /// of a stream's frames until a response was ended in order, or until something is to be sent on
    /// it when it is gone.
    pub(super) fn forget(&mut self) {
        for _ in 0..self.orphans.len() {
            let Some(id) = self.orphans.pop_front() else { return };
            let Some(h3) = &mut self.h3 else { return };
            if !self.quic.stream_finished(id) || self.quic.stream_capacity(id).is_ok() {
                self.orphans.push_back(id);
                continue;
            }
            let any = [HeaderRef::new(b":status", b"500")];
            let _ = h3.send_response(&mut self.quic, id, &any, true);
            let _ = h3.send_body(&mut self.quic, id, &[], true);
        }
    }
}
