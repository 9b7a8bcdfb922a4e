//! Deadlines of one event loop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use smallvec::SmallVec;
use wire::PoolId;

use crate::slots::Key;

/// Whose deadline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A connection: its protocol's deadline, a stalled write, or the end of lingering.
    Conn(Key),
    /// A connection that a worker has ended: it has had its time.
    CutOff(Key),
    /// A request in the queue of a pool reaches the bound of its age.
    Queue(PoolId),
    /// Workers of a pool may hold finished answers back.
    Held(PoolId),
    /// Requests may wait behind slow ones while a worker of the pool is idle.
    Balance(PoolId),
    /// Detached responses of a pool have waited long enough.
    Detached(PoolId),
    /// Accept again: the process had run out of descriptors, or others had their turn.
    Accept,
    /// Certificates may have changed.
    Certificates,
    /// There may be room for responses that could not be spooled.
    Room,
    /// Lines of the log were left out.
    ErrorLog,
    /// Administrators wait for an answer, or for the next event.
    Admin,
    /// The drain is over: cut off what is left.
    DrainEnd,
}

/// The entries of one connection in the heap, so that a deadline that moves on every packet does not
/// leave one entry behind for each: the latest first.
#[derive(Debug, Default)]
pub struct Alarms(SmallVec<[Instant; 2]>);

impl Alarms {
    /// Whether there must be a new entry, as no entry comes so early.
    pub fn set(&mut self, at: Instant) -> bool {
        let earlier = self.0.last().is_none_or(|next| at < *next);
        if earlier {
            self.0.push(at);
        }
        earlier
    }

    /// An entry has come.
    pub fn came(&mut self) {
        self.0.pop();
        if self.0.spilled() && self.0.len() <= self.0.inline_size() {
            self.0.shrink_to_fit();
        }
    }
}

/// A heap of deadlines. Entries are not removed: whoever set one looks again when it is due.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Instant, Timer)>>,
}

impl Timers {
    /// Adds a deadline.
    pub fn set(&mut self, at: Instant, timer: Timer) {
        self.heap.push(Reverse((at, timer)));
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes out one deadline that has passed.
    pub fn pop(&mut self, now: Instant) -> Option<Timer> {
        self.next().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse((_, timer))| timer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_that_moves_leaves_few_entries() {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let mut alarms = Alarms::default();
        let mut entries = Vec::new();
        for turn in 0..1000 {
            // Idle, then a packet whose answer is waited for, then idle again.
            for deadline in [at(75_000 + turn), at(turn + 30)] {
                if alarms.set(deadline) {
                    entries.push(deadline);
                }
            }
            while let Some(due) = entries.iter().position(|entry| *entry <= at(turn)) {
                entries.remove(due);
                alarms.came();
            }
        }
        assert!(entries.contains(&at(75_000)) && entries.len() <= 3, "{entries:?}");
        assert_eq!(alarms.0.len(), entries.len());
    }
}
