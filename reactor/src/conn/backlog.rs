//! [`Backlog`]: what a worker has sent of a response and its client has not taken.
//!
//! ```text
//!  worker ──▶ backlog ──▶ protocol ──▶ socket
//!                └── spool ──▲
//! ```
//!
//! The protocol holds a little content ahead of its client. What is beyond that waits here until the
//! socket has been written to: a client that keeps up has taken it by then. What it has not taken is
//! spooled, in memory up to a bound, then in a file, and the worker gets credit for it as if the client
//! had taken it. So it is free, whatever the client does. Only where nothing more may be spooled does
//! content stay here without credit, and the worker waits when its window is used up.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::handler::ExchangeKey;
use bytes::{Bytes, BytesMut};
use wire::limits::{BACKLOG_PARTS_MAX, RESPONSE_AHEAD_BYTES_MAX, SPOOL_BLOCK_BYTES};
use wire::{Part, ResponseHead};

use super::ConnEvent;
use super::exchanges::may_pass;
use crate::config::PortConfig;
use crate::protocol::{Flow, StreamId};
use crate::response_spool::{MemoryCharge, ResponseSpool};

/// The backlog of one response.
#[derive(Debug)]
pub struct Backlog {
    /// The stream.
    pub stream: StreamId,
    /// The exchange, until its worker has sent the end.
    pub exchange: Option<ExchangeKey>,
    /// Content bytes in memory that the protocol holds.
    pub ahead: u32,
    /// The handler has made the whole response already: it waits for its worker's sake alone.
    pub complete: bool,
    /// The stream belongs to another protocol, which takes no files: its worker waits for the client.
    pub upgraded: bool,
    /// What the protocol has not been given, in order.
    parts: VecDeque<Part<ResponseHead>>,
    /// Content bytes in memory of the parts.
    pub bytes: u64,
    /// How many of them, from the front, the worker has credit for.
    credited: u64,
    /// Content bytes in the spool file.
    pub in_file: Arc<AtomicU64>,
}

/// Where content is spooled, and how much of it.
#[derive(Debug)]
pub struct Parking<'a> {
    /// The thread's spool.
    pub spool: &'a mut ResponseSpool,
    /// Content of one response in memory.
    pub memory_bytes_max: u64,
    /// Content of one response that its handler is still making.
    pub response_bytes_max: u64,
    /// The time.
    pub now: Instant,
}

impl<'a> Parking<'a> {
    /// As a port has it.
    pub fn new(spool: &'a mut ResponseSpool, port: &PortConfig, now: Instant) -> Self {
        Self {
            spool,
            memory_bytes_max: port.window_bytes.into(),
            response_bytes_max: port.response_spool_bytes_max,
            now,
        }
    }
}

/// The way to the protocol.
pub struct ProtocolSink<'a> {
    /// The connection's content bytes in memory.
    pub unread: &'a mut u64,
    /// What comes of it.
    pub events: &'a mut Vec<ConnEvent>,
    /// Gives the protocol a part.
    pub send: &'a mut dyn FnMut(StreamId, Part<ResponseHead>) -> Flow,
}

/// Content bytes of a part that are in memory.
pub fn content_len(part: &Part<ResponseHead>) -> u64 {
    match part {
        Part::Body(bytes) => bytes.len() as u64,
        _ => 0,
    }
}

/// Content in memory of its own, so that the block or the buffer that it is in serves others.
fn copy_of(part: Part<ResponseHead>) -> Part<ResponseHead> {
    match part {
        Part::Body(bytes) => Part::Body(Bytes::copy_from_slice(&bytes)),
        part => part,
    }
}

/// What became of a backlog.
pub enum Spooled {
    /// Nothing could be spooled.
    Nothing,
    /// The protocol was given something.
    Some,
    /// The stream is no more.
    Gone,
}

impl Backlog {
    /// The backlog of a response whose protocol holds `ahead` bytes in memory. Nothing is in it yet.
    pub fn empty(
        stream: StreamId,
        exchange: ExchangeKey,
        ahead: u32,
        complete: bool,
        upgraded: bool,
    ) -> Self {
        Self {
            stream,
            exchange: Some(exchange),
            ahead,
            complete,
            upgraded,
            bytes: 0,
            parts: VecDeque::new(),
            credited: 0,
            in_file: Arc::default(),
        }
    }

    /// A part that the protocol takes later.
    pub fn push(&mut self, part: Part<ResponseHead>) {
        self.bytes += content_len(&part);
        self.parts.push_back(part);
    }

    /// Whether the client is behind by more than a protocol may be ahead.
    pub fn is_behind(&self) -> bool {
        !self.parts.is_empty()
            || self.in_file() > 0
            || self.ahead as usize > RESPONSE_AHEAD_BYTES_MAX
    }

    fn in_file(&self) -> u64 {
        self.in_file.load(Ordering::Relaxed)
    }

    /// The next part of the worker's; returned when the protocol may have it at once.
    pub fn accept(&mut self, part: Part<ResponseHead>, shared: bool) -> Option<Part<ResponseHead>> {
        let content = content_len(&part);
        if self.parts.is_empty() && self.may_pass(content, shared) {
            self.ahead += content as u32;
            return Some(part);
        }
        self.push(part);
        None
    }

    /// The part at the front, if the protocol may have it.
    pub fn next(&mut self, shared: bool) -> Option<Part<ResponseHead>> {
        let content = content_len(self.parts.front()?);
        self.may_pass(content, shared).then(|| self.pop())?
    }

    /// Behind what lies in a file it has to be kept first: what the protocol has in memory may go to a file, and
    /// would not be bounded otherwise.
    fn may_pass(&self, content: u64, shared: bool) -> bool {
        may_pass(self.ahead, content, shared) && (content == 0 || self.in_file() == 0)
    }

    fn pop(&mut self) -> Option<Part<ResponseHead>> {
        let part = self.parts.pop_front()?;
        self.bytes -= content_len(&part);
        Some(part)
    }

    /// Gives the protocol a part off the front.
    pub fn give(&mut self, part: Part<ResponseHead>, sink: &mut ProtocolSink<'_>) -> Flow {
        let content = content_len(&part);
        self.ahead += content as u32;
        self.taken_over(content, sink);
        self.send(part, sink)
    }

    fn send(&mut self, part: Part<ResponseHead>, sink: &mut ProtocolSink<'_>) -> Flow {
        let content = content_len(&part);
        let flow = (sink.send)(self.stream, part);
        if flow == Flow::Gone {
            *sink.unread -= self.bytes + content;
            sink.events.extend(self.exchange.map(ConnEvent::Gone));
        }
        flow
    }

    /// Content at the front waits for its worker's sake no longer.
    fn taken_over(&mut self, content: u64, sink: &mut ProtocolSink<'_>) {
        let known = self.credited.min(content);
        self.credited -= known;
        self.credit(content - known, sink);
    }

    fn credit(&self, bytes: u64, sink: &mut ProtocolSink<'_>) {
        if let (Some(exchange), 1..) = (self.exchange, bytes) {
            sink.events.push(ConnEvent::Credit(exchange, bytes));
        }
    }

    /// Spools what the client does not take.
    pub fn spool(
        &mut self,
        parking: &mut Parking<'_>,
        charge: &mut MemoryCharge,
        sink: &mut ProtocolSink<'_>,
    ) -> Spooled {
        let mut outcome = Spooled::Nothing;
        while let Some(part) = self.place(parking, charge, sink) {
            if self.send(part, sink) == Flow::Gone {
                return Spooled::Gone;
            }
            outcome = Spooled::Some;
        }
        self.keep_rest(parking, charge, sink);
        outcome
    }

    /// What the protocol is given next: as it is, or in another place.
    fn place(
        &mut self,
        parking: &mut Parking<'_>,
        charge: &mut MemoryCharge,
        sink: &mut ProtocolSink<'_>,
    ) -> Option<Part<ResponseHead>> {
        let content = content_len(self.parts.front()?);
        if content == 0 {
            return self.pop();
        }
        if !self.may_keep(content, parking) {
            return None;
        }
        let in_memory = u64::from(self.ahead) + content <= parking.memory_bytes_max;
        if in_memory && charge.grow(content) {
            self.ahead += content as u32;
            self.taken_over(content, sink);
            return self.pop().map(copy_of);
        }
        let block = self.front_block()?;
        let Some(slice) = parking.spool.put(&block, &self.in_file, parking.now) else {
            self.put_back(block);
            return None;
        };
        *sink.unread -= block.len() as u64;
        self.taken_over(block.len() as u64, sink);
        Some(Part::File(slice))
    }

    /// Whether so much more of the response may be spooled.
    fn may_keep(&self, content: u64, parking: &Parking<'_>) -> bool {
        let kept = u64::from(self.ahead) + self.in_file();
        !self.upgraded && (self.complete || kept + content <= parking.response_bytes_max)
    }

    /// A block's worth of content off the front, if there is as much.
    fn front_block(&mut self) -> Option<Bytes> {
        let bodies = self.parts.iter().map_while(|part| match part {
            Part::Body(bytes) => Some(bytes.len()),
            _ => None,
        });
        if bodies.sum::<usize>() < SPOOL_BLOCK_BYTES {
            return None;
        }
        if let Some(Part::Body(first)) = self.parts.front_mut()
            && first.len() >= SPOOL_BLOCK_BYTES
        {
            let block = first.split_to(SPOOL_BLOCK_BYTES);
            let rest = !first.is_empty();
            self.bytes -= block.len() as u64;
            if !rest {
                self.parts.pop_front();
            }
            return Some(block);
        }
        let mut block = BytesMut::with_capacity(SPOOL_BLOCK_BYTES);
        while let Some(Part::Body(bytes)) = self.parts.front_mut() {
            let piece = bytes.split_to(bytes.len().min(SPOOL_BLOCK_BYTES - block.len()));
            block.extend_from_slice(&piece);
            if !bytes.is_empty() {
                break;
            }
            self.parts.pop_front();
        }
        self.bytes -= block.len() as u64;
        Some(block.freeze())
    }

    fn put_back(&mut self, block: Bytes) {
        self.bytes += block.len() as u64;
        self.parts.push_front(Part::Body(block));
    }

    /// What is less than a block, and the protocol cannot have yet, stays here; its worker need not
    /// wait for it.
    fn keep_rest(
        &mut self,
        parking: &mut Parking<'_>,
        charge: &mut MemoryCharge,
        sink: &mut ProtocolSink<'_>,
    ) {
        if self.parts.len() > BACKLOG_PARTS_MAX {
            self.join_front();
        }
        let rest = self.bytes - self.credited;
        if self.exchange.is_none() || rest == 0 || self.bytes >= SPOOL_BLOCK_BYTES as u64 {
            return;
        }
        if !self.may_keep(self.bytes, parking) {
            return;
        }
        if charge.grow(rest) {
            self.copy_back(rest);
            self.credited = self.bytes;
            self.credit(rest, sink);
        } else {
            parking.spool.warn_of_memory(parking.now);
        }
    }

    /// Copies the last `bytes` of content: they stay for longer than their worker can do without the
    /// memory that they are in.
    fn copy_back(&mut self, mut bytes: u64) {
        for part in self.parts.iter_mut().rev() {
            if bytes == 0 {
                break;
            }
            bytes = bytes.saturating_sub(content_len(part));
            *part = copy_of(mem::replace(part, Part::End(None)));
        }
    }

    /// Makes one part of many small ones: each has a cost of its own.
    fn join_front(&mut self) {
        let mut joined = BytesMut::new();
        while let Some(Part::Body(bytes)) = self.parts.front() {
            joined.extend_from_slice(bytes);
            self.parts.pop_front();
        }
        if !joined.is_empty() {
            self.parts.push_front(Part::Body(joined.freeze()));
        }
    }
}
