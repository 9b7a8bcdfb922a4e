//! [`Assembly`]: from the messages of a link to whole requests.

use bytes::{Bytes, BytesMut};
use wire::head::Origin;
use wire::limits::CONTENT_RESERVE_BYTES_MAX;
use wire::{ExchangeId, Fields, FileSlice, Part, Reason, RequestHead, ToWorker};

use crate::application::{ConnectionEvent, Request, RequestBody};

/// Puts requests together. The parts of a request follow one another; messages about other
/// exchanges may come between them.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    partial: Option<Partial>,
}

/// Something for the worker to do, once it has set the mark.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) exchange: ExchangeId,
    pub(crate) mark: u8,
    pub(crate) task: Task,
}

/// What to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are requests, and none is kept")]
pub(crate) enum Task {
    /// Answer this request.
    Request(Request),
    /// Hear of this event.
    Event(ConnectionEvent, Origin),
    /// Nothing but to say that it is over: the client left while its request was on its way.
    Abort(Reason),
}

#[derive(Debug)]
struct Partial {
    exchange: ExchangeId,
    mark: u8,
    head: RequestHead,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Empty,
    /// One piece, not copied.
    Piece(Bytes),
    Pieces(BytesMut),
    File(FileSlice),
}

impl Assembly {
    /// Takes a message; gives a job when it was the last of one.
    pub(crate) fn push(&mut self, exchange: ExchangeId, message: ToWorker) -> Option<Job> {
        let (mark, task) = match message {
            ToWorker::Request { mark, part: Part::Head(head) } => {
                self.partial = Some(Partial { exchange, mark, head, content: Content::Empty });
                return None;
            }
            ToWorker::Request { part, .. } => return self.part(exchange, part),
            ToWorker::Opened { mark, origin } => {
                (mark, Task::Event(ConnectionEvent::Opened, origin))
            }
            ToWorker::Closed { mark, origin } => {
                (mark, Task::Event(ConnectionEvent::Closed, origin))
            }
            // It came after the end of its exchange.
            ToWorker::Credit(_) => return None,
        };
        Some(Job { exchange, mark, task })
    }

    fn part(&mut self, exchange: ExchangeId, part: Part<RequestHead>) -> Option<Job> {
        let partial = self.partial.as_mut().filter(|partial| partial.exchange == exchange)?;
        match part {
            Part::Head(_) => None,
            Part::Body(bytes) => {
                partial.append(bytes);
                None
            }
            Part::File(slice) => {
                partial.content = Content::File(slice);
                None
            }
            Part::End(trailers) => self.partial.take().map(|partial| partial.finish(trailers)),
            Part::Abort(reason) => {
                let mark = partial.mark;
                self.partial = None;
                Some(Job { exchange, mark, task: Task::Abort(reason) })
            }
        }
    }
}

impl Partial {
    fn append(&mut self, bytes: Bytes) {
        self.content = match std::mem::replace(&mut self.content, Content::Empty) {
            Content::Empty => Content::Piece(bytes),
            Content::Piece(first) => {
                let known = self.content_length().unwrap_or(0).min(CONTENT_RESERVE_BYTES_MAX);
                let mut all = BytesMut::with_capacity(known.max(first.len() + bytes.len()));
                all.extend_from_slice(&first);
                all.extend_from_slice(&bytes);
                Content::Pieces(all)
            }
            Content::Pieces(mut all) => {
                all.extend_from_slice(&bytes);
                Content::Pieces(all)
            }
            // A spooled request is one file and nothing else.
            file @ Content::File(_) => file,
        };
    }

    fn content_length(&self) -> Option<usize> {
        std::str::from_utf8(self.head.fields.get(b"content-length")?).ok()?.parse().ok()
    }

    fn finish(self, trailers: Option<Fields>) -> Job {
        let body = match self.content {
            Content::Empty => RequestBody::Memory(Bytes::new()),
            Content::Piece(bytes) => RequestBody::Memory(bytes),
            Content::Pieces(bytes) => RequestBody::Memory(bytes.freeze()),
            Content::File(slice) => RequestBody::File(slice),
        };
        let task = Task::Request(Request { head: self.head, body, trailers });
        Job { exchange: self.exchange, mark: self.mark, task }
    }
}
