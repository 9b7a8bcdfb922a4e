//! The cases through a whole reactor, by real TLS over real sockets, with a played worker.

use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use boring::ssl::{ErrorCode, SslConnector, SslMethod, SslStream, SslVerifyMode};
use bytes::BytesMut;
use h2::client::ResponseFuture;
use reactor::tls::{Tls, TlsConfig, development};
use wire::shm::Counter;
use wire::{ExchangeId, Part, Reason, Scheme, Version};

use super::common::client::{self, Reply, Request};
use super::common::h2::Client;
use super::common::{End, Seen, settings};
use super::played::{self, Worker};
use super::{Response, Wire};

/// Longer than anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long nobody looks at a socket that had nothing.
const PAUSE: Duration = Duration::from_micros(100);

/// A reactor and a worker, and one client at a time.
pub struct Secure {
    server: played::Server,
    worker: Worker,
    version: Version,
    peer: Option<Peer>,
    /// Who answers: the worker that has the request, unless it detaches the response, at once or in the
    /// middle.
    handing: Handing,
    /// Who takes over what is detached.
    other: Option<Worker>,
}

/// Where a response changes its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handing {
    /// Nowhere.
    Never,
    /// Before anything of it is sent.
    First,
    /// Behind each of its parts.
    Always,
}

/// A client: its connection, and what it speaks on it.
struct Peer {
    stream: SslStream<TcpStream>,
    /// Read, and not understood yet; of HTTP/1.
    unread: Vec<u8>,
    http2: Option<Client>,
    ended: Option<Ended>,
}

/// How the connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// With close_notify (RFC 8446, 6.1).
    InOrder,
    /// Without: what came before may be cut off.
    Cut,
}

impl Secure {
    pub fn new(version: Version) -> Self {
        Self::with(version, |_| {})
    }

    pub fn with(version: Version, tweak: impl FnOnce(&mut TlsConfig)) -> Self {
        let mut tls = TlsConfig::new(development::localhost().unwrap());
        tweak(&mut tls);
        let tls = Arc::new(Tls::load(tls).unwrap());
        let server = played::Server::start(|config| {
            config.ports[0].http = settings().into();
            config.ports[0].tls = Some(tls);
        });
        let worker = server.add_worker(0, 0);
        Self { server, worker, version, peer: None, handing: Handing::Never, other: None }
    }

    /// The response is detached, and another worker sends it.
    pub fn detached(version: Version, handing: Handing) -> Self {
        let mut this = Self { handing, ..Self::new(version) };
        let other = this.server.add_worker(1, 0);
        this.other = Some(other);
        this
    }

    /// The worker that has an exchange leaves it, and the other takes it over; `None`: nobody waits for what
    /// follows, as the response is not one.
    fn hand_over(&mut self, id: ExchangeId) -> Option<ExchangeId> {
        let Some(other) = &mut self.other else { return Some(id) };
        assert!(self.worker.detach(id, 7, b"state"));
        let (id, claimed) = other.claim(id, 7)?;
        assert_eq!((&claimed.state[..], claimed.head.version), (&b"state"[..], self.version));
        std::mem::swap(&mut self.worker, other);
        Some(id)
    }

    /// Reads a response. The connection goes on if it can.
    fn read(
        &mut self,
        mut peer: Peer,
        response: Option<ResponseFuture>,
        request: &Request,
    ) -> Reply {
        let reply = match response {
            Some(response) => peer.reply(response),
            None => peer.reply_of_http1(request.method == "HEAD"),
        };
        if peer.ended.is_none() && reply.get("connection") != Some("close") {
            self.peer = Some(peer);
        }
        assert!(self.version == Version::Http11 || self.peer.is_some(), "the connection goes on");
        reply
    }

    /// Whether a connection is open that the next request will take.
    pub fn is_open(&self) -> bool {
        self.peer.is_some()
    }

    /// Waits until the worker has what the client sends.
    fn receive(&mut self, peer: &mut Peer) -> (ExchangeId, Seen) {
        let Self { worker, other, .. } = self;
        let request = thread::scope(|scope| {
            let playing = scope.spawn(|| match other {
                None => worker.request(),
                Some(other) => {
                    let begin = Instant::now();
                    while !worker.has_request() {
                        std::mem::swap(worker, other);
                        assert!(begin.elapsed() < PATIENCE, "no request");
                        thread::sleep(PAUSE);
                    }
                    worker.request()
                }
            });
            while !playing.is_finished() {
                peer.turn();
            }
            playing.join().expect("a request")
        });
        assert_eq!((request.head.version, request.head.scheme), (self.version, Scheme::Https));
        assert!(request.head.tls.is_some());
        let end = Some(End::Complete(request.trailers));
        let stream = request.head.origin.stream;
        (request.id, Seen { stream, head: request.head, body: request.body, end })
    }
}

impl Wire for Secure {
    fn exchange(&mut self, request: &Request, handler: &mut dyn FnMut(&Seen) -> Response) -> Reply {
        let peer = self.peer.take();
        let mut peer = peer.unwrap_or_else(|| Peer::connect(&self.server, self.version));
        let response = peer.ask(request);
        let (id, seen) = self.receive(&mut peer);
        let parts = handler(&seen);
        let said_all = matches!(parts.last(), Some(Part::End(_) | Part::Abort(_)));
        // A worker says nothing where there is nothing.
        let empty = |part: &Part<_>| matches!(part, Part::Body(bytes) if bytes.is_empty());
        let mut id = match self.handing {
            Handing::Never => Some(id),
            _ => self.hand_over(id),
        };
        for part in parts.into_iter().filter(|part| !empty(part)) {
            let more = !matches!(part, Part::End(_) | Part::Abort(_));
            let Some(open) = id else { break };
            self.worker.send(open, part);
            if more && self.handing == Handing::Always {
                id = self.hand_over(open);
            }
        }
        if let (false, Some(id)) = (said_all, id) {
            // The client has its answer; the worker has to say that it is free.
            self.worker.send(id, Part::Abort(Reason::HandlerFailed));
        }
        let mut reply = self.read(peer, response, request);
        reply.fields.retain(|(name, _)| name != "transfer-encoding" && name != "connection");
        for (_, date) in reply.fields.iter_mut().filter(|(name, _)| name == "date") {
            if std::str::from_utf8(date).is_ok_and(|date| httpdate::parse_http_date(date).is_ok()) {
                *date = b"Sun, 06 Nov 1994 08:49:37 GMT".to_vec();
            }
        }
        reply
    }

    fn refused(&mut self, request: &Request) -> Reply {
        let refused = self.server.count(Counter::Refused);
        let peer = self.peer.take();
        let mut peer = peer.unwrap_or_else(|| Peer::connect(&self.server, self.version));
        let response = peer.ask(request);
        let reply = self.read(peer, response, request);
        // Whoever is asked next finds that nobody was asked before.
        assert_eq!(self.server.count(Counter::Exchanges), 0);
        assert_eq!(self.server.count(Counter::Refused), refused + 1);
        reply
    }
}

impl Peer {
    fn connect(server: &played::Server, version: Version) -> Self {
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let http2 = version == Version::Http2;
        connector.set_alpn_protos(if http2 { b"\x02h2" } else { b"\x08http/1.1" }).unwrap();
        let stream = connector.build().connect("localhost", server.connect()).unwrap();
        assert_eq!(stream.ssl().selected_alpn_protocol() == Some(b"h2"), http2);
        stream.get_ref().set_nonblocking(true).unwrap();
        let http2 = http2.then(|| Client::new(&h2::client::Builder::new()));
        Self { stream, unread: Vec::new(), http2, ended: None }
    }

    /// Sends a request, or as much as the server lets through. The response is a future with HTTP/2.
    fn ask(&mut self, request: &Request) -> Option<ResponseFuture> {
        let Some(mut http2) = self.http2.take() else {
            self.write(&client::encode(request));
            return None;
        };
        let response = http2.request(request, "https", &mut |http2| self.carry(http2));
        self.http2 = Some(http2);
        Some(response)
    }

    fn reply(&mut self, response: ResponseFuture) -> Reply {
        let mut http2 = self.http2.take().expect("HTTP/2");
        let reply = http2.reply(response, &mut |http2| self.carry(http2));
        assert!(http2.ended.is_none());
        self.http2 = Some(http2);
        reply
    }

    fn reply_of_http1(&mut self, head_only: bool) -> Reply {
        let begin = Instant::now();
        loop {
            let in_order = self.ended == Some(Ended::InOrder);
            match client::try_decode(&self.unread, head_only, in_order) {
                Some((reply, used)) if reply.complete || self.ended.is_some() => {
                    assert_eq!(used, self.unread.len(), "nothing behind the response");
                    self.unread.clear();
                    return reply;
                }
                _ => assert!(self.ended.is_none(), "no response"),
            }
            assert!(begin.elapsed() < PATIENCE, "waited in vain for a response");
            self.read();
        }
    }

    /// Lets the client read and write.
    fn turn(&mut self) {
        match self.http2.take() {
            Some(mut http2) => {
                self.carry(&mut http2);
                self.http2 = Some(http2);
            }
            None => self.read(),
        }
    }

    fn carry(&mut self, http2: &mut Client) {
        let up = http2.written();
        if !up.is_empty() {
            self.write(&up);
        }
        self.read();
        http2.io.feed(&mut BytesMut::from(&self.unread[..]));
        self.unread.clear();
        http2.drive();
    }

    /// Writes all, while the server reads or not.
    fn write(&mut self, mut bytes: &[u8]) {
        let begin = Instant::now();
        while !bytes.is_empty() {
            assert!(begin.elapsed() < PATIENCE, "the server takes nothing");
            match self.stream.ssl_write(bytes) {
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.code() == ErrorCode::WANT_WRITE => thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Reads once; waits for a moment when there is nothing.
    fn read(&mut self) {
        let mut space = [0; 16 << 10];
        match self.stream.ssl_read(&mut space) {
            Ok(len) => self.unread.extend_from_slice(&space[..len]),
            Err(error) if error.code() == ErrorCode::WANT_READ => thread::sleep(PAUSE),
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => {
                self.ended = Some(Ended::InOrder);
            }
            Err(_) => self.ended = Some(Ended::Cut),
        }
    }
}
