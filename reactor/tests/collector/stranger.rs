//! Collectors that are none, or that mean harm: what they do costs spans, each of which is counted, and neither those
//! who serve nor the end of the server wait for them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use otlp::Settings;
use wire::limits::OTLP_FLUSH_TIME_MAX;

use super::fake::PATIENCE;
use super::{give, start};

/// Spans that are made while it goes on.
const FLOOD: u32 = 100_000;
/// Bytes that a stranger may make the server read of an answer: what is read, and what the kernel keeps.
const READ_BYTES_MAX: u64 = 16 << 20;

/// A server that does this with each connection, and counts what it writes.
fn stranger(
    does: impl Fn(TcpStream, &AtomicU64) + Send + Sync + 'static,
) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let written = Arc::new(AtomicU64::new(0));
    let (does, counts) = (Arc::new(does), Arc::clone(&written));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (does, counts) = (Arc::clone(&does), Arc::clone(&counts));
            thread::spawn(move || does(stream.unwrap(), &counts));
        }
    });
    (url, written)
}

/// Reads the head of a request.
fn read_head(stream: &mut TcpStream) {
    let mut last = [0; 4];
    let mut byte = [0];
    while last != *b"\r\n\r\n" && stream.read_exact(&mut byte).is_ok() {
        last.rotate_left(1);
        last[3] = byte[0];
    }
}

/// Says this once, then that for ever.
fn say(stream: &mut TcpStream, written: &AtomicU64, first: &[u8], again: &[u8], pause: Duration) {
    read_head(stream);
    let mut next = first;
    while stream.write_all(next).is_ok() {
        written.fetch_add(next.len() as u64, Ordering::SeqCst);
        thread::sleep(pause);
        next = again;
    }
}

/// Sends to it, also while far more spans are made than it takes, and ends.
fn suffer(url: &str) -> [u64; 3] {
    let (queue_len, batch_len) = (100, 10);
    let (running, source) = start(Settings {
        traces: Some(url.to_owned()),
        timeout: Duration::from_millis(300),
        queue_len,
        batch_len,
        delay: Duration::ZERO,
        ..Settings::default()
    });
    give(&running, 0..1);
    source.wait(|[exported, _, failed]| exported + failed > 0);
    let begin = Instant::now();
    for number in 1..FLOOD {
        give(&running, number..number + 1);
    }
    assert!(begin.elapsed() < PATIENCE, "nobody waits: {:?}", begin.elapsed());
    let [exported, lost, _] = source.get();
    let waiting = u64::from(FLOOD) - exported - lost;
    // Between the two looks a batch may have gone.
    assert!(waiting <= (queue_len + 2 * batch_len) as u64, "{waiting} wait");
    let begin = Instant::now();
    running.finish();
    let took = begin.elapsed();
    // The bound itself, and a machine that is busy.
    assert!(took < OTLP_FLUSH_TIME_MAX * 5 / 4 + Duration::from_secs(5), "{took:?}");
    let [exported, lost, failed] = source.get();
    assert_eq!(exported + lost, u64::from(FLOOD), "each span is counted, and once");
    [exported, lost, failed]
}

fn suffers_and_exports_nothing(url: &str) {
    let [exported, lost, failed] = suffer(url);
    assert_eq!((exported, lost), (0, u64::from(FLOOD)), "{url}");
    assert!(failed > 0);
}

#[test]
fn one_that_accepts_and_never_answers() {
    let (url, _) = stranger(|stream, _| {
        thread::sleep(2 * PATIENCE);
        drop(stream);
    });
    suffers_and_exports_nothing(&url);
}

#[test]
fn one_that_nobody_accepts_at() {
    // The kernel does.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    suffers_and_exports_nothing(&format!("http://{}", listener.local_addr().unwrap()));
}

#[test]
fn one_that_resets_in_the_middle() {
    // What was not read has the kernel send a reset (RFC 2525, 2.17).
    let (url, _) = stranger(|mut stream, _| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le");
    });
    suffers_and_exports_nothing(&url);
}

#[test]
fn one_that_says_no_http() {
    let (url, _) = stranger(|mut stream, _| {
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
        read_head(&mut stream);
    });
    suffers_and_exports_nothing(&url);
}

#[test]
fn one_whose_head_never_ends() {
    for (first, again) in [
        (
            "HTTP/1.1 200 OK\r\n",
            "X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nX-Padding: ",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let (url, written) = stranger(move |mut stream, written| {
            say(&mut stream, written, first.as_bytes(), again.as_bytes(), Duration::ZERO);
        });
        suffers_and_exports_nothing(&url);
        let (written, first) = (written.load(Ordering::SeqCst), first.trim_end());
        println!("{first}: {written} bytes were written");
    }
}

#[test]
fn one_whose_head_comes_byte_by_byte() {
    let (url, _) = stranger(|mut stream, written| {
        let pause = Duration::from_millis(20);
        say(&mut stream, written, b"HTTP/1.1 200 OK\r\nX-Padding: ", b"a", pause);
    });
    suffers_and_exports_nothing(&url);
}

/// By its status it has taken the spans.
#[test]
fn one_whose_answer_never_ends() {
    const CHUNK: &[u8] = b"8\r\naaaaaaaa\r\n";
    for (first, again) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"[..], &[0; 1000][..]),
        (b"HTTP/1.1 200 OK\r\n\r\n", &[0; 1000]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", &[b'a'; 1000]),
    ] {
        let (url, written) = stranger(move |mut stream, written| {
            say(&mut stream, written, first, again, Duration::ZERO);
        });
        let [exported, ..] = suffer(&url);
        assert!(exported > 0);
        let (written, batches) = (written.load(Ordering::SeqCst), exported);
        assert!(written < batches * READ_BYTES_MAX, "{written} bytes of {batches} answers");
    }
}

#[test]
fn one_that_wants_an_hour_or_for_ever() {
    for after in
        ["3600", "18446744073709551615", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]
    {
        for status in ["429 Too Many Requests", "503 Service Unavailable"] {
            let (url, _) = stranger(move |mut stream, written| {
                let answer = format!(
                    "HTTP/1.1 {status}\r\nRetry-After: {after}\r\nContent-Length: 0\r\n\r\n"
                );
                say(&mut stream, written, answer.as_bytes(), b"", PATIENCE);
            });
            suffers_and_exports_nothing(&url);
        }
    }
}

#[test]
fn one_that_is_broken() {
    let (url, _) = stranger(|mut stream, _| {
        read_head(&mut stream);
        let _ = stream.write_all(
            b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        );
        // To the end of the content.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    suffers_and_exports_nothing(&url);
}

/// RFC 6761, 6.4.
#[test]
fn a_name_that_is_none() {
    suffers_and_exports_nothing("http://collector.invalid:4318/v1/traces");
}
