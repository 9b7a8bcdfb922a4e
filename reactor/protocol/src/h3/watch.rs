//! [`Watch`]: packets that make work and serve nobody (RFC 9114, 10.5; RFC 9000, 21).
//!
//! Frames are hidden in packets, so what is counted is bytes: those that came, against those that
//! served a request. A purse pays for the difference; time and honest work fill it, and who has spent
//! it all has to go. That bounds all floods alike, of PING as of PRIORITY_UPDATE, of empty DATA as of
//! frames that nobody knows.
//!
//! Content that arrives behind a lost packet has come before it serves anybody. What is spent without
//! being there is a debt, and how large that may be is known where the windows are. The head of a
//! request comes before it serves anybody, too: it is paid back at once, and that taken back if the
//! request comes to nothing. And what is under way of a request when it is refused cannot be helped: as
//! long as the client has not stopped, a window of it costs nothing.

use std::time::Instant;

use wire::limits::{
    QUIC_BYTES_PER_RESET, QUIC_BYTES_PER_RESPONSE_EARNED, QUIC_BYTES_PER_SECOND_EARNED,
    QUIC_BYTES_SENT_PER_BYTE_EARNED, QUIC_DATAGRAM_BYTES, QUIC_IDLE_BYTES_MAX,
};

/// Watches what one client sends.
#[derive(Debug)]
pub struct Watch {
    purse: u64,
    debt: u64,
    /// What may still come for nothing.
    excused: u64,
    counted: Instant,
}

impl Watch {
    /// A full purse.
    pub fn new(now: Instant) -> Self {
        Self { purse: QUIC_IDLE_BYTES_MAX, debt: 0, excused: 0, counted: now }
    }

    /// What was spent after the purse was empty.
    pub fn debt(&self) -> u64 {
        self.debt
    }

    /// A datagram has come.
    pub fn see(&mut self, len: usize, now: Instant) {
        let seconds = now.saturating_duration_since(self.counted).as_secs();
        if seconds > 0 {
            self.counted = now;
            self.earn(seconds.saturating_mul(QUIC_BYTES_PER_SECOND_EARNED));
        }
        let cost = len as u64 + QUIC_DATAGRAM_BYTES;
        let excused = cost.min(self.excused);
        self.excused -= excused;
        self.spend(cost - excused);
    }

    /// A request was given up, or was to be reset.
    pub fn reset(&mut self) {
        self.spend(QUIC_BYTES_PER_RESET);
    }

    /// So many bytes were content. What wraps them, and what is sent twice, is paid along.
    pub fn content(&mut self, bytes: usize) {
        self.earn(bytes as u64 * 2);
    }

    /// The head of a request is there, of so many bytes.
    pub fn asked(&mut self, head_bytes: u32) {
        self.earn(u64::from(head_bytes));
    }

    /// A response to a request with such a head has gone out to its end. As of content.
    pub fn answered(&mut self, head_bytes: u32) {
        self.earn(u64::from(head_bytes) + QUIC_BYTES_PER_RESPONSE_EARNED);
    }

    /// A request with such a head has come to nothing.
    pub fn unanswered(&mut self, head_bytes: u32) {
        self.spend(u64::from(head_bytes));
    }

    /// The client is to stop: so much content may be under way. Of all streams together `most` is. As
    /// of other content, what wraps it and what is sent twice is paid along.
    pub fn excuse(&mut self, bytes: u64, most: u64) {
        let (bytes, most) = (bytes.saturating_mul(2), most.saturating_mul(2));
        let left = bytes.saturating_sub(self.debt);
        self.debt = self.debt.saturating_sub(bytes);
        self.excused = self.excused.saturating_add(left).min(most);
    }

    /// Whether there is something left that may come for nothing.
    pub fn excuses(&self) -> bool {
        self.excused > 0
    }

    /// Not more content than that is under way still.
    pub fn excuse_at_most(&mut self, bytes: u64) {
        self.excused = self.excused.min(bytes.saturating_mul(2));
    }

    /// So many bytes have gone out: they have their acknowledgements coming.
    pub fn sent(&mut self, bytes: usize) {
        self.earn(bytes as u64 / QUIC_BYTES_SENT_PER_BYTE_EARNED);
    }

    fn earn(&mut self, bytes: u64) {
        let left = bytes.saturating_sub(self.debt);
        self.debt = self.debt.saturating_sub(bytes);
        self.purse = self.purse.saturating_add(left).min(QUIC_IDLE_BYTES_MAX);
    }

    fn spend(&mut self, bytes: u64) {
        self.debt += bytes.saturating_sub(self.purse);
        self.purse = self.purse.saturating_sub(bytes);
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
            watch.see(1200, now);
        }
        assert_eq!(watch.debt(), 0);
        watch.see(1200, now);
        let owed = watch.debt();
        assert!(owed > 0);
        watch.reset();
        assert_eq!(watch.debt(), owed + QUIC_BYTES_PER_RESET);
        let earn: [&dyn Fn(&mut Watch); 3] = [
            &|watch| watch.content(1200),
            &|watch| watch.sent((datagram * QUIC_BYTES_SENT_PER_BYTE_EARNED) as usize),
            &|watch| watch.answered(0),
        ];
        for earned in earn {
            let owed = watch.debt();
            earned(&mut watch);
            assert!(watch.debt() < owed || owed == 0);
        }
        while watch.debt() == 0 {
            watch.see(1200, now);
        }
        now += Duration::from_secs(1);
        watch.see(1200, now);
        assert_eq!(watch.debt(), 0);
    }

    #[test]
    fn heads_are_paid_for_by_answers() {
        let now = Instant::now();
        let mut watch = Watch::new(now);
        // More than there is in the purse, before anything of it is answered.
        for _ in 0..2 * QUIC_IDLE_BYTES_MAX / 1200 {
            watch.see(1200 - QUIC_DATAGRAM_BYTES as usize, now);
            watch.asked(1200);
        }
        assert_eq!((watch.debt(), watch.purse), (0, QUIC_IDLE_BYTES_MAX));
        // What comes to nothing costs what it has cost.
        watch.unanswered(1200);
        assert_eq!(watch.purse, QUIC_IDLE_BYTES_MAX - 1200);
        watch.spend(QUIC_IDLE_BYTES_MAX);
        watch.answered(1200);
        assert_eq!((watch.debt(), watch.purse), (0, QUIC_BYTES_PER_RESPONSE_EARNED));
    }

    #[test]
    fn what_is_under_way_is_excused_once() {
        let now = Instant::now();
        let mut watch = Watch::new(now);
        let datagram = 1200 + QUIC_DATAGRAM_BYTES;
        watch.excuse(5 * datagram, 8 * datagram);
        watch.excuse(5 * datagram, 8 * datagram);
        for _ in 0..2 * 8 {
            watch.see(1200, now);
            assert_eq!(watch.purse, QUIC_IDLE_BYTES_MAX);
        }
        watch.see(1200, now);
        assert_eq!(watch.purse, QUIC_IDLE_BYTES_MAX - datagram);
        // It has been under way for some time.
        watch.spend(QUIC_IDLE_BYTES_MAX);
        watch.excuse(2 * datagram, 8 * datagram);
        assert_eq!((watch.debt(), watch.excused), (0, 3 * datagram));
        watch.excuse_at_most(datagram);
        assert_eq!(watch.excused, 2 * datagram);
        watch.excuse_at_most(0);
        watch.see(1200, now);
        assert_eq!(watch.debt(), datagram);
    }

    #[test]
    fn content_that_comes_before_it_can_be_read_is_paid_when_it_is() {
        let now = Instant::now();
        let mut watch = Watch::new(now);
        let bytes = 4 * QUIC_IDLE_BYTES_MAX;
        for _ in 0..bytes / 1200 {
            watch.see(1240, now);
        }
        assert!(watch.debt() > QUIC_IDLE_BYTES_MAX);
        watch.content(bytes as usize);
        assert_eq!((watch.debt(), watch.purse), (0, QUIC_IDLE_BYTES_MAX));
    }
}
