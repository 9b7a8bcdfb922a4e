//! [`Lingering`]: streams that are over here, on which the client may still be sending.
//!
//! `quiche` (0.30) forgets a stream when what was sent on it is acknowledged, if the client has ended
//! its side by then. One whose client ends it later, because a packet was lost, would be kept for as
//! long as the connection, and be missing from those that the client may open. So the last thing on
//! such a stream is sent when the client has ended it.

use std::time::Instant;

use quiche::{Error, Shutdown};
use wire::limits::QUIC_LINGER_TIME;

use super::Http3;
use super::error::Code;
use crate::protocol::StreamId;

/// A stream whose client was asked to stop.
#[derive(Debug, Clone, Copy)]
pub struct Lingering {
    stream: StreamId,
    /// What it ends with.
    code: Code,
    /// It is to be reset once the client has stopped. Otherwise all that there is was given.
    reset: bool,
    /// When to wait no longer.
    pub until: Instant,
}

impl Http3 {
    /// Asks the client to stop sending on a stream; `reset` when it gets nothing more either.
    pub(super) fn linger(&mut self, stream: StreamId, code: Code, reset: bool) {
        // What is over already needs no word.
        let _ = self.quic.stream_shutdown(stream, Shutdown::Read, code as u64);
        let until = self.now.instant + QUIC_LINGER_TIME;
        let lingering = Lingering { stream, code, reset, until };
        if self.lingers(lingering) {
            self.pending().lingering.push_back(lingering);
        }
    }

    /// Ends the streams that clients have ended, and those that have lingered for too long.
    pub(super) fn let_go(&mut self) {
        let count = self.pending.as_ref().map_or(0, |pending| pending.lingering.len());
        for _ in 0..count {
            let Some(lingering) = self.pending().lingering.pop_front() else { return };
            if self.lingers(lingering) {
                self.pending().lingering.push_back(lingering);
            }
        }
    }

    /// Whether there is something to wait for.
    fn lingers(&mut self, lingering: Lingering) -> bool {
        let Lingering { stream, code, reset, until } = lingering;
        if matches!(self.quic.stream_capacity(stream), Err(Error::InvalidStreamState(_))) {
            return false;
        }
        let late = until <= self.now.instant;
        let ended = self.quic.stream_finished(stream);
        if late || reset && ended {
            // With its acknowledgement the stream is forgotten. A response that was given as a whole
            // has arrived long since.
            let _ = self.quic.stream_shutdown(stream, Shutdown::Write, code as u64);
            return false;
        }
        true
    }
}
