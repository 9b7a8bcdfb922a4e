//! A stream whose content belongs to another protocol after an upgrade, in every version of HTTP.

use std::task::Poll;

use bytes::{Bytes, BytesMut};
use h2::client::ResponseFuture;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use reactor::protocol::settings::HttpSettings;
use reactor::protocol::upgrade::{Accepted, Machine, StreamInput};
use reactor::protocol::{Flow, Now};
use wire::{Part, Reason, RequestHead, ResponseHead};

use super::common::{self, End, Seen, body, settings};

/// What an echo keeps at most: past it, it wants no more.
const KEPT_BYTES_MAX: usize = 10_000;

/// Says everything again, and what its handler says.
#[derive(Default)]
struct Echo {
    kept: BytesMut,
    ended: bool,
    told: bool,
}

impl Machine for Echo {
    fn receive(&mut self, input: StreamInput<'_>, _: &Now) {
        match input {
            StreamInput::Bytes(bytes) => {
                let room = KEPT_BYTES_MAX.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&bytes.split_to(bytes.len().min(room)));
            }
            StreamInput::End => self.ended = true,
            StreamInput::Timeout => {}
        }
    }

    fn poll(&mut self) -> Option<Part<Box<RequestHead>>> {
        let tell = self.ended && !std::mem::replace(&mut self.told, self.ended);
        tell.then_some(Part::End(None))
    }

    fn send(&mut self, part: Part<ResponseHead>, _: &Now) -> Flow {
        match part {
            Part::Body(bytes) => self.kept.extend_from_slice(&bytes),
            _ => self.ended = true,
        }
        Flow::Ready
    }

    fn transmit(&mut self, room: usize) -> Option<Bytes> {
        let most = self.kept.len().min(room);
        (most > 0).then(|| self.kept.split_to(most).freeze())
    }

    fn wants_input(&self) -> bool {
        self.kept.len() < KEPT_BYTES_MAX
    }

    fn is_over(&self) -> bool {
        self.ended && self.kept.is_empty()
    }
}

fn accepted() -> Accepted {
    let fields = [(&b"x-chosen"[..], &b"echo"[..]), (b"connection", b"close")];
    Accepted { protocol: Bytes::from_static(b"echo"), fields: fields.into_iter().collect() }
}

/// A client that asks for an upgrade, over a version of HTTP.
trait Upgrading {
    /// Asks, with bytes of the other protocol right behind. The server has seen it.
    fn ask(&mut self, early: &[u8]) -> Seen;
    fn accept(&mut self, seen: &Seen) -> Flow;
    fn push(&mut self, seen: &Seen, part: Part<ResponseHead>) -> Flow;
    fn refuse(&mut self, seen: &Seen);
    /// The status of the answer.
    fn status(&mut self) -> u16;
    fn field(&mut self, name: &str) -> Option<String>;
    /// Sends as much as may go now; how much.
    fn send(&mut self, bytes: &[u8]) -> usize;
    fn end(&mut self);
    fn give_up(&mut self);
    /// What has come, and whether that was the end.
    fn read(&mut self) -> (Vec<u8>, bool);
    /// What the machine has told the handler.
    fn told(&self) -> &[Part<Box<RequestHead>>];
}

fn all(run: impl Fn(&mut dyn Upgrading, &str)) {
    let settings = || HttpSettings { upgrades: true, ..settings() };
    run(&mut H1::new(settings()), "h1");
    run(&mut H2::new(settings()), "h2");
    run(&mut H3::new(settings()), "h3");
}

/// Reads until so many bytes have come.
fn read(wire: &mut dyn Upgrading, len: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..10_000 {
        all.extend(wire.read().0);
        if all.len() >= len {
            break;
        }
    }
    all
}

#[test]
fn bytes_go_both_ways_and_those_behind_the_head_are_not_lost() {
    all(|wire, name| {
        let seen = wire.ask(b"early ");
        assert_eq!(seen.head.upgrade.as_deref(), Some(&b"echo"[..]), "{name}");
        assert_eq!((&seen.head.path[..], &seen.body[..]), (&b"/chat"[..], &b""[..]), "{name}");
        // Who does not know of upgrades can answer it.
        assert_eq!(seen.end, Some(End::Complete(None)), "{name}");
        assert_eq!(wire.accept(&seen), Flow::Ready, "{name}");
        assert_eq!(wire.status(), if name == "h1" { 101 } else { 200 });
        assert_eq!(wire.field("x-chosen").as_deref(), Some("echo"), "{name}");
        assert_eq!(wire.field("upgrade").as_deref(), (name == "h1").then_some("echo"));
        assert_eq!(wire.field("transfer-encoding"), None);
        assert_eq!(wire.field("content-length"), None);
        assert_eq!(read(wire, 6), b"early ", "{name}");
        for word in ["a", "GET / HTTP/1.1\r\n\r\n", "\0\r\n0\r\n\r\n"] {
            assert_eq!(wire.send(word.as_bytes()), word.len());
            assert_eq!(read(wire, word.len()), word.as_bytes(), "{name}");
        }
        assert_eq!(wire.push(&seen, body("from the handler")), Flow::Ready);
        assert_eq!(read(wire, 16), b"from the handler", "{name}");
        assert_eq!(wire.accept(&seen), Flow::Gone, "once");
        wire.end();
        assert_eq!(wire.read(), (Vec::new(), true), "{name}");
        assert!(matches!(wire.told(), [Part::End(None)]), "{name}: {:?}", wire.told());
    });
}

#[test]
fn either_side_holds_the_other_back() {
    const TOTAL: usize = 3 << 20;
    all(|wire, name| {
        let seen = wire.ask(b"");
        assert_eq!(wire.accept(&seen), Flow::Ready);
        wire.status();
        let content: Vec<u8> = (0..TOTAL).map(|nth| (nth % 251) as u8).collect();
        // A client that does not read: what the machine cannot say again, it does not take.
        let mut sent = 0;
        loop {
            match wire.send(&content[sent..]) {
                0 => break,
                more => sent += more,
            }
        }
        assert!(sent < TOTAL, "{name}: nobody is held back");
        let mut back = Vec::new();
        for _ in 0..100_000 {
            back.extend(wire.read().0);
            sent += wire.send(&content[sent..]);
            if back.len() == TOTAL {
                break;
            }
        }
        assert!(back == content, "{name}: {} of {TOTAL} bytes", back.len());
    });
}

#[test]
fn the_machine_may_end_first() {
    all(|wire, name| {
        let seen = wire.ask(b"");
        wire.accept(&seen);
        wire.status();
        wire.send(b"last");
        assert_eq!(wire.push(&seen, Part::End(None)), Flow::Ready);
        let mut all = Vec::new();
        let mut ended = false;
        for _ in 0..100 {
            let (bytes, end) = wire.read();
            all.extend(bytes);
            ended |= end;
        }
        assert!(all == b"last" && ended, "{name}: {all:?} {ended}");
        assert_eq!(wire.push(&seen, body("more")), Flow::Gone, "{name}");
    });
}

#[test]
fn a_client_that_gives_up_is_told_to_the_handler() {
    all(|wire, name| {
        let seen = wire.ask(b"");
        wire.accept(&seen);
        wire.status();
        wire.give_up();
        match wire.told() {
            [Part::Abort(Reason::ClientGone)] => {}
            // The end of a direction looks the same.
            [Part::End(None)] if name == "h1" => {}
            told => panic!("{name}: {told:?}"),
        }
        assert_eq!(wire.push(&seen, body("more")), Flow::Gone, "{name}");
    });
}

#[test]
fn who_is_not_accepted_gets_an_answer_as_ever() {
    all(|wire, name| {
        let seen = wire.ask(b"early");
        wire.refuse(&seen);
        assert_eq!(wire.status(), 403, "{name}");
        assert_eq!(wire.accept(&seen), Flow::Gone, "{name}");
    });
}

#[test]
fn without_a_handler_that_accepts_nothing_changes() {
    let mut h1 = H1::new(settings());
    let seen = h1.ask(b"");
    assert_eq!(seen.head.upgrade, None);
    assert_eq!(h1.accept(&seen), Flow::Gone);
    h1.refuse(&seen);
    assert_eq!(h1.status(), 403);
    let h2 = common::h2::Pair::with(settings(), &h2::client::Builder::new());
    assert!(!h2.client.requests.is_extended_connect_protocol_enabled());
    // Who asks all the same breaks a rule.
    let mut h3 = common::h3::Pair::with(settings());
    let stream = h3.client.request(CONNECT, false);
    h3.drive();
    assert!(h3.server.seen.is_empty() && h3.client.resets.contains_key(&stream));
    assert!(!h3.client.h3().0.extended_connect_enabled_by_peer());
}

#[test]
fn http1_asks_in_one_way_only() {
    for (lines, asks) in [
        ("Connection: Upgrade\r\nUpgrade: echo\r\n", true),
        ("Connection: keep-alive, upgrade\r\nUpgrade: echo/2, other\r\n", true),
        ("Upgrade: echo\r\n", false),
        ("Connection: Upgrade\r\n", false),
        ("Connection: Upgrade\r\nUpgrade: \r\n", false),
        ("Connection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 1\r\n", false),
    ] {
        let mut server = common::Server::with(HttpSettings { upgrades: true, ..settings() });
        server.feed(format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n"));
        assert_eq!(server.seen[0].head.upgrade.is_some(), asks, "{lines}");
    }
    let mut server = common::Server::with(HttpSettings { upgrades: true, ..settings() });
    server.feed("GET / HTTP/1.0\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    assert_eq!(server.one().head.upgrade, None);
}

struct H1 {
    server: common::Server,
    head: String,
}

impl H1 {
    fn new(settings: HttpSettings) -> Self {
        Self { server: common::Server::with(settings), head: String::new() }
    }
}

impl Upgrading for H1 {
    fn ask(&mut self, early: &[u8]) -> Seen {
        let head = b"GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
        self.server.feed([&head[..], early].concat());
        self.server.one().clone()
    }

    fn accept(&mut self, seen: &Seen) -> Flow {
        self.server.upgrade(seen.stream, &accepted(), Box::<Echo>::default())
    }

    fn push(&mut self, seen: &Seen, part: Part<ResponseHead>) -> Flow {
        self.server.push(seen.stream, part)
    }

    fn refuse(&mut self, seen: &Seen) {
        self.server.respond(seen.stream, common::head(403, wire::BodyLength::Known(0), &[]), b"");
    }

    fn status(&mut self) -> u16 {
        let all = self.server.write();
        let end = all.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
        self.head = String::from_utf8(all[..end].to_vec()).unwrap().to_ascii_lowercase();
        self.server.out.push(reactor::protocol::Chunk::Bytes(all[end..].to_vec().into()));
        self.head[9..12].parse().unwrap()
    }

    fn field(&mut self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(line, _)| *line == name).map(|(_, value)| value.to_owned())
    }

    fn send(&mut self, bytes: &[u8]) -> usize {
        let piece = &bytes[..bytes.len().min(16 << 10)];
        let wants = self.server.protocol.wants_input();
        if wants && !piece.is_empty() {
            self.server.feed(piece);
            return piece.len();
        }
        0
    }

    fn end(&mut self) {
        self.server.eof();
    }

    fn give_up(&mut self) {
        self.server.eof();
        self.server.write();
    }

    fn read(&mut self) -> (Vec<u8>, bool) {
        let bytes = self.server.write();
        (bytes, self.server.closing().is_some())
    }

    fn told(&self) -> &[Part<Box<RequestHead>>] {
        &self.server.told
    }
}

struct H2 {
    pair: common::h2::Pair,
    out: Option<SendStream<Bytes>>,
    response: Option<ResponseFuture>,
    head: Option<http::response::Parts>,
    body: Option<RecvStream>,
}

impl H2 {
    fn new(settings: HttpSettings) -> Self {
        let pair = common::h2::Pair::with(settings, &h2::client::Builder::new());
        Self { pair, out: None, response: None, head: None, body: None }
    }
}

impl Upgrading for H2 {
    fn ask(&mut self, early: &[u8]) -> Seen {
        assert!(self.pair.client.requests.is_extended_connect_protocol_enabled());
        let request = http::Request::connect("http://localhost/chat");
        let request = request.extension(Protocol::from_static("echo")).body(()).unwrap();
        let (response, out) = self.pair.open(request, false);
        (self.response, self.out) = (Some(response), Some(out));
        if !early.is_empty() {
            assert_eq!(self.send(early), early.len());
        }
        self.pair.server.one().clone()
    }

    fn accept(&mut self, seen: &Seen) -> Flow {
        let flow = self.pair.server.upgrade(seen.stream, &accepted(), Box::<Echo>::default());
        self.pair.drive();
        flow
    }

    fn push(&mut self, seen: &Seen, part: Part<ResponseHead>) -> Flow {
        let flow = self.pair.server.push(seen.stream, part);
        self.pair.drive();
        flow
    }

    fn refuse(&mut self, seen: &Seen) {
        let head = common::head(403, wire::BodyLength::Known(0), &[]);
        self.pair.server.respond(seen.stream, head, b"");
        self.pair.drive();
    }

    fn status(&mut self) -> u16 {
        self.pair.drive();
        let Poll::Ready(Ok(response)) = common::h2::poll(self.response.take().unwrap()) else {
            panic!("no answer")
        };
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        (self.head, self.body) = (Some(head), Some(body));
        status
    }

    fn field(&mut self, name: &str) -> Option<String> {
        let value = self.head.as_ref()?.headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }

    fn send(&mut self, bytes: &[u8]) -> usize {
        let out = self.out.as_mut().unwrap();
        out.reserve_capacity(bytes.len().min(16 << 10));
        let _ = out.poll_capacity(&mut common::h2::cx());
        let piece = &bytes[..bytes.len().min(out.capacity())];
        if !piece.is_empty() {
            out.send_data(Bytes::copy_from_slice(piece), false).unwrap();
        }
        self.pair.drive();
        piece.len()
    }

    fn end(&mut self) {
        self.out.as_mut().unwrap().send_data(Bytes::new(), true).unwrap();
        self.pair.drive();
    }

    fn give_up(&mut self) {
        self.out.as_mut().unwrap().send_reset(h2::Reason::CANCEL);
        self.pair.drive();
    }

    fn read(&mut self) -> (Vec<u8>, bool) {
        self.pair.drive();
        let body = self.body.as_mut().unwrap();
        let mut all = Vec::new();
        loop {
            match body.poll_data(&mut common::h2::cx()) {
                Poll::Ready(Some(Ok(bytes))) => {
                    all.extend_from_slice(&bytes);
                    body.flow_control().release_capacity(bytes.len()).unwrap();
                }
                Poll::Ready(None) => return (all, true),
                _ => break,
            }
        }
        self.pair.drive();
        (all, false)
    }

    fn told(&self) -> &[Part<Box<RequestHead>>] {
        &self.pair.server.told
    }
}

const CONNECT: &[(&str, &[u8])] = &[
    (":method", b"CONNECT"),
    (":protocol", b"echo"),
    (":scheme", b"https"),
    (":authority", b"localhost"),
    (":path", b"/chat"),
];

struct H3 {
    pair: common::h3::Pair,
    stream: u64,
    read: usize,
}

impl H3 {
    fn new(settings: HttpSettings) -> Self {
        Self { pair: common::h3::Pair::with(settings), stream: 0, read: 0 }
    }
}

impl Upgrading for H3 {
    fn ask(&mut self, early: &[u8]) -> Seen {
        assert!(self.pair.client.h3().0.extended_connect_enabled_by_peer());
        self.stream = self.pair.client.request(CONNECT, false);
        if !early.is_empty() {
            // In one packet with the head.
            let (h3, quic) = self.pair.client.h3();
            assert_eq!(h3.send_body(quic, self.stream, early, false), Ok(early.len()));
        }
        self.pair.drive();
        assert_eq!(self.pair.server.seen.len(), 1, "{:?}", self.pair.server.refusals);
        self.pair.server.seen[0].clone()
    }

    fn accept(&mut self, seen: &Seen) -> Flow {
        // The client reads when it is asked to.
        self.pair.client.deaf = true;
        let flow = self.pair.server.upgrade(seen.stream, &accepted(), Box::<Echo>::default());
        self.pair.drive();
        flow
    }

    fn push(&mut self, seen: &Seen, part: Part<ResponseHead>) -> Flow {
        let flow = self.pair.server.push(seen.stream, part);
        self.pair.drive();
        flow
    }

    fn refuse(&mut self, seen: &Seen) {
        self.pair.server.respond(seen.stream, 403, b"");
        self.pair.drive();
    }

    fn status(&mut self) -> u16 {
        self.pair.reply(self.stream).status
    }

    fn field(&mut self, name: &str) -> Option<String> {
        self.pair.reply(self.stream).get(name).map(str::to_owned)
    }

    fn send(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        let stream = self.stream;
        let (h3, quic) = self.pair.client.h3();
        let sent = h3.send_body(quic, stream, bytes, false).unwrap_or(0);
        self.pair.drive();
        sent
    }

    fn end(&mut self) {
        let stream = self.stream;
        let (h3, quic) = self.pair.client.h3();
        h3.send_body(quic, stream, b"", true).unwrap();
        self.pair.drive();
    }

    fn give_up(&mut self) {
        let (stream, quic) = (self.stream, &mut self.pair.client.quic);
        quic.stream_shutdown(stream, quiche::Shutdown::Write, 0x10c).unwrap();
        self.pair.drive();
    }

    fn read(&mut self) -> (Vec<u8>, bool) {
        let stream = self.stream;
        let (h3, quic) = self.pair.client.h3();
        let (mut all, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(len) = h3.recv_body(quic, stream, &mut piece) {
            all.extend_from_slice(&piece[..len]);
        }
        self.pair.drive();
        self.read += all.len();
        (all, self.pair.reply(stream).complete)
    }

    fn told(&self) -> &[Part<Box<RequestHead>>] {
        &self.pair.server.told
    }
}
