//! What a request costs in the HTTP/1 machine alone. Ignored, because it measures:
//! `cargo test --release -p reactor --test cost -- --ignored --nocapture`

mod common;

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use protocol::h1::Http1;
use protocol::settings::HttpSettings;
use protocol::{Flow, Input, Outgoing, Output, Protocol};
use wire::{BodyLength, Part, Scheme};

const BROWSER: &str = "GET /articles/2026/how-to?page=2&sort=new HTTP/1.1\r\n\
    Host: www.example.org\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.org/articles/\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-User: ?1\r\n\
    Priority: u=0, i\r\n\
    Cache-Control: max-age=0\r\n\r\n";

/// Nanoseconds for one request and its response of 12 bytes, the best of several rounds.
fn nanoseconds(request: &str) -> u128 {
    const REQUESTS: usize = 20_000;
    let now = common::now();
    let settings = Arc::new(HttpSettings::default());
    let mut protocol = Http1::new(settings, common::origin(), Scheme::Http, &now);
    let head = common::head(200, BodyLength::Known(12), &[("content-type", "text/plain")]);
    let content = Bytes::from_static(b"Hello world\n");
    let mut input = BytesMut::new();
    let mut out = Output::default();
    let round = |protocol: &mut Http1, input: &mut BytesMut, out: &mut Output| {
        let start = Instant::now();
        for _ in 0..REQUESTS {
            input.extend_from_slice(request.as_bytes());
            protocol.receive(Input::Bytes(input), &now);
            let Some((stream, Part::Head(parsed))) = protocol.poll() else { panic!("no head") };
            assert!(matches!(protocol.poll(), Some((_, Part::End(None)))));
            protocol.send(stream, Part::Head(head.clone()), &now);
            protocol.send(stream, Part::Body(content.clone()), &now);
            assert_eq!(protocol.send(stream, Part::End(None), &now), Flow::Ready);
            protocol.transmit(&mut Outgoing::Bytes(out), &now);
            out.released.clear();
            out.advance(out.len());
            drop(parsed);
        }
        start.elapsed().as_nanos() / REQUESTS as u128
    };
    (0..20).map(|_| round(&mut protocol, &mut input, &mut out)).min().unwrap_or(0)
}

#[test]
#[ignore = "measures"]
fn nanoseconds_per_request() {
    println!("size of a connection: {} bytes", std::mem::size_of::<Http1>());
    println!("hello:      {:>5} ns", nanoseconds("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    println!("15 headers: {:>5} ns", nanoseconds(BROWSER));
}
