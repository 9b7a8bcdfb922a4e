//! The supervisor's loop: it does what the [`ProcessTable`] says and tells it what happened.

mod bounded_log;
mod hear;
pub(crate) mod process_table;
mod publish;
pub(crate) mod report;
mod service_manager;
pub(crate) mod spawn;
mod watchdog;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use wire::PoolId;
use wire::control::{Incarnation, ToReactorControl, ToWorkerControl, encode};
use wire::shm::{Counter, WorkerCounter};

use self::bounded_log::BoundedLog;
use self::spawn::{ProcessKind, Side};
use crate::application::{Application, ApplicationError, ReactorBoot, WorkerIdentity};
use crate::control::{self, ChildControl, WorkerControl};
use crate::control_signals;
use crate::membership::{self, PrivateFd, is_forked_copy};
use crate::plan::{Plan, SuperviseError};
use crate::runtime::serve::WorkerContext;
use crate::shared_memory::SharedMemory;
use crate::signals::Signals;
use crate::supervisor::process_table::{Action, ProcessTable};
use crate::supervisor::report::{Reports, status};
use crate::supervisor::service_manager::ServiceManager;
use crate::supervisor::watchdog::Watchdog;

/// The supervisor. It has one thread for all its life, and never waits but in `poll`.
#[derive(Debug)]
pub(crate) struct Supervisor {
    pub(crate) plan: Plan,
    pub(crate) memory: SharedMemory,
    /// As in the plan. Where a callback's child held them, no other server could listen there.
    listeners: Vec<PrivateFd>,
    datagrams: Vec<Vec<PrivateFd>>,
    signals: Signals,
    pub(crate) table: ProcessTable,
    pub(crate) reactor: Option<Child>,
    pub(crate) workers: BTreeMap<Incarnation, Child>,
    /// Whether the reactor is to read its certificates again.
    reload_tls: bool,
    log: BoundedLog,
    /// Whether the log is to be opened anew.
    reopen_log: bool,
    watchdog: Watchdog,
    pub(crate) reports: Reports,
    service_manager: ServiceManager,
}

/// What has become of the process that ran the supervisor.
#[derive(Debug)]
pub(crate) enum LoopExit {
    /// It is the supervisor still, and everything has ended.
    Ended(Result<(), SuperviseError>),
    /// It is a new reactor.
    Reactor(ReactorBoot),
    /// It is a new worker.
    Worker(WorkerContext),
    /// It is a process that a callback has forked.
    ForkedCopy,
}

#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: Pid,
    control: ChildControl,
    /// The worker's id; 0 for the reactor.
    pub(crate) worker: u16,
    /// When it was forked.
    pub(crate) since: SystemTime,
}

impl Supervisor {
    /// A supervisor that has its signals and its memory, and no child yet.
    pub(crate) fn new(mut plan: Plan) -> Result<Self, SuperviseError> {
        let memory = SharedMemory::map(plan.pools.workers(), plan.reactor_threads)
            .map_err(system("memory that the processes share"))?;
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        memory.shared.counter(Counter::StartedAt).store(since_1970.as_secs(), Ordering::Relaxed);
        membership::begin().map_err(system("mmap"))?;
        let watchdog = Watchdog::new(plan.settings.reactor_watchdog_time);
        let signals = Signals::take().map_err(system("signalfd"))?;
        let due = plan.report_interval.map(|_| Instant::now());
        let table = ProcessTable::new(
            plan.pools.workers(),
            plan.settings.max_wait_time,
            plan.settings.worker_start_timeout,
        );
        let own = |sockets: Vec<OwnedFd>| sockets.into_iter().map(PrivateFd::from).collect();
        Ok(Self {
            listeners: own(std::mem::take(&mut plan.listeners)),
            datagrams: std::mem::take(&mut plan.datagrams).into_iter().map(own).collect(),
            plan,
            memory,
            signals,
            table,
            reactor: None,
            workers: BTreeMap::new(),
            reload_tls: false,
            log: BoundedLog::new(),
            reopen_log: false,
            watchdog,
            reports: Reports { due, since: SystemTime::now() },
            service_manager: ServiceManager::of_environment(),
        })
    }

    /// Runs until everything has ended; or returns in a new child, which then holds nothing of the
    /// supervisor's any more.
    pub(crate) fn run(mut self, application: &mut dyn Application) -> LoopExit {
        application.mapped(self.memory.shared);
        loop {
            // Before a reload begins: new workers write where the supervisor does.
            if std::mem::take(&mut self.reopen_log) {
                self.reopen_logs(application);
            }
            while let Some(action) = self.table.poll(Instant::now()) {
                let turn = self.perform(action, application);
                if is_forked_copy() {
                    return LoopExit::ForkedCopy;
                }
                if let Some(turn) = turn {
                    return turn;
                }
            }
            if std::mem::take(&mut self.reload_tls) | control_signals::take_tls_reload() {
                self.tell_reactor(&ToReactorControl::ReloadTls, Vec::new());
            }
            // After what was done, and before what comes: whoever looks meanwhile sees how it is.
            self.publish();
            if let Err(error) = self.wait() {
                self.kill_everything();
                return LoopExit::Ended(Err(SuperviseError::System("poll", error as i32)));
            }
            self.obey_signals(application);
            self.hear_children();
            self.look_at_reactor();
            self.report(application, Instant::now());
            self.service_manager.report(|| status(self.memory.shared), Instant::now());
        }
    }

    fn perform(&mut self, action: Action, application: &mut dyn Application) -> Option<LoopExit> {
        match action {
            Action::ForkReactor { again } => return self.fork_reactor(again),
            Action::ForkWorker { worker, incarnation, again } => {
                return self.fork_worker(worker, incarnation, again);
            }
            Action::Link { worker, incarnation } => self.link(worker, incarnation),
            Action::Retire(incarnation) => {
                self.tell_reactor(&ToReactorControl::Retire { incarnation }, Vec::new());
            }
            Action::Stop(incarnation) => {
                if let Some(child) = self.workers.get_mut(&incarnation) {
                    child.control.post(encode(&ToWorkerControl::Stop), Vec::new());
                }
            }
            Action::Drain(within) => {
                self.listeners.clear();
                self.datagrams.clear();
                let within_ms = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
                self.tell_reactor(&ToReactorControl::Drain { within_ms }, Vec::new());
            }
            Action::Hear(incarnation) => {
                self.hear_worker(incarnation);
                self.table.heard(incarnation, Instant::now());
            }
            Action::Kill(incarnation) => self.workers.get(&incarnation).into_iter().for_each(end),
            Action::KillReactor => self.reactor.iter().for_each(end),
            Action::AbortReactor => {
                self.watchdog.forget();
                if let Some(reactor) = &self.reactor {
                    // An error means that it has ended already.
                    let _ = kill(reactor.pid, Signal::SIGABRT);
                }
            }
            Action::Started => {
                let started = application.started();
                if is_forked_copy() {
                    return None;
                }
                match started {
                    Ok(()) => {
                        self.service_manager.ready(&status(self.memory.shared), Instant::now())
                    }
                    Err(ApplicationError(text)) => {
                        self.table.fail(SuperviseError::Start(text), Instant::now());
                    }
                }
            }
            Action::Failed(failure) => application.worker_failed(&failure),
            Action::Note(note) => {
                self.service_manager.note(&note, self.plan.settings.max_wait_time);
                self.log.note(&note);
            }
            Action::End { started, result } => {
                if started {
                    application.stopped();
                }
                return Some(LoopExit::Ended(result));
            }
        }
        None
    }

    fn fork_reactor(&mut self, again: bool) -> Option<LoopExit> {
        if again {
            self.memory.shared.add(Counter::ReactorRestarts, 1);
            self.memory.shared.forget_reactor();
        }
        let forked = control::pair().and_then(|(here, there)| {
            let side = spawn::split(ProcessKind::Reactor)?;
            Ok((side, here, there))
        });
        let now = Instant::now();
        match forked {
            Ok((Side::Child, _, control)) => {
                let own = |sockets: Vec<PrivateFd>| sockets.into_iter().map(PrivateFd::into_shared);
                let listeners = own(std::mem::take(&mut self.listeners)).collect();
                let datagrams = std::mem::take(&mut self.datagrams);
                let datagrams = datagrams.into_iter().map(|port| own(port).collect()).collect();
                let shared = self.memory.shared;
                Some(LoopExit::Reactor(ReactorBoot { listeners, datagrams, control, shared }))
            }
            Ok((Side::Parent(pid), control, _)) => {
                let number = pid.as_raw() as u64;
                self.memory.shared.counter(Counter::ReactorPid).store(number, Ordering::Relaxed);
                self.reactor = Some(Child::new(pid, control, 0));
                self.log.replaced(again, None, pid);
                self.table.reactor_forked(Some(pid.as_raw()), now);
                None
            }
            Err(error) => {
                log::error!("fork: {error}");
                self.table.reactor_forked(None, now);
                None
            }
        }
    }

    fn fork_worker(
        &mut self,
        worker: u16,
        incarnation: Incarnation,
        again: bool,
    ) -> Option<LoopExit> {
        if again {
            self.memory.shared.add(Counter::WorkerRestarts, 1);
        }
        let supervisor = nix::unistd::getpid().as_raw();
        let forked = control::pair().and_then(|(here, there)| {
            let side = spawn::split(ProcessKind::Worker(there.as_fd()))?;
            Ok((side, here, there))
        });
        let now = Instant::now();
        match forked {
            Ok((Side::Child, _, control)) => {
                if let Err(error) = self.memory.confine(worker) {
                    log::error!("cannot protect the memory that the processes share: {error}");
                    spawn::end_now(1);
                }
                Some(LoopExit::Worker(WorkerContext {
                    identity: self.identity(worker, incarnation, supervisor),
                    control: WorkerControl::new(control),
                    shared: self.memory.shared,
                    windows: std::mem::take(&mut self.plan.windows),
                    max_request: self.plan.settings.max_request,
                }))
            }
            Ok((Side::Parent(pid), control, _)) => {
                self.workers.insert(incarnation, Child::new(pid, control, worker));
                self.log.replaced(again, Some(worker), pid);
                self.table.worker_forked(incarnation, Some(pid.as_raw()), now);
                None
            }
            Err(error) => {
                log::error!("fork: {error}");
                self.table.worker_forked(incarnation, None, now);
                None
            }
        }
    }

    /// Who a worker is.
    pub(crate) fn identity(
        &self,
        worker: u16,
        incarnation: Incarnation,
        supervisor: i32,
    ) -> WorkerIdentity {
        let pool = self.plan.pools.of_worker(worker).map_or(PoolId(0), |(pool, _)| pool);
        WorkerIdentity { worker, pool, incarnation, supervisor }
    }

    /// One socket pair for each reactor thread: one end to the worker, the other to the reactor.
    fn link(&mut self, worker: u16, incarnation: Incarnation) {
        let pairs: nix::Result<(Vec<OwnedFd>, Vec<OwnedFd>)> = (0..self.plan.reactor_threads)
            .map(|_| {
                let flags = SockFlag::SOCK_CLOEXEC;
                socketpair(AddressFamily::Unix, SockType::Stream, None, flags)
            })
            .collect();
        let done = match (pairs, self.workers.get_mut(&incarnation)) {
            (Ok((to_reactor, to_worker)), Some(child)) => {
                child.control.post(encode(&ToWorkerControl::Links), to_worker);
                let pid = child.pid.as_raw();
                self.name_worker(worker, pid);
                self.tell_reactor(&ToReactorControl::Link { worker, incarnation }, to_reactor);
                true
            }
            (Err(error), _) => {
                log::error!("worker {worker} cannot be linked: socketpair: {error}");
                false
            }
            (Ok(_), None) => false,
        };
        self.table.linked(incarnation, done, Instant::now());
    }

    fn tell_reactor(&mut self, message: &ToReactorControl, descriptors: Vec<OwnedFd>) {
        if let Some(reactor) = &mut self.reactor {
            reactor.control.post(encode(message), descriptors);
        }
    }

    fn wait(&mut self) -> nix::Result<()> {
        let deadlines = [
            self.table.deadline(),
            self.summary_due(),
            self.watchdog.deadline(),
            self.reports.due,
            self.service_manager.deadline(),
        ];
        let timeout = match deadlines.into_iter().flatten().min() {
            _ if self.signals.were_noted() => PollTimeout::ZERO,
            None => PollTimeout::NONE,
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now()).as_micros().div_ceil(1000);
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut sources = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let children = self.reactor.iter().chain(self.workers.values());
        for child in children.filter(|child| !child.control.has_ended()) {
            let mut events = PollFlags::POLLIN;
            events.set(PollFlags::POLLOUT, child.control.has_unsent());
            sources.push(PollFd::new(child.control.as_fd(), events));
        }
        match poll(&mut sources, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn kill_everything(&mut self) {
        for child in self.reactor.iter().chain(self.workers.values()) {
            end(child);
            let _ = waitpid(child.pid, None);
        }
    }

    /// Says which process a worker is from now on; 0 for none. It is not at work.
    fn name_worker(&self, worker: u16, pid: i32) {
        let (shared, worker) = (self.memory.shared, usize::from(worker));
        shared.pid(worker).store(pid as u64, Ordering::Relaxed);
        shared.worker(worker, WorkerCounter::Busy).store(0, Ordering::Relaxed);
    }
}

impl Child {
    fn new(pid: Pid, control: ChildControl, worker: u16) -> Self {
        Self { pid, control, worker, since: SystemTime::now() }
    }
}

fn end(child: &Child) {
    // An error means that it has ended already.
    let _ = kill(child.pid, Signal::SIGKILL);
}

fn system(call: &'static str) -> impl Fn(Errno) -> SuperviseError {
    move |errno| SuperviseError::System(call, errno as i32)
}
