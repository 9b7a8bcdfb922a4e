//! What the pool does about clients that leave before their response is complete.

use wire::shm::Counter;
use wire::{ExchangeId, Part, Reason, ToWorker};

use super::WorkerPool;
use crate::handler::workers::in_flight::{Stage, key_of};
use crate::turn::Turn;

impl WorkerPool {
    /// The client has given up a request, or its connection is gone, or what came of the request was
    /// refused.
    pub fn client_gone(&mut self, id: ExchangeId, reason: Reason, turn: &mut Turn) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        match exchange.stage {
            Stage::Collecting(_) | Stage::Orphaned(_) | Stage::Detached(_) => {}
            Stage::Queued => {
                let ticket = self.ticket(id);
                if self.common.scheduler(self.id).cancel(ticket) {
                    self.common.shared.sub(Counter::Queued, 1);
                }
            }
            Stage::Given(place) => {
                let Some(link) = self.links.get_mut(place.worker).and_then(Option::as_mut) else {
                    return;
                };
                if !link.take_back(id, place.mark) {
                    let part = Part::Abort(reason);
                    link.push(id, &ToWorker::Request { mark: place.mark, part });
                    exchange.stage = Stage::Orphaned(place);
                    return self.dirty.push(place.worker);
                }
                self.remove(id);
                return self.relieved(place.worker, id, turn);
            }
        }
        if !matches!(self.stage(id), Some(Stage::Orphaned(_))) {
            self.remove(id);
        }
    }

    /// The client has closed its direction behind a complete request, so it has most likely left. A
    /// request that waits is dropped. A handler that is at work is told so, and may end early; what
    /// it sends goes to the client as far as that takes it.
    pub fn client_leaving(&mut self, id: ExchangeId, turn: &mut Turn) {
        let ticket = self.ticket(id);
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        exchange.leaving = true;
        match exchange.stage {
            Stage::Collecting(_) | Stage::Orphaned(_) => {}
            // Nobody is at work on it.
            Stage::Detached(_) => self.give_up(id, turn),
            Stage::Queued => {
                if self.common.scheduler(self.id).cancel(ticket) {
                    self.common.shared.sub(Counter::Queued, 1);
                }
                self.give_up(id, turn);
            }
            Stage::Given(place) => {
                let Some(link) = self.links.get_mut(place.worker).and_then(Option::as_mut) else {
                    return;
                };
                // One that an idle worker is about to take up is as good as begun.
                let waits = self.common.scheduler(self.id).waits_behind(place.worker, ticket);
                if waits && link.take_back(id, place.mark) {
                    self.give_up(id, turn);
                    return self.relieved(place.worker, id, turn);
                }
                let part = Part::Abort(Reason::ClientLeaving);
                link.push(id, &ToWorker::Request { mark: place.mark, part });
                self.dirty.push(place.worker);
            }
        }
    }

    /// Drops a request that nobody waits for; its connection ends without a word.
    pub(super) fn give_up(&mut self, id: ExchangeId, turn: &mut Turn) {
        self.common.shared.add(Counter::GivenUp, 1);
        self.fail(id, Reason::ClientGone, turn);
    }

    fn stage(&mut self, id: ExchangeId) -> Option<&Stage> {
        self.exchanges.get_mut(key_of(id)).map(|exchange| &exchange.stage)
    }
}
