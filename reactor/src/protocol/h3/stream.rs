//! One stream: a request and its response (RFC 9114, 4.1).
//!
//! ```text
//!   request:  Arriving ──▶ Complete     response: see [`Reply`]
//! ```
//!
//! Both go on side by side.

use std::time::Instant;

use bytes::Bytes;
use quiche::h3::{Header, Priority};
use wire::{Fields, Part, Reason, ResponseHead};

use super::carrier::Framing;
use super::{Quic, request};
use crate::protocol::error::{Fault, ProtocolError};
use crate::protocol::message::RequestFacts;
use crate::protocol::outlet::Outlet;
use crate::protocol::reply::Reply;
use crate::protocol::{Flow, Now, StreamId};

/// A stream that a client has opened.
pub struct Stream {
    request: Request,
    /// The response.
    pub reply: Reply,
    /// The client may still send something of the request.
    pub arriving: bool,
    /// Who makes the response's frames.
    pub framing: Framing,
    /// It is in the queue of those that may have something to send.
    pub queued: bool,
    /// How urgent the response is (RFC 9218, 4).
    pub priority: Urgency,
    /// The higher, the later it had its turn; 0 when it does not take turns.
    pub turn: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    /// Content is arriving; the deadline moves with it.
    Arriving { received: u64, declared: Option<u64>, deadline: Instant },
    /// All of it was read.
    Complete,
    /// It was refused: nothing more is told of it.
    Refused,
}

/// `Priority`, of which `quiche` does not tell what it says.
#[derive(Debug, Clone, Copy)]
pub struct Urgency {
    /// 0 is the most urgent, 7 the least.
    pub urgency: u8,
    /// Several at a time are of use, each in parts.
    pub incremental: bool,
}

impl Urgency {
    /// Reads a field's value; one that cannot be read is as none (RFC 9218, 5).
    pub fn parse(value: Option<&[u8]>) -> Self {
        let read = value.and_then(|value| Priority::try_from(value).ok()).unwrap_or_default();
        let urgencies = (0..8u8).flat_map(|urgency| [(urgency, false), (urgency, true)]);
        let (urgency, incremental) = urgencies
            .into_iter()
            .find(|(u, i)| Priority::new(*u, *i) == read)
            .unwrap_or((3, false));
        Self { urgency, incremental }
    }

    /// As `quiche` takes it.
    pub fn get(self) -> Priority {
        Priority::new(self.urgency, self.incremental)
    }

    /// Sets it on a stream that `quiche` has been given the head of.
    pub fn apply(self, quic: &mut Quic, stream: StreamId) {
        // What `quiche` puts above all requests: control streams, and what it has no name for.
        const REQUESTS: u8 = 124;
        // A stream that is gone needs none.
        let _ = quic.stream_priority(stream, REQUESTS + self.urgency, self.incremental);
    }
}

impl Stream {
    /// A stream with a request whose head was read; `complete` when nothing follows it.
    pub fn new(
        facts: RequestFacts,
        declared: Option<u64>,
        complete: bool,
        priority: Urgency,
        outlet: &Outlet,
        now: &Now,
    ) -> Self {
        let deadline = now.instant + outlet.settings.body_timeout;
        let request = if complete {
            Request::Complete
        } else {
            Request::Arriving { received: 0, declared, deadline }
        };
        let reply = Reply::new(facts);
        let arriving = !complete;
        Self {
            request,
            reply,
            arriving,
            framing: Framing::default(),
            queued: false,
            priority,
            turn: 0,
        }
    }

    /// Whether the client got a response to its end, or to where it broke off.
    pub fn was_answered(&self) -> bool {
        self.reply.is_over() && self.request == Request::Complete
    }

    /// Whether content is of use.
    pub fn wants_content(&self) -> bool {
        matches!(self.request, Request::Arriving { .. })
    }

    /// When to call [`timeout`](Self::timeout).
    pub fn deadline(&self) -> Option<Instant> {
        let arrival = match self.request {
            Request::Arriving { deadline, .. } if self.reply.is_awaited() => Some(deadline),
            _ => None,
        };
        [arrival, self.reply.deadline()].into_iter().flatten().min()
    }

    /// A deadline may have passed. `true`: the client takes nothing, and the stream is to be reset.
    pub fn timeout(&mut self, outlet: &mut Outlet, now: &Now) -> bool {
        if self.deadline().is_none_or(|deadline| now.instant < deadline) {
            return false;
        }
        if self.reply.is_awaited() {
            self.refuse(Fault::ContentTimeout, Reason::ClientStalled, outlet, now);
            return false;
        }
        outlet.report(ProtocolError::stream(Fault::ResponseStalled));
        self.lose(Reason::ClientStalled, outlet);
        true
    }

    /// The stream is no more.
    pub fn lose(&mut self, reason: Reason, outlet: &mut Outlet) {
        if !self.reply.is_over() && self.request != Request::Refused {
            outlet.abort(reason);
        }
        self.request = Request::Refused;
        self.reply.lose(outlet);
    }

    /// Content has arrived. An error says that the stream is to be reset for it.
    pub fn content(&mut self, bytes: Bytes, outlet: &mut Outlet, now: &Now) -> Result<(), Fault> {
        let Request::Arriving { received, declared, deadline } = &mut self.request else {
            return Ok(());
        };
        *received += bytes.len() as u64;
        if declared.is_some_and(|declared| *received > declared) {
            return Err(Fault::Message);
        }
        if *received > outlet.settings.body_bytes_max {
            self.refuse(Fault::ContentTooLarge, Reason::ClientGone, outlet, now);
            return Ok(());
        }
        *deadline = now.instant + outlet.settings.body_timeout;
        outlet.part(Part::Body(bytes));
        Ok(())
    }

    /// Trailers have arrived.
    pub fn trailers(&mut self, list: &[Header], outlet: &mut Outlet) -> Result<(), Fault> {
        let trailers = request::trailers(list)?;
        self.complete(trailers, outlet)
    }

    /// The request has ended.
    pub fn end(&mut self, outlet: &mut Outlet) -> Result<(), Fault> {
        self.arriving = false;
        self.complete(None, outlet)
    }

    fn complete(&mut self, trailers: Option<Fields>, outlet: &mut Outlet) -> Result<(), Fault> {
        let Request::Arriving { received, declared, .. } = self.request else { return Ok(()) };
        // RFC 9114, 4.1.2.
        if declared.is_some_and(|declared| declared != received) {
            return Err(Fault::Message);
        }
        self.request = Request::Complete;
        outlet.part(Part::End(trailers));
        Ok(())
    }

    /// The request cannot be served: answers it, and drops what is still to come of it.
    fn refuse(&mut self, fault: Fault, reason: Reason, outlet: &mut Outlet, now: &Now) {
        outlet.abort(reason);
        self.refuse_head(fault, outlet, now);
    }

    /// As `refuse`, for a request of which nothing was told yet.
    pub fn refuse_head(&mut self, fault: Fault, outlet: &mut Outlet, now: &Now) {
        outlet.report(ProtocolError::stream(fault));
        self.request = Request::Refused;
        self.reply.plain(fault.status(), outlet, now);
    }

    /// A part of the response.
    pub fn send(&mut self, part: Part<ResponseHead>, outlet: &mut Outlet, now: &Now) -> Flow {
        self.reply.send(part, outlet, now)
    }
}
