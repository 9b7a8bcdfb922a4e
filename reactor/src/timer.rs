//! Deadlines of one event loop.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::slots::Key;

/// Whose deadline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A connection: its protocol's deadline, a stalled write, or the end of lingering.
    Conn(Key),
    /// A request in the queue reaches the bound of its age.
    Queue,
    /// Workers may hold finished answers back.
    Held,
    /// Requests may wait behind slow ones while a worker is idle.
    Balance,
    /// Accept again after the process ran out of descriptors.
    Accept,
    /// Certificates may have changed.
    Certificates,
    /// The drain is over: cut off what is left.
    DrainEnd,
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
