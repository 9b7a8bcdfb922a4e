//! The memory that all processes of a server see.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use wire::shared::Shared;

/// Maps marks and counters. The mapping is inherited by every process forked later, and is never
/// undone: it ends with the last process.
pub(crate) fn map(workers: u16, threads: u16) -> nix::Result<Shared> {
    let (workers, threads) = (usize::from(workers), usize::from(threads));
    let words = Shared::words(workers, threads);
    let bytes = NonZeroUsize::new(words * size_of::<AtomicU64>()).unwrap_or(NonZeroUsize::MIN);
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
    let memory = unsafe { mmap_anonymous(None, bytes, access, MapFlags::MAP_SHARED) }?;
    // SAFETY: the mapping is page-aligned, zero (a valid AtomicU64), `words` long, lives as long as
    // the process, and is only ever reached through these atomics.
    let memory = unsafe { std::slice::from_raw_parts(memory.as_ptr().cast(), words) };
    Ok(Shared::new(memory, workers, threads))
}
