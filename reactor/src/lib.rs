//! Ferrite's reactor: owns every socket, every byte of protocol state and every client.
//!
//! It runs as one process with a few threads. Each thread is an [`event_loop`] over connections and
//! links; the first also accepts for all and obeys the supervisor. A [`handler`] answers requests: as a
//! rule the pool of workers, whose [scheduler](handler::workers::scheduler) says which worker gets one.
//! It knows nothing of PHP, and of processes only that a link has an other end.

#![deny(unsafe_code)]

mod acceptor;
pub mod access_log;
mod addresses;
mod bounds;
mod client;
mod clock;
pub mod config;
mod conn;
mod control;
mod descriptors;
mod error_log;
mod event_loop;
#[allow(unsafe_code)]
pub mod file;
pub mod handler;
mod listener;
mod mailbox;
pub mod proxies;
pub mod quic;
#[allow(unsafe_code)]
mod read_buffer;
pub mod record;
pub mod request_ids;
mod response_spool;
mod secret;
mod shared;
#[allow(unsafe_code)]
mod shared_content;
mod slots;
mod socket;
mod telemetry;
mod timer;
pub mod tls;
mod token;
pub mod trace_context;
mod turn;

pub use protocol;

use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::{fmt, io, thread};

use mio::{Poll, Waker};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use wire::Budget;
use wire::control::FromReactor;
use wire::shm::{Counter, Shared};

use crate::acceptor::Acceptor;
use crate::addresses::Addresses;
pub use crate::config::{Config, PortConfig};
use crate::control::ControlSocket;
use crate::event_loop::EventLoop;
use crate::handler::HandlerId;
use crate::handler::workers::scheduler::Scheduler;
use crate::listener::Listener;
use crate::mailbox::{Mail, Mailbox};
use crate::response_spool::SpoolUsage;
pub use crate::secret::Secret;
use crate::shared::SharedState;
use crate::telemetry::Telemetry;
use crate::tls::certificates::TlsError;
use crate::tls::contexts::Contexts;
use crate::token::{Source, token};

/// What a reactor process is given at its start.
#[derive(Debug)]
pub struct Boot {
    /// Listening sockets, one per [`Config::ports`] entry, in the same order.
    pub listeners: Vec<OwnedFd>,
    /// For each port the UDP sockets that [`quic::bind::bind`] has made, one per thread; none where
    /// HTTP/3 is not spoken.
    pub datagrams: Vec<Vec<OwnedFd>>,
    /// The control socket to the supervisor.
    pub control: OwnedFd,
    /// Marks and counters.
    pub shared: Shared,
}

/// Why the reactor could not start or go on.
#[derive(Debug)]
pub enum Error {
    /// The system refused what every thread needs; the text says what.
    System(&'static str, io::Error),
    /// The certificates of a port cannot be used.
    Tls(TlsError),
    /// A route names a handler that the configuration does not have.
    Route(HandlerId),
    /// A thread ended by a panic.
    Panicked,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(what, error) => write!(f, "{what}: {error}"),
            Self::Tls(error) => error.fmt(f),
            Self::Route(handler) => write!(f, "a route names {handler:?}, which there is not"),
            Self::Panicked => f.write_str("a reactor thread panicked"),
        }
    }
}

impl std::error::Error for Error {}

/// Runs the reactor until the supervisor has it drained, or is gone.
pub fn run(mut config: Config, boot: Boot) -> Result<(), Error> {
    let threads = config.threads;
    if let Some(handler) = handler::unknown(&config) {
        return Err(Error::Route(handler));
    }
    let schedulers = config.pools.iter();
    let schedulers =
        schedulers.map(|(_, pool)| Mutex::new(Scheduler::new(&config, pool))).collect();
    let listeners = boot
        .listeners
        .into_iter()
        .zip(0..)
        .map(|(fd, port)| Listener::new(fd, port, config.ports[usize::from(port)].tcp_nodelay))
        .collect::<io::Result<Vec<_>>>()
        .map_err(|error| Error::System("cannot listen", error))?;

    let mut sockets = by_thread(boot.datagrams, &config);
    let mut polls = Vec::with_capacity(threads);
    let mut mailboxes = Vec::with_capacity(threads);
    for _ in 0..threads {
        let (poll, mailbox, mail) =
            poll_with_mailbox().map_err(|error| Error::System("cannot poll", error))?;
        polls.push((poll, mail));
        mailboxes.push(mailbox);
    }
    let tls = Contexts::new(&config.ports).map_err(Error::Tls)?;
    let files = descriptors::budget(&config, boot.shared);
    bounds::publish(&config, &files, boot.shared);
    let (access_log, telemetry) = observers(&mut config, boot.shared)?;
    config.observe();
    let common = SharedState {
        tls: Arc::new(tls),
        files,
        addresses: Addresses::new(config.address_connections_max, config.address_pending_max),
        spool_bytes: Budget::shown(config.spool_bytes_max, boot.shared.counter(Counter::BodyBytes)),
        spool_usage: Arc::new(SpoolUsage::new(config.response_spool, boot.shared)),
        config: Arc::new(config),
        shared: boot.shared,
        connections: Arc::new(AtomicU64::new(boot.shared.get(Counter::Accepted) * threads as u64)),
        notable: (0..threads).map(|_| Mutex::default()).collect(),
        schedulers,
        mailboxes: mailboxes.into(),
        supervisor: Arc::new(ControlSocket::new(boot.control)),
        access_log: access_log.map(Arc::new),
    };
    let mut acceptor = Some(Acceptor::new(listeners, common.clone()));
    let mut loops = Vec::with_capacity(threads);
    for ((poll, mail), thread) in polls.into_iter().zip(0..) {
        let (common, acceptor) = (common.clone(), acceptor.take());
        let event_loop = EventLoop::new(common, thread, poll, mail, acceptor, sockets.remove(0))
            .map_err(|error| Error::System("cannot poll", error))?;
        loops.push(event_loop);
    }
    common.supervisor.tell(&FromReactor::Ready);
    let outcome = run_threads(loops, &common);
    if let Some(access_log) = &common.access_log {
        access_log.finish();
    }
    if let Some(telemetry) = telemetry {
        telemetry.finish();
    }
    outcome
}

/// What observers hand records to: threads that write the access log, and that send to a collector.
type Aside = (Option<access_log::WriterThread>, Option<otlp::ExporterThread<Telemetry>>);

/// Starts the threads that the configuration wants, and adds their observers to it.
fn observers(config: &mut Config, shared: Shared) -> Result<Aside, Error> {
    let access_log = config.access_log.as_ref();
    let access_log = access_log.map(|log| access_log::WriterThread::start(log, shared)).transpose();
    let access_log = access_log.map_err(|error| Error::System("cannot start a thread", error))?;
    if let (Some(running), Some(log)) = (&access_log, &config.access_log) {
        let observer = running.observer(log);
        config.observers.push(observer);
    }
    let telemetry = config.otlp.clone().and_then(|otlp| telemetry::start(otlp, shared));
    if let Some(running) = &telemetry {
        let admin = config.admin.as_ref().map(|admin| admin.port);
        config.observers.push(telemetry::observer(running, admin));
    }
    Ok((access_log, telemetry))
}

/// For each thread its UDP sockets, one place per port.
fn by_thread(ports: Vec<Vec<OwnedFd>>, config: &Config) -> Vec<Vec<Option<OwnedFd>>> {
    let mut ports: Vec<_> = ports.into_iter().map(Vec::into_iter).collect();
    let threads = (0..config.threads).map(|_| ports.iter_mut().map(Iterator::next).collect());
    threads.collect()
}

fn poll_with_mailbox() -> io::Result<(Poll, Mailbox, Receiver<Mail>)> {
    let poll = Poll::new()?;
    let (mailbox, mail) = Mailbox::new(Waker::new(poll.registry(), token(Source::Mail))?);
    Ok((poll, mailbox, mail))
}

fn run_threads(loops: Vec<EventLoop>, common: &SharedState) -> Result<(), Error> {
    thread::scope(|scope| {
        let threads: Vec<_> = loops
            .into_iter()
            .zip(0..)
            .map(|(event_loop, index)| {
                let fellows = Fellows { common };
                let name = format!("reactor-{index}");
                thread::Builder::new().name(name).spawn_scoped(scope, move || {
                    stay_on_cpu(&fellows.common.config.cpus, index);
                    let result = event_loop.run();
                    if result.is_ok() {
                        std::mem::forget(fellows);
                    }
                    result
                })
            })
            .collect();
        let mut outcome = Ok(());
        for thread in threads {
            let ended = match thread.map(thread::ScopedJoinHandle::join) {
                Err(error) => Err(Error::System("cannot start a thread", error)),
                Ok(Err(_)) => Err(Error::Panicked),
                Ok(Ok(result)) => result.map_err(|error| Error::System("cannot poll", error)),
            };
            outcome = outcome.and(ended);
        }
        outcome
    })
}

/// Keeps this thread on its CPU, if there are such.
fn stay_on_cpu(cpus: &[usize], thread: usize) {
    if cpus.is_empty() {
        return;
    }
    let mut set = CpuSet::new();
    let pinned =
        set.set(cpus[thread % cpus.len()]).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    if let Err(error) = pinned {
        log::warn!("a thread cannot stay on one CPU: {}", error.desc());
    }
}

/// Ends all threads when one ends by an error or a panic: the supervisor then starts a new reactor.
struct Fellows<'a> {
    common: &'a SharedState,
}

impl Drop for Fellows<'_> {
    fn drop(&mut self) {
        for mailbox in self.common.mailboxes.iter() {
            mailbox.post(Mail::Stop);
        }
    }
}
