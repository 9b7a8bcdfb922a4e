//! What of a request has been read and not been polled yet.

use std::collections::VecDeque;

use bytes::Bytes;
use wire::{Fields, Part, Reason, RequestHead};

/// Parts of one request in their order. No queue of parts: a head is large, and most requests are
/// a head and an end, which take no allocation here.
#[derive(Debug, Default)]
pub struct Inbox {
    /// The head.
    pub head: Option<Box<RequestHead>>,
    /// Content.
    pub content: VecDeque<Bytes>,
    last: Option<Last>,
    /// The client has closed its direction behind the end.
    leaving: bool,
}

#[derive(Debug)]
enum Last {
    End(Option<Fields>),
    Abort(Reason),
}

impl Inbox {
    /// The request is complete.
    pub fn end(&mut self, trailers: Option<Fields>) {
        self.last = Some(Last::End(trailers));
    }

    /// The request breaks off; content that was not polled is dropped.
    pub fn abort(&mut self, reason: Reason) {
        self.content.clear();
        self.last = Some(Last::Abort(reason));
    }

    /// The client is leaving, behind a complete request.
    pub fn leaving(&mut self) {
        self.leaving = true;
    }

    /// The request is of no more interest.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next part.
    pub fn pop(&mut self) -> Option<Part<Box<RequestHead>>> {
        if let Some(head) = self.head.take() {
            return Some(Part::Head(head));
        }
        if let Some(content) = self.content.pop_front() {
            return Some(Part::Body(content));
        }
        match self.last.take() {
            Some(Last::End(trailers)) => Some(Part::End(trailers)),
            Some(Last::Abort(reason)) => Some(Part::Abort(reason)),
            None => std::mem::take(&mut self.leaving).then_some(Part::Abort(Reason::ClientLeaving)),
        }
    }
}
