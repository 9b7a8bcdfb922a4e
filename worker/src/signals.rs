//! What each kind of process does about signals.
//!
//! The supervisor blocks those it obeys and reads them as data. Its children get the same signals
//! whenever a terminal or a service manager signals the whole group, but who stops when is the
//! supervisor's to decide: so the reactor ignores them, and a worker at most asks to be replaced.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;
use nix::libc::{MSG_DONTWAIT, c_int};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::socket;

/// The signals that the supervisor reads. SIGUSR2 reloads task workers elsewhere: there are none,
/// and whoever sends it does not want the server to end.
const OBEYED: [Signal; 5] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGCHLD];

/// What the supervisor was told by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGTERM that this process has sent to itself: a callback asks for a stop.
    ShutDown,
    /// SIGUSR1.
    Reload,
    /// SIGCHLD.
    Reap,
}

/// The supervisor's signals. Dropping it restores what was before, also in a child.
#[derive(Debug)]
pub(crate) struct Signals {
    descriptor: SignalFd,
    former_mask: SigSet,
    former_child_action: SigAction,
}

impl Signals {
    /// Blocks the signals that the supervisor obeys; from now on they are read.
    pub(crate) fn take() -> nix::Result<Self> {
        let mask: SigSet = OBEYED.into_iter().collect();
        let descriptor =
            SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        // Were SIGCHLD ignored, the kernel would reap the children before their fate was read.
        let former_child_action = dispose(Signal::SIGCHLD, SigHandler::SigDfl)?;
        let mut former_mask = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), Some(&mut former_mask))?;
        Ok(Self { descriptor, former_mask, former_child_action })
    }

    /// The next order, if there is one.
    pub(crate) fn read(&self) -> Option<Order> {
        loop {
            let signal = self.descriptor.read_signal().ok()??;
            match Signal::try_from(signal.ssi_signo as i32) {
                Ok(Signal::SIGTERM) if signal.ssi_pid == std::process::id() => {
                    return Some(Order::ShutDown);
                }
                Ok(Signal::SIGTERM | Signal::SIGINT) => return Some(Order::Stop),
                Ok(Signal::SIGUSR1) => return Some(Order::Reload),
                Ok(Signal::SIGCHLD) => return Some(Order::Reap),
                _ => {}
            }
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // What came too late to be obeyed must not strike the caller when it is unblocked.
        while self.read().is_some() {}
        // SAFETY: the former action was in force before; it is valid to have it again.
        let _ = unsafe { sigaction(Signal::SIGCHLD, &self.former_child_action) };
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.former_mask), None);
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// In a new reactor process, before its signals are unblocked.
pub(crate) fn in_reactor() -> nix::Result<()> {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2] {
        dispose(signal, SigHandler::SigIgn)?;
    }
    Ok(())
}

/// In a new worker process, before its signals are unblocked. SIGTERM and SIGUSR1 ask for an
/// orderly replacement: a stray `kill` then costs no request.
pub(crate) fn in_worker(control: BorrowedFd<'_>) -> nix::Result<()> {
    CONTROL.store(control.as_raw_fd(), Ordering::Relaxed);
    dispose(Signal::SIGINT, SigHandler::SigIgn)?;
    dispose(Signal::SIGUSR2, SigHandler::SigIgn)?;
    for signal in [Signal::SIGTERM, Signal::SIGUSR1] {
        dispose(signal, SigHandler::Handler(on_replacement_signal))?;
    }
    Ok(())
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
    Some(socket::send(control, &[IoSlice::new(packet)], &[], MSG_DONTWAIT).map(drop))
}

/// A worker's control socket, for its signal handler; such a handler can reach nothing else.
static CONTROL: AtomicI32 = AtomicI32::new(NO_CONTROL);
const NO_CONTROL: i32 = -1;

/// [`FromWorker::Recycle`](wire::control::FromWorker::Recycle), encoded.
const RECYCLE: [u8; 1] = [1];

extern "C" fn on_replacement_signal(_: c_int) {
    let errno = Errno::last_raw();
    ask_for_replacement();
    Errno::set_raw(errno);
}

fn dispose(signal: Signal, handler: SigHandler) -> nix::Result<SigAction> {
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the only handler installed here is `on_replacement_signal`, which does only what a
    // handler may: atomics and one system call, with errno preserved.
    unsafe { sigaction(signal, &action) }
}

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
