//! What the pool does by the clock: requests that waited too long, and those behind slow ones.

use std::time::Instant;

use super::WorkerPool;
use crate::handler::workers::in_flight::{Stage, key_of};
use crate::handler::workers::scheduler::Move;
use crate::mailbox::{Mail, PoolMail};
use crate::timer::Timer;
use crate::turn::Turn;

impl WorkerPool {
    /// One timer per thread watches the queue, however many requests wait in it.
    pub(super) fn watch_queue(&mut self, at: Instant, turn: &mut Turn) {
        if self.queue_watched.is_none_or(|watched| at < watched) {
            self.queue_watched = Some(at);
            turn.set_timer(at, Timer::Queue(self.id));
        }
    }

    /// The timer has come: whoever has waited too long gets 503.
    pub fn expire_queue(&mut self, turn: &mut Turn) {
        self.queue_watched = None;
        let (expired, next) = {
            let mut scheduler = self.common.scheduler(self.id);
            (scheduler.expired(turn.now()), scheduler.next_expiry())
        };
        for ticket in expired {
            if ticket.thread == self.thread {
                self.too_old(ticket.exchange, turn);
            } else {
                let mailbox = &self.common.mailboxes[usize::from(ticket.thread)];
                mailbox.post(Mail::Pool(self.id, PoolMail::TooOld(ticket.exchange)));
            }
        }
        if let Some(next) = next {
            self.watch_queue(next, turn);
        }
    }

    /// The timer has come: requests behind slow ones move to idle workers.
    pub fn rebalance(&mut self, turn: &mut Turn) {
        self.balance_watched = None;
        let moves = self.common.scheduler(self.id).rebalance(turn.now());
        for step in moves {
            if step.ticket.thread == self.thread {
                self.take_over(step, turn);
            } else {
                let mailbox = &self.common.mailboxes[usize::from(step.ticket.thread)];
                mailbox.post(Mail::Pool(self.id, PoolMail::Move(step)));
            }
        }
        self.watch_balance(turn);
    }

    /// Takes a request of this thread back from one worker, unless that has started it, and gives
    /// it to another.
    pub fn take_over(&mut self, step: Move, turn: &mut Turn) {
        let id = step.ticket.exchange;
        let place = match self.exchanges.get_mut(key_of(id)).map(|exchange| &exchange.stage) {
            Some(Stage::Given(place)) if place.worker == step.from => Some(*place),
            _ => None,
        };
        let link = self.links.get_mut(step.from).and_then(Option::as_mut);
        let taken = place.zip(link).is_some_and(|(place, link)| link.take_back(id, place.mark));
        if taken {
            self.give(id, step.to, turn);
            self.relieved(step.from, id, turn);
        } else {
            self.relieved(step.to, id, turn);
        }
    }

    /// Looks again soon when requests wait behind others while a worker is idle.
    pub(super) fn watch_balance(&mut self, turn: &mut Turn) {
        let Some(after) = self.common.scheduler(self.id).unbalanced() else { return };
        let at = turn.now() + after;
        if self.balance_watched.is_none_or(|watched| at < watched) {
            self.balance_watched = Some(at);
            turn.set_timer(at, Timer::Balance(self.id));
        }
    }
}
