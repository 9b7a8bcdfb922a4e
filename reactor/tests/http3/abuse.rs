//! Work for the server that serves nobody.

use std::time::Duration;

use quiche::Shutdown;
use reactor::protocol::error::Fault;
use reactor::protocol::settings::{Http3Settings, HttpSettings};
use wire::limits::*;

use super::common::h3::{GET, Pair};
use super::common::settings;
use super::{closed_with, still_serves};

const CALM: Option<u64> = Some(0x107);

fn assert_calmed(pair: &Pair) {
    assert_eq!(closed_with(pair), CALM, "H3_EXCESSIVE_LOAD");
    assert_eq!(pair.server.faults(), [Fault::Flood]);
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
    assert_calmed(&pair);
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
    assert_calmed(&pair);
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
    assert_calmed(&flood(b"\x00\x00"));
    assert_calmed(&flood(b"\x21\x02xx"));
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
    assert_calmed(&pair);
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
