//! What each kind of process does about signals.
//!
//! The supervisor blocks those it obeys and reads them as data. Its children get the same signals
//! whenever a terminal or a service manager signals the whole group, but who stops when is the
//! supervisor's to decide: so the reactor ignores them, and a worker at most asks to be replaced.

mod in_worker;

use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::fn_addr_eq;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::libc::c_int;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpid};

pub(crate) use in_worker::{
    WorkerSignals, ask_for_replacement, forget_worker, in_worker, say, settle_worker,
};

/// The signals that the supervisor reads. SIGUSR2 reloads task workers elsewhere: there are none,
/// and whoever sends it does not want the server to end.
const OBEYED: [Signal; 7] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGCHLD,
];

/// What the supervisor was told by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// SIGTERM, SIGINT or SIGQUIT.
    Stop,
    /// SIGTERM that this process has sent to itself: a callback asks for a stop.
    ShutDown,
    /// SIGUSR1.
    Reload,
    /// SIGHUP.
    Reopen,
    /// SIGCHLD.
    Reap,
}

impl Order {
    fn of(signal: Signal) -> Option<Self> {
        match signal {
            Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT => Some(Self::Stop),
            Signal::SIGHUP => Some(Self::Reopen),
            Signal::SIGUSR1 => Some(Self::Reload),
            Signal::SIGCHLD => Some(Self::Reap),
            _ => None,
        }
    }
}

/// The supervisor's signals. Dropping it restores what was before, also in a child.
#[derive(Debug)]
pub(crate) struct Signals {
    descriptor: SignalFd,
    supervisor: Pid,
    former_mask: SigSet,
    former_actions: Vec<(Signal, SigAction)>,
}

impl Signals {
    /// Blocks the signals that the supervisor obeys; from now on they are read.
    pub(crate) fn take() -> nix::Result<Self> {
        let mask: SigSet = OBEYED.into_iter().collect();
        let descriptor =
            SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let mut former_mask = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), Some(&mut former_mask))?;
        let note = SigHandler::Handler(note_signal);
        let former_actions = OBEYED
            .into_iter()
            .map(|signal| Ok((signal, dispose(signal, note)?)))
            .collect::<nix::Result<_>>()?;
        Ok(Self { descriptor, supervisor: getpid(), former_mask, former_actions })
    }

    /// Whether a signal came while the mask was open, see [`with_open_mask`]: the descriptor does not tell.
    pub(crate) fn were_noted(&self) -> bool {
        NOTED.load(Ordering::Relaxed) != 0
    }

    /// The next order, if there is one.
    pub(crate) fn read(&self) -> Option<Order> {
        if let Some(signal) = take_noted() {
            return Order::of(signal);
        }
        loop {
            let signal = self.descriptor.read_signal().ok()??;
            match Signal::try_from(signal.ssi_signo as i32) {
                Ok(Signal::SIGTERM) if signal.ssi_pid == std::process::id() => {
                    return Some(Order::ShutDown);
                }
                Ok(signal) => match Order::of(signal) {
                    None => {}
                    order => return order,
                },
                Err(_) => {}
            }
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // What came too late to be obeyed must not strike the caller when it is unblocked.
        while self.were_noted() || self.read().is_some() {
            take_noted();
        }
        // A child has set its own by now.
        if self.supervisor == getpid() {
            for (signal, action) in &self.former_actions {
                // SAFETY: the former action was in force before; it is valid to have it again.
                let _ = unsafe { sigaction(*signal, action) };
            }
        }
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
    for signal in OBEYED.into_iter().filter(|signal| *signal != Signal::SIGCHLD) {
        dispose(signal, SigHandler::SigIgn)?;
    }
    // A write past the limit on the size of files (ulimit -f) fails as one to a full disk does.
    dispose(Signal::SIGXFSZ, SigHandler::SigIgn)?;
    dispose(Signal::SIGCHLD, SigHandler::SigDfl).map(drop)
}

/// In a copy that a callback has forked: it answers to signals as any process of PHP's does. What the
/// callback has set by `pcntl_signal()` stays. Safe in the child of a fork.
pub(crate) fn in_copy() {
    let ours: [extern "C" fn(c_int); 3] =
        [note_signal, in_worker::on_replacement_signal, in_worker::on_other_signal];
    for signal in OBEYED {
        let Ok(former) = dispose(signal, SigHandler::SigDfl) else { continue };
        let is_ours = match former.handler() {
            SigHandler::Handler(known) => ours.iter().any(|own| fn_addr_eq(*own, known)),
            _ => false,
        };
        if !is_ours {
            // SAFETY: it was in force a moment ago.
            let _ = unsafe { sigaction(signal, &former) };
        }
    }
    let mask: SigSet = OBEYED.into_iter().collect();
    let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&mask), None);
}

/// Runs what may start a program, with the signals unblocked that a member of the server blocks: a
/// mask outlives `execve(2)`. None of them does harm meanwhile: each has a handler, which programs do
/// not inherit, and which lets the usual system calls go on. What jumps out of `run` leaves them
/// unblocked.
pub fn with_open_mask<R>(run: impl FnOnce() -> R) -> R {
    if crate::membership() != crate::Membership::Member {
        return run();
    }
    let (opened, mut former): (SigSet, _) = (OBEYED.into_iter().collect(), SigSet::empty());
    let done = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&opened), Some(&mut former));
    let returned = run();
    if done.is_ok() {
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&former), None);
    }
    returned
}

/// Signals that the supervisor got while its mask was open: a bit for each.
static NOTED: AtomicU32 = AtomicU32::new(0);

extern "C" fn note_signal(signal: c_int) {
    NOTED.fetch_or(1 << signal, Ordering::Relaxed);
}

fn take_noted() -> Option<Signal> {
    let noted = NOTED.load(Ordering::Relaxed);
    let signal = OBEYED.into_iter().find(|signal| noted & 1 << *signal as c_int != 0)?;
    NOTED.fetch_and(!(1 << signal as c_int), Ordering::Relaxed);
    Some(signal)
}

fn dispose(signal: Signal, handler: SigHandler) -> nix::Result<SigAction> {
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handlers installed here do only what a handler may: atomics and one system call,
    // with errno preserved.
    unsafe { sigaction(signal, &action) }
}
