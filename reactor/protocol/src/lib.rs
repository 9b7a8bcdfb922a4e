//! Protocols as state machines without I/O.
//!
//! A protocol turns what a client sends into parts of requests, and parts of responses into what the
//! client gets. It has nine verbs, the same in every version, and answers three questions:
//!
//! ```text
//!   bytes │ datagram │ eof │ timeout                Part<ResponseHead>
//!                   ▼                                     ▼
//!               receive ─────▶ ┌──────────┐ ◀────────── send ──▶ Flow
//!                              │ Protocol │
//!  poll ◀───────────────────── └──────────┘ ─────▶ transmit
//!   Part<Box<RequestHead>>            deadline            bytes and files, or datagrams
//!                                set_paused, upgrade
//!                                spool, shutdown
//!
//!            wants_input?  content_left?  refusal?  closing?
//! ```
//!
//! HTTP/1 and HTTP/2 take and give bytes, HTTP/3 datagrams: what carries a connection shows in
//! [`Input`] and [`Outgoing`], and nowhere else.
//!
//! No socket, no clock, no process: time is an argument ([`Now`]), and above this module the HTTP
//! version is data, never an `if`.

#![forbid(unsafe_code)]

mod content;
pub mod datagrams;
pub mod detect;
pub mod ended;
pub mod error;
mod exchange;
pub mod files;
pub mod flood;
pub mod h1;
pub mod h2;
pub mod h3;
pub mod message;
mod output;
pub mod pace;
pub mod percent;
mod reply;
mod request;
mod response;
pub mod settings;
mod sink;
mod stream_context;
pub mod upgrade;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use wire::head::Origin;
use wire::{FileSlice, Part, RequestHead, ResponseHead, Scheme};

use self::ended::Ended;
use self::error::ProtocolError;
pub(crate) use self::output::COPY_BYTES_MAX;
pub use self::output::{Chunk, Outgoing, Output};
use self::settings::HttpSettings;
use self::upgrade::Accepted;

/// Names a request within its connection. HTTP/1 counts from 0.
pub type StreamId = u64;

/// The time, read once per turn of the event loop.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// Microseconds since 1970-01-01 UTC, for `request_time_float`.
    pub unix_micros: u64,
    /// The `Date` field's value (RFC 9110, 5.6.7): IMF-fixdate.
    pub date: [u8; 29],
}

/// Reads at most so many bytes from the start of a range of a file: for versions of HTTP whose
/// frames are not made of files. `None` when they cannot be had. Given to a protocol from outside,
/// because protocols do no I/O.
pub type ReadFile = fn(&FileSlice, usize) -> Option<Bytes>;

/// Keeps content in a file, so that it takes no memory; `None` when that cannot be. The content is of this
/// stream, and so many of its bytes are the handler's: they count as taken.
pub type KeepInFile<'a> = dyn FnMut(StreamId, &[u8], u64) -> Option<FileSlice> + 'a;

/// What comes from the client.
#[derive(Debug)]
pub enum Input<'a> {
    /// Bytes. The protocol takes what it can use off the front; what it leaves is presented again,
    /// unchanged, with what was read since behind it. See [`Protocol::wants_input`].
    Bytes(&'a mut BytesMut),
    /// One datagram, which is changed where it lies (QUIC decrypts in place). Many may be taken before
    /// the next [`poll`](Protocol::poll) and [`transmit`](Protocol::transmit).
    Datagram {
        /// What the datagram holds.
        bytes: &'a mut [u8],
        /// The client's address.
        from: SocketAddr,
        /// Ours.
        to: SocketAddr,
    },
    /// The client will send no more; it may still read. Bytes before it have been presented,
    /// except those that are kept because the protocol does not want any.
    Eof,
    /// The instant of [`Protocol::deadline`] has passed.
    Timeout,
}

/// Whether the protocol wants more of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It has been taken.
    Ready,
    /// The stream is gone: nothing more of this response will be sent, and the rest may be dropped.
    Gone,
}

/// How the connection is to be closed once everything of [`Protocol::transmit`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Close: both sides have said all. If bytes of the client are unread all the same, as after
    /// [`Linger`](Self::Linger).
    Close,
    /// Shut down the sending side, then read and drop for a while, so that the client sees the
    /// answer before a reset (RFC 9112, 9.6).
    Linger,
    /// Reset: the client must be able to tell that the message is broken.
    Reset,
}

/// One HTTP connection.
pub trait Protocol: Send {
    /// Takes what came from the client. Input of a kind that does not carry this protocol is ignored.
    fn receive(&mut self, input: Input<'_>, now: &Now);

    /// The next part of a request. `Abort` says that the client has given the request up.
    fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)>;

    /// Takes a part of a response. Parts of one stream come in order; a protocol mistake of the
    /// handler's (content beyond a declared length, say) breaks the stream, never the framing.
    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow;

    /// Holds back the content of a request, or lets it come again, when nobody has room for it: the
    /// client is held up by the flow control of its version, and its time does not run meanwhile. What
    /// was read already is still given out.
    fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now);

    /// Accepts the upgrade that a request has asked for (see [`upgrade`]): the client is told so, and from
    /// now on what the stream brings is given out as content, as it comes, and content that is sent goes
    /// out as it is, until either side ends. [`Flow::Gone`]: there is no such stream any more, it has not
    /// asked, it is answered, or the client has ended its direction. Until then its request is one without
    /// content, whose end was given out, so that whoever knows of no upgrades answers it as any other.
    fn upgrade(&mut self, stream: StreamId, accepted: &Accepted, now: &Now) -> Flow;

    /// Moves what may be written now to `out`, at most until `out` is full, and notes there which
    /// content has been released. To be called after every other verb, and again when `out` has been
    /// drained below its bound. What may go only later is for [`deadline`](Self::deadline).
    fn transmit(&mut self, out: &mut Outgoing<'_>, now: &Now);

    /// Gives memory back: content that the client has not taken yet, and that is worth it, is kept in files
    /// from now on. What the protocol has made frames of already stays.
    fn spool(&mut self, keep: &mut KeepInFile<'_>);

    /// Whether [`receive`](Self::receive) can use bytes now. While it cannot, what is read is only
    /// kept (bounded), and after a [`transmit`](Self::transmit) that turned the answer to `true`
    /// the bytes kept so far are presented again.
    fn wants_input(&self) -> bool;

    /// Content bytes of a request that are to follow and that [`receive`](Self::receive) takes whatever they are: so many
    /// may be read at once. 0 where that is not known.
    fn content_left(&self) -> u64 {
        0
    }

    /// When to call [`receive`](Self::receive) with [`Input::Timeout`], then
    /// [`transmit`](Self::transmit).
    fn deadline(&self) -> Option<Instant>;

    /// No new request: finish what is in flight, then close.
    fn shutdown(&mut self, now: &Now);

    /// Set when nothing will follow what [`transmit`](Self::transmit) has given out.
    fn closing(&self) -> Option<Closing>;

    /// The next thing that went wrong: a request that was refused, or a response that could not be
    /// sent. For the log and a counter; the protocol has dealt with it.
    fn refusal(&mut self) -> Option<ProtocolError>;

    /// The connection is over: what there is to tell of requests that [`transmit`](Self::transmit) has not
    /// told the end of. Nothing where nobody observes.
    fn unfinished(&mut self, ended: &mut Vec<Ended>);

    /// Where the connection comes from, as its requests tell it but for their stream and time.
    fn origin(&self) -> &Origin;
}

impl<P: Protocol + ?Sized> Protocol for Box<P> {
    fn receive(&mut self, input: Input<'_>, now: &Now) {
        (**self).receive(input, now);
    }

    fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        (**self).poll()
    }

    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow {
        (**self).send(stream, part, now)
    }

    fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now) {
        (**self).set_paused(stream, paused, now);
    }

    fn upgrade(&mut self, stream: StreamId, accepted: &Accepted, now: &Now) -> Flow {
        (**self).upgrade(stream, accepted, now)
    }

    fn transmit(&mut self, out: &mut Outgoing<'_>, now: &Now) {
        (**self).transmit(out, now);
    }

    fn spool(&mut self, keep: &mut KeepInFile<'_>) {
        (**self).spool(keep);
    }

    fn wants_input(&self) -> bool {
        (**self).wants_input()
    }

    fn content_left(&self) -> u64 {
        (**self).content_left()
    }

    fn deadline(&self) -> Option<Instant> {
        (**self).deadline()
    }

    fn shutdown(&mut self, now: &Now) {
        (**self).shutdown(now);
    }

    fn closing(&self) -> Option<Closing> {
        (**self).closing()
    }

    fn refusal(&mut self) -> Option<ProtocolError> {
        (**self).refusal()
    }

    fn unfinished(&mut self, ended: &mut Vec<Ended>) {
        (**self).unfinished(ended);
    }

    fn origin(&self) -> &Origin {
        (**self).origin()
    }
}

/// What a TLS handshake has agreed on (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpn {
    /// `http/1.1`, or nothing.
    Http1,
    /// `h2`.
    Http2,
}

impl Alpn {
    /// The protocol of this name; none is HTTP/1.1.
    pub fn named(name: Option<&[u8]>) -> Self {
        match name {
            Some(b"h2") => Self::Http2,
            _ => Self::Http1,
        }
    }
}

/// The protocol of a connection whose TLS handshake is done.
pub fn agreed(
    alpn: Alpn,
    settings: Arc<HttpSettings>,
    origin: Origin,
    read: ReadFile,
    now: &Now,
) -> Box<dyn Protocol> {
    match alpn {
        Alpn::Http1 => Box::new(h1::Http1::new(settings, origin, Scheme::Https, now)),
        Alpn::Http2 => Box::new(h2::Http2::new(settings, origin, Scheme::Https, read, now)),
    }
}
