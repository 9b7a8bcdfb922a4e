//! [`ReadBuffer`]: what all sockets of an event loop are read into.

use std::os::fd::RawFd;

use bytes::BytesMut;
use nix::errno::Errno;
use nix::libc;
use wire::limits::READ_BYTES_MAX;

/// A read buffer that all connections of an event loop share. What was read is split off, so a body
/// can be passed on without a copy; the space comes back when it has been dropped.
#[derive(Debug)]
pub struct ReadBuffer {
    /// For those who want bytes to write over.
    space: BytesMut,
    /// For what the kernel writes: its length is 0, and what is behind it is not cleared, which would take a
    /// fifth of the time that the kernel takes to copy.
    uncleared: BytesMut,
}

/// Less space than this is not worth a system call.
const SPACE_BYTES_MIN: usize = 8 << 10;

impl ReadBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self { space: BytesMut::new(), uncleared: BytesMut::new() }
    }

    /// Lets `read` fill the buffer's space and returns what it filled, and whether it filled all.
    pub fn fill(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> nix::Result<usize>,
    ) -> nix::Result<(BytesMut, bool)> {
        if self.space.len() < SPACE_BYTES_MIN {
            self.space.clear();
            self.space.resize(READ_BYTES_MAX, 0);
        }
        let len = read(&mut self.space)?;
        let full = len == self.space.len();
        Ok((self.space.split_to(len), full))
    }

    /// Reads once from a socket. Returns what there was, and whether it filled all the space.
    pub fn receive(&mut self, socket: RawFd) -> nix::Result<(BytesMut, bool)> {
        if self.uncleared.capacity() < SPACE_BYTES_MIN {
            self.uncleared.reserve(READ_BYTES_MAX);
        }
        let space = self.uncleared.spare_capacity_mut();
        let room = space.len().min(READ_BYTES_MAX);
        // SAFETY: there is room for so many bytes, which the kernel writes at most.
        let read = unsafe { libc::recv(socket, space.as_mut_ptr().cast(), room, 0) };
        let len = Errno::result(read)? as usize;
        // SAFETY: the kernel has written so many, of the spare capacity behind a length of 0.
        unsafe { self.uncleared.set_len(len) };
        Ok((self.uncleared.split(), len == room))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_was_read_stays_what_it_was_while_more_is_read() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let mut buffer = ReadBuffer::new();
        assert_eq!(buffer.receive(theirs.as_raw_fd()), Err(Errno::EAGAIN));
        let mut kept = Vec::new();
        for nth in 0..100u8 {
            let sent = vec![nth; 1 + usize::from(nth) * 99];
            ours.write_all(&sent).unwrap();
            let mut came = BytesMut::new();
            while came.len() < sent.len() {
                let (bytes, full) = buffer.receive(theirs.as_raw_fd()).unwrap();
                assert!(full || came.len() + bytes.len() == sent.len());
                came.unsplit(bytes);
            }
            // Every second one gives its space back.
            if nth % 2 == 0 {
                kept.push((sent, came));
            }
        }
        assert!(kept.iter().all(|(sent, came)| sent == came));
        ours.write_all(&vec![b'x'; 2 * READ_BYTES_MAX]).unwrap();
        let (bytes, full) = buffer.receive(theirs.as_raw_fd()).unwrap();
        assert!(full && bytes.len() <= READ_BYTES_MAX);
        drop(ours);
        while !buffer.receive(theirs.as_raw_fd()).unwrap().0.is_empty() {}
    }
}
