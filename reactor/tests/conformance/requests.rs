//! What a handler sees of a request.

use bytes::Bytes;
use wire::BodyLength::Known;
use wire::Part;

use super::common::client::Request;
use super::common::{End, head};
use super::{Wire, text};

pub fn control_data_and_fields(wire: &mut dyn Wire) {
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

/// What is the same to a router may differ to a signature: nothing is normalized.
pub fn targets_as_sent(wire: &mut dyn Wire) {
    for (target, path, query) in [
        ("/", "/", None),
        ("/?", "/", Some("")),
        ("/a/../b/./c//", "/a/../b/./c//", None),
        ("/%2F%2e%7Ea%C3%A4?%26=%3D&&?", "/%2F%2e%7Ea%C3%A4", Some("%26=%3D&&?")),
        ("//host/a;b=c,d:e@f!$'()*+", "//host/a;b=c,d:e@f!$'()*+", None),
        ("/%zz%?%", "/%zz%", Some("%")),
    ] {
        wire.exchange(&Request::new("GET", target), &mut |seen| {
            let query = query.map(str::as_bytes);
            assert_eq!((&seen.head.path[..], seen.head.query.as_deref()), (path.as_bytes(), query));
            text("ok")
        });
    }
    wire.still_serves();
}

pub fn request_content(wire: &mut dyn Wire) {
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

pub fn request_trailers(wire: &mut dyn Wire) {
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

pub fn methods(wire: &mut dyn Wire) {
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
