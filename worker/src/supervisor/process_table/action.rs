//! What the table tells the supervisor to do and to say.

use std::fmt;
use std::time::Duration;

use nix::sys::signal::Signal;
use wire::control::{Incarnation, LostRequest};

use crate::application::WorkerFailure;
use crate::plan::SuperviseError;

/// What the supervisor must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start the reactor and report [`reactor_forked`](super::ProcessTable::reactor_forked).
    ForkReactor {
        /// Whether a former one died.
        again: bool,
    },
    /// Start a worker and report [`worker_forked`](super::ProcessTable::worker_forked).
    ForkWorker {
        /// Its id.
        worker: u16,
        /// Its life.
        incarnation: Incarnation,
        /// Whether it takes the place of one that died.
        again: bool,
    },
    /// Give this worker and the reactor the ends of new links, and report
    /// [`linked`](super::ProcessTable::linked).
    Link {
        /// Its id.
        worker: u16,
        /// Its life.
        incarnation: Incarnation,
    },
    /// Tell the reactor to let this worker go.
    Retire(Incarnation),
    /// Tell this worker to end when it has no link.
    Stop(Incarnation),
    /// Close the listeners, and tell the reactor to finish.
    Drain(Duration),
    /// Report all that this worker has said by now, and then [`heard`](super::ProcessTable::heard).
    Hear(Incarnation),
    /// Kill this worker.
    Kill(Incarnation),
    /// Kill the reactor.
    KillReactor,
    /// Kill the reactor in a way that leaves a core file, where these are written.
    AbortReactor,
    /// All processes are up for the first time.
    Started,
    /// Tell the embedder that a worker failed.
    Failed(WorkerFailure),
    /// Write a log line.
    Note(Note),
    /// Everything has ended.
    End {
        /// Whether [`Action::Started`] ever came.
        started: bool,
        /// How the server ended.
        result: Result<(), SuperviseError>,
    },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl Exit {
    /// How PHP ends a process by itself that goes on for `hard_timeout` seconds past `max_execution_time`.
    pub(crate) const TIMED_OUT: Self = Self::Code(124);
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with exit code {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "was killed by signal {number} ({signal})"),
                Err(_) => write!(f, "was killed by signal {number}"),
            },
        }
    }
}

/// What a worker was doing when it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    /// It was not ready yet.
    Booting,
    /// Nothing.
    Idle,
    /// A handler; the request as the reactor names it.
    Request(LostRequest),
    /// The reactor has not said.
    Unknown,
}

/// A log line of the supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// A worker ended that should not have.
    WorkerEnded {
        /// Its id.
        worker: u16,
        /// Its process.
        pid: i32,
        /// How it ended.
        exit: Exit,
        /// What it was doing.
        work: Work,
    },
    /// A worker that had lost a link has ended, or is killed.
    WorkerUnlinked {
        /// Its id.
        worker: u16,
        /// Its process.
        pid: i32,
        /// Whether it had to be killed.
        killed: bool,
    },
    /// A worker was not ready in time and is killed.
    WorkerLate {
        /// Its id.
        worker: u16,
        /// Its process.
        pid: i32,
        /// The time that it had.
        after: Duration,
    },
    /// A reactor ended that should not have.
    ReactorEnded {
        /// Its process.
        pid: i32,
        /// How it ended.
        exit: Exit,
        /// Whether it had been ready.
        ready: bool,
    },
    /// A thread of the reactor does not turn any more, and the reactor is killed.
    ReactorStuck {
        /// Its process.
        pid: i32,
        /// The thread's number.
        thread: u16,
        /// How long it has not turned.
        after: Duration,
    },
    /// A process could not be started.
    ForkFailed {
        /// The worker's id; `None` for the reactor.
        worker: Option<u16>,
    },
    /// A process did not end in its time and is killed.
    Overdue {
        /// The worker's id; `None` for the reactor.
        worker: Option<u16>,
        /// Its process.
        pid: i32,
    },
    /// A reload has begun.
    ReloadBegun,
    /// A reload has replaced every worker.
    ReloadDone,
    /// A reload was given up: the new incarnation of this worker did not become ready.
    ReloadAbandoned {
        /// Its id.
        worker: u16,
    },
    /// The server stops.
    Stopping,
    /// The server stops at once.
    Killing,
}

impl Note {
    /// Whether it is about one worker's end, which clients can bring about again and again.
    pub(crate) fn is_of_a_worker(&self) -> bool {
        matches!(
            self,
            Self::WorkerEnded { .. } | Self::WorkerUnlinked { .. } | Self::WorkerLate { .. }
        )
    }

    /// How much it matters.
    pub(crate) fn level(&self) -> log::Level {
        match self {
            Self::ReloadBegun | Self::ReloadDone | Self::Stopping => log::Level::Info,
            Self::Overdue { .. } | Self::Killing => log::Level::Warn,
            _ => log::Level::Error,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkerEnded { worker, pid, exit, work } => {
                write!(f, "worker {worker} (pid {pid}) {exit}")?;
                match work {
                    Work::Booting => f.write_str(" before it was ready"),
                    Work::Idle => f.write_str(" while it was idle"),
                    Work::Request(request) => write!(f, " while it served {}", request.summary),
                    Work::Unknown => Ok(()),
                }?;
                match *exit == Exit::TIMED_OUT {
                    true => f.write_str(
                        ": hard_timeout seconds past max_execution_time it was still in a function of PHP's \
                         or of an extension's; give that less to do, or call set_time_limit() before it",
                    ),
                    false => Ok(()),
                }
            }
            Self::WorkerUnlinked { worker, pid, killed } => write!(
                f,
                "worker {worker} (pid {pid}) {} after its link to the reactor had ended, and is \
                 replaced: something in its process has ended it, or has closed a descriptor that is \
                 not its own",
                if *killed { "is killed" } else { "ended" }
            ),
            Self::WorkerLate { worker, pid, after } => write!(
                f,
                "worker {worker} (pid {pid}) was not ready after {} s and is killed: see what its \
                 WorkerStart callback (or its worker_script) waits for, or raise worker_start_timeout",
                after.as_secs_f64()
            ),
            Self::ReactorEnded { pid, exit, ready } => {
                let when = if *ready { "" } else { " before it was ready" };
                write!(f, "the reactor (pid {pid}) {exit}{when} and is started again")
            }
            Self::ReactorStuck { pid, thread, after } => write!(
                f,
                "thread {thread} of the reactor (pid {pid}) has done nothing for {:.1} s: the \
                 reactor is killed and started again; raise reactor_watchdog_time if a slow disk or \
                 a busy machine explains it",
                after.as_secs_f64()
            ),
            Self::ForkFailed { worker } => {
                write!(f, "{} cannot be started: fork failed", ProcessName(*worker))
            }
            Self::Overdue { worker, pid } => {
                write!(f, "{} (pid {pid}) did not end in time and is killed", ProcessName(*worker))
            }
            Self::ReloadBegun => f.write_str("reload: the workers are replaced"),
            Self::ReloadDone => f.write_str("reload: all workers have been replaced"),
            Self::ReloadAbandoned { worker } => write!(
                f,
                "reload given up: the new worker {worker} did not become ready; the former workers \
                 serve on"
            ),
            Self::Stopping => f.write_str("the server stops"),
            Self::Killing => f.write_str("second signal: the server is stopped at once"),
        }
    }
}

/// A process in a sentence: `None` is the reactor.
pub(crate) struct ProcessName(pub(crate) Option<u16>);

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(worker) => write!(f, "worker {worker}"),
            None => f.write_str("the reactor"),
        }
    }
}
