//! What follows from the end of a process.

use std::time::Instant;

use wire::control::LostRequest;
use wire::limits::{BOOT_FAILURES_MAX, LOST_REPORT_WAIT_MAX};

use super::action::ProcessName;
use super::slot::{ProcessStage, WorkerProcess};
use super::{Action, Exit, Note, ProcessTable, ReactorState, ServerPhase, UnreportedExit, Work};
use crate::application::{FailureReason, WorkerFailure};
use crate::plan::SuperviseError;

impl ProcessTable {
    pub(super) fn reactor_exited(&mut self, exit: Exit, now: Instant) {
        let reactor = &mut self.reactor;
        let (pid, state) = (reactor.pid, std::mem::take(&mut reactor.state));
        self.reactor.died = true;
        self.reactor.kill_at = None;
        // Its links are gone with it, and so is what it knew.
        for life in self.slots.iter_mut().flat_map(|slot| &mut slot.lives) {
            life.linked = false;
        }
        for unreported in std::mem::take(&mut self.unreported) {
            self.report_exit(unreported, Work::Unknown);
        }
        match self.phase {
            ServerPhase::Running => {
                let since = match state {
                    ReactorState::Ready { since } => Some(since),
                    _ => None,
                };
                self.note(Note::ReactorEnded { pid, exit, ready: since.is_some() });
                match since {
                    Some(since) => self.reactor.backoff.died(since, now),
                    None => self.reactor_boot_failed(exit.to_string(), now),
                }
            }
            ServerPhase::Draining { kill_at } => self.stop_workers(kill_at, now),
            _ => {}
        }
    }

    pub(super) fn worker_exited(&mut self, worker: usize, index: usize, exit: Exit, now: Instant) {
        let life = self.slots[worker].lives.remove(index);
        let ours = matches!(self.phase, ServerPhase::Stopping { .. } | ServerPhase::Killing)
            && life.stage == ProcessStage::Killed;
        let booting = life.is_booting();
        let failure = (exit != Exit::Code(0) || booting) && !life.leaving && !ours;
        let failure = failure.then(|| failure_of(worker, &life, exit));
        if failure.is_none() && life.lost.is_some() && !life.leaving && !ours {
            let (worker, pid) = (worker as u16, life.pid);
            self.note(Note::WorkerUnlinked { worker, pid, killed: false });
        }
        let unreported = UnreportedExit {
            worker: worker as u16,
            incarnation: life.incarnation,
            due: now + LOST_REPORT_WAIT_MAX,
            failure,
        };
        if life.linked {
            self.unreported.push(unreported);
        } else if life.stage == ProcessStage::Late {
            // Why it ended was said when it was killed.
            self.actions.extend(unreported.failure.map(Action::Failed));
        } else {
            self.report_exit(unreported, if booting { Work::Booting } else { work(life.lost) });
        }
        // One that has its successor already has been counted.
        let slot = &mut self.slots[worker];
        let succeeded = slot.lives.iter().any(|life| life.is_booting() || life.is_ready());
        slot.left |= life.leaving && !succeeded;
        slot.timed_out |= life.timed_out && !succeeded;
        match life.stage {
            ProcessStage::Booting { .. } => self.worker_boot_failed(worker, exit.to_string(), now),
            ProcessStage::Late => {
                let how = format!("was not ready after {} s", self.start_time_max.as_secs_f64());
                self.worker_boot_failed(worker, how, now);
            }
            ProcessStage::Ready { since } if !life.leaving => {
                self.slots[worker].died = true;
                self.slots[worker].backoff.died(since, now);
            }
            _ => {}
        }
    }

    pub(super) fn reactor_boot_failed(&mut self, how: String, now: Instant) {
        self.reactor.state = ReactorState::Down;
        if self.reactor.backoff.boot_failed(now) {
            self.fail(boot_loop(None, &how), now);
        }
    }

    pub(super) fn worker_boot_failed(&mut self, worker: usize, how: String, now: Instant) {
        let exhausted = self.slots[worker].backoff.boot_failed(now);
        if self.slots[worker].ready().is_some() {
            // It was to be a successor: the predecessor serves on.
            if self.round.is_some_and(|round| round.slot == worker) {
                self.tally.abandoned += 1;
                self.note(Note::ReloadAbandoned { worker: worker as u16 });
                self.end_round();
            }
            return;
        }
        // As long as others serve, a server that has been up keeps trying.
        let served = self.started && self.slots.iter().any(|slot| slot.ready().is_some());
        if exhausted && !served {
            self.fail(boot_loop(Some(worker as u16), &how), now);
        }
    }

    pub(super) fn report_exit(&mut self, unreported: UnreportedExit, work: Work) {
        let Some(failure) = unreported.failure else { return };
        let exit = match failure.signal {
            0 => Exit::Code(failure.exit_code),
            signal => Exit::Signal(signal),
        };
        let (worker, pid) = (unreported.worker, failure.pid);
        self.note(Note::WorkerEnded { worker, pid, exit, work });
        self.actions.push_back(Action::Failed(failure));
    }
}

pub(super) fn work(lost: Option<Option<LostRequest>>) -> Work {
    match lost {
        None => Work::Unknown,
        Some(None) => Work::Idle,
        Some(Some(request)) => Work::Request(request),
    }
}

fn failure_of(worker: usize, life: &WorkerProcess, exit: Exit) -> WorkerFailure {
    let (exit_code, signal) = match exit {
        Exit::Code(code) => (code, 0),
        Exit::Signal(signal) => (0, signal),
    };
    let reason = match (life.stage, exit) {
        (ProcessStage::Late, _) => FailureReason::StartTimeout,
        (ProcessStage::Booting { .. }, _) => FailureReason::StartFailed,
        (ProcessStage::Killed, _) if life.lost.is_some() => FailureReason::LinkLost,
        (ProcessStage::Killed, _) => FailureReason::StopTimeout,
        (_, Exit::TIMED_OUT) => FailureReason::RequestTimeout,
        (_, Exit::Code(_)) => FailureReason::Exit,
        (_, Exit::Signal(_)) => FailureReason::Signal,
    };
    WorkerFailure { worker: worker as u16, pid: life.pid, exit_code, signal, reason }
}

fn boot_loop(worker: Option<u16>, how: &str) -> SuperviseError {
    let who = ProcessName(worker);
    let times = BOOT_FAILURES_MAX;
    let advice = match worker {
        Some(_) => {
            "a WorkerStart callback (or a worker_script) that fails or hangs is the usual cause; see the \
             log lines above"
        }
        None => "see the log lines above",
    };
    SuperviseError::BootLoop(format!(
        "{who} did not become ready {times} times in a row (the last one {how}): {advice}"
    ))
}
