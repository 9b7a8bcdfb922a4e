//! [`LogLimit`]: bounds the lines that others can bring about in the log of any process.

use std::time::Duration;

use crate::limits::{
    LOG_BOUND_PERIOD, LOG_COMPLAINTS_MAX, LOG_COMPLAINTS_PER_SECOND_EARNED, LOG_COMPLAINTS_PERIOD,
};

/// A token bucket for lines of one kind: by default lets [`LOG_COMPLAINTS_MAX`] pass at once, and
/// [`LOG_COMPLAINTS_PER_SECOND_EARNED`] more each second. Counts those that may not. Times are counted
/// from any moment that the caller likes, not later than the first line.
#[derive(Debug)]
pub struct LogLimit {
    /// Lines at once.
    most: u32,
    /// The time in which one more is earned.
    each: Duration,
    /// How long lines are left out before one says how many.
    period: Duration,
    left: u32,
    /// Up to when what is earned has been added.
    since: Duration,
    left_out: u64,
    /// When the first of those was left out.
    left_out_since: Option<Duration>,
}

impl LogLimit {
    /// For lines that say that a bound is reached: one at once, then one each [`LOG_BOUND_PERIOD`].
    pub fn of_bounds() -> Self {
        Self::new(1, LOG_BOUND_PERIOD, LOG_BOUND_PERIOD)
    }

    fn new(most: u32, each: Duration, period: Duration) -> Self {
        let since = Duration::ZERO;
        Self { most, each, period, left: most, since, left_out: 0, left_out_since: None }
    }

    /// Whether one more line may be written. Counts those that may not.
    pub fn take(&mut self, now: Duration) -> bool {
        self.earn(now);
        // Of lines that are alike, the next one is that which says how many were left out.
        let may = self.left > 0 && (self.most > 1 || self.left_out == 0);
        self.left -= u32::from(may);
        if !may {
            self.left_out += 1;
            self.left_out_since.get_or_insert(now);
        }
        may
    }

    fn earn(&mut self, now: Duration) {
        let earned = now.saturating_sub(self.since).as_nanos() / self.each.as_nanos();
        match u32::try_from(earned) {
            Ok(earned) if earned < self.most => {
                self.left = self.most.min(self.left + earned);
                self.since += self.each * earned;
            }
            _ => (self.left, self.since) = (self.most, now),
        }
    }

    /// When a line is due that says how many were left out.
    pub fn deadline(&self) -> Option<Duration> {
        self.left_out_since.map(|since| since + self.period)
    }

    /// How many lines were left out, if it is time to say so; counts anew from then on. The line that
    /// says so is one of those that may be written.
    pub fn sum_up(&mut self, now: Duration) -> Option<u64> {
        self.deadline().filter(|at| *at <= now)?;
        self.earn(now);
        self.left = self.left.saturating_sub(1);
        Some(self.take_left_out())
    }

    /// How many lines were left out and not told of.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many lines were left out; counts anew from then on.
    pub fn take_left_out(&mut self) -> u64 {
        self.left_out_since = None;
        std::mem::take(&mut self.left_out)
    }
}

impl Default for LogLimit {
    /// Nothing has been written yet.
    fn default() -> Self {
        let each = Duration::from_secs(1) / LOG_COMPLAINTS_PER_SECOND_EARNED;
        Self::new(LOG_COMPLAINTS_MAX, each, LOG_COMPLAINTS_PERIOD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARNED: u64 = LOG_COMPLAINTS_PER_SECOND_EARNED as u64;
    const AT_ONCE: u64 = LOG_COMPLAINTS_MAX as u64;

    fn passed(limit: &mut LogLimit, times: u64, now: Duration) -> u64 {
        (0..times).map(|_| u64::from(limit.take(now))).sum()
    }

    #[test]
    fn a_flood_has_few_lines_and_all_of_it_is_counted() {
        let begin = Duration::from_secs(1_000);
        let mut limit = LogLimit::default();
        assert_eq!(passed(&mut limit, 100_000, begin), AT_ONCE);
        assert_eq!(limit.left_out, 100_000 - AT_ONCE);
        // A minute of one every millisecond.
        let minute = (0..60_000).map(|milli| begin + Duration::from_millis(milli));
        let lines: u64 = minute.map(|now| passed(&mut limit, 1, now)).sum();
        assert_eq!(lines, 60 * EARNED - 1);
        assert_eq!(limit.left_out, 160_000 - AT_ONCE - lines);
    }

    #[test]
    fn what_comes_seldom_has_a_line_each_time() {
        let begin = Duration::from_secs(1_000);
        let mut limit = LogLimit::default();
        let each = Duration::from_secs(1) / LOG_COMPLAINTS_PER_SECOND_EARNED;
        for n in 0..10_000 {
            assert!(limit.take(begin + each * n), "{n}");
        }
        assert_eq!(limit.left_out, 0);
    }

    #[test]
    fn calm_brings_back_no_more_than_there_was() {
        let begin = Duration::from_secs(1_000);
        let mut limit = LogLimit::default();
        passed(&mut limit, 1_000, begin);
        for calm in [Duration::from_secs(3600), Duration::from_secs(1 << 33)] {
            assert_eq!(passed(&mut limit, 1_000, begin + calm), AT_ONCE);
        }
    }

    #[test]
    fn what_was_left_out_is_said_after_a_while_and_once() {
        let begin = Duration::from_secs(1_000);
        let mut limit = LogLimit::default();
        passed(&mut limit, AT_ONCE, begin);
        assert_eq!((limit.deadline(), limit.sum_up(begin + LOG_COMPLAINTS_PERIOD)), (None, None));
        passed(&mut limit, 7, begin);
        let due = begin + LOG_COMPLAINTS_PERIOD;
        assert_eq!(limit.deadline(), Some(due));
        assert_eq!(limit.sum_up(due - Duration::from_millis(1)), None);
        assert_eq!(limit.sum_up(due), Some(7));
        assert_eq!((limit.deadline(), limit.sum_up(due)), (None, None));
    }

    #[test]
    fn that_a_bound_is_reached_is_said_at_once_and_then_once_a_period() {
        let begin = Duration::from_secs(1_000);
        let mut limit = LogLimit::of_bounds();
        let (mut lines, mut said) = (0, 0);
        // Ten minutes of one every ten milliseconds.
        for now in (0..60_000).map(|n| begin + Duration::from_millis(n * 10)) {
            if limit.take(now) {
                (lines, said) = (lines + 1, said + 1);
            }
            if let Some(left_out) = limit.sum_up(now) {
                (lines, said) = (lines + 1, said + left_out);
            }
        }
        assert!((2..=61).contains(&lines), "{lines}");
        assert_eq!(said + limit.take_left_out(), 60_000);
        // Afterwards the next one has a line at once again.
        assert!(limit.take(begin + Duration::from_secs(1_000)));
        assert!(!limit.take(begin + Duration::from_secs(1_001)));
    }
}
