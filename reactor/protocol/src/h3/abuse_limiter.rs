//! [`AbuseLimiter`]: bounds the packets that make work and serve no request (RFC 9114, 10.5; RFC
//! 9000, 21).
//!
//! Frames are encrypted in packets, so the limiter counts bytes: each received byte costs a token, and
//! each that served a request gives it back. Time and completed responses refill the bucket, and an
//! empty one closes the connection. That bounds all floods alike: of PING and PRIORITY_UPDATE, of empty
//! DATA and of unknown frames.
//!
//! Content behind a lost packet arrives before a request can use it. What it costs beyond an empty
//! bucket is a debt, which the connection bounds by its windows. The head of a request also arrives
//! before it serves: its tokens are given back at once, and taken again if the request is not answered.
//! A client cannot take back what is in flight when its request is refused: a window of that is
//! refunded, until the client has stopped.

use std::time::Instant;

use wire::limits::{
    QUIC_BYTES_PER_RESET, QUIC_BYTES_PER_RESPONSE_EARNED, QUIC_BYTES_PER_SECOND_EARNED,
    QUIC_BYTES_SENT_PER_BYTE_EARNED, QUIC_DATAGRAM_BYTES, QUIC_IDLE_BYTES_MAX,
};

use crate::flood::Flood;

const FULL: i64 = QUIC_IDLE_BYTES_MAX as i64;

/// Watches what one client sends.
#[derive(Debug)]
pub struct AbuseLimiter {
    /// Tokens; below 0 what was spent after the bucket was empty.
    balance: i64,
    /// What requests that came to nothing have cost since the bucket was last full.
    resets: u64,
    /// Bytes that may still arrive at no cost.
    refunded: u64,
    counted: Instant,
}

impl AbuseLimiter {
    /// A full bucket.
    pub fn new(now: Instant) -> Self {
        Self { balance: FULL, resets: 0, refunded: 0, counted: now }
    }

    /// What was spent after the bucket was empty.
    pub fn debt(&self) -> u64 {
        self.balance.min(0).unsigned_abs()
    }

    /// What has emptied the bucket, mostly.
    pub fn flood(&self) -> Flood {
        let resets = self.resets > QUIC_IDLE_BYTES_MAX / 2;
        if resets { Flood::Http3Reset } else { Flood::Http3Other }
    }

    /// A datagram has come.
    pub fn see(&mut self, len: usize, now: Instant) {
        let seconds = now.saturating_duration_since(self.counted).as_secs();
        if seconds > 0 {
            self.counted = now;
            self.refill(seconds.saturating_mul(QUIC_BYTES_PER_SECOND_EARNED));
        }
        let cost = len as u64 + QUIC_DATAGRAM_BYTES;
        let refunded = cost.min(self.refunded);
        self.refunded -= refunded;
        self.spend(cost - refunded);
    }

    /// A request was given up, or was to be reset.
    pub fn reset(&mut self) {
        self.resets = self.resets.saturating_add(QUIC_BYTES_PER_RESET);
        self.spend(QUIC_BYTES_PER_RESET);
    }

    /// So many bytes were content. What wraps them, and what is sent twice, is paid along.
    pub fn content(&mut self, bytes: usize) {
        self.refill(bytes as u64 * 2);
    }

    /// The head of a request is there, of so many bytes.
    pub fn asked(&mut self, head_bytes: u32) {
        self.refill(u64::from(head_bytes));
    }

    /// A response to a request with such a head has gone out to its end. As of content.
    pub fn answered(&mut self, head_bytes: u32) {
        self.refill(u64::from(head_bytes) + QUIC_BYTES_PER_RESPONSE_EARNED);
    }

    /// A request with such a head has come to nothing.
    pub fn unanswered(&mut self, head_bytes: u32) {
        self.resets = self.resets.saturating_add(u64::from(head_bytes));
        self.spend(u64::from(head_bytes));
    }

    /// The client is to stop: so much content may be under way. Of all streams together `most` is. As
    /// of other content, what wraps it and what is sent twice is paid along.
    pub fn refund(&mut self, bytes: u64, most: u64) {
        let (bytes, most) = (bytes.saturating_mul(2), most.saturating_mul(2));
        let left = bytes.saturating_sub(self.debt());
        if self.balance < 0 {
            self.balance = self.balance.saturating_add_unsigned(bytes).min(0);
        }
        self.refunded = self.refunded.saturating_add(left).min(most);
    }

    /// Whether there is something left that may come for nothing.
    pub fn has_refund(&self) -> bool {
        self.refunded > 0
    }

    /// Not more content than that is under way still.
    pub fn refund_at_most(&mut self, bytes: u64) {
        self.refunded = self.refunded.min(bytes.saturating_mul(2));
    }

    /// So many bytes have gone out: they have their acknowledgements coming.
    pub fn sent(&mut self, bytes: usize) {
        self.refill(bytes as u64 / QUIC_BYTES_SENT_PER_BYTE_EARNED);
    }

    fn refill(&mut self, bytes: u64) {
        self.balance = self.balance.saturating_add_unsigned(bytes).min(FULL);
        if self.balance == FULL {
            self.resets = 0;
        }
    }

    fn spend(&mut self, bytes: u64) {
        self.balance = self.balance.saturating_sub_unsigned(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_empty_bucket_is_filled_by_time_and_work() {
        let mut now = Instant::now();
        let mut limiter = AbuseLimiter::new(now);
        let datagram = 1200 + QUIC_DATAGRAM_BYTES;
        for _ in 0..QUIC_IDLE_BYTES_MAX / datagram {
            limiter.see(1200, now);
        }
        assert_eq!(limiter.debt(), 0);
        limiter.see(1200, now);
        let owed = limiter.debt();
        assert!(owed > 0);
        limiter.reset();
        assert_eq!(limiter.debt(), owed + QUIC_BYTES_PER_RESET);
        let earn: [&dyn Fn(&mut AbuseLimiter); 3] = [
            &|limiter| limiter.content(1200),
            &|limiter| limiter.sent((datagram * QUIC_BYTES_SENT_PER_BYTE_EARNED) as usize),
            &|limiter| limiter.answered(0),
        ];
        for earned in earn {
            let owed = limiter.debt();
            earned(&mut limiter);
            assert!(limiter.debt() < owed || owed == 0);
        }
        while limiter.debt() == 0 {
            limiter.see(1200, now);
        }
        now += Duration::from_secs(1);
        limiter.see(1200, now);
        assert_eq!(limiter.debt(), 0);
    }

    #[test]
    fn heads_are_paid_for_by_answers() {
        let now = Instant::now();
        let mut limiter = AbuseLimiter::new(now);
        // More than there is in the bucket, before anything of it is answered.
        for _ in 0..2 * QUIC_IDLE_BYTES_MAX / 1200 {
            limiter.see(1200 - QUIC_DATAGRAM_BYTES as usize, now);
            limiter.asked(1200);
        }
        assert_eq!(limiter.balance, FULL);
        // What comes to nothing costs what it has cost.
        limiter.unanswered(1200);
        assert_eq!(limiter.balance, FULL - 1200);
        limiter.spend(QUIC_IDLE_BYTES_MAX);
        limiter.answered(1200);
        assert_eq!(limiter.balance, QUIC_BYTES_PER_RESPONSE_EARNED as i64);
    }

    #[test]
    fn what_is_under_way_is_excused_once() {
        let now = Instant::now();
        let mut limiter = AbuseLimiter::new(now);
        let datagram = 1200 + QUIC_DATAGRAM_BYTES;
        limiter.refund(5 * datagram, 8 * datagram);
        limiter.refund(5 * datagram, 8 * datagram);
        for _ in 0..2 * 8 {
            limiter.see(1200, now);
            assert_eq!(limiter.balance, FULL);
        }
        limiter.see(1200, now);
        assert_eq!(limiter.balance, FULL - datagram as i64);
        // It has been under way for some time.
        limiter.spend(QUIC_IDLE_BYTES_MAX);
        limiter.refund(2 * datagram, 8 * datagram);
        assert_eq!((limiter.debt(), limiter.refunded), (0, 3 * datagram));
        limiter.refund_at_most(datagram);
        assert_eq!(limiter.refunded, 2 * datagram);
        limiter.refund_at_most(0);
        limiter.see(1200, now);
        assert_eq!(limiter.debt(), datagram);
    }

    #[test]
    fn content_that_comes_before_it_can_be_read_is_paid_when_it_is() {
        let now = Instant::now();
        let mut limiter = AbuseLimiter::new(now);
        let bytes = 4 * QUIC_IDLE_BYTES_MAX;
        for _ in 0..bytes / 1200 {
            limiter.see(1240, now);
        }
        assert!(limiter.debt() > QUIC_IDLE_BYTES_MAX);
        limiter.content(bytes as usize);
        assert_eq!(limiter.balance, FULL);
    }
}
