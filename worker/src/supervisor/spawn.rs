//! Forking: the only file that does.

use std::os::fd::BorrowedFd;

use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid, fork, getpid, getppid};

use crate::supervisor::process_table::Exit;
use crate::{membership, signals};

/// What a new process is to become.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ProcessKind<'a> {
    /// The reactor.
    Reactor,
    /// A worker with this control socket.
    Worker(BorrowedFd<'a>),
}

/// In which process [`split`] has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// In the supervisor, which has this child now.
    Parent(Pid),
    /// In the child, bound to the life of the supervisor, with its signals set but still blocked.
    Child,
}

/// Forks.
pub(crate) fn split(kind: ProcessKind<'_>) -> nix::Result<Side> {
    let supervisor = getpid();
    // SAFETY: the supervisor has one thread for all its life, so the child finds every lock and the
    // heap in a consistent state, and may do whatever its parent may.
    match membership::for_the_server(|| unsafe { fork() })? {
        ForkResult::Parent { child } => Ok(Side::Parent(child)),
        ForkResult::Child => {
            membership::join();
            if settle(kind, supervisor).is_err() {
                end_now(1);
            }
            Ok(Side::Child)
        }
    }
}

/// Takes a child that has ended off the kernel's list, if there is one.
pub(crate) fn reap() -> Option<(Pid, Exit)> {
    loop {
        let mut status = 0;
        // SAFETY: the status is ours and outlives the call.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
        if pid <= 0 {
            return None;
        }
        if libc::WIFEXITED(status) {
            return Some((Pid::from_raw(pid), Exit::Code(libc::WEXITSTATUS(status))));
        }
        if libc::WIFSIGNALED(status) {
            return Some((Pid::from_raw(pid), Exit::Signal(libc::WTERMSIG(status))));
        }
    }
}

/// Ends this process without running anything of the embedder's, or of libc's.
pub(crate) fn end_now(code: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(code) }
}

fn settle(kind: ProcessKind<'_>, supervisor: Pid) -> nix::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // A supervisor that died before the line above sends no signal any more.
    if getppid() != supervisor {
        end_now(1);
    }
    match kind {
        ProcessKind::Reactor => signals::in_reactor(),
        ProcessKind::Worker(control) => signals::in_worker(control),
    }
}
