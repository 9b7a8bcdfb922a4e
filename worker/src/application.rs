//! [`Application`]: what the embedder does in each of the processes.

use std::os::fd::OwnedFd;
use std::time::SystemTime;

use bytes::Bytes;
use wire::head::Origin;
use wire::shm::Shared;
use wire::{Fields, FileSlice, PoolId, RequestHead};

use crate::runtime::body::BodyStream;
use crate::runtime::reply::Reply;

/// What the embedder of this crate does in each of its processes. One value is created before the
/// first fork; each process has its own copy of it afterwards.
pub trait Application {
    /// In each process, as the first thing: says what it is, so that its title can tell.
    fn title(&mut self, role: Role) {
        let _ = role;
    }

    /// In the supervisor, before the first fork: the memory that all processes will share.
    fn mapped(&mut self, shared: Shared) {
        let _ = shared;
    }

    /// In the supervisor: listeners are bound and all processes are up. An error ends the server.
    fn started(&mut self) -> Result<(), ApplicationError>;

    /// In the supervisor: a worker ended by a signal or with an exit code other than 0.
    fn worker_failed(&mut self, failure: &WorkerFailure);

    /// In the supervisor: a worker has been reaped, however it ended. What it has left on disk can be
    /// removed.
    fn worker_reaped(&mut self, identity: WorkerIdentity) {
        let _ = identity;
    }

    /// In the supervisor: opens the log anew, because what it was written to may have been moved away.
    /// The descriptor is for the other processes, which may not open it themselves; `None` when there
    /// is nothing to open.
    fn reopen_log(&mut self) -> Option<OwnedFd> {
        None
    }

    /// As [`reopen_log`](Self::reopen_log), the access log, which is the reactor's alone.
    fn reopen_access_log(&mut self) -> Option<OwnedFd> {
        None
    }

    /// In a worker: from now on the log is this file, which [`reopen_log`](Self::reopen_log) has opened.
    fn take_log(&mut self, file: OwnedFd) {
        drop(file);
    }

    /// In the supervisor, each [`report_interval`](crate::Plan::report_interval): how every process
    /// stands.
    fn report(&mut self, processes: &[ProcessState]) {
        let _ = processes;
    }

    /// In the supervisor: every other process has ended.
    fn stopped(&mut self);

    /// In the new reactor process: runs the reactor until it ends and returns the exit code. The
    /// process then ends without running anything of PHP's.
    fn run_reactor(&mut self, boot: ReactorBoot) -> i32;

    /// In a new worker process, before its first request.
    fn worker_started(&mut self, identity: WorkerIdentity) -> Result<(), ApplicationError>;

    /// In a worker: answers one request. The embedder must bring `reply` to its end or abort it;
    /// a reply that is dropped unfinished is aborted.
    fn handle(&mut self, request: IncomingRequest, reply: Reply) -> Verdict;

    /// In a worker that has started: a script that asks for each request; `None`: they are given to
    /// [`handle`](Self::handle) as they come.
    fn worker_script(&mut self) -> Option<Box<dyn WorkerScript>> {
        None
    }

    /// In a worker: a client's connection was opened or closed.
    fn connection(&mut self, event: ConnectionEvent, origin: Origin) -> Verdict;

    /// In a worker: the last thing before its orderly end.
    fn worker_stopped(&mut self, identity: WorkerIdentity);
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that forks.
    Supervisor,
    /// The one that owns the sockets.
    Reactor,
    /// The worker with this id, 0 to `worker_num` - 1.
    Worker(u16),
}

/// How a process stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessState {
    /// What it is.
    pub role: Role,
    /// Its process id.
    pub pid: i32,
    /// `starting`, `ready` (the supervisor and the reactor), `idle` or `busy` (a worker), `stopping`
    /// or `killed`.
    pub state: &'static str,
    /// Requests that workers of this id have begun since the start of the server.
    pub requests: u64,
    /// When it was forked.
    pub since: SystemTime,
}

/// Why the embedder's code could not go on; the text is for the log and says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationError(pub String);

/// How a worker ended that should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerFailure {
    /// Its id, 0 to `worker_num` - 1.
    pub worker: u16,
    /// Its process id.
    pub pid: i32,
    /// Its exit code; 0 when a signal ended it.
    pub exit_code: i32,
    /// The signal that ended it; 0 when it exited.
    pub signal: i32,
    /// Why.
    pub reason: FailureReason,
}

/// Why a worker ended that should not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// It has exited.
    Exit,
    /// A signal has ended it.
    Signal,
    /// It has ended before it was ready.
    StartFailed,
    /// It was not ready in time, and was killed.
    StartTimeout,
    /// It did not end in time, and was killed.
    StopTimeout,
    /// It had lost a link to the reactor, and was killed.
    LinkLost,
    /// A request went on for `hard_timeout` seconds past `max_execution_time`.
    RequestTimeout,
}

impl FailureReason {
    /// Its name, as the log has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::StartFailed => "start_failed",
            Self::StartTimeout => "start_timeout",
            Self::StopTimeout => "stop_timeout",
            Self::LinkLost => "link_lost",
            Self::RequestTimeout => "request_timeout",
        }
    }
}

/// What a new reactor process has in hand.
#[derive(Debug)]
pub struct ReactorBoot {
    /// The listening sockets in the order of the ports.
    pub listeners: Vec<OwnedFd>,
    /// For each port its UDP sockets, one per reactor thread, if it has any.
    pub datagrams: Vec<Vec<OwnedFd>>,
    /// The `SOCK_SEQPACKET` socket to the supervisor (see [`wire::control`]).
    pub control: OwnedFd,
    /// Marks and counters.
    pub shared: Shared,
}

/// Which worker this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerIdentity {
    /// Its id: the ids run through all pools, from 0.
    pub worker: u16,
    /// Its pool.
    pub pool: PoolId,
    /// Which life of it.
    pub incarnation: u64,
    /// The supervisor's process id.
    pub supervisor: i32,
}

/// A request: complete, or with content that is still coming.
#[derive(Debug)]
pub struct IncomingRequest {
    /// Control data and fields.
    pub head: Box<RequestHead>,
    /// Its content.
    pub body: RequestBody,
    /// Trailer fields; those behind a [stream](RequestBody::Stream) are there when it has been read.
    pub trailers: Option<Fields>,
}

/// The content of a request.
#[derive(Debug)]
pub enum RequestBody {
    /// In memory; empty when there is none.
    Memory(Bytes),
    /// In an unlinked temporary file.
    File(FileSlice),
    /// A form, in memory and in files by turns.
    Pieces(Vec<BodyPiece>),
    /// Still coming, while the handler works.
    Stream(BodyStream),
}

/// A piece of content.
#[derive(Debug, Clone)]
pub enum BodyPiece {
    /// In memory.
    Memory(Bytes),
    /// In an unlinked temporary file.
    File(FileSlice),
}

/// What happened to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// It was accepted.
    Opened,
    /// It was closed, by whichever side.
    Closed,
}

/// What is to become of the worker after a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It serves on.
    Continue,
    /// The interpreter is no longer sound: the process ends now and is replaced at once.
    Exit,
}

/// A script that runs in a worker from its start to its end, and asks for one request after another. The
/// worker counts as ready once it asks for the first one.
pub trait WorkerScript {
    /// Runs it. `next` waits for a request, and returns when that has been
    /// [handled](Application::handle) and its answer has been sent.
    fn run(self: Box<Self>, next: &mut dyn FnMut() -> Next) -> ScriptEnd;
}

/// What a script that asks for a request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A request was handled.
    Handled,
    /// There are no more: the script has `max_wait_time` to come to its end.
    Stop,
    /// The interpreter is no longer sound ([`Verdict::Exit`]): nothing of the script may run any more.
    Exit,
    /// This process is a copy that the handler has forked: it is to end as the script would here.
    ForkedCopy,
}

/// How such a script has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptEnd {
    /// In an orderly way: it was told to, or has had enough.
    Ended,
    /// It has failed; the text is for the log and says what to do.
    Failed(String),
    /// The interpreter is no longer sound.
    Unsound,
}
