//! What streams leave behind in the server: nothing, however they end. And what a connection keeps.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::h3::{GET, Pair};
use common::{body, head, settings};
use protocol::StreamId;
use protocol::settings::{Http3Settings, HttpSettings};
use quiche::Shutdown;
use quiche::h3::Header;
use wire::BodyLength::{Known, Streamed};
use wire::{Part, Reason, ResponseHead};

const REQUESTS: usize = 100_000;

/// What an idle connection may keep, besides what the TLS library has: 24,620 bytes were measured.
const IDLE_BYTES_MAX: i64 = 25_000;

thread_local! {
    /// The server is at work on this thread.
    static SERVER: Cell<bool> = const { Cell::new(false) };
    /// Bytes that it has allocated and not freed.
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// Counts what the server allocates.
struct Counting;

fn count(bytes: i64) {
    if SERVER.get() {
        LIVE.set(LIVE.get() + bytes);
    }
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Lets the server work, and counts what it keeps.
fn counted<R>(work: impl FnOnce() -> R) -> R {
    SERVER.set(true);
    let result = work();
    SERVER.set(false);
    result
}

/// Moves packets until none move, as `Pair::drive` does.
fn drive(pair: &mut Pair) {
    loop {
        pair.client.turn();
        let mut up = pair.client.packets();
        let server = &mut pair.server;
        counted(|| up.iter_mut().for_each(|packet| server.receive(packet)));
        let made = counted(|| server.packets());
        let mut down = made.clone();
        counted(|| drop(made));
        for packet in &mut down {
            pair.client.receive(packet);
        }
        if up.is_empty() && down.is_empty() {
            return;
        }
    }
}

const KINDS: usize = 11;

/// A field that makes a head large.
static LONG: [u8; 3_000] = [b'x'; 3_000];

/// The client's side of a request of some kind.
fn ask(pair: &mut Pair, kind: usize) -> StreamId {
    let more = |lines: &[(&'static str, &'static [u8])]| [GET, lines].concat();
    let client = &mut pair.client;
    match kind {
        // With content and trailers.
        1 => {
            let stream = client.request(GET, false);
            let (h3, quic) = client.h3();
            h3.send_body(quic, stream, b"content", false).unwrap();
            let list = [Header::new(b"x-sum", b"7")];
            h3.send_additional_headers(quic, stream, &list, true, true).unwrap();
            stream
        }
        // To be given up.
        3 => {
            let stream = client.request(GET, false);
            let (h3, quic) = client.h3();
            h3.send_body(quic, stream, b"content", false).unwrap();
            stream
        }
        // Malformed, with and without an end; larger than allowed; refused while it arrives.
        6 => client.request(&more(&[("connection", b"close")]), true),
        7 => client.request(&more(&[("connection", b"close")]), false),
        8 => {
            let stream = client.request(&more(&[("content-length", b"999999999")]), false);
            let (h3, quic) = client.h3();
            h3.send_body(quic, stream, b"content", false).unwrap();
            stream
        }
        9 => {
            let priority = quiche::h3::Priority::new(1, true);
            let stream = client.request(&more(&[("priority", b"u=5")]), true);
            let (h3, quic) = client.h3();
            h3.send_priority_update_for_request(quic, stream, &priority).unwrap();
            stream
        }
        _ => client.request(GET, true),
    }
}

/// The server's side of it.
fn parts(kind: usize) -> Vec<Part<ResponseHead>> {
    match kind {
        1 => vec![
            Part::Head(head(200, Streamed, &[])),
            body("content"),
            Part::End(Some(head(200, Known(0), &[("x-sum", "7")]).fields)),
        ],
        2 | 3 | 6..=8 => vec![],
        4 => vec![
            Part::Head(head(103, Known(0), &[])),
            Part::Head(head(200, Streamed, &[])),
            body("content"),
            Part::Abort(Reason::WorkerLost),
        ],
        5 => vec![Part::Abort(Reason::ClientGone)],
        10 => {
            let long = std::str::from_utf8(&LONG).unwrap();
            let head = head(200, Streamed, &[("x-long", long)]);
            vec![Part::Head(head), body("content"), Part::End(None)]
        }
        _ => vec![Part::Head(head(200, Known(7), &[])), body("content"), Part::End(None)],
    }
}

/// The answer, or the client's end of it.
fn answer(pair: &mut Pair, kind: usize, stream: StreamId) {
    let server = &mut pair.server;
    counted(|| {
        for part in parts(kind) {
            server.send(stream, part);
        }
    });
    if matches!(kind, 2 | 3) {
        let quic = &mut pair.client.quic;
        quic.stream_shutdown(stream, Shutdown::Read, 0x10c).unwrap();
        // One that is complete needs no reset.
        let _ = quic.stream_shutdown(stream, Shutdown::Write, 0x10c);
    }
}

/// So many requests of all kinds, and all that a test has noted of them forgotten.
fn requests(pair: &mut Pair, count: usize) {
    for first in (0..count).step_by(100) {
        let kinds = (first..first + 100).map(|nth| nth % KINDS);
        let asked: Vec<_> = kinds.map(|kind| (kind, ask(pair, kind))).collect();
        drive(pair);
        for (kind, stream) in asked {
            answer(pair, kind, stream);
        }
        drive(pair);
        let server = &mut pair.server;
        server.now.instant += std::time::Duration::from_secs(1);
        assert!(server.http3.is_idle(), "{first}");
        counted(|| {
            server.seen = Vec::new();
            server.refusals = Vec::new();
        });
        pair.client.replies.clear();
        pair.client.resets.clear();
    }
}

#[test]
fn streams_leave_nothing_behind() {
    let http3 = Http3Settings { streams_max: 200, ..Http3Settings::default() };
    let mut pair = Pair::with(HttpSettings { http3, ..settings() });
    requests(&mut pair, 1_000);
    let before = LIVE.get();
    requests(&mut pair, REQUESTS);
    let kept = LIVE.get() - before;
    // Vectors may have grown to what they need once; a hundred bytes a stream would be 10 MB.
    assert!(kept.abs() < 64 << 10, "{kept} bytes kept of {REQUESTS} requests");
    assert!(pair.server.refusals.is_empty() && pair.client.quic.peer_error().is_none());
}

#[test]
fn an_idle_connection_keeps_little() {
    let mut pair = Pair::discovering();
    for _ in 0..3 {
        let stream = pair.get();
        pair.server.respond(stream, 200, b"content");
        pair.drive();
    }
    let before = LIVE.get();
    counted(|| drop(pair.server.http3));
    let kept = before - LIVE.get();
    assert!(kept < IDLE_BYTES_MAX, "{kept} bytes");
}
