//! How a pool stands, for administrators: since when its queue is full, and what its workers have in work.

use std::time::Instant;

use wire::ExchangeId;

use super::{Scheduler, WorkerSlot};

impl Scheduler {
    /// Since when requests are refused because the queue is full.
    pub fn full_since(&self) -> Option<Instant> {
        self.full_since
    }

    /// Requests are refused no more once a quarter of the queue is free.
    pub(super) fn look_at_room(&mut self) {
        if self.full_since.is_some() && self.queue.len() <= self.queue_len_max / 4 * 3 {
            self.full_since = None;
        }
    }

    /// What workers have in work of a thread's exchanges, and since when.
    pub fn in_work(&self, thread: u16) -> Vec<(WorkerSlot, ExchangeId, Instant)> {
        let workers = self.workers.iter().enumerate();
        let first = workers.filter_map(|(slot, worker)| {
            let worker = worker.as_ref()?;
            let ticket = worker.given.front().filter(|ticket| ticket.thread == thread)?;
            Some((slot, ticket.exchange, worker.turn))
        });
        first.collect()
    }
}
