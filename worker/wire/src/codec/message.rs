//! What the two ends of a link say to each other: [`ToWorker`] and [`ToReactor`].
//!
//! Each message stands behind the [`Address`](super::Address) that it is about: an exchange, where it
//! does not say otherwise.

use bytes::Bytes;

use super::PoolId;
use crate::claim::{ClaimSecret, Claimed};
use crate::head::{Origin, RequestHead, ResponseHead};
use crate::part::Part;

/// What the reactor says to a worker.
#[derive(Debug, Clone)]
pub enum ToWorker {
    /// A part of a request. A head names the mark to set before the handler is called.
    Request {
        /// Index of the exchange's started mark on this link.
        mark: u8,
        /// The part.
        part: Part<Box<RequestHead>>,
    },
    /// The client took so many bytes of the response: as many more may be sent.
    Credit(u32),
    /// A connection was opened; answered by `End`, like a request.
    Opened {
        /// Index of the exchange's started mark on this link.
        mark: u8,
        /// The connection.
        origin: Origin,
    },
    /// A connection was closed; answered by `End`.
    Closed {
        /// Index of the exchange's started mark on this link.
        mark: u8,
        /// The connection.
        origin: Origin,
    },
    /// Between the parts of a request: its response may be only so many bytes ahead of the client,
    /// less than the port's window.
    SetWindow(u32),
    /// In the place of a request's content: it comes while the handler works, as far as the worker gives
    /// [credit](ToReactor::RequestCredit) for it.
    Streamed,
    /// The answer to [`Detach`](ToReactor::Detach): whether the exchange is detached. If it is, the worker
    /// has nothing to do with it any more.
    Detached(bool),
    /// The answer to [`Claim`](ToReactor::Claim): the exchange is the worker's from now on, under the id
    /// that this stands behind; `None`: nobody's exchange has that name.
    Claimed(Option<Box<Claimed>>),
}

/// What a worker says to the reactor.
#[derive(Debug, Clone)]
pub enum ToReactor {
    /// A part of a response.
    Part(Part<ResponseHead>),
    /// The handler has made the rest of the response, which follows: nothing but the client keeps it
    /// from being sent.
    Complete,
    /// The handler reads the content of its request: so many more bytes of it may be sent.
    RequestCredit(u32),
    /// The handler leaves its exchange to whoever claims it. Answered by
    /// [`Detached`](ToWorker::Detached).
    Detach {
        /// What who claims it has to say.
        secret: ClaimSecret,
        /// How far the response has come; at most
        /// [`DETACHED_STATE_BYTES_MAX`](crate::limits::DETACHED_STATE_BYTES_MAX).
        state: Bytes,
    },
    /// A callback wants to answer a detached exchange, whose id this stands behind. Answered by
    /// [`Claimed`](ToWorker::Claimed).
    Claim {
        /// The pool that the id is of.
        pool: PoolId,
        /// What was said when it was detached.
        secret: ClaimSecret,
    },
    /// To a connection, whoever answers it: what has been answered is still sent, the rest breaks off, and
    /// the connection ends.
    Close,
}

impl From<Part<ResponseHead>> for ToReactor {
    fn from(part: Part<ResponseHead>) -> Self {
        Self::Part(part)
    }
}
