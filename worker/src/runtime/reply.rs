//! [`Reply`]: the way back from a handler to the client.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use wire::limits::{
    ARENA_BYTES_MIN, BODY_COPY_BYTES_MAX, BODY_FRAME_BYTES_MAX, LINK_DESCRIPTORS_MAX,
};
use wire::{Encoder, ExchangeId, Fields, FileSlice, Part, Reason, ResponseHead};

use crate::runtime::link::{ExchangeStatus, Link};

/// The response to one request. Parts are buffered; [`flush`](Self::flush), [`end`](Self::end) and a
/// full buffer write them to the link. Blocks while the client's window is used up.
///
/// A reply is open while its handler runs: what a handler leaves unfinished is aborted, unless it has
/// [detached](Self::detach) it, and a reply that is kept for longer finds itself
/// [`Ended`](ReplyError::Ended).
#[derive(Debug)]
pub struct Reply {
    link: Rc<RefCell<Link>>,
    exchange: ExchangeId,
}

/// Whether the client of a request has left.
#[derive(Debug)]
pub struct ClientWatch {
    link: Rc<RefCell<Link>>,
    exchange: ExchangeId,
}

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
    /// The reply to the exchange that `link` has begun.
    pub(crate) fn new(link: Rc<RefCell<Link>>, exchange: ExchangeId) -> Self {
        Self { link, exchange }
    }

    pub(crate) fn link(&self) -> &Rc<RefCell<Link>> {
        &self.link
    }

    /// Names the exchange.
    pub fn exchange(&self) -> ExchangeId {
        self.exchange
    }

    /// Sends a head: any number of interim ones (1xx), then the final one.
    pub fn head(&mut self, head: &ResponseHead) -> Result<(), ReplyError> {
        let mut link = self.link.borrow_mut();
        open(link.status(self.exchange))?;
        link.encoder().response_head(self.exchange, head);
        Ok(())
    }

    /// Sends content. Blocks while the window is used up, until the client reads or is given up.
    pub fn body(&mut self, content: &[u8]) -> Result<(), ReplyError> {
        let mut link = self.link.borrow_mut();
        send_frames(&mut link, self.exchange, content)
    }

    /// Sends the last of the content, and says that it is. So the reactor takes it over whatever the
    /// client does, and this blocks only where no more may be spooled for all responses together.
    pub fn last_body(&mut self, content: &[u8]) -> Result<(), ReplyError> {
        let mut link = self.link.borrow_mut();
        // What fits into the window waits for nobody.
        if content.len() > open(link.status(self.exchange))? as usize {
            link.encoder().complete(self.exchange);
        }
        send_frames(&mut link, self.exchange, content)
    }

    /// Sends a range of a file as content.
    pub fn file(&mut self, slice: FileSlice) -> Result<(), ReplyError> {
        let mut link = self.link.borrow_mut();
        open(link.status(self.exchange))?;
        send_file(&mut link, self.exchange, slice)
    }

    /// Writes what is buffered to the link.
    pub fn flush(&mut self) -> Result<(), ReplyError> {
        let mut link = self.link.borrow_mut();
        open(link.status(self.exchange))?;
        link.flush();
        open(link.status(self.exchange)).map(drop)
    }

    /// Ends the response and writes it to the link.
    pub fn end(&mut self, trailers: Option<Fields>) -> Result<(), ReplyError> {
        let mut link = self.link.borrow_mut();
        match link.status(self.exchange) {
            ExchangeStatus::Over => return Err(ReplyError::Ended),
            ExchangeStatus::Gone(reason) => {
                link.abort(self.exchange, reason);
                return Err(ReplyError::Gone(reason));
            }
            ExchangeStatus::Open(_) => {}
        }
        link.encoder().to_reactor(self.exchange, &Part::End(trailers));
        link.finish(self.exchange);
        // What the link cannot carry any more reaches nobody.
        if link.has_ended() { Err(ReplyError::Gone(Reason::ClientGone)) } else { Ok(()) }
    }

    /// Breaks the response off, so that the client can tell.
    pub fn abort(&mut self, reason: Reason) {
        let mut link = self.link.borrow_mut();
        match link.status(self.exchange) {
            ExchangeStatus::Over => {}
            ExchangeStatus::Open(_) => link.abort(self.exchange, reason),
            ExchangeStatus::Gone(reason) => link.abort(self.exchange, reason),
        }
    }

    /// Whether more of this response can be sent. Looks at the link without blocking.
    pub fn is_open(&mut self) -> bool {
        let status = self.link.borrow_mut().look(self.exchange);
        matches!(status, ExchangeStatus::Open(_))
    }

    /// Tells whether the client has left, beside the reply.
    pub fn watch(&self) -> ClientWatch {
        ClientWatch { link: Rc::clone(&self.link), exchange: self.exchange }
    }

    /// Whether the client still waits for this response: it is open, and the client is not leaving.
    pub fn is_awaited(&mut self) -> bool {
        self.is_open() && !self.link.borrow().is_leaving(self.exchange)
    }
}

impl ClientWatch {
    /// Whether nobody waits for the response any more. Looks at the link without blocking. `false` once
    /// the response has been ended: what becomes of the client then is not told.
    pub fn has_left(&self) -> bool {
        let mut link = self.link.borrow_mut();
        match link.look(self.exchange) {
            ExchangeStatus::Open(_) => link.is_leaving(self.exchange),
            ExchangeStatus::Gone(_) => true,
            ExchangeStatus::Over => false,
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.abort(Reason::HandlerFailed);
    }
}

fn open(status: ExchangeStatus) -> Result<u32, ReplyError> {
    match status {
        ExchangeStatus::Open(window) => Ok(window),
        ExchangeStatus::Gone(reason) => Err(ReplyError::Gone(reason)),
        ExchangeStatus::Over => Err(ReplyError::Ended),
    }
}

/// The window, once it is not empty.
fn window(link: &mut Link, exchange: ExchangeId) -> Result<u32, ReplyError> {
    match open(link.status(exchange))? {
        0 => open(link.wait_for_window(exchange)),
        window => Ok(window),
    }
}

fn send_frames(
    link: &mut Link,
    exchange: ExchangeId,
    mut content: &[u8],
) -> Result<(), ReplyError> {
    open(link.status(exchange))?;
    while !content.is_empty() {
        let window = window(link, exchange)? as usize;
        let (frame, rest) = content.split_at(content.len().min(window).min(BODY_FRAME_BYTES_MAX));
        content = rest;
        link.consume(exchange, frame.len() as u32);
        if frame.len() >= ARENA_BYTES_MIN && link.put_block(exchange, frame) {
            flush_if_full(link);
        } else if frame.len() <= BODY_COPY_BYTES_MAX {
            link.encoder().body(exchange, frame);
            flush_if_full(link);
        } else {
            let header = Encoder::body_header(exchange, frame.len() as u32);
            link.flush_with([&header, frame]);
        }
    }
    open(link.status(exchange)).map(drop)
}

/// A file on disk costs no memory, however slow the client is: it takes no window.
fn send_file(link: &mut Link, exchange: ExchangeId, slice: FileSlice) -> Result<(), ReplyError> {
    link.encoder().to_reactor(exchange, &Part::File(slice));
    flush_if_full(link);
    open(link.status(exchange)).map(drop)
}

fn flush_if_full(link: &mut Link) {
    let encoder = link.encoder();
    let full = encoder.bytes.len() >= BODY_FRAME_BYTES_MAX
        || encoder.descriptors.len() >= LINK_DESCRIPTORS_MAX;
    if full {
        link.flush();
    }
}
