//! Responses that a handler has detached and another worker answers, or nobody.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reactor::Config;
use reactor::config::Routes;
use reactor::handler::HandlerId;
use reactor::handler::routes::{PathMatch, Route};
use reactor::protocol::settings::HttpSettings;
use wire::control::FromReactor;
use wire::limits::DETACHED_STATE_BYTES_MAX;
use wire::shm::Counter;
use wire::{BodyLength, ExchangeId, Part, Pool, PoolId, PoolKind, Pools, Reason, ToWorker};

use super::played::{Request, Server, Worker, answer, response_of};
use super::quic::client::Client;
use super::{GET, get, quic};

/// The next request, whichever of the workers it is given to.
fn next_request(workers: &mut [&mut Worker]) -> (usize, Request) {
    let begin = Instant::now();
    loop {
        for (at, worker) in workers.iter_mut().enumerate() {
            if worker.has_request()
                && let Some(request) = worker.unless_taken_back()
            {
                return (at, request);
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "no request");
    }
}

/// A server with a worker that has detached its response to a client.
struct Parked {
    server: Server,
    first: Worker,
    client: TcpStream,
    /// The exchange, whose secret is 1.
    id: ExchangeId,
}

impl Parked {
    fn new() -> Self {
        let server = Server::start(|_| {});
        let mut first = server.add_worker(0, 0);
        let (client, id) = detached(&server, &mut first, 1);
        Self { server, first, client, id }
    }
}

/// A request of a client whose response is detached.
fn detached(server: &Server, worker: &mut Worker, secret: u8) -> (TcpStream, ExchangeId) {
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    assert!(worker.detach(request.id, secret, b"state"));
    assert_eq!(server.count(Counter::Detached), 1);
    (client, request.id)
}

#[test]
fn the_worker_that_detaches_is_free_and_another_answers() {
    let Parked { server, mut first, mut client, id } = Parked::new();
    // The next request goes to the same worker at once: it has nothing in hand.
    let mut next = server.connect();
    next.write_all(&get("/next")).unwrap();
    let request = first.request();
    let mut second = server.add_worker(1, 0);
    let (taken, claimed) = second.claim(id, 1).unwrap();
    assert_ne!(taken, id);
    assert_eq!((&claimed.head.path[..], &claimed.state[..]), (&b"/a"[..], &b"state"[..]));
    assert_eq!(server.count(Counter::Detached), 0);
    second.respond(taken, 200, b"later");
    assert!(response_of(&mut client).ends_with("\r\n\r\nlater"));
    first.respond(request.id, 200, b"now");
    assert!(response_of(&mut next).ends_with("\r\n\r\nnow"));
    // The connection goes on.
    client.write_all(&get("/again")).unwrap();
    let mut workers = [&mut first, &mut second];
    let (at, request) = next_request(&mut workers);
    workers[at].respond(request.id, 200, b"again");
    assert!(response_of(&mut client).ends_with("\r\n\r\nagain"));
    assert_eq!(server.count(Counter::Exchanges), 0);
    server.stop();
}

#[test]
fn who_has_detached_may_be_replaced_or_die() {
    for dies in [false, true] {
        let server = Server::start(|_| {});
        let mut first = server.add_worker(0, 2);
        let (mut client, id) = detached(&server, &mut first, 1);
        let mut second = server.add_worker(0, 3);
        if dies {
            drop(first);
            let FromReactor::Lost { incarnation: 2, request: None } = server.control() else {
                panic!("the worker's end")
            };
        } else {
            server.retire(2);
            assert!(first.ended(), "it has nothing in hand");
            assert_eq!(server.control(), FromReactor::Retired { incarnation: 2 });
        }
        let (taken, _) = second.claim(id, 1).unwrap();
        second.respond(taken, 200, b"later");
        assert!(response_of(&mut client).ends_with("\r\n\r\nlater"));
        assert_eq!(server.count(Counter::Lost), 0);
        server.stop();
    }
}

#[test]
fn who_has_taken_over_is_waited_for_and_its_death_is_an_answer() {
    let Parked { server, mut first, mut client, id } = Parked::new();
    let (mut other, _) = {
        let mut client = server.connect();
        client.write_all(GET).unwrap();
        let request = first.request();
        (client, first.respond(request.id, 200, b"x"))
    };
    response_of(&mut other);
    let mut second = server.add_worker(1, 2);
    let (taken, _) = second.claim(id, 1).unwrap();
    server.retire(2);
    // It is at work, so its links stay.
    second.respond(taken, 200, b"later");
    assert!(response_of(&mut client).ends_with("\r\n\r\nlater"));
    assert_eq!(server.control(), FromReactor::Retired { incarnation: 2 });
    assert!(second.ended());

    let mut third = server.add_worker(1, 3);
    let (mut client, id) = {
        let mut client = server.connect();
        client.write_all(GET).unwrap();
        let mut workers = [&mut first, &mut third];
        let (at, request) = next_request(&mut workers);
        assert!(workers[at].detach(request.id, 2, b""));
        (client, request.id)
    };
    third.claim(id, 2).unwrap();
    drop(third);
    assert!(response_of(&mut client).starts_with("HTTP/1.1 502 "));
    assert_eq!(server.count(Counter::Exchanges), 0);
    server.stop();
}

#[test]
fn a_detached_response_is_taken_over_once_and_by_its_secret_alone() {
    let Parked { server, mut first, mut client, id } = Parked::new();
    let mut second = server.add_worker(1, 0);
    assert!(second.claim(id, 2).is_none(), "another secret");
    assert!(second.claim(ExchangeId::new(id.slot() as u32 + 1, id.generation()), 1).is_none());
    assert!(second.claim(ExchangeId::new(id.slot() as u32, id.generation() + 1), 1).is_none());
    assert!(second.claim_of((0, id), 7, 1).is_none(), "a pool that is not there");
    let (taken, _) = second.claim(id, 1).unwrap();
    assert!(second.claim(id, 1).is_none(), "a second time");
    assert!(second.claim(taken, 1).is_none(), "what is taken over");
    let mut other = server.connect();
    other.write_all(GET).unwrap();
    let mut workers = [&mut first, &mut second];
    let (at, request) = next_request(&mut workers);
    assert!(workers[1 - at].claim(request.id, 1).is_none(), "what another has in work");
    workers[at].respond(request.id, 200, b"own");
    assert!(response_of(&mut other).ends_with("own"));
    second.respond(taken, 200, b"later");
    assert!(response_of(&mut client).ends_with("later"));
    server.stop();
}

#[test]
fn a_response_may_be_detached_again_and_in_the_middle() {
    let server = Server::start(|config| config.ports[0].window_bytes = 64 << 10);
    let mut workers = [server.add_worker(0, 0), server.add_worker(1, 0)];
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let (at, request) = next_request(&mut workers.each_mut());
    let mut id = request.id;
    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n / 5) as u8).collect();
    workers[at].head(id, 200, BodyLength::Known(content.len() as u64));
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        let head = super::played::response_head_of(&mut client);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        all.resize(3_000_000, 0);
        client.read_exact(&mut all).unwrap();
        all
    });
    let mut turn = at;
    for (nth, piece) in content.chunks(100_000).enumerate() {
        workers[turn].content(id, piece);
        if nth % 3 == 0 {
            assert!(workers[turn].detach(id, nth as u8, b""));
            turn = 1 - turn;
            id = workers[turn].claim(id, nth as u8).unwrap().0;
        }
    }
    workers[turn].send(id, Part::End(None));
    assert!(reader.join().unwrap() == content);
    server.stop();
}

#[test]
fn nobody_waits_for_ever() {
    let server = Server::start(|config| config.detach_timeout = Duration::from_millis(200));
    let mut worker = server.add_worker(0, 0);
    let begin = Instant::now();
    let (mut client, id) = detached(&server, &mut worker, 1);
    let mut streaming = server.connect();
    streaming.write_all(GET).unwrap();
    let request = worker.request();
    worker.head(request.id, 200, BodyLength::Known(10));
    worker.content(request.id, b"abc");
    assert!(worker.detach(request.id, 1, b""));
    assert!(response_of(&mut client).starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
    assert!(begin.elapsed() >= Duration::from_millis(200));
    let mut rest = String::new();
    // What has begun breaks off.
    let _ = streaming.read_to_string(&mut rest);
    assert!(rest.ends_with("\r\n\r\nabc"), "{rest}");
    assert!(worker.claim(id, 1).is_none());
    assert_eq!([Counter::Detached, Counter::Exchanges].map(|gauge| server.count(gauge)), [0, 0]);
    assert_eq!(server.count(Counter::Unanswered), 2);
    server.stop();
}

#[test]
fn a_client_that_leaves_frees_it() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    for half in [false, true] {
        let (client, id) = detached(&server, &mut worker, 1);
        if half {
            client.shutdown(Shutdown::Write).unwrap();
        } else {
            drop(client);
        }
        server.until("it is freed", |server| {
            server.count(Counter::Detached) == 0 && server.count(Counter::Exchanges) == 0
        });
        assert!(worker.claim(id, 1).is_none());
    }
    server.stop();
}

#[test]
fn who_has_taken_over_is_told_that_the_client_has_left() {
    let Parked { server, first: mut worker, client, id } = Parked::new();
    let (taken, _) = worker.claim(id, 1).unwrap();
    drop(client);
    let (of, message) = worker.next();
    let ToWorker::Request { part: Part::Abort(reason), .. } = message else {
        panic!("{message:?}")
    };
    assert_eq!(of, taken);
    assert!(matches!(reason, Reason::ClientGone | Reason::ClientLeaving));
    worker.send(taken, Part::Abort(Reason::ClientGone));
    server.until("nothing left", |server| server.count(Counter::Exchanges) == 0);
    assert_eq!(server.count(Counter::Stray), 0);
    server.stop();
}

#[test]
fn their_number_is_bounded() {
    let server = Server::start(|config| config.detached_max = 1);
    let mut worker = server.add_worker(0, 0);
    let (mut client, id) = detached(&server, &mut worker, 1);
    let mut other = server.connect();
    other.write_all(GET).unwrap();
    let request = worker.request();
    assert!(!worker.detach(request.id, 1, b""));
    assert_eq!(server.count(Counter::Detached), 1);
    // It is the worker's still.
    worker.respond(request.id, 503, b"full");
    assert!(response_of(&mut other).ends_with("full"));
    let (taken, _) = worker.claim(id, 1).unwrap();
    worker.respond(taken, 200, b"x");
    response_of(&mut client);
    let (client, _) = detached(&server, &mut worker, 1);
    drop(client);
    server.stop();
}

#[test]
fn a_pipelined_request_waits_for_the_response_before_it() {
    let server = Server::start(|_| {});
    let mut first = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(&[get("/1"), get("/2")].concat()).unwrap();
    let request = first.request();
    assert!(first.detach(request.id, 1, b""));
    let (taken, _) = first.claim(request.id, 1).unwrap();
    assert!(first.is_idle(), "one at a time");
    first.respond(taken, 200, b"one");
    let request = first.request();
    assert_eq!(&request.head.path[..], b"/2");
    first.respond(request.id, 200, b"two");
    assert!(response_of(&mut client).ends_with("one"));
    assert!(response_of(&mut client).ends_with("two"));
    server.stop();
}

#[test]
fn streams_of_http3_are_answered_by_another_worker_out_of_order() {
    let server = quic::start(|config| config.threads = 3);
    let mut workers = [server.add_worker(0, 0), server.add_worker(1, 0)];
    let mut client = Client::connect(server.address());
    let large = vec![b'x'; 500_000];
    let streams: Vec<u64> = (0..4).map(|nth| client.get(&format!("/{nth}"))).collect();
    let mut parked = Vec::new();
    while parked.len() < streams.len() {
        client.step();
        for worker in &mut workers {
            if worker.has_request()
                && let Some(request) = worker.unless_taken_back()
            {
                let link = worker.link_of(request.id);
                assert!(worker.detach(request.id, parked.len() as u8, b"h3"));
                parked.push((link, request.id, request.head.path));
            }
        }
    }
    assert_eq!(server.count(Counter::Detached), 4);
    std::thread::scope(|scope| {
        let answering = scope.spawn(|| {
            for (nth, (link, id, path)) in parked.iter().enumerate().rev() {
                let worker = &mut workers[nth % 2];
                let (taken, claimed) = worker.claim_of((*link, *id), 0, nth as u8).unwrap();
                assert_eq!((&claimed.head.path, &claimed.state[..]), (path, &b"h3"[..]));
                worker.respond(taken, 200, &[&path[..], &large].concat());
            }
        });
        while !answering.is_finished() {
            client.step();
        }
    });
    for (nth, stream) in streams.iter().enumerate() {
        let answer = client.answer(*stream);
        assert_eq!((answer.status, answer.body.len()), (200, 2 + large.len()));
        assert!(answer.body.starts_with(format!("/{nth}").as_bytes()));
    }
    // The client leaves while one is detached.
    client.get("/left");
    client.until("it is detached", |_| {
        workers.iter_mut().any(|worker| {
            worker.has_request()
                && worker
                    .unless_taken_back()
                    .is_some_and(|request| worker.detach(request.id, 9, b""))
        })
    });
    client.close();
    server.until("nothing left", |server| {
        server.count(Counter::Detached) == 0 && server.count(Counter::Exchanges) == 0
    });
    server.stop();
}

/// The content that has not been read waits with the response, within its bound, and is dropped with it.
#[test]
fn a_body_that_still_arrives_holds_the_client_back() {
    let server = Server::start(|config| {
        let http = HttpSettings {
            body_bytes_max: 1 << 30,
            streamed: vec![Bytes::new()],
            ..HttpSettings::default()
        };
        config.ports[0].http = http.into();
    });
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc")
        .unwrap();
    let request = worker.begin();
    assert!(worker.detach(request.id, 1, b""));
    let sender = {
        let mut client = client.try_clone().unwrap();
        std::thread::spawn(move || {
            let piece = vec![0; 64 << 10];
            while client.write_all(&piece).is_ok() {}
        })
    };
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.count(Counter::BytesReceived) < 8 << 20);
    let (taken, _) = worker.claim(request.id, 1).unwrap();
    worker.respond(taken, 413, b"no");
    assert!(response_of(&mut client).starts_with("HTTP/1.1 413 "));
    let _ = client.shutdown(Shutdown::Both);
    sender.join().unwrap();
    server.until("nothing left", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}

#[test]
fn a_worker_of_another_pool_may_answer() {
    let pools = |config: &mut Config| {
        let pool = |workers| Pool { kind: PoolKind::Request, workers };
        config.pools = Pools::new(vec![pool(1), pool(1)]);
        let path = PathMatch::Prefix(Bytes::from_static(b"/b/"));
        config.ports[0].routes = Routes {
            paths: vec![Route { path, handler: HandlerId::Pool(PoolId(1)) }],
            rest: Some(HandlerId::Pool(PoolId(0))),
        };
    };
    let server = Server::start(pools);
    let (mut first, mut second) = (server.add_worker(0, 0), server.add_worker(1, 0));
    let (mut client, id) = detached(&server, &mut first, 1);
    let (taken, _) = second.claim_of((0, id), 0, 1).unwrap();
    second.respond(taken, 200, b"from the other");
    assert!(response_of(&mut client).ends_with("from the other"));
    // And back.
    client.write_all(&get("/b/1")).unwrap();
    let request = second.request();
    assert!(second.detach(request.id, 2, b""));
    let (taken, _) = first.claim_of((0, request.id), 1, 2).unwrap();
    first.respond(taken, 200, b"from the first");
    assert!(response_of(&mut client).ends_with("from the first"));
    server.stop();
}

#[test]
fn a_worker_that_answers_what_it_has_left_is_replaced_and_harms_nobody() {
    let Parked { server, first: mut liar, mut client, id } = Parked::new();
    liar.raw(0, &answer(id, b"forged"));
    assert!(liar.ended());
    let mut good = server.add_worker(0, 1);
    let (taken, _) = good.claim(id, 1).unwrap();
    good.respond(taken, 200, b"true");
    assert!(response_of(&mut client).ends_with("true"));
    server.stop();
}

#[test]
fn a_worker_that_detaches_or_takes_what_is_not_its_own_takes_nothing() {
    let server = Server::start(|_| {});
    let mut good = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = good.request();
    let mut liar = server.add_worker(1, 0);
    assert!(liar.claim(request.id, 0).is_none());
    liar.write_detach(0, request.id, b"");
    assert!(liar.ended(), "it was given to another");
    good.respond(request.id, 200, b"true");
    assert!(response_of(&mut client).ends_with("true"));
    server.stop();
}

#[test]
fn a_worker_that_asks_without_end_fills_no_memory() {
    let Parked { server, first: mut good, mut client, id } = Parked::new();
    let mut liar = server.add_worker(1, 0);
    liar.ask_without_end(0, id);
    assert!(liar.ended(), "it does not wait for the answers");
    let mut liar = server.add_worker(1, 1);
    let mut other = server.connect();
    other.write_all(GET).unwrap();
    let mut workers = [&mut good, &mut liar];
    let (at, request) = next_request(&mut workers);
    workers[at].write_detach(0, request.id, &vec![0; DETACHED_STATE_BYTES_MAX + 1]);
    assert!(workers[at].ended(), "more than there may be in hand");
    assert!(response_of(&mut other).starts_with("HTTP/1.1 502 "));
    let mut last = server.add_worker(2, 0);
    let (taken, _) = last.claim(id, 1).unwrap();
    last.respond(taken, 200, b"true");
    assert!(response_of(&mut client).ends_with("true"));
    server.stop();
}
