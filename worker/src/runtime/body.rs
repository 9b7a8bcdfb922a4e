//! [`IncomingContent`]: the content of a request that is still arriving, and [`BodyStream`], which reads it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use bytes::Bytes;
use wire::limits::REQUEST_WINDOW_BYTES;
use wire::{ExchangeId, Fields, Reason};

use crate::runtime::link::{ExchangeStatus, Link};

/// What has come of the content of the request in work and has not been read.
#[derive(Debug, Default)]
pub(crate) struct IncomingContent {
    pieces: VecDeque<Bytes>,
    end: Option<Option<Fields>>,
    /// Content bytes that were read and that the reactor has no credit for; `None` until the first
    /// read, which gives it the whole window.
    unsaid: Option<u32>,
}

impl IncomingContent {
    /// A piece has come.
    pub(crate) fn push(&mut self, piece: Bytes) {
        self.pieces.push_back(piece);
    }

    /// The end has come.
    pub(crate) fn finish(&mut self, trailers: Option<Fields>) {
        self.end = Some(trailers);
    }

    /// The next piece; `None` at the end. An error says that neither has come.
    fn next(&mut self) -> Result<Option<Bytes>, ()> {
        match self.pieces.pop_front() {
            Some(piece) => Ok(Some(piece)),
            None if self.end.is_some() => Ok(None),
            None => Err(()),
        }
    }

    /// So much may be said to the reactor to send: at first the window, then what was read, half a
    /// window at a time.
    fn credit(&mut self, read: usize) -> Option<u32> {
        if self.end.is_some() {
            return None;
        }
        let Some(unsaid) = &mut self.unsaid else {
            self.unsaid = Some(0);
            return Some(REQUEST_WINDOW_BYTES);
        };
        *unsaid += read as u32;
        if *unsaid < REQUEST_WINDOW_BYTES / 2 { None } else { Some(std::mem::take(unsaid)) }
    }
}

/// The content of a request whose handler works while it arrives. The client is asked for it by the
/// first read only, and may send as much ahead as [`REQUEST_WINDOW_BYTES`] and its connection take.
#[derive(Debug, Clone)]
pub struct BodyStream {
    link: Rc<RefCell<Link>>,
    exchange: ExchangeId,
}

/// Why the rest of the content cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It breaks off, for this reason.
    Gone(Reason),
    /// The response has been ended, and with it the exchange.
    Over,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(reason) => reason.fmt(f),
            Self::Over => f.write_str("the response has been ended before"),
        }
    }
}

impl std::error::Error for BodyError {}

impl BodyStream {
    /// The content of the exchange that `link` is about to begin.
    pub(crate) fn new(link: Rc<RefCell<Link>>, exchange: ExchangeId) -> Self {
        Self { link, exchange }
    }

    /// The next content, never empty; `None` at its end. Waits until there is some, or the client is
    /// gone or given up.
    pub fn read(&mut self) -> Result<Option<Bytes>, BodyError> {
        let mut link = self.link.borrow_mut();
        loop {
            let status = link.demultiplex_for(self.exchange);
            let Some(incoming) = link.incoming(self.exchange) else { return Err(BodyError::Over) };
            match (incoming.next(), status) {
                (Ok(piece), _) => {
                    let read = piece.as_ref().map_or(0, Bytes::len);
                    if let Some(credit) = incoming.credit(read) {
                        link.grant(self.exchange, credit);
                    }
                    return Ok(piece);
                }
                (Err(()), ExchangeStatus::Open(_)) => {
                    if let Some(credit) = incoming.credit(0) {
                        link.grant(self.exchange, credit);
                    }
                    link.wait();
                }
                (Err(()), ExchangeStatus::Gone(reason)) => return Err(BodyError::Gone(reason)),
                (Err(()), ExchangeStatus::Over) => return Err(BodyError::Over),
            }
        }
    }

    /// Whether all of it has come to this process, or nothing more will.
    pub fn is_complete(&self) -> bool {
        let mut link = self.link.borrow_mut();
        let status = link.demultiplex_for(self.exchange);
        let ended = link.incoming(self.exchange).is_none_or(|incoming| incoming.end.is_some());
        ended || !matches!(status, ExchangeStatus::Open(_))
    }

    /// Trailer fields, once [`read`](Self::read) has come to the end.
    pub fn trailers(&self) -> Option<Fields> {
        let mut link = self.link.borrow_mut();
        link.incoming(self.exchange).and_then(|incoming| incoming.end.clone().flatten())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use wire::codec::HEADER_BYTES;
    use wire::{Decoder, Encoder, Part, RequestHead, ToReactor, ToWorker};

    use super::*;
    use crate::shared_memory::SharedMemory;

    #[test]
    fn credit_is_the_window_at_first_and_then_what_was_read() {
        let mut incoming = IncomingContent::default();
        assert_eq!(incoming.credit(0), Some(REQUEST_WINDOW_BYTES));
        let half = REQUEST_WINDOW_BYTES as usize / 2;
        assert_eq!(incoming.credit(half - 1), None);
        assert_eq!(incoming.credit(1), Some(half as u32));
        assert_eq!(incoming.credit(half + 5), Some(half as u32 + 5));
        incoming.finish(None);
        assert_eq!(incoming.credit(half), None, "nothing more will come");
    }

    /// A link on which a request is in work whose content is still to come, and its other end.
    fn linked() -> (BodyStream, UnixStream) {
        let shared = SharedMemory::map(1, 1).unwrap().shared;
        let (ours, theirs) = UnixStream::pair().unwrap();
        let link = Link::new(ours.into(), shared.batch(0, 0, 0), shared.arena(0, 0));
        let link = Rc::new(RefCell::new(link));
        let exchange = ExchangeId::new(1, 1);
        link.borrow_mut().begin(exchange, 1 << 20, true);
        (BodyStream::new(link, exchange), theirs)
    }

    fn say(to: &mut UnixStream, part: Part<Box<RequestHead>>) {
        let mut encoder = Encoder::default();
        let message = ToWorker::Request { mark: 0, part };
        encoder.to_worker(ExchangeId::new(1, 1), &message);
        to.write_all(&encoder.bytes).unwrap();
    }

    fn credit(from: &mut UnixStream) -> u32 {
        let mut frame = [0; HEADER_BYTES + 4];
        from.read_exact(&mut frame).unwrap();
        let mut decoder = Decoder { bytes: frame[..].into(), ..Decoder::default() };
        match decoder.next_to_reactor().unwrap() {
            Some((_, ToReactor::RequestCredit(bytes))) => bytes,
            message => panic!("{message:?}"),
        }
    }

    #[test]
    fn the_first_read_asks_for_content_and_waits_for_it() {
        let (mut stream, mut reactor) = linked();
        let reader = std::thread::spawn(move || {
            assert_eq!(credit(&mut reactor), REQUEST_WINDOW_BYTES);
            say(&mut reactor, Part::Body(Bytes::from_static(b"hello ")));
            say(&mut reactor, Part::Body(Bytes::from_static(b"world")));
            let trailers = [(&b"a"[..], &b"b"[..])].into_iter().collect();
            say(&mut reactor, Part::End(Some(trailers)));
        });
        let mut all = Vec::new();
        while let Some(piece) = stream.read().unwrap() {
            all.extend_from_slice(&piece);
        }
        assert_eq!(all, b"hello world");
        assert_eq!(stream.read(), Ok(None));
        assert_eq!(stream.trailers().unwrap().get(b"a"), Some(&b"b"[..]));
        reader.join().unwrap();
    }

    #[test]
    fn content_that_breaks_off_is_an_error_behind_what_there_was() {
        let (mut stream, mut reactor) = linked();
        say(&mut reactor, Part::Body(Bytes::from_static(b"some")));
        say(&mut reactor, Part::Abort(Reason::ClientGone));
        assert_eq!(stream.read(), Ok(Some(Bytes::from_static(b"some"))));
        assert_eq!(stream.read(), Err(BodyError::Gone(Reason::ClientGone)));
    }

    #[test]
    fn behind_the_end_of_the_response_there_is_nothing_to_read() {
        let (mut stream, _reactor) = linked();
        let exchange = stream.exchange;
        stream.link.borrow_mut().finish(exchange);
        assert_eq!(stream.read(), Err(BodyError::Over));
        assert_eq!(stream.trailers(), None);
    }

    #[test]
    fn pieces_come_in_order_and_then_the_end() {
        let mut incoming = IncomingContent::default();
        assert_eq!(incoming.next(), Err(()));
        incoming.push(Bytes::from_static(b"a"));
        incoming.push(Bytes::from_static(b"b"));
        incoming.finish(None);
        assert_eq!(incoming.next(), Ok(Some(Bytes::from_static(b"a"))));
        assert_eq!(incoming.next(), Ok(Some(Bytes::from_static(b"b"))));
        assert_eq!(incoming.next(), Ok(None));
        assert_eq!(incoming.next(), Ok(None));
    }
}
