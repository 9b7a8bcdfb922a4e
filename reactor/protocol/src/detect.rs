//! [`Detect`]: which version a client speaks on a cleartext port.
//!
//! A client that knows that the server speaks HTTP/2 begins with a preface that no HTTP/1 client
//! sends (RFC 9113, 3.3 and 3.4). Until it is there, the connection is one of HTTP/1, with its
//! deadlines and its refusals.

use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use wire::head::Origin;
use wire::{Part, RequestHead, ResponseHead, Scheme};

use super::ended::Ended;
use super::error::ProtocolError;
use super::h1::Http1;
use super::h2::{Http2, PREFACE};
use super::settings::HttpSettings;
use super::upgrade::Accepted;
use super::{Closing, Flow, Input, KeepInFile, Now, Outgoing, Protocol, ReadFile, StreamId};

/// The part of the preface that is an incomplete head for HTTP/1.
const HEAD_LEN: usize = b"PRI * HTTP/2.0".len();

/// A connection whose version its first bytes tell.
pub struct Detect {
    spoken: Spoken,
    /// The first bytes were enough.
    decided: bool,
    scheme: Scheme,
    read: ReadFile,
}

#[allow(clippy::large_enum_variant)] // most connections are the large one
enum Spoken {
    Http1(Http1),
    Http2(Box<Http2>),
}

impl Detect {
    /// A connection without TLS of its own that was just accepted. `scheme` is https where a proxy has
    /// said that it speaks TLS with the client. `read` reads the files that responses are made of.
    pub fn new(
        settings: Arc<HttpSettings>,
        origin: Origin,
        scheme: Scheme,
        read: ReadFile,
        now: &Now,
    ) -> Self {
        let decided = !settings.http2.enabled;
        let http1 = Http1::new(settings, origin, scheme, now);
        Self { spoken: Spoken::Http1(http1), decided, scheme, read }
    }

    fn protocol(&mut self) -> &mut dyn Protocol {
        match &mut self.spoken {
            Spoken::Http1(http1) => http1,
            Spoken::Http2(http2) => &mut **http2,
        }
    }

    fn protocol_ref(&self) -> &dyn Protocol {
        match &self.spoken {
            Spoken::Http1(http1) => http1,
            Spoken::Http2(http2) => &**http2,
        }
    }

    /// Looks at the first bytes. `false`: they are the beginning of the preface, and not enough.
    fn decide(&mut self, input: &[u8], now: &Now) -> bool {
        let Spoken::Http1(http1) = &mut self.spoken else { return true };
        let same = input.iter().zip(PREFACE).take_while(|(a, b)| a == b).count();
        if same == PREFACE.len() {
            let (settings, origin) = (Arc::clone(http1.settings()), *http1.origin());
            let http2 = Http2::new(settings, origin, self.scheme, self.read, now);
            self.spoken = Spoken::Http2(Box::new(http2));
        } else if same == input.len() {
            // Taken for a head that is incomplete, so that its deadlines hold. It is not consumed.
            let mut head = BytesMut::from(&input[..same.min(HEAD_LEN)]);
            http1.receive(Input::Bytes(&mut head), now);
            return false;
        }
        true
    }
}

impl Protocol for Detect {
    fn receive(&mut self, input: Input<'_>, now: &Now) {
        if let (Input::Bytes(bytes), false) = (&input, self.decided) {
            self.decided = self.decide(bytes, now);
            if !self.decided {
                return;
            }
        }
        self.protocol().receive(input, now);
    }

    fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        self.protocol().poll()
    }

    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>, now: &Now) -> Flow {
        self.protocol().send(stream, part, now)
    }

    fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now) {
        self.protocol().set_paused(stream, paused, now);
    }

    fn upgrade(&mut self, stream: StreamId, accepted: &Accepted, now: &Now) -> Flow {
        self.protocol().upgrade(stream, accepted, now)
    }

    fn transmit(&mut self, out: &mut Outgoing<'_>, now: &Now) {
        self.protocol().transmit(out, now);
    }

    fn spool(&mut self, keep: &mut KeepInFile<'_>) {
        self.protocol().spool(keep);
    }

    fn wants_input(&self) -> bool {
        self.protocol_ref().wants_input()
    }

    fn content_left(&self) -> u64 {
        self.protocol_ref().content_left()
    }

    fn deadline(&self) -> Option<Instant> {
        self.protocol_ref().deadline()
    }

    fn shutdown(&mut self, now: &Now) {
        self.protocol().shutdown(now);
    }

    fn closing(&self) -> Option<Closing> {
        self.protocol_ref().closing()
    }

    fn refusal(&mut self) -> Option<ProtocolError> {
        self.protocol().refusal()
    }

    fn unfinished(&mut self, ended: &mut Vec<Ended>) {
        self.protocol().unfinished(ended);
    }

    fn origin(&self) -> &Origin {
        self.protocol_ref().origin()
    }
}
