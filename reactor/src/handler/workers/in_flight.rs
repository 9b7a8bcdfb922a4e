//! [`InFlight`]: one request and its response, between a stream of a connection and a worker.

use bytes::Bytes;
use wire::control::LostRequest;
use wire::head::Origin;
use wire::{Encoder, ExchangeId, Fields, Part, RequestHead, RequestIds, ToWorker};

use crate::handler::workers::body::{Content, ContentPiece, Spool};
use crate::handler::workers::form;
use crate::handler::workers::pool::Detached;
use crate::handler::workers::scheduler::WorkerSlot;
use crate::handler::workers::upload::Upload;
use crate::protocol::StreamId;
use crate::slots::Key;
use wire::limits::BODY_FRAME_BYTES_MAX;

/// Where an exchange stands. Only [`crate::handler::workers`] assigns it.
///
/// ```text
///  collecting ──complete──▶ queued ──▶ given ──end──▶ (removed)
///                             ▲        │ │ └─client gone─▶ orphaned ──end──▶ (removed)
///                             └────────┘ └─handler leaves it─▶ detached ──claimed──▶ given, anew
///             worker lost before it started                       └─deadline, client gone─▶ (removed)
/// ```
#[derive(Debug)]
pub enum Stage {
    /// The request is still arriving.
    Collecting(Spool),
    /// It waits for a worker.
    Queued,
    /// A worker has it, perhaps behind another one.
    Given(Place),
    /// The client is gone, but a worker is at work on it: what it sends is dropped.
    Orphaned(Place),
    /// No worker has it: its handler has left it to whoever claims it.
    Detached(Detached),
}

/// Which worker has it, and where.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The worker's place.
    pub worker: WorkerSlot,
    /// The started mark on the link, or [`NO_MARK`].
    pub mark: u8,
}

/// In the place of a mark: the worker has claimed the exchange, so there is nothing to start.
pub const NO_MARK: u8 = u8::MAX;

/// What a worker is to do.
#[derive(Debug)]
pub enum Task {
    /// Answer a request. Kept until the response begins, in case the worker dies before it starts.
    Request {
        /// Control data and fields.
        head: Box<RequestHead>,
        /// The content: once it is complete, or how it comes.
        content: Content,
        /// Trailer fields.
        trailers: Option<Fields>,
    },
    /// Be told of an opened connection.
    Opened(Origin),
    /// Be told of a closed connection.
    Closed(Origin),
}

impl Task {
    /// Appends the messages that hand the task to a worker. `window` is the response's window when it
    /// is less than the port's.
    pub fn hand_over(&self, id: ExchangeId, mark: u8, window: Option<u32>, to: &mut Encoder) {
        let (head, content, trailers) = match self {
            Self::Request { head, content, trailers } => (head, content, trailers),
            Self::Opened(origin) => {
                return to.to_worker(id, &ToWorker::Opened { mark, origin: *origin });
            }
            Self::Closed(origin) => {
                return to.to_worker(id, &ToWorker::Closed { mark, origin: *origin });
            }
        };
        to.request_head(id, mark, head);
        if let Some(window) = window {
            to.to_worker(id, &ToWorker::SetWindow(window));
        }
        match content {
            Content::Empty => {}
            Content::Streamed => return to.to_worker(id, &ToWorker::Streamed),
            Content::File(slice) => {
                let part = Part::File(slice.clone());
                to.to_worker(id, &ToWorker::Request { mark, part });
            }
            Content::Memory(bytes) => hand_over_memory(id, mark, bytes, to),
            Content::Pieces(pieces) => {
                for piece in pieces.iter() {
                    match piece {
                        ContentPiece::Memory(bytes) => hand_over_memory(id, mark, bytes, to),
                        ContentPiece::File(slice) => {
                            let part = Part::File(slice.clone());
                            to.to_worker(id, &ToWorker::Request { mark, part });
                        }
                    }
                }
            }
        }
        to.to_worker(id, &ToWorker::Request { mark, part: Part::End(trailers.clone()) });
    }

    /// The boundary of its content, if that is a form as it was sent.
    pub fn boundary(&self) -> Option<Box<[u8]>> {
        let Self::Request { head, .. } = self else { return None };
        if head.fields.get(b"content-encoding").is_some() {
            return None;
        }
        form::boundary(head.fields.get(b"content-type")?).map(Box::from)
    }

    /// The ids of the request.
    pub fn ids(&self) -> &RequestIds {
        match self {
            Self::Request { head, .. } => &head.ids,
            Self::Opened(_) | Self::Closed(_) => &RequestIds::NONE,
        }
    }

    /// What the supervisor is told of the task when its worker has ended.
    pub fn lost(&self) -> LostRequest {
        let id = self.ids().request.as_ref().map(|id| id.as_str().to_owned());
        LostRequest { summary: self.summary(), id }
    }

    /// The task as text for the log, bounded: `METHOD path`.
    pub fn summary(&self) -> String {
        const PATH_BYTES_MAX: usize = 180;
        match self {
            Self::Request { head, .. } => {
                let path = &head.path[..head.path.len().min(PATH_BYTES_MAX)];
                format!("{} {}", head.method, path.escape_ascii())
            }
            Self::Opened(_) => "Connect event".into(),
            Self::Closed(_) => "Close event".into(),
        }
    }
}

fn hand_over_memory(id: ExchangeId, mark: u8, bytes: &Bytes, to: &mut Encoder) {
    for at in (0..bytes.len()).step_by(BODY_FRAME_BYTES_MAX) {
        let end = bytes.len().min(at + BODY_FRAME_BYTES_MAX);
        let part = Part::Body(bytes.slice(at..end));
        to.to_worker(id, &ToWorker::Request { mark, part });
    }
}

/// One request and its response.
#[derive(Debug)]
pub struct InFlight {
    /// The connection; it may be gone.
    pub conn: Key,
    /// The stream of the connection.
    pub stream: StreamId,
    /// What is known of it is noted there.
    pub record: Option<Key>,
    /// Index of the port's configuration.
    pub port: usize,
    /// What the worker is to do.
    pub task: Task,
    /// Where it stands.
    pub stage: Stage,
    /// Content that its worker reads while it arrives.
    pub upload: Option<Box<Upload>>,
    /// Whether a part of the response has come.
    pub answered: bool,
    /// Whether the client has most likely left.
    pub leaving: bool,
    /// How often a worker died before starting it.
    pub redispatched: u8,
    /// Content bytes that were taken over and the worker has not been told of.
    pub credit: u32,
    /// Content bytes that the worker may be ahead of what was taken over.
    pub window: u32,
    /// Content bytes that the worker has been allowed and has not sent. It knows of no others, so one
    /// that sends more is broken.
    pub allowed: u64,
}

/// The id of an exchange's place in the table.
pub fn id_of(key: Key) -> ExchangeId {
    ExchangeId::new(key.slot, key.generation)
}

/// The inverse of [`id_of`].
pub fn key_of(id: ExchangeId) -> Key {
    Key { slot: id.slot() as u32, generation: id.generation() }
}
