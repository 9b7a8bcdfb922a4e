//! Work for the server that serves nobody.

use std::time::Duration;

use protocol::error::Fault;
use protocol::flood::Flood;
use protocol::settings::{Http3Settings, HttpSettings};
use quiche::Shutdown;
use quiche::h3::Header;
use wire::limits::*;

use super::common::h3::{GET, Pair};
use super::common::settings;
use super::{closed_with, still_serves};

const CALM: Option<u64> = Some(0x107);

fn assert_calmed(pair: &Pair, flood: Flood) {
    assert_eq!(closed_with(pair), CALM, "H3_EXCESSIVE_LOAD");
    assert_eq!(pair.server.faults(), [Fault::Flood(flood)]);
    assert!(pair.server.http3.is_idle());
}

#[test]
fn a_page_that_is_left_is_no_flood() {
    let mut pair = Pair::new();
    for _ in 0..5 {
        let streams: Vec<_> = (0..100).map(|_| pair.client.request(GET, true)).collect();
        pair.drive();
        for stream in streams {
            pair.client.quic.stream_shutdown(stream, Shutdown::Read, 0x10c).unwrap();
        }
        pair.drive();
    }
    assert!(pair.server.refusals.is_empty());
    still_serves(&mut pair);
}

#[test]
fn resets_without_end_are_too_many() {
    let mut pair = Pair::new();
    for _ in 0..100 {
        if closed_with(&pair).is_some() {
            break;
        }
        for _ in 0..50 {
            let stream = pair.client.request(GET, false);
            pair.client.quic.stream_shutdown(stream, Shutdown::Write, 0x10c).unwrap();
            let _ = pair.client.quic.stream_shutdown(stream, Shutdown::Read, 0x10c);
        }
        pair.drive();
    }
    assert_calmed(&pair, Flood::Http3Reset);
}

#[test]
fn honest_work_is_never_too_much() {
    let mut pair = Pair::new();
    let rounds = QUIC_IDLE_BYTES_MAX / 300;
    for _ in 0..rounds {
        let stream = pair.get();
        pair.server.respond(stream, 200, b"hello");
        pair.drive();
        pair.client.replies.clear();
        pair.server.seen.clear();
    }
    assert!(pair.server.refusals.is_empty() && closed_with(&pair).is_none());
}

#[test]
fn requests_with_large_heads_are_honest_work() {
    let http = HttpSettings { header_bytes_max: 32 << 10, ..HttpSettings::default() };
    // Nothing that Huffman code makes smaller.
    let cookie = vec![b'~'; 12_000];
    let fields = [GET, &[("cookie", &cookie[..])]].concat();
    let list: Vec<_> =
        fields.iter().map(|(name, value)| Header::new(name.as_bytes(), value)).collect();
    let mut pair = Pair::with(http);
    // As many as may be open at a time are more than the purse pays for.
    for _ in 0..8 {
        let mut asked = Vec::new();
        while asked.len() < 120 {
            let (h3, quic) = pair.client.h3();
            if let Ok(stream) = h3.send_request(quic, &list, true) {
                asked.push(stream);
            }
            pair.drive();
            assert_eq!(closed_with(&pair), None, "{}", asked.len());
        }
        for stream in asked {
            pair.server.respond(stream, 200, b"hello");
        }
        pair.drive();
    }
    assert!(pair.server.refusals.is_empty());
    still_serves(&mut pair);
    // Unless nobody wants the answers.
    for nth in 0.. {
        let (h3, quic) = pair.client.h3();
        if let Ok(stream) = h3.send_request(quic, &list, true) {
            pair.drive();
            pair.client.quic.stream_shutdown(stream, Shutdown::Read, 0x10c).unwrap();
        }
        pair.drive();
        if closed_with(&pair).is_some() {
            break;
        }
        assert!(nth < QUIC_IDLE_BYTES_MAX / 10_000);
    }
    assert_calmed(&pair, Flood::Http3Reset);
}

/// Lets the client have said what it can at a time, and then the server.
fn half_round_trips(pair: &mut Pair) -> bool {
    let mut up = pair.client.packets();
    for packet in &mut up {
        pair.server.receive(packet);
    }
    let mut down = pair.server.packets();
    for packet in &mut down {
        pair.client.receive(packet);
    }
    !up.is_empty() || !down.is_empty()
}

/// Begins so many uploads of more than is allowed, each with as much as may be under way. They go on
/// until the client is told to stop.
fn refused_uploads(pair: &mut Pair, count: usize) {
    let content = vec![0; 256 << 10];
    let fields = [&[POST][..], &GET[1..], &[("content-length", b"99999999")]].concat();
    let list: Vec<_> =
        fields.iter().map(|(name, value)| Header::new(name.as_bytes(), value)).collect();
    let mut streams = Vec::new();
    while streams.len() < count {
        let (h3, quic) = pair.client.h3();
        match h3.send_request(quic, &list, false) {
            Ok(stream) => {
                let sent = h3.send_body(quic, stream, &content, false).unwrap_or(0);
                streams.push((stream, sent));
            }
            Err(_) => assert!(half_round_trips(pair)),
        }
    }
    loop {
        for (stream, sent) in &mut streams {
            let (h3, quic) = pair.client.h3();
            *sent += h3.send_body(quic, *stream, &content[*sent..], false).unwrap_or(0);
        }
        if !half_round_trips(pair) {
            break;
        }
    }
    let refused = pair.server.faults().iter().filter(|f| **f == Fault::ContentTooLarge).count();
    assert_eq!(refused, count, "{:?}", pair.server.faults());
}

const POST: (&str, &[u8]) = (":method", b"POST");

#[test]
fn uploads_that_are_refused_are_no_flood() {
    let mut pair = Pair::new();
    let other = pair.get();
    for _ in 0..5 {
        refused_uploads(&mut pair, 8);
        pair.server.refusals.clear();
        assert_eq!(closed_with(&pair), None);
    }
    pair.server.respond(other, 200, b"here");
    assert_eq!(pair.reply(other).body, b"here");
    still_serves(&mut pair);
    // What is no longer under way is no excuse.
    for nth in 0.. {
        pair.client.quic.send_ack_eliciting().unwrap();
        pair.drive();
        if closed_with(&pair).is_some() {
            break;
        }
        assert!(nth < 20_000);
    }
    assert_calmed(&pair, Flood::Http3Other);
}

#[test]
fn pings_without_end_are_too_many() {
    let mut pair = Pair::new();
    for nth in 0.. {
        pair.client.quic.send_ack_eliciting().unwrap();
        pair.drive();
        if closed_with(&pair).is_some() {
            assert!(nth > 2_000, "{nth}");
            break;
        }
        assert!(nth < 20_000);
    }
    assert_calmed(&pair, Flood::Http3Other);
    // At a rate that is bearable there may be any number.
    let mut pair = Pair::new();
    for _ in 0..2000 {
        for _ in 0..10 {
            pair.client.quic.send_ack_eliciting().unwrap();
            pair.drive();
        }
        pair.server.now.instant += Duration::from_secs(1);
    }
    assert!(pair.server.refusals.is_empty());
}

/// Sends a request's frames over and over.
fn flood(frames: &[u8]) -> Pair {
    let mut pair = Pair::new();
    let stream = pair.client.request(GET, false);
    pair.drive();
    let trash = frames.repeat(2000 / frames.len());
    for _ in 0..10_000 {
        if closed_with(&pair).is_some() {
            break;
        }
        let _ = pair.client.quic.stream_send(stream, &trash, false);
        pair.drive();
    }
    pair
}

#[test]
fn frames_that_say_nothing_are_too_many_in_the_end() {
    assert_calmed(&flood(b"\x00\x00"), Flood::Http3Other);
    assert_calmed(&flood(b"\x21\x02xx"), Flood::Http3Other);
}

#[test]
fn one_way_streams_are_forgotten_at_their_end() {
    let mut pair = Pair::new();
    for nth in 3..1000 {
        pair.client.quic.stream_send(nth * 4 + 2, b"\x21", true).unwrap();
        pair.drive();
    }
    still_serves(&mut pair);
}

#[test]
fn priority_updates_without_end_are_too_many() {
    let mut pair = Pair::new();
    let stream = pair.get();
    for nth in 0..200_000u32 {
        let priority = quiche::h3::Priority::new((nth % 8) as u8, false);
        let (h3, quic) = pair.client.h3();
        if h3.send_priority_update_for_request(quic, stream, &priority).is_err() || nth % 100 == 0 {
            pair.drive();
        }
        if closed_with(&pair).is_some() {
            break;
        }
    }
    assert_calmed(&pair, Flood::Http3Other);
}

#[test]
fn heads_that_do_not_come_are_not_waited_for() {
    let mut pair = Pair::new();
    let bits = b"\x01\x40\x80\x00\x00";
    let streams: Vec<_> = (0..50).map(|nth| nth * 4).collect();
    for stream in &streams {
        pair.client.quic.stream_send(*stream, bits, false).unwrap();
    }
    pair.drive();
    assert!(!pair.server.http3.is_idle());
    pair.pass(Duration::from_secs(9));
    assert!(pair.server.refusals.is_empty());
    pair.pass(Duration::from_secs(2));
    assert_eq!(pair.server.faults(), [Fault::HeadTimeout; 50]);
    for stream in streams {
        assert_eq!(pair.client.resets.get(&stream), Some(&0x10d), "H3_REQUEST_INCOMPLETE");
    }
    pair.drive();
    assert!(pair.server.http3.is_idle());
}

#[test]
fn more_streams_than_allowed_are_not_opened() {
    let http3 = Http3Settings { streams_max: 3, ..Http3Settings::default() };
    let mut pair = Pair::with(HttpSettings { http3, ..settings() });
    for _ in 0..3 {
        pair.get();
    }
    let (h3, quic) = pair.client.h3();
    let list = [quiche::h3::Header::new(b":method", b"GET")];
    let limit = quiche::h3::Error::TransportError(quiche::Error::StreamLimit);
    assert_eq!(h3.send_request(quic, &list, true), Err(limit));
    for stream in [0, 4, 8] {
        pair.server.respond(stream, 200, b"ok");
        pair.drive();
    }
    still_serves(&mut pair);
}
