//! The cases through a whole reactor, by real TLS over real sockets, with a played worker.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use reactor::Config;
use reactor::tls::{Tls, TlsConfig, development};
use wire::shm::Counter;
use wire::{ExchangeId, Part, Reason, Scheme, Version};

use super::common::client::{Reply, Request};
use super::common::{End, Seen, settings};
use super::peers::{Asked, PATIENCE, PAUSE, Peer};
use super::played::{self, Worker};
use super::{Response, Wire};

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

impl Secure {
    pub fn new(version: Version) -> Self {
        Self::with(version, |_| {})
    }

    pub fn with(version: Version, tweak: impl FnOnce(&mut TlsConfig)) -> Self {
        Self::start(version, tweak, |_| {})
    }

    /// With a reactor of another configuration.
    pub fn configured(version: Version, configure: impl FnOnce(&mut Config)) -> Self {
        Self::start(version, |_| {}, configure)
    }

    fn start(
        version: Version,
        tweak: impl FnOnce(&mut TlsConfig),
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let mut tls = TlsConfig::new(development::localhost().unwrap());
        tweak(&mut tls);
        let tls = Arc::new(Tls::load(tls).unwrap());
        let server = played::Server::start(|config| {
            config.ports[0].http = settings().into();
            config.ports[0].tls = Some(tls);
            configure(config);
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
    fn read(&mut self, mut peer: Peer, asked: Asked, request: &Request) -> Reply {
        let reply = peer.reply(asked, request.method == "HEAD");
        if peer.is_open() && reply.get("connection") != Some("close") {
            self.peer = Some(peer);
        }
        assert!(self.version == Version::Http11 || self.peer.is_some(), "the connection goes on");
        reply
    }

    /// What the server has counted.
    pub fn counted(&self, counter: Counter) -> u64 {
        self.server.count(counter)
    }

    /// Sends a request that no worker gets, and reads the answer.
    pub fn unhandled(&mut self, request: &Request) -> Reply {
        let peer = self.peer.take();
        let mut peer = peer.unwrap_or_else(|| Peer::connect(&self.server, self.version));
        let asked = peer.ask(request);
        self.read(peer, asked, request)
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
                    loop {
                        if worker.has_request()
                            && let Some(request) = worker.unless_taken_back()
                        {
                            break request;
                        }
                        std::mem::swap(worker, other);
                        assert!(begin.elapsed() < PATIENCE, "no request");
                        thread::sleep(PAUSE);
                    }
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
        let asked = peer.ask(request);
        let (id, seen) = self.receive(&mut peer);
        let parts = handler(&seen);
        let said_all = matches!(parts.last(), Some(Part::End(_) | Part::Abort(_)));
        // A worker says nothing where there is nothing.
        let empty = |part: &Part<_>| matches!(part, Part::Body(bytes) if bytes.is_empty());
        let mut id = match self.handing {
            Handing::Never => Some(id),
            _ => self.hand_over(id),
        };
        let mut sent = None;
        for part in parts.into_iter().filter(|part| !empty(part)) {
            let more = !matches!(part, Part::End(_) | Part::Abort(_));
            let Some(open) = id else { break };
            match &part {
                Part::Head(head) if head.status.is_success() => sent = Some(0),
                Part::Body(bytes) => sent = sent.map(|sent| sent + bytes.len()),
                Part::Abort(_) => peer.receive(&asked, sent),
                _ => {}
            }
            self.worker.send(open, part);
            if more && self.handing == Handing::Always {
                id = self.hand_over(open);
            }
        }
        if let (false, Some(id)) = (said_all, id) {
            // The client has its answer; the worker has to say that it is free.
            self.worker.send(id, Part::Abort(Reason::HandlerFailed));
        }
        let mut reply = self.read(peer, asked, request);
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
        let asked = peer.ask(request);
        let reply = self.read(peer, asked, request);
        // Whoever is asked next finds that nobody was asked before.
        assert_eq!(self.server.count(Counter::Exchanges), 0);
        self.server.counted(Counter::Refused, refused + 1);
        reply
    }
}
