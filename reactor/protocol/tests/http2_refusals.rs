//! HTTP/2: what the library below refuses by itself ends with the right code, and is counted.

mod common;

use common::frames::{CALM, GET, POST, faults, frame, frames, goaway, greeted, resets};
use common::settings;
use protocol::Closing;
use protocol::error::Fault;
use protocol::flood::Flood;
use wire::limits::*;

/// Error codes (RFC 9113, 7).
const PROTOCOL_ERROR: u32 = 1;
const REFUSED_STREAM: u32 = 7;
const COMPRESSION_ERROR: u32 = 9;

/// A field with a value of so many bytes, which goes into the table (RFC 7541, 6.2.1).
fn indexed(len: u8) -> Vec<u8> {
    assert!(len > 127);
    [&[0x40, 1, b'x', 127, len - 127][..], &vec![b'y'; len.into()]].concat()
}

/// The field that went into the table last (RFC 7541, 6.1).
const AGAIN: u8 = 0x80 | 62;

#[test]
fn a_list_of_fields_beyond_the_bound_is_431() {
    let mut server = greeted(settings());
    // Few bytes on the wire, a multiple of them when it is unpacked; twice, as the second is packed
    // even tighter.
    for (stream, fields) in
        [(1, [GET, &indexed(250), &[AGAIN; 4]].concat()), (3, [GET, &[AGAIN; 5]].concat())]
    {
        server.feed(frame(1, 5, stream, &fields));
        let answer = frames(&server.written());
        assert_eq!((answer[0].kind, answer[0].stream), (1, stream));
        assert!(server.seen.is_empty());
    }
    assert_eq!(faults(&server), [Fault::Request; 2]);
    // The tables of both ends are still the same: a request that names what is in there.
    server.feed(frame(1, 5, 5, &[GET, &[AGAIN]].concat())).ok("served");
    assert_eq!(server.one().head.fields.get_all(b"x").next().map(<[u8]>::len), Some(250));
    assert_eq!(faults(&server).len(), 2);
}

#[test]
fn a_bomb_of_fields_ends_the_connection() {
    let mut server = greeted(settings());
    server.feed(frame(1, 5, 1, &[GET, &indexed(250), &[AGAIN; 5000]].concat()));
    assert_eq!(goaway(&mut server), CALM);
    assert_eq!(faults(&server), [Fault::Flood(Flood::Http2Header)]);
    assert_eq!(server.closing(), Some(Closing::Linger));
}

#[test]
fn fields_without_end_are_too_many() {
    // Complete fields, and one that never ends: in the second case nothing can be unpacked.
    let never_ending = [&[0x40, 1, b'x', 127, 0xff, 0xff, 0xff, 0x7f][..], &[b'y'; 1000]].concat();
    for (first, more, code) in
        [(GET.to_vec(), indexed(250), CALM), (never_ending, vec![b'y'; 1000], CALM)]
    {
        let mut server = greeted(settings());
        server.feed(frame(1, 0, 1, &first));
        let mut continued = 0;
        while server.closing().is_none() {
            server.feed(frame(9, 0, 1, &more));
            continued += 1;
            assert!(continued < 100);
        }
        assert_eq!(goaway(&mut server), code);
        assert_eq!(faults(&server), [Fault::Flood(Flood::Http2Header)]);
    }
}

#[test]
fn broken_fields_end_the_connection() {
    // An index beyond the table (RFC 7541, 2.3.3); a name in upper case and an unknown pseudo-field,
    // for which the end of the stream would do (RFC 9113, 8.2.1 and 8.3).
    for broken in [&b"\xfe"[..], b"\x00\x01X\x01y", b"\x00\x06:extra\x01y"] {
        let mut server = greeted(settings());
        server.feed(frame(1, 5, 1, &[GET, broken].concat()));
        // Of compression, by the letter of RFC 9113, 4.3; the library calls all of it one thing.
        assert!(matches!(goaway(&mut server), Some(PROTOCOL_ERROR | COMPRESSION_ERROR)));
        assert_eq!(faults(&server), [Fault::Frame]);
        assert_eq!(server.closing(), Some(Closing::Linger));
    }
}

#[test]
fn malformed_requests_are_reset_and_counted() {
    let malformed: [&[u8]; 3] = [
        // A field of the connection (8.2.2).
        b"\x00\x0aconnection\x05close",
        // One of a response.
        b"\x88",
        // One more of the same (8.3.1).
        b"\x82",
    ];
    let mut server = greeted(settings());
    for (stream, fields) in (0..).map(|n| 1 + 2 * n).zip(malformed) {
        // In every cut, so that a request that has not arrived yet is no refused one.
        for byte in frame(1, 5, stream, &[GET, fields].concat()) {
            assert_eq!(server.refusals.len() as u32, stream / 2);
            server.feed([byte]);
        }
        assert_eq!(resets(&mut server), [(stream, PROTOCOL_ERROR)]);
    }
    assert_eq!(faults(&server), [Fault::Request; 3]);
    assert!(server.seen.is_empty());
    server.feed(frame(1, 0, 101, &GET[..3])).feed(frame(9, 4, 101, &GET[3..]));
    server.feed(frame(0, 1, 101, b""));
    server.ok("served");
    assert_eq!((server.seen.len(), server.refusals.len()), (1, 3));
}

#[test]
fn streams_beyond_the_bound_are_refused_and_counted() {
    let mut options = settings();
    options.http2.streams_max = 3;
    let mut server = greeted(options);
    server.feed((0..5).flat_map(|n| frame(1, 5, 1 + 2 * n, GET)).collect::<Vec<_>>());
    assert_eq!(resets(&mut server), [(7, REFUSED_STREAM), (9, REFUSED_STREAM)]);
    assert_eq!(faults(&server), [Fault::Request; 2]);
    assert_eq!(server.seen.len(), 3);
}

#[test]
fn content_of_another_length_is_counted() {
    let mut server = greeted(settings());
    let fields = [POST, b"\x0f\x0d\x013"].concat();
    server.feed(frame(1, 4, 1, &fields)).feed(frame(0, 1, 1, b"ab"));
    assert_eq!(resets(&mut server), [(1, PROTOCOL_ERROR)]);
    assert_eq!(faults(&server), [Fault::Request]);
}

#[test]
fn a_flood_is_counted_once_however_long_it_goes_on() {
    let mut server = greeted(settings());
    let flood = frame(6, 0, 0, &[0; 8]).repeat(1000);
    for _ in 0..10 {
        // A client that does not read: the server cannot say its last words.
        server.feed(&flood);
        assert!(server.out.len() <= (WRITE_BUFFER_BYTES_MAX + H2_TAPE_BYTES_MAX) as u64);
    }
    assert_eq!(faults(&server), [Fault::Flood(Flood::Http2Ping)]);
    assert_eq!(goaway(&mut server), CALM);
}

#[test]
fn what_comes_behind_a_goaway_is_no_refusal() {
    let mut server = greeted(settings());
    server.feed(frame(1, 5, 1, GET)).shutdown();
    let answer = frames(&server.written());
    let ping = answer.iter().find(|frame| frame.kind == 6).expect("a PING behind the first GOAWAY");
    server.feed(frame(6, 1, 0, &ping.payload)).feed(frame(1, 5, 3, GET));
    server.ok("last");
    server.written();
    assert_eq!((server.seen.len(), server.refusals.len()), (1, 0));
    assert_eq!(server.closing(), Some(Closing::Linger));
}
