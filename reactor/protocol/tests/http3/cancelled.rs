//! Requests that the client gives up.

use protocol::{Input, Protocol};
use quiche::Shutdown;
use wire::Reason;

use super::broken::{FIELDS, frame, raw};
use super::common::h3::{GET, Pair, address};
use super::common::{End, settings};
use super::{closed_with, still_serves};

/// Lets the server have all that the client says now in one go.
fn at_once(pair: &mut Pair, mut packets: Vec<Vec<u8>>) {
    let now = pair.server.now;
    for packet in &mut packets {
        let (from, to) = (address(1), address(443));
        pair.server.http3.receive(Input::Datagram { bytes: packet, from, to }, &now);
    }
    pair.server.turn();
}

#[test]
fn requests_that_are_cancelled_at_once_are_over_at_once() {
    // Also the response, or only the request.
    for both in [true, false] {
        let mut pair = Pair::new();
        for _ in 0..200 {
            let stream = pair.client.request(GET, true);
            let mut packets = pair.client.packets();
            let _ = pair.client.quic.stream_shutdown(stream, Shutdown::Write, 0x10c);
            if both {
                let _ = pair.client.quic.stream_shutdown(stream, Shutdown::Read, 0x10c);
            }
            packets.extend(pair.client.packets());
            at_once(&mut pair, packets);
            assert!(pair.server.http3.is_idle());
            pair.drive();
        }
        assert!(pair.server.seen.is_empty() && pair.server.refusals.is_empty());
        still_serves(&mut pair);
    }
}

#[test]
fn uploads_that_are_cancelled_behind_their_end_are_over() {
    let mut pair = raw(settings());
    pair.client.quic.stream_send(0, &frame(1, FIELDS), false).unwrap();
    pair.drive();
    pair.client.quic.stream_send(0, &frame(0, b"x"), true).unwrap();
    let mut packets = pair.client.packets();
    pair.client.quic.stream_shutdown(0, Shutdown::Write, 0x10c).unwrap();
    packets.extend(pair.client.packets());
    at_once(&mut pair, packets);
    assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::ClientGone)));
    assert!(pair.server.http3.is_idle() && pair.server.refusals.is_empty());
    // One that was read to its end stays.
    pair.client.quic.stream_send(4, &frame(1, FIELDS), true).unwrap();
    pair.drive();
    let _ = pair.client.quic.stream_shutdown(4, Shutdown::Write, 0x10c);
    pair.drive();
    assert_eq!(pair.server.seen[1].end, Some(End::Complete(None)));
    assert!(!pair.server.http3.is_idle());
}

#[test]
fn a_control_stream_that_ends_twice_at_once_has_ended() {
    let mut pair = raw(settings());
    pair.client.quic.stream_send(2, &[0, 4, 0], false).unwrap();
    pair.drive();
    pair.client.quic.stream_send(2, &[0x21, 0], true).unwrap();
    let mut packets = pair.client.packets();
    pair.client.quic.stream_shutdown(2, Shutdown::Write, 0x10c).unwrap();
    packets.extend(pair.client.packets());
    at_once(&mut pair, packets);
    pair.drive();
    assert_eq!(closed_with(&pair), Some(0x104), "H3_CLOSED_CRITICAL_STREAM");
}

#[test]
fn requests_that_are_not_wanted_before_they_are_there_are_over() {
    let mut pair = raw(settings());
    for nth in 0..200 {
        pair.client.quic.stream_send(4 * nth, &frame(1, FIELDS)[..4], false).unwrap();
        pair.drive();
        assert!(!pair.server.http3.is_idle());
        pair.client.quic.stream_shutdown(4 * nth, Shutdown::Read, 0x10c).unwrap();
        pair.drive();
        assert!(pair.server.http3.is_idle() && pair.server.refusals.is_empty());
    }
    assert_eq!(closed_with(&pair), None);
}
