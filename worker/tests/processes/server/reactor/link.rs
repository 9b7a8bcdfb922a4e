//! The played reactor's end of a link.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use wire::shm::Marks;
use wire::shm::arena::Arena;
use wire::{Address, Decoder, Encoder, ExchangeId, ToReactor, ToWorker};

/// One link, its marks, and who is on it.
pub struct Link {
    pub socket: OwnedFd,
    pub marks: Marks,
    given: [bool; wire::limits::HANDOVER_DEPTH_MAX],
    encoder: Encoder,
    decoder: Decoder,
}

impl Link {
    pub fn new(socket: OwnedFd, marks: Marks, arena: Arena) -> Self {
        let encoder = Encoder::default();
        let decoder = Decoder { arena: Some(arena), ..Decoder::default() };
        Self { socket, marks, given: Default::default(), encoder, decoder }
    }

    pub fn give(&mut self, id: ExchangeId) -> u8 {
        let index = self.given.iter().position(|given| !given).expect("a free mark");
        self.given[index] = true;
        self.marks.get(index as u8).expect("a mark").give(id);
        index as u8
    }

    pub fn take_back(&mut self, mark: u8, id: ExchangeId) -> bool {
        let taken = self.marks.get(mark).expect("a mark").take_back(id);
        self.given[usize::from(mark)] &= !taken;
        taken
    }

    pub fn done(&mut self, mark: u8) {
        self.given[usize::from(mark)] = false;
    }

    pub fn post(&mut self, id: ExchangeId, message: &ToWorker) {
        self.encoder.to_worker(id, message);
    }

    /// Writes everything. The cases send little enough that this does not wait for long.
    pub fn flush(&mut self) {
        while !self.encoder.is_empty() {
            let first = self.encoder.descriptors.front().map(|first| first.file.as_raw_fd());
            let rights = [ControlMessage::ScmRights(first.as_slice())];
            let rights = if first.is_none() { &[][..] } else { &rights[..] };
            let content = [IoSlice::new(self.encoder.piece())];
            let raw = self.socket.as_raw_fd();
            let Ok(sent) = sendmsg::<()>(raw, &content, rights, MsgFlags::MSG_NOSIGNAL, None)
            else {
                // The worker is gone, which the next read shows.
                return self.encoder.clear();
            };
            self.encoder.descriptors.pop_front();
            self.encoder.advance(sent);
        }
    }

    /// Reads all there is; `false` at the end of the link.
    pub fn receive(&mut self) -> bool {
        while let Some((bytes, descriptors)) = receive(self.socket.as_fd(), 1 << 16) {
            if bytes.is_empty() {
                return false;
            }
            self.decoder.bytes.extend_from_slice(&bytes);
            self.decoder.descriptors_came(descriptors, false);
        }
        true
    }

    pub fn next(&mut self) -> Option<(ExchangeId, ToReactor)> {
        match self.decoder.next_to_reactor().expect("workers send what is valid")? {
            (Address::Exchange(id), message) => Some((id, message)),
            other => panic!("nobody closes a connection here: {other:?}"),
        }
    }
}

/// Reads once without waiting: `None` when there is nothing, no bytes at the end.
pub fn receive(socket: BorrowedFd<'_>, len: usize) -> Option<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; len];
    let mut ancillary = nix::cmsg_space!([RawFd; 64]);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let mut descriptors = Vec::new();
    let flags = MsgFlags::MSG_DONTWAIT;
    let read = match recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut ancillary), flags) {
        Ok(message) => {
            for control in message.cmsgs().into_iter().flatten() {
                if let ControlMessageOwned::ScmRights(received) = control {
                    // SAFETY: the kernel has just installed these descriptors for us.
                    let own = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
                    descriptors.extend(received.into_iter().map(own));
                }
            }
            message.bytes
        }
        Err(nix::Error::EAGAIN | nix::Error::EINTR) => return None,
        Err(_) => 0,
    };
    bytes.truncate(read);
    Some((bytes, descriptors))
}
