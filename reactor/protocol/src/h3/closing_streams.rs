//! [`ClosingStream`]: a stream that the server has finished and the client may still send on.
//!
//! `quiche` (0.30) forgets a stream when what was sent on it is acknowledged, if the client has ended
//! its side by then. One whose client ends it later, because a packet was lost, would be kept for as
//! long as the connection, and be missing from those that the client may open. So the last thing on
//! such a stream is sent when the client has ended it, however late: a reset where the response broke
//! off or there is none, which waits for that; and a reset also behind a response that was given as a
//! whole, if nothing is left of it that a reset could take back.

use std::time::Instant;

use quiche::{Error, Shutdown};
use wire::limits::QUIC_LINGER_TIME;

use super::Http3;
use super::error::Code;
use crate::StreamId;

/// A stream whose client was asked to stop.
#[derive(Debug, Clone, Copy)]
pub struct ClosingStream {
    stream: StreamId,
    /// What it ends with.
    code: Code,
    /// It is to be reset once the client has stopped. Otherwise all that there is was given.
    reset: bool,
    /// When to reset it, if it was not forgotten by then.
    pub until: Option<Instant>,
}

impl Http3 {
    /// Asks the client to stop sending on a stream; `reset` when it gets nothing more either.
    pub(super) fn stop_sending(&mut self, stream: StreamId, code: Code, reset: bool) {
        // No-op if the stream is already finished.
        let _ = self.quic.stream_shutdown(stream, Shutdown::Read, code as u64);
        // A client that does not stop is told all the same.
        let until = reset.then(|| self.now.instant + QUIC_LINGER_TIME);
        let mut closing = ClosingStream { stream, code, reset, until };
        if self.waits_to_close(&mut closing) {
            self.pending().closing.push_back(closing);
        }
    }

    /// The rest of a request is not wanted: refunds a window of what is in flight of it.
    pub(super) fn refund(&mut self, stream: StreamId) {
        if self.quic.stream_finished(stream) {
            return;
        }
        let http3 = &self.context.settings.http3;
        self.limiter.refund(http3.window_bytes, http3.connection_window_bytes());
    }

    /// Resets the streams that the client has finished, and those whose time is up.
    pub(super) fn reap(&mut self) {
        let count = self.pending.as_ref().map_or(0, |pending| pending.closing.len());
        for _ in 0..count {
            let Some(mut closing) = self.pending().closing.pop_front() else { break };
            if self.waits_to_close(&mut closing) {
                self.pending().closing.push_back(closing);
            }
        }
        if self.limiter.has_refund() {
            let most = self.going_on().saturating_mul(self.context.settings.http3.window_bytes);
            self.limiter.refund_at_most(most);
        }
    }

    /// How many streams there are of which nothing more is wanted, and something may come.
    fn going_on(&self) -> u64 {
        let closing = self.pending.iter().flat_map(|pending| &pending.closing);
        let closing = closing.filter(|closing| !self.quic.stream_finished(closing.stream));
        let refused = self.streams.values().filter(|s| s.arriving && s.exchange.is_refused());
        (closing.count() + refused.count()) as u64
    }

    /// Whether a stream is over here, and not for the client.
    pub(super) fn is_closing(&self, stream: StreamId) -> bool {
        let mut closing = self.pending.iter().flat_map(|pending| &pending.closing);
        closing.any(|closing| closing.stream == stream)
    }

    /// Whether there is something to wait for.
    fn waits_to_close(&mut self, closing: &mut ClosingStream) -> bool {
        let ClosingStream { stream, code, reset, until } = *closing;
        if matches!(self.quic.stream_capacity(stream), Err(Error::InvalidStreamState(_))) {
            return false;
        }
        let now = self.now.instant;
        let ended = self.quic.stream_finished(stream);
        if until.is_some_and(|until| until <= now) || reset && ended {
            // With its acknowledgement the stream is forgotten, if the client has ended it.
            let _ = self.quic.stream_shutdown(stream, Shutdown::Write, code as u64);
            return false;
        }
        if ended && until.is_none() {
            closing.until = Some(now + QUIC_LINGER_TIME);
        }
        true
    }
}
