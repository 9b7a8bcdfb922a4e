//! The end of connections.

use std::time::Duration;

use protocol::error::Fault;
use protocol::{Flow, Input, Protocol};
use wire::BodyLength::Streamed;
use wire::limits::*;
use wire::{Part, Reason};

use super::common::h3::{Client, GET, Pair, Server, client_config};
use super::common::{End, body, head, settings};
use super::{MINUTE, closed_with, still_serves};

const NO_ERROR: Option<u64> = Some(0x100);

#[test]
fn a_shutdown_lets_streams_finish_and_takes_no_more() {
    let mut pair = Pair::new();
    let before = pair.get();
    let now = pair.server.now;
    pair.server.http3.shutdown(&now);
    // One that crosses the word is served.
    let crossing = pair.client.request(GET, true);
    pair.drive();
    assert_eq!(pair.server.seen.len(), 2);
    assert_eq!(pair.client.goaways.len(), 1, "{:?}", pair.client.goaways);
    pair.pass(QUIC_GOAWAY_TIME);
    assert_eq!(pair.client.goaways.last(), Some(&(crossing + 4)));
    let raw = crossing + 4;
    // A client that goes on all the same may do so elsewhere.
    pair.client.quic.stream_send(raw, b"\x01\x08\x00\x00\xd1\xd7\xc1\x50\x01a", true).unwrap();
    pair.drive();
    assert_eq!(pair.server.seen.len(), 2);
    assert_eq!(pair.client.resets.get(&raw), Some(&0x10b), "H3_REQUEST_REJECTED");
    for stream in [crossing, before] {
        assert_eq!(closed_with(&pair), None);
        pair.server.respond(stream, 200, &[b'x'; 50_000]);
        assert_eq!(pair.reply(stream).body.len(), 50_000);
    }
    assert_eq!(closed_with(&pair), NO_ERROR);
    assert!(pair.server.refusals.is_empty());
}

#[test]
fn a_shutdown_waits_until_the_client_has_all() {
    let mut pair = Pair::new();
    let stream = pair.get();
    let now = pair.server.now;
    pair.server.http3.shutdown(&now);
    pair.pass(QUIC_GOAWAY_TIME);
    pair.server.respond(stream, 200, &[b'x'; 9_000]);
    let mut packets = pair.server.packets();
    // All of the response is on its way, and none of it has arrived.
    assert_eq!(pair.server.released, 9_000);
    assert!(pair.server.http3.is_idle() && pair.server.packets().is_empty());
    for packet in &mut packets {
        pair.client.receive(packet);
    }
    assert_eq!(pair.reply(stream).body.len(), 9_000);
    assert_eq!(closed_with(&pair), NO_ERROR);
}

#[test]
fn a_client_that_never_says_a_word_more_does_not_hold_a_shutdown_up() {
    let mut pair = Pair::new();
    let stream = pair.get();
    let now = pair.server.now;
    pair.server.http3.shutdown(&now);
    pair.pass(QUIC_GOAWAY_TIME);
    pair.server.respond(stream, 200, b"lost");
    let _lost = pair.server.packets();
    pair.server.now.instant += FAREWELL_TIME_MAX;
    let now = pair.server.now;
    assert!(pair.server.http3.deadline().is_some_and(|at| at <= now.instant));
    pair.server.http3.receive(Input::Timeout, &now);
    let farewell = pair.server.packets();
    assert_eq!(farewell.len(), 1);
    for mut packet in farewell {
        pair.client.receive(&mut packet);
    }
    assert_eq!(closed_with(&pair), NO_ERROR);
}

#[test]
fn a_shutdown_before_the_handshake_is_done_refuses() {
    let mut server = Server::new(settings());
    let mut client = Client::new(&mut client_config());
    for packet in &mut client.packets() {
        server.receive(packet);
    }
    for packet in &mut server.packets() {
        client.receive(packet);
    }
    let now = server.now;
    server.http3.shutdown(&now);
    for packet in &mut server.packets() {
        client.receive(packet);
    }
    assert_eq!(client.quic.peer_error().map(|e| (e.is_app, e.error_code)), Some((false, 2)));
    assert!(server.refusals.is_empty());
}

#[test]
fn connections_without_streams_end_in_time() {
    let mut pair = Pair::new();
    pair.pass(MINUTE);
    still_serves(&mut pair);
    pair.pass(MINUTE);
    assert!(pair.client.goaways.is_empty());
    pair.pass(Duration::from_secs(16));
    assert_eq!(pair.client.goaways.len(), 1);
    pair.pass(QUIC_GOAWAY_TIME);
    assert_eq!(closed_with(&pair), NO_ERROR);
    assert!(pair.server.refusals.is_empty());
    // One with a stream stays.
    let mut pair = Pair::new();
    let stream = pair.get();
    for _ in 0..10 {
        pair.pass(MINUTE);
    }
    pair.server.respond(stream, 200, b"late");
    assert_eq!(pair.reply(stream).body, b"late");
}

#[test]
fn a_handshake_that_takes_too_long_is_no_connection() {
    let mut server = Server::new(settings());
    let mut client = Client::new(&mut client_config());
    for packet in &mut client.packets() {
        server.receive(packet);
    }
    for packet in &mut server.packets() {
        client.receive(packet);
    }
    server.now.instant += Duration::from_secs(11);
    let now = server.now;
    assert!(server.http3.deadline().is_some_and(|at| at <= now.instant));
    server.http3.receive(Input::Timeout, &now);
    server.turn();
    assert_eq!(server.faults(), [Fault::Handshake]);
    for packet in &mut server.packets() {
        client.receive(packet);
    }
    assert!(client.quic.is_draining());
}

#[test]
fn a_client_that_shares_no_protocol_is_told() {
    let mut config = client_config();
    config.set_application_protos(&[b"hq-interop"]).unwrap();
    let (mut client, mut server) = (Client::new(&mut config), Server::new(settings()));
    for _ in 0..4 {
        for packet in &mut client.packets() {
            server.receive(packet);
        }
        for packet in &mut server.packets() {
            client.receive(packet);
        }
    }
    assert_eq!(server.faults(), [Fault::Handshake]);
    // no_application_protocol (RFC 7301, 3.2; RFC 9001, 8.1).
    assert_eq!(client.quic.peer_error().map(|e| e.error_code), Some(0x178));
}

#[test]
fn the_clients_end_ends_its_requests() {
    let mut pair = Pair::new();
    let streams = [pair.get(), pair.get()];
    pair.server.send(streams[0], Part::Head(head(200, Streamed, &[])));
    pair.drive();
    pair.client.quic.close(true, 0x100, b"bye").unwrap();
    pair.drive();
    for seen in &pair.server.seen {
        assert_eq!(seen.end, Some(End::Abort(Reason::ClientGone)));
    }
    assert_eq!(pair.server.send(streams[0], body("more")), Flow::Gone);
    assert!(pair.server.refusals.is_empty() && pair.server.http3.is_idle());
}

#[test]
fn a_client_that_takes_larger_packets_has_not_moved() {
    let mut pair = Pair::discovering();
    let pmtu = |pair: &mut Pair| pair.server.http3.quic().path_stats().next().unwrap().pmtu;
    still_serves(&mut pair);
    assert_eq!(pmtu(&mut pair), QUIC_DATAGRAM_BYTES_MIN, "who is sent little needs none");
    let stream = pair.get();
    pair.server.respond(stream, 200, &[b'x'; 4 * QUIC_DATAGRAM_BYTES_MAX]);
    pair.drive();
    assert_eq!(pmtu(&mut pair), QUIC_DATAGRAM_BYTES_MAX);
    assert!(pair.server.http3.path_event().is_none());
}
