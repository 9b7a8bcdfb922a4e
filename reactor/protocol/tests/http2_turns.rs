//! HTTP/2: many streams on one connection, whose client takes a little at a time. They take turns, and none is
//! left out.

mod common;

use std::collections::BTreeMap;

use bytes::Bytes;
use common::frames::{GET, frame, frames, greeted};
use common::{Server, file, head, settings};
use protocol::settings::{Http2Settings, HttpSettings};
use protocol::{Chunk, StreamId};
use wire::BodyLength::Known;
use wire::Part;
use wire::limits::{FILE_READ_BYTES_MAX, WRITE_BUFFER_BYTES_MAX};

const STREAMS: u32 = 100;
const PAGE: usize = 200_000;
const WIDE: u32 = 1 << 30;

/// A server and what its client has read.
struct Bench {
    server: Server,
    /// Bytes that are no whole frame yet.
    rest: Vec<u8>,
    /// Content of each stream.
    read: BTreeMap<u32, Vec<u8>>,
    /// Windows of the connection and of the streams: what the client may still be sent.
    windows: BTreeMap<u32, i64>,
}

impl Bench {
    /// A connection whose streams begin with this window.
    fn new(window: u32) -> Self {
        let http2 = Http2Settings { streams_max: 200, ..Http2Settings::default() };
        let mut server = greeted(HttpSettings { http2, ..settings() });
        server.feed(frame(4, 0, 0, &[&[0, 4][..], &window.to_be_bytes()].concat()));
        server.written();
        let windows = BTreeMap::from([(0, 65_535)]);
        Self { server, rest: Vec::new(), read: BTreeMap::new(), windows }
    }

    fn open(&mut self, window: u32) -> StreamId {
        let id = 2 * self.read.len() as u32 + 1;
        self.read.insert(id, Vec::new());
        self.windows.insert(id, window.into());
        self.server.feed(frame(1, 5, id, GET));
        id.into()
    }

    /// The whole response, before anything of it is written.
    fn respond(&mut self, stream: StreamId, len: usize) {
        let now = self.server.now;
        let mut parts = vec![Part::Head(head(200, Known(len as u64), &[]))];
        let content = page(stream as u32, len);
        for (nth, piece) in content.chunks(50_000).enumerate() {
            let in_file = (stream as usize + nth).is_multiple_of(5);
            parts.push(match in_file {
                true => Part::File(file(piece)),
                false => Part::Body(Bytes::copy_from_slice(piece)),
            });
        }
        parts.push(Part::End(None));
        for part in parts {
            self.server.protocol.send(stream, part, &now);
        }
    }

    fn widen(&mut self, stream: u32, by: u32) {
        *self.windows.get_mut(&stream).unwrap() += i64::from(by);
        self.server.feed(frame(8, 0, stream, &by.to_be_bytes()));
    }

    /// Takes up to so many bytes, as a socket does. Whether there were any.
    fn take(&mut self, most: usize) -> bool {
        let mut written = Vec::new();
        for chunk in self.server.out.chunks() {
            let Chunk::Buffer(bytes) = chunk else { panic!("{chunk:?}") };
            written.extend_from_slice(&bytes[..bytes.len().min(most - written.len())]);
        }
        self.server.out.advance(written.len() as u64);
        if self.server.out.len() < WRITE_BUFFER_BYTES_MAX as u64 {
            self.server.feed(b"");
        }
        self.rest.extend_from_slice(&written);
        self.look();
        !written.is_empty()
    }

    fn look(&mut self) {
        let mut end = 0;
        while let Some(head) = self.rest[end..].first_chunk::<3>() {
            let next = end + 9 + u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            if next > self.rest.len() {
                break;
            }
            end = next;
        }
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        for frame in frames(&whole).into_iter().filter(|frame| frame.kind == 0) {
            for id in [0, frame.stream] {
                let window = self.windows.get_mut(&id).unwrap();
                *window -= frame.payload.len() as i64;
                assert!(*window >= 0, "more than the window of {id}");
            }
            self.read.get_mut(&frame.stream).unwrap().extend_from_slice(&frame.payload);
        }
    }

    fn is_whole(&self, stream: StreamId, len: usize) -> bool {
        self.read[&(stream as u32)].len() == len
    }
}

fn page(stream: u32, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 251 * 7 + at + stream as usize) as u8).collect()
}

#[test]
fn streams_take_turns_and_a_late_one_has_its_own() {
    let mut bench = Bench::new(WIDE);
    bench.widen(0, WIDE);
    let streams: Vec<_> = (0..STREAMS).map(|_| bench.open(WIDE)).collect();
    for stream in &streams {
        bench.respond(*stream, PAGE);
    }
    bench.server.feed(b"");
    let mut late = None;
    let (mut taken, mut late_took) = (0, None);
    loop {
        let some = bench.take(10_000);
        taken += 10_000;
        let lens = streams.iter().map(|stream| bench.read[&(*stream as u32)].len());
        let (least, most) = (lens.clone().min().unwrap(), lens.max().unwrap());
        assert!(most - least <= 3 * FILE_READ_BYTES_MAX, "{least} bytes of one, {most} of another");
        if late.is_none() && least > PAGE / 3 {
            let stream = bench.open(WIDE);
            bench.respond(stream, 100);
            bench.server.feed(b"");
            late = Some((stream, taken));
        }
        if let Some((stream, at)) = late
            && late_took.is_none()
            && bench.is_whole(stream, 100)
        {
            late_took = Some(taken - at);
        }
        if !some {
            break;
        }
    }
    // One turn of each of the others, and what was written already.
    let most = (STREAMS as usize + 1) * FILE_READ_BYTES_MAX + 4 * WRITE_BUFFER_BYTES_MAX;
    assert!(late_took.unwrap() <= most, "{late_took:?} bytes before a late stream");
    for stream in streams {
        let id = stream as u32;
        assert!(bench.read[&id] == page(id, PAGE), "stream {id}: {} bytes", bench.read[&id].len());
    }
}

/// What the client's windows let through, the connection's or a stream's, comes sooner or later, in whatever order
/// they open and however little is taken at a time.
#[test]
fn whatever_windows_open_is_written() {
    for seed in 1..13u64 {
        let mut random = seed;
        let mut next = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let window = [0, 1000, 65_535, 300_000][next(4) as usize];
        let mut bench = Bench::new(window);
        let count = 1 + next(20) as u32;
        for _ in 0..count {
            let stream = bench.open(window);
            bench.respond(stream, PAGE);
        }
        for _ in 0..3 * count {
            match next(3) {
                0 => bench.widen(0, 1 + next(200_000) as u32),
                1 => bench.widen(2 * next(count.into()) as u32 + 1, 1 + next(100_000) as u32),
                _ => _ = bench.take(1 + next(100_000) as usize),
            }
        }
        while bench.take(50_000) {}
        let stuck = bench.read.iter().filter(|(id, read)| {
            read.len() < PAGE && bench.windows[id] > 0 && bench.windows[&0] > 0
        });
        assert_eq!(stuck.count(), 0, "{seed}: a stream with a window waits");
        bench.widen(0, WIDE);
        for nth in 0..count {
            bench.widen(2 * nth + 1, WIDE);
        }
        while bench.take(50_000) {}
        for (id, read) in &bench.read {
            assert!(*read == page(*id, PAGE), "{seed}: stream {id}: {} bytes", read.len());
        }
    }
}
