//! What a request and a response mean, in every version of HTTP. A case is written once, against
//! [`Wire`]; each version brings its own encoding. They run in memory, and by TLS through the whole
//! reactor.

mod broken;
#[path = "../../protocol/tests/common/mod.rs"]
mod common;
#[path = "../collector/fake.rs"]
mod fake_collector;
mod files;
mod ids;
mod outcomes;
mod peers;
#[path = "../runtime/played.rs"]
mod played;
mod recorded;
mod refusals;
mod requests;
mod responses;
mod secure;
mod telemetry;
mod traces;
mod upgrade;

use bytes::Bytes;
use common::client::{self, Reply, Request};
use common::{End, Seen, Server, body, head};

use proptest::prelude::*;
use reactor::protocol::Closing;
use wire::BodyLength::{Known, Streamed};
use wire::{Part, Reason, ResponseHead};

type Response = Vec<Part<ResponseHead>>;

/// A protocol with a client at the other end.
trait Wire {
    /// Sends a request, answers it, and reads the answer. The connection goes on if it can.
    fn exchange(&mut self, request: &Request, handler: &mut dyn FnMut(&Seen) -> Response) -> Reply;

    /// Sends a request that no handler sees, and reads the answer to it.
    fn refused(&mut self, request: &Request) -> Reply;

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
        // A client that waits for more must not wait for ever, nor read the next response as such.
        assert!(reply.complete || closing.is_some());
        if closing.is_some() {
            assert!(!reply.complete || reply.get("connection") == Some("close"));
        }
        // What the versions say in different ways is not part of what is compared.
        reply.fields.retain(|(name, _)| name != "transfer-encoding" && name != "connection");
        reply
    }

    fn refused(&mut self, request: &Request) -> Reply {
        let mut other = Self::new();
        other.server.feed(client::encode(request));
        assert!(other.server.seen.is_empty() && other.server.refusals.len() == 1);
        let bytes = other.server.written();
        let closed = other.server.closing().is_some();
        let (reply, used) = client::decode(&bytes, request.method == "HEAD", closed);
        assert_eq!(used, bytes.len(), "nothing behind the response");
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

struct H2 {
    pair: common::h2::Pair,
}

impl Wire for H2 {
    fn exchange(&mut self, request: &Request, handler: &mut dyn FnMut(&Seen) -> Response) -> Reply {
        let before = self.pair.server.seen.len();
        let response = self.pair.request(request);
        assert_eq!(self.pair.server.seen.len(), before + 1, "{:?}", self.pair.server.refusals);
        let seen = self.pair.server.seen[before].clone();
        assert!(matches!(seen.end, Some(End::Complete(_))));
        for part in handler(&seen) {
            self.pair.server.send(seen.stream, part);
        }
        let reply = self.pair.reply(response);
        // Whatever became of the stream, the connection goes on.
        assert!(self.pair.server.closing().is_none() && self.pair.client.ended.is_none());
        reply
    }

    fn refused(&mut self, request: &Request) -> Reply {
        let (seen, refusals) = (self.pair.server.seen.len(), self.pair.server.refusals.len());
        let response = self.pair.request(request);
        let reply = self.pair.reply(response);
        assert_eq!(self.pair.server.seen.len(), seen);
        assert_eq!(self.pair.server.refusals.len(), refusals + 1);
        reply
    }
}

struct H3 {
    pair: common::h3::Pair,
}

impl Wire for H3 {
    fn exchange(&mut self, request: &Request, handler: &mut dyn FnMut(&Seen) -> Response) -> Reply {
        let before = self.pair.server.seen.len();
        let stream = self.pair.request(request);
        assert_eq!(self.pair.server.seen.len(), before + 1, "{:?}", self.pair.server.refusals);
        let seen = self.pair.server.seen[before].clone();
        assert!(matches!(seen.end, Some(End::Complete(_))));
        for part in handler(&seen) {
            self.pair.server.send(seen.stream, part);
        }
        let reply = self.pair.reply(stream);
        assert!(reply.complete != self.pair.client.resets.contains_key(&stream), "{reply:?}");
        // Whatever became of the stream, the connection goes on, and nothing of it stays.
        assert!(!self.pair.client.quic.is_draining());
        assert!(self.pair.server.http3.is_idle());
        reply
    }

    fn refused(&mut self, request: &Request) -> Reply {
        let (seen, refusals) = (self.pair.server.seen.len(), self.pair.server.refusals.len());
        let stream = self.pair.request(request);
        let reply = self.pair.reply(stream);
        assert_eq!(self.pair.server.seen.len(), seen);
        assert_eq!(self.pair.server.refusals.len(), refusals + 1);
        reply
    }
}

macro_rules! cases {
    ($($file:ident: $($case:ident)*;)*) => {
        mod h1 {
            $($(#[test] fn $case() { super::$file::$case(&mut super::H1::new()); })*)*
        }
        mod h2 {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::H2 { pair: super::common::h2::Pair::new() });
            })*)*
        }
        mod h3 {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::H3 { pair: super::common::h3::Pair::new() });
            })*)*
        }
        mod h1_by_tls {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::secure::Secure::new(wire::Version::Http11));
            })*)*
        }
        mod h1_detached {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::secure::Secure::detached(
                    wire::Version::Http11,
                    super::secure::Handing::First,
                ));
            })*)*
        }
        mod h2_detached {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::secure::Secure::detached(
                    wire::Version::Http2,
                    super::secure::Handing::Always,
                ));
            })*)*
        }
        mod h3_by_quic {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::secure::Secure::new(wire::Version::Http3));
            })*)*
        }
        mod h3_detached {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::secure::Secure::detached(
                    wire::Version::Http3,
                    super::secure::Handing::Always,
                ));
            })*)*
        }
        mod h2_by_tls {
            $($(#[test] fn $case() {
                super::$file::$case(&mut super::secure::Secure::new(wire::Version::Http2));
            })*)*
        }
    };
}

cases! {
    refusals: nul_in_a_path
        nul_in_a_query;
    requests: control_data_and_fields
        targets_as_sent
        request_content
        request_trailers
        methods;
    responses: fields_of_a_response
        the_handlers_own_fields_win
        repeated_fields_keep_their_order
        hop_by_hop_fields_are_dropped
        a_length_is_told_once
        streamed_content
        response_trailers
        head_requests
        statuses_without_content
        interim_responses
        files
        window_accounting;
    files: conditional_requests
        head_of_a_file
        a_range_of_a_file
        if_range
        several_ranges_of_a_file
        an_empty_file;
    broken: early_break
        too_much_content
        too_little_content
        a_wrong_length_is_no_response
        fields_that_split_are_no_response
        aborts_before_the_head
        aborts_behind_the_head
        parts_out_of_order;
}

/// Over all but HTTP/1 in memory, whose files the transport sends: see the runtime's tests.
#[test]
fn a_file_that_has_shrunk_breaks_off() {
    let (h2, h3) = (common::h2::Pair::new(), common::h3::Pair::new());
    files::a_file_that_has_shrunk_breaks_off(&mut H2 { pair: h2 });
    files::a_file_that_has_shrunk_breaks_off(&mut H3 { pair: h3 });
    for version in [wire::Version::Http11, wire::Version::Http2] {
        files::a_file_that_has_shrunk_breaks_off(&mut secure::Secure::new(version));
    }
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
