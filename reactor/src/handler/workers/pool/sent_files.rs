//! Files that workers send of responses, and those that cannot be kept open.

use wire::shm::Counter;
use wire::{ExchangeId, Part, Reason, ToReactor, ToWorker};

use super::WorkerPool;
use crate::handler::workers::in_flight::{Stage, key_of};
use crate::handler::{Answer, ExchangeKey, HandlerId, ToClient};
use crate::turn::Turn;

impl WorkerPool {
    /// Whether a message brings a file, or may name one.
    pub(super) fn may_have_file(&self, port: usize, message: &ToReactor) -> bool {
        match message {
            ToReactor::Part(Part::Head(_)) => self.common.config.ports[port].redirects.is_some(),
            ToReactor::Part(Part::File(_)) => true,
            _ => false,
        }
    }

    /// Holds a file that a response has sent, which is open once for all responses that send it, and looks
    /// for one that it names. `None` when the response has got its end here.
    pub(super) fn about_files(
        &mut self,
        id: ExchangeId,
        message: ToReactor,
        turn: &mut Turn,
    ) -> Option<ToReactor> {
        let ToReactor::Part(Part::File(slice)) = message else {
            return self.redirected(id, message, turn);
        };
        let held = self.held.share(slice, &self.common.files);
        if held.is_none() {
            self.refuse_file(id, turn);
        }
        held.map(|slice| ToReactor::Part(Part::File(slice)))
    }

    /// A response lacks a file that it needs. It is broken off, or refused when nothing of it has gone
    /// out, and the rest of it is dropped.
    pub(super) fn refuse_file(&mut self, id: ExchangeId, turn: &mut Turn) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        let Stage::Given(place) = exchange.stage else { return };
        exchange.stage = Stage::Orphaned(place);
        self.common.shared.add(Counter::FilesRefused, 1);
        turn.files_refused += 1;
        // Its head came with the file, as a rule.
        let handler = HandlerId::Pool(self.id);
        let head_waits = |last: &mut Answer| {
            last.exchange == ExchangeKey { handler, id }
                && matches!(last.message, ToClient::Part(Part::Head(_)))
        };
        turn.answers.pop_if(head_waits);
        if let Some(exchange) = self.exchanges.get(key_of(id)) {
            self.answer(id, exchange, Part::Abort(Reason::Overloaded), turn);
        }
        if let Some(Some(link)) = self.links.get_mut(place.worker) {
            let part = Part::Abort(Reason::ClientGone);
            link.push(id, &ToWorker::Request { mark: place.mark, part });
            self.dirty.push(place.worker);
        }
    }
}
