//! [`Writer`]: the thread that writes the lines to where they go.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, PoisonError};

use memchr::memchr_iter;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::write;

use super::LogTarget;
use super::queue::{LineQueue, LossReport};
use super::syslog::Syslog;

/// Where the lines go.
enum LogDestination {
    File(OwnedFd),
    Syslog(Syslog),
}

pub(super) struct Writer {
    queue: Arc<LineQueue>,
    sink: LogDestination,
    /// The last write has ended in the middle of a line, whose rest is lost.
    torn: bool,
    report: LossReport,
}

impl Writer {
    pub fn new(target: &LogTarget, queue: Arc<LineQueue>) -> io::Result<Self> {
        let sink = match target {
            LogTarget::File(file, _) => LogDestination::File(
                file.lock().unwrap_or_else(PoisonError::into_inner).try_clone()?,
            ),
            LogTarget::Syslog => LogDestination::Syslog(Syslog::default()),
        };
        Ok(Self { report: LossReport::begin(&queue), queue, sink, torn: false })
    }

    /// Writes until the queue is closed and empty.
    pub fn run(mut self) {
        // A pipe without a reader is an error here, and not the end of the process.
        let mut pipe = SigSet::empty();
        pipe.add(Signal::SIGPIPE);
        if pipe.thread_block().is_err() {
            return;
        }
        let mut lines = Vec::new();
        loop {
            let work = self.queue.take(&mut lines);
            if let (Some(file), LogDestination::File(place)) = (work.file, &mut self.sink) {
                (*place, self.torn) = (file, false);
            }
            let outcome = match &mut self.sink {
                LogDestination::File(file) => write_all(file, &lines, &mut self.torn, &self.queue),
                LogDestination::Syslog(syslog) => syslog.send_all(&lines, &self.queue),
            };
            let why = match outcome {
                Ok(()) => String::from("they came faster than they could be written"),
                Err(error) => error.to_string(),
            };
            self.report.look(&self.queue, &why, work.last);
            lines.clear();
            if work.last {
                return;
            }
        }
    }
}

/// Writes whole lines. What cannot be written is counted as lost.
fn write_all(
    file: &OwnedFd,
    mut lines: &[u8],
    torn: &mut bool,
    queue: &LineQueue,
) -> io::Result<()> {
    while !lines.is_empty() {
        if *torn {
            match write(file, b"\n") {
                Ok(_) => *torn = false,
                Err(nix::Error::EINTR) => continue,
                Err(error) => {
                    queue.lose(memchr_iter(b'\n', lines).count() as u64);
                    return Err(error.into());
                }
            }
        }
        match write(file, lines) {
            Ok(written) => {
                *torn = written > 0 && lines[written - 1] != b'\n';
                lines = &lines[written..];
                // What is torn goes on at once, unless that fails.
                if *torn {
                    *torn = false;
                    if let Some(error) = go_on(file, &mut lines, torn, queue) {
                        return Err(error);
                    }
                }
            }
            Err(nix::Error::EINTR) => {}
            Err(nix::Error::EAGAIN) if wait(file, queue) => {}
            Err(error) => {
                queue.lose(memchr_iter(b'\n', lines).count() as u64);
                return Err(error.into());
            }
        }
    }
    Ok(())
}

/// Writes the rest of a line that was written in part.
fn go_on(
    file: &OwnedFd,
    lines: &mut &[u8],
    torn: &mut bool,
    queue: &LineQueue,
) -> Option<io::Error> {
    let mut rest = memchr::memchr(b'\n', lines).map_or(lines.len(), |at| at + 1);
    while rest > 0 {
        match write(file, &lines[..rest]) {
            Ok(written) => {
                *lines = &lines[written..];
                rest -= written;
            }
            Err(nix::Error::EINTR) => {}
            Err(nix::Error::EAGAIN) if wait(file, queue) => {}
            Err(error) => {
                *torn = true;
                queue.lose(memchr_iter(b'\n', lines).count() as u64);
                return Some(error.into());
            }
        }
    }
    None
}

/// Waits for a pipe's reader. `false`: the server ends, and it is not waited for.
fn wait(file: &OwnedFd, queue: &LineQueue) -> bool {
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
    let came = poll(&mut fds, PollTimeout::from(100u16));
    came.is_ok_and(|count| count > 0) || !queue.is_closed()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use nix::fcntl::OFlag;
    use nix::unistd::pipe2;
    use std::sync::atomic::AtomicU64;
    use wire::shm::Shared;

    use super::*;

    fn queue() -> LineQueue {
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        LineQueue::new(Shared::new(memory.leak(), 1, 1))
    }

    #[test]
    fn a_full_disk_loses_lines_and_counts_them() {
        let full = std::fs::OpenOptions::new().append(true).open("/dev/full").unwrap();
        let queue = queue();
        let mut torn = false;
        let outcome = write_all(&full.into(), b"a\nb\nc\n", &mut torn, &queue);
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(nix::libc::ENOSPC));
        assert_eq!((queue.lost(), torn), (3, false));
    }

    #[test]
    fn a_line_that_was_cut_does_not_run_into_the_next() {
        let (read, write) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let queue = queue();
        let mut torn = true;
        write_all(&write, b"b\nc\n", &mut torn, &queue).unwrap();
        drop(write);
        let mut all = String::new();
        std::fs::File::from(read).read_to_string(&mut all).unwrap();
        assert_eq!(all, "\nb\nc\n");
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_not_waited_for_at_the_end() {
        let (_read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
        let queue = queue();
        queue.close();
        let lines = b"0123456\n".repeat(100_000);
        assert!(write_all(&write, &lines, &mut false, &queue).is_err());
        assert!(queue.lost() > 50_000);
    }
}
