//! [`Sink`]: a stream as a response sees it, implemented for HTTP/2 and HTTP/3.

use bytes::Bytes;
use http::{HeaderMap, Response};

/// A stream as a response sees it. What it has not taken it is given again before anything else.
pub trait Sink {
    /// An interim head (RFC 9110, 15.2).
    fn interim(&mut self, head: Response<()>) -> Result<(), Refused<Response<()>>>;

    /// The final head; `last` when there is nothing else.
    fn head(&mut self, head: Response<()>, last: bool) -> Result<(), Refused<Response<()>>>;

    /// How many bytes of content it takes now, at most `wanted`. `None`: the stream is no more.
    fn room(&mut self, wanted: u64) -> Option<usize>;

    /// Content, not more than the room; `last` when it is the end, which may be all there is.
    fn data(&mut self, data: Bytes, last: bool) -> Result<(), Refused<()>>;

    /// The end.
    fn trailers(&mut self, trailers: HeaderMap) -> Result<(), Refused<HeaderMap>>;

    /// The end before the end.
    fn reset(&mut self, cut: ResetReason);
}

/// Why a stream has not taken something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused<T> {
    /// There is no room now; here it is back.
    Full(T),
    /// The stream is no more.
    Gone,
}

/// Why a stream is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetReason {
    /// The client has given up, or makes no progress.
    Cancelled,
    /// The response cannot be completed.
    Broken,
}

/// What became of a response when it was moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteProgress {
    /// It waits for the worker.
    Waits,
    /// It waits for room.
    Blocked,
    /// It has had its share, and has more.
    More,
    /// It is to be moved once more when what it gave before was written.
    Again,
    /// The stream has all of it.
    All,
    /// The stream was reset.
    Reset,
    /// The stream is no more.
    Gone,
}
