//! A connection from its handshake to its end.

use std::time::{Duration, Instant};

use quiche::h3::WireErrorCode as Code;
use wire::limits::{
    FAREWELL_TIME_MAX, PRIORITY_BYTES_MAX, QUIC_GOAWAY_TIME, QUIC_PING_INTERVAL_MAX,
    QUIC_PING_INTERVAL_MIN,
};

use super::Http3;
use crate::protocol::StreamId;
use crate::protocol::error::{Fault, ProtocolError};

/// The highest stream there can be: a GOAWAY with it refuses nothing yet (RFC 9114, 5.2).
const LAST_STREAM: StreamId = (1 << 62) - 4;

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

impl Http3 {
    /// Opens HTTP/3 once it can be.
    pub(super) fn greet(&mut self) {
        if !matches!(self.phase, Phase::Greeting(_)) || self.has_ended() {
            return;
        }
        if !self.quic.is_established() && !self.quic.is_in_early_data() {
            return;
        }
        let bytes = u64::from(self.outlet.settings.http2_list_bytes_max());
        let h3 = quiche::h3::Config::new().and_then(|mut config| {
            // Twice the bound: what is beyond it is answered with 431, what is far beyond it ends the
            // connection.
            config.set_max_field_section_size(bytes.saturating_mul(2));
            config.set_qpack_max_table_capacity(0);
            config.set_qpack_blocked_streams(0);
            config.set_max_priority_update_size(PRIORITY_BYTES_MAX);
            quiche::h3::Connection::with_transport(&mut self.quic, &config)
        });
        // An error has closed the connection: the client allows no control stream.
        self.h3 = h3.ok().map(Box::new);
        self.phase = Phase::Open(self.now.instant + self.outlet.settings.keepalive_timeout);
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

    /// Without room for it the client is told by the end.
    fn goaway(&mut self, stream: StreamId) {
        if let Some(h3) = &mut self.h3 {
            let _ = h3.send_goaway(&mut self.quic, stream);
        }
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
            Phase::Open(idle) => *idle = now + self.outlet.settings.keepalive_timeout,
            Phase::Left(_, until) => *until = now + FAREWELL_TIME_MAX,
            _ => {}
        }
    }

    /// Whether the client has made more work than may still turn out to serve somebody: as long as
    /// content is arriving, a window of it, and that sent again.
    pub(super) fn is_overdrawn(&self) -> bool {
        let debt = self.watch.debt();
        if debt == 0 {
            return false;
        }
        let arriving = self.streams.values().any(|stream| stream.arriving);
        let window = self.outlet.settings.http3.connection_window_bytes();
        !arriving || debt > window.saturating_mul(2)
    }

    /// The client makes work and serves nobody: it has to go.
    pub(super) fn calm(&mut self) {
        if self.close(Code::ExcessiveLoad) {
            self.outlet.report(ProtocolError::connection(Fault::Flood));
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
        let heads = self.opening.values().copied().min();
        let phase = match self.phase {
            Phase::Greeting(until) | Phase::Leaving(until) => Some(until),
            Phase::Open(until) | Phase::Left(_, until) => self.streams.is_empty().then_some(until),
            Phase::Closed => None,
        };
        let ping = (!self.streams.is_empty()).then_some(self.ping);
        [streams, heads, phase, ping].into_iter().flatten().min()
    }

    /// How often to ask a client whose requests are in work for an acknowledgement: before either
    /// side takes the connection for idle (RFC 9000, 10.1.2).
    pub(super) fn ping_interval(&self) -> Duration {
        let theirs = self.quic.peer_transport_params().map(|peer| peer.max_idle_timeout);
        let theirs = theirs.filter(|millis| *millis > 0).map(Duration::from_millis);
        let idle = self.outlet.settings.keepalive_timeout;
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
                self.outlet.report(ProtocolError::connection(Fault::Handshake));
                // Nobody has asked for anything.
                let _ = self.quic.close(false, quiche::WireErrorCode::NoError as u64, b"");
            }
            Phase::Open(until) if until <= now && self.streams.is_empty() => self.leave(),
            Phase::Leaving(until) if until <= now => {
                self.goaway(self.next_stream);
                self.phase = Phase::Left(self.next_stream, now + FAREWELL_TIME_MAX);
            }
            Phase::Left(_, until) if until <= now && self.streams.is_empty() => {
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
        if matches!(self.phase, Phase::Left(..)) && self.streams.is_empty() && self.all_arrived() {
            self.close(Code::NoError);
        }
        if self.phase == Phase::Closed || !self.has_ended() {
            return;
        }
        if let Some(fault) = self.quic.local_error().and_then(fault) {
            self.outlet.report(ProtocolError::connection(fault));
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
            self.breaking = Vec::new();
        }
        if self.orphans.is_empty() {
            self.orphans = Default::default();
        }
    }
}

/// What we held against the client when we closed the connection.
fn fault(error: &quiche::ConnectionError) -> Option<Fault> {
    const CRYPTO: std::ops::Range<u64> = 0x100..0x200;
    let code = error.error_code;
    if !error.is_app {
        let refused = quiche::WireErrorCode::ConnectionRefused as u64;
        return match code {
            0 => None,
            code if code == refused => None,
            code if CRYPTO.contains(&code) => Some(Fault::Handshake),
            _ => Some(Fault::Frame),
        };
    }
    if code == Code::NoError as u64 {
        None
    } else if code == Code::ExcessiveLoad as u64 {
        // The only load that `quiche` finds excessive.
        Some(Fault::FieldsTooLarge)
    } else {
        Some(Fault::Frame)
    }
}
