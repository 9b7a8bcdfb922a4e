//! Requests by HTTP/3, from a client's packets to a worker and back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quiche::Shutdown;
use quiche::h3::Header;
use reactor::protocol::settings::HttpSettings;
use wire::shm::Counter;
use wire::tls::TlsFacts;
use wire::{Part, Reason, ToWorker, Version};

use super::client::{self, Client};
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

/// QUIC ends a connection on which nothing is said, whatever is in work.
#[test]
fn a_request_may_take_longer_than_an_idle_connection_stays() {
    let idle = Duration::from_millis(400);
    let server = start(|config| {
        let http = HttpSettings { keepalive_timeout: idle, ..HttpSettings::default() };
        config.ports[0].http = http.into();
    });
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let stream = client.get("/");
    let request = worker.request();
    let begin = Instant::now();
    client.until("four times as long", |_| begin.elapsed() > 4 * idle);
    assert!(!client.quic.is_closed());
    worker.respond(request.id, 200, b"late");
    assert_eq!(client.answer(stream).body, b"late");
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
fn what_was_on_its_way_to_the_old_address_is_sent_again() {
    let server = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let stream = client.get("/");
    let request = worker.request();
    let body: Vec<u8> = (0..4 << 20).map(|n: u32| (n >> 6) as u8).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| worker.respond(request.id, 200, &body));
        client.until("some of it", |client| {
            client.answers.get(&stream).is_some_and(|answer| answer.body.len() > 1 << 20)
        });
        client.migrate();
        client.sockets.remove(0);
        let answer = client.answer(stream);
        assert!(answer.body == body, "{} bytes", answer.body.len());
    });
    client.close();
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn many_streams_of_many_clients_are_answered() {
    let server = start(|config| {
        config.threads = 2;
        config.queue_len_max = 400;
    });
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

#[test]
fn a_worker_that_dies_costs_what_it_had_begun() {
    let server = start(|_| {});
    let mut first = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let begun = client.get("/begun");
    let request = first.request();
    assert_eq!(&request.head.path[..], b"/begun");
    let mut second = server.add_worker(1, 0);
    let waiting: Vec<_> = (0..5).map(|nth| client.get(&format!("/{nth}"))).collect();
    drop(first);
    for _ in &waiting {
        let request = second.request();
        second.respond(request.id, 200, &request.head.path);
    }
    assert_eq!(client.answer(begun).status, 502);
    for (nth, stream) in waiting.into_iter().enumerate() {
        assert_eq!(client.answer(stream).body, format!("/{nth}").into_bytes());
    }
    client.close();
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn a_reload_of_the_workers_is_invisible() {
    let server = start(|_| {});
    let mut old = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let before = client.get("/before");
    let request = old.request();
    let mut new = server.add_worker(0, 1);
    server.retire(0);
    let after = client.get("/after");
    let next = new.request();
    assert_eq!(&next.head.path[..], b"/after");
    new.respond(next.id, 200, b"new");
    assert_eq!(client.answer(after).body, b"new");
    old.respond(request.id, 200, b"old");
    assert_eq!(client.answer(before).body, b"old");
    assert!(old.ended());
    assert!(!client.goaway && !client.quic.is_closed());
    server.stop();
}

#[test]
fn who_leaves_frees_its_worker() {
    let server = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let stream = client.get("/");
    let request = worker.request();
    worker.stream_head(request.id);
    client.until("the head", |client| client.answers.contains_key(&stream));
    client.close();
    let (id, message) = worker.next();
    assert_eq!(id, request.id);
    let gone = ToWorker::Request { mark: 0, part: Part::Abort(Reason::ClientGone) };
    assert_eq!(format!("{message:?}"), format!("{gone:?}"));
    worker.send(id, Part::Abort(Reason::ClientGone));
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn early_data_is_a_choice() {
    for early in [false, true] {
        let mut http = HttpSettings::default();
        http.http3.early_data = early;
        let http = Arc::new(http);
        let server = start(|config| config.ports[0].http = http);
        let mut worker = server.add_worker(0, 0);
        let mut config = client::config();
        config.enable_early_data();
        let mut first = Client::connect_with(server.address(), &mut config);
        first.until("a ticket", |client| client.quic.session().is_some());
        let session = first.quic.session().unwrap().to_vec();
        first.close();

        let mut again = Client::new(server.address(), &mut config, "localhost");
        again.quic.set_session(&session).unwrap();
        again.flush();
        again.open();
        assert_eq!(again.quic.is_in_early_data(), early);
        let get = again.get("/");
        let request = worker.request();
        let fields = &request.head.fields;
        assert_eq!(fields.get(b"early-data"), early.then_some(&b"1"[..]));
        worker.respond(request.id, 200, b"soon");
        assert_eq!(again.answer(get).body, b"soon");
        assert!(again.quic.is_resumed());

        let mut unsafe_method = Client::new(server.address(), &mut config, "localhost");
        unsafe_method.quic.set_session(&session).unwrap();
        unsafe_method.flush();
        unsafe_method.open();
        let post = unsafe_method.request("POST", "/", None);
        if early {
            assert_eq!(unsafe_method.answer(post).status, 425);
        } else {
            let request = worker.request();
            worker.respond(request.id, 200, b"");
            assert_eq!(unsafe_method.answer(post).status, 200);
        }
        server.stop();
    }
}

#[test]
fn requests_that_are_reset_without_end_are_counted() {
    let server = start(|_| {});
    let mut client = Client::connect(server.address());
    client.until("HTTP/3", |client| client.http.is_some());
    let head =
        [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")]
            .map(|(name, value)| Header::new(name.as_bytes(), value.as_bytes()));
    let begin = Instant::now();
    while !client.quic.is_draining() && !client.quic.is_closed() {
        for _ in 0..50 {
            let http = client.http.as_mut().unwrap();
            let Ok(stream) = http.send_request(&mut client.quic, &head, false) else { break };
            for side in [Shutdown::Write, Shutdown::Read] {
                // A connection that has ended needs none.
                let _ = client.quic.stream_shutdown(stream, side, 0x10c);
            }
        }
        client.step();
        assert!(begin.elapsed() < Duration::from_secs(60), "the connection stays");
    }
    server.counted(Counter::FloodsHttp3Reset, 1);
    assert_eq!(server.count(Counter::FloodsHttp3Other), 0);
    server.stop();
}
