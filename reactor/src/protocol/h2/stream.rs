//! One stream: a request and its response (RFC 9113, 8.1).
//!
//! ```text
//!   request:  Arriving ──▶ Complete     response: see [`Reply`]
//! ```
//!
//! Both go on side by side.

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason as Code, RecvStream, SendStream};
use http::{HeaderMap, Response};
use wire::limits::H2_SEND_BYTES_MAX;
use wire::{Part, Reason, ResponseHead};

use super::request;
use crate::protocol::error::{Fault, ProtocolError};
use crate::protocol::message::RequestFacts;
use crate::protocol::outlet::Outlet;
use crate::protocol::reply::{Cut, Moved, Refused, Reply, Sink};
use crate::protocol::{Flow, Now};

/// A stream that a client has opened.
#[derive(Debug)]
pub struct Stream {
    waker: Waker,
    request: Request,
    reply: Reply,
    out: Out,
}

#[derive(Debug)]
enum Request {
    /// Content is arriving; the deadline moves with it.
    Arriving { content: RecvStream, received: u64, deadline: Instant },
    /// All of it was read.
    Complete,
    /// It was refused: nothing more is told of it.
    Refused,
}

/// The way to the client.
#[derive(Debug)]
enum Out {
    /// `h2` has not been given the final head.
    Unsaid(SendResponse<Bytes>),
    /// `h2` has the head.
    Said(SendStream<Bytes>),
}

impl Stream {
    /// A stream with a request whose head was read. `content` is none when there is none.
    pub fn new(
        facts: RequestFacts,
        content: Option<RecvStream>,
        respond: SendResponse<Bytes>,
        waker: Waker,
        outlet: &Outlet,
        now: &Now,
    ) -> Self {
        let deadline = now.instant + outlet.settings.body_timeout;
        let request = content
            .map(|content| Request::Arriving { content, received: 0, deadline })
            .unwrap_or(Request::Complete);
        Self { waker, request, reply: Reply::new(facts), out: Out::Unsaid(respond) }
    }

    /// Says that the client may go on (RFC 9110, 10.1.1).
    pub fn say_continue(&mut self) {
        self.reply.say_continue();
    }

    /// Whether there is nothing more to do.
    pub fn is_over(&self) -> bool {
        self.reply.is_over()
    }

    /// Whether the client got a response to its end, or to where it broke off.
    pub fn was_answered(&self) -> bool {
        self.is_over() && matches!(self.request, Request::Complete)
    }

    /// When to call [`timeout`](Self::timeout).
    pub fn deadline(&self) -> Option<Instant> {
        let arrival = match &self.request {
            Request::Arriving { deadline, .. } if self.reply.is_awaited() => Some(*deadline),
            _ => None,
        };
        [arrival, self.reply.deadline()].into_iter().flatten().min()
    }

    /// A deadline may have passed.
    pub fn timeout(&mut self, outlet: &mut Outlet, now: &Now) {
        if self.deadline().is_none_or(|deadline| now.instant < deadline) {
            return;
        }
        if self.reply.is_awaited() {
            return self.refuse(Fault::ContentTimeout, Reason::ClientStalled, outlet, now);
        }
        self.out.reset(Cut::Cancelled);
        outlet.report(ProtocolError::stream(Fault::ResponseStalled));
        self.lose(Reason::ClientStalled, outlet);
    }

    /// The stream is no more.
    pub fn lose(&mut self, reason: Reason, outlet: &mut Outlet) {
        if !self.is_over() && !matches!(self.request, Request::Refused) {
            outlet.abort(reason);
        }
        self.request = Request::Refused;
        self.reply.lose(outlet);
    }

    /// Moves on what can be moved. `true`: to be called once more after `h2` was.
    pub fn pump(&mut self, outlet: &mut Outlet, now: &Now) -> bool {
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        // First, because it tells who has broken the stream off.
        self.pull(&mut cx, outlet, now);
        if !self.is_over() && self.out.was_reset(&mut cx) {
            self.lose(Reason::ClientGone, outlet);
            return false;
        }
        let patience = outlet.settings.http2.stall_timeout;
        let mut sink = Carrier { out: &mut self.out, cx: &mut cx };
        match self.reply.give(&mut sink, outlet, usize::MAX, patience, now) {
            Moved::Waits | Moved::Blocked | Moved::All | Moved::Reset => {}
            Moved::More | Moved::Again => return true,
            Moved::Gone => self.lose(Reason::ClientGone, outlet),
        }
        false
    }

    /// Takes content of the request; the client may send as much more (RFC 9113, 6.9.1).
    fn pull(&mut self, cx: &mut Context<'_>, outlet: &mut Outlet, now: &Now) {
        loop {
            let Request::Arriving { content, received, deadline } = &mut self.request else {
                return;
            };
            let bytes = match content.poll_data(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(bytes))) => bytes,
                Poll::Ready(Some(Err(error))) => return self.broken(&error, outlet),
                Poll::Ready(None) => return self.end_request(cx, outlet),
            };
            *received += bytes.len() as u64;
            if *received > outlet.settings.body_bytes_max {
                return self.refuse(Fault::ContentTooLarge, Reason::ClientGone, outlet, now);
            }
            if bytes.is_empty() {
                continue;
            }
            *deadline = now.instant + outlet.settings.body_timeout;
            // An error says that the stream is gone, which the next poll tells too.
            let _ = content.flow_control().release_capacity(bytes.len());
            outlet.part(Part::Body(bytes));
        }
    }

    fn end_request(&mut self, cx: &mut Context<'_>, outlet: &mut Outlet) {
        let Request::Arriving { content, .. } = &mut self.request else { return };
        match content.poll_trailers(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(trailers)) => {
                outlet.part(Part::End(trailers.as_ref().and_then(request::trailers)));
                self.request = Request::Complete;
            }
            Poll::Ready(Err(error)) => self.broken(&error, outlet),
        }
    }

    /// The content breaks off, or a rule.
    fn broken(&mut self, error: &h2::Error, outlet: &mut Outlet) {
        if error.is_library() {
            outlet.report(ProtocolError::stream(Fault::Request));
        }
        self.lose(Reason::ClientGone, outlet);
    }

    /// The request cannot be served: answers it, and drops what is still to come of it.
    fn refuse(&mut self, fault: Fault, reason: Reason, outlet: &mut Outlet, now: &Now) {
        outlet.abort(reason);
        self.refuse_head(fault, outlet, now);
    }

    /// As [`refuse`](Self::refuse), for a request of which nothing was told yet.
    pub fn refuse_head(&mut self, fault: Fault, outlet: &mut Outlet, now: &Now) {
        outlet.report(ProtocolError::stream(fault));
        // With the response at its end, `h2` asks the client to stop (RFC 9113, 8.1).
        self.request = Request::Refused;
        self.reply.plain(fault.status(), outlet, now);
    }

    /// A part of the response.
    pub fn send(&mut self, part: Part<ResponseHead>, outlet: &mut Outlet, now: &Now) -> Flow {
        self.reply.send(part, outlet, now)
    }
}

impl Out {
    fn was_reset(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::Unsaid(respond) => respond.poll_reset(cx).is_ready(),
            Self::Said(stream) => stream.poll_reset(cx).is_ready(),
        }
    }

    fn reset(&mut self, cut: Cut) {
        let code = match cut {
            Cut::Cancelled => Code::CANCEL,
            Cut::Broken => Code::INTERNAL_ERROR,
        };
        match self {
            Self::Unsaid(respond) => respond.send_reset(code),
            Self::Said(stream) => stream.send_reset(code),
        }
    }
}

/// `h2`, as a response sees it.
struct Carrier<'a, 'b> {
    out: &'a mut Out,
    cx: &'a mut Context<'b>,
}

impl Sink for Carrier<'_, '_> {
    fn interim(&mut self, head: Response<()>) -> Result<(), Refused<Response<()>>> {
        match self.out {
            Out::Unsaid(respond) => respond.send_informational(head).map_err(|_| Refused::Gone),
            Out::Said(_) => Err(Refused::Gone),
        }
    }

    fn head(&mut self, head: Response<()>, last: bool) -> Result<(), Refused<Response<()>>> {
        let Out::Unsaid(respond) = self.out else { return Err(Refused::Gone) };
        *self.out = Out::Said(respond.send_response(head, last).map_err(|_| Refused::Gone)?);
        Ok(())
    }

    fn room(&mut self, wanted: u64) -> Option<usize> {
        let Out::Said(stream) = self.out else { return None };
        stream.reserve_capacity(wanted.min(H2_SEND_BYTES_MAX as u64) as usize);
        while stream.capacity() == 0 {
            match stream.poll_capacity(self.cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return None,
                Poll::Pending => return Some(0),
            }
        }
        Some(stream.capacity())
    }

    fn data(&mut self, data: Bytes, last: bool) -> Result<(), Refused<()>> {
        let Out::Said(stream) = self.out else { return Err(Refused::Gone) };
        stream.send_data(data, last).map_err(|_| Refused::Gone)
    }

    fn trailers(&mut self, trailers: HeaderMap) -> Result<(), Refused<HeaderMap>> {
        let Out::Said(stream) = self.out else { return Err(Refused::Gone) };
        stream.send_trailers(trailers).map_err(|_| Refused::Gone)
    }

    fn reset(&mut self, cut: Cut) {
        self.out.reset(cut);
    }
}
