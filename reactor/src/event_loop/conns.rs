//! The connections of an event loop: from readiness to parts, from answers to bytes.

use std::mem::take;
use std::os::fd::OwnedFd;

use http::StatusCode;
use log::kv::Value;
use mio::Interest;
use mio::event::Event as Readiness;
use wire::head::Origin;
use wire::shm::Counter;
use wire::{Holder, Part, Reason};

use super::{EventLoop, LoopState};
use crate::addresses::Seat;
use crate::client::Client;
use crate::conn::streams::DriveContext;
use crate::conn::{Conn, ConnContext, ConnEvent, PumpResult, content_len};
use crate::error_log::Kind;
use crate::handler::workers::Task;
use crate::handler::{Answer, ExchangeKey, ToClient};
use crate::protocol::{Flow, StreamId, message};
use crate::slots::Key;
use crate::socket::Socket;
use crate::timer::Timer;
use crate::token::{Source, token};
use crate::turn::Turn;

impl EventLoop {
    pub(super) fn conn_ready(&mut self, key: Key, readiness: &Readiness) {
        let key = self.clients.full_key(key);
        let Some((key, client)) = key.and_then(|key| Some((key, self.clients.get_mut(key)?)))
        else {
            return;
        };
        let Client::Stream(conn) = client else { return };
        if readiness.is_error() || readiness.is_write_closed() {
            return self.close(key, PumpResult::Abort);
        }
        if readiness.is_readable() || readiness.is_read_closed() {
            conn.set_readable(readiness.is_read_closed());
        }
        self.pump(key);
    }

    pub(super) fn add_conn(&mut self, socket: OwnedFd, mut origin: Origin, seat: Option<Seat>) {
        if self.bypasses_proxies(&origin) || self.is_beyond_admins(&origin) {
            return;
        }
        let Some(socket) = self.transport(socket, &origin) else { return };
        let now = self.turn.clock.now();
        let port = &self.common.config.ports[usize::from(origin.port)];
        origin.reactor = self.thread;
        let raw = socket.raw();
        let mut conn = Conn::new(socket, port, origin, now);
        conn.seat = seat.map(Box::new);
        let is_admin = self.common.config.is_admin(origin.port);
        if matches!(self.state, LoopState::Draining { .. }) && !is_admin {
            conn.shutdown(now);
        }
        if port.notify_open && conn.announced {
            self.tell(Task::Opened, origin);
        }
        let key = self.insert_client(Client::Stream(Box::new(conn)));
        self.common.shared.add(Counter::Connections, u64::from(!is_admin));
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self.register(raw, token(Source::Conn(key)), interest) {
            Ok(()) => self.arm(key),
            Err(error) => {
                let line = format_args!(
                    "cannot poll a client's connection: {error}; lower max_connection, or raise \
                     fs.epoll.max_user_watches"
                );
                self.turn.error_log.log(Kind::Connection, self.turn.now(), line);
                self.close(key, PumpResult::Abort);
            }
        }
    }

    /// The transport that the port asks for.
    fn transport(&mut self, socket: OwnedFd, origin: &Origin) -> Option<Socket> {
        let Some(context) = self.common.tls.of(origin.port) else {
            return Some(Socket::plain(socket));
        };
        match Socket::tls(socket, &context) {
            Ok(socket) => Some(socket),
            Err(error) => {
                self.turn.error_log.log_with(
                    Kind::Tls,
                    self.turn.now(),
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
            self.turn.timers.set(deadline, Timer::Conn(key));
        }
    }

    pub(super) fn pump(&mut self, key: Key) {
        let conn = match self.clients.get_mut(key) {
            Some(Client::Stream(conn)) => conn,
            Some(Client::Quic(_)) => return self.pump_quic(key),
            None => return,
        };
        let port = &self.common.config.ports[usize::from(conn.streams.origin().port)];
        let mut cx = ConnContext {
            streams: DriveContext {
                now: self.turn.clock.now(),
                shared: self.common.shared,
                error_log: &mut self.turn.error_log,
                spool: &mut self.spool,
                events: &mut self.events,
            },
            buffer: &mut self.buffer,
            counts: !self.common.config.is_admin(conn.streams.origin().port),
            scratch: &mut self.scratch,
        };
        let fate = conn.pump(port, &mut cx);
        self.finish_pump(key, fate);
    }

    /// Passes on what came of a turn's work on a connection.
    pub(super) fn finish_pump(&mut self, key: Key, fate: PumpResult) {
        self.handle_events(key);
        if self.spool.take_refused() {
            self.wait_for_room(key);
        }
        match fate {
            PumpResult::Keep => self.arm(key),
            PumpResult::Again => {
                self.arm(key);
                self.ready.push(key);
            }
            PumpResult::Close | PumpResult::Abort => self.close(key, fate),
        }
    }

    pub(super) fn handle_events(&mut self, key: Key) {
        if self.events.is_empty() {
            return;
        }
        let mut events = take(&mut self.events);
        let mut drain = events.drain(..);
        while let Some(event) = drain.next() {
            match event {
                ConnEvent::Introduced => self.introduced(key),
                ConnEvent::Credit(exchange, bytes) => {
                    if let Some(handler) = self.handlers.get(exchange.handler) {
                        handler.credit(exchange.id, bytes);
                    }
                }
                ConnEvent::Gone(exchange) => self.stream_gone(key, exchange),
                ConnEvent::Refused(refusal) => self.refused(key, refusal),
                ConnEvent::Ended(ended) => self.over(key, &ended),
                ConnEvent::Request(stream, Part::Head(head)) => self.open(key, stream, head),
                ConnEvent::Request(stream, Part::Body(bytes)) => {
                    self.pieces.push(bytes);
                    if !matches!(drain.as_slice(), [ConnEvent::Request(next, Part::Body(_)), ..] if *next == stream)
                    {
                        self.request_content(key, stream);
                    }
                }
                ConnEvent::Request(stream, part) => self.request_part(key, stream, part),
            }
        }
        drop(drain);
        self.events = events;
    }

    /// Answers a request that no handler is asked for. What follows of it is dropped, because it has
    /// no exchange.
    pub(super) fn answer(&mut self, key: Key, stream: StreamId, status: StatusCode) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let Turn { clock, error_log, records, .. } = &mut self.turn;
        let port = &self.common.config.ports[usize::from(client.origin().port)];
        let now = clock.now().instant;
        let record = client.exchanges().record(stream);
        records.answered_all(record, None, now);
        let (head, content) = message::plain_response(status);
        for mut part in [Part::Head(head), Part::Body(content), Part::End(None)] {
            records.mark(record, &mut part);
            let len = content_len(&part);
            // Counts what the client has not taken.
            let accepted = client.exchanges().accept(stream, part, port.window_bytes);
            let Some(part) = accepted.part else { continue };
            if client.send(stream, part, clock.now(), error_log) == Flow::Gone {
                client.exchanges().released(stream, len);
                break;
            }
        }
        self.ready.push(key);
    }

    /// A stream is no more, as its protocol says.
    fn stream_gone(&mut self, key: Key, exchange: ExchangeKey) {
        if let Some(client) = self.clients.get_mut(key) {
            client.exchanges().lose(exchange);
        }
        self.client_gone(exchange);
    }

    pub(super) fn client_gone(&mut self, ExchangeKey { handler, id }: ExchangeKey) {
        if let Some(handler) = self.handlers.get(handler) {
            handler.receive(id, Part::Abort(Reason::ClientGone), &mut self.turn);
        }
    }

    /// Gives answers to their connections, then detached exchanges to workers that claim them, and ends the
    /// connections that workers name. Either may free a worker, and what that leads to may be an answer
    /// again: until there is none.
    pub(super) fn deliver(&mut self) {
        loop {
            while !self.turn.answers.is_empty() {
                let mut answers = take(&mut self.turn.answers);
                for answer in answers.drain(..) {
                    self.deliver_one(answer);
                }
                if self.turn.answers.is_empty() {
                    // The memory serves the next ones.
                    self.turn.answers = answers;
                }
            }
            let claimed = self.settle_claims();
            if !self.end_named() && !claimed {
                break;
            }
        }
        for _ in 0..take(&mut self.turn.files_refused) {
            self.turn.error_log.log(
                Kind::File,
                self.turn.clock.now().instant,
                format_args!(
                    "a worker's file cannot be kept open until its client has taken it: {} are; the \
                     client gets 503. Raise the limit of open files (ulimit -n) or lower max_connection",
                    self.common.files.held(Holder::Sent)
                ),
            );
        }
    }

    fn deliver_one(&mut self, answer: Answer) {
        let Answer { conn: key, stream, exchange, message } = answer;
        let ExchangeKey { handler, id } = exchange;
        let Some(client) = self.clients.get_mut(key) else { return };
        if client.exchanges().find(stream) != Some(exchange) {
            return;
        }
        let mut part = match message {
            ToClient::Part(part) => part,
            ToClient::Complete => {
                client.exchanges().completed(stream);
                return self.ready.push(key);
            }
            ToClient::PauseRequest(paused) => {
                client.set_paused(stream, paused, self.turn.clock.now());
                return self.ready.push(key);
            }
            ToClient::Upgrade(upgrade) => {
                let Turn { clock, error_log, .. } = &mut self.turn;
                if client.upgrade(stream, upgrade, clock.now(), error_log) == Flow::Gone {
                    client.exchanges().forget(stream);
                    self.client_gone(exchange);
                }
                return self.ready.push(key);
            }
        };
        let record = client.exchanges().record(stream);
        if let Some(parts) = self.turn.begin_answer(record, &mut part) {
            let parts = parts.into_iter().map(ToClient::Part);
            return parts.for_each(|message| {
                self.deliver_one(Answer { conn: key, stream, exchange, message });
            });
        }
        let over = matches!(part, Part::End(_) | Part::Abort(_));
        let port = &self.common.config.ports[usize::from(client.origin().port)];
        let accepted = client.exchanges().accept(stream, part, port.window_bytes);
        let Some(handler) = self.handlers.get(handler) else { return };
        if let Some(more) = accepted.more {
            handler.grow_window(id, more);
        }
        if let Some(part) = accepted.part {
            let content = content_len(&part);
            let Turn { clock, error_log, .. } = &mut self.turn;
            let flow = client.send(stream, part, clock.now(), error_log);
            if flow == Flow::Gone {
                client.exchanges().released(stream, content);
                client.exchanges().forget(stream);
                if !over {
                    handler.receive(id, Part::Abort(Reason::ClientGone), &mut self.turn);
                }
            } else if content > 0 {
                handler.credit(id, content);
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
        for key in take(&mut self.ready) {
            self.pump(key);
        }
    }

    pub(super) fn close(&mut self, key: Key, fate: PumpResult) {
        let Some(mut client) = self.remove_client(key) else { return };
        self.abandon(&mut client, Reason::ClientGone);
        self.closed(client, fate);
    }

    /// A connection was taken out of the table.
    pub(super) fn closed(&mut self, mut client: Client, fate: PumpResult) {
        let is_admin = self.is_admin(client.origin());
        for exchange in client.exchanges().take() {
            self.common.shared.add(Counter::GivenUp, u64::from(!is_admin));
            self.client_gone(exchange);
        }
        // The poll forgets a descriptor that is closed.
        if is_admin {
            return;
        }
        self.common.shared.sub(Counter::Connections, 1);
        self.common.shared.add(Counter::Closed, 1);
        self.common.shared.add(Counter::Aborted, u64::from(fate == PumpResult::Abort));
        let (origin, begun) = (*client.origin(), client.has_begun());
        if let Client::Quic(client) = &mut client {
            self.leave_quic(client, fate);
        }
        if begun && self.common.config.ports[usize::from(origin.port)].notify_close {
            self.tell(Task::Closed, origin);
        }
    }
}
