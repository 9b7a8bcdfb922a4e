//! The whole reactor over real sockets, with a supervisor and workers played by the test: dispatch,
//! the queue, lost workers, clients that leave, back-pressure, draining.

mod admin;
mod bounds;
mod closing;
mod detached;
mod files;
mod hostile;
mod http2;
mod leaving;
mod observed;
mod played;
mod pools;
mod proxies;
mod quic;
mod redirects;
mod routes;
mod spool;
mod staple;
mod streamed;
mod tls;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use played::{Server, response_of};
use reactor::protocol::settings::HttpSettings;
use wire::control::FromReactor;
use wire::limits::REDISPATCH_MAX;
use wire::shm::Counter;
use wire::{Part, Reason, ToWorker};

const GET: &[u8] = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
}

#[test]
fn a_request_reaches_a_worker_and_its_answer_the_client() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    assert_eq!(
        (&request.head.path[..], request.head.query.as_deref()),
        (&b"/a"[..], Some(&b"b=c"[..]))
    );
    assert_eq!(request.head.origin.remote, Some(client.local_addr().unwrap()));
    worker.respond(request.id, 200, b"hi");
    let response = response_of(&mut client);
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\nhi"), "{response}");
    server.stop();
}

#[test]
fn a_large_body_arrives_in_a_file() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    let body: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
    write!(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
    client.write_all(&body).unwrap();
    let request = worker.request();
    assert!(request.in_file, "the bound is {}", played::BODY_MEMORY_BYTES_MAX);
    assert!(request.body == body);
    worker.respond(request.id, 204, b"");
    assert!(response_of(&mut client).starts_with("HTTP/1.1 204 "));
    server.stop();
}

#[test]
fn a_head_may_be_larger_than_what_is_read_ahead() {
    let http = HttpSettings { header_bytes_max: 256 << 10, ..HttpSettings::default() };
    let server = Server::start(|config| config.ports[0].http = http.into());
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    let value = "v".repeat(200 << 10);
    write!(client, "GET / HTTP/1.1\r\nHost: x\r\nLarge: {value}\r\n\r\n").unwrap();
    let request = worker.request();
    assert_eq!(request.head.fields.get(b"large"), Some(value.as_bytes()));
    worker.respond(request.id, 200, b"");
    assert!(response_of(&mut client).starts_with("HTTP/1.1 200 "));
    server.stop();
}

#[test]
fn a_missing_spool_directory_costs_one_answer() {
    let server = Server::start(|config| config.spool_dir = "/nonexistent".into());
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    let body = vec![b'x'; 100_000];
    write!(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
    let _ = client.write_all(&body);
    assert!(response_of(&mut client).starts_with("HTTP/1.1 503 "));
    let mut other = server.connect();
    other.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(response_of(&mut other).starts_with("HTTP/1.1 200 "));
    server.stop();
}

#[test]
fn no_request_waits_while_a_worker_of_any_thread_is_idle() {
    let server = Server::start(|config| config.threads = 3);
    let mut workers: Vec<_> = (0..3).map(|id| server.add_worker(id, 0)).collect();
    // Connections go to the threads in turn, so each worker is reached from another thread.
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.write_all(GET).unwrap();
    }
    let requests: Vec<_> = workers.iter_mut().map(|worker| worker.request()).collect();
    let mut fourth = server.connect();
    fourth.write_all(&get("/4")).unwrap();
    server.until("one queued", |server| server.count(Counter::Queued) == 1);
    workers[1].respond(requests[1].id, 200, b"1");
    let request = workers[1].request();
    assert_eq!(&request.head.path[..], b"/4");
    workers[1].respond(request.id, 200, b"4");
    assert!(response_of(&mut fourth).ends_with('4'));
    for n in [0, 2] {
        workers[n].respond(requests[n].id, 200, b"x");
    }
    for client in &mut clients {
        assert!(response_of(client).starts_with("HTTP/1.1 200 "));
    }
    server.stop();
}

#[test]
fn the_queue_is_bounded_in_length_and_age() {
    let server = Server::start(|config| {
        config.queue_len_max = 1;
        config.queue_age_max = Duration::from_millis(200);
    });
    let mut worker = server.add_worker(0, 0);
    let mut started = server.connect();
    started.write_all(GET).unwrap();
    let request = worker.request();
    let mut waiting = server.connect();
    waiting.write_all(GET).unwrap();
    server.until("one queued", |server| server.count(Counter::Queued) == 1);
    let mut refused = server.connect();
    refused.write_all(GET).unwrap();
    for client in [&mut refused, &mut waiting] {
        let response = response_of(client);
        assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
        assert!(response.contains("\r\nRetry-After: "), "{response}");
    }
    assert_eq!((server.count(Counter::Shed), server.count(Counter::Queued)), (2, 0));
    worker.respond(request.id, 200, b"late");
    assert!(response_of(&mut started).ends_with("late"));
    server.stop();
}

#[test]
fn a_request_behind_a_slow_one_moves_to_an_idle_worker() {
    let server = Server::start(|config| config.threads = 2);
    let mut workers = [server.add_worker(0, 0), server.add_worker(1, 0)];
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    // Both have shown to be fast, so one is given the third request ahead.
    for round in 1..=3 {
        for client in &mut clients[..2] {
            client.write_all(&get("/round")).unwrap();
        }
        let requests: Vec<_> = workers.iter_mut().map(|worker| worker.request()).collect();
        if round == 3 {
            clients[2].write_all(&get("/third")).unwrap();
            server.until("handed over", |server| server.count(Counter::Dispatched) == 7);
            let (slow, quick) = (0, 1);
            workers[quick].respond(requests[quick].id, 200, b"quick");
            let moved = workers[quick].request();
            assert_eq!(&moved.head.path[..], b"/third");
            workers[quick].respond(moved.id, 200, b"moved");
            assert!(response_of(&mut clients[2]).ends_with("moved"));
            workers[slow].respond(requests[slow].id, 200, b"slow");
        } else {
            for (worker, request) in workers.iter_mut().zip(&requests) {
                worker.respond(request.id, 200, b"");
            }
        }
        for client in &mut clients[..2] {
            assert!(response_of(client).starts_with("HTTP/1.1 200 "));
        }
    }
    server.stop();
}

/// A worker that has two requests, of which it has answered the first without sending the answer.
fn holding(server: &Server) -> (played::Worker, [TcpStream; 2]) {
    let mut worker = server.add_worker(0, 0);
    let mut first = server.connect();
    first.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    response_of(&mut first);
    first.write_all(GET).unwrap();
    let request = worker.request();
    let mut second = server.connect();
    second.write_all(&get("/second")).unwrap();
    server.until("handed over", |server| server.count(Counter::Dispatched) == 3);
    worker.request();
    worker.hold(request.id, 200, b"held");
    (worker, [first, second])
}

#[test]
fn an_answer_that_a_busy_worker_holds_back_is_fetched() {
    let server = Server::start(|_| {});
    let (worker, [mut first, _second]) = holding(&server);
    assert!(response_of(&mut first).ends_with("held"));
    drop(worker);
    server.stop();
}

#[test]
fn an_answer_that_a_dying_worker_held_back_is_not_lost() {
    let server = Server::start(|_| {});
    let (worker, [mut first, mut second]) = holding(&server);
    drop(worker);
    assert!(response_of(&mut first).ends_with("held"));
    assert!(response_of(&mut second).starts_with("HTTP/1.1 502 "));
    server.stop();
}

#[test]
fn a_lost_worker_costs_the_started_request_only() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    // A worker that has shown to be fast is given requests ahead.
    let mut client = server.connect();
    for _ in 0..2 {
        client.write_all(GET).unwrap();
        let request = worker.request();
        worker.respond(request.id, 200, b"");
        response_of(&mut client);
    }
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.write_all(&get(&format!("/{n}"))).unwrap();
        server.until("handed over", |s| s.count(Counter::Dispatched) == 3 + n as u64);
    }
    let request = worker.request();
    assert_eq!(&request.head.path[..], b"/0");
    drop(worker);
    assert!(response_of(&mut clients[0]).starts_with("HTTP/1.1 502 "));
    assert_eq!(
        server.control(),
        FromReactor::Lost { incarnation: 0, request: Some("GET /0".into()) }
    );
    let mut worker = server.add_worker(0, 1);
    for (n, client) in clients.iter_mut().enumerate().skip(1) {
        let request = worker.request();
        assert_eq!(request.head.path, format!("/{n}"), "in order");
        worker.respond(request.id, 200, b"");
        assert!(response_of(client).starts_with("HTTP/1.1 200 "));
    }
    server.stop();
}

/// Three requests: the first two are answered, which shows that the worker is fast, the third is
/// started, and two more wait behind it.
fn started_and_waiting(server: &Server, worker: &mut played::Worker) -> Vec<TcpStream> {
    let mut client = server.connect();
    for _ in 0..2 {
        client.write_all(GET).unwrap();
        let request = worker.request();
        worker.respond(request.id, 200, b"");
        response_of(&mut client);
    }
    let before = server.count(Counter::Dispatched);
    let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.write_all(&get(&format!("/{n}"))).unwrap();
        server.until("handed over", |s| s.count(Counter::Dispatched) == before + n as u64 + 1);
        if n == 0 {
            // Started before another thread hands its own over.
            assert_eq!(&worker.request().head.path[..], b"/0");
        }
    }
    clients
}

#[test]
fn a_request_behind_a_slow_one_moves_to_a_worker_that_becomes_ready() {
    for threads in [1, 2] {
        let server = Server::start(|config| config.threads = threads);
        let mut slow = server.add_worker(0, 0);
        let mut clients = started_and_waiting(&server, &mut slow);
        let mut new = server.add_worker(1, 1);
        for _ in 1..3 {
            let request = new.request();
            new.respond(request.id, 200, &request.head.path.clone());
        }
        assert!(response_of(&mut clients[1]).ends_with("/1"));
        assert!(response_of(&mut clients[2]).ends_with("/2"));
        server.stop();
    }
}

#[test]
fn a_reaped_worker_is_lost_although_its_links_are_held_open() {
    for threads in [1, 2] {
        let server = Server::start(|config| config.threads = threads);
        // A process that the worker has forked would hold the ends of this one.
        let mut held_open = server.add_worker(0, 0);
        let mut clients = started_and_waiting(&server, &mut held_open);
        server.reaped(0);
        assert!(response_of(&mut clients[0]).starts_with("HTTP/1.1 502 "));
        let request = Some("GET /0".into());
        assert_eq!(server.control(), FromReactor::Lost { incarnation: 0, request });
        assert!(held_open.ended(), "whoever holds the links can do nothing with them");
        let mut worker = server.add_worker(0, 1);
        for _ in 1..3 {
            let request = worker.request();
            worker.respond(request.id, 200, &request.head.path.clone());
        }
        assert!(response_of(&mut clients[1]).ends_with("/1"));
        assert!(response_of(&mut clients[2]).ends_with("/2"));
        server.stop();
    }
}

#[test]
fn what_a_reaped_worker_had_answered_reaches_its_clients() {
    for round in 0..20 {
        let server = Server::start(|_| {});
        let (mut held_open, [mut first, mut second]) = holding(&server);
        // The held answer may have been fetched by now, or not.
        if round % 2 == 0 {
            server.reaped(0);
            assert!(response_of(&mut first).ends_with("held"));
            assert!(response_of(&mut second).starts_with("HTTP/1.1 502 "));
        } else {
            assert!(response_of(&mut first).ends_with("held"));
            first.write_all(GET).unwrap();
            let request = held_open.request();
            let large = vec![b'L'; 100 << 10];
            held_open.respond(request.id, 200, &large);
            server.reaped(0);
            assert!(response_of(&mut first).ends_with("LLL"));
            assert!(response_of(&mut second).starts_with("HTTP/1.1 502 "));
        }
        server.stop();
    }
}

#[test]
fn the_end_of_a_worker_counts_once_whoever_tells_of_it_first() {
    let server = Server::start(|config| config.threads = 2);
    for (life, links_first) in [(0, true), (4, false)] {
        let mut worker = server.add_worker(0, life);
        let mut clients = started_and_waiting(&server, &mut worker);
        let lost = server.count(Counter::Lost);
        let worker = match links_first {
            true => {
                drop(worker);
                assert!(matches!(server.control(), FromReactor::Lost { .. }));
                server.reaped(life);
                None
            }
            false => {
                server.reaped(life);
                Some(worker)
            }
        };
        assert!(response_of(&mut clients[0]).starts_with("HTTP/1.1 502 "));
        if !links_first {
            assert!(matches!(server.control(), FromReactor::Lost { .. }));
        }
        drop(worker);
        // The next one has the same place, and old news are not about it.
        let mut next = server.add_worker(0, life + 2);
        server.reaped(life);
        for _ in 1..3 {
            let request = next.request();
            next.respond(request.id, 200, b"once");
        }
        for client in &mut clients[1..] {
            assert!(response_of(client).ends_with("once"));
        }
        assert_eq!(server.count(Counter::Lost), lost + 1);
        drop(next);
        let request = None;
        assert_eq!(server.control(), FromReactor::Lost { incarnation: life + 2, request });
    }
    server.stop();
}

#[test]
fn a_request_that_was_never_started_outlives_many_workers_but_not_any_number() {
    let server = Server::start(|_| {});
    for deaths in [u64::from(REDISPATCH_MAX), u64::from(REDISPATCH_MAX) + 1] {
        let mut client = server.connect();
        client.write_all(GET).unwrap();
        for incarnation in 0..deaths {
            let before = server.count(Counter::Dispatched);
            let worker = server.add_worker(0, incarnation);
            server.until("given", |server| server.count(Counter::Dispatched) > before);
            drop(worker);
            assert!(matches!(server.control(), FromReactor::Lost { .. }));
        }
        let mut worker = server.add_worker(0, deaths);
        if deaths > u64::from(REDISPATCH_MAX) {
            assert!(response_of(&mut client).starts_with("HTTP/1.1 502 "));
        } else {
            let request = worker.request();
            worker.respond(request.id, 200, b"");
            assert!(response_of(&mut client).starts_with("HTTP/1.1 200 "));
        }
        drop(worker);
        assert!(matches!(server.control(), FromReactor::Lost { .. }));
    }
    server.stop();
}

#[test]
fn a_worker_lost_in_the_middle_of_its_answer_breaks_it_visibly() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.stream_head(request.id);
    worker.send(request.id, Part::Body("half".into()));
    drop(worker);
    let mut response = Vec::new();
    let _ = client.read_to_end(&mut response);
    let text = String::from_utf8_lossy(&response);
    assert!(text.contains("half") && !text.ends_with("0\r\n\r\n"), "{text}");
    server.stop();
}

#[test]
fn a_request_whose_client_left_never_starts_or_is_told() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut first = server.connect();
    first.write_all(&get("/started")).unwrap();
    let started = worker.request();
    let mut second = server.connect();
    second.write_all(&get("/queued")).unwrap();
    server.until("queued", |server| server.count(Counter::Queued) == 1);
    played::reset(second);
    server.until("dropped", |server| server.count(Counter::Queued) == 0);
    played::reset(first);
    let (id, message) = worker.next();
    assert_eq!(id, started.id);
    assert!(matches!(message, ToWorker::Request { part: Part::Abort(Reason::ClientGone), .. }));
    worker.send(id, Part::Abort(Reason::ClientGone));
    let mut third = server.connect();
    third.write_all(&get("/third")).unwrap();
    let request = worker.request();
    assert_eq!(&request.head.path[..], b"/third");
    worker.respond(request.id, 200, b"");
    response_of(&mut third);
    server.until("nothing is left", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}

#[test]
fn a_client_that_does_not_read_stops_its_worker_and_is_cut_off() {
    let server = Server::start(|config| {
        config.ports[0].send_timeout = Duration::from_millis(500);
        config.ports[0].window_bytes = 128 << 10;
        config.ports[0].response_spool_bytes_max = 1 << 20;
    });
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.stream_head(request.id);
    let mut window = 128 << 10;
    let mut sent = 0u64;
    let aborted = loop {
        while window >= 64 << 10 {
            worker.send(request.id, Part::Body(vec![b'x'; 64 << 10].into()));
            window -= 64 << 10;
            sent += 64 << 10;
        }
        match worker.next() {
            (_, ToWorker::Credit(bytes)) => window += bytes,
            (id, ToWorker::Request { part: Part::Abort(_), .. }) => break id,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(aborted, request.id);
    assert!(sent < 64 << 20, "kernel buffers and what is spooled, not {sent}");
    worker.send(request.id, Part::Abort(Reason::ClientGone));
    server.until("closed", |server| server.count(Counter::Connections) == 0);
    drop(client);
    server.stop();
}

#[test]
fn a_retired_worker_finishes_and_is_closed() {
    let server = Server::start(|_| {});
    let mut old = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = old.request();
    let mut new = server.add_worker(0, 1);
    server.retire(0);
    let mut other = server.connect();
    other.write_all(&get("/new")).unwrap();
    let second = new.request();
    new.respond(second.id, 200, b"new");
    assert!(response_of(&mut other).ends_with("new"));
    old.respond(request.id, 200, b"old");
    assert!(response_of(&mut client).ends_with("old"));
    assert!(old.ended());
    assert_eq!(server.control(), FromReactor::Retired { incarnation: 0 });
    server.stop();
}

#[test]
fn draining_finishes_what_is_in_flight_and_closes_what_idles() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut idle = server.connect();
    idle.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    response_of(&mut idle);
    let mut busy = server.connect();
    busy.write_all(GET).unwrap();
    let request = worker.request();
    server.drain(Duration::from_secs(20));
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0, "closed");
    assert!(TcpStream::connect(server.address()).is_err(), "nobody listens");
    worker.respond(request.id, 200, b"done");
    let response = response_of(&mut busy);
    assert!(response.contains("Connection: close\r\n") && response.ends_with("done"), "{response}");
    server.ended();
}

#[test]
fn draining_has_an_end() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut busy = server.connect();
    busy.write_all(GET).unwrap();
    worker.request();
    let begin = Instant::now();
    server.drain(Duration::from_millis(300));
    server.ended();
    assert!(begin.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_reactor_ends_with_its_supervisor() {
    let server = Server::start(|config| config.threads = 2);
    let _worker = server.add_worker(0, 0);
    let mut idle = server.connect();
    idle.write_all(GET).unwrap();
    server.orphan();
    assert!(matches!(idle.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn a_half_closed_client_still_gets_its_answer() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"answer");
    let mut response = String::new();
    client.read_to_string(&mut response).unwrap();
    assert!(response.ends_with("answer"), "{response}");
    server.stop();
}

#[test]
fn pipelined_answers_come_in_order_also_small_after_large() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    let mut requests = get("/large");
    requests.extend_from_slice(b"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    requests.extend_from_slice(&get("/small"));
    client.write_all(&requests).unwrap();
    let large = vec![b'L'; 3 << 20];
    let reader =
        std::thread::spawn(move || (0..3).map(|_| response_of(&mut client)).collect::<Vec<_>>());
    for body in [&large[..], b"post", b"small"] {
        let request = worker.request();
        worker.respond(request.id, 200, body);
    }
    let responses = reader.join().unwrap();
    assert!(responses[0].len() > large.len());
    assert!(responses[1].ends_with("post") && responses[2].ends_with("small"));
    server.stop();
}

#[test]
fn connections_beyond_the_bound_are_closed() {
    let server = Server::start(|config| config.connections_max = 1);
    let mut worker = server.add_worker(0, 0);
    let mut first = server.connect();
    first.write_all(GET).unwrap();
    let request = worker.request();
    let mut second = server.connect();
    assert!(matches!(second.read(&mut [0; 1]), Ok(0) | Err(_)));
    worker.respond(request.id, 200, b"");
    response_of(&mut first);
    server.stop();
}

#[test]
fn a_worker_is_told_of_connections() {
    let server = Server::start(|config| {
        config.ports[0].notify_open = true;
        config.ports[0].notify_close = true;
    });
    let mut worker = server.add_worker(0, 0);
    let client = server.connect();
    let (id, message) = worker.next();
    let ToWorker::Opened { origin, .. } = message else { panic!("{message:?}") };
    worker.send(id, Part::End(None));
    drop(client);
    let (_, message) = worker.next();
    assert!(matches!(message, ToWorker::Closed { origin: closed, .. }
        if closed.connection == origin.connection));
    server.stop();
}

#[test]
fn garbage_from_a_worker_ends_its_link_only() {
    let server = Server::start(|_| {});
    let mut bad = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    bad.request();
    bad.garbage();
    assert!(response_of(&mut client).starts_with("HTTP/1.1 502 "));
    assert!(matches!(server.control(), FromReactor::Lost { incarnation: 0, .. }));
    let mut good = server.add_worker(0, 1);
    client = server.connect();
    client.write_all(GET).unwrap();
    let request = good.request();
    good.respond(request.id, 200, b"ok");
    assert!(response_of(&mut client).ends_with("ok"));
    server.stop();
}

#[test]
fn an_answer_for_an_exchange_that_is_gone_is_dropped_and_counted() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"once");
    worker.respond(request.id, 200, b"twice");
    assert!(response_of(&mut client).ends_with("once"));
    server.until("counted", |server| server.count(Counter::Stray) > 0);
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"next");
    assert!(response_of(&mut client).ends_with("next"));
    server.stop();
}
