//! The HTTP/1 machine under arbitrary bytes, cuts, answers and moments.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use httparse::{EMPTY_HEADER, Status};
use protocol::h1::Http1;
use protocol::settings::HttpSettings;
use protocol::{Chunk, Closing, Flow, Input, Now, Outgoing, Output, Protocol, StreamId};
use wire::{BodyLength, Fields, Part, Reason, RequestHead, ResponseHead, Scheme};

use crate::{Choices, origin};

/// The first byte says how many bytes of choices follow; the rest is what the client sends.
pub fn h1(data: &[u8]) {
    let Some((len, rest)) = data.split_first() else { return };
    let (choices, input) = rest.split_at(rest.len().min(usize::from(*len)));
    let whole = calm(&[input]);
    assert_eq!(calm(&input.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    let mut at = 0;
    let cuts = choices.iter().map(|choice| {
        let start = at;
        at = input.len().min(at + usize::from(*choice));
        &input[start..at]
    });
    let mut pieces: Vec<_> = cuts.collect();
    pieces.push(&input[at..]);
    assert_eq!(calm(&pieces), whole, "cut");
    stormy(Choices(choices), input);
}

/// A request, and whether it was complete; of what broke off, content is not told.
#[derive(Debug, PartialEq)]
struct Request {
    head: Box<RequestHead>,
    content: Vec<u8>,
    trailers: Option<Fields>,
    complete: bool,
}

/// Feeds the pieces and answers each complete request with an empty 200.
fn calm(pieces: &[&[u8]]) -> (Vec<Request>, bool) {
    let mut end = End::new();
    for piece in pieces {
        end.feed(piece);
        while let Some(stream) = end.due() {
            end.send(stream, Part::Head(head(200, BodyLength::Known(0), Fields::default())));
            end.send(stream, Part::End(None));
            end.write();
        }
    }
    let answered = end.answered;
    let finals = end.assert_parses();
    assert_eq!(finals, answered + usize::from(end.refused), "one response each");
    for request in &mut end.requests {
        if !request.complete {
            request.content.clear();
        }
    }
    (end.requests, end.refused)
}

/// Does anything at any time.
fn stormy(mut choices: Choices<'_>, input: &[u8]) {
    let mut end = End::new();
    let mut rest = input;
    for _ in 0..64 {
        let stream = end.stream.unwrap_or(0);
        match choices.byte() % 16 {
            0..=3 => {
                let (piece, behind) =
                    rest.split_at(rest.len().min(usize::from(choices.byte()) + 1));
                rest = behind;
                end.feed(piece);
            }
            4 => end.verb(|protocol, now| protocol.receive(Input::Eof, now)),
            5 => {
                end.now.instant += Duration::from_secs(u64::from(choices.byte()));
                end.verb(|protocol, now| protocol.receive(Input::Timeout, now));
            }
            6 => end.verb(|protocol, now| protocol.shutdown(now)),
            7 => end.write(),
            8..=10 => drop(end.send(stream, any_head(&mut choices))),
            11 | 12 => {
                let content = vec![b'c'; usize::from(choices.byte()) + 1];
                end.send(stream, Part::Body(Bytes::from(content)));
            }
            13 => drop(end.send(stream, Part::End(None))),
            14 => {
                let paused = choices.byte() % 2 == 0;
                end.verb(|protocol, now| protocol.set_paused(stream, paused, now));
            }
            _ => {
                let reason = Reason::from_u8(choices.byte() % 8).unwrap_or(Reason::Internal);
                end.send(stream, Part::Abort(reason));
            }
        }
    }
    end.write();
    end.assert_parses();
}

fn any_head(choices: &mut Choices<'_>) -> Part<ResponseHead> {
    let status = [200, 204, 205, 304, 103, 100, 500, 101][usize::from(choices.byte() % 8)];
    let length = match choices.byte() % 4 {
        0 => BodyLength::Streamed,
        n => BodyLength::Known(u64::from(n) * 7 - 7),
    };
    let value = [choices.byte(), choices.byte()];
    let lines: [(&[u8], &[u8]); 6] = [
        (b"x", &value),
        (b"content-length", b"7"),
        (b"connection", b"close"),
        (b"transfer-encoding", b"chunked"),
        (b"date", b"today"),
        (&value, b"y"),
    ];
    let used = usize::from(choices.byte() % 7);
    Part::Head(head(status, length, lines.into_iter().take(used).collect()))
}

fn head(status: u16, length: BodyLength, fields: Fields) -> ResponseHead {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    ResponseHead { status, reason: None, length, fields, id_field: None }
}

/// The server's end of a connection, and the invariants of the verbs.
struct End {
    protocol: Http1,
    now: Now,
    pending: BytesMut,
    out: Output,
    written: Vec<u8>,
    requests: Vec<Request>,
    stream: Option<StreamId>,
    ended: bool,
    left: bool,
    answered: usize,
    refused: bool,
    sent: u64,
    released: u64,
}

impl End {
    fn new() -> Self {
        let now = Now {
            instant: Instant::now(),
            unix_micros: 0,
            date: *b"Thu, 01 Jan 1970 00:00:00 GMT",
        };
        let settings = HttpSettings {
            request_line_bytes_max: 64,
            header_bytes_max: 256,
            header_count_max: 8,
            body_bytes_max: 512,
            ..HttpSettings::default()
        };
        Self {
            protocol: Http1::new(Arc::new(settings), origin(), Scheme::Http, &now),
            now,
            pending: BytesMut::new(),
            out: Output::default(),
            written: Vec::new(),
            requests: Vec::new(),
            stream: None,
            ended: true,
            left: false,
            answered: 0,
            refused: false,
            sent: 0,
            released: 0,
        }
    }

    fn feed(&mut self, piece: &[u8]) {
        self.pending.extend_from_slice(piece);
        self.present();
        self.turn();
    }

    fn present(&mut self) {
        let was_closed = self.protocol.closing().is_some();
        self.protocol.receive(Input::Bytes(&mut self.pending), &self.now);
        if was_closed {
            assert!(self.protocol.poll().is_none(), "closed, but a part");
        } else if self.protocol.wants_input() {
            // 64 + 256 and line ends: what is kept of a head that is not complete.
            assert!(self.pending.len() <= 64 + 2 + 256 + 2, "{} kept", self.pending.len());
        }
    }

    fn verb(&mut self, verb: impl FnOnce(&mut Http1, &Now)) {
        verb(&mut self.protocol, &self.now);
        self.turn();
    }

    fn send(&mut self, stream: StreamId, part: Part<ResponseHead>) -> Flow {
        let content = if let Part::Body(content) = &part { content.len() as u64 } else { 0 };
        let end = matches!(part, Part::End(_));
        let flow = self.protocol.send(stream, part, &self.now);
        if flow == Flow::Ready {
            self.sent += content;
            self.answered += usize::from(end);
        }
        self.turn();
        flow
    }

    /// The request that is complete and not answered.
    fn due(&self) -> Option<StreamId> {
        let complete = self.requests.last().is_some_and(|request| request.complete);
        self.stream.filter(|_| complete && self.answered < self.requests.len())
    }

    fn turn(&mut self) {
        loop {
            while let Some((stream, part)) = self.protocol.poll() {
                self.take(stream, part);
            }
            self.refused |= self
                .protocol
                .refusal()
                .is_some_and(|error| error.reason.blame() == protocol::error::Blame::Client);
            self.protocol.transmit(&mut Outgoing::Bytes(&mut self.out), &self.now);
            self.released += self.out.released.drain(..).map(|(_, bytes)| bytes).sum::<u64>();
            assert!(self.released <= self.sent, "more credit than content");
            let before = self.pending.len();
            if before == 0 || !self.protocol.wants_input() {
                break;
            }
            self.present();
            if self.pending.len() == before {
                break;
            }
        }
        if self.protocol.closing().is_some() {
            assert!(!self.protocol.wants_input() && self.protocol.deadline().is_none());
        }
    }

    fn take(&mut self, stream: StreamId, part: Part<Box<RequestHead>>) {
        if let Part::Head(head) = part {
            assert!(self.stream.is_none_or(|before| before < stream), "streams count up");
            (self.stream, self.ended, self.left) = (Some(stream), false, false);
            for (name, value) in head.fields.iter() {
                assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_uppercase));
                assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
            }
            assert!(head.fields.get_all(b"content-length").count() <= 1);
            let (content, trailers, complete) = (Vec::new(), None, false);
            self.requests.push(Request { head, content, trailers, complete });
            return;
        }
        assert_eq!(self.stream, Some(stream));
        if matches!(part, Part::Abort(Reason::ClientLeaving)) {
            // Said once, behind a complete request.
            let complete = self.requests.last().is_some_and(|request| request.complete);
            assert!(complete && !std::mem::replace(&mut self.left, true), "{part:?}");
            return;
        }
        assert!(!self.ended, "{part:?} behind the end");
        let Some(request) = self.requests.last_mut() else { panic!("{part:?} without a head") };
        match part {
            Part::Body(content) => {
                assert!(!content.is_empty());
                request.content.extend_from_slice(&content);
                assert!(request.content.len() <= 512, "more content than allowed");
            }
            Part::End(trailers) => {
                (request.trailers, request.complete, self.ended) = (trailers, true, true);
            }
            Part::Abort(_) => self.ended = true,
            part => panic!("{part:?}"),
        }
    }

    fn write(&mut self) {
        while !self.out.is_empty() {
            for chunk in self.out.chunks() {
                match chunk {
                    Chunk::Buffer(buffer) => self.written.extend_from_slice(buffer),
                    Chunk::Bytes(bytes) => self.written.extend_from_slice(bytes),
                    Chunk::File(_) => {}
                }
            }
            self.out.advance(self.out.len());
            self.turn();
        }
    }

    /// Every response that was written is one, and nothing stands between them. Returns how many
    /// final ones there are.
    fn assert_parses(&mut self) -> usize {
        self.write();
        let heads: Vec<bool> = self.requests.iter().map(|r| r.head.method == "HEAD").collect();
        let mut rest = &self.written[..];
        let mut finals = 0;
        while !rest.is_empty() {
            let mut headers = [EMPTY_HEADER; 16];
            let mut head = httparse::Response::new(&mut headers);
            let Ok(Status::Complete(used)) = head.parse(rest) else {
                panic!("no response: {:?}", String::from_utf8_lossy(rest))
            };
            rest = &rest[used..];
            let status = head.code.unwrap_or(0);
            if status < 200 {
                continue;
            }
            // A refusal at the head has no request; the last one closes anyway.
            let head_only = heads.get(finals).copied();
            finals += 1;
            let get = |name| head.headers.iter().find(|h| h.name == name).map(|h| h.value);
            let length =
                get("Content-Length").and_then(|v| std::str::from_utf8(v).ok()?.parse().ok());
            let chunked = get("Transfer-Encoding").is_some();
            assert!(!(chunked && length.is_some()), "both framings");
            if head_only == Some(true) || matches!(status, 204 | 304) {
                continue;
            }
            rest = match (length, chunked) {
                (Some(length), _) if rest.len() >= length => &rest[length..],
                (None, true) => behind_chunks(rest),
                _ => &[],
            };
        }
        if self.protocol.closing() != Some(Closing::Reset) && self.answered > 0 {
            assert!(finals >= self.answered);
        }
        finals
    }
}

/// What follows chunked content; nothing if it breaks off.
fn behind_chunks(mut rest: &[u8]) -> &[u8] {
    loop {
        match httparse::parse_chunk_size(rest) {
            Ok(Status::Complete((used, 0))) => return rest.get(used + 2..).unwrap_or(&[]),
            Ok(Status::Complete((used, size))) => {
                rest = rest.get(used + size as usize + 2..).unwrap_or(&[]);
            }
            Ok(Status::Partial) => return &[],
            Err(_) => panic!("no chunk: {:?}", String::from_utf8_lossy(rest)),
        }
    }
}
