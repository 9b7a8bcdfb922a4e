//! Requests by HTTP/3, from a client's packets to a worker and back.

use wire::Version;
use wire::shared::Counter;
use wire::tls::TlsFacts;

use super::client::Client;
use super::{idle, start};

#[test]
fn a_request_reaches_a_worker_and_its_answer_the_client() {
    let server = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let stream = client.get("/a?b=c");
    let request = worker.request();
    let head = &request.head;
    assert_eq!((&head.path[..], head.query.as_deref()), (&b"/a"[..], Some(&b"b=c"[..])));
    assert_eq!((head.version, head.scheme), (Version::Http3, wire::Scheme::Https));
    assert_eq!(head.origin.remote, Some(client.sockets[0].local_addr().unwrap()));
    assert_eq!(head.origin.local, Some(server.address()));
    let facts = TlsFacts {
        version: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        server_name: Some("localhost"),
        client: None,
    };
    assert_eq!(head.tls.as_ref().and_then(|tls| tls.facts()), Some(facts));
    worker.respond(request.id, 200, b"hi");
    let answer = client.answer(stream);
    assert_eq!((answer.status, &answer.body[..]), (200, &b"hi"[..]));
    client.close();
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn large_content_goes_both_ways() {
    let server = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let body: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
    let stream = client.request("POST", "/", Some(&body));
    client.until("the request", |_| server.count(Counter::Dispatched) == 1);
    let request = worker.request();
    assert!(request.body == body && request.in_file);
    std::thread::scope(|scope| {
        scope.spawn(|| worker.respond(request.id, 200, &body));
        let answer = client.answer(stream);
        assert!(answer.body == body, "{} bytes", answer.body.len());
    });
    server.stop();
}

#[test]
fn a_client_that_moves_takes_its_requests_along() {
    let server = start(|config| config.threads = 3);
    let mut worker = server.add_worker(0, 0);
    for _ in 0..4 {
        let mut client = Client::connect(server.address());
        let first = client.get("/1");
        let request = worker.request();
        client.migrate();
        worker.respond(request.id, 200, b"one");
        assert_eq!(client.answer(first).body, b"one");
        let second = client.get("/2");
        let request = worker.request();
        let moved = client.sockets[1].local_addr().unwrap();
        assert_eq!(request.head.origin.remote, Some(moved));
        worker.respond(request.id, 200, b"two");
        assert_eq!(client.answer(second).body, b"two");
        client.close();
    }
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn many_streams_of_many_clients_are_answered() {
    let server = start(|config| config.threads = 2);
    let mut worker = server.add_worker(0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..400 {
                let request = worker.request();
                worker.respond(request.id, 200, &request.head.path);
            }
        });
        for nth in 0..4 {
            let address = server.address();
            scope.spawn(move || {
                let mut client = Client::connect(address);
                let paths: Vec<_> = (0..100).map(|path| format!("/{nth}/{path}")).collect();
                let streams: Vec<_> = paths.iter().map(|path| client.get(path)).collect();
                for (stream, path) in streams.into_iter().zip(paths) {
                    assert_eq!(client.answer(stream).body, path.as_bytes());
                }
                client.close();
            });
        }
    });
    server.until("nothing left", idle);
    assert_eq!(server.count(Counter::Responses), 400);
    server.stop();
}

#[test]
fn a_drain_answers_what_is_in_flight_and_says_goodbye() {
    let server = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let stream = client.get("/");
    let request = worker.request();
    server.drain(std::time::Duration::from_secs(20));
    client.until("GOAWAY", |client| client.goaway);
    worker.respond(request.id, 200, b"last");
    assert_eq!(client.answer(stream).body, b"last");
    client.until_closed();
    assert_eq!(
        client.quic.peer_error().map(|error| (error.is_app, error.error_code)),
        Some((true, 0x100))
    );
    server.ended();
}
