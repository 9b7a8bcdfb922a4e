//! One thread of the reactor: waits for sockets, moves bytes and parts, keeps deadlines.

use std::io;
use std::os::fd::RawFd;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use mio::event::Event as Readiness;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use wire::head::{Origin, Scheme};
use wire::shared::Counter;
use wire::{ExchangeId, Part};

use crate::acceptor::{ACCEPT_PAUSE, Acceptor, Connection};
use crate::broker::{Answer, Broker, Common};
use crate::clock::Clock;
use crate::conn::{Conn, Context, Event, Fate};
use crate::dispatch::WorkerSlot;
use crate::exchange::Job;
use crate::link::{Link, LinkError};
use crate::mailbox::Mail;
use crate::protocol::h1::Http1;
use crate::protocol::{Flow, Output};
use crate::slots::{Key, Slots};
use crate::socket::{ReadBuffer, Socket};
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
    conns: Slots<Conn>,
    broker: Broker,
    /// Connections with something to do in this turn.
    ready: Vec<Key>,
    /// Only the first thread accepts, and listens to the supervisor.
    acceptor: Option<Acceptor>,
    state: State,
    buffer: ReadBuffer,
    scratch: Output,
    events: Vec<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Serving,
    Draining { until: Instant },
    Stopped,
}

impl EventLoop {
    /// A thread that is about to start. The first one is given the acceptor.
    pub fn new(
        common: Common,
        thread: u16,
        poll: Poll,
        mail: Receiver<Mail>,
        acceptor: Option<Acceptor>,
    ) -> io::Result<Self> {
        if let Some(acceptor) = &acceptor {
            acceptor.register(&poll)?;
        }
        Ok(Self {
            poll,
            mail,
            broker: Broker::new(common.clone(), thread),
            common,
            thread,
            clock: Clock::start(),
            conns: Slots::default(),
            ready: Vec::new(),
            acceptor,
            state: State::Serving,
            buffer: ReadBuffer::new(),
            scratch: Output::default(),
            events: Vec::new(),
        })
    }

    /// Runs until the supervisor says stop, or is gone.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        while self.state != State::Stopped {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            self.clock.tick();
            for readiness in &events {
                self.dispatch(readiness);
            }
            self.expire();
            // Requests go out before responses: workers begin while this thread still writes.
            self.broker.flush();
            self.pump_ready();
            self.broker.flush();
            self.look_at_drain();
        }
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = self.broker.timers.next()?;
        // The kernel counts in milliseconds: without the one more, the last would be spun through.
        let left = next.saturating_duration_since(Instant::now());
        Some(if left.is_zero() { left } else { left + Duration::from_millis(1) })
    }

    fn dispatch(&mut self, readiness: &Readiness) {
        match Source::from(readiness.token()) {
            Source::Conn(key) => self.conn_ready(key, readiness),
            Source::Link(slot) => {
                if readiness.is_writable() {
                    self.broker.link_writable(slot);
                }
                self.broker.link_readable(slot, &mut self.buffer, self.clock.now().instant);
                self.deliver();
            }
            Source::Mail => self.read_mail(),
            Source::Listener(index) => self.accept(index),
            Source::Control => self.read_control(),
        }
    }

    fn conn_ready(&mut self, key: Key, readiness: &Readiness) {
        let key = self.conns.full_key(key);
        let Some((key, conn)) = key.and_then(|key| Some((key, self.conns.get_mut(key)?))) else {
            return;
        };
        if readiness.is_error() || readiness.is_write_closed() {
            return self.close(key, Fate::Abort);
        }
        if readiness.is_readable() || readiness.is_read_closed() {
            conn.set_readable();
        }
        self.pump(key);
    }

    /// Takes connections that other threads accepted, links, and news of the queue.
    fn read_mail(&mut self) {
        let now = self.clock.now().instant;
        while let Ok(mail) = self.mail.try_recv() {
            match mail {
                Mail::Accepted { socket, origin } => self.add_conn(Socket::new(socket), origin),
                Mail::Link { slot, worker, incarnation, socket } => {
                    let marks =
                        self.common.shared.marks(worker.into(), incarnation, self.thread.into());
                    self.add_link(slot, Link::new(socket, worker, incarnation, marks));
                }
                Mail::Assign(assignment) => self.broker.assigned(assignment, now),
                Mail::CloseLink { slot } => self.broker.link_lost(slot, LinkError::Closed, now),
                Mail::Drain { until } => self.drain(until),
                Mail::Stop => self.state = State::Stopped,
            }
        }
        self.deliver();
    }

    fn add_link(&mut self, slot: WorkerSlot, link: Link) {
        let now = self.clock.now().instant;
        if self.broker.has_link(slot) {
            self.broker.link_lost(slot, LinkError::Closed, now);
        }
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.register(link.raw(), token(Source::Link(slot)), interest);
        self.broker.add_link(slot, link, now);
        if let Err(error) = registered {
            log::error!("cannot poll the link to a worker: {error}");
            self.broker.link_lost(slot, LinkError::Closed, now);
        }
    }

    fn register(&self, raw: RawFd, token: Token, interest: Interest) -> io::Result<()> {
        self.poll.registry().register(&mut SourceFd(&raw), token, interest)
    }

    fn add_conn(&mut self, socket: Socket, mut origin: Origin) {
        let now = self.clock.now();
        let port = &self.common.config.ports[usize::from(origin.port)];
        origin.reactor = self.thread;
        let protocol = Http1::new(port.http.clone(), origin, Scheme::Http, now);
        let raw = socket.raw();
        let mut conn = Conn::new(socket, Box::new(protocol), origin);
        if matches!(self.state, State::Draining { .. }) {
            conn.shutdown(now);
        }
        if port.tell_opened {
            self.broker.tell(Job::Opened(origin), now.instant);
        }
        let key = self.conns.insert(conn);
        self.common.shared.add(Counter::Connections, 1);
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self.register(raw, token(Source::Conn(key)), interest) {
            Ok(()) => self.arm(key),
            Err(error) => {
                log::error!("cannot poll a client's connection: {error}");
                self.close(key, Fate::Abort);
            }
        }
    }

    /// Accepts what waits at a listener, for all threads.
    fn accept(&mut self, index: usize) {
        // Edges tell of arrivals, not of what is left: go on until nobody waits.
        loop {
            let Some(acceptor) = &mut self.acceptor else { return };
            match acceptor.accept(index) {
                Ok(Some(Connection { socket, origin, thread })) if thread == self.thread => {
                    self.add_conn(Socket::new(socket), origin);
                }
                Ok(Some(Connection { socket, origin, thread })) => {
                    let mail = Mail::Accepted { socket, origin };
                    self.common.mailboxes[usize::from(thread)].post(mail);
                }
                Ok(None) => return,
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

    /// Sees to it that the connection's deadline is among the timers.
    fn arm(&mut self, key: Key) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let Some(deadline) = conn.deadline() else { return };
        if conn.armed.is_none_or(|armed| deadline < armed) {
            conn.armed = Some(deadline);
            self.broker.timers.set(deadline, Timer::Conn(key));
        }
    }

    fn pump(&mut self, key: Key) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let port = &self.common.config.ports[usize::from(conn.origin.port)];
        let mut cx = Context {
            now: self.clock.now(),
            buffer: &mut self.buffer,
            scratch: &mut self.scratch,
            shared: self.common.shared,
            events: &mut self.events,
        };
        let fate = conn.pump(port, &mut cx);
        self.handle_events(key);
        match fate {
            Fate::Keep => self.arm(key),
            Fate::Again => {
                self.arm(key);
                self.ready.push(key);
            }
            Fate::Close | Fate::Abort => self.close(key, fate),
        }
    }

    fn handle_events(&mut self, key: Key) {
        if self.events.is_empty() {
            return;
        }
        let now = self.clock.now().instant;
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            let (stream, part) = match event {
                Event::Released(id, bytes) => {
                    self.broker.released(id, bytes);
                    continue;
                }
                Event::Request(stream, part) => (stream, part),
            };
            let Some(conn) = self.conns.get_mut(key) else { continue };
            if let Part::Head(head) = part {
                let id = self.broker.open(key, stream, head);
                conn.opened(stream, id);
                continue;
            }
            let Some(id) = conn.exchange(stream) else { continue };
            match part {
                Part::Head(_) | Part::File(_) => {}
                Part::Body(bytes) => self.broker.content(id, &bytes),
                Part::End(trailers) => self.broker.complete(id, trailers, now),
                Part::Abort(_) => {
                    conn.forget(stream);
                    self.broker.client_gone(id, now);
                }
            }
        }
        self.events = events;
        self.deliver();
    }

    /// Gives answers to their connections.
    fn deliver(&mut self) {
        if self.broker.answers.is_empty() {
            return;
        }
        let mut answers = std::mem::take(&mut self.broker.answers);
        for Answer { conn: key, stream, exchange, part } in answers.drain(..) {
            let Some(conn) = self.conns.get_mut(key) else { continue };
            if conn.exchange(stream) != Some(exchange) {
                continue;
            }
            let over = matches!(part, Part::End(_) | Part::Abort(_));
            let flow = conn.send(stream, part, self.clock.now());
            if over || flow == Flow::Gone {
                conn.forget(stream);
            }
            if flow == Flow::Gone && !over {
                self.broker.client_gone(exchange, self.clock.now().instant);
            }
            if self.ready.last() != Some(&key) {
                self.ready.push(key);
            }
        }
        if self.broker.answers.is_empty() {
            self.broker.answers = answers;
        }
    }

    fn pump_ready(&mut self) {
        // What becomes ready meanwhile has its turn after the next look at the sockets.
        for key in std::mem::take(&mut self.ready) {
            self.pump(key);
        }
    }

    fn close(&mut self, key: Key, fate: Fate) {
        let Some(mut conn) = self.conns.remove(key) else { return };
        let now = self.clock.now().instant;
        for (_, exchange) in conn.take_exchanges() {
            self.broker.client_gone(exchange, now);
        }
        // The poll forgets a descriptor that is closed.
        self.common.shared.sub(Counter::Connections, 1);
        self.common.shared.add(Counter::Closed, 1);
        self.common.shared.add(Counter::Aborted, u64::from(fate == Fate::Abort));
        if self.common.config.ports[usize::from(conn.origin.port)].tell_closed {
            self.broker.tell(Job::Closed(conn.origin), now);
        }
    }

    fn expire(&mut self) {
        let now = *self.clock.now();
        while let Some(timer) = self.broker.timers.pop(now.instant) {
            match timer {
                Timer::Queued(id) => {
                    self.broker.queue_age_reached(ExchangeId::from_u64(id));
                    self.deliver();
                }
                Timer::Accept => self.accept_everywhere(),
                Timer::DrainEnd => self.look_at_drain(),
                Timer::Conn(key) => {
                    let Some(conn) = self.conns.get_mut(key) else { continue };
                    conn.armed = None;
                    match conn.timeout(&now) {
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
        for key in self.conns.keys() {
            if let Some(conn) = self.conns.get_mut(key) {
                conn.shutdown(&now);
                self.ready.push(key);
            }
        }
    }

    fn look_at_drain(&mut self) {
        let State::Draining { until } = self.state else { return };
        let late = until <= self.clock.now().instant;
        if late && !self.conns.is_empty() {
            let left = self.conns.len();
            log::warn!("cut off {left} connections that were not done within max_wait_time");
        }
        if late || self.conns.is_empty() && self.broker.open_exchanges() == 0 {
            self.state = State::Stopped;
        }
    }
}
