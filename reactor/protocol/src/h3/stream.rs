//! One stream: a [`StreamExchange`], as `quiche` carries it (RFC 9114, 4.1).

use std::time::Instant;

use bytes::Bytes;
use quiche::h3::Header;
use wire::Fields;

use super::incoming::Incoming;
use super::priority::Priority;
use super::request;
use crate::Now;
use crate::error::Fault;
use crate::exchange::StreamExchange;
use crate::message::RequestFacts;
use crate::stream_context::StreamContext;

/// A stream that a client has opened.
pub struct Http3Stream {
    /// The request and the response.
    pub exchange: StreamExchange,
    /// What `Content-Length` says.
    declared: Option<u64>,
    /// What its head took of the client's packets, while nobody was answered for it.
    pub head_bytes: u32,
    /// The client may still send something of the request.
    pub arriving: bool,
    /// The frames of the request.
    pub incoming: Incoming,
    /// Bytes that it has taken of the response.
    pub sent_bytes: u64,
    /// What the stream has not taken of the response's last HEADERS frame.
    pub unsent: Option<Bytes>,
    /// It is in the queue of those that may have something to send.
    pub queued: bool,
    /// How urgent the response is (RFC 9218, 4).
    pub priority: Priority,
    /// The higher, the later it had its turn; 0 when it does not take turns.
    pub turn: u64,
}

/// A stream whose request has no whole head yet.
#[derive(Debug)]
pub struct Opening {
    /// What there is of it.
    pub incoming: Incoming,
    /// When the head is late.
    pub until: Instant,
}

impl Http3Stream {
    /// A stream with a request whose head was read; `complete` when nothing follows it.
    pub fn new(
        facts: RequestFacts,
        declared: Option<u64>,
        complete: bool,
        priority: Priority,
        context: &StreamContext,
        now: &Now,
    ) -> Self {
        Self {
            exchange: StreamExchange::new(facts, complete, context, now),
            declared,
            head_bytes: 0,
            arriving: !complete,
            incoming: Incoming::default(),
            sent_bytes: 0,
            unsent: None,
            queued: false,
            priority,
            turn: 0,
        }
    }

    /// Content has arrived. An error says that the stream is to be reset for it.
    pub fn content(
        &mut self,
        bytes: Bytes,
        context: &mut StreamContext,
        now: &Now,
    ) -> Result<(), Fault> {
        let Some(received) = self.exchange.arriving() else { return Ok(()) };
        let received = received + bytes.len() as u64;
        if self.declared.is_some_and(|declared| received > declared) {
            return Err(Fault::Message);
        }
        self.exchange.content(bytes, context, now);
        Ok(())
    }

    /// Trailers have arrived.
    pub fn trailers(&mut self, list: &[Header], context: &mut StreamContext) -> Result<(), Fault> {
        let trailers = request::trailers(list)?;
        self.complete(trailers, context)
    }

    /// The request has ended.
    pub fn end(&mut self, context: &mut StreamContext) -> Result<(), Fault> {
        self.arriving = false;
        self.complete(None, context)
    }

    fn complete(
        &mut self,
        trailers: Option<Fields>,
        context: &mut StreamContext,
    ) -> Result<(), Fault> {
        let Some(received) = self.exchange.arriving() else { return Ok(()) };
        // RFC 9114, 4.1.2.
        if self.declared.is_some_and(|declared| declared != received) {
            return Err(Fault::Message);
        }
        self.exchange.complete(trailers, context);
        Ok(())
    }
}
