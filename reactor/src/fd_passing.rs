//! Receives bytes and descriptors from a Unix socket: the one place of this crate that needs unsafe
//! code.

use std::mem::{MaybeUninit, size_of, zeroed};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

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
#[derive(Debug)]
pub struct ReceivedFiles {
    /// Bytes read; 0 at the end.
    pub len: usize,
    /// Whether descriptors came that this process had no room for (MSG_CTRUNC).
    pub cut: bool,
}

/// Reads once, without waiting, and appends the descriptors that came along. Also when some were cut
/// off: those that the kernel has installed are owned from here on.
pub fn receive(
    socket: RawFd,
    space: &mut [u8],
    descriptors: &mut Vec<OwnedFd>,
) -> nix::Result<ReceivedFiles> {
    let mut ancillary = Ancillary(MaybeUninit::uninit());
    let mut piece = libc::iovec { iov_base: space.as_mut_ptr().cast(), iov_len: space.len() };
    // SAFETY: a message header of zeros is valid: it points to nothing.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut piece;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.0.as_mut_ptr().cast();
    message.msg_controllen = ANCILLARY_BYTES;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: both buffers are ours and as long as the header says, and outlive the call.
    let read = unsafe { libc::recvmsg(socket, &raw mut message, flags) };
    let len = usize::try_from(read).map_err(|_| nix::Error::last())?;
    // SAFETY: the kernel has filled the header and the control messages it points to.
    unsafe { collect(&message, descriptors) };
    Ok(ReceivedFiles { len, cut: message.msg_flags & libc::MSG_CTRUNC != 0 })
}

/// Takes the descriptors out of a received message.
///
/// # Safety
/// `message` was filled by a successful `recvmsg`, and this is called once for it.
unsafe fn collect(message: &libc::msghdr, descriptors: &mut Vec<OwnedFd>) {
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
                    descriptors.push(OwnedFd::from_raw_fd(descriptor));
                }
            }
            next = libc::CMSG_NXTHDR(message, header);
        }
    }
}
