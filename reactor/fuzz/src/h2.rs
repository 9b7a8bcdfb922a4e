//! The HTTP/2 machine: frames of any kind, answers, time, and a client that reads or does not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use protocol::h2::{Http2, PREFACE};
use protocol::settings::HttpSettings;
use protocol::{Input, Now, Outgoing, Output, Protocol, StreamId};
use wire::limits::{H2_TAPE_BYTES_MAX, READ_AHEAD_BYTES_MAX, WRITE_BUFFER_BYTES_MAX};
use wire::{Part, Reason, Scheme};

use crate::{Choices, origin};

/// Fields of a request in HPACK that are good, to get beyond the head.
const GET: &[u8] = b"\x82\x86\x84\x01\x01a";
const POST: &[u8] = b"\x83\x86\x84\x01\x01a";

struct Run {
    protocol: Http2,
    now: Now,
    out: Output,
    pending: BytesMut,
    /// Whether the request of each stream has ended.
    streams: BTreeMap<StreamId, bool>,
}

/// Frames into the tape, and answers to what comes of them.
pub fn h2(data: &[u8]) {
    let mut choices = Choices(data);
    let now = Now { instant: Instant::now(), unix_micros: 0, date: [b'x'; 29] };
    let settings = Arc::new(HttpSettings { body_bytes_max: 1000, ..HttpSettings::default() });
    let mut run = Run {
        protocol: Http2::new(settings, origin(), Scheme::Http, |_, _| None, &now),
        now,
        out: Output::default(),
        pending: BytesMut::new(),
        streams: BTreeMap::new(),
    };
    run.feed(PREFACE);
    while !choices.0.is_empty() {
        run.step(&mut choices);
    }
    // Whatever happened, time ends it.
    for _ in 0..50 {
        run.drain();
        if run.protocol.closing().is_some() {
            return;
        }
        let streams: Vec<_> = run.streams.keys().copied().collect();
        for stream in streams {
            run.protocol.send(stream, Part::Abort(Reason::WorkerLost), &run.now);
        }
        run.pass(Duration::from_secs(100));
    }
    panic!("a connection without an end");
}

impl Run {
    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 8 {
            0..=2 => {
                let frame = frame(choices);
                self.feed(&frame);
            }
            3 => {
                let len = usize::from(choices.byte()).min(choices.0.len());
                let (raw, rest) = choices.0.split_at(len);
                choices.0 = rest;
                self.feed(raw);
            }
            4 | 5 => self.answer(choices),
            6 => self.drain(),
            _ => match choices.byte() % 8 {
                0 => self.protocol.shutdown(&self.now),
                1 => self.protocol.receive(Input::Eof, &self.now),
                2 => {
                    let stream = choices.byte().into();
                    self.protocol.set_paused(stream, true, &self.now);
                    self.turn();
                    self.protocol.set_paused(stream, false, &self.now);
                }
                seconds => self.pass(Duration::from_secs(seconds.into())),
            },
        }
        self.turn();
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.turn();
    }

    fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        if self.protocol.deadline().is_some_and(|deadline| deadline <= self.now.instant) {
            self.protocol.receive(Input::Timeout, &self.now);
        }
        self.turn();
    }

    fn drain(&mut self) {
        while !self.out.is_empty() {
            self.out.advance(self.out.len());
            self.turn();
        }
    }

    fn answer(&mut self, choices: &mut Choices<'_>) {
        let Some(stream) = self.streams.keys().copied().nth(usize::from(choices.byte() % 4)) else {
            return;
        };
        self.protocol.send(stream, choices.part(), &self.now);
    }

    /// What a connection does after every verb.
    fn turn(&mut self) {
        loop {
            let before = self.pending.len();
            if before > 0 && self.protocol.wants_input() {
                self.protocol.receive(Input::Bytes(&mut self.pending), &self.now);
            }
            if self.out.len() < WRITE_BUFFER_BYTES_MAX as u64 {
                self.protocol.transmit(&mut Outgoing::Bytes(&mut self.out), &self.now);
            }
            while let Some((stream, part)) = self.protocol.poll() {
                self.take(stream, &part);
            }
            self.protocol.refusal();
            self.out.released.clear();
            if self.pending.len() == before {
                break;
            }
        }
        assert!(self.out.len() <= (WRITE_BUFFER_BYTES_MAX + H2_TAPE_BYTES_MAX) as u64);
        assert!(self.pending.len() <= 2 * READ_AHEAD_BYTES_MAX || !self.protocol.wants_input());
    }

    /// A request is a head, content, an end; or it breaks off, also behind its end.
    fn take<H>(&mut self, stream: StreamId, part: &Part<H>) {
        match (part, self.streams.get(&stream).copied()) {
            (Part::Head(_), None) => {
                self.streams.insert(stream, false);
            }
            (Part::Body(bytes), Some(false)) => assert!(!bytes.is_empty()),
            (Part::End(_), Some(false)) => {
                self.streams.insert(stream, true);
            }
            (Part::Abort(_), Some(_)) => {
                self.streams.remove(&stream);
            }
            (_, state) => panic!("stream {stream}: a part out of order behind {state:?}"),
        }
    }
}

/// A frame with a header that is whole.
fn frame(choices: &mut Choices<'_>) -> Vec<u8> {
    let (kind, flags, stream) = (choices.byte() % 11, choices.byte(), choices.byte() % 32);
    let len = usize::from(choices.byte() % 64).min(choices.0.len());
    let (raw, rest) = choices.0.split_at(len);
    choices.0 = rest;
    let payload = match (kind, flags & 0xc0) {
        (1, 0x40) => GET,
        (1, 0x80) => POST,
        _ => raw,
    };
    // Padding and priority belong to frames that say so.
    let flags = if payload.as_ptr() == raw.as_ptr() { flags } else { flags & 0x05 };
    let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
    [&head[..], payload].concat()
}
