//! The side of a TLS stream that faces the socket: records as they come and go.
//!
//! It never makes the TLS library wait for the socket: what is read was read before, and what the
//! socket does not take is kept here. So many records leave by one system call, and a record is
//! never half written as far as the library is concerned.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use bytes::{Buf, BytesMut};
use nix::sys::socket::{MsgFlags, send};
use wire::FileSlice;
use wire::limits::{SPOOL_BLOCK_BYTES, SPOOL_PIECE_BYTES_MIN, TLS_BATCH_BYTES_MAX};

use crate::file;
use crate::read_buffer::ReadBuffer;
use crate::socket::SocketRead;

/// The socket, and the records on their way.
#[derive(Debug)]
pub(crate) struct WireEnd {
    pub(super) fd: OwnedFd,
    /// Read from the socket, not taken by the library yet.
    incoming: BytesMut,
    /// Written by the library, not taken by the socket yet: first what lies in files, because there was no room
    /// in memory.
    spooled: VecDeque<FileSlice>,
    unsent: BytesMut,
    /// Whether more will be written at once, so that it is worth waiting.
    pub(super) hold: bool,
    /// Bytes that the socket has taken.
    pub(super) sent: u64,
    /// Bytes that the socket has given.
    pub(super) received: u64,
}

/// What one attempt to read the socket gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Bytes; `drained` when there were no more at that moment.
    Some { drained: bool },
    /// Nothing now.
    Nothing,
    /// The client will send no more.
    Eof,
    /// The connection is broken.
    Broken,
}

impl WireEnd {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        let (incoming, unsent) = (BytesMut::new(), BytesMut::new());
        let spooled = VecDeque::new();
        Self { fd, incoming, spooled, unsent, hold: false, sent: 0, received: 0 }
    }

    /// What has been read and not been taken.
    pub(super) fn incoming(&self) -> &[u8] {
        &self.incoming
    }

    /// Whether the socket has to take something before anything else can be written.
    pub(super) fn is_blocked(&self) -> bool {
        !self.unsent.is_empty() || !self.spooled.is_empty()
    }

    /// Bytes in memory that the socket has not taken.
    pub(super) fn unsent_bytes(&self) -> u64 {
        self.unsent.len() as u64
    }

    /// What is in memory goes to files as far as `keep` takes it, in pieces that are worth it.
    pub(super) fn spool(&mut self, keep: &mut dyn FnMut(&[u8]) -> Option<FileSlice>) {
        while self.unsent.len() >= SPOOL_PIECE_BYTES_MIN {
            let len = self.unsent.len().min(SPOOL_BLOCK_BYTES);
            let Some(slice) = keep(&self.unsent[..len]) else { return };
            self.spooled.push_back(slice);
            self.unsent.advance(len);
        }
        // The memory is what this is for.
        self.unsent = BytesMut::from(&self.unsent[..]);
    }

    /// Reads from the socket once.
    pub(super) fn fill(&mut self, buffer: &mut ReadBuffer) -> Fill {
        loop {
            let read = buffer.receive(self.fd.as_raw_fd());
            return match read {
                Ok((bytes, _)) if bytes.is_empty() => Fill::Eof,
                Ok((bytes, full)) => {
                    self.received += bytes.len() as u64;
                    self.incoming = bytes;
                    Fill::Some { drained: !full }
                }
                Err(nix::Error::EINTR) => continue,
                Err(nix::Error::EAGAIN) => Fill::Nothing,
                Err(_) => Fill::Broken,
            };
        }
    }

    /// Reads once, past TLS.
    pub(super) fn receive_raw(&mut self, buffer: &mut ReadBuffer) -> SocketRead {
        match self.fill(buffer) {
            Fill::Some { drained } => SocketRead::Bytes { bytes: self.incoming.split(), drained },
            Fill::Nothing => SocketRead::Nothing,
            Fill::Eof => SocketRead::Eof,
            Fill::Broken => SocketRead::Broken,
        }
    }

    /// Writes what is kept.
    pub(super) fn push(&mut self) -> io::Result<()> {
        if !self.push_spooled()? {
            return Ok(());
        }
        while !self.unsent.is_empty() {
            match self.send(&self.unsent)? {
                0 => return Ok(()),
                sent => {
                    self.sent += sent as u64;
                    self.unsent.advance(sent);
                }
            }
        }
        // An idle connection keeps no memory for it.
        self.unsent = BytesMut::new();
        Ok(())
    }

    /// Writes what lies in files; `false` when there is more. A piece is read anew each time, so that a client
    /// that takes little holds no memory for the rest.
    fn push_spooled(&mut self) -> io::Result<bool> {
        while let Some(slice) = self.spooled.front() {
            let piece = file::read(slice, SPOOL_BLOCK_BYTES).filter(|piece| !piece.is_empty());
            let sent = self.send(&piece.ok_or(io::ErrorKind::UnexpectedEof)?)?;
            self.sent += sent as u64;
            let Some(slice) = self.spooled.front_mut() else { break };
            (slice.offset, slice.len) = (slice.offset + sent as u64, slice.len - sent as u64);
            match slice.len {
                0 => self.spooled.pop_front(),
                _ if sent == 0 => return Ok(false),
                _ => continue,
            };
        }
        Ok(true)
    }

    /// Returns 0 when the socket takes nothing now.
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            return match send(self.fd.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
                Ok(sent) => Ok(sent),
                Err(nix::Error::EINTR) => continue,
                Err(nix::Error::EAGAIN) => Ok(0),
                Err(error) => Err(error.into()),
            };
        }
    }
}

impl Read for WireEnd {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = space.len().min(self.incoming.len());
        self.incoming.copy_to_slice(&mut space[..len]);
        if self.incoming.is_empty() {
            // Gives the shared buffer back.
            self.incoming = BytesMut::new();
        }
        Ok(len)
    }
}

impl Write for WireEnd {
    /// Takes everything. Whoever writes content looks at [`is_blocked`](WireEnd::is_blocked) first,
    /// and the library itself writes no more than a few records without being asked.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        if !self.is_blocked() && !self.hold {
            let sent = self.send(bytes)?;
            self.sent += sent as u64;
            rest = &bytes[sent..];
        }
        self.unsent.extend_from_slice(rest);
        if self.unsent.len() >= TLS_BATCH_BYTES_MAX {
            self.push()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
