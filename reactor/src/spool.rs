//! A request's content while it arrives: in memory, then in an unlinked temporary file.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use wire::FileSlice;

/// What has arrived.
#[derive(Debug, Default)]
pub enum Spool {
    /// Nothing.
    #[default]
    Empty,
    /// So little that it stays in memory.
    Memory(BytesMut),
    /// More: in a file.
    File {
        /// The file; it has no name.
        file: File,
        /// Its length in bytes.
        len: u64,
    },
}

/// Complete content.
#[derive(Debug, Clone)]
pub enum Content {
    /// Nothing.
    Empty,
    /// In memory.
    Memory(Bytes),
    /// In a file.
    File(FileSlice),
}

impl Spool {
    /// Adds content. Past `memory_bytes_max` everything moves to a file in `dir`.
    pub fn push(&mut self, bytes: &[u8], memory_bytes_max: usize, dir: &Path) -> io::Result<()> {
        match self {
            Self::Empty if bytes.len() <= memory_bytes_max => {
                *self = Self::Memory(BytesMut::from(bytes));
            }
            Self::Memory(memory) if memory.len() + bytes.len() <= memory_bytes_max => {
                memory.extend_from_slice(bytes);
            }
            Self::Empty => *self = Self::to_file(&[bytes], dir)?,
            Self::Memory(memory) => *self = Self::to_file(&[memory, bytes], dir)?,
            Self::File { file, len } => {
                file.write_all(bytes)?;
                *len += bytes.len() as u64;
            }
        }
        Ok(())
    }

    /// The content, complete.
    pub fn finish(self) -> Content {
        match self {
            Self::Empty => Content::Empty,
            Self::Memory(memory) => Content::Memory(memory.freeze()),
            Self::File { file, len } => Content::File(FileSlice::new(OwnedFd::from(file), 0, len)),
        }
    }

    fn to_file(pieces: &[&[u8]], dir: &Path) -> io::Result<Self> {
        let mut file = tempfile::tempfile_in(dir)?;
        let mut len = 0;
        for piece in pieces {
            file.write_all(piece)?;
            len += piece.len() as u64;
        }
        Ok(Self::File { file, len })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn content_moves_to_a_file_past_its_bound() {
        let dir = std::env::temp_dir();
        let mut spool = Spool::default();
        spool.push(b"abc", 4, &dir).unwrap();
        assert!(matches!(spool, Spool::Memory(_)));
        spool.push(b"def", 4, &dir).unwrap();
        spool.push(b"g", 4, &dir).unwrap();
        let Spool::File { mut file, len: 7 } = spool else { panic!("{spool:?}") };
        let mut content = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "abcdefg");
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = std::env::temp_dir().join("ferrite-no-such-directory");
        assert!(Spool::default().push(b"abc", 1, &dir).is_err());
    }
}
