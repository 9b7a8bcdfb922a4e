//! HTTP/1.0 and HTTP/1.1 (RFC 9110, 9112).
//!
//! [`state`] has the graph of a connection, [`exchange`] what happens between a request's head and
//! the end of its response. Requests are handled strictly one after another: the next head is
//! parsed only when the response before it has ended and left, so that pipelined answers are in
//! order by construction, and a client that does not read is not served on.

pub mod body;
pub mod encode;
mod exchange;
mod fields;
mod inbox;
mod outbox;
pub mod parse;
mod state;
pub mod target;

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use wire::head::Origin;
use wire::{Part, Reason, RequestHead, ResponseHead, Scheme, Version};

use self::encode::{BodyEncoder, HeadLines, Persistence};
use self::inbox::Inbox;
use self::outbox::Outbox;
use self::state::State;
use super::ended::{Ended, Ending, Sent};
use super::error::{Fault, ProtocolError};
use super::message::{self, RequestFacts};
use super::settings::HttpSettings;
use super::upgrade::Accepted;
use super::{Closing, Flow, Input, KeepInFile, Now, Outgoing, Protocol, StreamId};

/// One HTTP/1 connection.
#[derive(Debug)]
pub struct Http1 {
    state: State,
    core: Core,
}

impl Http1 {
    /// A connection that was just accepted.
    pub fn new(settings: Arc<HttpSettings>, origin: Origin, scheme: Scheme, now: &Now) -> Self {
        let state = State::new(now.instant + settings.first_byte_timeout);
        Self { state, core: Core::new(settings, origin, scheme) }
    }

    /// What its port's options say.
    pub fn settings(&self) -> &Arc<HttpSettings> {
        &self.core.settings
    }

    /// The one place that assigns the state.
    fn step<R>(&mut self, next: impl FnOnce(State, &mut Core) -> (State, R)) -> R {
        let state = mem::replace(&mut self.state, State::Closed(Closing::Close));
        let (state, result) = next(state, &mut self.core);
        self.state = state;
        result
    }
}

impl Protocol for Http1 {
    fn receive(&mut self, input: Input<'_>, now: &Now) {
        self.step(|state, core| match input {
            Input::Bytes(bytes) => (state.bytes(bytes, core, now), ()),
            Input::Datagram { .. } => (state, ()),
            Input::Eof => (state.eof(core), ()),
            Input::Timeout => (state.timeout(core, now), ()),
        });
    }

    fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        let stream = self.core.stream();
        self.core.inbox.pop().map(|part| (stream, part))
    }

    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow {
        self.step(|state, core| state.send(stream, part, core, now))
    }

    fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now) {
        self.step(|state, core| (state.set_paused(stream, paused, core, now), ()));
    }

    fn upgrade(&mut self, stream: StreamId, accepted: &Accepted, now: &Now) -> Flow {
        self.step(|state, core| state.upgrade(stream, accepted, core, now))
    }

    fn transmit(&mut self, out: &mut Outgoing<'_>, now: &Now) {
        let Outgoing::Bytes(out) = out else { return };
        self.core.outbox.transmit(self.core.stream(), out);
        let unwritten = !out.is_empty();
        self.step(|state, core| (state.transmitted(unwritten, core, now), ()));
        if !matches!(self.state, State::Exchange(_)) && self.core.outbox.is_empty() {
            out.ended.extend(self.core.take_ended());
        }
    }

    fn spool(&mut self, keep: &mut KeepInFile<'_>) {
        self.core.outbox.spool(self.core.stream(), keep);
    }

    fn wants_input(&self) -> bool {
        self.state.wants_input()
    }

    fn content_left(&self) -> u64 {
        self.state.content_left()
    }

    fn deadline(&self) -> Option<Instant> {
        self.state.deadline()
    }

    fn shutdown(&mut self, _now: &Now) {
        self.step(|state, core| (state.shutdown(core), ()));
    }

    fn closing(&self) -> Option<Closing> {
        match self.state {
            State::Closed(closing) if self.core.outbox.is_empty() => Some(closing),
            _ => None,
        }
    }

    fn refusal(&mut self) -> Option<ProtocolError> {
        self.core.refusal.take()
    }

    fn unfinished(&mut self, ended: &mut Vec<Ended>) {
        // What the outbox still has reaches nobody.
        ended.extend(self.core.take_ended().map(Ended::cut));
    }

    fn origin(&self) -> &Origin {
        &self.core.origin
    }
}

/// What becomes of the connection behind a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    KeepAlive,
    Close(Closing),
}

/// What lasts as long as the connection, whatever its state.
#[derive(Debug)]
struct Core {
    settings: Arc<HttpSettings>,
    origin: Origin,
    scheme: Scheme,
    /// Requests seen so far: the id of the next one.
    streams: StreamId,
    inbox: Inbox,
    outbox: Outbox,
    refusal: Option<ProtocolError>,
    /// The client has sent its last byte.
    half_closed: bool,
    /// The server takes no new request.
    draining: bool,
    /// The request in work and how it ends, as far as is known; none where nobody observes.
    told: Option<(StreamId, Ending)>,
}

impl Core {
    fn new(settings: Arc<HttpSettings>, origin: Origin, scheme: Scheme) -> Self {
        Self {
            settings,
            origin,
            scheme,
            streams: 0,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            refusal: None,
            half_closed: false,
            draining: false,
            told: None,
        }
    }

    /// The latest request.
    fn stream(&self) -> StreamId {
        self.streams.saturating_sub(1)
    }

    /// A request begins. Until anything else is known, its client leaves it.
    fn begin(&mut self) {
        self.outbox.sent = Sent::default();
        if self.settings.is_observed() {
            self.told = Some((self.stream(), Ending::Lost(Reason::ClientGone)));
        }
    }

    /// It is known how the request in work ends.
    fn ends(&mut self, ending: Ending) {
        if let Some((_, told)) = &mut self.told {
            *told = ending;
        }
    }

    /// RFC 9110, 10.1.1.
    fn say_continue(&mut self) {
        self.outbox.buffer(32).extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    fn take_ended(&mut self) -> Option<Ended> {
        let (stream, ending) = self.told.take()?;
        Some(Ended { stream, version: None, sent: self.outbox.sent, ending })
    }

    fn report(&mut self, mut error: ProtocolError) {
        error.stream = self.told.map(|(stream, _)| stream);
        self.refusal.get_or_insert(error);
    }

    /// Answers what cannot be served, then closes (RFC 9112, 9.6).
    fn refuse(&mut self, fault: Fault, head_only: bool, now: &Now) -> State {
        self.report(ProtocolError::connection(fault));
        if self.settings.is_observed() {
            // A head that is refused is of the request that would have been next.
            let (stream, _) = self.told.unwrap_or_else(|| {
                self.outbox.sent = Sent::default();
                (self.streams, Ending::Broken)
            });
            self.told = Some((stream, Ending::Refused(fault)));
        }
        self.outbox.sent.status = Some(fault.status());
        let request = RequestFacts { head_only, upgrade: false, version: Version::Http11 };
        let (head, content) = message::plain_response(fault.status());
        if let Ok(shape) = message::shape(&request, &head) {
            let encoder = BodyEncoder::new(shape.content, request.version);
            let (settings, connection) = (&self.settings, Persistence::Close);
            let lines = HeadLines { shape: &shape, encoder, connection, settings, date: &now.date };
            encode::head(&mut self.outbox, &head, &lines);
            encoder.own_content(&mut self.outbox, &content);
        }
        State::Closed(Closing::Linger)
    }
}
