//! [`QuicClient`]: one client's QUIC connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use quiche::{ConnectionId, PathEvent};
use wire::TlsInfo;
use wire::head::Origin;
use wire::limits::QUIC_CIDS_MAX;
use wire::shm::Counter;

use super::cids::Cid;
use super::endpoint::{Endpoint, First, FourTuple};
use super::udp::SendTally;
use crate::addresses::Seat;
use crate::config::PortConfig;
use crate::conn::PumpResult;
use crate::conn::streams::{DriveContext, Streams};
use crate::error_log::{ErrorLog, Kind, Peer};
use crate::file;
use crate::protocol::h3::{Http3, Quic};
use crate::protocol::{Closing, Input, Now, Outgoing};
use crate::slots::Key;
use crate::timer::Alarms;
use crate::tls;

/// One client.
pub struct QuicClient {
    /// HTTP/3, and the exchanges of its streams.
    pub streams: Streams<Http3>,
    /// There until TLS is agreed on.
    handshake: Option<Box<Handshake>>,
    /// Deadlines that have been set with the timers.
    pub alarms: Alarms,
    /// Its place among those of its address, when they are bounded.
    pub seat: Option<Box<Seat>>,
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
pub struct QuicClientContext<'a> {
    /// For any connection.
    pub streams: DriveContext<'a>,
    /// The connection's endpoint.
    pub endpoint: &'a mut Endpoint,
}

impl QuicClient {
    /// A new connection.
    pub fn new(
        quic: Quic,
        first: First,
        port: &PortConfig,
        origin: Origin,
        way: FourTuple,
        now: &Now,
    ) -> Self {
        let patience = port.tls.as_ref().map(|tls| tls.config.handshake_timeout);
        let until = now.instant + patience.unwrap_or_default();
        let http = Http3::new(quic, port.http.clone(), origin, file::read, now);
        Self {
            streams: Streams::new(http),
            handshake: Some(Box::new(Handshake { until, from: way.from, dcid: first.dcid.into() })),
            alarms: Alarms::default(),
            seat: None,
            tls: None,
        }
    }

    /// Where it comes from; `port` names its configuration.
    pub fn origin(&self) -> &Origin {
        self.streams.origin()
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
        let quic = self.streams.protocol().quic();
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
    pub fn receive(&mut self, datagram: &mut [u8], way: FourTuple, now: &Now) {
        let input = Input::Datagram { bytes: datagram, from: way.from, to: way.to };
        self.streams.receive(input, now);
    }

    /// No new requests: finish, then close.
    pub fn shutdown(&mut self, now: &Now) {
        self.streams.shutdown(now);
    }

    /// When to look at this connection next.
    pub fn deadline(&self) -> Option<Instant> {
        let until = self.handshake.as_ref().map(|handshake| handshake.until);
        [self.streams.deadline(), until].into_iter().flatten().min()
    }

    /// A deadline has passed. `PumpResult::Keep` leaves the rest to [`pump`](Self::pump).
    pub fn timeout(&mut self, now: &Now, error_log: &mut ErrorLog) -> PumpResult {
        if self.handshake.as_ref().is_some_and(|handshake| handshake.until <= now.instant) {
            let peer = Peer(self.origin().remote);
            error_log.log_with(
                Kind::Handshake,
                now.instant,
                &[("client", peer.value()), ("reason", "timeout".into())],
                format_args!("client {peer} did not finish its QUIC handshake in time"),
            );
            return PumpResult::Abort;
        }
        self.streams.timeout(now);
        PumpResult::Keep
    }

    /// Takes what has come of the client's packets. Says whether the handshake has ended by them.
    pub fn collect(&mut self, cx: &mut QuicClientContext<'_>) -> bool {
        let begun = self.handshake.is_some() && self.streams.protocol().quic().is_established();
        if begun {
            let resumed = self.streams.protocol().quic().is_resumed();
            let kind = if resumed { Counter::TlsResumptions } else { Counter::TlsHandshakes };
            cx.streams.shared.add(kind, 1);
            self.end_handshake(cx.endpoint);
        }
        // Before the requests, which came from there.
        self.follow(cx.streams.now);
        let origin = *self.streams.origin();
        // While the handshake goes on not all is known yet.
        let mut shared = self.handshake.is_none().then_some(&mut self.tls);
        self.streams.collect(&mut cx.streams, |http, head| {
            (head.origin.remote, head.origin.local) = (origin.remote, origin.local);
            let mut info = || tls::info::of(http.quic().as_mut());
            head.tls = Some(match &mut shared {
                None => info(),
                Some(tls) => {
                    TlsInfo::clone(tls.get_or_insert_with(|| cx.endpoint.tls.share(info())))
                }
            });
        });
        begun
    }

    /// Moves packets out. [`PumpResult::Again`] when there are more. What the client does not take of its
    /// responses is spooled.
    pub fn pump(
        &mut self,
        key: Key,
        port: &PortConfig,
        cx: &mut QuicClientContext<'_>,
    ) -> PumpResult {
        self.look_after_ids(key, cx.endpoint);
        let full = loop {
            let Some(out) = cx.endpoint.out(key) else { return PumpResult::Keep };
            let mut out = Outgoing::Datagrams(out);
            self.streams.fill(&mut out, &mut cx.streams);
            if out.is_full() {
                let mut tally = SendTally::default();
                cx.endpoint.flush(&mut tally);
                cx.streams.shared.add(Counter::BytesSent, tally.bytes);
                break true;
            }
            if !self.streams.spool(port, &mut cx.streams) {
                break false;
            }
        };
        if self.streams.settle(0, &mut cx.streams) {
            self.streams.settle(0, &mut cx.streams);
        }
        self.collect(cx);
        match self.streams.closing() {
            Some(Closing::Reset) => PumpResult::Abort,
            Some(_) => PumpResult::Close,
            None if full => PumpResult::Again,
            None => PumpResult::Keep,
        }
    }

    /// Gives the client ids to move with.
    fn look_after_ids(&mut self, key: Key, endpoint: &mut Endpoint) {
        let http = self.streams.protocol();
        let settings_sent = http.has_sent_settings();
        let quic = http.quic();
        while let Some(cid) = quic.retired_scid_next() {
            endpoint.routes.remove(&cid);
        }
        if settings_sent && quic.is_established() {
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
        while let Some(event) = self.streams.protocol().path_event() {
            moved = true;
            if let PathEvent::PeerMigrated(local, peer) = event {
                log::debug!("client {:?} has moved to {peer}", self.origin().remote);
                self.streams.protocol().moved(local, peer);
            }
        }
        if moved && self.streams.protocol().quic().path_stats().count() as u64 >= QUIC_CIDS_MAX {
            self.streams.shutdown(now);
        }
    }
}
