//! [`StreamContext`]: settings that the streams of a connection share, and the queues that they fill:
//! parts of requests, released bytes, refusals.

use std::collections::VecDeque;
use std::sync::Arc;

use smallvec::SmallVec;
use wire::{Part, Reason, RequestHead, Version};

use super::ended::{Ended, Ending, Sent};
use super::error::{ErrorScope, ProtocolError};
use super::settings::HttpSettings;
use super::{ReadFile, StreamId};

/// What a stream has at hand, and where its output goes.
#[derive(Debug)]
pub struct StreamContext {
    /// The version that the connection speaks.
    pub version: Version,
    /// The port's options.
    pub settings: Arc<HttpSettings>,
    /// Reads files.
    pub read: ReadFile,
    /// The stream that is at work.
    pub stream: StreamId,
    parts: VecDeque<(StreamId, Part<Box<RequestHead>>)>,
    /// As a rule of one stream.
    released: SmallVec<[(StreamId, u64); 1]>,
    /// There while there are some.
    #[expect(clippy::box_collection, reason = "they are rare, and connections many")]
    refusals: Option<Box<VecDeque<ProtocolError>>>,
    ended: Vec<Ended>,
}

impl StreamContext {
    /// An empty one, of a connection of this version.
    pub fn new(version: Version, settings: Arc<HttpSettings>, read: ReadFile) -> Self {
        Self {
            version,
            settings,
            read,
            stream: 0,
            parts: VecDeque::new(),
            released: SmallVec::new(),
            refusals: None,
            ended: Vec::new(),
        }
    }

    /// A part of the stream's request.
    pub fn part(&mut self, part: Part<Box<RequestHead>>) {
        self.parts.push_back((self.stream, part));
    }

    /// The stream's request breaks off.
    pub fn abort(&mut self, reason: Reason) {
        self.part(Part::Abort(reason));
    }

    /// Content bytes of the stream's response were taken or dropped.
    pub fn release(&mut self, bytes: u64) {
        match self.released.last_mut() {
            Some((stream, sum)) if *stream == self.stream => *sum += bytes,
            _ => self.released.push((self.stream, bytes)),
        }
    }

    /// Something was refused: of the stream, or of the connection as a whole.
    pub fn report(&mut self, mut error: ProtocolError) {
        error.stream = (error.scope == ErrorScope::Stream).then_some(self.stream);
        self.refusals.get_or_insert_default().push_back(error);
    }

    /// A request is over: what its client was sent, and how it ended.
    pub fn over(&mut self, stream: StreamId, sent: Sent, ending: Ending) {
        if self.settings.is_observed() {
            self.ended.push(Ended { stream, version: Some(self.version), sent, ending });
        }
    }

    /// Requests that have come to their end since the last look.
    pub fn take_ended(&mut self, to: &mut Vec<Ended>) {
        if !self.ended.is_empty() {
            to.append(&mut self.ended);
            self.ended = Vec::new();
        }
    }

    /// The next part.
    pub fn pop(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        let part = self.parts.pop_front();
        if self.parts.is_empty() && self.parts.capacity() > 0 {
            // Heads are large, and connections are many: an idle one keeps no room.
            self.parts = VecDeque::new();
        }
        part
    }

    /// What was released since the last look.
    pub fn take_released(&mut self, to: &mut Vec<(StreamId, u64)>) {
        to.extend(std::mem::take(&mut self.released));
    }

    /// The next thing that was refused.
    pub fn pop_refusal(&mut self) -> Option<ProtocolError> {
        let refusal = self.refusals.as_mut()?.pop_front();
        self.refusals.take_if(|refusals| refusals.is_empty());
        refusal
    }
}
