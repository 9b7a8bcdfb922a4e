//! Whether this process belongs to the server, or is a copy that a callback has forked.
//!
//! `pcntl_fork()` in a handler copies a worker with all that it has: its links, its control socket,
//! and the loop that would read them. The copy is no worker. So at the fork its copies of those
//! sockets are replaced by a dead one, and what it does on its way out of the callback asks here
//! first.
//!
//! Two things tell, because neither suffices. A handler of `pthread_atfork(3)` runs in the child at
//! once, before anything of the callback's does, but not for a bare `clone(2)`. A page that the kernel
//! clears in every child (`MADV_WIPEONFORK`) works for all of them, and reading it costs no system
//! call, but it runs nothing. A child that shares its parent's memory (`vfork`, `posix_spawn`) sees
//! neither; it runs another program, which gets no socket of ours, as all are close-on-exec.

use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use nix::libc;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous};

use crate::signals;

/// What this process is to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// There is no server, or none any more.
    Outside,
    /// The supervisor, or a process that it has forked for the server.
    Member,
    /// A process that a callback of a member has forked, or a descendant of such a one.
    ForkedCopy,
}

/// What this process is to a server. Makes no system call.
pub fn membership() -> Membership {
    let mark = MARK.load(Ordering::Relaxed);
    if mark.is_null() {
        return Membership::Outside;
    }
    // SAFETY: the page is never unmapped.
    if unsafe { &*mark }.load(Ordering::Relaxed) == MEMBER {
        return Membership::Member;
    }
    leave();
    Membership::ForkedCopy
}

/// Whether this process is a copy that a callback has forked.
pub fn is_forked_copy() -> bool {
    membership() == Membership::ForkedCopy
}

/// This process becomes the supervisor.
pub(crate) fn begin() -> nix::Result<()> {
    static ONCE: Once = Once::new();
    let page = map()?;
    // SAFETY: the handler does only what it may in a child: see there.
    ONCE.call_once(|| unsafe {
        libc::pthread_atfork(None, None, Some(on_fork));
    });
    MARK.store(page, Ordering::Relaxed);
    join();
    Ok(())
}

/// The server is over; the process goes on.
pub(crate) fn end() {
    MARK.store(null_mut(), Ordering::Relaxed);
}

/// Runs a fork of the server's own: its child is no copy. It has to [`join`].
pub(crate) fn for_the_server<R>(run: impl FnOnce() -> R) -> R {
    OWN_FORK.store(true, Ordering::Relaxed);
    let forked = run();
    OWN_FORK.store(false, Ordering::Relaxed);
    forked
}

/// In a child that was forked for the server.
pub(crate) fn join() {
    let mark = MARK.load(Ordering::Relaxed);
    if !mark.is_null() {
        // SAFETY: the page is never unmapped.
        unsafe { &*mark }.store(MEMBER, Ordering::Relaxed);
    }
}

/// The first byte of the page that is cleared at a fork; null outside of a server.
static MARK: AtomicPtr<AtomicU8> = AtomicPtr::new(null_mut());
const MEMBER: u8 = 1;

/// Whether the fork that is under way is the server's own.
static OWN_FORK: AtomicBool = AtomicBool::new(false);

/// Whether this copy has let go of what was the server's.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Descriptors that no copy may keep.
static PRIVATE: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

fn map() -> nix::Result<*mut AtomicU8> {
    static PAGE: AtomicPtr<AtomicU8> = AtomicPtr::new(null_mut());
    let known = PAGE.load(Ordering::Relaxed);
    if !known.is_null() {
        return Ok(known);
    }
    let (access, kind) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE);
    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let page = unsafe { mmap_anonymous(None, NonZeroUsize::MIN, access, kind) }?;
    // Where the kernel cannot do it, the handler of forks clears the mark.
    // SAFETY: the mapping is ours, and nothing but the mark is in it.
    let _ = unsafe { madvise(page, 1, MmapAdvise::MADV_WIPEONFORK) };
    let page = page.as_ptr().cast::<AtomicU8>();
    PAGE.store(page, Ordering::Relaxed);
    Ok(page)
}

/// In the child of every `fork(3)`. The process that forked has one thread, so no lock is held and
/// the heap is sound.
extern "C" fn on_fork() {
    let mark = MARK.load(Ordering::Relaxed);
    if mark.is_null() || OWN_FORK.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: the page is never unmapped.
    unsafe { &*mark }.store(0, Ordering::Relaxed);
    leave();
}

/// Lets go of what is the server's.
fn leave() {
    if !LEFT.swap(true, Ordering::Relaxed) {
        signals::in_copy();
        if let Ok(private) = PRIVATE.try_lock() {
            bury(&private);
        }
    }
}

/// Replaces descriptors by a socket whose other end is closed. To close them would free their numbers
/// for files of the callback's, which their owners here would then close.
fn bury(private: &[RawFd]) {
    let dead = dead_socket().or_else(|| {
        // There are too many open files; these two make room.
        for descriptor in private.iter().take(2) {
            // SAFETY: the number is put to use again below, before its owner sees it.
            unsafe { libc::close(*descriptor) };
        }
        dead_socket()
    });
    let Some(dead) = dead else { return };
    for descriptor in private {
        // SAFETY: the number belongs to this module's `PrivateFd`, which goes on owning it.
        unsafe { libc::dup3(dead, *descriptor, libc::O_CLOEXEC) };
    }
    if !private.contains(&dead) {
        // SAFETY: it was made above and given to nobody.
        unsafe { libc::close(dead) };
    }
}

fn dead_socket() -> Option<RawFd> {
    let mut pair = [-1; 2];
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: there is room for two descriptors; the second one belongs to nobody else.
    unsafe {
        if libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) != 0 {
            return None;
        }
        libc::close(pair[1]);
    }
    Some(pair[0])
}

/// A descriptor that no copy of this process keeps: in one it is a socket whose other end is closed.
#[derive(Debug)]
pub(crate) struct PrivateFd(OwnedFd);

impl PrivateFd {
    /// Gives the descriptor back to where copies keep it.
    pub(crate) fn into_shared(self) -> OwnedFd {
        self.forget();
        let this = ManuallyDrop::new(self);
        // SAFETY: the value is moved out of what is never dropped and never used again.
        unsafe { std::ptr::read(&raw const this.0) }
    }

    fn forget(&self) {
        let raw = self.0.as_raw_fd();
        let mut private = PRIVATE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = private.iter().position(|known| *known == raw) {
            private.swap_remove(at);
        }
    }
}

impl AsFd for PrivateFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for PrivateFd {
    fn from(descriptor: OwnedFd) -> Self {
        let mut private = PRIVATE.lock().unwrap_or_else(PoisonError::into_inner);
        private.push(descriptor.as_raw_fd());
        Self(descriptor)
    }
}

impl Drop for PrivateFd {
    fn drop(&mut self) {
        self.forget();
    }
}
