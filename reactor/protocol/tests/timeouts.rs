//! Clients that wait too long, in virtual time.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{End, Server, head, settings};
use protocol::error::Fault::{ContentTimeout, HeadTimeout};
use protocol::settings::HttpSettings;
use protocol::{Closing, Input, Outgoing};
use wire::BodyLength::Streamed;
use wire::{Part, Reason};

const MOMENT: Duration = Duration::from_millis(1);

fn assert_silent(server: &mut Server) {
    assert!(server.written().is_empty() && server.refusals.is_empty());
    assert_eq!(server.closing(), Some(Closing::Close));
    assert_eq!(server.protocol.deadline(), None);
}

#[test]
fn no_first_byte() {
    let mut server = Server::new();
    server.pass(settings().first_byte_timeout - MOMENT);
    assert_eq!(server.closing(), None);
    assert_silent(server.pass(MOMENT));
}

#[test]
fn empty_lines_are_no_first_byte() {
    let mut server = Server::new();
    server.feed("\r\n").pass(settings().first_byte_timeout);
    assert_silent(&mut server);
}

#[test]
fn a_slow_head() {
    let timeout = settings().header_timeout;
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    // Bytes do not help: the whole head has one deadline.
    for _ in 0..9 {
        server.feed("y").pass(timeout / 10);
    }
    assert_eq!(server.closing(), None);
    server.feed("y").pass(timeout / 10);
    server.assert_refused(HeadTimeout);
    assert!(server.seen.is_empty());
    assert_eq!(HeadTimeout.status(), 408);
}

#[test]
fn content_that_stops() {
    let timeout = settings().body_timeout;
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut server = Server::with(HttpSettings { body_rate_min: 0, ..settings() });
        server.feed(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"));
        // Progress moves the deadline.
        for byte in ["5", "\r", "\n", "h"] {
            server.pass(timeout - MOMENT).feed(byte);
        }
        assert_eq!(server.closing(), None);
        server.pass(timeout - MOMENT);
        assert_eq!(server.one().end, None);
        server.pass(MOMENT);
        assert_eq!(server.one().end, Some(End::Abort(Reason::ClientStalled)));
        server.assert_refused(ContentTimeout);
    }
}

#[test]
fn content_that_trickles() {
    let timeout = settings().body_timeout;
    let second = Duration::from_secs(1);
    for (each, lasts) in [(99, false), (100, true)] {
        let mut server = Server::with(HttpSettings {
            body_rate_min: 100,
            body_bytes_max: 1 << 20,
            ..settings()
        });
        server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
        let piece = "x".repeat(each);
        for _ in 0..5_000 {
            server.pass(second).feed(&piece[..]);
        }
        assert_eq!(server.one().end.is_none(), lasts, "{each} bytes a second");
        if !lasts {
            server.assert_refused(ContentTimeout);
        }
    }
    assert!(timeout < 5_000 * second / 100, "long enough to tell");
}

#[test]
fn arrivals_that_are_no_progress() {
    let timeout = settings().body_timeout;
    let mut server = Server::new();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    server.feed(format!("{head}0\r\n"));
    // Trailers are not taken before they are complete.
    for byte in ["X", ":", "y"] {
        server.feed(byte).pass(timeout / 3 + MOMENT);
    }
    assert_eq!(server.one().end, Some(End::Abort(Reason::ClientStalled)));
    // The same bytes again are no arrival.
    let mut server = Server::new();
    server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    let deadline = server.protocol.deadline();
    server.now.instant += MOMENT;
    server.feed("");
    assert_eq!(server.protocol.deadline(), deadline);
}

#[test]
fn idle_between_requests() {
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(server.protocol.deadline(), None, "a response has all the time it needs");
    server.pass(Duration::from_secs(3600)).ok("x");
    server.written();
    server.pass(settings().keepalive_timeout - MOMENT);
    assert_eq!(server.closing(), None);
    assert_silent(server.pass(MOMENT));
}

#[test]
fn a_reader_is_not_idle() {
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").ok(&"x".repeat(100_000));
    server.pass(settings().keepalive_timeout - MOMENT);
    server.protocol.transmit(&mut Outgoing::Bytes(&mut server.out), &server.now);
    server.pass(settings().keepalive_timeout - MOMENT);
    assert_eq!(server.closing(), None);
    server.written();
    server.pass(settings().keepalive_timeout);
    assert_silent(&mut server);
}

#[test]
fn a_response_has_no_deadline_even_while_content_is_missing() {
    let mut server = Server::new();
    server.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    server.send(0, Part::Head(head(200, Streamed, &[])));
    assert_eq!(server.protocol.deadline(), None);
    server.send(0, Part::Body(Bytes::from_static(b"x")));
    server.send(0, Part::End(None));
    server.written();
    assert_eq!(server.closing(), Some(Closing::Linger));
}

#[test]
fn a_timeout_before_its_time_does_nothing() {
    for input in ["", "GET /", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"] {
        let mut server = Server::new();
        server.feed(input);
        server.protocol.receive(Input::Timeout, &server.now);
        assert_eq!(server.closing(), None);
        assert!(server.protocol.deadline().is_some());
    }
}

#[test]
fn a_new_head_has_its_own_time() {
    let mut server = Server::new();
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").ok("x");
    server.pass(settings().keepalive_timeout - MOMENT).feed("G");
    server.pass(settings().header_timeout - MOMENT);
    assert_eq!(server.closing(), None);
    server.written();
    server.pass(MOMENT).assert_refused(HeadTimeout);
}
