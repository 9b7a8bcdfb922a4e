//! [`Handler`]: who answers requests.
//!
//! A connection passes on the parts of a request, and takes the parts of the response. Who made them
//! is the business of the handler that the port's [routes](routes) name: the pool of PHP workers, or
//! one that answers within the reactor. Each thread of the reactor has its own.
//!
//! ```text
//!             open, content, receive, credit, grow_window
//!  connection ──────────────────────────────────────▶ handler
//!             ◀──────────────────────────────────────
//!                          answers
//! ```

pub(crate) mod admin;
pub mod files;
mod fixed;
pub mod routes;
mod set;
pub mod workers;

use std::fmt;

use bytes::Bytes;
use wire::{ExchangeId, Part, PoolId, RequestHead, ResponseHead};

pub use self::files::FilesConfig;
pub use self::fixed::FixedResponse;
pub(crate) use self::set::{Handlers, unknown};
use crate::protocol::StreamId;
use crate::protocol::upgrade::{Accepted, Machine};
use crate::slots::Key;
use crate::turn::Turn;

/// One of the handlers of a reactor thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandlerId {
    /// A pool of workers: a row of [`Config::pools`](crate::Config::pools).
    Pool(PoolId),
    /// An entry of [`Config::fixed`](crate::Config::fixed).
    Fixed(u8),
    /// An entry of [`Config::files`](crate::Config::files).
    Files(u8),
    /// The one for administrators, of [`Config::admin`](crate::Config::admin).
    Admin,
}

impl HandlerId {
    /// The first pool of workers.
    pub const WORKERS: Self = Self::Pool(PoolId(0));
}

/// An exchange in flight, and who answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeKey {
    /// Who answers.
    pub handler: HandlerId,
    /// The handler's name for it.
    pub id: ExchangeId,
}

/// A request whose head has arrived.
#[derive(Debug)]
pub struct NewRequest {
    /// The connection.
    pub conn: Key,
    /// Its stream.
    pub stream: StreamId,
    /// Control data and fields.
    pub head: Box<RequestHead>,
    /// Content bytes that the response may be ahead of what the connection gives credit for.
    pub window: u32,
    /// The record of the exchange, where somebody observes.
    pub record: Option<Key>,
}

/// What a handler says of a response, on its way to the connection.
#[derive(Debug)]
pub struct Answer {
    /// The connection.
    pub conn: Key,
    /// Its stream.
    pub stream: StreamId,
    /// The exchange, and who answers it.
    pub exchange: ExchangeKey,
    /// A part of it, most often.
    pub message: ToClient,
}

/// What a handler says to a stream.
#[derive(Debug)]
pub enum ToClient {
    /// A part of the response.
    Part(Part<ResponseHead>),
    /// The rest of the response has been made, and follows.
    Complete,
    /// The content of the request is to be held back, or let come again.
    PauseRequest(bool),
    /// The upgrade that the request asks for is accepted, in the place of a head. What follows goes to the
    /// machine, and what the machine gives out comes to the handler.
    Upgrade(Upgrade),
}

/// An upgrade that is accepted.
pub struct Upgrade {
    /// What the client is told.
    pub accepted: Accepted,
    /// Whose the stream is from now on.
    pub machine: Box<dyn Machine>,
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upgrade").field(&self.accepted).finish()
    }
}

impl From<Part<ResponseHead>> for ToClient {
    fn from(part: Part<ResponseHead>) -> Self {
        Self::Part(part)
    }
}

/// Answers requests. Nothing here blocks; an id that is not in flight any more has no effect.
/// What it says goes to [`Turn::answers`], which the event loop delivers once per turn.
pub trait Handler: Send {
    /// A request begins. It is given back by a handler that does not answer it: the next one of the
    /// port's routes is asked.
    fn open(&mut self, request: NewRequest, turn: &mut Turn)
    -> Result<ExchangeId, Box<NewRequest>>;

    /// Content that follows of it, in its order: what one turn has brought together, so that it can be stored by few
    /// system calls. Who does not want it has nothing to do.
    fn content(&mut self, _id: ExchangeId, _pieces: &mut [Bytes], _turn: &mut Turn) {}

    /// What else follows of it: its end, or that the client has left. Behind
    /// [`ClientLeaving`](wire::Reason::ClientLeaving) the response may still be sent; behind any other
    /// `Abort` nothing of it is of use.
    fn receive(&mut self, id: ExchangeId, part: Part<Box<RequestHead>>, turn: &mut Turn);

    /// Content bytes of the response were taken over, or dropped: as many more may come.
    fn credit(&mut self, id: ExchangeId, bytes: u64);

    /// The response may be so many bytes further ahead.
    fn grow_window(&mut self, id: ExchangeId, bytes: u32);

    /// Exchanges in flight.
    fn open_exchanges(&self) -> usize;
}
