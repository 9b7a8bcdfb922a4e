//! [`LineQueue`]: the lines between the threads that make them and the one that writes them.

use std::os::fd::OwnedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::Level;
use wire::event::{self, LogEvent};
use wire::limits::{ACCESS_LOG_BUFFER_BYTES_MAX, ACCESS_LOG_DELAY, ACCESS_LOG_WRITE_BYTES};
use wire::shm::{Counter, Shared};

/// Lines that wait to be written, at most
/// [`ACCESS_LOG_BUFFER_BYTES_MAX`](wire::limits::ACCESS_LOG_BUFFER_BYTES_MAX).
#[derive(Debug)]
pub(super) struct LineQueue {
    waiting: Mutex<QueuedLines>,
    news: Condvar,
    shared: Shared,
}

#[derive(Debug, Default)]
struct QueuedLines {
    lines: Vec<u8>,
    file: Option<OwnedFd>,
    closed: bool,
}

/// What the writer has to do.
#[derive(Debug, Default)]
pub(super) struct WriterTask {
    /// Another file takes the place of the first, before the lines.
    pub file: Option<OwnedFd>,
    /// Nothing follows.
    pub last: bool,
}

impl LineQueue {
    pub fn new(shared: Shared) -> Self {
        Self { waiting: Mutex::default(), news: Condvar::new(), shared }
    }

    /// Appends whole lines, or drops all of them when there is no room. Never waits for the writer.
    pub fn push(&self, lines: &[u8], count: u64) {
        let mut waiting = self.lock();
        let before = waiting.lines.len();
        if before + lines.len() > ACCESS_LOG_BUFFER_BYTES_MAX {
            drop(waiting);
            return self.lose(count);
        }
        waiting.lines.extend_from_slice(lines);
        let after = waiting.lines.len();
        drop(waiting);
        // It sleeps for as long as there is nothing, and then for a moment, to write several at once.
        let enough = before < ACCESS_LOG_WRITE_BYTES && after >= ACCESS_LOG_WRITE_BYTES;
        if before == 0 || enough {
            self.news.notify_one();
        }
    }

    /// Lines are lost.
    pub fn lose(&self, count: u64) {
        self.shared.add(Counter::AccessLogLost, count);
    }

    /// How many lines were lost since the server's start.
    pub fn lost(&self) -> u64 {
        self.shared.get(Counter::AccessLogLost)
    }

    /// The lines to come go to this file.
    pub fn reopen(&self, file: OwnedFd) {
        self.lock().file = Some(file);
        self.news.notify_one();
    }

    /// Nothing follows.
    pub fn close(&self) {
        self.lock().closed = true;
        self.news.notify_one();
    }

    /// Waits until there is something to write, and takes it; `lines` is empty and its memory is used again.
    pub fn take(&self, lines: &mut Vec<u8>) -> WriterTask {
        let mut waiting = self.lock();
        while waiting.lines.is_empty() && waiting.file.is_none() && !waiting.closed {
            waiting = self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let goes_on = |waiting: &mut QueuedLines| {
            waiting.lines.len() < ACCESS_LOG_WRITE_BYTES
                && waiting.file.is_none()
                && !waiting.closed
        };
        let waited = self.news.wait_timeout_while(waiting, ACCESS_LOG_DELAY, goes_on);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.lines, lines);
        WriterTask { file: waiting.file.take(), last: waiting.closed }
    }

    /// Whether the writer is to end.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, QueuedLines> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says at times how many lines were lost, not for each.
#[derive(Debug, Default)]
pub(super) struct LossReport {
    told: u64,
    at: Option<std::time::Instant>,
}

impl LossReport {
    /// Between two lines about it.
    const INTERVAL: Duration = Duration::from_secs(10);

    /// Looks whether there is something to say.
    pub fn look(&mut self, queue: &LineQueue, why: &str, last: bool) {
        let lost = queue.lost();
        let due = self.at.is_none_or(|at| at.elapsed() >= Self::INTERVAL);
        if lost <= self.told || !(due || last) {
            return;
        }
        let count = lost - self.told;
        (self.told, self.at) = (lost, Some(std::time::Instant::now()));
        event::log(
            Level::Error,
            LogEvent::AccessLogLost,
            &[("count", count.into()), ("reason", why.into())],
            format_args!(
                "lost {count} lines of the access log: {why}; no request was held up by it. Free the disk, \
                 or see to it that somebody reads the pipe"
            ),
        );
    }

    /// What a former life has lost was told of by it.
    pub fn begin(queue: &LineQueue) -> Self {
        Self { told: queue.lost(), at: None }
    }
}
