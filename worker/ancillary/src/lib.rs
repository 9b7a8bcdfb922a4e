//! The two system calls by which bytes and descriptors cross a Unix socket.

use std::io::IoSlice;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;

/// What the kernel lets pass with one message (SCM_MAX_FD): whatever a peer sends, there is room for
/// it, and none is lost for want of it.
const DESCRIPTORS_MAX: usize = 253;

// SAFETY: CMSG_SPACE only computes.
const ANCILLARY_BYTES: usize =
    unsafe { libc::CMSG_SPACE((DESCRIPTORS_MAX * size_of::<RawFd>()) as u32) } as usize;

/// Room for control messages, aligned as their headers need it.
#[repr(C, align(8))]
struct Ancillary(MaybeUninit<[u8; ANCILLARY_BYTES]>);

/// What one read gave, beside the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes read; 0 at the end of the stream.
    pub len: usize,
    /// Whether descriptors came that this process had no room for (MSG_CTRUNC).
    pub cut: bool,
}

/// Reads once into `space` and appends the descriptors that came along, also when some were cut off:
/// those that the kernel has installed are owned from here on. Interrupted calls are made again.
pub fn receive(
    socket: BorrowedFd<'_>,
    space: &mut [MaybeUninit<u8>],
    descriptors: &mut impl Extend<OwnedFd>,
    flags: libc::c_int,
) -> nix::Result<Received> {
    let mut ancillary = Ancillary(MaybeUninit::uninit());
    let mut piece = libc::iovec { iov_base: space.as_mut_ptr().cast(), iov_len: space.len() };
    loop {
        // SAFETY: a message header of zeros is valid: it points to nothing.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = &raw mut piece;
        message.msg_iovlen = 1;
        message.msg_control = ancillary.0.as_mut_ptr().cast();
        message.msg_controllen = ANCILLARY_BYTES;
        // SAFETY: both buffers are ours and as long as the header says, and outlive the call.
        let read = unsafe {
            libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags | libc::MSG_CMSG_CLOEXEC)
        };
        let Ok(read) = usize::try_from(read) else {
            match Errno::last() {
                Errno::EINTR => continue,
                error => return Err(error),
            }
        };
        if message.msg_controllen > 0 {
            // SAFETY: the kernel has filled the header and the control messages it points to.
            unsafe { collect(&message, descriptors) };
        }
        return Ok(Received { len: read, cut: message.msg_flags & libc::MSG_CTRUNC != 0 });
    }
}

/// As [`receive`], into memory that holds something already.
pub fn receive_over(
    socket: BorrowedFd<'_>,
    space: &mut [u8],
    descriptors: &mut impl Extend<OwnedFd>,
    flags: libc::c_int,
) -> nix::Result<Received> {
    // SAFETY: the same bytes; the kernel writes only such that are initialised.
    let space = unsafe { &mut *(std::ptr::from_mut(space) as *mut [MaybeUninit<u8>]) };
    receive(socket, space, descriptors, flags)
}

/// Writes once: `descriptors` go with the first byte. Never raises SIGPIPE. Interrupted calls are
/// made again.
pub fn send(
    socket: BorrowedFd<'_>,
    pieces: &[IoSlice<'_>],
    descriptors: &[RawFd],
    flags: libc::c_int,
) -> nix::Result<usize> {
    debug_assert!(descriptors.len() <= DESCRIPTORS_MAX);
    let mut ancillary = Ancillary(MaybeUninit::uninit());
    // SAFETY: a message header of zeros is valid: it points to nothing.
    let mut message: libc::msghdr = unsafe { zeroed() };
    // IoSlice has the layout of iovec, and sendmsg does not write through it.
    message.msg_iov = pieces.as_ptr().cast_mut().cast();
    message.msg_iovlen = pieces.len();
    if !descriptors.is_empty() {
        message.msg_control = ancillary.0.as_mut_ptr().cast();
        // SAFETY: the buffer has room for DESCRIPTORS_MAX descriptors.
        message.msg_controllen = unsafe { attach(&mut message, descriptors) };
    }
    loop {
        // SAFETY: the header points to slices and to control data that outlive the call.
        let sent = unsafe {
            libc::sendmsg(socket.as_raw_fd(), &raw const message, flags | libc::MSG_NOSIGNAL)
        };
        if let Ok(sent) = usize::try_from(sent) {
            return Ok(sent);
        }
        let error = Errno::last();
        if error != Errno::EINTR {
            return Err(error);
        }
    }
}

/// Takes the descriptors out of a received message.
///
/// # Safety
/// `message` was filled by a successful `recvmsg`, and this is called once for it.
unsafe fn collect(message: &libc::msghdr, descriptors: &mut impl Extend<OwnedFd>) {
    // SAFETY: the kernel has written well-formed control messages of `msg_controllen` bytes; each
    // descriptor in them was installed for this process just now and has no other owner.
    unsafe {
        let mut next = libc::CMSG_FIRSTHDR(message);
        while let Some(header) = next.as_ref() {
            if header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_RIGHTS {
                let data = libc::CMSG_DATA(header).cast::<RawFd>();
                let bytes = header.cmsg_len - libc::CMSG_LEN(0) as usize;
                for index in 0..bytes / size_of::<RawFd>() {
                    let descriptor = data.add(index).read_unaligned();
                    descriptors.extend([OwnedFd::from_raw_fd(descriptor)]);
                }
            }
            next = libc::CMSG_NXTHDR(message, header);
        }
    }
}

/// Writes the descriptors as one control message and returns the length of the control data.
///
/// # Safety
/// `message.msg_control` points to room for them, aligned for a control message's header.
unsafe fn attach(message: &mut libc::msghdr, descriptors: &[RawFd]) -> usize {
    let bytes = size_of_val(descriptors) as u32;
    // SAFETY: header and data lie in the buffer that the caller vouches for.
    unsafe {
        let header = message.msg_control.cast::<libc::cmsghdr>();
        header.write(libc::cmsghdr {
            cmsg_len: libc::CMSG_LEN(bytes) as usize,
            cmsg_level: libc::SOL_SOCKET,
            cmsg_type: libc::SCM_RIGHTS,
        });
        let data = libc::CMSG_DATA(header).cast::<RawFd>();
        data.copy_from_nonoverlapping(descriptors.as_ptr(), descriptors.len());
        libc::CMSG_SPACE(bytes) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn descriptors_arrive_with_the_bytes() {
        let (here, there) = UnixStream::pair().unwrap();
        let (mut kept, passed) = UnixStream::pair().unwrap();
        let pieces = [IoSlice::new(b"ab"), IoSlice::new(b"c")];
        assert_eq!(send(here.as_fd(), &pieces, &[passed.as_raw_fd()], 0).unwrap(), 3);
        drop(passed);
        let mut space = [MaybeUninit::<u8>::uninit(); 8];
        let mut descriptors = Vec::new();
        let received = receive(there.as_fd(), &mut space, &mut descriptors, 0).unwrap();
        assert_eq!(received, Received { len: 3, cut: false });
        let mut copy = UnixStream::from(descriptors.pop().unwrap());
        copy.write_all(b"x").unwrap();
        let mut byte = [0];
        kept.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
        assert!(descriptors.is_empty());
    }

    #[test]
    fn a_closed_peer_is_an_error_and_no_signal() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(there);
        let error = send(here.as_fd(), &[IoSlice::new(b"x")], &[], 0).unwrap_err();
        assert_eq!(error, Errno::EPIPE);
        let mut space = [MaybeUninit::<u8>::uninit(); 8];
        assert_eq!(receive(here.as_fd(), &mut space, &mut Vec::new(), 0).unwrap().len, 0);
    }
}
