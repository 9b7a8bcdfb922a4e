//! Client sockets: TCP and Unix streams, in cleartext or by TLS, behind one type; read and written
//! without blocking.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use boring::ssl::SslContext;
use bytes::{Bytes, BytesMut};
use nix::sys::sendfile::sendfile;
use nix::sys::socket::{MsgFlags, recv, send, sendmsg};
use socket2::SockRef;
use wire::FileSlice;
use wire::limits::SPOOL_BLOCK_BYTES;

use crate::file;
use crate::protocol::{Chunk, Output};
use crate::read_buffer::ReadBuffer;
use crate::tls::stream::TlsStream;

/// Chunks in one vectored write.
const VECTOR_MAX: usize = 16;

/// Bytes that one `sendfile` call may move, so that one client with a large file does not hold the
/// event loop.
const SENDFILE_BYTES_MAX: usize = 1 << 20;

/// What one attempt to read gave.
#[derive(Debug)]
pub enum SocketRead {
    /// Bytes; `drained` when the socket had no more at that moment.
    Bytes {
        /// What was read.
        bytes: BytesMut,
        /// Whether the next edge of readiness will tell of anything further.
        drained: bool,
    },
    /// More, block by block.
    Blocks {
        /// What was read.
        blocks: Vec<BytesMut>,
        /// As above.
        drained: bool,
    },
    /// Nothing now.
    Nothing,
    /// The client will send no more.
    Eof,
    /// The connection is broken.
    Broken,
}

/// A client's connection as far as bytes go: in cleartext or by TLS. Non-blocking.
#[derive(Debug)]
pub enum Socket {
    /// Bytes as they are.
    Plain(Plain),
    /// Through TLS.
    Tls(Box<TlsStream>),
}

impl Socket {
    /// A connection in cleartext, over a non-blocking stream socket.
    pub fn plain(fd: OwnedFd) -> Self {
        Self::Plain(Plain { fd })
    }

    /// A connection by TLS, before its handshake.
    pub fn tls(fd: OwnedFd, context: &SslContext) -> io::Result<Self> {
        TlsStream::new(fd, context).map(|stream| Self::Tls(Box::new(stream)))
    }

    fn fd(&self) -> &OwnedFd {
        match self {
            Self::Plain(plain) => &plain.fd,
            Self::Tls(stream) => stream.fd(),
        }
    }

    /// For registration with the poll.
    pub fn raw(&self) -> RawFd {
        self.fd().as_raw_fd()
    }

    /// Looks at what the client has sent first, before TLS too, without taking it. 0 at its end.
    pub fn peek(&self, space: &mut [u8]) -> nix::Result<usize> {
        loop {
            match recv(self.raw(), space, MsgFlags::MSG_PEEK) {
                Err(nix::Error::EINTR) => {}
                result => return result,
            }
        }
    }

    /// Takes what was looked at, and no more. Returns whether it was there.
    pub fn discard(&self, bytes: &mut [u8]) -> bool {
        let mut taken = 0;
        while taken < bytes.len() {
            match recv(self.raw(), &mut bytes[taken..], MsgFlags::empty()) {
                Ok(0) => return false,
                Ok(len) => taken += len,
                Err(nix::Error::EINTR) => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Reads once: into so many blocks in cleartext.
    pub fn receive(&mut self, buffer: &mut ReadBuffer, blocks: usize) -> SocketRead {
        match self {
            Self::Plain(plain) if blocks > 1 => plain.receive_blocks(buffer, blocks),
            Self::Plain(plain) => plain.receive(buffer),
            Self::Tls(stream) => stream.receive(buffer),
        }
    }

    /// Writes as much of `out` as the socket takes. Returns the number of bytes on the wire: more
    /// than went out of `out` when TLS adds to it, less when it keeps some.
    pub fn transmit(&mut self, out: &mut Output) -> io::Result<u64> {
        match self {
            Self::Plain(plain) => plain.transmit(out),
            Self::Tls(stream) => stream.transmit(out),
        }
    }

    /// Whether something waits that has left the output already; `transmit` goes on with it.
    pub fn has_unsent(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.has_unsent())
    }

    /// Bytes in memory of what [`has_unsent`](Self::has_unsent) tells.
    pub fn unsent_bytes(&self) -> u64 {
        match self {
            Self::Plain(_) => 0,
            Self::Tls(stream) => stream.unsent_bytes(),
        }
    }

    /// That goes to files as far as `keep` takes it, in pieces that are worth it.
    pub fn spool(&mut self, keep: &mut dyn FnMut(&[u8]) -> Option<FileSlice>) {
        if let Self::Tls(stream) = self {
            stream.spool(keep);
        }
    }

    /// Sends close_notify (RFC 8446, 6.1) on a connection by TLS; in cleartext there is no such thing.
    pub fn send_close_notify(&mut self) {
        if let Self::Tls(stream) = self {
            stream.close_notify();
        }
    }

    /// Says to the client that nothing more will come.
    pub fn shutdown_write(&mut self) {
        self.send_close_notify();
        // Fails if the client is gone already, which needs no answer.
        let _ = SockRef::from(self.fd()).shutdown(std::net::Shutdown::Write);
    }

    /// Makes the close that follows a reset, so that the client can tell that the message is broken.
    pub fn reset_on_close(&self) {
        // Fails on a Unix socket, where a close with unread or unsent data is a reset anyway.
        let _ = SockRef::from(self.fd()).set_linger(Some(Duration::ZERO));
    }
}

/// Reads what is at the front where it lies in a file that is written to again: it may not be sent from there.
/// It is read anew for each write, so that a client that takes little at a time holds no memory for the rest.
fn load_leased(out: &Output) -> io::Result<Option<Bytes>> {
    match out.chunks().next() {
        Some(Chunk::File(slice)) if slice.is_leased() => {
            let bytes = file::read(slice, SPOOL_BLOCK_BYTES).filter(|bytes| !bytes.is_empty());
            bytes.map(Some).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        }
        _ => Ok(None),
    }
}

/// A connection in cleartext.
#[derive(Debug)]
pub struct Plain {
    fd: OwnedFd,
}

impl Plain {
    fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Reads once.
    pub fn receive(&self, buffer: &mut ReadBuffer) -> SocketRead {
        loop {
            return match buffer.receive(self.raw()) {
                Ok((bytes, _)) if bytes.is_empty() => SocketRead::Eof,
                Ok((bytes, full)) => SocketRead::Bytes { bytes, drained: !full },
                Err(nix::Error::EINTR) => continue,
                Err(nix::Error::EAGAIN) => SocketRead::Nothing,
                Err(_) => SocketRead::Broken,
            };
        }
    }

    /// Reads once, into so many blocks.
    fn receive_blocks(&self, buffer: &mut ReadBuffer, blocks: usize) -> SocketRead {
        loop {
            return match buffer.receive_blocks(self.raw(), blocks) {
                Ok((blocks, _)) if blocks.is_empty() => SocketRead::Eof,
                Ok((blocks, full)) => SocketRead::Blocks { blocks, drained: !full },
                Err(nix::Error::EINTR) => continue,
                Err(nix::Error::EAGAIN) => SocketRead::Nothing,
                Err(_) => SocketRead::Broken,
            };
        }
    }

    /// Writes as much of `out` as the socket takes. Returns the number of bytes.
    pub fn transmit(&self, out: &mut Output) -> Result<u64, io::Error> {
        let mut total = 0;
        while !out.is_empty() {
            let loaded = load_leased(out)?;
            match self.write_once(out, loaded.as_deref()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    out.advance(written as u64);
                    total += written as u64;
                }
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(total)
    }

    /// `loaded` is what is at the front and lies in a file that may not be sent from.
    fn write_once(&self, out: &Output, loaded: Option<&[u8]>) -> nix::Result<usize> {
        let mut slices = [IoSlice::new(&[]); VECTOR_MAX];
        let mut count = 0;
        let mut more = MsgFlags::empty();
        let mut chunks = out.chunks();
        let mut rest = usize::MAX;
        if let Some(loaded) = loaded {
            (slices[0], count) = (IoSlice::new(loaded), 1);
            let all = chunks.next().is_some_and(|front| front.len() == loaded.len() as u64);
            rest = if all { rest } else { 0 };
        }
        for chunk in chunks.take(rest) {
            match chunk {
                // What follows is to be read first.
                Chunk::File(file) if file.is_leased() => break,
                Chunk::File(file) if count == 0 => {
                    let mut offset = file.offset as i64;
                    let len = usize::try_from(file.len).unwrap_or(usize::MAX);
                    let len = len.min(SENDFILE_BYTES_MAX);
                    return sendfile(&self.fd, &file.fd, Some(&mut offset), len);
                }
                Chunk::File(_) => {
                    more = MsgFlags::from_bits_retain(nix::libc::MSG_MORE);
                    break;
                }
                _ if chunk.is_empty() => {}
                _ if count == VECTOR_MAX => break,
                Chunk::Buffer(bytes) => slices[count] = IoSlice::new(bytes),
                Chunk::Bytes(bytes) => slices[count] = IoSlice::new(bytes),
            }
            count += usize::from(!chunk.is_empty());
        }
        let flags = MsgFlags::MSG_NOSIGNAL | more;
        match &slices[..count] {
            [only] => send(self.raw(), only, flags),
            several => sendmsg::<()>(self.raw(), several, &[], flags, None),
        }
    }
}
