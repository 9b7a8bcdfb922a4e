//! What the cases do with a server: start it, send it requests and signals, see what it does.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::server::Options;

/// How long anything may take that is expected to happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub struct Server {
    child: Child,
    /// Where it leaves its traces.
    pub dir: PathBuf,
}

/// Options of a server with this many workers.
pub fn options(workers: u16) -> Options {
    static CASES: AtomicU32 = AtomicU32::new(0);
    let case = CASES.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("ferrite-{}-{case}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    Options {
        dir,
        workers,
        second_pool: 0,
        threads: 1,
        depth: 1,
        max_wait: Duration::from_secs(5),
        start_timeout: Duration::from_secs(60),
        watchdog: Duration::ZERO,
        max_request: 0,
        window: 1 << 20,
    }
}

impl Server {
    /// Starts a server that may fail.
    pub fn spawn(options: &Options) -> Self {
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(options.arguments())
            .stdin(Stdio::null())
            .spawn()
            .expect("a server");
        Self { child, dir: options.dir.clone() }
    }

    /// Starts a server and waits until it is up.
    pub fn start(options: &Options) -> Self {
        let server = Self::spawn(options);
        server.await_event("started");
        server
    }

    /// The supervisor.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Sends a signal to the supervisor.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("it runs");
    }

    /// What has happened so far.
    pub fn events(&self) -> Vec<String> {
        lines(&self.dir.join("events"))
    }

    /// What has been logged so far.
    pub fn log(&self) -> Vec<String> {
        lines(&self.dir.join("log"))
    }

    /// Waits for an event that begins like this, and gives its last word.
    pub fn await_event(&self, begin: &str) -> String {
        self.await_nth(begin, 1)
    }

    /// Waits for the nth event that begins like this, and gives its last word.
    pub fn await_nth(&self, begin: &str, nth: usize) -> String {
        let find = || {
            let events = self.events();
            let event = events.iter().filter(|event| event.starts_with(begin)).nth(nth - 1)?;
            event.rsplit(' ').next().map(String::from)
        };
        wait_for(begin, find)
    }

    /// The pid of the nth process with this title.
    pub fn titled(&self, role: &str, nth: usize) -> i32 {
        self.await_nth(&format!("title {role} "), nth).parse().expect("a pid")
    }

    /// Waits until the supervisor has ended.
    pub fn end(&mut self) -> ExitStatus {
        wait_for("the end", || self.child.try_wait().expect("a child"))
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        let stream = wait_for("a connection", || UnixStream::connect(self.dir.join("socket")).ok());
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Client { stream }
    }

    /// The answer to one request.
    pub fn get(&self, target: &str) -> Vec<u8> {
        self.client().get(target)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("events: {:#?}\nlog: {:#?}", self.events(), self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A connection to the played reactor.
pub struct Client {
    stream: UnixStream,
}

/// A part of a response, as the reactor got it.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// A head with this length.
    Head(String),
    /// A body frame.
    Body(Vec<u8>),
    /// A file frame; what the file says.
    File(Vec<u8>),
    /// All that follows has been made.
    Complete,
    /// The end.
    End,
    /// Broken off by the worker, for this reason.
    Abort(String),
    /// The worker died.
    Lost,
    /// Whether the request could be taken back.
    Taken(bool),
    /// The answer to [`Client::settle`].
    Settled,
}

impl Client {
    /// Sends a command.
    pub fn say(&mut self, command: &str, content: &[u8]) {
        self.stream.write_all(format!("{command}\n").as_bytes()).expect("a reactor");
        self.stream.write_all(content).expect("a reactor");
    }

    /// Sends a request without content.
    pub fn request(&mut self, target: &str) {
        self.say(&format!("request {target} 0"), b"");
    }

    /// Waits until the reactor has handed over what was sent, if it can.
    pub fn settle(&mut self) {
        // Hand-over follows the reading of commands, so the second round comes behind it.
        for _ in 0..2 {
            self.say("settle", b"");
            assert_eq!(self.next(), Seen::Settled);
        }
    }

    /// The next part.
    pub fn next(&mut self) -> Seen {
        self.try_next().expect("an answer")
    }

    /// The next part, if the reactor lives so long.
    pub fn try_next(&mut self) -> std::io::Result<Seen> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let len = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let mut payload = vec![0; len as usize];
        self.stream.read_exact(&mut payload)?;
        let text = || String::from_utf8(payload.clone()).expect("text");
        Ok(match head[0] {
            b'H' => Seen::Head(text()),
            b'B' => Seen::Body(payload),
            b'F' => Seen::File(payload),
            b'C' => Seen::Complete,
            b'E' => Seen::End,
            b'A' => Seen::Abort(text()),
            b'L' => Seen::Lost,
            b'T' => Seen::Taken(text() == "true"),
            b'S' => Seen::Settled,
            tag => panic!("unknown tag {tag}"),
        })
    }

    /// The rest of a response: its content and its last part.
    pub fn rest(&mut self) -> (Vec<u8>, Seen) {
        let mut content = Vec::new();
        loop {
            match self.next() {
                Seen::Head(_) => {}
                Seen::Body(bytes) | Seen::File(bytes) => content.extend(bytes),
                last => return (content, last),
            }
        }
    }

    /// The content of a complete response.
    pub fn content(&mut self) -> Vec<u8> {
        let (content, last) = self.rest();
        assert_eq!(last, Seen::End);
        content
    }

    /// The answer to one request.
    pub fn get(&mut self, target: &str) -> Vec<u8> {
        self.request(target);
        self.content()
    }
}

/// Waits until there is something.
pub fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Whether this process runs; one that nobody has reaped yet does not.
pub fn runs(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

fn lines(path: &std::path::Path) -> Vec<String> {
    let mut text = String::new();
    if let Ok(mut file) = File::open(path) {
        file.read_to_string(&mut text).expect("text");
    }
    text.lines().map(String::from).collect()
}
