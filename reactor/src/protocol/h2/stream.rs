//! One stream: a request and its response (RFC 9113, 8.1).
//!
//! ```text
//!   request:  Arriving ──▶ Complete     response:  Awaited ──▶ Headed ──▶ Sending ──▶ Over
//! ```
//!
//! Both go on side by side. `Headed` lasts until the next turn: a response whose end follows its
//! head at once is then told in as few frames as possible.

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason as Code, RecvStream, SendStream};
use http::{Response as HttpResponse, StatusCode};
use wire::{Part, Reason, ResponseHead};

use super::content::{Moved, Outgoing};
use super::core::Outlet;
use super::{request, response};
use crate::protocol::error::{Fault, ProtocolError};
use crate::protocol::message::{self, RequestFacts};
use crate::protocol::{Flow, Now};

/// A stream that a client has opened.
#[derive(Debug)]
pub struct Stream {
    facts: RequestFacts,
    waker: Waker,
    request: Request,
    response: Response,
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

#[derive(Debug)]
enum Response {
    /// There is no final head yet.
    Awaited(SendResponse<Bytes>),
    /// `h2` has not been given the final head.
    Headed { respond: SendResponse<Bytes>, head: HttpResponse<()>, content: Outgoing },
    /// `h2` has the head.
    Sending { stream: SendStream<Bytes>, content: Outgoing },
    /// `h2` has everything, or the stream is gone.
    Over,
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
        Self { facts, waker, request, response: Response::Awaited(respond) }
    }

    /// Says that the client may go on (RFC 9110, 10.1.1).
    pub fn say_continue(&mut self) {
        if let Response::Awaited(respond) = &mut self.response {
            let mut head = HttpResponse::new(());
            *head.status_mut() = StatusCode::CONTINUE;
            // A stream that cannot take it is found out by the next poll.
            let _ = respond.send_informational(head);
        }
    }

    /// Whether there is nothing more to do.
    pub fn is_over(&self) -> bool {
        matches!(self.response, Response::Over)
    }

    /// Whether the client got a response to its end, or to where it broke off.
    pub fn was_answered(&self) -> bool {
        self.is_over() && matches!(self.request, Request::Complete)
    }

    /// When to call [`timeout`](Self::timeout).
    pub fn deadline(&self) -> Option<Instant> {
        let arrival = match (&self.request, &self.response) {
            (Request::Arriving { deadline, .. }, Response::Awaited(_)) => Some(*deadline),
            _ => None,
        };
        let stall = match &self.response {
            Response::Sending { content, .. } => content.deadline(),
            _ => None,
        };
        [arrival, stall].into_iter().flatten().min()
    }

    /// A deadline may have passed.
    pub fn timeout(&mut self, outlet: &mut Outlet, now: &Now) {
        if self.deadline().is_none_or(|deadline| now.instant < deadline) {
            return;
        }
        match &mut self.response {
            Response::Awaited(_) => {
                self.refuse(Fault::ContentTimeout, Reason::ClientStalled, outlet, now);
            }
            Response::Sending { stream, .. } => {
                stream.send_reset(Code::CANCEL);
                outlet.report(ProtocolError::stream(Fault::ResponseStalled));
                self.lose(Reason::ClientStalled, outlet);
            }
            Response::Headed { .. } | Response::Over => {}
        }
    }

    /// The connection is no more.
    pub fn lose(&mut self, reason: Reason, outlet: &mut Outlet) {
        if !self.is_over() && !matches!(self.request, Request::Refused) {
            outlet.abort(reason);
        }
        if let Response::Headed { content, .. } | Response::Sending { content, .. } =
            &mut self.response
        {
            content.discard(outlet);
        }
        self.request = Request::Refused;
        self.response = Response::Over;
    }

    /// Moves on what can be moved. `true`: to be called once more after `h2` was.
    pub fn pump(&mut self, outlet: &mut Outlet, now: &Now) -> bool {
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        // First, because it tells who has broken the stream off.
        self.pull(&mut cx, outlet, now);
        if self.was_reset(&mut cx) {
            self.lose(Reason::ClientGone, outlet);
            return false;
        }
        self.push(&mut cx, outlet, now)
    }

    fn was_reset(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.response {
            Response::Awaited(respond) | Response::Headed { respond, .. } => {
                respond.poll_reset(cx).is_ready()
            }
            Response::Sending { stream, .. } => stream.poll_reset(cx).is_ready(),
            Response::Over => false,
        }
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
        self.plain(fault.status(), outlet, now);
    }

    /// Gives `h2` what there is of the response.
    fn push(&mut self, cx: &mut Context<'_>, outlet: &mut Outlet, now: &Now) -> bool {
        if let Response::Headed { .. } = self.response {
            self.give_head(outlet);
        }
        let Response::Sending { stream, content } = &mut self.response else { return false };
        match content.flush(stream, cx, outlet, now) {
            Moved::Waits => {}
            Moved::Again => return true,
            Moved::All => self.response = Response::Over,
            Moved::Gone => self.lose(Reason::ClientGone, outlet),
        }
        false
    }

    fn give_head(&mut self, outlet: &mut Outlet) {
        let response = std::mem::replace(&mut self.response, Response::Over);
        let Response::Headed { mut respond, head, mut content } = response else { return };
        let last = content.is_empty();
        match respond.send_response(head, last) {
            Ok(stream) if !last => self.response = Response::Sending { stream, content },
            // All of it is said, or the stream is gone.
            _ => content.discard(outlet),
        }
    }

    /// A part of the response.
    pub fn send(&mut self, part: Part<ResponseHead>, outlet: &mut Outlet, now: &Now) -> Flow {
        let result = match (&mut self.response, part) {
            (Response::Over, _) => return Flow::Gone,
            (Response::Headed { content, .. } | Response::Sending { content, .. }, _)
                if content.has_ended() =>
            {
                return Flow::Gone;
            }
            (_, Part::Abort(reason)) => return self.abort(reason, outlet, now),
            (Response::Awaited(respond), Part::Head(head)) if head.status.is_informational() => {
                // An error says that the stream is gone, which the next poll tells too.
                response::interim(&head).map(|head| drop(respond.send_informational(head)))
            }
            (Response::Awaited(_), Part::Head(head)) => self.head(&head, outlet, now),
            (Response::Headed { content, .. } | Response::Sending { content, .. }, part) => {
                match part {
                    Part::Body(bytes) => content.push(bytes, outlet),
                    Part::File(slice) => content.push_file(slice),
                    Part::End(fields) => content.end(response::trailers(fields.as_ref())),
                    Part::Head(_) | Part::Abort(_) => Err(Fault::ResponseOrder),
                }
            }
            (Response::Awaited(_), _) => Err(Fault::ResponseOrder),
        };
        match result {
            Ok(()) => Flow::Ready,
            Err(fault) => {
                outlet.report(ProtocolError::stream(fault));
                self.abort(Reason::Internal, outlet, now);
                Flow::Gone
            }
        }
    }

    /// The response breaks off. Before its head an error takes its place; behind it, the client
    /// must see that it is incomplete.
    fn abort(&mut self, reason: Reason, outlet: &mut Outlet, now: &Now) -> Flow {
        match &mut self.response {
            Response::Awaited(respond) => match message::abort_status(reason) {
                Some(status) => self.plain(status, outlet, now),
                None => {
                    respond.send_reset(Code::CANCEL);
                    self.response = Response::Over;
                }
            },
            Response::Headed { content, .. } | Response::Sending { content, .. } => {
                content.break_off();
            }
            Response::Over => return Flow::Gone,
        }
        Flow::Ready
    }

    /// Answers in place of the handler.
    fn plain(&mut self, status: StatusCode, outlet: &mut Outlet, now: &Now) {
        let (head, bytes) = message::plain_response(status);
        // Its fields are sendable.
        if self.head(&head, outlet, now).is_ok()
            && let Response::Headed { content, .. } = &mut self.response
        {
            content.push_own(bytes);
            // All of it is there.
            let _ = content.end(None);
        }
    }

    /// The final head.
    fn head(&mut self, head: &ResponseHead, outlet: &Outlet, now: &Now) -> Result<(), Fault> {
        let shape = message::shape(&self.facts, head)?;
        let lines = response::head(head, &shape, outlet.settings.server.as_ref(), &now.date)?;
        self.response = match std::mem::replace(&mut self.response, Response::Over) {
            Response::Awaited(respond) => {
                Response::Headed { respond, head: lines, content: Outgoing::new(shape.content) }
            }
            other => other,
        };
        Ok(())
    }
}
