//! The reactor's end of a link to a worker.

use std::fmt;
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering;

use nix::libc::MSG_DONTWAIT;
use nix::sys::socket::{
    ControlMessage, MsgFlags, Shutdown, getsockopt, send, sendmsg, shutdown, sockopt,
};
use wire::limits::{HANDOVER_DEPTH_MAX, LINK_UNREAD_BYTES_BEYOND};
use wire::shm::batch::ResponseBatch;
use wire::shm::{Mark, Marks, Shared};
use wire::{Address, CodecError, Decoder, Encoder, ExchangeId, ToReactor, ToWorker};

use crate::handler::workers::in_flight::NO_MARK;
use crate::read_buffer::ReadBuffer;
use crate::shared_content;

/// One link, its marks, and who is on it.
#[derive(Debug)]
pub struct WorkerLink {
    socket: OwnedFd,
    /// The worker's id.
    pub worker: u16,
    /// Its process, as the supervisor says.
    pub pid: u32,
    /// Which life of it.
    pub incarnation: u64,
    marks: Marks,
    held: ResponseBatch,
    /// The exchange behind each mark.
    given: [Option<ExchangeId>; HANDOVER_DEPTH_MAX],
    /// Detached exchanges that the worker has claimed.
    claimed: Vec<ExchangeId>,
    /// The worker has asked something, and waits for the answer.
    asked: bool,
    /// Where the last answer ends, in bytes written.
    answer_ends: u64,
    /// Bytes written so far.
    written: u64,
    encoder: Encoder,
    decoder: Decoder,
    /// Bytes read so far.
    received: u64,
    /// Bytes that the worker can have sent and that are not read, at most.
    unread_max: u64,
}

/// The link cannot be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkError {
    /// The worker is gone.
    Closed,
    /// The worker sent what no worker sends.
    Codec(CodecError),
    /// The worker said of answers that it holds back that they come behind bytes which it has never
    /// sent.
    HeldPosition,
    /// The worker answered a request that was given to another.
    Foreign,
    /// The worker sent more content than it was allowed.
    Window,
    /// The worker asked again before it had the answer.
    Asking,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("its link has ended"),
            Self::Codec(error) => write!(f, "it sent what no worker sends: {error}"),
            Self::HeldPosition => f.write_str("what it says of answers that it holds is not true"),
            Self::Window => f.write_str("it sent more content than its window allows"),
            Self::Asking => f.write_str("it asked again before it had the answer"),
            Self::Foreign => f.write_str("it answered a request that was not given to it"),
        }
    }
}

/// How much one read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRead {
    /// There may be more.
    More,
    /// There was no more at that moment, except perhaps the end.
    Short,
    /// Nothing.
    Nothing,
}

impl WorkerLink {
    /// A link over a non-blocking socket to this life of a worker, in this thread.
    pub fn new(
        socket: OwnedFd,
        shared: Shared,
        worker: u16,
        incarnation: u64,
        thread: usize,
    ) -> Self {
        let id = usize::from(worker);
        let arena = Some(shared.arena(id, incarnation));
        // Both ends were made alike, and the worker's may have been changed since.
        let buffer = getsockopt(&socket, sockopt::SndBuf).unwrap_or_default() as u64;
        Self {
            socket,
            worker,
            pid: shared.pid(id).load(Ordering::Relaxed) as u32,
            incarnation,
            unread_max: buffer + LINK_UNREAD_BYTES_BEYOND,
            marks: shared.marks(id, incarnation, thread),
            held: shared.batch(id, incarnation, thread),
            given: [None; HANDOVER_DEPTH_MAX],
            claimed: Vec::new(),
            asked: false,
            answer_ends: 0,
            written: 0,
            encoder: Encoder::default(),
            decoder: Decoder { arena, lend: Some(shared_content::content), ..Decoder::default() },
            received: 0,
        }
    }

    /// For registration with the poll.
    pub fn raw(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Reserves a mark for an exchange that is about to be given. `None` when all are in use, which
    /// the scheduler's depth rules out.
    pub fn give(&mut self, id: ExchangeId) -> Option<u8> {
        let index = self.given.iter().position(Option::is_none)?;
        self.given[index] = Some(id);
        self.marks.get(index as u8)?.give(id);
        Some(index as u8)
    }

    /// Takes an exchange back if the worker has not started it.
    pub fn take_back(&mut self, id: ExchangeId, index: u8) -> bool {
        let won = self.mark(index).is_some_and(|mark| mark.take_back(id));
        if won {
            self.done(index);
        }
        won
    }

    /// The exchange behind this mark is over.
    pub fn done(&mut self, index: u8) {
        if let Some(given) = self.given.get_mut(usize::from(index)) {
            *given = None;
        }
    }

    /// The worker has claimed this exchange.
    pub fn claim(&mut self, id: ExchangeId) {
        self.claimed.push(id);
    }

    /// An exchange that the worker has claimed is over.
    pub fn unclaim(&mut self, id: ExchangeId) {
        self.claimed.retain(|claimed| *claimed != id);
        if self.claimed.is_empty() {
            self.claimed = Vec::new();
        }
    }

    /// Exchanges that the worker has claimed.
    pub fn claims(&self) -> usize {
        self.claimed.len()
    }

    /// The worker asks something. It waits for the answer before it asks again: one that does not would fill
    /// memory with answers that it does not read.
    pub fn asked(&mut self) -> Result<(), LinkError> {
        if self.asked || self.written < self.answer_ends {
            return Err(LinkError::Asking);
        }
        self.asked = true;
        Ok(())
    }

    /// Queues the answer to what the worker has asked.
    pub fn answer(&mut self, id: ExchangeId, message: &ToWorker) {
        self.push(id, message);
        self.asked = false;
        self.answer_ends = self.written + self.encoder.bytes.len() as u64;
    }

    /// Whether this exchange has that mark here, or none because the worker has claimed it.
    pub fn has(&self, id: ExchangeId, index: u8) -> bool {
        if index == NO_MARK {
            return self.claimed.contains(&id);
        }
        self.given.get(usize::from(index)).copied().flatten() == Some(id)
    }

    /// Whether the worker was given more than one request.
    pub fn is_deep(&self) -> bool {
        self.given.iter().flatten().nth(1).is_some()
    }

    /// The exchanges that are on this link.
    pub fn exchanges(&self) -> impl Iterator<Item = ExchangeId> + '_ {
        self.given.iter().copied().flatten().chain(self.claimed.iter().copied())
    }

    fn mark(&self, index: u8) -> Option<Mark> {
        self.marks.get(index)
    }

    /// What waits to be written.
    pub fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    /// Queues a message.
    pub fn push(&mut self, id: ExchangeId, message: &ToWorker) {
        self.encoder.to_worker(id, message);
    }

    /// Writes what is queued, as far as the socket takes it. A broken link shows when it is read.
    pub fn flush(&mut self) {
        while !self.encoder.is_empty() {
            let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
            let sent = if self.encoder.descriptors.is_empty() {
                send(self.raw(), &self.encoder.bytes, flags)
            } else {
                self.send_with_descriptor(flags)
            };
            match sent {
                Ok(sent) => {
                    self.written += sent as u64;
                    self.encoder.advance(sent);
                }
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => return,
                Err(_) => return self.encoder.clear(),
            }
        }
        self.encoder.clear();
    }

    fn send_with_descriptor(&mut self, flags: MsgFlags) -> nix::Result<usize> {
        let first = self.encoder.descriptors.front().map(|first| first.file.as_raw_fd());
        let content = [IoSlice::new(self.encoder.piece())];
        let rights = [ControlMessage::ScmRights(first.as_slice())];
        let sent = sendmsg::<()>(self.raw(), &content, &rights, flags, None)?;
        self.encoder.descriptors.pop_front();
        Ok(sent)
    }

    /// Reads once.
    pub fn receive(&mut self, buffer: &mut ReadBuffer) -> Result<LinkRead, LinkError> {
        let mut descriptors = Vec::new();
        let socket = self.socket.as_fd();
        let mut cut = false;
        let read = buffer.fill(|space| {
            let received = ancillary::receive_over(socket, space, &mut descriptors, MSG_DONTWAIT)?;
            cut = received.cut;
            Ok(received.len)
        });
        let with_descriptors = cut || !descriptors.is_empty();
        if with_descriptors {
            self.decoder.descriptors_came(descriptors, cut);
        }
        match read {
            Ok((bytes, _)) if bytes.is_empty() => Err(LinkError::Closed),
            Ok((bytes, full)) => {
                self.received += bytes.len() as u64;
                if self.decoder.bytes.is_empty() {
                    self.decoder.bytes = bytes;
                } else {
                    self.decoder.bytes.extend_from_slice(&bytes);
                }
                // A read stops short behind bytes that carry a descriptor.
                Ok(if full || with_descriptors { LinkRead::More } else { LinkRead::Short })
            }
            Err(nix::Error::EAGAIN) => Ok(LinkRead::Nothing),
            Err(_) => Err(LinkError::Closed),
        }
    }

    /// Nothing more comes by this link or goes by it, whoever has its other end. What was sent before
    /// can be read, up to the end.
    pub fn shut_down(&self) {
        // It fails when the other end is gone, which is the same.
        let _ = shutdown(self.raw(), Shutdown::Both);
    }

    /// Bytes read so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether the worker holds finished answers back.
    pub fn holds(&self) -> bool {
        self.held.is_waiting()
    }

    /// Fetches the answers that the worker holds back, and reads what was sent before them.
    pub fn fetch_held(&mut self, buffer: &mut ReadBuffer) -> Result<(), LinkError> {
        let Some(taken) = self.held.take() else { return Ok(()) };
        let Some(missing) = taken.missing(self.received, self.unread_max) else {
            return self.held_untruly();
        };
        let position = self.received + missing;
        while self.received < position {
            // It was sent before the answers were held, so it is there.
            match self.receive(buffer)? {
                LinkRead::More | LinkRead::Short => {}
                LinkRead::Nothing => return self.held_untruly(),
            }
        }
        taken.insert(&mut self.decoder.bytes, self.received, false);
        Ok(())
    }

    /// Answers are said to be held behind bytes that were never sent.
    fn held_untruly(&self) -> Result<(), LinkError> {
        // A worker that has not taken its new links up still holds what it had for a reactor that has
        // died, or what a former life has left: that is void.
        if self.received == 0 { Ok(()) } else { Err(LinkError::HeldPosition) }
    }

    /// Fetches the answers that are left when a link has ended. The socket has been read to its end.
    pub fn drain_after_death(&mut self) {
        if let Some(taken) = self.held.take_after_death() {
            taken.insert(&mut self.decoder.bytes, self.received, true);
        }
    }

    /// The next message that has been read.
    pub fn next_message(&mut self) -> Result<Option<(Address, ToReactor)>, LinkError> {
        self.decoder.next_to_reactor().map_err(LinkError::Codec)
    }
}
