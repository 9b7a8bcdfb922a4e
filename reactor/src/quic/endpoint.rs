//! [`Endpoint`]: one thread's part of a port that speaks QUIC. It routes packets to connections, and
//! answers those without one statelessly.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

use quiche::{ConnectionId, Header, RetryConnectionIds, Type};
use wire::limits::{QUIC_ANSWERS_PER_SECOND_MAX, QUIC_HANDSHAKES_MAX};

use super::cids::{self, CID_BYTES, Cid, CidRoutes};
use super::context::QuicConfigs;
use super::mmsg::DatagramInbox;
use super::rate_limiter::RateLimiter;
use super::tokens::{AddressToken, Tokens};
use super::udp::{DatagramOutbox, SendProgress, SendTally, UdpSocket};
use crate::addresses::Addresses;
use crate::config::Retry;
use crate::error_log::{ErrorLog, Kind};
use crate::protocol::Now;
use crate::protocol::datagrams::Datagrams;
use crate::protocol::h3::Quic;
use crate::secret::Secret;
use crate::slots::Key;
use crate::tls::info::Recent;

/// A datagram with a client's first packet has at least so many bytes (RFC 9000, 14.1).
const FIRST_BYTES_MIN: usize = 1200;

/// One thread's part of a port.
pub struct Endpoint {
    socket: UdpSocket,
    out: DatagramOutbox,
    place: ThreadPlace,
    retry: Retry,
    tokens: Tokens,
    /// Which connection a packet belongs to.
    pub routes: CidRoutes,
    contexts: QuicConfigs,
    /// What its connections have in common.
    pub tls: Recent,
    /// Handshakes that are open.
    pub handshakes: usize,
    /// The connections of each client address, when they are bounded.
    pub addresses: Option<Addresses>,
    answers: RateLimiter,
    /// Connections that wait until the socket takes packets again.
    waiting: Vec<Key>,
    blocked: bool,
}

/// Where an endpoint is.
#[derive(Debug, Clone, Copy)]
pub struct ThreadPlace {
    /// Its thread.
    pub thread: u16,
    /// How many there are.
    pub threads: u16,
}

/// The addresses that a packet came from and to (a path, RFC 9000, 9).
#[derive(Debug, Clone, Copy)]
pub struct FourTuple {
    /// The client's address.
    pub from: SocketAddr,
    /// Ours.
    pub to: SocketAddr,
}

/// What becomes of a packet.
#[derive(Debug)]
pub enum Routed {
    /// It belongs to this connection.
    Known(Key),
    /// It belongs to another thread.
    Elsewhere(u16),
    /// It is a client's first, who is to be let in if there is room.
    First(First),
    /// It has been answered, or is nothing.
    Done,
}

/// A client's first packet.
#[derive(Debug)]
pub struct First {
    /// The id that it went to.
    pub dcid: Vec<u8>,
    /// The id that the client had chosen before Retry, if that has taken place.
    original: Option<Vec<u8>>,
}

impl First {
    /// Whether the client has shown that its address is its own (RFC 9000, 8.1).
    pub fn is_proven(&self) -> bool {
        self.original.is_some()
    }
}

impl Endpoint {
    /// The endpoint over one of a port's sockets.
    pub fn new(
        fd: OwnedFd,
        place: ThreadPlace,
        retry: Retry,
        secret: &Secret,
        contexts: QuicConfigs,
        now: Instant,
    ) -> io::Result<Self> {
        Ok(Self {
            socket: UdpSocket::new(fd)?,
            out: DatagramOutbox::default(),
            place,
            retry,
            tokens: Tokens::new(secret.clone()),
            routes: CidRoutes::default(),
            contexts,
            tls: Recent::default(),
            handshakes: 0,
            addresses: None,
            answers: RateLimiter::new(QUIC_ANSWERS_PER_SECOND_MAX, now),
            waiting: Vec::new(),
            blocked: false,
        })
    }

    /// For registration with the poll.
    pub fn raw(&self) -> i32 {
        self.socket.raw()
    }

    /// Receives once; 0 when nothing is there.
    pub fn receive(&self, inbox: &mut DatagramInbox) -> io::Result<usize> {
        self.socket.receive(inbox)
    }

    /// Our address of a packet.
    pub fn local(&self, to: Option<std::net::IpAddr>) -> SocketAddr {
        self.socket.local(to)
    }

    /// Routes a packet to its connection, or answers it statelessly if there is none.
    pub fn route(&mut self, packet: &mut [u8], way: FourTuple, now: &Now) -> Routed {
        let Some(dcid) = destination(packet) else { return Routed::Done };
        let owner = cids::owner(dcid, self.place.threads);
        if owner != self.place.thread {
            return Routed::Elsewhere(owner);
        }
        if let Some(key) = self.routes.find(dcid, way.from) {
            return Routed::Known(key);
        }
        if packet[0] & LONG == 0 {
            self.reset(packet, way, now);
            return Routed::Done;
        }
        let len = packet.len();
        match Header::from_slice(packet, CID_BYTES) {
            Ok(header) if len >= FIRST_BYTES_MIN => self.first(&header, way, now),
            _ => Routed::Done,
        }
    }

    /// A packet with a long header that belongs to no connection.
    fn first(&mut self, header: &Header<'_>, way: FourTuple, now: &Now) -> Routed {
        if header.ty == Type::VersionNegotiation {
            return Routed::Done;
        }
        if !quiche::version_is_supported(header.version) {
            if self.answers.take(now.instant) {
                let (scid, dcid) = (&header.scid, &header.dcid);
                self.answer(way, |room| quiche::negotiate_version(scid, dcid, room).ok());
            }
            return Routed::Done;
        }
        if header.ty != Type::Initial {
            return Routed::Done;
        }
        let token = header.token.as_deref().unwrap_or_default();
        let since_1970 = now.unix_micros / 1_000_000;
        let dcid = header.dcid.to_vec();
        let token = match token.is_empty() {
            true => AddressToken::Foreign,
            false => self.tokens.open(token, way.from, &dcid, since_1970),
        };
        match token {
            AddressToken::Valid { original } => {
                Routed::First(First { dcid, original: Some(original) })
            }
            AddressToken::Stale => Routed::Done,
            AddressToken::Foreign if self.must_prove(way.from) => {
                self.send_back(header, way, since_1970);
                Routed::Done
            }
            AddressToken::Foreign => Routed::First(First { dcid, original: None }),
        }
    }

    /// Whether new clients have to prove that their address is theirs.
    fn must_prove(&self, from: SocketAddr) -> bool {
        let crowded = |addresses: &Addresses| addresses.must_prove(from.ip());
        match self.retry {
            Retry::Always => true,
            Retry::Auto => {
                self.handshakes >= QUIC_HANDSHAKES_MAX
                    || self.addresses.as_ref().is_some_and(crowded)
            }
        }
    }

    /// Retry (RFC 9000, 8.1.2).
    fn send_back(&mut self, header: &Header<'_>, way: FourTuple, since_1970: u64) {
        let retried = self.choose();
        let token = self.tokens.seal(way.from, &header.dcid, &retried, since_1970);
        let Some(token) = token else { return };
        let retried = ConnectionId::from_ref(&retried);
        self.answer(way, |room| {
            let (scid, dcid) = (&header.scid, &header.dcid);
            quiche::retry(scid, dcid, &retried, &token, header.version, room).ok()
        });
    }

    /// Says that nothing is known of a connection (RFC 9000, 10.3).
    fn reset(&mut self, packet: &[u8], way: FourTuple, now: &Now) {
        let Some(dcid) = destination(packet) else { return };
        if self.answers.take(now.instant)
            && let Some(reset) = self.tokens.reset_packet(dcid, packet.len())
        {
            self.answer(way, |room| {
                room.get_mut(..reset.len())?.copy_from_slice(&reset);
                Some(reset.len())
            });
        }
    }

    fn answer(&mut self, way: FourTuple, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        let Some(len) = self.out.datagrams.room().and_then(write) else { return };
        self.out.datagrams.push(len, way.to, way.from);
    }

    /// Makes the connection of a client's first packet, and its id.
    pub fn accept(
        &mut self,
        first: &First,
        way: FourTuple,
        error_log: &mut ErrorLog,
        now: Instant,
    ) -> Option<(Quic, Cid)> {
        let cid = self.choose();
        let config = self.contexts.current()?;
        config.set_stateless_reset_token(self.tokens.reset(&cid));
        let scid = ConnectionId::from_ref(&cid);
        let accepted = match &first.original {
            None => quiche::accept_with_buf_factory(&scid, None, way.to, way.from, config),
            Some(original) => {
                let retried = RetryConnectionIds {
                    original_destination_cid: &ConnectionId::from_ref(original),
                    retry_source_cid: &ConnectionId::from_ref(&first.dcid),
                };
                quiche::accept_with_retry(&scid, retried, way.to, way.from, config)
            }
        };
        match accepted {
            Ok(quic) => Some((self.contexts.log(quic, error_log, now), cid)),
            Err(error) => {
                let line = format_args!("cannot begin a QUIC connection: {error}");
                error_log.log(Kind::Connection, now, line);
                None
            }
        }
    }

    /// A new id for a connection of this thread.
    pub fn choose(&self) -> Cid {
        cids::choose(self.place.thread, self.place.threads)
    }

    /// The token by which the client of an id knows a reset of its connection.
    pub fn reset_token(&self, cid: &Cid) -> Option<u128> {
        self.tokens.reset(cid)
    }

    /// Where to write packets to; `None` while the socket takes none, when the connection is told as
    /// soon as it does.
    pub fn out(&mut self, key: Key) -> Option<&mut Datagrams> {
        if self.blocked {
            self.waiting.push(key);
            return None;
        }
        Some(&mut self.out.datagrams)
    }

    /// Sends what waits.
    pub fn flush(&mut self, tally: &mut SendTally) {
        if !self.blocked {
            self.blocked = self.socket.send(&mut self.out, tally) == SendProgress::Blocked;
        }
    }

    /// The socket takes packets again: the connections that have waited for it.
    pub fn unblocked(&mut self, tally: &mut SendTally) -> Vec<Key> {
        self.blocked = false;
        self.flush(tally);
        match self.blocked {
            true => Vec::new(),
            false => std::mem::take(&mut self.waiting),
        }
    }
}

const LONG: u8 = 0x80;

/// The destination id of a packet (RFC 9000, 17.2 and 17.3).
fn destination(packet: &[u8]) -> Option<&[u8]> {
    if packet.first()? & LONG == 0 {
        return packet.get(1..=CID_BYTES);
    }
    let len = usize::from(*packet.get(5)?);
    packet.get(6..6 + len).filter(|dcid| !dcid.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destination_is_where_the_header_says() {
        let mut long = vec![0xc0, 0, 0, 0, 1, 3, 7, 8, 9];
        assert_eq!(destination(&long), Some(&[7, 8, 9][..]));
        long.pop();
        assert_eq!(destination(&long), None);
        assert_eq!(destination(&[0xc0, 0, 0, 0, 1, 0]), None);
        let short: Vec<u8> = (0x40..0x40 + 17).collect();
        assert_eq!(destination(&short), Some(&short[1..]));
        assert_eq!(destination(&short[..16]), None);
        assert_eq!(destination(&[]), None);
    }
}
