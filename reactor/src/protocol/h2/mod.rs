//! HTTP/2 (RFC 9113), on the `h2` crate, which is driven by hand over a [`tape`].
//!
//! ```text
//!                 preface and settings          GOAWAY sent, streams over,
//!  ┌──────────┐   arrived       ┌──────┐        or an error of the connection   ┌────────┐
//!  │ Greeting │ ──────────────▶ │ Open │ ─────────────────────────────────────▶ │ Closed │
//!  └──────────┘                 └──────┘                                        └────────┘
//!        └── late, or no HTTP/2 ─────────────────────────────────────────────────────▲
//! ```
//!
//! `h2` knows frames, windows and the states of streams. Here is what it does not know: what a
//! request and a response are ([`request`], [`response`], [`stream`]), deadlines, and how much of
//! each may wait.

mod content;
mod core;
mod request;
mod response;
mod stream;
pub mod tape;
mod wakes;
mod watch;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use h2::server::{Builder, Connection, Handshake, SendResponse};
use h2::{Reason as Code, RecvStream};
use http::Method;
use wire::head::Origin;
use wire::limits::{
    H2_CONNECTION_WINDOW_BYTES, H2_FAREWELL_TIME_MAX, H2_SEND_BYTES_MAX, WRITE_BUFFER_BYTES_MAX,
};
use wire::{Part, Reason, RequestHead, ResponseHead, Scheme, Version};

use self::core::Outlet;
use self::stream::Stream;
use self::tape::Tape;
use self::wakes::Wakes;
use self::watch::Watch;
use super::error::{Fault, ProtocolError};
use super::message::RequestFacts;
use super::settings::HttpSettings;
use super::{Closing, Flow, Input, Now, Output, Protocol, ReadFile, StreamId};

/// What a client that speaks HTTP/2 says first (RFC 9113, 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One HTTP/2 connection.
pub struct Http2 {
    state: State,
    core: Core,
}

enum State {
    /// Settings were sent; the client's preface is awaited (RFC 9113, 3.4).
    Greeting(Box<Handshake<Tape, Bytes>>),
    /// Streams may come.
    Open(Box<Connection<Tape, Bytes>>),
    /// Nothing more is taken in.
    Closed(Closing),
}

/// What lasts as long as the connection, whatever its state.
struct Core {
    origin: Origin,
    scheme: Scheme,
    tape: Tape,
    wakes: Wakes,
    waker: Waker,
    streams: BTreeMap<u32, Stream>,
    /// Streams that have something new.
    touched: Vec<u32>,
    outlet: Outlet,
    watch: Watch,
    /// When a connection without streams ends.
    idle: Instant,
    /// The server takes no new request.
    draining: bool,
    /// The client has sent its last byte.
    half_closed: bool,
}

impl Http2 {
    /// A connection that was just accepted. `read` reads the files that responses are made of.
    pub fn new(
        settings: Arc<HttpSettings>,
        origin: Origin,
        scheme: Scheme,
        read: ReadFile,
        now: &Now,
    ) -> Self {
        let options = &settings.http2;
        let mut builder = Builder::new();
        builder
            .initial_window_size(options.window_bytes)
            .initial_connection_window_size(H2_CONNECTION_WINDOW_BYTES.max(options.window_bytes))
            .max_concurrent_streams(options.streams_max)
            .max_pending_accept_reset_streams(options.streams_max as usize)
            .max_frame_size(options.frame_bytes_max)
            .max_header_list_size(settings.http2_list_bytes_max())
            .header_table_size(options.table_bytes_max)
            .max_send_buffer_size(H2_SEND_BYTES_MAX);
        let (tape, wakes) = (Tape::default(), Wakes::default());
        let greeting = Box::new(builder.handshake(tape.clone()));
        let core = Core {
            origin,
            scheme,
            tape,
            waker: wakes.connection(),
            wakes,
            streams: BTreeMap::new(),
            touched: Vec::new(),
            idle: now.instant + settings.first_byte_timeout,
            outlet: Outlet::new(settings, read),
            watch: Watch::new(now.instant),
            draining: false,
            half_closed: false,
        };
        Self { state: State::Greeting(greeting), core }
    }

    /// Moves everything on until nothing moves any more.
    fn drive(&mut self, now: &Now) {
        while self.core.has_work() {
            let more = self.core.poll(&mut self.state, now);
            self.core.pump(now);
            if !more {
                break;
            }
        }
        self.core.rest();
    }

    /// The client makes work and serves nobody: it has to go.
    fn calm(&mut self) {
        self.core.outlet.report(ProtocolError::connection(Fault::Flood));
        if let State::Open(connection) = &mut self.state {
            connection.abrupt_shutdown(Code::ENHANCE_YOUR_CALM);
        } else {
            self.state = State::Closed(Closing::Linger);
        }
    }

    fn timeout(&mut self, now: &Now) {
        let Core { streams, outlet, touched, .. } = &mut self.core;
        for (id, stream) in streams.iter_mut() {
            outlet.stream = (*id).into();
            stream.timeout(outlet, now);
            touched.push(*id);
        }
        if now.instant < self.core.idle || !self.core.streams.is_empty() {
            return;
        }
        self.state = match std::mem::replace(&mut self.state, State::Closed(Closing::Linger)) {
            State::Open(connection) if !self.core.draining => self.core.farewell(connection, now),
            _ => State::Closed(Closing::Linger),
        };
    }
}

impl Core {
    fn has_work(&mut self) -> bool {
        self.wakes.take_streams(&mut self.touched);
        self.wakes.take_connection() || !self.touched.is_empty()
    }

    /// Lets `h2` read and write, and takes new streams. `false`: the connection is over.
    fn poll(&mut self, state: &mut State, now: &Now) -> bool {
        if let State::Greeting(greeting) = state {
            let mut cx = Context::from_waker(&self.waker);
            match Pin::new(greeting.as_mut()).poll(&mut cx) {
                Poll::Pending => return true,
                Poll::Ready(Ok(mut connection)) => {
                    self.idle = now.instant + self.outlet.settings.keepalive_timeout;
                    if self.draining {
                        connection.graceful_shutdown();
                        self.idle = now.instant + H2_FAREWELL_TIME_MAX;
                    }
                    *state = State::Open(Box::new(connection));
                }
                Poll::Ready(Err(error)) => {
                    *state = State::Closed(self.over(Some(&error)));
                    return false;
                }
            }
        }
        let State::Open(connection) = state else { return false };
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
            *state = State::Closed(self.over(ended.as_ref()));
            return false;
        }
    }

    /// The connection is over, by an error or as it should be.
    fn over(&mut self, error: Option<&h2::Error>) -> Closing {
        for (id, stream) in &mut self.streams {
            self.outlet.stream = (*id).into();
            stream.lose(Reason::ClientGone, &mut self.outlet);
        }
        self.streams.clear();
        let ours = error.filter(|error| !error.is_io() && !error.is_remote());
        if let Some(error) = ours {
            let fault = match error.reason() {
                Some(Code::ENHANCE_YOUR_CALM) => Fault::Flood,
                _ => Fault::Frame,
            };
            self.outlet.report(ProtocolError::connection(fault));
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
        let facts =
            RequestFacts { head_only: parts.method == Method::HEAD, version: Version::Http2 };
        let origin = Origin { stream: id.into(), received_at: now.unix_micros, ..self.origin };
        self.outlet.stream = id.into();
        let head = request::head(parts, origin, self.scheme, &self.outlet.settings);
        let complete = content.is_none();
        let waker = self.wakes.stream(id);
        let mut stream = Stream::new(facts, content, respond, waker, &self.outlet, now);
        match head {
            Ok(request) => {
                self.outlet.part(Part::Head(request.head));
                if complete {
                    self.outlet.part(Part::End(None));
                } else if request.expects_continue {
                    stream.say_continue();
                }
            }
            Err(fault) => stream.refuse_head(fault, &mut self.outlet, now),
        }
        self.streams.insert(id, stream);
        self.touched.push(id);
    }

    /// Moves on the streams that have something new.
    fn pump(&mut self, now: &Now) {
        self.wakes.take_streams(&mut self.touched);
        for id in std::mem::take(&mut self.touched) {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            self.outlet.stream = id.into();
            if stream.pump(&mut self.outlet, now) {
                self.wakes.touch();
                self.touched.push(id);
            }
            if stream.is_over() {
                if stream.was_answered() {
                    self.watch.answered();
                }
                self.streams.remove(&id);
                self.idle = now.instant + self.patience();
            }
        }
    }

    /// Nothing is in flight, and nothing is said about the end.
    fn is_idle(&self) -> bool {
        self.streams.is_empty() && !self.draining
    }

    /// How long a connection without streams stays.
    fn patience(&self) -> std::time::Duration {
        let keepalive = self.outlet.settings.keepalive_timeout;
        if self.draining { H2_FAREWELL_TIME_MAX } else { keepalive }
    }

    /// Says that no new stream is taken (RFC 9113, 6.8).
    fn farewell(&mut self, mut connection: Box<Connection<Tape, Bytes>>, now: &Now) -> State {
        connection.graceful_shutdown();
        self.draining = true;
        self.idle = now.instant + H2_FAREWELL_TIME_MAX;
        self.wakes.touch();
        State::Open(connection)
    }

    /// Nothing is to be done: an idle connection gives back what it needs no more.
    fn rest(&mut self) {
        if self.streams.is_empty() {
            self.touched = Vec::new();
            self.tape.shrink();
        }
    }
}

impl Protocol for Http2 {
    fn receive(&mut self, input: Input<'_>, now: &Now) {
        match input {
            Input::Bytes(bytes) if matches!(self.state, State::Closed(_)) => bytes.clear(),
            Input::Bytes(bytes) => {
                if !self.core.watch.see(bytes, now.instant) {
                    self.calm();
                }
                self.core.tape.feed(bytes);
            }
            Input::Eof => {
                self.core.half_closed = true;
                self.core.tape.end();
            }
            Input::Timeout => self.timeout(now),
        }
        self.core.wakes.touch();
        self.drive(now);
    }

    fn poll(&mut self) -> Option<(StreamId, Part<RequestHead>)> {
        self.core.outlet.pop()
    }

    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow {
        let Core { streams, outlet, touched, .. } = &mut self.core;
        let Ok(id) = u32::try_from(stream) else { return Flow::Gone };
        let Some(open) = streams.get_mut(&id) else { return Flow::Gone };
        outlet.stream = stream;
        if touched.last() != Some(&id) {
            touched.push(id);
        }
        open.send(part, outlet, now)
    }

    fn transmit(&mut self, out: &mut Output, now: &Now) {
        self.drive(now);
        let before = out.len();
        while self.core.tape.transmit(out) {
            // `h2` may have waited for the room.
            self.core.wakes.touch();
            if out.len() >= WRITE_BUFFER_BYTES_MAX as u64 {
                break;
            }
            self.drive(now);
        }
        self.core.watch.sent(out.len() - before);
        if before > 0 && matches!(self.state, State::Open(_)) && self.core.is_idle() {
            // A client that is still reading its answers is not idle.
            self.core.idle = now.instant + self.core.patience();
        }
        self.core.outlet.take_released(&mut out.released);
    }

    fn wants_input(&self) -> bool {
        !matches!(self.state, State::Closed(_)) && self.core.tape.wants_input()
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Closed(_) => None,
            _ if self.core.streams.is_empty() => Some(self.core.idle),
            _ => self.core.streams.values().filter_map(Stream::deadline).min(),
        }
    }

    fn shutdown(&mut self, now: &Now) {
        if self.core.draining {
            return;
        }
        self.core.draining = true;
        self.core.idle = now.instant + H2_FAREWELL_TIME_MAX;
        if let State::Open(connection) = &mut self.state {
            connection.graceful_shutdown();
            self.core.wakes.touch();
        }
    }

    fn closing(&self) -> Option<Closing> {
        match self.state {
            State::Closed(closing) if self.core.tape.is_written() => Some(closing),
            _ => None,
        }
    }

    fn refusal(&mut self) -> Option<ProtocolError> {
        self.core.outlet.take_refusal()
    }
}
