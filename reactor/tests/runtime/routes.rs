//! Ports whose requests others than the workers answer.

use std::io::Write;

use bytes::Bytes;
use http::StatusCode;
use reactor::config::{FixedResponse, Routes};
use reactor::handler::HandlerId;
use reactor::handler::routes::{PathMatch, Route};
use wire::shm::Counter;

use super::get;
use super::played::{Server, response_of};

/// `/healthz` is answered by the reactor, all else by `rest`.
fn server(rest: Option<HandlerId>) -> Server {
    Server::start(|config| {
        config.fixed = vec![FixedResponse {
            status: StatusCode::OK,
            content_type: "text/plain",
            content: Bytes::from_static(b"ok\n"),
        }];
        let path = PathMatch::Exact(Bytes::from_static(b"/healthz"));
        let paths = vec![Route { path, handler: HandlerId::Fixed(0) }];
        config.ports[0].routes = Routes { paths, rest };
    })
}

#[test]
fn the_reactor_answers_by_itself_while_all_workers_are_busy() {
    let server = server(Some(HandlerId::WORKERS));
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(&get("/slow")).unwrap();
    let slow = worker.request();
    let mut probe = server.connect();
    for _ in 0..3 {
        probe.write_all(&get("/healthz?x")).unwrap();
        let response = response_of(&mut probe);
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.contains("text/plain\r\n"), "{response}");
        assert!(response.ends_with("\r\n\r\nok\n"), "{response}");
    }
    // With content, and several in one packet.
    let post = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    probe.write_all(&[&post[..], &get("/healthz"), &get("/other")].concat()).unwrap();
    for _ in 0..2 {
        assert!(response_of(&mut probe).ends_with("\r\n\r\nok\n"));
    }
    worker.respond(slow.id, 200, b"slow");
    assert!(response_of(&mut client).ends_with("slow"));
    let other = worker.request();
    assert_eq!(&other.head.path[..], b"/other");
    worker.respond(other.id, 200, b"other");
    assert!(response_of(&mut probe).ends_with("other"));
    assert_eq!(server.count(Counter::Dispatched), 2);
    server.stop();
}

#[test]
fn clients_that_leave_are_nothing_to_it() {
    let server = server(Some(HandlerId::WORKERS));
    let request = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhello";
    for n in 1..=5 {
        server.connect().write_all(request).unwrap();
        let bytes = n * request.len() as u64;
        server.until("it has begun", |server| server.count(Counter::BytesReceived) == bytes);
    }
    server.until("they are gone", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn a_port_may_have_no_workers() {
    let server = server(None);
    let mut client = server.connect();
    client.write_all(&[get("/else"), get("/healthz")].concat()).unwrap();
    assert!(response_of(&mut client).starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert!(response_of(&mut client).ends_with("ok\n"));
    server.stop();
}
