//! Streams that are over for one side: they are forgotten in the end.

use std::time::Duration;

use protocol::settings::{Http3Settings, HttpSettings};
use protocol::{Input, Protocol};
use quiche::Shutdown;
use wire::BodyLength::Streamed;
use wire::limits::*;
use wire::{Part, Reason};

use super::common::h3::{GET, Pair};
use super::common::{End, head, settings};
use super::still_serves;

/// A client that may open four streams at a time: those that are kept are missing soon.
fn few_streams() -> Pair {
    let http3 = Http3Settings { streams_max: 4, ..Http3Settings::default() };
    Pair::with(HttpSettings { http3, ..settings() })
}

#[test]
fn a_response_that_is_given_up_while_it_ends_is_forgotten() {
    let mut pair = few_streams();
    for _ in 0..20 {
        let stream = pair.get();
        pair.server.respond(stream, 200, b"all of it");
        pair.client.quic.stream_shutdown(stream, Shutdown::Read, 0x10c).unwrap();
        pair.drive();
    }
    still_serves(&mut pair);
}

#[test]
fn a_request_that_goes_on_behind_its_answer_is_forgotten() {
    let mut pair = few_streams();
    for give_up in [false, true].repeat(10) {
        let stream = pair.client.request(GET, false);
        pair.drive();
        pair.server.respond(stream, 200, b"all of it");
        if give_up {
            pair.client.quic.stream_shutdown(stream, Shutdown::Read, 0x10c).unwrap();
            pair.client.quic.stream_shutdown(stream, Shutdown::Write, 0x10c).unwrap();
        }
        pair.drive();
    }
    still_serves(&mut pair);
}

#[test]
fn streams_that_clients_end_late_are_forgotten_though_packets_are_lost() {
    // Answered, and refused.
    for path in ["/", ""] {
        let mut pair = few_streams();
        for _ in 0..3 {
            for _ in 0..3 {
                let stream = last_words_are_lost(&mut pair, path);
                let reset = pair.client.resets.get(&stream).copied();
                assert_eq!(reset, path.is_empty().then_some(0x10e));
            }
            pair.pass(QUIC_LINGER_TIME);
            still_serves(&mut pair);
        }
    }
}

/// A request that is over before its end.
fn last_words_are_lost(pair: &mut Pair, path: &str) -> u64 {
    let fields = [GET[0], GET[1], GET[2], (":path", path.as_bytes())];
    let stream = pair.client.request(&fields, false);
    for mut packet in pair.client.packets() {
        pair.server.receive(&mut packet);
    }
    if !path.is_empty() {
        pair.server.respond(stream, 200, b"all of it");
    }
    for mut packet in pair.server.packets() {
        pair.client.receive(&mut packet);
    }
    // An acknowledgement of the answer, and the end of the request.
    let _lost = pair.client.packets();
    // The next acknowledgement comes alone.
    for _ in 0..5 {
        pair.server.http3.quic().send_ack_eliciting().unwrap();
        pair.drive();
        pair.client.quic.send_ack_eliciting().unwrap();
        pair.drive();
    }
    stream
}

/// Lets the server's time go by, so that what waits for it is sent, and the client have that.
fn wait(pair: &mut Pair, time: Duration) {
    pair.server.now.instant += time;
    let now = pair.server.now;
    pair.server.http3.receive(Input::Timeout, &now);
    pair.server.turn();
    for mut packet in pair.server.packets() {
        pair.client.receive(&mut packet);
    }
}

/// Acknowledgements of all that has come.
fn acknowledge(pair: &mut Pair) {
    for _ in 0..5 {
        pair.server.http3.quic().send_ack_eliciting().unwrap();
        pair.drive();
        pair.client.quic.send_ack_eliciting().unwrap();
        pair.drive();
    }
}

/// A request that goes on, which only the server knows of so far.
fn endless(pair: &mut Pair) -> u64 {
    let stream = pair.client.request(GET, false);
    for mut packet in pair.client.packets() {
        pair.server.receive(&mut packet);
    }
    stream
}

#[test]
fn responses_that_break_off_before_the_request_ends_are_forgotten_though_packets_are_lost() {
    for reason in [Reason::WorkerLost, Reason::ClientGone] {
        let mut pair = few_streams();
        for _ in 0..12 {
            let stream = endless(&mut pair);
            // Behind a head, and before there is one.
            if reason == Reason::WorkerLost {
                pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
            }
            pair.server.send(stream, Part::Abort(reason));
            for _ in 0..2 {
                for mut packet in pair.server.packets() {
                    pair.client.receive(&mut packet);
                }
                let _lost = pair.client.packets();
                wait(&mut pair, QUIC_BREAK_TIME_MAX);
            }
            let _lost = pair.client.packets();
            acknowledge(&mut pair);
            let code = if reason == Reason::WorkerLost { 0x102 } else { 0x10c };
            assert_eq!(pair.client.resets.get(&stream), Some(&code), "{reason:?}");
        }
        still_serves(&mut pair);
    }
}

#[test]
fn a_break_is_told_also_to_a_client_that_does_not_stop() {
    let mut pair = Pair::new();
    let stream = endless(&mut pair);
    pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
    pair.server.send(stream, Part::Abort(Reason::WorkerLost));
    let _told = pair.server.packets();
    // Nothing comes of the client's any more.
    for time in [QUIC_BREAK_TIME_MAX, QUIC_LINGER_TIME - Duration::from_millis(1)] {
        wait(&mut pair, time);
        pair.client.turn();
        assert!(pair.client.resets.is_empty());
    }
    wait(&mut pair, Duration::from_millis(1));
    pair.client.turn();
    assert_eq!(pair.client.resets.get(&stream), Some(&0x102), "H3_INTERNAL_ERROR");
}

#[test]
fn streams_that_clients_end_much_later_are_forgotten() {
    let mut pair = few_streams();
    for _ in 0..12 {
        let stream = endless(&mut pair);
        pair.server.respond(stream, 200, b"all of it");
        for mut packet in pair.server.packets() {
            pair.client.receive(&mut packet);
        }
        let mut late = pair.client.packets();
        for _ in 0..3 {
            wait(&mut pair, QUIC_LINGER_TIME);
            // The acknowledgement comes without the end.
            let _lost = pair.client.packets();
        }
        acknowledge(&mut pair);
        for packet in &mut late {
            pair.server.receive(packet);
        }
        acknowledge(&mut pair);
        assert!(pair.client.replies[&stream].complete);
        pair.pass(QUIC_LINGER_TIME);
    }
    still_serves(&mut pair);
}

#[test]
fn a_response_that_takes_long_to_arrive_is_not_taken_back() {
    let mut pair = few_streams();
    for _ in 0..12 {
        let stream = endless(&mut pair);
        pair.server.respond(stream, 200, b"all of it");
        let late = pair.server.packets();
        wait(&mut pair, QUIC_LINGER_TIME);
        pair.client.turn();
        assert!(!pair.client.resets.contains_key(&stream));
        for mut packet in late {
            pair.client.receive(&mut packet);
        }
        let reply = pair.reply(stream);
        assert_eq!((reply.complete, &reply.body[..]), (true, &b"all of it"[..]));
        pair.pass(QUIC_LINGER_TIME);
    }
    still_serves(&mut pair);
}

#[test]
fn a_request_that_is_given_up_as_it_comes_reaches_nobody() {
    for last in [true, false] {
        let mut pair = few_streams();
        for _ in 0..20 {
            let stream = pair.client.request(GET, last);
            pair.client.quic.stream_shutdown(stream, Shutdown::Read, 0x10c).unwrap();
            pair.drive();
            assert!(pair.server.seen.is_empty() && pair.server.http3.is_idle(), "{last}");
        }
        still_serves(&mut pair);
    }
}

#[test]
fn a_request_that_is_given_up_with_its_end_is_told_so() {
    let mut pair = few_streams();
    for _ in 0..20 {
        let stream = pair.client.request(GET, false);
        pair.drive();
        let (h3, quic) = pair.client.h3();
        h3.send_body(quic, stream, b"all of it", true).unwrap();
        quic.stream_shutdown(stream, Shutdown::Read, 0x10c).unwrap();
        pair.drive();
        let seen = pair.server.seen.pop().unwrap();
        assert_eq!(seen.end, Some(End::Abort(Reason::ClientGone)));
        assert!(pair.server.seen.is_empty() && pair.server.http3.is_idle());
    }
    still_serves(&mut pair);
}
