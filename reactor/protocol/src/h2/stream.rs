//! One stream: a [`StreamExchange`], as `h2` carries it (RFC 9113, 8.1).

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason as Code, RecvStream, SendStream};
use http::{HeaderMap, Response};
use wire::Reason;
use wire::limits::H2_SEND_BYTES_MAX;

use super::request;
use crate::Now;
use crate::error::{Fault, ProtocolError};
use crate::exchange::StreamExchange;
use crate::message::RequestFacts;
use crate::reply::{Refused, ResetReason, Sink, WriteProgress};
use crate::stream_context::StreamContext;

/// A stream that a client has opened.
#[derive(Debug)]
pub struct Http2Stream {
    waker: Waker,
    /// The request and the response.
    pub exchange: StreamExchange,
    /// Where the request's content comes from, as long as it is of use.
    content: Option<RecvStream>,
    out: Out,
}

/// The way to the client.
#[derive(Debug)]
enum Out {
    /// `h2` has not been given the final head.
    Unsaid(SendResponse<Bytes>),
    /// `h2` has the head.
    Said(SendStream<Bytes>),
}

impl Http2Stream {
    /// A stream with a request whose head was read. `content` is none when there is none.
    pub fn new(
        facts: RequestFacts,
        content: Option<RecvStream>,
        respond: SendResponse<Bytes>,
        waker: Waker,
        context: &StreamContext,
        now: &Now,
    ) -> Self {
        let exchange = StreamExchange::new(facts, content.is_none(), context, now);
        Self { waker, exchange, content, out: Out::Unsaid(respond) }
    }

    /// A deadline may have passed.
    pub fn timeout(&mut self, context: &mut StreamContext, now: &Now) {
        if self.exchange.timeout(context, now) {
            self.out.reset(ResetReason::Cancelled);
        }
    }

    /// Moves on what can be moved. `true`: to be called once more after `h2` was.
    pub fn pump(&mut self, context: &mut StreamContext, now: &Now) -> bool {
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        // First, because it tells who has broken the stream off.
        self.pull(&mut cx, context, now);
        if !self.exchange.reply.is_over() && self.out.was_reset(&mut cx) {
            self.exchange.lose(Reason::ClientGone, context);
            return false;
        }
        let pace = context.settings.send_pace(context.settings.http2.stall_timeout);
        let mut sink = ResponseSink { out: &mut self.out, cx: &mut cx };
        match self.exchange.reply.poll_write(&mut sink, context, usize::MAX, pace, now) {
            WriteProgress::Waits
            | WriteProgress::Blocked
            | WriteProgress::All
            | WriteProgress::Reset => {}
            WriteProgress::More | WriteProgress::Again => return true,
            WriteProgress::Gone => self.exchange.lose(Reason::ClientGone, context),
        }
        false
    }

    /// Takes content of the request; the client may send as much more (RFC 9113, 6.9.1).
    fn pull(&mut self, cx: &mut Context<'_>, context: &mut StreamContext, now: &Now) {
        loop {
            if self.exchange.arriving().is_none() {
                // With the response at its end, `h2` asks the client to stop (RFC 9113, 8.1).
                self.content = None;
            }
            if self.exchange.is_paused() {
                // What is not taken holds the client up by its window (RFC 9113, 5.2).
                return;
            }
            let Some(content) = &mut self.content else { return };
            let bytes = match content.poll_data(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(bytes))) => bytes,
                Poll::Ready(Some(Err(error))) => return self.broken(&error, context),
                Poll::Ready(None) => return self.end_request(cx, context),
            };
            let len = bytes.len();
            if len == 0 {
                continue;
            }
            self.exchange.content(bytes, context, now);
            if self.exchange.arriving().is_some() {
                // An error says that the stream is gone, which the next poll tells too.
                let _ = content.flow_control().release_capacity(len);
            }
        }
    }

    fn end_request(&mut self, cx: &mut Context<'_>, context: &mut StreamContext) {
        let Some(content) = &mut self.content else { return };
        match content.poll_trailers(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(trailers)) => {
                self.content = None;
                self.exchange.complete(trailers.as_ref().and_then(request::trailers), context);
            }
            Poll::Ready(Err(error)) => self.broken(&error, context),
        }
    }

    /// The content breaks off, or a rule.
    fn broken(&mut self, error: &h2::Error, context: &mut StreamContext) {
        if error.is_library() {
            context.report(ProtocolError::stream(Fault::Request));
        }
        self.exchange.lose(Reason::ClientGone, context);
    }
}

impl Out {
    fn was_reset(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::Unsaid(respond) => respond.poll_reset(cx).is_ready(),
            Self::Said(stream) => stream.poll_reset(cx).is_ready(),
        }
    }

    fn reset(&mut self, cut: ResetReason) {
        let code = match cut {
            ResetReason::Cancelled => Code::CANCEL,
            ResetReason::Broken => Code::INTERNAL_ERROR,
        };
        match self {
            Self::Unsaid(respond) => respond.send_reset(code),
            Self::Said(stream) => stream.send_reset(code),
        }
    }
}

/// Writes a response to a stream of `h2`.
struct ResponseSink<'a, 'b> {
    out: &'a mut Out,
    cx: &'a mut Context<'b>,
}

impl Sink for ResponseSink<'_, '_> {
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

    fn reset(&mut self, cut: ResetReason) {
        self.out.reset(cut);
    }
}
