//! The scheduling policy: which worker gets which request. No I/O, no clock.
//!
//! Each pool has one [`Scheduler`]. It serves all reactor threads, behind a lock that is held for nanoseconds. That
//! makes dispatch work-conserving without further thought: no request waits while a worker is idle,
//! whichever thread it arrived on.
//!
//! ```text
//!           submit                      finished
//!  request ───────▶ idle worker? ──no──▶ queue ───────▶ worker
//!                     │yes     └─ a fast one with room? ─▶ ahead of its turn
//!                     ▼
//!                   worker
//! ```

mod state;
mod worker;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use wire::control::LostRequest;
use wire::limits::SLOTS_KEPT;
use wire::{ExchangeId, Pool};

use crate::config::Config;
use worker::Worker;

/// A place in a pool for one incarnation of a worker. Two incarnations of one worker may live side by side;
/// the parity of the incarnation tells their places apart.
pub type WorkerSlot = usize;

/// The place of an incarnation of the pool's worker with this index.
pub fn worker_slot(worker: u16, incarnation: u64) -> WorkerSlot {
    usize::from(worker) * 2 + (incarnation & 1) as usize
}

/// A request as the scheduler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey {
    /// The reactor thread that holds the exchange.
    pub thread: u16,
    /// The exchange.
    pub exchange: ExchangeId,
}

/// What becomes of a submitted request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Give it to this worker now.
    Given(WorkerSlot),
    /// It waits.
    Queued,
    /// The queue is full.
    Refused,
}

/// A request that waited gets its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatch {
    /// The request.
    pub ticket: RequestKey,
    /// Its worker.
    pub worker: WorkerSlot,
}

/// What follows from the end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowUp {
    /// Nothing: the worker is idle, or busy with another request.
    Nothing,
    /// A request that waited takes the place.
    Assign(Dispatch),
    /// This incarnation is retired and has nothing left: close its links.
    Close(u64),
}

/// What follows from the end of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEnd {
    /// It is the first of this worker's that has ended: all threads must close theirs.
    CloseOthers,
    /// Others are still to be closed.
    Nothing,
    /// It was the last one.
    Worker(WorkerEnd),
}

/// What all threads together know of a worker at the end of its last link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerEnd {
    /// The incarnation.
    pub incarnation: u64,
    /// It was retired, and its links were closed from this side.
    pub retired: bool,
    /// The request that was in work, as text for the log.
    pub request: Option<LostRequest>,
}

/// A request that waits behind another on one worker goes to one that is idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The request.
    pub ticket: RequestKey,
    /// The worker that has it, unless it starts it meanwhile.
    pub from: WorkerSlot,
    /// The idle worker, which is kept for it.
    pub to: WorkerSlot,
}

/// The policy's state.
#[derive(Debug)]
pub struct Scheduler {
    workers: Vec<Option<Worker>>,
    /// Idle workers; the last one to become idle is the first to be used: its caches are warm.
    idle: Vec<WorkerSlot>,
    queue: VecDeque<WaitingRequest>,
    queue_len_max: usize,
    queue_age_max: Duration,
    handover_fast: Duration,
    threads: usize,
    /// Since when requests are refused because the queue is full. Over once a quarter of it is free.
    full_since: Option<Instant>,
}

#[derive(Debug)]
struct WaitingRequest {
    ticket: RequestKey,
    until: Instant,
}

impl Scheduler {
    /// A scheduler for a pool of this configuration.
    pub fn new(config: &Config, pool: Pool) -> Self {
        let Config { threads, queue_len_max, queue_age_max, handover_fast, .. } = *config;
        let workers = usize::from(pool.workers);
        Self {
            workers: (0..workers * 2).map(|_| None).collect(),
            idle: Vec::with_capacity(workers * 2),
            queue: VecDeque::new(),
            queue_len_max,
            queue_age_max,
            handover_fast,
            threads,
            full_since: None,
        }
    }

    /// Requests that wait.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Places a new request.
    pub fn submit(&mut self, ticket: RequestKey, now: Instant) -> Placement {
        if let Some(slot) = self.choose() {
            self.give(slot, ticket, now);
            self.look_at_room();
            return Placement::Given(slot);
        }
        if self.queue.len() >= self.queue_len_max {
            self.full_since.get_or_insert(now);
            return Placement::Refused;
        }
        self.queue.push_back(WaitingRequest { ticket, until: now + self.queue_age_max });
        Placement::Queued
    }

    /// Places a request that has waited before, ahead of all others, whatever the queue's length.
    pub fn resubmit(&mut self, ticket: RequestKey, now: Instant) -> Placement {
        if let Some(slot) = self.choose() {
            self.give(slot, ticket, now);
            return Placement::Given(slot);
        }
        self.queue.push_front(WaitingRequest { ticket, until: now + self.queue_age_max });
        Placement::Queued
    }

    /// A worker has answered a request.
    pub fn finished(&mut self, slot: WorkerSlot, ticket: RequestKey, now: Instant) -> FollowUp {
        if let Some(Some(worker)) = self.workers.get_mut(slot) {
            let took = now.saturating_duration_since(worker.turn);
            worker.service = (worker.service * 7 + took) / 8;
            worker.turn = now;
        }
        self.relieved(slot, ticket, now)
    }

    /// A worker has a request no more, without having answered it.
    pub fn relieved(&mut self, slot: WorkerSlot, ticket: RequestKey, now: Instant) -> FollowUp {
        let Some(worker) = self.workers.get_mut(slot).and_then(Option::as_mut) else {
            return FollowUp::Nothing;
        };
        worker.remove(ticket);
        let idle = worker.given.is_empty();
        if worker.retiring {
            return worker.leaves();
        }
        if !worker.room(self.handover_fast) {
            return FollowUp::Nothing;
        }
        if let Some(ticket) = first(&mut self.queue) {
            worker.give(ticket, now);
            self.look_at_room();
            return FollowUp::Assign(Dispatch { ticket, worker: slot });
        }
        if idle {
            self.idle.push(slot);
        }
        self.look_at_room();
        FollowUp::Nothing
    }

    /// A worker has claimed an exchange, beside what it was given.
    pub fn claimed(&mut self, slot: WorkerSlot) {
        if let Some(Some(worker)) = self.workers.get_mut(slot) {
            worker.claims += 1;
        }
    }

    /// A worker has such an exchange no more.
    pub fn unclaimed(&mut self, slot: WorkerSlot) -> FollowUp {
        let worker = self.workers.get_mut(slot).and_then(Option::as_mut);
        let Some(worker) = worker else { return FollowUp::Nothing };
        worker.claims = worker.claims.saturating_sub(1);
        if worker.retiring { worker.leaves() } else { FollowUp::Nothing }
    }

    /// Requests that wait behind a slow one while a worker is idle. Each move keeps its worker
    /// busy: it ends with `relieved` for the worker that has the request no more.
    pub fn rebalance(&mut self, now: Instant) -> Vec<Move> {
        let mut moves = Vec::new();
        for from in 0..self.workers.len() {
            let Some(&to) = self.idle.last() else { break };
            let held_up = self.workers[from].as_mut().and_then(|worker| worker.held_up(now));
            let Some(ticket) = held_up else { continue };
            self.idle.pop();
            self.give(to, ticket, now);
            moves.push(Move { ticket, from, to });
        }
        moves
    }

    /// How long from now [`rebalance`](Self::rebalance) is worth another look.
    pub fn unbalanced(&self) -> Option<Duration> {
        // Asked at requests: where all workers are busy, they are not looked through each time.
        if self.idle.is_empty() {
            return None;
        }
        self.workers.iter().flatten().filter_map(Worker::may_hold_up).min()
    }

    /// Whether a request that a worker has been given waits there behind another one.
    pub fn waits_behind(&self, slot: WorkerSlot, ticket: RequestKey) -> bool {
        let worker = self.workers.get(slot).and_then(Option::as_ref);
        worker.is_some_and(|worker| worker.given.iter().skip(1).any(|given| *given == ticket))
    }

    /// Takes a request out of the queue; `false` when it is not there any more.
    pub fn cancel(&mut self, ticket: RequestKey) -> bool {
        let before = self.queue.len();
        self.queue.retain(|waiting| waiting.ticket != ticket);
        self.look_at_room();
        self.queue.len() != before
    }

    /// Takes the requests out of the queue that have waited as long as they may.
    pub fn expired(&mut self, now: Instant) -> Vec<RequestKey> {
        let mut expired = Vec::new();
        self.queue.retain(|waiting| {
            let late = waiting.until <= now;
            expired.extend(late.then_some(waiting.ticket));
            !late
        });
        self.look_at_room();
        expired
    }

    /// When [`expired`](Self::expired) will find something.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.queue.iter().map(|waiting| waiting.until).min()
    }

    /// A worker is ready: all threads are about to get their links.
    pub fn joined(&mut self, slot: WorkerSlot, incarnation: u64, now: Instant) {
        self.idle.retain(|idle| *idle != slot);
        if let Some(place) = self.workers.get_mut(slot) {
            *place = Some(Worker::new(incarnation, self.handover_fast, now));
        }
    }

    /// A thread has its link to the worker. Once all have, the worker takes part; a request that
    /// waited may come with it.
    pub fn linked(&mut self, slot: WorkerSlot, incarnation: u64, now: Instant) -> Option<Dispatch> {
        let worker = self.workers.get_mut(slot)?.as_mut();
        let worker = worker.filter(|worker| worker.incarnation == incarnation)?;
        worker.linked += 1;
        if worker.linked < self.threads || worker.retiring {
            return None;
        }
        if let Some(ticket) = first(&mut self.queue) {
            worker.give(ticket, now);
            return Some(Dispatch { ticket, worker: slot });
        }
        self.idle.push(slot);
        None
    }

    /// The place of an incarnation, as long as a thread has a link to it or is about to get one.
    pub fn slot_of(&self, incarnation: u64) -> Option<WorkerSlot> {
        self.workers.iter().position(|worker| {
            worker.as_ref().is_some_and(|worker| worker.incarnation == incarnation)
        })
    }

    /// Whether a link of this incarnation has ended, so that none may live on.
    pub fn is_ending(&mut self, slot: WorkerSlot, incarnation: u64) -> bool {
        self.worker(slot, incarnation).is_none_or(|worker| worker.ended > 0)
    }

    /// The incarnation gets nothing more. Its place, when it has nothing in work and its links may
    /// be closed at once.
    pub fn retire(&mut self, incarnation: u64) -> Option<WorkerSlot> {
        let slot = self.slot_of(incarnation)?;
        self.idle.retain(|idle| *idle != slot);
        let worker = self.workers[slot].as_mut()?;
        worker.retiring = true;
        worker.is_free().then_some(slot)
    }

    /// A thread's link to the worker has ended, and with it the worker: it is given nothing more, and
    /// all its links must end. With the last one it is forgotten. Its requests must be submitted
    /// again by their threads.
    pub fn link_ended(
        &mut self,
        slot: WorkerSlot,
        incarnation: u64,
        request: Option<LostRequest>,
    ) -> LinkEnd {
        let threads = self.threads;
        let Some(worker) = self.worker(slot, incarnation) else { return LinkEnd::Nothing };
        worker.crashed |= !worker.retiring || !worker.is_free();
        worker.retiring = true;
        worker.lost = worker.lost.take().or(request);
        worker.ended += 1;
        let ended = worker.ended;
        self.idle.retain(|idle| *idle != slot);
        if ended < threads {
            return if ended == 1 { LinkEnd::CloseOthers } else { LinkEnd::Nothing };
        }
        let Some(worker) = self.workers[slot].take() else { return LinkEnd::Nothing };
        let retired = !worker.crashed;
        LinkEnd::Worker(WorkerEnd { incarnation, retired, request: worker.lost })
    }

    fn worker(&mut self, slot: WorkerSlot, incarnation: u64) -> Option<&mut Worker> {
        let worker = self.workers.get_mut(slot)?.as_mut();
        worker.filter(|worker| worker.incarnation == incarnation)
    }

    fn choose(&mut self) -> Option<WorkerSlot> {
        if let Some(slot) = self.idle.pop() {
            return Some(slot);
        }
        self.workers
            .iter()
            .enumerate()
            .filter_map(|(slot, worker)| Some((slot, worker.as_ref()?)))
            // A worker that has been given nothing and is not in `idle` is not linked yet.
            .filter(|(_, worker)| !worker.given.is_empty() && worker.room(self.handover_fast))
            .min_by_key(|(_, worker)| worker.given.len())
            .map(|(slot, _)| slot)
    }

    fn give(&mut self, slot: WorkerSlot, ticket: RequestKey, now: Instant) {
        if let Some(worker) = self.workers[slot].as_mut() {
            worker.give(ticket, now);
        }
    }
}

/// Takes the first out. A queue that was long gives its memory back when nobody waits any more.
fn first(queue: &mut VecDeque<WaitingRequest>) -> Option<RequestKey> {
    let WaitingRequest { ticket, .. } = queue.pop_front()?;
    if queue.is_empty() && queue.capacity() > SLOTS_KEPT {
        *queue = VecDeque::new();
    }
    Some(ticket)
}
