//! Requests on their way from a connection to the handler that answers them.

use http::StatusCode;
use wire::shm::Counter;
use wire::{Part, Reason, RequestHead};

use super::EventLoop;
use crate::handler::{ExchangeKey, NewRequest};
use crate::protocol::StreamId;
use crate::slots::Key;

impl EventLoop {
    /// A request begins: the one who answers is told.
    pub(super) fn open(&mut self, key: Key, stream: StreamId, mut head: Box<RequestHead>) {
        let placed = self.place(&mut head);
        let Some(client) = self.clients.get_mut(key) else { return };
        if let Some(seat) = client.seat() {
            seat.begun();
        }
        let record = self.turn.records.begin(stream, &mut head, self.turn.clock.now().instant);
        client.exchanges().observed(stream, record, &head.ids);
        if let Err(fault) = placed {
            self.turn.records.refused(record, fault);
            return self.refuse(key, stream, &head, fault);
        }
        let port = &self.common.config.ports[usize::from(client.origin().port)];
        let window = client.exchanges().window(port.window_bytes);
        let mut request = NewRequest { conn: key, stream, head, window, record };
        let mut from = 0;
        let (handler, id) = loop {
            let next = port.routes.find(&request.head.path, from);
            let Some((name, next)) = next else {
                return self.answer(key, stream, StatusCode::NOT_FOUND);
            };
            from = next;
            let Some(handler) = self.handlers.get(name) else { continue };
            match handler.open(request, &mut self.turn) {
                Ok(id) => break (name, id),
                Err(declined) => request = *declined,
            }
        };
        client.exchanges().opened(stream, ExchangeKey { handler, id }, window);
    }

    /// Content of a request, for the one who answers.
    pub(super) fn request_content(&mut self, key: Key, stream: StreamId) {
        if let Some(client) = self.clients.get_mut(key) {
            let bytes = self.pieces.iter().map(|piece| piece.len() as u64).sum();
            self.turn.records.content(client.exchanges().record(stream), bytes);
            if let Some(ExchangeKey { handler, id }) = client.exchanges().find(stream)
                && let Some(handler) = self.handlers.get(handler)
            {
                handler.content(id, &mut self.pieces, &mut self.turn);
            }
        }
        self.pieces.clear();
    }

    /// What else follows of a request, for the one who answers.
    pub(super) fn request_part(
        &mut self,
        key: Key,
        stream: StreamId,
        part: Part<Box<RequestHead>>,
    ) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let exchange = match part {
            Part::Abort(Reason::ClientLeaving) => client.exchanges().find(stream),
            Part::Abort(_) => {
                let exchange = client.exchanges().forget(stream);
                self.common.shared.add(Counter::GivenUp, u64::from(exchange.is_some()));
                exchange
            }
            _ => client.exchanges().find(stream),
        };
        if let Some(ExchangeKey { handler, id }) = exchange
            && let Some(handler) = self.handlers.get(handler)
        {
            handler.receive(id, part, &mut self.turn);
        }
    }
}
