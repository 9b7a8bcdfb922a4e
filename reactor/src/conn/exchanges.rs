//! [`Exchanges`]: the exchanges of a connection's streams, and how far their workers may be ahead of
//! the client.
//!
//! A connection with one exchange at a time gives it the port's whole window. Where there are
//! several, each begins with a small one, which is widened when a worker makes use of it, as long as
//! the connection as a whole stays within its bound. So a client that opens many streams and reads
//! none of them pins no more than that.
//!
//! A window bounds what the reactor has not taken over from the worker. It takes over what the
//! protocol may hold ahead of the client, and what is spooled beyond that (see [`super::backlog`]).

use std::sync::Arc;

use crate::handler::ExchangeKey;
use smallvec::SmallVec;
use wire::limits::{
    RESPONSE_AHEAD_BYTES_MAX, SHARED_AHEAD_BYTES_MAX, WINDOW_BYTES_MIN, WINDOWS_PER_CONNECTION_MAX,
};
use wire::{BodyLength, FileSlice, Part, RequestIds, ResponseHead};

use super::ConnEvent;
use super::backlog::{Backlog, Parking, ProtocolSink, content_len};
use super::backlogs::Backlogs;
use crate::protocol::{Flow, StreamId};
use crate::response_spool::{MemoryCharge, ResponseSpool};
use crate::slots::Key;

/// The open exchanges of one connection, and what waits for the client.
#[derive(Debug, Default)]
pub struct Exchanges {
    open: SmallVec<[Open; 1]>,
    /// Content bytes in memory of all responses, also those that have ended, that the client has not
    /// taken.
    unread: u64,
    /// There while the client does not keep up with a response.
    backlogs: Option<Box<Backlogs>>,
    /// What the connection has in memory, as it is counted.
    charge: Option<MemoryCharge>,
    /// Whose record is whose, where requests are observed.
    records: Vec<Observed>,
}

#[derive(Debug)]
struct Observed {
    stream: StreamId,
    record: Key,
    ids: RequestIds,
}

#[derive(Debug)]
struct Open {
    stream: StreamId,
    exchange: ExchangeKey,
    /// How far the worker may be ahead, in bytes.
    window: u32,
    /// Content bytes that it has sent, up to where they are of interest.
    sent: u32,
    /// Content bytes in memory that the protocol holds, while there is no backlog.
    ahead: u32,
    /// The handler has made the whole response already.
    complete: bool,
    /// The stream belongs to another protocol: its content is not spooled.
    upgraded: bool,
}

/// What becomes of a part of a response.
#[derive(Debug)]
pub struct AcceptedPart {
    /// The protocol takes it now; otherwise it waits behind others.
    pub part: Option<Part<ResponseHead>>,
    /// By how much the worker's window widens.
    pub more: Option<u32>,
}

impl Exchanges {
    /// The window that the next exchange begins with, on a port with this one.
    pub fn window(&self, whole: u32) -> u32 {
        let alone = self.open.is_empty() && self.unread == 0;
        if alone { whole } else { whole.min(WINDOW_BYTES_MIN) }
    }

    /// An exchange was opened for a stream.
    pub fn opened(&mut self, stream: StreamId, exchange: ExchangeKey, window: u32) {
        let (complete, upgraded) = (false, false);
        self.open.push(Open { stream, exchange, window, sent: 0, ahead: 0, complete, upgraded });
    }

    /// A request is observed.
    pub fn observed(&mut self, stream: StreamId, record: Option<Key>, ids: &RequestIds) {
        self.records.extend(record.map(|record| Observed { stream, record, ids: ids.clone() }));
    }

    /// The ids of a stream's request, if it has any.
    pub fn ids(&self, stream: StreamId) -> RequestIds {
        let of = self.records.iter().find(|observed| observed.stream == stream);
        of.map_or(RequestIds::NONE, |observed| observed.ids.clone())
    }

    /// Those of the one request that is in work, if there is but one.
    pub fn only_ids(&self) -> RequestIds {
        match &self.records[..] {
            [one] => one.ids.clone(),
            _ => RequestIds::NONE,
        }
    }

    /// The record of a stream's request.
    pub fn record(&self, stream: StreamId) -> Option<Key> {
        let of = self.records.iter().find(|observed| observed.stream == stream);
        of.map(|observed| observed.record)
    }

    /// The request of a stream is over: its record.
    pub fn take_record(&mut self, stream: StreamId) -> Option<Key> {
        let at = self.records.iter().position(|observed| observed.stream == stream)?;
        Some(self.records.swap_remove(at).record)
    }

    /// The streams of requests that are not over.
    pub fn observed_streams(&self) -> Vec<StreamId> {
        self.records.iter().map(|observed| observed.stream).collect()
    }

    /// The exchange of a stream.
    pub fn find(&self, stream: StreamId) -> Option<ExchangeKey> {
        self.open.iter().find(|open| open.stream == stream).map(|open| open.exchange)
    }

    /// The exchange of a stream has another name from now on.
    pub fn renamed(&mut self, stream: StreamId, from: ExchangeKey, to: ExchangeKey) {
        let open = self.open.iter_mut().find(|open| open.stream == stream);
        if let Some(open) = open.filter(|open| open.exchange == from) {
            open.exchange = to;
        }
        if let Some(backlog) = self.backlog(stream)
            && backlog.exchange == Some(from)
        {
            backlog.exchange = Some(to);
        }
    }

    /// The stream belongs to another protocol from now on.
    pub fn upgraded(&mut self, stream: StreamId) {
        if let Some(open) = self.open.iter_mut().find(|open| open.stream == stream) {
            open.upgraded = true;
        }
    }

    /// The streams whose responses have not been made to the end.
    pub fn streams(&self) -> Vec<StreamId> {
        self.open.iter().map(|open| open.stream).collect()
    }

    /// The handler has made all of a response: what follows waits for its worker's sake alone.
    pub fn completed(&mut self, stream: StreamId) {
        if let Some(open) = self.open.iter_mut().find(|open| open.stream == stream) {
            open.complete = true;
        }
        if let Some(backlog) = self.backlog(stream) {
            backlog.complete = true;
        }
    }

    /// The worker has sent the end of a response. What waits for the client still goes there.
    pub fn ended(&mut self, stream: StreamId) {
        if let Some(backlog) = self.backlog(stream) {
            backlog.exchange = None;
        }
        self.close(stream);
    }

    /// The stream is no more, nor is what waits for it. Its exchange, unless that has ended.
    pub fn forget(&mut self, stream: StreamId) -> Option<ExchangeKey> {
        if let Some(backlogs) = &mut self.backlogs {
            self.unread -= backlogs.remove(stream);
        }
        self.close(stream)
    }

    /// As [`forget`](Self::forget), by the exchange.
    pub fn lose(&mut self, exchange: ExchangeKey) {
        let open = self.open.iter().find(|open| open.exchange == exchange);
        if let Some(stream) = open.map(|open| open.stream) {
            self.forget(stream);
        }
    }

    fn close(&mut self, stream: StreamId) -> Option<ExchangeKey> {
        let at = self.open.iter().position(|open| open.stream == stream)?;
        let exchange = self.open.swap_remove(at).exchange;
        if self.open.is_empty() {
            // An idle connection keeps no room for what many streams once needed.
            self.open = SmallVec::new();
        }
        Some(exchange)
    }

    /// All of them; nothing waits for the client any more.
    pub fn take(&mut self) -> Vec<ExchangeKey> {
        (self.backlogs, self.charge) = (None, None);
        std::mem::take(&mut self.open).into_iter().map(|open| open.exchange).collect()
    }

    /// A worker has sent a part of a response. `whole` is the port's window.
    pub fn accept(
        &mut self,
        stream: StreamId,
        part: Part<ResponseHead>,
        whole: u32,
    ) -> AcceptedPart {
        let content = content_len(&part);
        let more = if content > 0 { self.sent(stream, content, whole) } else { None };
        let shared = self.is_shared();
        let queued = self.backlogs.as_mut().and_then(|backlogs| backlogs.find(stream));
        let at = self.open.iter().position(|open| open.stream == stream);
        let part = match (queued, at.map(|at| &mut self.open[at])) {
            (Some(backlog), _) => backlog.accept(part, shared),
            (None, Some(open)) => {
                if let Part::Head(head) = &part {
                    open.complete = matches!(head.length, BodyLength::Known(_));
                }
                if may_pass(open.ahead, content, shared) {
                    open.ahead += content as u32;
                    Some(part)
                } else {
                    let (exchange, ahead) = (open.exchange, open.ahead);
                    let (complete, upgraded) = (open.complete, open.upgraded);
                    let mut backlog = Backlog::empty(stream, exchange, ahead, complete, upgraded);
                    backlog.push(part);
                    self.backlogs.get_or_insert_default().push(backlog);
                    None
                }
            }
            (None, None) => Some(part),
        };
        AcceptedPart { part, more }
    }

    /// A worker has sent content. By how much its window widens for it.
    fn sent(&mut self, stream: StreamId, bytes: u64, whole: u32) -> Option<u32> {
        self.unread += bytes;
        let open = self.open.iter_mut().find(|open| open.stream == stream)?;
        open.sent = open.sent.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        let more = whole.checked_sub(open.window).filter(|more| *more > 0)?;
        if u64::from(open.sent) * 2 < u64::from(open.window) {
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

    /// The client has taken content that was in memory, or it was dropped.
    pub fn released(&mut self, stream: StreamId, bytes: u64) {
        self.unread = self.unread.saturating_sub(bytes);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if let Some(backlog) = self.backlog(stream) {
            backlog.ahead = backlog.ahead.saturating_sub(bytes);
        } else if let Some(open) = self.open.iter_mut().find(|open| open.stream == stream) {
            open.ahead = open.ahead.saturating_sub(bytes);
        }
    }

    /// Content bytes in memory that the client has not taken, but for those that its protocol has given out.
    #[cfg(test)]
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// Whether a client does not keep up with a response.
    pub fn is_behind(&self) -> bool {
        self.backlogs.is_some()
    }

    /// Gives the protocol what it may have now. Says whether there was something.
    pub fn refill(
        &mut self,
        events: &mut Vec<ConnEvent>,
        mut send: impl FnMut(StreamId, Part<ResponseHead>) -> Flow,
    ) -> bool {
        let shared = self.is_shared();
        let Some(backlogs) = &mut self.backlogs else { return false };
        backlogs
            .refill(shared, &mut ProtocolSink { unread: &mut self.unread, events, send: &mut send })
    }

    /// The client takes no more for now: what waits is spooled, so that its worker need not wait.
    /// Says whether the protocol was given something.
    pub fn spool(
        &mut self,
        parking: &mut Parking<'_>,
        events: &mut Vec<ConnEvent>,
        mut send: impl FnMut(StreamId, Part<ResponseHead>) -> Flow,
    ) -> bool {
        let Some(backlogs) = &mut self.backlogs else { return false };
        let charge = self.charge.get_or_insert_with(|| MemoryCharge::new(parking.spool));
        let mut sink = ProtocolSink { unread: &mut self.unread, events, send: &mut send };
        backlogs.spool(parking, charge, &mut sink)
    }

    /// Content of a stream that its protocol has in memory goes to a file; so many of its bytes are the
    /// handler's. `None` when it stays where it is.
    pub fn keep_in_file(
        &mut self,
        stream: StreamId,
        content: &[u8],
        credited: u64,
        spool: &mut ResponseSpool,
    ) -> Option<FileSlice> {
        let open = self.open.iter().find(|open| open.stream == stream);
        if let (Some(open), None) = (open, self.backlogs.as_mut().and_then(|all| all.find(stream)))
        {
            let Open { exchange, ahead, complete, upgraded, .. } = *open;
            let backlog = Backlog::empty(stream, exchange, ahead, complete, upgraded);
            self.backlogs.get_or_insert_default().push(backlog);
        }
        // Where the worker has sent the end there is nobody to be bounded.
        let backlog = self.backlogs.as_mut().and_then(|backlogs| backlogs.find(stream));
        let slice = match &backlog {
            Some(backlog) if backlog.upgraded => return None,
            Some(backlog) => spool.move_from_memory(content, &backlog.in_file)?,
            None => spool.move_from_memory(content, &Arc::default())?,
        };
        self.unread = self.unread.saturating_sub(credited);
        if let Some(backlog) = backlog {
            backlog.ahead = backlog.ahead.saturating_sub(credited as u32);
        }
        Some(slice)
    }

    /// Counts the memory that is in use, `beside` bytes of it on the way to the socket, and forgets the
    /// backlogs that are none any more. Says whether all connections together have more in memory than they
    /// may have, and this one something.
    pub fn settle(&mut self, beside: u64, spool: &ResponseSpool) -> bool {
        self.forget_idle_backlogs();
        let bytes = self.unread + beside;
        if bytes == 0 {
            self.charge = None;
            return false;
        }
        self.charge.get_or_insert_with(|| MemoryCharge::new(spool)).set(bytes);
        spool.is_memory_exceeded()
    }

    fn forget_idle_backlogs(&mut self) {
        let Some(backlogs) = &mut self.backlogs else { return };
        let open = &mut self.open;
        backlogs.retain(|backlog| {
            if backlog.is_behind() {
                return true;
            }
            if let Some(open) = open.iter_mut().find(|open| open.stream == backlog.stream) {
                open.ahead = backlog.ahead;
            }
            false
        });
        if backlogs.is_empty() {
            self.backlogs = None;
        }
    }

    fn backlog(&mut self, stream: StreamId) -> Option<&mut Backlog> {
        self.backlogs.as_mut()?.find(stream)
    }

    /// Whether several responses share the connection.
    fn is_shared(&self) -> bool {
        let waiting = self.backlogs.as_ref().map_or(0, |backlogs| backlogs.ended());
        self.open.len() + waiting > 1
    }
}

/// Whether the protocol takes content when it holds so much already.
pub(super) fn may_pass(ahead: u32, content: u64, shared: bool) -> bool {
    let most = if shared { SHARED_AHEAD_BYTES_MAX } else { RESPONSE_AHEAD_BYTES_MAX };
    content == 0 || ahead == 0 || u64::from(ahead) + content <= most as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::HandlerId;

    const WHOLE: u32 = 1 << 20;
    const LEAST: u32 = WINDOW_BYTES_MIN;

    fn key(stream: u64) -> ExchangeKey {
        let id = wire::ExchangeId::new(stream as u32, 1);
        ExchangeKey { handler: HandlerId::WORKERS, id }
    }

    fn open(exchanges: &mut Exchanges, stream: u64) -> u32 {
        let window = exchanges.window(WHOLE);
        exchanges.opened(stream, key(stream), window);
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
            exchanges.released(stream, 5);
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
            exchanges.released(stream, u64::from(LEAST / 2));
        }
        assert_eq!(exchanges.sent(99, 1, WHOLE), Some(WHOLE - LEAST));
        assert_eq!(exchanges.sent(99, u64::from(WHOLE), WHOLE), None, "once");
    }
}
