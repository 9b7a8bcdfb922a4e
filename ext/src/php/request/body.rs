//! The content of a request: in memory, as a PHP string, or in a file.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use wire::FileSlice;
use worker::RequestBody;

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
}

impl From<RequestBody> for Body {
    fn from(body: RequestBody) -> Self {
        match body {
            RequestBody::Memory(content) => Self::Memory(content),
            RequestBody::File(slice) => Self::File(slice),
            RequestBody::Stream(stream) => Self::Memory(stream.read_to_end()),
        }
    }
}

impl Body {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(content) => content.len() as u64,
            Self::Text(text) => text.as_bytes().len() as u64,
            Self::File(slice) => slice.len,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The content as a PHP string, which counts for `memory_limit`.
    pub fn text(&mut self) -> io::Result<Text> {
        let text = match self {
            Self::Memory(content) => Text::new(content),
            Self::Text(text) => text.clone(),
            Self::File(slice) => return read_file(slice),
        };
        *self = Self::Text(text.clone());
        Ok(text)
    }

    /// The content, wherever it lies; read into memory if it is in a file.
    pub fn bytes(&self) -> io::Result<Cow<'_, [u8]>> {
        Ok(match self {
            Self::Memory(content) => Cow::Borrowed(content),
            Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::File(slice) => {
                let mut content = Vec::with_capacity(usize::try_from(slice.len).unwrap_or(0));
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
            Self::File(slice) => {
                let file = File::from(slice.fd.as_fd().try_clone_to_owned()?);
                Reader::File { file, offset: slice.offset, left: slice.len }
            }
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
        }
    }
}

fn read_file(slice: &FileSlice) -> io::Result<Text> {
    let file = File::from(slice.fd.as_fd().try_clone_to_owned()?);
    let len = usize::try_from(slice.len).map_err(|_| io::ErrorKind::FileTooLarge)?;
    Text::filled(len, |content| file.read_exact_at(content, slice.offset))
}
