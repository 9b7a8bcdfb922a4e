//! The states of a connection. Every transition consumes a state and returns the next.
//!
//! ```text
//!            first byte          head complete
//!  ┌▶ Idle ────────────▶ Head ──────────────────▶ Exchange
//!  │   │ eof, timeout,    │ eof: close              │  │ the rules of `exchange`, or
//!  │   │ shutdown: close  │ bad, late: refuse       │  │ a broken request or response
//!  │   ▼                  ▼                         │  ▼
//!  │   └────────────▶   Closed   ◀──────────────────┼──┘
//!  │                                                │
//!  └──── response ended and moved out, both wish ───┘
//!        to go on (RFC 9112, 9.3)
//! ```
//!
//! [`Closed`](State::Closed) may still have output to give away; it takes nothing in.

use std::time::Instant;

use bytes::{Buf, BytesMut};
use wire::limits::EMPTY_LINES_MAX;
use wire::{Part, ResponseHead};

use super::Core;
use super::exchange::Exchange;
use super::parse::{self, Scan};
use crate::error::Fault;
use crate::message;
use crate::upgrade::Accepted;
use crate::{Closing, Flow, Now, StreamId};

/// Where a connection is.
#[derive(Debug)]
pub enum State {
    /// Between requests, and before the first.
    Idle(Idle),
    /// A head is arriving.
    Head(ArrivingHead),
    /// A request has a head and its response has not left completely.
    Exchange(Exchange),
    /// Nothing more is taken in.
    Closed(Closing),
}

/// Waiting for the first byte of a head.
#[derive(Debug)]
pub struct Idle {
    deadline: Instant,
    empty_lines: u8,
}

/// A head that is incomplete.
#[derive(Debug)]
pub struct ArrivingHead {
    scan: Scan,
    deadline: Instant,
}

impl State {
    /// Before the first request.
    pub fn new(deadline: Instant) -> Self {
        Self::Idle(Idle { deadline, empty_lines: 0 })
    }

    /// Between requests. A client that has said all gets no more time: requests that were kept
    /// are presented at once, and if there is none this is the end.
    pub fn idle(core: &Core, now: &Now) -> Self {
        let more = !core.half_closed;
        Self::new(if more { now.instant + core.settings.keepalive_timeout } else { now.instant })
    }

    /// The client's bytes.
    pub fn bytes(mut self, input: &mut BytesMut, core: &mut Core, now: &Now) -> Self {
        loop {
            let (next, again) = match self {
                Self::Idle(idle) => idle.bytes(input, core, now),
                Self::Head(head) => head.bytes(input, core, now),
                Self::Exchange(exchange) => (exchange.bytes(input, core, now), false),
                Self::Closed(closing) => {
                    input.clear();
                    (Self::Closed(closing), false)
                }
            };
            self = next;
            if !again {
                break;
            }
        }
        // These bytes were kept when the end came: nothing follows them.
        if core.half_closed { self.eof(core) } else { self }
    }

    /// The client will send no more. What is complete is still answered.
    pub fn eof(self, core: &mut Core) -> Self {
        core.half_closed = true;
        match self {
            Self::Idle(_) | Self::Head(_) => Self::Closed(Closing::Close),
            Self::Exchange(exchange) => exchange.eof(core),
            state => state,
        }
    }

    /// The deadline has passed.
    pub fn timeout(self, core: &mut Core, now: &Now) -> Self {
        if self.deadline().is_none_or(|deadline| now.instant < deadline) {
            return self;
        }
        match self {
            // Without a word: nobody waits for one (RFC 9112, 9.5).
            Self::Idle(_) => Self::Closed(Closing::Close),
            Self::Head(_) => core.refuse(Fault::HeadTimeout, false, now),
            Self::Exchange(exchange) => exchange.timeout(core, now),
            state => state,
        }
    }

    /// A part of a response.
    pub fn send(
        self,
        stream: StreamId,
        part: Part<ResponseHead>,
        core: &mut Core,
        now: &Now,
    ) -> (Self, Flow) {
        match self {
            Self::Exchange(exchange) if core.stream() == stream => exchange.send(part, core, now),
            state => (state, Flow::Gone),
        }
    }

    /// See [`Protocol::set_paused`](crate::Protocol::set_paused).
    pub fn set_paused(self, stream: StreamId, paused: bool, core: &mut Core, now: &Now) -> Self {
        match self {
            Self::Exchange(exchange) if core.stream() == stream => {
                Self::Exchange(exchange.set_paused(paused, core, now))
            }
            state => state,
        }
    }

    /// See [`Protocol::upgrade`](crate::Protocol::upgrade).
    pub fn upgrade(
        self,
        stream: StreamId,
        accepted: &Accepted,
        core: &mut Core,
        now: &Now,
    ) -> (Self, Flow) {
        match self {
            Self::Exchange(exchange) if core.stream() == stream => {
                exchange.upgrade(accepted, core, now)
            }
            state => (state, Flow::Gone),
        }
    }

    /// Output was moved out; `unwritten` says that some of it waits for the socket.
    pub fn transmitted(self, unwritten: bool, core: &Core, now: &Now) -> Self {
        match self {
            Self::Exchange(exchange) if core.outbox.is_empty() => exchange.transmitted(core, now),
            // A client that is still reading its answer is not idle.
            Self::Idle(idle) if unwritten && !core.half_closed => {
                Self::Idle(Idle { deadline: now.instant + core.settings.keepalive_timeout, ..idle })
            }
            state => state,
        }
    }

    /// The server takes no new request.
    pub fn shutdown(self, core: &mut Core) -> Self {
        core.draining = true;
        match self {
            Self::Idle(_) => Self::Closed(Closing::Close),
            state => state,
        }
    }

    /// See [`Protocol::deadline`](crate::Protocol::deadline).
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Idle(idle) => Some(idle.deadline),
            Self::Head(head) => Some(head.deadline),
            Self::Exchange(exchange) => exchange.deadline(),
            Self::Closed(_) => None,
        }
    }

    /// See [`Protocol::wants_input`](crate::Protocol::wants_input).
    pub fn wants_input(&self) -> bool {
        match self {
            Self::Idle(_) | Self::Head(_) => true,
            Self::Exchange(exchange) => exchange.wants_input(),
            Self::Closed(_) => false,
        }
    }

    /// See [`Protocol::content_left`](crate::Protocol::content_left).
    pub fn content_left(&self) -> u64 {
        match self {
            Self::Exchange(exchange) => exchange.content_left(),
            Self::Idle(_) | Self::Head(_) | Self::Closed(_) => 0,
        }
    }
}

impl Idle {
    fn bytes(mut self, input: &mut BytesMut, core: &mut Core, now: &Now) -> (State, bool) {
        loop {
            match input[..] {
                [] | [b'\r'] => return (State::Idle(self), false),
                [b'\r', b'\n', ..] if self.empty_lines < EMPTY_LINES_MAX => {
                    self.empty_lines += 1;
                    input.advance(2);
                }
                // Not HTTP at all (TLS, for one): no reason to wait for the end of a line.
                [byte, ..] if !message::is_token_byte(byte) => {
                    input.clear();
                    return (core.refuse(Fault::RequestLine, false, now), false);
                }
                _ => {
                    let deadline = now.instant + core.settings.header_timeout;
                    return (State::Head(ArrivingHead { scan: Scan::head(), deadline }), true);
                }
            }
        }
    }
}

impl ArrivingHead {
    fn bytes(mut self, input: &mut BytesMut, core: &mut Core, now: &Now) -> (State, bool) {
        let opened = match self.search(input, core) {
            Ok(None) => return (State::Head(self), false),
            Ok(Some(extent)) => parse::head(&input[..extent.len], extent).and_then(|head| {
                let waits = input.len() == extent.len;
                Exchange::open(head, waits, core, now).map(|exchange| (exchange, extent.len))
            }),
            Err(fault) => Err(fault),
        };
        match opened {
            Ok((exchange, len)) => {
                input.advance(len);
                (State::Exchange(exchange), true)
            }
            Err(fault) => {
                let head_only = input.starts_with(b"HEAD ");
                input.clear();
                (core.refuse(fault, head_only, now), false)
            }
        }
    }

    /// Looks for the end, and at the request line as soon as it is there: who speaks another
    /// protocol may wait for an answer to it.
    fn search(&mut self, input: &[u8], core: &Core) -> Result<Option<parse::Extent>, Fault> {
        let before = self.scan.fields();
        let extent = self.scan.search(input, &core.settings)?;
        if let (None, None, Some(end)) = (extent, before, self.scan.fields()) {
            parse::check_request_line(&input[..end - 2])?;
        }
        Ok(extent)
    }
}
