//! Held answers and blocks in the memory of a worker that writes any word at any time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use wire::Decoder;
use wire::limits::HELD_BYTES_MAX;
use wire::shm::Shared;

/// The first words of the worker's part: its counters, marks, and the head of what it holds. Others
/// are written as a few words far behind them.
const WORDS_NEAR: usize = 64;

/// What the kernel holds of the link at most, as far as this target goes.
const UNREAD_MAX: u64 = 1 << 12;

/// The input is a list of steps: the worker writes a word or sends bytes, the reactor takes what is
/// held, at the end of the link or before, and decodes. Whatever the words say, nothing is read beyond
/// the memory, no more is inserted than there is room for held answers, and the reactor is never to
/// wait for more than a socket can hold.
pub fn held(data: &[u8]) {
    let (memory, shared) = memory();
    let (held, arena) = (shared.batch(0, 0, 0), shared.arena(0, 0));
    let part = shared.part(0);
    held.reset();
    arena.reset();
    let mut decoder = Decoder { arena: Some(arena), ..Decoder::default() };
    let mut received = 0;
    for step in data.chunks_exact(10) {
        let value = step.last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let at = usize::from(step[1]);
        match step[0] % 8 {
            0 | 1 => {
                let near = part.start + at % WORDS_NEAR;
                let far = part.start + at * 1_000;
                let word = if step[0] & 0x80 == 0 { near } else { far };
                memory[word.min(part.end - 1)].store(value, Ordering::Relaxed);
            }
            2 | 3 => {
                let bytes = value.to_le_bytes();
                decoder.bytes.extend_from_slice(&bytes[..at % 9]);
                received += (at % 9) as u64;
            }
            4 => {
                let _ = held.hold(&step[2..], 0, value);
            }
            5 | 6 => {
                let before = decoder.bytes.len();
                let taken = if step[0] % 8 == 5 { held.take() } else { held.take_after_death() };
                let Some(taken) = taken else { continue };
                if let Some(missing) = taken.missing(received, UNREAD_MAX) {
                    assert!(missing <= UNREAD_MAX);
                    if missing == 0 || step[0] % 8 == 6 {
                        taken.insert(&mut decoder.bytes, received, step[0] % 8 == 6);
                    }
                }
                let after = decoder.bytes.len();
                assert!(after >= before && after <= before + HELD_BYTES_MAX);
            }
            _ => while let Ok(Some(_)) = decoder.next_to_reactor() {},
        }
    }
}

/// One memory for all inputs: it is large. What one leaves behind in the answers and the blocks is of
/// no meaning to the next, as what is read of them is what the words say.
fn memory() -> (&'static [AtomicU64], Shared) {
    static MEMORY: OnceLock<Vec<AtomicU64>> = OnceLock::new();
    let words = Shared::words(1, 1);
    let memory = MEMORY.get_or_init(|| (0..words).map(|_| AtomicU64::new(0)).collect());
    (memory, Shared::new(memory, 1, 1))
}
