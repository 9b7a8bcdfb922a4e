//! The memory that all processes of a server see, and how workers are kept from writing most of it.
//!
//! It is mapped twice before the first fork: once to be written, and once to be read by a mapping that
//! nothing can make writable. The supervisor and the reactor use the first. A new worker puts the
//! second one in the place of the first, its own part apart, at the same addresses.
//!
//! What holds: the memory is a file in memory (`memfd_create`) with the seal `F_SEAL_FUTURE_WRITE`, so
//! the kernel refuses any further writable mapping of it and any `mprotect` of the one to be read, also
//! when code of a handler asks by FFI. Kernels before 5.1 have no such seal: there the mapping to be read
//! is of a descriptor that is open for reading alone, which the kernel does not make writable either,
//! and no process keeps another. Where neither can be had, the server does not start. What does not: a process of the same user that may trace the
//! supervisor (`ptrace`, `/proc/PID/mem`) can change anything in it.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl, open};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MRemapFlags, MapFlags, ProtFlags, mmap, mremap, munmap};
use nix::sys::stat::Mode;
use nix::unistd::ftruncate;
use wire::shm::Shared;

/// Copies content to a block of the arena, at the speed of memory: word by word, as atomics are
/// written, it takes half as long again.
pub(crate) fn fill(block: &[AtomicU64], content: &[u8]) {
    let len = content.len().min(size_of_val(block));
    // SAFETY: the block is at least `len` bytes of memory that this process may write, as atomics may be
    // through a shared reference, and a PHP string is not in it. The reactor does not read a block that
    // is not said to be filled, and nobody else reads any. A former life of this worker that still
    // runs may write it at the same time: then the content of its own response is wrong, and nothing
    // decides by these bytes.
    unsafe {
        block.as_ptr().cast_mut().cast::<u8>().copy_from_nonoverlapping(content.as_ptr(), len)
    }
}

/// Both mappings. They are inherited by every process forked later, and are never undone: they end
/// with the last process.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    /// Marks and counters, writable.
    pub(crate) shared: Shared,
    writable: NonNull<c_void>,
    readable: NonNull<c_void>,
    bytes: NonZeroUsize,
}

impl SharedMemory {
    /// Maps what this many workers and reactor threads need.
    pub(crate) fn map(workers: u16, threads: u16) -> nix::Result<Self> {
        Self::map_sealed_by(add_seals, workers, threads)
    }

    fn map_sealed_by(
        seal: impl FnOnce(&OwnedFd) -> nix::Result<()>,
        workers: u16,
        threads: u16,
    ) -> nix::Result<Self> {
        let (workers, threads) = (usize::from(workers), usize::from(threads));
        let words = Shared::words(workers, threads);
        let bytes = NonZeroUsize::new(words * size_of::<AtomicU64>()).unwrap_or(NonZeroUsize::MIN);
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let file = memfd_create(c"ferrite", flags)?;
        ftruncate(&file, i64::try_from(bytes.get()).map_err(|_| nix::Error::EFBIG)?)?;
        let write = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let writable = unsafe { mmap(None, bytes, write, MapFlags::MAP_SHARED, &file, 0) }?;
        let file = if seal(&file).is_ok() { file } else { reopened(&file)? };
        // SAFETY: as above.
        let readable =
            unsafe { mmap(None, bytes, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, &file, 0) }?;
        // SAFETY: the mapping is page-aligned, zero (a valid AtomicU64), `words` long, lives as long
        // as the process, and is only ever reached through these atomics.
        let memory = unsafe { std::slice::from_raw_parts(writable.as_ptr().cast(), words) };
        Ok(Self { shared: Shared::new(memory, workers, threads), writable, readable, bytes })
    }

    /// In a new worker: from now on this process can write its own part alone. Every address stays
    /// what it was.
    pub(crate) fn confine(&self, worker: u16) -> nix::Result<()> {
        let part = self.shared.part(usize::from(worker));
        let own = part.start * size_of::<AtomicU64>()..part.end * size_of::<AtomicU64>();
        self.protect(0..own.start)?;
        self.protect(own.end..self.bytes.get())?;
        // SAFETY: only this method knows of the mapping to be read, and nothing of it is in use.
        unsafe { munmap(self.readable.byte_add(own.start), own.len()) }
    }

    /// Moves this range of bytes of one mapping into the place that it has in the other.
    fn protect(&self, range: Range<usize>) -> nix::Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        let flags = MRemapFlags::MREMAP_MAYMOVE | MRemapFlags::MREMAP_FIXED;
        // SAFETY: both are ranges of whole pages within our mappings, of the same bytes of the same
        // file: whoever reads by a reference sees no difference, and nobody in a worker writes there.
        unsafe {
            let from = self.readable.byte_add(range.start);
            let to = self.writable.byte_add(range.start);
            mremap(from, range.len(), range.len(), flags, Some(to)).map(drop)
        }
    }
}

/// Sees to it that no later mapping of the file can be written.
fn add_seals(file: &OwnedFd) -> nix::Result<()> {
    let seals = SealFlag::F_SEAL_FUTURE_WRITE
        | SealFlag::F_SEAL_GROW
        | SealFlag::F_SEAL_SHRINK
        | SealFlag::F_SEAL_SEAL;
    fcntl(file, FcntlArg::F_ADD_SEALS(seals)).map(drop)
}

/// The same file, open for reading alone.
fn reopened(file: &OwnedFd) -> nix::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    open(&path[..], OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use nix::sys::mman::mprotect;
    use wire::shm::{Counter, WorkerCounter};

    use super::*;

    fn page_of(word: &AtomicU64) -> NonNull<c_void> {
        // Parts begin at multiples of 64 KiB of the mapping, which itself begins at a page.
        NonNull::from(word)
            .cast()
            .map_addr(|addr| NonZeroUsize::new(addr.get() & !4095).unwrap_or(addr))
    }

    fn can_be_made_writable(word: &AtomicU64) -> bool {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the page is mapped, and its access is only ever widened.
        unsafe { mprotect(page_of(word), 4096, access) }.is_ok()
    }

    #[test]
    fn a_worker_can_write_its_own_part_alone_and_reads_the_rest() {
        confined(SharedMemory::map(3, 2).unwrap());
    }

    #[test]
    fn the_same_holds_on_kernels_without_the_seal() {
        let refused = |_: &OwnedFd| Err(nix::Error::EINVAL);
        confined(SharedMemory::map_sealed_by(refused, 3, 2).unwrap());
    }

    fn confined(memory: SharedMemory) {
        let shared = memory.shared;
        shared.add(Counter::Connections, 5);
        shared.pid(0).store(77, Ordering::Relaxed);
        for worker in 0..3 {
            shared.worker(worker, WorkerCounter::Requests).store(worker as u64, Ordering::Relaxed);
        }
        // What the supervisor and the reactor see by another mapping of the same file.
        memory.confine(1).unwrap();
        assert_eq!(
            (shared.get(Counter::Connections), shared.pid(0).load(Ordering::Relaxed)),
            (5, 77)
        );
        for worker in 0..3 {
            let requests = shared.worker(worker, WorkerCounter::Requests);
            assert_eq!(requests.load(Ordering::Relaxed), worker as u64);
        }
        shared.worker(1, WorkerCounter::Requests).fetch_add(1, Ordering::Relaxed);
        assert_eq!(shared.worker(1, WorkerCounter::Requests).load(Ordering::Relaxed), 2);
        assert!(can_be_made_writable(shared.worker(1, WorkerCounter::Requests)));
        for word in [
            shared.counter(Counter::Connections),
            shared.counter(Counter::ReactorPid),
            shared.pid(1),
            shared.turns(1),
            shared.worker(0, WorkerCounter::Busy),
            shared.worker(2, WorkerCounter::Busy),
        ] {
            assert!(!can_be_made_writable(word));
        }
    }

    #[test]
    fn a_single_worker_and_the_last_one_are_confined_as_well() {
        for workers in [1, 2] {
            let memory = SharedMemory::map(workers, 1).unwrap();
            memory.confine(workers - 1).unwrap();
            assert!(!can_be_made_writable(memory.shared.counter(Counter::Connections)));
            let own = memory.shared.worker(usize::from(workers) - 1, WorkerCounter::Busy);
            own.store(1, Ordering::Relaxed);
        }
    }
}
