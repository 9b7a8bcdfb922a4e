//! [`Complaints`]: what clients do wrong, in the log and in the counters.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use log::Level;
use wire::limits::{LOG_COMPLAINTS_MAX, LOG_COMPLAINTS_PER_SECOND_EARNED, LOG_COMPLAINTS_PERIOD};
use wire::shared::{Counter, Shared};

use crate::protocol::error::{Blame, Fault, ProtocolError};

/// What clients can bring about at any rate: a line in the log for each, unless there is a flood of
/// them. Then some have none, and a line each second says how many those were.
#[derive(Debug)]
pub struct Complaints {
    shared: Shared,
    throttles: [Throttle; Kind::ALL.len()],
    /// When to say how many lines were left out, until it is among the timers.
    alarm: Option<Instant>,
    /// Whether it is.
    armed: bool,
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
}

impl Complaints {
    /// Nothing has happened yet.
    pub fn new(shared: Shared, now: Instant) -> Self {
        let throttles = Kind::ALL.map(|_| Throttle::new(now));
        Self { shared, throttles, alarm: None, armed: false }
    }

    /// Counts and logs what a protocol has refused, of a client's or of a handler's.
    pub fn refused(
        &mut self,
        mut next: impl FnMut() -> Option<ProtocolError>,
        client: Option<SocketAddr>,
        now: Instant,
    ) {
        while let Some(refusal) = next() {
            let counter = match refusal.reason {
                Fault::Flood => Counter::Floods,
                Fault::ResponseStalled => Counter::Stalls,
                _ => Counter::Refused,
            };
            self.shared.add(counter, 1);
            let client = Peer(client);
            match refusal.reason.blame() {
                Blame::Client => self.log(
                    Kind::Request,
                    now,
                    format_args!("refused a request of client {client}: {refusal}"),
                ),
                Blame::Handler => self.log(
                    Kind::Response,
                    now,
                    format_args!("a response cannot be sent: {refusal}"),
                ),
            }
        }
    }

    /// Logs a line, unless there were too many of its kind.
    pub fn log(&mut self, kind: Kind, now: Instant, line: fmt::Arguments<'_>) {
        if kind.level() > log::max_level() {
            return;
        }
        if self.throttles[kind as usize].take(now) {
            log::log!(kind.level(), "{line}");
        } else if !self.armed {
            self.armed = true;
            self.alarm = Some(now + LOG_COMPLAINTS_PERIOD);
        }
    }

    /// When to [`sum_up`](Self::sum_up), told once.
    pub fn take_alarm(&mut self) -> Option<Instant> {
        self.alarm.take()
    }

    /// Says how many lines were left out.
    pub fn sum_up(&mut self) {
        (self.alarm, self.armed) = (None, false);
        for (kind, throttle) in Kind::ALL.into_iter().zip(&mut self.throttles) {
            let left_out = std::mem::take(&mut throttle.left_out);
            if left_out > 0 {
                log::log!(kind.level(), "{left_out} more {}: not a line for each", kind.several());
            }
        }
    }
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Request, Self::Handshake, Self::Stall, Self::Response, Self::Content, Self::File];

    fn level(self) -> Level {
        match self {
            Self::Request | Self::Handshake | Self::Stall => Level::Info,
            Self::Response | Self::Content | Self::File => Level::Error,
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
        }
    }
}

/// A client's address, as lines of the log have it.
pub struct Peer(pub Option<SocketAddr>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("on a Unix socket"),
        }
    }
}

/// Lets a number of lines pass at once, and some more each second.
#[derive(Debug)]
struct Throttle {
    left: u32,
    /// Up to when what is earned has been added.
    since: Instant,
    left_out: u64,
}

impl Throttle {
    fn new(now: Instant) -> Self {
        Self { left: LOG_COMPLAINTS_MAX, since: now, left_out: 0 }
    }

    /// Whether one more may pass. Counts those that may not.
    fn take(&mut self, now: Instant) -> bool {
        let each = Duration::from_secs(1) / LOG_COMPLAINTS_PER_SECOND_EARNED;
        let earned = now.saturating_duration_since(self.since).as_nanos() / each.as_nanos();
        match u32::try_from(earned) {
            Ok(earned) if earned < LOG_COMPLAINTS_MAX => {
                self.left = LOG_COMPLAINTS_MAX.min(self.left + earned);
                self.since += each * earned;
            }
            _ => (self.left, self.since) = (LOG_COMPLAINTS_MAX, now),
        }
        let may = self.left > 0;
        self.left -= u32::from(may);
        self.left_out += u64::from(!may);
        may
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    const EARNED: u64 = LOG_COMPLAINTS_PER_SECOND_EARNED as u64;
    const AT_ONCE: u64 = LOG_COMPLAINTS_MAX as u64;

    fn passed(throttle: &mut Throttle, times: u64, now: Instant) -> u64 {
        (0..times).map(|_| u64::from(throttle.take(now))).sum()
    }

    #[test]
    fn a_flood_has_few_lines_and_all_of_it_is_counted() {
        let begin = Instant::now();
        let mut throttle = Throttle::new(begin);
        assert_eq!(passed(&mut throttle, 100_000, begin), AT_ONCE);
        assert_eq!(throttle.left_out, 100_000 - AT_ONCE);
        // A minute of one every millisecond.
        let minute = (0..60_000).map(|milli| begin + Duration::from_millis(milli));
        let lines: u64 = minute.map(|now| passed(&mut throttle, 1, now)).sum();
        assert_eq!(lines, 60 * EARNED - 1);
        assert_eq!(throttle.left_out, 160_000 - AT_ONCE - lines);
    }

    #[test]
    fn what_comes_seldom_has_a_line_each_time() {
        let begin = Instant::now();
        let mut throttle = Throttle::new(begin);
        let each = Duration::from_secs(1) / LOG_COMPLAINTS_PER_SECOND_EARNED;
        for n in 0..10_000 {
            assert!(throttle.take(begin + each * n), "{n}");
        }
        assert_eq!(throttle.left_out, 0);
    }

    #[test]
    fn calm_brings_back_no_more_than_there_was() {
        let begin = Instant::now();
        let mut throttle = Throttle::new(begin);
        passed(&mut throttle, 1_000, begin);
        for calm in [Duration::from_secs(3600), Duration::from_secs(1 << 33)] {
            assert_eq!(passed(&mut throttle, 1_000, begin + calm), AT_ONCE);
        }
    }

    #[test]
    fn a_flood_of_one_kind_hides_no_other_and_is_summed_up_after_a_second() {
        let begin = Instant::now();
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(memory.leak(), 1, 1);
        let mut complaints = Complaints::new(shared, begin);
        log::set_max_level(log::LevelFilter::Info);
        let mut left = 1_000;
        let refusals = || {
            left -= 1;
            (left >= 0).then(|| ProtocolError::stream(Fault::Host))
        };
        complaints.refused(refusals, None, begin);
        assert_eq!(shared.get(Counter::Refused), 1_000);
        complaints.log(Kind::Handshake, begin, format_args!("failed"));
        let left_out = complaints.throttles.each_ref().map(|throttle| throttle.left_out);
        assert_eq!(left_out, [1_000 - AT_ONCE, 0, 0, 0, 0, 0]);
        assert_eq!(complaints.take_alarm(), Some(begin + LOG_COMPLAINTS_PERIOD));
        complaints.refused(|| None, None, begin);
        assert_eq!(complaints.take_alarm(), None, "it is set already");
        complaints.sum_up();
        assert!(complaints.throttles.iter().all(|throttle| throttle.left_out == 0));
    }
}
