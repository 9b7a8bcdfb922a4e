//! Two pools of workers: each answers what the routes name it for, and neither feels the other.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use reactor::Config;
use reactor::config::Routes;
use reactor::handler::HandlerId;
use reactor::handler::routes::{PathMatch, Route};
use wire::control::FromReactor;
use wire::shm::Counter;
use wire::{Pool, PoolId, PoolKind, Pools, ToWorker};

use super::get;
use super::played::{Server, response_of};

/// Workers 0 and 1 answer `/b/…`, worker 2 everything else, and is told of connections.
fn two_pools(config: &mut Config) {
    let pool = |workers| Pool { kind: PoolKind::Request, workers };
    config.pools = Pools::new(vec![pool(2), pool(1)]);
    let path = PathMatch::Prefix(Bytes::from_static(b"/b/"));
    config.ports[0].routes = Routes {
        paths: vec![Route { path, handler: HandlerId::Pool(PoolId(0)) }],
        rest: Some(HandlerId::Pool(PoolId(1))),
    };
}

#[test]
fn requests_go_to_the_pool_that_their_route_names_whoever_is_idle() {
    for threads in [1, 3] {
        let server = Server::start(|config| {
            two_pools(config);
            config.threads = threads;
        });
        let mut rest = server.add_worker(2, 0);
        let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
        // Nobody has the routes of this pool yet, so they wait, though a worker is idle.
        for client in &mut clients {
            client.write_all(&get("/b/1")).unwrap();
        }
        server.until("they wait", |server| server.count(Counter::Queued) == 3);
        let mut other = server.connect();
        other.write_all(&get("/a")).unwrap();
        let request = rest.request();
        assert_eq!(&request.head.path[..], b"/a");
        rest.respond(request.id, 200, b"a");
        assert!(response_of(&mut other).ends_with("\r\n\r\na"));
        assert!(rest.is_idle());
        let mut named = [server.add_worker(0, 0), server.add_worker(1, 0)];
        let mut answered = 0;
        while answered < 3 {
            for worker in &mut named {
                if worker.has_message() {
                    let request = worker.request();
                    assert_eq!(&request.head.path[..], b"/b/1");
                    worker.respond(request.id, 200, b"b");
                    answered += 1;
                }
            }
        }
        for client in &mut clients {
            assert!(response_of(client).ends_with("\r\n\r\nb"));
        }
        assert!(rest.is_idle());
        server.stop();
    }
}

#[test]
fn a_death_in_one_pool_is_nothing_to_the_other() {
    let server = Server::start(two_pools);
    let mut rest = server.add_worker(2, 7);
    let mut named = server.add_worker(0, 3);
    let mut clients = [server.connect(), server.connect(), server.connect()];
    for (client, path) in clients.iter_mut().zip(["/a", "/b/dies", "/b/waits"]) {
        client.write_all(&get(path)).unwrap();
        server.until("it has come", |server| {
            server.count(Counter::Exchanges) == server.count(Counter::Requests)
        });
    }
    let begun = rest.request();
    let dies = named.request();
    assert_eq!(&dies.head.path[..], b"/b/dies");
    server.until("all have come", |server| server.count(Counter::Requests) == 3);
    drop(named);
    assert!(response_of(&mut clients[1]).starts_with("HTTP/1.1 502 "));
    let request = Some("GET /b/dies".into());
    assert_eq!(server.control(), FromReactor::Lost { incarnation: 3, request });
    // What it had not begun waits for its pool, and does not move to the other.
    rest.respond(begun.id, 200, b"a");
    assert!(response_of(&mut clients[0]).ends_with("\r\n\r\na"));
    clients[0].write_all(&get("/again")).unwrap();
    let again = rest.request();
    assert_eq!(&again.head.path[..], b"/again");
    rest.respond(again.id, 200, b"again");
    assert!(response_of(&mut clients[0]).ends_with("again"));
    assert!(rest.is_idle());
    let mut successor = server.add_worker(0, 4);
    let waits = successor.request();
    assert_eq!(&waits.head.path[..], b"/b/waits");
    successor.respond(waits.id, 200, b"waited");
    assert!(response_of(&mut clients[2]).ends_with("waited"));
    assert!(!server.has_news(), "nobody else has ended");
    server.stop();
}

#[test]
fn a_worker_is_retired_wherever_it_is_and_its_pool_queues_for_itself() {
    let server = Server::start(|config| {
        two_pools(config);
        config.queue_len_max = 1;
        config.queue_age_max = Duration::from_millis(300);
    });
    let mut named = server.add_worker(1, 5);
    let rest = server.add_worker(2, 6);
    server.retire(6);
    assert_eq!(server.control(), FromReactor::Retired { incarnation: 6 });
    drop(rest);
    // The other pool's queue is full, and gets too old: this one has its own.
    let mut waits = server.connect();
    waits.write_all(&get("/waits")).unwrap();
    server.until("it waits", |server| server.count(Counter::Queued) == 1);
    let mut over = server.connect();
    over.write_all(&get("/over")).unwrap();
    assert!(response_of(&mut over).starts_with("HTTP/1.1 503 "));
    let mut client = server.connect();
    client.write_all(&get("/b/")).unwrap();
    let request = named.request();
    named.respond(request.id, 200, b"b");
    assert!(response_of(&mut client).ends_with("\r\n\r\nb"));
    assert!(response_of(&mut waits).starts_with("HTTP/1.1 503 "));
    server.stop();
}

#[test]
fn a_worker_of_the_pool_that_answers_the_rest_is_told_of_connections() {
    let server = Server::start(|config| {
        two_pools(config);
        config.ports[0].notify_open = true;
    });
    let mut named = server.add_worker(0, 0);
    let mut rest = server.add_worker(2, 0);
    let _client = server.connect();
    assert!(matches!(rest.next().1, ToWorker::Opened { .. }));
    assert!(named.is_idle());
    server.stop();
}

#[test]
fn a_route_to_nobody_is_refused_at_the_start() {
    let config = |handler| {
        let mut config = super::played::config();
        config.ports[0].routes.rest = Some(handler);
        config
    };
    for handler in [HandlerId::Pool(PoolId(1)), HandlerId::Fixed(0)] {
        assert!(Server::refuses(config(handler)).contains("which there is not"));
    }
}
