//! [`Link`]: a worker's end of the socket pair to one reactor thread.
//!
//! The socket is blocking. A send may wait for the reactor to read, but never for ever: the reactor
//! never blocks and reads its links whatever else it does, also while this worker's socket is full
//! in the other direction. So the two ends cannot wait for each other.

mod claims;
mod current;
mod demultiplex;

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::take;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use ancillary::Received;
use nix::errno::Errno;
use nix::libc::MSG_DONTWAIT;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::time::{TimeVal, TimeValLike};
use wire::codec::HEADER_BYTES;
use wire::limits::{LINK_READ_BYTES, LINK_READ_BYTES_MIN, LINK_WAIT_TIME_MAX};
use wire::log_limit::LogLimit;
use wire::shm::arena::Arena;
use wire::shm::batch::ResponseBatch;
use wire::{ConnectionId, Decoder, Encoder, ExchangeId, Part, Reason, ToWorker};

use self::claims::LinkAnswer;
use self::current::CurrentExchange;
pub(crate) use self::current::ExchangeStatus;
use crate::membership::{PrivateFd, is_forked_copy};
use crate::runtime::body::IncomingContent;
use crate::shared_memory::fill;

/// A worker's end of the socket pair to one reactor thread.
#[derive(Debug)]
pub(crate) struct Link {
    socket: PrivateFd,
    decoder: Decoder,
    encoder: Encoder,
    /// Messages that came while a handler was at work and are not about its exchange.
    deferred: VecDeque<(ExchangeId, ToWorker)>,
    current: Option<CurrentExchange>,
    /// Detached exchanges that the callback in work has claimed.
    claimed: Vec<CurrentExchange>,
    /// What the reactor has answered, until who has asked takes it.
    answer: Option<LinkAnswer>,
    /// Where large content is put.
    arena: Arena,
    /// Where finished answers are held back while there is more to do.
    held: ResponseBatch,
    /// How many of the encoder's bytes are held there.
    held_len: usize,
    /// Bytes sent so far.
    stream_position: u64,
    /// Bounds the lines that say that a file could not be opened, from a moment on.
    no_file: (Instant, LogLimit),
    ended: bool,
}

/// What a read of the link gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// Bytes.
    Some,
    /// Nothing, as far as was to be waited for it.
    Nothing,
    /// The end.
    End,
}

impl Link {
    pub(crate) fn new(socket: OwnedFd, held: ResponseBatch, arena: Arena) -> Self {
        held.reset();
        // A worker with one link waits in its read, and looks for signals now and then.
        let wait = TimeVal::microseconds(LINK_WAIT_TIME_MAX.as_micros() as i64);
        if let Err(error) = setsockopt(&socket, ReceiveTimeout, &wait) {
            log::error!("link: SO_RCVTIMEO: {error}");
        }
        Self {
            socket: socket.into(),
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            deferred: VecDeque::new(),
            current: None,
            claimed: Vec::new(),
            answer: None,
            held,
            arena,
            held_len: 0,
            stream_position: 0,
            no_file: (Instant::now(), LogLimit::of_bounds()),
            ended: false,
        }
    }

    /// Whether the other end is gone, or has sent what it never sends.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Waits for bytes, up to [`LINK_WAIT_TIME_MAX`], and reads them. Nothing is held back meanwhile.
    pub(crate) fn receive(&mut self) -> Read {
        self.flush();
        self.read(0)
    }

    /// The next message, if a complete one has been read.
    pub(crate) fn next(&mut self) -> Option<(ExchangeId, ToWorker)> {
        if self.ended {
            // An answer could not be sent; what was read is the former reactor's business.
            return None;
        }
        self.deferred.pop_front().or_else(|| self.decode())
    }

    /// A handler begins to work on this exchange. An `Abort` that has been read for it counts.
    /// `streamed` says that the content of its request is still to come.
    pub(crate) fn begin(
        &mut self,
        exchange: ExchangeId,
        window: u32,
        streamed: bool,
    ) -> ExchangeStatus {
        let mut current = CurrentExchange::new(exchange, window, streamed);
        self.deferred.retain(|(other, message)| match message {
            ToWorker::Request { part, .. } if *other == exchange => !current.take(part),
            _ => true,
        });
        self.current = Some(current);
        self.demultiplex();
        self.status(exchange)
    }

    /// How this exchange stands.
    pub(crate) fn status(&self, exchange: ExchangeId) -> ExchangeStatus {
        match self.open(exchange) {
            // A copy that a handler has forked has nothing to say to anybody.
            _ if is_forked_copy() => ExchangeStatus::Over,
            Some(current) => match current.gone {
                Some(reason) => ExchangeStatus::Gone(reason),
                None => ExchangeStatus::Open(current.window),
            },
            None => ExchangeStatus::Over,
        }
    }

    /// An exchange that this worker has in work.
    fn open(&self, exchange: ExchangeId) -> Option<&CurrentExchange> {
        self.current.iter().chain(&self.claimed).find(|current| current.exchange == exchange)
    }

    fn open_mut(&mut self, exchange: ExchangeId) -> Option<&mut CurrentExchange> {
        let all = self.current.iter_mut().chain(&mut self.claimed);
        all.into_iter().find(|current| current.exchange == exchange)
    }

    /// This worker has nothing to do with an exchange any more. Says whether it was the one in work.
    fn forget(&mut self, exchange: ExchangeId) -> bool {
        let in_work = self.current.take_if(|current| current.exchange == exchange).is_some();
        if !in_work {
            self.claimed.retain(|claimed| claimed.exchange != exchange);
        }
        in_work
    }

    /// Looks, without waiting, whether the client is still there.
    pub(crate) fn look(&mut self, exchange: ExchangeId) -> ExchangeStatus {
        self.demultiplex();
        while matches!(self.status(exchange), ExchangeStatus::Open(_))
            && self.read(MSG_DONTWAIT) == Read::Some
        {
            self.demultiplex();
        }
        self.status(exchange)
    }

    /// Whether the client of this exchange has most likely left, as far as has been read.
    pub(crate) fn is_leaving(&self, exchange: ExchangeId) -> bool {
        self.open(exchange).is_some_and(|current| current.leaving)
    }

    /// Waits until content may be sent, or nobody waits for it any more.
    pub(crate) fn wait_for_window(&mut self, exchange: ExchangeId) -> ExchangeStatus {
        self.flush();
        // What is awaited may have been read already, behind a request that was handed ahead.
        self.demultiplex();
        while self.status(exchange) == ExchangeStatus::Open(0) {
            self.read(0);
            self.demultiplex();
        }
        self.status(exchange)
    }

    /// How the exchange stands by all that has been read.
    pub(crate) fn demultiplex_for(&mut self, exchange: ExchangeId) -> ExchangeStatus {
        self.demultiplex();
        self.status(exchange)
    }

    /// The content of the request in work, when the handler works while it arrives.
    pub(crate) fn incoming(&mut self, exchange: ExchangeId) -> Option<&mut IncomingContent> {
        let current = self.current.as_mut().filter(|current| current.exchange == exchange);
        current?.incoming.as_mut()
    }

    /// The reactor may send so many more content bytes of the request in work.
    pub(crate) fn grant(&mut self, exchange: ExchangeId, bytes: u32) {
        self.encoder.request_credit(exchange, bytes);
        self.flush();
    }

    /// Has the reactor end a connection, whoever answers its requests. `false` when the link has ended.
    pub(crate) fn close(&mut self, connection: ConnectionId) -> bool {
        self.encoder.close(connection);
        self.flush();
        !self.ended
    }

    /// Waits for bytes, up to [`LINK_WAIT_TIME_MAX`].
    pub(crate) fn wait(&mut self) {
        self.flush();
        self.read(0);
    }

    /// Where frames of the exchange in work are put, up to [`flush`](Self::flush).
    pub(crate) fn encoder(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    /// Puts content into a block of the arena, and its frame with the others. `false` when no block
    /// is free.
    pub(crate) fn put_block(&mut self, exchange: ExchangeId, content: &[u8]) -> bool {
        let block = self.arena.put(content, fill);
        if let Some(block) = block {
            self.encoder.block(exchange, block, content.len() as u32);
        }
        block.is_some()
    }

    /// So many content bytes of a response are on their way.
    pub(crate) fn consume(&mut self, exchange: ExchangeId, bytes: u32) {
        if let Some(current) = self.open_mut(exchange) {
            current.window = current.window.saturating_sub(bytes);
        }
    }

    /// Writes what the encoder holds.
    pub(crate) fn flush(&mut self) {
        self.write(&[]);
    }

    /// Writes what the encoder holds, and then these bytes without copying them.
    pub(crate) fn flush_with(&mut self, pieces: [&[u8]; 2]) {
        self.write(&pieces);
    }

    /// An exchange is complete: writes what is left of it. That of the one in work is held back for a
    /// moment when there is more to do.
    pub(crate) fn finish(&mut self, exchange: ExchangeId) {
        if !self.forget(exchange) {
            return self.flush();
        }
        let more = !self.deferred.is_empty() || self.decoder.bytes.len() > HEADER_BYTES;
        let frames = &self.encoder.bytes;
        let plain = self.encoder.descriptors.is_empty();
        if more && plain && self.held.hold(frames, self.held_len, self.stream_position) {
            self.held_len = frames.len();
        } else {
            self.flush();
        }
    }

    /// Breaks an exchange off. The reactor must hear of it in any case: that is how it
    /// learns that this worker is free.
    pub(crate) fn abort(&mut self, exchange: ExchangeId, reason: Reason) {
        self.encoder.to_reactor(exchange, &Part::Abort(reason));
        self.finish(exchange);
    }

    fn read(&mut self, flags: i32) -> Read {
        if self.ended {
            return Read::End;
        }
        let bytes = &mut self.decoder.bytes;
        if bytes.capacity() - bytes.len() < LINK_READ_BYTES_MIN {
            bytes.reserve(LINK_READ_BYTES);
        }
        let space = bytes.spare_capacity_mut();
        let mut descriptors = VecDeque::new();
        match ancillary::receive(self.socket.as_fd(), space, &mut descriptors, flags) {
            Ok(Received { len, cut }) if len > 0 => {
                // SAFETY: the kernel has written `len` bytes behind the present ones.
                unsafe { bytes.set_len(bytes.len() + len) };
                self.decoder.descriptors_came(descriptors, cut);
                Read::Some
            }
            Err(Errno::EAGAIN) => Read::Nothing,
            Ok(_) => self.end(),
            Err(error) => {
                if error != Errno::ECONNRESET {
                    log::error!("link: recvmsg: {error}");
                }
                self.end()
            }
        }
    }

    /// Writes the encoder's bytes, then the pieces, as one message stream.
    fn write(&mut self, pieces: &[&[u8]]) {
        let held = take(&mut self.held_len);
        let ours = held > 0 && self.held.begin_send(held);
        if held > 0 && !ours {
            // The reactor has fetched them.
            self.encoder.advance(held);
        }
        let mut bytes = take(&mut self.encoder.bytes);
        let mut from = 0;
        while let Some(second) = self.encoder.descriptors.get(1).map(|second| second.at) {
            self.send_all(&mut [IoSlice::new(&bytes[from..second])]);
            from = second;
            if self.ended {
                break;
            }
        }
        let mut slices = [IoSlice::new(&bytes[from..]), IoSlice::new(&[]), IoSlice::new(&[])];
        for (slice, piece) in slices[1..].iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
        }
        self.send_all(&mut slices[..=pieces.len()]);
        if ours && !self.ended {
            self.held.sent(held);
        }
        // The memory serves the next frames.
        bytes.clear();
        self.encoder.clear();
        self.encoder.bytes = bytes;
    }

    fn send_all(&mut self, mut left: &mut [IoSlice<'_>]) {
        let mut unsent: usize = left.iter().map(|slice| slice.len()).sum();
        while unsent > 0 && !self.ended {
            match self.send_some(left) {
                Ok(sent) => {
                    unsent -= sent;
                    self.stream_position += sent as u64;
                    IoSlice::advance_slices(&mut left, sent);
                }
                Err(error) => {
                    if !is_end(&error) {
                        log::error!("link: sendmsg: {error}");
                    }
                    self.end();
                }
            }
        }
    }

    fn send_some(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let first = self.encoder.descriptors.front().map(|first| first.file.as_raw_fd());
        let sent = ancillary::send(self.socket.as_fd(), slices, first.as_slice(), 0)?;
        self.encoder.descriptors.pop_front();
        Ok(sent)
    }

    /// The link is dead: so is everything that came or goes by it.
    fn end(&mut self) -> Read {
        self.ended = true;
        self.deferred.clear();
        for current in self.current.iter_mut().chain(&mut self.claimed) {
            current.gone.get_or_insert(Reason::ClientGone);
        }
        Read::End
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
