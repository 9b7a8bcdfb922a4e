//! [`Pieces`]: content of a request that lies in memory and in files by turns.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::rc::Rc;

use nix::sys::stat::fstat;
use nix::sys::uio::pread;
use wire::FileSlice;
use worker::BodyPiece;

/// The pieces of a form, in their order.
#[derive(Debug, Clone)]
pub struct Pieces {
    /// Each with where it begins in the content.
    pieces: Rc<[(u64, BodyPiece)]>,
    len: u64,
}

impl Pieces {
    /// Content of these pieces.
    pub fn new(pieces: Vec<BodyPiece>) -> Self {
        let mut len = 0;
        let placed = pieces.into_iter().map(|piece| {
            let start = len;
            len += match &piece {
                BodyPiece::Memory(bytes) => bytes.len() as u64,
                BodyPiece::File(slice) => slice.len,
            };
            (start, piece)
        });
        let pieces = placed.collect();
        Self { pieces, len }
    }

    /// Length in bytes.
    pub fn length(&self) -> u64 {
        self.len
    }

    /// Fills the beginning of `buffer` with what begins at `at`; 0 at the end alone.
    pub fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let behind = self.pieces.partition_point(|(start, _)| *start <= at);
        let Some((start, piece)) = behind.checked_sub(1).and_then(|nth| self.pieces.get(nth))
        else {
            return Ok(0);
        };
        let at = at - start;
        match piece {
            BodyPiece::Memory(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                io::Read::read(&mut rest.unwrap_or_default(), buffer)
            }
            BodyPiece::File(slice) => {
                let left = usize::try_from(slice.len.saturating_sub(at)).unwrap_or(usize::MAX);
                let len = buffer.len().min(left);
                let read = pread(&*slice.fd, &mut buffer[..len], (slice.offset + at) as i64)?;
                // An upload is the handler's, who may have made it shorter.
                if read == 0 && len > 0 {
                    Err(io::ErrorKind::UnexpectedEof.into())
                } else {
                    Ok(read)
                }
            }
        }
    }

    /// The pieces that are files of their own, as they were made, with where they begin.
    pub fn files(&self) -> Vec<OwnFile> {
        let own = |(start, piece): &(u64, BodyPiece)| match piece {
            BodyPiece::File(slice) if slice.offset == 0 => {
                let stat = fstat(&*slice.fd).ok()?;
                let whole = stat.st_nlink == 0 && u64::try_from(stat.st_size) == Ok(slice.len);
                whole.then(|| OwnFile { start: *start, slice: slice.clone() })
            }
            _ => None,
        };
        self.pieces.iter().filter_map(own).collect()
    }
}

/// A file without a name that is a piece of a form.
#[derive(Debug)]
pub struct OwnFile {
    /// Where it begins in the content.
    pub start: u64,
    slice: FileSlice,
}

impl OwnFile {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.slice.len
    }

    /// Its descriptor's number.
    pub fn raw(&self) -> i32 {
        self.slice.fd.as_raw_fd()
    }
}

impl AsFd for OwnFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.slice.fd.as_fd()
    }
}
