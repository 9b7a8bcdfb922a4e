//! [`QuicClient`]: one client's QUIC connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use quiche::{ConnectionId, PathEvent, RecvInfo};
use wire::head::Origin;
use wire::limits::QUIC_CIDS_MAX;
use wire::shared::{Counter, Shared};
use wire::{Part, ResponseHead, TlsInfo};

use super::cids::Cid;
use super::endpoint::{Endpoint, First, Way};
use super::udp::Tally;
use crate::addresses::Seat;
use crate::complaints::{Complaints, Kind, Peer};
use crate::config::PortConfig;
use crate::conn::exchanges::Exchanges;
use crate::conn::{Event, Fate, Parking};
use crate::file;
use crate::protocol::h3::error::Code;
use crate::protocol::h3::{Http3, Quic};
use crate::protocol::{Flow, Now, StreamId};
use crate::response_spool::ResponseSpool;
use crate::slots::Key;
use crate::timer::Alarms;
use crate::tls;

/// One client.
pub struct QuicClient {
    http: Http3,
    /// There until TLS is agreed on.
    handshake: Option<Box<Handshake>>,
    /// The exchanges of its streams.
    pub exchanges: Exchanges,
    /// Deadlines that have been set with the timers.
    pub alarms: Alarms,
    /// Its place among those of its address, when they are bounded.
    pub seat: Option<Seat>,
    /// What requests tell of its TLS.
    tls: Option<Arc<TlsInfo>>,
}

/// What a connection needs for as long as TLS is being agreed on.
#[derive(Debug)]
struct Handshake {
    until: Instant,
    /// Where the client's first packets came from.
    from: SocketAddr,
    /// The id that the client has chosen for them.
    dcid: Box<[u8]>,
}

/// What a turn's work on a connection has at hand.
pub struct Context<'a> {
    /// The time.
    pub now: &'a Now,
    /// The connection's endpoint.
    pub endpoint: &'a mut Endpoint,
    /// Counters.
    pub shared: Shared,
    /// Where to say what the client does wrong.
    pub complaints: &'a mut Complaints,
    /// Where content goes that the client does not take.
    pub spool: &'a mut ResponseSpool,
    /// What came from the client, in order.
    pub events: &'a mut Vec<Event>,
    /// Used again by all connections of a thread, and empty between them.
    pub released: &'a mut Vec<(StreamId, u64)>,
}

impl QuicClient {
    /// A new connection.
    pub fn new(
        quic: Quic,
        first: First,
        port: &PortConfig,
        origin: Origin,
        way: Way,
        now: &Now,
    ) -> Self {
        let patience = port.tls.as_ref().map(|tls| tls.config.handshake_timeout);
        let until = now.instant + patience.unwrap_or_default();
        Self {
            http: Http3::new(quic, port.http.clone(), origin, file::read, now),
            handshake: Some(Box::new(Handshake { until, from: way.from, dcid: first.dcid.into() })),
            exchanges: Exchanges::default(),
            alarms: Alarms::default(),
            seat: None,
            tls: None,
        }
    }

    /// Where it comes from; `port` names its configuration.
    pub fn origin(&self) -> &Origin {
        &self.http.origin
    }

    /// Whether the handshake is done.
    pub fn has_begun(&self) -> bool {
        self.handshake.is_none()
    }

    /// Packets lead to this connection from now on.
    pub fn enter(&self, endpoint: &mut Endpoint, key: Key, cid: Cid) {
        endpoint.handshakes += 1;
        endpoint.routes.add(cid, key);
        if let Some(handshake) = &self.handshake {
            endpoint.routes.add_first(handshake.from, handshake.dcid.clone(), key);
        }
    }

    /// No packet leads to this connection any more.
    pub fn leave(&mut self, endpoint: &mut Endpoint) {
        self.end_handshake(endpoint);
        let quic = self.http.quic();
        for cid in quic.source_ids() {
            endpoint.routes.remove(cid);
        }
        while let Some(cid) = quic.retired_scid_next() {
            endpoint.routes.remove(&cid);
        }
    }

    /// The handshake is over, one way or the other.
    fn end_handshake(&mut self, endpoint: &mut Endpoint) {
        if let Some(handshake) = self.handshake.take() {
            endpoint.routes.remove_first(handshake.from, handshake.dcid);
            endpoint.handshakes -= 1;
        }
    }

    /// A datagram has come.
    pub fn receive(&mut self, datagram: &mut [u8], way: Way, now: &Now) {
        self.http.receive(datagram, RecvInfo { from: way.from, to: way.to }, now);
    }

    /// Takes a part of a response.
    pub fn send(
        &mut self,
        stream: StreamId,
        part: Part<ResponseHead>,
        now: &Now,
        complaints: &mut Complaints,
    ) -> Flow {
        let flow = self.http.send(stream, part, now);
        self.report(complaints, now);
        flow
    }

    /// No new requests: finish, then close.
    pub fn shutdown(&mut self, now: &Now) {
        self.http.shutdown(now);
    }

    /// When to look at this connection next.
    pub fn deadline(&self) -> Option<Instant> {
        let until = self.handshake.as_ref().map(|handshake| handshake.until);
        [self.http.deadline(), until].into_iter().flatten().min()
    }

    /// A deadline has passed. `Fate::Keep` leaves the rest to [`pump`](Self::pump).
    pub fn timeout(&mut self, now: &Now, complaints: &mut Complaints) -> Fate {
        if self.handshake.as_ref().is_some_and(|handshake| handshake.until <= now.instant) {
            let peer = Peer(self.origin().remote);
            complaints.log_with(
                Kind::Handshake,
                now.instant,
                &[("client", peer.value()), ("reason", "timeout".into())],
                format_args!("client {peer} did not finish its QUIC handshake in time"),
            );
            return Fate::Abort;
        }
        if self.http.deadline().is_some_and(|deadline| deadline <= now.instant) {
            self.http.timeout(now);
        }
        Fate::Keep
    }

    /// Takes what has come of the client's packets. Says whether the handshake has ended by them.
    pub fn collect(&mut self, cx: &mut Context<'_>) -> bool {
        let begun = self.handshake.is_some() && self.http.quic().is_established();
        if begun {
            self.end_handshake(cx.endpoint);
        }
        // Before the requests, which came from there.
        self.follow(cx.now);
        while let Some((stream, mut part)) = self.http.poll() {
            if let Part::Head(head) = &mut part {
                head.origin.remote = self.origin().remote;
                head.origin.local = self.origin().local;
                head.tls = Some(self.tls(cx.endpoint));
            }
            cx.events.push(Event::Request(stream, part));
        }
        self.report(cx.complaints, cx.now);
        begun
    }

    fn tls(&mut self, endpoint: &mut Endpoint) -> TlsInfo {
        let ssl = self.http.quic().as_mut();
        if self.handshake.is_some() {
            // Not all is known yet.
            return tls::info::of(ssl);
        }
        let info = self.tls.get_or_insert_with(|| endpoint.tls.share(tls::info::of(ssl)));
        TlsInfo::clone(info)
    }

    /// Moves packets out. [`Fate::Again`] when there are more. What the client does not take of its
    /// responses is spooled.
    pub fn pump(&mut self, key: Key, port: &PortConfig, cx: &mut Context<'_>) -> Fate {
        self.look_after_ids(key, cx.endpoint);
        let full = loop {
            let Some(out) = cx.endpoint.out(key) else { return Fate::Keep };
            self.http.transmit(out, cx.now);
            if out.room().is_none() {
                let mut tally = Tally::default();
                cx.endpoint.flush(&mut tally);
                cx.shared.add(Counter::BytesSent, tally.bytes);
                break true;
            }
            if !self.refill(cx) && !self.spool(port, cx) {
                break false;
            }
        };
        self.refill(cx);
        self.exchanges.settle(cx.spool);
        self.collect(cx);
        if self.http.is_closed() {
            return self.fate();
        }
        if full { Fate::Again } else { Fate::Keep }
    }

    /// Gives the protocol what it may have now. Says whether there was something.
    fn refill(&mut self, cx: &mut Context<'_>) -> bool {
        self.http.take_released(cx.released);
        for (stream, bytes) in cx.released.drain(..) {
            self.exchanges.released(stream, bytes);
        }
        let http = &mut self.http;
        self.exchanges.refill(cx.events, |stream, part| http.send(stream, part, cx.now))
    }

    /// Spools what waits for the client. Says whether the protocol was given something.
    fn spool(&mut self, port: &PortConfig, cx: &mut Context<'_>) -> bool {
        if !self.exchanges.is_behind() {
            return false;
        }
        let mut parking = Parking::new(cx.spool, port, cx.now.instant);
        let http = &mut self.http;
        let send = |stream, part| http.send(stream, part, cx.now);
        self.exchanges.spool(&mut parking, cx.events, send)
    }

    /// Whether the end was one that is meant to be.
    fn fate(&mut self) -> Fate {
        let quic = self.http.quic();
        let bad = |error: Option<&quiche::ConnectionError>| {
            error.is_some_and(|error| !error.is_app || error.error_code != Code::NoError as u64)
        };
        match bad(quic.peer_error()) || bad(quic.local_error()) || !quic.is_established() {
            true => Fate::Abort,
            false => Fate::Close,
        }
    }

    /// Gives the client ids to move with.
    fn look_after_ids(&mut self, key: Key, endpoint: &mut Endpoint) {
        let greeted = self.http.has_greeted();
        let quic = self.http.quic();
        while let Some(cid) = quic.retired_scid_next() {
            endpoint.routes.remove(&cid);
        }
        if greeted && quic.is_established() {
            while quic.scids_left() > 0 {
                let cid = endpoint.choose();
                let Some(token) = endpoint.reset_token(&cid) else { break };
                if quic.new_scid(&ConnectionId::from_ref(&cid), token, false).is_err() {
                    break;
                }
                endpoint.routes.add(cid, key);
            }
        }
    }

    /// Follows the client where it moves, as often as `quiche` can: it forgets no way that the client
    /// went, and takes no more packets from yet another address when it knows as many as there are
    /// ids. So the client is sent to a new connection when it has come by the last of them.
    fn follow(&mut self, now: &Now) {
        let mut moved = false;
        while let Some(event) = self.http.path_event() {
            moved = true;
            if let PathEvent::PeerMigrated(local, peer) = event {
                let origin = &mut self.http.origin;
                log::debug!("client {:?} has moved to {peer}", origin.remote);
                (origin.local, origin.remote) = (Some(local), Some(peer));
            }
        }
        if moved && self.http.quic().path_stats().count() as u64 >= QUIC_CIDS_MAX {
            self.http.shutdown(now);
        }
    }

    fn report(&mut self, complaints: &mut Complaints, now: &Now) {
        let remote = self.origin().remote;
        complaints.refused(|| self.http.refusal(), remote, now.instant);
    }
}
