//! What a request and a response mean, in every version of HTTP. A case is written once, against
//! [`Wire`]; each version brings its own encoding.

mod common;

use bytes::Bytes;
use common::client::{self, Reply, Request};
use common::{End, Seen, Server, body, file, head};
use proptest::prelude::*;
use reactor::protocol::Closing;
use wire::BodyLength::{Known, Streamed};
use wire::{Part, Reason, ResponseHead};

type Response = Vec<Part<ResponseHead>>;

/// A protocol with a client at the other end.
trait Wire {
    /// Sends a request, answers it, and reads the answer. The connection goes on if it can.
    fn exchange(&mut self, request: &Request, handler: &mut dyn FnMut(&Seen) -> Response) -> Reply;

    /// As `exchange`, for a response that does not depend on the request.
    fn answer(&mut self, request: &Request, response: Response) -> Reply {
        self.exchange(request, &mut |_| response.clone())
    }

    /// A GET that must be answered: the stream before did no harm.
    fn still_serves(&mut self) {
        let reply = self.answer(&Request::new("GET", "/next"), text("next"));
        assert_eq!((reply.status, &reply.body[..]), (200, &b"next"[..]));
    }
}

struct H1 {
    server: Server,
    requests: usize,
}

impl Wire for H1 {
    fn exchange(&mut self, request: &Request, handler: &mut dyn FnMut(&Seen) -> Response) -> Reply {
        if self.server.closing().is_some() {
            *self = Self::new();
        }
        self.server.feed(client::encode(request));
        self.requests += 1;
        assert_eq!(self.server.seen.len(), self.requests, "{:?}", self.server.refusals);
        let seen = self.server.seen[self.requests - 1].clone();
        assert!(matches!(seen.end, Some(End::Complete(_))));
        for part in handler(&seen) {
            self.server.send(seen.stream, part);
        }
        let bytes = self.server.written();
        let closing = self.server.closing();
        let closed = matches!(closing, Some(Closing::Close | Closing::Linger));
        let (mut reply, used) = client::decode(&bytes, request.method == "HEAD", closed);
        assert_eq!(used, bytes.len(), "nothing behind the response");
        if closing.is_some() {
            assert!(!reply.complete || reply.get("connection") == Some("close"));
        }
        // What the versions say in different ways is not part of what is compared.
        reply.fields.retain(|(name, _)| name != "transfer-encoding" && name != "connection");
        reply
    }
}

impl H1 {
    fn new() -> Self {
        Self { server: Server::new(), requests: 0 }
    }
}

fn text(content: &str) -> Response {
    vec![Part::Head(head(200, Known(content.len() as u64), &[])), body(content), Part::End(None)]
}

fn get() -> Request {
    Request::new("GET", "/")
}

macro_rules! cases {
    ($($case:ident)*) => {
        mod h1 {
            $(#[test] fn $case() { super::$case(&mut super::H1::new()); })*
        }
    };
}

cases! {
    control_data_and_fields request_content request_trailers methods
    fields_of_a_response the_handlers_own_fields_win repeated_fields_keep_their_order
    hop_by_hop_fields_are_dropped a_length_is_told_once streamed_content response_trailers
    head_requests statuses_without_content interim_responses files early_break too_much_content
    too_little_content a_wrong_length_is_no_response fields_that_split_are_no_response
    aborts_before_the_head aborts_behind_the_head parts_out_of_order window_accounting
}

fn control_data_and_fields(wire: &mut dyn Wire) {
    let request = Request::new("GET", "/a%20b//c?x=1&y?z").field("X-Mixed-Case", "Va lue");
    let reply = wire.exchange(&request, &mut |seen| {
        assert_eq!(seen.head.method, "GET");
        assert_eq!(&seen.head.path[..], b"/a%20b//c");
        assert_eq!(seen.head.query.as_deref(), Some(&b"x=1&y?z"[..]));
        assert_eq!(seen.head.fields.get(b"x-mixed-case"), Some(&b"Va lue"[..]));
        assert_eq!(seen.head.fields.get(b"host"), Some(&b"localhost"[..]));
        assert_eq!(seen.end, Some(End::Complete(None)));
        text("ok")
    });
    assert_eq!((reply.status, &reply.body[..], reply.complete), (200, &b"ok"[..], true));
    wire.still_serves();
}

fn request_content(wire: &mut dyn Wire) {
    for len in [0, 1, 100, 70_000] {
        let sent: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let request = Request::new("POST", "/").body(sent.clone());
        let reply = wire.exchange(&request, &mut |seen| {
            let echo = Bytes::from(seen.body.clone());
            let mut response = vec![Part::Head(head(200, Known(echo.len() as u64), &[]))];
            response.extend((!echo.is_empty()).then_some(Part::Body(echo)));
            response.push(Part::End(None));
            response
        });
        assert!(reply.complete && reply.body == sent, "{len} bytes");
    }
    wire.still_serves();
}

fn request_trailers(wire: &mut dyn Wire) {
    let request = Request::new("POST", "/")
        .body("twenty bytes of text")
        .trailer("X-Sum", "7")
        .trailer("Content-Length", "3")
        .trailer("Host", "evil")
        .trailer("Authorization", "me");
    wire.exchange(&request, &mut |seen| {
        assert_eq!(seen.body, b"twenty bytes of text");
        let Some(End::Complete(Some(trailers))) = &seen.end else { panic!("{:?}", seen.end) };
        assert_eq!(trailers.iter().collect::<Vec<_>>(), [(&b"x-sum"[..], &b"7"[..])]);
        text("ok")
    });
    wire.still_serves();
}

fn methods(wire: &mut dyn Wire) {
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "x-1"] {
        wire.exchange(&Request::new(method, "/"), &mut |seen| {
            assert_eq!(seen.head.method, method);
            text("ok")
        });
    }
    wire.exchange(&Request::new("OPTIONS", "*"), &mut |seen| {
        assert_eq!(&seen.head.path[..], b"*");
        text("ok")
    });
}

fn fields_of_a_response(wire: &mut dyn Wire) {
    let response = vec![
        Part::Head(head(404, Known(2), &[("content-type", "text/plain"), ("x-empty", "")])),
        body("no"),
        Part::End(None),
    ];
    let reply = wire.answer(&get(), response);
    assert_eq!((reply.status, reply.get("content-type")), (404, Some("text/plain")));
    assert_eq!(reply.get("x-empty"), Some(""));
    assert_eq!(reply.get("date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(reply.get("server"), Some("ferrite"));
    assert_eq!(reply.get("content-length"), Some("2"));
}

fn the_handlers_own_fields_win(wire: &mut dyn Wire) {
    let fields = [("date", "today"), ("server", "mine"), ("content-length", "0")];
    let response = vec![Part::Head(head(200, Known(0), &fields)), Part::End(None)];
    let reply = wire.answer(&get(), response);
    assert_eq!((reply.get("date"), reply.get("server")), (Some("today"), Some("mine")));
    assert_eq!(reply.get("content-length"), Some("0"));
}

fn repeated_fields_keep_their_order(wire: &mut dyn Wire) {
    let fields = [("set-cookie", "a=1"), ("x", "y"), ("set-cookie", "b=2")];
    let reply =
        wire.answer(&get(), vec![Part::Head(head(200, Known(0), &fields)), Part::End(None)]);
    let cookies: Vec<_> = reply.fields.iter().filter(|(n, _)| n == "set-cookie").collect();
    assert_eq!(cookies.iter().map(|(_, v)| &v[..]).collect::<Vec<_>>(), [b"a=1", b"b=2"]);
}

fn hop_by_hop_fields_are_dropped(wire: &mut dyn Wire) {
    let fields = [
        ("transfer-encoding", "chunked"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "x"),
        ("upgrade", "websocket"),
        ("connection", "x-other"),
    ];
    let response = vec![Part::Head(head(200, Known(2), &fields)), body("ok"), Part::End(None)];
    let reply = wire.answer(&get(), response);
    for (name, _) in fields {
        assert_eq!(reply.get(name), None, "{name}");
    }
    assert_eq!((&reply.body[..], reply.get("content-length")), (&b"ok"[..], Some("2")));
    wire.still_serves();
}

fn a_length_is_told_once(wire: &mut dyn Wire) {
    let fields = [("content-length", "2")];
    let response = vec![Part::Head(head(200, Known(2), &fields)), body("ok"), Part::End(None)];
    assert_eq!(wire.answer(&get(), response).get("content-length"), Some("2"));
    let response =
        vec![Part::Head(head(200, Streamed, &fields)), body("o"), body("k"), Part::End(None)];
    let reply = wire.answer(&get(), response);
    assert_eq!((reply.get("content-length"), &reply.body[..]), (Some("2"), &b"ok"[..]));
    wire.still_serves();
}

fn streamed_content(wire: &mut dyn Wire) {
    let big = "x".repeat(40_000);
    let parts = vec![
        Part::Head(head(200, Streamed, &[])),
        body("one"),
        body(&big),
        body("two"),
        Part::End(None),
    ];
    let reply = wire.answer(&get(), parts);
    assert!(reply.complete);
    assert_eq!(reply.body, format!("one{big}two").into_bytes());
    assert_eq!(reply.get("content-length"), None);
    let reply = wire.answer(&get(), vec![Part::Head(head(200, Streamed, &[])), Part::End(None)]);
    assert!(reply.complete && reply.body.is_empty());
    wire.still_serves();
}

fn response_trailers(wire: &mut dyn Wire) {
    let trailers =
        [("x-sum", "7"), ("content-length", "9"), ("bad name", "x"), ("x-bad", "a\r\nb")];
    let trailers = head(200, Streamed, &trailers).fields;
    let parts =
        vec![Part::Head(head(200, Streamed, &[])), body("a"), Part::End(Some(trailers.clone()))];
    let reply = wire.answer(&get(), parts);
    assert_eq!(reply.trailers, [("x-sum".to_owned(), b"7".to_vec())]);
    wire.still_serves();
}

fn head_requests(wire: &mut dyn Wire) {
    let request = Request::new("HEAD", "/");
    let cases = [
        (Known(5), None, Some("5")),
        (Known(0), None, None),
        (Known(0), Some("9"), Some("9")),
        (Streamed, None, None),
        (Streamed, Some("9"), Some("9")),
    ];
    for (length, declared, told) in cases {
        let fields: Vec<_> = declared.map(|d| ("content-length", d)).into_iter().collect();
        let mut response = vec![Part::Head(head(200, length, &fields))];
        if length != Known(0) {
            response.push(body("hello"));
        }
        response.push(Part::End(None));
        let reply = wire.answer(&request, response);
        assert!(reply.body.is_empty());
        assert_eq!(reply.get("content-length"), told, "{length:?} {declared:?}");
    }
    wire.still_serves();
}

fn statuses_without_content(wire: &mut dyn Wire) {
    for (status, told) in [(204, None), (205, Some("0")), (304, None)] {
        for length in [Known(5), Streamed] {
            let parts = vec![Part::Head(head(status, length, &[])), body("hello"), Part::End(None)];
            let reply = wire.answer(&get(), parts);
            assert_eq!((reply.status, reply.body.len()), (status, 0));
            assert_eq!(reply.get("content-length"), told, "{status}");
        }
    }
    let fields = [("content-length", "12"), ("etag", "\"a\"")];
    let reply =
        wire.answer(&get(), vec![Part::Head(head(304, Known(0), &fields)), Part::End(None)]);
    assert_eq!(reply.get("content-length"), Some("12"), "a 304 may tell what GET would have had");
    let fields = [("content-length", "5")];
    let parts = vec![Part::Head(head(204, Known(5), &fields)), body("hello"), Part::End(None)];
    assert_eq!(wire.answer(&get(), parts).get("content-length"), None);
    wire.still_serves();
}

fn interim_responses(wire: &mut dyn Wire) {
    let mut response =
        vec![Part::Head(head(103, Known(0), &[("link", "</a.css>"), ("content-length", "3")]))];
    response.push(Part::Head(head(102, Known(0), &[])));
    response.extend(text("done"));
    let reply = wire.answer(&get(), response);
    assert_eq!((reply.status, &reply.body[..]), (200, &b"done"[..]));
    assert_eq!(reply.interim.iter().map(|(s, _)| *s).collect::<Vec<_>>(), [103, 102]);
    assert_eq!(reply.interim[0].1, [("link".to_owned(), b"</a.css>".to_vec())]);
    // 101 without an upgrade would leave both sides in different protocols.
    let reply = wire.answer(&get(), vec![Part::Head(head(101, Known(0), &[]))]);
    assert_eq!((reply.status, reply.complete), (500, true));
    wire.still_serves();
}

fn files(wire: &mut dyn Wire) {
    let content = b"0123456789".repeat(30_000);
    for length in [Known(content.len() as u64), Streamed] {
        let parts =
            vec![Part::Head(head(200, length, &[])), Part::File(file(&content)), Part::End(None)];
        let reply = wire.answer(&get(), parts.clone());
        assert!(reply.complete && reply.body == content, "{length:?}");
        let reply = wire.answer(&Request::new("HEAD", "/"), parts);
        assert!(reply.complete && reply.body.is_empty());
    }
    wire.still_serves();
}

fn early_break(wire: &mut dyn Wire) {
    for length in [Known(10), Streamed] {
        for reason in [Reason::HandlerFailed, Reason::WorkerLost, Reason::Internal] {
            let parts = vec![Part::Head(head(200, length, &[])), body("part"), Part::Abort(reason)];
            let reply = wire.answer(&get(), parts);
            assert_eq!((reply.status, &reply.body[..]), (200, &b"part"[..]));
            assert!(!reply.complete, "{length:?}: the client must be able to tell");
        }
    }
}

fn too_much_content(wire: &mut dyn Wire) {
    let parts = vec![Part::Head(head(200, Known(3), &[])), body("four"), Part::End(None)];
    let reply = wire.answer(&get(), parts);
    assert!(!reply.complete && reply.body.len() <= 3);
    let parts = vec![Part::Head(head(200, Known(3), &[])), Part::File(file(b"four"))];
    assert!(!wire.answer(&get(), parts).complete);
}

fn too_little_content(wire: &mut dyn Wire) {
    let parts = vec![Part::Head(head(200, Known(5), &[])), body("four"), Part::End(None)];
    assert!(!wire.answer(&get(), parts).complete);
    let declared = [("content-length", "5")];
    let parts = vec![Part::Head(head(200, Streamed, &declared)), body("four"), Part::End(None)];
    assert!(!wire.answer(&get(), parts).complete);
}

fn a_wrong_length_is_no_response(wire: &mut dyn Wire) {
    for declared in ["3", "x", "-1", "", "4, 4"] {
        let fields = [("content-length", declared)];
        let parts = vec![Part::Head(head(200, Known(4), &fields)), body("four"), Part::End(None)];
        let reply = wire.answer(&get(), parts);
        assert_eq!((reply.status, reply.complete), (500, true), "{declared:?}");
        wire.still_serves();
    }
    let twice = [("content-length", "4"), ("content-length", "4")];
    let parts = vec![Part::Head(head(200, Known(4), &twice)), body("four"), Part::End(None)];
    assert_eq!(wire.answer(&get(), parts).status, 500);
    wire.still_serves();
}

fn fields_that_split_are_no_response(wire: &mut dyn Wire) {
    let bad =
        [("x", "a\r\nb: c"), ("x", "a\nb"), ("x", "a\0"), ("x\r\ny", "a"), ("", "a"), ("x y", "")];
    for fields in bad {
        let parts = vec![Part::Head(head(200, Known(4), &[fields])), body("four"), Part::End(None)];
        let reply = wire.answer(&get(), parts);
        assert_eq!((reply.status, reply.complete), (500, true), "{fields:?}");
        assert!(reply.body.starts_with(b"500"), "nothing of the handler's");
        let interim = Part::Head(head(103, Known(0), &[fields]));
        assert_eq!(wire.answer(&get(), vec![interim]).status, 500);
        wire.still_serves();
    }
    let mut bad_reason = head(200, Known(0), &[]);
    bad_reason.reason = Some(Bytes::from_static(b"OK\r\nx: y"));
    let reply = wire.answer(&get(), vec![Part::Head(bad_reason), Part::End(None)]);
    assert_eq!((reply.status, reply.get("x")), (200, None));
}

fn aborts_before_the_head(wire: &mut dyn Wire) {
    let cases = [
        (Reason::HandlerFailed, 500),
        (Reason::Internal, 500),
        (Reason::WorkerLost, 502),
        (Reason::Overloaded, 503),
        (Reason::Shutdown, 503),
    ];
    for (reason, status) in cases {
        let reply = wire.answer(&get(), vec![Part::Abort(reason)]);
        assert_eq!((reply.status, reply.complete), (status, true), "{reason}");
        assert_eq!(reply.get("retry-after").is_some(), status == 503);
        assert_eq!(reply.get("content-type"), Some("text/plain; charset=utf-8"));
        assert!(reply.body.starts_with(status.to_string().as_bytes()));
        let reply = wire.answer(&Request::new("HEAD", "/"), vec![Part::Abort(reason)]);
        assert_eq!((reply.status, reply.body.len()), (status, 0));
        wire.still_serves();
    }
}

fn aborts_behind_the_head(wire: &mut dyn Wire) {
    let parts = vec![Part::Head(head(200, Known(4), &[])), Part::Abort(Reason::HandlerFailed)];
    let reply = wire.answer(&get(), parts);
    assert_eq!((reply.status, reply.complete), (200, false));
}

fn parts_out_of_order(wire: &mut dyn Wire) {
    for first in [body("early"), Part::End(None), Part::File(file(b"early"))] {
        let reply = wire.answer(&get(), [vec![first], text("late")].concat());
        assert_eq!((reply.status, reply.complete), (500, true));
        wire.still_serves();
    }
    let again = Part::Head(head(200, Known(4), &[]));
    let parts = vec![Part::Head(head(200, Known(4), &[])), body("x"), again];
    assert!(!wire.answer(&get(), parts).complete);
}

fn window_accounting(wire: &mut dyn Wire) {
    // Every byte that was taken is given back, written or not.
    for (method, status) in [("GET", 200), ("HEAD", 200), ("GET", 204)] {
        for length in [Known(20_003), Streamed] {
            let parts = vec![
                Part::Head(head(status, length, &[])),
                body("abc"),
                body(&"x".repeat(20_000)),
                Part::End(None),
            ];
            wire.answer(&Request::new(method, "/"), parts);
        }
    }
    wire.still_serves();
}

#[test]
fn released_bytes_are_the_content_bytes() {
    let mut server = Server::new();
    for (method, status) in [("GET", 200), ("HEAD", 200), ("GET", 204)] {
        let before = server.released;
        server.feed(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        let stream = server.seen.last().unwrap().stream;
        server.send(stream, Part::Head(head(status, Streamed, &[])));
        server.send(stream, body("abc"));
        server.send(stream, body(&"x".repeat(20_000)));
        server.send(stream, Part::End(None));
        server.written();
        assert_eq!(server.released - before, 20_003, "{method} {status}");
    }
    // Nobody gets credit for an answer in place of the handler's.
    let before = server.released;
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /");
    server.send(server.seen.last().unwrap().stream, Part::Abort(Reason::HandlerFailed));
    server.feed(" \r\n");
    assert!(server.text().contains("HTTP/1.1 400 "));
    assert_eq!(server.released, before);
}

proptest! {
    /// What the encoder writes, a strict client reads back as it was sent.
    #[test]
    fn any_response_reads_back(
        status in prop::sample::select(vec![200u16, 201, 299, 302, 400, 404, 500, 599]),
        fields in prop::collection::vec(("x-[a-z0-9!#$%&'*+.^_`|~-]{0,12}", "[ -~\t]{0,30}"), 0..8),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3000), 0..6),
        known: bool,
        reason in prop::option::of("[ -~]{0,20}"),
    ) {
        let total = pieces.iter().map(Vec::len).sum::<usize>();
        let lines: Vec<_> = fields.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        let length = if known { Known(total as u64) } else { Streamed };
        let mut head = head(status, length, &lines);
        head.reason = reason.clone().map(Bytes::from);
        let mut parts = vec![Part::Head(head)];
        parts.extend(pieces.iter().map(|piece| Part::Body(Bytes::from(piece.clone()))));
        parts.push(Part::End(None));
        let reply = H1::new().answer(&get(), parts);
        prop_assert!(reply.complete);
        prop_assert_eq!(reply.status, status);
        prop_assert_eq!(reply.body, pieces.concat());
        if let Some(reason) = reason {
            prop_assert_eq!(reply.reason, reason);
        }
        let sent: Vec<_> =
            fields.into_iter().map(|(n, v)| (n, v.trim().as_bytes().to_vec())).collect();
        let got: Vec<_> = reply.fields.into_iter().filter(|(n, _)| n.starts_with("x-")).collect();
        prop_assert_eq!(got, sent);
    }
}
