//! [`Output`]: what a protocol gives out to be written to a stream of bytes; [`Outgoing`]: that, or
//! datagrams.

use std::collections::VecDeque;
use std::mem;

use bytes::{Bytes, BytesMut};
use wire::FileSlice;
use wire::limits::{SPOOL_BLOCK_BYTES, SPOOL_PIECE_BYTES_MIN, WRITE_BUFFER_BYTES_MAX};

use super::StreamId;
use super::datagrams::Datagrams;
use super::ended::Ended;

/// Where a protocol writes to: what carries the connection decides which.
#[derive(Debug)]
pub enum Outgoing<'a> {
    /// A stream of bytes, for HTTP/1 and HTTP/2.
    Bytes(&'a mut Output),
    /// Packets, for HTTP/3.
    Datagrams(&'a mut Datagrams),
}

impl Outgoing<'_> {
    /// Whether there is room for more.
    pub fn is_full(&mut self) -> bool {
        match self {
            Self::Bytes(out) => out.len() >= WRITE_BUFFER_BYTES_MAX as u64,
            Self::Datagrams(out) => out.room().is_none(),
        }
    }

    /// How many content bytes of which stream have been moved here, or dropped, since the last look.
    pub fn released(&mut self) -> &mut Vec<(StreamId, u64)> {
        match self {
            Self::Bytes(out) => &mut out.released,
            Self::Datagrams(out) => &mut out.released,
        }
    }

    /// Requests whose response was moved here to its end, or never will be, since the last look.
    pub fn ended(&mut self) -> &mut Vec<Ended> {
        match self {
            Self::Bytes(out) => &mut out.ended,
            Self::Datagrams(out) => &mut out.ended,
        }
    }

    /// Bytes that are here and not with the client yet; none of datagrams, which are sent at once.
    pub fn unwritten(&self) -> u64 {
        match self {
            Self::Bytes(out) => out.len(),
            Self::Datagrams(_) => 0,
        }
    }
}

/// What waits to be written to one connection.
#[derive(Debug, Default)]
pub struct Output {
    chunks: VecDeque<Chunk>,
    len: u64,
    /// How many content bytes of which stream have been moved here, or dropped, since the last
    /// look: the worker may send as many more. Files on disk do not count: they take no memory.
    pub released: Vec<(StreamId, u64)>,
    /// Requests whose response was moved here to its end, or never will be, since the last look.
    pub ended: Vec<Ended>,
}

/// A piece of output.
#[derive(Debug)]
pub enum Chunk {
    /// Bytes still being collected: heads and small bodies.
    Buffer(BytesMut),
    /// Bytes of a body, not copied.
    Bytes(Bytes),
    /// A range of a file.
    File(FileSlice),
}

impl Chunk {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Buffer(buffer) => buffer.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(slice) => slice.len,
        }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Bodies up to this size are copied behind the bytes before them: a copy is cheaper than one more
/// element of a vectored write.
pub(crate) const COPY_BYTES_MAX: usize = 16 << 10;

impl Output {
    /// Bytes that wait.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a chunk as it is, without a copy unless it is small.
    pub fn push(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Buffer(buffer) if buffer.is_empty() => {}
            Chunk::Buffer(buffer) if buffer.len() <= COPY_BYTES_MAX && self.ends_in_buffer() => {
                self.with_buffer(|back| back.extend_from_slice(&buffer));
            }
            Chunk::Buffer(buffer) => {
                self.len += buffer.len() as u64;
                self.chunks.push_back(Chunk::Buffer(buffer));
            }
            Chunk::Bytes(bytes) => self.push_bytes(bytes),
            Chunk::File(slice) => self.push_file(slice),
        }
    }

    /// A buffer at the end of the output. [`Output::len`] counts what `write` appends to it.
    pub fn with_buffer<R>(&mut self, write: impl FnOnce(&mut BytesMut) -> R) -> R {
        if !self.ends_in_buffer() {
            self.chunks.push_back(Chunk::Buffer(BytesMut::new()));
        }
        let Some(Chunk::Buffer(buffer)) = self.chunks.back_mut() else {
            unreachable!("a buffer was just put there")
        };
        let before = buffer.len();
        let result = write(buffer);
        self.len += (buffer.len() - before) as u64;
        result
    }

    /// Appends a body; copies it when it is small.
    pub fn push_bytes(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if bytes.len() <= COPY_BYTES_MAX {
            return self.with_buffer(|buffer| buffer.extend_from_slice(&bytes));
        }
        self.len += bytes.len() as u64;
        self.chunks.push_back(Chunk::Bytes(bytes));
    }

    /// Appends a range of a file.
    pub fn push_file(&mut self, slice: FileSlice) {
        if slice.len > 0 {
            self.len += slice.len;
            self.chunks.push_back(Chunk::File(slice));
        }
    }

    /// Bytes that are in memory.
    pub fn memory_bytes(&self) -> u64 {
        let in_memory = self.chunks.iter().filter(|chunk| !matches!(chunk, Chunk::File(_)));
        in_memory.map(Chunk::len).sum()
    }

    /// What is in memory goes to files as far as `keep` takes it, in pieces that are worth it.
    pub fn spool(&mut self, keep: &mut dyn FnMut(&[u8]) -> Option<FileSlice>) {
        let mut piece = BytesMut::new();
        for chunk in mem::take(&mut self.chunks) {
            let mut bytes: Bytes = match chunk {
                Chunk::Buffer(bytes) => bytes.freeze(),
                Chunk::Bytes(bytes) => bytes,
                Chunk::File(slice) => {
                    self.push_piece(&mut piece, keep);
                    self.chunks.push_back(Chunk::File(slice));
                    continue;
                }
            };
            while !bytes.is_empty() {
                let room = SPOOL_BLOCK_BYTES - piece.len();
                piece.extend_from_slice(&bytes.split_to(bytes.len().min(room)));
                if piece.len() == SPOOL_BLOCK_BYTES {
                    self.push_piece(&mut piece, keep);
                }
            }
        }
        self.push_piece(&mut piece, keep);
    }

    /// Appends what was in memory before, in a file if that can be.
    fn push_piece(
        &mut self,
        piece: &mut BytesMut,
        keep: &mut dyn FnMut(&[u8]) -> Option<FileSlice>,
    ) {
        let worth_it = piece.len() >= SPOOL_PIECE_BYTES_MIN;
        match worth_it.then(|| keep(piece)).flatten() {
            Some(slice) => {
                piece.clear();
                self.chunks.push_back(Chunk::File(slice));
            }
            None if piece.is_empty() => {}
            None => self.chunks.push_back(Chunk::Buffer(mem::take(piece))),
        }
    }

    fn ends_in_buffer(&self) -> bool {
        matches!(self.chunks.back(), Some(Chunk::Buffer(_)))
    }

    /// The chunks in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.iter()
    }

    /// Drops `written` bytes off the front.
    pub fn advance(&mut self, mut written: u64) {
        self.len -= written;
        while let Some(front) = self.chunks.front_mut() {
            let len = front.len();
            if written < len {
                match front {
                    Chunk::Buffer(buffer) => bytes::Buf::advance(buffer, written as usize),
                    Chunk::Bytes(bytes) => bytes::Buf::advance(bytes, written as usize),
                    Chunk::File(slice) => {
                        slice.offset += written;
                        slice.len -= written;
                    }
                }
                return;
            }
            written -= len;
            self.chunks.pop_front();
        }
    }
}
