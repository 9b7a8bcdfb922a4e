//! The pool's links: writing to them, reading from them, and what follows from their end.

use wire::control::FromReactor;
use wire::limits::{HELD_TIME_MAX, LINK_BYTES_PER_TURN_MAX, REDISPATCH_MAX};
use wire::shm::Counter;
use wire::{Address, CodecError, ExchangeId, Part, Reason, ToReactor};

use super::{Answer, FaultKind, WorkerFault, WorkerPool};
use crate::handler::workers::body::Content;
use crate::handler::workers::in_flight::{Stage, Task, key_of};
use crate::handler::workers::link::{LinkError, LinkRead, WorkerLink};
use crate::handler::workers::scheduler::{LinkEnd, WorkerEnd, WorkerSlot};
use crate::handler::{ExchangeKey, Handler, HandlerId, ToClient};
use crate::read_buffer::ReadBuffer;
use crate::timer::Timer;
use crate::turn::Turn;

/// Whose request a worker has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// One that was given to it by this link.
    Ours,
    /// One that is over.
    Over,
    /// One that was given to another, or to nobody.
    Foreign,
    /// One of its own, in a way that ends the link.
    Badly(LinkError),
}

impl WorkerPool {
    /// This thread has got its link to a worker. `false` when another thread's has ended already, so
    /// that this one must be closed.
    pub fn add_link(&mut self, slot: WorkerSlot, link: WorkerLink, turn: &mut Turn) -> bool {
        let incarnation = link.incarnation;
        let Some(place) = self.links.get_mut(slot) else { return true };
        *place = Some(link);
        let assignment = self.common.scheduler(self.id).linked(slot, incarnation, turn.now());
        match assignment {
            Some(assignment) => self.assigned(assignment, turn),
            // It may be idle while requests wait behind slow ones.
            None => self.watch_balance(turn),
        }
        !self.common.scheduler(self.id).is_ending(slot, incarnation)
    }

    /// Whether there is a link in this place.
    pub fn has_link(&self, slot: WorkerSlot) -> bool {
        self.links.get(slot).is_some_and(Option::is_some)
    }

    /// Writes to all links that have something to write.
    pub fn flush(&mut self) {
        while let Some(slot) = self.dirty.pop() {
            if let Some(Some(link)) = self.links.get_mut(slot) {
                link.flush();
            }
        }
    }

    /// A link's socket takes bytes again.
    pub fn link_writable(&mut self, slot: WorkerSlot) {
        self.dirty.push(slot);
    }

    /// Reads a link until it has no more, and turns what came into [`Turn::answers`].
    /// `to_the_end` says that the worker is gone, so that a short read is not the last. A link that
    /// has very much goes on in the [next turn](Self::read_on).
    pub fn link_readable(
        &mut self,
        slot: WorkerSlot,
        to_the_end: bool,
        buffer: &mut ReadBuffer,
        turn: &mut Turn,
    ) {
        let Some(Some(link)) = self.links.get(slot) else { return };
        let enough = link.received() + LINK_BYTES_PER_TURN_MAX;
        loop {
            let Some(Some(link)) = self.links.get_mut(slot) else { return };
            if link.received() >= enough {
                return self.unread.push((slot, to_the_end));
            }
            let more = link.receive(buffer);
            self.answer_all(slot, turn);
            match more {
                Ok(LinkRead::More) => {}
                Ok(LinkRead::Short) if to_the_end => {}
                Ok(_) => return,
                Err(error) => return self.link_lost(slot, error, turn),
            }
        }
    }

    /// Whether links have more than they may have in one turn.
    pub fn is_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Reads the links on that had more than they may have in one turn.
    pub fn read_on(&mut self, buffer: &mut ReadBuffer, turn: &mut Turn) {
        for (slot, to_the_end) in std::mem::take(&mut self.unread) {
            self.link_readable(slot, to_the_end, buffer, turn);
        }
    }

    /// Closes the link to this life of a worker, if it is still there. What the worker has finished
    /// counts, and it can finish nothing more.
    pub fn close_link(
        &mut self,
        slot: WorkerSlot,
        incarnation: u64,
        buffer: &mut ReadBuffer,
        turn: &mut Turn,
    ) {
        let Some(Some(link)) = self.links.get(slot) else { return };
        if link.incarnation == incarnation {
            link.shut_down();
            self.link_readable(slot, true, buffer, turn);
        }
    }

    /// A worker that has more than one request may hold answers back.
    pub(super) fn watch_held(&mut self, turn: &mut Turn) {
        if !self.held_watched {
            self.held_watched = true;
            turn.set_timer(turn.now() + HELD_TIME_MAX, Timer::Held(self.id));
        }
    }

    /// The timer has come: answers that are held back are fetched.
    pub fn fetch_held(&mut self, buffer: &mut ReadBuffer, turn: &mut Turn) {
        self.held_watched = false;
        for slot in 0..self.links.len() {
            let Some(link) = &self.links[slot] else { continue };
            let deep = link.is_deep();
            if link.holds() {
                self.fetch_held_of(slot, buffer, turn);
            }
            if deep {
                self.watch_held(turn);
            }
        }
    }

    fn fetch_held_of(&mut self, slot: WorkerSlot, buffer: &mut ReadBuffer, turn: &mut Turn) {
        let Some(Some(link)) = self.links.get_mut(slot) else { return };
        match link.fetch_held(buffer) {
            Ok(()) => self.answer_all(slot, turn),
            Err(error) => self.link_lost(slot, error, turn),
        }
    }

    /// Answers everything that has been read from a link. It is dropped when it answers what was
    /// given to another.
    fn answer_all(&mut self, slot: WorkerSlot, turn: &mut Turn) {
        let mut strayed = false;
        while let Some(Some(link)) = self.links.get_mut(slot) {
            match link.next_message() {
                // Any worker may end any connection; one that is not there any more takes no harm.
                Ok(Some((Address::Connection(connection), ToReactor::Close))) => {
                    turn.closings.push(connection);
                }
                Ok(Some((Address::Exchange(id), ToReactor::Claim { pool, secret }))) => {
                    if let Err(error) = self.claimed(slot, id, pool, secret, turn) {
                        return self.link_lost(slot, error, turn);
                    }
                }
                Ok(Some((Address::Exchange(id), message))) => {
                    let answered = match message {
                        ToReactor::Detach { .. } => self.left(slot, id, message, turn),
                        message => self.answered(slot, id, message, turn),
                    };
                    match answered {
                        Answered::Ours => {}
                        Answered::Over => {
                            self.common.shared.add(Counter::Stray, 1);
                            // One line for all that was read together.
                            if !std::mem::replace(&mut strayed, true) {
                                self.note_fault(slot, FaultKind::Stray, turn);
                            }
                        }
                        Answered::Foreign => {
                            self.common.shared.add(Counter::Stray, 1);
                            return self.link_lost(slot, LinkError::Foreign, turn);
                        }
                        Answered::Badly(error) => return self.link_lost(slot, error, turn),
                    }
                }
                // No frame decodes to any other.
                Ok(Some((Address::Connection(_) | Address::Pool(_), _))) => {}
                Ok(None) => return,
                Err(LinkError::Codec(CodecError::MissingDescriptor { address, .. })) => {
                    let Address::Exchange(exchange) = address else { continue };
                    if self.is_foreign(slot, exchange) {
                        self.common.shared.add(Counter::Stray, 1);
                        return self.link_lost(slot, LinkError::Foreign, turn);
                    }
                    self.refuse_file(exchange, turn);
                }
                Err(error) => return self.link_lost(slot, error, turn),
            }
        }
    }

    /// Whether an exchange that is there was given to another link.
    pub(super) fn is_foreign(&mut self, slot: WorkerSlot, id: ExchangeId) -> bool {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return false };
        let (Stage::Given(place) | Stage::Orphaned(place)) = exchange.stage else { return true };
        let link = self.links.get(slot).and_then(Option::as_ref);
        place.worker != slot || !link.is_some_and(|link| link.has(id, place.mark))
    }

    fn note_fault(&self, slot: WorkerSlot, kind: FaultKind, turn: &mut Turn) {
        if let Some(Some(link)) = self.links.get(slot) {
            turn.faults.push(WorkerFault { worker: link.worker, kind });
        }
    }

    fn answered(
        &mut self,
        slot: WorkerSlot,
        id: ExchangeId,
        mut message: ToReactor,
        turn: &mut Turn,
    ) -> Answered {
        let over = matches!(message, ToReactor::Part(Part::End(_) | Part::Abort(_)));
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else {
            return Answered::Over;
        };
        let (Stage::Given(place) | Stage::Orphaned(place)) = exchange.stage else {
            return Answered::Foreign;
        };
        let link = self.links.get(slot).and_then(Option::as_ref);
        if place.worker != slot || !link.is_some_and(|link| link.has(id, place.mark)) {
            return Answered::Foreign;
        }
        let content = match &message {
            ToReactor::Part(Part::Body(bytes)) => bytes.len() as u64,
            ToReactor::RequestCredit(bytes) => {
                self.grant(id, *bytes, turn);
                return Answered::Ours;
            }
            _ => 0,
        };
        let Some(allowed) = exchange.allowed.checked_sub(content) else {
            return Answered::Badly(LinkError::Window);
        };
        exchange.allowed = allowed;
        let port = exchange.port;
        if self.may_have_file(port, &message) {
            let Some(kept) = self.about_files(id, message, turn) else { return Answered::Ours };
            message = kept;
        }
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return Answered::Over };
        match exchange.stage {
            Stage::Given(_) => {
                if !exchange.answered {
                    exchange.answered = true;
                    if let Task::Request { content, .. } = &mut exchange.task {
                        *content = Content::Empty;
                    }
                }
                let (conn, stream) = (exchange.conn, exchange.stream);
                let key = ExchangeKey { handler: HandlerId::Pool(self.id), id };
                let resumes =
                    over && exchange.upload.take().is_some_and(|upload| upload.is_paused());
                if resumes {
                    // The protocol drops the rest of the content, or tells the client to stop.
                    self.pause(id, false, turn);
                }
                let message = match message {
                    ToReactor::Part(part) => ToClient::Part(part),
                    _ => ToClient::Complete,
                };
                turn.answers.push(Answer { conn, stream, exchange: key, message });
            }
            _ => self.credit(id, content),
        }
        if over {
            self.common.shared.add(Counter::Responses, 1);
            self.remove(id);
            self.let_go(id, place, turn);
        }
        Answered::Ours
    }

    /// A link has ended, and with it the worker: what was started on it is lost, everything else goes
    /// to another worker, and all threads close their links to it.
    pub fn link_lost(&mut self, slot: WorkerSlot, error: LinkError, turn: &mut Turn) {
        if error == LinkError::Closed {
            // What the worker had finished before it died is no loss.
            if let Some(Some(link)) = self.links.get_mut(slot) {
                link.drain_after_death();
            }
            self.answer_all(slot, turn);
        } else {
            self.note_fault(slot, FaultKind::Link(error), turn);
        }
        let Some(mut link) = self.links.get_mut(slot).and_then(Option::take) else { return };
        let mut lost = None;
        let mut again = Vec::new();
        for id in link.exchanges().collect::<Vec<_>>() {
            let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { continue };
            let (Stage::Given(place) | Stage::Orphaned(place)) = exchange.stage else { continue };
            let orphaned = matches!(exchange.stage, Stage::Orphaned(_));
            // One that has answered has begun, whatever its mark says.
            let untouched = link.take_back(id, place.mark) && !orphaned && !exchange.answered;
            exchange.redispatched += u8::from(untouched);
            if untouched && exchange.leaving {
                self.give_up(id, turn);
                continue;
            }
            if untouched && exchange.redispatched <= REDISPATCH_MAX {
                exchange.stage = Stage::Queued;
                again.push(id);
                continue;
            }
            lost = Some(exchange.task.lost());
            self.common.shared.add(Counter::Lost, 1);
            if orphaned {
                self.remove(id);
            } else {
                self.fail(id, Reason::WorkerLost, turn);
            }
        }
        // The end first, so that nothing is submitted to this worker again.
        let end = self.common.scheduler(self.id).link_ended(slot, link.incarnation, lost);
        for id in again.into_iter().rev() {
            let placement = self.common.scheduler(self.id).resubmit(self.ticket(id), turn.now());
            self.place(id, placement, turn);
        }
        match end {
            LinkEnd::CloseOthers => self.common.close_links(self.id, slot, link.incarnation),
            LinkEnd::Nothing => {}
            LinkEnd::Worker(WorkerEnd { incarnation, retired: true, .. }) => {
                self.common.supervisor.tell(&FromReactor::Retired { incarnation });
            }
            LinkEnd::Worker(WorkerEnd { incarnation, request, .. }) => {
                self.common.supervisor.tell(&FromReactor::Lost { incarnation, request });
            }
        }
    }
}
