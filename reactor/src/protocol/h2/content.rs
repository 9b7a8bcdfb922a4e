//! The content of a response on its way to `h2`.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::HeaderMap;
use wire::FileSlice;
use wire::limits::{H2_FILE_READ_BYTES_MAX, H2_SEND_BYTES_MAX};

use super::core::Outlet;
use crate::protocol::Now;
use crate::protocol::error::Fault;
use crate::protocol::message::Content;

/// Content that the client's window (RFC 9113, 5.2) has not let through yet, bounded by what a
/// worker may send ahead.
#[derive(Debug)]
pub struct Outgoing {
    content: Content,
    queue: VecDeque<Piece>,
    end: Option<End>,
    stalled: Option<Instant>,
}

#[derive(Debug)]
enum Piece {
    /// The handler's: it gets credit for each byte that leaves.
    Credited(Bytes),
    /// Of an answer in place of the handler's.
    Own(Bytes),
    File(FileSlice),
}

#[derive(Debug)]
enum End {
    /// All content was taken.
    Complete(Option<HeaderMap>),
    /// The response breaks off behind what is in the queue.
    Broken,
    /// As `Broken`, and what is before it has been offered to the client.
    Reset,
}

/// What became of a response when it was moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It waits for the worker or for the client.
    Waits,
    /// It is to be moved once more when `h2` has written what it has.
    Again,
    /// `h2` has all of it.
    All,
    /// The stream is no more.
    Gone,
}

impl Outgoing {
    /// Nothing yet, of content like this.
    pub fn new(content: Content) -> Self {
        Self { content, queue: VecDeque::new(), end: None, stalled: None }
    }

    /// Takes content of the handler's, or drops it where there must be none.
    pub fn push(&mut self, bytes: Bytes, outlet: &mut Outlet) -> Result<(), Fault> {
        if self.takes(bytes.len() as u64)? {
            self.queue.push_back(Piece::Credited(bytes));
        } else {
            outlet.release(bytes.len() as u64);
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
        if matches!(self.content, Content::Exactly(_)) {
            self.content = Content::Exactly(0);
            self.queue.push_back(Piece::Own(bytes));
        }
    }

    /// Whether content of this length goes to the client.
    fn takes(&mut self, len: u64) -> Result<bool, Fault> {
        match &mut self.content {
            Content::Nothing => return Ok(false),
            Content::Exactly(left) => *left = left.checked_sub(len).ok_or(Fault::ResponseLength)?,
            Content::Streamed => {}
        }
        Ok(len > 0)
    }

    /// The handler has said all.
    pub fn end(&mut self, trailers: Option<HeaderMap>) -> Result<(), Fault> {
        if let Content::Exactly(1..) = self.content {
            return Err(Fault::ResponseLength);
        }
        self.end = Some(End::Complete(trailers));
        Ok(())
    }

    /// The response breaks off.
    pub fn break_off(&mut self) {
        self.end = Some(End::Broken);
    }

    /// Nothing more of it goes to the client.
    pub fn discard(&mut self, outlet: &mut Outlet) {
        let credited = self.queue.drain(..).map(|piece| match piece {
            Piece::Credited(bytes) => bytes.len() as u64,
            Piece::Own(_) | Piece::File(_) => 0,
        });
        let bytes = credited.sum();
        if bytes > 0 {
            outlet.release(bytes);
        }
    }

    /// Whether the handler has said all, or what it said broke off.
    pub fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether nothing follows the head.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && matches!(self.end, Some(End::Complete(None)))
    }

    /// When the client has kept its window shut for too long.
    pub fn deadline(&self) -> Option<Instant> {
        self.stalled
    }

    /// Gives `h2` what the client's window lets through.
    pub fn flush(
        &mut self,
        stream: &mut SendStream<Bytes>,
        cx: &mut Context<'_>,
        outlet: &mut Outlet,
        now: &Now,
    ) -> Moved {
        while let Some(front) = self.queue.front() {
            stream.reserve_capacity(front.len().min(H2_SEND_BYTES_MAX as u64) as usize);
            let room = stream.capacity();
            if room == 0 {
                match stream.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(_))) => continue,
                    Poll::Ready(_) => return Moved::Gone,
                    Poll::Pending => {
                        let limit = now.instant + outlet.settings.http2.stall_timeout;
                        self.stalled.get_or_insert(limit);
                        return Moved::Waits;
                    }
                }
            }
            self.stalled = None;
            let Some(data) = self.take(room, outlet) else {
                stream.send_reset(Reason::INTERNAL_ERROR);
                return Moved::Gone;
            };
            let last = self.is_empty();
            if stream.send_data(data, last).is_err() {
                return Moved::Gone;
            }
            if last {
                return Moved::All;
            }
        }
        self.finish(stream)
    }

    fn finish(&mut self, stream: &mut SendStream<Bytes>) -> Moved {
        let said = match self.end.take() {
            None => return Moved::Waits,
            Some(End::Complete(None)) => stream.send_data(Bytes::new(), true),
            Some(End::Complete(Some(trailers))) => stream.send_trailers(trailers),
            // A reset takes back what has not been written.
            Some(End::Broken) => {
                self.end = Some(End::Reset);
                return Moved::Again;
            }
            Some(End::Reset) => {
                stream.send_reset(Reason::INTERNAL_ERROR);
                return Moved::All;
            }
        };
        if said.is_ok() { Moved::All } else { Moved::Gone }
    }

    /// Up to `room` bytes off the front; `None` when a file is not what it was.
    fn take(&mut self, room: usize, outlet: &mut Outlet) -> Option<Bytes> {
        let (data, rest) = match self.queue.pop_front()? {
            Piece::Credited(mut bytes) => {
                let data = bytes.split_to(bytes.len().min(room));
                outlet.release(data.len() as u64);
                (data, Piece::Credited(bytes))
            }
            Piece::Own(mut bytes) => (bytes.split_to(bytes.len().min(room)), Piece::Own(bytes)),
            Piece::File(mut slice) => {
                let len = room.min(H2_FILE_READ_BYTES_MAX);
                let data = (outlet.read)(&slice, len).filter(|data| !data.is_empty())?;
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
