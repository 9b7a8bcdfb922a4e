//! Bad input: the right error code on the right scope, and one word of it.

use bytes::Bytes;
use protocol::error::{ErrorScope, Fault};
use protocol::h3::incoming::{Incoming, Item};
use protocol::h3::qpack;
use protocol::settings::HttpSettings;
use quiche::Shutdown;
use quiche::h3::NameValue;
use wire::Reason;

use super::common::h3::{Client, GET, Pair, Server, client_config};
use super::common::{End, settings};
use super::{closed_with, still_serves};

/// The fields of a GET in QPACK (RFC 9204, 4.5): indexed, and the authority as a literal.
pub(super) const FIELDS: &[u8] = b"\x00\x00\xd1\xd7\xc1\x50\x01a";

/// A client that says byte for byte what it is told to.
pub(super) fn raw(settings: HttpSettings) -> Pair {
    let mut client = Client::new(&mut client_config());
    client.raw = true;
    let mut pair = Pair { client, server: Server::new(settings) };
    pair.drive();
    assert!(pair.client.quic.is_established());
    pair
}

/// What is sent on which stream, and whether that ends the stream.
type Said = (u64, Vec<u8>, bool);

/// A frame (RFC 9114, 7.1) of less than 64 bytes.
pub(super) fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, payload.len() as u8], payload].concat()
}

#[test]
fn errors_of_the_connection_end_it() {
    const CONTROL: u64 = 2;
    const REQUEST: u64 = 0;
    let headers = frame(1, FIELDS);
    let control = |frames: &[u8]| [&[0, 4, 0], frames].concat();
    let (unexpected, creation, critical) = (0x105, 0x103, 0x104);
    let cases: Vec<(&str, Vec<Said>, u64)> = vec![
        ("no SETTINGS", vec![(CONTROL, [&[0][..], &frame(7, &[0])].concat(), false)], 0x10a),
        ("SETTINGS twice", vec![(CONTROL, control(&frame(4, &[])), false)], unexpected),
        ("DATA on control", vec![(CONTROL, control(&frame(0, b"x")), false)], unexpected),
        ("HEADERS on control", vec![(CONTROL, control(&headers), false)], unexpected),
        ("a setting of HTTP/2", vec![(CONTROL, vec![0, 4, 2, 2, 0], false)], 0x109),
        ("control twice", vec![(2, vec![0, 4, 0], false), (6, vec![0], false)], creation),
        ("QPACK encoder twice", vec![(2, vec![2], false), (6, vec![2], false)], creation),
        ("a push", vec![(2, vec![1, 0], false)], creation),
        ("control closed", vec![(CONTROL, control(&[]), true)], critical),
        ("QPACK decoder closed", vec![(CONTROL, vec![3], true)], critical),
        ("SETTINGS in a request", vec![(REQUEST, frame(4, &[]), false)], unexpected),
        ("DATA first", vec![(REQUEST, frame(0, b"x"), false)], unexpected),
        ("GOAWAY in a request", vec![(REQUEST, frame(7, &[0]), false)], unexpected),
        (
            "PUSH_PROMISE",
            vec![(REQUEST, [&headers[..], &frame(5, &[0, 0])].concat(), false)],
            unexpected,
        ),
        (
            "three HEADERS",
            vec![(REQUEST, [&headers[..], &frame(1, b"\0\0").repeat(2)].concat(), false)],
            unexpected,
        ),
        (
            "DATA behind trailers",
            vec![(
                REQUEST,
                [headers.clone(), frame(0, b"x"), frame(1, b"\0\0"), frame(0, b"x")].concat(),
                false,
            )],
            unexpected,
        ),
        ("a table that is not there", vec![(REQUEST, frame(1, b"\x02\x00\x80"), true)], 0x200),
        ("an index that is not there", vec![(REQUEST, frame(1, b"\x00\x00\xff\x7f"), true)], 0x200),
        (
            "MAX_PUSH_ID lowered",
            vec![(CONTROL, control(&[frame(13, &[5]), frame(13, &[4])].concat()), false)],
            0x108,
        ),
    ];
    for (what, streams, code) in cases {
        let mut pair = raw(settings());
        for (stream, bytes, last) in &streams {
            pair.client.quic.stream_send(*stream, bytes, *last).unwrap();
            pair.drive();
        }
        assert_eq!(closed_with(&pair), Some(code), "{what}");
        let said: Vec<_> = pair.server.refusals.iter().map(|e| (e.scope, e.reason)).collect();
        assert_eq!(said, [(ErrorScope::Connection, Fault::Frame)], "{what}");
        assert!(pair.server.http3.is_idle(), "{what}");
        let whole = |end: &Option<End>| !matches!(end, None | Some(End::Complete(_)));
        assert!(pair.server.seen.iter().all(|seen| whole(&seen.end)), "{what}: told");
    }
}

#[test]
fn what_nobody_knows_is_skipped() {
    let mut pair = raw(settings());
    let grease = frame(0x21, b"whatever");
    let quic = &mut pair.client.quic;
    quic.stream_send(2, &[&[0, 4, 2, 0x21, 7][..], &grease].concat(), false).unwrap();
    quic.stream_send(6, b"\x21whatever", true).unwrap();
    let request = [&grease[..], &frame(1, FIELDS), &grease, &frame(0, b"x"), &grease].concat();
    quic.stream_send(0, &request, true).unwrap();
    pair.drive();
    assert_eq!(pair.server.seen[0].body, b"x");
    assert_eq!(pair.server.seen[0].end, Some(End::Complete(None)));
    pair.server.respond(0, 200, b"ok");
    pair.drive();
    assert!(pair.server.refusals.is_empty() && pair.server.http3.is_idle());
}

#[test]
fn malformed_messages_reset_their_stream() {
    let cases: [&[(&str, &[u8])]; 20] = [
        &GET[1..],
        &[GET[0], GET[1], GET[2]],
        &[GET[0], GET[2], GET[3]],
        &[GET[0], GET[1], GET[2], (":path", b"")],
        &[(":method", b"G T"), GET[1], GET[2], GET[3]],
        &[(":method", b""), GET[1], GET[2], GET[3]],
        &[GET[0], GET[0], GET[1], GET[2], GET[3]],
        &[GET[0], GET[1], GET[2], GET[3], (":path", b"/")],
        &[GET[0], GET[1], GET[2], GET[3], (":status", b"200")],
        &[GET[0], GET[1], GET[2], GET[3], (":protocol", b"websocket")],
        &[GET[0], GET[1], GET[2], ("x", b"y"), GET[3]],
        &[GET[0], GET[1], GET[2], GET[3], ("x y", b"y")],
        &[GET[0], GET[1], GET[2], GET[3], ("", b"y")],
        &[GET[0], GET[1], GET[2], GET[3], ("x", b"a\r\nb: c")],
        &[GET[0], GET[1], GET[2], GET[3], ("x", b"a\0")],
        &[GET[0], GET[1], GET[2], GET[3], ("connection", b"close")],
        &[GET[0], GET[1], GET[2], GET[3], ("transfer-encoding", b"chunked")],
        &[GET[0], GET[1], GET[2], GET[3], ("te", b"gzip")],
        &[(":method", b"CONNECT"), GET[1], GET[2], GET[3]],
        &[(":method", b"CONNECT")],
    ];
    let mut pair = Pair::new();
    for (nth, fields) in cases.into_iter().enumerate() {
        for last in [true, false] {
            let stream = pair.client.request(fields, last);
            pair.drive();
            assert_eq!(pair.client.resets.get(&stream), Some(&0x10e), "{nth}: H3_MESSAGE_ERROR");
            let said = pair.server.refusals.pop().map(|error| (error.scope, error.reason));
            assert_eq!(said, Some((ErrorScope::Stream, Fault::Message)), "{nth}");
            assert!(pair.server.refusals.is_empty() && pair.server.seen.is_empty(), "{nth}");
        }
    }
    let fields = [GET, &[("te", b"trailers")]].concat();
    pair.client.request(&fields, true);
    pair.drive();
    assert_eq!(pair.server.seen.len(), 1);
    pair.server.respond(pair.server.seen[0].stream, 200, b"ok");
    still_serves(&mut pair);
}

#[test]
fn names_are_in_lower_case_and_sections_are_not_empty() {
    for fields in [&[FIELDS, b"\x22Ab\x01x"].concat()[..], b"\0\0"] {
        let mut pair = raw(settings());
        pair.client.quic.stream_send(0, &frame(1, fields), true).unwrap();
        pair.drive();
        let reset = pair.client.quic.stream_recv(0, &mut [0; 9]);
        assert_eq!(reset, Err(quiche::Error::StreamReset(0x10e)), "{fields:?}");
        assert_eq!(pair.server.faults(), [Fault::Message]);
    }
}

#[test]
fn content_may_come_in_empty_frames_too() {
    let mut pair = raw(settings());
    let empty = frame(0, b"");
    let all =
        [frame(1, FIELDS), empty.repeat(3), frame(0, b"ab"), empty.clone(), frame(0, b"c"), empty];
    pair.client.quic.stream_send(0, &all.concat(), true).unwrap();
    pair.drive();
    assert_eq!(pair.server.seen[0].body, b"abc");
    assert_eq!(pair.server.seen[0].end, Some(End::Complete(None)));
    // However they are cut.
    for (nth, byte) in all.concat().iter().enumerate() {
        let last = nth + 1 == all.concat().len();
        pair.client.quic.stream_send(4, &[*byte], last).unwrap();
        pair.drive();
    }
    assert_eq!(pair.server.seen[1].body, b"abc");
    assert_eq!(pair.server.seen[1].end, Some(End::Complete(None)));
}

#[test]
fn malformed_trailers_break_the_request_off() {
    let mut pair = Pair::new();
    for bad in [(":path", "/"), ("x", "a\nb"), ("connection", "x")] {
        let stream = pair.client.request(GET, false);
        pair.drive();
        let list = [quiche::h3::Header::new(bad.0.as_bytes(), bad.1.as_bytes())];
        let (h3, quic) = pair.client.h3();
        h3.send_additional_headers(quic, stream, &list, true, true).unwrap();
        pair.drive();
        assert_eq!(pair.client.resets.get(&stream), Some(&0x10e), "{bad:?}");
        let end = pair.server.seen.last().unwrap().end.clone();
        assert_eq!(end, Some(End::Abort(Reason::ClientGone)));
        assert_eq!(pair.server.faults().pop(), Some(Fault::Message));
    }
    still_serves(&mut pair);
}

/// Sends bytes, as the server takes them.
fn say(pair: &mut Pair, stream: u64, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match pair.client.quic.stream_send(stream, bytes, false) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(quiche::Error::Done) => {}
            // The server has heard enough.
            Err(quiche::Error::StreamStopped(_)) => return,
            Err(error) => panic!("{error}"),
        }
        pair.drive();
    }
}

/// The status of the response, of which all is there.
fn status(pair: &mut Pair, stream: u64) -> Vec<u8> {
    let mut bytes = [0; 4096];
    let (len, last) = pair.client.quic.stream_recv(stream, &mut bytes).unwrap();
    assert!(last);
    let mut bytes = Bytes::copy_from_slice(&bytes[..len]);
    let Ok(Some(Item::Head(section))) = Incoming::default().next(&mut bytes, 4096) else {
        panic!("{bytes:?} is no response");
    };
    let list = qpack::decode(&section, 4096).unwrap();
    assert_eq!(list[0].name(), b":status");
    list[0].value().to_vec()
}

#[test]
fn sections_that_are_too_large_are_refused_however_large() {
    let mut pair = raw(settings());
    let bytes = pair.server.list_bytes();
    let header = |len: usize| [&[1, 0x80][..], &(len as u32).to_be_bytes()[1..]].concat();
    // Fields that are many, or long; sections that are longer than any that are allowed.
    let fields = [
        [FIELDS, &b"\xdf".repeat(bytes / 32)].concat(),
        [FIELDS, &b"\xdf".repeat(bytes - FIELDS.len())].concat(),
        [FIELDS, b"\x21x\x7f\x80\x7f", &vec![b'~'; bytes - FIELDS.len()]].concat(),
        vec![0; 40 * bytes],
    ];
    for (nth, section) in fields.iter().enumerate() {
        let stream = 4 * nth as u64;
        say(&mut pair, stream, &[header(section.len()), section.clone()].concat());
        pair.drive();
        assert_eq!(status(&mut pair, stream), b"431", "{nth}");
    }
    assert_eq!(pair.server.faults(), vec![Fault::FieldsTooLarge; fields.len()]);
    assert!(pair.server.seen.is_empty() && pair.server.http3.is_idle());
    // As trailers: the handler is told that there is no request.
    let stream = 4 * fields.len() as u64;
    say(&mut pair, stream, &[frame(1, FIELDS), header(9 * bytes), vec![0; 9 * bytes]].concat());
    pair.drive();
    assert_eq!(status(&mut pair, stream), b"431");
    assert_eq!(pair.server.seen.last().unwrap().end, Some(End::Abort(Reason::Refused)));
    assert!(closed_with(&pair).is_none());
}

#[test]
fn requests_that_end_too_early_are_incomplete() {
    let whole = [frame(1, FIELDS), frame(0, b"four"), frame(0x21, b"x")].concat();
    let head = frame(1, FIELDS).len();
    let ends = [head, head + 6, whole.len()];
    for cut in 0..=whole.len() {
        let mut pair = raw(settings());
        pair.client.quic.stream_send(0, &whole[..cut], true).unwrap();
        pair.drive();
        let told = pair.server.seen.iter().map(|seen| seen.end.clone()).collect::<Vec<_>>();
        if cut == 0 {
            let mut bytes = [0; 100];
            let reset = pair.client.quic.stream_recv(0, &mut bytes);
            assert_eq!(reset, Err(quiche::Error::StreamReset(0x10d)));
            assert!(told.is_empty() && closed_with(&pair).is_none());
        } else if ends.contains(&cut) {
            assert_eq!(told, [Some(End::Complete(None))], "{cut}");
            assert!(closed_with(&pair).is_none());
            continue;
        } else {
            // RFC 9114, 7.1.
            assert_eq!(closed_with(&pair), Some(0x106), "{cut}: H3_FRAME_ERROR");
            let lost = Some(End::Abort(Reason::ClientGone));
            assert_eq!(told, vec![lost; usize::from(cut > head)], "{cut}");
            assert_eq!(pair.server.faults(), [Fault::Frame]);
        }
        assert!(pair.server.http3.is_idle(), "{cut}");
    }
}

/// A PRIORITY_UPDATE (RFC 9218, 7.2).
fn priority_update(stream: u16) -> Vec<u8> {
    let id = (0x4000 | stream).to_be_bytes();
    [&[0x80, 0x0f, 0x07, 0x00, 5][..], &id, b"u=1"].concat()
}

#[test]
fn priorities_are_of_streams_that_there_can_be() {
    // 128 may be open at a time.
    for (stream, code) in [(127 * 4, None), (128 * 4, Some(0x108))] {
        let mut pair = raw(settings());
        let said = [&[0, 4, 0][..], &priority_update(stream)].concat();
        pair.client.quic.stream_send(2, &said, false).unwrap();
        pair.drive();
        assert_eq!(closed_with(&pair), code, "{stream}: H3_ID_ERROR");
    }
    // Those that were over at once have been.
    let mut pair = raw(settings());
    pair.client.quic.stream_send(2, &[0, 4, 0], false).unwrap();
    for nth in 0..150 {
        pair.client.quic.stream_send(4 * nth, &frame(1, FIELDS), true).unwrap();
        pair.client.quic.stream_shutdown(4 * nth, Shutdown::Read, 0x10c).unwrap();
        pair.drive();
    }
    assert!(pair.server.seen.is_empty());
    pair.client.quic.stream_send(2, &priority_update(150 * 4), false).unwrap();
    pair.drive();
    assert_eq!(closed_with(&pair), None);
}

#[test]
fn our_control_stream_is_not_to_be_stopped() {
    for said in [true, false] {
        let mut pair = raw(settings());
        if said {
            pair.client.quic.stream_send(0, &frame(1, FIELDS), false).unwrap();
            pair.drive();
        }
        pair.client.quic.stream_shutdown(3, Shutdown::Read, 0x10c).unwrap();
        pair.drive();
        assert_eq!(closed_with(&pair), Some(0x104), "H3_CLOSED_CRITICAL_STREAM");
        assert_eq!(pair.server.faults(), [Fault::Frame]);
        assert!(pair.server.http3.is_idle());
    }
}
