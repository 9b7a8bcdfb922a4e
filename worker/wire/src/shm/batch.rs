//! [`ResponseBatch`]: finished answers that a worker has not sent yet, where the reactor can see them.
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
//!  any ── reactor: take_after_death ──▶ closed ── worker: reset (a new link) ──▶ open, 0
//! ```
//!
//! The frames have their place in the stream of the socket: behind everything that was sent before
//! they were held. The worker says where that is. So the reactor knows how much it must read first,
//! and, when a worker has died in the middle of sending them, how much of them it has read already.
//!
//! All of it is a worker's word, and may be anything at any time: lengths are cut to the memory that
//! there is, and a position that nothing was sent up to is found out by [`Taken::missing`].

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::BytesMut;

use crate::limits::HELD_BYTES_MAX;

const OPEN: u64 = 0;
const TAKEN: u64 = 1;
const SENDING: u64 = 2;
const CLOSED: u64 = 3;
const TAG_BITS: u32 = 2;
const TAG_MASK: u64 = (1 << TAG_BITS) - 1;

/// Words of one link: the state, the place in the stream, then the bytes.
pub(crate) const HELD_WORDS: usize = 2 + HELD_BYTES_MAX / 8;

/// The held answers of one link.
#[derive(Debug, Clone, Copy)]
pub struct ResponseBatch {
    state: &'static AtomicU64,
    /// How many bytes of the socket's stream come before the held frames.
    position: &'static AtomicU64,
    words: &'static [AtomicU64],
}

impl ResponseBatch {
    /// Over [`HELD_WORDS`] words.
    pub(crate) fn new(memory: &'static [AtomicU64]) -> Self {
        Self { state: &memory[0], position: &memory[1], words: &memory[2..] }
    }

    /// The worker begins with a new link: whatever an earlier one has left is void.
    pub fn reset(self) {
        self.state.store(OPEN, Ordering::Release);
    }

    /// The worker holds frames: `frames` are all that wait, of which the first `held` bytes are held
    /// already; `position` bytes have been sent by the socket. `false` when there is no room, or
    /// the reactor has come for the held ones.
    pub fn hold(self, frames: &[u8], held: usize, position: u64) -> bool {
        if frames.len() > self.words.len() * 8 {
            return false;
        }
        if held == 0 {
            if self.state.load(Ordering::Acquire) != OPEN {
                // The reactor still reads what it took.
                return false;
            }
            self.position.store(position, Ordering::Relaxed);
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

    /// The worker is about to send the held frames by the socket. `false` when the reactor has
    /// taken them.
    pub fn begin_send(self, held: usize) -> bool {
        self.swap(open(held), open(held) | SENDING)
    }

    /// The worker has sent the `held` bytes. Without effect when the reactor has ended the link.
    pub fn sent(self, held: usize) {
        self.swap(open(held) | SENDING, OPEN);
    }

    /// Whether the worker holds something.
    pub fn is_waiting(self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        state & TAG_MASK == OPEN && state != OPEN
    }

    /// The reactor takes what is held, unless the worker is about to send it.
    pub fn take(self) -> Option<Taken> {
        let state = self.state.load(Ordering::Relaxed);
        if state & TAG_MASK != OPEN || state == OPEN || !self.swap(state, state | TAKEN) {
            return None;
        }
        let taken =
            Taken { position: self.position.load(Ordering::Relaxed), frames: self.frames(state) };
        // Fails when a new link has begun meanwhile, which is the new link's business.
        self.swap(state | TAKEN, OPEN);
        Some(taken)
    }

    /// The reactor takes what is left at the end of a link, whether it was being sent or not. The
    /// worker may be alive: from now on it can neither hold nor send anything.
    pub fn take_after_death(self) -> Option<Taken> {
        let state = self.state.swap(CLOSED, Ordering::AcqRel);
        if state & TAG_MASK == CLOSED {
            return None;
        }
        let frames = self.frames(state);
        let position = self.position.load(Ordering::Relaxed);
        (!frames.is_empty()).then_some(Taken { position, frames })
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

/// What the reactor has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// How many bytes of the socket's stream come before the frames. They have been sent.
    pub position: u64,
    frames: Vec<u8>,
}

impl Taken {
    /// How many bytes must be read before the frames can be [inserted](Self::insert), of which
    /// `received` have been read. `None` when that is more than the `unread_max` bytes that a socket
    /// can hold: then the position is a lie.
    pub fn missing(&self, received: u64, unread_max: u64) -> Option<u64> {
        let missing = self.position.saturating_sub(received);
        (missing <= unread_max).then_some(missing)
    }

    /// Puts the frames into their place among what has been read: `unread` are the last of
    /// `received` bytes of the stream, at least up to the position. What a dead worker managed to
    /// send of the frames is not there twice.
    pub fn insert(self, unread: &mut BytesMut, received: u64, sent_partly: bool) {
        let beyond = usize::try_from(received.saturating_sub(self.position)).unwrap_or(usize::MAX);
        if sent_partly {
            return unread.extend_from_slice(&self.frames[beyond.min(self.frames.len())..]);
        }
        let behind = unread.split_off(unread.len() - beyond.min(unread.len()));
        unread.extend_from_slice(&self.frames);
        unread.extend_from_slice(&behind);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn held() -> ResponseBatch {
        let memory: Vec<AtomicU64> = (0..HELD_WORDS).map(|_| AtomicU64::new(0)).collect();
        ResponseBatch::new(memory.leak())
    }

    fn taken(position: u64, frames: &[u8]) -> Option<Taken> {
        Some(Taken { position, frames: frames.to_vec() })
    }

    #[test]
    fn what_is_held_in_pieces_is_taken_whole() {
        let held = held();
        assert!(!held.is_waiting());
        assert!(held.hold(b"hello", 0, 7));
        assert!(held.hold(b"hello, world", 5, 7));
        assert!(held.is_waiting());
        assert_eq!(held.take(), taken(7, b"hello, world"));
        assert_eq!((held.take(), held.is_waiting()), (None, false));
        assert!(!held.begin_send(12), "the reactor has it");
        assert!(!held.hold(b"hello, world, again", 12, 7));
        assert!(held.hold(b"again", 0, 7));
    }

    #[test]
    fn what_is_being_sent_is_not_taken() {
        let held = held();
        assert!(held.hold(b"mine", 0, 0));
        assert!(held.begin_send(4));
        assert_eq!(held.take(), None);
        held.sent(4);
        assert_eq!((held.take(), held.take_after_death()), (None, None));
    }

    #[test]
    fn a_worker_whose_link_was_ended_by_the_reactor_holds_nothing_more() {
        let held = held();
        assert!(held.hold(b"mine", 0, 0));
        assert!(held.begin_send(4));
        assert_eq!(held.take_after_death(), taken(0, b"mine"));
        held.sent(4);
        assert!(!held.hold(b"more", 0, 4) && !held.begin_send(4));
        assert_eq!((held.take(), held.take_after_death(), held.is_waiting()), (None, None, false));
        held.reset();
        assert!(held.hold(b"new", 0, 0));
        assert_eq!(held.take(), taken(0, b"new"));
    }

    #[test]
    fn a_position_is_believed_as_far_as_a_socket_can_hold_bytes() {
        let at = |position| Taken { position, frames: Vec::new() };
        assert_eq!(at(100).missing(90, 10), Some(10));
        assert_eq!(at(100).missing(200, 10), Some(0));
        assert_eq!(at(101).missing(90, 10), None);
        assert_eq!(at(1 << 60).missing(0, 1 << 20), None);
        assert_eq!(at(u64::MAX).missing(u64::MAX, 0), Some(0));
    }

    proptest::proptest! {
        /// Whatever a worker has written: nothing is read beyond the memory, and nothing that was
        /// read from the socket gets lost.
        #[test]
        fn no_words_of_a_worker_do_harm(
            state: u64,
            position: u64,
            received: u64,
            read: Vec<u8>,
            legacy: bool,
        ) {
            let held = held();
            held.words[0].store(u64::MAX, Ordering::Relaxed);
            held.state.store(state, Ordering::Relaxed);
            held.position.store(position, Ordering::Relaxed);
            let taken = if legacy { held.take_after_death() } else { held.take() };
            let Some(taken) = taken else { return Ok(()) };
            assert!(taken.frames.len() <= HELD_BYTES_MAX);
            let frames = taken.frames.len();
            let mut unread = BytesMut::from(&read[..]);
            taken.insert(&mut unread, received, legacy);
            assert!(unread.len() >= read.len() && unread.len() <= read.len() + frames);
        }
    }

    #[test]
    fn what_a_dead_worker_has_sent_is_not_there_twice() {
        for read in 0..=6 {
            let held = held();
            assert!(held.hold(b"frames", 0, 100));
            assert!(held.begin_send(6));
            let mut unread = BytesMut::from(&b"frames"[..read]);
            held.take_after_death().unwrap().insert(&mut unread, 100 + read as u64, true);
            assert_eq!(unread, "frames");
            assert_eq!(held.take_after_death(), None);
        }
    }

    #[test]
    fn taken_frames_come_before_what_was_sent_since() {
        let mut unread = BytesMut::from("before|since");
        taken(107, b"held|").unwrap().insert(&mut unread, 112, false);
        assert_eq!(unread, "before|held|since");
    }

    #[test]
    fn what_does_not_fit_is_not_held() {
        let held = held();
        assert!(held.hold(&[1; HELD_BYTES_MAX], 0, 0));
        assert!(!held.hold(&[1; HELD_BYTES_MAX + 1], HELD_BYTES_MAX, 0));
        assert_eq!(held.take().map(|taken| taken.frames.len()), Some(HELD_BYTES_MAX));
    }

    /// A socket whose writes arrive in pieces, as those of the kernel may.
    #[derive(Default)]
    struct Stream(Mutex<Vec<u8>>);

    impl Stream {
        fn write(&self, bytes: &[u8]) {
            for piece in bytes.chunks(13) {
                self.0.lock().unwrap().extend_from_slice(piece);
            }
        }

        fn read(&self, to: &mut BytesMut) -> u64 {
            let bytes = std::mem::take(&mut *self.0.lock().unwrap());
            to.extend_from_slice(&bytes);
            bytes.len() as u64
        }
    }

    #[test]
    fn every_frame_comes_once_and_in_order_whoever_delivers_it() {
        const FRAMES: u64 = 200_000;
        let held = held();
        let stream = Arc::new(Stream::default());
        let socket = Arc::clone(&stream);
        let worker = std::thread::spawn(move || {
            let (mut private, mut len, mut sent) = (Vec::new(), 0, 0);
            for frame in 1..=FRAMES {
                private.extend_from_slice(&u64::to_le_bytes(frame));
                if frame % 7 != 0 && frame != FRAMES && held.hold(&private, len, sent) {
                    len = private.len();
                    continue;
                }
                let ours = len > 0 && held.begin_send(len);
                let rest = if ours { 0 } else { len };
                socket.write(&private[rest..]);
                sent += (private.len() - rest) as u64;
                if ours {
                    held.sent(len);
                }
                private.clear();
                len = 0;
            }
        });
        let (mut unread, mut received, mut next) = (BytesMut::new(), 0, 1);
        while next <= FRAMES {
            received += stream.read(&mut unread);
            if let Some(taken) = held.take() {
                while received < taken.position {
                    received += stream.read(&mut unread);
                }
                taken.insert(&mut unread, received, false);
            }
            while unread.len() >= 8 {
                assert_eq!(bytes::Buf::get_u64_le(&mut unread), next);
                next += 1;
            }
        }
        worker.join().unwrap();
    }
}
