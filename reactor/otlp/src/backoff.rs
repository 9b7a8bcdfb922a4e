//! [`RetryDelay`]: when a collector that failed is asked again.

use std::time::Duration;

use wire::limits::{OTLP_BACKOFF_MAX, OTLP_BACKOFF_MIN, OTLP_RETRY_AFTER_MAX};

/// How long is waited after failures in a row.
#[derive(Debug, Default)]
pub(crate) struct RetryDelay {
    failures: u32,
}

impl RetryDelay {
    /// It worked.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed: how long to wait, at least as long as the collector has said.
    pub fn failed(&mut self, said: Option<Duration>) -> Duration {
        let doubled = OTLP_BACKOFF_MIN.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let said = said.unwrap_or_default().min(OTLP_RETRY_AFTER_MAX);
        doubled.min(OTLP_BACKOFF_MAX).max(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_bound_and_obeys_the_collector() {
        let mut backoff = RetryDelay::default();
        let waits: Vec<_> = (0..7).map(|_| backoff.failed(None).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff.failed(Some(Duration::from_secs(100))).as_secs(), 100);
        assert_eq!(backoff.failed(Some(Duration::from_secs(1 << 40))), OTLP_RETRY_AFTER_MAX);
        backoff.reset();
        assert_eq!(backoff.failed(Some(Duration::ZERO)), OTLP_BACKOFF_MIN, "never at once");
    }
}
