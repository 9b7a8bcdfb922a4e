//! The HTTP/3 machine: a client that says anything on any stream, answers, and time.
//!
//! Both ends are in memory, with QUIC between them as it is: what is fuzzed are the bytes of streams,
//! and how these end. The client is `quiche` without its HTTP/3, so it breaks no rule of QUIC, and
//! every end of the connection must be HTTP/3's.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use protocol::error::{ErrorScope, ProtocolError};
use protocol::{Flow, Protocol, StreamId};
use quiche::Shutdown;
use wire::{BodyLength, Fields, Part, RequestHead, ResponseHead};

use self::ends::Ends;
use crate::Choices;

mod ends;

/// Field sections that are good, to get beyond the head: `:method`, `:scheme` and `:path` of the
/// static table, and an authority.
const GET: &[u8] = b"\0\0\xd1\xd7\x50\x01a\xc1";
const POST: &[u8] = b"\0\0\xd4\xd7\x50\x01a\xc1";

/// Types of frames (RFC 9114, 11.2.1; RFC 9218, 10): those of HTTP/3, one of HTTP/2, unknown ones.
const FRAMES: [&[u8]; 12] = [
    b"\x00",
    b"\x01",
    b"\x03",
    b"\x04",
    b"\x05",
    b"\x07",
    b"\x0d",
    b"\x06",
    b"\x21",
    b"\x40\x00",
    b"\x80\x0f\x07\x00",
    b"\x80\x0f\x07\x01",
];
/// Types of unidirectional streams (RFC 9114, 11.2.4).
const STREAMS: [u8; 5] = [0, 1, 2, 3, 0x21];

/// Streams of each kind that the client plays with.
const SLOTS: u8 = 6;
/// A stream that it does not play with, to see at the end whether all is as it was.
const FRESH: StreamId = 4 * SLOTS as StreamId;

/// The first byte says whether one stream is read in whole and byte by byte, or what the client does
/// to streams, and the server with what comes of it.
pub fn h3(data: &[u8]) {
    match data {
        [0, rest @ ..] => stormy(Choices(rest)),
        [_] | [] => {}
        [slot, rest @ ..] => calm(*slot, rest),
    }
}

/// However a stream is cut, the same comes of it.
fn calm(slot: u8, bytes: &[u8]) {
    let whole = alone(slot, &[bytes]);
    assert_eq!(alone(slot, &bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
}

/// What comes of one stream.
fn alone(slot: u8, pieces: &[&[u8]]) -> Outcome {
    let mut ends = Ends::new();
    let (stream, mut outcome) = (stream(slot), Outcome::default());
    for (nth, piece) in pieces.iter().enumerate() {
        let last = slot & 0x80 == 0 && nth + 1 == pieces.len();
        ends.say(stream, piece, last);
        while ends.exchange() {}
        while let Some((_, part)) = ends.poll() {
            outcome.take(part);
        }
        while ends.exchange() {}
    }
    outcome.refusal = ends.refusals.first().copied();
    if outcome.refusal.is_some() {
        // How much of it is told before that is a matter of luck.
        outcome.content.clear();
    }
    if outcome.refusal.is_some_and(|refusal| refusal.scope == ErrorScope::Stream) {
        // And what is behind is read with it, or is not.
        return outcome;
    }
    outcome.closed = ends.is_over().then(|| ends.code());
    outcome.answer = ends.answers.remove(&stream);
    outcome.reset = ends.resets.remove(&stream);
    outcome
}

/// What the server and the client see of one stream.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    head: Option<Box<RequestHead>>,
    content: Vec<u8>,
    trailers: Option<Fields>,
    complete: bool,
    aborted: bool,
    refusal: Option<ProtocolError>,
    closed: Option<u64>,
    answer: Option<(Vec<u8>, bool)>,
    reset: Option<u64>,
}

impl Outcome {
    fn take(&mut self, part: Part<Box<RequestHead>>) {
        match part {
            Part::Head(head) => assert!(self.head.replace(head).is_none(), "a second head"),
            Part::Body(content) => self.content.extend_from_slice(&content),
            Part::End(trailers) => (self.trailers, self.complete) = (trailers, true),
            Part::Abort(_) => self.aborted = true,
            Part::File(_) => panic!("a file"),
        }
    }
}

/// Does anything at any time.
fn stormy(mut choices: Choices<'_>) {
    let mut run =
        Run { ends: Ends::new(), told: BTreeMap::new(), begun: [false; 2 * SLOTS as usize] };
    while !choices.0.is_empty() && !run.ends.server.closing().is_some() {
        run.step(&mut choices);
    }
    run.finish();
}

struct Run {
    ends: Ends,
    told: BTreeMap<StreamId, Told>,
    /// Slots whose stream was used.
    begun: [bool; 2 * SLOTS as usize],
}

/// What is known of a request.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    /// All of it has come.
    ended: bool,
    /// Its response was given to the end, or broken off, or nobody wants it any more.
    answered: bool,
}

impl Run {
    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 8 {
            0..=2 => {
                let slot = choices.byte();
                let frame = frame(choices);
                self.say(slot, &frame, true);
            }
            3 => {
                let slot = choices.byte();
                let raw = taken(choices);
                self.say(slot, raw, false);
            }
            4 => self.answer(choices),
            5 => self.drive(),
            6 => {
                let (slot, how) = (choices.byte(), choices.byte());
                self.end(slot, how);
            }
            _ => match choices.byte() % 8 {
                0 => self.ends.shut_down(),
                1 => self.ends.keep_to_itself(),
                2 => {
                    let stream = stream(choices.byte());
                    self.ends.set_paused(stream, true);
                    self.drive();
                    self.ends.set_paused(stream, false);
                }
                seconds => self.pass(Duration::from_secs(seconds.into())),
            },
        }
    }

    /// More bytes on a stream. A unidirectional one may be given a type at its begin.
    fn say(&mut self, slot: u8, bytes: &[u8], typed: bool) {
        let stream = stream(slot);
        let begun = std::mem::replace(&mut self.begun[usize::from(slot % (2 * SLOTS))], true);
        if typed && !begun && stream % 4 == 2 {
            let kind = STREAMS[usize::from(slot / (2 * SLOTS)) % STREAMS.len()];
            self.ends.say(stream, &[kind], false);
        }
        self.ends.say(stream, bytes, false);
    }

    fn end(&mut self, slot: u8, how: u8) {
        let stream = stream(slot);
        self.begun[usize::from(slot % (2 * SLOTS))] = true;
        match how % 4 {
            0 | 1 => self.ends.say(stream, b"", true),
            2 => self.ends.shut(stream, Shutdown::Write),
            _ => self.ends.shut(stream, Shutdown::Read),
        }
    }

    fn answer(&mut self, choices: &mut Choices<'_>) {
        let Some(stream) = self.told.keys().copied().nth(usize::from(choices.byte() % 4)) else {
            return;
        };
        self.reply(stream, choices.part());
    }

    fn reply(&mut self, stream: StreamId, part: Part<ResponseHead>) {
        let last = matches!(part, Part::End(_) | Part::Abort(_));
        let gone = self.ends.send(stream, part) == Flow::Gone;
        if let Some(told) = self.told.get_mut(&stream) {
            told.answered |= last || gone;
        }
        self.listen();
    }

    fn pass(&mut self, time: Duration) {
        self.ends.pass(time);
        self.listen();
    }

    fn drive(&mut self) {
        while self.ends.exchange() {
            self.listen();
        }
        self.listen();
    }

    /// A request is a head, content, an end; or it breaks off, also behind its end.
    fn listen(&mut self) {
        while let Some((stream, part)) = self.ends.poll() {
            match (&part, self.told.get(&stream).copied()) {
                (Part::Head(_), None) => {
                    self.told.insert(stream, Told::default());
                }
                (Part::Body(bytes), Some(Told { ended: false, .. })) => assert!(!bytes.is_empty()),
                (Part::End(_), Some(told @ Told { ended: false, .. })) => {
                    self.told.insert(stream, Told { ended: true, ..told });
                }
                (Part::Abort(_), Some(_)) => {
                    self.told.remove(&stream);
                }
                (_, state) => panic!("stream {stream}: {part:?} out of order behind {state:?}"),
            }
        }
    }

    /// Whatever happened, nothing of it stays, and the connection is as good as new or over.
    fn finish(mut self) {
        self.drive();
        for stream in (SLOTS..2 * SLOTS).map(stream) {
            // One of both has to do.
            let ended = self.told.get(&stream).is_some_and(|told| told.ended);
            self.ends.shut(stream, if ended { Shutdown::Read } else { Shutdown::Write });
        }
        self.drive();
        // The client wants none of it any more: workers are told so.
        assert!(self.told.values().all(|told| told.answered), "not told: {:?}", self.told);
        if !self.ends.is_over() {
            assert!(self.ends.server.is_idle(), "streams stay");
            if !self.ends.leaving {
                self.serve_one();
            }
        }
        for _ in 0..50 {
            if self.ends.is_over() {
                assert!(self.ends.server.is_idle(), "streams stay behind the end");
                return;
            }
            self.pass(Duration::from_secs(100));
            self.drive();
        }
        panic!("a connection without an end");
    }

    /// A request that is good is served.
    fn serve_one(&mut self) {
        let request = [&[1, GET.len() as u8], GET].concat();
        self.ends.say(FRESH, &request, true);
        self.drive();
        assert!(self.told.get(&FRESH).is_some_and(|told| told.ended), "not taken");
        let length = BodyLength::Known(2);
        let (status, fields) = (StatusCode::OK, Fields::default());
        let head = ResponseHead { status, reason: None, length, fields, id_field: None };
        for part in [Part::Head(head), Part::Body(Bytes::from_static(b"ok")), Part::End(None)] {
            self.reply(FRESH, part);
        }
        self.drive();
        let (bytes, ended) = self.ends.answers.remove(&FRESH).unwrap_or_default();
        let content = bytes.windows(4).any(|bytes| bytes == b"\x00\x02ok");
        assert!(content && ended, "{bytes:?}");
        assert!(self.ends.server.is_idle(), "the last stream stays");
    }
}

/// The stream of a slot: unidirectional, or a request.
fn stream(slot: u8) -> StreamId {
    let slot = StreamId::from(slot % (2 * SLOTS));
    let slots = StreamId::from(SLOTS);
    if slot < slots { 4 * slot + 2 } else { 4 * (slot - slots) }
}

/// A frame with a header that is whole.
fn frame(choices: &mut Choices<'_>) -> Vec<u8> {
    let kind = choices.byte();
    let raw = taken(choices);
    let payload = match (kind % 16, kind / 16) {
        (12 | 13, _) => GET,
        (14 | 15, _) => POST,
        _ => raw,
    };
    let kind = FRAMES.get(usize::from(kind % 16)).copied().unwrap_or(b"\x01");
    [kind, &[0x40 | (payload.len() >> 8) as u8, payload.len() as u8], payload].concat()
}

/// So many bytes as the next one says.
fn taken<'a>(choices: &mut Choices<'a>) -> &'a [u8] {
    let len = usize::from(choices.byte()).min(choices.0.len());
    let (raw, rest) = choices.0.split_at(len);
    choices.0 = rest;
    raw
}
