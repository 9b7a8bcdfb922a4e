//! `ExchangeFigures`: what a reactor thread has counted of exchanges: requests by kind, statuses, and
//! histograms of times.
//!
//! Each thread writes to words of its own, which lie on cache lines of its own, so that counting costs
//! no thread a wait for another. They outlive the reactor.

use std::sync::atomic::{AtomicU64, Ordering};

use super::LINE_WORDS;
use crate::head::Version;

/// Methods that are told apart; every other one is `_OTHER`, as the conventions of OpenTelemetry have it.
pub const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"];

/// Versions of HTTP that are told apart, as `network.protocol.version` has them.
pub const PROTOCOLS: [&str; 4] = ["1.0", "1.1", "2", "3"];

/// Classes of statuses; the last is that of exchanges whose client has got no final response.
pub const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "none"];

/// How exchanges end: the names of `reactor::record::Outcome`, in its order.
pub const OUTCOMES: [&str; 7] =
    ["complete", "client_left", "worker_died", "timeout", "shed", "refused", "failed"];

/// Statuses that have a counter of their own: 100 to 599.
const STATUSES: usize = 500;

/// The upper bounds of the buckets of histograms, in microseconds: from a handler that does nothing to one
/// that has hung.
pub const BUCKETS: [u64; 18] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// Words of a histogram: its buckets, the one without a bound, and the sum.
const HISTOGRAM_WORDS: usize = BUCKETS.len() + 2;

/// A time of an exchange that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// From the complete request until a worker has it.
    Queue,
    /// From there until the worker has answered it.
    Worker,
    /// From the head of the request until the first byte of the response.
    FirstByte,
    /// From the head of the request until the end of the response, by the version of HTTP.
    Total(Version),
}

impl Timing {
    fn place(self) -> usize {
        match self {
            Self::Queue => 0,
            Self::Worker => 1,
            Self::FirstByte => 2,
            Self::Total(version) => 3 + protocol(version),
        }
    }
}

const REQUESTS: usize = PROTOCOLS.len() * METHODS.len() * CLASSES.len();
const HISTOGRAMS: usize = 3 + PROTOCOLS.len();
const OUTCOMES_AT: usize = REQUESTS + STATUSES + HISTOGRAMS * HISTOGRAM_WORDS;

/// Words of a thread.
pub(super) const EXCHANGE_WORDS: usize =
    (OUTCOMES_AT + OUTCOMES.len()).next_multiple_of(LINE_WORDS);

/// What one thread has counted.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeFigures(&'static [AtomicU64]);

/// A histogram, as of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistogramSnapshot {
    /// How many there were in each bucket; the last has no bound.
    pub counts: [u64; BUCKETS.len() + 1],
    /// Microseconds of all together.
    pub sum: u64,
}

impl ExchangeFigures {
    pub(super) fn new(words: &'static [AtomicU64]) -> Self {
        Self(words)
    }

    /// Counts an exchange that is over. `status` is that of the final response, 0 without one.
    pub fn count(self, version: Version, method: &str, status: u16) {
        self.add(request(protocol(version), method_class(method), class(status)), 1);
        if let Some(at) = usize::from(status).checked_sub(100).filter(|at| *at < STATUSES) {
            self.add(REQUESTS + at, 1);
        }
    }

    /// Counts how an exchange has ended: an index of [`OUTCOMES`].
    pub fn ended(self, outcome: usize) {
        if outcome < OUTCOMES.len() {
            self.add(OUTCOMES_AT + outcome, 1);
        }
    }

    /// Exchanges that have ended so.
    pub fn outcomes(self, outcome: usize) -> u64 {
        self.read(OUTCOMES_AT + outcome)
    }

    /// Counts a time, in microseconds.
    pub fn observe(self, timing: Timing, micros: u64) {
        let at = histogram_at(timing.place());
        self.add(at + BUCKETS.partition_point(|bound| *bound < micros), 1);
        self.add(at + BUCKETS.len() + 1, micros);
    }

    /// Exchanges of a version, a method and a class, by their indexes.
    pub fn requests(self, protocol: usize, method: usize, class: usize) -> u64 {
        self.read(request(protocol, method, class))
    }

    /// Exchanges with this status.
    pub fn responses(self, status: u16) -> u64 {
        let at = usize::from(status).checked_sub(100).filter(|at| *at < STATUSES);
        at.map_or(0, |at| self.read(REQUESTS + at))
    }

    /// Adds this thread's to a histogram.
    pub fn add_to(self, histogram: &mut HistogramSnapshot, timing: Timing) {
        let at = histogram_at(timing.place());
        for (index, count) in histogram.counts.iter_mut().enumerate() {
            *count += self.read(at + index);
        }
        histogram.sum += self.read(at + BUCKETS.len() + 1);
    }

    #[cfg(test)]
    pub(super) fn last_word(self) -> &'static AtomicU64 {
        &self.0[EXCHANGE_WORDS - 1]
    }

    /// Nobody else writes here, so nothing is lost between the two.
    fn add(self, at: usize, by: u64) {
        if let Some(word) = self.0.get(at) {
            word.store(word.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
        }
    }

    fn read(self, at: usize) -> u64 {
        self.0.get(at).map_or(0, |word| word.load(Ordering::Relaxed))
    }
}

impl HistogramSnapshot {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that this part of all did not exceed, in microseconds, as far as the buckets tell: within
    /// one it is taken to be spread evenly. `None` when there were none.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let wanted = part.clamp(0.0, 1.0) * self.count() as f64;
        let mut below = 0.0;
        for (index, count) in self.counts.iter().map(|count| *count as f64).enumerate() {
            if count > 0.0 && below + count >= wanted {
                let low = index.checked_sub(1).map_or(0, |at| BUCKETS[at]) as f64;
                let Some(high) = BUCKETS.get(index) else { return Some(low) };
                return Some(low + (*high as f64 - low) * ((wanted - below) / count));
            }
            below += count;
        }
        None
    }
}

fn request(protocol: usize, method: usize, class: usize) -> usize {
    (protocol * METHODS.len() + method) * CLASSES.len() + class
}

fn histogram_at(place: usize) -> usize {
    REQUESTS + STATUSES + place * HISTOGRAM_WORDS
}

fn protocol(version: Version) -> usize {
    version as usize
}

fn method_class(method: &str) -> usize {
    METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1)
}

fn class(status: u16) -> usize {
    match status {
        200..=299 => 0,
        300..=399 => 1,
        400..=499 => 2,
        500..=599 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> ExchangeFigures {
        let words: Vec<AtomicU64> = (0..EXCHANGE_WORDS).map(|_| AtomicU64::new(0)).collect();
        ExchangeFigures::new(words.leak())
    }

    #[test]
    fn every_exchange_has_one_place() {
        let figures = figures();
        figures.count(Version::Http2, "GET", 204);
        figures.count(Version::Http2, "BREW", 599);
        figures.count(Version::Http10, "GET", 0);
        assert_eq!([0, 9].map(|method| figures.requests(2, method, 0)), [1, 0]);
        assert_eq!(figures.requests(2, 9, 3), 1);
        assert_eq!(figures.requests(0, 0, 4), 1);
        figures.ended(6);
        figures.ended(7);
        assert_eq!(figures.outcomes(6), 1);
        assert_eq!([204, 599, 600, 99].map(|status| figures.responses(status)), [1, 1, 0, 0]);
        let all = (0..EXCHANGE_WORDS).map(|at| figures.read(at)).sum::<u64>();
        assert_eq!(all, 6);
    }

    #[test]
    fn times_lie_in_the_bucket_whose_bound_they_do_not_exceed() {
        let figures = figures();
        for micros in [0, 100, 101, 60_000_000, 60_000_001] {
            figures.observe(Timing::Total(Version::Http3), micros);
        }
        let mut histogram = HistogramSnapshot::default();
        figures.add_to(&mut histogram, Timing::Total(Version::Http3));
        assert_eq!(histogram.counts[..2], [2, 1]);
        assert_eq!(histogram.counts[BUCKETS.len() - 1..], [1, 1]);
        assert_eq!((histogram.count(), histogram.sum), (5, 120_000_202));
        let mut other = HistogramSnapshot::default();
        figures.add_to(&mut other, Timing::Queue);
        assert_eq!(other, HistogramSnapshot::default());
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let mut histogram = HistogramSnapshot::default();
        assert_eq!(histogram.quantile(0.5), None);
        histogram.counts[3] = 100;
        assert_eq!(histogram.quantile(0.5), Some(750.0));
        assert_eq!(histogram.quantile(1.0), Some(1_000.0));
        histogram.counts[BUCKETS.len()] = 100;
        assert_eq!(histogram.quantile(0.99), Some(60_000_000.0));
    }
}
