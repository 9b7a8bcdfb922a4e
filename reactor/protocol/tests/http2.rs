//! HTTP/2: windows, deadlines, the end of connections, and abuse. What a request and a response mean
//! is in `conformance`.

mod common;

use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use common::client::Request;
use common::frames::{self, CALM, GET, faults, frame, goaway};
use common::h2::{Pair, cx, server};
use common::{End, Server, body, file, head, settings};
use protocol::detect::Detect;
use protocol::error::Fault;
use protocol::flood::Flood;
use protocol::h2::PREFACE;
use protocol::settings::HttpSettings;
use protocol::{Closing, Flow};
use wire::BodyLength::{Known, Streamed};
use wire::limits::*;
use wire::{Part, Reason};

const MINUTE: Duration = Duration::from_secs(60);

fn get() -> http::Request<()> {
    http::Request::get("http://localhost/").body(()).unwrap()
}

/// A client that lets the server send so many bytes of a response.
fn narrow(window: u32) -> Pair {
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window);
    Pair::with(settings(), &builder)
}

/// A server that has a client's preface.
fn greeted() -> Server {
    frames::greeted(settings())
}

#[test]
fn a_closed_window_stops_the_worker_and_no_other_stream() {
    let mut pair = narrow(1000);
    let (slow, _) = pair.open(get(), true);
    let stream = pair.server.one().stream;
    pair.server.send(stream, Part::Head(head(200, Known(50_000), &[])));
    for _ in 0..10 {
        assert_eq!(pair.server.send(stream, body(&"x".repeat(5000))), Flow::Ready);
    }
    pair.server.send(stream, Part::End(None));
    pair.drive();
    assert_eq!(pair.server.released, 1000, "credit for what the window let through");
    let (other, _) = pair.open(get(), true);
    pair.server.ok("other");
    assert_eq!(pair.reply(other).body, b"other");
    let reply = pair.reply(slow);
    assert!(reply.complete && reply.body.len() == 50_000);
    assert_eq!(pair.server.released, 50_005);
}

#[test]
fn a_window_that_stays_shut_ends_its_stream() {
    for part in [body(&"x".repeat(5000)), Part::File(file(&[b'x'; 5000]))] {
        let mut pair = narrow(10);
        let (response, _) = pair.open(get(), true);
        let stream = pair.server.one().stream;
        pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
        pair.server.send(stream, part);
        pair.drive();
        pair.server.pass(Duration::from_secs(29));
        assert_eq!(pair.server.one().end, Some(End::Complete(None)));
        pair.server.pass(Duration::from_secs(2));
        assert_eq!(pair.server.one().end, Some(End::Abort(Reason::ClientStalled)));
        assert_eq!(pair.server.send(stream, body("more")), Flow::Gone);
        assert_eq!(faults(&pair.server), [Fault::ResponseStalled]);
        assert!(!pair.reply(response).complete);
        let (next, _) = pair.open(get(), true);
        pair.server.ok("next");
        assert_eq!(pair.reply(next).body, b"next");
    }
}

#[test]
fn what_the_socket_does_not_take_is_bounded() {
    let mut pair = narrow(1 << 30);
    let (_response, _) = pair.open(get(), true);
    let stream = pair.server.one().stream;
    pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
    for _ in 0..1000 {
        pair.server.send(stream, Part::Body(Bytes::from(vec![b'x'; 10_000])));
    }
    let most = WRITE_BUFFER_BYTES_MAX + H2_TAPE_BYTES_MAX;
    assert!(pair.server.out.len() <= most as u64, "{}", pair.server.out.len());
    assert!(pair.server.released <= (most + 2 * H2_SEND_BYTES_MAX) as u64);
}

#[test]
fn a_break_behind_content_lets_the_content_through() {
    let mut pair = Pair::new();
    let (response, _) = pair.open(get(), true);
    let stream = pair.server.one().stream;
    let now = pair.server.now;
    for part in
        [Part::Head(head(200, Streamed, &[])), body("part"), Part::Abort(Reason::WorkerLost)]
    {
        pair.server.protocol.send(stream, part, &now);
    }
    pair.server.send(stream, Part::End(None));
    let reply = pair.reply(response);
    assert_eq!((reply.status, &reply.body[..], reply.complete), (200, &b"part"[..], false));
}

#[test]
fn content_beyond_the_bound_is_refused() {
    let post = |length: Option<usize>| {
        let request = http::Request::post("http://localhost/");
        length.into_iter().fold(request, |r, n| r.header("content-length", n)).body(()).unwrap()
    };
    let mut pair = Pair::new();
    let (response, _stream) = pair.open(post(Some(100_001)), false);
    assert!(pair.server.seen.is_empty());
    assert_eq!(pair.reply(response).status, 413);
    let (response, mut stream) = pair.open(post(None), false);
    for _ in 0..11 {
        stream.send_data(Bytes::from(vec![0; 10_000]), false).unwrap();
        pair.drive();
    }
    assert_eq!(pair.server.one().end, Some(End::Abort(Reason::Refused)));
    assert_eq!(pair.reply(response).status, 413);
    assert_eq!(faults(&pair.server), [Fault::ContentTooLarge; 2]);
    let (next, _) = pair.open(get(), true);
    pair.server.ok("next");
    assert_eq!(pair.reply(next).body, b"next");
}

#[test]
fn too_much_content_breaks_off_a_response_that_has_begun() {
    let settings = HttpSettings { body_bytes_max: 10, ..settings() };
    let mut pair = Pair::with(settings, &h2::client::Builder::new());
    let post = http::Request::post("http://localhost/").body(()).unwrap();
    let (_response, mut stream) = pair.open(post, false);
    pair.server.send(1, Part::Head(head(200, Streamed, &[])));
    pair.server.send(1, body("begun"));
    pair.drive();
    stream.send_data(Bytes::from_static(b"eleven more"), false).unwrap();
    pair.drive();
    assert_eq!(pair.server.one().end, Some(End::Abort(Reason::Refused)));
    let reset = stream.poll_reset(&mut cx());
    assert!(matches!(reset, Poll::Ready(Ok(h2::Reason::INTERNAL_ERROR))), "{reset:?}");
    let (next, _) = pair.open(get(), true);
    pair.server.ok("next");
    assert_eq!(pair.reply(next).body, b"next");
}

#[test]
fn content_that_stops_is_refused_and_a_reset_is_told() {
    let mut pair = Pair::new();
    let post = || http::Request::post("http://localhost/").body(()).unwrap();
    let (response, mut stream) = pair.open(post(), false);
    stream.send_data(Bytes::from_static(b"ab"), false).unwrap();
    pair.drive();
    pair.server.pass(Duration::from_secs(31));
    assert_eq!(pair.server.one().end, Some(End::Abort(Reason::ClientStalled)));
    assert_eq!(pair.reply(response).status, 408);
    let (_response, mut stream) = pair.open(post(), false);
    stream.send_reset(h2::Reason::CANCEL);
    pair.drive();
    assert_eq!(pair.server.seen[1].end, Some(End::Abort(Reason::ClientGone)));
    let id = pair.server.seen[1].stream;
    assert_eq!(pair.server.send(id, Part::Head(head(200, Streamed, &[]))), Flow::Gone);
}

#[test]
fn a_client_that_waits_is_told_to_go_on() {
    let mut pair = Pair::new();
    let request = http::Request::post("http://localhost/").header("expect", "100-continue");
    let (mut response, mut stream) = pair.open(request.body(()).unwrap(), false);
    let Poll::Ready(Some(Ok(interim))) = response.poll_informational(&mut cx()) else {
        panic!("no 100")
    };
    assert_eq!(interim.status(), 100);
    stream.send_data(Bytes::from_static(b"ab"), true).unwrap();
    pair.drive();
    assert_eq!(pair.server.one().body, b"ab");
    pair.server.ok("ok");
    assert_eq!(pair.reply(response).status, 200);
}

#[test]
fn content_that_its_handler_asks_for_comes_when_it_does() {
    let mut pair = Pair::with(
        HttpSettings {
            streamed: vec![Bytes::from_static(b"/up")],
            body_timeout: Duration::from_secs(1),
            ..settings()
        },
        &h2::client::Builder::new(),
    );
    for asked in [true, false] {
        let before = pair.server.seen.len();
        let request = http::Request::post("http://localhost/up/x").header("expect", "100-continue");
        let (mut response, mut stream) = pair.open(request.body(()).unwrap(), false);
        stream.send_data(Bytes::from_static(b"ab"), true).unwrap();
        pair.drive();
        assert!(response.poll_informational(&mut cx()).is_pending());
        let seen = &pair.server.seen[before];
        assert!(seen.head.streamed && seen.body.is_empty());
        let id = seen.stream;
        // The handler takes its time; the client does not wait for nothing.
        pair.server.pass(Duration::from_secs(5));
        if asked {
            pair.server.set_paused(id, false);
            pair.drive();
            let Poll::Ready(Some(Ok(interim))) = response.poll_informational(&mut cx()) else {
                panic!("no 100")
            };
            assert_eq!(interim.status(), 100);
            assert_eq!(pair.server.seen[before].body, b"ab");
        }
        pair.server.respond(id, head(200, Known(2), &[]), b"ok");
        // Too late for 100.
        pair.server.set_paused(id, false);
        pair.drive();
        assert!(matches!(response.poll_informational(&mut cx()), Poll::Ready(None)));
        assert_eq!(pair.reply(response).status, 200);
    }
    assert_eq!(pair.server.refusals.len(), 0);
}

#[test]
fn requests_that_are_not_served() {
    let mut pair = Pair::new();
    let cases = [
        (http::Request::get("http://localhost/").header("host", "other"), 400),
        (http::Request::get(format!("http://localhost/{}", "x".repeat(100))), 414),
        (http::Request::get("http://localhost/").header("x", "y".repeat(390)), 200),
        (http::Request::get("http://localhost/").header("x", "y".repeat(401)), 431),
        (http::Request::get("http://localhost/").header("expect", "wonders"), 417),
        (http::Request::connect("localhost:80"), 501),
    ];
    for (request, status) in cases {
        let before = pair.server.seen.len();
        let (response, _) = pair.open(request.body(()).unwrap(), true);
        if pair.server.seen.len() > before {
            pair.server.ok("ok");
        }
        assert_eq!(pair.reply(response).status, status);
    }
}

#[test]
fn cookies_are_joined_and_the_authority_is_the_host() {
    let mut pair = Pair::new();
    let request = Request::new("GET", "/").field("cookie", "a=1").field("Cookie", "b=2");
    let _response = pair.request(&request);
    let fields = &pair.server.one().head.fields;
    assert_eq!(fields.get_all(b"cookie").collect::<Vec<_>>(), [b"a=1; b=2"]);
    assert_eq!(fields.get_all(b"host").collect::<Vec<_>>(), [b"localhost"]);
    assert_eq!(pair.server.one().head.origin.stream, pair.server.one().stream);
}

#[test]
fn a_shutdown_lets_streams_finish_and_takes_no_more() {
    let mut pair = Pair::new();
    let (response, _) = pair.open(get(), true);
    pair.server.shutdown();
    pair.drive();
    let ready = pair.client.requests.poll_ready(&mut cx());
    assert!(matches!(ready, Poll::Ready(Err(_))), "told that no new stream is taken");
    assert_eq!(pair.server.closing(), None);
    pair.server.ok("last");
    assert_eq!(pair.reply(response).body, b"last");
    assert_eq!(pair.server.closing(), Some(Closing::Linger));
    assert!(matches!(pair.client.ended, Some(None)));
}

#[test]
fn connections_without_streams_end_in_time() {
    let mut server = server(settings());
    server.feed(&PREFACE[..10]).pass(Duration::from_secs(9));
    assert_eq!(server.closing(), None);
    server.pass(Duration::from_secs(2));
    server.written();
    assert_eq!(server.closing(), Some(Closing::Linger));
    // A client that answers.
    let mut pair = Pair::new();
    pair.server.pass(Duration::from_secs(76));
    pair.drive();
    assert_eq!(pair.server.closing(), Some(Closing::Linger));
    // One that does not, but pings.
    let mut server = greeted();
    server.pass(Duration::from_secs(70)).feed(frame(6, 0, 0, &[0; 8])).pass(Duration::from_secs(6));
    assert_eq!((goaway(&mut server), server.closing()), (Some(0), None));
    server.pass(FAREWELL_TIME_MAX);
    assert_eq!(server.closing(), Some(Closing::Close));
}

#[test]
fn resets_without_end_are_too_many() {
    // Together with their requests, so that none of them becomes one.
    let mut server = greeted();
    let pair = |id: u32| [frame(1, 5, id, GET), frame(3, 0, id, &[0, 0, 0, 8])].concat();
    server.feed((0..1000).flat_map(|n| pair(1 + 2 * n)).collect::<Vec<_>>());
    assert_eq!(goaway(&mut server), CALM);
    assert!(faults(&server).contains(&Fault::Flood(Flood::Http2Reset)));
    assert!(server.seen.iter().all(|seen| seen.end == Some(End::Abort(Reason::ClientGone))));
    // One by one.
    let mut server = greeted();
    let mut id = 1;
    while server.closing().is_none() && id < 10_000 {
        server.feed(frame(1, 5, id, GET)).feed(frame(3, 0, id, &[0, 0, 0, 8]));
        if goaway(&mut server) == CALM {
            break;
        }
        id += 2;
    }
    assert!(id / 2 < H2_IDLE_FRAMES_MAX as u32 + 10, "{id}");
    assert!(faults(&server).contains(&Fault::Flood(Flood::Http2Reset)));
}

#[test]
fn all_streams_may_be_reset_at_once() {
    // A browser leaves a page, and what it has asked for and taken back arrives in one piece.
    let mut server = greeted();
    let most = settings().http2.streams_max;
    let pair = |id: u32| [frame(1, 5, id, GET), frame(3, 0, id, &[0, 0, 0, 8])].concat();
    server.feed((0..most).flat_map(|n| pair(1 + 2 * n)).collect::<Vec<_>>());
    server.feed(frame(1, 5, 1 + 2 * most, GET)).ok("still here");
    assert_eq!(goaway(&mut server), None, "{:?}", faults(&server));
    assert_eq!(server.seen.last().unwrap().end, Some(End::Complete(None)));
}

#[test]
fn floods_end_in_a_plea_for_calm() {
    let mut long = vec![frame(1, 0, 1, GET)];
    long.extend((0..1000).map(|_| frame(9, 0, 1, b"\x00\x01a\x01b")));
    let opened = frame(1, 4, 1, b"\x83\x86\x84\x01\x01a");
    let cases = [
        (Flood::Http2Ping, frame(6, 0, 0, &[0; 8]).repeat(5000)),
        (Flood::Http2Settings, frame(4, 0, 0, &[]).repeat(5000)),
        (Flood::Http2Other, frame(2, 0, 1, &[0, 0, 0, 0, 1]).repeat(5000)),
        (Flood::Http2Other, frame(99, 0, 0, &[]).repeat(5000)),
        (Flood::Http2EmptyFrame, [opened, frame(0, 0, 1, b"").repeat(5000)].concat()),
        (Flood::Http2Header, long.concat()),
    ];
    for (what, flood) in cases {
        let mut server = greeted();
        for piece in flood.chunks(1000) {
            server.feed(piece);
            assert!(server.out.len() <= (WRITE_BUFFER_BYTES_MAX + H2_TAPE_BYTES_MAX) as u64);
        }
        assert_eq!(goaway(&mut server), CALM, "{what:?}");
        assert!(faults(&server).contains(&Fault::Flood(what)), "{what:?}");
        assert_eq!(server.closing(), Some(Closing::Linger), "{what:?}");
    }
}

#[test]
fn resets_that_the_server_is_made_to_send_are_too_many() {
    // A window beyond 2^31 - 1 is an error of the stream (RFC 9113, 6.9.1).
    let mut server = greeted();
    let mut bytes = Vec::new();
    for n in 0..3000 {
        bytes.extend(frame(1, 5, 1 + 2 * n, GET));
        bytes.extend(frame(8, 0, 1 + 2 * n, &[0x7f, 0xff, 0xff, 0xff]));
    }
    for piece in bytes.chunks(2000) {
        server.feed(piece);
    }
    assert_eq!(goaway(&mut server), CALM);
    assert!(faults(&server).contains(&Fault::Flood(Flood::Http2Reset)));
}

#[test]
fn more_streams_than_allowed_are_refused() {
    let mut options = settings();
    options.http2.streams_max = 3;
    let mut server = server(options);
    server.feed([&PREFACE[..], &frame(4, 0, 0, b""), &frame(4, 1, 0, b"")].concat());
    for n in 0..5 {
        server.feed(frame(1, 5, 1 + 2 * n, GET));
    }
    assert_eq!(server.seen.len(), 3);
}

fn detecting(settings: HttpSettings) -> Server {
    let now = common::now();
    let protocol =
        Detect::new(settings.into(), common::origin(), wire::Scheme::Http, common::read_file, &now);
    Server::over(Box::new(protocol), now)
}

#[test]
fn a_cleartext_port_knows_both() {
    let mut http2 = detecting(settings());
    http2.drip(PREFACE).feed(frame(4, 0, 0, b"")).feed(frame(1, 5, 1, GET));
    assert_eq!(http2.one().head.version, wire::Version::Http2);
    for request in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRINT / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut http1 = detecting(settings());
        http1.drip(request);
        assert_eq!(http1.one().head.version, wire::Version::Http11);
    }
    detecting(settings()).feed("PRI * HTTP/2.0\r\n\r\nGET").assert_refused(Fault::Version);
    detecting(settings()).feed("PRI * HT").pass(MINUTE).assert_refused(Fault::HeadTimeout);
    detecting(settings()).feed(&PREFACE[..20]).pass(MINUTE).assert_refused(Fault::HeadTimeout);
    let mut silent = detecting(settings());
    silent.feed(&PREFACE[..20]).eof();
    assert_eq!((silent.written().len(), silent.closing()), (0, Some(Closing::Close)));
    let mut options = settings();
    options.http2.enabled = false;
    detecting(options).feed(PREFACE).assert_refused(Fault::Version);
}

#[test]
fn the_clients_end_ends_its_requests() {
    let mut pair = Pair::new();
    let post = http::Request::post("http://localhost/").body(()).unwrap();
    let (_response, _stream) = pair.open(post, false);
    pair.server.eof();
    assert_eq!(pair.server.one().end, Some(End::Abort(Reason::ClientGone)));
    assert_eq!(pair.server.closing(), Some(Closing::Close));
    assert_eq!(pair.server.send(1, Part::End(None)), Flow::Gone);
}
