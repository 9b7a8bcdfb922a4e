//! [`LogLimit`]: bounds the lines that others can bring about in the log of any process.

use std::time::Duration;

use crate::limits::{LOG_COMPLAINTS_MAX, LOG_COMPLAINTS_PER_SECOND_EARNED, LOG_COMPLAINTS_PERIOD};

/// A token bucket for lines of one kind: lets [`LOG_COMPLAINTS_MAX`] pass at once, and
/// [`LOG_COMPLAINTS_PER_SECOND_EARNED`] more each second. Counts those that may not. Times are counted
/// from any moment that the caller likes, not later than the first line.
#[derive(Debug)]
pub struct LogLimit {
    left: u32,
    /// Up to when what is earned has been added.
    since: Duration,
    left_out: u64,
    /// When the first of those was left out.
    left_out_since: Option<Duration>,
}

impl LogLimit {
    /// Whether one more line may be written. Counts those that may not.
    pub fn take(&mut self, now: Duration) -> bool {
        let each = Duration::from_secs(1) / LOG_COMPLAINTS_PER_SECOND_EARNED;
        let earned = now.saturating_sub(self.since).as_nanos() / each.as_nanos();
        match u32::try_from(earned) {
            Ok(earned) if earned < LOG_COMPLAINTS_MAX => {
                self.left = LOG_COMPLAINTS_MAX.min(self.left + earned);
                self.since += each * earned;
            }
            _ => (self.left, self.since) = (LOG_COMPLAINTS_MAX, now),
        }
        let may = self.left > 0;
        self.left -= u32::from(may);
        if !may {
            self.left_out += 1;
            self.left_out_since.get_or_insert(now);
        }
        may
    }

    /// When a line is due that says how many were left out.
    pub fn deadline(&self) -> Option<Duration> {
        self.left_out_since.map(|since| since + LOG_COMPLAINTS_PERIOD)
    }

    /// How many lines were left out, if it is time to say so; counts anew from then on.
    pub fn sum_up(&mut self, now: Duration) -> Option<u64> {
        self.deadline().filter(|at| *at <= now).map(|_| self.take_left_out())
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
        let since = Duration::ZERO;
        Self { left: LOG_COMPLAINTS_MAX, since, left_out: 0, left_out_since: None }
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
}
