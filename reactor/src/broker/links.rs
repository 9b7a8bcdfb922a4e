//! The broker's links: writing to them, reading from them, and what follows from their end.

use std::time::Instant;

use wire::control::FromReactor;
use wire::limits::{HELD_TIME_MAX, REDISPATCH_MAX};
use wire::shared::Counter;
use wire::{ExchangeId, Holder, Part, Reason, ToReactor, ToWorker};

use super::{Answer, Broker};
use crate::dispatch::WorkerSlot;
use crate::exchange::{Job, Stage, key_of};
use crate::link::{Link, LinkError, Read};
use crate::socket::ReadBuffer;
use crate::spool::Content;
use crate::timer::Timer;

impl Broker {
    /// This thread has got its link to a worker.
    pub fn add_link(&mut self, slot: WorkerSlot, link: Link, now: Instant) {
        let Some(place) = self.links.get_mut(slot) else { return };
        *place = Some(link);
        let assignment = self.common.scheduler().linked(slot, now);
        if let Some(assignment) = assignment {
            self.assigned(assignment, now);
        }
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

    /// Reads a link until it has no more, and turns what came into [`Broker::answers`].
    /// `to_the_end` says that the worker is gone, so that a short read is not the last.
    pub fn link_readable(
        &mut self,
        slot: WorkerSlot,
        to_the_end: bool,
        buffer: &mut ReadBuffer,
        now: Instant,
    ) {
        loop {
            let Some(Some(link)) = self.links.get_mut(slot) else { return };
            let more = link.receive(buffer);
            self.answer_all(slot, now);
            match more {
                Ok(Read::More) => {}
                Ok(Read::Short) if to_the_end => {}
                Ok(_) => return,
                Err(error) => return self.link_lost(slot, error, now),
            }
        }
    }

    /// A worker that has more than one request may hold answers back.
    pub(super) fn watch_held(&mut self, now: Instant) {
        if !self.held_watched {
            self.held_watched = true;
            self.timers.set(now + HELD_TIME_MAX, Timer::Held);
        }
    }

    /// The timer has come: answers that are held back are fetched.
    pub fn fetch_held(&mut self, buffer: &mut ReadBuffer, now: Instant) {
        self.held_watched = false;
        for slot in 0..self.links.len() {
            let Some(link) = &self.links[slot] else { continue };
            let deep = link.exchanges().nth(1).is_some();
            if link.holds() {
                self.fetch_held_of(slot, buffer, now);
            }
            if deep {
                self.watch_held(now);
            }
        }
    }

    fn fetch_held_of(&mut self, slot: WorkerSlot, buffer: &mut ReadBuffer, now: Instant) {
        let Some(Some(link)) = self.links.get_mut(slot) else { return };
        match link.fetch_held(buffer) {
            Ok(()) => self.answer_all(slot, now),
            Err(error) => self.link_lost(slot, error, now),
        }
    }

    /// Answers everything that has been read from a link.
    fn answer_all(&mut self, slot: WorkerSlot, now: Instant) {
        while let Some(Some(link)) = self.links.get_mut(slot) {
            match link.next() {
                Ok(Some((id, part))) => self.answered(id, part, now),
                Ok(None) => return,
                Err(error) => return self.link_lost(slot, error, now),
            }
        }
    }

    fn answered(&mut self, id: ExchangeId, mut part: ToReactor, now: Instant) {
        if let Part::File(slice) = &mut part {
            match self.common.files.take(Holder::Sent) {
                Some(permit) => slice.count(permit, None),
                None => return self.refuse_file(id),
            }
        }
        let over = matches!(part, Part::End(_) | Part::Abort(_));
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else {
            return self.common.shared.add(Counter::Stray, 1);
        };
        let place = match exchange.stage {
            Stage::Given(place) => {
                if !exchange.answered {
                    exchange.answered = true;
                    if let Job::Request { content, .. } = &mut exchange.job {
                        *content = Content::Empty;
                    }
                }
                let (conn, stream) = (exchange.conn, exchange.stream);
                self.answers.push(Answer { conn, stream, exchange: id, part });
                place
            }
            Stage::Orphaned(place) => {
                let len = match &part {
                    Part::Body(bytes) => bytes.len() as u64,
                    _ => 0,
                };
                self.released(id, len);
                place
            }
            _ => return self.common.shared.add(Counter::Stray, 1),
        };
        if over {
            self.common.shared.add(Counter::Responses, 1);
            self.remove(id);
            if let Some(Some(link)) = self.links.get_mut(place.worker) {
                link.done(place.mark);
            }
            self.finished(place.worker, id, now);
        }
    }

    /// The supervisor has reaped a worker. Mostly the end of the link has told before; it cannot while
    /// a process that the worker has forked holds the worker's end open.
    pub fn worker_ended(
        &mut self,
        slot: WorkerSlot,
        incarnation: u64,
        buffer: &mut ReadBuffer,
        now: Instant,
    ) {
        let Some(Some(link)) = self.links.get(slot) else { return };
        if link.incarnation != incarnation {
            return;
        }
        link.cut();
        self.link_readable(slot, true, buffer, now);
    }

    /// A response lacks a file that it needs. It is broken off, or refused when nothing of it has gone
    /// out, and the rest of it is dropped.
    fn refuse_file(&mut self, id: ExchangeId) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        let Stage::Given(place) = exchange.stage else { return };
        exchange.stage = Stage::Orphaned(place);
        self.common.shared.add(Counter::FilesRefused, 1);
        self.files_refused += 1;
        // Its head came with the file, as a rule.
        let head_waits =
            |last: &mut Answer| last.exchange == id && matches!(last.part, Part::Head(_));
        self.answers.pop_if(head_waits);
        let (conn, stream) = (exchange.conn, exchange.stream);
        let part = Part::Abort(Reason::Overloaded);
        self.answers.push(Answer { conn, stream, exchange: id, part });
        if let Some(Some(link)) = self.links.get_mut(place.worker) {
            let part = Part::Abort(Reason::ClientGone);
            link.push(id, &ToWorker::Request { mark: place.mark, part });
            self.dirty.push(place.worker);
        }
    }

    /// A link has ended: what was started on it is lost, everything else goes to another worker.
    pub fn link_lost(&mut self, slot: WorkerSlot, error: LinkError, now: Instant) {
        if error == LinkError::Closed {
            // What the worker had finished before it died is no loss.
            if let Some(Some(link)) = self.links.get_mut(slot) {
                link.fetch_legacy();
            }
            self.answer_all(slot, now);
        }
        let Some(mut link) = self.links.get_mut(slot).and_then(Option::take) else { return };
        if let LinkError::Codec(error) = error {
            log::error!("worker {} sent what no worker sends: {error}", link.worker);
        }
        let mut lost = None;
        let mut again = Vec::new();
        for id in link.exchanges().collect::<Vec<_>>() {
            let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { continue };
            let (Stage::Given(place) | Stage::Orphaned(place)) = exchange.stage else { continue };
            let orphaned = matches!(exchange.stage, Stage::Orphaned(_));
            let untouched = link.take_back(id, place.mark) && !orphaned;
            exchange.redispatched += u8::from(untouched);
            if untouched && exchange.leaving {
                self.give_up(id);
                continue;
            }
            if untouched && exchange.redispatched <= REDISPATCH_MAX {
                exchange.stage = Stage::Queued;
                again.push(id);
                continue;
            }
            lost = Some(exchange.job.summary());
            self.common.shared.add(Counter::Lost, 1);
            if orphaned {
                self.remove(id);
            } else {
                self.fail(id, Reason::WorkerLost);
            }
        }
        // The end first, so that nothing is submitted to this worker again.
        let end = self.common.scheduler().link_ended(slot, lost);
        for id in again.into_iter().rev() {
            let placement = self.common.scheduler().resubmit(self.ticket(id), now);
            self.place(id, placement, now);
        }
        if let Some(end) = end {
            self.common.supervisor.tell(&match end.retired {
                true => FromReactor::Retired { incarnation: end.incarnation },
                false => FromReactor::Lost { incarnation: end.incarnation, request: end.request },
            });
        }
    }
}
