//! [`Admin`]: the handler of the admin listener: metrics, health, state and control, answered by the first
//! thread of the reactor, whatever the workers do.
//!
//! What lies in shared memory is rendered in one go. What only the threads know, such as which request a
//! worker has in work, they are asked by mail, and the answer goes out when all have told, or after a
//! while without those that have not.

pub mod counting;
mod guard;
mod json;
pub(crate) mod memory;
pub mod notable;
mod page;
mod readiness;
pub mod report;
mod response;

use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use log::Level;
use serde_json::json;
use wire::control::FromReactor;
use wire::event::{self, LogEvent};
use wire::limits::{
    ADMIN_EVENT_INTERVAL, ADMIN_GATHER_TIME_MAX, ADMIN_STREAM_AHEAD_BYTES_MAX, ADMIN_STREAMS_MAX,
};
use wire::metrics::text::render;
use wire::shm::Counter;
use wire::{BodyLength, ExchangeId, Part, RequestHead, ResponseHead};

use self::guard::AdminEndpoint;
use self::json::Moment;
use self::memory::MemoryLook;
use self::page::Page;
use self::readiness::Readiness;
use self::report::{Gathering, ThreadReport};
use self::response::AdminResponse;
use super::workers::in_flight::{id_of, key_of};
use super::{ExchangeKey, Handler, HandlerId, NewRequest};
use crate::mailbox::Mail;
use crate::protocol::StreamId;
use crate::shared::SharedState;
use crate::slots::{Key, Slots};
use crate::timer::Timer;
use crate::turn::Turn;

/// Answers what administrators ask.
#[derive(Debug)]
pub struct Admin {
    common: SharedState,
    token: Option<Bytes>,
    options: Bytes,
    exchanges: Slots<AdminExchange>,
    /// Those that get events, and content bytes that their clients have not taken.
    streams: Vec<(ExchangeId, u64)>,
    /// Those that wait for what the threads tell.
    waiting: Vec<ExchangeId>,
    gathering: Option<Gathering>,
    asked: u64,
    memory: MemoryLook,
    page: Page,
    /// When the timer comes, if it has been set.
    alarm: Option<Instant>,
    next_event: Option<Instant>,
}

#[derive(Debug)]
struct AdminExchange {
    conn: Key,
    stream: StreamId,
    head: Box<RequestHead>,
}

impl Admin {
    /// The handler of the configuration; `None` without an admin listener, and in threads but the first.
    pub fn new(common: &SharedState, thread: u16) -> Option<Self> {
        let config = common.config.admin.as_ref().filter(|_| thread == 0)?;
        Some(Self {
            token: config.token.clone(),
            options: config.options.clone(),
            common: common.clone(),
            exchanges: Slots::starting_at(1),
            streams: Vec::new(),
            waiting: Vec::new(),
            gathering: None,
            asked: 0,
            memory: MemoryLook::new(),
            page: Page::new(),
            alarm: None,
            next_event: None,
        })
    }

    fn answer(&mut self, id: ExchangeId, turn: &mut Turn) {
        let Some(exchange) = self.exchanges.get(key_of(id)) else { return };
        let response = match guard::check(&exchange.head, self.token.as_ref()) {
            Ok(endpoint) => self.answer_to(endpoint, id, turn),
            Err(refusal) => Some(AdminResponse::refused(refusal)),
        };
        if let Some(response) = response {
            self.respond(id, response, turn);
        }
    }

    /// `None` when the answer is on its way, or comes later.
    fn answer_to(
        &mut self,
        endpoint: AdminEndpoint,
        id: ExchangeId,
        turn: &mut Turn,
    ) -> Option<AdminResponse> {
        let now = turn.now();
        let ready = || self.readiness(now);
        Some(match endpoint {
            AdminEndpoint::Page => self.page.response(),
            AdminEndpoint::Metrics => {
                let format = guard::format(&self.exchanges.get(key_of(id))?.head);
                let text =
                    render(self.common.shared, self.memory.look(self.common.shared, now), format);
                AdminResponse {
                    content_type: format.content_type(),
                    ..AdminResponse::text(StatusCode::OK, text)
                }
                .with("vary", "accept")
            }
            AdminEndpoint::Health => AdminResponse::text(StatusCode::OK, "ok\n"),
            AdminEndpoint::Ready => match ready().reason() {
                None => AdminResponse::text(StatusCode::OK, "ready\n"),
                Some(reason) => {
                    AdminResponse::text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n"))
                }
            },
            AdminEndpoint::Status => {
                let micros = turn.clock.now().unix_micros;
                AdminResponse::json(
                    StatusCode::OK,
                    &json::status(self.common.shared, &ready(), micros),
                )
            }
            AdminEndpoint::Options => AdminResponse {
                content_type: "application/json",
                ..AdminResponse::text(StatusCode::OK, self.options.clone())
            },
            AdminEndpoint::Workers => {
                self.waiting.push(id);
                self.gather(turn);
                return None;
            }
            AdminEndpoint::Events => return self.open_stream(id, turn),
            AdminEndpoint::Reload | AdminEndpoint::Drain | AdminEndpoint::Stop => {
                self.obey(endpoint)
            }
        })
    }

    /// Passes on what an administrator wants done.
    fn obey(&self, endpoint: AdminEndpoint) -> AdminResponse {
        let (command, done) = match endpoint {
            AdminEndpoint::Reload => ("reload", "the workers are being replaced"),
            AdminEndpoint::Drain => ("drain", "/readyz says no from now on"),
            _ => ("stop", "the server stops"),
        };
        event::log(
            Level::Info,
            LogEvent::AdminCommand,
            &[("command", command.into())],
            format_args!("an administrator asks by the admin listener: {command}"),
        );
        match endpoint {
            AdminEndpoint::Reload => self.common.supervisor.tell(&FromReactor::Reload),
            AdminEndpoint::Drain => {
                self.common.shared.counter(Counter::Draining).store(1, Ordering::Relaxed);
            }
            _ => self.common.supervisor.tell(&FromReactor::Shutdown),
        }
        let answer = json!({ "command": command, "accepted": true, "message": done });
        AdminResponse::json(StatusCode::ACCEPTED, &answer)
    }

    fn readiness(&self, now: Instant) -> Readiness {
        let pools = self.common.config.pools.iter();
        let full = pools.filter_map(|(pool, _)| self.common.scheduler(pool).full_since());
        Readiness::of(self.common.shared, full.min(), now)
    }

    fn open_stream(&mut self, id: ExchangeId, turn: &mut Turn) -> Option<AdminResponse> {
        if self.streams.len() >= ADMIN_STREAMS_MAX {
            let text = "too many clients get events: close one\n";
            return Some(AdminResponse::text(StatusCode::SERVICE_UNAVAILABLE, text));
        }
        let content_type = "text/event-stream";
        let response =
            AdminResponse { content_type, ..AdminResponse::text(StatusCode::OK, Bytes::new()) };
        self.say(id, [Part::Head(response.head(BodyLength::Streamed))], turn);
        self.streams.push((id, 0));
        self.gather(turn);
        None
    }

    /// Asks the threads, unless they have been asked.
    fn gather(&mut self, turn: &mut Turn) {
        if self.gathering.is_some() {
            return;
        }
        self.asked += 1;
        let until = turn.now() + ADMIN_GATHER_TIME_MAX;
        self.gathering = Some(Gathering::new(self.asked, self.common.mailboxes.len(), until));
        for mailbox in self.common.mailboxes.iter() {
            mailbox.post(Mail::Inspect { number: self.asked });
        }
        self.wake_at(until, turn);
    }

    /// A thread has told what it knows.
    pub fn inspected(&mut self, number: u64, report: ThreadReport, turn: &mut Turn) {
        let Some(gathering) = &mut self.gathering else { return };
        if gathering.number == number && gathering.add(report) {
            self.tell(turn);
        }
    }

    /// A deadline may have passed.
    pub fn expire(&mut self, turn: &mut Turn) {
        let now = turn.now();
        self.alarm = None;
        if self.gathering.as_ref().is_some_and(|gathering| gathering.until <= now) {
            self.tell(turn);
        }
        if self.next_event.is_some_and(|at| at <= now) {
            self.next_event = None;
            self.gather(turn);
        }
        let until = self.gathering.as_ref().map(|gathering| gathering.until);
        if let Some(next) = until.into_iter().chain(self.next_event).min() {
            self.wake_at(next, turn);
        }
    }

    fn wake_at(&mut self, at: Instant, turn: &mut Turn) {
        if self.alarm.is_none_or(|alarm| at < alarm) {
            self.alarm = Some(at);
            turn.set_timer(at, Timer::Admin);
        }
    }

    /// Answers those who wait, and sends an event.
    fn tell(&mut self, turn: &mut Turn) {
        let Some(Gathering { report, .. }) = self.gathering.take() else { return };
        let now = *turn.clock.now();
        let moment = Moment { instant: now.instant, unix_micros: now.unix_micros };
        self.memory.look(self.common.shared, now.instant);
        let workers = json::workers(self.common.shared, &self.memory, &report.doing, moment);
        for id in std::mem::take(&mut self.waiting) {
            self.respond(id, AdminResponse::json(StatusCode::OK, &workers), turn);
        }
        if self.streams.is_empty() {
            return;
        }
        let readiness = self.readiness(now.instant);
        let event = json!({
            "status": json::status(self.common.shared, &readiness, now.unix_micros),
            "durations": json::buckets(self.common.shared),
            "workers": workers,
            "routes": json::routes(&self.common),
            "errors": json::errors(&self.common),
        });
        let event = Bytes::from(format!("data: {event}\n\n"));
        for at in 0..self.streams.len() {
            let (id, ahead) = &mut self.streams[at];
            // Who does not keep up sees the next one that there is room for.
            if *ahead <= ADMIN_STREAM_AHEAD_BYTES_MAX {
                *ahead += event.len() as u64;
                let id = *id;
                self.say(id, [Part::Body(event.clone())], turn);
            }
        }
        let next = now.instant + ADMIN_EVENT_INTERVAL;
        self.next_event = Some(next);
        self.wake_at(next, turn);
    }

    fn respond(&mut self, id: ExchangeId, response: AdminResponse, turn: &mut Turn) {
        let head = response.head(BodyLength::Known(response.content.len() as u64));
        let content = (!response.content.is_empty()).then_some(Part::Body(response.content));
        let parts = [Some(Part::Head(head)), content, Some(Part::End(None))];
        self.say(id, parts.into_iter().flatten(), turn);
        self.exchanges.remove(key_of(id));
    }

    fn say(
        &self,
        id: ExchangeId,
        parts: impl IntoIterator<Item = Part<ResponseHead>>,
        turn: &mut Turn,
    ) {
        let Some(exchange) = self.exchanges.get(key_of(id)) else { return };
        let key = ExchangeKey { handler: HandlerId::Admin, id };
        turn.answer(exchange.conn, exchange.stream, key, parts);
    }

    fn is_stream(&self, id: ExchangeId) -> bool {
        self.streams.iter().any(|(stream, _)| *stream == id)
    }

    fn forget(&mut self, id: ExchangeId) {
        self.exchanges.remove(key_of(id));
        self.streams.retain(|(stream, _)| *stream != id);
        self.waiting.retain(|waiting| *waiting != id);
    }
}

impl Handler for Admin {
    fn open(
        &mut self,
        request: NewRequest,
        _turn: &mut Turn,
    ) -> Result<ExchangeId, Box<NewRequest>> {
        let NewRequest { conn, stream, head, .. } = request;
        Ok(id_of(self.exchanges.insert(AdminExchange { conn, stream, head })))
    }

    fn receive(&mut self, id: ExchangeId, part: Part<Box<RequestHead>>, turn: &mut Turn) {
        match part {
            Part::End(_) => self.answer(id, turn),
            Part::Abort(wire::Reason::ClientLeaving) if self.is_stream(id) => {
                self.say(id, [Part::End(None)], turn);
                self.forget(id);
            }
            // What is asked for may still be wanted.
            Part::Abort(wire::Reason::ClientLeaving) => {}
            Part::Abort(_) => self.forget(id),
            Part::Head(_) | Part::Body(_) | Part::File(_) => {}
        }
    }

    fn credit(&mut self, id: ExchangeId, bytes: u64) {
        let stream = self.streams.iter_mut().find(|(stream, _)| *stream == id);
        if let Some((_, ahead)) = stream {
            *ahead = ahead.saturating_sub(bytes);
        }
    }

    fn grow_window(&mut self, _id: ExchangeId, _bytes: u32) {}

    fn open_exchanges(&self) -> usize {
        self.exchanges.len()
    }
}
