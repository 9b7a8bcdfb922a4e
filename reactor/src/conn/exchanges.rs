//! [`Exchanges`]: the exchanges of a connection's streams, and how far their workers may be ahead of
//! the client.
//!
//! A connection with one exchange at a time gives it the port's whole window. Where there are
//! several, each begins with a small one, which is widened when a worker makes use of it, as long as
//! the connection as a whole stays within its bound. So a client that opens many streams and reads
//! none of them pins no more than that.

use smallvec::SmallVec;
use wire::ExchangeId;
use wire::limits::{WINDOW_BYTES_MIN, WINDOWS_PER_CONNECTION_MAX};

use crate::protocol::StreamId;

/// The open exchanges of one connection.
#[derive(Debug, Default)]
pub struct Exchanges {
    open: SmallVec<[Open; 1]>,
    /// Content bytes of all responses, also those that have ended, that the client has not taken.
    unread: u64,
}

#[derive(Debug)]
struct Open {
    stream: StreamId,
    exchange: ExchangeId,
    /// How far the worker may be ahead, in bytes.
    window: u32,
    /// Content bytes that it has sent.
    sent: u64,
}

impl Exchanges {
    /// The window that the next exchange begins with, on a port with this one.
    pub fn window(&self, whole: u32) -> u32 {
        let alone = self.open.is_empty() && self.unread == 0;
        if alone { whole } else { whole.min(WINDOW_BYTES_MIN) }
    }

    /// An exchange was opened for a stream.
    pub fn opened(&mut self, stream: StreamId, exchange: ExchangeId, window: u32) {
        self.open.push(Open { stream, exchange, window, sent: 0 });
    }

    /// The exchange of a stream.
    pub fn find(&self, stream: StreamId) -> Option<ExchangeId> {
        self.open.iter().find(|open| open.stream == stream).map(|open| open.exchange)
    }

    /// The exchange of a stream, which is over from the client's point of view.
    pub fn forget(&mut self, stream: StreamId) -> Option<ExchangeId> {
        let at = self.open.iter().position(|open| open.stream == stream)?;
        let exchange = self.open.swap_remove(at).exchange;
        if self.open.is_empty() {
            // An idle connection keeps no room for what many streams once needed.
            self.open = SmallVec::new();
        }
        Some(exchange)
    }

    /// All of them.
    pub fn take(&mut self) -> Vec<ExchangeId> {
        std::mem::take(&mut self.open).into_iter().map(|open| open.exchange).collect()
    }

    /// A worker has sent content. By how much its window widens for it.
    pub fn sent(&mut self, stream: StreamId, bytes: u64, whole: u32) -> Option<u32> {
        self.unread += bytes;
        let open = self.open.iter_mut().find(|open| open.stream == stream)?;
        open.sent += bytes;
        let more = whole.checked_sub(open.window).filter(|more| *more > 0)?;
        if open.sent * 2 < u64::from(open.window) {
            return None;
        }
        let whole = u64::from(whole);
        let wide = self.open.iter().filter(|open| u64::from(open.window) == whole).count() as u64;
        if (wide + 1) * whole + self.unread > WINDOWS_PER_CONNECTION_MAX * whole {
            return None;
        }
        let open = self.open.iter_mut().find(|open| open.stream == stream)?;
        open.window += more;
        Some(more)
    }

    /// The client has taken content, or it was dropped.
    pub fn released(&mut self, bytes: u64) {
        self.unread = self.unread.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: u32 = 1 << 20;
    const LEAST: u32 = WINDOW_BYTES_MIN;

    fn open(exchanges: &mut Exchanges, stream: u64) -> u32 {
        let window = exchanges.window(WHOLE);
        exchanges.opened(stream, ExchangeId::new(stream as u32, 1), window);
        window
    }

    #[test]
    fn one_at_a_time_has_the_whole_window() {
        let mut exchanges = Exchanges::default();
        for stream in 0..3 {
            assert_eq!(open(&mut exchanges, stream), WHOLE);
            assert_eq!(exchanges.sent(stream, 5, WHOLE), None);
            exchanges.forget(stream);
            // Behind a response that nobody has read yet there is not as much room.
            assert_eq!(exchanges.window(WHOLE), LEAST);
            exchanges.released(5);
        }
        assert_eq!(exchanges.window(LEAST), LEAST);
    }

    #[test]
    fn what_is_made_use_of_is_widened_within_the_bound() {
        let mut exchanges = Exchanges::default();
        assert_eq!(open(&mut exchanges, 0), WHOLE);
        let mut windows = u64::from(WHOLE);
        for stream in 1..100 {
            assert_eq!(open(&mut exchanges, stream), LEAST);
            assert_eq!(exchanges.sent(stream, u64::from(LEAST / 2) - 1, WHOLE), None);
            windows += u64::from(LEAST);
            windows += exchanges.sent(stream, 1, WHOLE).map_or(0, u64::from);
        }
        let least = 100 * u64::from(LEAST);
        assert!(windows > 3 * u64::from(WHOLE), "some are widened");
        assert!(windows <= least + WINDOWS_PER_CONNECTION_MAX * u64::from(WHOLE));
        // A client that has read, and streams that are over, make room.
        for stream in 0..99 {
            exchanges.forget(stream);
            exchanges.released(u64::from(LEAST / 2));
        }
        assert_eq!(exchanges.sent(99, 1, WHOLE), Some(WHOLE - LEAST));
        assert_eq!(exchanges.sent(99, u64::from(WHOLE), WHOLE), None, "once");
    }
}
