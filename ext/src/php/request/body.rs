//! The content of a request: in memory, as a PHP string, in a file, or still arriving.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
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
    /// What was received and has not been read.
    piece: Bytes,
}

impl Arriving {
    fn new(stream: BodyStream) -> Self {
        Self { stream, piece: Bytes::new() }
    }

    /// The next content that has come or comes; empty at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        if self.piece.is_empty() {
            return Ok(self.stream.read().map_err(io::Error::other)?.unwrap_or_default());
        }
        Ok(std::mem::take(&mut self.piece))
    }

    /// Fills the beginning of `buffer` with what there is; waits only while there is nothing.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.piece = self.next()?;
        let len = self.piece.len().min(buffer.len());
        buffer[..len].copy_from_slice(&self.piece.split_to(len));
        Ok(len)
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

impl From<RequestBody> for Body {
    fn from(body: RequestBody) -> Self {
        match body {
            RequestBody::Memory(content) => Self::Memory(content),
            RequestBody::File(slice) => Self::File(slice),
            RequestBody::Stream(stream) => {
                Self::Stream(Rc::new(RefCell::new(Arriving::new(stream))))
            }
        }
    }
}

impl Body {
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

/// What `Request::stream()` reads.
#[derive(Debug)]
pub enum StreamSource {
    /// What is in memory, and how far it was read.
    Memory(Bytes, usize),
    /// As PHP has it.
    Text(Text, usize),
    /// What else there is.
    Reader(Reader<'static>),
}

impl Body {
    /// A source that reads it from the start, or what is still to come of it.
    pub fn source(&self) -> io::Result<StreamSource> {
        Ok(match self {
            Self::Memory(content) => StreamSource::Memory(content.clone(), 0),
            Self::Text(text) => StreamSource::Text(text.clone(), 0),
            Self::File(slice) => StreamSource::Reader(file_reader(slice)?),
            Self::Stream(arriving) => StreamSource::Reader(Reader::Stream(Rc::clone(arriving))),
        })
    }
}

impl Source for StreamSource {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        let (content, at) = match self {
            Self::Memory(content, at) => (&content[..], at),
            Self::Text(text, at) => (text.as_bytes(), at),
            Self::Reader(reader) => {
                return reader
                    .read(buffer)
                    .map_err(|error| format!("the content of the request breaks off: {error}"));
            }
        };
        let len = buffer.len().min(content.len() - *at);
        buffer[..len].copy_from_slice(&content[*at..*at + len]);
        *at += len;
        Ok(len)
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
