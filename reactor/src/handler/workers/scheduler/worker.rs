//! What the scheduler knows of one worker.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use wire::control::LostRequest;
use wire::limits::{BEGIN_TIME_MAX, HANDOVER_DEPTH_MAX, REBALANCE_AFTER};

use super::{FollowUp, RequestKey};

/// One incarnation of a worker.
#[derive(Debug)]
pub(super) struct Worker {
    /// Which life of it.
    pub(super) incarnation: u64,
    /// Threads that have got their link to it.
    pub(super) linked: usize,
    /// Threads whose link to it has ended.
    pub(super) ended: usize,
    /// What it has been given, in order: the first is in work.
    pub(super) given: VecDeque<RequestKey>,
    /// Detached exchanges that it has claimed: it answers them in a callback, so it is at work.
    pub(super) claims: usize,
    /// It is given nothing more.
    pub(super) retiring: bool,
    /// Mean service time, weighted towards the last requests.
    pub(super) service: Duration,
    /// When the request in work came to its turn.
    pub(super) turn: Instant,
    /// The request that was first when it was last asked whether it has begun that one.
    pub(super) asked: Option<RequestKey>,
    /// A link ended that nobody here had closed.
    pub(super) crashed: bool,
    /// What was in work when the first link ended.
    pub(super) lost: Option<LostRequest>,
}

impl Worker {
    /// One that is about to get its links.
    pub(super) fn new(incarnation: u64, service: Duration, now: Instant) -> Self {
        Self {
            incarnation,
            linked: 0,
            ended: 0,
            given: VecDeque::with_capacity(HANDOVER_DEPTH_MAX),
            claims: 0,
            retiring: false,
            service,
            turn: now,
            asked: None,
            crashed: false,
            lost: None,
        }
    }

    /// Whether it may be given one more.
    pub(super) fn room(&self, fast: Duration) -> bool {
        !self.retiring
            && match self.given.len() {
                0 => true,
                n => n < HANDOVER_DEPTH_MAX && self.service < fast,
            }
    }

    /// Whether it has no client's exchange in hand.
    pub(super) fn is_free(&self) -> bool {
        self.given.is_empty() && self.claims == 0
    }

    /// What follows when one that retires has an exchange less.
    pub(super) fn leaves(&self) -> FollowUp {
        if self.is_free() { FollowUp::Close(self.incarnation) } else { FollowUp::Nothing }
    }

    /// It is given a request.
    pub(super) fn give(&mut self, ticket: RequestKey, now: Instant) {
        if self.given.is_empty() {
            self.turn = now;
        }
        self.given.push_back(ticket);
    }

    /// It has a request no more.
    pub(super) fn remove(&mut self, ticket: RequestKey) {
        if let Some(at) = self.given.iter().position(|given| *given == ticket) {
            self.given.remove(at);
        }
    }

    /// The request that has waited longest behind one that takes its time. That may be one that is answered, when
    /// its handler works on after `end()`: so the first is asked for as well, once.
    pub(super) fn held_up(&mut self, now: Instant) -> Option<RequestKey> {
        let time = now.saturating_duration_since(self.turn);
        if let Some(second) = self.given.get(1) {
            return (time >= REBALANCE_AFTER).then_some(*second);
        }
        let first = *self.given.front().filter(|_| time >= BEGIN_TIME_MAX)?;
        (self.asked.replace(first) != Some(first)).then_some(first)
    }

    /// How long from now [`held_up`](Self::held_up) may name one.
    pub(super) fn may_hold_up(&self) -> Option<Duration> {
        let first = self.given.front()?;
        if self.given.len() > 1 {
            return Some(REBALANCE_AFTER);
        }
        (self.asked != Some(*first)).then_some(BEGIN_TIME_MAX)
    }
}
