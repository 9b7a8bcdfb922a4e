//! One request and its response.
//!
//! ```text
//!   request:   Arriving ──▶ Complete          response:   Awaited ──▶ Sending ──▶ Ended
//! ```
//!
//! Both go on side by side. What becomes of the connection is decided when the final head is
//! written, because the head must say it (RFC 9112, 9.6).

mod input;

use std::time::Instant;

use bytes::BytesMut;
use http::StatusCode;
use wire::{Part, Reason, RequestHead, RequestIds, ResponseHead, Version};

use super::body::BodyDecoder;
use super::encode::{self, BodyEncoder, HeadLines, Persistence};
use super::parse::ParsedHead;
use super::state::State;
use super::{Core, Then};
use crate::ended::Ending;
use crate::error::{Fault, ProtocolError};
use crate::message::{self, Continue, RequestFacts, Shape};
use crate::pace::Pace;
use crate::upgrade::Accepted;
use crate::{Closing, Flow, Now};

/// A request whose head was read, up to the end of its response.
#[derive(Debug)]
pub struct Exchange {
    facts: RequestFacts,
    /// The client would like to go on after it.
    keep_alive: bool,
    /// Whether it was told that the client is leaving.
    left: bool,
    request: RequestStep,
    response: ResponseStep,
}

#[derive(Debug)]
enum RequestStep {
    /// Content is arriving; the deadline moves with it. There is none while the content is held back.
    Arriving { decoder: BodyDecoder, deadline: Option<Instant>, pace: Pace, expected: Continue },
    /// All of it was read.
    Complete,
    /// The stream is another protocol's: what comes is given out as it is.
    Upgraded(Tunnel),
}

/// Whether the bytes of an upgraded stream may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tunnel {
    Open,
    Paused,
}

#[derive(Debug)]
enum ResponseStep {
    /// There is no final head yet.
    Awaited,
    /// The final head was written.
    Sending { encoder: BodyEncoder, then: Then },
    /// All of it was written; some may still be in the outbox.
    Ended(Then),
}

impl Exchange {
    /// Opens an exchange. `waits` says that the client has sent nothing behind the head.
    pub fn open(head: ParsedHead, waits: bool, core: &mut Core, now: &Now) -> Result<Self, Fault> {
        // RFC 9110, 7.4: an https target over cleartext would pass for secured, wherever it came from;
        // an http one by TLS is for another origin. The connection is the scheme (RFC 9112, 3.3), unless
        // a trusted proxy has the connection with the client.
        let scheme = head.scheme.unwrap_or(core.scheme);
        if scheme != core.scheme && !core.origin.trusted_proxy {
            return Err(Fault::Scheme);
        }
        let decoder = BodyDecoder::new(head.framing, &core.settings)?;
        let streamed = decoder.is_some() && core.settings.streams(&head.path);
        // RFC 9110, 10.1.1: not needed when content is already there.
        let expected = match decoder.is_some() && head.expects_continue && waits {
            true if streamed => Continue::WhenAsked,
            true => {
                core.say_continue();
                Continue::No
            }
            false => Continue::No,
        };
        let head_only = head.method == http::Method::HEAD;
        let upgrade = match core.settings.upgrades && decoder.is_none() {
            true => message::upgrade(head.version, &head.fields),
            false => None,
        };
        let facts = RequestFacts { head_only, upgrade: upgrade.is_some(), version: head.version };
        core.streams += 1;
        core.begin();
        core.inbox.clear();
        core.inbox.head = Some(Box::new(RequestHead {
            method: head.method,
            path: head.path,
            query: head.query,
            version: head.version,
            scheme,
            fields: head.fields,
            origin: wire::head::Origin { received_at: now.unix_micros, ..core.origin },
            // The connection knows, and says so of every request.
            tls: None,
            ids: RequestIds::NONE,
            streamed,
            upgrade,
        }));
        let request = match decoder {
            Some(decoder) => {
                let pace = core.settings.body_pace(streamed);
                let deadline = (!streamed).then(|| pace.begin(now.instant));
                RequestStep::Arriving { decoder, deadline, pace, expected }
            }
            None => {
                core.inbox.end(None);
                RequestStep::Complete
            }
        };
        Ok(Self {
            facts,
            keep_alive: head.keep_alive,
            left: false,
            request,
            response: ResponseStep::Awaited,
        })
    }

    /// The client's bytes: content, or the requests behind this one, which stay where they are.
    pub fn bytes(mut self, input: &mut BytesMut, core: &mut Core, now: &Now) -> State {
        let RequestStep::Arriving { decoder, deadline, pace, .. } = &mut self.request else {
            if matches!(self.request, RequestStep::Upgraded(Tunnel::Open)) && !input.is_empty() {
                core.inbox.content.push_back(input.split().freeze());
            }
            return State::Exchange(self);
        };
        if matches!(self.response, ResponseStep::Ended(_)) {
            // The connection ends behind this response; nobody waits for the rest.
            input.clear();
            return State::Exchange(self);
        }
        let before = input.len();
        match decoder.decode(input, &mut core.inbox.content, &core.settings) {
            Ok(None) => {
                let taken = (before - input.len()) as u64;
                *deadline = deadline.map(|deadline| pace.extend(deadline, taken, now.instant));
                State::Exchange(self)
            }
            Ok(Some(trailers)) => {
                core.inbox.end(trailers);
                self.request = RequestStep::Complete;
                State::Exchange(self)
            }
            Err(fault) => {
                input.clear();
                self.refuse(fault, Reason::Refused, core, now)
            }
        }
    }

    /// The client will send no more. It may wait for the response to a complete request all the
    /// same; but one that had wanted to keep the connection has most likely closed it, which looks
    /// the same (RFC 9112, 9.5 and 9.6: who means to send no more says `close`).
    pub fn eof(mut self, core: &mut Core) -> State {
        match (&self.request, &self.response) {
            (_, ResponseStep::Ended(_)) => State::Exchange(self),
            (RequestStep::Upgraded(_), _) => {
                core.inbox.end(None);
                self.request = RequestStep::Complete;
                State::Exchange(self)
            }
            (RequestStep::Complete, _) => {
                let meant = !self.keep_alive || self.facts.version < Version::Http11;
                if !meant && !core.settings.half_close && !self.left {
                    self.left = true;
                    core.inbox.leaving();
                }
                State::Exchange(self)
            }
            (RequestStep::Arriving { .. }, _) => {
                core.inbox.abort(Reason::ClientGone);
                State::Closed(Closing::Close)
            }
        }
    }

    /// The content stopped arriving.
    pub fn timeout(self, core: &mut Core, now: &Now) -> State {
        self.refuse(Fault::ContentTimeout, Reason::ClientStalled, core, now)
    }

    /// Only while the client is expected to send; a response has no deadline here.
    pub fn deadline(&self) -> Option<Instant> {
        match (&self.request, &self.response) {
            (RequestStep::Arriving { deadline, .. }, ResponseStep::Awaited) => *deadline,
            _ => None,
        }
    }

    /// The stream is another protocol's from now on (RFC 9110, 7.8). The connection ends with it.
    pub fn upgrade(mut self, accepted: &Accepted, core: &mut Core, now: &Now) -> (State, Flow) {
        let asked = self.facts.upgrade && matches!(self.request, RequestStep::Complete);
        if !asked || core.half_closed || !matches!(self.response, ResponseStep::Awaited) {
            return (State::Exchange(self), Flow::Gone);
        }
        if let Err(fault) = encode::switching(&mut core.outbox, accepted, &core.settings, &now.date)
        {
            core.report(ProtocolError::stream(fault));
            return (self.abort(Reason::Internal, core, now).0, Flow::Gone);
        }
        core.outbox.sent.status = Some(StatusCode::SWITCHING_PROTOCOLS);
        self.request = RequestStep::Upgraded(Tunnel::Open);
        let then = Then::Close(Closing::Linger);
        self.response = ResponseStep::Sending { encoder: BodyEncoder::UntilClose, then };
        (State::Exchange(self), Flow::Ready)
    }

    /// The outbox is empty: when the response has ended, it has left.
    pub fn transmitted(self, core: &Core, now: &Now) -> State {
        match self.response {
            ResponseStep::Ended(Then::Close(closing)) => State::Closed(closing),
            ResponseStep::Ended(Then::KeepAlive) if core.draining => State::Closed(Closing::Linger),
            ResponseStep::Ended(Then::KeepAlive) => State::idle(core, now),
            _ => State::Exchange(self),
        }
    }

    /// The request is broken and cannot be read on.
    fn refuse(self, fault: Fault, reason: Reason, core: &mut Core, now: &Now) -> State {
        core.inbox.abort(reason);
        match self.response {
            ResponseStep::Awaited => core.refuse(fault, self.facts.head_only, now),
            ResponseStep::Sending { .. } => {
                core.report(ProtocolError::connection(fault));
                core.ends(Ending::Refused(fault));
                State::Closed(Closing::Reset)
            }
            ResponseStep::Ended(then) => State::Closed(if let Then::Close(closing) = then {
                closing
            } else {
                Closing::Linger
            }),
        }
    }

    /// A part of the response.
    pub fn send(mut self, part: Part<ResponseHead>, core: &mut Core, now: &Now) -> (State, Flow) {
        let result = match (&mut self.response, part) {
            (ResponseStep::Ended(_), _) => return (State::Exchange(self), Flow::Gone),
            (_, Part::Abort(reason)) => return self.abort(reason, core, now),
            (ResponseStep::Awaited, Part::Head(head)) if head.status.is_informational() => {
                self.interim(&head, core)
            }
            (ResponseStep::Awaited, Part::Head(head)) => self.head(&head, core, now),
            (ResponseStep::Sending { encoder, .. }, Part::Body(content)) => {
                encoder.content(&mut core.outbox, content)
            }
            (ResponseStep::Sending { encoder, .. }, Part::File(slice)) => {
                encoder.file(&mut core.outbox, slice)
            }
            (ResponseStep::Sending { encoder, then }, Part::End(trailers)) => {
                let then = *then;
                encoder.end(&mut core.outbox, trailers.as_ref()).map(|()| {
                    core.inbox.clear();
                    core.ends(Ending::Complete);
                    self.response = ResponseStep::Ended(then);
                })
            }
            (ResponseStep::Awaited, _) | (ResponseStep::Sending { .. }, Part::Head(_)) => {
                Err(Fault::ResponseOrder)
            }
        };
        match result {
            Ok(()) => (State::Exchange(self), Flow::Ready),
            Err(fault) => {
                core.report(ProtocolError::stream(fault));
                (self.abort(Reason::Internal, core, now).0, Flow::Gone)
            }
        }
    }

    /// The response breaks off. Before its head an error takes its place; behind it, the client
    /// must see that it is incomplete.
    fn abort(mut self, reason: Reason, core: &mut Core, now: &Now) -> (State, Flow) {
        core.inbox.clear();
        match self.response {
            ResponseStep::Awaited => match message::abort_status(reason) {
                Some(status) => (self.plain(status, core, now), Flow::Ready),
                None => {
                    core.ends(Ending::Broken);
                    (State::Closed(Closing::Close), Flow::Ready)
                }
            },
            // RFC 9112, 8: the end of the connection is the end of the content, unless it is a
            // reset. Lengths and chunks show by themselves what is missing.
            ResponseStep::Sending { encoder: BodyEncoder::UntilClose, .. } => {
                core.ends(Ending::Broken);
                (State::Closed(Closing::Reset), Flow::Ready)
            }
            _ => {
                core.ends(Ending::Broken);
                self.response = ResponseStep::Ended(Then::Close(Closing::Close));
                (State::Exchange(self), Flow::Ready)
            }
        }
    }

    /// Answers in place of the handler.
    fn plain(mut self, status: StatusCode, core: &mut Core, now: &Now) -> State {
        let (head, content) = message::plain_response(status);
        // Its fields are sendable.
        if self.head(&head, core, now).is_ok()
            && let ResponseStep::Sending { encoder, then } = self.response
        {
            encoder.own_content(&mut core.outbox, &content);
            core.ends(Ending::Complete);
            self.response = ResponseStep::Ended(then);
        }
        State::Exchange(self)
    }

    /// An interim head. HTTP/1.0 has none (RFC 9110, 15.2), and 101 would need an upgrade.
    fn interim(&self, head: &ResponseHead, core: &mut Core) -> Result<(), Fault> {
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Fault::ResponseStatus);
        }
        if self.facts.version < Version::Http11 {
            return Ok(());
        }
        encode::interim(&mut core.outbox, head)
    }

    /// The final head.
    fn head(&mut self, head: &ResponseHead, core: &mut Core, now: &Now) -> Result<(), Fault> {
        let shape = message::shape(&self.facts, head)?;
        let encoder = BodyEncoder::new(shape.content, self.facts.version);
        let then = self.then(&shape, encoder, core);
        let lines = HeadLines {
            shape: &shape,
            encoder,
            connection: match then {
                Then::Close(_) => Persistence::Close,
                Then::KeepAlive if self.facts.version < Version::Http11 => Persistence::KeepAlive,
                Then::KeepAlive => Persistence::Implied,
            },
            settings: &core.settings,
            date: &now.date,
        };
        encode::head(&mut core.outbox, head, &lines);
        core.outbox.sent.status = Some(head.status);
        self.response = ResponseStep::Sending { encoder, then };
        Ok(())
    }

    /// What becomes of the connection (RFC 9112, 9.3 and 9.6).
    fn then(&self, shape: &Shape, encoder: BodyEncoder, core: &Core) -> Then {
        let complete = matches!(self.request, RequestStep::Complete);
        // Who did not ask for the end may have more under way, and a reset would eat the answer.
        let unexpected = self.keep_alive && (shape.close || core.draining);
        if !complete || unexpected {
            Then::Close(Closing::Linger)
        } else if !self.keep_alive || encoder == BodyEncoder::UntilClose {
            Then::Close(Closing::Close)
        } else {
            Then::KeepAlive
        }
    }
}
