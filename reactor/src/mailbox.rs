//! Messages between the threads of the reactor.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use mio::Waker;
use wire::head::Origin;
use wire::limits::QUIC_HANDED_OVER_MAX;
use wire::{ExchangeId, PoolId};

use crate::addresses::Seat;
use crate::handler::admin::report::ThreadReport;
use crate::handler::workers::scheduler::{Dispatch, Move, WorkerSlot};

/// What one thread says to another.
#[derive(Debug)]
pub enum Mail {
    /// Serve this connection.
    Accepted {
        /// The socket.
        socket: OwnedFd,
        /// Where it came from; `port` names its configuration.
        origin: Origin,
        /// Its place among those of its address, when they are bounded.
        seat: Option<Seat>,
    },
    /// Something for a pool of workers.
    Pool(PoolId, PoolMail),
    /// Finish what is in flight, then end.
    Drain {
        /// When to cut off what is left.
        until: Instant,
    },
    /// End at once.
    Stop,
    /// This packet is yours.
    Datagram(Datagram),
    /// Tell the first thread what you know.
    Inspect {
        /// Which question it is.
        number: u64,
    },
    /// What a thread was asked, for the first one.
    Inspected {
        /// Which question it answers.
        number: u64,
        /// What the thread knows.
        report: ThreadReport,
    },
}

/// What one thread says to another about a pool. Places are those of the pool.
#[derive(Debug)]
pub enum PoolMail {
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
    Assign(Dispatch),
    /// A request of yours waits behind a slow one: take it back if you can.
    Move(Move),
    /// A request of yours has waited too long.
    TooOld(ExchangeId),
    /// Close your link to this life of a worker: it was retired or has ended, or another of its links
    /// has.
    CloseLink {
        /// The worker's place.
        slot: WorkerSlot,
        /// Which life of it. A later one may have the place by now.
        incarnation: u64,
    },
}

/// A QUIC packet, or several in one datagram, that came to another thread than its own.
#[derive(Debug)]
pub struct Datagram {
    /// Index of the port that it came by.
    pub port: u16,
    /// Where it came from.
    pub from: SocketAddr,
    /// Where it came to.
    pub to: SocketAddr,
    /// The packets.
    pub bytes: Vec<u8>,
}

/// Where a thread gets its mail.
#[derive(Debug, Clone)]
pub struct Mailbox {
    sender: Sender<Mail>,
    waker: Arc<Waker>,
    /// Datagrams that are in it.
    datagrams: Arc<AtomicUsize>,
}

impl Mailbox {
    /// A mailbox whose owner is woken by `waker`.
    pub fn new(waker: Waker) -> (Self, Receiver<Mail>) {
        let (sender, receiver) = channel();
        (Self { sender, waker: Arc::new(waker), datagrams: Arc::default() }, receiver)
    }

    /// Puts a datagram in, if there is room: clients must not fill memory with what nobody reads.
    pub fn post_datagram(&self, datagram: impl FnOnce() -> Datagram) -> bool {
        if self.datagrams.fetch_add(1, Ordering::Relaxed) >= QUIC_HANDED_OVER_MAX {
            self.took_datagram();
            return false;
        }
        self.post(Mail::Datagram(datagram()));
        true
    }

    /// A datagram was taken out.
    pub fn took_datagram(&self) {
        self.datagrams.fetch_sub(1, Ordering::Relaxed);
    }

    /// Puts mail in and wakes the owner. A thread that has ended takes no mail, and needs none.
    pub fn post(&self, mail: Mail) {
        if self.sender.send(mail).is_ok() {
            let _ = self.waker.wake();
        }
    }
}
