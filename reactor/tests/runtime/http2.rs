//! HTTP/2 over real sockets: the end of connections, and what they may hold.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reactor::protocol::h2::PREFACE;
use wire::limits::*;
use wire::shm::Counter;
use wire::{Part, ToWorker};

use crate::played::{Server, response_of};

/// A frame (RFC 9113, 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The fields of a GET in HPACK: indexed, and the authority as a literal.
pub const GET: &[u8] = b"\x82\x86\x84\x01\x01a";

const HTTP1: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// A client whose settings are these, and that has read the server's.
pub fn greeted(server: &Server, settings: &[u8]) -> TcpStream {
    let mut client = server.connect();
    client.write_all(&[&PREFACE[..], &frame(4, 0, 0, settings)].concat()).unwrap();
    until(&mut client, 4);
    client.write_all(&frame(4, 1, 0, b"")).unwrap();
    client
}

/// Reads up to the next frame of this type, and returns its payload.
pub fn until(client: &mut TcpStream, kind: u8) -> Vec<u8> {
    loop {
        let mut head = [0; 9];
        client.read_exact(&mut head).unwrap();
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; len as usize];
        client.read_exact(&mut payload).unwrap();
        if head[3] == kind {
            return payload;
        }
    }
}

#[test]
fn a_drain_does_not_wait_for_clients_that_keep_silent() {
    let server = Server::start(|_| {});
    let _silent = greeted(&server, b"");
    let mut slow = greeted(&server, b"");
    let begin = Instant::now();
    server.drain(Duration::from_secs(20));
    // It has heard that the connection ends, and leaves it open all the same.
    let ping = until(&mut slow, 6);
    slow.write_all(&frame(6, 1, 0, &ping)).unwrap();
    server.ended();
    let time = begin.elapsed();
    assert!(FAREWELL_TIME_MAX + LINGER_DRAINING_TIME_MAX < Duration::from_secs(2));
    assert!(time < Duration::from_secs(3), "max_wait_time's default, {time:?}");
}

#[test]
fn a_drain_lets_streams_finish() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = greeted(&server, b"");
    client.write_all(&frame(1, 5, 1, GET)).unwrap();
    let request = worker.request();
    server.drain(Duration::from_secs(20));
    let ping = until(&mut client, 6);
    client.write_all(&frame(6, 1, 0, &ping)).unwrap();
    // Told twice: that the end comes, and which stream was the last (RFC 9113, 6.8).
    assert_eq!(until(&mut client, 7)[..4], [0, 0, 0, 1]);
    worker.respond(request.id, 200, b"done");
    assert_eq!(until(&mut client, 0), b"done");
    assert_eq!(client.read(&mut [0; 100]).unwrap(), 0, "closed");
    drop(client);
    server.ended();
}

/// A SETTINGS payload with this window for each stream (RFC 9113, 6.5.2).
fn window(bytes: u32) -> Vec<u8> {
    [&[0, 4][..], &bytes.to_be_bytes()].concat()
}

#[test]
fn streams_that_nobody_reads_pin_no_more_than_the_bound() {
    const STREAMS: u32 = 30;
    const WHOLE: u32 = 1 << 20;
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    // A worker that has shown that it is fast gets several at a time.
    let mut other = server.connect();
    other.write_all(HTTP1).unwrap();
    let request = worker.request();
    assert_eq!(request.window, None);
    worker.respond(request.id, 200, b"fast");
    response_of(&mut other);
    let mut client = greeted(&server, &window(0));
    for n in 0..STREAMS {
        client.write_all(&frame(1, 5, 1 + 2 * n, GET)).unwrap();
    }
    let mut windows = 0;
    let mut ids = Vec::new();
    for _ in 0..STREAMS {
        let request = worker.request();
        let window = request.window.unwrap_or(WHOLE);
        windows += u64::from(window);
        worker.stream_head(request.id);
        worker.send(request.id, Part::Body(vec![b'x'; (window / 2) as usize].into()));
        ids.push(request.id);
    }
    // Another client's request comes behind what the reactor has said to all of this.
    other.write_all(HTTP1).unwrap();
    loop {
        match worker.next() {
            (_, ToWorker::Credit(more)) => windows += u64::from(more),
            (_, ToWorker::Request { part: Part::End(_), .. }) => break,
            _ => {}
        }
    }
    // What was taken over from workers is theirs to send again.
    let sent = u64::from(WHOLE / 2 + (STREAMS - 1) * (WINDOW_BYTES_MIN / 2));
    let least = u64::from(STREAMS * WINDOW_BYTES_MIN) + sent;
    assert!(windows > least + 2 * u64::from(WHOLE), "some may be far ahead, {windows}");
    assert!(windows <= least + WINDOWS_PER_CONNECTION_MAX * u64::from(WHOLE), "{windows}");
    // A client that reads gets all of it.
    client.write_all(&frame(4, 0, 0, &window(WHOLE))).unwrap();
    client.write_all(&frame(8, 0, 0, &(1u32 << 30).to_be_bytes())).unwrap();
    for id in ids {
        worker.send(id, Part::End(None));
    }
    let mut content = 0;
    let mut ended = 0;
    while ended < STREAMS {
        let mut head = [0; 9];
        client.read_exact(&mut head).unwrap();
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        client.read_exact(&mut vec![0; len as usize]).unwrap();
        content += if head[3] == 0 { len } else { 0 };
        ended += u32::from(head[3] == 0 && head[4] & 1 != 0);
    }
    assert_eq!(content, WHOLE / 2 + (STREAMS - 1) * (WINDOW_BYTES_MIN / 2));
    server.stop();
}

#[test]
fn what_is_refused_is_counted() {
    let server = Server::start(|_| {});
    let mut client = greeted(&server, b"");
    // A field of the connection (RFC 9113, 8.2.2), for which the library resets the stream.
    for stream in [1, 3] {
        let fields = [GET, b"\x00\x0aconnection\x05close"].concat();
        client.write_all(&frame(1, 5, stream, &fields)).unwrap();
        assert_eq!(until(&mut client, 3), [0, 0, 0, 1]);
    }
    server.counted(Counter::Refused, 2);
    assert_eq!(server.count(Counter::FloodsHttp2Ping), 0);
    let pings = frame(6, 0, 0, &[0; 8]).repeat(2 * H2_IDLE_FRAMES_MAX as usize);
    let mut reader = client.try_clone().unwrap();
    let reads = std::thread::spawn(move || until(&mut reader, 7));
    // The server may have closed before all was written.
    let _ = client.write_all(&pings);
    assert_eq!(reads.join().unwrap()[4..8], [0, 0, 0, 11]);
    server.counted(Counter::FloodsHttp2Ping, 1);
    assert_eq!(server.count(Counter::Refused), 2);
    server.stop();
}
