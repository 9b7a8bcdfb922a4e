//! What a client sees of a response that is broken, or cannot be sent.

use bytes::Bytes;
use wire::BodyLength::{Known, Streamed};
use wire::{Part, Reason};

use super::common::client::Request;
use super::common::{body, file, head};
use super::{Wire, get, text};

pub fn early_break(wire: &mut dyn Wire) {
    for length in [Known(10), Streamed] {
        for reason in [Reason::HandlerFailed, Reason::WorkerLost, Reason::Internal] {
            let parts = vec![Part::Head(head(200, length, &[])), body("part"), Part::Abort(reason)];
            let reply = wire.answer(&get(), parts);
            assert_eq!((reply.status, &reply.body[..]), (200, &b"part"[..]));
            assert!(!reply.complete, "{length:?}: the client must be able to tell");
        }
    }
}

pub fn too_much_content(wire: &mut dyn Wire) {
    let parts = vec![Part::Head(head(200, Known(3), &[])), body("four"), Part::End(None)];
    let reply = wire.answer(&get(), parts);
    assert!(!reply.complete && reply.body.len() <= 3);
    let parts = vec![Part::Head(head(200, Known(3), &[])), Part::File(file(b"four"))];
    assert!(!wire.answer(&get(), parts).complete);
}

pub fn too_little_content(wire: &mut dyn Wire) {
    let parts = vec![Part::Head(head(200, Known(5), &[])), body("four"), Part::End(None)];
    assert!(!wire.answer(&get(), parts).complete);
    let declared = [("content-length", "5")];
    let parts = vec![Part::Head(head(200, Streamed, &declared)), body("four"), Part::End(None)];
    assert!(!wire.answer(&get(), parts).complete);
}

pub fn a_wrong_length_is_no_response(wire: &mut dyn Wire) {
    for declared in ["3", "5", "x", "-1", "", "4, 4"] {
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

pub fn fields_that_split_are_no_response(wire: &mut dyn Wire) {
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

pub fn aborts_before_the_head(wire: &mut dyn Wire) {
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

pub fn aborts_behind_the_head(wire: &mut dyn Wire) {
    let parts = vec![Part::Head(head(200, Known(4), &[])), Part::Abort(Reason::HandlerFailed)];
    let reply = wire.answer(&get(), parts);
    assert_eq!((reply.status, reply.complete), (200, false));
}

pub fn parts_out_of_order(wire: &mut dyn Wire) {
    for first in [body("early"), Part::End(None), Part::File(file(b"early"))] {
        let reply = wire.answer(&get(), [vec![first], text("late")].concat());
        assert_eq!((reply.status, reply.complete), (500, true));
        wire.still_serves();
    }
    let again = Part::Head(head(200, Known(4), &[]));
    let parts = vec![Part::Head(head(200, Known(4), &[])), body("x"), again];
    assert!(!wire.answer(&get(), parts).complete);
}
