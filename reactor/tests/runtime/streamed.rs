//! Content that a worker reads while it arrives, over every version.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use reactor::Config;
use reactor::protocol::h2::PREFACE;
use reactor::protocol::settings::HttpSettings;
use reactor::tls::{Tls, TlsConfig, development};
use wire::limits::REQUEST_WINDOW_BYTES;
use wire::shm::Counter;
use wire::{ExchangeId, Part, Reason, ToWorker};

use super::http2::{frame, until};
use super::played::{Server, Worker, response_of};
use super::quic::client::Client;

/// More than all buffers on the way have room for.
const CONTENT_BYTES: usize = 12 << 20;

fn stream(config: &mut Config) {
    let streamed = vec![Bytes::new()];
    let http = HttpSettings { body_bytes_max: 1 << 30, streamed, ..HttpSettings::default() };
    config.ports[0].http = http.into();
}

fn content() -> Vec<u8> {
    (0..CONTENT_BYTES as u32).map(|n| (n >> 8) as u8 ^ n as u8).collect()
}

/// Begins a request whose content is still to come.
fn begin(worker: &mut Worker) -> ExchangeId {
    let request = worker.begin();
    assert_eq!(&request.head.path[..], b"/upload");
    request.id
}

/// Reads the content as a handler does that takes so much at a time.
fn read_all(worker: &mut Worker, id: ExchangeId) -> Vec<u8> {
    let mut content = Vec::new();
    worker.grant(id, REQUEST_WINDOW_BYTES);
    let mut granted = REQUEST_WINDOW_BYTES as usize;
    loop {
        let (of, message) = worker.next();
        assert_eq!(of, id);
        match message {
            ToWorker::Request { part: Part::Body(bytes), .. } => {
                content.extend_from_slice(&bytes);
                assert!(content.len() <= granted, "more than it takes");
                if granted - content.len() < REQUEST_WINDOW_BYTES as usize / 2 {
                    worker.grant(id, REQUEST_WINDOW_BYTES / 2);
                    granted += REQUEST_WINDOW_BYTES as usize / 2;
                }
            }
            ToWorker::Request { part: Part::End(None), .. } => return content,
            message => panic!("{message:?}"),
        }
    }
}

/// The client is held up until the worker reads; then everything comes, in order.
fn upload(server: Server, client: impl FnOnce(SocketAddr) -> String + Send + 'static) {
    let mut worker = server.add_worker(0, 0);
    let address = server.address();
    let client = thread::spawn(move || client(address));
    let id = begin(&mut worker);
    // Until nothing more comes for a while, or too much has come.
    let mut before = 0;
    loop {
        thread::sleep(Duration::from_millis(200));
        let received = server.count(Counter::BytesReceived);
        assert!(received < CONTENT_BYTES as u64 / 2, "{received} bytes came before it was read");
        if received == before && received > 0 {
            break;
        }
        before = received;
    }
    assert!(worker.is_idle(), "nothing is sent before it reads");
    assert!(read_all(&mut worker, id) == content());
    worker.respond(id, 200, b"read");
    assert!(client.join().unwrap().ends_with("read"));
    server.stop();
}

fn post(address: SocketAddr, len: usize) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(client, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {len}\r\n\r\n").unwrap();
    client
}

#[test]
fn over_http_1() {
    upload(Server::start(stream), |address| {
        let mut client = post(address, CONTENT_BYTES);
        client.write_all(&content()).unwrap();
        response_of(&mut client)
    });
}

#[test]
fn over_http_2() {
    upload(Server::start(stream), |address| {
        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // POST /upload: indexed, a literal path and a literal authority.
        let head = b"\x83\x86\x04\x07/upload\x01\x01a";
        let hello = [&PREFACE[..], &frame(4, 0, 0, b""), &frame(1, 4, 1, head)].concat();
        client.write_all(&hello).unwrap();
        let (mut windows, mut sent, content) = ([65_535_i64; 2], 0, content());
        while sent < content.len() {
            let room = windows[0].min(windows[1]).min(16 << 10) as usize;
            if room > 0 {
                let end = content.len().min(sent + room);
                let last = u8::from(end == content.len());
                client.write_all(&frame(0, last, 1, &content[sent..end])).unwrap();
                windows.iter_mut().for_each(|window| *window -= (end - sent) as i64);
                sent = end;
                continue;
            }
            let mut header = [0; 9];
            client.read_exact(&mut header).unwrap();
            let mut payload =
                vec![0; u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize];
            client.read_exact(&mut payload).unwrap();
            match header[3] {
                // The window of streams is among the first settings.
                4 => {
                    for setting in payload.chunks(6).filter(|setting| setting[..2] == [0, 4]) {
                        let value = u32::from_be_bytes(setting[2..].try_into().unwrap());
                        windows[1] += i64::from(value) - 65_535;
                    }
                }
                8 => {
                    let stream = usize::from(header[8] > 0);
                    windows[stream] += i64::from(u32::from_be_bytes(payload.try_into().unwrap()));
                }
                _ => {}
            }
        }
        String::from_utf8(until(&mut client, 0)).unwrap()
    });
}

#[test]
fn over_http_3() {
    let tls = Tls::load(TlsConfig::new(development::localhost().unwrap())).unwrap();
    let server = Server::start(|config| {
        config.ports[0].tls = Some(tls.into());
        stream(config);
    });
    upload(server, |address| {
        let mut client = Client::connect(address);
        let stream = client.request("POST", "/upload", Some(&content()));
        String::from_utf8(client.answer(stream).body).unwrap()
    });
}

#[test]
fn a_response_may_end_before_the_content_and_the_worker_goes_on() {
    let server = Server::start(stream);
    let mut worker = server.add_worker(0, 0);
    let mut client = post(server.address(), CONTENT_BYTES);
    client.write_all(&[7; 1 << 20]).unwrap();
    let id = begin(&mut worker);
    worker.respond(id, 403, b"no");
    assert!(response_of(&mut client).starts_with("HTTP/1.1 403 "));
    let mut next = post(server.address(), 2);
    next.write_all(b"hi").unwrap();
    let id = begin(&mut worker);
    assert_eq!(read_all(&mut worker, id), b"hi");
    worker.respond(id, 200, b"ok");
    assert!(response_of(&mut next).ends_with("ok"));
    drop((client, next));
    server.until("all is given back", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}

#[test]
fn a_client_that_leaves_breaks_the_content_off() {
    let server = Server::start(stream);
    let mut worker = server.add_worker(0, 0);
    let mut client = post(server.address(), 100);
    client.write_all(b"some").unwrap();
    let id = begin(&mut worker);
    worker.grant(id, REQUEST_WINDOW_BYTES);
    let (_, first) = worker.next();
    assert!(matches!(first, ToWorker::Request { part: Part::Body(bytes), .. } if bytes == "some"));
    drop(client);
    let (_, last) = worker.next();
    assert!(matches!(last, ToWorker::Request { part: Part::Abort(Reason::ClientGone), .. }));
    worker.send(id, Part::Abort(Reason::ClientGone));
    server.until("it is over", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}

#[test]
fn another_worker_begins_when_the_first_died_before_it_did() {
    let server = Server::start(stream);
    let mut first = server.add_worker(0, 0);
    let mut client = post(server.address(), 5);
    client.write_all(b"hello").unwrap();
    // It has been handed over, and not begun.
    let (_, message) = first.next();
    assert!(matches!(message, ToWorker::Request { part: Part::Head(_), .. }));
    let mut second = server.add_worker(1, 2);
    drop(first);
    let id = begin(&mut second);
    assert_eq!(read_all(&mut second, id), b"hello");
    second.respond(id, 200, b"ok");
    assert!(response_of(&mut client).ends_with("ok"));
    server.stop();
}
