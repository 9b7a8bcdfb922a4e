//! What the two ends of a link say to each other: [`ToWorker`] and [`ToReactor`].
//!
//! Each message stands behind the [`Address`](super::Address) that it is about: an exchange, where it
//! does not say otherwise.

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
    /// To a connection, whoever answers it: what has been answered is still sent, the rest breaks off, and
    /// the connection ends.
    Close,
}

impl From<Part<ResponseHead>> for ToReactor {
    fn from(part: Part<ResponseHead>) -> Self {
        Self::Part(part)
    }
}
