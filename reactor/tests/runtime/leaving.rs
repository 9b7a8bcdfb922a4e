//! Clients that leave while their request waits, or while a worker is at it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use reactor::protocol::h2::PREFACE;
use reactor::protocol::settings::HttpSettings;
use reactor::tls::{TlsConfig, development};
use wire::shm::Counter;
use wire::{Part, Reason, ToWorker, Version};

use super::http2::{self, frame};
use super::played::{self, Server, Worker, response_of};
use super::quic::client::Client;
use super::tls::connector;
use super::{GET, get, quic, tls};

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

/// The request in work, whose client does this; then the worker is told at once, by one message or
/// more. What is left of the client stays until then.
fn told<T>(worker: &mut Worker, version: Version, leave: impl FnOnce() -> T) {
    let request = worker.request();
    assert_eq!(request.head.version, version);
    let _left = leave();
    let (id, message) = worker.next();
    let left = |reason| matches!(reason, Reason::ClientLeaving | Reason::ClientGone);
    assert_eq!(id, request.id);
    assert!(
        matches!(message, ToWorker::Request { part: Part::Abort(reason), .. } if left(reason)),
        "{version:?}: {message:?}"
    );
    worker.send(request.id, Part::Abort(Reason::ClientGone));
    while worker.has_message() {
        worker.next();
    }
}

fn begin_http2(client: &mut (impl Read + Write), secure: bool) {
    let mut fields = http2::GET.to_vec();
    // The scheme, by its index (RFC 7541, appendix A).
    fields[1] = if secure { 0x87 } else { 0x86 };
    let request = frame(1, 5, 1, &fields);
    client.write_all(&[&PREFACE[..], &frame(4, 0, 0, b""), &request].concat()).unwrap();
}

/// However a client leaves, whatever it speaks.
#[test]
fn a_handler_is_told_over_every_protocol() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    for reset in [false, true] {
        let end = |client: TcpStream| if reset { played::reset(client) } else { drop(client) };
        let mut client = server.connect();
        client.write_all(GET).unwrap();
        told(&mut worker, Version::Http11, || end(client));
        let mut client = server.connect();
        begin_http2(&mut client, false);
        told(&mut worker, Version::Http2, || end(client));
    }
    let mut client = server.connect();
    begin_http2(&mut client, false);
    told(&mut worker, Version::Http2, || {
        client.write_all(&frame(3, 0, 1, &8u32.to_be_bytes())).unwrap();
    });
    server.until("nothing is in flight", |server| server.count(Counter::Exchanges) == 0);
    server.stop();

    let server = tls::start(TlsConfig::new(development::localhost().unwrap()));
    let mut worker = server.add_worker(0, 0);
    for (alpn, version) in [(&b"\x08http/1.1"[..], Version::Http11), (b"\x02h2", Version::Http2)] {
        for way in ["reset", "close", "close_notify"] {
            let mut connector = connector();
            connector.set_alpn_protos(alpn).unwrap();
            let mut client = connector.build().connect("localhost", server.connect()).unwrap();
            match version {
                Version::Http2 => begin_http2(&mut client, true),
                _ => client.write_all(GET).unwrap(),
            }
            told(&mut worker, version, || match way {
                "reset" => {
                    let socket = client.get_ref().try_clone().unwrap();
                    drop(client);
                    played::reset(socket);
                    None
                }
                "close_notify" => {
                    client.shutdown().unwrap();
                    Some(client)
                }
                _ => {
                    client.get_ref().shutdown(Shutdown::Write).unwrap();
                    Some(client)
                }
            });
        }
    }
    server.stop();
    told_over_http3();
}

fn told_over_http3() {
    let server = quic::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    let stream = client.get("/");
    told(&mut worker, Version::Http3, || {
        // What a browser does when its user goes on (RFC 9114, 4.1.1).
        client.quic.stream_shutdown(stream, quiche::Shutdown::Read, 0x10c).unwrap();
        client.flush();
    });
    client.get("/");
    told(&mut worker, Version::Http3, || client.close());
    server.until("nothing is in flight", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}
