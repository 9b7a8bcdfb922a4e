//! Connections whose responses could not be spooled for want of room are looked at again when there may
//! be some: their own clients may move nothing meanwhile.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Instant;

use wire::limits::{SPOOL_RETRIES_MAX, SPOOL_RETRY_INTERVAL, SPOOL_RETRY_TIME_MAX};

use super::EventLoop;
use crate::slots::Key;
use crate::timer::Timer;

/// The connections of a thread that wait for room.
#[derive(Debug, Default)]
pub(super) struct RoomQueue {
    keys: BTreeSet<Key>,
    /// The last one that was looked at: the next one has its turn.
    last: Option<Key>,
    /// How often room had become free when some were looked at last, and when that was.
    looked: Option<(u64, Instant)>,
    /// Whether the timer is set.
    armed: bool,
}

impl RoomQueue {
    /// Takes the next one, each in its turn.
    fn next(&mut self) -> Option<Key> {
        let behind = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let key = self.keys.range((behind, Bound::Unbounded)).next().or_else(|| self.keys.first());
        let key = *key?;
        self.keys.remove(&key);
        self.last = Some(key);
        Some(key)
    }
}

impl EventLoop {
    /// A response on this connection has content that could not be spooled.
    pub(super) fn wait_for_room(&mut self, key: Key) {
        self.room.keys.insert(key);
        self.arm_room();
    }

    fn arm_room(&mut self) {
        if !self.room.armed && !self.room.keys.is_empty() {
            self.room.armed = true;
            let at = self.turn.now() + SPOOL_RETRY_INTERVAL;
            self.turn.set_timer(at, Timer::Room);
        }
    }

    /// The timer has come: some that wait are looked at again if room has become free, by whichever
    /// thread. A full disk does not tell when it has room.
    pub(super) fn look_for_room(&mut self) {
        self.room.armed = false;
        let (freed, now) = (self.spool.freed(), self.turn.now());
        let as_before = |(before, at): (u64, Instant)| {
            before == freed && now.saturating_duration_since(at) < SPOOL_RETRY_TIME_MAX
        };
        if !self.room.looked.is_some_and(as_before) {
            self.room.looked = Some((freed, now));
            for _ in 0..SPOOL_RETRIES_MAX.min(self.room.keys.len()) {
                self.ready.extend(self.room.next());
            }
        }
        self.arm_room();
    }
}
