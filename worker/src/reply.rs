//! [`Reply`]: the way back from a handler to the client.

use std::fmt;

use wire::{Fields, FileSlice, Reason, ResponseHead};

/// The response to one request. Parts are buffered; [`flush`](Self::flush), [`end`](Self::end) and a
/// full buffer write them to the link. Blocks while the client's window is used up.
#[derive(Debug)]
pub struct Reply {}

/// Why a part could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyError {
    /// The reply is not open any more, for this reason.
    Gone(Reason),
    /// The reply has been ended or aborted before.
    Ended,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(reason) => reason.fmt(f),
            Self::Ended => f.write_str("the response has been ended before"),
        }
    }
}

impl std::error::Error for ReplyError {}

impl Reply {
    /// Sends a head: any number of interim ones (1xx), then the final one.
    pub fn head(&mut self, head: &ResponseHead) -> Result<(), ReplyError> {
        let _ = head;
        unimplemented!()
    }

    /// Sends content. Blocks while the window is used up, until the client reads or is given up.
    pub fn body(&mut self, content: &[u8]) -> Result<(), ReplyError> {
        let _ = content;
        unimplemented!()
    }

    /// Sends a range of a file as content.
    pub fn file(&mut self, slice: FileSlice) -> Result<(), ReplyError> {
        let _ = slice;
        unimplemented!()
    }

    /// Writes what is buffered to the link.
    pub fn flush(&mut self) -> Result<(), ReplyError> {
        unimplemented!()
    }

    /// Ends the response and writes it to the link.
    pub fn end(&mut self, trailers: Option<Fields>) -> Result<(), ReplyError> {
        let _ = trailers;
        unimplemented!()
    }

    /// Breaks the response off, so that the client can tell.
    pub fn abort(&mut self, reason: Reason) {
        let _ = reason;
        unimplemented!()
    }

    /// Whether the client still waits for this response. Looks at the link without blocking.
    pub fn is_open(&mut self) -> bool {
        unimplemented!()
    }
}
