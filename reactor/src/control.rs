//! The reactor's end of the control socket to the supervisor.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::libc::MSG_DONTWAIT;
use nix::sys::socket::{MsgFlags, sendmsg};
use wire::control::{FromReactor, ToReactorControl, decode, encode};
use wire::limits::CONTROL_BYTES_MAX;

/// The way to the supervisor, usable from every thread.
#[derive(Debug)]
pub struct ControlSocket {
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

impl ControlSocket {
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
        let mut descriptors = Vec::new();
        let socket = self.socket.as_fd();
        let read = ancillary::receive_over(socket, &mut packet, &mut descriptors, MSG_DONTWAIT);
        let len = match read {
            Ok(received) => {
                if received.cut {
                    log::error!(
                        "links to a worker are lost: no more files can be opened; raise the limit of \
                         open files (ulimit -n)"
                    );
                }
                received.len
            }
            Err(nix::Error::EAGAIN) => return Control::Nothing,
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
