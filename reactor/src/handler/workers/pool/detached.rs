//! Exchanges that no worker holds: a handler has detached its response, and whoever claims it answers.
//!
//! A worker that detaches is free at once, and what becomes of it has no part in the exchange any more. Who
//! claims it has to say the secret that came with it, and gets it under a new id, so that nothing which
//! still names the old one reaches it. Nobody's claim is waited for beyond
//! [`Config::detach_timeout`](crate::Config::detach_timeout).

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use log::kv::Value;
use wire::limits::{CLAIMS_MAX, DETACHED_STATE_BYTES_MAX, SLOTS_KEPT};
use wire::shm::Counter;
use wire::{
    ClaimSecret, Claimed, CodecError, ExchangeId, PoolId, Reason, ToReactor, ToWorker, ids,
};

use super::WorkerPool;
use super::links::Answered;
use crate::error_log::Kind;
use crate::handler::workers::body::Content;
use crate::handler::workers::in_flight::{InFlight, NO_MARK, Place, Stage, Task, id_of, key_of};
use crate::handler::workers::link::LinkError;
use crate::handler::workers::scheduler::WorkerSlot;
use crate::timer::Timer;
use crate::turn::Turn;

/// What an exchange waits with for who claims it.
#[derive(Debug)]
pub struct Detached {
    secret: ClaimSecret,
    /// How far the response has come; for who claims it.
    state: Bytes,
}

/// A worker wants to answer a detached exchange.
#[derive(Debug)]
pub struct Claim {
    /// The pool that the exchange is of.
    pub pool: PoolId,
    /// The exchange.
    pub exchange: ExchangeId,
    secret: ClaimSecret,
    /// The pool of the worker.
    pub by: PoolId,
    /// The worker's place in it.
    slot: WorkerSlot,
    /// Which life of it.
    incarnation: u64,
}

/// When detached exchanges have waited long enough, the first one first: all wait equally long.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    queue: VecDeque<(Instant, ExchangeId)>,
    /// At this length those are left out that were claimed meanwhile.
    prune_at: usize,
    /// Whether the timer has been set.
    watched: bool,
}

impl WorkerPool {
    /// A handler leaves an exchange.
    pub(super) fn left(
        &mut self,
        slot: WorkerSlot,
        id: ExchangeId,
        message: ToReactor,
        turn: &mut Turn,
    ) -> Answered {
        if self.is_foreign(slot, id) {
            return Answered::Foreign;
        }
        let stage = self.exchanges.get(key_of(id)).map(|exchange| &exchange.stage);
        let (left, answered) = match stage {
            Some(&(Stage::Given(place) | Stage::Orphaned(place))) => {
                (self.detach(id, place, message, turn), Answered::Ours)
            }
            _ => (self.detach_late(slot, id), Answered::Over),
        };
        left.map_or_else(Answered::Badly, |()| answered)
    }

    /// The same, of one that the worker has by this place.
    fn detach(
        &mut self,
        id: ExchangeId,
        place: Place,
        message: ToReactor,
        turn: &mut Turn,
    ) -> Result<(), LinkError> {
        let ToReactor::Detach { secret, state } = message else { return Ok(()) };
        let Some(Some(link)) = self.links.get_mut(place.worker) else { return Ok(()) };
        link.asked()?;
        if state.len() > DETACHED_STATE_BYTES_MAX {
            return Err(LinkError::Codec(CodecError::Payload));
        }
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return Ok(()) };
        let Task::Request { content, .. } = &mut exchange.task else {
            return Err(LinkError::Codec(CodecError::Payload));
        };
        let waits = matches!(exchange.stage, Stage::Given(_));
        let gauge = self.common.shared.counter(Counter::Detached);
        let room = !waits
            || gauge.fetch_add(1, Ordering::Relaxed) < self.common.config.detached_max as u64;
        link.answer(id, &ToWorker::Detached(room));
        self.dirty.push(place.worker);
        if !room {
            self.common.shared.sub(Counter::Detached, 1);
            return Ok(());
        }
        if waits {
            exchange.answered = true;
            *content = Content::Empty;
            exchange.stage = Stage::Detached(Detached { secret, state });
            self.watch_detached(id, turn);
        } else {
            // Its client has left, or has been answered in another way.
            self.remove(id);
        }
        self.let_go(id, place, turn);
        Ok(())
    }

    /// What a worker would leave is over. It waits for the answer all the same.
    fn detach_late(&mut self, slot: WorkerSlot, id: ExchangeId) -> Result<(), LinkError> {
        if let Some(Some(link)) = self.links.get_mut(slot) {
            link.asked()?;
            link.answer(id, &ToWorker::Detached(true));
            self.dirty.push(slot);
        }
        Ok(())
    }

    fn watch_detached(&mut self, id: ExchangeId, turn: &mut Turn) {
        let at = turn.now() + self.common.config.detach_timeout;
        let Deadlines { queue, prune_at, watched } = &mut self.deadlines;
        queue.push_back((at, id));
        if queue.len() > *prune_at {
            let exchanges = &mut self.exchanges;
            queue.retain(|(_, id)| is_detached(exchanges.get_mut(key_of(*id))));
            *prune_at = queue.len() * 2 + SLOTS_KEPT;
        }
        if !std::mem::replace(watched, true) {
            turn.set_timer(at, Timer::Detached(self.id));
        }
    }

    /// The timer has come: whose response nobody has claimed in time gets 504.
    pub fn expire_detached(&mut self, turn: &mut Turn) {
        self.deadlines.watched = false;
        while let Some((at, id)) = self.deadlines.queue.front().copied() {
            let exchange = self.exchanges.get_mut(key_of(id));
            let Some(exchange) = exchange.filter(|exchange| is_stage_detached(&exchange.stage))
            else {
                self.deadlines.queue.pop_front();
                continue;
            };
            if at > turn.now() {
                self.deadlines.watched = true;
                return turn.set_timer(at, Timer::Detached(self.id));
            }
            self.deadlines.queue.pop_front();
            let (request, now) = (exchange.task.summary(), turn.now());
            let _about = ids::about(exchange.task.ids());
            turn.error_log.log_with(
                Kind::Response,
                now,
                &[("request", (&request[..]).into()), ("reason", Value::from("detach_timeout"))],
                format_args!(
                    "the client gets 504: the response to {request} was detached, and nobody has \
                     answered within detach_timeout"
                ),
            );
            self.common.shared.add(Counter::Unanswered, 1);
            self.fail(id, Reason::Unanswered, turn);
        }
    }

    /// A worker wants to answer a detached exchange. That waits until what the exchange was answered before
    /// is with its connection.
    pub(super) fn claimed(
        &mut self,
        slot: WorkerSlot,
        exchange: ExchangeId,
        pool: PoolId,
        secret: ClaimSecret,
        turn: &mut Turn,
    ) -> Result<(), LinkError> {
        let Some(Some(link)) = self.links.get_mut(slot) else { return Ok(()) };
        link.asked()?;
        let incarnation = link.incarnation;
        let by = self.id;
        turn.claims.push(Claim { pool, exchange, secret, by, slot, incarnation });
        Ok(())
    }

    /// Whether the worker that claims is there, and has room for one more.
    pub fn may_claim(&self, claim: &Claim) -> bool {
        let link = self.links.get(claim.slot).and_then(Option::as_ref);
        link.is_some_and(|link| link.incarnation == claim.incarnation && link.claims() < CLAIMS_MAX)
    }

    /// Gives the exchange away that a claim names, if it is one of this pool that is detached.
    pub fn give_up_detached(&mut self, claim: &Claim) -> Option<InFlight> {
        let exchange = self.exchanges.get_mut(key_of(claim.exchange))?;
        let Stage::Detached(detached) = &exchange.stage else { return None };
        if !detached.secret.is(&claim.secret) {
            return None;
        }
        self.remove(claim.exchange)
    }

    /// Gives a worker the exchange that it has claimed. Its name from now on.
    pub fn adopt(&mut self, mut exchange: InFlight, claim: &Claim, turn: &mut Turn) -> ExchangeId {
        let worker = claim.slot;
        let place = Stage::Given(Place { worker, mark: NO_MARK });
        let stage = std::mem::replace(&mut exchange.stage, place);
        // What the client has taken meanwhile counts, however little.
        exchange.allowed += u64::from(std::mem::take(&mut exchange.credit));
        let window = u32::try_from(exchange.allowed).unwrap_or(u32::MAX);
        exchange.allowed = window.into();
        let head = match &exchange.task {
            Task::Request { head, .. } => Some(head.clone()),
            _ => None,
        };
        let record = exchange.record;
        self.common.shared.add(Counter::Exchanges, 1);
        let id = id_of(self.exchanges.insert(exchange));
        let (Some(Some(link)), Stage::Detached(Detached { state, .. }), Some(head)) =
            (self.links.get_mut(worker), stage, head)
        else {
            return id;
        };
        turn.records.given(record, link.worker, link.pid, turn.clock.now().instant);
        link.claim(id);
        let claimed = Box::new(Claimed { head, state, window });
        link.answer(id, &ToWorker::Claimed(Some(claimed)));
        self.common.scheduler(self.id).claimed(worker);
        self.dirty.push(worker);
        id
    }

    /// There is nothing that a claim names, or nothing that it may have.
    pub fn refuse_claim(&mut self, claim: &Claim) {
        if let Some(Some(link)) = self.links.get_mut(claim.slot)
            && link.incarnation == claim.incarnation
        {
            link.answer(claim.exchange, &ToWorker::Claimed(None));
            self.dirty.push(claim.slot);
        }
    }

    /// A worker has this exchange no more.
    pub(super) fn let_go(&mut self, id: ExchangeId, place: Place, turn: &mut Turn) {
        let Some(Some(link)) = self.links.get_mut(place.worker) else { return };
        if place.mark == NO_MARK {
            link.unclaim(id);
            let next = self.common.scheduler(self.id).unclaimed(place.worker);
            self.follow(next, place.worker, turn);
        } else {
            link.done(place.mark);
            self.finished(place.worker, id, turn);
        }
    }
}

fn is_detached(exchange: Option<&mut InFlight>) -> bool {
    exchange.is_some_and(|exchange| is_stage_detached(&exchange.stage))
}

fn is_stage_detached(stage: &Stage) -> bool {
    matches!(stage, Stage::Detached(_))
}
