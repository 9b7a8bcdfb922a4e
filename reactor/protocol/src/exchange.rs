//! One request and its response, on a version that has streams (RFC 9113, 8.1; RFC 9114, 4.1).
//!
//! ```text
//!   request:  Arriving ──▶ Complete     response: see [`StreamReply`]
//!             Asking ──upgrade──▶ Upgraded ──▶ Complete
//! ```
//!
//! Both go on side by side.

use std::time::Instant;

use bytes::Bytes;
use wire::{Fields, Part, Reason};

use super::ended::Ending;
use super::error::{Fault, ProtocolError};
use super::message::{Continue, RequestFacts};
use super::pace::Pace;
use super::reply::StreamReply;
use super::stream_context::StreamContext;
use super::upgrade::Accepted;
use super::{Flow, Now};

/// What a stream carries.
#[derive(Debug)]
pub struct StreamExchange {
    request: StreamRequest,
    /// The response.
    pub reply: StreamReply,
    /// Why the request is over, where that is not for the end of the response.
    ending: Option<Ending>,
}

#[derive(Debug, PartialEq, Eq)]
enum StreamRequest {
    /// Content is arriving; the deadline moves with it. There is none while the content is held back.
    Arriving { received: u64, deadline: Option<Instant>, pace: Pace, expected: Continue },
    /// It asks for an upgrade, and was told to be complete. What has come behind its head waits for the
    /// answer, and the client is held back.
    Asking(Vec<Bytes>),
    /// The stream is another protocol's: what comes is given out without bounds, unless it is paused.
    Upgraded { paused: bool },
    /// All of it was read.
    Complete,
    /// Rejected; later parts are discarded.
    Refused,
}

impl StreamExchange {
    /// A request whose head was read; `complete` when nothing follows it.
    pub fn new(facts: RequestFacts, complete: bool, context: &StreamContext, now: &Now) -> Self {
        let pace = context.settings.body_pace(false);
        let deadline = Some(pace.begin(now.instant));
        let request = match complete {
            true => StreamRequest::Complete,
            false if facts.upgrade => StreamRequest::Asking(Vec::new()),
            false => {
                StreamRequest::Arriving { received: 0, deadline, pace, expected: Continue::No }
            }
        };
        Self { request, reply: StreamReply::new(facts), ending: None }
    }

    /// Content follows the head: at once, or if `streamed` when the handler asks for it. Says so to a
    /// client that waits to be told.
    pub fn follow(&mut self, streamed: bool, expects_continue: bool, context: &StreamContext) {
        let StreamRequest::Arriving { deadline, pace, expected, .. } = &mut self.request else {
            return;
        };
        if streamed {
            *deadline = None;
            *pace = context.settings.body_pace(true);
            *expected = if expects_continue { Continue::WhenAsked } else { Continue::No };
        } else if expects_continue {
            self.reply.say_continue();
        }
    }

    /// Bytes of content that were read; `None` when no more of it is of use.
    pub fn arriving(&self) -> Option<u64> {
        match self.request {
            StreamRequest::Arriving { received, .. } => Some(received),
            StreamRequest::Asking(_) | StreamRequest::Upgraded { .. } => Some(0),
            StreamRequest::Complete | StreamRequest::Refused => None,
        }
    }

    /// Whether the client got a response to its end, or to where it broke off.
    pub fn was_answered(&self) -> bool {
        let told = !matches!(self.request, StreamRequest::Arriving { .. } | StreamRequest::Refused);
        self.reply.is_over() && told
    }

    /// When to call [`timeout`](Self::timeout).
    pub fn deadline(&self) -> Option<Instant> {
        let arrival = match self.request {
            StreamRequest::Arriving { deadline, .. } if self.reply.is_awaited() => deadline,
            _ => None,
        };
        [arrival, self.reply.deadline()].into_iter().flatten().min()
    }

    /// A deadline may have passed. `true`: the client takes nothing, and the stream is to be reset.
    pub fn timeout(&mut self, context: &mut StreamContext, now: &Now) -> bool {
        if self.deadline().is_none_or(|deadline| now.instant < deadline) {
            return false;
        }
        let stalled = self.reply.deadline().is_some_and(|deadline| deadline <= now.instant);
        if self.reply.is_awaited() && !stalled {
            self.refuse(Fault::ContentTimeout, Reason::ClientStalled, context, now);
            return false;
        }
        context.report(ProtocolError::stream(Fault::ResponseStalled));
        self.lose(Reason::ClientStalled, context);
        true
    }

    /// Tells that the request is over, when it is. `wire` counts what went to the stream.
    pub fn tell_end(&self, wire: u64, context: &mut StreamContext) {
        let ending = match self.ending {
            Some(ending) => ending,
            None if self.reply.is_broken() => Ending::Broken,
            None if self.reply.is_over() => Ending::Complete,
            None => Ending::Lost(Reason::ClientGone),
        };
        let mut sent = self.reply.sent();
        sent.wire = wire;
        context.over(context.stream, sent, ending);
    }

    /// The request is not what it should be, and gets no answer.
    pub fn malformed(&mut self, fault: Fault) {
        self.ending = Some(Ending::Refused(fault));
    }

    /// The stream is no more.
    pub fn lose(&mut self, reason: Reason, context: &mut StreamContext) {
        if !self.reply.is_over() {
            self.ending.get_or_insert(Ending::Lost(reason));
        }
        if !self.reply.is_over() && self.request != StreamRequest::Refused {
            context.abort(reason);
        }
        self.request = StreamRequest::Refused;
        self.reply.lose(context);
    }

    /// Content has arrived. Past its bound the request is refused.
    pub fn content(&mut self, bytes: Bytes, context: &mut StreamContext, now: &Now) {
        let (received, deadline, pace) = match &mut self.request {
            StreamRequest::Arriving { received, deadline, pace, .. } => (received, deadline, pace),
            StreamRequest::Asking(early) => return early.push(bytes),
            StreamRequest::Upgraded { .. } => return context.part(Part::Body(bytes)),
            StreamRequest::Complete | StreamRequest::Refused => return,
        };
        let len = bytes.len() as u64;
        *received += len;
        if *received > context.settings.body_bytes_max {
            return self.refuse(Fault::ContentTooLarge, Reason::Refused, context, now);
        }
        *deadline = deadline.map(|deadline| pace.extend(deadline, len, now.instant));
        context.part(Part::Body(bytes));
    }

    /// Whether content is held back.
    pub fn is_paused(&self) -> bool {
        match &self.request {
            StreamRequest::Arriving { deadline, .. } => deadline.is_none(),
            StreamRequest::Upgraded { paused } => *paused,
            StreamRequest::Asking(_) => true,
            StreamRequest::Complete | StreamRequest::Refused => false,
        }
    }

    /// Holds content back, or lets it come again.
    pub fn set_paused(&mut self, paused: bool, now: &Now) {
        let StreamRequest::Arriving { deadline, pace, expected, .. } = &mut self.request else {
            if let StreamRequest::Upgraded { paused: is_paused } = &mut self.request {
                *is_paused = paused;
            }
            return;
        };
        *deadline = (!paused).then(|| pace.begin(now.instant));
        if !paused
            && std::mem::replace(expected, Continue::No) == Continue::WhenAsked
            && self.reply.is_awaited()
        {
            self.reply.say_continue();
        }
    }

    /// The stream is another protocol's from now on (RFC 8441, 5; RFC 9220, 3).
    pub fn upgrade(&mut self, accepted: &Accepted, context: &mut StreamContext, now: &Now) -> Flow {
        let StreamRequest::Asking(early) = &mut self.request else { return Flow::Gone };
        let early = std::mem::take(early);
        if !self.reply.upgrade(accepted, context, now) {
            return Flow::Gone;
        }
        self.request = StreamRequest::Upgraded { paused: false };
        early.into_iter().for_each(|bytes| context.part(Part::Body(bytes)));
        Flow::Ready
    }

    /// The request has ended.
    pub fn complete(&mut self, trailers: Option<Fields>, context: &mut StreamContext) {
        let asked = matches!(self.request, StreamRequest::Asking(_));
        self.request = StreamRequest::Complete;
        if !asked {
            context.part(Part::End(trailers));
        }
    }

    /// Whether it was refused, and what is still to come of it is of no use.
    pub fn is_refused(&self) -> bool {
        self.request == StreamRequest::Refused
    }

    /// Trailers have begun that are larger than allowed.
    pub fn too_large(&mut self, context: &mut StreamContext, now: &Now) {
        if self.arriving().is_some() {
            self.refuse(Fault::FieldsTooLarge, Reason::Refused, context, now);
        }
    }

    /// The request cannot be served: answers it, and drops what is still to come of it.
    fn refuse(&mut self, fault: Fault, reason: Reason, context: &mut StreamContext, now: &Now) {
        context.abort(reason);
        self.refuse_head(fault, context, now);
    }

    /// As `refuse`, for a request of which nothing was told yet.
    pub fn refuse_head(&mut self, fault: Fault, context: &mut StreamContext, now: &Now) {
        context.report(ProtocolError::stream(fault));
        self.ending = Some(Ending::Refused(fault));
        self.request = StreamRequest::Refused;
        self.reply.plain(fault.status(), context, now);
    }
}
