//! The scheduling policy: which worker gets which request. No I/O, no clock.
//!
//! One [`Scheduler`] serves all reactor threads, behind a lock that is held for nanoseconds. That
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

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use wire::ExchangeId;
use wire::limits::{HANDOVER_DEPTH_MAX, HANDOVER_FAST};

/// A place for one incarnation of a worker. Two incarnations of one worker may live side by side;
/// the parity of the incarnation tells their places apart.
pub type WorkerSlot = usize;

/// The place of an incarnation.
pub fn worker_slot(worker: u16, incarnation: u64) -> WorkerSlot {
    usize::from(worker) * 2 + (incarnation & 1) as usize
}

/// A request as the scheduler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
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
pub struct Assignment {
    /// The request.
    pub ticket: Ticket,
    /// Its worker.
    pub worker: WorkerSlot,
}

/// What follows from the end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the worker is idle, or busy with another request.
    Nothing,
    /// A request that waited takes the place.
    Assign(Assignment),
    /// The worker is retired and has nothing left: close its links.
    Close,
}

/// What one thread has learned at the end of its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEnd {
    /// The incarnation.
    pub incarnation: u64,
    /// It was retired, and its links were closed from this side.
    pub retired: bool,
    /// The request that was in work, as text for the log.
    pub request: Option<String>,
}

#[derive(Debug)]
struct Worker {
    incarnation: u64,
    /// Threads that have got their link to it.
    linked: usize,
    /// Threads whose link to it has ended.
    ended: usize,
    outstanding: usize,
    retiring: bool,
    /// Mean service time, weighted towards the last requests.
    service: Duration,
    /// When the request in work came to its turn.
    turn: Instant,
    /// A link ended that nobody here had closed.
    crashed: bool,
    /// What was in work when the first link ended.
    lost: Option<String>,
}

impl Worker {
    fn room(&self) -> bool {
        !self.retiring
            && match self.outstanding {
                0 => true,
                n => n < HANDOVER_DEPTH_MAX && self.service < HANDOVER_FAST,
            }
    }

    fn give(&mut self, now: Instant) {
        if self.outstanding == 0 {
            self.turn = now;
        }
        self.outstanding += 1;
    }
}

/// The policy's state.
#[derive(Debug)]
pub struct Scheduler {
    workers: Vec<Option<Worker>>,
    /// Idle workers; the last one to become idle is the first to be used: its caches are warm.
    idle: Vec<WorkerSlot>,
    queue: VecDeque<Ticket>,
    queue_len_max: usize,
    threads: usize,
}

impl Scheduler {
    /// A scheduler for so many worker ids, reactor threads and waiting requests.
    pub fn new(workers: usize, threads: usize, queue_len_max: usize) -> Self {
        Self {
            workers: (0..workers * 2).map(|_| None).collect(),
            idle: Vec::with_capacity(workers * 2),
            queue: VecDeque::new(),
            queue_len_max,
            threads,
        }
    }

    /// Requests that wait.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Places a new request.
    pub fn submit(&mut self, ticket: Ticket, now: Instant) -> Placement {
        if let Some(worker) = self.choose() {
            self.give(worker, now);
            return Placement::Given(worker);
        }
        if self.queue.len() >= self.queue_len_max {
            return Placement::Refused;
        }
        self.queue.push_back(ticket);
        Placement::Queued
    }

    /// Places a request that has waited before, ahead of all others, whatever the queue's length.
    pub fn resubmit(&mut self, ticket: Ticket, now: Instant) -> Placement {
        if let Some(worker) = self.choose() {
            self.give(worker, now);
            return Placement::Given(worker);
        }
        self.queue.push_front(ticket);
        Placement::Queued
    }

    /// A request is off its worker: it was answered, or taken back before it was started.
    pub fn finished(&mut self, slot: WorkerSlot, now: Instant) -> Next {
        let Some(worker) = self.workers.get_mut(slot).and_then(Option::as_mut) else {
            return Next::Nothing;
        };
        worker.outstanding = worker.outstanding.saturating_sub(1);
        let took = now.saturating_duration_since(worker.turn);
        worker.service = (worker.service * 7 + took) / 8;
        worker.turn = now;
        if worker.retiring {
            return if worker.outstanding == 0 { Next::Close } else { Next::Nothing };
        }
        if worker.outstanding > 0 && !worker.room() {
            return Next::Nothing;
        }
        if let Some(ticket) = self.queue.pop_front() {
            worker.give(now);
            return Next::Assign(Assignment { ticket, worker: slot });
        }
        if worker.outstanding == 0 {
            self.idle.push(slot);
        }
        Next::Nothing
    }

    /// Takes a request out of the queue; `false` when it is not there any more.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        let before = self.queue.len();
        self.queue.retain(|waiting| *waiting != ticket);
        self.queue.len() != before
    }

    /// A worker is ready: all threads are about to get their links.
    pub fn joined(&mut self, slot: WorkerSlot, incarnation: u64, now: Instant) {
        self.idle.retain(|idle| *idle != slot);
        if let Some(place) = self.workers.get_mut(slot) {
            *place = Some(Worker {
                incarnation,
                linked: 0,
                ended: 0,
                outstanding: 0,
                retiring: false,
                service: HANDOVER_FAST,
                turn: now,
                crashed: false,
                lost: None,
            });
        }
    }

    /// A thread has its link to the worker. Once all have, the worker takes part; a request that
    /// waited may come with it.
    pub fn linked(&mut self, slot: WorkerSlot, now: Instant) -> Option<Assignment> {
        let worker = self.workers.get_mut(slot)?.as_mut()?;
        worker.linked += 1;
        if worker.linked < self.threads || worker.retiring {
            return None;
        }
        if let Some(ticket) = self.queue.pop_front() {
            worker.give(now);
            return Some(Assignment { ticket, worker: slot });
        }
        self.idle.push(slot);
        None
    }

    /// The incarnation gets nothing more. Its place, when it has nothing in work and its links may
    /// be closed at once.
    pub fn retire(&mut self, incarnation: u64) -> Option<WorkerSlot> {
        let slot = self.workers.iter().position(|worker| {
            worker.as_ref().is_some_and(|worker| worker.incarnation == incarnation)
        })?;
        self.idle.retain(|idle| *idle != slot);
        let worker = self.workers[slot].as_mut()?;
        worker.retiring = true;
        (worker.outstanding == 0).then_some(slot)
    }

    /// A thread's link to the worker has ended. When it was the last one, the worker is forgotten
    /// and the summary returned. Its requests must be submitted again by their threads.
    pub fn link_ended(&mut self, slot: WorkerSlot, request: Option<String>) -> Option<LinkEnd> {
        self.idle.retain(|idle| *idle != slot);
        let place = self.workers.get_mut(slot)?;
        let worker = place.as_mut()?;
        worker.crashed |= !worker.retiring || worker.outstanding > 0;
        worker.retiring = true;
        worker.lost = worker.lost.take().or(request);
        worker.ended += 1;
        if worker.ended < self.threads {
            return None;
        }
        let worker = place.take()?;
        let retired = !worker.crashed;
        Some(LinkEnd { incarnation: worker.incarnation, retired, request: worker.lost })
    }

    fn choose(&mut self) -> Option<WorkerSlot> {
        if let Some(slot) = self.idle.pop() {
            return Some(slot);
        }
        self.workers
            .iter()
            .enumerate()
            .filter_map(|(slot, worker)| Some((slot, worker.as_ref()?)))
            // A worker with nothing outstanding that is not in `idle` is not linked yet.
            .filter(|(_, worker)| worker.outstanding > 0 && worker.room())
            .min_by_key(|(_, worker)| worker.outstanding)
            .map(|(slot, _)| slot)
    }

    fn give(&mut self, slot: WorkerSlot, now: Instant) {
        if let Some(worker) = self.workers[slot].as_mut() {
            worker.give(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(n: u32) -> Ticket {
        Ticket { thread: 0, exchange: ExchangeId::new(n, 0) }
    }

    fn scheduler(workers: u16, start: Instant) -> Scheduler {
        let mut scheduler = Scheduler::new(usize::from(workers), 1, 2);
        for worker in 0..workers {
            let slot = worker_slot(worker, 0);
            scheduler.joined(slot, 0, start);
            assert_eq!(scheduler.linked(slot, start), None);
        }
        scheduler
    }

    #[test]
    fn idle_workers_come_first_then_the_queue_then_refusal() {
        let now = Instant::now();
        let mut s = scheduler(2, now);
        assert_eq!(s.submit(ticket(1), now), Placement::Given(2));
        assert_eq!(s.submit(ticket(2), now), Placement::Given(0));
        assert_eq!(s.submit(ticket(3), now), Placement::Queued);
        assert_eq!(s.submit(ticket(4), now), Placement::Queued);
        assert_eq!(s.submit(ticket(5), now), Placement::Refused);
        let later = now + Duration::from_millis(100);
        let next = Next::Assign(Assignment { ticket: ticket(3), worker: 0 });
        assert_eq!(s.finished(0, later), next);
        assert!(s.cancel(ticket(4)));
        assert_eq!(s.finished(2, later), Next::Nothing);
        assert_eq!(s.submit(ticket(6), later), Placement::Given(2));
    }

    #[test]
    fn only_a_fast_worker_is_given_requests_ahead() {
        let mut now = Instant::now();
        let mut s = scheduler(1, now);
        for n in 0..40 {
            assert_eq!(s.submit(ticket(n), now), Placement::Given(0));
            now += Duration::from_micros(20);
            assert_eq!(s.finished(0, now), Next::Nothing);
        }
        for n in 0..HANDOVER_DEPTH_MAX as u32 {
            assert_eq!(s.submit(ticket(n), now), Placement::Given(0), "{n}");
        }
        assert_eq!(s.submit(ticket(9), now), Placement::Queued);
        now += Duration::from_millis(100);
        assert_eq!(s.finished(0, now), Next::Nothing, "it has become slow");
        assert_eq!(s.queued(), 1);
    }

    #[test]
    fn a_retired_worker_finishes_and_closes() {
        let now = Instant::now();
        let mut s = scheduler(1, now);
        s.submit(ticket(1), now);
        assert_eq!(s.retire(0), None, "it still has work");
        assert_eq!(s.submit(ticket(2), now), Placement::Queued);
        s.joined(1, 1, now);
        assert_eq!(s.linked(1, now), Some(Assignment { ticket: ticket(2), worker: 1 }));
        assert_eq!(s.finished(0, now), Next::Close);
        let end = LinkEnd { incarnation: 0, retired: true, request: None };
        assert_eq!(s.link_ended(0, None), Some(end));
    }

    #[test]
    fn a_lost_worker_is_reported_once_all_links_ended() {
        let now = Instant::now();
        let mut s = Scheduler::new(1, 2, 1);
        s.joined(0, 0, now);
        assert_eq!(s.submit(ticket(9), now), Placement::Queued, "not linked yet");
        assert_eq!(s.linked(0, now), None);
        let waited = Assignment { ticket: ticket(9), worker: 0 };
        assert_eq!(s.linked(0, now), Some(waited));
        assert_eq!(s.link_ended(0, Some("GET /".into())), None);
        assert_eq!(s.retire(0), None);
        let end = LinkEnd { incarnation: 0, retired: false, request: Some("GET /".into()) };
        assert_eq!(s.link_ended(0, None), Some(end));
        assert_eq!(s.resubmit(ticket(1), now), Placement::Queued);
        assert_eq!(s.resubmit(ticket(2), now), Placement::Queued, "never refused");
    }
}
