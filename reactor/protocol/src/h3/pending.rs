//! [`Pending`]: what is noted down of streams for a while.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::closing_streams::ClosingStream;
use super::priority::Priority;
use super::stream::Opening;
use crate::StreamId;

/// What few connections have any of at a time.
#[derive(Debug, Default)]
pub struct Pending {
    /// Streams whose request has no whole head yet.
    pub opening: BTreeMap<StreamId, Opening>,
    /// What the client said of requests that are still to come.
    pub priorities: BTreeMap<StreamId, Priority>,
    /// Streams that are over here, and not for the client.
    pub closing: VecDeque<ClosingStream>,
    /// Streams that are to be reset once the client has what is before that: a reset takes back what
    /// it has not read (RFC 9000, 3.2).
    pub breaking: Vec<StreamId>,
    /// Until when it has time for that.
    pub break_at: Option<Instant>,
    /// What the control stream has not taken.
    pub unsaid: Vec<u8>,
}

impl Pending {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.opening.is_empty()
            && self.priorities.is_empty()
            && self.closing.is_empty()
            && self.breaking.is_empty()
            && self.break_at.is_none()
            && self.unsaid.is_empty()
    }

    /// When something of it is late.
    pub fn deadline(&self) -> Option<Instant> {
        let heads = self.opening.values().map(|opening| opening.until).min();
        let closing = self.closing.iter().filter_map(|closing| closing.until).min();
        [heads, closing, self.break_at].into_iter().flatten().min()
    }
}
