//! What a broken worker does to its descriptors and its memory.

use std::num::NonZeroUsize;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::mman::{ProtFlags, mprotect};
use nix::sys::socket::{MsgFlags, Shutdown, SockType, getsockopt, send, shutdown, sockopt};
use wire::shm::{Counter, Shared, WorkerCounter};

/// The open sockets of this kind.
fn sockets(wanted: SockType) -> Vec<RawFd> {
    let names = std::fs::read_dir("/proc/self/fd").expect("proc");
    let numbers = names.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let of_kind = |fd: &RawFd| {
        // SAFETY: this is one thread, and the descriptor was open a moment ago.
        let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
        getsockopt(&fd, sockopt::SockType).is_ok_and(|kind| kind == wanted)
    };
    numbers.filter(of_kind).collect()
}

/// Ends one link under the feet of the loop that serves it.
pub fn close_link() {
    shutdown(sockets(SockType::Stream)[0], Shutdown::Both).expect("a link");
}

/// Tells the supervisor what no worker tells it.
pub fn flood_control(times: u64) {
    let control = sockets(SockType::SeqPacket)[0];
    for _ in 0..times {
        let _ = send(control, &[0xff; 64], MsgFlags::MSG_NOSIGNAL);
    }
    std::thread::sleep(std::time::Duration::from_secs(60));
}

/// Which words this worker can make writable.
pub fn writable(shared: Shared) -> String {
    let id = own_id(shared);
    let words = [
        ("connections", shared.counter(Counter::Connections)),
        ("reactor", shared.counter(Counter::ReactorPid)),
        ("pid", shared.pid(id)),
        ("turns", shared.turns(1)),
        ("other worker", shared.worker(1 - id, WorkerCounter::Busy)),
        ("own", shared.worker(id, WorkerCounter::Busy)),
    ];
    let can = |(name, word)| {
        let can = if can_be_made_writable(word) { "yes" } else { "no" };
        format!("{name} {can}")
    };
    words.map(can).join(", ")
}

fn own_id(shared: Shared) -> usize {
    let pid = u64::from(std::process::id());
    let of = |id: &usize| shared.pid(*id).load(Ordering::Relaxed) == pid;
    (0..shared.workers()).find(of).expect("this worker")
}

fn can_be_made_writable(word: &'static AtomicU64) -> bool {
    let page = NonNull::from(word)
        .map_addr(|at| NonZeroUsize::new(at.get() & !0xfff).expect("not the first page"));
    // SAFETY: the page is mapped, and can only get more access than it has.
    unsafe { mprotect(page.cast(), 4096, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE) }.is_ok()
}

/// Lets in no client any more, if it could.
pub fn scribble(shared: Shared) {
    shared.counter(Counter::Connections).store(1 << 40, Ordering::Relaxed);
}
