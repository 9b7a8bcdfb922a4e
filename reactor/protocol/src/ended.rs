//! [`Ended`]: what became of a request, as far as its client saw it. Told once, behind the last byte of
//! its response, and only where [`HttpSettings::observation`](super::settings::HttpSettings::observation) is on.

use http::StatusCode;
use wire::{Reason, Version};

use super::StreamId;
use super::error::Fault;

/// A request and its response are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The stream; one that no request was given out of when the request was refused for its head.
    pub stream: StreamId,
    /// The version of HTTP; over HTTP/1 `None`, as a head that was refused need not have been of it.
    pub version: Option<Version>,
    /// What the client was sent.
    pub sent: Sent,
    /// How it ended.
    pub ending: Ending,
}

impl Ended {
    /// As it is when the rest does not reach the client.
    pub fn cut(mut self) -> Self {
        if self.ending == Ending::Complete {
            self.ending = Ending::Lost(Reason::ClientGone);
        }
        self
    }
}

/// What a client was sent of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// The status of the final head; none when there was no such head.
    pub status: Option<StatusCode>,
    /// Bytes of content, as encoded by the response's content coding.
    pub content: u64,
    /// Bytes of the response in the form that its version gives it, below TLS and QUIC: heads, framing,
    /// content and trailers. HTTP/1: all bytes of the message. HTTP/2: the frames of the stream with their
    /// headers. HTTP/3: the bytes of the stream.
    pub wire: u64,
}

/// How a request and its response ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The client has been sent the whole response.
    Complete,
    /// The response broke off on this side.
    Broken,
    /// The request was refused, and the client told so if it could be.
    Refused(Fault),
    /// The client has not got all: it has left, or was given up.
    Lost(Reason),
}
