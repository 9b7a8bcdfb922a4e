//! [`Held`]: finished answers that a worker has not sent yet, where the reactor can see them.
//!
//! A worker with more requests in hand does not send each answer by itself: it holds them and sends
//! several with one system call. But the next handler may be slow, or kill the worker. So held
//! answers lie in shared memory, and the reactor takes them if they lie there for too long, or when
//! the link has ended. One word decides who gets them:
//!
//! ```text
//!             worker: hold                      reactor: take
//!  open, 0 ─────────────▶ open, n ─────────────────────────────▶ taken, n ──┐
//!    ▲                       │ worker: begin_send                           │
//!    │                       ▼                                              │
//!    ├─── worker: sent ── sending, n                                        │
//!    └──────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A worker may die in the middle of sending. So it says before where in the stream of its socket
//! the frames begin; the reactor knows how much of the stream it has read, and takes the rest.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::HELD_BYTES_MAX;

const OPEN: u64 = 0;
const TAKEN: u64 = 1;
const SENDING: u64 = 2;
const TAG_BITS: u32 = 2;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;

/// Words of one link: the state, the place in the stream, then the bytes.
pub(crate) const HELD_WORDS: usize = 2 + HELD_BYTES_MAX / 8;

/// The held answers of one link.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    state: &'static AtomicU64,
    /// How many bytes the worker had sent by the socket when it began to send these.
    stream_position: &'static AtomicU64,
    words: &'static [AtomicU64],
}

impl Held {
    /// Over [`HELD_WORDS`] words.
    pub(crate) fn new(memory: &'static [AtomicU64]) -> Self {
        Self { state: &memory[0], stream_position: &memory[1], words: &memory[2..] }
    }

    /// The worker begins with a new link: whatever an earlier one has left is void.
    pub fn reset(self) {
        self.state.store(OPEN, Ordering::Release);
    }

    /// The worker holds frames: `frames` are all that wait, of which the first `held` bytes are held
    /// already. `false` when there is no room, or the reactor has come for the held ones.
    pub fn hold(self, frames: &[u8], held: usize) -> bool {
        if frames.len() > self.words.len() * 8 {
            return false;
        }
        // The word that is shared with the bytes before is written again with the same bytes.
        let from = held / 8;
        for (word, bytes) in self.words[from..].iter().zip(frames[from * 8..].chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
        }
        self.swap(open(held), open(frames.len()))
    }

    /// The worker is about to send the held frames by the socket, as the next bytes behind
    /// `stream_position`. `false` when the reactor has taken them.
    pub fn begin_send(self, held: usize, stream_position: u64) -> bool {
        self.stream_position.store(stream_position, Ordering::Relaxed);
        self.swap(open(held), open(held) | SENDING)
    }

    /// The worker has sent them.
    pub fn sent(self) {
        self.state.store(OPEN, Ordering::Release);
    }

    /// Whether the worker holds something.
    pub fn is_waiting(self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        state & TAG_MASK == OPEN && state != OPEN
    }

    /// The reactor takes what is held, unless the worker is about to send it. Everything that came
    /// by the socket must have been read.
    pub fn take(self) -> Option<Vec<u8>> {
        let state = self.state.load(Ordering::Relaxed);
        if state & TAG_MASK != OPEN || state == OPEN || !self.swap(state, state | TAKEN) {
            return None;
        }
        let frames = self.frames(state);
        // Fails when a new link has begun meanwhile, which is the new link's business.
        self.swap(state | TAKEN, OPEN);
        Some(frames)
    }

    /// The reactor takes what a dead worker has left. `received` is how many bytes of the socket's
    /// stream have been read; what they contain is not given again.
    pub fn take_legacy(self, received: u64) -> Option<Vec<u8>> {
        let state = self.state.swap(OPEN, Ordering::AcqRel);
        let mut frames = self.frames(state);
        match state & TAG_MASK {
            OPEN => {}
            SENDING => {
                let position = self.stream_position.load(Ordering::Relaxed);
                let known = usize::try_from(received.saturating_sub(position)).ok()?;
                frames.drain(..known.min(frames.len()));
            }
            _ => return None,
        }
        (!frames.is_empty()).then_some(frames)
    }

    fn frames(self, state: u64) -> Vec<u8> {
        let len = ((state >> TAG_BITS) as usize).min(self.words.len() * 8);
        let mut frames = Vec::with_capacity(len + 8);
        for word in &self.words[..len.div_ceil(8)] {
            frames.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        frames.truncate(len);
        frames
    }

    fn swap(self, from: u64, to: u64) -> bool {
        self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

fn open(len: usize) -> u64 {
    (len as u64) << TAG_BITS | OPEN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Held {
        let memory: Vec<AtomicU64> = (0..HELD_WORDS).map(|_| AtomicU64::new(0)).collect();
        Held::new(memory.leak())
    }

    #[test]
    fn what_is_held_in_pieces_is_taken_whole() {
        let held = held();
        assert!(!held.is_waiting());
        assert!(held.hold(b"hello", 0));
        assert!(held.hold(b"hello, world", 5));
        assert!(held.is_waiting());
        assert_eq!(held.take().as_deref(), Some(&b"hello, world"[..]));
        assert_eq!((held.take(), held.is_waiting()), (None, false));
        assert!(!held.begin_send(12, 0), "the reactor has it");
        assert!(!held.hold(b"hello, world, again", 12));
        assert!(held.hold(b"again", 0));
    }

    #[test]
    fn what_is_being_sent_is_not_taken() {
        let held = held();
        assert!(held.hold(b"mine", 0));
        assert!(held.begin_send(4, 100));
        assert_eq!(held.take(), None);
        held.sent();
        assert_eq!((held.take(), held.take_legacy(104)), (None, None));
    }

    #[test]
    fn what_a_dead_worker_has_not_sent_is_taken_once() {
        for (received, left) in [(100, &b"frames"[..]), (103, b"mes"), (106, b"")] {
            let held = held();
            assert!(held.hold(b"frames", 0));
            assert!(held.begin_send(6, 100));
            let left = (!left.is_empty()).then(|| left.to_vec());
            assert_eq!(held.take_legacy(received), left);
            assert_eq!(held.take_legacy(received), None);
        }
        let held = held();
        assert!(held.hold(b"frames", 0));
        assert_eq!(held.take_legacy(100).as_deref(), Some(&b"frames"[..]));
    }

    #[test]
    fn what_does_not_fit_is_not_held() {
        let held = held();
        assert!(held.hold(&[1; HELD_BYTES_MAX], 0));
        assert!(!held.hold(&[1; HELD_BYTES_MAX + 1], HELD_BYTES_MAX));
        assert_eq!(held.take().map(|frames| frames.len()), Some(HELD_BYTES_MAX));
    }

    #[test]
    fn every_frame_is_delivered_once_whoever_wins() {
        const FRAMES: u64 = 100_000;
        let held = held();
        let (sender, socket) = std::sync::mpsc::channel::<Vec<u8>>();
        let worker = std::thread::spawn(move || {
            let mut private: Vec<u8> = Vec::new();
            let mut len = 0;
            for frame in 0..FRAMES {
                private.extend_from_slice(&frame.to_le_bytes());
                if frame % 7 != 0 && held.hold(&private, len) {
                    len = private.len();
                    continue;
                }
                let taken = len > 0 && !held.begin_send(len, 0);
                sender.send(private.split_off(if taken { len } else { 0 })).unwrap();
                if len > 0 && !taken {
                    held.sent();
                }
                private.clear();
                len = 0;
            }
        });
        let mut got: Vec<u8> = Vec::new();
        loop {
            let ended = worker.is_finished();
            got.extend(socket.try_iter().flatten());
            got.extend(held.take().into_iter().flatten());
            if ended {
                break;
            }
        }
        got.extend(socket.try_iter().flatten());
        got.extend(held.take().into_iter().flatten());
        worker.join().unwrap();
        let frames = got.chunks(8).map(|frame| u64::from_le_bytes(frame.try_into().unwrap()));
        assert!(frames.eq(0..FRAMES), "in order, none lost, none twice");
    }
}
