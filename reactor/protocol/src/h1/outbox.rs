//! What a connection has to say and the socket has not asked for yet.

use std::mem;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use wire::FileSlice;
use wire::limits::{H1_WRITE_BYTES_MAX, SPOOL_BLOCK_BYTES, SPOOL_PIECE_BYTES_MIN};

use crate::ended::Sent;
use crate::{COPY_BYTES_MAX, Chunk, KeepInFile, Output, StreamId};

/// Encoded responses in order. Bounded by the window of the response in work.
#[derive(Debug, Default)]
pub struct Outbox {
    pieces: SmallVec<[QueuedChunk; 1]>,
    /// What was moved out since somebody began to count.
    pub sent: Sent,
}

/// A chunk, and how many bytes of the handler's content are used up when it has gone.
#[derive(Debug)]
struct QueuedChunk {
    chunk: Chunk,
    content: u64,
    /// Bytes of content in the chunk, whosever they are.
    carried: u64,
}

impl Outbox {
    /// Whether everything has been moved out.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// A buffer at the end, with room for `room` bytes.
    pub fn buffer(&mut self, room: usize) -> &mut BytesMut {
        self.buffer_piece(room).0
    }

    /// Appends content; copies it when it is small.
    pub fn content(&mut self, content: Bytes) {
        let len = content.len() as u64;
        if content.len() <= COPY_BYTES_MAX {
            let (buffer, used, carried) = self.buffer_piece(content.len());
            buffer.extend_from_slice(&content);
            *used += len;
            *carried += len;
        } else {
            let chunk = Chunk::Bytes(content);
            self.pieces.push(QueuedChunk { chunk, content: len, carried: len });
        }
    }

    /// Appends content that is not the handler's.
    pub fn own_content(&mut self, content: &[u8]) {
        let (buffer, _, carried) = self.buffer_piece(content.len());
        buffer.extend_from_slice(content);
        *carried += content.len() as u64;
    }

    /// Appends a range of a file.
    pub fn file(&mut self, slice: FileSlice) {
        let carried = slice.len;
        self.pieces.push(QueuedChunk { chunk: Chunk::File(slice), content: 0, carried });
    }

    /// Counts content that was dropped, so that its sender may go on.
    pub fn release(&mut self, content: u64) {
        *self.buffer_piece(0).1 += content;
    }

    /// Moves what fits to `out`.
    pub fn transmit(&mut self, stream: StreamId, out: &mut Output) {
        let (mut moved, mut released) = (0, 0);
        let before = out.len();
        for piece in &mut self.pieces {
            if out.len() >= H1_WRITE_BYTES_MAX as u64 {
                break;
            }
            released += piece.content;
            self.sent.content += piece.carried;
            out.push(mem::replace(&mut piece.chunk, Chunk::Bytes(Bytes::new())));
            moved += 1;
        }
        self.sent.wire += out.len() - before;
        if moved == self.pieces.len() {
            // An idle connection keeps no room for what a large response once needed.
            self.pieces = SmallVec::new();
        } else {
            self.pieces.drain(..moved);
        }
        if released > 0 {
            out.released.push((stream, released));
        }
    }

    /// Content goes to files as far as `keep` takes it, in pieces that are worth it.
    pub fn spool(&mut self, stream: StreamId, keep: &mut KeepInFile<'_>) {
        for piece in &mut self.pieces {
            let bytes: &[u8] = match &piece.chunk {
                Chunk::Buffer(bytes) => bytes,
                Chunk::Bytes(bytes) => bytes,
                Chunk::File(_) => continue,
            };
            if bytes.len() < SPOOL_PIECE_BYTES_MIN || bytes.len() > SPOOL_BLOCK_BYTES {
                continue;
            }
            let Some(slice) = keep(stream, bytes, piece.content) else { return };
            (piece.chunk, piece.content) = (Chunk::File(slice), 0);
        }
    }

    fn buffer_piece(&mut self, room: usize) -> (&mut BytesMut, &mut u64, &mut u64) {
        let fits = |piece: &QueuedChunk| matches!(&piece.chunk, Chunk::Buffer(buffer) if buffer.len() < COPY_BYTES_MAX);
        if !self.pieces.last().is_some_and(fits) {
            let chunk = Chunk::Buffer(BytesMut::with_capacity(room));
            self.pieces.push(QueuedChunk { chunk, content: 0, carried: 0 });
        }
        match self.pieces.last_mut() {
            Some(QueuedChunk { chunk: Chunk::Buffer(buffer), content, carried }) => {
                buffer.reserve(room);
                (buffer, content, carried)
            }
            _ => unreachable!("a buffer was just put there"),
        }
    }
}
