//! Messages between the threads of the reactor.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use std::os::fd::OwnedFd;
use std::time::Instant;

use mio::Waker;
use wire::ExchangeId;
use wire::head::Origin;

use crate::dispatch::{Assignment, Move, WorkerSlot};

/// What one thread says to another.
#[derive(Debug)]
pub enum Mail {
    /// Serve this connection.
    Accepted {
        /// The socket.
        socket: OwnedFd,
        /// Where it came from; `port` names its configuration.
        origin: Origin,
    },
    /// This is your link to a worker.
    Link {
        /// The worker's place.
        slot: WorkerSlot,
        /// Its id.
        worker: u16,
        /// Which life of it.
        incarnation: u64,
        /// Your end.
        socket: OwnedFd,
    },
    /// A request of yours that waited gets this worker.
    Assign(Assignment),
    /// A request of yours waits behind a slow one: take it back if you can.
    Move(Move),
    /// A request of yours has waited too long.
    TooOld(ExchangeId),
    /// Close your link to a retired worker.
    CloseLink {
        /// The worker's place.
        slot: WorkerSlot,
    },
    /// Finish what is in flight, then end.
    Drain {
        /// When to cut off what is left.
        until: Instant,
    },
    /// End at once.
    Stop,
}

/// Where a thread gets its mail.
#[derive(Debug, Clone)]
pub struct Mailbox {
    sender: Sender<Mail>,
    waker: Arc<Waker>,
}

impl Mailbox {
    /// A mailbox whose owner is woken by `waker`.
    pub fn new(waker: Waker) -> (Self, Receiver<Mail>) {
        let (sender, receiver) = channel();
        (Self { sender, waker: Arc::new(waker) }, receiver)
    }

    /// Puts mail in and wakes the owner. A thread that has ended takes no mail, and needs none.
    pub fn post(&self, mail: Mail) {
        if self.sender.send(mail).is_ok() {
            let _ = self.waker.wake();
        }
    }
}
