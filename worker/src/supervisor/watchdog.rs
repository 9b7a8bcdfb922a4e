//! `Watchdog`: whether each thread of the reactor still turns. No I/O, and time is an argument.

use std::time::{Duration, Instant};

/// Looks now and then at how often the threads have turned. A thread that has not for too long is
/// stuck: an event loop that idles turns a few times in that time as well.
///
/// A time in which the supervisor did not run itself (the machine was suspended, the whole group was
/// stopped, there was no CPU for anybody) says nothing about the reactor, and does not count.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// How long a thread may take; zero: nobody looks.
    time_max: Duration,
    threads: Vec<Seen>,
    /// When it looked last; `None` while there is no reactor to look at.
    looked: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    turns: u64,
    since: Instant,
}

/// A thread that does not turn any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stuck {
    /// Its number.
    pub(crate) thread: u16,
    /// How long it has not turned.
    pub(crate) after: Duration,
}

impl Watchdog {
    /// One that calls a thread stuck which has not turned for `time_max`; never if that is zero.
    pub(crate) fn new(time_max: Duration) -> Self {
        Self { time_max, threads: Vec::new(), looked: None }
    }

    /// A reactor is ready, or is to be given its time anew.
    pub(crate) fn watch(&mut self, turns: impl Iterator<Item = u64>, now: Instant) {
        if !self.time_max.is_zero() {
            self.threads = turns.map(|turns| Seen { turns, since: now }).collect();
            self.looked = Some(now);
        }
    }

    /// There is no reactor any more, or it is to end.
    pub(crate) fn forget(&mut self) {
        self.looked = None;
    }

    /// When to look next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.looked.map(|looked| looked + self.interval())
    }

    /// Looks, if it is time. Tells of a thread that has not turned for too long.
    pub(crate) fn look(&mut self, turns: impl Iterator<Item = u64>, now: Instant) -> Option<Stuck> {
        let looked = self.looked?;
        if now < looked + self.interval() {
            return None;
        }
        self.looked = Some(now);
        let slept = now.saturating_duration_since(looked) > 2 * self.interval();
        let mut stuck = None;
        for ((seen, turns), thread) in self.threads.iter_mut().zip(turns).zip(0..) {
            if seen.turns != turns || slept {
                *seen = Seen { turns, since: now };
            }
            let after = now.saturating_duration_since(seen.since);
            if after >= self.time_max {
                stuck = stuck.or(Some(Stuck { thread, after }));
            }
        }
        stuck
    }

    /// Threads that idle turn as often.
    fn interval(&self) -> Duration {
        self.time_max / wire::limits::WATCHDOG_LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(8);
    const STEP: Duration = Duration::from_secs(2);

    fn watching(now: Instant) -> Watchdog {
        let mut watchdog = Watchdog::new(TIME);
        watchdog.watch([5, 5].into_iter(), now);
        watchdog
    }

    #[test]
    fn a_thread_that_does_not_turn_is_told_of_after_its_time() {
        let begin = Instant::now();
        let mut watchdog = watching(begin);
        for step in 1..4 {
            let now = begin + STEP * step;
            assert_eq!(watchdog.deadline(), Some(now));
            assert_eq!(watchdog.look([5 + u64::from(step), 5].into_iter(), now), None);
        }
        let stuck = Stuck { thread: 1, after: TIME };
        assert_eq!(watchdog.look([9, 5].into_iter(), begin + TIME), Some(stuck));
        watchdog.forget();
        assert_eq!(watchdog.deadline(), None);
        assert_eq!(watchdog.look([9, 5].into_iter(), begin + 2 * TIME), None);
    }

    #[test]
    fn threads_that_turn_seldom_are_left_alone() {
        let begin = Instant::now();
        let mut watchdog = watching(begin);
        for step in 1..1000 {
            // Each turns once in the longest time that it may take, a moment before that is over.
            let turns = 5 + u64::from(step / 3);
            assert_eq!(watchdog.look([turns, turns].into_iter(), begin + STEP * step), None);
        }
    }

    #[test]
    fn a_time_in_which_the_supervisor_slept_does_not_count() {
        let begin = Instant::now();
        let mut watchdog = watching(begin);
        let woken = begin + Duration::from_secs(3600);
        assert_eq!(watchdog.look([5, 5].into_iter(), woken), None, "both slept");
        for step in 1..4 {
            assert_eq!(watchdog.look([5, 6].into_iter(), woken + STEP * step), None);
        }
        let stuck = Stuck { thread: 0, after: TIME };
        assert_eq!(watchdog.look([5, 9].into_iter(), woken + TIME), Some(stuck));
    }

    #[test]
    fn nobody_looks_when_it_is_off_or_too_early() {
        let begin = Instant::now();
        let mut watchdog = watching(begin);
        assert_eq!(watchdog.look([5, 5].into_iter(), begin + STEP / 2), None);
        assert_eq!(watchdog.deadline(), Some(begin + STEP));
        let mut off = Watchdog::new(Duration::ZERO);
        off.watch([1].into_iter(), begin);
        assert_eq!(off.deadline(), None);
        assert_eq!(off.look([1].into_iter(), begin + 100 * TIME), None);
    }
}
