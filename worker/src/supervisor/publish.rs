//! What the supervisor writes into shared memory, so that the reactor can tell of processes.

use std::sync::atomic::Ordering;
use std::time::UNIX_EPOCH;

use wire::shm::lives::Life;
use wire::shm::{Counter, LifeState, ServerState};

use super::Supervisor;
use crate::supervisor::process_table::{Replacements, WorkerState};

impl Supervisor {
    /// Says how every process stands. It costs a few stores, and happens only when something has woken
    /// the supervisor.
    pub(super) fn publish(&mut self) {
        let shared = self.memory.shared;
        for worker in 0..usize::from(self.plan.pools.workers()) {
            for parity in [0, 1] {
                let record = shared.life(worker, parity);
                let life = record.get();
                if life.is_some_and(|life| !self.workers.contains_key(&life.incarnation)) {
                    record.set(None);
                }
            }
            let restarts = u64::from(self.table.restarts_of(worker));
            shared.restarts(worker).store(restarts, Ordering::Relaxed);
        }
        for (incarnation, child) in &self.workers {
            let state = match self.table.standing(*incarnation) {
                WorkerState::Starting => LifeState::Starting,
                WorkerState::Ready => LifeState::Ready,
                WorkerState::Stopping => LifeState::Stopping,
                WorkerState::Killed => LifeState::Killed,
            };
            let since = child.since.duration_since(UNIX_EPOCH).unwrap_or_default();
            shared.life(usize::from(child.worker), *incarnation).set(Some(Life {
                incarnation: *incarnation,
                pid: child.pid.as_raw().unsigned_abs(),
                state,
                since_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            }));
        }
        let state = match self.table.phase() {
            "ready" => ServerState::Ready,
            "starting" => ServerState::Starting,
            _ => ServerState::Stopping,
        };
        shared.counter(Counter::State).store(state as u64, Ordering::Relaxed);
        self.publish_tally(self.table.tally());
    }

    fn publish_tally(&self, tally: Replacements) {
        for (counter, number) in [
            (Counter::WorkersRecycled, tally.recycled),
            (Counter::WorkersReloaded, tally.reloaded),
            (Counter::WorkersLeft, tally.left),
            (Counter::WorkersTimedOut, tally.timed_out),
            (Counter::WorkersNotReady, tally.not_ready),
            (Counter::Reloads, tally.reloads),
            (Counter::ReloadsAbandoned, tally.abandoned),
        ] {
            self.memory.shared.counter(counter).store(number, Ordering::Relaxed);
        }
    }
}
