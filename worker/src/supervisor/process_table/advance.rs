//! What the table does by itself as time goes on.

use std::time::{Duration, Instant};

use wire::control::Incarnation;
use wire::limits::{END_GRACE, STOP_TIME_MIN};

use super::slot::{ProcessStage, WorkerProcess};
use super::{Action, Note, ProcessTable, ReactorState, Round, ServerPhase, Work};

impl ProcessTable {
    /// When [`ProcessTable::poll`] must be asked again, if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            ServerPhase::Draining { kill_at } | ServerPhase::Stopping { kill_at } => kill_at,
            _ => None,
        };
        let reactor = (self.phase == ServerPhase::Running
            && self.reactor.state == ReactorState::Down)
            .then(|| self.reactor.backoff.not_before())
            .flatten();
        let unreported = self.unreported.iter().map(|exit| exit.due);
        let slots = self.slots.iter().enumerate().flat_map(|(worker, slot)| {
            let respawn =
                self.wants_fork(worker).then(|| slot.backoff.not_before()).flatten().into_iter();
            respawn.chain(slot.lives.iter().filter_map(|life| match life.stage {
                ProcessStage::Booting { kill_at } | ProcessStage::Retiring { kill_at } => {
                    Some(kill_at)
                }
                _ => None,
            }))
        });
        let stuck = self.reactor.kill_at;
        phase.into_iter().chain(reactor).chain(stuck).chain(unreported).chain(slots).min()
    }

    pub(super) fn advance(&mut self, now: Instant) {
        self.report_overdue(now);
        self.kill_overdue_workers(now);
        if self.reactor.kill_at.is_some_and(|at| at <= now) {
            self.reactor.kill_at = None;
            self.actions.push_back(Action::KillReactor);
        }
        match self.phase {
            ServerPhase::Running => {
                self.fork_reactor(now);
                self.advance_round();
                self.fork_workers(now);
                self.link_workers();
                self.announce();
            }
            ServerPhase::Draining { kill_at } => {
                self.fork_workers(now);
                self.link_workers();
                if kill_at.is_some_and(|at| at <= now) {
                    self.note(Note::Overdue { worker: None, pid: self.reactor.pid });
                    self.actions.push_back(Action::KillReactor);
                    self.phase = ServerPhase::Draining { kill_at: None };
                }
            }
            ServerPhase::Stopping { kill_at } => {
                if kill_at.is_some_and(|at| at <= now) {
                    self.note_overdue_workers();
                    self.kill_all();
                    self.phase = ServerPhase::Stopping { kill_at: None };
                }
                self.end_if_alone();
            }
            ServerPhase::Killing => self.end_if_alone(),
            ServerPhase::Over => {}
        }
    }

    pub(super) fn begin_round(&mut self) {
        self.note(Note::ReloadBegun);
        self.round = Some(Round { mark: self.last_incarnation + 1, slot: 0 });
    }

    pub(super) fn end_round(&mut self) {
        self.round = None;
        if std::mem::take(&mut self.round_again) {
            self.begin_round();
        }
    }

    /// Stops accepting and lets the reactor finish what it has.
    pub(super) fn drain(&mut self, within: Duration, now: Instant) {
        self.round = None;
        self.round_again = false;
        let kill_at = Some(now + within + END_GRACE);
        self.actions.push_back(Action::Drain(within));
        match self.reactor.state {
            ReactorState::Down => self.stop_workers(kill_at, now),
            _ => self.phase = ServerPhase::Draining { kill_at },
        }
    }

    /// Lets the workers end, now that there is no reactor.
    pub(super) fn stop_workers(&mut self, kill_at: Option<Instant>, now: Instant) {
        let least = now + STOP_TIME_MIN;
        let kill_at = kill_at.map_or(least, |at| at.max(least));
        self.phase = ServerPhase::Stopping { kill_at: Some(kill_at) };
        for life in self.slots.iter().flat_map(|slot| &slot.lives) {
            self.actions.push_back(Action::Stop(life.incarnation));
        }
    }

    pub(super) fn kill_all(&mut self) {
        for life in self.slots.iter_mut().flat_map(|slot| &mut slot.lives) {
            life.stage = ProcessStage::Killed;
            self.actions.push_back(Action::Kill(life.incarnation));
        }
        if self.reactor.state != ReactorState::Down {
            self.actions.push_back(Action::KillReactor);
        }
    }

    fn report_overdue(&mut self, now: Instant) {
        while let Some(at) = self.unreported.iter().position(|exit| exit.due <= now) {
            let exit = self.unreported.swap_remove(at);
            self.report_exit(exit, Work::Unknown);
        }
    }

    fn kill_overdue_workers(&mut self, now: Instant) {
        for (worker, slot) in self.slots.iter_mut().enumerate() {
            for life in &mut slot.lives {
                match life.stage {
                    // It may have become ready in time, and nobody has had the time to listen.
                    ProcessStage::Booting { kill_at } if kill_at <= now => {
                        self.actions.push_back(Action::Hear(life.incarnation));
                    }
                    ProcessStage::Retiring { kill_at } if kill_at <= now => {
                        life.stage = ProcessStage::Killed;
                        let (worker, pid) = (worker as u16, life.pid);
                        let note = match life.lost {
                            Some(_) => Note::WorkerUnlinked { worker, pid, killed: true },
                            None => Note::Overdue { worker: Some(worker), pid },
                        };
                        self.actions.push_back(Action::Note(note));
                        self.actions.push_back(Action::Kill(life.incarnation));
                    }
                    _ => {}
                }
            }
        }
    }

    fn note_overdue_workers(&mut self) {
        for (worker, slot) in self.slots.iter().enumerate() {
            for life in slot.lives.iter().filter(|life| life.stage != ProcessStage::Killed) {
                let note = Note::Overdue { worker: Some(worker as u16), pid: life.pid };
                self.actions.push_back(Action::Note(note));
            }
        }
    }

    fn fork_reactor(&mut self, now: Instant) {
        if self.reactor.state == ReactorState::Down && self.reactor.backoff.allows(now) {
            self.reactor.state = ReactorState::Booting;
            self.reactor.pid = 0;
            let again = std::mem::take(&mut self.reactor.died);
            self.actions.push_back(Action::ForkReactor { again });
        }
    }

    fn fork_workers(&mut self, now: Instant) {
        for worker in 0..self.slots.len() {
            if !self.wants_fork(worker) || !self.slots[worker].backoff.allows(now) {
                continue;
            }
            self.count_restart(worker);
            let slot = &mut self.slots[worker];
            let incarnation = slot.next_incarnation(self.last_incarnation);
            self.last_incarnation = incarnation;
            slot.latest = Some(incarnation);
            slot.lives.push(WorkerProcess::new(incarnation, now + self.start_time_max));
            let again = std::mem::take(&mut slot.died);
            let worker = worker as u16;
            self.actions.push_back(Action::ForkWorker { worker, incarnation, again });
        }
    }

    fn wants_fork(&self, worker: usize) -> bool {
        let slot = &self.slots[worker];
        match self.phase {
            ServerPhase::Running => slot.wants_fork(self.renewed_before(worker)),
            // Requests in flight may still need a worker, but nobody is replaced any more.
            ServerPhase::Draining { .. } => slot.ready().is_none() && slot.wants_fork(None),
            _ => false,
        }
    }

    pub(super) fn renewed_before(&self, worker: usize) -> Option<Incarnation> {
        self.round.filter(|round| round.slot == worker).map(|round| round.mark)
    }

    fn link_workers(&mut self) {
        if !matches!(self.reactor.state, ReactorState::Ready { .. }) {
            return;
        }
        for (worker, slot) in self.slots.iter().enumerate() {
            let Some(incarnation) = slot.unlinked() else { continue };
            // The reactor may still look at the marks of one that has just died.
            let haunted = self.unreported.iter().any(|exit| {
                usize::from(exit.worker) == worker && exit.incarnation & 1 == incarnation & 1
            });
            if !haunted {
                self.actions.push_back(Action::Link { worker: worker as u16, incarnation });
            }
        }
    }

    fn advance_round(&mut self) {
        while let Some(round) = self.round {
            match self.slots.get(round.slot) {
                None => {
                    self.tally.reloads += 1;
                    self.note(Note::ReloadDone);
                    self.end_round();
                }
                Some(slot) if slot.has_older_than(round.mark) => return,
                Some(_) => self.round = Some(Round { slot: round.slot + 1, ..round }),
            }
        }
    }

    fn announce(&mut self) {
        let up = || self.slots.iter().all(|slot| slot.ready().is_some_and(|life| life.linked));
        if !self.started && matches!(self.reactor.state, ReactorState::Ready { .. }) && up() {
            self.started = true;
            self.actions.push_back(Action::Started);
        }
    }

    fn end_if_alone(&mut self) {
        let alone = self.reactor.state == ReactorState::Down
            && self.slots.iter().all(|slot| slot.lives.is_empty());
        if !alone {
            return;
        }
        for exit in std::mem::take(&mut self.unreported) {
            self.report_exit(exit, Work::Unknown);
        }
        self.phase = ServerPhase::Over;
        let result = self.fault.take().map_or(Ok(()), Err);
        self.actions.push_back(Action::End { started: self.started, result });
    }
}
