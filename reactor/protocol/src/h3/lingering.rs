//! [`Lingering`]: streams that are over here, on which the client may still be sending.
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
pub struct Lingering {
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
    pub(super) fn linger(&mut self, stream: StreamId, code: Code, reset: bool) {
        // What is over already needs no word.
        let _ = self.quic.stream_shutdown(stream, Shutdown::Read, code as u64);
        // A client that does not stop is told all the same.
        let until = reset.then(|| self.now.instant + QUIC_LINGER_TIME);
        let mut lingering = Lingering { stream, code, reset, until };
        if self.lingers(&mut lingering) {
            self.pending().lingering.push_back(lingering);
        }
    }

    /// Nothing more is wanted of a request that is arriving: what is under way of it costs nothing.
    pub(super) fn excuse(&mut self, stream: StreamId) {
        if self.quic.stream_finished(stream) {
            return;
        }
        let http3 = &self.outlet.settings.http3;
        self.watch.excuse(http3.window_bytes, http3.connection_window_bytes());
    }

    /// Ends the streams that clients have ended, and those that are to wait no longer.
    pub(super) fn let_go(&mut self) {
        let count = self.pending.as_ref().map_or(0, |pending| pending.lingering.len());
        for _ in 0..count {
            let Some(mut lingering) = self.pending().lingering.pop_front() else { break };
            if self.lingers(&mut lingering) {
                self.pending().lingering.push_back(lingering);
            }
        }
        if self.watch.excuses() {
            let most = self.going_on().saturating_mul(self.outlet.settings.http3.window_bytes);
            self.watch.excuse_at_most(most);
        }
    }

    /// How many streams there are of which nothing more is wanted, and something may come.
    fn going_on(&self) -> u64 {
        let lingering = self.pending.iter().flat_map(|pending| &pending.lingering);
        let lingering = lingering.filter(|lingering| !self.quic.stream_finished(lingering.stream));
        let refused = self.streams.values().filter(|s| s.arriving && s.exchange.is_refused());
        (lingering.count() + refused.count()) as u64
    }

    /// Whether a stream is over here, and not for the client.
    pub(super) fn is_lingering(&self, stream: StreamId) -> bool {
        let mut lingering = self.pending.iter().flat_map(|pending| &pending.lingering);
        lingering.any(|lingering| lingering.stream == stream)
    }

    /// Whether there is something to wait for.
    fn lingers(&mut self, lingering: &mut Lingering) -> bool {
        let Lingering { stream, code, reset, until } = *lingering;
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
            lingering.until = Some(now + QUIC_LINGER_TIME);
        }
        true
    }
}
