//! What the supervisor learns: signals, what its children say, and that they have ended.

use std::sync::atomic::Ordering;
use std::time::Instant;

use nix::unistd::Pid;
use wire::control::{FromReactor, FromWorker, Incarnation, ToReactorControl, decode};
use wire::limits::CONTROL_MESSAGES_PER_TURN_MAX;
use wire::shm::Shared;

use super::{Supervisor, end};
use crate::application::Application;
use crate::signals::Order;
use crate::supervisor::process_table::Exit;
use crate::supervisor::spawn;

impl Supervisor {
    /// Does what signals ask for.
    pub(super) fn obey_signals(&mut self, application: &mut dyn Application) {
        let mut reap = false;
        while let Some(order) = self.signals.read() {
            match order {
                Order::Stop => self.table.stop(Instant::now()),
                Order::ShutDown => self.table.shut_down(Instant::now()),
                Order::Reload | Order::Reopen => {
                    self.table.reload();
                    self.reload_tls = true;
                    self.reopen_log |= order == Order::Reopen;
                }
                Order::Reap => reap = true,
            }
        }
        if reap {
            self.reap(application);
        }
    }

    /// Every dead child is reaped, also those that are not ours: in a container the supervisor may
    /// be the process that orphans are given to.
    pub(super) fn reap(&mut self, application: &mut dyn Application) {
        while let Some((pid, exit)) = spawn::reap() {
            self.remove(pid, exit, application);
        }
    }

    fn remove(&mut self, pid: Pid, exit: Exit, application: &mut dyn Application) {
        if self.reactor.as_ref().is_some_and(|child| child.pid == pid) {
            // What it said last counts.
            self.hear_reactor();
            self.watchdog.forget();
            self.reactor = None;
        } else {
            let found = self.workers.iter().find(|(_, child)| child.pid == pid);
            let Some((&incarnation, child)) = found else { return };
            let worker = child.worker;
            self.hear_worker(incarnation);
            self.workers.remove(&incarnation);
            self.tell_reactor(&ToReactorControl::Ended { incarnation }, Vec::new());
            let supervisor = nix::unistd::getpid().as_raw();
            application.worker_reaped(self.identity(worker, incarnation, supervisor));
            let current = self.memory.shared.pid(usize::from(worker));
            if current.load(Ordering::Relaxed) == pid.as_raw() as u64 {
                self.name_worker(worker, 0);
            }
        }
        self.table.exited(pid.as_raw(), exit, Instant::now());
    }

    pub(super) fn hear_children(&mut self) {
        let workers: Vec<Incarnation> = self.workers.keys().copied().collect();
        for incarnation in workers {
            self.hear_worker(incarnation);
        }
        self.hear_reactor();
        self.log.sum_up();
    }

    /// Sees to it that a reactor is replaced of which a thread does not turn any more.
    pub(super) fn look_at_reactor(&mut self) {
        let now = Instant::now();
        let Some(stuck) = self.watchdog.look(turns(self.memory.shared), now) else { return };
        // Who looks at it with a debugger has stopped it, and does not want it killed.
        if self.reactor.as_ref().is_some_and(|reactor| is_traced(reactor.pid)) {
            return self.watchdog.watch(turns(self.memory.shared), now);
        }
        self.table.reactor_stuck(stuck, now);
    }

    /// When [`hear_children`](Self::hear_children) has to say how many lines were left out.
    pub(super) fn summary_due(&self) -> Option<Instant> {
        self.log.due()
    }

    pub(super) fn hear_worker(&mut self, incarnation: Incarnation) {
        let Some(child) = self.workers.get_mut(&incarnation) else { return };
        child.control.flush();
        for _ in 0..CONTROL_MESSAGES_PER_TURN_MAX {
            let Some(packet) = child.control.receive() else { return };
            match decode(&packet.bytes) {
                Ok(FromWorker::Ready) => self.table.worker_ready(incarnation, Instant::now()),
                Ok(FromWorker::Recycle) => self.table.worker_recycle(incarnation),
                Ok(FromWorker::Leaving) => self.table.worker_leaving(incarnation, false),
                Ok(FromWorker::TimedOut) => self.table.worker_leaving(incarnation, true),
                Ok(FromWorker::Reload) => {
                    self.table.reload();
                    self.reload_tls = true;
                }
                Ok(FromWorker::ReloadTls) => self.reload_tls = true,
                Ok(FromWorker::Shutdown) => self.table.shut_down(Instant::now()),
                Err(error) => {
                    if self.log.take_unreadable() {
                        let worker = child.worker;
                        log::error!("worker {worker} is killed: control message: {error}");
                    }
                    // Something else than this program writes to its descriptors.
                    end(child);
                }
            }
        }
    }

    fn hear_reactor(&mut self) {
        while let Some(reactor) = &mut self.reactor {
            reactor.control.flush();
            let Some(packet) = reactor.control.receive() else { return };
            let now = Instant::now();
            match decode(&packet.bytes) {
                Ok(FromReactor::Ready) => {
                    self.table.reactor_ready(now);
                    let turns = turns(self.memory.shared);
                    self.watchdog.watch(turns, now);
                }
                Ok(FromReactor::Reload) => {
                    self.table.reload();
                    self.reload_tls = true;
                }
                Ok(FromReactor::Shutdown) => self.table.shut_down(now),
                Ok(FromReactor::Retired { incarnation }) => self.table.retired(incarnation),
                Ok(FromReactor::Lost { incarnation, request }) => {
                    // A worker that leaves says so before its links end.
                    self.hear_worker(incarnation);
                    self.table.lost(incarnation, request, now);
                }
                Err(error) => {
                    if self.log.take_unreadable() {
                        log::error!("reactor: control message: {error}");
                    }
                }
            }
        }
    }
}

/// How often each thread of the reactor has turned.
fn turns(shared: Shared) -> impl Iterator<Item = u64> {
    (0..shared.threads()).map(move |thread| shared.turns(thread).load(Ordering::Relaxed))
}

/// Whether a debugger or the like is attached to a process.
fn is_traced(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
