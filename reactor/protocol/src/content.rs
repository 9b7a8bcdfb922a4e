//! The content of a response on its way to a version that has streams.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;
use wire::FileSlice;
use wire::limits::{FILE_READ_BYTES_MAX, SPOOL_BLOCK_BYTES, SPOOL_PIECE_BYTES_MIN};

use super::error::Fault;
use super::message::ContentFraming;
use super::stream_context::StreamContext;
use super::{KeepInFile, StreamId};

/// Content that the client's window has not let through yet, bounded by what a worker may send
/// ahead.
#[derive(Debug)]
pub struct ResponseContent {
    content: ContentFraming,
    queue: VecDeque<Piece>,
    /// What follows the queue.
    pub end: Option<ResponseEnd>,
}

#[derive(Debug)]
enum Piece {
    /// The handler's: it gets credit for each byte that leaves.
    Credited(Bytes),
    /// Of an answer in place of the handler's.
    Own(Bytes),
    File(FileSlice),
}

/// How a response ends.
#[derive(Debug)]
pub enum ResponseEnd {
    /// All content was taken; with trailers, if there are any.
    Complete(Option<HeaderMap>),
    /// The response breaks off behind what is in the queue.
    Broken,
    /// As `Broken`, and what is before it has been offered to the client.
    Reset,
}

impl ResponseContent {
    /// Nothing yet, of content like this.
    pub fn new(content: ContentFraming) -> Self {
        Self { content, queue: VecDeque::new(), end: None }
    }

    /// Takes content of the handler's, or drops it where there must be none.
    pub fn push(&mut self, bytes: Bytes, context: &mut StreamContext) -> Result<(), Fault> {
        if self.takes(bytes.len() as u64)? {
            self.queue.push_back(Piece::Credited(bytes));
        } else {
            context.release(bytes.len() as u64);
        }
        Ok(())
    }

    /// Takes a range of a file.
    pub fn push_file(&mut self, slice: FileSlice) -> Result<(), Fault> {
        if self.takes(slice.len)? {
            self.queue.push_back(Piece::File(slice));
        }
        Ok(())
    }

    /// Takes content that is not the handler's.
    pub fn push_own(&mut self, bytes: Bytes) {
        if matches!(self.content, ContentFraming::Exactly(_)) {
            self.content = ContentFraming::Exactly(0);
            self.queue.push_back(Piece::Own(bytes));
        }
    }

    /// Whether content of this length goes to the client.
    fn takes(&mut self, len: u64) -> Result<bool, Fault> {
        match &mut self.content {
            ContentFraming::Nothing => return Ok(false),
            ContentFraming::Exactly(left) => {
                *left = left.checked_sub(len).ok_or(Fault::ResponseLength)?
            }
            ContentFraming::Streamed => {}
        }
        Ok(len > 0)
    }

    /// The handler has said all.
    pub fn end(&mut self, trailers: Option<HeaderMap>) -> Result<(), Fault> {
        if let ContentFraming::Exactly(1..) = self.content {
            return Err(Fault::ResponseLength);
        }
        self.end = Some(ResponseEnd::Complete(trailers));
        Ok(())
    }

    /// Nothing more of it goes to the client.
    pub fn discard(&mut self, context: &mut StreamContext) {
        let credited = self.queue.drain(..).map(|piece| match piece {
            Piece::Credited(bytes) => bytes.len() as u64,
            Piece::Own(_) | Piece::File(_) => 0,
        });
        let bytes = credited.sum();
        if bytes > 0 {
            context.release(bytes);
        }
    }

    /// Goes to files as far as `keep` takes it, in pieces that are worth it.
    pub fn spool(&mut self, stream: StreamId, keep: &mut KeepInFile<'_>) {
        for piece in &mut self.queue {
            let (bytes, credited) = match piece {
                Piece::Credited(bytes) => (&*bytes, bytes.len() as u64),
                Piece::Own(bytes) => (&*bytes, 0),
                Piece::File(_) => continue,
            };
            if bytes.len() < SPOOL_PIECE_BYTES_MIN || bytes.len() > SPOOL_BLOCK_BYTES {
                continue;
            }
            let Some(slice) = keep(stream, bytes, credited) else { return };
            *piece = Piece::File(slice);
        }
    }

    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && matches!(self.end, Some(ResponseEnd::Complete(None)))
    }

    /// Bytes of the piece at the front.
    pub fn front_len(&self) -> Option<u64> {
        self.queue.front().map(Piece::len)
    }

    /// Up to `room` bytes off the front; `None` when a file is not what it was.
    pub fn take(&mut self, room: usize, context: &mut StreamContext) -> Option<Bytes> {
        let (data, rest) = match self.queue.pop_front()? {
            Piece::Credited(mut bytes) => {
                let data = bytes.split_to(bytes.len().min(room));
                context.release(data.len() as u64);
                (data, Piece::Credited(bytes))
            }
            Piece::Own(mut bytes) => (bytes.split_to(bytes.len().min(room)), Piece::Own(bytes)),
            Piece::File(mut slice) => {
                let len = room.min(FILE_READ_BYTES_MAX);
                let data = (context.read)(&slice, len).filter(|data| !data.is_empty())?;
                slice.offset += data.len() as u64;
                slice.len -= data.len() as u64;
                (data, Piece::File(slice))
            }
        };
        if rest.len() > 0 {
            self.queue.push_front(rest);
        }
        Some(data)
    }
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Credited(bytes) | Self::Own(bytes) => bytes.len() as u64,
            Self::File(slice) => slice.len,
        }
    }
}
