//! What comes from the client, as requests.

use bytes::{BufMut, BytesMut};
use http::Method;
use quiche::Shutdown;
use quiche::h3::{Error, Event, Header, WireErrorCode as Code};
use wire::head::Origin;
use wire::limits::{QUIC_READ_BYTES_MAX, QUIC_UNI_STREAMS_MAX};
use wire::{Part, Reason, Version};

use super::life::Phase;
use super::stream::{Stream, Urgency};
use super::{Http3, request};
use crate::protocol::StreamId;
use crate::protocol::error::{Fault, ProtocolError};
use crate::protocol::message::RequestFacts;

impl Http3 {
    /// Takes what `quiche` has read.
    pub(super) fn take_events(&mut self) {
        if !self.quic.is_readable() || self.phase == Phase::Closed {
            return;
        }
        self.look_at_new();
        loop {
            while self.phase != Phase::Closed
                && let Some(h3) = &mut self.h3
                && let Ok((stream, event)) = h3.poll(&mut self.quic)
            {
                self.take_event(stream, event);
            }
            // An error of the connection has closed it. Otherwise there is nothing more, but for
            // what is behind empty DATA frames: `quiche` goes on there when it is asked to.
            let stuck = std::mem::take(&mut self.stuck);
            if stuck.is_empty() || self.quic.local_error().is_some() {
                return;
            }
            for id in stuck {
                self.watch.empty();
                if self.is_overdrawn() {
                    return self.calm();
                }
                self.outlet.stream = id;
                self.content(id);
            }
        }
    }

    /// Notes the streams that begin: what is not a whole head must not stay for ever.
    fn look_at_new(&mut self) {
        let until = self.now.instant + self.outlet.settings.header_timeout;
        let mut oneway = 0;
        for stream in self.quic.readable() {
            if stream % 4 == 0 && !self.streams.contains_key(&stream) {
                self.opening.entry(stream).or_insert(until);
                self.next_stream = self.next_stream.max(stream + 4);
            } else if stream % 4 == 2 {
                oneway = oneway.max(stream / 4 + 1);
            }
        }
        if oneway > QUIC_UNI_STREAMS_MAX {
            self.calm();
        }
    }

    fn take_event(&mut self, id: StreamId, event: Event) {
        self.outlet.stream = id;
        match event {
            Event::Headers { list, more_frames } => match self.streams.get_mut(&id) {
                None => self.open(id, &list, !more_frames),
                Some(stream) => {
                    if let Err(fault) = stream.trailers(&list, &mut self.outlet) {
                        self.break_off(id, fault);
                    }
                }
            },
            Event::Data => self.content(id),
            Event::Finished => self.finished(id),
            Event::Reset(_) => self.reset(id),
            Event::PriorityUpdate => self.reprioritize(id),
            Event::GoAway => {}
        }
    }

    /// A request's head is there.
    fn open(&mut self, id: StreamId, list: &[Header], complete: bool) {
        self.opening.remove(&id);
        if id >= self.refused_from() {
            // RFC 9114, 5.2: the client may send it again elsewhere.
            return self.discard(id, Code::RequestRejected);
        }
        if self.streams.is_empty() {
            self.ping = self.now.instant + self.ping_interval();
        }
        let origin = Origin { stream: id, received_at: self.now.unix_micros, ..self.origin };
        let early = self.quic.is_in_early_data();
        let update = self.h3.as_mut().and_then(|h3| h3.take_last_priority_update(id).ok());
        let priority = Urgency::parse(update.as_deref().or_else(|| request::priority(list)));
        match request::head(list, early, origin, &self.outlet.settings) {
            Err(fault @ Fault::Message) => {
                self.outlet.report(ProtocolError::stream(fault));
                self.discard(id, Code::MessageError);
            }
            Err(fault) => {
                let head_only = list.iter().any(is_head);
                let facts = RequestFacts { head_only, version: Version::Http3 };
                let mut stream = self.stream(facts, None, complete, priority);
                stream.exchange.refuse_head(fault, &mut self.outlet, &self.now);
                self.streams.insert(id, Box::new(stream));
            }
            Ok(request) => {
                let head_only = request.head.method == Method::HEAD;
                let facts = RequestFacts { head_only, version: Version::Http3 };
                let declared = request.content_length;
                if complete && declared.is_some_and(|length| length > 0) {
                    // RFC 9114, 4.1.2.
                    self.outlet.report(ProtocolError::stream(Fault::Message));
                    return self.discard(id, Code::MessageError);
                }
                self.outlet.part(Part::Head(request.head));
                let mut stream = self.stream(facts, declared, complete, priority);
                if complete {
                    self.outlet.part(Part::End(None));
                } else if request.expects_continue {
                    stream.exchange.reply.say_continue();
                }
                self.streams.insert(id, Box::new(stream));
            }
        }
        self.queue(id);
    }

    fn stream(
        &self,
        facts: RequestFacts,
        declared: Option<u64>,
        complete: bool,
        priority: Urgency,
    ) -> Stream {
        Stream::new(facts, declared, complete, priority, &self.outlet, &self.now)
    }

    /// Reads the content that is there; the client may send as much more.
    fn content(&mut self, id: StreamId) {
        loop {
            let Some(h3) = &mut self.h3 else { return };
            let Some(stream) =
                self.streams.get_mut(&id).filter(|stream| stream.exchange.arriving().is_some())
            else {
                // Left where it is, until the client is told to stop.
                return;
            };
            let len = self.quic.stream_readable_len(id, QUIC_READ_BYTES_MAX).max(1);
            let mut content = BytesMut::with_capacity(len).limit(len);
            match h3.recv_body_buf(&mut self.quic, id, &mut content) {
                Ok(_) => {}
                Err(Error::Done) => {
                    if self.quic.stream_readable(id) {
                        self.stuck.push(id);
                    }
                    return;
                }
                Err(Error::TransportError(quiche::Error::StreamReset(_))) => {
                    return self.reset(id);
                }
                // An error of the connection has closed it.
                Err(_) => return,
            }
            let content = content.into_inner().freeze();
            self.watch.content(content.len());
            if let Err(fault) = stream.content(content, &mut self.outlet, &self.now) {
                return self.break_off(id, fault);
            }
            self.queue(id);
        }
    }

    /// The client has sent all of a request.
    fn finished(&mut self, id: StreamId) {
        if self.opening.remove(&id).is_some() {
            // RFC 9114, 4.1.1.
            return self.discard(id, Code::RequestIncomplete);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let Err(fault) = stream.end(&mut self.outlet) {
            self.break_off(id, fault);
        }
    }

    /// The client has given a request up.
    fn reset(&mut self, id: StreamId) {
        self.opening.remove(&id);
        if self.streams.contains_key(&id) {
            self.outlet.stream = id;
            self.end(id, Reason::ClientGone);
        }
        self.discard(id, Code::RequestCancelled);
    }

    /// A request is not what it should be: nobody gets to see more of it.
    fn break_off(&mut self, id: StreamId, fault: Fault) {
        self.outlet.report(ProtocolError::stream(fault));
        self.end(id, Reason::ClientGone);
        self.discard(id, Code::MessageError);
    }

    /// A stream is over before its time.
    pub(super) fn end(&mut self, id: StreamId, reason: Reason) {
        if let Some(mut stream) = self.streams.remove(&id) {
            stream.exchange.lose(reason, &mut self.outlet);
            self.rewind();
        }
    }

    /// Resets a stream in both directions.
    pub(super) fn discard(&mut self, id: StreamId, code: Code) {
        // What is over already needs no reset.
        let _ = self.quic.stream_shutdown(id, Shutdown::Read, code as u64);
        let _ = self.quic.stream_shutdown(id, Shutdown::Write, code as u64);
        if self.phase == Phase::Closed {
            return;
        }
        self.orphans.push_back(id);
        self.watch.reset();
        if self.is_overdrawn() {
            self.calm();
        }
    }

    /// RFC 9218, 7. One for a request that is not there yet is taken with its head.
    fn reprioritize(&mut self, id: StreamId) {
        let (Some(h3), Some(stream)) = (&mut self.h3, self.streams.get_mut(&id)) else { return };
        let Ok(value) = h3.take_last_priority_update(id) else { return };
        stream.priority = Urgency::parse(Some(&value));
        stream.turn = 0;
        if stream.framing.is_headed() {
            stream.priority.apply(&mut self.quic, id);
        }
    }
}

fn is_head(line: &Header) -> bool {
    use quiche::h3::NameValue;
    line.name() == b":method" && line.value() == b"HEAD"
}
