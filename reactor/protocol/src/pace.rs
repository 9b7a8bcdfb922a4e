//! [`Pace`]: how long a client may keep the server waiting while it sends or takes content.

use std::time::{Duration, Instant};

/// A client has so much time at once, and more for each byte that it has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The longest time without a byte.
    pub timeout: Duration,
    /// Bytes per second on the whole; 0: whatever moves at all is enough.
    pub rate_min: u64,
}

impl Pace {
    /// The deadline of a client that begins.
    pub fn begin(self, now: Instant) -> Instant {
        now + self.timeout
    }

    /// The deadline of a client that had this one and has moved so many bytes since. Time that it has
    /// saved by being faster counts, up to the timeout.
    pub fn extend(self, deadline: Instant, bytes: u64, now: Instant) -> Instant {
        let most = self.begin(now);
        if bytes == 0 || self.rate_min == 0 {
            return if bytes == 0 { deadline } else { most };
        }
        let earned = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate_min);
        let earned = u64::try_from(earned).map_or(self.timeout, Duration::from_nanos);
        most.min(deadline + earned.min(self.timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(rate_min: u64) -> Pace {
        Pace { timeout: 30 * SECOND, rate_min }
    }

    #[test]
    fn a_trickle_ends_and_a_slow_client_does_not() {
        let begin = Instant::now();
        for (each, lasts) in [(10, false), (99, false), (100, true), (101, true)] {
            let mut deadline = pace(100).begin(begin);
            let late = (1..100_000).find(|second| {
                let now = begin + SECOND * *second;
                let late = deadline < now;
                deadline = pace(100).extend(deadline, each, now);
                late
            });
            assert_eq!(late.is_none(), lasts, "{each} bytes a second: {late:?}");
        }
    }

    #[test]
    fn without_a_rate_any_byte_is_enough_and_none_is_not() {
        let begin = Instant::now();
        let now = begin + 29 * SECOND;
        assert_eq!(pace(0).extend(begin + 30 * SECOND, 1, now), now + 30 * SECOND);
        assert_eq!(pace(0).extend(begin + 30 * SECOND, 0, now), begin + 30 * SECOND);
        assert_eq!(pace(1).extend(begin, u64::MAX, begin), begin + 30 * SECOND);
    }
}
