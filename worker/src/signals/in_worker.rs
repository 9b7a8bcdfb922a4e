//! A worker's signals.
//!
//! Two things are asked for, and they pull against each other. A signal that goes to the whole group
//! (systemd at a stop, a terminal at Ctrl-C) must not cut short what a handler of PHP's waits in:
//! `sleep()`, `stream_select()`, a database driver's `poll(2)`. No disposition but ignoring does
//! that: after a handler the kernel restarts some calls, but never these (signal(7)). And a
//! program that a handler starts must find every signal at its default and unblocked. But ignored
//! signals stay ignored in it, and blocked ones blocked; handlers alone do not outlive `execve(2)`.
//!
//! So a worker has handlers, which do nothing or little, *and* blocks these signals. What starts a
//! program lifts the block: `fork(3)` by a handler of `pthread_atfork(3)` in the child (see
//! [`membership`](crate::membership())), and PHP's functions that go by `posix_spawn(3)`, which runs
//! none, by [`with_open_mask`](super::with_open_mask) for as long as they run: what those wait in themselves
//! (`read(2)`, `waitpid(2)`) is restarted after a handler. `pcntl_signal()` unblocks the signal that
//! it sets, so a user's own handlers run as they would in any script.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;
use nix::libc::{MSG_DONTWAIT, c_int};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::{OBEYED, dispose};

/// What a worker blocks: everything that is the supervisor's to obey. How its own children end is
/// the business of PHP code.
fn blocked() -> SigSet {
    OBEYED.into_iter().filter(|signal| *signal != Signal::SIGCHLD).collect()
}

/// In a new worker process, while its signals are still blocked.
pub(crate) fn in_worker(control: BorrowedFd<'_>) -> nix::Result<()> {
    CONTROL.store(control.as_raw_fd(), Ordering::Relaxed);
    dispose(Signal::SIGCHLD, SigHandler::SigDfl)?;
    for signal in &blocked() {
        let handler = match signal {
            Signal::SIGTERM | Signal::SIGUSR1 => on_replacement_signal,
            _ => on_other_signal,
        };
        dispose(signal, SigHandler::Handler(handler))?;
    }
    // PHP ignores SIGPIPE. What else is ignored was so before the server was started, as a shell does
    // with SIGINT for programs in the background.
    let others = Signal::iterator().filter(|signal| !OBEYED.contains(signal) && !kept(*signal));
    for signal in others {
        let former = dispose(signal, SigHandler::Handler(on_other_signal))?;
        if !matches!(former.handler(), SigHandler::SigIgn) {
            // SAFETY: it was in force a moment ago.
            unsafe { sigaction(signal, &former) }?;
        }
    }
    Ok(())
}

/// What must stay as it is even if it is ignored: what cannot be handled, what a broken instruction
/// raises over and over, and what a write to a terminal would.
fn kept(signal: Signal) -> bool {
    matches!(
        signal,
        Signal::SIGKILL
            | Signal::SIGSTOP
            | Signal::SIGSEGV
            | Signal::SIGBUS
            | Signal::SIGFPE
            | Signal::SIGILL
            | Signal::SIGTRAP
            | Signal::SIGSYS
            | Signal::SIGABRT
            | Signal::SIGTSTP
            | Signal::SIGTTIN
            | Signal::SIGTTOU
    )
}

/// In a worker that has nothing of the supervisor's any more: from now on its signals are blocked,
/// and nothing else is.
pub(crate) fn settle_worker() -> nix::Result<WorkerSignals> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&blocked()), None)?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok(WorkerSignals(SignalFd::with_flags(&blocked(), flags)?))
}

/// Where a worker learns between two requests what signals have come.
#[derive(Debug)]
pub(crate) struct WorkerSignals(SignalFd);

impl WorkerSignals {
    /// Obeys those that have come: SIGTERM and SIGUSR1 ask for an orderly replacement, so a stray
    /// `kill` costs no request. The others are for the supervisor.
    pub(crate) fn obey(&self) {
        let mut replace = false;
        while let Ok(Some(signal)) = self.0.read_signal() {
            let signal = Signal::try_from(signal.ssi_signo as i32);
            replace |= matches!(signal, Ok(Signal::SIGTERM | Signal::SIGUSR1));
        }
        if replace {
            ask_for_replacement();
        }
    }
}

impl AsFd for WorkerSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// In a worker whose control socket is about to close.
pub(crate) fn forget_worker() {
    CONTROL.store(NO_CONTROL, Ordering::Relaxed);
}

/// Asks the supervisor to replace this worker. `false` when this process is no worker. Safe to call
/// in a signal handler: it allocates nothing and takes no lock.
pub(crate) fn ask_for_replacement() -> bool {
    say(&RECYCLE).is_some_and(|said| said.is_ok())
}

/// Sends an encoded message to the supervisor; `None` when this process is no worker.
pub(crate) fn say(packet: &[u8]) -> Option<io::Result<()>> {
    let control = CONTROL.load(Ordering::Relaxed);
    if control == NO_CONTROL {
        return None;
    }
    // SAFETY: the descriptor is open until `forget_worker`, which runs in this one thread.
    let control = unsafe { BorrowedFd::borrow_raw(control) };
    let sent = ancillary::send(control, &[IoSlice::new(packet)], &[], MSG_DONTWAIT);
    Some(sent.map(drop).map_err(io::Error::from))
}

/// A worker's control socket, for its signal handler; such a handler can reach nothing else.
static CONTROL: AtomicI32 = AtomicI32::new(NO_CONTROL);
const NO_CONTROL: i32 = -1;

/// [`FromWorker::Recycle`](wire::control::FromWorker::Recycle), encoded.
const RECYCLE: [u8; 1] = [1];

pub(super) extern "C" fn on_replacement_signal(_: c_int) {
    let errno = Errno::last_raw();
    ask_for_replacement();
    Errno::set_raw(errno);
}

pub(super) extern "C" fn on_other_signal(_: c_int) {}

#[cfg(test)]
mod tests {
    use wire::control::{FromWorker, encode};

    use super::*;

    #[test]
    fn the_packet_of_the_signal_handler_is_recycle() {
        assert_eq!(encode(&FromWorker::Recycle), RECYCLE);
    }

    #[test]
    fn outside_of_a_worker_nobody_is_asked() {
        assert!(!ask_for_replacement());
    }
}
