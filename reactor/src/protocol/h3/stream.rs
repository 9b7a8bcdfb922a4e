//! One stream: an [`Exchange`], as `quiche` carries it (RFC 9114, 4.1).

use bytes::Bytes;
use quiche::h3::{Header, Priority};
use wire::Fields;

use super::carrier::Framing;
use super::{Quic, request};
use crate::protocol::error::Fault;
use crate::protocol::exchange::Exchange;
use crate::protocol::message::RequestFacts;
use crate::protocol::outlet::Outlet;
use crate::protocol::{Now, StreamId};

/// A stream that a client has opened.
pub struct Stream {
    /// The request and the response.
    pub exchange: Exchange,
    /// What `Content-Length` says.
    declared: Option<u64>,
    /// The client may still send something of the request.
    pub arriving: bool,
    /// Who makes the response's frames.
    pub framing: Framing,
    /// It is in the queue of those that may have something to send.
    pub queued: bool,
    /// How urgent the response is (RFC 9218, 4).
    pub priority: Urgency,
    /// The higher, the later it had its turn; 0 when it does not take turns.
    pub turn: u64,
}

/// `Priority`, of which `quiche` does not tell what it says.
#[derive(Debug, Clone, Copy)]
pub struct Urgency {
    /// 0 is the most urgent, 7 the least.
    pub urgency: u8,
    /// Several at a time are of use, each in parts.
    pub incremental: bool,
}

impl Urgency {
    /// Reads a field's value; one that cannot be read is as none (RFC 9218, 5).
    pub fn parse(value: Option<&[u8]>) -> Self {
        let read = value.and_then(|value| Priority::try_from(value).ok()).unwrap_or_default();
        let urgencies = (0..8u8).flat_map(|urgency| [(urgency, false), (urgency, true)]);
        let (urgency, incremental) = urgencies
            .into_iter()
            .find(|(u, i)| Priority::new(*u, *i) == read)
            .unwrap_or((3, false));
        Self { urgency, incremental }
    }

    /// As `quiche` takes it.
    pub fn get(self) -> Priority {
        Priority::new(self.urgency, self.incremental)
    }

    /// Sets it on a stream that `quiche` has been given the head of.
    pub fn apply(self, quic: &mut Quic, stream: StreamId) {
        // What `quiche` puts above all requests: control streams, and what it has no name for.
        const REQUESTS: u8 = 124;
        // A stream that is gone needs none.
        let _ = quic.stream_priority(stream, REQUESTS + self.urgency, self.incremental);
    }
}

impl Stream {
    /// A stream with a request whose head was read; `complete` when nothing follows it.
    pub fn new(
        facts: RequestFacts,
        declared: Option<u64>,
        complete: bool,
        priority: Urgency,
        outlet: &Outlet,
        now: &Now,
    ) -> Self {
        Self {
            exchange: Exchange::new(facts, complete, outlet, now),
            declared,
            arriving: !complete,
            framing: Framing::default(),
            queued: false,
            priority,
            turn: 0,
        }
    }

    /// Content has arrived. An error says that the stream is to be reset for it.
    pub fn content(&mut self, bytes: Bytes, outlet: &mut Outlet, now: &Now) -> Result<(), Fault> {
        let Some(received) = self.exchange.arriving() else { return Ok(()) };
        let received = received + bytes.len() as u64;
        if self.declared.is_some_and(|declared| received > declared) {
            return Err(Fault::Message);
        }
        self.exchange.content(bytes, outlet, now);
        Ok(())
    }

    /// Trailers have arrived.
    pub fn trailers(&mut self, list: &[Header], outlet: &mut Outlet) -> Result<(), Fault> {
        let trailers = request::trailers(list)?;
        self.complete(trailers, outlet)
    }

    /// The request has ended.
    pub fn end(&mut self, outlet: &mut Outlet) -> Result<(), Fault> {
        self.arriving = false;
        self.complete(None, outlet)
    }

    fn complete(&mut self, trailers: Option<Fields>, outlet: &mut Outlet) -> Result<(), Fault> {
        let Some(received) = self.exchange.arriving() else { return Ok(()) };
        // RFC 9114, 4.1.2.
        if self.declared.is_some_and(|declared| declared != received) {
            return Err(Fault::Message);
        }
        self.exchange.complete(trailers, outlet);
        Ok(())
    }
}
