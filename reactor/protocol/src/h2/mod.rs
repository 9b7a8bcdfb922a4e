//! HTTP/2 (RFC 9113), on the `h2` crate, which is driven by hand over buffers in memory ([`memory_io`]).
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
//! request and a response are (which it shares with HTTP/3), deadlines, and how much of each may
//! wait.

mod engine;
mod flood_guard;
pub mod memory_io;
mod meter;
mod request;
mod stream;
mod wake_set;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use h2::Reason as Code;
use h2::server::{Builder, Connection, Handshake};
use wire::head::Origin;
use wire::limits::{
    FAREWELL_TIME_MAX, H2_CONNECTION_WINDOW_BYTES, H2_SEND_BYTES_MAX, WRITE_BUFFER_BYTES_MAX,
};
use wire::{Part, RequestHead, ResponseHead, Scheme, Version};

use self::engine::{Course, Http2Core};
use self::flood_guard::FloodGuard;
use self::memory_io::MemoryIo;
use self::wake_set::WakeSet;
use super::ended::Ended;
use super::error::{Fault, ProtocolError};
use super::flood::Flood;
use super::settings::HttpSettings;
use super::stream_context::StreamContext;
use super::upgrade::Accepted;
use super::{Closing, Flow, Input, KeepInFile, Now, Outgoing, Protocol, ReadFile, StreamId};

/// What a client that speaks HTTP/2 says first (RFC 9113, 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One HTTP/2 connection.
pub struct Http2 {
    state: Http2State,
    core: Http2Core,
}

enum Http2State {
    /// Settings were sent; the client's preface is awaited (RFC 9113, 3.4).
    Greeting(Box<Handshake<MemoryIo, Bytes>>),
    /// Streams may come.
    Open(Box<Connection<MemoryIo, Bytes>>),
    /// Nothing more is taken in.
    Closed(Closing),
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
            .max_header_list_size(settings.field_section_bytes_max())
            .header_table_size(options.table_bytes_max)
            .max_send_buffer_size(H2_SEND_BYTES_MAX);
        if settings.upgrades {
            builder.enable_connect_protocol();
        }
        let (io, wakes) = (MemoryIo::default(), WakeSet::default());
        let greeting = Box::new(builder.handshake(io.clone()));
        let core = Http2Core {
            origin,
            scheme,
            io,
            waker: wakes.connection(),
            wakes,
            streams: BTreeMap::new(),
            touched: Vec::new(),
            idle: now.instant + settings.first_byte_timeout,
            context: StreamContext::new(Version::Http2, settings, read),
            flood_guard: FloodGuard::new(now.instant),
            course: Course::Serving,
            half_closed: false,
            ended: Vec::new(),
        };
        Self { state: Http2State::Greeting(greeting), core }
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
        if matches!(self.state, Http2State::Open(_)) {
            self.core.count_refused();
        }
        self.core.rest();
    }

    /// Flood detected: closes the connection (ENHANCE_YOUR_CALM).
    fn expel(&mut self, flood: Flood) {
        self.core.course = Course::Expelled;
        self.core.context.report(ProtocolError::connection(Fault::Flood(flood)));
        if let Http2State::Open(connection) = &mut self.state {
            connection.abrupt_shutdown(Code::ENHANCE_YOUR_CALM);
        } else {
            self.state = Http2State::Closed(Closing::Linger);
        }
    }

    fn timeout(&mut self, now: &Now) {
        let Http2Core { streams, context, touched, .. } = &mut self.core;
        for (id, stream) in streams.iter_mut() {
            context.stream = (*id).into();
            stream.timeout(context, now);
            touched.push(*id);
        }
        if now.instant < self.core.idle || !self.core.streams.is_empty() {
            return;
        }
        self.state = match std::mem::replace(&mut self.state, Http2State::Closed(Closing::Linger)) {
            Http2State::Open(connection) if self.core.course == Course::Serving => {
                self.core.send_goaway(connection, now)
            }
            // It was told, and has had the time of a way there and back (RFC 9113, 6.8): nothing
            // that it might miss is under way.
            Http2State::Open(_) => Http2State::Closed(Closing::Close),
            _ => Http2State::Closed(Closing::Linger),
        };
    }

    fn is_closed(&self) -> bool {
        matches!(self.state, Http2State::Closed(_))
    }
}

impl Protocol for Http2 {
    fn receive(&mut self, input: Input<'_>, now: &Now) {
        match input {
            Input::Bytes(bytes) if self.core.course == Course::Expelled || self.is_closed() => {
                bytes.clear()
            }
            Input::Bytes(bytes) => {
                if let Err(flood) = self.core.flood_guard.see(bytes, now.instant) {
                    self.expel(flood);
                }
                self.core.io.feed(bytes);
            }
            Input::Datagram { .. } => {}
            Input::Eof => {
                self.core.half_closed = true;
                self.core.io.end();
            }
            Input::Timeout => self.timeout(now),
        }
        self.core.wakes.touch();
        self.drive(now);
    }

    fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        self.core.context.pop()
    }

    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow {
        let Http2Core { streams, context, touched, .. } = &mut self.core;
        let Ok(id) = u32::try_from(stream) else { return Flow::Gone };
        let Some(open) = streams.get_mut(&id) else { return Flow::Gone };
        context.stream = stream;
        if touched.last() != Some(&id) {
            touched.push(id);
        }
        open.exchange.reply.send(part, context, now)
    }

    fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now) {
        let Http2Core { streams, touched, .. } = &mut self.core;
        let id = u32::try_from(stream).unwrap_or_default();
        let Some(open) = streams.get_mut(&id) else { return };
        open.exchange.set_paused(paused, now);
        if touched.last() != Some(&id) {
            touched.push(id);
        }
    }

    fn upgrade(&mut self, stream: StreamId, accepted: &Accepted, now: &Now) -> Flow {
        let Http2Core { streams, context, touched, .. } = &mut self.core;
        let id = u32::try_from(stream).unwrap_or_default();
        let Some(open) = streams.get_mut(&id) else { return Flow::Gone };
        context.stream = stream;
        if touched.last() != Some(&id) {
            touched.push(id);
        }
        open.exchange.upgrade(accepted, context, now)
    }

    fn transmit(&mut self, out: &mut Outgoing<'_>, now: &Now) {
        let Outgoing::Bytes(out) = out else { return };
        self.drive(now);
        let before = out.len();
        let observed = self.core.context.settings.is_observed();
        if observed {
            self.core.io.meter();
        }
        while self.core.io.transmit(out) {
            // `h2` may have waited for the room.
            self.core.wakes.touch();
            if out.len() >= WRITE_BUFFER_BYTES_MAX as u64 {
                break;
            }
            self.drive(now);
        }
        self.core.flood_guard.sent(out.len() - before);
        if before > 0 && matches!(self.state, Http2State::Open(_)) && self.core.is_idle() {
            // A client that is still reading its answers is not idle.
            self.core.idle = now.instant + self.core.patience();
        }
        self.core.context.take_released(&mut out.released);
        if observed {
            self.core.tell_ended(&mut out.ended);
        }
    }

    fn spool(&mut self, keep: &mut KeepInFile<'_>) {
        for (id, open) in &mut self.core.streams {
            open.exchange.reply.spool((*id).into(), keep);
        }
    }

    fn wants_input(&self) -> bool {
        !self.is_closed() && self.core.io.wants_input()
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            Http2State::Closed(_) => None,
            _ if self.core.streams.is_empty() => Some(self.core.idle),
            _ => self.core.streams.values().filter_map(|stream| stream.exchange.deadline()).min(),
        }
    }

    fn shutdown(&mut self, now: &Now) {
        if self.core.course != Course::Serving {
            return;
        }
        self.core.course = Course::Draining;
        self.core.idle = now.instant + FAREWELL_TIME_MAX;
        if let Http2State::Open(connection) = &mut self.state {
            connection.graceful_shutdown();
            self.core.wakes.touch();
        }
    }

    fn closing(&self) -> Option<Closing> {
        match self.state {
            Http2State::Closed(closing) if self.core.io.is_written() => Some(closing),
            _ => None,
        }
    }

    fn refusal(&mut self) -> Option<ProtocolError> {
        self.core.context.pop_refusal()
    }

    fn unfinished(&mut self, ended: &mut Vec<Ended>) {
        let Http2Core { streams, context, .. } = &mut self.core;
        for (id, stream) in streams.iter() {
            context.stream = (*id).into();
            stream.exchange.tell_end(0, context);
        }
        streams.clear();
        self.core.tell_ended(ended);
        ended.extend(self.core.ended.drain(..).map(Ended::cut));
    }

    fn origin(&self) -> &Origin {
        &self.core.origin
    }
}
