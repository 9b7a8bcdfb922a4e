//! The content of a request: in memory, as a PHP string, in a file, or still arriving.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use config::coding::{ContentCoding, DecodeError, DecodingReader};
use wire::{Fields, FileSlice};
use worker::{BodyStream, RequestBody};

use crate::engine::zend::stream::Source;
use crate::engine::zend::string::{Text, claim};

/// The content of a request.
#[derive(Debug)]
pub enum Body {
    /// As it came over the link.
    Memory(Bytes),
    /// As PHP has seen it. There are never two copies in memory.
    Text(Text),
    /// Spooled to a file.
    File(FileSlice),
    /// Still arriving, as far as it is read.
    Stream(Rc<RefCell<Arriving>>),
}

/// Content that is read while it arrives, by whoever reads first.
#[derive(Debug)]
pub struct Arriving {
    stream: BodyStream,
    content: ArrivingContent,
}

#[derive(Debug)]
enum ArrivingContent {
    /// As it was sent.
    Plain(Pieces),
    /// Decoded while it is read.
    Encoded(DecodingReader<'static>),
}

/// Content as it was sent.
#[derive(Debug)]
struct Pieces {
    stream: BodyStream,
    /// What was received and has not been read.
    piece: Bytes,
}

impl Pieces {
    /// The next content that has come or comes; empty at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        if self.piece.is_empty() {
            return Ok(self.stream.read().map_err(io::Error::other)?.unwrap_or_default());
        }
        Ok(std::mem::take(&mut self.piece))
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.piece = self.next()?;
        let len = self.piece.len().min(buffer.len());
        buffer[..len].copy_from_slice(&self.piece.split_to(len));
        Ok(len)
    }
}

impl Arriving {
    fn new(stream: BodyStream, decoding: Option<(ContentCoding, u64)>) -> Self {
        let pieces = Pieces { stream: stream.clone(), piece: Bytes::new() };
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
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
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

    /// All that is left, which counts for `memory_limit` before it is there.
    fn rest(&mut self) -> io::Result<Text> {
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

impl From<RequestBody> for Body {
    fn from(body: RequestBody) -> Self {
        match body {
            RequestBody::Memory(content) => Self::Memory(content),
            RequestBody::File(slice) => Self::File(slice),
            RequestBody::Stream(stream) => Self::arriving(stream, None),
        }
    }
}

impl Body {
    /// Content that is read while it arrives, and decoded where it has a coding, of which there may be so
    /// many bytes then.
    pub fn arriving(stream: BodyStream, decoding: Option<(ContentCoding, u64)>) -> Self {
        Self::Stream(Rc::new(RefCell::new(Arriving::new(stream, decoding))))
    }

    /// Length in bytes; `None` while it is arriving.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Memory(content) => Some(content.len() as u64),
            Self::Text(text) => Some(text.as_bytes().len() as u64),
            Self::File(slice) => Some(slice.len),
            Self::Stream(_) => None,
        }
    }

    /// Whether there is known to be none.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Whether all of it has come to this worker.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Stream(arriving) => arriving.borrow().stream.is_complete(),
            _ => true,
        }
    }

    /// Trailer fields behind content that has been read while it arrived, up to its end.
    pub fn trailers(&self) -> Option<Fields> {
        match self {
            Self::Stream(arriving) => arriving.borrow().stream.trailers(),
            _ => None,
        }
    }

    /// Waits for all that is left of content that is still arriving, and keeps it.
    pub fn collect(&mut self) -> io::Result<()> {
        if let Self::Stream(arriving) = self {
            let rest = arriving.borrow_mut().rest()?;
            *self = Self::Text(rest);
        }
        Ok(())
    }

    /// The content as a PHP string, which counts for `memory_limit`.
    pub fn text(&mut self) -> io::Result<Text> {
        let text = match self {
            Self::Memory(content) => Text::new(content),
            Self::Text(text) => text.clone(),
            Self::File(slice) => return read_file(slice),
            Self::Stream(arriving) => arriving.borrow_mut().rest()?,
        };
        *self = Self::Text(text.clone());
        Ok(text)
    }

    /// The content, wherever it lies; read into memory if it is in a file.
    pub fn bytes(&self) -> io::Result<Cow<'_, [u8]>> {
        Ok(match self {
            Self::Memory(content) => Cow::Borrowed(content),
            Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::File(_) | Self::Stream(_) => {
                let len = self.len().and_then(|len| usize::try_from(len).ok());
                let mut content = Vec::with_capacity(len.unwrap_or(0));
                self.reader()?.read_to_end(&mut content)?;
                Cow::Owned(content)
            }
        })
    }

    /// Reads it from the start.
    pub fn reader(&self) -> io::Result<Reader<'_>> {
        Ok(match self {
            Self::Memory(content) => Reader::Memory(content),
            Self::Text(text) => Reader::Memory(text.as_bytes()),
            Self::File(slice) => file_reader(slice)?,
            Self::Stream(arriving) => Reader::Stream(Rc::clone(arriving)),
        })
    }
}

/// Reads a [`Body`].
#[derive(Debug)]
pub enum Reader<'a> {
    /// What is left of it in memory.
    Memory(&'a [u8]),
    /// What is left of it in the file.
    File {
        /// The file, whose own position is not used.
        file: File,
        /// Where to read next.
        offset: u64,
        /// How many bytes from there on.
        left: u64,
    },
    /// What is still arriving.
    Stream(Rc<RefCell<Arriving>>),
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(content) => content.read(buffer),
            Self::File { file, offset, left } => {
                let wanted = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                let got = file.read_at(&mut buffer[..wanted], *offset)?;
                *offset += got as u64;
                *left -= got as u64;
                Ok(got)
            }
            Self::Stream(arriving) => arriving.borrow_mut().read(buffer),
        }
    }
}

/// What `Request::stream()` and `php://input` read.
#[derive(Debug)]
pub enum StreamSource {
    /// All of it is here, and this far it was read.
    Stored(Stored, u64),
    /// What is still arriving.
    Arriving(Rc<RefCell<Arriving>>),
}

/// Content that can be read again.
#[derive(Debug)]
pub enum Stored {
    /// In memory.
    Memory(Bytes),
    /// As PHP has it.
    Text(Text),
    /// In a file, whose own position is not used.
    File {
        /// The file.
        file: File,
        /// Where the content begins in it.
        offset: u64,
        /// Its length in bytes.
        len: u64,
    },
}

impl Stored {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(content) => content.len() as u64,
            Self::Text(text) => text.as_bytes().len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    /// Fills the beginning of `buffer` with what begins at `at`.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let content = match self {
            Self::Memory(content) => &content[..],
            Self::Text(text) => text.as_bytes(),
            Self::File { file, offset, len } => {
                let left = usize::try_from(len.saturating_sub(at)).unwrap_or(usize::MAX);
                let wanted = buffer.len().min(left);
                return file.read_at(&mut buffer[..wanted], offset + at);
            }
        };
        let mut rest =
            usize::try_from(at).ok().and_then(|at| content.get(at..)).unwrap_or_default();
        rest.read(buffer)
    }
}

impl Body {
    /// A source that reads it from the start, or what is still to come of it.
    pub fn source(&self) -> io::Result<StreamSource> {
        let stored = match self {
            Self::Memory(content) => Stored::Memory(content.clone()),
            Self::Text(text) => Stored::Text(text.clone()),
            Self::File(slice) => {
                let file = File::from(slice.fd.as_fd().try_clone_to_owned()?);
                Stored::File { file, offset: slice.offset, len: slice.len }
            }
            Self::Stream(arriving) => return Ok(StreamSource::Arriving(Rc::clone(arriving))),
        };
        Ok(StreamSource::Stored(stored, 0))
    }
}

impl Source for StreamSource {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        let read = match self {
            Self::Stored(content, at) => {
                content.read_at(buffer, *at).inspect(|read| *at += *read as u64)
            }
            Self::Arriving(arriving) => arriving.borrow_mut().read(buffer),
        };
        read.map_err(|error| format!("the content of the request breaks off: {error}"))
    }

    fn seek(&mut self, to: SeekFrom) -> Option<u64> {
        let Self::Stored(content, at) = self else { return None };
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => at.checked_add_signed(by),
            SeekFrom::End(by) => content.len().checked_add_signed(by),
        };
        *at = place.filter(|place| *place <= content.len())?;
        Some(*at)
    }
}

fn file_reader(slice: &FileSlice) -> io::Result<Reader<'static>> {
    let file = File::from(slice.fd.as_fd().try_clone_to_owned()?);
    Ok(Reader::File { file, offset: slice.offset, left: slice.len })
}

fn read_file(slice: &FileSlice) -> io::Result<Text> {
    let file = File::from(slice.fd.as_fd().try_clone_to_owned()?);
    let len = usize::try_from(slice.len).map_err(|_| io::ErrorKind::FileTooLarge)?;
    Text::filled(len, |content| file.read_exact_at(content, slice.offset))
}
