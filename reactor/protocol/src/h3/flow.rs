//! Whose turn it is to send, and what becomes of streams at their end.

use wire::Reason;
use wire::limits::{QUIC_BREAK_TIME_MAX, QUIC_TURN_BYTES};

use super::Http3;
use super::error::Code;
use super::life::CONTROL_STREAM;
use super::states::Egress;
use super::stream_writer::StreamWriter;
use crate::StreamId;
use crate::error::{Fault, ProtocolError};
use crate::reply::WriteProgress;

impl Http3 {
    /// A stream may have something to send.
    pub(super) fn queue(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id)
            && !std::mem::replace(&mut stream.queued, true)
        {
            self.ready.push(id);
        }
    }

    /// Finds the streams that have room again, and those that the client wants no more of.
    pub(super) fn take_writable(&mut self) {
        if self.phase.is_speaking() && self.quic.stream_capacity(CONTROL_STREAM).is_err() {
            // STOP_SENDING (RFC 9114, 6.2.1).
            return self.fail(Code::ClosedCriticalStream);
        }
        for id in self.quic.writable() {
            self.look_at(id);
        }
        if self.is_full() {
            // Then none counts as writable, and one that was stopped is found by asking for it.
            for id in self.streams.keys().copied().collect::<Vec<_>>() {
                self.look_at(id);
            }
        }
    }

    /// Whether a stream has room, or is not wanted any more.
    fn look_at(&mut self, id: StreamId) {
        // `quiche` forgets a stream that was stopped when it is asked for this, also when all that
        // there was had been given before.
        let room = self.quic.stream_capacity(id);
        let Some(stream) = self.streams.get(&id) else { return };
        match room {
            Ok(room) if room > 0 && stream.exchange.reply.has_more() => self.queue(id),
            Ok(_) => {}
            // STOP_SENDING, which `quiche` has answered (RFC 9000, 3.5).
            Err(_) => self.stopped(id),
        }
    }

    /// The client wants no response.
    pub(super) fn stopped(&mut self, id: StreamId) {
        self.context.stream = id;
        self.end(id, Reason::ClientGone);
        self.discard(id, Code::RequestCancelled);
    }

    /// Whether no stream has room: the network takes no more for now, or the client's window for
    /// all of them is shut.
    fn is_full(&mut self) -> bool {
        self.quic.stream_capacity(CONTROL_STREAM) == Ok(0)
    }

    /// Gives `quiche` what there is of responses, the most urgent first (RFC 9218, 10). It counts
    /// what is under way, not what it holds: it gets no more while it has some that cannot leave.
    pub(super) fn give(&mut self) {
        if self.egress == Egress::Backlog || self.probes.leave_capacity_stale() {
            return;
        }
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
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.queued = false;
        self.egress.give();
        self.context.stream = id;
        let incremental = stream.priority.incremental;
        let unsent = &mut stream.unsent;
        let mut stream_writer =
            StreamWriter { quic: &mut self.quic, stream: id, unsent, cut: None, sent: 0 };
        let most = if incremental { QUIC_TURN_BYTES } else { usize::MAX };
        let pace = self.context.settings.send_pace(self.context.settings.http3.stall_timeout);
        let reply = &mut stream.exchange.reply;
        let before = reply.deadline();
        let moved = reply.poll_write(&mut stream_writer, &mut self.context, most, pace, &self.now);
        let cut = stream_writer.cut;
        stream.sent_bytes += stream_writer.sent;
        let after = reply.deadline();
        if after.is_none() || after != before {
            self.progress = self.now.instant;
        }
        match moved {
            WriteProgress::Waits | WriteProgress::Blocked => {}
            WriteProgress::More => {
                self.turns += 1;
                stream.turn = self.turns;
                stream.queued = true;
                self.ready.push(id);
            }
            WriteProgress::Again => {
                stream.queued = true;
                let at = self.now.instant + QUIC_BREAK_TIME_MAX;
                let pending = self.pending();
                pending.breaking.push(id);
                pending.break_at.get_or_insert(at);
            }
            WriteProgress::All | WriteProgress::Reset => self.answered(id, cut),
            WriteProgress::Gone => {
                self.end(id, Reason::ClientGone);
                self.discard(id, Code::InternalError);
            }
        }
    }

    /// The client has had its time to read what is before a reset.
    pub(super) fn break_off_all(&mut self) {
        if let Some(pending) = &mut self.pending {
            self.ready.append(&mut pending.breaking);
            pending.break_at = None;
        }
    }

    /// `quiche` has all of a response, or of what there is until it is `cut` off.
    fn answered(&mut self, id: StreamId, cut: Option<Code>) {
        let Some(stream) = self.streams.remove(&id) else { return };
        self.context.stream = id;
        stream.exchange.tell_end(stream.sent_bytes, &mut self.context);
        match stream.exchange.was_answered() {
            true => self.limiter.answered(stream.head_bytes),
            false => self.limiter.unanswered(stream.head_bytes),
        }
        if stream.arriving && !stream.exchange.is_refused() {
            self.refund(id);
        }
        if let Some(code) = cut {
            self.stop_sending(id, code, true);
        } else if stream.arriving {
            // RFC 9114, 4.1.1: the rest of the request is of no use.
            self.stop_sending(id, Code::NoError, false);
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
            self.context.stream = id;
            let shut = self.quic.stream_capacity(id) == Ok(0) && !self.is_full();
            let bearable = self.progress + self.context.settings.http3.stall_timeout;
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            if !shut && bearable > now.instant {
                // Others have what the network takes. It waits for its turn, not for its client.
                stream.exchange.reply.extend_deadline(bearable);
            }
            if stream.exchange.timeout(&mut self.context, &now) {
                self.limiter.unanswered(stream.head_bytes);
                stream.exchange.tell_end(stream.sent_bytes, &mut self.context);
                self.streams.remove(&id);
                self.discard(id, Code::RequestCancelled);
                self.rewind();
            }
            self.queue(id);
        }
        let Some(pending) = &mut self.pending else { return };
        let headless: Vec<_> = pending
            .opening
            .iter()
            .filter(|(_, opening)| opening.until <= now.instant)
            .map(|(id, _)| *id)
            .collect();
        for id in headless {
            if let Some(pending) = &mut self.pending {
                pending.opening.remove(&id);
            }
            self.context.stream = id;
            self.context.report(ProtocolError::stream(Fault::HeadTimeout));
            self.discard(id, Code::RequestIncomplete);
        }
    }
}
