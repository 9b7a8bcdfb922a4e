//! A connection from its handshake to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use wire::limits::{
    FAREWELL_TIME_MAX, QUIC_GOAWAY_TIME, QUIC_PING_INTERVAL_MAX, QUIC_PING_INTERVAL_MIN,
};

use super::error::Code;
use super::{Http3, frame};
use crate::StreamId;
use crate::error::{Fault, ProtocolError};

/// The highest stream there can be: a GOAWAY with it refuses nothing yet (RFC 9114, 5.2).
const LAST_STREAM: StreamId = (1 << 62) - 4;

/// The first unidirectional stream of a server (RFC 9000, 2.1).
pub const CONTROL_STREAM: StreamId = 3;

/// What kind of stream that is (RFC 9114, 6.2.1).
const CONTROL: u64 = 0;

/// A setting (RFC 9114, 7.2.4.1).
const MAX_FIELD_SECTION_SIZE: u64 = 0x6;

/// A setting (RFC 9220, 5).
const ENABLE_CONNECT_PROTOCOL: u64 = 0x8;

/// Uncollected streams are looked for among so many of the last.
const LAST_STREAMS: u64 = 256;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The handshake goes on, until then at the latest.
    Greeting(Instant),
    /// Streams may come; without any, until then.
    Open(Instant),
    /// The client knows that streams are to come no more. Those that cross that word are served
    /// until then.
    Leaving(Instant),
    /// Streams from this one on are refused. Once the others are over, the last words may take until
    /// then.
    Left(StreamId, Instant),
    /// CONNECTION_CLOSE was sent or received.
    Closed,
}

impl Phase {
    /// Whether frames may come and go.
    pub fn is_speaking(self) -> bool {
        !matches!(self, Self::Greeting(_) | Self::Closed)
    }
}

impl Http3 {
    /// Opens HTTP/3 once it can be.
    pub(super) fn greet(&mut self) {
        if !matches!(self.phase, Phase::Greeting(_)) || self.has_ended() {
            return;
        }
        if !self.quic.is_established() && !self.quic.is_in_early_data() {
            return;
        }
        self.phase = Phase::Open(self.now.instant + self.context.settings.keepalive_timeout);
        let mut opening = BytesMut::new();
        frame::put_number(&mut opening, CONTROL);
        let settings =
            [MAX_FIELD_SECTION_SIZE, self.section_bytes_max(), ENABLE_CONNECT_PROTOCOL, 1];
        let said = if self.context.settings.upgrades { 4 } else { 2 };
        frame::put_numbers(&mut opening, frame::SETTINGS, &settings[..said]);
        // It is about all that comes behind it.
        let _ = self.quic.stream_priority(CONTROL_STREAM, 0, false);
        self.say(&opening);
        if !self.has_said_all() {
            // RFC 9114, 6.2: the client has to let it be opened.
            self.fail(Code::GeneralProtocolError);
        }
    }

    /// Says that no new stream is taken (RFC 9114, 5.2), or that there is nothing to be had.
    pub(super) fn leave(&mut self) {
        match self.phase {
            Phase::Greeting(_) => {
                let refused = quiche::WireErrorCode::ConnectionRefused as u64;
                let _ = self.quic.close(false, refused, b"");
            }
            Phase::Open(_) => {
                self.goaway(LAST_STREAM);
                self.phase = Phase::Leaving(self.now.instant + QUIC_GOAWAY_TIME);
            }
            Phase::Leaving(_) | Phase::Left(..) | Phase::Closed => {}
        }
    }

    fn goaway(&mut self, stream: StreamId) {
        let mut goaway = BytesMut::new();
        frame::put_numbers(&mut goaway, frame::GOAWAY, &[stream]);
        self.say(&goaway);
    }

    /// Says something on the control stream, now or when there is room.
    fn say(&mut self, bytes: &[u8]) {
        self.pending().unsaid.extend_from_slice(bytes);
        self.say_on();
    }

    /// Says what there was no room for.
    pub(super) fn say_on(&mut self) {
        let Some(pending) = self.pending.as_mut().filter(|pending| !pending.unsaid.is_empty())
        else {
            return;
        };
        // An error is that there is no room, or no connection any more.
        let said = self.quic.stream_send(CONTROL_STREAM, &pending.unsaid, false).unwrap_or(0);
        pending.unsaid.drain(..said);
        if pending.unsaid.is_empty()
            && let Phase::Leaving(until) = &mut self.phase
        {
            *until = self.now.instant + QUIC_GOAWAY_TIME;
        }
    }

    /// Whether the control stream has taken all.
    fn has_said_all(&self) -> bool {
        self.pending.as_ref().is_none_or(|pending| pending.unsaid.is_empty())
    }

    /// Bytes of a field section, in whatever form, that the client is told to send at most.
    pub(super) fn section_bytes_max(&self) -> u64 {
        u64::from(self.context.settings.field_section_bytes_max())
    }

    /// The stream from which on requests are refused.
    pub(super) fn refused_from(&self) -> StreamId {
        match self.phase {
            Phase::Left(stream, _) => stream,
            _ => StreamId::MAX,
        }
    }

    /// A stream was over: how long a connection without any stays is counted from now.
    pub(super) fn rewind(&mut self) {
        let now = self.now.instant;
        match &mut self.phase {
            Phase::Open(idle) => *idle = now + self.context.settings.keepalive_timeout,
            Phase::Left(_, until) => *until = now + FAREWELL_TIME_MAX,
            _ => {}
        }
    }

    /// Whether the client has made more work than may still turn out to serve somebody: as long as
    /// content is arriving, a window of it, and that sent again.
    pub(super) fn is_overdrawn(&self) -> bool {
        let debt = self.limiter.debt();
        if debt == 0 {
            return false;
        }
        let arriving = self.streams.values().any(|stream| stream.arriving);
        let window = self.context.settings.http3.connection_window_bytes();
        !arriving || debt > window.saturating_mul(2)
    }

    /// Flood detected: closes the connection (H3_EXCESSIVE_LOAD).
    pub(super) fn calm(&mut self) {
        self.expel(Code::ExcessiveLoad, Fault::Flood(self.limiter.flood()));
    }

    /// The client has broken a rule of the connection.
    pub(super) fn fail(&mut self, code: Code) {
        self.expel(code, Fault::Frame);
    }

    fn expel(&mut self, code: Code, fault: Fault) {
        if self.close(code) {
            self.context.report(ProtocolError::connection(fault));
            self.phase = Phase::Closed;
            self.lose_streams();
        }
    }

    fn close(&mut self, code: Code) -> bool {
        self.quic.close(true, code as u64, b"").is_ok()
    }

    /// When something here is late, apart from what is QUIC's.
    pub(super) fn phase_deadline(&self) -> Option<Instant> {
        let streams = self.streams.values().filter_map(|stream| stream.exchange.deadline()).min();
        let phase = match self.phase {
            Phase::Greeting(until) | Phase::Leaving(until) => Some(until),
            Phase::Open(until) | Phase::Left(_, until) => self.is_idle().then_some(until),
            Phase::Closed => None,
        };
        let ping = (!self.streams.is_empty()).then_some(self.ping);
        let pending = self.pending.as_ref().and_then(|pending| pending.deadline());
        [streams, phase, ping, pending].into_iter().flatten().min()
    }

    /// How often to ask a client whose requests are in work for an acknowledgement: before either
    /// side takes the connection for idle (RFC 9000, 10.1.2).
    pub(super) fn ping_interval(&self) -> Duration {
        let theirs = self.quic.peer_transport_params().map(|peer| peer.max_idle_timeout);
        let theirs = theirs.filter(|millis| *millis > 0).map(Duration::from_millis);
        let idle = self.context.settings.keepalive_timeout;
        let half = theirs.map_or(idle, |theirs| theirs.min(idle)) / 2;
        half.clamp(QUIC_PING_INTERVAL_MIN, QUIC_PING_INTERVAL_MAX)
    }

    /// Something may be late.
    pub(super) fn late(&mut self) {
        self.late_streams();
        let now = self.now.instant;
        if self.ping <= now && !self.streams.is_empty() {
            // A connection that has ended needs none.
            let _ = self.quic.send_ack_eliciting();
            self.ping = now + self.ping_interval();
        }
        match self.phase {
            Phase::Greeting(until) if until <= now && !self.quic.is_established() => {
                self.context.report(ProtocolError::connection(Fault::Handshake));
                // Nobody has asked for anything.
                let _ = self.quic.close(false, quiche::WireErrorCode::NoError as u64, b"");
            }
            Phase::Open(until) if until <= now && self.is_idle() => self.leave(),
            Phase::Leaving(until) if until <= now && !self.has_said_all() && !self.is_idle() => {
                // The client does not know yet.
                self.phase = Phase::Leaving(now + QUIC_GOAWAY_TIME);
            }
            Phase::Leaving(until) if until <= now => {
                self.goaway(self.next_stream);
                self.phase = Phase::Left(self.next_stream, now + FAREWELL_TIME_MAX);
            }
            Phase::Left(_, until) if until <= now && self.is_idle() => {
                self.close(Code::NoError);
            }
            _ => {}
        }
    }

    /// Whether neither side has anything to say any more.
    fn has_ended(&self) -> bool {
        self.quic.is_closed() || self.quic.is_draining() || self.quic.local_error().is_some()
    }

    /// Finds out that the connection is over, or that it may be.
    pub(super) fn settle(&mut self) {
        if matches!(self.phase, Phase::Left(..)) && self.is_idle() && self.all_arrived() {
            self.close(Code::NoError);
        }
        if self.phase == Phase::Closed || !self.has_ended() {
            return;
        }
        if let Some(fault) = self.quic.local_error().and_then(fault) {
            self.context.report(ProtocolError::connection(fault));
        }
        self.phase = Phase::Closed;
        self.lose_streams();
    }

    /// Whether the client has all that was sent.
    fn all_arrived(&mut self) -> bool {
        let end = self.next_stream / 4;
        let quic = &mut self.quic;
        (end.saturating_sub(LAST_STREAMS)..end).all(|nth| quic.stream_capacity(nth * 4).is_err())
    }

    /// Nothing is to be done: an idle connection gives back what it needs no more.
    pub(super) fn rest(&mut self) {
        if self.streams.is_empty() {
            self.ready = Vec::new();
            // An empty map keeps room for eleven entries once it had one.
            self.streams = BTreeMap::new();
        }
        self.pending.take_if(|pending| pending.is_empty());
    }
}

/// What we held against the client when we closed the connection.
fn fault(error: &quiche::ConnectionError) -> Option<Fault> {
    const CRYPTO: std::ops::Range<u64> = 0x100..0x200;
    const REFUSED: u64 = quiche::WireErrorCode::ConnectionRefused as u64;
    match error.error_code {
        // What HTTP/3 held against it was reported there.
        _ if error.is_app => None,
        0 | REFUSED => None,
        code if CRYPTO.contains(&code) => Some(Fault::Handshake),
        _ => Some(Fault::Frame),
    }
}
