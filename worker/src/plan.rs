//! What the supervisor is told to run, and how it ended.

use std::fmt;
use std::os::fd::OwnedFd;
use std::time::Duration;

use wire::Pools;

use crate::application::{Application, Role};
use crate::membership;
use crate::runtime::work;
use crate::supervisor::spawn;
use crate::supervisor::{LoopExit, Supervisor};

/// What the supervisor runs.
#[derive(Debug)]
pub struct Plan {
    /// The pools of workers.
    pub pools: Pools,
    /// Number of reactor threads, 1 to [`REACTOR_THREADS_MAX`](wire::limits::REACTOR_THREADS_MAX).
    pub reactor_threads: u16,
    /// Bound and listening sockets, in the order of the ports.
    pub listeners: Vec<OwnedFd>,
    /// For each port its UDP sockets, one per reactor thread, if it has any.
    pub datagrams: Vec<Vec<OwnedFd>>,
    /// How processes are started, watched and ended.
    pub settings: ProcessSettings,
    /// How many content bytes a response may be ahead of its client: one figure per port, in the
    /// order of the ports, the same that the reactor is told.
    pub windows: Vec<u32>,
    /// How often the embedder is told how every process stands; `None`: never.
    pub report_interval: Option<Duration>,
    /// Shown in process titles: the script's name.
    pub title: String,
}

/// How processes are started, watched and ended, as options say it.
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// How long requests in flight may take after a stop or a reload began.
    pub max_wait_time: Duration,
    /// How long a worker may take until it is ready; then it is killed and started again.
    pub worker_start_timeout: Duration,
    /// How long a thread of the reactor may take for one turn of its loop until the reactor is
    /// replaced; zero for any time. The reactor must turn [`WATCHDOG_LOOKS`] times in it at least.
    ///
    /// [`WATCHDOG_LOOKS`]: wire::limits::WATCHDOG_LOOKS
    pub reactor_watchdog_time: Duration,
    /// Requests after which a worker is replaced; 0 for never. Up to a tenth is added by chance, so
    /// that workers are not replaced all at once.
    pub max_request: u32,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            max_wait_time: Duration::from_secs(3),
            worker_start_timeout: Duration::from_secs(60),
            reactor_watchdog_time: Duration::from_secs(10),
            max_request: 0,
        }
    }
}

/// In which process [`supervise`] has returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuperviseOutcome {
    /// The server has stopped in an orderly way.
    Stopped,
    /// This is a worker process that has done its work: the caller must end the process without
    /// running more of the user's script.
    WorkerDone,
    /// This is a worker process whose handler returned [`Verdict::Exit`](crate::Verdict::Exit). The
    /// caller must end the process at once, without running anything in its interpreter.
    WorkerUnsound,
    /// This process is neither supervisor nor worker: a callback of one has forked it, and has
    /// returned in it. The caller must end it as the script would have ended there.
    ForkedCopy,
}

/// Why the server could not run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuperviseError {
    /// A system call failed: which, and how.
    System(&'static str, i32),
    /// A process failed at boot as often as is tolerated.
    BootLoop(String),
    /// The `Start` callback failed.
    Start(String),
}

impl fmt::Display for SuperviseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(call, errno) => {
                write!(f, "{call}: {}", std::io::Error::from_raw_os_error(*errno))
            }
            Self::BootLoop(what) | Self::Start(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for SuperviseError {}

/// Runs the server until it is told to stop: forks the reactor and the workers, restarts what dies,
/// obeys SIGTERM, SIGINT and SIGQUIT (stop), SIGUSR1 (reload) and SIGHUP (reload, and open the log
/// anew). Returns in the supervisor when all is over, in each worker process when that process is to
/// end, and in each process that a callback has forked when the callback returns in it.
///
/// The calling process must have one thread, and becomes the supervisor. All its children are reaped,
/// those that were not started here included.
pub fn supervise(
    plan: Plan,
    application: &mut dyn Application,
) -> Result<SuperviseOutcome, SuperviseError> {
    let supervisor = Supervisor::new(plan).inspect_err(|_| membership::end())?;
    application.title(Role::Supervisor);
    match supervisor.run(application) {
        LoopExit::Ended(result) => {
            membership::end();
            result.map(|()| SuperviseOutcome::Stopped)
        }
        LoopExit::ForkedCopy => Ok(SuperviseOutcome::ForkedCopy),
        LoopExit::Worker(context) => Ok(work::work(context, application)),
        LoopExit::Reactor(boot) => {
            application.title(Role::Reactor);
            spawn::end_now(application.run_reactor(boot))
        }
    }
}
