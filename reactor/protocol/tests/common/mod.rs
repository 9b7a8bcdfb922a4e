//! One end of a connection in memory, with virtual time: no socket, no sleep, no thread.

#![allow(dead_code)]

pub mod certificate;
pub mod client;
pub mod frames;
pub mod h2;
pub mod h3;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use protocol::error::{Fault, ProtocolError};
use protocol::h1::Http1;
use protocol::settings::HttpSettings;
use protocol::upgrade::{Accepted, Machine, Upgrades};
use protocol::{Chunk, Closing, Flow, Input, Now, Outgoing, Output, Protocol, StreamId};
use wire::head::Origin;
use wire::{BodyLength, Fields, FileSlice, Part, Reason, RequestHead, ResponseHead, Scheme};

/// A server's end: the protocol, and what a connection keeps around it.
pub struct Server {
    pub protocol: Box<dyn Protocol>,
    pub now: Now,
    pub out: Output,
    pending: BytesMut,
    /// Requests seen, in order.
    pub seen: Vec<Seen>,
    pub refusals: Vec<ProtocolError>,
    pub released: u64,
    pub upgrades: Upgrades,
    /// What machines have told their handlers.
    pub told: Vec<Part<Box<RequestHead>>>,
}

/// A request as its parts told it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub stream: StreamId,
    pub head: Box<RequestHead>,
    pub body: Vec<u8>,
    pub end: Option<End>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Complete(Option<Fields>),
    Abort(Reason),
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        let key = |seen: &Self| (seen.stream, seen.head.clone(), seen.body.clone());
        key(self) == key(other) && self.end == other.end
    }
}

pub fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_micros: 784_111_777_000_000,
        date: *b"Sun, 06 Nov 1994 08:49:37 GMT",
    }
}

pub fn origin() -> Origin {
    Origin { connection: 1, ..Origin::default() }
}

/// Small bounds, so that tests reach them.
pub fn settings() -> HttpSettings {
    HttpSettings {
        request_line_bytes_max: 100,
        header_bytes_max: 400,
        header_count_max: 10,
        body_bytes_max: 100_000,
        ..HttpSettings::default()
    }
}

impl Server {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: HttpSettings) -> Self {
        let now = now();
        let http1 = Http1::new(Arc::new(settings), origin(), Scheme::Http, &now);
        Self::over(Box::new(http1), now)
    }

    /// Any version, at this time.
    pub fn over(protocol: Box<dyn Protocol>, now: Now) -> Self {
        Self {
            protocol,
            now,
            out: Output::default(),
            pending: BytesMut::new(),
            seen: Vec::new(),
            refusals: Vec::new(),
            released: 0,
            upgrades: Upgrades::default(),
            told: Vec::new(),
        }
    }

    /// One arrival.
    pub fn feed(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.pending.extend_from_slice(bytes.as_ref());
        self.protocol.receive(Input::Bytes(&mut self.pending), &self.now);
        self.turn();
        self
    }

    /// One arrival per byte.
    pub fn drip(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        for byte in bytes.as_ref() {
            self.feed([*byte]);
        }
        self
    }

    pub fn eof(&mut self) -> &mut Self {
        self.protocol.receive(Input::Eof, &self.now);
        self.turn();
        self
    }

    /// Lets time pass, and fires the deadline if it is due.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        self.now.instant += time;
        if self.protocol.deadline().is_some_and(|deadline| deadline <= self.now.instant) {
            self.protocol.receive(Input::Timeout, &self.now);
            self.turn();
        }
        self
    }

    pub fn set_paused(&mut self, stream: StreamId, paused: bool) -> &mut Self {
        self.protocol.set_paused(stream, paused, &self.now);
        self.turn();
        self
    }

    pub fn shutdown(&mut self) -> &mut Self {
        self.protocol.shutdown(&self.now);
        self.turn();
        self
    }

    pub fn send(&mut self, stream: StreamId, part: Part<ResponseHead>) -> Flow {
        self.send_unwritten(stream, part, |_| {})
    }

    /// As [`send`](Self::send), with a look at the output before it is written.
    pub fn send_unwritten(
        &mut self,
        stream: StreamId,
        part: Part<ResponseHead>,
        look: impl FnOnce(&mut Self),
    ) -> Flow {
        let flow = self.protocol.send(stream, part, &self.now);
        look(self);
        self.turn();
        flow
    }

    /// Accepts an upgrade.
    pub fn upgrade(
        &mut self,
        stream: StreamId,
        accepted: &Accepted,
        machine: Box<dyn Machine>,
    ) -> Flow {
        let flow = self.upgrades.accept(&mut self.protocol, stream, accepted, machine, &self.now);
        self.turn();
        flow
    }

    /// Sends a part to the machine of a stream.
    pub fn push(&mut self, stream: StreamId, part: Part<ResponseHead>) -> Flow {
        let flow = self.upgrades.send(stream, part, &self.now);
        self.turn();
        flow
    }

    /// Sends a whole response.
    pub fn respond(&mut self, stream: StreamId, head: ResponseHead, body: &[u8]) {
        self.send(stream, Part::Head(head));
        if !body.is_empty() {
            self.send(stream, Part::Body(Bytes::copy_from_slice(body)));
        }
        self.send(stream, Part::End(None));
    }

    /// Answers the latest request with 200 and `body`.
    pub fn ok(&mut self, body: &str) -> &mut Self {
        let stream = self.seen.last().expect("a request").stream;
        self.respond(stream, head(200, BodyLength::Known(body.len() as u64), &[]), body.as_bytes());
        self
    }

    /// What the client has been sent since the last look, by as many writes as it takes.
    pub fn written(&mut self) -> Vec<u8> {
        let mut written = Vec::new();
        while !self.out.is_empty() {
            written.extend(self.write());
        }
        written
    }

    /// What one write can take.
    pub fn write(&mut self) -> Vec<u8> {
        let mut written = Vec::new();
        for chunk in self.out.chunks() {
            match chunk {
                Chunk::Buffer(buffer) => written.extend_from_slice(buffer),
                Chunk::Bytes(bytes) => written.extend_from_slice(bytes),
                Chunk::File(slice) => written.extend(read(slice)),
            }
        }
        self.out.advance(self.out.len());
        self.turn();
        written
    }

    pub fn text(&mut self) -> String {
        String::from_utf8(self.written()).expect("text")
    }

    pub fn closing(&self) -> Option<Closing> {
        self.protocol.closing()
    }

    /// The only request.
    pub fn one(&self) -> &Seen {
        assert_eq!(self.seen.len(), 1, "{:?}", self.refusals);
        &self.seen[0]
    }

    /// Asserts that the latest request was refused for this, the answer included.
    pub fn assert_refused(&mut self, fault: Fault) {
        let status = fault.status();
        let answer = self.text();
        assert_eq!(self.refusals.last().map(|e| e.reason), Some(fault), "{answer}");
        assert!(answer.contains(&format!("HTTP/1.1 {} ", status.as_u16())), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert_eq!(self.closing(), Some(Closing::Linger));
    }

    /// What a connection does after every verb.
    fn turn(&mut self) {
        loop {
            while let Some((stream, part)) = self.protocol.poll() {
                if let Some(part) = self.upgrades.take(stream, part) {
                    note(&mut self.seen, stream, part);
                }
            }
            self.upgrades.drive(&mut self.protocol, &self.now);
            self.told.extend(self.upgrades.parts().map(|(_, part)| part));
            self.released += self.upgrades.released().map(|(_, bytes)| bytes).sum::<u64>();
            while let Some(refusal) = self.protocol.refusal() {
                self.refusals.push(refusal);
            }
            self.protocol.transmit(&mut Outgoing::Bytes(&mut self.out), &self.now);
            for (stream, bytes) in self.out.released.drain(..) {
                if !self.upgrades.client_took(stream, bytes) {
                    self.released += bytes;
                }
            }
            let before = self.pending.len();
            if before > 0 && self.protocol.wants_input() {
                self.protocol.receive(Input::Bytes(&mut self.pending), &self.now);
            }
            if self.pending.len() == before {
                break;
            }
        }
    }
}

/// Notes a part of a request.
pub fn note(requests: &mut Vec<Seen>, stream: StreamId, part: Part<Box<RequestHead>>) {
    if let Part::Head(head) = part {
        requests.push(Seen { stream, head, body: Vec::new(), end: None });
        return;
    }
    let seen = requests.iter_mut().rfind(|seen| seen.stream == stream);
    let seen = seen.expect("a head first");
    // A request may be given up although it is complete.
    let over = seen.end.as_ref().is_some_and(|end| !matches!(end, End::Complete(_)));
    let gives_up = matches!(part, Part::Abort(_));
    assert!(!over && (gives_up || seen.end.is_none()), "nothing follows the end of a request");
    match part {
        Part::Body(body) => {
            assert!(!body.is_empty());
            seen.body.extend_from_slice(&body);
        }
        Part::End(trailers) => seen.end = Some(End::Complete(trailers)),
        Part::Abort(reason) => seen.end = Some(End::Abort(reason)),
        part => panic!("{part:?}"),
    }
}

/// A response head.
pub fn head(status: u16, length: BodyLength, fields: &[(&str, &str)]) -> ResponseHead {
    ResponseHead {
        status: StatusCode::from_u16(status).expect("a status"),
        reason: None,
        length,
        fields: fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect(),
        id_field: None,
    }
}

pub fn body(content: &str) -> Part<ResponseHead> {
    Part::Body(Bytes::copy_from_slice(content.as_bytes()))
}

/// A memory-like file with this content.
pub fn file(content: &[u8]) -> FileSlice {
    use std::io::Write;
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(content).expect("written");
    FileSlice::new(file.into(), 0, content.len() as u64)
}

/// At most `len` bytes from the start of a file, or what there is of them.
pub fn read_file(slice: &FileSlice, len: usize) -> Option<Bytes> {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::from(slice.fd.as_fd().try_clone_to_owned().ok()?);
    let mut content = vec![0; len.min(slice.len as usize)];
    let read = file.read_at(&mut content, slice.offset).ok()?;
    content.truncate(read);
    Some(content.into())
}

fn read(slice: &FileSlice) -> Vec<u8> {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::from(slice.fd.as_fd().try_clone_to_owned().expect("a descriptor"));
    let mut content = vec![0; slice.len as usize];
    file.read_exact_at(&mut content, slice.offset).expect("the content");
    content
}
