//! TLS: handshakes, what is agreed on in them, content in both directions, and refusals.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use boring::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use reactor::tls::certificates::CertificateSource;
use reactor::tls::{Tls, TlsConfig, TlsVersion, development};
use wire::control::FromReactor;
use wire::shm::Counter;
use wire::tls::TlsFacts;
use wire::{Part, Scheme};

use crate::played::{Server, response_of};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

fn config() -> TlsConfig {
    TlsConfig::new(development::localhost().unwrap())
}

pub fn start(config: TlsConfig) -> Server {
    let tls = Arc::new(Tls::load(config).unwrap());
    Server::start(|config| config.ports[0].tls = Some(tls))
}

pub fn connector() -> boring::ssl::SslConnectorBuilder {
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder
}

fn connect(server: &Server) -> SslStream<TcpStream> {
    connector().build().connect("localhost", server.connect()).unwrap()
}

#[test]
fn a_request_and_its_answer_cross_tls() {
    let server = start(config());
    let mut worker = server.add_worker(0, 0);
    let mut client = connect(&server);
    client.write_all(GET).unwrap();
    let request = worker.request();
    assert_eq!(request.head.scheme, Scheme::Https);
    let tls = request.head.tls.expect("told of TLS");
    let wanted = TlsFacts {
        version: "TLSv1.3",
        cipher: client.ssl().current_cipher().unwrap().standard_name().unwrap(),
        server_name: Some("localhost"),
        client: None,
    };
    assert_eq!(tls.facts(), Some(wanted));
    worker.respond(request.id, 200, b"hi");
    assert!(response_of(&mut client).ends_with("\r\n\r\nhi"));
    // A second one on the same connection.
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"again");
    assert!(response_of(&mut client).ends_with("again"));
    server.stop();
}

/// A client that gathers small writes (Nagle) sends its first request when the end of its handshake
/// was acknowledged, which the kernel puts off by 40 ms and more.
#[test]
fn a_client_that_gathers_small_writes_does_not_wait() {
    let server = start(config());
    let mut worker = server.add_worker(0, 0);
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let socket = server.connect();
        socket.set_nodelay(false).unwrap();
        let mut client = connector().build().connect("localhost", socket).unwrap();
        let begin = Instant::now();
        client.write_all(GET).unwrap();
        let request = worker.request();
        fastest = fastest.min(begin.elapsed());
        worker.respond(request.id, 200, b"hi");
        response_of(&mut client);
    }
    assert!(fastest < Duration::from_millis(35), "{fastest:?}");
    server.stop();
}

#[test]
fn large_content_goes_both_ways() {
    let server = start(config());
    let mut worker = server.add_worker(0, 0);
    let mut client = connect(&server);
    let body: Vec<u8> = (0..1_000_000u32).map(|n| (n / 7) as u8).collect();
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(&body).unwrap();
    let request = worker.request();
    assert!(request.body == body);
    worker.respond(request.id, 200, &body);
    let mut answer = Vec::new();
    let mut piece = [0; 5_000];
    while answer.len() < body.len() || !answer.ends_with(&body[body.len() - 100..]) {
        let len = client.read(&mut piece).unwrap();
        assert!(len > 0, "the connection ended after {} bytes", answer.len());
        answer.extend_from_slice(&piece[..len]);
    }
    assert!(answer.ends_with(&body));
    server.stop();
}

#[test]
fn the_hybrid_group_and_the_version_are_agreed_on() {
    let server = start(config());
    let client = connect(&server);
    assert_eq!(client.ssl().version2(), Some(SslVersion::TLS1_3));
    let mut offers = connector();
    offers.set_curves_list("X25519:X25519MLKEM768").unwrap();
    let client = offers.build().connect("localhost", server.connect()).unwrap();
    assert_eq!(client.ssl().curve_name(), Some("X25519MLKEM768"));
    let mut old = connector();
    old.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    let client = old.build().connect("localhost", server.connect()).unwrap();
    assert_eq!(client.ssl().version2(), Some(SslVersion::TLS1_2));
    let mut ancient = connector();
    ancient.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
    ancient.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
    assert!(ancient.build().connect("localhost", server.connect()).is_err());
    server.stop();
    let mut only = config();
    only.version_min = TlsVersion::Tls13;
    let server = start(only);
    let mut old = connector();
    old.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    assert!(old.build().connect("localhost", server.connect()).is_err());
    server.stop();
}

#[test]
fn the_protocol_is_the_servers_choice_among_the_clients() {
    let server = start(config());
    let mut builder = connector();
    builder.set_alpn_protos(b"\x08http/1.1\x02h2").unwrap();
    let client = builder.build().connect("localhost", server.connect()).unwrap();
    assert_eq!(client.ssl().selected_alpn_protocol(), Some(&b"h2"[..]));
    let mut builder = connector();
    builder.set_alpn_protos(b"\x03foo\x08http/1.1").unwrap();
    let client = builder.build().connect("localhost", server.connect()).unwrap();
    assert_eq!(client.ssl().selected_alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut builder = connector();
    builder.set_alpn_protos(b"\x03foo").unwrap();
    let error = builder.build().connect("localhost", server.connect()).unwrap_err();
    assert!(error.to_string().to_lowercase().contains("no_application_protocol"), "{error}");
    server.stop();
}

#[test]
fn a_named_certificate_agrees_on_the_same_protocols() {
    let mut config = config();
    config.named = vec![("a.example".to_owned(), development::localhost().unwrap())];
    let server = start(config);
    for name in ["a.example", "b.example"] {
        let mut builder = connector();
        builder.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap();
        let client = builder.build().configure().unwrap().verify_hostname(false);
        let client = client.connect(name, server.connect()).unwrap();
        assert_eq!(client.ssl().selected_alpn_protocol(), Some(&b"h2"[..]), "{name}");
    }
    server.stop();
}

#[test]
fn http_in_cleartext_is_told_to_use_tls() {
    let server = start(config());
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("https://") && body.ends_with('\n'), "{answer}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{answer}");
    server.stop();
}

#[test]
fn what_is_neither_ends_with_an_alert() {
    let server = start(config());
    let mut client = server.connect();
    client.write_all(&[0xff; 100]).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.first(), Some(&21), "an alert (RFC 8446, 5.1)");
    server.counted(Counter::Refused, 1);
    server.stop();
}

#[test]
fn a_handshake_has_a_deadline_and_costs_no_worker() {
    let mut short = config();
    short.handshake_timeout = Duration::from_millis(200);
    let server = start(short);
    let begin = Instant::now();
    let mut silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(&[22, 3, 1]).unwrap();
    for client in [&mut silent, &mut slow] {
        // Closed or reset.
        assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
    }
    assert!(begin.elapsed() >= Duration::from_millis(200));
    server.until("closed", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn an_idle_client_is_told_that_the_connection_ends() {
    let tls = Arc::new(Tls::load(config()).unwrap());
    let server = Server::start(|config| {
        config.ports[0].tls = Some(tls);
        let http = Arc::make_mut(&mut config.ports[0].http);
        http.keepalive_timeout = Duration::from_millis(100);
        http.first_byte_timeout = Duration::from_millis(100);
    });
    let mut client = connect(&server);
    let end = client.ssl_read(&mut [0; 1]).unwrap_err();
    assert_eq!(end.code(), boring::ssl::ErrorCode::ZERO_RETURN, "close_notify: {end}");
    server.stop();
}

#[test]
fn a_drain_tells_clients_and_ends() {
    let server = start(config());
    let mut worker = server.add_worker(0, 0);
    let mut client = connect(&server);
    client.write_all(GET).unwrap();
    let request = worker.request();
    server.drain(Duration::from_secs(10));
    worker.respond(request.id, 200, b"last");
    assert!(response_of(&mut client).ends_with("last"));
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    drop(client);
    server.ended();
}

#[test]
fn a_ticket_is_good_on_every_thread_and_in_the_next_reactor() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        let shared = config();
        let tls = Arc::new(Tls::load(shared.clone()).unwrap());
        let server = Server::start(|config| {
            config.threads = 2;
            config.ports[0].tls = Some(tls);
        });
        let kept = Arc::new(std::sync::Mutex::new(None));
        let keep = Arc::clone(&kept);
        let mut builder = connector();
        builder.set_max_proto_version(Some(version)).unwrap();
        builder.set_session_cache_mode(boring::ssl::SslSessionCacheMode::CLIENT);
        builder.set_new_session_callback(move |_, session| {
            *keep.lock().unwrap() = Some(session);
        });
        let connector = builder.build();
        let resumed = |server: &Server| {
            let mut ssl = connector.configure().unwrap().into_ssl("localhost").unwrap();
            if let Some(session) = &*kept.lock().unwrap() {
                // SAFETY: the session comes from a context of the same configuration.
                unsafe { ssl.set_session(session) }.unwrap();
            }
            let mut client = ssl.connect(server.connect()).unwrap();
            client.write_all(b"BAD\r\n\r\n").unwrap();
            // With 1.3 tickets come behind the handshake, with the answer.
            let _ = client.ssl_read(&mut [0; 1]);
            client.ssl().session_reused()
        };
        assert!(!resumed(&server));
        // Connections go to the threads in turn.
        for _ in 0..4 {
            assert!(resumed(&server), "{version:?}");
        }
        let counters = [Counter::TlsHandshakes, Counter::TlsResumptions, Counter::TlsFailures];
        assert_eq!(counters.map(|counter| server.count(counter)), [1, 4, 0]);
        server.stop();
        let server = start(shared);
        assert!(resumed(&server), "{version:?}: the next reactor");
        server.stop();
    }
}

#[test]
fn a_client_that_leaves_in_the_handshake_costs_nothing() {
    let server = start(config());
    let mut client = server.connect();
    client.write_all(&[22, 3, 1, 2, 0]).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
    drop(client);
    server.until("closed", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn a_response_without_a_length_arrives_whole() {
    let server = start(config());
    let mut worker = server.add_worker(0, 0);
    let mut client = connect(&server);
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.stream_head(request.id);
    let done = AtomicBool::new(false);
    const BYTES: usize = 20 << 20;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            worker.content(request.id, &vec![7; BYTES]);
            worker.send(request.id, Part::End(None));
            done.store(true, Ordering::Relaxed);
        });
        let mut content = 0;
        let mut piece = vec![0; 64 << 10];
        while content < BYTES {
            let len = client.read(&mut piece).unwrap();
            content += piece[..len].iter().filter(|byte| **byte == 7).count();
        }
    });
    assert!(done.load(Ordering::Relaxed));
    server.stop();
}

/// Writes a certificate and its key, each in one step.
pub fn put(folder: &std::path::Path, certificate: &[u8], key: &[u8]) {
    for (name, content) in [("c.pem", certificate), ("k.pem", key)] {
        std::fs::write(folder.join("new"), content).unwrap();
        std::fs::rename(folder.join("new"), folder.join(name)).unwrap();
    }
}

pub fn made() -> (Vec<u8>, Vec<u8>) {
    match development::localhost().unwrap() {
        CertificateSource::Memory(pem) => (pem.certificate.clone(), pem.key.clone()),
        CertificateSource::Files { .. } => unreachable!(),
    }
}

/// Returns when it has been obeyed: the reactor obeys in order, and answers what it is told next.
fn reload(server: &Server) {
    let incarnation = 2;
    let worker = server.add_worker(1, incarnation);
    server.reload_tls();
    server.retire(incarnation);
    assert_eq!(server.control(), FromReactor::Retired { incarnation });
    drop(worker);
}

fn shown(server: &Server) -> Vec<u8> {
    connect(server).ssl().peer_certificate().unwrap().to_pem().unwrap()
}

#[test]
fn certificates_are_replaced_when_told_and_when_their_files_change() {
    let place = tempfile::tempdir().unwrap();
    let folder = |n: u8| place.path().join(n.to_string());
    let made: Vec<_> = (0..4).map(|_| made()).collect();
    for (n, (certificate, key)) in (0..).zip(&made) {
        std::fs::create_dir(folder(n)).unwrap();
        put(&folder(n), certificate, key);
    }
    // As Let's Encrypt's clients do: a link that is switched.
    let link = place.path().join("live");
    let switch = |n| {
        let new = place.path().join("new");
        std::os::unix::fs::symlink(folder(n), &new).unwrap();
        std::fs::rename(new, &link).unwrap();
    };
    switch(0);
    let identity = CertificateSource::Files {
        certificate: link.join("c.pem"),
        key: link.join("k.pem"),
        passphrase: None,
        staple: None,
    };
    let server = start(TlsConfig::new(identity));
    let mut worker = server.add_worker(0, 0);
    let mut early = connect(&server);
    assert!(shown(&server) == made[0].0);

    switch(1);
    reload(&server);
    assert!(shown(&server) == made[1].0, "told");
    switch(2);
    server.until("seen", |server| shown(server) == made[2].0);

    // Broken ones, and ones that do not belong together, leave what is there.
    put(&folder(2), b"nothing", &made[2].1);
    reload(&server);
    assert!(shown(&server) == made[2].0);
    put(&folder(2), &made[3].0, &made[2].1);
    reload(&server);
    assert!(shown(&server) == made[2].0);
    put(&folder(2), &made[3].0, &made[3].1);
    reload(&server);
    assert!(shown(&server) == made[3].0, "told again");

    // A connection from before is served on.
    early.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"still");
    assert!(response_of(&mut early).ends_with("still"));
    server.stop();
}
