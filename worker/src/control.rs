//! The control sockets between the supervisor and its children: both ends.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use ancillary::Received;
use nix::libc::{ETOOMANYREFS, MSG_DONTWAIT, c_int};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use wire::control::{FromWorker, ToWorkerControl, decode, encode};
use wire::limits::CONTROL_BYTES_MAX;

use crate::membership::PrivateFd;

/// The supervisor's end of a child's control socket. Never blocks: what the child does not take
/// yet is kept.
#[derive(Debug)]
pub(crate) struct ChildControl {
    socket: PrivateFd,
    unsent: VecDeque<Packet>,
    ended: bool,
}

/// The worker's end. Blocks.
#[derive(Debug)]
pub(crate) struct WorkerControl {
    socket: PrivateFd,
}

/// A message and the descriptors that belong to it.
#[derive(Debug)]
pub(crate) struct Packet {
    /// The encoded message.
    pub(crate) bytes: Vec<u8>,
    /// Its descriptors.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Whether some of them were lost, because this process may open no more files.
    pub(crate) cut: bool,
}

/// What a worker is told, and the descriptors that belong to it.
pub(crate) type WorkerOrder = (ToWorkerControl, Vec<OwnedFd>);

/// A new control socket: the supervisor's end, and the one for the child.
pub(crate) fn pair() -> nix::Result<(ChildControl, OwnedFd)> {
    let (here, there) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    Ok((ChildControl { socket: here.into(), unsent: VecDeque::new(), ended: false }, there))
}

impl ChildControl {
    /// Sends a message, now or as soon as there is room.
    pub(crate) fn post(&mut self, bytes: Vec<u8>, descriptors: Vec<OwnedFd>) {
        if !self.ended {
            self.unsent.push_back(Packet { bytes, descriptors, cut: false });
            self.flush();
        }
    }

    /// Sends what has been kept, as far as there is room.
    pub(crate) fn flush(&mut self) {
        while let Some(packet) = self.unsent.front() {
            match send(self.socket.as_fd(), packet, MSG_DONTWAIT) {
                Ok(()) => drop(self.unsent.pop_front()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Too many descriptors are under way: the child has to take some first.
                Err(error) if error.raw_os_error() == Some(ETOOMANYREFS) => return,
                // The child is gone, which its exit will tell.
                Err(_) => return self.unsent.clear(),
            }
        }
    }

    /// Whether something waits for room.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Whether the child has closed its end.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next message, if one is there.
    pub(crate) fn receive(&mut self) -> Option<Packet> {
        if self.ended {
            return None;
        }
        let mut outcome = receive(self.socket.as_fd(), MSG_DONTWAIT);
        // The child has ended with a message unread. That is told once and before all that it has
        // said, which is still there.
        if outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset) {
            outcome = receive(self.socket.as_fd(), MSG_DONTWAIT);
        }
        match outcome {
            Ok(Some(packet)) => Some(packet),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(None) | Err(_) => {
                self.ended = true;
                None
            }
        }
    }
}

impl AsFd for ChildControl {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl WorkerControl {
    /// The worker's end over the socket that [`pair`] made for it.
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket: socket.into() }
    }

    /// Tells the supervisor something. An error means that it is gone, which ends this process.
    pub(crate) fn say(&self, message: &FromWorker) -> io::Result<()> {
        let packet = Packet { bytes: encode(message), descriptors: Vec::new(), cut: false };
        send(self.socket.as_fd(), &packet, 0)
    }

    /// Waits for a message. `None` when the supervisor is gone.
    pub(crate) fn listen(&self) -> io::Result<Option<WorkerOrder>> {
        self.receive(0)
    }

    /// As [`listen`](Self::listen), without waiting: `WouldBlock` when there is no message.
    pub(crate) fn look(&self) -> io::Result<Option<WorkerOrder>> {
        self.receive(MSG_DONTWAIT)
    }

    fn receive(&self, flags: c_int) -> io::Result<Option<WorkerOrder>> {
        let Some(packet) = receive(self.socket.as_fd(), flags)? else { return Ok(None) };
        let message = decode(&packet.bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if packet.cut && message == ToWorkerControl::Links {
            // There is nothing to serve by.
            return Err(io::Error::from_raw_os_error(nix::libc::EMFILE));
        }
        Ok(Some((message, packet.descriptors)))
    }
}

impl AsFd for WorkerControl {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn send(socket: BorrowedFd<'_>, packet: &Packet, flags: c_int) -> io::Result<()> {
    let descriptors: Vec<RawFd> = packet.descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    ancillary::send(socket, &[IoSlice::new(&packet.bytes)], &descriptors, flags)?;
    Ok(())
}

fn receive(socket: BorrowedFd<'_>, flags: c_int) -> io::Result<Option<Packet>> {
    let mut space = [MaybeUninit::<u8>::uninit(); CONTROL_BYTES_MAX];
    let mut descriptors = VecDeque::new();
    let Received { len, cut } = ancillary::receive(socket, &mut space, &mut descriptors, flags)?;
    // SAFETY: the kernel has written the first `len` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(space.as_ptr().cast::<u8>(), len) }.to_vec();
    // No message is empty, so an empty packet is the end.
    Ok((len > 0).then_some(Packet { bytes, descriptors: descriptors.into(), cut }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_links_reach_the_worker() {
        let (mut supervisor, end) = pair().unwrap();
        let worker = WorkerControl::new(end);
        let file = std::fs::File::open("/dev/null").unwrap().into();
        supervisor.post(encode(&ToWorkerControl::Links), vec![file]);
        supervisor.post(encode(&ToWorkerControl::Stop), Vec::new());
        let (message, descriptors) = worker.listen().unwrap().unwrap();
        assert_eq!((message, descriptors.len()), (ToWorkerControl::Links, 1));
        assert_eq!(worker.listen().unwrap().unwrap().0, ToWorkerControl::Stop);
        assert_eq!(worker.look().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        worker.say(&FromWorker::Ready).unwrap();
        let packet = supervisor.receive().unwrap();
        assert_eq!(decode::<FromWorker>(&packet.bytes), Ok(FromWorker::Ready));
        assert!(supervisor.receive().is_none() && !supervisor.has_ended());
        drop(worker);
        assert!(supervisor.receive().is_none() && supervisor.has_ended());
    }

    #[test]
    fn last_words_are_heard_also_from_who_did_not_listen() {
        let (mut supervisor, end) = pair().unwrap();
        let worker = WorkerControl::new(end);
        supervisor.post(encode(&ToWorkerControl::Stop), Vec::new());
        worker.say(&FromWorker::Recycle).unwrap();
        worker.say(&FromWorker::Leaving).unwrap();
        drop(worker);
        for said in [FromWorker::Recycle, FromWorker::Leaving] {
            let packet = supervisor.receive().unwrap();
            assert_eq!(decode::<FromWorker>(&packet.bytes), Ok(said));
        }
        assert!(supervisor.receive().is_none() && supervisor.has_ended());
    }

    #[test]
    fn a_child_that_does_not_read_blocks_nobody() {
        let (mut supervisor, end) = pair().unwrap();
        for _ in 0..10_000 {
            supervisor.post(encode(&ToWorkerControl::Links), Vec::new());
        }
        assert!(supervisor.has_unsent());
        let worker = WorkerControl::new(end);
        let mut read = 0;
        while supervisor.has_unsent() {
            worker.listen().unwrap().unwrap();
            read += 1;
            supervisor.flush();
        }
        assert!(read < 10_000);
    }
}
