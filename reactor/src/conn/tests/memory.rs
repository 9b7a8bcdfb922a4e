//! Clients that do not read, whatever the protocol: what they have in memory stays within its bound, and they get
//! every byte when they read.

use std::io::ErrorKind;

use wire::limits::{RESPONSE_AHEAD_BYTES_MAX, SPOOL_BLOCK_BYTES, SPOOL_PIECE_BYTES_MIN};
use wire::{BodyLength, ExchangeId};

use super::*;
use crate::protocol::h2::PREFACE;

const CLIENTS: usize = 10;
const MEMORY: u64 = 256 << 10;
const PAGE: usize = 300 << 10;
const WINDOW: u32 = 1 << 20;

/// How a client asks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Speaks {
    Http1,
    Http1ByTls,
    Http2,
}

const ALL: [Speaks; 3] = [Speaks::Http1, Speaks::Http1ByTls, Speaks::Http2];

/// The client's end.
enum Reader {
    Plain(UnixStream),
    Tls(Box<SslStream<UnixStream>>),
}

impl Reader {
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).unwrap(),
            Self::Tls(stream) => stream.write_all(bytes).unwrap(),
        }
    }

    /// What there is now.
    fn read(&mut self, to: &mut Vec<u8>) {
        let mut piece = [0; 16 << 10];
        loop {
            let read = match self {
                Self::Plain(stream) => stream.read(&mut piece),
                Self::Tls(stream) => stream.read(&mut piece),
            };
            match read {
                Ok(0) => panic!("the connection was closed"),
                Ok(len) => to.extend_from_slice(&piece[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A connection whose client has asked, and reads nothing. What is in memory is counted by `spool`.
fn asked(speaks: Speaks, spool: &SharedSpool) -> (Bench, Reader, StreamId) {
    let (mut bench, client) = match speaks {
        Speaks::Http1ByTls => Bench::tls(),
        Speaks::Http1 | Speaks::Http2 => Bench::plain(),
    };
    (bench.shared, bench.spool) = (spool.shared, spool.of_a_thread());
    let mut reader = match speaks {
        Speaks::Http1ByTls => Reader::Tls(bench.shake_hands(client).into()),
        Speaks::Http1 | Speaks::Http2 => Reader::Plain(client),
    };
    let stream = match speaks {
        Speaks::Http2 => {
            // No window for the stream.
            let settings = frame(4, 0, 0, &[&[0, 4][..], &0u32.to_be_bytes()].concat());
            let get = frame(1, 5, 1, &[0x82, 0x86, 0x84, 0x41, 1, b'a']);
            reader.write(&[&PREFACE[..], &settings, &get].concat());
            1
        }
        _ => {
            reader.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            0
        }
    };
    bench.conn.set_readable(false);
    bench.pump();
    let events = std::mem::take(&mut bench.events);
    assert!(matches!(&events[..], [ConnEvent::Request(_, Part::Head(_)), _]), "{events:?}");
    bench.conn.streams.exchanges.opened(stream, exchange(), WINDOW);
    (bench, reader, stream)
}

fn exchange() -> ExchangeKey {
    ExchangeKey { handler: HandlerId::WORKERS, id: ExchangeId::new(0, 1) }
}

/// What several connections share.
struct SharedSpool {
    shared: Shared,
    usage: std::sync::Arc<SpoolUsage>,
}

impl SharedSpool {
    fn new(memory_bytes_max: u64, disk_bytes_max: u64) -> Self {
        let shared = shared();
        let limits = SpoolLimits { memory_bytes_max, disk_bytes_max };
        Self { shared, usage: SpoolUsage::new(limits, shared).into() }
    }

    fn of_a_thread(&self) -> ResponseSpool {
        ResponseSpool::new(self.usage.clone(), std::env::temp_dir())
    }

    fn counted(&self) -> (u64, u64) {
        (self.shared.get(Counter::SpoolMemory), self.shared.get(Counter::SpoolDisk))
    }
}

/// A worker's part on its way. Returns what it has credit for at once.
fn answer(bench: &mut Bench, stream: StreamId, part: Part<ResponseHead>) -> u64 {
    let len = content_len(&part);
    let Conn { streams, .. } = &mut bench.conn;
    let Some(part) = streams.exchanges.accept(stream, part, WINDOW).part else { return 0 };
    assert_eq!(streams.send(stream, part, &bench.now, &mut bench.error_log), Flow::Ready);
    len
}

fn response(length: BodyLength) -> Part<ResponseHead> {
    let fields = Fields::default();
    Part::Head(ResponseHead {
        status: http::StatusCode::OK,
        reason: None,
        length,
        fields,
        id_field: None,
    })
}

fn page(seed: usize) -> Vec<u8> {
    (0..PAGE).map(|at| (at / 251 * 7 + at + seed) as u8).collect()
}

/// The content of the response among what the client has read, once it is whole.
fn content(speaks: Speaks, read: &[u8]) -> Option<Vec<u8>> {
    if read.len() < PAGE {
        return None;
    }
    if speaks != Speaks::Http2 {
        let head = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        return (read.len() - head >= PAGE).then(|| read[head..].to_vec());
    }
    let (mut rest, mut content) = (read, Vec::new());
    while rest.len() >= 9 {
        let len = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        let payload = rest.get(9..9 + len)?;
        if rest[3] == 0 {
            content.extend_from_slice(payload);
        }
        rest = &rest[9 + len..];
    }
    (content.len() >= PAGE).then_some(content)
}

/// What a connection has in memory of its response, whoever holds it.
fn in_memory(bench: &Bench) -> u64 {
    bench.conn.streams.exchanges.unread() + bench.conn.unwritten_bytes()
}

#[test]
fn clients_that_do_not_read_have_no_more_in_memory_than_they_may() {
    for speaks in ALL {
        let spool = SharedSpool::new(MEMORY, 1 << 30);
        let mut clients = Vec::new();
        for seed in 0..CLIENTS {
            let (mut bench, reader, stream) = asked(speaks, &spool);
            answer(&mut bench, stream, response(BodyLength::Known(PAGE as u64)));
            for piece in page(seed).chunks(SPOOL_BLOCK_BYTES) {
                answer(&mut bench, stream, Part::Body(Bytes::copy_from_slice(piece)));
            }
            answer(&mut bench, stream, Part::End(None));
            bench.conn.streams.exchanges.ended(stream);
            bench.pump();
            clients.push((bench, reader, stream, Vec::new()));
        }
        let held: u64 = clients.iter().map(|(bench, ..)| in_memory(bench)).sum();
        let most = MEMORY + (CLIENTS * SPOOL_PIECE_BYTES_MIN) as u64;
        assert!(held <= most, "{speaks:?}: {held} bytes in memory");
        let (memory, disk) = spool.counted();
        assert_eq!(memory, held, "{speaks:?}: what is in memory is counted");
        assert!(disk > 0);
        for (seed, (mut bench, mut reader, stream, mut read)) in clients.into_iter().enumerate() {
            if speaks == Speaks::Http2 {
                let more = (1u32 << 30).to_be_bytes();
                let windows = [frame(8, 0, 0, &more), frame(8, 0, stream as u32, &more)].concat();
                reader.write(&windows);
                bench.conn.set_readable(false);
            }
            let read = loop {
                bench.pump();
                reader.read(&mut read);
                if let Some(content) = content(speaks, &read) {
                    break content;
                }
            };
            assert!(read == page(seed), "{speaks:?}: the page of client {seed} is another");
            bench.pump();
        }
        assert_eq!(spool.counted(), (0, 0), "{speaks:?}: something is left");
    }
}

/// What goes from memory to a file is still the response's: its handler waits past the bound.
#[test]
fn a_handler_that_goes_on_writing_waits_past_the_bound_of_its_response() {
    for speaks in ALL {
        let spool = SharedSpool::new(0, 1 << 30);
        let (mut bench, _reader, stream) = asked(speaks, &spool);
        bench.port.response_spool_bytes_max = 256 << 10;
        answer(&mut bench, stream, response(BodyLength::Streamed));
        let (mut sent, mut credit) = (0, 0);
        while sent < credit + u64::from(WINDOW) {
            assert!(sent < 16 << 20, "{speaks:?}: the handler never waits");
            credit += answer(&mut bench, stream, Part::Body(vec![7; 10_000].into()));
            sent += 10_000;
            bench.pump();
            for event in bench.events.drain(..) {
                let ConnEvent::Credit(_, bytes) = event else { panic!("{event:?}") };
                credit += bytes;
            }
        }
        // The bound, and what the buffers on the way to the socket may have.
        let most = (256 << 10) + 3 * RESPONSE_AHEAD_BYTES_MAX as u64;
        assert!(credit <= most, "{speaks:?}: {credit} bytes taken over");
    }
}

/// Where there is room nowhere, content stays where it is, and goes out all the same.
#[test]
fn content_that_has_room_nowhere_is_not_lost() {
    for speaks in ALL {
        let spool = SharedSpool::new(0, 0);
        let (mut bench, mut reader, stream) = asked(speaks, &spool);
        answer(&mut bench, stream, response(BodyLength::Known(PAGE as u64)));
        for piece in page(1).chunks(SPOOL_BLOCK_BYTES) {
            answer(&mut bench, stream, Part::Body(Bytes::copy_from_slice(piece)));
            bench.pump();
        }
        answer(&mut bench, stream, Part::End(None));
        assert_eq!(spool.counted().1, 0);
        if speaks == Speaks::Http2 {
            let more = (1u32 << 30).to_be_bytes();
            reader.write(&[frame(8, 0, 0, &more), frame(8, 0, 1, &more)].concat());
            bench.conn.set_readable(false);
        }
        let mut read = Vec::new();
        while content(speaks, &read).is_none_or(|content| content != page(1)) {
            bench.pump();
            reader.read(&mut read);
            assert!(read.len() < 2 * PAGE, "{speaks:?}: the page is another");
        }
    }
}
