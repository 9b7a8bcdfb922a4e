//! Content of requests on its way to workers that read it while it arrives.

use wire::{ExchangeId, ToWorker};

use super::WorkerPool;
use crate::handler::ToClient;
use crate::handler::workers::in_flight::{Stage, key_of};
use crate::turn::Turn;

impl WorkerPool {
    /// The worker reads the content of its request: it takes so many bytes more.
    pub(super) fn grant(&mut self, id: ExchangeId, bytes: u32, turn: &mut Turn) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        if let Some(upload) = &mut exchange.upload {
            upload.grant(bytes);
            self.feed(id, turn);
        }
    }

    /// Sends the worker what it takes of the content of its request.
    pub(super) fn feed(&mut self, id: ExchangeId, turn: &mut Turn) {
        let Some(exchange) = self.exchanges.get_mut(key_of(id)) else { return };
        let (Stage::Given(place), Some(upload)) = (&exchange.stage, &mut exchange.upload) else {
            return;
        };
        let place = *place;
        let Some(link) = self.links.get_mut(place.worker).and_then(Option::as_mut) else { return };
        while let Some(part) = upload.next() {
            link.push(id, &ToWorker::Request { mark: place.mark, part });
            self.dirty.push(place.worker);
        }
        if upload.resume() {
            self.pause(id, false, turn);
        }
    }

    /// Holds the content of a request back at the client, or lets it come again.
    pub(super) fn pause(&mut self, id: ExchangeId, paused: bool, turn: &mut Turn) {
        if let Some(exchange) = self.exchanges.get(key_of(id)) {
            self.answer(id, exchange, ToClient::PauseRequest(paused), turn);
        }
    }
}
