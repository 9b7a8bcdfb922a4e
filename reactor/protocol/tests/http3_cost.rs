//! What HTTP/3 costs in the machine alone, QUIC and its encryption included. Ignored, because it
//! measures: `cargo test --release -p reactor --test http3_cost -- --ignored --nocapture`

mod common;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::h3::{Client, GET, Pair, Server, client_config, server_config};
use common::head;
use protocol::Protocol;
use protocol::h3::{Http3, Quic};
use protocol::settings::HttpSettings;
use wire::{BodyLength, Part};

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
#[ignore = "measures"]
fn bytes_per_idle_connection() {
    println!("size of a connection: {} + {} bytes", size_of::<Http3>(), size_of::<Quic>());
    let settings = HttpSettings::default();
    let mut config = server_config(&settings);
    // Kept to the end: what is freed would be taken for the next ones.
    let mut idle = Vec::new();
    for requests in [0, 1, 20] {
        let mut open = |count: usize| {
            for _ in 0..count {
                let client = Client::new(&mut client_config());
                let server = Server::with(settings.clone(), &mut config);
                let mut pair = Pair::of(client, server);
                for _ in 0..requests {
                    let stream = pair.get();
                    pair.server.respond(stream, 200, b"Hello world\n");
                    pair.drive();
                }
                idle.push(pair.server.http3);
            }
        };
        open(100);
        let before = resident();
        open(1000);
        println!("{requests:>2} requests: {} bytes", (resident() - before) / 1000);
    }
}

/// Nanoseconds of the server for one request and its response, the best of several rounds.
fn nanoseconds(fields: &[(&str, &[u8])], content: usize, streams: usize) -> u128 {
    let mut pair = Pair::with(HttpSettings::default());
    let content = Bytes::from(vec![b'x'; content]);
    let length = BodyLength::Known(content.len() as u64);
    let answer = head(200, length, &[("content-type", "text/plain")]);
    let mut round = |requests: usize| {
        let mut spent = Duration::ZERO;
        for _ in 0..requests / streams {
            for _ in 0..streams {
                pair.client.request(fields, true);
            }
            let mut answered = 0;
            loop {
                pair.client.turn();
                let mut up = pair.client.packets();
                let start = Instant::now();
                let server = &mut pair.server;
                for packet in &mut up {
                    server.receive(packet);
                }
                let seen = std::mem::take(&mut server.seen);
                for seen in &seen {
                    let now = server.now;
                    server.http3.send(seen.stream, Part::Head(answer.clone()), &now);
                    server.http3.send(seen.stream, Part::Body(content.clone()), &now);
                    server.http3.send(seen.stream, Part::End(None), &now);
                }
                let mut down = server.packets();
                spent += start.elapsed();
                answered += seen.len();
                for packet in &mut down {
                    pair.client.receive(packet);
                }
                if up.is_empty() && down.is_empty() {
                    break;
                }
            }
            assert_eq!(answered, streams);
            pair.client.replies.clear();
        }
        spent.as_nanos() / requests as u128
    };
    (0..10).map(|_| round(2_000)).min().unwrap_or(0)
}

#[test]
#[ignore = "measures"]
fn nanoseconds_per_request() {
    println!("hello, one at a time:  {:>6} ns", nanoseconds(GET, 12, 1));
    println!("hello, 10 at a time:   {:>6} ns", nanoseconds(GET, 12, 10));
    println!("hello, 100 at a time:  {:>6} ns", nanoseconds(GET, 12, 100));
    println!("16 KiB, 10 at a time:  {:>6} ns", nanoseconds(GET, 16 << 10, 10));
    println!("1 MiB, one at a time:  {:>6} ns", nanoseconds(GET, 1 << 20, 1));
}
