//! What the embedder is told from time to time: how every process stands.

use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use wire::metrics;
use wire::shm::{Counter, Shared, WorkerCounter};

use crate::application::{Application, ProcessState, Role};
use crate::supervisor::Supervisor;
use crate::supervisor::process_table::WorkerState;

/// When to tell.
#[derive(Debug)]
pub(crate) struct Reports {
    /// `None`: never.
    pub(crate) due: Option<Instant>,
    /// When the supervisor began.
    pub(crate) since: SystemTime,
}

impl Supervisor {
    /// Tells the embedder, when it is time.
    pub(crate) fn report(&mut self, application: &mut dyn Application, now: Instant) {
        let (Some(due), Some(interval)) = (self.reports.due, self.plan.report_interval) else {
            return;
        };
        if due <= now {
            application.report(&self.processes());
            // One that was missed is not made up for.
            self.reports.due = Some((due + interval).max(now));
        }
    }

    fn processes(&self) -> Vec<ProcessState> {
        let state = self.table.phase();
        let pid = std::process::id() as i32;
        let since = self.reports.since;
        let mut found =
            vec![ProcessState { role: Role::Supervisor, pid, state, requests: 0, since }];
        found.extend(self.reactor.iter().map(|child| ProcessState {
            role: Role::Reactor,
            pid: child.pid.as_raw(),
            state: self.table.reactor_standing(),
            requests: 0,
            since: child.since,
        }));
        let mut workers: Vec<_> = self.workers.iter().collect();
        workers.sort_by_key(|(_, child)| child.worker);
        found.extend(workers.into_iter().map(|(incarnation, child)| {
            let pid = child.pid.as_raw();
            let state = match self.table.standing(*incarnation) {
                WorkerState::Starting => "starting",
                WorkerState::Stopping => "stopping",
                WorkerState::Killed => "killed",
                WorkerState::Ready => self.activity(child.worker, pid),
            };
            let requests = self.figure(child.worker, WorkerCounter::Requests);
            ProcessState {
                role: Role::Worker(child.worker),
                pid,
                state,
                requests,
                since: child.since,
            }
        }));
        found
    }

    /// The gauge is that of the life that was linked last.
    fn activity(&self, worker: u16, pid: i32) -> &'static str {
        let linked = self.memory.shared.pid(usize::from(worker)).load(Ordering::Relaxed);
        let current = linked == pid as u64;
        if current && self.figure(worker, WorkerCounter::Busy) != 0 { "busy" } else { "idle" }
    }

    fn figure(&self, worker: u16, counter: WorkerCounter) -> u64 {
        metrics::figure(self.memory.shared, usize::from(worker), counter)
    }
}

/// How much is going on, for people who ask a service manager.
pub(crate) fn status(shared: Shared) -> String {
    let [_, (_, busy), ..] = metrics::workers_by_state(shared);
    format!(
        "{busy} of {} workers busy, {} requests waiting, {} connections, {} requests so far",
        shared.workers(),
        shared.get(Counter::Queued),
        shared.get(Counter::Connections),
        shared.get(Counter::Requests),
    )
}
