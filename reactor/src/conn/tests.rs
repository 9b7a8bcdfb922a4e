//! Connections over a pair of sockets: TLS before the first request, and the parts of requests.

mod memory;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use boring::ssl::{HandshakeError, SslConnector, SslMethod, SslStream, SslVerifyMode};
use bytes::Bytes;
use http::Method;
use socket2::SockRef;
use wire::shm::Shared;
use wire::{Fields, RequestIds, ResponseHead, Scheme, Version};

use super::*;
use crate::handler::{HandlerId, Upgrade};
use crate::protocol::ended::Ended;
use crate::protocol::error::ProtocolError;
use crate::protocol::settings::HttpSettings;
use crate::protocol::upgrade::{Accepted, Machine, StreamInput};
use crate::protocol::{Closing, Flow, KeepInFile, Outgoing};
use crate::response_spool::{ResponseSpool, SpoolLimits, SpoolUsage};
use crate::tls::{Tls, TlsConfig, context, development};

/// A connection, and what a turn's work on it has at hand.
struct Bench {
    conn: Conn,
    port: PortConfig,
    now: Now,
    buffer: ReadBuffer,
    scratch: Output,
    shared: Shared,
    error_log: ErrorLog,
    spool: ResponseSpool,
    events: Vec<ConnEvent>,
}

impl Bench {
    /// A connection by TLS before its handshake, and the client's end of the socket.
    fn tls() -> (Self, UnixStream) {
        let port = port();
        let tls = port.tls.as_ref().unwrap();
        let context = context::build(&tls.config, &tls.material, true).unwrap();
        let (client, server) = sockets();
        (Self::new(Socket::tls(server.into(), &context).unwrap(), port), client)
    }

    /// A connection in cleartext, and the client's end of the socket.
    fn plain() -> (Self, UnixStream) {
        let (client, server) = sockets();
        (Self::new(Socket::plain(server.into()), PortConfig { tls: None, ..port() }), client)
    }

    fn new(socket: Socket, port: PortConfig) -> Self {
        let now = Now {
            instant: Instant::now(),
            unix_micros: 0,
            date: *b"Sun, 06 Nov 1994 08:49:37 GMT",
        };
        let conn = Conn::new(socket, &port, origin(), &now);
        let shared = shared();
        let limits = SpoolLimits { memory_bytes_max: 0, disk_bytes_max: 0 };
        let usage = SpoolUsage::new(limits, shared);
        Self {
            conn,
            port,
            now,
            buffer: ReadBuffer::new(),
            scratch: Output::default(),
            shared,
            error_log: ErrorLog::new(shared, now.instant),
            spool: ResponseSpool::new(usage.into(), std::env::temp_dir()),
            events: Vec::new(),
        }
    }

    fn pump(&mut self) {
        let mut cx = ConnContext {
            streams: DriveContext {
                now: &self.now,
                shared: self.shared,
                error_log: &mut self.error_log,
                spool: &mut self.spool,
                events: &mut self.events,
            },
            buffer: &mut self.buffer,
            counts: true,
            scratch: &mut self.scratch,
        };
        assert_eq!(self.conn.pump(&self.port, &mut cx), PumpResult::Keep);
    }

    /// Goes through the handshake as far as the client's last flight, which is not looked at.
    fn shake_hands(&mut self, client: UnixStream) -> SslStream<UnixStream> {
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let begun = connector.build().connect("localhost", client);
        let Err(HandshakeError::WouldBlock(begun)) = begun else { panic!("{begun:?}") };
        // The socket is said to be writable, no more.
        self.pump();
        begun.handshake().unwrap()
    }
}

fn sockets() -> (UnixStream, UnixStream) {
    let (client, server) = UnixStream::pair().unwrap();
    client.set_nonblocking(true).unwrap();
    server.set_nonblocking(true).unwrap();
    // As little as the kernel takes.
    SockRef::from(&server).set_send_buffer_size(1).unwrap();
    (client, server)
}

fn shared() -> Shared {
    let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
    Shared::new(memory.leak(), 1, 1)
}

fn origin() -> Origin {
    Origin { connection: 1, ..Origin::default() }
}

fn port() -> PortConfig {
    let tls = Tls::load(TlsConfig::new(development::localhost().unwrap())).unwrap();
    PortConfig {
        send_timeout: Duration::from_secs(1),
        tls: Some(tls.into()),
        ..PortConfig::default()
    }
}

/// What the handshake reads may hold the first request as well: no edge of readiness will tell
/// of it.
#[test]
fn content_that_comes_with_the_end_of_the_handshake_is_looked_at() {
    let (mut bench, client) = Bench::tls();
    let mut client = bench.shake_hands(client);
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    bench.pump();
    let events = &bench.events;
    assert!(matches!(&events[..], [ConnEvent::Request(_, Part::Head(_)), _]), "{events:?}");
}

/// A protocol that gives out its request when it is asked to write, or when a deadline has passed.
struct Late {
    by: By,
    /// Its deadline.
    at: Instant,
    head: Option<RequestHead>,
    /// The request is complete.
    ready: Option<RequestHead>,
    origin: Origin,
}

impl Late {
    fn complete(&mut self, by: By) {
        if by == self.by {
            self.ready = self.head.take();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Transmit,
    Timeout,
}

impl Protocol for Late {
    fn receive(&mut self, input: Input<'_>, _: &Now) {
        if matches!(input, Input::Timeout) {
            self.complete(By::Timeout);
        }
    }

    fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        self.ready.take().map(|head| (1, Part::Head(Box::new(head))))
    }

    fn send(&mut self, _: StreamId, _: Part<ResponseHead>, _: &Now) -> Flow {
        Flow::Gone
    }

    fn set_paused(&mut self, _: StreamId, _: bool, _: &Now) {}

    fn upgrade(&mut self, _: StreamId, _: &Accepted, _: &Now) -> Flow {
        Flow::Gone
    }
    fn transmit(&mut self, _: &mut Outgoing<'_>, _: &Now) {
        self.complete(By::Transmit);
    }

    fn spool(&mut self, _: &mut KeepInFile<'_>) {}

    fn wants_input(&self) -> bool {
        true
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.at)
    }

    fn shutdown(&mut self, _: &Now) {}

    fn closing(&self) -> Option<Closing> {
        None
    }

    fn refusal(&mut self) -> Option<ProtocolError> {
        None
    }

    fn unfinished(&mut self, _: &mut Vec<Ended>) {}

    fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// A request that was not there when the client's bytes were taken is one by TLS all the same.
#[test]
fn a_request_has_its_tls_whatever_made_the_protocol_give_it_out() {
    for by in [By::Transmit, By::Timeout] {
        let (mut bench, client) = Bench::tls();
        let _client = bench.shake_hands(client);
        bench.pump();
        let late =
            Late { by, at: bench.now.instant, head: Some(head()), ready: None, origin: origin() };
        bench.conn.streams.replace(Box::new(late), &bench.now);
        assert_eq!(bench.conn.timeout(&bench.now, &mut bench.error_log), PumpResult::Keep);
        bench.pump();
        let [ConnEvent::Request(1, Part::Head(head))] = &bench.events[..] else {
            panic!("{by:?}: {:?}", bench.events)
        };
        assert!(head.tls.is_some(), "{by:?}");
    }
}

fn head() -> RequestHead {
    RequestHead {
        method: Method::GET,
        path: Bytes::from_static(b"/"),
        query: None,
        version: Version::Http2,
        scheme: Scheme::Https,
        fields: Fields::default(),
        origin: origin(),
        tls: None,
        ids: RequestIds::NONE,
        streamed: false,
        upgrade: None,
    }
}

/// Says everything again in capitals.
#[derive(Default)]
struct Capitals(Vec<u8>, bool);

impl Machine for Capitals {
    fn receive(&mut self, input: StreamInput<'_>, _: &Now) {
        match input {
            StreamInput::Bytes(bytes) => self.0.append(&mut bytes.split().to_ascii_uppercase()),
            StreamInput::End | StreamInput::Timeout => self.1 = true,
        }
    }

    fn poll(&mut self) -> Option<Part<Box<RequestHead>>> {
        None
    }

    fn send(&mut self, part: Part<ResponseHead>, _: &Now) -> Flow {
        match part {
            Part::Body(bytes) => self.0.extend_from_slice(&bytes),
            _ => self.1 = true,
        }
        Flow::Ready
    }

    fn transmit(&mut self, room: usize) -> Option<Bytes> {
        let rest = self.0.split_off(self.0.len().min(room));
        let now = std::mem::replace(&mut self.0, rest);
        (!now.is_empty()).then(|| now.into())
    }

    fn wants_input(&self) -> bool {
        !self.1
    }

    fn is_over(&self) -> bool {
        self.1 && self.0.is_empty()
    }
}

/// Between socket and machine there is the connection: TLS, what was read before the upgrade, what the
/// handler has credit for.
#[test]
fn a_stream_that_is_upgraded_belongs_to_its_machine() {
    let (mut bench, client) = Bench::tls();
    let mut http = HttpSettings::clone(&bench.port.http);
    http.upgrades = true;
    bench.port.http = http.into();
    let mut client = bench.shake_hands(client);
    let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: capitals\r\n\r\n";
    client.write_all(&[head.as_bytes(), b"behind the head "].concat()).unwrap();
    bench.pump();
    let events = std::mem::take(&mut bench.events);
    let [ConnEvent::Request(0, Part::Head(head)), ConnEvent::Request(0, Part::End(_))] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    let protocol = head.upgrade.clone().unwrap().into();
    let exchange = ExchangeKey { handler: HandlerId::WORKERS, id: wire::ExchangeId::new(0, 1) };
    bench.conn.streams.exchanges.opened(0, exchange, 1 << 20);
    let accepted = Accepted { protocol, fields: Fields::default() };
    let upgrade = Upgrade { accepted, machine: Box::<Capitals>::default() };
    let streams = &mut bench.conn.streams;
    assert_eq!(streams.upgrade(0, upgrade, &bench.now, &mut bench.error_log), Flow::Ready);
    bench.pump();
    let mut heard = Vec::new();
    let mut expect = |bench: &mut Bench, client: &mut SslStream<UnixStream>, end: &str| {
        for _ in 0..1000 {
            bench.pump();
            let mut piece = [0; 1000];
            // An error says that nothing is there yet.
            let read = client.read(&mut piece).unwrap_or(0);
            heard.extend_from_slice(&piece[..read]);
            if heard.ends_with(end.as_bytes()) {
                return;
            }
        }
        panic!("{end}: {}", heard.escape_ascii());
    };
    expect(&mut bench, &mut client, "\r\n\r\nBEHIND THE HEAD ");
    client.write_all(b"hello").unwrap();
    bench.conn.set_readable(false);
    expect(&mut bench, &mut client, "HELLO");
    let part = || Part::Body(Bytes::from_static(b" from the handler"));
    let accepted = bench.conn.streams.exchanges.accept(0, part(), 1 << 20);
    let flow = bench.conn.streams.send(0, accepted.part.unwrap(), &bench.now, &mut bench.error_log);
    assert_eq!(flow, Flow::Ready);
    expect(&mut bench, &mut client, " from the handler");
    // All of it was taken: the next exchange would have the whole window.
    bench.conn.streams.exchanges.forget(0);
    assert_eq!(bench.conn.streams.exchanges.window(1 << 20), 1 << 20);
    assert!(bench.events.is_empty(), "{:?}", bench.events);
}
