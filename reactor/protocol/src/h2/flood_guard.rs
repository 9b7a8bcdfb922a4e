//! [`FloodGuard`]: bounds the frames that make work and serve no request (RFC 9113, 10.5).
//!
//! `h2` bounds what it keeps: streams that are reset, fields, empty content. What it answers and
//! forgets at once, like PING, a client could send without end. A token bucket bounds that: each such
//! frame costs a token, time and completed responses refill the bucket, and an empty one closes the
//! connection.
//!
//! `h2` also answers by itself requests that are malformed, too large or one too many, and does not
//! say so. The guard counts the streams that the client has opened: the difference was refused.

use std::time::Instant;

use wire::limits::{
    H2_BYTES_PER_FRAME_EARNED, H2_FRAMES_PER_RESPONSE_EARNED, H2_FRAMES_PER_SECOND_EARNED,
    H2_IDLE_FRAMES_MAX,
};

use super::PREFACE;
use super::memory_io::MemoryIo;
use crate::flood::Flood;

/// Length of a frame's header (RFC 9113, 4.1).
const HEAD_LEN: usize = 9;

/// Types of frames (RFC 9113, 6).
const DATA: u8 = 0;
/// It opens a stream.
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

/// Watches the frames of one client.
#[derive(Debug)]
pub struct FloodGuard {
    /// Bytes up to the next header.
    skip: usize,
    head: [u8; HEAD_LEN],
    /// Bytes of the header that are there.
    have: usize,
    tokens: u64,
    /// Bytes sent that have earned nothing yet.
    sent: u64,
    counted: Instant,
    /// The last stream that the client has opened.
    last: u32,
    /// The frame in work opens it, or goes on with its fields.
    opening: bool,
    /// Streams that are open for the client, less those that were accepted.
    missing: i64,
}

impl FloodGuard {
    /// Before the preface.
    pub fn new(now: Instant) -> Self {
        let tokens = H2_IDLE_FRAMES_MAX;
        Self {
            skip: PREFACE.len(),
            head: [0; HEAD_LEN],
            have: 0,
            tokens,
            sent: 0,
            counted: now,
            last: 0,
            opening: false,
            missing: 0,
        }
    }

    /// Looks at what has come. `Err`: the bucket is empty, by such frames at last.
    pub fn see(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Flood> {
        let seconds = now.saturating_duration_since(self.counted).as_secs();
        if seconds > 0 {
            self.counted = now;
            self.refill(seconds.saturating_mul(H2_FRAMES_PER_SECOND_EARNED));
        }
        let mut cost = 0;
        let mut last = 0;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                self.end_frame();
                continue;
            }
            let taken = (HEAD_LEN - self.have).min(bytes.len());
            self.head[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have == HEAD_LEN {
                let costs = self.cost();
                if costs > 0 {
                    cost += costs;
                    last = self.head[3];
                }
                self.skip = self.payload();
                self.have = 0;
                self.opening |= self.opens();
                self.end_frame();
            }
        }
        let afford = cost <= self.tokens;
        self.tokens = self.tokens.saturating_sub(cost);
        if afford { Ok(()) } else { Err(of_frame(last)) }
    }

    /// Whether the frame opens a stream (RFC 9113, 5.1.1).
    fn opens(&mut self) -> bool {
        let stream = u32::from_be_bytes([self.head[5], self.head[6], self.head[7], self.head[8]]);
        let stream = stream & 0x7fff_ffff;
        let opens = self.head[3] == HEADERS && stream > self.last;
        if opens {
            self.last = stream;
        }
        opens
    }

    fn end_frame(&mut self) {
        const END_HEADERS: u8 = 4;
        if self.skip == 0 && self.opening && self.head[4] & END_HEADERS != 0 {
            self.opening = false;
            self.missing += 1;
        }
    }

    /// A stream that the client has opened was accepted.
    pub fn accepted(&mut self) {
        self.missing -= 1;
    }

    /// Whether all streams that the client has opened were accepted.
    pub fn is_even(&self) -> bool {
        self.missing == 0
    }

    /// The number of streams that were opened and not accepted since the last look.
    pub fn take_missing(&mut self) -> u64 {
        u64::try_from(std::mem::take(&mut self.missing)).unwrap_or(0)
    }

    /// A response has gone out to its end.
    pub fn answered(&mut self) {
        self.refill(H2_FRAMES_PER_RESPONSE_EARNED);
    }

    /// So many bytes have gone out: they have their window updates coming.
    pub fn sent(&mut self, bytes: u64) {
        self.sent += bytes;
        self.refill(self.sent / H2_BYTES_PER_FRAME_EARNED);
        self.sent %= H2_BYTES_PER_FRAME_EARNED;
    }

    fn refill(&mut self, frames: u64) {
        self.tokens = self.tokens.saturating_add(frames).min(H2_IDLE_FRAMES_MAX);
    }

    fn payload(&self) -> usize {
        usize::from(self.head[0]) << 16 | usize::from(self.head[1]) << 8 | usize::from(self.head[2])
    }

    /// What the frame costs: nothing when it carries content or fields, which have their own bounds.
    fn cost(&self) -> u64 {
        match self.head[3] {
            DATA | CONTINUATION => u64::from(self.payload() == 0),
            HEADERS => 0,
            _ => 1,
        }
    }
}

fn of_frame(kind: u8) -> Flood {
    match kind {
        DATA | CONTINUATION => Flood::Http2EmptyFrame,
        RST_STREAM => Flood::Http2Reset,
        SETTINGS => Flood::Http2Settings,
        PING => Flood::Http2Ping,
        _ => Flood::Http2Other,
    }
}

/// What the library has had too much of. It tells that nobody but the client, in the last words of its GOAWAY.
pub fn of_library(io: &MemoryIo) -> Flood {
    if io.ends_with(b"resets") {
        Flood::Http2Reset
    } else if io.ends_with(b"header_list_way_too_large") || io.ends_with(b"continuations") {
        Flood::Http2Header
    } else if io.ends_with(b"data_frames") {
        Flood::Http2EmptyFrame
    } else {
        Flood::Http2Other
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ONE_PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let now = Instant::now();
        let all = [&PREFACE[..], &ONE_PING, &[0, 0, 1, 0, 0, 0, 0, 0, 1, 9], &ONE_PING].concat();
        for cut in 1..all.len() {
            let mut flood_guard = FloodGuard::new(now);
            for piece in all.chunks(cut) {
                assert_eq!(flood_guard.see(piece, now), Ok(()));
            }
            assert_eq!(flood_guard.tokens, H2_IDLE_FRAMES_MAX - 2, "{cut}");
        }
    }

    #[test]
    fn an_empty_purse_is_filled_by_time_and_work() {
        let mut now = Instant::now();
        let mut flood_guard = FloodGuard::new(now);
        assert_eq!(flood_guard.see(PREFACE, now), Ok(()));
        for _ in 0..H2_IDLE_FRAMES_MAX {
            assert_eq!(flood_guard.see(&ONE_PING, now), Ok(()));
        }
        assert_eq!(flood_guard.see(&ONE_PING, now), Err(Flood::Http2Ping));
        flood_guard.answered();
        flood_guard.sent(2 * H2_BYTES_PER_FRAME_EARNED - 1);
        flood_guard.sent(1);
        for _ in 0..H2_FRAMES_PER_RESPONSE_EARNED + 2 {
            assert_eq!(flood_guard.see(&ONE_PING, now), Ok(()));
        }
        assert_eq!(flood_guard.see(&ONE_PING, now), Err(Flood::Http2Ping));
        now += Duration::from_secs(1);
        assert_eq!(flood_guard.see(&ONE_PING, now), Ok(()));
    }
}
