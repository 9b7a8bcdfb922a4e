//! [`ResponseSpool`]: content of responses that their clients have not taken, in one unlinked file
//! per thread.
//!
//! The file is divided into blocks of [`SPOOL_BLOCK_BYTES`]. One descriptor serves all responses, so
//! clients that do not read cannot use up the descriptors of the process. A block is used again when
//! the last slice of it has been dropped. So it must not be sent by `sendfile`, which lends the pages
//! of the file to the socket until the client has acknowledged them: what is written there afterwards
//! would reach the former client. Blocks are read, and what was read is sent.
//!
//! It is a temporary file and no memory file (`memfd_create`): to write a block, read it and send it took
//! 40 to 80 µs of CPU time by a file on ext4 and 80 to 105 µs by a memory file, with 1 MiB to 1 GiB in
//! use. And when memory is short the kernel writes the pages of a file back, while those of a memory file
//! stay where there is no swap.

use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::uio::pwrite;
use nix::unistd::ftruncate;
use wire::limits::{SPOOL_BLOCK_BYTES, SPOOL_WARNING_PAUSE};
use wire::shm::{Counter, Shared};
use wire::{FileSlice, OpenFile};

/// How much content of all responses may be kept for clients that have not taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Bytes in memory.
    pub memory_bytes_max: u64,
    /// Bytes of the threads' files together.
    pub disk_bytes_max: u64,
}

/// How much content is kept, by all threads together.
#[derive(Debug)]
pub struct SpoolUsage {
    limits: SpoolLimits,
    memory: AtomicU64,
    disk: AtomicU64,
    /// How often there was less of either.
    freed: AtomicU64,
    /// Where the figures are shown. They are not read back: workers could write them too.
    shared: Shared,
}

impl SpoolUsage {
    /// Nothing is kept.
    pub fn new(limits: SpoolLimits, shared: Shared) -> Self {
        Self {
            limits,
            memory: AtomicU64::new(0),
            disk: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            shared,
        }
    }

    /// Counts memory, unless that is more than there may be.
    fn reserve_memory(&self, bytes: u64) -> bool {
        let fits = reserve(&self.memory, bytes, self.limits.memory_bytes_max);
        self.shared.add(Counter::SpoolMemory, if fits { bytes } else { 0 });
        fits
    }

    fn reserve_disk(&self, bytes: u64) -> bool {
        let fits = reserve(&self.disk, bytes, self.limits.disk_bytes_max);
        self.shared.add(Counter::SpoolDisk, if fits { bytes } else { 0 });
        fits
    }

    fn free_disk(&self, bytes: u64) {
        self.disk.fetch_sub(bytes, Ordering::Relaxed);
        self.freed.fetch_add(1, Ordering::Relaxed);
        self.shared.sub(Counter::SpoolDisk, bytes);
    }

    /// Counts memory that is in use already, whatever there may be.
    fn add_memory(&self, bytes: u64) {
        self.memory.fetch_add(bytes, Ordering::Relaxed);
        self.shared.add(Counter::SpoolMemory, bytes);
    }

    fn free_memory(&self, bytes: u64) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
        self.freed.fetch_add(1, Ordering::Relaxed);
        self.shared.sub(Counter::SpoolMemory, bytes);
    }
}

fn reserve(gauge: &AtomicU64, bytes: u64, max: u64) -> bool {
    let fits = gauge.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= max;
    if !fits {
        gauge.fetch_sub(bytes, Ordering::Relaxed);
    }
    fits
}

/// What one connection has in memory. Given back when it is dropped.
#[derive(Debug)]
pub struct MemoryCharge {
    usage: Arc<SpoolUsage>,
    bytes: u64,
}

impl MemoryCharge {
    /// Nothing.
    pub fn new(spool: &ResponseSpool) -> Self {
        Self { usage: Arc::clone(&spool.usage), bytes: 0 }
    }

    /// Adds to it, unless that is more than all connections together may have.
    pub fn grow(&mut self, bytes: u64) -> bool {
        let fits = self.usage.reserve_memory(bytes);
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    /// Sets it to what the connection has.
    pub fn set(&mut self, bytes: u64) {
        if bytes > self.bytes {
            self.usage.add_memory(bytes - self.bytes);
        } else if bytes < self.bytes {
            self.usage.free_memory(self.bytes - bytes);
        }
        self.bytes = bytes;
    }
}

impl Drop for MemoryCharge {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// One thread's file, and what all threads have in use.
#[derive(Debug)]
pub struct ResponseSpool {
    usage: Arc<SpoolUsage>,
    dir: PathBuf,
    /// Opened when it is first needed.
    file: Option<Arc<BlockFile>>,
    /// When a line of the log last said that something cannot be kept.
    warned: Option<Instant>,
    /// Whether content could not be kept since somebody asked.
    refused: bool,
}

/// The file, and which of its blocks are free.
#[derive(Debug)]
struct BlockFile {
    fd: Arc<OpenFile>,
    blocks: Mutex<Blocks>,
    usage: Arc<SpoolUsage>,
}

#[derive(Debug, Default)]
struct Blocks {
    /// Blocks that have been used and hold nothing. They keep their space on the disk, as it is soon wanted again.
    free: Vec<u64>,
    /// Those whose space the disk has back, as it had none left.
    bare: Vec<u64>,
    /// Blocks that have been used since the file was empty.
    used: u64,
    /// Blocks that hold content.
    live: u64,
}

/// One block that holds content.
#[derive(Debug)]
struct Lease {
    file: Arc<BlockFile>,
    block: u64,
    /// Counts what a response has in files.
    response: Arc<AtomicU64>,
    len: u64,
}

impl ResponseSpool {
    /// Keeps content in a file in `dir`, once there is some.
    pub fn new(usage: Arc<SpoolUsage>, dir: PathBuf) -> Self {
        Self { usage, dir, file: None, warned: None, refused: false }
    }

    /// Writes at most [`SPOOL_BLOCK_BYTES`] to the file. `response` counts the bytes until the client
    /// has taken them. `None` when they cannot be kept, which the log tells now and then.
    pub fn put(
        &mut self,
        content: &[u8],
        response: &Arc<AtomicU64>,
        now: Instant,
    ) -> Option<FileSlice> {
        if !self.usage.reserve_disk(SPOOL_BLOCK_BYTES as u64) {
            self.warn(now, || {
                "responses that clients have not taken fill response_spool_disk_bytes_max; workers \
                 wait for their clients until there is room. Raise it, or lower send_timeout"
                    .into()
            });
            return None;
        }
        let slice = self.file().and_then(|file| BlockFile::put(&file, content, response));
        match slice {
            Ok(slice) => Some(slice),
            Err(error) => {
                self.usage.free_disk(SPOOL_BLOCK_BYTES as u64);
                let dir = self.dir.display().to_string();
                self.warn(now, || {
                    format!(
                        "cannot spool responses to {dir}: {error}; workers wait for their clients \
                         until it can be written to. Free space there or set upload_tmp_dir"
                    )
                });
                None
            }
        }
    }

    /// As [`put`](Self::put), of content that is in memory where there is too much of it: nobody waits, so
    /// nothing is said when it stays there. The bytes are at most [`SPOOL_BLOCK_BYTES`].
    pub fn move_from_memory(
        &mut self,
        content: &[u8],
        response: &Arc<AtomicU64>,
    ) -> Option<FileSlice> {
        if !self.usage.reserve_disk(SPOOL_BLOCK_BYTES as u64) {
            return None;
        }
        let slice = self.file().and_then(|file| BlockFile::put(&file, content, response)).ok();
        if slice.is_none() {
            self.usage.free_disk(SPOOL_BLOCK_BYTES as u64);
        }
        slice
    }

    /// Whether more is in memory than may be.
    pub fn is_memory_exceeded(&self) -> bool {
        self.usage.memory.load(Ordering::Relaxed) > self.usage.limits.memory_bytes_max
    }

    /// Says that memory is used up.
    pub fn warn_of_memory(&mut self, now: Instant) {
        self.warn(now, || {
            "responses that clients have not taken fill response_spool_memory_bytes_max; workers \
             wait for their clients until there is room. Raise it, or lower send_timeout"
                .into()
        });
    }

    /// Whether content could not be kept, for want of room, since this was last asked.
    pub fn take_refused(&mut self) -> bool {
        mem::take(&mut self.refused)
    }

    /// A number that is another when any thread has given room back.
    pub fn freed(&self) -> u64 {
        self.usage.freed.load(Ordering::Relaxed)
    }

    /// One line for a burst: clients can bring about any number.
    fn warn(&mut self, now: Instant, line: impl FnOnce() -> String) {
        self.refused = true;
        if self.warned.is_none_or(|warned| now >= warned + SPOOL_WARNING_PAUSE) {
            self.warned = Some(now);
            log::warn!("{}", line());
        }
    }

    fn file(&mut self) -> io::Result<Arc<BlockFile>> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(BlockFile {
            fd: Arc::new(OwnedFd::from(tempfile::tempfile_in(&self.dir)?).into()),
            blocks: Mutex::default(),
            usage: Arc::clone(&self.usage),
        });
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }
}

impl BlockFile {
    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        // It is never left in the middle of a change.
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(this: &Arc<Self>, content: &[u8], response: &Arc<AtomicU64>) -> io::Result<FileSlice> {
        let content = &content[..content.len().min(SPOOL_BLOCK_BYTES)];
        let block = this.blocks().lease();
        let offset = block * SPOOL_BLOCK_BYTES as u64;
        while let Err(error) = write_at(&this.fd, content, offset) {
            // A block that had less in it needs space, which may lie in others that hold nothing.
            if !is_full(&error) || !this.give_space_back() {
                this.give_back(block);
                return Err(error);
            }
        }
        let len = content.len() as u64;
        response.fetch_add(len, Ordering::Relaxed);
        let lease = Lease { file: Arc::clone(this), block, response: Arc::clone(response), len };
        Ok(FileSlice::leased(Arc::clone(&this.fd), offset, len, Arc::new(lease)))
    }

    /// Gives the disk the space of a block that holds nothing. `false`: there is no such block.
    fn give_space_back(&self) -> bool {
        let mut blocks = self.blocks();
        let Some(block) = blocks.free.pop() else { return false };
        blocks.bare.push(block);
        let hole = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        let (offset, len) = (block * SPOOL_BLOCK_BYTES as u64, SPOOL_BLOCK_BYTES as u64);
        // Where a file system cannot, others are tried; all of them once, until they are used again.
        let _ = fallocate(&*self.fd, hole, offset as i64, len as i64);
        true
    }

    /// A block holds nothing any more.
    fn give_back(&self, block: u64) {
        let mut blocks = self.blocks();
        blocks.live -= 1;
        blocks.free.push(block);
        if blocks.live == 0 && ftruncate(&*self.fd, 0).is_ok() {
            // The disk has its space back.
            *blocks = Blocks::default();
        }
    }
}

impl Blocks {
    /// A block that holds nothing, which from now on holds content.
    fn lease(&mut self) -> u64 {
        self.live += 1;
        self.free.pop().or_else(|| self.bare.pop()).unwrap_or_else(|| {
            self.used += 1;
            self.used - 1
        })
    }
}

/// Whether there is no space on the disk.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn write_at(fd: &OpenFile, mut content: &[u8], mut offset: u64) -> io::Result<()> {
    while !content.is_empty() {
        match pwrite(fd, content, offset as i64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                content = &content[written..];
                offset += written as u64;
            }
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.response.fetch_sub(self.len, Ordering::Relaxed);
        self.file.give_back(self.block);
        self.file.usage.free_disk(SPOOL_BLOCK_BYTES as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::sys::stat::fstat;

    use super::*;

    #[test]
    fn a_full_disk_has_the_space_of_blocks_that_hold_nothing_back() {
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let limits = SpoolLimits { memory_bytes_max: 0, disk_bytes_max: 1 << 20 };
        let usage = SpoolUsage::new(limits, Shared::new(memory.leak(), 1, 1)).into();
        let mut spool = ResponseSpool::new(usage, std::env::temp_dir());
        let (response, now) = (Arc::default(), Instant::now());
        let mut put = |byte| spool.put(&[byte; SPOOL_BLOCK_BYTES], &response, now).unwrap();
        let (kept, left, gone) = (put(1), put(2), put(3));
        drop((left, gone));

        let file = Arc::clone(spool.file.as_ref().unwrap());
        let space = || fstat(file.fd.as_fd()).unwrap().st_blocks * 512;
        let before = space();
        assert!(file.give_space_back() && file.give_space_back());
        assert!(!file.give_space_back(), "the other block holds content");
        assert_eq!(space(), before - 2 * SPOOL_BLOCK_BYTES as i64);

        let (again, more) = (spool.put(&[4], &response, now), spool.put(&[5], &response, now));
        let beginnings = [Some(kept), again, more].map(|slice| slice.unwrap().offset);
        assert_eq!(beginnings.map(|offset| offset / SPOOL_BLOCK_BYTES as u64), [0, 1, 2]);
    }
}
