//! [`Arena`]: large content crosses from a worker to the reactor through shared memory.
//!
//! A socket pair would copy the same bytes twice, into pages that the kernel allocates for each
//! response anew. The arena's pages are there already: the worker copies a block in, its frame
//! names the block, and the reactor copies it out as soon as it reads the frame. When no block is
//! free, content goes by the socket.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::limits::{ARENA_BLOCKS, BODY_FRAME_BYTES_MAX};

const BLOCK_WORDS: usize = BODY_FRAME_BYTES_MAX / 8;

/// Words of one arena: which blocks are in use, then the blocks.
pub(crate) const ARENA_WORDS: usize = 1 + ARENA_BLOCKS * BLOCK_WORDS;

/// Blocks that one worker fills and the threads of the reactor empty.
#[derive(Debug, Clone, Copy)]
pub struct Arena {
    /// One bit per block: set by the worker, cleared by the reactor.
    used: &'static AtomicU64,
    words: &'static [AtomicU64],
}

impl Arena {
    /// Over [`ARENA_WORDS`] words.
    pub(crate) fn new(memory: &'static [AtomicU64]) -> Self {
        const { assert!(ARENA_BLOCKS <= 64 && BODY_FRAME_BYTES_MAX.is_multiple_of(8)) };
        Self { used: &memory[0], words: &memory[1..] }
    }

    /// The worker has new links: nobody will read what an earlier life has left.
    pub fn reset(self) {
        self.used.store(0, Ordering::Release);
    }

    /// The worker puts content, at most [`BODY_FRAME_BYTES_MAX`] bytes, into a free block. `None`
    /// when there is none.
    pub fn put(self, content: &[u8]) -> Option<u8> {
        let block = self.used.load(Ordering::Acquire).trailing_ones() as usize;
        if block >= ARENA_BLOCKS || content.len() > BODY_FRAME_BYTES_MAX {
            return None;
        }
        let (words, rest) = content.as_chunks::<8>();
        let place = &self.words[block * BLOCK_WORDS..(block + 1) * BLOCK_WORDS];
        for (word, bytes) in place.iter().zip(words) {
            word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        if let (false, Some(word)) = (rest.is_empty(), place.get(words.len())) {
            let mut padded = [0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
        }
        self.used.fetch_or(1 << block, Ordering::Release);
        Some(block as u8)
    }

    /// The reactor takes `len` bytes out of a block, which is free again. `None` when no worker can
    /// have meant it.
    pub fn take(self, block: u8, len: usize) -> Option<Bytes> {
        let (block, bit) = (usize::from(block), 1u64.checked_shl(u32::from(block))?);
        let used = self.used.load(Ordering::Acquire) & bit != 0;
        if !used || block >= ARENA_BLOCKS || len > BODY_FRAME_BYTES_MAX {
            return None;
        }
        let mut content = vec![0; len.next_multiple_of(8)];
        let place = &self.words[block * BLOCK_WORDS..(block + 1) * BLOCK_WORDS];
        let (chunks, _) = content.as_chunks_mut::<8>();
        for (bytes, word) in chunks.iter_mut().zip(place) {
            *bytes = word.load(Ordering::Relaxed).to_le_bytes();
        }
        self.used.fetch_and(!bit, Ordering::Release);
        content.truncate(len);
        Some(content.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena() -> Arena {
        let memory: Vec<AtomicU64> = (0..ARENA_WORDS).map(|_| AtomicU64::new(0)).collect();
        Arena::new(memory.leak())
    }

    #[test]
    fn content_of_every_length_survives() {
        let arena = arena();
        for len in [0, 1, 7, 8, 9, 4097, BODY_FRAME_BYTES_MAX - 1, BODY_FRAME_BYTES_MAX] {
            let content: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let block = arena.put(&content).unwrap();
            assert_eq!(arena.take(block, len).unwrap(), content);
        }
        assert_eq!(arena.put(&vec![0; BODY_FRAME_BYTES_MAX + 1]), None);
    }

    #[test]
    fn a_full_arena_says_so_until_a_block_is_taken() {
        let arena = arena();
        for n in 0..ARENA_BLOCKS {
            assert_eq!(arena.put(&[n as u8]), Some(n as u8));
        }
        assert_eq!(arena.put(b"more"), None);
        assert_eq!(arena.take(3, 1).unwrap(), [3][..]);
        assert_eq!(arena.put(b"more"), Some(3));
        arena.reset();
        assert_eq!(arena.put(b"first"), Some(0));
    }

    #[test]
    fn what_no_worker_means_is_refused() {
        let arena = arena();
        assert_eq!(arena.take(0, 1), None, "not in use");
        assert_eq!(arena.take(200, 1), None);
        arena.put(b"x").unwrap();
        assert_eq!(arena.take(0, BODY_FRAME_BYTES_MAX + 1), None);
    }
}
