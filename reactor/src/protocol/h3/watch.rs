//! [`Watch`]: packets that make work and serve nobody (RFC 9114, 10.5; RFC 9000, 21).
//!
//! Frames are hidden in packets, so what is counted is bytes: those that came, against those that
//! served a request. A purse pays for the difference; time and honest work fill it, and who has spent
//! it all has to go. That bounds all floods alike, of PING as of PRIORITY_UPDATE, of empty DATA as of
//! frames that nobody knows.

use std::time::Instant;

use wire::limits::{
    QUIC_BYTES_PER_RESET, QUIC_BYTES_PER_RESPONSE_EARNED, QUIC_BYTES_PER_SECOND_EARNED,
    QUIC_BYTES_SENT_PER_BYTE_EARNED, QUIC_DATAGRAM_BYTES, QUIC_IDLE_BYTES_MAX,
};

/// Watches what one client sends.
#[derive(Debug)]
pub struct Watch {
    purse: u64,
    counted: Instant,
}

impl Watch {
    /// A full purse.
    pub fn new(now: Instant) -> Self {
        Self { purse: QUIC_IDLE_BYTES_MAX, counted: now }
    }

    /// A datagram has come. `false`: the purse is empty.
    pub fn see(&mut self, len: usize, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.counted).as_secs();
        if seconds > 0 {
            self.counted = now;
            self.earn(seconds.saturating_mul(QUIC_BYTES_PER_SECOND_EARNED));
        }
        self.spend(len as u64 + QUIC_DATAGRAM_BYTES)
    }

    /// A request was given up, or was to be reset. `false`: the purse is empty.
    pub fn reset(&mut self) -> bool {
        self.spend(QUIC_BYTES_PER_RESET)
    }

    /// A frame was empty. `false`: the purse is empty.
    pub fn empty(&mut self) -> bool {
        self.spend(QUIC_DATAGRAM_BYTES)
    }

    /// So many bytes were content. What wraps them, and what is sent twice, is paid along.
    pub fn content(&mut self, bytes: usize) {
        self.earn(bytes as u64 * 2);
    }

    /// A response has gone out to its end.
    pub fn answered(&mut self) {
        self.earn(QUIC_BYTES_PER_RESPONSE_EARNED);
    }

    /// So many bytes have gone out: they have their acknowledgements coming.
    pub fn sent(&mut self, bytes: usize) {
        self.earn(bytes as u64 / QUIC_BYTES_SENT_PER_BYTE_EARNED);
    }

    fn earn(&mut self, bytes: u64) {
        self.purse = self.purse.saturating_add(bytes).min(QUIC_IDLE_BYTES_MAX);
    }

    fn spend(&mut self, bytes: u64) -> bool {
        let afford = bytes <= self.purse;
        self.purse = self.purse.saturating_sub(bytes);
        afford
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_empty_purse_is_filled_by_time_and_work() {
        let mut now = Instant::now();
        let mut watch = Watch::new(now);
        let datagram = 1200 + QUIC_DATAGRAM_BYTES;
        for _ in 0..QUIC_IDLE_BYTES_MAX / datagram {
            assert!(watch.see(1200, now));
        }
        assert!(!watch.see(1200, now));
        assert!(!watch.reset());
        watch.content(1200);
        assert!(watch.see(1200, now));
        watch.sent((datagram * QUIC_BYTES_SENT_PER_BYTE_EARNED) as usize);
        assert!(watch.see(1200, now));
        watch.answered();
        assert!(watch.see(1, now));
        while watch.see(1200, now) {}
        now += Duration::from_secs(1);
        assert!(watch.see(1200, now));
    }
}
