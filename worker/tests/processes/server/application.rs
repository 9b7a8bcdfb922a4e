//! What the played server does with its requests.

use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use http::StatusCode;
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::SigSet;
use wire::head::Origin;
use wire::shm::{Counter, Shared};
use wire::{BodyLength, FileSlice, Reason, ResponseHead};
use worker::{
    Application, ApplicationError, ConnectionEvent, IncomingRequest, ReactorBoot, Reply,
    RequestBody, Role, Verdict, WorkerFailure, WorkerIdentity, control_signals,
};

use super::{Options, event, hostile, reactor};

/// An embedder that notes every callback, and does what the path says.
pub struct Played {
    /// What the server was started with.
    pub options: Options,
    /// What all processes see.
    pub shared: Option<Shared>,
}

impl Played {
    fn event(&self, text: &str) {
        event(&self.options.dir, text);
    }

    fn shared(&self) -> Shared {
        self.shared.expect("it was mapped")
    }

    fn told_to(&self, file: &str) -> bool {
        self.options.dir.join(file).exists()
    }
}

/// Bounds the files that this process may open from now on.
fn set_files_max(max: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, max.min(hard), hard).expect("below the hard limit");
}

impl Application for Played {
    fn title(&mut self, role: Role) {
        self.event(&format!("title {role:?} {}", std::process::id()));
    }

    fn mapped(&mut self, shared: Shared) {
        self.shared = Some(shared);
    }

    fn started(&mut self) -> Result<(), ApplicationError> {
        if self.told_to("fork-start") && copy(FORK) {
            self.event(&format!("copy {}", std::process::id()));
            return Ok(());
        }
        self.event("started");
        if self.told_to("fail-start") {
            Err(ApplicationError("told to fail".into()))
        } else {
            Ok(())
        }
    }

    fn worker_failed(&mut self, failure: &WorkerFailure) {
        let WorkerFailure { worker, pid, exit_code, signal, .. } = failure;
        self.event(&format!("failed {worker} {pid} {exit_code} {signal}"));
    }

    fn reopen_log(&mut self) -> Option<std::os::fd::OwnedFd> {
        self.event("log-reopened");
        None
    }

    fn stopped(&mut self) {
        self.event("stopped");
    }

    fn run_reactor(&mut self, boot: ReactorBoot) -> i32 {
        if self.told_to("fail-reactor") {
            return 3;
        }
        reactor::run(boot, &self.options)
    }

    fn worker_started(&mut self, identity: WorkerIdentity) -> Result<(), ApplicationError> {
        let WorkerIdentity { worker, pool, incarnation, .. } = identity;
        if self.told_to("fail-worker") {
            return Err(ApplicationError("told to fail".into()));
        }
        if self.told_to("hang-worker") {
            // Whatever can be kept from a process that hangs, is.
            SigSet::all().thread_block().expect("a mask");
            self.event(&format!("hanging {worker} {}", std::process::id()));
            loop {
                sleep(Duration::from_secs(1000));
            }
        }
        if self.told_to("fork-worker") && copy(FORK) {
            self.event(&format!("copy {}", std::process::id()));
            return Err(ApplicationError("a copy need not start".into()));
        }
        self.event(&format!("pool {worker} {}", pool.0));
        self.event(&format!("worker {worker} {incarnation} {}", std::process::id()));
        Ok(())
    }

    fn handle(&mut self, request: IncomingRequest, mut reply: Reply) -> Verdict {
        let query = request.head.query.as_deref().unwrap_or(b"0");
        let number: u64 = std::str::from_utf8(query).expect("text").parse().expect("a number");
        match &request.head.path[..] {
            b"/pid" => answer(reply, std::process::id().to_string().as_bytes()),
            b"/descriptors" => answer(reply, descriptors().as_bytes()),
            b"/no-room" => {
                // Nothing above standard error: whatever comes finds no room.
                set_files_max(3);
                answer(reply, b"full");
            }
            b"/room" => {
                set_files_max(1024);
                answer(reply, b"room");
            }
            b"/echo" => answer(reply, &content(&request)),
            b"/sleep" => {
                self.event(&format!("sleeping {}", std::process::id()));
                sleep(Duration::from_millis(number));
                self.event(&format!("slept {}", std::process::id()));
                answer(reply, b"slept");
            }
            b"/exit" => {
                answer(reply, b"bye");
                return Verdict::Exit;
            }
            b"/replace" => {
                assert!(control_signals::replace_this_worker());
                answer(reply, b"soon");
            }
            b"/reload" => {
                control_signals::reload(number as i32).expect("a supervisor");
                answer(reply, b"soon");
            }
            b"/shutdown" => {
                control_signals::shutdown(number as i32).expect("a supervisor");
                answer(reply, b"soon");
            }
            b"/fork" => self.fork(reply, number as usize),
            b"/doze" => self.doze(reply, number),
            b"/program" => self.program(reply),
            b"/big" => answer(reply, &pattern(number as usize)),
            b"/disk" => self.disk(reply, number),
            b"/last" => last(reply, &pattern(number as usize)),
            b"/drop" => reply.head(&head(BodyLength::Streamed)).expect("open"),
            b"/abort" => reply.abort(Reason::HandlerFailed),
            b"/stream" => self.stream(reply, number as usize),
            b"/watch" => self.watch(reply),
            b"/close-link" => {
                answer(reply, b"soon");
                hostile::close_link();
                sleep(Duration::from_millis(number));
            }
            b"/protect" => answer(reply, hostile::writable(self.shared()).as_bytes()),
            b"/scribble" => hostile::scribble(self.shared()),
            b"/connections" => {
                let connections = self.shared().get(Counter::Connections);
                answer(reply, connections.to_string().as_bytes());
            }
            b"/control" => hostile::flood_control(number),
            path => panic!("nobody serves {path:?}"),
        }
        Verdict::Continue
    }

    fn connection(&mut self, event: ConnectionEvent, origin: Origin) -> Verdict {
        self.event(&format!("{event:?} {}", origin.connection));
        Verdict::Continue
    }

    fn worker_stopped(&mut self, identity: WorkerIdentity) {
        self.event(&format!("worker-stopped {} {}", identity.worker, std::process::id()));
    }
}

/// How a copy is made, and what it does then.
pub const FORK: usize = 0;
/// By a system call that libc knows nothing of.
pub const BARE: usize = 1;
/// The copy lives on for longer than any case; the parent dies at once.
pub const ORPHANED: usize = 2;
/// Both of these.
pub const BARE_ORPHANED: usize = BARE | ORPHANED;

/// Forks; `true` in the copy.
fn copy(how: usize) -> bool {
    // SAFETY: this process has one thread.
    unsafe {
        match how & BARE {
            0 => libc::fork() == 0,
            _ => libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) == 0,
        }
    }
}

impl Played {
    /// Forks in a handler.
    fn fork(&self, mut reply: Reply, how: usize) {
        if copy(how) {
            let pid = std::process::id();
            self.event(&format!("copy {pid}"));
            if how & ORPHANED != 0 {
                sleep(Duration::from_secs(60));
            }
            let standing = worker::membership();
            let sent = reply.head(&head(BodyLength::Known(3))).and_then(|()| reply.body(b"bad"));
            let ended = reply.end(None);
            let links = descriptors().lines().filter(|name| name.starts_with("socket:")).count();
            self.event(&format!("in-copy {standing:?} {sent:?} {ended:?} {links} {pid}"));
            return;
        }
        if how & ORPHANED != 0 {
            // The copy is there, whatever it has managed to do by now.
            // SAFETY: it ends this process.
            unsafe { libc::raise(libc::SIGKILL) };
        }
        answer(reply, std::process::id().to_string().as_bytes());
    }

    /// Sleeps as PHP's `usleep()` and `stream_select()` do, and tells whether it could.
    fn doze(&self, reply: Reply, milliseconds: u64) {
        let micros = (milliseconds * 500) as u32;
        self.event(&format!("dozing {}", std::process::id()));
        // SAFETY: no memory is involved.
        let whole = unsafe {
            libc::usleep(micros) == 0
                && libc::poll(std::ptr::null_mut(), 0, (micros / 1000) as i32) == 0
        };
        answer(reply, if whole { b"whole" } else { b"cut short" });
    }

    /// What signals are to a program that is started by `popen(3)` and by `fork(2)`.
    fn program(&self, reply: Reply) {
        let path = self.options.dir.join("program");
        let command = format!("grep -E 'Sig(Blk|Ign)' /proc/self/status >>{}\0", path.display());
        // SAFETY: both arguments are C strings; the stream is closed, which waits for the program.
        worker::with_open_mask(|| unsafe {
            libc::pclose(libc::popen(command.as_ptr().cast(), c"r".as_ptr()))
        });
        // SAFETY: this process has one thread; the child runs another program.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                let shell = c"sh".as_ptr();
                let null = std::ptr::null::<libc::c_char>();
                let line = command.as_ptr().cast::<libc::c_char>();
                libc::execl(c"/bin/sh".as_ptr(), shell, c"-c".as_ptr(), line, null);
                libc::_exit(1);
            }
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
        answer(reply, &std::fs::read(path).expect("both have written"));
    }

    /// Sends pieces until told otherwise.
    fn stream(&self, mut reply: Reply, piece: usize) {
        reply.head(&head(BodyLength::Streamed)).expect("open");
        let piece = pattern(piece);
        let mut sent = 0;
        let error = loop {
            match reply.body(&piece).and_then(|()| reply.flush()) {
                Ok(()) => sent += piece.len(),
                Err(error) => break error,
            }
        };
        self.event(&format!("stream {error:?} after {sent}"));
        assert_eq!(reply.end(None), Err(error));
        assert_eq!(reply.end(None), Err(worker::ReplyError::Ended));
    }

    /// Waits without sending anything until the client is gone.
    fn watch(&self, mut reply: Reply) {
        self.event("watching");
        let begun = Instant::now();
        while reply.is_awaited() && begun.elapsed() < Duration::from_secs(10) {
            sleep(Duration::from_millis(1));
        }
        self.event(&format!("watched: open {}", reply.is_awaited()));
        self.event(&format!("watched: {:?}", reply.body(b"x")));
    }

    fn disk(&self, mut reply: Reply, len: u64) {
        let path = self.options.dir.join("content");
        std::fs::write(&path, pattern(len as usize)).expect("write");
        let file = std::fs::File::open(path).expect("open");
        reply.head(&head(BodyLength::Known(len))).expect("open");
        reply.file(FileSlice::new(file.into(), 0, len)).expect("open");
        reply.end(None).expect("open");
    }
}

/// Content that shows where a byte was lost or doubled.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 251 + at) as u8).collect()
}

fn head(length: BodyLength) -> ResponseHead {
    ResponseHead {
        status: StatusCode::OK,
        reason: None,
        length,
        fields: Default::default(),
        id_field: None,
    }
}

fn answer(mut reply: Reply, body: &[u8]) {
    // A client that left is no business of this handler.
    let _ = reply
        .head(&head(BodyLength::Known(body.len() as u64)))
        .and_then(|()| reply.body(body))
        .and_then(|()| reply.end(None));
}

/// A first piece, then all the rest.
fn last(mut reply: Reply, body: &[u8]) {
    reply.head(&head(BodyLength::Streamed)).expect("open");
    reply.body(&body[..1]).and_then(|()| reply.flush()).expect("open");
    reply.last_body(&body[1..]).and_then(|()| reply.end(None)).expect("open");
}

fn content(request: &IncomingRequest) -> Vec<u8> {
    match &request.body {
        RequestBody::Memory(bytes) => bytes.to_vec(),
        RequestBody::File(slice) => {
            let mut file = std::fs::File::from(slice.fd.as_fd().try_clone_to_owned().expect("dup"));
            let mut content = Vec::new();
            file.read_to_end(&mut content).expect("read");
            content
        }
        RequestBody::Pieces(_) => panic!("nobody sends a form"),
        RequestBody::Stream(_) => panic!("nobody streams without being told to"),
    }
}

/// What the open descriptors of this process are.
fn descriptors() -> String {
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let target = std::fs::read_link(entry.ok()?.path()).ok()?;
        Some(Path::new(&target).display().to_string())
    };
    let names: Vec<String> =
        std::fs::read_dir("/proc/self/fd").expect("proc").filter_map(name).collect();
    names.join("\n")
}
