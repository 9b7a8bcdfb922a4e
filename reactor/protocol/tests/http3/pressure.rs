//! Networks that take little, and clients that take nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::error::Fault;
use protocol::{Input, Protocol};
use quiche::{CongestionControlAlgorithm, Shutdown};
use wire::BodyLength::{Known, Streamed};
use wire::limits::*;
use wire::{Part, Reason};

use super::common::h3::{Client, Pair, Server, client_config, server_config};
use super::common::{End, body, head, settings};
use super::{closed_with, still_serves};

const MEGABYTE: usize = 1_000_000;

/// A client whose own windows bound nothing.
fn open_client() -> Client {
    let mut config = client_config();
    config.set_initial_max_data(1 << 30);
    config.set_initial_max_stream_data_bidi_local(1 << 30);
    Client::new(&mut config)
}

/// A client whose window for the whole connection is this.
fn narrow_client(bytes: u64) -> Client {
    let mut config = client_config();
    config.set_initial_max_data(bytes);
    let mut client = Client::new(&mut config);
    client.deaf = true;
    client
}

/// A response that is larger than any window, as far as its worker gets rid of it.
fn pour(pair: &mut Pair, stream: u64, megabytes: usize) {
    pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
    for _ in 0..megabytes {
        pair.server.send(stream, Part::Body(Bytes::from(vec![b'x'; MEGABYTE])));
    }
}

/// A head that does not fit a window of 20,000 bytes.
fn long_head(pair: &mut Pair, stream: u64) {
    let line = "x".repeat(1000);
    pair.server.send(stream, Part::Head(head(200, Streamed, &vec![("x-long", &line[..]); 30])));
}

/// Moves what there is, once each way, to a client that does not read.
fn exchange(pair: &mut Pair) {
    for mut packet in pair.server.packets() {
        pair.client.receive(&mut packet);
    }
    for mut packet in pair.client.packets() {
        pair.server.receive(&mut packet);
    }
}

#[test]
fn what_waits_for_its_time_to_leave_is_bounded() {
    let settings = settings();
    let mut config = server_config(&settings);
    config.set_cc_algorithm(CongestionControlAlgorithm::Bbr2Gcongestion);
    config.enable_pacing(true);
    let mut pair = Pair::of(open_client(), Server::with(settings, &mut config));
    let stream = pair.get();
    pour(&mut pair, stream, 100);
    let (mut sent, start) = (0, Instant::now());
    // As long as it takes to see much of it pass, whatever the machine does beside.
    while sent <= MEGABYTE || start.elapsed() < Duration::from_millis(500) {
        assert!(start.elapsed() < Duration::from_secs(60), "{sent} bytes have passed");
        for mut packet in pair.server.packets() {
            sent += packet.len();
            pair.client.receive(&mut packet);
            pair.client.turn();
        }
        pair.client.quic.send_ack_eliciting().unwrap();
        for mut packet in pair.client.packets() {
            pair.server.receive(&mut packet);
        }
        pair.server.now.instant = Instant::now();
        let now = pair.server.now;
        if pair.server.http3.deadline().is_some_and(|at| at <= now.instant) {
            pair.server.http3.receive(Input::Timeout, &now);
        }
        let cwnd = pair.server.http3.quic().path_stats().next().unwrap().cwnd;
        let held = (pair.server.released as usize).saturating_sub(sent);
        assert!(held <= 2 * cwnd, "{held} bytes, and {cwnd} may be under way");
    }
}

#[test]
fn probes_go_before_all_else_and_let_nothing_swell() {
    let mut pair = Pair::of(open_client(), Server::new(settings()));
    let (a, b) = (pair.get(), pair.get());
    pair.server.send(a, Part::Head(head(200, Streamed, &[])));
    pair.server.send(a, body("some"));
    pair.server.send(a, Part::Abort(Reason::WorkerLost));
    let _lost = pair.server.packets();
    // `quiche` keeps its own time: its probes are due, and the reset as well.
    std::thread::sleep(QUIC_BREAK_TIME_MAX);
    // How long that takes follows from the round trips so far, which a busy machine makes long.
    let start = Instant::now();
    while let Some(left) = pair.server.http3.quic().timeout().filter(|left| !left.is_zero()) {
        assert!(start.elapsed() < Duration::from_secs(60), "{left:?} are left");
        std::thread::sleep(left);
    }
    assert!(pair.server.http3.quic().timeout().is_some());
    pair.server.now.instant = Instant::now();
    let now = pair.server.now;
    pair.server.http3.receive(Input::Timeout, &now);
    pair.server.turn();
    // A datagram comes before they are gone.
    pair.client.quic.send_ack_eliciting().unwrap();
    for mut packet in pair.client.packets() {
        pair.server.receive(&mut packet);
    }
    pour(&mut pair, b, 200);
    let _sent = pair.server.packets();
    assert!(pair.server.released < MEGABYTE as u64, "{}", pair.server.released);
    pair.drive();
    assert!(pair.server.released > 0, "it goes on");
}

#[test]
fn who_waits_for_its_turn_is_not_stalled() {
    let mut pair = Pair::of(open_client(), Server::new(settings()));
    let streams = [pair.get(), pair.get()];
    for id in streams {
        let now = pair.server.now;
        let length = Known(2 * MEGABYTE as u64);
        pair.server.http3.send(id, Part::Head(head(200, length, &[])), &now);
        let content = Bytes::from(vec![b'x'; 2 * MEGABYTE]);
        pair.server.http3.send(id, Part::Body(content), &now);
        pair.server.http3.send(id, Part::End(None), &now);
    }
    // Twenty packets a second.
    let mut network = VecDeque::new();
    for _ in 0..150 {
        network.extend(pair.server.packets());
        for mut packet in network.drain(..network.len().min(20)) {
            pair.client.receive(&mut packet);
            pair.client.turn();
        }
        for mut packet in pair.client.packets() {
            pair.server.receive(&mut packet);
        }
        pair.server.now.instant += Duration::from_secs(1);
        let now = pair.server.now;
        if pair.server.http3.deadline().is_some_and(|at| at <= now.instant) {
            pair.server.http3.receive(Input::Timeout, &now);
            pair.server.turn();
        }
    }
    assert!(pair.server.refusals.is_empty(), "{:?}", pair.server.refusals);
    for mut packet in network {
        pair.client.receive(&mut packet);
        pair.client.turn();
    }
    pair.drive();
    assert!(streams.iter().all(|id| pair.client.replies[id].complete));
}

#[test]
fn an_interim_head_that_is_not_taken_is_a_stalled_response() {
    let mut config = client_config();
    config.set_initial_max_stream_data_bidi_local(100);
    let mut client = Client::new(&mut config);
    client.deaf = true;
    let mut pair = Pair::of(client, Server::new(settings()));
    let stream = pair.get();
    let line = "x".repeat(300);
    pair.server.send(stream, Part::Head(head(103, Known(0), &[("x", &line[..])])));
    exchange(&mut pair);
    pair.pass(settings().http3.stall_timeout + Duration::from_secs(1));
    assert_eq!(pair.server.faults(), [Fault::ResponseStalled]);
    assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::ClientStalled)));
}

#[test]
fn who_gives_up_is_heard_though_the_window_is_shut() {
    let mut pair = Pair::of(narrow_client(20_000), Server::new(settings()));
    let (a, b) = (pair.get(), pair.get());
    long_head(&mut pair, a);
    exchange(&mut pair);
    pair.client.quic.stream_shutdown(b, Shutdown::Read, 0x10c).unwrap();
    for mut packet in pair.client.packets() {
        pair.server.receive(&mut packet);
    }
    assert_eq!(pair.server.seen[1].end, Some(End::Abort(Reason::ClientGone)));
}

#[test]
fn a_goaway_waits_for_room() {
    // The network is full.
    let mut pair = Pair::of(open_client(), Server::new(settings()));
    let stream = pair.get();
    pour(&mut pair, stream, 1);
    pair.server.send(stream, Part::End(None));
    let mut packets = pair.server.packets();
    let now = pair.server.now;
    pair.server.http3.shutdown(&now);
    packets.extend(pair.server.packets());
    for packet in &mut packets {
        pair.client.receive(packet);
    }
    pair.drive();
    assert_eq!(pair.client.goaways.len(), 1);
    // The client's window is shut.
    let mut pair = Pair::of(narrow_client(20_000), Server::new(settings()));
    let stream = pair.get();
    long_head(&mut pair, stream);
    exchange(&mut pair);
    let now = pair.server.now;
    pair.server.http3.shutdown(&now);
    pair.server.now.instant += QUIC_GOAWAY_TIME;
    let now = pair.server.now;
    pair.server.http3.receive(Input::Timeout, &now);
    exchange(&mut pair);
    assert!(pair.client.goaways.is_empty());
    pair.client.deaf = false;
    pair.drive();
    pair.drive();
    assert_eq!(pair.client.goaways.len(), 1, "{:?}", pair.client.goaways);
    // From then on there is time for what crosses it.
    pair.pass(QUIC_GOAWAY_TIME / 2);
    assert_eq!(pair.client.goaways.len(), 1);
    pair.pass(QUIC_GOAWAY_TIME / 2);
    assert_eq!(pair.client.goaways[1..], [stream + 4]);
}

#[test]
fn a_head_that_is_under_way_when_the_server_leaves_is_waited_for() {
    let mut pair = Pair::new();
    let headers = b"\x01\x08\x00\x00\xd1\xd7\xc1\x50\x01a";
    pair.client.quic.stream_send(0, &headers[..5], false).unwrap();
    pair.drive();
    let now = pair.server.now;
    pair.server.http3.shutdown(&now);
    pair.drive();
    pair.pass(QUIC_GOAWAY_TIME);
    pair.pass(FAREWELL_TIME_MAX);
    assert_eq!(closed_with(&pair), None);
    pair.client.quic.stream_send(0, &headers[5..], true).unwrap();
    pair.drive();
    pair.server.respond(0, 200, b"served");
    pair.drive();
    assert_eq!(pair.server.seen.len(), 1);
    assert_eq!(closed_with(&pair), Some(0x100));
}

#[test]
fn a_client_that_reads_again_is_served_again() {
    let mut pair = Pair::of(narrow_client(20_000), Server::new(settings()));
    let stream = pair.get();
    long_head(&mut pair, stream);
    exchange(&mut pair);
    pair.client.deaf = false;
    pair.server.send(stream, Part::End(None));
    assert!(pair.reply(stream).complete);
    still_serves(&mut pair);
}
