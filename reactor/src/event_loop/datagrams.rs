//! The QUIC side of an event loop: from datagrams to connections, and from connections to datagrams.

use std::os::fd::OwnedFd;
use std::time::Instant;

use mio::Interest;
use mio::event::Event as Readiness;
use wire::head::Origin;
use wire::limits::QUIC_RECEIVES_PER_TURN_MAX;
use wire::shm::Counter;

use super::{EventLoop, LoopState};
use crate::client::Client;
use crate::conn::PumpResult;
use crate::conn::streams::DriveContext;
use crate::error_log::Kind;
use crate::handler::workers::Task;
use crate::mailbox::Datagram;
use crate::quic::client::{QuicClient, QuicClientContext};
use crate::quic::context::QuicConfigs;
use crate::quic::endpoint::{Endpoint, First, FourTuple, Routed, ThreadPlace};
use crate::quic::mmsg::DatagramInbox;
use crate::quic::udp::SendTally;
use crate::shared::SharedState;
use crate::slots::Key;
use crate::token::{Source, token};

/// What a thread has of QUIC.
pub struct QuicEndpoints {
    /// One place per port; `None` where HTTP/3 is not spoken.
    endpoints: Vec<Option<Endpoint>>,
    /// Where datagrams are received to.
    inbox: Option<DatagramInbox>,
    /// Connections that packets have come for in this turn.
    touched: Vec<Key>,
    /// Ports whose sockets may have more to read.
    unread: Vec<usize>,
}

impl QuicEndpoints {
    /// The endpoints over a thread's sockets, one place per port.
    pub fn new(
        sockets: Vec<Option<OwnedFd>>,
        common: &SharedState,
        thread: u16,
    ) -> std::io::Result<Self> {
        let threads = common.config.threads as u16;
        let any = sockets.iter().any(Option::is_some);
        let endpoints = sockets.into_iter().zip(&common.config.ports).zip(0..);
        let endpoints = endpoints.map(|((socket, config), port)| {
            let Some(socket) = socket else { return Ok(None) };
            let place = ThreadPlace { thread, threads };
            let (tls, quic) = (common.tls.clone(), config.quic.clone());
            let retry = quic.retry;
            let contexts = QuicConfigs::new(tls, port, config.http.clone(), quic);
            let secret = &common.config.quic_secret;
            let mut endpoint =
                Endpoint::new(socket, place, retry, secret, contexts, Instant::now())?;
            endpoint.addresses.clone_from(&common.addresses);
            Ok::<_, std::io::Error>(Some(endpoint))
        });
        Ok(Self {
            endpoints: endpoints.collect::<Result<_, _>>()?,
            inbox: any.then(DatagramInbox::new),
            touched: Vec::new(),
            unread: Vec::new(),
        })
    }

    /// Whether sockets have more to read.
    pub fn is_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The endpoint of a port.
    pub fn endpoint(&mut self, port: u16) -> Option<&mut Endpoint> {
        self.endpoints.get_mut(usize::from(port))?.as_mut()
    }
}

impl EventLoop {
    pub(super) fn register_sockets(&self) -> std::io::Result<()> {
        for (port, endpoint) in self.datagrams.endpoints.iter().enumerate() {
            let Some(endpoint) = endpoint else { continue };
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.register(endpoint.raw(), token(Source::Udp(port)), interest)?;
        }
        Ok(())
    }

    pub(super) fn udp_ready(&mut self, port: usize, readiness: &Readiness) {
        if readiness.is_writable() {
            let mut tally = SendTally::default();
            if let Some(Some(endpoint)) = self.datagrams.endpoints.get_mut(port) {
                self.ready.extend(endpoint.unblocked(&mut tally));
            }
            self.count(tally);
        }
        if readiness.is_readable() || readiness.is_error() {
            self.read_datagrams(port);
        }
    }

    /// Goes on reading the sockets that had more than one turn's worth.
    pub(super) fn read_on(&mut self) {
        for port in std::mem::take(&mut self.datagrams.unread) {
            self.read_datagrams(port);
        }
    }

    fn read_datagrams(&mut self, port: usize) {
        let Some(mut inbox) = self.datagrams.inbox.take() else { return };
        let mut turns = 0;
        while let Some(Some(endpoint)) = self.datagrams.endpoints.get_mut(port) {
            match endpoint.receive(&mut inbox) {
                Ok(0) => break,
                Ok(_) => self.take_in(port, &mut inbox),
                Err(error) => {
                    let now = self.turn.now();
                    let line = format_args!("cannot receive datagrams: {error}");
                    self.turn.error_log.log(Kind::Connection, now, line);
                    break;
                }
            }
            turns += 1;
            if turns == QUIC_RECEIVES_PER_TURN_MAX {
                self.datagrams.unread.push(port);
                break;
            }
        }
        self.datagrams.inbox = Some(inbox);
        self.look_at_touched();
    }

    fn take_in(&mut self, port: usize, inbox: &mut DatagramInbox) {
        for (received, bytes) in inbox.received() {
            self.common.shared.add(Counter::BytesReceived, bytes.len() as u64);
            let Some(Some(endpoint)) = self.datagrams.endpoints.get_mut(port) else { return };
            let way = FourTuple { from: received.from, to: endpoint.local(received.to) };
            for datagram in bytes.chunks_mut(received.segment_bytes) {
                self.datagram(port as u16, way, datagram);
            }
        }
    }

    fn datagram(&mut self, port: u16, way: FourTuple, bytes: &mut [u8]) {
        let now = *self.turn.clock.now();
        let Some(endpoint) = self.datagrams.endpoint(port) else { return };
        let key = match endpoint.route(bytes, way, &now) {
            Routed::Known(key) => Some(key),
            Routed::First(first) => self.add_quic(port, first, way),
            Routed::Elsewhere(thread) => return self.hand_over(thread, port, way, bytes),
            Routed::Done => None,
        };
        let Some(key) = key else { return };
        let Some(Client::Quic(client)) = self.clients.get_mut(key) else { return };
        client.receive(bytes, way, &now);
        if self.datagrams.touched.last() != Some(&key) {
            self.datagrams.touched.push(key);
        }
    }

    fn hand_over(&self, thread: u16, port: u16, way: FourTuple, bytes: &[u8]) {
        let Some(mailbox) = self.common.mailboxes.get(usize::from(thread)) else { return };
        let (from, to) = (way.from, way.to);
        mailbox.post_datagram(|| Datagram { port, from, to, bytes: bytes.to_vec() });
    }

    /// Takes a datagram that came to another thread.
    pub(super) fn handed_over(&mut self, mut datagram: Datagram) {
        self.common.mailboxes[usize::from(self.thread)].took_datagram();
        let way = FourTuple { from: datagram.from, to: datagram.to };
        self.datagram(datagram.port, way, &mut datagram.bytes);
    }

    fn add_quic(&mut self, port: u16, first: First, way: FourTuple) -> Option<Key> {
        if matches!(self.state, LoopState::Draining { .. }) {
            return None;
        }
        let endpoint = self.datagrams.endpoint(port)?;
        let now = self.turn.now();
        let (from, proven) = (Some(way.from), first.is_proven());
        let owner = Some(self.thread);
        let admitted = self.common.admit(from, proven, owner, &mut self.turn.error_log, now)?;
        let Some((quic, cid)) = endpoint.accept(&first, way, &mut self.turn.error_log, now) else {
            self.common.shared.add(Counter::Closed, 1);
            self.common.shared.add(Counter::Aborted, 1);
            return None;
        };
        let config = &self.common.config.ports[usize::from(port)];
        let origin = Origin {
            connection: admitted.number.0,
            port,
            reactor: self.thread,
            remote: Some(way.from),
            local: Some(way.to),
            trusted_proxy: config.proxies.trusted.trust(Some(way.from)),
            ..Origin::default()
        };
        let client = QuicClient::new(quic, first, config, origin, way, self.turn.clock.now());
        let key = self.insert_client(Client::Quic(Box::new(client)));
        let endpoint = self.datagrams.endpoint(port)?;
        if let Some(Client::Quic(client)) = self.clients.get_mut(key) {
            client.enter(endpoint, key, cid);
            client.seat = admitted.seat.map(Box::new);
        }
        self.common.shared.add(Counter::Connections, 1);
        self.common.shared.add(Counter::QuicConnections, 1);
        Some(key)
    }

    /// Takes what came of this turn's packets.
    pub(super) fn look_at_touched(&mut self) {
        let mut touched = std::mem::take(&mut self.datagrams.touched);
        for key in touched.drain(..) {
            let Some(Client::Quic(client)) = self.clients.get_mut(key) else { continue };
            let Some(endpoint) = self.datagrams.endpoint(client.origin().port) else { continue };
            let mut cx = QuicClientContext {
                streams: DriveContext {
                    now: self.turn.clock.now(),
                    shared: self.common.shared,
                    error_log: &mut self.turn.error_log,
                    spool: &mut self.spool,
                    events: &mut self.events,
                },
                endpoint,
            };
            let begun = client.collect(&mut cx);
            if let (true, Some(seat)) = (begun, &mut client.seat) {
                seat.proven();
            }
            let origin = *client.origin();
            if begun && self.common.config.ports[usize::from(origin.port)].notify_open {
                self.tell(Task::Opened, origin);
            }
            self.handle_events(key);
            // What is to be sent goes out together, when all that came has been looked at.
            self.ready.push(key);
        }
        self.datagrams.touched = touched;
    }

    pub(super) fn pump_quic(&mut self, key: Key) {
        let Some(Client::Quic(client)) = self.clients.get_mut(key) else { return };
        let port = client.origin().port;
        let Some(endpoint) = self.datagrams.endpoint(port) else { return };
        let port = &self.common.config.ports[usize::from(port)];
        let mut cx = QuicClientContext {
            streams: DriveContext {
                now: self.turn.clock.now(),
                shared: self.common.shared,
                error_log: &mut self.turn.error_log,
                spool: &mut self.spool,
                events: &mut self.events,
            },
            endpoint,
        };
        let fate = client.pump(key, port, &mut cx);
        self.finish_pump(key, fate);
    }

    /// Sends what connections have left in this turn.
    pub(super) fn flush_datagrams(&mut self) {
        let mut tally = SendTally::default();
        for endpoint in self.datagrams.endpoints.iter_mut().flatten() {
            endpoint.flush(&mut tally);
        }
        self.count(tally);
    }

    fn count(&self, tally: SendTally) {
        self.common.shared.add(Counter::BytesSent, tally.bytes);
    }

    /// A connection has ended: no packet leads to it any more.
    pub(super) fn leave_quic(&mut self, client: &mut QuicClient, fate: PumpResult) {
        self.common.shared.sub(Counter::QuicConnections, 1);
        log::trace!("QUIC connection {} has ended: {fate:?}", client.origin().connection);
        if let Some(endpoint) = self.datagrams.endpoint(client.origin().port) {
            client.leave(endpoint);
        }
    }
}
