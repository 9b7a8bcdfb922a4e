//! [`Fixed`]: a handler that gives the same answer to every request, without a worker.

use bytes::Bytes;
use http::StatusCode;
use wire::{BodyLength, ExchangeId, Part, RequestHead, ResponseHead};

use super::workers::in_flight::{id_of, key_of};
use super::{ExchangeKey, Handler, HandlerId, NewRequest};
use crate::protocol::StreamId;
use crate::slots::{Key, Slots};
use crate::turn::Turn;

/// An answer that is known beforehand.
#[derive(Debug, Clone)]
pub struct FixedResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content, at most [`RESPONSE_AHEAD_BYTES_MAX`](wire::limits::RESPONSE_AHEAD_BYTES_MAX): it
    /// is sent without waiting for credit.
    pub content: Bytes,
}

/// Answers each request with the same response when it is complete.
#[derive(Debug)]
pub(super) struct Fixed {
    head: ResponseHead,
    content: Bytes,
    exchanges: Slots<(Key, StreamId)>,
    id: HandlerId,
}

impl Fixed {
    pub(super) fn new(id: HandlerId, response: &FixedResponse) -> Self {
        let FixedResponse { status, content_type, content } = response.clone();
        let lines = [(&b"content-type"[..], content_type.as_bytes())];
        let length = BodyLength::Known(content.len() as u64);
        Self {
            head: ResponseHead {
                status,
                reason: None,
                length,
                fields: lines.into_iter().collect(),
                id_field: None,
            },
            content,
            exchanges: Slots::starting_at(1),
            id,
        }
    }

    fn answer(&mut self, id: ExchangeId, turn: &mut Turn) {
        let Some((conn, stream)) = self.exchanges.remove(key_of(id)) else { return };
        let content = (!self.content.is_empty()).then(|| Part::Body(self.content.clone()));
        let parts = [Some(Part::Head(self.head.clone())), content, Some(Part::End(None))];
        let exchange = ExchangeKey { handler: self.id, id };
        turn.answer(conn, stream, exchange, parts.into_iter().flatten());
    }
}

impl Handler for Fixed {
    fn open(
        &mut self,
        request: NewRequest,
        _turn: &mut Turn,
    ) -> Result<ExchangeId, Box<NewRequest>> {
        Ok(id_of(self.exchanges.insert((request.conn, request.stream))))
    }

    fn receive(&mut self, id: ExchangeId, part: Part<Box<RequestHead>>, turn: &mut Turn) {
        match part {
            Part::End(_) => self.answer(id, turn),
            Part::Abort(_) => {
                self.exchanges.remove(key_of(id));
            }
            Part::Head(_) | Part::Body(_) | Part::File(_) => {}
        }
    }

    fn credit(&mut self, _id: ExchangeId, _bytes: u64) {}

    fn grow_window(&mut self, _id: ExchangeId, _bytes: u32) {}

    fn open_exchanges(&self) -> usize {
        self.exchanges.len()
    }
}
