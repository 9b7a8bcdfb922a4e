//! [`ReadBuffer`]: what all sockets of an event loop are read into.

use std::os::fd::RawFd;

use bytes::BytesMut;
use nix::errno::Errno;
use nix::libc;
use smallvec::SmallVec;
use wire::limits::{READ_BLOCKS_MAX, READ_BYTES_MAX};

/// A read buffer that all connections of an event loop share. What was read is split off, so a body
/// can be passed on without a copy; the space comes back when it has been dropped.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    /// For those who want bytes to write over.
    space: BytesMut,
    /// For what the kernel writes: its length is 0, and what is behind it is not cleared, which would take a
    /// fifth of the time that the kernel takes to copy.
    uncleared: BytesMut,
    /// For what is read into several blocks at once: as `uncleared`, each.
    blocks: Vec<BytesMut>,
}

/// Less space than this is not worth a system call.
const SPACE_BYTES_MIN: usize = 8 << 10;

impl ReadBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
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

    /// Reads once from a socket into so many blocks of up to [`READ_BYTES_MAX`]. Returns those that have something,
    /// and whether all are full. Of a large body the kernel then tells the client less often that there is room
    /// again, which saves a tenth of the time to read it. As of [`receive`](Self::receive), what came in small pieces
    /// shares memory, so that pieces that are kept do not hold a block each.
    pub fn receive_blocks(
        &mut self,
        socket: RawFd,
        blocks: usize,
    ) -> nix::Result<(Vec<BytesMut>, bool)> {
        let blocks = blocks.min(READ_BLOCKS_MAX);
        self.blocks.resize_with(blocks.max(self.blocks.len()), BytesMut::new);
        let mut spaces: SmallVec<[libc::iovec; READ_BLOCKS_MAX]> = SmallVec::new();
        for block in &mut self.blocks[..blocks] {
            if block.capacity() < SPACE_BYTES_MIN {
                block.reserve(READ_BYTES_MAX);
            }
            let space = block.spare_capacity_mut();
            let iov_len = space.len().min(READ_BYTES_MAX);
            spaces.push(libc::iovec { iov_base: space.as_mut_ptr().cast(), iov_len });
        }
        // SAFETY: each block has so much spare capacity, to which the kernel writes; nobody moves it meanwhile.
        let read = unsafe { libc::readv(socket, spaces.as_ptr(), blocks as libc::c_int) };
        let mut left = Errno::result(read)? as usize;
        let mut filled = Vec::with_capacity(blocks);
        for (block, space) in self.blocks.iter_mut().zip(&spaces) {
            let len = left.min(space.iov_len);
            if len == 0 {
                return Ok((filled, false));
            }
            left -= len;
            // SAFETY: the kernel has filled the blocks in their order, this one with so many of those that are left,
            // behind a length of 0.
            unsafe { block.set_len(len) };
            filled.push(block.split());
            if len < space.iov_len {
                return Ok((filled, false));
            }
        }
        Ok((filled, true))
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

    #[test]
    fn a_read_into_blocks_fills_them_in_their_order() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let mut buffer = ReadBuffer::new();
        assert_eq!(buffer.receive_blocks(theirs.as_raw_fd(), 4).unwrap_err(), Errno::EAGAIN);
        let sent: Vec<u8> = (0..3 * READ_BYTES_MAX + 7).map(|nth| (nth / 251) as u8).collect();
        let mut kept = Vec::new();
        for (len, lens) in [
            (sent.len(), &[READ_BYTES_MAX, READ_BYTES_MAX, READ_BYTES_MAX, 7][..]),
            (READ_BYTES_MAX, &[READ_BYTES_MAX]),
            (5, &[5]),
        ] {
            socket2::SockRef::from(&ours).set_send_buffer_size(1 << 20).unwrap();
            ours.write_all(&sent[..len]).unwrap();
            let (blocks, full) = buffer.receive_blocks(theirs.as_raw_fd(), 4).unwrap();
            assert!(!full);
            assert_eq!(blocks.iter().map(|block| block.len()).collect::<Vec<_>>(), lens);
            kept.push((len, blocks));
        }
        let (_, small) = kept.last().unwrap();
        let end = small[0].as_ptr_range().end;
        ours.write_all(b"more").unwrap();
        let (next, _) = buffer.receive_blocks(theirs.as_raw_fd(), 4).unwrap();
        assert_eq!(
            (next[0].as_ptr(), &next[0][..]),
            (end, &b"more"[..]),
            "little does not hold a block"
        );
        ours.write_all(&sent[..2 * READ_BYTES_MAX]).unwrap();
        let (blocks, full) = buffer.receive_blocks(theirs.as_raw_fd(), 2).unwrap();
        assert!(full && blocks.len() == 2, "all that there was room for");
        let came: usize = blocks.iter().map(|block| block.len()).sum();
        let (rest, full) = buffer.receive_blocks(theirs.as_raw_fd(), 2).unwrap();
        assert!(!full && came + rest[0].len() == 2 * READ_BYTES_MAX);
        drop(ours);
        assert!(buffer.receive_blocks(theirs.as_raw_fd(), 2).unwrap().0.is_empty());
        for (len, blocks) in kept {
            assert!(blocks.concat() == sent[..len], "it stays while more is read");
        }
    }
}
