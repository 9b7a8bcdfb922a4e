//! A client's TLS stream: the handshake, then bytes in and out. Nothing here waits.

use std::fmt;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use boring::ssl::{Error, ErrorCode, ShutdownState, Ssl, SslContext, SslStream};
use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use wire::FileSlice;
use wire::limits::TLS_PIECE_BYTES_MAX;
use wire::tls::TlsInfo;

use super::info;
use super::wire_end::{Fill, WireEnd};
use crate::file;
use crate::protocol::{Alpn, Chunk, Output};
use crate::read_buffer::ReadBuffer;
use crate::socket::SocketRead;

/// The most content bytes of a record (RFC 8446, 5.1).
const RECORD_BYTES_MAX: usize = 16 << 10;

/// One client's TLS.
pub(crate) struct TlsStream {
    stream: SslStream<WireEnd>,
    state: TlsState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TlsState {
    Open,
    /// The client will send no more.
    Ended,
    /// Nothing more can be made of what the client sends.
    Broken,
    /// There is no TLS.
    Failed,
}

/// How far the handshake is.
#[derive(Debug)]
pub(crate) enum HandshakeProgress {
    /// The client has to say more first.
    Pending,
    /// It is done.
    Done,
    /// It failed; the client has been told. What it sends from now on is given out as it is.
    Failed(String),
    /// The client has left.
    Gone,
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("state", &self.state).finish_non_exhaustive()
    }
}

impl TlsStream {
    /// A stream over a non-blocking socket, before its handshake.
    pub(crate) fn new(fd: OwnedFd, context: &SslContext) -> io::Result<Self> {
        let stream = Ssl::new(context).and_then(|ssl| SslStream::new(ssl, WireEnd::new(fd)));
        Ok(Self { stream: stream.map_err(io::Error::other)?, state: TlsState::Open })
    }

    /// The socket.
    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.stream.get_ref().fd
    }

    /// Goes on with the handshake, as far as what the client has sent allows.
    pub(crate) fn handshake(&mut self, buffer: &mut ReadBuffer) -> HandshakeProgress {
        if self.stream.get_mut().push().is_err() {
            return HandshakeProgress::Gone;
        }
        loop {
            let end = self.stream.get_mut();
            if end.incoming().is_empty() {
                let first = end.received == 0;
                match end.fill(buffer) {
                    Fill::Some { .. } if first && is_cleartext(end.incoming()) => {
                        return self.refuse_cleartext();
                    }
                    Fill::Some { .. } => {}
                    Fill::Nothing => return HandshakeProgress::Pending,
                    Fill::Eof | Fill::Broken => return HandshakeProgress::Gone,
                }
            }
            match self.stream.accept() {
                Ok(()) => return HandshakeProgress::Done,
                Err(error) if error.code() == ErrorCode::WANT_READ => {}
                Err(error) => {
                    self.state = TlsState::Failed;
                    return HandshakeProgress::Failed(reason(&error));
                }
            }
        }
    }

    /// Answers a client that does not speak TLS but, by its first byte, HTTP.
    fn refuse_cleartext(&mut self) -> HandshakeProgress {
        self.state = TlsState::Failed;
        // Nothing was written before, so the socket has room; a client that is gone needs no answer.
        let _ = self.stream.get_mut().write_all(NO_CLEARTEXT);
        HandshakeProgress::Failed("it speaks HTTP in cleartext".to_owned())
    }

    /// Acknowledges the end of the handshake now, unless there is something to do that will. The
    /// library says nothing before the first answer, and a client with Nagle's algorithm (RFC 9293,
    /// 3.7.4) does not send its first request before the acknowledgement, which the kernel delays.
    pub(crate) fn acknowledge(&self) {
        if self.stream.get_ref().incoming().is_empty() {
            // A client that is gone needs none.
            let _ = SockRef::from(self.fd()).set_tcp_quickack(true);
        }
    }

    /// The protocol that the handshake has agreed on.
    pub(crate) fn protocol(&self) -> Alpn {
        Alpn::named(self.stream.ssl().selected_alpn_protocol())
    }

    /// Whether the handshake has resumed a session (RFC 8446, 2.2).
    pub(crate) fn is_resumed(&self) -> bool {
        self.stream.ssl().session_reused()
    }

    /// What requests tell of this stream.
    pub(crate) fn info(&self) -> TlsInfo {
        info::of(self.stream.ssl())
    }

    /// Reads once.
    pub(crate) fn receive(&mut self, buffer: &mut ReadBuffer) -> SocketRead {
        loop {
            match self.state {
                TlsState::Open => {}
                TlsState::Ended => return SocketRead::Eof,
                TlsState::Broken => return SocketRead::Broken,
                TlsState::Failed => return self.stream.get_mut().receive_raw(buffer),
            }
            let mut drained = false;
            if self.stream.get_ref().incoming().is_empty() && self.stream.ssl().pending() == 0 {
                match self.stream.get_mut().fill(buffer) {
                    Fill::Some { drained: all } => drained = all,
                    Fill::Nothing => return SocketRead::Nothing,
                    Fill::Eof => return SocketRead::Eof,
                    Fill::Broken => return SocketRead::Broken,
                }
            }
            let mut more = false;
            let bytes = match buffer.fill(|space| {
                let (len, full) = self.decrypt(space);
                more = full;
                Ok(len)
            }) {
                Ok((bytes, _)) => bytes,
                Err(_) => return SocketRead::Broken,
            };
            drained &= !more && self.state == TlsState::Open;
            if !bytes.is_empty() {
                return SocketRead::Bytes { bytes, drained };
            }
            if drained {
                return SocketRead::Nothing;
            }
        }
    }

    /// Fills `space` with content. Returns how much of it, and whether there may be more.
    fn decrypt(&mut self, space: &mut [u8]) -> (usize, bool) {
        let mut len = 0;
        while len < space.len() {
            match self.stream.ssl_read(&mut space[len..]) {
                Ok(0) => break,
                Ok(read) => {
                    len += read;
                    // As a rule one record is all there is: to ask for more would be in vain.
                    if self.stream.get_ref().incoming().is_empty()
                        && self.stream.ssl().pending() == 0
                    {
                        return (len, false);
                    }
                }
                Err(error) if error.code() == ErrorCode::WANT_READ => return (len, false),
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => {
                    self.state = TlsState::Ended;
                    return (len, false);
                }
                Err(_) => {
                    self.state = TlsState::Broken;
                    return (len, false);
                }
            }
        }
        (len, true)
    }

    /// Writes as much of `out` as the socket takes. Returns how many bytes it took.
    pub(crate) fn transmit(&mut self, out: &mut Output) -> io::Result<u64> {
        let before = self.stream.get_ref().sent;
        loop {
            self.stream.get_mut().push()?;
            if self.has_unsent() || out.is_empty() {
                break;
            }
            // One record goes straight to the socket; several are collected.
            self.stream.get_mut().hold = out.len() > RECORD_BYTES_MAX as u64;
            let mut batch = 0;
            while batch < TLS_PIECE_BYTES_MAX && !out.is_empty() {
                let written = self.write_piece(out)?;
                out.advance(written as u64);
                batch += written;
            }
            self.stream.get_mut().hold = false;
        }
        Ok(self.stream.get_ref().sent - before)
    }

    /// Whether records wait for the socket.
    pub(crate) fn has_unsent(&self) -> bool {
        self.stream.get_ref().is_blocked()
    }

    /// Bytes of them in memory.
    pub(crate) fn unsent_bytes(&self) -> u64 {
        self.stream.get_ref().unsent_bytes()
    }

    /// They go to files as far as `keep` takes them.
    pub(crate) fn spool(&mut self, keep: &mut dyn FnMut(&[u8]) -> Option<FileSlice>) {
        self.stream.get_mut().spool(keep);
    }

    fn write_piece(&mut self, out: &Output) -> io::Result<usize> {
        let mut chunks = out.chunks().filter(|chunk| !chunk.is_empty());
        let piece: &[u8] = match chunks.next() {
            None => return Ok(0),
            Some(Chunk::File(file)) => return self.encrypt(&read_piece(file)?),
            Some(Chunk::Buffer(bytes)) => bytes,
            Some(Chunk::Bytes(bytes)) => bytes,
        };
        let mut rest = chunks.peekable();
        if piece.len() >= RECORD_BYTES_MAX || rest.peek().is_none() {
            return self.encrypt(&piece[..piece.len().min(TLS_PIECE_BYTES_MAX)]);
        }
        // A head and the start of its content share a record.
        let mut joined = BytesMut::with_capacity(RECORD_BYTES_MAX);
        joined.extend_from_slice(piece);
        for chunk in rest {
            let room = RECORD_BYTES_MAX - joined.len();
            match chunk {
                _ if room == 0 => break,
                Chunk::File(_) => break,
                Chunk::Buffer(bytes) => joined.extend_from_slice(&bytes[..bytes.len().min(room)]),
                Chunk::Bytes(bytes) => joined.extend_from_slice(&bytes[..bytes.len().min(room)]),
            }
        }
        self.encrypt(&joined)
    }

    fn encrypt(&mut self, piece: &[u8]) -> io::Result<usize> {
        // All of it: the end that faces the socket takes everything.
        self.stream.ssl_write(piece).map_err(|error| io::Error::other(reason(&error)))
    }

    /// Says to the client that nothing more will come (RFC 8446, 6.1).
    pub(crate) fn close_notify(&mut self) {
        if self.stream.ssl().is_init_finished()
            && !self.stream.get_shutdown().contains(ShutdownState::SENT)
        {
            // A client that is gone already needs no farewell.
            let _ = self.stream.shutdown();
        }
    }
}

/// The answer to HTTP in cleartext on a port that speaks TLS.
const NO_CLEARTEXT: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 49\r\n\
    Connection: close\r\n\r\n\
    This port speaks HTTPS: use https:// in its URL.\n";

/// A record of a handshake begins with 22, an HTTP request with a letter of its method.
fn is_cleartext(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
}

/// Reads the next bytes of a file; they are in the page cache as a rule.
fn read_piece(file: &FileSlice) -> io::Result<Bytes> {
    let piece = file::read(file, TLS_PIECE_BYTES_MAX).filter(|piece| !piece.is_empty());
    // It has become shorter since its length was promised.
    piece.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn reason(error: &Error) -> String {
    match error.ssl_error() {
        Some(stack) => super::certificates::detail(stack),
        None => error.to_string(),
    }
}
