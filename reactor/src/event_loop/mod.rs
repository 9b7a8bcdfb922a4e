//! One thread of the reactor: waits for sockets, moves bytes and parts, keeps deadlines.

mod admin;
mod claims;
mod closing;
mod conns;
pub mod datagrams;
mod links;
mod observed;
mod proxied;
mod requests;
mod room;

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::Level;
use log::kv::Value;
use mio::event::Event as Readiness;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use wire::event::{self, LogEvent};
use wire::limits::TLS_WATCH_INTERVAL;
use wire::shm::Counter;

use crate::acceptor::{ACCEPT_PAUSE, AcceptedConnection, Accepting, Acceptor};
use crate::client::Client;
use crate::clock::Clock;
use crate::conn::{ConnEvent, PumpResult};
use crate::error_log::{ErrorLog, Kind};
use crate::event_loop::closing::Numbers;
use crate::event_loop::datagrams::QuicEndpoints;
use crate::event_loop::room::RoomQueue;
use crate::handler::Handlers;
use crate::mailbox::Mail;
use crate::protocol::Output;
use crate::read_buffer::ReadBuffer;
use crate::record::{Records, observers};
use crate::response_spool::ResponseSpool;
use crate::shared::SharedState;
use crate::slots::{Key, Slots};
use crate::timer::Timer;
use crate::token::Source;
use crate::turn::Turn;

/// Readiness events taken from the kernel by one call.
const EVENTS_MAX: usize = 1024;

/// One thread of the reactor.
pub struct EventLoop {
    poll: Poll,
    mail: Receiver<Mail>,
    common: SharedState,
    thread: u16,
    turn: Turn,
    clients: Slots<Client>,
    numbers: Numbers,
    /// Of the clients those of administrators, which count nowhere else.
    admin_clients: usize,
    handlers: Handlers,
    /// Connections with something to do in this turn.
    ready: Vec<Key>,
    /// Only the first thread accepts, and listens to the supervisor.
    acceptor: Option<Acceptor>,
    state: LoopState,
    buffer: ReadBuffer,
    scratch: Output,
    spool: ResponseSpool,
    room: RoomQueue,
    events: Vec<ConnEvent>,
    /// Content of a request, before its handler has it.
    pieces: Vec<Bytes>,
    datagrams: QuicEndpoints,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoopState {
    Serving,
    Draining { until: Instant },
    Stopped,
}

impl EventLoop {
    /// A thread that is about to start. The first one is given the acceptor; each has its UDP socket of
    /// each port that speaks HTTP/3.
    pub fn new(
        common: SharedState,
        thread: u16,
        poll: Poll,
        mail: Receiver<Mail>,
        acceptor: Option<Acceptor>,
        sockets: Vec<Option<OwnedFd>>,
    ) -> io::Result<Self> {
        if let Some(acceptor) = &acceptor {
            acceptor.register(&poll)?;
        }
        let datagrams = QuicEndpoints::new(sockets, &common, thread)?;
        let clock = Clock::start();
        let error_log = ErrorLog::new(common.shared, clock.now().instant);
        let dir = common.config.spool_dir.clone();
        let spool = ResponseSpool::new(Arc::clone(&common.spool_usage), dir);
        let ids = common.config.request_ids.clone();
        let records = Records::new(observers::of(&common, thread), ids, common.config.traces);
        let this = Self {
            poll,
            mail,
            handlers: Handlers::new(common.clone(), thread),
            turn: Turn::new(clock, error_log, records),
            common,
            thread,
            clients: Slots::starting_at(1),
            numbers: Numbers::new(),
            admin_clients: 0,
            ready: Vec::new(),
            acceptor,
            state: LoopState::Serving,
            buffer: ReadBuffer::new(),
            scratch: Output::default(),
            spool,
            room: RoomQueue::default(),
            events: Vec::new(),
            pieces: Vec::new(),
            datagrams,
        };
        this.register_sockets()?;
        Ok(this)
    }

    /// Runs until the supervisor says stop, or is gone.
    pub fn run(mut self) -> io::Result<()> {
        self.watch_certificates();
        let mut events = Events::with_capacity(EVENTS_MAX);
        let turns = self.common.shared.turns(usize::from(self.thread));
        while self.state != LoopState::Stopped {
            // Nobody else writes there.
            turns.store(turns.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            let patience = self.patience();
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            self.turn.clock.tick();
            self.read_on();
            self.handlers.read_on(&mut self.buffer, &mut self.turn);
            for readiness in &events {
                self.dispatch(readiness);
            }
            self.expire();
            self.deliver();
            // Requests go out before responses: workers begin while this thread still writes.
            self.handlers.flush();
            self.pump_ready();
            self.handlers.flush();
            self.flush_datagrams();
            self.log_faults();
            self.turn.records.turn_ends();
            self.look_at_drain();
        }
        self.abandon_records();
        self.turn.error_log.sum_up_all();
        Ok(())
    }

    /// Logs what workers have done wrong in this turn.
    fn log_faults(&mut self) {
        let Turn { clock, error_log, timers, faults, .. } = &mut self.turn;
        let now = clock.now().instant;
        for fault in faults.drain(..) {
            let fields = [("worker", fault.worker.into()), ("error", Value::from_display(&fault))];
            error_log.log_with(Kind::Worker, now, &fields, format_args!("{fault}"));
        }
        if let Some(at) = error_log.take_alarm() {
            timers.set(at, Timer::ErrorLog);
        }
    }

    /// Only the first thread looks at files.
    fn watch_certificates(&mut self) {
        if self.acceptor.is_some() && self.common.tls.has_files() {
            let next = self.turn.now() + TLS_WATCH_INTERVAL;
            self.turn.timers.set(next, Timer::Certificates);
        }
    }

    fn patience(&mut self) -> Option<Duration> {
        let unread = self.datagrams.is_unread() || self.handlers.are_unread();
        if unread || !self.ready.is_empty() || !self.turn.answers.is_empty() {
            return Some(Duration::ZERO);
        }
        let turn = self.common.config.turn_interval_max;
        let Some(next) = self.turn.timers.next() else { return turn };
        // The kernel counts in milliseconds: without the one more, the last would be spun through.
        let left = next.saturating_duration_since(Instant::now());
        let left = if left.is_zero() { left } else { left + Duration::from_millis(1) };
        Some(turn.map_or(left, |turn| left.min(turn)))
    }

    fn dispatch(&mut self, readiness: &Readiness) {
        match Source::from(readiness.token()) {
            Source::Conn(key) => self.conn_ready(key, readiness),
            Source::Link(pool, slot) => self.link_ready(pool, slot, readiness),
            Source::Mail => self.read_mail(),
            Source::Listener(index) => self.accept(index),
            Source::Control => self.read_control(),
            Source::Udp(port) => self.udp_ready(port, readiness),
        }
    }

    /// Takes connections that other threads accepted, links, and news of the queue.
    fn read_mail(&mut self) {
        while let Ok(mail) = self.mail.try_recv() {
            match mail {
                Mail::Accepted { socket, origin, seat } => self.add_conn(socket, origin, seat),
                Mail::Pool(pool, mail) => self.read_pool_mail(pool, mail),
                Mail::Drain { until } => self.drain(until),
                Mail::Stop => self.state = LoopState::Stopped,
                Mail::Datagram(datagram) => self.handed_over(datagram),
                Mail::Inspect { number } => self.inspect(number),
                Mail::Inspected { number, report } => self.inspected(number, report),
            }
        }
        self.look_at_touched();
    }

    fn register(&self, raw: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        self.poll.registry().register(&mut SourceFd(&raw), token, interest)
    }

    /// Accepts what waits at a listener, for all threads.
    fn accept(&mut self, index: usize) {
        // Edges tell of arrivals, not of what is left: go on until nobody waits.
        loop {
            let Some(acceptor) = &mut self.acceptor else { return };
            let now = self.turn.now();
            match acceptor.accept(index, &mut self.turn.error_log, now) {
                Ok(Accepting::One(connection)) if connection.thread == self.thread => {
                    self.add_conn(connection.socket, connection.origin, connection.seat);
                }
                Ok(Accepting::One(AcceptedConnection { socket, origin, thread, seat })) => {
                    let mail = Mail::Accepted { socket, origin, seat };
                    self.common.mailboxes[usize::from(thread)].post(mail);
                }
                Ok(Accepting::Nobody) => return,
                Ok(Accepting::Later) => return self.turn.timers.set(now, Timer::Accept),
                Err(error) => {
                    self.turn.error_log.log(
                        Kind::Connection,
                        now,
                        format_args!(
                            "cannot accept connections: {error}; raise the limit of open files \
                             (ulimit -n) or lower max_connection"
                        ),
                    );
                    let again = self.turn.now() + ACCEPT_PAUSE;
                    return self.turn.timers.set(again, Timer::Accept);
                }
            }
        }
    }

    fn accept_everywhere(&mut self) {
        for index in 0..self.common.config.ports.len() {
            self.accept(index);
        }
    }

    fn read_control(&mut self) {
        while self.acceptor.as_ref().and_then(Acceptor::obey).is_some() {}
    }

    fn expire(&mut self) {
        let now = *self.turn.clock.now();
        while let Some(timer) = self.turn.timers.pop(now.instant) {
            match timer {
                Timer::Queue(pool) => {
                    let pool = self.handlers.pool(pool);
                    pool.into_iter().for_each(|pool| pool.expire_queue(&mut self.turn));
                }
                Timer::Held(pool) => {
                    let (buffer, turn) = (&mut self.buffer, &mut self.turn);
                    let pool = self.handlers.pool(pool);
                    pool.into_iter().for_each(|pool| pool.fetch_held(buffer, turn));
                }
                Timer::Balance(pool) => {
                    let pool = self.handlers.pool(pool);
                    pool.into_iter().for_each(|pool| pool.rebalance(&mut self.turn));
                }
                Timer::Detached(pool) => {
                    let pool = self.handlers.pool(pool);
                    pool.into_iter().for_each(|pool| pool.expire_detached(&mut self.turn));
                }
                Timer::Room => self.look_for_room(),
                Timer::ErrorLog => self.turn.error_log.sum_up(now.instant),
                Timer::Accept => self.accept_everywhere(),
                Timer::Certificates => {
                    self.common.tls.look();
                    self.watch_certificates();
                }
                Timer::Admin => self.expire_admin(),
                Timer::DrainEnd => self.look_at_drain(),
                Timer::CutOff(key) => self.cut_off(key),
                Timer::Conn(key) => {
                    let Some(client) = self.clients.get_mut(key) else { continue };
                    client.alarms().came();
                    match client.timeout(&now, &mut self.turn.error_log) {
                        PumpResult::Keep | PumpResult::Again => self.pump(key),
                        fate => self.close_late(key, fate),
                    }
                }
            }
        }
    }

    fn drain(&mut self, until: Instant) {
        self.state = LoopState::Draining { until };
        self.turn.timers.set(until, Timer::DrainEnd);
        // Who is in the backlog has connected to a server that was there.
        self.accept_everywhere();
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.close_listeners(&self.poll);
        }
        let now = *self.turn.clock.now();
        self.common.shared.counter(Counter::Draining).store(1, Ordering::Relaxed);
        for key in self.clients.keys() {
            let client = self.clients.get_mut(key);
            let client = client.filter(|client| !self.common.config.is_admin(client.origin().port));
            if let Some(client) = client {
                client.shutdown(&now);
                self.ready.push(key);
            }
        }
    }

    fn look_at_drain(&mut self) {
        let LoopState::Draining { until } = self.state else { return };
        let late = until <= self.turn.now();
        let left = self.clients.len() - self.admin_clients;
        if late && left > 0 {
            event::log(
                Level::Warn,
                LogEvent::ConnectionsCutOff,
                &[("count", (left as u64).into())],
                format_args!("cut off {left} connections that were not done within max_wait_time"),
            );
        }
        if late || left == 0 && self.handlers.open_exchanges() == 0 {
            self.state = LoopState::Stopped;
        }
    }
}
