//! [`Turn`]: what connections and handlers have at hand in each turn of an event loop: the time, the
//! deadlines, the log of errors, and where handlers leave what they say.

use std::time::Instant;

use wire::{ConnectionId, Part, ResponseHead};

use crate::clock::Clock;
use crate::error_log::ErrorLog;
use crate::handler::workers::{Claim, WorkerFault};
use crate::handler::{Answer, ExchangeKey};
use crate::protocol::StreamId;
use crate::record::Records;
use crate::slots::Key;
use crate::timer::{Timer, Timers};

/// What lasts as long as the event loop, and changes with each of its turns.
#[derive(Debug)]
pub struct Turn {
    /// The time, read once per turn.
    pub clock: Clock,
    /// The thread's deadlines.
    pub timers: Timers,
    /// Where to say what clients and workers do wrong.
    pub error_log: ErrorLog,
    /// What is known of each exchange, where somebody wants to know.
    pub records: Records,
    /// What handlers say to clients, in its order.
    pub answers: Vec<Answer>,
    /// Connections that workers end; the answers above come first.
    pub closings: Vec<ConnectionId>,
    /// Detached exchanges that workers would answer; the answers above come first.
    pub claims: Vec<Claim>,
    /// What workers have done that no worker does, for the log.
    pub faults: Vec<WorkerFault>,
    /// Responses that were refused because too many files are open, and that nobody has complained of.
    pub files_refused: u32,
}

impl Turn {
    /// That of an event loop that starts.
    pub fn new(clock: Clock, error_log: ErrorLog, records: Records) -> Self {
        Self {
            clock,
            timers: Timers::default(),
            error_log,
            records,
            answers: Vec::new(),
            closings: Vec::new(),
            claims: Vec::new(),
            faults: Vec::new(),
            files_refused: 0,
        }
    }

    /// Answers an exchange with these parts.
    pub fn answer(
        &mut self,
        conn: Key,
        stream: StreamId,
        exchange: ExchangeKey,
        parts: impl IntoIterator<Item = Part<ResponseHead>>,
    ) {
        let answer = |part: Part<_>| Answer { conn, stream, exchange, message: part.into() };
        self.answers.extend(parts.into_iter().map(answer));
    }

    /// Notes a part of a response, on its way to the client, and puts the ids of the request into its head.
    /// Gives back what is to be sent in its place, if something is.
    pub fn begin_answer(
        &mut self,
        record: Option<Key>,
        part: &mut Part<ResponseHead>,
    ) -> Option<[Part<ResponseHead>; 3]> {
        // Most often nobody observes.
        record?;
        self.records.mark(record, part);
        let instead = match part {
            Part::Abort(reason) => self.records.failure(record, *reason),
            _ => None,
        };
        self.note_answer(record, part);
        instead
    }

    fn note_answer(&mut self, record: Option<Key>, part: &Part<ResponseHead>) {
        let now = self.clock.now().instant;
        match part {
            Part::Head(head) if !head.status.is_informational() => {
                self.records.answered(record, now)
            }
            Part::End(_) => self.records.answered_all(record, None, now),
            Part::Abort(reason) => self.records.answered_all(record, Some(*reason), now),
            Part::Head(_) | Part::Body(_) | Part::File(_) => {}
        }
    }

    /// When this turn began.
    pub fn now(&self) -> Instant {
        self.clock.now().instant
    }

    /// Adds a deadline.
    pub fn set_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.set(at, timer);
    }
}
