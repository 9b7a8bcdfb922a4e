//! [`ErrorLog`]: what clients do wrong, in the log and in the counters.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use log::Level;
use log::kv::Value;
use wire::event::{self, LogEvent};
use wire::log_limit::LogLimit;
use wire::shm::{Counter, Shared};

use crate::protocol::error::{Blame, Fault, ProtocolError};
use crate::protocol::flood::Flood;

/// What clients can bring about at any rate: a line in the log for each, unless there is a flood of
/// them. Then some have none, and a line now and then says how many those were.
#[derive(Debug)]
pub struct ErrorLog {
    shared: Shared,
    /// What the limits count from.
    begin: Instant,
    limits: [LogLimit; Kind::ALL.len()],
    /// When to say how many lines were left out, until it is among the timers.
    alarm: Option<Instant>,
    /// The same, until it has come.
    armed: Option<Instant>,
}

/// What a line is about. Each kind has its own bound, so that a flood of one hides no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request was refused.
    Request,
    /// A handshake, of TLS or of QUIC, came to nothing.
    Handshake,
    /// A client took nothing of its response.
    Stall,
    /// A response cannot be sent as the handler made it.
    Response,
    /// The content of a request cannot be kept.
    Content,
    /// A file of a response cannot be kept.
    File,
    /// A worker has sent what it may not send.
    Worker,
    /// A client's address has as many connections as it may have.
    Address,
    /// A connection cannot be taken on.
    Connection,
    /// TLS cannot be begun.
    Tls,
}

impl ErrorLog {
    /// Nothing has happened yet.
    pub fn new(shared: Shared, now: Instant) -> Self {
        let limits = Kind::ALL.map(Kind::limit);
        Self { shared, begin: now, limits, alarm: None, armed: None }
    }

    /// Counts and logs what a protocol has refused, of a client's or of a handler's.
    pub fn refused(&mut self, refusal: &ProtocolError, client: Option<SocketAddr>, now: Instant) {
        let counter = match refusal.reason {
            Fault::Flood(flood) => counter_of(flood),
            Fault::ResponseStalled => Counter::Stalls,
            _ => Counter::Refused,
        };
        self.shared.add(counter, 1);
        let client = Peer(client);
        match refusal.reason.blame() {
            Blame::Client => self.log_with(
                Kind::Request,
                now,
                &[
                    ("client", client.value()),
                    ("status", refusal.reason.status().as_u16().into()),
                    ("reason", Value::from_display(&refusal.reason)),
                ],
                format_args!("refused a request of client {client}: {refusal}"),
            ),
            Blame::Handler => self.log_with(
                Kind::Response,
                now,
                &[("client", client.value()), ("reason", Value::from_display(&refusal.reason))],
                format_args!("a response cannot be sent: {refusal}"),
            ),
        }
    }

    /// Logs a line without fields, unless there were too many of its kind.
    pub fn log(&mut self, kind: Kind, now: Instant, line: fmt::Arguments<'_>) {
        self.log_with(kind, now, &[], line);
    }

    /// Logs a line with its fields, unless there were too many of its kind.
    pub fn log_with(
        &mut self,
        kind: Kind,
        now: Instant,
        fields: &[(&str, Value<'_>)],
        line: fmt::Arguments<'_>,
    ) {
        if kind.level() > log::max_level() {
            return;
        }
        if self.limits[kind as usize].take(now.saturating_duration_since(self.begin)) {
            event::log(kind.level(), kind.event(), fields, line);
        } else {
            self.shared.add(Counter::LogLinesSuppressed, 1);
            self.arm(kind);
        }
    }

    /// Sees to it that the lines left out of a kind are told of in time.
    fn arm(&mut self, kind: Kind) {
        let Some(deadline) = self.limits[kind as usize].deadline() else { return };
        let at = self.begin + deadline;
        if self.armed.is_none_or(|armed| at < armed) {
            (self.alarm, self.armed) = (Some(at), Some(at));
        }
    }

    /// When to [`sum_up`](Self::sum_up), told once.
    pub fn take_alarm(&mut self) -> Option<Instant> {
        self.alarm.take()
    }

    /// The alarm has come: says how many lines were left out, of the kinds for which it is time.
    pub fn sum_up(&mut self, now: Instant) {
        (self.alarm, self.armed) = (None, None);
        let elapsed = now.saturating_duration_since(self.begin);
        for kind in Kind::ALL {
            if let Some(left_out) = self.limits[kind as usize].sum_up(elapsed) {
                kind.say(left_out);
            }
            self.arm(kind);
        }
    }

    /// At the end: says how many lines were left out, of all kinds.
    pub fn sum_up_all(&mut self) {
        for (kind, limit) in Kind::ALL.into_iter().zip(&mut self.limits) {
            let left_out = limit.take_left_out();
            if left_out > 0 {
                kind.say(left_out);
            }
        }
    }
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Request,
        Self::Handshake,
        Self::Stall,
        Self::Response,
        Self::Content,
        Self::File,
        Self::Worker,
        Self::Address,
        Self::Connection,
        Self::Tls,
    ];

    /// Where each line tells of another mistake, there may be more of them.
    fn limit(self) -> LogLimit {
        match self {
            Self::Content | Self::File | Self::Address | Self::Connection | Self::Tls => {
                LogLimit::of_bounds()
            }
            Self::Request | Self::Handshake | Self::Stall | Self::Response | Self::Worker => {
                LogLimit::default()
            }
        }
    }

    fn say(self, left_out: u64) {
        let fields = [("of", self.event().name().into()), ("count", left_out.into())];
        let line = format_args!("{left_out} more {}: not a line for each", self.several());
        event::log(self.level(), LogEvent::EventsSuppressed, &fields, line);
    }

    fn level(self) -> Level {
        match self {
            Self::Request | Self::Handshake | Self::Stall => Level::Info,
            Self::Response
            | Self::Content
            | Self::File
            | Self::Worker
            | Self::Connection
            | Self::Tls => Level::Error,
            Self::Address => Level::Warn,
        }
    }

    fn event(self) -> LogEvent {
        match self {
            Self::Request => LogEvent::RequestRefused,
            Self::Handshake => LogEvent::HandshakeFailed,
            Self::Stall => LogEvent::ClientStalled,
            Self::Response => LogEvent::ResponseInvalid,
            Self::Content => LogEvent::SpoolFailed,
            Self::File => LogEvent::FileRefused,
            Self::Worker => LogEvent::WorkerMisbehaved,
            Self::Address => LogEvent::ConnectionRefused,
            Self::Connection => LogEvent::ConnectionFailed,
            Self::Tls => LogEvent::TlsFailed,
        }
    }

    fn several(self) -> &'static str {
        match self {
            Self::Request => "requests were refused",
            Self::Handshake => "handshakes with clients came to nothing",
            Self::Stall => "clients took nothing of their responses for too long",
            Self::Response => "responses could not be sent",
            Self::Content => "bodies could not be spooled",
            Self::File => "files of workers could not be kept open",
            Self::Worker => "times a worker sent what it may not send",
            Self::Address => "connections were refused for their address",
            Self::Connection => "connections could not be taken on",
            Self::Tls => "times TLS could not be begun",
        }
    }
}

fn counter_of(flood: Flood) -> Counter {
    match flood {
        Flood::Http2Reset => Counter::FloodsHttp2Reset,
        Flood::Http2Ping => Counter::FloodsHttp2Ping,
        Flood::Http2Settings => Counter::FloodsHttp2Settings,
        Flood::Http2EmptyFrame => Counter::FloodsHttp2EmptyFrame,
        Flood::Http2Header => Counter::FloodsHttp2Header,
        Flood::Http2Other => Counter::FloodsHttp2Other,
        Flood::Http3Reset => Counter::FloodsHttp3Reset,
        Flood::Http3Other => Counter::FloodsHttp3Other,
    }
}

/// A client's address, as lines of the log have it.
pub struct Peer(pub Option<SocketAddr>);

impl Peer {
    /// The address as a field of an event; null on a Unix socket.
    pub fn value(&self) -> Value<'_> {
        self.0.as_ref().map_or(Value::null(), Value::from_display)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // An IPv4 client of a socket for both (RFC 4291, 2.5.5.2) is shown as what it is.
            Some(address) => SocketAddr::new(address.ip().to_canonical(), address.port()).fmt(f),
            None => f.write_str("on a Unix socket"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use wire::limits::{LOG_BOUND_PERIOD, LOG_COMPLAINTS_MAX, LOG_COMPLAINTS_PERIOD};

    use super::*;

    const AT_ONCE: u64 = LOG_COMPLAINTS_MAX as u64;

    #[test]
    fn each_flood_is_counted_by_its_version_and_kind() {
        use wire::metrics::stats;
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(memory.leak(), 1, 1);
        let mut error_log = ErrorLog::new(shared, Instant::now());
        for flood in Flood::ALL {
            let refusal = ProtocolError::connection(Fault::Flood(flood));
            error_log.refused(&refusal, None, Instant::now());
        }
        let floods: Vec<_> = stats(shared, None)
            .into_iter()
            .filter(|(key, _)| key.ends_with("flood_count"))
            .collect();
        assert_eq!(floods.len(), 1 + Flood::ALL.len(), "{floods:?}");
        for (key, count) in floods {
            let expected = if key == "flood_count" { Flood::ALL.len() as u64 } else { 1 };
            assert_eq!(count, expected, "{key}");
        }
    }

    #[test]
    fn an_ipv4_client_is_shown_as_one() {
        for (address, shown) in [
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[::ffff:192.0.2.1]:80", "192.0.2.1:80"),
            ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ] {
            assert_eq!(Peer(Some(address.parse().unwrap())).to_string(), shown);
        }
        assert_eq!(Peer(None).to_string(), "on a Unix socket");
    }

    #[test]
    fn a_flood_of_one_kind_hides_no_other_and_is_summed_up_after_a_second() {
        let begin = Instant::now();
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(memory.leak(), 1, 1);
        let mut error_log = ErrorLog::new(shared, begin);
        log::set_max_level(log::LevelFilter::Info);
        for _ in 0..1_000 {
            error_log.refused(&ProtocolError::stream(Fault::Host), None, begin);
        }
        assert_eq!(shared.get(Counter::Refused), 1_000);
        error_log.log(Kind::Handshake, begin, format_args!("failed"));
        let left_out = error_log.limits.each_ref().map(LogLimit::left_out);
        assert_eq!(left_out, [1_000 - AT_ONCE, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(error_log.take_alarm(), Some(begin + LOG_COMPLAINTS_PERIOD));
        assert_eq!(error_log.take_alarm(), None, "it is set already");
        error_log.sum_up(begin + LOG_COMPLAINTS_PERIOD);
        assert_eq!(error_log.take_alarm(), None, "nothing was left out since");
    }

    #[test]
    fn kinds_are_summed_up_each_at_its_time() {
        let begin = Instant::now();
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let mut error_log = ErrorLog::new(Shared::new(memory.leak(), 1, 1), begin);
        log::set_max_level(log::LevelFilter::Info);
        let flood = |error_log: &mut ErrorLog, kind, count, now| {
            (0..count).for_each(|_| error_log.log(kind, now, format_args!("again")));
        };
        flood(&mut error_log, Kind::Content, 100, begin);
        assert_eq!(error_log.limits[Kind::Content as usize].left_out(), 99);
        assert_eq!(error_log.take_alarm(), Some(begin + LOG_BOUND_PERIOD));
        flood(&mut error_log, Kind::Request, AT_ONCE + 5, begin);
        let second = begin + LOG_COMPLAINTS_PERIOD;
        assert_eq!(error_log.take_alarm(), Some(second), "the earlier one");
        error_log.sum_up(second);
        assert_eq!(error_log.limits[Kind::Request as usize].left_out(), 0);
        assert_eq!(error_log.limits[Kind::Content as usize].left_out(), 99);
        assert_eq!(error_log.take_alarm(), Some(begin + LOG_BOUND_PERIOD), "that is still to come");
        error_log.sum_up(begin + LOG_BOUND_PERIOD);
        assert_eq!(error_log.limits[Kind::Content as usize].left_out(), 0);
        // The sum was the line of this period.
        flood(&mut error_log, Kind::Content, 1, begin + LOG_BOUND_PERIOD);
        assert_eq!(error_log.limits[Kind::Content as usize].left_out(), 1);
    }
}
