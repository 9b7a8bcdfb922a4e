//! [`Arriving`]: content of a request that its handler reads while it arrives.

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use config::coding::{ContentCoding, DecodeError, DecodingReader};
use wire::Fields;
use worker::BodyStream;

use crate::engine::zend::string::{Text, claim};

/// Content that is read while it arrives, by whoever reads first.
#[derive(Debug)]
pub struct Arriving {
    stream: BodyStream,
    content: ArrivingContent,
}

#[derive(Debug)]
enum ArrivingContent {
    /// As it was sent.
    Plain(PlainContent),
    /// Decoded while it is read.
    Encoded(DecodingReader<'static>),
}

/// Content as it was sent.
#[derive(Debug)]
struct PlainContent {
    stream: BodyStream,
    /// What was received and has not been read.
    piece: Bytes,
}

impl PlainContent {
    /// The next content that has come or comes; empty at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        if self.piece.is_empty() {
            return Ok(self.stream.read().map_err(io::Error::other)?.unwrap_or_default());
        }
        Ok(std::mem::take(&mut self.piece))
    }
}

impl Read for PlainContent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.piece = self.next()?;
        let len = self.piece.len().min(buffer.len());
        buffer[..len].copy_from_slice(&self.piece.split_to(len));
        Ok(len)
    }
}

impl Arriving {
    /// The content of `stream`; decoded where it has a coding, of which there may be so many bytes then.
    pub fn new(stream: BodyStream, decoding: Option<(ContentCoding, u64)>) -> Self {
        let pieces = PlainContent { stream: stream.clone(), piece: Bytes::new() };
        let content = match decoding {
            None => ArrivingContent::Plain(pieces),
            Some((coding, bytes_max)) => {
                ArrivingContent::Encoded(DecodingReader::new(coding, pieces, bytes_max))
            }
        };
        Self { stream, content }
    }

    /// The next content that has come or comes; empty at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        match &mut self.content {
            ArrivingContent::Plain(pieces) => pieces.next(),
            ArrivingContent::Encoded(_) => {
                let mut piece = BytesMut::zeroed(DECODED_PIECE_BYTES);
                let len = self.read(&mut piece)?;
                piece.truncate(len);
                Ok(piece.freeze())
            }
        }
    }

    /// Fills the beginning of `buffer` with what there is; waits only while there is nothing.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.content {
            ArrivingContent::Plain(pieces) => pieces.read(buffer),
            ArrivingContent::Encoded(reader) => reader.read(buffer).map_err(|error| match error {
                DecodeError::Io(error) => error,
                DecodeError::Malformed => io::Error::other("it is not in its content coding"),
                DecodeError::TooLarge => io::Error::other(
                    "it is larger than http_decompression_bytes_max when it is decoded",
                ),
            }),
        }
    }

    /// Whether all of it has come to this worker.
    pub fn is_complete(&self) -> bool {
        self.stream.is_complete()
    }

    /// Trailer fields behind what has been read, up to its end.
    pub fn trailers(&self) -> Option<Fields> {
        self.stream.trailers()
    }

    /// All that is left, which counts for `memory_limit` before it is there.
    pub fn rest(&mut self) -> io::Result<Text> {
        let mut all = BytesMut::new();
        loop {
            let piece = self.next()?;
            if piece.is_empty() {
                return Ok(Text::new(&all));
            }
            // Here, and as PHP's string in the end.
            if all.len() + piece.len() > all.capacity() {
                claim(2 * (all.len() + piece.len()));
            }
            all.extend_from_slice(&piece);
        }
    }
}

/// Bytes that are decoded at a time.
const DECODED_PIECE_BYTES: usize = 64 << 10;
