//! Takes ownership of descriptors that came over a Unix socket: the one place of this crate that
//! needs unsafe code.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessageOwned, RecvMsg};

/// The descriptors that came with a message.
pub fn take<S>(message: &RecvMsg<'_, '_, S>, descriptors: &mut Vec<OwnedFd>) -> nix::Result<()> {
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = control {
            descriptors.extend(raw.into_iter().map(own));
        }
    }
    Ok(())
}

fn own(raw: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just installed this descriptor for us; nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(raw) }
}
