//! What only the first thread does: accept for all threads, and obey the supervisor.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Interest, Poll};
use wire::control::ToReactorControl;
use wire::head::Origin;

use crate::addresses::Seat;
use crate::control::Control;
use crate::error_log::ErrorLog;
use crate::handler::workers::scheduler::{Scheduler, WorkerSlot, worker_slot};
use crate::listener::{ACCEPTS_PER_TURN_MAX, AcceptAttempt, Listener};
use crate::mailbox::{Mail, PoolMail};
use crate::shared::{Admission, SharedState};
use crate::token::{Source, token};

/// Pause after the process ran out of descriptors.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The listeners, and who gets the next connection.
#[derive(Debug)]
pub struct Acceptor {
    /// By their ports; `None` once one is closed.
    listeners: Vec<Option<Listener>>,
    common: SharedState,
}

/// A connection that was accepted.
#[derive(Debug)]
pub struct AcceptedConnection {
    /// The socket.
    pub socket: OwnedFd,
    /// Where it came from.
    pub origin: Origin,
    /// The thread that is to serve it.
    pub thread: u16,
    /// Its place among those of its address, when they are bounded.
    pub seat: Option<Seat>,
}

/// What one turn of accepting gave.
#[derive(Debug)]
pub enum Accepting {
    /// A connection.
    One(AcceptedConnection),
    /// Nobody waits.
    Nobody,
    /// Many were refused, and more may wait: others have their turn first.
    Later,
}

impl Acceptor {
    /// An acceptor over these listeners.
    pub fn new(listeners: Vec<Listener>, common: SharedState) -> Self {
        Self { listeners: listeners.into_iter().map(Some).collect(), common }
    }

    /// Registers the listeners and the control socket.
    pub fn register(&self, poll: &Poll) -> io::Result<()> {
        let control = self.common.supervisor.raw();
        let (registry, read) = (poll.registry(), Interest::READABLE);
        registry.register(&mut SourceFd(&control), token(Source::Control), read)?;
        for (index, listener) in self.listeners.iter().enumerate() {
            let Some(listener) = listener else { continue };
            let source = token(Source::Listener(index));
            registry.register(&mut SourceFd(&listener.raw()), source, read)?;
        }
        Ok(())
    }

    /// Accepts no more clients; administrators may still look. Registrations outlive a close here, because the supervisor holds the same
    /// sockets, so they are taken back first.
    pub fn close_listeners(&mut self, poll: &Poll) {
        for (port, place) in (0..).zip(&mut self.listeners) {
            let listener = place.take_if(|_| !self.common.config.is_admin(port));
            if let Some(listener) = listener {
                let _ = poll.registry().deregister(&mut SourceFd(&listener.raw()));
            }
        }
    }

    /// Accepts one connection and names the thread that is to serve it.
    pub fn accept(
        &mut self,
        index: usize,
        error_log: &mut ErrorLog,
        now: Instant,
    ) -> io::Result<Accepting> {
        let Some(Some(listener)) = self.listeners.get(index) else { return Ok(Accepting::Nobody) };
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            let (socket, mut origin) = match listener.accept() {
                AcceptAttempt::Connection(socket, origin) => (socket, origin),
                AcceptAttempt::Nothing => return Ok(Accepting::Nobody),
                AcceptAttempt::Again => continue,
                AcceptAttempt::Exhausted(error) => return Err(error),
            };
            if self.common.config.is_admin(origin.port) {
                // It counts nowhere, and has a place when there is none for others.
                origin.connection = self.common.number(Some(0)).0;
                return Ok(Accepting::One(AcceptedConnection {
                    socket,
                    origin,
                    thread: 0,
                    seat: None,
                }));
            }
            let proxies = &self.common.config.ports[index].proxies;
            origin.trusted_proxy = proxies.trusted.trust(origin.remote);
            // A proxy has the connections of many clients.
            let counted = origin.remote.filter(|_| !origin.trusted_proxy);
            let admitted = self.common.admit(counted, true, None, error_log, now);
            let Some(Admission { number, seat }) = admitted else { continue };
            origin.connection = number.0;
            let thread = number.thread(self.common.config.threads) as u16;
            return Ok(Accepting::One(AcceptedConnection { socket, origin, thread, seat }));
        }
        Ok(Accepting::Later)
    }

    /// Obeys one message of the supervisor's. `None` when there is none now, or none any more.
    pub fn obey(&self) -> Option<()> {
        match self.common.supervisor.receive() {
            Control::Nothing => return None,
            Control::Gone => {
                self.broadcast(|| Mail::Stop);
                return None;
            }
            Control::Message(ToReactorControl::Link { worker, incarnation }, sockets) => {
                let place = self.common.config.pools.of_worker(worker);
                let (true, Some((pool, index))) =
                    (sockets.len() == self.common.mailboxes.len(), place)
                else {
                    log::error!("the supervisor sent {} links for worker {worker}", sockets.len());
                    return Some(());
                };
                let slot = worker_slot(index, incarnation);
                self.common.scheduler(pool).joined(slot, incarnation, Instant::now());
                for (mailbox, socket) in self.common.mailboxes.iter().zip(sockets) {
                    let link = PoolMail::Link { slot, worker, incarnation, socket };
                    mailbox.post(Mail::Pool(pool, link));
                }
            }
            Control::Message(ToReactorControl::Retire { incarnation }, _) => {
                self.end_links(incarnation, |scheduler| scheduler.retire(incarnation));
            }
            Control::Message(ToReactorControl::Ended { incarnation }, _) => {
                // None when every thread has seen the end of its link before.
                self.end_links(incarnation, |scheduler| scheduler.slot_of(incarnation));
            }
            Control::Message(ToReactorControl::ReloadTls, _) => self.common.tls.reload(),
            Control::Message(ToReactorControl::Log, files) => {
                files.into_iter().for_each(self.common.config.take_log);
            }
            Control::Message(ToReactorControl::AccessLog, files) => {
                if let (Some(log), Some(file)) = (&self.common.access_log, files.into_iter().next())
                {
                    log.reopen(file);
                }
            }
            Control::Message(ToReactorControl::Drain { within_ms }, _) => {
                let until = Instant::now() + Duration::from_millis(within_ms);
                self.broadcast(|| Mail::Drain { until });
            }
        }
        Some(())
    }

    /// Closes the links to a life of a worker, if the scheduler of its pool says where it is.
    fn end_links(&self, incarnation: u64, place: impl Fn(&mut Scheduler) -> Option<WorkerSlot>) {
        for (pool, _) in self.common.config.pools.iter() {
            let slot = place(&mut self.common.scheduler(pool));
            if let Some(slot) = slot {
                self.common.close_links(pool, slot, incarnation);
            }
        }
    }

    fn broadcast(&self, mail: impl Fn() -> Mail) {
        for mailbox in self.common.mailboxes.iter() {
            mailbox.post(mail());
        }
    }
}
