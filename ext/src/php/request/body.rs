//! The content of a request: in memory, as a PHP string, in a file, or still arriving.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use bytes::Bytes;
use config::coding::ContentCoding;
use wire::limits::FORM_READ_BYTES;
use wire::{Fields, FileSlice};
use worker::{BodyStream, RequestBody};

use super::arriving::Arriving;
use super::pieces::Pieces;
use crate::engine::zend::stream::StreamOps;
use crate::engine::zend::string::Text;

/// The content of a request.
#[derive(Debug)]
pub enum Body {
    /// As it came over the link.
    Memory(Bytes),
    /// As PHP has seen it. There are never two copies in memory.
    Text(Text),
    /// Spooled to a file.
    File(FileSlice),
    /// A form, spooled to several.
    Pieces(Pieces),
    /// Still arriving, as far as it is read.
    Stream(Rc<RefCell<Arriving>>),
}

impl From<RequestBody> for Body {
    fn from(body: RequestBody) -> Self {
        match body {
            RequestBody::Memory(content) => Self::Memory(content),
            RequestBody::File(slice) => Self::File(slice),
            RequestBody::Pieces(pieces) => Self::Pieces(Pieces::new(pieces)),
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
            Self::Pieces(pieces) => Some(pieces.length()),
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
            Self::Stream(arriving) => arriving.borrow().is_complete(),
            _ => true,
        }
    }

    /// Trailer fields behind content that has been read while it arrived, up to its end.
    pub fn trailers(&self) -> Option<Fields> {
        match self {
            Self::Stream(arriving) => arriving.borrow().trailers(),
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
            Self::Pieces(pieces) => return read_pieces(pieces),
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
            Self::File(_) | Self::Pieces(_) | Self::Stream(_) => {
                let len = self.len().and_then(|len| usize::try_from(len).ok());
                let mut content = Vec::with_capacity(len.unwrap_or(0));
                self.reader()?.read_to_end(&mut content)?;
                Cow::Owned(content)
            }
        })
    }

    /// How many bytes are read ahead for PHP's parsers, which ask for few at a time: what lies in memory needs
    /// none.
    pub fn read_ahead(&self) -> usize {
        match self {
            Self::File(_) | Self::Pieces(_) => {
                let len = self.len().and_then(|len| usize::try_from(len).ok());
                len.unwrap_or(usize::MAX).min(FORM_READ_BYTES)
            }
            Self::Memory(_) | Self::Text(_) | Self::Stream(_) => 0,
        }
    }

    /// Reads it from the start.
    pub fn reader(&self) -> io::Result<Reader<'_>> {
        Ok(match self {
            Self::Memory(content) => Reader::Memory(content),
            Self::Text(text) => Reader::Memory(text.as_bytes()),
            Self::File(slice) => file_reader(slice)?,
            Self::Pieces(pieces) => Reader::Pieces(pieces.clone(), 0),
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
    /// What of it lies in several files, and how far it was read.
    Pieces(Pieces, u64),
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
            Self::Pieces(pieces, at) => {
                let read = pieces.read_at(buffer, *at)?;
                *at += read as u64;
                Ok(read)
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
    /// In several.
    Pieces(Pieces),
}

impl Stored {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(content) => content.len() as u64,
            Self::Text(text) => text.as_bytes().len() as u64,
            Self::File { len, .. } => *len,
            Self::Pieces(pieces) => pieces.length(),
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
            Self::Pieces(pieces) => return pieces.read_at(buffer, at),
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
            Self::Pieces(pieces) => Stored::Pieces(pieces.clone()),
            Self::Stream(arriving) => return Ok(StreamSource::Arriving(Rc::clone(arriving))),
        };
        Ok(StreamSource::Stored(stored, 0))
    }
}

impl Read for StreamSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(content, at) => {
                content.read_at(buffer, *at).inspect(|read| *at += *read as u64)
            }
            Self::Arriving(arriving) => arriving.borrow_mut().read(buffer),
        }
    }
}

impl StreamOps for StreamSource {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        Read::read(self, buffer)
            .map_err(|error| format!("the content of the request breaks off: {error}"))
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

fn read_pieces(pieces: &Pieces) -> io::Result<Text> {
    let len = usize::try_from(pieces.length()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    Text::filled(len, |content| Reader::Pieces(pieces.clone(), 0).read_exact(content))
}

fn read_file(slice: &FileSlice) -> io::Result<Text> {
    let file = File::from(slice.fd.as_fd().try_clone_to_owned()?);
    let len = usize::try_from(slice.len).map_err(|_| io::ErrorKind::FileTooLarge)?;
    Text::filled(len, |content| file.read_exact_at(content, slice.offset))
}
