//! Several requests on one connection: order, persistence, and its end (RFC 9112, 9).

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::client::{Reply, decode};
use common::{End, Server, body, head, settings};
use protocol::settings::HttpSettings;
use protocol::{Closing, Flow, Input};
use wire::BodyLength::{Known, Streamed};
use wire::{Part, Reason};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// Replies to requests that are not HEAD.
fn replies(mut bytes: &[u8]) -> Vec<Reply> {
    let mut replies = Vec::new();
    while !bytes.is_empty() {
        let (reply, used) = decode(bytes, false, true);
        replies.push(reply);
        bytes = &bytes[used..];
    }
    replies
}

fn bodies(bytes: &[u8]) -> Vec<String> {
    replies(bytes).into_iter().map(|reply| String::from_utf8(reply.body).unwrap()).collect()
}

#[test]
fn one_after_another() {
    let mut server = Server::new();
    server.feed([get("/0"), get("/1"), get("/2")].concat());
    for n in 0..3u64 {
        assert_eq!(server.seen.len() as u64, n + 1, "the next waits for the one before");
        let seen = server.seen.last().unwrap();
        assert_eq!((seen.stream, seen.head.origin.stream), (n, 0));
        assert_eq!(&seen.head.path[..], format!("/{n}").as_bytes());
        server.ok(&format!("answer {n}"));
    }
    assert_eq!(bodies(&server.written()), ["answer 0", "answer 1", "answer 2"]);
    assert_eq!(server.closing(), None);
}

#[test]
fn behind_content_of_both_kinds() {
    let mut server = Server::new();
    let by_length = "POST /0 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nworld\r\n0\r\n\r\n";
    server.feed(format!("{by_length}{chunked}{}", get("/2")));
    server.ok("0").ok("1").ok("2");
    let contents: Vec<_> = server.seen.iter().map(|seen| &seen.body[..]).collect();
    assert_eq!(contents, [&b"hello"[..], b"world", b""]);
    assert_eq!(bodies(&server.written()), ["0", "1", "2"]);
}

#[test]
fn small_behind_large() {
    let mut server = Server::new();
    server.feed([get("/large"), get("/small")].concat());
    let large = "x".repeat(1 << 20);
    server.send(0, Part::Head(head(200, Known(1 << 20), &[])));
    server.send(0, body(&large));
    server.send(0, Part::End(None));
    let mut written = Vec::new();
    while server.seen.len() < 2 {
        written.extend(server.write());
    }
    server.ok("small");
    written.extend(server.written());
    let bodies = bodies(&written);
    assert_eq!((bodies.len(), bodies[0].len(), &bodies[1][..]), (2, 1 << 20, "small"));
}

#[test]
fn an_answer_for_an_old_request_is_gone() {
    let mut server = Server::new();
    server.feed(get("/0"));
    server.ok("0");
    assert_eq!(server.send(0, body("late")), Flow::Gone);
    server.feed(get("/1"));
    assert_eq!(server.send(0, Part::Head(head(200, Known(0), &[]))), Flow::Gone);
    assert_eq!(server.send(2, Part::Head(head(200, Known(0), &[]))), Flow::Gone);
    server.ok("1");
    assert_eq!(bodies(&server.written()), ["0", "1"]);
}

#[test]
fn a_response_before_its_request_is_read_ends_the_connection() {
    let mut server = Server::new();
    server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    server.ok("no need");
    server.feed(format!("llo{}", get("/1")));
    let reply = &replies(&server.written())[0];
    assert_eq!((&reply.body[..], reply.get("connection")), (&b"no need"[..], Some("close")));
    assert_eq!(server.one().end, None);
    assert_eq!(server.closing(), Some(Closing::Linger));
}

#[test]
fn nothing_is_polled_behind_the_end_of_a_response() {
    let mut server = Server::new();
    let mut input = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi".as_bytes().into();
    server.protocol.receive(Input::Bytes(&mut input), &server.now);
    assert!(matches!(server.protocol.poll(), Some((0, Part::Head(_)))));
    server.protocol.send(0, Part::Head(head(200, Known(0), &[])), &server.now);
    server.protocol.send(0, Part::End(None), &server.now);
    assert!(server.protocol.poll().is_none());
}

#[test]
fn content_may_still_arrive_while_the_response_goes_out() {
    let mut server = Server::new();
    server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    server.send(0, Part::Head(head(200, Streamed, &[])));
    server.feed("llo");
    assert_eq!(server.one().body, b"hello");
    assert_eq!(server.one().end, Some(End::Complete(None)));
    server.send(0, body("x"));
    server.send(0, Part::End(None));
    assert!(replies(&server.written())[0].complete);
    assert_eq!(server.closing(), Some(Closing::Linger), "the head has said so");
}

/// Version, `Connection` of the request, `Connection` of the response, how it closes.
#[test]
fn persistence() {
    let cases = [
        ("1.1", "", None, None),
        ("1.1", "keep-alive", None, None),
        ("1.1", "close", Some("close"), Some(Closing::Close)),
        ("1.1", "x, CLOSE", Some("close"), Some(Closing::Close)),
        ("1.1", "keep-alive, close", Some("close"), Some(Closing::Close)),
        ("1.0", "", Some("close"), Some(Closing::Close)),
        ("1.0", "Keep-Alive", Some("keep-alive"), None),
        ("1.0", "close", Some("close"), Some(Closing::Close)),
        ("1.0", "keep-alive, close", Some("close"), Some(Closing::Close)),
    ];
    for (version, asked, told, closing) in cases {
        let mut server = Server::new();
        let option =
            if asked.is_empty() { String::new() } else { format!("Connection: {asked}\r\n") };
        server.feed(format!("GET / HTTP/{version}\r\nHost: a\r\n{option}\r\n{}", get("/1")));
        server.ok("x");
        let reply = &replies(&server.written())[0];
        assert_eq!(reply.get("connection"), told, "{version} {asked}");
        assert_eq!(server.closing(), closing, "{version} {asked}");
        assert_eq!(server.seen.len(), if closing.is_none() { 2 } else { 1 });
    }
}

#[test]
fn the_handler_may_close() {
    for (version, asked) in [("1.1", ""), ("1.0", "Connection: keep-alive\r\n")] {
        let mut server = Server::new();
        server.feed(format!("GET / HTTP/{version}\r\nHost: a\r\n{asked}\r\n{}", get("/1")));
        server.respond(0, head(200, Known(1), &[("connection", "x, Close")]), b"x");
        assert_eq!(replies(&server.written())[0].get("connection"), Some("close"));
        assert_eq!(server.closing(), Some(Closing::Linger));
        assert_eq!(server.seen.len(), 1);
    }
}

#[test]
fn http10_never_gets_chunks() {
    for asked in ["", "Connection: keep-alive\r\n"] {
        let mut server = Server::new();
        server.feed(format!("GET / HTTP/1.0\r\n{asked}\r\n"));
        // Nor interim responses.
        server.send(0, Part::Head(head(103, Known(0), &[("link", "x")])));
        server.send(0, Part::Head(head(200, Streamed, &[])));
        server.send(0, body("one"));
        server.send(0, body("two"));
        assert_eq!(server.closing(), None);
        server.send(0, Part::End(Some(head(200, Known(0), &[("x", "y")]).fields)));
        let bytes = server.written();
        let (reply, _) = decode(&bytes, false, true);
        assert_eq!((&reply.body[..], reply.until_close), (&b"onetwo"[..], true));
        assert_eq!((reply.interim.len(), reply.get("transfer-encoding")), (0, None));
        assert_eq!(reply.get("connection"), Some("close"));
        assert_eq!(server.closing(), Some(Closing::Close));
    }
}

#[test]
fn broken_content_without_a_length_is_reset() {
    let mut server = Server::new();
    server.feed("GET / HTTP/1.0\r\n\r\n");
    server.send(0, Part::Head(head(200, Streamed, &[])));
    server.send(0, body("one"));
    server.send(0, Part::Abort(Reason::HandlerFailed));
    assert!(server.written().ends_with(b"one"));
    assert_eq!(server.closing(), Some(Closing::Reset), "else it would look complete");
    // What came before the break is written first.
    let mut server = Server::new();
    server.feed("GET / HTTP/1.0\r\n\r\n");
    server.send(0, Part::Head(head(200, Streamed, &[])));
    for _ in 0..20 {
        server.send(0, body(&"x".repeat(50_000)));
    }
    server.send(0, Part::Abort(Reason::HandlerFailed));
    assert_eq!(server.closing(), None);
    assert!(server.written().len() > 1_000_000);
    assert_eq!(server.closing(), Some(Closing::Reset));
    // With a length or chunks the content shows by itself that it is broken.
    for length in [Known(9), Streamed] {
        let mut server = Server::new();
        server.feed(get("/"));
        server.send(0, Part::Head(head(200, length, &[])));
        server.send(0, body("one"));
        server.send(0, Part::Abort(Reason::WorkerLost));
        assert_eq!(server.send(0, body("more")), Flow::Gone);
        assert!(!replies(&server.written())[0].complete);
        assert_eq!(server.closing(), Some(Closing::Close));
    }
}

#[test]
fn a_client_that_left_gets_no_error_page() {
    for reason in [Reason::ClientGone, Reason::ClientStalled] {
        let mut server = Server::new();
        server.feed(get("/"));
        server.send(0, Part::Abort(reason));
        assert!(server.written().is_empty());
        assert_eq!(server.closing(), Some(Closing::Close));
    }
}

#[test]
fn the_end_of_input() {
    // Idle, and within a head: nobody to answer.
    for input in ["", "GE", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut server = Server::new();
        server.feed(input).eof();
        assert_eq!(server.closing(), Some(Closing::Close));
        assert!(server.seen.is_empty() && server.written().is_empty());
        assert!(server.refusals.is_empty());
    }
    // Within content: the request is given up.
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx";
    for input in ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe", chunked] {
        let mut server = Server::new();
        server.feed(input).eof();
        assert_eq!(server.one().end, Some(End::Abort(Reason::ClientGone)));
        assert_eq!(server.closing(), Some(Closing::Close));
        assert_eq!(server.send(0, Part::Head(head(200, Known(0), &[]))), Flow::Gone);
        assert!(server.written().is_empty());
    }
}

#[test]
fn a_half_closed_client_gets_its_answers() {
    let mut server = Server::new();
    server.feed([get("/0"), get("/1"), "GET /2 HT".into()].concat()).eof();
    assert_eq!((server.closing(), server.protocol.deadline()), (None, None));
    server.ok("0").ok("1");
    assert_eq!(bodies(&server.written()), ["0", "1"]);
    // The third never became a request.
    assert_eq!((server.seen.len(), server.closing()), (2, Some(Closing::Close)));

    let mut server = Server::new();
    server.feed(get("/0")).eof();
    server.ok("0");
    assert_eq!(bodies(&server.written()), ["0"]);
    server.pass(std::time::Duration::ZERO);
    assert_eq!(server.closing(), Some(Closing::Close), "and no time to idle");
}

#[test]
fn who_closes_behind_a_complete_request_is_leaving_unless_it_said_so() {
    let leaving = Some(End::Abort(Reason::ClientLeaving));
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    for request in [&get("/")[..], post] {
        let mut server = Server::new();
        server.feed(request).eof();
        assert_eq!(server.one().end, leaving, "{request}");
        // Dropped: the end of the request is the end of the connection.
        server.send(0, Part::Abort(Reason::ClientGone));
        assert!(server.written().is_empty());
        assert_eq!(server.closing(), Some(Closing::Close));
    }
    // A response that has begun as well.
    let mut server = Server::new();
    server.feed(get("/"));
    server.send(0, Part::Head(head(200, Known(1), &[])));
    assert_eq!(server.eof().one().end, leaving);
    // Every request that was sent before the end, in its turn.
    let mut server = Server::new();
    server.feed([get("/0"), get("/1")].concat()).eof().ok("0");
    assert_eq!((server.seen.len(), &server.seen[1].end), (2, &leaving));
    // Behind a response there is nobody to leave.
    let mut server = Server::new();
    server.feed(get("/")).ok("0").eof();
    assert_eq!(server.one().end, Some(End::Complete(None)));
    // It is meant.
    for request in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ] {
        let mut server = Server::new();
        server.feed(request).eof();
        assert_eq!(server.one().end, Some(End::Complete(None)), "{request}");
    }
    let mut server = Server::with(HttpSettings { half_close: true, ..settings() });
    server.feed(get("/")).eof();
    assert_eq!(server.one().end, Some(End::Complete(None)));
    server.ok("0");
    assert_eq!(bodies(&server.written()), ["0"]);
}

#[test]
fn shutdown() {
    // Idle: at once.
    let mut server = Server::new();
    assert_eq!(server.shutdown().closing(), Some(Closing::Close));
    // In work: after the response, which says so; what is pipelined behind is not served.
    let mut server = Server::new();
    server.feed([get("/0"), get("/1")].concat()).shutdown();
    assert_eq!(server.closing(), None);
    server.ok("last");
    let reply = &replies(&server.written())[0];
    assert_eq!((reply.get("connection"), &reply.body[..]), (Some("close"), &b"last"[..]));
    assert_eq!((server.seen.len(), server.closing()), (1, Some(Closing::Linger)));
    // A response whose head is out already: after its end.
    let mut server = Server::new();
    server.feed(get("/0"));
    server.send(0, Part::Head(head(200, Known(1), &[])));
    server.shutdown();
    server.send(0, body("x"));
    server.send(0, Part::End(None));
    assert!(replies(&server.written())[0].complete);
    assert_eq!(server.closing(), Some(Closing::Linger));
    // A head on its way: served as the last.
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\n").shutdown();
    assert_eq!(server.closing(), None);
    server.feed("Host: a\r\n\r\n").ok("x");
    assert_eq!(replies(&server.written())[0].get("connection"), Some("close"));
}

#[test]
fn content_that_its_handler_asks_for_comes_when_it_does() {
    let settings = || HttpSettings {
        streamed: vec![Bytes::from_static(b"/up")],
        body_timeout: Duration::from_secs(1),
        ..settings()
    };
    let head =
        "POST /up/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    let mut server = Server::with(settings());
    assert_eq!(server.feed(head).text(), "");
    assert!(server.one().head.streamed && !server.protocol.wants_input());
    // The handler takes its time; the client does not wait for nothing.
    server.pass(Duration::from_secs(5));
    let stream = server.one().stream;
    server.set_paused(stream, false);
    assert_eq!(server.text(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(server.protocol.wants_input());
    server.feed("hi").ok("x");
    assert_eq!(server.one().body, b"hi");
    let reply = &replies(&server.written())[0];
    assert_eq!((reply.status, reply.get("connection")), (200, None));
    // Not behind an answer.
    let mut server = Server::with(settings());
    server.feed(head).ok("x");
    let stream = server.one().stream;
    server.set_paused(stream, false);
    let reply = &replies(&server.written())[0];
    assert_eq!((reply.status, reply.get("connection")), (200, Some("close")));
    // What has no content needs nobody who asks for it, and what is elsewhere is not held back.
    for (path, follows) in [("/up/x", ""), ("/x", "Content-Length: 2\r\n")] {
        let mut server = Server::with(settings());
        server.feed(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{follows}\r\n"));
        assert!(!server.one().head.streamed);
    }
}

#[test]
fn so_much_content_as_is_known_to_follow_may_be_read_at_once() {
    let head = |lines: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
    let mut server = Server::new();
    let left = |server: &Server| server.protocol.content_left();
    assert_eq!(left(&server), 0, "a head may follow");
    assert_eq!(left(server.feed("POST / HTTP/1.1\r\nHost: a\r\n")), 0);
    assert_eq!(left(server.feed("Content-Length: 20\r\n\r\n")), 20);
    assert_eq!(left(server.feed("12345")), 15);
    let stream = server.one().stream;
    assert_eq!(left(server.set_paused(stream, true)), 0, "it is held back");
    assert_eq!(left(server.set_paused(stream, false)), 15);
    assert_eq!(left(server.feed("1".repeat(15))), 0, "another request may follow");
    let chunked = head("Transfer-Encoding: chunked") + "a\r\n123";
    assert_eq!(left(Server::new().feed(chunked)), 0, "the line of a chunk may follow");
}

#[test]
fn expect_100_continue() {
    let request = |version: &str, lines: &str| {
        format!("POST / HTTP/{version}\r\nHost: a\r\nExpect: {lines}\r\n\r\n")
    };
    let asked = request("1.1", "100-Continue\r\nContent-Length: 2");
    let mut server = Server::new();
    assert_eq!(server.feed(&asked).text(), "HTTP/1.1 100 Continue\r\n\r\n");
    server.feed("hi").ok("x");
    let reply = &replies(&server.written())[0];
    assert_eq!((reply.status, reply.get("connection")), (200, None));
    // Not when the content is there already, not without content, not for HTTP/1.0.
    let no_content = request("1.1", "100-continue");
    let empty = request("1.1", "100-continue\r\nContent-Length: 0");
    let old = request("1.0", "100-continue\r\nContent-Length: 2");
    for input in [format!("{asked}h"), no_content, empty, old] {
        let mut server = Server::new();
        assert_eq!(server.feed(&input).text(), "", "{input}");
        assert!(server.refusals.is_empty());
    }
    for expectation in ["200-ok", "100-continue, x", "", "100-continue\r\nExpect: x"] {
        let mut server = Server::new();
        let input = request("1.1", &format!("{expectation}\r\nContent-Length: 2"));
        server.feed(input).assert_refused(protocol::error::Fault::Expectation);
    }
    // A final answer instead of the 100 cannot be, because all content is wanted; an answer
    // after it and before the content ends the connection.
    let mut server = Server::new();
    server.feed(&asked).ok("no");
    assert_eq!(server.closing(), Some(Closing::Linger));
}
