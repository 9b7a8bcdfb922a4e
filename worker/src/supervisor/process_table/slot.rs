//! [`Slot`]: the place of one worker, and the lives that hold it one after another.

use std::time::Instant;

use wire::control::{Incarnation, LostRequest};

use super::backoff::Backoff;

/// The place of one worker. During a replacement two processes hold it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Processes that have not been reaped, oldest first; at most two.
    pub(crate) lives: Vec<WorkerProcess>,
    /// Failures of this place.
    pub(crate) backoff: Backoff,
    /// The latest incarnation ever.
    pub(crate) latest: Option<Incarnation>,
    /// Whether the next process takes the place of one that died.
    pub(crate) died: bool,
    /// Whether the last process has ended by its own decision.
    pub(crate) left: bool,
    /// Whether it has because a request took longer than it may.
    pub(crate) timed_out: bool,
    /// Processes that took the place of another.
    pub(crate) restarts: u32,
}

/// One worker process.
///
/// ```text
///  booting ──Ready──▶ ready ──successor linked, or links lost──▶ retiring ──▶ (reaped)
///     │ │               └──────────────died─────────────────────────────────▶ (reaped)
///     │ └───────────failed──────────────────────────────────────────────────▶ (reaped)
///     └──not ready in time──▶ late ─────────────────────────────────────────▶ (reaped)
/// ```
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    /// Its name.
    pub(crate) incarnation: Incarnation,
    /// Its process; 0 until the fork is reported.
    pub(crate) pid: i32,
    /// Where it stands.
    pub(crate) stage: ProcessStage,
    /// Whether the present reactor has links to it.
    pub(crate) linked: bool,
    /// Whether it has asked to be replaced.
    pub(crate) recycle: bool,
    /// Whether it has said that it ends by its own decision.
    pub(crate) leaving: bool,
    /// It has, because a request took longer than it may.
    pub(crate) timed_out: bool,
    /// The reactor's word on the end of its links: the request in work, if there was one.
    pub(crate) lost: Option<Option<LostRequest>>,
}

/// Where a worker process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessStage {
    /// Its `WorkerStart` callback runs.
    Booting {
        /// When it is killed.
        kill_at: Instant,
    },
    /// It has been killed because it was not ready in time, and has not been reaped yet.
    Late,
    /// It serves, or would if there were a reactor.
    Ready {
        /// When it became ready.
        since: Instant,
    },
    /// It finishes what it has and ends.
    Retiring {
        /// When it is killed.
        kill_at: Instant,
    },
    /// It has been killed and not yet been reaped.
    Killed,
}

impl WorkerProcess {
    /// A process that is about to be forked, and is to be ready by `kill_at`.
    pub(crate) fn new(incarnation: Incarnation, kill_at: Instant) -> Self {
        Self {
            incarnation,
            pid: 0,
            stage: ProcessStage::Booting { kill_at },
            linked: false,
            recycle: false,
            leaving: false,
            timed_out: false,
            lost: None,
        }
    }

    /// Whether it has not become ready.
    pub(crate) fn is_booting(&self) -> bool {
        matches!(self.stage, ProcessStage::Booting { .. } | ProcessStage::Late)
    }

    /// Whether it serves.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.stage, ProcessStage::Ready { .. })
    }
}

impl Slot {
    /// Whether a process is to be forked, time apart. `renew_before`: lives older than this
    /// incarnation are to be replaced.
    pub(crate) fn wants_fork(&self, renew_before: Option<Incarnation>) -> bool {
        if self.lives.len() >= 2 || self.lives.iter().any(WorkerProcess::is_booting) {
            return false;
        }
        match self.ready() {
            None => true,
            Some(life) => life.recycle || renew_before.is_some_and(|mark| life.incarnation < mark),
        }
    }

    /// The latest life that is ready.
    pub(crate) fn ready(&self) -> Option<&WorkerProcess> {
        self.lives.iter().rfind(|life| life.is_ready())
    }

    /// The number of the next incarnation after `last`. Two that live side by side must differ in
    /// parity: their started marks are kept apart by it.
    pub(crate) fn next_incarnation(&self, last: Incarnation) -> Incarnation {
        let neighbour = self.lives.last().map(|life| life.incarnation).or(self.latest);
        let next = last + 1;
        if neighbour.is_some_and(|other| other & 1 == next & 1) { next + 1 } else { next }
    }

    /// The life that should be linked and is not: the latest that is ready, unless another one with
    /// the same marks is still linked.
    pub(crate) fn unlinked(&self) -> Option<Incarnation> {
        let life = self.ready().filter(|life| !life.linked)?;
        let parity = life.incarnation & 1;
        let taken = self.lives.iter().any(|l| l.linked && l.incarnation & 1 == parity);
        (!taken).then_some(life.incarnation)
    }

    /// Whether a life from before `mark` is still there.
    pub(crate) fn has_older_than(&self, mark: Incarnation) -> bool {
        self.lives.iter().any(|life| life.incarnation < mark)
    }
}
