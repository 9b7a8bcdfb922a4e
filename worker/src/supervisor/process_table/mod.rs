//! [`ProcessTable`]: which processes there are and which there should be.
//!
//! A state machine without I/O: what happened goes in by the methods of this file, what to do comes
//! out of [`ProcessTable::poll`], time is an argument.
//!
//! ```text
//!  running ──stop, fault──▶ draining ──reactor gone──▶ stopping ──all gone──▶ over
//!                              └────second signal────▶ killing ──all gone──────▲
//! ```

mod action;
mod advance;
mod backoff;
mod ends;
mod events;
mod slot;
mod tally;
#[cfg(test)]
mod tests;
mod worker_state;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use wire::control::{Incarnation, LostRequest};
use wire::limits::{ABORT_TIME_MAX, END_GRACE, STOP_TIME_MIN, WAIT_TIME_MAX};

use crate::application::WorkerFailure;
use crate::plan::SuperviseError;
use crate::supervisor::watchdog::Stuck;
pub(crate) use action::{Action, Exit, Note, ProcessName, Work};
use backoff::Backoff;
use ends::work;
use slot::{ProcessStage, Slot, WorkerProcess};
pub(crate) use tally::Replacements;
pub(crate) use worker_state::WorkerState;

/// Which processes there are and which there should be.
#[derive(Debug)]
pub(crate) struct ProcessTable {
    max_wait_time: Duration,
    start_time_max: Duration,
    phase: ServerPhase,
    reactor: Reactor,
    slots: Vec<Slot>,
    round: Option<Round>,
    /// Whether another reload was asked for during this one.
    round_again: bool,
    last_incarnation: Incarnation,
    unreported: Vec<UnreportedExit>,
    actions: VecDeque<Action>,
    fault: Option<SuperviseError>,
    started: bool,
    tally: Replacements,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServerPhase {
    Running,
    /// The reactor finishes; it is killed then.
    Draining {
        kill_at: Option<Instant>,
    },
    /// The workers end; they are killed then.
    Stopping {
        kill_at: Option<Instant>,
    },
    /// Everything has been killed.
    Killing,
    Over,
}

#[derive(Debug, Default)]
struct Reactor {
    pid: i32,
    state: ReactorState,
    backoff: Backoff,
    died: bool,
    /// When it is killed, having been told to end because it is stuck.
    kill_at: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ReactorState {
    #[default]
    Down,
    Booting,
    Ready {
        since: Instant,
    },
}

/// A reload: every life from before `mark` is replaced, one slot after another.
#[derive(Debug, Clone, Copy)]
struct Round {
    mark: Incarnation,
    slot: usize,
}

/// A worker that was reaped before the reactor has said that its links have ended.
#[derive(Debug)]
struct UnreportedExit {
    worker: u16,
    incarnation: Incarnation,
    due: Instant,
    /// What is to be written once the reactor has spoken.
    failure: Option<WorkerFailure>,
}

impl ProcessTable {
    /// A server that is to be started, whose workers are to be ready within `start_time_max`.
    pub(crate) fn new(workers: u16, max_wait_time: Duration, start_time_max: Duration) -> Self {
        Self {
            max_wait_time: max_wait_time.min(WAIT_TIME_MAX),
            start_time_max: start_time_max.min(WAIT_TIME_MAX),
            phase: ServerPhase::Running,
            reactor: Reactor::default(),
            slots: (0..workers).map(|_| Slot::default()).collect(),
            round: None,
            round_again: false,
            last_incarnation: 0,
            unreported: Vec::new(),
            actions: VecDeque::new(),
            fault: None,
            started: false,
            tally: Replacements::default(),
        }
    }

    /// The next thing to do. The supervisor does it before it asks again.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Action> {
        if self.actions.is_empty() {
            self.advance(now);
        }
        self.actions.pop_front()
    }

    /// The reactor was forked, or could not be.
    pub(crate) fn reactor_forked(&mut self, pid: Option<i32>, now: Instant) {
        match pid {
            Some(pid) => self.reactor.pid = pid,
            None => {
                self.note(Note::ForkFailed { worker: None });
                self.reactor_boot_failed("could not be forked".into(), now);
            }
        }
    }

    /// A worker was forked, or could not be.
    pub(crate) fn worker_forked(&mut self, name: Incarnation, pid: Option<i32>, now: Instant) {
        let Some((worker, index)) = self.find(|life| life.incarnation == name) else { return };
        match pid {
            Some(pid) => {
                let life = &mut self.slots[worker].lives[index];
                life.pid = pid;
                // Its time begins now: to fork those before it may have taken long.
                life.stage = ProcessStage::Booting { kill_at: now + self.start_time_max };
            }
            None => {
                self.slots[worker].lives.remove(index);
                self.note(Note::ForkFailed { worker: Some(worker as u16) });
                self.worker_boot_failed(worker, "could not be forked".into(), now);
            }
        }
    }

    /// The reactor is ready.
    pub(crate) fn reactor_ready(&mut self, now: Instant) {
        if self.reactor.state == ReactorState::Booting {
            self.reactor.state = ReactorState::Ready { since: now };
            self.reactor.backoff.ready();
        }
    }

    /// A thread of the reactor does not turn any more.
    pub(crate) fn reactor_stuck(&mut self, stuck: Stuck, now: Instant) {
        if self.phase != ServerPhase::Running || self.reactor.state == ReactorState::Down {
            return;
        }
        let Stuck { thread, after } = stuck;
        self.note(Note::ReactorStuck { pid: self.reactor.pid, thread, after });
        self.actions.push_back(Action::AbortReactor);
        self.reactor.kill_at = Some(now + ABORT_TIME_MAX);
    }

    /// A worker is ready.
    pub(crate) fn worker_ready(&mut self, incarnation: Incarnation, now: Instant) {
        let Some((worker, index)) = self.find(|life| life.incarnation == incarnation) else {
            return;
        };
        let slot = &mut self.slots[worker];
        if let ProcessStage::Booting { .. } = slot.lives[index].stage {
            slot.lives[index].stage = ProcessStage::Ready { since: now };
            slot.backoff.ready();
        }
    }

    /// All that this worker had said was reported.
    pub(crate) fn heard(&mut self, incarnation: Incarnation, now: Instant) {
        let Some((worker, index)) = self.find(|life| life.incarnation == incarnation) else {
            return;
        };
        let life = &mut self.slots[worker].lives[index];
        if matches!(life.stage, ProcessStage::Booting { kill_at } if kill_at <= now) {
            life.stage = ProcessStage::Late;
            let (worker, pid, after) = (worker as u16, life.pid, self.start_time_max);
            self.note(Note::WorkerLate { worker, pid, after });
            self.actions.push_back(Action::Kill(incarnation));
        }
    }

    /// A worker asks to be replaced.
    pub(crate) fn worker_recycle(&mut self, incarnation: Incarnation) {
        if let Some((worker, index)) = self.find(|life| life.incarnation == incarnation) {
            self.slots[worker].lives[index].recycle = true;
        }
    }

    /// A worker ends by its own decision, or because a request took longer than it may.
    pub(crate) fn worker_leaving(&mut self, incarnation: Incarnation, timed_out: bool) {
        if let Some((worker, index)) = self.find(|life| life.incarnation == incarnation) {
            let life = &mut self.slots[worker].lives[index];
            (life.leaving, life.timed_out) = (true, timed_out);
        }
    }

    /// The ends of new links were given away, or that failed.
    pub(crate) fn linked(&mut self, incarnation: Incarnation, done: bool, now: Instant) {
        let Some((worker, index)) = self.find(|life| life.incarnation == incarnation) else {
            return;
        };
        if !done {
            let slot = &mut self.slots[worker];
            slot.lives[index].stage = ProcessStage::Killed;
            // What it lacked, its successor may lack as well.
            slot.backoff.died(now, now);
            slot.died = true;
            return self.actions.push_back(Action::Kill(incarnation));
        }
        self.slots[worker].lives[index].linked = true;
        // The successor is there: its predecessors may go.
        for former in 0..self.slots[worker].lives.len() {
            let life = &self.slots[worker].lives[former];
            if former != index && life.is_ready() {
                self.retire(worker, former, now);
            }
        }
    }

    /// The reactor: the links of this worker have ended from the worker's side.
    pub(crate) fn lost(&mut self, name: Incarnation, request: Option<LostRequest>, now: Instant) {
        if let Some(at) = self.unreported.iter().position(|exit| exit.incarnation == name) {
            let exit = self.unreported.swap_remove(at);
            return self.report_exit(exit, work(Some(request)));
        }
        let Some((worker, index)) = self.find(|life| life.incarnation == name) else { return };
        let slot = &mut self.slots[worker];
        let life = &mut slot.lives[index];
        life.linked = false;
        life.lost = Some(request);
        // Nobody can reach it any more. Most likely it is dead and only not reaped yet. But it may
        // have lost a link only, and live: then it is to end.
        if let ProcessStage::Ready { since } = life.stage {
            if !life.leaving {
                slot.backoff.died(since, now);
                slot.died = true;
                self.actions.push_back(Action::Stop(name));
            }
            life.stage = ProcessStage::Retiring { kill_at: now + STOP_TIME_MIN };
        }
    }

    /// The reactor: the links of this worker are closed in good order.
    pub(crate) fn retired(&mut self, incarnation: Incarnation) {
        if let Some(at) = self.unreported.iter().position(|exit| exit.incarnation == incarnation) {
            let exit = self.unreported.swap_remove(at);
            self.report_exit(exit, Work::Idle);
        } else if let Some((worker, index)) = self.find(|life| life.incarnation == incarnation) {
            self.slots[worker].lives[index].linked = false;
        }
    }

    /// A child was reaped.
    pub(crate) fn exited(&mut self, pid: i32, exit: Exit, now: Instant) {
        if pid == self.reactor.pid && self.reactor.state != ReactorState::Down {
            self.reactor_exited(exit, now);
        } else if let Some((worker, index)) = self.find(|life| life.pid == pid) {
            self.worker_exited(worker, index, exit, now);
        }
    }

    /// A worker asks for a stop.
    pub(crate) fn shut_down(&mut self, now: Instant) {
        if self.phase == ServerPhase::Running {
            self.stop(now);
        }
    }

    /// SIGTERM or SIGINT.
    pub(crate) fn stop(&mut self, now: Instant) {
        match self.phase {
            ServerPhase::Running => {
                self.note(Note::Stopping);
                self.drain(self.max_wait_time, now);
            }
            ServerPhase::Draining { .. } | ServerPhase::Stopping { .. } => {
                self.note(Note::Killing);
                self.kill_all();
                self.phase = ServerPhase::Killing;
            }
            ServerPhase::Killing | ServerPhase::Over => {}
        }
    }

    /// SIGUSR1.
    pub(crate) fn reload(&mut self) {
        if self.phase != ServerPhase::Running {
            return;
        }
        match self.round {
            Some(_) => self.round_again = true,
            None => self.begin_round(),
        }
    }

    /// The server cannot go on.
    pub(crate) fn fail(&mut self, error: SuperviseError, now: Instant) {
        if self.phase == ServerPhase::Running {
            self.fault = Some(error);
            // Without a worker, nothing that waits will be answered.
            let served = self.started && self.slots.iter().any(|slot| slot.ready().is_some());
            self.drain(if served { self.max_wait_time } else { Duration::ZERO }, now);
        }
    }

    fn retire(&mut self, worker: usize, index: usize, now: Instant) {
        let kill_at = now + self.max_wait_time + END_GRACE;
        let life = &mut self.slots[worker].lives[index];
        life.stage = ProcessStage::Retiring { kill_at };
        if life.linked {
            self.actions.push_back(Action::Retire(life.incarnation));
        }
        self.actions.push_back(Action::Stop(life.incarnation));
    }

    fn note(&mut self, note: Note) {
        self.actions.push_back(Action::Note(note));
    }

    fn find(&self, wanted: impl Fn(&WorkerProcess) -> bool) -> Option<(usize, usize)> {
        self.slots
            .iter()
            .enumerate()
            .find_map(|(worker, slot)| Some((worker, slot.lives.iter().position(&wanted)?)))
    }
}
