//! The reactor's end of the control socket to the supervisor.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::socket::{MsgFlags, recvmsg, sendmsg};
use wire::control::{FromReactor, ToReactorControl, decode, encode};
use wire::limits::{CONTROL_BYTES_MAX, CONTROL_DESCRIPTORS_MAX};

use crate::fd_passing;

/// The way to the supervisor, usable from every thread.
#[derive(Debug)]
pub struct Supervisor {
    socket: OwnedFd,
}

/// What one attempt to read the control socket gave.
#[derive(Debug)]
pub enum Control {
    /// A message and the descriptors that came with it.
    Message(ToReactorControl, Vec<OwnedFd>),
    /// Nothing now.
    Nothing,
    /// The supervisor is gone.
    Gone,
}

impl Supervisor {
    /// Wraps the control socket, a `SOCK_SEQPACKET` socket.
    pub fn new(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// For registration with the poll.
    pub fn raw(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Tells the supervisor something. When it is gone, the next read shows it.
    pub fn tell(&self, message: &FromReactor) {
        let packet = encode(message);
        let content = [IoSlice::new(&packet)];
        if let Err(error) = sendmsg::<()>(self.raw(), &content, &[], MsgFlags::MSG_NOSIGNAL, None) {
            log::warn!("cannot tell the supervisor {message:?}: {error}");
        }
    }

    /// Reads one message.
    pub fn receive(&self) -> Control {
        let mut packet = [0; CONTROL_BYTES_MAX];
        let mut ancillary = nix::cmsg_space!([RawFd; CONTROL_DESCRIPTORS_MAX]);
        let mut slices = [IoSliceMut::new(&mut packet)];
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
        let mut descriptors = Vec::new();
        let len = match recvmsg::<()>(self.raw(), &mut slices, Some(&mut ancillary), flags) {
            Ok(message) => {
                if let Err(error) = fd_passing::take(&message, &mut descriptors) {
                    log::error!("descriptors from the supervisor were cut off: {error}");
                }
                message.bytes
            }
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => return Control::Nothing,
            Err(_) => return Control::Gone,
        };
        if len == 0 {
            return Control::Gone;
        }
        match decode(&packet[..len]) {
            Ok(message) => Control::Message(message, descriptors),
            Err(error) => {
                log::error!("the supervisor sent what it never sends: {error}");
                Control::Nothing
            }
        }
    }
}
