//! [`AccessLog`]: a line for each exchange that is over, in a file, on standard output or to syslog.
//!
//! ```text
//!  reactor threads ──▶ a buffer with a bound ──▶ a thread that writes ──▶ file, pipe, syslog
//!                       └── full: dropped, counted
//! ```
//!
//! The threads that serve never wait for who reads the log: a disk that is full or a pipe that nobody reads
//! loses lines, and no request.

mod fields;
mod format;
mod observer;
mod queue;
mod room;
mod syslog;
mod writer;

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use log::Level;
use log::kv::Value;
use nix::fcntl::OFlag;
use wire::event::{self, LogEvent};
use wire::limits::ACCESS_LOG_FLUSH_TIME_MAX;
use wire::shm::Shared;

pub use self::format::{Format, FormatError};
use self::observer::LineMaker;
use self::queue::LineQueue;
use self::writer::Writer;
use crate::config::{MakeObserver, Observer};

/// What is written, and where to.
#[derive(Debug, Clone)]
pub struct AccessLog {
    /// Where the lines go.
    pub target: LogTarget,
    /// How a line is made.
    pub format: Format,
    /// Which part of the exchanges that went well is logged: 1 for all of them.
    pub sample: f64,
    /// Paths that are left out; one that ends in `*` is the beginning of paths.
    pub exclude: Vec<String>,
}

/// Where the lines go.
#[derive(Debug, Clone)]
pub enum LogTarget {
    /// A file or a pipe, and its path, if it has one. The supervisor puts another file in its place when it
    /// is opened anew, so that a later life of the reactor has that one.
    File(Arc<Mutex<OwnedFd>>, Option<PathBuf>),
    /// The system's log, by its socket.
    Syslog,
}

impl LogTarget {
    /// Standard output.
    pub fn stdout() -> io::Result<Self> {
        let file = io::stdout().as_fd().try_clone_to_owned()?;
        Ok(Self::File(Arc::new(Mutex::new(file)), None))
    }

    /// A file, which is made when it is not there, or a named pipe that somebody reads.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        Ok(Self::File(Arc::new(Mutex::new(append_to(&path)?)), Some(path)))
    }
}

/// A pipe is not waited for, neither to be opened nor to be read.
fn append_to(path: &Path) -> io::Result<OwnedFd> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).custom_flags(OFlag::O_NONBLOCK.bits());
    Ok(options.open(path)?.into())
}

impl AccessLog {
    /// In the supervisor: opens the file anew. A copy of its descriptor for the reactor; `None` when there is
    /// no file, or it cannot be opened.
    pub fn reopen(&self) -> Option<OwnedFd> {
        let LogTarget::File(place, Some(path)) = &self.target else { return None };
        match append_to(path).and_then(|file| Ok((file.try_clone()?, file))) {
            Ok((copy, file)) => {
                *place.lock().unwrap_or_else(PoisonError::into_inner) = file;
                Some(copy)
            }
            Err(error) => {
                event::log(
                    Level::Error,
                    LogEvent::AccessLogFailed,
                    &[("error", Value::from_display(&error))],
                    format_args!(
                        "cannot open access_log {} anew: {error}; it goes on where it was",
                        path.display()
                    ),
                );
                None
            }
        }
    }
}

/// The thread that writes, and its buffer.
#[derive(Debug)]
pub(crate) struct WriterThread {
    queue: Arc<LineQueue>,
    thread: JoinHandle<()>,
}

impl WriterThread {
    /// Starts the thread.
    pub fn start(log: &AccessLog, shared: Shared) -> io::Result<Self> {
        let queue = Arc::new(LineQueue::new(shared));
        let writer = Writer::new(&log.target, Arc::clone(&queue))?;
        let thread = thread::Builder::new().name("access-log".into());
        let thread = thread.spawn(move || writer.run())?;
        Ok(Self { queue, thread })
    }

    /// Makes the observer of each reactor thread.
    pub fn observer(&self, log: &AccessLog) -> MakeObserver {
        let (queue, log) = (Arc::clone(&self.queue), log.clone());
        MakeObserver(Arc::new(move |_, _| {
            Box::new(LineMaker::new(&log, Arc::clone(&queue))) as Box<dyn Observer>
        }))
    }

    /// The lines to come go to this file.
    pub fn reopen(&self, file: OwnedFd) {
        self.queue.reopen(file);
    }

    /// Has what is in the buffer written, within a bound.
    pub fn finish(&self) {
        self.queue.close();
        let begin = std::time::Instant::now();
        // A thread that waits for a reader of a pipe is not waited for.
        while !self.thread.is_finished() && begin.elapsed() < ACCESS_LOG_FLUSH_TIME_MAX {
            thread::sleep(Duration::from_millis(2));
        }
    }
}
