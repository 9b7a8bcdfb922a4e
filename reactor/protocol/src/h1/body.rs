//! The content of a request: by length, or chunked (RFC 9112, 6 and 7.1).

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use wire::Fields;
use wire::limits::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_JOIN_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX};

use super::parse::{self, Scan};
use crate::error::Fault;
use crate::settings::HttpSettings;

/// How the content of a request is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// So many bytes, at least one.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// Takes content out of the client's bytes.
#[derive(Debug)]
pub enum BodyDecoder {
    /// So many bytes are missing.
    Length(u64),
    /// Chunks.
    Chunked(Chunked),
}

/// The content is complete; trailers, if there were any.
pub type Complete = Option<Fields>;

impl BodyDecoder {
    /// A decoder for content that has some; `None` when there is none.
    pub fn new(framing: Framing, settings: &HttpSettings) -> Result<Option<Self>, Fault> {
        match framing {
            Framing::None => Ok(None),
            Framing::Length(length) if length > settings.body_bytes_max => {
                Err(Fault::ContentTooLarge)
            }
            Framing::Length(length) => Ok(Some(Self::Length(length))),
            Framing::Chunked => Ok(Some(Self::Chunked(Chunked {
                place: ChunkPosition::Size { size: 0, digits: 0 },
                room: settings.body_bytes_max,
                extension_room: CHUNK_EXTENSION_BYTES_MAX,
            }))),
        }
    }

    /// Moves what is content from `input` to `content`.
    pub fn decode(
        &mut self,
        input: &mut BytesMut,
        content: &mut VecDeque<Bytes>,
        settings: &HttpSettings,
    ) -> Result<Option<Complete>, Fault> {
        match self {
            Self::Length(left) => {
                let taken = take(left, input);
                if !taken.is_empty() {
                    content.push_back(taken.freeze());
                }
                Ok((*left == 0).then_some(None))
            }
            Self::Chunked(chunked) => {
                let mut joiner = Joiner { small: BytesMut::new(), content };
                let result = chunked.decode(input, &mut joiner, settings);
                joiner.flush();
                result
            }
        }
    }
}

fn take(left: &mut u64, input: &mut BytesMut) -> BytesMut {
    let len = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
    *left -= len as u64;
    input.split_to(len)
}

/// Chunks, and where the decoder is in them.
///
/// ```text
///  ┌▶ Size ──▶ Extension ──▶ SizeFeed ──▶ Data ──▶ DataReturn ──▶ DataFeed ─┐
///  │    └──────────────────────▲  │ size 0                                  │
///  │                              └─────▶ Trailers ──▶ complete             │
///  └────────────────────────────────────────────────────────────────────────┘
/// ```
#[derive(Debug)]
pub struct Chunked {
    place: ChunkPosition,
    /// Content bytes that may still come.
    room: u64,
    /// Extension bytes that may still come.
    extension_room: usize,
}

#[derive(Debug)]
enum ChunkPosition {
    Size { size: u64, digits: u8 },
    Extension { size: u64, begun: bool },
    SizeFeed { size: u64 },
    Data { left: u64 },
    DataReturn,
    DataFeed,
    Trailers(Scan),
}

impl Chunked {
    fn decode(
        &mut self,
        input: &mut BytesMut,
        content: &mut Joiner<'_>,
        settings: &HttpSettings,
    ) -> Result<Option<Complete>, Fault> {
        loop {
            match &mut self.place {
                ChunkPosition::Data { left } => {
                    content.push(take(left, input));
                    if *left > 0 {
                        return Ok(None);
                    }
                    self.place = ChunkPosition::DataReturn;
                }
                ChunkPosition::Trailers(scan) => {
                    let Some(extent) = scan.search(input, settings)? else { return Ok(None) };
                    return parse::trailers(&input.split_to(extent.len), extent).map(Some);
                }
                _ if input.is_empty() => return Ok(None),
                _ => {
                    let used = self.frame(input)?;
                    input.advance(used);
                }
            }
        }
    }

    /// Runs over what is neither data nor trailers; returns how many bytes that was.
    fn frame(&mut self, input: &[u8]) -> Result<usize, Fault> {
        for (at, byte) in input.iter().enumerate() {
            match self.place {
                ChunkPosition::Data { .. } | ChunkPosition::Trailers(_) => return Ok(at),
                _ => self.place = self.next(*byte)?,
            }
        }
        Ok(input.len())
    }

    fn next(&mut self, byte: u8) -> Result<ChunkPosition, Fault> {
        Ok(match (&self.place, byte) {
            (&ChunkPosition::Size { size, digits }, byte) if byte.is_ascii_hexdigit() => {
                if digits == CHUNK_SIZE_DIGITS_MAX {
                    return Err(Fault::Chunk);
                }
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                ChunkPosition::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }
            }
            (ChunkPosition::Size { digits: 0, .. }, _) => return Err(Fault::Chunk),
            (&ChunkPosition::Size { size, .. }, b';') => {
                ChunkPosition::Extension { size, begun: true }
            }
            // RFC 9112, 7.1.1: white space may stand before the semicolon, and only there.
            (&ChunkPosition::Size { size, .. }, b' ' | b'\t') => {
                ChunkPosition::Extension { size, begun: false }
            }
            (&ChunkPosition::Size { size, .. }, b'\r') => ChunkPosition::SizeFeed { size },
            (&ChunkPosition::Extension { size, begun: true }, b'\r') => {
                ChunkPosition::SizeFeed { size }
            }
            (&ChunkPosition::Extension { size, begun }, byte) => {
                self.extension(size, begun, byte)?
            }
            (&ChunkPosition::SizeFeed { size: 0 }, b'\n') => {
                ChunkPosition::Trailers(Scan::trailers())
            }
            (&ChunkPosition::SizeFeed { size }, b'\n') => {
                self.room = self.room.checked_sub(size).ok_or(Fault::ContentTooLarge)?;
                ChunkPosition::Data { left: size }
            }
            (ChunkPosition::DataReturn, b'\r') => ChunkPosition::DataFeed,
            (ChunkPosition::DataFeed, b'\n') => ChunkPosition::Size { size: 0, digits: 0 },
            _ => return Err(Fault::Chunk),
        })
    }

    fn extension(&mut self, size: u64, begun: bool, byte: u8) -> Result<ChunkPosition, Fault> {
        self.extension_room = self.extension_room.checked_sub(1).ok_or(Fault::ChunkExtension)?;
        match byte {
            b' ' | b'\t' => Ok(ChunkPosition::Extension { size, begun }),
            b';' => Ok(ChunkPosition::Extension { size, begun: true }),
            0..b' ' | 0x7f => Err(Fault::Chunk),
            _ if begun => Ok(ChunkPosition::Extension { size, begun }),
            _ => Err(Fault::Chunk),
        }
    }
}

/// Joins small chunks, so that a part is never much smaller than what it costs to carry.
struct Joiner<'a> {
    small: BytesMut,
    content: &'a mut VecDeque<Bytes>,
}

impl Joiner<'_> {
    fn push(&mut self, data: BytesMut) {
        if data.len() < CHUNK_JOIN_BYTES_MAX {
            self.small.extend_from_slice(&data);
        } else {
            self.flush();
            self.content.push_back(data.freeze());
        }
    }

    fn flush(&mut self) {
        if !self.small.is_empty() {
            self.content.push_back(self.small.split().freeze());
        }
    }
}
