//! [`Arena`]: large content crosses from a worker to the reactor through shared memory.
//!
//! A socket pair would copy the same bytes twice, into pages that the kernel allocates for each
//! response anew. The arena's pages are there already: the worker copies content into a block, its
//! frame names the block, and the reactor borrows it until the client has taken the content. When no
//! block is free, content goes by the socket.
//!
//! Who may use a block is said by two words. The worker flips its bit of the block in one when it has
//! filled it, the reactor flips its bit in the other when it is done: a block is in use while the two
//! differ. Beside its bits the reactor says which blocks it reads. The words are apart so that a
//! worker cannot write the reactor's, and the two halves of that change at once: a new life of the
//! worker finds each block either read or free.
//!
//! ```text
//!            worker: put             reactor: borrow         reactor: drop
//!   free ────────────────▶ in use ─────────────────▶ read ─────────────────▶ free
//! ```
//!
//! A new life of a worker takes back what a former one has filled and the reactor does not read. So
//! that the reactor does not begin to read such a block at the same moment, it says so first and then
//! looks whose life it is; the worker says whose life it is, and then looks what is read.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::limits::{ARENA_BLOCKS, BODY_FRAME_BYTES_MAX};

const BLOCK_WORDS: usize = BODY_FRAME_BYTES_MAX / 8;

/// Words of one arena: the worker's bits, its life, then the blocks.
pub(crate) const ARENA_WORDS: usize = 2 + ARENA_BLOCKS * BLOCK_WORDS;

/// Where the bits of blocks that are read begin in the reactor's word.
const READ_SHIFT: u32 = 32;

/// Blocks that one worker fills and the threads of the reactor empty.
#[derive(Debug, Clone, Copy)]
pub struct Arena {
    /// Which life of the worker it is used for.
    incarnation: u64,
    /// The worker's bits of blocks that it has filled.
    filled: &'static AtomicU64,
    /// The life that fills it.
    life: &'static AtomicU64,
    blocks: &'static [AtomicU64],
    /// The reactor's bits of blocks that it has emptied, and in the upper half of those that it reads.
    emptied: &'static AtomicU64,
}

impl Arena {
    /// Over [`ARENA_WORDS`] words that the worker may write, and one that only the reactor may.
    pub(crate) fn new(
        memory: &'static [AtomicU64],
        emptied: &'static AtomicU64,
        incarnation: u64,
    ) -> Self {
        const { assert!(ARENA_BLOCKS <= 32 && BODY_FRAME_BYTES_MAX.is_multiple_of(8)) };
        let ([filled, life], blocks) = memory.split_first_chunk().unwrap_or_else(|| {
            unreachable!("an arena has more than two words");
        });
        Self { incarnation, filled, life, blocks, emptied }
    }

    /// The worker has new links: all blocks are free but those that the reactor still reads for an
    /// earlier life.
    pub fn reset(self) {
        self.life.store(self.incarnation, Ordering::SeqCst);
        let (emptied, read) = self.reactors();
        self.filled.store(emptied ^ read, Ordering::SeqCst);
    }

    /// The bits of the blocks that the reactor has emptied, and of those that it reads.
    fn reactors(self) -> (u64, u64) {
        let word = self.emptied.load(Ordering::SeqCst);
        (word & u64::from(u32::MAX), word >> READ_SHIFT)
    }

    /// The worker puts content, at most [`BODY_FRAME_BYTES_MAX`] bytes, into a free block, to which `fill`
    /// copies it. `None` when there is none.
    pub fn put(self, content: &[u8], fill: CopyToBlock) -> Option<u8> {
        let (emptied, read) = self.reactors();
        let taken = (self.filled.load(Ordering::Relaxed) ^ emptied) | read;
        let block = taken.trailing_ones() as usize;
        if block >= ARENA_BLOCKS || content.len() > BODY_FRAME_BYTES_MAX {
            return None;
        }
        fill(self.block(block), content);
        self.filled.fetch_xor(1 << block, Ordering::Release);
        Some(block as u8)
    }

    /// The reactor borrows `len` bytes of a block until the loan is dropped. `None` when no worker of
    /// this life can have meant it.
    pub fn borrow(self, block: u8, len: usize) -> Option<Loan> {
        let block = usize::from(block);
        if block >= ARENA_BLOCKS || len > BODY_FRAME_BYTES_MAX {
            return None;
        }
        let read = 1 << (block as u32 + READ_SHIFT);
        let before = self.emptied.fetch_or(read, Ordering::SeqCst);
        if before & read != 0 {
            return None;
        }
        let in_use = (self.filled.load(Ordering::SeqCst) ^ before) >> block & 1 != 0;
        if !in_use || self.life.load(Ordering::SeqCst) != self.incarnation {
            self.emptied.fetch_and(!read, Ordering::SeqCst);
            return None;
        }
        Some(Loan { arena: self, block, len })
    }

    fn block(self, block: usize) -> &'static [AtomicU64] {
        &self.blocks[block * BLOCK_WORDS..(block + 1) * BLOCK_WORDS]
    }
}

/// Copies content, which is not longer, to the words of a block that is free.
pub type CopyToBlock = fn(block: &[AtomicU64], content: &[u8]);

/// The reactor has died, and with it whoever read blocks.
pub(crate) fn forget_loans(emptied: &AtomicU64) {
    emptied.fetch_and(u64::from(u32::MAX), Ordering::SeqCst);
}

/// Makes content of a block that is on loan.
pub type Lend = fn(Loan) -> Bytes;

/// Content in a block, which is free when the loan is dropped.
#[derive(Debug)]
pub struct Loan {
    arena: Arena,
    block: usize,
    len: usize,
}

impl Loan {
    /// The words that hold the content, and how many bytes of them it is.
    pub fn words(&self) -> (&'static [AtomicU64], usize) {
        (&self.arena.block(self.block)[..self.len.div_ceil(8)], self.len)
    }

    /// Whether so many blocks are on loan that the worker may find none: better copied than kept.
    pub fn is_scarce(&self) -> bool {
        let (_, read) = self.arena.reactors();
        read.count_ones() as usize > ARENA_BLOCKS / 2
    }

    /// A copy of the content.
    pub fn copy(self) -> Bytes {
        let (words, len) = self.words();
        let mut content = Vec::with_capacity(words.len() * 8);
        for word in words {
            content.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        content.truncate(len);
        content.into()
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // Both at once: in between, a new life of the worker would take the block for nobody's.
        let bits = 1 << self.block | 1 << (self.block as u32 + READ_SHIFT);
        self.arena.emptied.fetch_xor(bits, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies word by word.
    fn store(block: &[AtomicU64], content: &[u8]) {
        let (words, rest) = content.as_chunks::<8>();
        for (word, bytes) in block.iter().zip(words) {
            word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        if let (false, Some(word)) = (rest.is_empty(), block.get(words.len())) {
            let mut padded = [0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
        }
    }

    fn memory() -> (&'static [AtomicU64], &'static AtomicU64) {
        let memory: Vec<AtomicU64> = (0..ARENA_WORDS + 1).map(|_| AtomicU64::new(0)).collect();
        let (emptied, rest) = memory.leak().split_first().unwrap();
        (rest, emptied)
    }

    fn arena() -> Arena {
        let (memory, emptied) = memory();
        Arena::new(memory, emptied, 0)
    }

    #[test]
    fn content_of_every_length_survives() {
        let arena = arena();
        for len in [0, 1, 7, 8, 9, 4097, BODY_FRAME_BYTES_MAX - 1, BODY_FRAME_BYTES_MAX] {
            let content: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let block = arena.put(&content, store).unwrap();
            assert_eq!(arena.borrow(block, len).unwrap().copy(), content);
        }
        assert_eq!(arena.put(&vec![0; BODY_FRAME_BYTES_MAX + 1], store), None);
    }

    #[test]
    fn a_full_arena_says_so_until_a_block_is_given_back() {
        let arena = arena();
        for n in 0..ARENA_BLOCKS {
            assert_eq!(arena.put(&[n as u8], store), Some(n as u8));
        }
        assert_eq!(arena.put(b"more", store), None);
        let loan = arena.borrow(3, 1).unwrap();
        assert_eq!(arena.put(b"more", store), None, "it is being read");
        assert_eq!(loan.copy(), [3][..]);
        assert_eq!(arena.put(b"more", store), Some(3));
        arena.reset();
        assert_eq!(arena.put(b"first", store), Some(0));
    }

    #[test]
    fn what_no_worker_means_is_refused() {
        let arena = arena();
        assert!(arena.borrow(0, 1).is_none(), "not in use");
        assert!(arena.borrow(200, 1).is_none());
        arena.put(b"x", store).unwrap();
        assert!(arena.borrow(0, BODY_FRAME_BYTES_MAX + 1).is_none());
        let loan = arena.borrow(0, 1).unwrap();
        assert!(arena.borrow(0, 1).is_none(), "named twice");
        drop(loan);
        assert!(arena.borrow(0, 1).is_none(), "named twice, later");
        assert_eq!(arena.put(b"y", store), Some(0), "none of it has cost a block");
    }

    #[test]
    fn a_new_life_does_not_touch_what_is_read_of_the_former_one() {
        let (memory, emptied) = memory();
        let [former, next] = [2, 4].map(|life| Arena::new(memory, emptied, life));
        former.reset();
        assert_eq!(former.put(b"read", store), Some(0));
        assert_eq!(former.put(b"lost", store), Some(1));
        let loan = former.borrow(0, 4).unwrap();
        next.reset();
        assert!(former.borrow(1, 4).is_none(), "its life is over");
        assert_eq!(next.put(b"next", store), Some(1));
        assert_eq!(next.borrow(1, 4).unwrap().copy(), "next");
        assert_eq!(loan.copy(), "read");
        assert_eq!(next.put(b"free", store), Some(0));
    }

    /// Lives of a worker follow each other while a thread of the reactor is late with what it reads.
    #[test]
    fn no_content_is_taken_for_that_of_another_life() {
        let (memory, emptied) = memory();
        let (sender, receiver) = std::sync::mpsc::sync_channel::<(u64, u8)>(64);
        let reader = std::thread::spawn(move || {
            let mut kept = std::collections::VecDeque::new();
            let (mut whole, mut refused) = (0, 0);
            for (life, block) in receiver {
                match Arena::new(memory, emptied, life).borrow(block, 800) {
                    Some(loan) => kept.push_back((life, loan)),
                    None => refused += 1,
                }
                if kept.len() > 10 {
                    let (life, loan) = kept.pop_front().unwrap();
                    assert_eq!(loan.copy(), [life as u8; 800][..]);
                    whole += 1;
                }
            }
            (whole, refused)
        });
        for life in 0..5_000 {
            let arena = Arena::new(memory, emptied, life);
            arena.reset();
            for _ in 0..4 {
                if let Some(block) = arena.put(&[life as u8; 800], store) {
                    sender.send((life, block)).unwrap();
                }
            }
        }
        drop(sender);
        let (whole, _refused) = reader.join().unwrap();
        assert!(whole > 0);
        // Only what was named in vain at the moment of a reset may be missing, until the next one.
        let arena = Arena::new(memory, emptied, 5_000);
        arena.reset();
        let blocks = std::iter::from_fn(|| arena.put(b"x", store)).count();
        assert_eq!(blocks, ARENA_BLOCKS);
    }
}
