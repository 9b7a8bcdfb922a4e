//! [`Backoff`]: how long to wait before a process that failed is started again.

use std::time::{Duration, Instant};

use wire::limits::{
    BOOT_FAILURES_MAX, CRASH_PAUSE_MAX, RESPAWN_PAUSE_MAX, RESPAWN_PAUSE_MIN, STEADY_LIFE_MIN,
};

/// The record of failures of one place (the reactor's, or a worker's).
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    /// Boots in a row that ended before the process was ready.
    boots: u32,
    /// Lives in a row that ended soon after the process was ready.
    crashes: u32,
    not_before: Option<Instant>,
}

impl Backoff {
    /// A process has become ready.
    pub(crate) fn ready(&mut self) {
        self.boots = 0;
    }

    /// A process has ended before it was ready. `true` when that was one time too many.
    pub(crate) fn boot_failed(&mut self, now: Instant) -> bool {
        self.boots = self.boots.saturating_add(1);
        self.not_before = Some(now + pause(self.boots));
        self.boots >= BOOT_FAILURES_MAX
    }

    /// A process that was ready since `since` has died.
    pub(crate) fn died(&mut self, since: Instant, now: Instant) {
        if now.saturating_duration_since(since) >= STEADY_LIFE_MIN {
            self.crashes = 0;
            self.not_before = None;
        } else {
            self.crashes = self.crashes.saturating_add(1);
            self.not_before = Some(now + pause(self.crashes).min(CRASH_PAUSE_MAX));
        }
    }

    /// Whether a process may be started now.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }

    /// When a process may be started, if there is something to wait for.
    pub(crate) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }
}

fn pause(failures: u32) -> Duration {
    let doubled = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    RESPAWN_PAUSE_MIN.saturating_mul(doubled).min(RESPAWN_PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound() {
        let pauses: Vec<u128> = (1..=9).map(|n| pause(n).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pause(u32::MAX), RESPAWN_PAUSE_MAX);
    }

    #[test]
    fn a_steady_life_is_forgiven_and_a_short_one_is_not() {
        let start = Instant::now();
        let mut backoff = Backoff::default();
        backoff.died(start, start + STEADY_LIFE_MIN);
        assert!(backoff.allows(start + STEADY_LIFE_MIN));
        backoff.died(start, start);
        backoff.died(start, start);
        assert!(!backoff.allows(start + RESPAWN_PAUSE_MIN));
        assert!(backoff.allows(start + 2 * RESPAWN_PAUSE_MIN));
        backoff.died(start, start + STEADY_LIFE_MIN);
        assert!(backoff.allows(start));
        (0..50).for_each(|_| backoff.died(start, start));
        assert!(!backoff.allows(start + CRASH_PAUSE_MAX / 2));
        assert!(backoff.allows(start + CRASH_PAUSE_MAX), "crashes never keep a worker away");
    }

    #[test]
    fn only_boots_in_a_row_exhaust_it() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let fail = |backoff: &mut Backoff| backoff.boot_failed(now);
        assert!((1..BOOT_FAILURES_MAX).all(|_| !fail(&mut backoff)));
        backoff.ready();
        assert!((1..BOOT_FAILURES_MAX).all(|_| !fail(&mut backoff)));
        assert!(fail(&mut backoff));
    }
}
