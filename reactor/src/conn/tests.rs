//! Connections over a pair of sockets: TLS before the first request, and the parts of requests.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use boring::ssl::{HandshakeError, SslConnector, SslMethod, SslStream, SslVerifyMode};
use bytes::Bytes;
use http::Method;
use wire::shm::Shared;
use wire::{Fields, ResponseHead, Scheme, Version};

use super::*;
use crate::protocol::error::ProtocolError;
use crate::protocol::{Closing, Flow, Outgoing};
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
    events: Vec<Event>,
}

impl Bench {
    /// A connection by TLS before its handshake, and the client's end of the socket.
    fn tls() -> (Self, UnixStream) {
        let port = port();
        let tls = port.tls.as_ref().unwrap();
        let context = context::build(&tls.config, &tls.material, true).unwrap();
        let (client, server) = UnixStream::pair().unwrap();
        client.set_nonblocking(true).unwrap();
        server.set_nonblocking(true).unwrap();
        let socket = Socket::tls(server.into(), &context).unwrap();
        let now = Now {
            instant: Instant::now(),
            unix_micros: 0,
            date: *b"Sun, 06 Nov 1994 08:49:37 GMT",
        };
        let conn = Conn::new(socket, &port, origin(), &now);
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(memory.leak(), 1, 1);
        let limits = SpoolLimits { memory_bytes_max: 0, disk_bytes_max: 0 };
        let usage = SpoolUsage::new(limits, shared);
        let bench = Self {
            conn,
            port,
            now,
            buffer: ReadBuffer::new(),
            scratch: Output::default(),
            shared,
            error_log: ErrorLog::new(shared, now.instant),
            spool: ResponseSpool::new(usage.into(), std::env::temp_dir()),
            events: Vec::new(),
        };
        (bench, client)
    }

    fn pump(&mut self) {
        let mut cx = Context {
            streams: DriveContext {
                now: &self.now,
                shared: self.shared,
                error_log: &mut self.error_log,
                spool: &mut self.spool,
                events: &mut self.events,
            },
            buffer: &mut self.buffer,
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
    assert!(matches!(&events[..], [Event::Request(_, Part::Head(_)), _]), "{events:?}");
}

/// A protocol that gives out its request when it is asked to write, or when a deadline has passed.
struct Late {
    by: By,
    /// Its deadline.
    at: Instant,
    head: Option<RequestHead>,
    /// The request is complete.
    ready: Option<RequestHead>,
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

    fn poll(&mut self) -> Option<(StreamId, Part<RequestHead>)> {
        self.ready.take().map(|head| (1, Part::Head(head)))
    }

    fn send(&mut self, _: StreamId, _: Part<ResponseHead>, _: &Now) -> Flow {
        Flow::Gone
    }

    fn set_paused(&mut self, _: StreamId, _: bool, _: &Now) {}

    fn transmit(&mut self, _: &mut Outgoing<'_>, _: &Now) {
        self.complete(By::Transmit);
    }

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
}

/// A request that was not there when the client's bytes were taken is one by TLS all the same.
#[test]
fn a_request_has_its_tls_whatever_made_the_protocol_give_it_out() {
    for by in [By::Transmit, By::Timeout] {
        let (mut bench, client) = Bench::tls();
        let _client = bench.shake_hands(client);
        bench.pump();
        let late = Late { by, at: bench.now.instant, head: Some(head()), ready: None };
        bench.conn.streams.replace(Box::new(late), &bench.now);
        assert_eq!(bench.conn.timeout(&bench.now, &mut bench.error_log), PumpResult::Keep);
        bench.pump();
        let [Event::Request(1, Part::Head(head))] = &bench.events[..] else {
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
        streamed: false,
    }
}
