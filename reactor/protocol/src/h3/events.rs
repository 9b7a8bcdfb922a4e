//! What comes from the client, as requests.

use bytes::{BufMut, Bytes, BytesMut};
use http::Method;
use quiche::Shutdown;
use quiche::h3::{Header, NameValue};
use wire::head::Origin;
use wire::limits::QUIC_READ_BYTES_MAX;
use wire::{Part, Reason, Version};

use super::error::Code;
use super::incoming::{Incoming, Item};
use super::priority::Priority;
use super::qpack::{self, Undecodable};
use super::stream::{Http3Stream, Opening};
use super::{Http3, log, request};
use crate::StreamId;
use crate::ended::{Ending, Sent};
use crate::error::{Fault, ProtocolError};
use crate::message::RequestFacts;

/// The stream has nothing more to tell: it is over, or the connection is.
struct Over;

impl Http3 {
    /// Takes what the client's streams have brought: first what is about the connection.
    pub(super) fn take_streams(&mut self) {
        self.drop_stopped();
        if !self.quic.is_readable() || !self.phase.is_speaking() {
            return;
        }
        for unidirectional in [true, false] {
            for id in self.quic.readable() {
                if !self.phase.is_speaking() {
                    return;
                }
                // Who opened a stream, and which way it goes (RFC 9000, 2.1).
                match id % 4 {
                    0 if !unidirectional => self.take_request(id),
                    2 if unidirectional => self.take_unidirectional(id),
                    _ => {}
                }
            }
        }
    }

    /// What is there of a stream, and whether that is its end.
    fn read(&mut self, id: StreamId) -> Result<(Bytes, bool), quiche::Error> {
        let len = self.quic.stream_readable_len(id, QUIC_READ_BYTES_MAX).max(1);
        let mut bytes = BytesMut::with_capacity(len).limit(len);
        let (_, last) = self.quic.stream_recv_buf(id, &mut bytes)?;
        Ok((bytes.into_inner().freeze(), last))
    }

    /// Drops the requests of which the client has said that it wants no response (STOP_SENDING), before
    /// it has said what they are.
    fn drop_stopped(&mut self) {
        let Some(pending) = &self.pending else { return };
        let stopped = |id: &StreamId| {
            matches!(self.quic.stream_capacity(*id), Err(quiche::Error::StreamStopped(_)))
        };
        let ids: Vec<_> = pending.opening.keys().copied().filter(stopped).collect();
        for id in ids {
            self.pending().opening.remove(&id);
            self.discard(id, Code::RequestCancelled);
        }
    }

    /// One of the client's own streams.
    fn take_unidirectional(&mut self, id: StreamId) {
        loop {
            let ended = match self.read(id) {
                Ok((mut bytes, last)) => loop {
                    match self.unidirectional.receive(id, &mut bytes) {
                        Ok(Some(update)) => self.reprioritize(id, update),
                        Ok(None) => break last,
                        Err(code) => return self.fail(code),
                    }
                    if !self.phase.is_speaking() {
                        return;
                    }
                },
                Err(quiche::Error::StreamReset(_)) => true,
                Err(quiche::Error::Done) if self.quic.stream_finished(id) => {
                    // As of requests. It is not to be looked at again.
                    let _ = self.quic.stream_shutdown(id, Shutdown::Read, 0);
                    true
                }
                Err(_) => return,
            };
            if ended {
                if let Err(code) = self.unidirectional.end(id) {
                    self.fail(code);
                }
                return;
            }
        }
    }

    /// A stream with a request.
    pub(super) fn take_request(&mut self, id: StreamId) {
        self.context.stream = id;
        let until = self.now.instant + self.context.settings.header_timeout;
        let refused = id >= self.refused_from();
        if !refused {
            self.next_stream = self.next_stream.max(id + 4);
        }
        let pending = self.pending.as_mut().and_then(|pending| pending.opening.remove(&id));
        if self.quic.stream_capacity(id).is_err() {
            // STOP_SENDING has come with it: the request is given up (RFC 9114, 4.1.1). `quiche`
            // forgets such a stream when its end is read, and would not tell of it later.
            return self.stopped(id);
        }
        let mut opening = match (self.streams.get_mut(&id), pending) {
            // Left where it is, until the client is told to stop.
            (Some(stream), _) if stream.exchange.is_refused() => return,
            (Some(stream), _) => Opening { incoming: std::mem::take(&mut stream.incoming), until },
            (None, Some(opening)) => opening,
            (None, None) if refused => {
                // RFC 9114, 5.2: the client may send it again elsewhere.
                return self.discard(id, Code::RequestRejected);
            }
            (None, None) => Opening { incoming: Incoming::default(), until },
        };
        if self.take_frames(id, &mut opening.incoming).is_err() {
            return;
        }
        if opening.incoming.is_headless() {
            self.pending().opening.insert(id, opening);
        } else if let Some(stream) = self.streams.get_mut(&id) {
            stream.incoming = opening.incoming;
        }
    }

    /// Reads a stream until there is no more for now.
    fn take_frames(&mut self, id: StreamId, incoming: &mut Incoming) -> Result<(), Over> {
        loop {
            let paused = self.streams.get(&id).is_some_and(|stream| stream.exchange.is_paused());
            if paused && !self.quic.stream_finished(id) {
                // What is not read holds the client up (RFC 9000, 4.1). A reset is looked at.
                return Ok(());
            }
            let (mut bytes, last) = match self.read(id) {
                Ok(read) => read,
                // A reset behind an end that was not read: `quiche` (0.30) drops both.
                Err(quiche::Error::Done)
                    if self.quic.stream_finished(id)
                        && self.streams.get(&id).is_none_or(|stream| stream.arriving) =>
                {
                    return self.reset(id);
                }
                Err(quiche::Error::Done) => return Ok(()),
                Err(quiche::Error::StreamReset(_)) => return self.reset(id),
                // There is no such stream.
                Err(_) => return Err(Over),
            };
            loop {
                match incoming.next(&mut bytes, self.section_bytes_max()) {
                    Ok(Some(item)) => {
                        let complete = last && bytes.is_empty() && incoming.end().is_ok();
                        self.take_item(id, item, complete)?;
                    }
                    Ok(None) => break,
                    Err(code) => return self.broken(code),
                }
            }
            if last {
                return match incoming.end() {
                    Ok(true) => self.finished(id),
                    // RFC 9114, 4.1.1.
                    Ok(false) => self.drop_stream(id, Code::RequestIncomplete),
                    Err(code) => self.broken(code),
                };
            }
        }
    }

    /// A piece of a request; `complete` when nothing follows it.
    fn take_item(&mut self, id: StreamId, item: Item, complete: bool) -> Result<(), Over> {
        let bytes_max = self.section_bytes_max();
        match item {
            // What is not far too large is read all the same: a HEAD is answered without content.
            Item::Head(section) => match qpack::decode(&section, bytes_max.saturating_mul(2)) {
                Ok(list) => {
                    log::headers_parsed(&mut self.quic, id, &list, section.len());
                    self.open(id, &list, section.len(), complete)
                }
                Err(Undecodable::TooLarge) => self.refuse(id, &[], Fault::FieldsTooLarge, complete),
                Err(Undecodable::Malformed) => self.broken(Code::DecompressionFailed),
            },
            Item::Data(len) => {
                log::data_parsed(&mut self.quic, id, len);
                Ok(())
            }
            Item::Content(bytes) => self.content(id, bytes),
            Item::Trailers(section) => match qpack::decode(&section, bytes_max) {
                Ok(list) => {
                    log::headers_parsed(&mut self.quic, id, &list, section.len());
                    self.trailers(id, &list)
                }
                Err(Undecodable::TooLarge) => self.too_large(id, complete),
                Err(Undecodable::Malformed) => self.broken(Code::DecompressionFailed),
            },
            Item::TooLarge => self.too_large(id, complete),
        }
    }

    /// A request's head is there, of a section of so many bytes.
    fn open(
        &mut self,
        id: StreamId,
        list: &[Header],
        bytes: usize,
        complete: bool,
    ) -> Result<(), Over> {
        let origin = Origin { stream: id, received_at: self.now.unix_micros, ..self.origin };
        let early = self.quic.is_in_early_data();
        let mut request = match request::head(list, early, origin, &self.context.settings) {
            Ok(_) if qpack::list_bytes(list) > self.section_bytes_max() => {
                return self.refuse(id, list, Fault::FieldsTooLarge, complete);
            }
            Ok(request) => request,
            Err(fault @ Fault::Message) => return self.malformed(id, fault),
            Err(fault) => return self.refuse(id, list, fault, complete),
        };
        let declared = request.content_length;
        if complete && declared.is_some_and(|length| length > 0) {
            // RFC 9114, 4.1.2.
            return self.malformed(id, Fault::Message);
        }
        let facts = RequestFacts {
            head_only: request.head.method == Method::HEAD,
            upgrade: request.head.upgrade.is_some(),
            version: Version::Http3,
        };
        let streamed =
            !complete && !facts.upgrade && self.context.settings.streams(&request.head.path);
        request.head.streamed = streamed;
        self.context.part(Part::Head(request.head));
        let head_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.limiter.asked(head_bytes);
        let stream = self.stream(id, list, facts, declared, complete);
        stream.head_bytes = head_bytes;
        // One that asks for an upgrade has no content before it is answered.
        if complete || facts.upgrade {
            self.context.part(Part::End(None));
        } else if let Some(stream) = self.streams.get_mut(&id) {
            stream.exchange.follow(streamed, request.expects_continue, &self.context);
        }
        self.queue(id);
        Ok(())
    }

    /// A request is answered in the handler's place.
    fn refuse(
        &mut self,
        id: StreamId,
        list: &[Header],
        fault: Fault,
        complete: bool,
    ) -> Result<(), Over> {
        let is_head = |line: &Header| line.name() == b":method" && line.value() == b"HEAD";
        let head_only = list.iter().any(is_head);
        let facts = RequestFacts { head_only, upgrade: false, version: Version::Http3 };
        self.stream(id, list, facts, None, complete);
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.exchange.refuse_head(fault, &mut self.context, &self.now);
        }
        self.refund(id);
        self.queue(id);
        Ok(())
    }

    fn stream(
        &mut self,
        id: StreamId,
        list: &[Header],
        facts: RequestFacts,
        declared: Option<u64>,
        complete: bool,
    ) -> &mut Http3Stream {
        if self.streams.is_empty() {
            self.ping = self.now.instant + self.ping_interval();
        }
        let said = self.pending.as_mut().and_then(|pending| pending.priorities.remove(&id));
        let said = said.or_else(|| request::priority(list).map(|value| Priority::parse(&value)));
        let priority = said.unwrap_or_default();
        priority.apply(&mut self.quic, id);
        let stream =
            Http3Stream::new(facts, declared, complete, priority, &self.context, &self.now);
        self.streams.entry(id).or_insert(Box::new(stream))
    }

    /// Content is there; the client may send as much more.
    fn content(&mut self, id: StreamId, bytes: Bytes) -> Result<(), Over> {
        let Some(stream) = self.streams.get_mut(&id) else { return Err(Over) };
        if stream.exchange.arriving().is_none() {
            return Ok(());
        }
        self.limiter.content(bytes.len());
        if let Err(fault) = stream.content(bytes, &mut self.context, &self.now) {
            return self.malformed(id, fault);
        }
        if stream.exchange.is_refused() {
            self.refund(id);
        }
        self.queue(id);
        Ok(())
    }

    fn trailers(&mut self, id: StreamId, list: &[Header]) -> Result<(), Over> {
        let Some(stream) = self.streams.get_mut(&id) else { return Err(Over) };
        match stream.trailers(list, &mut self.context) {
            Ok(()) => Ok(()),
            Err(fault) => self.malformed(id, fault),
        }
    }

    /// A field section is larger than the client was told.
    fn too_large(&mut self, id: StreamId, complete: bool) -> Result<(), Over> {
        let Some(stream) = self.streams.get_mut(&id) else {
            return self.refuse(id, &[], Fault::FieldsTooLarge, complete);
        };
        stream.exchange.too_large(&mut self.context, &self.now);
        self.refund(id);
        self.queue(id);
        Ok(())
    }

    /// The client has sent all of a request.
    fn finished(&mut self, id: StreamId) -> Result<(), Over> {
        let Some(stream) = self.streams.get_mut(&id) else { return Err(Over) };
        match stream.end(&mut self.context) {
            Ok(()) => Ok(()),
            Err(fault) => self.malformed(id, fault),
        }
    }

    /// The client has given a request up.
    fn reset(&mut self, id: StreamId) -> Result<(), Over> {
        self.end(id, Reason::ClientGone);
        self.drop_stream(id, Code::RequestCancelled)
    }

    /// A request is not what it should be: nobody gets to see more of it.
    fn malformed(&mut self, id: StreamId, fault: Fault) -> Result<(), Over> {
        self.context.stream = id;
        self.context.report(ProtocolError::stream(fault));
        match self.streams.get_mut(&id) {
            Some(stream) => stream.exchange.malformed(fault),
            None => {
                let (sent, ending) = (Sent::default(), Ending::Refused(fault));
                self.context.over(id, sent, ending);
            }
        }
        self.end(id, Reason::ClientGone);
        self.drop_stream(id, Code::MessageError)
    }

    fn drop_stream(&mut self, id: StreamId, code: Code) -> Result<(), Over> {
        self.discard(id, code);
        Err(Over)
    }

    fn broken(&mut self, code: Code) -> Result<(), Over> {
        self.fail(code);
        Err(Over)
    }

    /// A stream is over before its time.
    pub(super) fn end(&mut self, id: StreamId, reason: Reason) {
        if let Some(mut stream) = self.streams.remove(&id) {
            self.context.stream = id;
            stream.exchange.lose(reason, &mut self.context);
            stream.exchange.tell_end(stream.sent_bytes, &mut self.context);
            self.limiter.unanswered(stream.head_bytes);
            self.rewind();
        }
    }

    /// Resets a stream in both directions.
    pub(super) fn discard(&mut self, id: StreamId, code: Code) {
        if !self.phase.is_speaking() {
            return;
        }
        if let Some(pending) = &mut self.pending {
            pending.priorities.remove(&id);
        }
        self.stop_sending(id, code, true);
        // What the client has given up itself is no refusal.
        if code != Code::RequestCancelled {
            self.refund(id);
        }
        self.limiter.reset();
        if self.is_overdrawn() {
            self.calm();
        }
    }
}
