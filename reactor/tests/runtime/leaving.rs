//! Clients that leave while their request waits, or while a worker is at it.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use reactor::protocol::settings::HttpSettings;
use wire::shm::Counter;
use wire::{Part, Reason, ToWorker};

use super::played::{self, Server, Worker, response_of};
use super::{GET, get};

fn is_leaving(message: &ToWorker) -> bool {
    matches!(message, ToWorker::Request { part: Part::Abort(Reason::ClientLeaving), .. })
}

/// A request that waits for a worker, and its client.
fn waiting(server: &Server, path: &str) -> TcpStream {
    let before = server.count(Counter::Queued);
    let mut client = server.connect();
    client.write_all(&get(path)).unwrap();
    server.until("it waits", |server| server.count(Counter::Queued) == before + 1);
    client
}

/// The next request is this one, so those before it were not handed over.
fn serve_next(worker: &mut Worker, client: &mut TcpStream, path: &str) {
    let request = worker.request();
    assert_eq!(request.head.path, path.as_bytes());
    worker.respond(request.id, 200, b"served");
    assert!(response_of(client).ends_with("served"));
}

#[test]
fn requests_whose_clients_left_while_they_waited_are_not_handed_over() {
    // One is handed over, none ahead: the others wait in the queue.
    let server = Server::start(|config| config.handover_fast = std::time::Duration::ZERO);
    let mut worker = server.add_worker(0, 0);
    let mut busy = server.connect();
    busy.write_all(GET).unwrap();
    let first = worker.request();
    let closed = [waiting(&server, "/closed"), waiting(&server, "/shut"), waiting(&server, "/rst")];
    let mut last = waiting(&server, "/last");
    let [closed, shut, reset] = closed;
    drop(closed);
    server.until("one is dropped", |server| server.count(Counter::GivenUp) == 1);
    shut.shutdown(Shutdown::Write).unwrap();
    server.until("two are dropped", |server| server.count(Counter::GivenUp) == 2);
    played::reset(reset);
    server.until("three are dropped", |server| server.count(Counter::GivenUp) == 3);
    assert_eq!(server.count(Counter::Queued), 1);
    worker.respond(first.id, 200, b"first");
    assert!(response_of(&mut busy).ends_with("first"));
    serve_next(&mut worker, &mut last, "/last");
    server.stop();
}

#[test]
fn requests_handed_ahead_are_taken_back_when_their_client_leaves() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut busy = server.connect();
    // A worker that has been fast once is given more than one.
    busy.write_all(&get("/fast")).unwrap();
    serve_next(&mut worker, &mut busy, "/fast");
    busy.write_all(GET).unwrap();
    let first = worker.request();
    let mut ahead = server.connect();
    ahead.write_all(&get("/ahead")).unwrap();
    server.until("it is handed ahead", |server| server.count(Counter::Dispatched) == 3);
    drop(ahead);
    server.until("it is dropped", |server| server.count(Counter::GivenUp) == 1);
    worker.respond(first.id, 200, b"first");
    assert!(response_of(&mut busy).ends_with("first"));
    server.until("nothing is in flight", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}

#[test]
fn a_handler_is_told_that_its_client_leaves_and_what_it_sends_is_sent() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    client.shutdown(Shutdown::Write).unwrap();
    let (id, message) = worker.next();
    assert!(id == request.id && is_leaving(&message), "{message:?}");
    worker.respond(request.id, 200, b"all the same");
    assert!(response_of(&mut client).ends_with("all the same"));
    assert_eq!(server.count(Counter::GivenUp), 0);
    server.stop();
}

#[test]
fn a_half_close_that_is_meant_keeps_the_request_waiting() {
    let http = HttpSettings { half_close: true, ..HttpSettings::default() };
    let server = Server::start(|config| {
        config.handover_fast = std::time::Duration::ZERO;
        config.ports[0].http = http.into();
    });
    let mut worker = server.add_worker(0, 0);
    let mut busy = server.connect();
    busy.write_all(GET).unwrap();
    let first = worker.request();
    let mut shut = waiting(&server, "/shut");
    shut.shutdown(Shutdown::Write).unwrap();
    worker.respond(first.id, 200, b"first");
    assert!(response_of(&mut busy).ends_with("first"));
    serve_next(&mut worker, &mut shut, "/shut");
    server.stop();
}

#[test]
fn a_request_whose_client_leaves_is_not_begun_again_by_another_worker() {
    let server = Server::start(|_| {});
    let worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    server.until("it is handed over", |server| server.count(Counter::Dispatched) == 1);
    client.shutdown(Shutdown::Write).unwrap();
    let mut worker = worker;
    while !is_leaving(&worker.next().1) {}
    // It dies and has not begun.
    drop(worker);
    server.until("it is dropped", |server| server.count(Counter::GivenUp) == 1);
    server.until("nothing is in flight", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}
