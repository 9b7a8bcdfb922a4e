//! [`RateLimiter`]: bounds how often per second the server does something.

use std::time::{Duration, Instant};

/// A bound on how often something is done.
#[derive(Debug)]
pub struct RateLimiter {
    per_second: u32,
    left: u32,
    since: Instant,
}

impl RateLimiter {
    /// So often per second.
    pub fn new(per_second: u32, now: Instant) -> Self {
        Self { per_second, left: per_second, since: now }
    }

    /// Whether it may be done once more.
    pub fn take(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            self.since = now;
            self.left = self.per_second;
        }
        let may = self.left > 0;
        self.left -= u32::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_allowed_comes_back_after_a_second() {
        let begin = Instant::now();
        let mut limiter = RateLimiter::new(2, begin);
        let mut take = |millis| limiter.take(begin + Duration::from_millis(millis));
        assert_eq!([take(0), take(1), take(2), take(999)], [true, true, false, false]);
        assert_eq!([take(1000), take(1001), take(1999), take(2000)], [true, true, false, true]);
    }
}
