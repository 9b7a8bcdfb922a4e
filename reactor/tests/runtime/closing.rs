//! Connections that a worker ends by their number, whoever answers them and whichever thread owns them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use wire::limits::CLOSE_TIME_MAX;
use wire::shm::Counter;
use wire::{Part, Reason, ToWorker};

use super::http2::{GET as GET2, frame, greeted, until};
use super::played::{Server, Worker, response_of};
use super::{GET, get, quic};

/// Answers a request with nothing; the number of its connection.
fn number_of(client: &mut TcpStream, worker: &mut Worker) -> u64 {
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    response_of(client);
    request.head.origin.connection
}

/// What the client can still read, and whether it ended without a reset.
fn rest(client: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    match client.read_to_end(&mut all) {
        Ok(_) => (all, true),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => (all, false),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_worker_ends_connections_of_every_thread_that_it_does_not_answer() {
    let server = Server::start(|config| config.threads = 2);
    let mut first = server.add_worker(0, 0);
    let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
    let numbers: Vec<_> = clients.iter_mut().map(|client| number_of(client, &mut first)).collect();
    let mut second = server.add_worker(1, 0);
    for nth in [2, 1] {
        let number = numbers[nth];
        // The wrong thread has no such connection.
        second.close(1 - number as usize % 2, number);
        second.close(number as usize % 2, number);
        assert_eq!(rest(&mut clients[nth]), (Vec::new(), true), "idle, so closed without a word");
    }
    server.until("they are gone", |server| server.count(Counter::Connections) == 2);
    for nth in [0, 3] {
        clients[nth].write_all(&get("/still")).unwrap();
        // The last one to become idle is the first to be given a request.
        let request = second.request();
        assert_eq!(request.head.origin.connection, numbers[nth]);
        second.respond(request.id, 200, b"still");
        assert!(response_of(&mut clients[nth]).ends_with("still"));
    }
    server.stop();
}

#[test]
fn what_was_answered_is_sent_and_what_is_being_made_breaks_off() {
    let server = Server::start(|_| {});
    let mut answers = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = answers.request();
    let number = request.head.origin.connection;
    let mut other = server.add_worker(1, 0);
    answers.stream_head(request.id);
    answers.send(request.id, Part::Body(b"begun".as_slice().into()));
    let mut head = [0; 500];
    while !head.windows(5).any(|bytes| bytes == b"begun") {
        let read = client.read(&mut head).unwrap();
        assert!(read > 0);
    }
    other.close(0, number);
    assert_eq!(rest(&mut client).0, b"", "no last chunk");
    let (id, message) = answers.next();
    let gone = ToWorker::Request { mark: 0, part: Part::Abort(Reason::ClientGone) };
    assert_eq!((id, format!("{message:?}")), (request.id, format!("{gone:?}")));
    answers.send(request.id, Part::Abort(Reason::ClientGone));
    // More than the client's socket takes, and its connection ended right behind.
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = answers.request();
    let content = vec![b'x'; 900_000];
    answers.respond(request.id, 200, &content);
    answers.close(0, request.head.origin.connection);
    let (bytes, ended) = rest(&mut client);
    assert!(ended && bytes.ends_with(&content), "{} bytes", bytes.len());
    server.until("gone", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn a_request_that_waits_is_dropped_and_one_whose_content_comes_too() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut clients = [server.connect(), server.connect()];
    let numbers = clients.each_mut().map(|client| number_of(client, &mut worker));
    let mut busy = server.connect();
    busy.write_all(&get("/busy")).unwrap();
    let request = worker.request();
    let given = server.count(Counter::Requests);
    clients[0].write_all(&get("/waits")).unwrap();
    clients[1].write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab").unwrap();
    server.until("they have begun", |server| server.count(Counter::Requests) == given + 2);
    for (client, number) in clients.iter_mut().zip(numbers) {
        worker.close(0, number);
        assert_eq!(rest(client).0, b"");
    }
    worker.respond(request.id, 200, b"busy");
    assert!(response_of(&mut busy).ends_with("busy"));
    server.until("one is left", |server| server.count(Counter::Exchanges) == 0);
    assert_eq!(server.count(Counter::Connections), 1);
    server.stop();
}

#[test]
fn numbers_of_nobody_and_floods_of_them_cost_nobody_anything() {
    // On a machine so busy that the worker was late, its request went to the other one.
    assert!((0..20).any(|_| numbers_of_nobody_cost_nobody_anything()), "always too late");
}

/// False when the hostile worker has lost its request before it could begin.
fn numbers_of_nobody_cost_nobody_anything() -> bool {
    let server = Server::start(|config| config.threads = 2);
    let mut good = server.add_worker(0, 0);
    let mut client = server.connect();
    let number = number_of(&mut client, &mut good);
    let mut gone = server.connect();
    let of_gone = number_of(&mut gone, &mut good);
    drop(gone);
    server.until("gone", |server| server.count(Counter::Connections) == 1);
    let mut hostile = server.add_worker(1, 0);
    // A request of its own, so that the others' go to the good one.
    let mut parked = server.connect();
    parked.write_all(&get("/parked")).unwrap();
    if hostile.unless_taken_back().is_none() {
        server.stop();
        return false;
    }
    for nth in 0..20_000u64 {
        let wrong = [0, of_gone, u64::MAX, number ^ 1 << 40, number + 1000 + nth];
        hostile.close(nth as usize % 2, wrong[nth as usize % wrong.len()]);
        if nth % 1000 == 0 {
            assert_eq!(number_of(&mut client, &mut good), number);
        }
    }
    // Somebody's, again and again: it is ended once.
    for _ in 0..20_000 {
        hostile.close(number as usize % 2, number);
    }
    assert_eq!(rest(&mut client).0, b"");
    let mut next = server.connect();
    assert!(number_of(&mut next, &mut good) > number);
    assert!(!server.has_news(), "no worker is taken for broken");
    server.stop();
    true
}

#[test]
fn a_client_that_does_not_go_is_cut_off() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    let number = number_of(&mut client, &mut worker);
    client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let bytes = GET.len() as u64 + 16;
    server.until("it has begun", |server| server.count(Counter::BytesReceived) == bytes);
    let begin = Instant::now();
    worker.close(0, number);
    assert_eq!(rest(&mut client).0, b"");
    assert!(begin.elapsed() >= CLOSE_TIME_MAX);
    server.stop();
}

#[test]
fn http2_says_goodbye_and_resets_what_isunanswered() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = greeted(&server, b"");
    client.write_all(&frame(1, 5, 1, GET2)).unwrap();
    let request = worker.request();
    let mut other = server.add_worker(1, 0);
    other.close(0, request.head.origin.connection);
    assert_eq!(until(&mut client, 3), [0, 0, 0, 8], "RST_STREAM, CANCEL");
    let _ = rest(&mut client);
    server.until("gone", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn http3_says_goodbye_whichever_thread_has_the_connection() {
    let server = quic::start(|config| config.threads = 3);
    let mut worker = server.add_worker(0, 0);
    for _ in 0..4 {
        let mut client = quic::client::Client::connect(server.address());
        let answered = client.get("/");
        let request = worker.request();
        let origin = request.head.origin;
        assert_eq!(origin.connection % 3, u64::from(origin.reactor), "the number names its thread");
        worker.respond(request.id, 200, b"answered");
        let stream = client.get("/unanswered");
        let unanswered = worker.request();
        worker.close(origin.reactor.into(), origin.connection);
        assert_eq!(client.answer(answered).body, b"answered");
        assert!(client.answer(stream).reset.is_some());
        client.until_closed();
        let error = client.quic.peer_error().map(|error| (error.is_app, error.error_code));
        assert_eq!(error, Some((true, 0x100)), "H3_NO_ERROR");
        worker.send(unanswered.id, Part::Abort(Reason::ClientGone));
        while !matches!(worker.next().1, ToWorker::Request { part: Part::Abort(_), .. }) {}
    }
    server.until("gone", |server| server.count(Counter::Connections) == 0);
    server.stop();
}
