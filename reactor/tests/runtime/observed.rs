//! What observers are told of exchanges: one record for each, whoever answers, however it ends.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use reactor::Config;
use reactor::config::{MakeObserver, Observer};
use reactor::protocol::error::Fault;
use reactor::protocol::h2::PREFACE;
use reactor::protocol::settings::HttpSettings;
use reactor::record::{Outcome, Record};
use wire::limits::REDISPATCH_MAX;
use wire::shm::Counter;
use wire::{BodyLength, Part, Version};

use super::http2::{self, frame};
use super::played::{self, Server, response_of};
use super::quic::client::Client;
use super::{GET, get, quic};

/// The records so far.
#[derive(Debug, Clone, Default)]
struct Told(Arc<Mutex<Vec<Record>>>);

impl Observer for Told {
    fn over(&mut self, record: &Record) {
        self.0.lock().unwrap().push(record.clone());
    }

    fn reads_fields(&self) -> bool {
        true
    }
}

impl Told {
    /// Has a server tell of its exchanges.
    fn observe(&self, config: &mut Config) {
        let told = self.clone();
        config.observers =
            vec![MakeObserver(Arc::new(move |_, _| Box::new(told.clone()) as Box<dyn Observer>))];
    }

    /// As many as there are to be, and no more: the server has stopped.
    fn all(&self) -> Vec<Record> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The next one.
    fn next(&self, server: &Server) -> Record {
        server.until("an exchange is over", |_| !self.0.lock().unwrap().is_empty());
        self.0.lock().unwrap().remove(0)
    }
}

fn start(tweak: impl FnOnce(&mut Config)) -> (Server, Told) {
    let told = Told::default();
    let server = Server::start(|config| {
        told.observe(config);
        tweak(config);
    });
    (server, told)
}

/// Status, outcome, content.
fn essence(record: &Record) -> (Option<u16>, Outcome, u64) {
    (record.status.map(|status| status.as_u16()), record.outcome, record.content)
}

fn path_of(record: &Record) -> &str {
    std::str::from_utf8(&record.path).unwrap()
}

#[test]
fn a_record_has_the_facts_of_its_exchange() {
    let (server, told) = start(|_| {});
    let mut worker = server.add_worker(2, 0);
    let mut client = server.connect();
    let head = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nUser-Agent: u\r\nContent-Length: 3\r\n\r\nabc";
    client.write_all(head.as_bytes()).unwrap();
    let request = worker.request();
    worker.respond(request.id, 201, b"hi");
    let response = response_of(&mut client);
    let record = told.next(&server);
    assert_eq!(essence(&record), (Some(201), Outcome::Complete, 2));
    assert_eq!(record.wire, response.len() as u64);
    assert_eq!((path_of(&record), record.query.as_deref()), ("/a", Some(&b"b=c"[..])));
    assert_eq!((record.client, record.version), (client.local_addr().ok(), Some(Version::Http11)));
    assert_eq!((record.method, record.request_content), (Some(http::Method::POST), 3));
    assert_eq!((record.user_agent.as_deref(), record.referer), (Some(&b"u"[..]), None));
    assert_eq!(record.worker.map(|(worker, _)| worker), Some(2));
    let (given, answered) = (record.given.unwrap(), record.answered.unwrap());
    assert!(record.begun <= given && given <= answered && answered <= record.ended);
    assert!(record.received_at > 1_600_000_000_000_000);
    drop(client);
    server.stop();
    assert!(told.all().is_empty());
}

/// A client that sends several requests at once.
#[test]
fn each_of_several_requests_has_one_record() {
    let (server, told) = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    let requests: Vec<u8> = (0..50).flat_map(|nth| get(&format!("/{nth}"))).collect();
    client.write_all(&requests).unwrap();
    for _ in 0..50 {
        let request = worker.request();
        let body = request.head.path.clone();
        worker.respond(request.id, 200, &body);
        response_of(&mut client);
    }
    server.until("all are over", |_| told.0.lock().unwrap().len() == 50);
    let paths: Vec<_> = told.all().iter().map(|record| path_of(record).to_owned()).collect();
    assert_eq!(paths, (0..50).map(|nth| format!("/{nth}")).collect::<Vec<_>>());
    server.stop();
}

#[test]
fn what_no_handler_answers_is_recorded() {
    let (server, told) = start(|config| {
        config.ports[0].routes.rest = None;
        let http = HttpSettings {
            header_bytes_max: 200,
            header_timeout: Duration::from_millis(50),
            ..HttpSettings::default()
        };
        config.ports[0].http = http.into();
    });
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(400));
    for (request, status, outcome, fault) in [
        (GET, 404, Outcome::Complete, None),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501, Outcome::Refused, Some(Fault::Connect)),
        (long.as_bytes(), 431, Outcome::Refused, Some(Fault::FieldsTooLarge)),
        (b"GET / HTTP/1.1\r\n\r\n", 400, Outcome::Refused, Some(Fault::Host)),
        (b"GET / HTTP", 408, Outcome::Timeout, Some(Fault::HeadTimeout)),
    ] {
        let mut client = server.connect();
        client.write_all(request).unwrap();
        let response = response_of(&mut client);
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        let record = told.next(&server);
        let (head, content) = response.split_once("\r\n\r\n").unwrap();
        assert_eq!(essence(&record), (Some(status), outcome, content.len() as u64), "{head}");
        assert_eq!((record.fault, record.wire), (fault, response.len() as u64));
        assert_eq!(record.client, client.local_addr().ok());
    }
    server.stop();
    assert!(told.all().is_empty());
}

#[test]
fn a_request_is_recorded_once_however_it_ends() {
    let (server, told) = start(|config| {
        config.queue_len_max = 0;
        let http = HttpSettings { body_bytes_max: 10, ..HttpSettings::default() };
        config.ports[0].http = http.into();
    });
    // There is no worker, and no queue.
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    assert!(response_of(&mut client).starts_with("HTTP/1.1 503 "));
    assert_eq!(essence(&told.next(&server)).1, Outcome::Shed);

    let mut worker = server.add_worker(0, 0);
    // Content that is too much.
    let mut client = server.connect();
    client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    client.write_all(b"20\r\n01234567890123456789012345678901\r\n").unwrap();
    assert!(response_of(&mut client).starts_with("HTTP/1.1 413 "));
    let record = told.next(&server);
    assert_eq!((record.outcome, record.fault), (Outcome::Refused, Some(Fault::ContentTooLarge)));
    assert_eq!(record.method, Some(http::Method::POST));

    // The client leaves before there is anything.
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    played::reset(client);
    let record = told.next(&server);
    assert_eq!(essence(&record), (None, Outcome::ClientLeft, 0));
    worker.respond(request.id, 200, b"late");

    // In the middle of the response.
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.head(request.id, 200, BodyLength::Known(10));
    worker.content(request.id, b"12345");
    let mut begun = [0; 20];
    client.read_exact(&mut begun).unwrap();
    server.until("it is sent", |server| server.count(Counter::BytesSent) > 0);
    played::reset(client);
    let record = told.next(&server);
    assert_eq!((record.status, record.outcome), (Some(StatusCode::OK), Outcome::ClientLeft));
    assert!(record.content <= 5);
    server.stop();
    assert!(told.all().is_empty());
}

#[test]
fn a_lost_worker_is_told_of_in_the_record() {
    let (server, told) = start(|_| {});
    for incarnation in 0..=u64::from(REDISPATCH_MAX) {
        let mut worker = server.add_worker(0, incarnation);
        let mut client = server.connect();
        client.write_all(GET).unwrap();
        worker.request();
        drop(worker);
        assert!(response_of(&mut client).starts_with("HTTP/1.1 502 "));
        let record = told.next(&server);
        assert_eq!(essence(&record).0, Some(502));
        assert_eq!(record.outcome, Outcome::WorkerDied);
    }
    server.stop();
    assert!(told.all().is_empty());
}

/// By each version the same, and what went to the stream is counted.
#[test]
fn streams_are_recorded_as_requests_are() {
    let told = Told::default();
    let server = quic::start(|config| told.observe(config));
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let stream = client.get("/three");
    let request = worker.request();
    worker.respond(request.id, 200, &[b'x'; 5000]);
    assert_eq!(client.answer(stream).body.len(), 5000);
    let record = told.next(&server);
    assert_eq!(essence(&record), (Some(200), Outcome::Complete, 5000));
    assert_eq!((path_of(&record), record.version), ("/three", Some(Version::Http3)));
    assert!((5010..5500).contains(&record.wire), "{}", record.wire);
    assert_eq!(record.tls.unwrap().facts().unwrap().version, "TLSv1.3");
    // HEAD, and a refusal.
    let stream = client.request("HEAD", "/head", None);
    let request = worker.request();
    worker.respond(request.id, 200, b"body");
    client.answer(stream);
    assert_eq!(essence(&told.next(&server)), (Some(200), Outcome::Complete, 0));
    // A client that goes.
    client.get("/gone");
    worker.request();
    client.close();
    let record = told.next(&server);
    assert_eq!((path_of(&record), record.outcome), ("/gone", Outcome::ClientLeft));
    server.stop();
    assert!(told.all().is_empty());
}

/// Bytes of a stream's frames, up to the one that ends it. Its end may come in a frame of its own.
fn stream_bytes(client: &mut impl Read, stream: u32) -> u64 {
    let mut bytes = 0;
    loop {
        let mut head = [0; 9];
        client.read_exact(&mut head).unwrap();
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        client.read_exact(&mut vec![0; len]).unwrap();
        if head[5..] == stream.to_be_bytes() {
            bytes += (9 + len) as u64;
            if head[4] & 1 != 0 {
                return bytes;
            }
        }
    }
}

#[test]
fn streams_of_http2_are_recorded_with_their_frames() {
    let (server, told) = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = http2::greeted(&server, b"");
    client.write_all(&frame(1, 5, 1, http2::GET)).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, &[b'x'; 1000]);
    let sent = stream_bytes(&mut client, 1);
    let record = told.next(&server);
    assert_eq!(essence(&record), (Some(200), Outcome::Complete, 1000));
    assert_eq!(record.wire, sent);
    assert_eq!(record.version, Some(Version::Http2));
    // RST_STREAM (RFC 9113, 6.4) with CANCEL.
    client.write_all(&frame(1, 5, 3, http2::GET)).unwrap();
    let request = worker.request();
    client.write_all(&frame(3, 0, 3, &8u32.to_be_bytes())).unwrap();
    let record = told.next(&server);
    assert_eq!((record.stream, record.outcome), (3, Outcome::ClientLeft));
    worker.respond(request.id, 200, b"");
    // Malformed: `h2` answers by itself.
    client.write_all(&frame(1, 5, 5, b"\x82\x86")).unwrap();
    let record = told.next(&server);
    assert_eq!((record.outcome, record.method), (Outcome::Refused, None));
    drop(client);
    server.stop();
    assert!(told.all().is_empty());
}

/// What clients do not take is not counted as sent.
#[test]
fn a_client_that_does_not_read_has_not_got_all() {
    let (server, told) = start(|config| config.ports[0].send_timeout = Duration::from_millis(200));
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    let content = vec![b'x'; 24 << 20];
    worker.head(request.id, 200, BodyLength::Known(content.len() as u64));
    for piece in content.chunks(256 << 10) {
        worker.content(request.id, piece);
    }
    worker.send(request.id, Part::End(None));
    let record = told.next(&server);
    assert_eq!((record.status, record.outcome), (Some(StatusCode::OK), Outcome::Timeout));
    assert!(record.content < content.len() as u64, "{}", record.content);
    server.stop();
    assert!(told.all().is_empty());
}

/// A detached response has the worker that answered it.
#[test]
fn a_detached_response_is_recorded_once() {
    let (server, told) = start(|_| {});
    let mut first = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = first.request();
    assert!(first.detach(request.id, 7, b""));
    let mut second = server.add_worker(1, 0);
    let (id, _) = second.claim(request.id, 7).expect("it is there");
    second.respond(id, 200, b"claimed");
    assert!(response_of(&mut client).ends_with("claimed"));
    let record = told.next(&server);
    assert_eq!(essence(&record), (Some(200), Outcome::Complete, 7));
    assert_eq!(record.worker.map(|(worker, _)| worker), Some(1));
    server.stop();
    assert!(told.all().is_empty());
}

/// A server that stops tells of what it breaks off.
#[test]
fn what_a_stop_cuts_off_is_recorded() {
    let (server, told) = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    worker.request();
    let mut other = server.connect();
    other.write_all(&PREFACE[..]).unwrap();
    server.drain(Duration::ZERO);
    server.ended();
    let all = told.all();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].outcome, Outcome::Failed);
}
