//! [`Assembly`]: from the messages of a link to whole requests.

use bytes::{Bytes, BytesMut};
use wire::head::Origin;
use wire::limits::CONTENT_RESERVE_BYTES_MAX;
use wire::{ExchangeId, Fields, FileSlice, Part, Reason, RequestHead, ToWorker};

use crate::application::{BodyPiece, ConnectionEvent, IncomingRequest, RequestBody};

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
    pub(crate) task: JobKind,
    /// How far the response may be ahead, if that is less than the port's window.
    pub(crate) window: Option<u32>,
    /// The content of the request is still to come.
    pub(crate) streamed: bool,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum JobKind {
    /// Answer this request.
    Request(IncomingRequest),
    /// Hear of this event.
    Event(ConnectionEvent, Origin),
    /// Nothing but to say that it is over: the client left while its request was on its way.
    Abort(Reason),
}

#[derive(Debug)]
struct Partial {
    exchange: ExchangeId,
    mark: u8,
    head: Box<RequestHead>,
    content: BodySource,
    window: Option<u32>,
}

#[derive(Debug)]
enum BodySource {
    Empty,
    /// One piece, not copied.
    Piece(Bytes),
    Pieces(BytesMut),
    File(FileSlice),
    /// Both by turns.
    Mixed(Vec<BodyPiece>),
}

impl BodySource {
    /// As pieces, to which more may be added.
    fn into_pieces(self) -> Vec<BodyPiece> {
        match self {
            Self::Empty => Vec::new(),
            Self::Piece(bytes) => vec![BodyPiece::Memory(bytes)],
            Self::Pieces(bytes) => vec![BodyPiece::Memory(bytes.freeze())],
            Self::File(slice) => vec![BodyPiece::File(slice)],
            Self::Mixed(pieces) => pieces,
        }
    }
}

impl Assembly {
    /// Takes a message; gives a job when it was the last of one.
    pub(crate) fn push(&mut self, exchange: ExchangeId, message: ToWorker) -> Option<Job> {
        let (mark, task) = match message {
            ToWorker::Request { mark, part: Part::Head(head) } => {
                let content = BodySource::Empty;
                self.partial = Some(Partial { exchange, mark, head, content, window: None });
                return None;
            }
            ToWorker::SetWindow(bytes) => {
                self.of(exchange)?.window = Some(bytes);
                return None;
            }
            ToWorker::Streamed => {
                self.of(exchange)?;
                let job = self.partial.take().map(|partial| partial.finish(None));
                return job.map(|job| Job { streamed: true, ..job });
            }
            ToWorker::Request { part, .. } => return self.part(exchange, part),
            ToWorker::Opened { mark, origin } => {
                (mark, JobKind::Event(ConnectionEvent::Opened, origin))
            }
            ToWorker::Closed { mark, origin } => {
                (mark, JobKind::Event(ConnectionEvent::Closed, origin))
            }
            // It came after the end of its exchange.
            ToWorker::Credit(_) => return None,
            // Nobody waits for it.
            ToWorker::Detached(_) | ToWorker::Claimed(_) => return None,
        };
        Some(Job { exchange, mark, task, window: None, streamed: false })
    }

    /// The request in work, when it is this one.
    fn of(&mut self, exchange: ExchangeId) -> Option<&mut Partial> {
        self.partial.as_mut().filter(|partial| partial.exchange == exchange)
    }

    fn part(&mut self, exchange: ExchangeId, part: Part<Box<RequestHead>>) -> Option<Job> {
        let partial = self.of(exchange)?;
        match part {
            Part::Head(_) => None,
            Part::Body(bytes) => {
                partial.append(bytes);
                None
            }
            Part::File(slice) => {
                partial.append_file(slice);
                None
            }
            Part::End(trailers) => self.partial.take().map(|partial| partial.finish(trailers)),
            // Said behind complete requests alone: this one is not.
            Part::Abort(Reason::ClientLeaving) => None,
            Part::Abort(reason) => {
                let mark = partial.mark;
                self.partial = None;
                Some(Job {
                    exchange,
                    mark,
                    task: JobKind::Abort(reason),
                    window: None,
                    streamed: false,
                })
            }
        }
    }
}

impl Partial {
    fn append(&mut self, bytes: Bytes) {
        self.content = match std::mem::replace(&mut self.content, BodySource::Empty) {
            BodySource::Empty => BodySource::Piece(bytes),
            BodySource::Piece(first) => {
                let known = self.content_length().unwrap_or(0).min(CONTENT_RESERVE_BYTES_MAX);
                let mut all = BytesMut::with_capacity(known.max(first.len() + bytes.len()));
                all.extend_from_slice(&first);
                all.extend_from_slice(&bytes);
                BodySource::Pieces(all)
            }
            BodySource::Pieces(mut all) => {
                all.extend_from_slice(&bytes);
                BodySource::Pieces(all)
            }
            with_files @ (BodySource::File(_) | BodySource::Mixed(_)) => {
                let mut pieces = with_files.into_pieces();
                pieces.push(BodyPiece::Memory(bytes));
                BodySource::Mixed(pieces)
            }
        };
    }

    fn append_file(&mut self, slice: FileSlice) {
        self.content = match std::mem::replace(&mut self.content, BodySource::Empty) {
            BodySource::Empty => BodySource::File(slice),
            before => {
                let mut pieces = before.into_pieces();
                pieces.push(BodyPiece::File(slice));
                BodySource::Mixed(pieces)
            }
        };
    }

    fn content_length(&self) -> Option<usize> {
        std::str::from_utf8(self.head.fields.get(b"content-length")?).ok()?.parse().ok()
    }

    fn finish(self, trailers: Option<Fields>) -> Job {
        let body = match self.content {
            BodySource::Empty => RequestBody::Memory(Bytes::new()),
            BodySource::Piece(bytes) => RequestBody::Memory(bytes),
            BodySource::Pieces(bytes) => RequestBody::Memory(bytes.freeze()),
            BodySource::File(slice) => RequestBody::File(slice),
            BodySource::Mixed(pieces) => RequestBody::Pieces(pieces),
        };
        let task = JobKind::Request(IncomingRequest { head: self.head, body, trailers });
        let (exchange, mark, window) = (self.exchange, self.mark, self.window);
        Job { exchange, mark, task, window, streamed: false }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use wire::{RequestIds, Scheme, Version};

    use super::*;

    const ID: fn(u32) -> ExchangeId = |slot| ExchangeId::new(slot, 1);

    fn head(content_length: &[u8]) -> Part<Box<RequestHead>> {
        Part::Head(Box::new(RequestHead {
            method: Method::POST,
            path: Bytes::from_static(b"/"),
            query: None,
            version: Version::Http11,
            scheme: Scheme::Http,
            fields: [(&b"content-length"[..], content_length)].into_iter().collect(),
            origin: Origin::default(),
            tls: None,
            ids: RequestIds::NONE,
            streamed: false,
            upgrade: None,
        }))
    }

    fn push(assembly: &mut Assembly, slot: u32, part: Part<Box<RequestHead>>) -> Option<Job> {
        assembly.push(ID(slot), ToWorker::Request { mark: 3, part })
    }

    #[test]
    fn pieces_in_memory_and_in_files_keep_their_order() {
        let file = |len| {
            let file = std::fs::File::open("/dev/null").unwrap();
            Part::File(FileSlice::new(file.into(), 0, len))
        };
        let memory = |text: &'static str| Part::Body(Bytes::from_static(text.as_bytes()));
        let mut assembly = Assembly::default();
        push(&mut assembly, 1, head(b"6"));
        for part in [memory("a"), memory("b"), file(1), file(2), memory("c"), memory("d"), file(3)]
        {
            assert!(push(&mut assembly, 1, part).is_none());
        }
        let job = push(&mut assembly, 1, Part::End(None)).unwrap();
        let JobKind::Request(IncomingRequest { body: RequestBody::Pieces(pieces), .. }) = job.task
        else {
            panic!("no pieces");
        };
        let told = pieces.iter().map(|piece| match piece {
            BodyPiece::Memory(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            BodyPiece::File(slice) => slice.len.to_string(),
        });
        assert_eq!(told.collect::<Vec<_>>().join(" "), "ab 1 2 c d 3");
    }

    #[test]
    fn content_is_put_together_whatever_comes_between() {
        // What the client says of the length is a hint and no more.
        for content_length in [&b"6"[..], b"0", b"99999999999999999999", b"x"] {
            let mut assembly = Assembly::default();
            assert!(push(&mut assembly, 1, head(content_length)).is_none());
            for piece in [&b"ab"[..], b"cd", b"ef"] {
                let piece = Part::Body(Bytes::copy_from_slice(piece));
                assert!(push(&mut assembly, 1, piece).is_none());
                assert!(push(&mut assembly, 2, Part::Abort(Reason::ClientGone)).is_none());
                assert!(assembly.push(ID(1), ToWorker::Credit(1)).is_none());
            }
            let job = push(&mut assembly, 1, Part::End(None)).unwrap();
            assert_eq!((job.exchange, job.mark), (ID(1), 3));
            let JobKind::Request(IncomingRequest { body: RequestBody::Memory(body), .. }) =
                job.task
            else {
                panic!("{job:?}")
            };
            assert_eq!(body, "abcdef");
        }
    }

    #[test]
    fn a_single_piece_is_not_copied() {
        let mut assembly = Assembly::default();
        push(&mut assembly, 1, head(b"3"));
        let piece = Bytes::from(b"abc".to_vec());
        push(&mut assembly, 1, Part::Body(piece.clone()));
        let job = push(&mut assembly, 1, Part::End(None)).unwrap();
        let JobKind::Request(IncomingRequest { body: RequestBody::Memory(body), .. }) = job.task
        else {
            panic!("{job:?}")
        };
        assert_eq!(body.as_ptr(), piece.as_ptr());
    }

    #[test]
    fn a_window_is_the_requests_own() {
        let mut assembly = Assembly::default();
        push(&mut assembly, 1, head(b"3"));
        assembly.push(ID(1), ToWorker::SetWindow(5));
        assembly.push(ID(2), ToWorker::SetWindow(6));
        assert_eq!(push(&mut assembly, 1, Part::End(None)).unwrap().window, Some(5));
        push(&mut assembly, 2, head(b"3"));
        assert_eq!(push(&mut assembly, 2, Part::End(None)).unwrap().window, None);
    }

    #[test]
    fn content_that_is_streamed_is_not_waited_for() {
        let mut assembly = Assembly::default();
        push(&mut assembly, 1, head(b"3"));
        assert!(assembly.push(ID(2), ToWorker::Streamed).is_none());
        let job = assembly.push(ID(1), ToWorker::Streamed).unwrap();
        assert!(job.streamed && matches!(job.task, JobKind::Request(_)));
        // What comes of it is for the link; here it is over.
        assert!(push(&mut assembly, 1, Part::Body(Bytes::from_static(b"abc"))).is_none());
        assert!(push(&mut assembly, 1, Part::End(None)).is_none());
    }

    #[test]
    fn a_request_that_breaks_off_is_answered_and_forgotten() {
        let mut assembly = Assembly::default();
        push(&mut assembly, 1, head(b"3"));
        let job = push(&mut assembly, 1, Part::Abort(Reason::ClientGone)).unwrap();
        assert!(matches!(job.task, JobKind::Abort(Reason::ClientGone)));
        assert!(push(&mut assembly, 1, Part::End(None)).is_none());
    }

    #[test]
    fn events_need_no_parts() {
        let mut assembly = Assembly::default();
        let opened = ToWorker::Opened { mark: 1, origin: Origin::default() };
        let job = assembly.push(ID(1), opened).unwrap();
        assert!(matches!(job.task, JobKind::Event(ConnectionEvent::Opened, _)));
        let closed = ToWorker::Closed { mark: 1, origin: Origin::default() };
        let job = assembly.push(ID(1), closed).unwrap();
        assert!(matches!(job.task, JobKind::Event(ConnectionEvent::Closed, _)));
    }
}
