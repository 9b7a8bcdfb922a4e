//! [`Turn`]: the time, the deadlines and the log of errors of an event loop, which connections and
//! handlers have at hand.

use std::time::Instant;

use crate::clock::Clock;
use crate::error_log::ErrorLog;
use crate::timer::{Timer, Timers};

/// What lasts as long as the event loop, and changes with each of its turns.
#[derive(Debug)]
pub struct Turn {
    /// The time, read once per turn.
    pub clock: Clock,
    /// The thread's deadlines.
    pub timers: Timers,
    /// Where to say what clients and workers do wrong.
    pub error_log: ErrorLog,
}

impl Turn {
    /// When this turn began.
    pub fn now(&self) -> Instant {
        self.clock.now().instant
    }

    /// Adds a deadline.
    pub fn set_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.set(at, timer);
    }
}
