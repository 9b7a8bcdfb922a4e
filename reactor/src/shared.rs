//! What all threads of the reactor share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use wire::shm::{Counter, Shared};
use wire::{Budget, ConnectionId, DescriptorBudget, PoolId};

use crate::access_log::WriterThread;
use crate::addresses::{Addresses, Seat};
use crate::config::Config;
use crate::control::ControlSocket;
use crate::error_log::{ErrorLog, Kind, Peer};
use crate::handler::admin::notable::Notable;
use crate::handler::workers::scheduler::{Scheduler, WorkerSlot};
use crate::mailbox::{Mail, Mailbox, PoolMail};
use crate::response_spool::SpoolUsage;
use crate::tls::contexts::Contexts;

/// What all threads of the reactor share.
#[derive(Debug, Clone)]
pub struct SharedState {
    /// The configuration.
    pub config: Arc<Config>,
    /// Marks and counters.
    pub shared: Shared,
    /// The policy of each pool.
    pub schedulers: Arc<[Mutex<Scheduler>]>,
    /// What each thread has noted for the admin listener, in their order.
    pub notable: Arc<[Mutex<Notable>]>,
    /// Every thread's mailbox, in order.
    pub mailboxes: Arc<[Mailbox]>,
    /// The way to the supervisor.
    pub supervisor: Arc<ControlSocket>,
    /// The access log, when there is one.
    pub access_log: Option<Arc<WriterThread>>,
    /// The TLS contexts of the ports.
    pub tls: Arc<Contexts>,
    /// The files that may be open for clients.
    pub files: DescriptorBudget,
    /// How much content is kept for clients that have not taken it.
    pub spool_usage: Arc<SpoolUsage>,
    /// Bytes of request bodies in files.
    pub spool_bytes: Budget,
    /// The connections of each client address, when they are bounded.
    pub addresses: Option<Addresses>,
    /// The number of the last connection; the first is 1, as 0 is nothing to users of `fd`. A later life
    /// of the reactor goes on behind all that a former one can have given out.
    pub connections: Arc<AtomicU64>,
}

impl SharedState {
    /// The scheduler of a pool. It is never left in the middle of a change, so a poisoned lock is no
    /// harm.
    pub fn scheduler(&self, PoolId(pool): PoolId) -> MutexGuard<'_, Scheduler> {
        self.schedulers[usize::from(pool)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the links to this life of a worker of a pool in all threads.
    pub fn close_links(&self, pool: PoolId, slot: WorkerSlot, incarnation: u64) {
        for mailbox in self.mailboxes.iter() {
            mailbox.post(Mail::Pool(pool, PoolMail::CloseLink { slot, incarnation }));
        }
    }

    /// A place among the connections of an address, where they are bounded and the address is known;
    /// `None` when it has as many as it may have.
    pub fn seat(
        &self,
        remote: Option<SocketAddr>,
        proven: bool,
        error_log: &mut ErrorLog,
        now: Instant,
    ) -> Option<Option<Seat>> {
        let (Some(addresses), Some(remote)) = (&self.addresses, remote) else { return Some(None) };
        if let Some(seat) = addresses.enter(remote.ip(), proven) {
            return Some(Some(seat));
        }
        self.shared.add(Counter::AddressesRefused, 1);
        error_log.log(
            Kind::Address,
            now,
            format_args!(
                "refused a connection of client {}: its address has as many as it may have; if it is a \
                 proxy, name it in trusted_proxies, or raise max_connection_per_address and \
                 max_pending_connection_per_address",
                Peer(Some(remote))
            ),
        );
        None
    }

    /// Counts a client that wants a connection, and gives it a number; `None` when there are as many
    /// as there may be, or as many from its address. `proven` says that the address is the client's.
    /// The number names the thread that owns the connection: `owner`, or whichever has its turn.
    pub fn admit(
        &self,
        remote: Option<SocketAddr>,
        proven: bool,
        owner: Option<u16>,
        error_log: &mut ErrorLog,
        now: Instant,
    ) -> Option<Admission> {
        self.shared.add(Counter::Accepted, 1);
        let Some(seat) = self.seat(remote, proven, error_log, now) else {
            self.shared.add(Counter::Closed, 1);
            self.shared.add(Counter::Aborted, 1);
            return None;
        };
        if self.shared.get(Counter::Connections) >= self.config.connections_max as u64 {
            self.shared.add(Counter::Closed, 1);
            self.shared.add(Counter::Aborted, 1);
            self.shared.add(Counter::ConnectionsRefused, 1);
            log::debug!("refused a connection beyond max_connection");
            return None;
        }
        Some(Admission { number: self.number(owner), seat })
    }

    /// A number for a connection, which names the thread that owns it: `owner`, or whichever has its turn.
    pub fn number(&self, owner: Option<u16>) -> ConnectionId {
        let threads = self.config.threads.max(1) as u64;
        let number = match owner {
            None => self.connections.fetch_add(1, Ordering::Relaxed) + 1,
            // One of as many numbers as there are threads is this one's.
            Some(owner) => {
                let first = self.connections.fetch_add(threads, Ordering::Relaxed) + 1;
                first + (u64::from(owner) + threads - first % threads) % threads
            }
        };
        ConnectionId(number)
    }
}

/// A client that is let in.
#[derive(Debug)]
pub struct Admission {
    /// The connection's number.
    pub number: ConnectionId,
    /// Its place among those of its address, when they are bounded.
    pub seat: Option<Seat>,
}
