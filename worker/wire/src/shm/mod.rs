//! What all processes see in shared memory: started marks and counters.
//!
//! The memory itself is mapped by the supervisor before the first fork; here it is only a slice of
//! atomics with a layout. It has parts, so that a broken worker cannot take the others with it:
//!
//! ```text
//!  control    | counters of the server, pids of workers, turns of reactor threads, lives of workers,
//!             |   exchanges by reactor thread
//!  worker 0   | its counters, then for two incarnations the marks and held answers of its links,
//!             |   then two arenas
//!  worker 1 … |
//! ```
//!
//! Supervisor and reactor write everything. A worker may write its own part alone, which its
//! successor has as well; it reads the others. So whatever lies in a worker's part may be anything at
//! any time, and is checked where it is read; what lies in the control part is true.

pub mod arena;
pub mod batch;
mod counter;
pub mod exchanges;
pub mod lives;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::exchange::ExchangeId;
use crate::limits::HANDOVER_DEPTH_MAX;
use crate::shm::arena::{ARENA_WORDS, Arena};
use crate::shm::batch::{HELD_WORDS, ResponseBatch};
use crate::shm::counter::{COUNTERS, COUNTERS_MAX, WORKER_COUNTERS};
pub use crate::shm::counter::{Counter, WorkerCounter};
use crate::shm::exchanges::{EXCHANGE_WORDS, ExchangeFigures};
use crate::shm::lives::{LIFE_WORDS, LifeRecord};
pub use crate::shm::lives::{LifeState, ServerState};

const GIVEN: u64 = 1;
const STARTED: u64 = 2;
const TAKEN_BACK: u64 = 3;

/// The started mark of one exchange on one link: who gets it first, the worker that starts the
/// handler or the reactor that takes the request back, is decided by one compare-and-swap.
///
/// ```text
///                 ┌─ worker: start ──▶ started
///  free ─▶ given ─┤
///                 └─ reactor: take_back ──▶ taken back
/// ```
///
/// The value holds the exchange id beside the state, so a mark may be given again at once: a worker
/// that comes late finds another id.
#[derive(Debug, Clone, Copy)]
pub struct Mark(&'static AtomicU64);

impl Mark {
    /// The reactor gives the exchange away.
    pub fn give(self, id: ExchangeId) {
        self.0.store(id.to_u64() << 2 | GIVEN, Ordering::Release);
    }

    /// The worker starts it; `false` when it was taken back.
    pub fn start(self, id: ExchangeId) -> bool {
        self.swap(id, STARTED)
    }

    /// The reactor takes it back; `false` when it was started.
    pub fn take_back(self, id: ExchangeId) -> bool {
        self.swap(id, TAKEN_BACK)
    }

    fn swap(self, id: ExchangeId, state: u64) -> bool {
        let id = id.to_u64() << 2;
        self.0.compare_exchange(id | GIVEN, id | state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Parts begin at multiples of so many words: of 64 KiB, the largest page that Linux has.
const PART_WORDS: usize = (64 << 10) / size_of::<u64>();

/// A word that one thread writes often has a cache line of its own.
pub(crate) const LINE_WORDS: usize = 8;

/// Words of one link: its marks, then its held answers.
const LINK_WORDS: usize = HANDOVER_DEPTH_MAX + HELD_WORDS;

/// The shared memory with its layout.
#[derive(Debug, Clone, Copy)]
pub struct Shared {
    memory: &'static [AtomicU64],
    workers: usize,
    threads: usize,
}

impl Shared {
    /// How many 64-bit words this many workers and reactor threads need.
    pub fn words(workers: usize, threads: usize) -> usize {
        control_words(workers, threads) + workers * worker_words(threads)
    }

    /// Lays the structure over memory that is zero and at least [`words`](Self::words) long.
    pub fn new(memory: &'static [AtomicU64], workers: usize, threads: usize) -> Self {
        const { assert!(COUNTERS <= COUNTERS_MAX) };
        assert!(memory.len() >= Self::words(workers, threads), "shared memory is too small");
        Self { memory, workers, threads }
    }

    /// Number of worker slots.
    pub fn workers(self) -> usize {
        self.workers
    }

    /// Number of reactor threads.
    pub fn threads(self) -> usize {
        self.threads
    }

    /// A counter of the whole server.
    pub fn counter(self, counter: Counter) -> &'static AtomicU64 {
        &self.memory[counter as usize]
    }

    /// Adds to a counter.
    pub fn add(self, counter: Counter, by: u64) {
        self.counter(counter).fetch_add(by, Ordering::Relaxed);
    }

    /// Takes from a gauge.
    pub fn sub(self, counter: Counter, by: u64) {
        self.counter(counter).fetch_sub(by, Ordering::Relaxed);
    }

    /// A reactor has died, and with it what its gauges counted: its clients' connections are closed.
    pub fn forget_reactor(self) {
        let connections = self.counter(Counter::Connections).swap(0, Ordering::Relaxed);
        self.add(Counter::Closed, connections);
        self.add(Counter::Aborted, connections);
        for gauge in [
            Counter::Exchanges,
            Counter::Queued,
            Counter::QuicConnections,
            Counter::SpoolMemory,
            Counter::SpoolDisk,
            Counter::BodyFiles,
            Counter::BodyBytes,
            Counter::Detached,
            Counter::SentFiles,
        ] {
            self.counter(gauge).store(0, Ordering::Relaxed);
        }
        let loans = loans_at(self.workers, self.threads);
        self.memory[loans..loans + 2 * self.workers].iter().for_each(arena::forget_loans);
    }

    /// Reads a counter.
    pub fn get(self, counter: Counter) -> u64 {
        self.counter(counter).load(Ordering::Relaxed)
    }

    /// The pid of a worker's current incarnation; 0 when there is none. Only the supervisor sets it.
    pub fn pid(self, worker: usize) -> &'static AtomicU64 {
        assert!(worker < self.workers);
        &self.memory[COUNTERS_MAX + worker]
    }

    /// How often the event loop of a reactor thread has turned. Only that thread sets it.
    pub fn turns(self, thread: usize) -> &'static AtomicU64 {
        assert!(thread < self.threads);
        &self.memory[turns_at(self.workers) + thread * LINE_WORDS]
    }

    /// What the supervisor says of a life of a worker. Of two lives that are side by side, one has an
    /// even incarnation and one an odd.
    pub fn life(self, worker: usize, incarnation: u64) -> LifeRecord {
        assert!(worker < self.workers);
        let life = 2 * worker + (incarnation & 1) as usize;
        let at = lives_at(self.workers, self.threads) + life * LIFE_WORDS;
        LifeRecord::new(&self.memory[at..at + LIFE_WORDS])
    }

    /// How often a worker's place was given to another process. Only the supervisor sets it.
    pub fn restarts(self, worker: usize) -> &'static AtomicU64 {
        assert!(worker < self.workers);
        &self.memory[restarts_at(self.workers, self.threads) + worker]
    }

    /// What a reactor thread has counted of exchanges. Only that thread sets it.
    pub fn exchanges(self, thread: usize) -> ExchangeFigures {
        assert!(thread < self.threads);
        let at = exchanges_at(self.workers, self.threads) + thread * EXCHANGE_WORDS;
        ExchangeFigures::new(&self.memory[at..at + EXCHANGE_WORDS])
    }

    /// The words that this worker may write, as a range of the whole memory. Both ends are at page
    /// boundaries, if the memory begins at one.
    pub fn part(self, worker: usize) -> Range<usize> {
        assert!(worker < self.workers);
        let begin = control_words(self.workers, self.threads) + worker * worker_words(self.threads);
        begin..begin + worker_words(self.threads)
    }

    /// A counter of one worker, which the worker itself sets.
    pub fn worker(self, worker: usize, counter: WorkerCounter) -> &'static AtomicU64 {
        &self.memory[self.part(worker).start + counter as usize]
    }

    /// The marks of the link between a worker's incarnation and a reactor thread. Of two
    /// incarnations that live side by side, one is even and one is odd.
    pub fn marks(self, worker: usize, incarnation: u64, thread: usize) -> Marks {
        Marks(&self.link(worker, incarnation, thread)[..HANDOVER_DEPTH_MAX])
    }

    /// The held answers of that link.
    pub fn batch(self, worker: usize, incarnation: u64, thread: usize) -> ResponseBatch {
        ResponseBatch::new(&self.link(worker, incarnation, thread)[HANDOVER_DEPTH_MAX..])
    }

    /// The arena of a worker's incarnation.
    pub fn arena(self, worker: usize, incarnation: u64) -> Arena {
        let links = 2 * self.threads * LINK_WORDS;
        let arena = (incarnation & 1) as usize;
        let at = self.part(worker).start + WORKER_COUNTERS + links + arena * ARENA_WORDS;
        let emptied = &self.memory[loans_at(self.workers, self.threads) + 2 * worker + arena];
        Arena::new(&self.memory[at..at + ARENA_WORDS], emptied, incarnation)
    }

    fn link(self, worker: usize, incarnation: u64, thread: usize) -> &'static [AtomicU64] {
        let link = (incarnation & 1) as usize * self.threads + thread;
        let at = self.part(worker).start + WORKER_COUNTERS + link * LINK_WORDS;
        &self.memory[at..at + LINK_WORDS]
    }
}

/// How many counters there are.
#[cfg(test)]
pub(crate) fn counters() -> usize {
    COUNTERS
}

fn turns_at(workers: usize) -> usize {
    (COUNTERS_MAX + workers).next_multiple_of(LINE_WORDS)
}

/// Where the reactor says which blocks of arenas it reads, and has read.
fn loans_at(workers: usize, threads: usize) -> usize {
    turns_at(workers) + threads * LINE_WORDS
}

fn lives_at(workers: usize, threads: usize) -> usize {
    loans_at(workers, threads) + 2 * workers
}

fn restarts_at(workers: usize, threads: usize) -> usize {
    lives_at(workers, threads) + 2 * workers * LIFE_WORDS
}

fn exchanges_at(workers: usize, threads: usize) -> usize {
    (restarts_at(workers, threads) + workers).next_multiple_of(LINE_WORDS)
}

fn control_words(workers: usize, threads: usize) -> usize {
    (exchanges_at(workers, threads) + threads * EXCHANGE_WORDS).next_multiple_of(PART_WORDS)
}

/// Two incarnations of a worker live side by side during a reload: each has its own links.
fn worker_words(threads: usize) -> usize {
    let words = WORKER_COUNTERS + 2 * (threads * LINK_WORDS + ARENA_WORDS);
    words.next_multiple_of(PART_WORDS)
}

/// The marks of one link.
#[derive(Debug, Clone, Copy)]
pub struct Marks(&'static [AtomicU64]);

impl Marks {
    /// The mark with this index, below [`HANDOVER_DEPTH_MAX`].
    pub fn get(self, index: u8) -> Option<Mark> {
        self.0.get(usize::from(index)).map(Mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(workers: usize, threads: usize) -> Shared {
        let words = Shared::words(workers, threads);
        let memory: Vec<AtomicU64> = (0..words).map(|_| AtomicU64::new(0)).collect();
        Shared::new(memory.leak(), workers, threads)
    }

    #[test]
    fn a_mark_is_won_once() {
        let mark = shared(1, 1).marks(0, 0, 0).get(0).unwrap();
        let (id, next) = (ExchangeId::new(1, 1), ExchangeId::new(1, 2));
        mark.give(id);
        assert!(mark.take_back(id));
        assert!(!mark.start(id));
        mark.give(next);
        assert!(!mark.start(id), "a late worker finds another tenant");
        assert!(mark.start(next));
        assert!(!mark.take_back(next));
    }

    #[test]
    fn a_dead_reactor_has_no_connections() {
        let shared = shared(1, 1);
        for counter in [Counter::Connections, Counter::Exchanges, Counter::Queued] {
            shared.add(counter, 3);
        }
        shared.add(Counter::Closed, 1);
        shared.forget_reactor();
        let get = |counter| shared.get(counter);
        assert_eq!([Counter::Connections, Counter::Exchanges, Counter::Queued].map(get), [0; 3]);
        assert_eq!([Counter::Closed, Counter::Aborted].map(get), [4, 3]);
    }

    #[test]
    fn what_a_worker_writes_lies_in_its_part_and_nothing_else_does() {
        let shared = shared(3, 2);
        let base = shared.memory.as_ptr() as usize;
        let word = |pointer: *const AtomicU64| (pointer as usize - base) / size_of::<AtomicU64>();
        let mut end = shared.part(0).start;
        for counter in [Counter::Connections, Counter::ReactorPid, Counter::QuicConnections] {
            assert!(word(shared.counter(counter)) < end);
        }
        assert!((0..3).all(|worker| word(shared.pid(worker)) < end));
        assert!((0..2).all(|thread| word(shared.turns(thread)) < end));
        assert!((0..3).all(|worker| word(shared.restarts(worker)) < end));
        assert!((0..2).all(|thread| word(shared.exchanges(thread).last_word()) < end));
        for worker in 0..3 {
            let part = shared.part(worker);
            assert_eq!(part.start, end);
            assert_eq!((part.start % PART_WORDS, part.end % PART_WORDS), (0, 0));
            assert!(part.contains(&word(shared.worker(worker, WorkerCounter::Requests))));
            assert!(part.contains(&word(shared.worker(worker, WorkerCounter::Busy))));
            for (incarnation, thread) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let link = shared.link(worker, incarnation, thread).as_ptr_range();
                assert!(part.contains(&word(link.start)) && word(link.end) <= part.end);
            }
            end = part.end;
        }
        assert_eq!(end, Shared::words(3, 2));
    }

    #[test]
    fn links_do_not_share_marks() {
        let shared = shared(2, 2);
        let mut seen = std::collections::HashSet::new();
        for (worker, incarnation, thread) in
            (0..8).map(|n: usize| (n & 1, (n >> 1 & 1) as u64, n >> 2 & 1))
        {
            let marks = shared.marks(worker, incarnation, thread);
            assert!(seen.insert(marks.0.as_ptr()));
        }
    }
}
