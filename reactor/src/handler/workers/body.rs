//! A request's content while it arrives: in memory, then in an unlinked temporary file.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::mem;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use nix::libc::O_TMPFILE;
use smallvec::SmallVec;
use wire::limits::PIECE_KEPT_BYTES_MIN;
use wire::{Budget, DescriptorBudget, FileSlice, Holder, Permit, Share};

use crate::handler::workers::form_spool::FormSpool;

/// What has arrived.
#[derive(Debug, Default)]
pub enum Spool {
    /// Nothing.
    #[default]
    Empty,
    /// One piece, as it came.
    Piece(Bytes),
    /// So little that it stays in memory.
    Memory(BytesMut),
    /// More: in a file.
    File(SpoolFile),
    /// More of a form: its files each in a file.
    Form(Box<FormSpool>),
}

/// Content in a file without a name; it can be given one.
#[derive(Debug)]
pub struct SpoolFile {
    file: File,
    /// Bytes in it.
    pub len: u64,
    permit: Permit,
    disk: Share,
}

/// Where content may go.
#[derive(Debug, Clone, Copy)]
pub struct SpoolRoom<'a> {
    /// So much may stay in memory, in bytes.
    pub memory_bytes_max: usize,
    /// Where files are made.
    pub dir: &'a Path,
    /// Files of all requests.
    pub files: &'a DescriptorBudget,
    /// Their bytes.
    pub disk: &'a Budget,
}

/// Why content cannot be kept.
#[derive(Debug)]
pub enum SpoolError {
    /// There are as many files as there may be: so many.
    Files(u64),
    /// All files together are as large as they may be, in bytes.
    Bytes(u64),
    /// The file cannot be made or written.
    Io(io::Error),
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
    /// A form: in memory and in files by turns.
    Pieces(Arc<[ContentPiece]>),
    /// Not here: the worker reads it while it arrives.
    Streamed,
}

/// A piece of complete content.
#[derive(Debug, Clone)]
pub enum ContentPiece {
    /// In memory.
    Memory(Bytes),
    /// In a file.
    File(FileSlice),
}

impl Spool {
    /// Adds content. Past what may stay in memory everything moves to a file; of a form with this boundary,
    /// its files to one each.
    pub fn push(
        &mut self,
        pieces: &mut [Bytes],
        boundary: impl FnOnce() -> Option<Box<[u8]>>,
        room: SpoolRoom<'_>,
    ) -> Result<(), SpoolError> {
        let mut len = self.memory().len();
        let mut fits = |piece: &Bytes| {
            len += piece.len();
            len <= room.memory_bytes_max
        };
        let remembered = match self {
            Self::File(_) | Self::Form(_) => 0,
            _ => pieces.iter().take_while(|piece| fits(piece)).count(),
        };
        let (first, rest) = pieces.split_at_mut(remembered);
        first.iter_mut().for_each(|piece| self.remember(mem::take(piece)));
        match self {
            _ if rest.is_empty() => return Ok(()),
            Self::File(file) => return file.push(rest, room),
            Self::Form(form) => return form.push(rest, room),
            _ => {}
        }
        let memory = [mem::take(self).into_memory()];
        *self = match boundary() {
            Some(boundary) => {
                let mut form = Box::new(FormSpool::new(&boundary));
                form.push(&memory, room)?;
                form.push(rest, room)?;
                Self::Form(form)
            }
            None => {
                let mut file = SpoolFile::new(room)?;
                file.push(&memory, room)?;
                file.push(rest, room)?;
                Self::File(file)
            }
        };
        Ok(())
    }

    /// Adds content that stays in memory.
    fn remember(&mut self, bytes: Bytes) {
        *self = match mem::take(self) {
            Self::Empty if bytes.len() >= PIECE_KEPT_BYTES_MIN => Self::Piece(bytes),
            Self::Empty => Self::Memory(BytesMut::from(&bytes[..])),
            Self::Piece(piece) => {
                let mut memory = BytesMut::from(piece);
                memory.extend_from_slice(&bytes);
                Self::Memory(memory)
            }
            Self::Memory(mut memory) => {
                memory.extend_from_slice(&bytes);
                Self::Memory(memory)
            }
            larger @ (Self::File(_) | Self::Form(_)) => larger,
        };
    }

    /// What was in memory of it.
    fn into_memory(self) -> Bytes {
        match self {
            Self::Piece(piece) => piece,
            Self::Memory(memory) => memory.freeze(),
            Self::Empty | Self::File(_) | Self::Form(_) => Bytes::new(),
        }
    }

    /// What is in memory of it.
    fn memory(&self) -> &[u8] {
        match self {
            Self::Piece(piece) => piece,
            Self::Memory(memory) => memory,
            Self::Empty | Self::File(_) | Self::Form(_) => &[],
        }
    }

    /// The content, complete.
    pub fn finish(self) -> Content {
        match self {
            Self::Empty => Content::Empty,
            Self::Piece(piece) => Content::Memory(piece),
            Self::Memory(memory) => Content::Memory(memory.freeze()),
            Self::File(file) => Content::File(file.finish()),
            Self::Form(form) => Content::Pieces(form.finish()),
        }
    }
}

impl SpoolFile {
    /// An empty one.
    pub fn new(room: SpoolRoom<'_>) -> Result<Self, SpoolError> {
        let held = || SpoolError::Files(room.files.held(Holder::Body));
        let permit = room.files.take(Holder::Body).ok_or_else(held)?;
        let disk = room.disk.take(0).ok_or(SpoolError::Bytes(room.disk.max()))?;
        let file = unnamed_file(room.dir).map_err(SpoolError::Io)?;
        Ok(Self { file, len: 0, permit, disk })
    }

    /// Adds content. Pieces that come together are written together, because the file system has less to do for
    /// them: it saves a sixth of the time of a large upload.
    pub fn push(
        &mut self,
        pieces: &[impl AsRef<[u8]>],
        room: SpoolRoom<'_>,
    ) -> Result<(), SpoolError> {
        let pieces = pieces.iter().map(|piece| IoSlice::new(piece.as_ref()));
        let mut pieces: SmallVec<[_; 16]> = pieces.collect();
        let len = pieces.iter().map(|piece| piece.len() as u64).sum();
        if !self.disk.grow(len) {
            return Err(SpoolError::Bytes(room.disk.max()));
        }
        write_all(&self.file, &mut pieces).map_err(SpoolError::Io)?;
        self.len += len;
        Ok(())
    }

    /// All of it.
    pub fn finish(self) -> FileSlice {
        let Self { file, len, permit, disk } = self;
        let mut slice = FileSlice::new(OwnedFd::from(file), 0, len);
        slice.count(permit, Some(disk));
        slice
    }
}

fn write_all(mut file: &File, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
    // Those without a byte.
    IoSlice::advance_slices(&mut pieces, 0);
    while !pieces.is_empty() {
        match file.write_vectored(pieces) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut pieces, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A file without a name: where the file system can, one that a worker can give a name to (no O_EXCL).
fn unnamed_file(dir: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).mode(0o600).custom_flags(O_TMPFILE).open(dir);
    file.or_else(|_| tempfile::tempfile_in(dir))
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(held) => write!(
                f,
                "{held} bodies are in files already; raise body_spool_files_max or the limit of open \
                 files (ulimit -n)"
            ),
            Self::Bytes(max) => {
                write!(
                    f,
                    "all bodies in files have {max} bytes together; raise body_spool_bytes_max"
                )
            }
            Self::Io(error) => write!(f, "{error}; free space there or set upload_tmp_dir"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    fn pushed(spool: &mut Spool, bytes: &[u8], budgets: &(DescriptorBudget, Budget)) -> Option<()> {
        let dir = std::env::temp_dir();
        let room =
            SpoolRoom { memory_bytes_max: 4, dir: &dir, files: &budgets.0, disk: &budgets.1 };
        spool.push(&mut [Bytes::copy_from_slice(bytes)], || None, room).ok()
    }

    #[test]
    fn content_moves_to_a_file_past_its_bound() {
        let budgets = (DescriptorBudget::new(4), Budget::new(100));
        let mut spool = Spool::default();
        pushed(&mut spool, b"abc", &budgets).unwrap();
        assert!(matches!(spool, Spool::Memory(_)));
        pushed(&mut spool, b"def", &budgets).unwrap();
        pushed(&mut spool, b"g", &budgets).unwrap();
        let Spool::File(SpoolFile { mut file, len: 7, .. }) = spool else { panic!("{spool:?}") };
        let mut content = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "abcdefg");
    }

    #[test]
    fn one_piece_is_kept_as_it_came_unless_it_would_hold_more_memory_than_it_is() {
        let budgets = (DescriptorBudget::new(4), Budget::new(100));
        let dir = std::env::temp_dir();
        let room =
            SpoolRoom { memory_bytes_max: 1 << 20, dir: &dir, files: &budgets.0, disk: &budgets.1 };
        for (len, kept) in [(PIECE_KEPT_BYTES_MIN, true), (PIECE_KEPT_BYTES_MIN - 1, false)] {
            let piece = Bytes::from(vec![b'a'; len]);
            let mut spool = Spool::default();
            spool.push(&mut [piece.clone()], || None, room).unwrap();
            let Content::Memory(content) = spool.finish() else { panic!("not in memory") };
            assert_eq!(content.as_ptr() == piece.as_ptr(), kept);
            let mut spool = Spool::default();
            spool.push(&mut [piece.clone()], || None, room).unwrap();
            spool.push(&mut [Bytes::from_static(b"b")], || None, room).unwrap();
            let Content::Memory(content) = spool.finish() else { panic!("not in memory") };
            assert_eq!(content, [&piece[..], b"b"].concat());
        }
    }

    #[test]
    fn files_and_their_bytes_are_bounded_and_given_back() {
        let budgets = (DescriptorBudget::new(4), Budget::new(12));
        let full = DescriptorBudget::new(4).bounded(Holder::Body, Budget::new(1));
        let budgets = (full, budgets.1);
        let (mut first, mut second) = (Spool::default(), Spool::default());
        pushed(&mut first, b"abcdefgh", &budgets).unwrap();
        assert!(pushed(&mut second, b"abcde", &budgets).is_none(), "one file too many");
        assert!(pushed(&mut second, b"abcd", &budgets).is_some(), "memory is no file");
        assert!(pushed(&mut first, b"ijklm", &budgets).is_none(), "a byte too many");
        pushed(&mut first, b"ijkl", &budgets).unwrap();
        let Content::File(slice) = first.finish() else { panic!("not in a file") };
        let again = slice.clone();
        drop(slice);
        assert_eq!((budgets.0.held(Holder::Body), budgets.1.held()), (1, 12));
        drop(again);
        assert_eq!((budgets.0.held(Holder::Body), budgets.1.held()), (0, 0));
        assert!(pushed(&mut second, b"e", &budgets).is_some());
    }

    #[test]
    fn a_missing_directory_is_an_error_and_holds_nothing() {
        let dir = std::env::temp_dir().join("ferrite-no-such-directory");
        let (files, disk) = (DescriptorBudget::new(4), Budget::new(100));
        let room = SpoolRoom { memory_bytes_max: 1, dir: &dir, files: &files, disk: &disk };
        assert!(matches!(
            Spool::default().push(&mut [Bytes::from_static(b"abc")], || None, room),
            Err(SpoolError::Io(_))
        ));
        assert_eq!((files.held(Holder::Body), disk.held()), (0, 0));
    }
}
