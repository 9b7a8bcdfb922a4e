//! [`Http2Core`]: what moves `h2`, and the streams that it gives out.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason as Code, RecvStream};
use http::Method;
use wire::head::Origin;
use wire::limits::FAREWELL_TIME_MAX;
use wire::{Part, Reason, Scheme, Version};

use super::Http2State;
use super::flood_guard::{self, FloodGuard};
use super::memory_io::MemoryIo;
use super::request;
use super::stream::Http2Stream;
use super::wake_set::WakeSet;
use crate::ended::{Ended, Ending, Sent};
use crate::error::{Fault, ProtocolError};
use crate::message::RequestFacts;
use crate::stream_context::StreamContext;
use crate::{Closing, Now};

/// What lasts as long as the connection, whatever its state.
pub(super) struct Http2Core {
    pub(super) origin: Origin,
    pub(super) scheme: Scheme,
    pub(super) io: MemoryIo,
    pub(super) wakes: WakeSet,
    pub(super) waker: Waker,
    /// Boxed, because an empty map keeps room for eleven entries.
    pub(super) streams: BTreeMap<u32, Box<Http2Stream>>,
    /// Streams that have something new.
    pub(super) touched: Vec<u32>,
    pub(super) context: StreamContext,
    pub(super) flood_guard: FloodGuard,
    /// When a connection without streams ends.
    pub(super) idle: Instant,
    pub(super) course: Course,
    /// The client has sent its last byte.
    pub(super) half_closed: bool,
    /// Requests that are over but for frames that were not moved out yet.
    pub(super) ended: Vec<Ended>,
}

/// Whether the client may go on to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// New requests are taken.
    Serving,
    /// No new request is taken: GOAWAY was sent, or is as soon as the handshake is done.
    Draining,
    /// The client was told to go, for what it did. What it still sends is dropped.
    Expelled,
}

impl Http2Core {
    pub(super) fn has_work(&mut self) -> bool {
        self.wakes.take_streams(&mut self.touched);
        self.wakes.take_connection() || !self.touched.is_empty()
    }

    /// Lets `h2` read and write, and takes new streams. `false`: the connection is over.
    pub(super) fn poll(&mut self, state: &mut Http2State, now: &Now) -> bool {
        if let Http2State::Greeting(greeting) = state {
            let mut cx = Context::from_waker(&self.waker);
            match Pin::new(greeting.as_mut()).poll(&mut cx) {
                Poll::Pending => return true,
                Poll::Ready(Ok(mut connection)) => {
                    self.idle = now.instant + self.context.settings.keepalive_timeout;
                    if self.course == Course::Draining {
                        connection.graceful_shutdown();
                        self.idle = now.instant + FAREWELL_TIME_MAX;
                    }
                    *state = Http2State::Open(Box::new(connection));
                }
                Poll::Ready(Err(error)) => {
                    *state = Http2State::Closed(self.over(Some(&error)));
                    return false;
                }
            }
        }
        let Http2State::Open(connection) = state else { return false };
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        loop {
            let ended = match connection.poll_accept(&mut cx) {
                Poll::Pending => return true,
                Poll::Ready(Some(Ok((request, respond)))) => {
                    self.accept(request, respond, now);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => Some(error),
                Poll::Ready(None) => None,
            };
            *state = Http2State::Closed(self.over(ended.as_ref()));
            return false;
        }
    }

    /// The connection is over, by an error or as it should be.
    fn over(&mut self, error: Option<&h2::Error>) -> Closing {
        for (id, stream) in &mut self.streams {
            self.context.stream = (*id).into();
            stream.exchange.lose(Reason::ClientGone, &mut self.context);
            stream.exchange.tell_end(0, &mut self.context);
        }
        self.streams.clear();
        let ours = error.filter(|error| !error.is_io() && !error.is_remote());
        if let Some(error) = ours {
            let fault = match error.reason() {
                Some(Code::ENHANCE_YOUR_CALM) => Fault::Flood(flood_guard::of_library(&self.io)),
                _ => Fault::Frame,
            };
            self.context.report(ProtocolError::connection(fault));
        }
        if self.half_closed { Closing::Close } else { Closing::Linger }
    }

    /// A client has opened a stream.
    fn accept(
        &mut self,
        request: http::Request<RecvStream>,
        respond: SendResponse<Bytes>,
        now: &Now,
    ) {
        let id = respond.stream_id().as_u32();
        let (parts, content) = request.into_parts();
        let content = (!content.is_end_stream()).then_some(content);
        let asks = parts.extensions.get::<h2::ext::Protocol>().is_some();
        let facts = RequestFacts {
            head_only: parts.method == Method::HEAD,
            upgrade: asks && self.context.settings.upgrades,
            version: Version::Http2,
        };
        let origin = Origin { stream: id.into(), received_at: now.unix_micros, ..self.origin };
        self.flood_guard.accepted();
        self.context.stream = id.into();
        let head = request::head(parts, origin, self.scheme, &self.context.settings);
        let complete = content.is_none();
        let waker = self.wakes.stream(id);
        let mut stream = Http2Stream::new(facts, content, respond, waker, &self.context, now);
        match head {
            Ok(mut request) => {
                let streamed = !complete
                    && !facts.upgrade
                    && self.context.settings.streams(&request.head.path);
                request.head.streamed = streamed;
                self.context.part(Part::Head(request.head));
                // One that asks for an upgrade has no content before it is answered.
                if complete || facts.upgrade {
                    self.context.part(Part::End(None));
                } else {
                    stream.exchange.follow(streamed, request.expects_continue, &self.context);
                }
            }
            Err(fault) => stream.exchange.refuse_head(fault, &mut self.context, now),
        }
        self.streams.insert(id, Box::new(stream));
        self.touched.push(id);
    }

    /// Moves on the streams that have something new.
    pub(super) fn pump(&mut self, now: &Now) {
        self.wakes.take_streams(&mut self.touched);
        for id in std::mem::take(&mut self.touched) {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            self.context.stream = id.into();
            if stream.pump(&mut self.context, now) {
                self.wakes.touch();
                self.touched.push(id);
            }
            if stream.exchange.reply.is_over() {
                if stream.exchange.was_answered() {
                    self.flood_guard.answered();
                }
                stream.exchange.tell_end(0, &mut self.context);
                self.streams.remove(&id);
                self.idle = now.instant + self.patience();
            }
        }
    }

    /// Counts the requests that `h2` has refused by itself. It does not tell, but it has opened
    /// fewer streams than the client.
    pub(super) fn count_refused(&mut self) {
        // While something waits in between, a difference says nothing.
        if self.flood_guard.is_even() || !self.io.is_settled() {
            return;
        }
        for _ in 0..self.flood_guard.take_missing() {
            // Behind a GOAWAY the client does not know yet that it must not (RFC 9113, 6.8).
            if self.course != Course::Draining {
                // Which stream it was on `h2` does not say.
                let (stream, sent) = (0, Sent::default());
                self.context.stream = stream;
                self.context.report(ProtocolError::stream(Fault::Request));
                self.context.over(stream, sent, Ending::Refused(Fault::Request));
            }
        }
    }

    /// Tells of the requests that are over, and of which no frame is left to be moved out.
    pub(super) fn tell_ended(&mut self, to: &mut Vec<Ended>) {
        self.context.take_ended(&mut self.ended);
        if self.ended.is_empty() {
            return;
        }
        let io = &self.io;
        self.ended.retain_mut(|ended| {
            let (wire, last) = io.metered(ended.stream as u32);
            // One that is lost has no last frame, or one that `h2` has not made yet.
            let over = last || ended.stream == 0 || !matches!(ended.ending, Ending::Complete);
            if over {
                ended.sent.wire = wire;
                io.forget(ended.stream as u32);
                to.push(*ended);
            }
            !over
        });
        if self.ended.is_empty() {
            self.ended = Vec::new();
        }
    }

    /// Nothing is in flight, and nothing is said about the end.
    pub(super) fn is_idle(&self) -> bool {
        self.streams.is_empty() && self.course == Course::Serving
    }

    /// How long a connection without streams stays.
    pub(super) fn patience(&self) -> Duration {
        let keepalive = self.context.settings.keepalive_timeout;
        if self.course == Course::Serving { keepalive } else { FAREWELL_TIME_MAX }
    }

    /// Says that no new stream is taken (RFC 9113, 6.8).
    pub(super) fn send_goaway(
        &mut self,
        mut connection: Box<Connection<MemoryIo, Bytes>>,
        now: &Now,
    ) -> Http2State {
        connection.graceful_shutdown();
        self.course = Course::Draining;
        self.idle = now.instant + FAREWELL_TIME_MAX;
        self.wakes.touch();
        Http2State::Open(connection)
    }

    /// Nothing is to be done: an idle connection gives back what it needs no more.
    pub(super) fn rest(&mut self) {
        if self.streams.is_empty() {
            self.touched = Vec::new();
            self.io.shrink();
        }
    }
}
