//! One thread of the reactor: waits for sockets, moves bytes and parts, keeps deadlines.

mod conns;
pub mod datagrams;

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use log::Level;
use log::kv::Value;
use mio::event::Event as Readiness;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use wire::event::{self, Event as LogEvent};
use wire::limits::TLS_WATCH_INTERVAL;

use crate::acceptor::{ACCEPT_PAUSE, Accepting, Acceptor, Connection};
use crate::broker::{Broker, Common};
use crate::client::Client;
use crate::clock::Clock;
use crate::complaints::{Complaints, Kind};
use crate::conn::{Event, Fate};
use crate::dispatch::WorkerSlot;
use crate::event_loop::datagrams::Datagrams;
use crate::link::{Link, LinkError};
use crate::mailbox::Mail;
use crate::protocol::Output;
use crate::response_spool::ResponseSpool;
use crate::slots::{Key, Slots};
use crate::socket::ReadBuffer;
use crate::timer::Timer;
use crate::token::{Source, token};

/// Readiness events taken from the kernel by one call.
const EVENTS_MAX: usize = 1024;

/// One thread of the reactor.
pub struct EventLoop {
    poll: Poll,
    mail: Receiver<Mail>,
    common: Common,
    thread: u16,
    clock: Clock,
    clients: Slots<Client>,
    broker: Broker,
    complaints: Complaints,
    /// Connections with something to do in this turn.
    ready: Vec<Key>,
    /// Only the first thread accepts, and listens to the supervisor.
    acceptor: Option<Acceptor>,
    state: State,
    buffer: ReadBuffer,
    scratch: Output,
    spool: ResponseSpool,
    events: Vec<Event>,
    datagrams: Datagrams,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Serving,
    Draining { until: Instant },
    Stopped,
}

impl EventLoop {
    /// A thread that is about to start. The first one is given the acceptor; each has its UDP socket of
    /// each port that speaks HTTP/3.
    pub fn new(
        common: Common,
        thread: u16,
        poll: Poll,
        mail: Receiver<Mail>,
        acceptor: Option<Acceptor>,
        sockets: Vec<Option<OwnedFd>>,
    ) -> io::Result<Self> {
        if let Some(acceptor) = &acceptor {
            acceptor.register(&poll)?;
        }
        let datagrams = Datagrams::new(sockets, &common, thread)?;
        let clock = Clock::start();
        let dir = common.config.spool_dir.clone();
        let spool = ResponseSpool::new(Arc::clone(&common.spool_usage), dir);
        let this = Self {
            poll,
            mail,
            broker: Broker::new(common.clone(), thread),
            complaints: Complaints::new(common.shared, clock.now().instant),
            common,
            thread,
            clock,
            clients: Slots::starting_at(1),
            ready: Vec::new(),
            acceptor,
            state: State::Serving,
            buffer: ReadBuffer::new(),
            scratch: Output::default(),
            spool,
            events: Vec::new(),
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
        while self.state != State::Stopped {
            // Nobody else writes there.
            turns.store(turns.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            self.clock.tick();
            self.read_on();
            self.broker.read_on(&mut self.buffer, self.clock.now().instant);
            for readiness in &events {
                self.dispatch(readiness);
            }
            self.expire();
            self.deliver();
            // Requests go out before responses: workers begin while this thread still writes.
            self.broker.flush();
            self.pump_ready();
            self.deliver();
            self.broker.flush();
            self.flush_datagrams();
            for fault in self.broker.faults.drain(..) {
                let now = self.clock.now().instant;
                let fields =
                    [("worker", fault.worker.into()), ("error", Value::from_display(&fault))];
                self.complaints.log_with(Kind::Worker, now, &fields, format_args!("{fault}"));
            }
            if let Some(at) = self.complaints.take_alarm() {
                self.broker.timers.set(at, Timer::Complaints);
            }
            self.look_at_drain();
        }
        self.complaints.sum_up();
        Ok(())
    }

    /// Only the first thread looks at files.
    fn watch_certificates(&mut self) {
        if self.acceptor.is_some() && self.common.tls.has_files() {
            let next = self.clock.now().instant + TLS_WATCH_INTERVAL;
            self.broker.timers.set(next, Timer::Certificates);
        }
    }

    fn patience(&self) -> Option<Duration> {
        if !self.ready.is_empty() || self.datagrams.is_unread() || self.broker.is_unread() {
            return Some(Duration::ZERO);
        }
        let turn = self.common.config.turn_interval_max;
        let Some(next) = self.broker.timers.next() else { return turn };
        // The kernel counts in milliseconds: without the one more, the last would be spun through.
        let left = next.saturating_duration_since(Instant::now());
        let left = if left.is_zero() { left } else { left + Duration::from_millis(1) };
        Some(turn.map_or(left, |turn| left.min(turn)))
    }

    fn dispatch(&mut self, readiness: &Readiness) {
        match Source::from(readiness.token()) {
            Source::Conn(key) => self.conn_ready(key, readiness),
            Source::Link(slot) => {
                if readiness.is_writable() {
                    self.broker.link_writable(slot);
                }
                let (to_the_end, now) = (readiness.is_read_closed(), self.clock.now().instant);
                self.broker.link_readable(slot, to_the_end, &mut self.buffer, now);
                self.deliver();
            }
            Source::Mail => self.read_mail(),
            Source::Listener(index) => self.accept(index),
            Source::Control => self.read_control(),
            Source::Udp(port) => self.udp_ready(port, readiness),
        }
    }

    /// Takes connections that other threads accepted, links, and news of the queue.
    fn read_mail(&mut self) {
        let now = self.clock.now().instant;
        while let Ok(mail) = self.mail.try_recv() {
            match mail {
                Mail::Accepted { socket, origin, seat } => self.add_conn(socket, origin, seat),
                Mail::Link { slot, worker, incarnation, socket } => {
                    let (shared, thread) = (self.common.shared, usize::from(self.thread));
                    self.add_link(slot, Link::new(socket, shared, worker, incarnation, thread));
                }
                Mail::Assign(assignment) => self.broker.assigned(assignment, now),
                Mail::Move(step) => self.broker.take_over(step, now),
                Mail::TooOld(id) => self.broker.too_old(id),
                Mail::CloseLink { slot, incarnation } => {
                    self.broker.close_link(slot, incarnation, &mut self.buffer, now);
                }
                Mail::Drain { until } => self.drain(until),
                Mail::Stop => self.state = State::Stopped,
                Mail::Datagram(datagram) => self.handed_over(datagram),
            }
        }
        self.look_at_touched();
        self.deliver();
    }

    fn add_link(&mut self, slot: WorkerSlot, link: Link) {
        let now = self.clock.now().instant;
        if self.broker.has_link(slot) {
            // The place is needed: the supervisor knows that whoever had it is dead.
            self.broker.link_lost(slot, LinkError::Closed, now);
        }
        let incarnation = link.incarnation;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.register(link.raw(), token(Source::Link(slot)), interest);
        if !self.broker.add_link(slot, link, now) {
            self.broker.close_link(slot, incarnation, &mut self.buffer, now);
        }
        if let Err(error) = registered {
            log::error!("cannot poll the link to a worker: {error}");
            self.broker.link_lost(slot, LinkError::Closed, now);
        }
    }

    fn register(&self, raw: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        self.poll.registry().register(&mut SourceFd(&raw), token, interest)
    }

    /// Accepts what waits at a listener, for all threads.
    fn accept(&mut self, index: usize) {
        // Edges tell of arrivals, not of what is left: go on until nobody waits.
        loop {
            let Some(acceptor) = &mut self.acceptor else { return };
            let now = self.clock.now().instant;
            match acceptor.accept(index, &mut self.complaints, now) {
                Ok(Accepting::One(connection)) if connection.thread == self.thread => {
                    self.add_conn(connection.socket, connection.origin, connection.seat);
                }
                Ok(Accepting::One(Connection { socket, origin, thread, seat })) => {
                    let mail = Mail::Accepted { socket, origin, seat };
                    self.common.mailboxes[usize::from(thread)].post(mail);
                }
                Ok(Accepting::Nobody) => return,
                Ok(Accepting::Later) => return self.broker.timers.set(now, Timer::Accept),
                Err(error) => {
                    log::error!(
                        "cannot accept connections: {error}; raise the limit of open files \
                         (ulimit -n) or lower max_connection"
                    );
                    let again = self.clock.now().instant + ACCEPT_PAUSE;
                    return self.broker.timers.set(again, Timer::Accept);
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
        let now = *self.clock.now();
        while let Some(timer) = self.broker.timers.pop(now.instant) {
            match timer {
                Timer::Queue => {
                    self.broker.expire_queue(now.instant);
                    self.deliver();
                }
                Timer::Held => {
                    self.broker.fetch_held(&mut self.buffer, now.instant);
                    self.deliver();
                }
                Timer::Balance => self.broker.rebalance(now.instant),
                Timer::Complaints => self.complaints.sum_up(),
                Timer::Accept => self.accept_everywhere(),
                Timer::Certificates => {
                    self.common.tls.look();
                    self.watch_certificates();
                }
                Timer::DrainEnd => self.look_at_drain(),
                Timer::Conn(key) => {
                    let Some(client) = self.clients.get_mut(key) else { continue };
                    client.alarms().came();
                    match client.timeout(&now, &mut self.complaints) {
                        Fate::Keep | Fate::Again => self.pump(key),
                        fate => self.close(key, fate),
                    }
                }
            }
        }
    }

    fn drain(&mut self, until: Instant) {
        self.state = State::Draining { until };
        self.broker.timers.set(until, Timer::DrainEnd);
        // Who is in the backlog has connected to a server that was there.
        self.accept_everywhere();
        if let Some(acceptor) = &mut self.acceptor {
            acceptor.close_listeners(&self.poll);
        }
        let now = *self.clock.now();
        for key in self.clients.keys() {
            if let Some(client) = self.clients.get_mut(key) {
                client.shutdown(&now);
                self.ready.push(key);
            }
        }
    }

    fn look_at_drain(&mut self) {
        let State::Draining { until } = self.state else { return };
        let late = until <= self.clock.now().instant;
        if late && !self.clients.is_empty() {
            let left = self.clients.len();
            event::log(
                Level::Warn,
                LogEvent::ConnectionsCutOff,
                &[("count", (left as u64).into())],
                format_args!("cut off {left} connections that were not done within max_wait_time"),
            );
        }
        if late || self.clients.is_empty() && self.broker.open_exchanges() == 0 {
            self.state = State::Stopped;
        }
    }
}
