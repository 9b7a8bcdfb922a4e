//! Requests: content, refusals, resets, and what comes before the handshake is done.

use std::time::Duration;

use bytes::Bytes;
use protocol::error::Fault;
use protocol::settings::{Http3Settings, HttpSettings};
use protocol::{Flow, Protocol};
use wire::BodyLength::Streamed;
use wire::limits::QUIC_BREAK_TIME_MAX;
use wire::{Part, Reason};

use super::common::client::Request;
use super::common::h3::{Client, GET, Pair, Server, client_config, server_config};
use super::common::{End, body, head, settings};
use super::still_serves;

type Fields<'a> = &'a [(&'static str, &'a [u8])];

const POST: Fields<'_> =
    &[(":method", b"POST"), (":scheme", b"https"), (":authority", b"localhost"), (":path", b"/")];

#[test]
fn much_content_crosses_a_small_window() {
    let http3 = Http3Settings {
        window_bytes: 10_000,
        connection_window_bytes: 20_000,
        ..Http3Settings::default()
    };
    let mut pair = Pair::with(HttpSettings { http3, body_bytes_max: 5 << 20, ..settings() });
    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
    let stream = pair.request(&Request::new("POST", "/").body(content.clone()));
    assert!(pair.server.seen[0].body == content);
    assert_eq!(pair.server.seen[0].end, Some(End::Complete(None)));
    pair.server.respond(stream, 200, b"ok");
    assert!(pair.reply(stream).complete);
    still_serves(&mut pair);
}

#[test]
fn content_beyond_the_bound_is_refused() {
    let mut pair = Pair::new();
    let fields = [POST, &[("content-length", b"100001")]].concat();
    let stream = pair.client.request(&fields, false);
    assert_eq!(pair.reply(stream).status, 413);
    assert!(pair.server.seen.is_empty());
    let stream = pair.client.request(POST, false);
    let content = [0; 110_000];
    let (h3, quic) = pair.client.h3();
    let mut sent = h3.send_body(quic, stream, &content, false).unwrap();
    while pair.reply(stream).status == 0 {
        let (h3, quic) = pair.client.h3();
        sent += h3.send_body(quic, stream, &content[sent..], false).unwrap();
    }
    assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::Refused)));
    let reply = pair.reply(stream);
    assert_eq!((reply.status, reply.complete), (413, true));
    assert_eq!(pair.server.faults(), [Fault::ContentTooLarge; 2]);
    // The client is told to stop (RFC 9114, 4.1.1).
    assert_eq!(pair.client.quic.stats().stopped_stream_count_remote, 2);
    still_serves(&mut pair);
}

#[test]
fn too_much_content_breaks_off_a_response_that_has_begun() {
    let mut pair = Pair::with(HttpSettings { body_bytes_max: 10, ..settings() });
    let stream = pair.client.request(POST, false);
    pair.drive();
    pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
    pair.server.send(stream, body("begun"));
    assert_eq!(pair.reply(stream).body, b"begun");
    pair.body(stream, b"eleven more", false);
    assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::Refused)));
    pair.pass(QUIC_BREAK_TIME_MAX);
    assert_eq!(pair.client.resets.get(&stream), Some(&0x102), "H3_INTERNAL_ERROR");
    assert!(!pair.reply(stream).complete && pair.server.http3.is_idle());
    still_serves(&mut pair);
}

#[test]
fn a_request_is_refused_once() {
    let mut pair = Pair::with(HttpSettings { body_bytes_max: 10, ..settings() });
    let stream = pair.client.request(POST, false);
    pair.drive();
    // There is an answer, and it is not on its way yet when there is a reason for another.
    let now = pair.server.now;
    pair.server.http3.send(stream, Part::Abort(Reason::Overloaded), &now);
    pair.body(stream, b"eleven more", false);
    let reply = pair.reply(stream);
    assert_eq!((reply.status, reply.complete), (503, true));
    assert_eq!(reply.get("content-length"), Some(&*reply.body.len().to_string()));
    assert!(pair.server.http3.is_idle());
    still_serves(&mut pair);
}

#[test]
fn content_is_as_long_as_declared() {
    // One that is too short, too long, or not there at all.
    for content in [&b"abc"[..], b"abcde", b""] {
        let mut pair = Pair::new();
        let fields = [POST, &[("content-length", b"4")]].concat();
        let stream = pair.client.request(&fields, content.is_empty());
        pair.body(stream, content, true);
        pair.drive();
        assert_eq!(pair.client.resets.get(&stream), Some(&0x10e), "H3_MESSAGE_ERROR");
        let ends: Vec<_> = pair.server.seen.iter().map(|seen| seen.end.clone()).collect();
        let aborted = vec![Some(End::Abort(Reason::ClientGone)); usize::from(!content.is_empty())];
        assert_eq!(ends, aborted, "{content:?}");
        assert_eq!(pair.server.faults(), [Fault::Message]);
        still_serves(&mut pair);
    }
}

#[test]
fn content_that_stops_is_refused() {
    let mut pair = Pair::new();
    let stream = pair.client.request(POST, false);
    let (h3, quic) = pair.client.h3();
    h3.send_body(quic, stream, b"ab", false).unwrap();
    pair.drive();
    pair.pass(Duration::from_secs(31));
    assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::ClientStalled)));
    assert_eq!(pair.reply(stream).status, 408);
    assert_eq!(pair.server.faults(), [Fault::ContentTimeout]);
    still_serves(&mut pair);
}

#[test]
fn a_reset_is_told() {
    for content in [&b""[..], b"some"] {
        let mut pair = Pair::new();
        let stream = pair.client.request(POST, false);
        pair.body(stream, content, false);
        pair.drive();
        let (_, quic) = pair.client.h3();
        quic.stream_shutdown(stream, quiche::Shutdown::Write, 0x10c).unwrap();
        pair.drive();
        assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::ClientGone)));
        let part = Part::Head(head(200, Streamed, &[]));
        assert_eq!(pair.server.send(stream, part), Flow::Gone);
        // The other direction ends too.
        pair.drive();
        assert_eq!(pair.client.resets.get(&stream), Some(&0x10c));
        still_serves(&mut pair);
    }
}

#[test]
fn a_client_that_waits_is_told_to_go_on() {
    let mut pair = Pair::new();
    let fields = [POST, &[("expect", b"100-continue")]].concat();
    let stream = pair.client.request(&fields, false);
    assert_eq!(pair.reply(stream).interim, [(100, vec![])]);
    pair.body(stream, b"ab", true);
    pair.drive();
    assert_eq!(pair.server.seen[0].body, b"ab");
    pair.server.respond(stream, 200, b"ok");
    assert_eq!(pair.reply(stream).status, 200);
    still_serves(&mut pair);
}

#[test]
fn content_that_its_handler_asks_for_comes_when_it_does() {
    let streamed = vec![Bytes::from_static(b"/")];
    let body_timeout = Duration::from_secs(1);
    let mut pair = Pair::with(HttpSettings { streamed, body_timeout, ..settings() });
    for (nth, asked) in [true, false].into_iter().enumerate() {
        let fields = [POST, &[("expect", b"100-continue")]].concat();
        let stream = pair.client.request(&fields, false);
        pair.drive();
        pair.body(stream, b"ab", true);
        pair.drive();
        assert_eq!(pair.reply(stream).interim, []);
        let seen = &pair.server.seen[nth];
        assert!(seen.head.streamed && seen.body.is_empty());
        // The handler takes its time; the client does not wait for nothing.
        pair.pass(Duration::from_secs(5));
        if asked {
            pair.server.set_paused(stream, false);
            pair.drive();
            assert_eq!(pair.reply(stream).interim, [(100, vec![])]);
            assert_eq!(pair.server.seen[nth].body, b"ab");
        }
        pair.server.respond(stream, 200, b"ok");
        // Too late for 100.
        pair.server.set_paused(stream, false);
        pair.drive();
        let reply = pair.reply(stream);
        assert_eq!((reply.status, reply.interim.len()), (200, usize::from(asked)));
    }
    still_serves(&mut pair);
}

#[test]
fn requests_that_are_not_served() {
    let long = vec![b'a'; 200];
    let cases: [(Fault, Fields<'_>); 8] = [
        (Fault::Connect, &[(":method", b"CONNECT"), (":authority", b"a:1")]),
        (Fault::Host, &[(":method", b"GET"), (":scheme", b"https"), (":path", b"/")]),
        (Fault::Host, &[GET[0], GET[1], GET[2], GET[3], ("host", b"other")]),
        (Fault::Target, &[GET[0], GET[1], GET[2], (":path", b"*")]),
        (Fault::RequestLineTooLong, &[GET[0], GET[1], GET[2], (":path", &long)]),
        (Fault::FieldsTooLarge, &[GET[0], GET[1], GET[2], GET[3], ("x", &long), ("y", &long)]),
        (Fault::Expectation, &[GET[0], GET[1], GET[2], GET[3], ("expect", b"more")]),
        (Fault::ContentLength, &[GET[0], GET[1], GET[2], GET[3], ("content-length", b"+1")]),
    ];
    let mut pair = Pair::new();
    for (nth, (fault, fields)) in cases.into_iter().enumerate() {
        for method in ["", "HEAD"] {
            let mut fields = fields.to_vec();
            if method == "HEAD" && fault != Fault::Connect {
                fields[0].1 = b"HEAD";
            }
            let stream = pair.client.request(&fields, true);
            let reply = pair.reply(stream);
            assert_eq!((reply.status, reply.complete), (fault.status().as_u16(), true), "{nth}");
            assert_eq!(reply.body.is_empty(), fields[0].1 == b"HEAD");
            assert_eq!(pair.server.faults().last(), Some(&fault), "{nth}");
        }
    }
    assert!(pair.server.seen.is_empty());
    still_serves(&mut pair);
}

#[test]
fn cookies_are_joined_and_the_authority_is_the_host() {
    let mut pair = Pair::new();
    let fields = [GET, &[("cookie", b"a=1"), ("x", b"y"), ("cookie", b"b=2")]].concat();
    pair.client.request(&fields, true);
    pair.drive();
    let head = &pair.server.seen[0].head;
    let fields: Vec<_> = head.fields.iter().collect();
    let wanted = [(&b"host"[..], &b"localhost"[..]), (b"x", b"y"), (b"cookie", b"a=1; b=2")];
    assert_eq!(fields, wanted);
    assert_eq!((head.version.as_str(), head.scheme.as_str()), ("HTTP/3", "https"));
}

/// A client that comes back, with what it got the last time.
fn again(settings: &HttpSettings, config: &mut quiche::Config) -> Pair {
    let mut first = Pair::of(Client::new(&mut early()), Server::with(settings.clone(), config));
    first.drive();
    let session = first.client.quic.session().expect("a ticket").to_vec();
    let mut client = Client::new(&mut early());
    client.quic.set_session(&session).unwrap();
    Pair { client, server: Server::with(settings.clone(), config) }
}

fn early() -> quiche::Config {
    let mut config = client_config();
    config.enable_early_data();
    config
}

#[test]
fn only_what_is_safe_is_served_before_the_handshake() {
    let http3 = Http3Settings { early_data: true, ..Http3Settings::default() };
    let settings = HttpSettings { http3, ..settings() };
    let mut config = server_config(&settings);
    let mut pair = again(&settings, &mut config);
    // The first flight, with requests in it.
    let mut flight = pair.client.packets();
    assert!(pair.client.quic.is_in_early_data());
    pair.client.open();
    let own = [GET, &[("early-data", b"0"), ("early-data", b"1")]].concat();
    let safe = [pair.client.request(GET, true), pair.client.request(&own, true)];
    let unsafe_one = pair.client.request(POST, true);
    flight.extend(pair.client.packets());
    for packet in &mut flight {
        pair.server.receive(packet);
    }
    assert!(pair.server.http3.quic().is_in_early_data());
    assert_eq!(pair.server.seen.len(), 2);
    for (seen, stream) in pair.server.seen.iter().zip(safe) {
        assert_eq!((seen.stream, seen.head.fields.get(b"early-data")), (stream, Some(&b"1"[..])));
        assert_eq!(seen.head.fields.iter().filter(|(name, _)| *name == b"early-data").count(), 1);
    }
    for stream in safe {
        pair.server.respond(stream, 200, b"early");
    }
    assert!(safe.into_iter().all(|stream| pair.reply(stream).body == b"early"));
    let refused = pair.reply(unsafe_one);
    assert_eq!((refused.status, refused.complete), (425, true));
    assert_eq!(pair.server.faults(), [Fault::TooEarly]);
    // Afterwards it is served, and is as any other.
    let stream = pair.client.request(POST, true);
    pair.drive();
    let seen = pair.server.seen.last().unwrap();
    assert_eq!((seen.stream, seen.head.fields.get(b"early-data")), (stream, None));
    pair.server.respond(stream, 200, b"late");
    pair.drive();
    still_serves(&mut pair);
}

#[test]
fn without_the_option_nothing_is_early() {
    let settings = settings();
    let mut config = server_config(&settings);
    let mut pair = again(&settings, &mut config);
    let flight = pair.client.packets();
    assert!(!flight.is_empty() && !pair.client.quic.is_in_early_data());
    for mut packet in flight {
        pair.server.receive(&mut packet);
    }
    pair.drive();
    assert!(pair.client.quic.is_resumed());
    still_serves(&mut pair);
}
