//! A client's connection: the socket, the protocol over it, and what waits in both directions.

mod backlog;
mod backlogs;
mod ends;
pub mod exchanges;
pub mod streams;
#[cfg(test)]
mod tests;
mod writing;

use std::time::Instant;

use crate::handler::ExchangeKey;
use bytes::BytesMut;
use wire::head::Origin;
use wire::limits::{
    LINGER_DRAINING_TIME_MAX, READ_AHEAD_BYTES_MAX, READ_BLOCKS_MAX, READ_BYTES_MAX,
};
use wire::shm::Counter;
use wire::{Part, RequestHead, Scheme, TlsInfo, ids};

pub use self::backlog::content_len;
use self::streams::{DriveContext, Streams};
use crate::addresses::Seat;
use crate::config::PortConfig;
use crate::error_log::{ErrorLog, Kind, Peer};
use crate::file;
use crate::protocol::detect::Detect;
use crate::protocol::ended::Ended;
use crate::protocol::error::ProtocolError;
use crate::protocol::{Input, Now, Output, Protocol, StreamId};
use crate::read_buffer::ReadBuffer;
use crate::socket::{Socket, SocketRead};
use crate::timer::Alarms;

/// One client.
pub struct Conn {
    socket: Socket,
    /// Until the end of a TLS handshake the protocol stands in for the one that will be agreed on.
    pub streams: Streams<Box<dyn Protocol>>,
    /// What requests tell of its TLS.
    tls: Option<TlsInfo>,
    phase: ConnPhase,
    /// What the protocol has left, to be presented again.
    pending: BytesMut,
    /// What the socket has not taken; `None` while there is nothing, so that an idle connection
    /// costs no memory for it.
    out: Option<Box<Output>>,
    readiness: SocketReadiness,
    /// When the client is given up unless it takes bytes.
    stalled: Option<Instant>,
    /// Deadlines that have been set with the timers.
    pub alarms: Alarms,
    /// Its place among those of its address, when they are bounded.
    pub seat: Option<Box<Seat>>,
    /// Whether workers may be told of it: it is known whose it is.
    pub announced: bool,
}

/// What is known of what the socket has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SocketReadiness {
    /// Nothing, until an edge of readiness says otherwise.
    Drained,
    /// There may be something.
    Readable,
    /// All that the client will ever send has arrived: no edge will tell of what is left, so that a
    /// short read is not the last.
    ReadableToEnd,
}

impl SocketReadiness {
    /// A read has found no more than it took.
    fn drained(&mut self) {
        if *self == Self::Readable {
            *self = Self::Drained;
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum ConnPhase {
    /// TLS is being agreed on.
    Handshaking { until: Instant },
    /// A proxy has to say first for whom the connection is.
    ProxyHeader { until: Instant },
    /// Both directions are open, as far as is known.
    Open,
    /// The client will send no more.
    HalfClosed,
    /// The last response is out; what comes is dropped (RFC 9112, 9.6).
    Lingering { until: Instant, bytes_left: usize },
}

/// What a turn's work on a connection has at hand.
pub struct ConnContext<'a> {
    /// For any connection.
    pub streams: DriveContext<'a>,
    /// Whether its bytes are clients' bytes.
    pub counts: bool,
    /// Where to read to.
    pub buffer: &'a mut ReadBuffer,
    /// Where to write to, while nothing waits for the connection. Empty before and after.
    pub scratch: &'a mut Output,
}

impl ConnContext<'_> {
    fn count_received(&self, bytes: usize) {
        if self.counts {
            self.streams.shared.add(Counter::BytesReceived, bytes as u64);
        }
    }
}

/// What came of one turn's work on a connection.
#[derive(Debug)]
pub enum ConnEvent {
    /// A proxy has said for whom the connection is, as the origin has it from now on.
    Introduced,
    /// A part of a request.
    Request(StreamId, Part<Box<RequestHead>>),
    /// Content bytes of a response were taken over from its worker, which may send as many more.
    Credit(ExchangeKey, u64),
    /// The stream is no more: nothing of the response is of use.
    Gone(ExchangeKey),
    /// A request was refused, or all of the connection.
    Refused(ProtocolError),
    /// A request is over: told where requests are observed.
    Ended(Ended),
}

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PumpResult {
    /// It stays.
    Keep,
    /// It stays, and there is more to read at once.
    Again,
    /// It has ended as it should.
    Close,
    /// It has ended because of an error or a deadline.
    Abort,
}

impl Conn {
    /// A new connection.
    pub fn new(socket: Socket, port: &PortConfig, origin: Origin, now: &Now) -> Self {
        let phase = match port.proxies.protocol {
            true => ConnPhase::ProxyHeader { until: now.instant + port.http.first_byte_timeout },
            false => ConnPhase::first(&socket, port, now),
        };
        let http = port.http.clone();
        let protocol = Box::new(Detect::new(http, origin, Scheme::Http, file::read, now));
        Self {
            socket,
            streams: Streams::new(protocol),
            tls: None,
            phase,
            pending: BytesMut::new(),
            out: None,
            readiness: SocketReadiness::Drained,
            stalled: None,
            alarms: Alarms::default(),
            seat: None,
            announced: !port.proxies.protocol,
        }
    }

    /// The socket has become readable; `to_the_end` when the client has said all it will, so that
    /// a short read is not the last.
    pub fn set_readable(&mut self, to_the_end: bool) {
        if to_the_end {
            self.readiness = SocketReadiness::ReadableToEnd;
        } else if self.readiness == SocketReadiness::Drained {
            self.readiness = SocketReadiness::Readable;
        }
    }

    /// No new requests: finish, then close.
    pub fn shutdown(&mut self, now: &Now) {
        if let ConnPhase::Lingering { until, .. } = &mut self.phase {
            *until = (*until).min(now.instant + LINGER_DRAINING_TIME_MAX);
        }
        self.streams.shutdown(now);
    }

    /// When to look at this connection next.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            ConnPhase::Handshaking { until }
            | ConnPhase::ProxyHeader { until }
            | ConnPhase::Lingering { until, .. } => Some(until),
            _ => [self.streams.deadline(), self.stalled].into_iter().flatten().min(),
        }
    }

    /// A deadline has passed. `PumpResult::Keep` leaves the rest to [`pump`](Self::pump).
    pub fn timeout(&mut self, now: &Now, error_log: &mut ErrorLog) -> PumpResult {
        if matches!(self.phase, ConnPhase::Lingering { until, .. } if until <= now.instant) {
            return PumpResult::Close;
        }
        if matches!(self.phase, ConnPhase::ProxyHeader { until } if until <= now.instant) {
            self.log_proxy("no whole PROXY header in time", now, error_log);
            return PumpResult::Abort;
        }
        if matches!(self.phase, ConnPhase::Handshaking { until } if until <= now.instant) {
            error_log.log_with(
                Kind::Handshake,
                now.instant,
                &[("client", self.peer().value()), ("reason", "timeout".into())],
                format_args!("client {} did not finish its TLS handshake in time", self.peer()),
            );
            return PumpResult::Abort;
        }
        if self.stalled.is_some_and(|stalled| stalled <= now.instant) {
            let _about = ids::about(&self.streams.exchanges.only_ids());
            error_log.log_with(
                Kind::Stall,
                now.instant,
                &[("client", self.peer().value())],
                format_args!("client {} took nothing of its response for too long", self.peer()),
            );
            self.socket.reset_on_close();
            return PumpResult::Abort;
        }
        self.streams.timeout(now);
        PumpResult::Keep
    }

    fn peer(&self) -> Peer {
        Peer(self.streams.origin().remote)
    }

    /// Moves bytes in both directions until nothing moves any more. What the client does not take of
    /// its responses is spooled.
    pub fn pump(&mut self, port: &PortConfig, cx: &mut ConnContext<'_>) -> PumpResult {
        let mut fate = self.move_bytes(port, cx);
        while matches!(fate, PumpResult::Keep | PumpResult::Again)
            && self.streams.spool(port, &mut cx.streams)
        {
            // What is on disk now may be wanted all the same: only its memory was.
            fate = self.write(port, cx).unwrap_or(fate);
        }
        if self.streams.settle(self.unwritten_bytes(), &mut cx.streams) {
            self.move_from_memory(cx.streams.spool);
            self.streams.settle(self.unwritten_bytes(), &mut cx.streams);
        }
        fate
    }

    fn move_bytes(&mut self, port: &PortConfig, cx: &mut ConnContext<'_>) -> PumpResult {
        if let Some(fate) = self.proxy_header(port, cx).or_else(|| self.handshake(port, cx)) {
            return fate;
        }
        let mut blocks_left = READ_BLOCKS_MAX;
        while blocks_left > 0 {
            if let Some(fate) = self.write(port, cx) {
                return fate;
            }
            match self.read(&mut blocks_left, cx) {
                Progress::Some => {}
                Progress::None => return PumpResult::Keep,
                Progress::Over(fate) => return fate,
            }
        }
        PumpResult::Again
    }

    /// Reads once, into so many blocks at most.
    fn read(&mut self, blocks_left: &mut usize, cx: &mut ConnContext<'_>) -> Progress {
        let most = std::mem::replace(blocks_left, *blocks_left - 1);
        if !self.pending.is_empty() && self.streams.wants_input() {
            let before = self.pending.len();
            self.streams.receive(Input::Bytes(&mut self.pending), cx.streams.now);
            if self.collect(cx) || self.pending.len() != before {
                return Progress::Some;
            }
        }
        if self.readiness == SocketReadiness::Drained
            || matches!(self.phase, ConnPhase::HalfClosed)
            || self.pending.len() >= READ_AHEAD_BYTES_MAX && !self.streams.wants_input()
        {
            return Progress::None;
        }
        let known = usize::try_from(self.streams.content_left()).unwrap_or(usize::MAX);
        match self.socket.receive(cx.buffer, most.min(known / READ_BYTES_MAX)) {
            SocketRead::Bytes { bytes, drained } => {
                if drained {
                    self.readiness.drained();
                }
                cx.count_received(bytes.len());
                self.received(bytes, cx)
            }
            SocketRead::Blocks { blocks, drained } => {
                if drained {
                    self.readiness.drained();
                }
                *blocks_left = most - blocks.len();
                cx.count_received(blocks.iter().map(BytesMut::len).sum());
                for bytes in blocks {
                    if let over @ Progress::Over(_) = self.received(bytes, cx) {
                        return over;
                    }
                }
                Progress::Some
            }
            SocketRead::Nothing => {
                self.readiness.drained();
                Progress::None
            }
            SocketRead::Eof => self.half_closed(cx),
            SocketRead::Broken => Progress::Over(PumpResult::Abort),
        }
    }

    fn received(&mut self, mut bytes: BytesMut, cx: &mut ConnContext<'_>) -> Progress {
        if let ConnPhase::Lingering { bytes_left, .. } = &mut self.phase {
            *bytes_left = bytes_left.saturating_sub(bytes.len());
            let enough = *bytes_left == 0;
            return if enough { Progress::Over(PumpResult::Close) } else { Progress::Some };
        }
        if self.pending.is_empty() && self.streams.wants_input() {
            self.streams.receive(Input::Bytes(&mut bytes), cx.streams.now);
            // A copy, so that what is left does not hold the whole read buffer.
            self.pending = BytesMut::from(&bytes[..]);
        } else {
            self.pending.extend_from_slice(&bytes);
            if self.streams.wants_input() {
                self.streams.receive(Input::Bytes(&mut self.pending), cx.streams.now);
            }
        }
        self.collect(cx);
        Progress::Some
    }

    fn half_closed(&mut self, cx: &mut ConnContext<'_>) -> Progress {
        self.readiness = SocketReadiness::Drained;
        if matches!(self.phase, ConnPhase::Lingering { .. }) {
            return Progress::Over(PumpResult::Close);
        }
        self.phase = ConnPhase::HalfClosed;
        self.streams.receive(Input::Eof, cx.streams.now);
        self.collect(cx);
        Progress::Some
    }

    /// Takes what the protocol has made of the client's bytes. Says whether there was something.
    fn collect(&mut self, cx: &mut ConnContext<'_>) -> bool {
        let tls = &self.tls;
        self.streams.collect(&mut cx.streams, |_, head| head.tls.clone_from(tls))
    }
}

enum Progress {
    Some,
    None,
    Over(PumpResult),
}
