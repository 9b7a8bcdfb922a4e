//! [`Part`]: what a request and a response are made of.

use std::any::Any;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use bytes::Bytes;

use crate::budget::{Permit, Share};
use crate::fields::Fields;

/// One part of a message. A well-formed message is `Head`, any number of `Body` and `File`, then
/// `End`; `Abort` may take the place of everything that is still missing.
///
/// A 1xx response is a `Head` before the final one (RFC 9110, 15.2).
#[derive(Debug, Clone)]
pub enum Part<H> {
    /// Method, target and fields, or status and fields.
    Head(H),
    /// Content (RFC 9110, 6.4). Never empty.
    Body(Bytes),
    /// Content that lies in a file: a spooled upload, or a file that is a response.
    File(FileSlice),
    /// The message is complete. Trailers, if there were any (RFC 9110, 6.5).
    End(Option<Fields>),
    /// The message ends here, broken. (Or, behind the `End` of a request, what the client has done
    /// since.)
    Abort(Reason),
}

/// A range of an open file. The range is never written to while a slice of it exists.
#[derive(Clone)]
pub struct FileSlice {
    /// The open file; shared, because a slice may be split.
    pub fd: Arc<OpenFile>,
    /// First byte of the slice, counted from the start of the file.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// Dropped with the last slice of the range, which may then be written to again.
    lease: Option<Arc<dyn Any + Send + Sync>>,
}

impl FileSlice {
    /// A slice of `len` bytes from `offset` on, of a file that nothing else is made of.
    pub fn new(fd: OwnedFd, offset: u64, len: u64) -> Self {
        Self { fd: Arc::new(fd.into()), offset, len, lease: None }
    }

    /// A slice of a file that is shared with others. Its owner learns by the drop of `lease` that
    /// the range is free.
    pub fn leased(
        fd: Arc<OpenFile>,
        offset: u64,
        len: u64,
        lease: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self { fd, offset, len, lease: Some(lease) }
    }

    /// A slice of a file that others may hold too, and nobody writes to.
    pub fn shared(fd: Arc<OpenFile>, offset: u64, len: u64) -> Self {
        Self { fd, offset, len, lease: None }
    }

    /// Whether the range is written to again when the slice is dropped: `sendfile`, which lends the
    /// file's pages to a socket for longer, is not for it.
    pub fn is_leased(&self) -> bool {
        self.lease.is_some()
    }

    /// Counts the file's descriptor, and perhaps its length on disk: both are given back when the last
    /// slice of it ends. For a slice that is the only one of its file.
    pub fn count(&mut self, permit: Permit, disk: Option<Share>) {
        if let Some(file) = Arc::get_mut(&mut self.fd) {
            (file.permit, file.disk) = (Some(permit), disk);
        }
    }
}

/// An open file, and what it takes of the process's budgets.
#[derive(Debug)]
pub struct OpenFile {
    fd: OwnedFd,
    permit: Option<Permit>,
    disk: Option<Share>,
}

impl From<OwnedFd> for OpenFile {
    /// A file that no budget counts.
    fn from(fd: OwnedFd) -> Self {
        Self { fd, permit: None, disk: None }
    }
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for OpenFile {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl fmt::Debug for FileSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSlice({}..+{})", self.offset, self.len)
    }
}

/// Why a message broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The client closed the connection or reset the stream.
    ClientGone = 1,
    /// The client made no progress before a deadline.
    ClientStalled = 2,
    /// The worker process ended before its answer was complete.
    WorkerLost = 3,
    /// The handler ended without completing its answer.
    HandlerFailed = 4,
    /// The request waited in the queue beyond its bound.
    Overloaded = 5,
    /// The server stops.
    Shutdown = 6,
    /// The reactor could not go on with this message (a full disk, for one).
    Internal = 7,
    /// The client has closed its direction behind a complete request, without having said that it
    /// would: it has most likely left. Not an end by itself: what it still takes of a response
    /// that a worker is at work on is sent.
    ClientLeaving = 8,
    /// The request was refused for what came of it after its head, and answered.
    Refused = 9,
    /// The handler has detached the response, and nobody has answered in time.
    Unanswered = 10,
}

impl Reason {
    /// The inverse of `self as u8`.
    pub fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::ClientGone,
            2 => Self::ClientStalled,
            3 => Self::WorkerLost,
            4 => Self::HandlerFailed,
            5 => Self::Overloaded,
            6 => Self::Shutdown,
            7 => Self::Internal,
            8 => Self::ClientLeaving,
            9 => Self::Refused,
            10 => Self::Unanswered,
            _ => return None,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientGone => "the client left",
            Self::ClientStalled => "the client stalled",
            Self::WorkerLost => "the worker died",
            Self::HandlerFailed => "the handler failed",
            Self::Overloaded => "the server is overloaded",
            Self::Shutdown => "the server stops",
            Self::Internal => "the server could not go on",
            Self::ClientLeaving => "the client is leaving",
            Self::Refused => "it is malformed or too large",
            Self::Unanswered => "nobody has answered in time",
        })
    }
}
