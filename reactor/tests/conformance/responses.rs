//! What a client sees of a good response.

use wire::BodyLength::{Known, Streamed};
use wire::Part;

use super::common::client::Request;
use super::common::{body, file, head};
use super::{Wire, get, text};

pub fn fields_of_a_response(wire: &mut dyn Wire) {
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

pub fn the_handlers_own_fields_win(wire: &mut dyn Wire) {
    let fields = [("date", "today"), ("server", "mine"), ("content-length", "0")];
    let response = vec![Part::Head(head(200, Known(0), &fields)), Part::End(None)];
    let reply = wire.answer(&get(), response);
    assert_eq!((reply.get("date"), reply.get("server")), (Some("today"), Some("mine")));
    assert_eq!(reply.get("content-length"), Some("0"));
}

pub fn repeated_fields_keep_their_order(wire: &mut dyn Wire) {
    let fields = [("set-cookie", "a=1"), ("x", "y"), ("set-cookie", "b=2")];
    let reply =
        wire.answer(&get(), vec![Part::Head(head(200, Known(0), &fields)), Part::End(None)]);
    let cookies: Vec<_> = reply.fields.iter().filter(|(n, _)| n == "set-cookie").collect();
    assert_eq!(cookies.iter().map(|(_, v)| &v[..]).collect::<Vec<_>>(), [b"a=1", b"b=2"]);
}

pub fn hop_by_hop_fields_are_dropped(wire: &mut dyn Wire) {
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

pub fn a_length_is_told_once(wire: &mut dyn Wire) {
    let fields = [("content-length", "2")];
    let response = vec![Part::Head(head(200, Known(2), &fields)), body("ok"), Part::End(None)];
    assert_eq!(wire.answer(&get(), response).get("content-length"), Some("2"));
    let response =
        vec![Part::Head(head(200, Streamed, &fields)), body("o"), body("k"), Part::End(None)];
    let reply = wire.answer(&get(), response);
    assert_eq!((reply.get("content-length"), &reply.body[..]), (Some("2"), &b"ok"[..]));
    wire.still_serves();
}

pub fn streamed_content(wire: &mut dyn Wire) {
    let big = "x".repeat(40_000);
    let parts = vec![
        Part::Head(head(200, Streamed, &[])),
        body("one"),
        body(""),
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

pub fn response_trailers(wire: &mut dyn Wire) {
    let trailers =
        [("x-sum", "7"), ("content-length", "9"), ("bad name", "x"), ("x-bad", "a\r\nb")];
    let trailers = head(200, Streamed, &trailers).fields;
    let parts =
        vec![Part::Head(head(200, Streamed, &[])), body("a"), Part::End(Some(trailers.clone()))];
    let reply = wire.answer(&get(), parts);
    assert_eq!(reply.trailers, [("x-sum".to_owned(), b"7".to_vec())]);
    wire.still_serves();
}

pub fn head_requests(wire: &mut dyn Wire) {
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

pub fn statuses_without_content(wire: &mut dyn Wire) {
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

pub fn interim_responses(wire: &mut dyn Wire) {
    let mut response =
        vec![Part::Head(head(103, Known(0), &[("link", "</a.css>"), ("content-length", "3")]))];
    response.push(Part::Head(head(102, Known(0), &[])));
    response.extend(text("done"));
    let reply = wire.answer(&get(), response);
    assert_eq!((reply.status, &reply.body[..]), (200, &b"done"[..]));
    assert_eq!(reply.interim.iter().map(|(s, _)| *s).collect::<Vec<_>>(), [103, 102]);
    assert_eq!(reply.interim[0].1, [("link".to_owned(), b"</a.css>".to_vec())]);
    // An interim head is never the last one.
    let reply = wire.answer(&get(), vec![Part::Head(head(103, Known(0), &[])), Part::End(None)]);
    assert_eq!((reply.status, reply.complete, reply.interim.len()), (500, true, 1));
    // 101 without an upgrade would leave both sides in different protocols.
    let reply = wire.answer(&get(), vec![Part::Head(head(101, Known(0), &[]))]);
    assert_eq!((reply.status, reply.complete), (500, true));
    wire.still_serves();
}

pub fn files(wire: &mut dyn Wire) {
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

pub fn window_accounting(wire: &mut dyn Wire) {
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
