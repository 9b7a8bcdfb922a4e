//! Responses: windows, urgency, and breaks.

use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::error::Fault;
use protocol::h3::priority::Priority;
use protocol::{Flow, Input, Protocol};
use wire::BodyLength::{Known, Streamed};
use wire::{Part, Reason};

use super::common::h3::{Client, GET, Pair, Server, client_config, server_config};
use super::common::{End, body, file, head, settings};
use super::still_serves;

/// A client that lets the server send so many bytes of a response.
fn narrow(window: u64) -> Pair {
    let mut config = client_config();
    config.set_initial_max_stream_data_bidi_local(window);
    let mut pair = Pair::of(Client::new(&mut config), Server::new(settings()));
    pair.client.deaf = true;
    pair
}

fn hear(pair: &mut Pair) {
    pair.client.deaf = false;
    // The event came while nobody read.
    let (h3, quic) = pair.client.h3();
    let mut heard = Vec::new();
    for stream in quic.readable() {
        let mut bytes = [0; 4096];
        while let Ok(len) = h3.recv_body(quic, stream, &mut bytes) {
            heard.push((stream, bytes[..len].to_vec()));
        }
    }
    for (stream, bytes) in heard {
        pair.client.replies.entry(stream).or_default().body.extend_from_slice(&bytes);
    }
    pair.drive();
}

#[test]
fn a_closed_window_stops_the_worker_and_no_other_stream() {
    let mut pair = narrow(1000);
    let slow = pair.get();
    pair.server.send(slow, Part::Head(head(200, Known(50_000), &[])));
    for _ in 0..10 {
        assert_eq!(pair.server.send(slow, body(&"x".repeat(5000))), Flow::Ready);
    }
    pair.server.send(slow, Part::End(None));
    pair.drive();
    let let_through = pair.server.released;
    assert!((800..=1000).contains(&let_through), "{let_through} of 1000 with the head's");
    let other = pair.get();
    pair.server.respond(other, 200, b"other");
    pair.drive();
    assert_eq!(pair.client.replies[&other].status, 200);
    hear(&mut pair);
    assert_eq!(pair.client.replies[&other].body, b"other");
    let reply = pair.reply(slow);
    assert!(reply.complete && reply.body.len() == 50_000, "{}", reply.body.len());
    assert_eq!(pair.server.released, 50_005);
    still_serves(&mut pair);
}

#[test]
fn a_window_that_stays_shut_ends_its_stream() {
    for part in [body(&"x".repeat(5000)), Part::File(file(&[b'x'; 5000]))] {
        let mut pair = narrow(200);
        let stream = pair.get();
        pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
        pair.server.send(stream, part);
        pair.drive();
        pair.pass(Duration::from_secs(29));
        assert_eq!(pair.server.seen[0].end, Some(End::Complete(None)));
        pair.pass(Duration::from_secs(2));
        assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::ClientStalled)));
        assert_eq!(pair.server.send(stream, body("more")), Flow::Gone);
        assert_eq!(pair.server.faults(), [Fault::ResponseStalled]);
        pair.client.deaf = false;
        pair.drive();
        assert_eq!(pair.client.resets.get(&stream), Some(&0x10c), "H3_REQUEST_CANCELLED");
        still_serves(&mut pair);
    }
}

#[test]
fn what_the_network_does_not_take_is_bounded() {
    let mut config = client_config();
    config.set_initial_max_data(1 << 30);
    config.set_initial_max_stream_data_bidi_local(1 << 30);
    let mut pair = Pair::of(Client::new(&mut config), Server::new(settings()));
    let stream = pair.get();
    pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
    for _ in 0..1000 {
        pair.server.send(stream, Part::Body(Bytes::from(vec![b'x'; 10_000])));
    }
    // Packets go out, and no acknowledgement comes in.
    let sent: usize = pair.server.packets().iter().map(Vec::len).sum();
    let released = pair.server.released;
    assert!(sent < 100_000 && released < 100_000, "{sent} sent, {released} released");
}

#[test]
fn a_break_behind_content_lets_the_content_through() {
    for length in [Known(100), Streamed] {
        let mut pair = Pair::new();
        let stream = pair.get();
        let now = pair.server.now;
        for part in
            [Part::Head(head(200, length, &[])), body("part"), Part::Abort(Reason::WorkerLost)]
        {
            pair.server.http3.send(stream, part, &now);
        }
        assert_eq!(pair.server.send(stream, Part::End(None)), Flow::Gone);
        let reply = pair.reply(stream);
        assert_eq!((reply.status, &reply.body[..], reply.complete), (200, &b"part"[..], false));
        assert_eq!(pair.client.resets.get(&stream), Some(&0x102), "H3_INTERNAL_ERROR");
        still_serves(&mut pair);
    }
}

#[test]
fn a_large_head_crosses_small_windows() {
    let line = "x".repeat(1000);
    for (lines, window) in [(1, 1 << 20), (3, 1 << 20), (250, 1 << 20), (250, 5000)] {
        let mut config = client_config();
        config.set_initial_max_stream_data_bidi_local(window);
        let mut pair = Pair::of(Client::new(&mut config), Server::new(settings()));
        let fields = vec![("x-long", &line[..]); lines];
        let trailers = head(200, Streamed, &fields).fields;
        let ends = [vec![Part::End(None)], vec![body("some"), Part::End(Some(trailers.clone()))]];
        for end in ends {
            let stream = pair.get();
            pair.server.send(stream, Part::Head(head(103, Known(0), &fields)));
            pair.server.send(stream, Part::Head(head(200, Streamed, &fields)));
            let content = end.len() > 1;
            for part in end {
                pair.server.send(stream, part);
            }
            let reply = pair.reply(stream);
            let count = |of: &[(String, Vec<u8>)]| of.iter().filter(|(n, _)| n == "x-long").count();
            assert!(reply.complete, "{lines} {window}");
            assert_eq!((count(&reply.interim[0].1), count(&reply.fields)), (lines, lines));
            assert_eq!(reply.get("server"), Some("ferrite"));
            if content {
                assert_eq!((&reply.body[..], count(&reply.trailers)), (&b"some"[..], lines));
            }
            still_serves(&mut pair);
        }
    }
}

#[test]
fn a_head_that_the_client_does_not_take_ends_its_stream() {
    let mut pair = narrow(100);
    let line = "x".repeat(3000);
    for fields in [vec![("x", &line[..300])], vec![("x", &line[..])]] {
        let stream = pair.get();
        pair.server.send(stream, Part::Head(head(200, Streamed, &fields)));
        pair.server.send(stream, body("content"));
        // Nobody reads: the window stays shut.
        for mut packet in pair.server.packets() {
            pair.client.receive(&mut packet);
        }
        pair.pass(Duration::from_secs(31));
        assert_eq!(pair.server.faults().pop(), Some(Fault::ResponseStalled));
        let seen = pair.server.seen.last().unwrap();
        assert_eq!(
            (seen.stream, seen.end.clone()),
            (stream, Some(End::Abort(Reason::ClientStalled)))
        );
    }
}

#[test]
fn a_break_is_told_also_to_a_client_that_is_silent() {
    let mut pair = Pair::new();
    let stream = pair.get();
    pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
    pair.server.send(stream, Part::Abort(Reason::WorkerLost));
    let lost = pair.server.packets();
    assert!(!lost.is_empty());
    pair.pass(Duration::from_secs(1));
    assert!(pair.client.resets.contains_key(&stream));
    assert!(pair.server.http3.is_idle());
}

#[test]
fn content_of_a_file_that_shrank_is_no_content() {
    let mut pair = Pair::new();
    let stream = pair.get();
    let mut slice = file(b"four");
    slice.len = 10;
    pair.server.send(stream, Part::Head(head(200, Known(10), &[])));
    pair.server.send(stream, Part::File(slice));
    pair.server.send(stream, Part::End(None));
    assert!(!pair.reply(stream).complete);
    assert_eq!(pair.client.resets.get(&stream), Some(&0x102));
    assert_eq!(pair.server.seen[0].end, Some(End::Abort(Reason::ClientGone)));
    still_serves(&mut pair);
}

#[test]
fn responses_come_in_any_order() {
    let mut pair = Pair::new();
    let streams: Vec<_> = (0..100).map(|_| pair.client.request(GET, true)).collect();
    pair.drive();
    assert_eq!(pair.server.seen.len(), 100);
    for stream in streams.iter().rev() {
        pair.server.send(*stream, Part::Head(head(200, Streamed, &[])));
    }
    for stream in &streams {
        pair.server.send(*stream, body(&"x".repeat(1000 + *stream as usize)));
    }
    pair.drive();
    for stream in streams.iter().rev() {
        pair.server.send(*stream, Part::End(None));
    }
    for stream in &streams {
        let reply = pair.reply(*stream);
        assert!(reply.complete && reply.body.len() == 1000 + *stream as usize);
    }
    still_serves(&mut pair);
}

/// How much of each response the client had when the first was complete.
fn race(priorities: [Option<&str>; 2], update: Option<(usize, &str)>) -> [usize; 2] {
    let mut pair = Pair::new();
    let streams = priorities.map(|priority| {
        let mut fields = GET.to_vec();
        fields.extend(priority.map(|value| ("priority", value.as_bytes())));
        pair.client.request(&fields, true)
    });
    if let Some((which, value)) = update {
        let priority = Priority::parse(value.as_bytes());
        let priority = quiche::h3::Priority::new(priority.urgency, priority.incremental);
        let (h3, quic) = pair.client.h3();
        h3.send_priority_update_for_request(quic, streams[which], &priority).unwrap();
    }
    pair.drive();
    run(&mut pair, streams)
}

/// As `race`, of requests that are there.
fn run(pair: &mut Pair, streams: [u64; 2]) -> [usize; 2] {
    let now = pair.server.now;
    for stream in streams {
        let content = Bytes::from(vec![b'x'; 300_000]);
        pair.server.http3.send(stream, Part::Head(head(200, Known(300_000), &[])), &now);
        pair.server.http3.send(stream, Part::Body(content), &now);
        pair.server.http3.send(stream, Part::End(None), &now);
    }
    let mut first = None;
    while first.is_none() {
        // Packet by packet: how many are sent at a time is a matter of how long acknowledgements take.
        for mut packet in pair.server.packets() {
            pair.client.receive(&mut packet);
            pair.client.turn();
            let have = streams.map(|id| pair.client.replies.get(&id).map_or(0, |r| r.body.len()));
            if have.contains(&300_000) {
                first.get_or_insert(have);
            }
        }
        for mut packet in pair.client.packets() {
            pair.server.receive(&mut packet);
        }
    }
    pair.drive();
    assert!(streams.iter().all(|id| pair.client.replies[id].complete));
    first.expect("one was")
}

#[test]
fn urgent_responses_go_first() {
    // As they were asked for (RFC 9218, 10).
    let [first, second] = race([None, None], None);
    assert!(first == 300_000 && second < 150_000, "{first} {second}");
    let [first, second] = race([None, Some("u=1")], None);
    assert!(first < 150_000 && second == 300_000, "{first} {second}");
    let [first, second] = race([Some("u=7, i"), Some("u=6")], None);
    assert!(first < 150_000 && second == 300_000, "{first} {second}");
    // Those of which parts are of use share.
    let [first, second] = race([Some("i"), Some("i")], None);
    assert!(first.min(second) > 250_000, "{first} {second}");
    // PRIORITY_UPDATE overrides the field, and may come before or after it.
    let [first, second] = race([None, None], Some((1, "u=0")));
    assert!(first < 150_000 && second == 300_000, "{first} {second}");
    // What cannot be read is as nothing.
    let [first, second] = race([None, Some("u=\"high\"")], None);
    assert!(first == 300_000 && second < 150_000, "{first} {second}");
}

#[test]
fn priority_lines_are_one_dictionary() {
    let mut pair = Pair::new();
    let first =
        pair.client.request(&[GET, &[("priority", b"i=?0"), ("priority", b"u=5")]].concat(), true);
    let second = pair.get();
    let [first, second] = run(&mut pair, [first, second]);
    assert!(first < 150_000 && second == 300_000, "{first} {second}");
}

#[test]
fn priorities_are_taken_also_before_a_request_that_others_have_overtaken() {
    let overtaken = || {
        let mut pair = Pair::new();
        let first = pair.client.request(GET, true);
        let late = pair.client.packets();
        let second = pair.get();
        (pair, first, late, second)
    };
    // `quiche` keeps its own time: on a busy machine it may have sent the first again already.
    let overtaken = (0..20).map(|_| overtaken()).find(|(pair, ..)| pair.server.seen.len() == 1);
    let (mut pair, first, late, second) = overtaken.expect("packets that are not taken for lost");
    let (h3, quic) = pair.client.h3();
    h3.send_priority_update_for_request(quic, first, &quiche::h3::Priority::new(7, false)).unwrap();
    pair.drive();
    for mut packet in late {
        pair.server.receive(&mut packet);
    }
    assert_eq!(pair.server.seen.len(), 2);
    let [first, second] = run(&mut pair, [first, second]);
    assert!(first < 150_000 && second == 300_000, "{first} {second}");
}

/// `quiche` keeps its own time, so that here some passes.
#[test]
fn paced_packets_go_when_their_time_has_come() {
    let settings = settings();
    let mut config = server_config(&settings);
    config.set_cc_algorithm(quiche::CongestionControlAlgorithm::Bbr2Gcongestion);
    config.enable_pacing(true);
    config.set_max_pacing_rate(10_000_000);
    let server = Server::with(settings, &mut config);
    let mut pair = Pair::of(Client::new(&mut client_config()), server);
    let stream = pair.get();
    pair.server.respond(stream, 200, &[b'x'; 300_000]);
    let (start, mut waits) = (Instant::now(), 0);
    while !pair.reply(stream).complete {
        assert!(start.elapsed() < super::MINUTE);
        let at = pair.server.http3.deadline().expect("something to wait for");
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        pair.server.now.instant = Instant::now();
        let now = pair.server.now;
        pair.server.http3.receive(Input::Timeout, &now);
        waits += 1;
    }
    assert!(waits > 2, "{waits}");
    assert_eq!(pair.reply(stream).body.len(), 300_000);
}

#[test]
fn a_client_that_stops_a_response_is_gone() {
    let mut pair = Pair::new();
    for answered in [false, true] {
        let stream = pair.get();
        if answered {
            pair.server.send(stream, Part::Head(head(200, Streamed, &[])));
            pair.server.send(stream, body("some"));
            pair.drive();
        }
        pair.client.quic.stream_shutdown(stream, quiche::Shutdown::Read, 0x10c).unwrap();
        pair.drive();
        let seen = pair.server.seen.last().unwrap();
        assert_eq!((seen.stream, seen.end.clone()), (stream, Some(End::Abort(Reason::ClientGone))));
        assert_eq!(pair.server.send(stream, body("more")), Flow::Gone);
        still_serves(&mut pair);
    }
    assert!(pair.server.refusals.is_empty(), "nobody's fault");
}
