//! Every bound of the HTTP/1 machine, reached from both sides: what is just allowed is served, one
//! more is refused with its status.

mod common;

use bytes::Bytes;
use common::{End, Server, body, file, head, settings};
use proptest::prelude::*;
use protocol::error::Fault::{self, *};
use protocol::{Flow, Outgoing};
use wire::BodyLength::{Known, Streamed};
use wire::limits::*;
use wire::{Part, Reason};

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\n";

fn served(input: &str) -> Server {
    let mut server = Server::new();
    server.drip(input);
    assert!(matches!(server.one().end, Some(End::Complete(_))), "{:?}", server.refusals);
    let mut server = Server::new();
    server.feed(input);
    assert!(matches!(server.one().end, Some(End::Complete(_))), "{:?}", server.refusals);
    server
}

fn refused(fault: Fault, input: &str) {
    Server::new().feed(input).assert_refused(fault);
    Server::new().drip(input).assert_refused(fault);
}

#[test]
fn request_line_bytes() {
    let line = |len: usize| format!("GET /{} HTTP/1.1\r\n", "a".repeat(len - 14));
    served(&format!("{}Host: a\r\n\r\n", line(100)));
    refused(RequestLineTooLong, &format!("{}Host: a\r\n\r\n", line(101)));
    // Refused as soon as it is too long, not when it ends.
    refused(RequestLineTooLong, &"A".repeat(102));
    Server::new().feed("A".repeat(101)).assert_quiet();
    assert_eq!(RequestLineTooLong.status(), 414);
}

#[test]
fn header_bytes() {
    // Host: a CRLF is 9 bytes, X: … CRLF 5 more than its value.
    let lines = |len: usize| format!("{HEAD}X: {}\r\n", "a".repeat(len - 9 - 5));
    served(&format!("{}\r\n", lines(400)));
    refused(FieldsTooLarge, &format!("{}\r\n", lines(401)));
    // Refused as soon as they are too long: the two line ends may still be missing.
    let begun = |len: usize| format!("{HEAD}X: {}", "a".repeat(len - 9 - 3));
    Server::new().feed(begun(402)).assert_quiet();
    refused(FieldsTooLarge, &begun(403));
    assert_eq!(FieldsTooLarge.status(), 431);
}

#[test]
fn header_count() {
    let lines = |count: usize| format!("{HEAD}{}\r\n", "X: y\r\n".repeat(count - 1));
    served(&lines(10));
    refused(FieldsTooLarge, &lines(11));
}

#[test]
fn more_lines_than_fit_the_stack() {
    let settings = protocol::settings::HttpSettings { header_count_max: 300, ..settings() };
    let settings = protocol::settings::HttpSettings { header_bytes_max: 9000, ..settings };
    let mut server = Server::with(settings);
    server.feed(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(299)));
    assert_eq!(server.one().head.fields.len(), 300);
    assert_eq!(server.one().head.fields.get_all(b"x").filter(|v| *v == b"y").count(), 299);
}

#[test]
fn field_name_bytes() {
    let settings = protocol::settings::HttpSettings {
        header_bytes_max: 2 * FIELD_NAME_BYTES_MAX,
        ..settings()
    };
    let line = |len: usize| format!("{HEAD}{}: x\r\n\r\n", "a".repeat(len));
    let mut server = Server::with(settings.clone());
    server.feed(line(FIELD_NAME_BYTES_MAX));
    assert_eq!(server.one().head.fields.len(), 2);
    Server::with(settings).feed(line(FIELD_NAME_BYTES_MAX + 1)).assert_refused(FieldsTooLarge);
}

#[test]
fn content_by_length() {
    // At the head, before a byte of it is read; no 100 invites it.
    for expect in ["", "Expect: 100-continue\r\n"] {
        refused(ContentTooLarge, &format!("{HEAD}{expect}Content-Length: 100001\r\n\r\n"));
    }
    let most = "x".repeat(100_000);
    let mut server = Server::new();
    server.feed(format!("{HEAD}Content-Length: 100000\r\n\r\n{most}"));
    assert_eq!(server.one().body.len(), 100_000);
    assert_eq!(ContentTooLarge.status(), 413);
}

#[test]
fn content_in_chunks() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("c350\r\n{}\r\n", "x".repeat(50_000));
    let mut server = Server::new();
    server.feed(format!("{head}{chunk}{chunk}0\r\n\r\n"));
    assert_eq!(server.one().body.len(), 100_000);
    assert_eq!(server.one().end, Some(End::Complete(None)));
    let mut server = Server::new();
    server.feed(format!("{head}{chunk}{chunk}1\r\n"));
    assert_eq!(server.one().end, Some(End::Abort(Reason::Refused)));
    server.assert_refused(ContentTooLarge);
}

#[test]
fn chunk_size_digits() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let digits = usize::from(CHUNK_SIZE_DIGITS_MAX);
    served(&format!("{head}{:0digits$x}\r\na\r\n0\r\n\r\n", 1));
    refused(Chunk, &format!("{head}{:0more$x}\r\na\r\n0\r\n\r\n", 1, more = digits + 1));
}

#[test]
fn chunk_extension_bytes() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let chunks = |bytes: usize| format!("{head}1;{}\r\na\r\n1;x\r\n", "e".repeat(bytes));
    let end = "a\r\n0\r\n\r\n";
    served(&format!("{}{end}", chunks(CHUNK_EXTENSION_BYTES_MAX - 1)));
    refused(ChunkExtension, &chunks(CHUNK_EXTENSION_BYTES_MAX));
}

#[test]
fn trailer_bytes_and_count() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n");
    served(&format!("{head}X: {}\r\n\r\n", "a".repeat(395)));
    refused(FieldsTooLarge, &format!("{head}X: {}\r\n\r\n", "a".repeat(396)));
    served(&format!("{head}{}\r\n", "X: y\r\n".repeat(10)));
    refused(FieldsTooLarge, &format!("{head}{}\r\n", "X: y\r\n".repeat(11)));
}

#[test]
fn empty_lines_before_a_request() {
    let most = usize::from(EMPTY_LINES_MAX);
    served(&format!("{}{HEAD}\r\n", "\r\n".repeat(most)));
    refused(RequestLine, &format!("{}{HEAD}\r\n", "\r\n".repeat(most + 1)));
}

#[test]
fn small_chunks_are_joined() {
    let mut server = Server::new();
    let chunks = "1\r\nx\r\n".repeat(10_000);
    server.protocol.receive(
        protocol::Input::Bytes(
            &mut format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}").as_bytes().into(),
        ),
        &server.now,
    );
    let parts: Vec<_> = std::iter::from_fn(|| server.protocol.poll()).collect();
    assert_eq!(parts.len(), 2, "a head and one body");
    assert!(matches!(&parts[1].1, Part::Body(body) if body.len() == 10_000));
    // A large one is not copied with them.
    let large = "y".repeat(CHUNK_JOIN_BYTES_MAX);
    let chunks = format!("1\r\nx\r\n{:x}\r\n{large}\r\n1\r\nz\r\n", large.len());
    server.protocol.receive(protocol::Input::Bytes(&mut chunks.as_bytes().into()), &server.now);
    let parts: Vec<_> = std::iter::from_fn(|| server.protocol.poll()).collect();
    assert_eq!(parts.len(), 3);
}

#[test]
fn a_head_is_searched_once() {
    // Byte by byte, a megabyte of head takes a moment, not minutes.
    let settings = protocol::settings::HttpSettings {
        request_line_bytes_max: 1 << 20,
        header_bytes_max: 1 << 20,
        ..settings()
    };
    let mut server = Server::with(settings);
    server.drip(format!("GET /{} HTTP/1.1\r\nHost: a\r\n", "a".repeat(500_000)));
    server.drip(format!("X: {}\r\n\r\n", "a".repeat(500_000)));
    assert_eq!(server.one().head.path.len(), 500_001);
}

#[test]
fn output_stops_at_its_bound() {
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    server.send(0, Part::Head(head(200, Streamed, &[])));
    for _ in 0..50 {
        server.send(0, Part::Body(Bytes::from(vec![b'x'; 20_000])));
    }
    let bound = H1_WRITE_BYTES_MAX as u64;
    assert!((bound..bound + 20_000).contains(&server.out.len()), "{}", server.out.len());
    // Credit is only given for what has left the protocol.
    assert!(server.released <= server.out.len());
    server.send(0, Part::End(None));
    // A client that does not read is not served on.
    assert_eq!(server.seen.len(), 1);
    assert!(!server.protocol.wants_input());
    while server.seen.len() == 1 {
        assert!(!server.write().is_empty());
        assert!(server.out.len() < bound + 20_000);
    }
    assert_eq!(server.released, 1_000_000);
}

#[test]
fn many_small_parts_stay_below_the_bound_too() {
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.send(0, Part::Head(head(200, Known(800_000), &[])));
    for _ in 0..8000 {
        assert_eq!(server.send(0, body(&"x".repeat(100))), Flow::Ready);
    }
    let bound = H1_WRITE_BYTES_MAX as u64 + 20_000;
    assert!(server.out.len() < bound, "{}", server.out.len());
    // Also when the protocol has collected them before it is asked.
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.protocol.send(0, Part::Head(head(200, Known(800_000), &[])), &server.now);
    for _ in 0..8000 {
        server.protocol.send(0, body(&"x".repeat(100)), &server.now);
    }
    server.protocol.transmit(&mut Outgoing::Bytes(&mut server.out), &server.now);
    assert!(server.out.len() < bound, "{}", server.out.len());
}

#[test]
fn a_file_on_disk_takes_no_memory_and_no_credit() {
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    server.send(0, Part::Head(head(200, Streamed, &[])));
    server.send(0, Part::File(file(&vec![b'x'; 300_000])));
    server.send(0, Part::End(None));
    assert!(server.out.chunks().any(|c| matches!(c, protocol::Chunk::File(_))));
    assert_eq!(server.released, 0);
    assert!(server.written().ends_with(b"xxx\r\n0\r\n\r\n"));
}

impl Server {
    fn assert_quiet(&mut self) {
        assert!(self.refusals.is_empty() && self.written().is_empty());
        assert_eq!(self.closing(), None);
    }
}

proptest! {
    /// No input is taken in without bound: what is kept is never longer than a head may be.
    #[test]
    fn a_refusal_comes_before_the_bounds_are_passed(line in "[A-Za-z0-9: /\r]{600,700}") {
        let mut server = Server::new();
        server.feed(&line);
        prop_assert_eq!(server.refusals.len(), 1);
    }
}
