//! Lines of the log that cannot be written, because a disk is full for example: they are counted, and
//! the server goes on.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, Record};
use nix::errno::Errno;
use wire::limits::LOG_BOUND_PERIOD;

use super::{LOGGER, STDERR};

/// What a process has not been able to log.
pub(super) struct Losses {
    /// Lines since the last one that was written.
    lost: AtomicU64,
    /// Whether the log ends in the middle of a line.
    torn: AtomicBool,
    /// When standard error was told last, in seconds since 1970.
    told: AtomicU64,
    /// `log_file`.
    path: Mutex<Option<PathBuf>>,
    /// Where all processes but the workers, which may not write there, count what they lose.
    counter: OnceLock<&'static AtomicU64>,
    /// Where this worker does.
    of_worker: OnceLock<&'static AtomicU64>,
}

impl Losses {
    pub(super) const fn none() -> Self {
        Self {
            lost: AtomicU64::new(0),
            torn: AtomicBool::new(false),
            told: AtomicU64::new(0),
            path: Mutex::new(None),
            counter: OnceLock::new(),
            of_worker: OnceLock::new(),
        }
    }

    /// The file that lines go to from now on.
    pub(super) fn name(&self, path: &Path) {
        *self.path.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.to_owned());
    }

    /// What is lost is counted there from now on.
    pub(super) fn count_at(&self, counter: &'static AtomicU64) {
        // A script starts one server.
        let _ = self.counter.set(counter);
    }

    /// What this process, a worker, loses is counted there from now on.
    pub(super) fn count_of_worker_at(&self, counter: &'static AtomicU64) {
        // A process is one worker.
        let _ = self.of_worker.set(counter);
    }

    /// In a new process: what its parent has lost is told of by that. That it was told is not forgotten,
    /// so that many short lives say no more than one.
    pub(super) fn begin_anew(&self) {
        self.lost.store(0, Ordering::Relaxed);
    }

    /// Writes a line, in one piece; behind lost ones it begins with how many those were.
    pub(super) fn write(&self, to: BorrowedFd<'_>, line: Vec<u8>) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let torn = self.torn.swap(false, Ordering::Relaxed);
        let bytes = if lost > 0 || torn { after_gap(lost, torn, &line) } else { line };
        let Err((written, error)) = write_all(to, &bytes) else { return };
        let of_server = self.counter.get().filter(|_| !LOGGER.is_worker());
        if let Some(counter) = self.of_worker.get().or(of_server) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        self.torn.fetch_or(torn || written > 0, Ordering::Relaxed);
        self.tell(error);
    }

    /// Says on standard error, now and then, that lines are lost.
    fn tell(&self, error: Errno) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let told = self.told.load(Ordering::Relaxed);
        let is_file = LOGGER.fd.load(Ordering::Relaxed) != STDERR;
        if !is_file || now < told + LOG_BOUND_PERIOD.as_secs() {
            return;
        }
        self.told.store(now, Ordering::Relaxed);
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        let path = path.as_deref().unwrap_or(Path::new("")).display();
        let line = LOGGER.line(
            &Record::builder()
                .level(Level::Error)
                .args(format_args!(
                    "cannot write to log_file {path}: {}; lines are lost until it can be written to. \
                     Free space there",
                    error.desc()
                ))
                .build(),
        );
        // There is nowhere else to tell it.
        let _ = write_all(std::io::stderr().as_fd(), &line);
    }
}

fn after_gap(lost: u64, torn: bool, line: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len() + 128);
    if torn {
        bytes.push(b'\n');
    }
    if lost > 0 {
        let gap = LOGGER.line(
            &Record::builder()
                .level(Level::Error)
                .args(format_args!("{lost} lines of this process could not be written to the log"))
                .build(),
        );
        bytes.extend_from_slice(&gap);
    }
    bytes.extend_from_slice(line);
    bytes
}

/// How much was written, and why not all of it.
fn write_all(to: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), (usize, Errno)> {
    let mut written = 0;
    while written < bytes.len() {
        match nix::unistd::write(to, &bytes[written..]) {
            Ok(0) => return Err((written, Errno::ENOSPC)),
            Ok(more) => written += more,
            Err(Errno::EINTR) => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, pipe};

    use super::*;

    #[test]
    fn lost_lines_are_counted_and_told_of_when_there_is_room_again() {
        let losses = Losses::none();
        let full = File::options().append(true).open("/dev/full").expect("/dev/full");
        for _ in 0..3 {
            losses.write(full.as_fd(), b"lost\n".to_vec());
        }
        let (mut reader, writer) = pipe().expect("a pipe");
        losses.write(writer.as_fd(), b"first\n".to_vec());
        losses.write(writer.as_fd(), b"second\n".to_vec());
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        let (gap, rest) = text.split_once('\n').expect("lines");
        assert!(
            gap.ends_with("] 3 lines of this process could not be written to the log"),
            "{gap}"
        );
        assert_eq!(rest, "first\nsecond\n");
    }

    #[test]
    fn a_line_behind_half_of_one_is_a_line() {
        let losses = Losses::none();
        let (mut reader, writer) = pipe().expect("a pipe");
        nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))
            .expect("a pipe that is not waited for");
        losses.write(writer.as_fd(), vec![b'x'; 1 << 20]);
        let mut half = vec![0; 1 << 16];
        reader.read_exact(&mut half).expect("what fits");
        losses.write(writer.as_fd(), b"whole\n".to_vec());
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        assert!(text.trim_start_matches('x').starts_with('\n'), "{text}");
        assert!(
            text.ends_with("] 1 lines of this process could not be written to the log\nwhole\n")
        );
    }
}
