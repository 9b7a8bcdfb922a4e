//! HTTP/3 (RFC 9114), on the `quiche` crate.
//!
//! ```text
//!                handshake done           first           the last                CONNECTION_CLOSE
//!  ┌──────────┐  or early data  ┌──────┐  GOAWAY  ┌─────────┐ GOAWAY ┌──────┐    ┌────────┐
//!  │ Greeting │ ──────────────▶ │ Open │ ───────▶ │ Leaving │ ─────▶ │ Left │ ──▶│ Closed │
//!  └──────────┘                 └──────┘          └─────────┘        └──────┘    └────────┘
//!        └── late, or an error ─────┴──────────────────┴─────────────────┴────────────▲
//! ```
//!
//! `quiche` knows QUIC: packets, streams, windows and losses. The frames on the streams are read and
//! made here, because each mistake of a client's has its own code and its own scope: [`incoming`],
//! [`unidirectional`] and [`qpack`] are what comes, [`stream_writer`] is what goes. What a request and a response are
//! is shared with HTTP/2. `quiche` reads the clock itself for what is QUIC's: losses,
//! acknowledgements, idleness.

mod abuse_limiter;
mod buffers;
mod closing_streams;
pub mod error;
mod events;
mod flow;
pub mod frame;
pub mod incoming;
mod life;
mod log;
mod paths;
mod pending;
pub mod priority;
pub mod qpack;
mod request;
mod states;
mod stream;
mod stream_writer;
pub mod unidirectional;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use quiche::RecvInfo;
use wire::head::Origin;
use wire::limits::QUIC_DATAGRAM_BYTES_MIN;
use wire::{Part, Reason, RequestHead, ResponseHead, Version};

use self::abuse_limiter::AbuseLimiter;
pub use self::buffers::BytesFactory;
use self::error::Code;
use self::life::Phase;
use self::paths::PathSet;
use self::pending::Pending;
use self::states::{Egress, News, Probes};
use self::stream::Http3Stream;
use self::unidirectional::Unidirectional;
use super::datagrams::Datagrams;
use super::ended::Ended;
use super::error::ProtocolError;
use super::settings::HttpSettings;
use super::stream_context::StreamContext;
use super::upgrade::Accepted;
use super::{Closing, Flow, Input, KeepInFile, Now, Outgoing, Protocol, ReadFile, StreamId};

/// A QUIC connection.
pub type Quic = quiche::Connection<BytesFactory>;

/// The ALPN identifier of HTTP/3 (RFC 9114, 3.1).
pub const ALPN: &[u8] = b"h3";

/// One QUIC connection with HTTP/3 on it.
pub struct Http3 {
    quic: Box<Quic>,
    phase: Phase,
    /// Where requests come from.
    origin: Origin,
    /// Boxed, because an empty map keeps room for eleven entries.
    streams: BTreeMap<StreamId, Box<Http3Stream>>,
    /// Streams that may have something to send.
    ready: Vec<StreamId>,
    /// There while there is something in it.
    pending: Option<Box<Pending>>,
    /// The client's unidirectional streams.
    unidirectional: Unidirectional,
    context: StreamContext,
    limiter: AbuseLimiter,
    /// The stream after the highest that was seen.
    next_stream: StreamId,
    /// The last turn that a stream had.
    turns: u64,
    /// What has happened that streams may want to know of.
    news: News,
    /// When to make sure that the connection outlives the requests in work.
    ping: Instant,
    /// SETTINGS have been sent.
    settings_sent: bool,
    /// A packet was full: larger ones are of use, so `quiche` may look for what the path takes.
    probe_mtu: bool,
    /// When the next packet may go.
    paced: Option<Instant>,
    egress: Egress,
    probes: Probes,
    /// When a response was last taken further.
    progress: Instant,
    /// There once the client has migrated, or tried to.
    paths: Option<Box<PathSet>>,
    now: Now,
}

impl Http3 {
    /// A connection that was just accepted. `read` reads the files that responses are made of.
    pub fn new(
        quic: Quic,
        settings: Arc<HttpSettings>,
        origin: Origin,
        read: ReadFile,
        now: &Now,
    ) -> Self {
        Self {
            quic: Box::new(quic),
            phase: Phase::Greeting(now.instant + settings.first_byte_timeout),
            origin,
            streams: BTreeMap::new(),
            ready: Vec::new(),
            pending: None,
            unidirectional: Unidirectional::default(),
            context: StreamContext::new(Version::Http3, settings, read),
            limiter: AbuseLimiter::new(now.instant),
            next_stream: 0,
            turns: 0,
            news: News::default(),
            ping: now.instant,
            settings_sent: false,
            probe_mtu: false,
            paced: None,
            egress: Egress::default(),
            probes: Probes::default(),
            progress: now.instant,
            paths: None,
            now: *now,
        }
    }

    /// Whether SETTINGS have been sent. What can wait belongs behind them: `quiche` keeps
    /// room for as many frames as were acknowledged at a time.
    pub fn has_sent_settings(&self) -> bool {
        self.settings_sent
    }

    /// The client has moved: requests come from there from now on.
    pub fn moved(&mut self, local: SocketAddr, remote: SocketAddr) {
        (self.origin.local, self.origin.remote) = (Some(local), Some(remote));
    }

    /// Whether there is no stream that is not over.
    pub fn is_idle(&self) -> bool {
        let opening = self.pending.as_ref().is_some_and(|pending| !pending.opening.is_empty());
        self.streams.is_empty() && !opening
    }

    /// The QUIC connection, for its ids and paths.
    pub fn quic(&mut self) -> &mut Quic {
        &mut self.quic
    }

    fn datagram(&mut self, bytes: &mut [u8], info: RecvInfo) {
        self.news.add(News::Received);
        self.limiter.see(bytes.len(), self.now.instant);
        self.probes.datagram();
        self.egress.datagram();
        // An error has closed the connection, which is found out below, or concerned nobody.
        let _ = self.quic.recv(bytes, info);
        // An acknowledgement, as likely as not.
        self.break_off_all();
        if self.is_overdrawn() {
            self.calm();
        }
    }

    fn timeout(&mut self) {
        let break_at = self.pending.as_ref().and_then(|pending| pending.break_at);
        if break_at.is_some_and(|at| at <= self.now.instant) {
            self.break_off_all();
        }
        self.late();
        self.drive();
        if self.quic.timeout().is_some_and(|left| left.is_zero()) {
            self.quic.on_timeout();
            self.probes.timeout();
            self.news.add(News::Ours);
        }
    }

    /// Appends the packets that may go out now, until `out` is full, nothing is left, or the rest
    /// is for later.
    fn transmit_packets(&mut self, out: &mut Datagrams) {
        if self.probes.are_due() || self.egress == Egress::Backlog {
            self.packets(out);
            if self.probes.are_due() && self.egress == Egress::Backlog {
                return;
            }
            self.probes.gone();
        }
        self.drive();
        self.packets(out);
        self.settings_sent |= self.phase.is_speaking();
        self.rest();
    }

    /// What there is to note down of streams for a while.
    fn pending(&mut self) -> &mut Pending {
        self.pending.get_or_insert_default()
    }

    /// Moves everything on until nothing moves any more.
    fn drive(&mut self) {
        let news = std::mem::take(&mut self.news);
        self.greet();
        self.take_streams();
        if news == News::Received {
            self.take_writable();
        }
        self.say_on();
        self.give();
        self.reap();
        self.settle();
    }

    /// Makes packets.
    fn packets(&mut self, out: &mut Datagrams) {
        (self.paced, self.egress) = (None, Egress::Backlog);
        while let Some(room) = out.room() {
            let release = self.quic.get_next_release_time();
            let later = release.filter(|release| !release.can_burst() && !self.probes.are_due());
            if let Some(at) = later.and_then(|release| release.time(self.now.instant)) {
                self.paced = Some(at);
                return;
            }
            // `quiche` looks for what the path takes when it has the room to.
            let most =
                if self.probe_mtu { room.len() } else { QUIC_DATAGRAM_BYTES_MIN.min(room.len()) };
            match paths::send(&mut self.quic, self.paths.as_deref(), &mut room[..most]) {
                Ok((len, (from, to))) => {
                    // Those of the handshake are filled up (RFC 9000, 14.1).
                    self.probe_mtu |= len >= QUIC_DATAGRAM_BYTES_MIN && self.quic.is_established();
                    self.limiter.sent(len);
                    out.push(len, from, to);
                }
                Err(quiche::Error::Done) => {
                    self.egress = Egress::Flushed;
                    return;
                }
                Err(_) => {
                    // The connection cannot go on; what it still can say goes out next.
                    let error = quiche::WireErrorCode::InternalError as u64;
                    if self.quic.close(false, error, b"").is_err() {
                        self.egress = Egress::Flushed;
                        return;
                    }
                    self.news.add(News::Ours);
                }
            }
        }
    }

    /// Whether the connection has ended as one should.
    fn has_ended_well(&self) -> bool {
        let bad = |error: Option<&quiche::ConnectionError>| {
            error.is_some_and(|error| !error.is_app || error.error_code != Code::NoError as u64)
        };
        !bad(self.quic.peer_error()) && !bad(self.quic.local_error()) && self.quic.is_established()
    }

    /// The connection is over: so are its streams.
    fn lose_streams(&mut self) {
        for (id, mut stream) in std::mem::take(&mut self.streams) {
            self.context.stream = id;
            stream.exchange.lose(Reason::ClientGone, &mut self.context);
            stream.exchange.tell_end(stream.sent_bytes, &mut self.context);
        }
        self.pending = None;
        self.ready.clear();
    }
}

impl Protocol for Http3 {
    fn receive(&mut self, input: Input<'_>, now: &Now) {
        self.now = *now;
        match input {
            Input::Datagram { bytes, from, to } => self.datagram(bytes, RecvInfo { from, to }),
            Input::Timeout => self.timeout(),
            Input::Bytes(_) | Input::Eof => {}
        }
    }

    fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        if self.news != News::None && (!self.probes.are_due() || self.quic.is_closed()) {
            self.drive();
        }
        self.context.pop()
    }

    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow {
        self.now = *now;
        let Some(open) = self.streams.get_mut(&stream) else { return Flow::Gone };
        self.context.stream = stream;
        if !std::mem::replace(&mut open.queued, true) {
            self.ready.push(stream);
        }
        self.news.add(News::Ours);
        open.exchange.reply.send(part, &mut self.context, now)
    }

    fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now) {
        self.now = *now;
        let Some(open) = self.streams.get_mut(&stream) else { return };
        open.exchange.set_paused(paused, now);
        if !paused && self.phase.is_speaking() {
            // It was left unread, and no datagram will say so again.
            self.take_request(stream);
        }
        self.news.add(News::Ours);
    }

    fn upgrade(&mut self, stream: StreamId, accepted: &Accepted, now: &Now) -> Flow {
        self.now = *now;
        let Some(open) = self.streams.get_mut(&stream) else { return Flow::Gone };
        self.context.stream = stream;
        let flow = open.exchange.upgrade(accepted, &mut self.context, now);
        self.queue(stream);
        if flow == Flow::Ready && self.phase.is_speaking() {
            // It was left unread, and no datagram will say so again.
            self.take_request(stream);
        }
        self.news.add(News::Ours);
        flow
    }

    fn transmit(&mut self, out: &mut Outgoing<'_>, now: &Now) {
        let Outgoing::Datagrams(out) = out else { return };
        self.now = *now;
        self.transmit_packets(out);
        self.context.take_released(&mut out.released);
        self.context.take_ended(&mut out.ended);
    }

    fn spool(&mut self, keep: &mut KeepInFile<'_>) {
        for (id, open) in &mut self.streams {
            open.exchange.reply.spool(*id, keep);
        }
    }

    fn wants_input(&self) -> bool {
        !self.quic.is_closed()
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.phase_deadline();
        let quic = self.quic.timeout_instant();
        [own, self.paced, quic].into_iter().flatten().min()
    }

    fn shutdown(&mut self, now: &Now) {
        self.now = *now;
        self.news.add(News::Ours);
        self.leave();
    }

    fn closing(&self) -> Option<Closing> {
        self.quic.is_closed().then(|| match self.has_ended_well() {
            true => Closing::Close,
            false => Closing::Reset,
        })
    }

    fn refusal(&mut self) -> Option<ProtocolError> {
        self.context.pop_refusal()
    }

    fn unfinished(&mut self, ended: &mut Vec<Ended>) {
        self.lose_streams();
        self.context.take_ended(ended);
    }

    fn origin(&self) -> &Origin {
        &self.origin
    }
}
