//! The connections of an event loop: from readiness to parts, from answers to bytes.

use std::os::fd::OwnedFd;

use log::Level;
use log::kv::Value;
use mio::Interest;
use mio::event::Event as Readiness;
use wire::event::{self, Event as LogEvent};
use wire::head::Origin;
use wire::shared::Counter;
use wire::{ExchangeId, Holder, Part, Reason, RequestHead};

use super::{EventLoop, State};
use crate::addresses::Seat;
use crate::broker::Answer;
use crate::client::Client;
use crate::complaints::Kind;
use crate::conn::{Conn, Context, Event, Fate, content_len};
use crate::exchange::Job;
use crate::protocol::error::{Fault, ProtocolError};
use crate::protocol::{Flow, StreamId, message};
use crate::slots::Key;
use crate::socket::Socket;
use crate::timer::Timer;
use crate::token::{Source, token};

impl EventLoop {
    pub(super) fn conn_ready(&mut self, key: Key, readiness: &Readiness) {
        let key = self.clients.full_key(key);
        let Some((key, client)) = key.and_then(|key| Some((key, self.clients.get_mut(key)?)))
        else {
            return;
        };
        let Client::Stream(conn) = client else { return };
        if readiness.is_error() || readiness.is_write_closed() {
            return self.close(key, Fate::Abort);
        }
        if readiness.is_readable() || readiness.is_read_closed() {
            conn.set_readable(readiness.is_read_closed());
        }
        self.pump(key);
    }

    pub(super) fn add_conn(&mut self, socket: OwnedFd, mut origin: Origin, seat: Option<Seat>) {
        let Some(socket) = self.transport(socket, &origin) else { return };
        let now = self.clock.now();
        let port = &self.common.config.ports[usize::from(origin.port)];
        origin.reactor = self.thread;
        let raw = socket.raw();
        let mut conn = Conn::new(socket, port, origin, now);
        conn.seat = seat;
        if matches!(self.state, State::Draining { .. }) {
            conn.shutdown(now);
        }
        if port.tell_opened {
            self.broker.tell(Job::Opened(origin), now.instant);
        }
        let key = self.clients.insert(Client::Stream(Box::new(conn)));
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

    /// The transport that the port asks for.
    fn transport(&self, socket: OwnedFd, origin: &Origin) -> Option<Socket> {
        let Some(context) = self.common.tls.of(origin.port) else {
            return Some(Socket::plain(socket));
        };
        match Socket::tls(socket, &context) {
            Ok(socket) => Some(socket),
            Err(error) => {
                event::log(
                    Level::Error,
                    LogEvent::TlsFailed,
                    &[("error", Value::from_display(&error))],
                    format_args!("cannot begin TLS with a client: {error}"),
                );
                self.common.shared.add(Counter::Closed, 1);
                self.common.shared.add(Counter::Aborted, 1);
                None
            }
        }
    }

    /// Sees to it that the connection's deadline is among the timers.
    fn arm(&mut self, key: Key) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let Some(deadline) = client.deadline() else { return };
        if client.alarms().set(deadline) {
            self.broker.timers.set(deadline, Timer::Conn(key));
        }
    }

    pub(super) fn pump(&mut self, key: Key) {
        let conn = match self.clients.get_mut(key) {
            Some(Client::Stream(conn)) => conn,
            Some(Client::Quic(_)) => return self.pump_quic(key),
            None => return,
        };
        let port = &self.common.config.ports[usize::from(conn.origin.port)];
        let mut cx = Context {
            now: self.clock.now(),
            buffer: &mut self.buffer,
            scratch: &mut self.scratch,
            shared: self.common.shared,
            complaints: &mut self.complaints,
            spool: &mut self.spool,
            events: &mut self.events,
        };
        let fate = conn.pump(port, &mut cx);
        self.finish_pump(key, fate);
    }

    /// Passes on what came of a turn's work on a connection.
    pub(super) fn finish_pump(&mut self, key: Key, fate: Fate) {
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

    pub(super) fn handle_events(&mut self, key: Key) {
        if self.events.is_empty() {
            return;
        }
        let now = self.clock.now().instant;
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            let (stream, part) = match event {
                Event::Credit(id, bytes) => {
                    self.broker.credit(id, bytes);
                    continue;
                }
                Event::Gone(id) => {
                    self.stream_gone(key, id);
                    continue;
                }
                Event::Request(stream, part) => (stream, part),
            };
            let Some(client) = self.clients.get_mut(key) else { continue };
            if let Part::Head(head) = part {
                if let Some(seat) = client.seat() {
                    seat.begun();
                }
                if self.common.tls.misdirects(&head) {
                    self.refuse(key, stream, &head, Fault::Misdirected);
                    continue;
                }
                let port = &self.common.config.ports[usize::from(client.origin().port)];
                let window = client.exchanges().window(port.window_bytes);
                let id = self.broker.open(key, stream, head, window);
                client.exchanges().opened(stream, id, window);
                continue;
            }
            if let Part::Abort(reason) = part {
                let exchanges = client.exchanges();
                if reason == Reason::ClientLeaving {
                    let id = exchanges.find(stream);
                    id.into_iter().for_each(|id| self.broker.client_leaving(id, now));
                } else if let Some(id) = exchanges.forget(stream) {
                    self.common.shared.add(Counter::GivenUp, 1);
                    self.broker.client_gone(id, now);
                }
                continue;
            }
            let Some(id) = client.exchanges().find(stream) else { continue };
            match part {
                Part::Head(_) | Part::File(_) | Part::Abort(_) => {}
                Part::Body(bytes) => self.broker.content(id, &bytes, &mut self.complaints, now),
                Part::End(trailers) => self.broker.complete(id, trailers, now),
            }
        }
        self.events = events;
        self.deliver();
    }

    /// Answers a request that no worker is asked for. What follows of it is dropped, because it has no
    /// exchange.
    fn refuse(&mut self, key: Key, stream: StreamId, head: &RequestHead, fault: Fault) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let now = self.clock.now();
        let mut refusal = Some(ProtocolError::stream(fault));
        self.complaints.refused(|| refusal.take(), head.origin.remote, now.instant);
        let port = &self.common.config.ports[usize::from(client.origin().port)];
        let (head, content) = message::plain_response(fault.status());
        for part in [Part::Head(head), Part::Body(content), Part::End(None)] {
            let len = content_len(&part);
            // Counts what the client has not taken.
            let accepted = client.exchanges().accept(stream, part, port.window_bytes);
            let Some(part) = accepted.part else { continue };
            if client.send(stream, part, now, &mut self.complaints) == Flow::Gone {
                client.exchanges().released(stream, len);
                break;
            }
        }
        self.ready.push(key);
    }

    /// A stream is no more, as its protocol says.
    fn stream_gone(&mut self, key: Key, id: ExchangeId) {
        if let Some(client) = self.clients.get_mut(key) {
            client.exchanges().lose(id);
        }
        self.broker.client_gone(id, self.clock.now().instant);
    }

    /// Gives answers to their connections. One may free a worker, and what that leads to may be an
    /// answer again: until there is none.
    pub(super) fn deliver(&mut self) {
        while !self.broker.answers.is_empty() {
            let mut answers = std::mem::take(&mut self.broker.answers);
            for answer in answers.drain(..) {
                self.deliver_one(answer);
            }
            if self.broker.answers.is_empty() {
                // The memory serves the next ones.
                self.broker.answers = answers;
            }
        }
        let now = self.clock.now().instant;
        for _ in 0..std::mem::take(&mut self.broker.files_refused) {
            self.complaints.log(
                Kind::File,
                now,
                format_args!(
                    "a worker's file cannot be kept open until its client has taken it: {} are; the \
                     client gets 503. Raise the limit of open files (ulimit -n) or lower max_connection",
                    self.common.files.held(Holder::Sent)
                ),
            );
        }
    }

    fn deliver_one(&mut self, answer: Answer) {
        let Answer { conn: key, stream, exchange, part } = answer;
        let Some(client) = self.clients.get_mut(key) else { return };
        if client.exchanges().find(stream) != Some(exchange) {
            return;
        }
        let over = matches!(part, Part::End(_) | Part::Abort(_));
        let port = &self.common.config.ports[usize::from(client.origin().port)];
        let accepted = client.exchanges().accept(stream, part, port.window_bytes);
        if let Some(more) = accepted.more {
            self.broker.widen(exchange, more);
        }
        if let Some(part) = accepted.part {
            let content = content_len(&part);
            let (now, complaints) = (self.clock.now(), &mut self.complaints);
            let flow = client.send(stream, part, now, complaints);
            if flow == Flow::Gone {
                client.exchanges().released(stream, content);
                client.exchanges().forget(stream);
                if !over {
                    self.broker.client_gone(exchange, now.instant);
                }
            } else if content > 0 {
                self.broker.credit(exchange, content);
            }
        }
        if over {
            client.exchanges().ended(stream);
        }
        if self.ready.last() != Some(&key) {
            self.ready.push(key);
        }
    }

    pub(super) fn pump_ready(&mut self) {
        // What becomes ready meanwhile has its turn after the next look at the sockets.
        for key in std::mem::take(&mut self.ready) {
            self.pump(key);
        }
    }

    pub(super) fn close(&mut self, key: Key, fate: Fate) {
        let Some(mut client) = self.clients.remove(key) else { return };
        let now = self.clock.now().instant;
        for exchange in client.exchanges().take() {
            self.common.shared.add(Counter::GivenUp, 1);
            self.broker.client_gone(exchange, now);
        }
        // The poll forgets a descriptor that is closed.
        self.common.shared.sub(Counter::Connections, 1);
        self.common.shared.add(Counter::Closed, 1);
        self.common.shared.add(Counter::Aborted, u64::from(fate == Fate::Abort));
        let (origin, begun) = (client.origin(), client.has_begun());
        if let Client::Quic(client) = &mut client {
            self.leave_quic(client, fate);
        }
        if begun && self.common.config.ports[usize::from(origin.port)].tell_closed {
            self.broker.tell(Job::Closed(origin), now);
        }
    }
}
