//! A client, however it is connected.

use std::time::Instant;

use wire::head::Origin;
use wire::{Part, ResponseHead};

use crate::addresses::Seat;
use crate::conn::exchanges::Exchanges;
use crate::conn::{Conn, PumpResult};
use crate::error_log::ErrorLog;
use crate::handler::Upgrade;
use crate::protocol::ended::Ended;
use crate::protocol::{Flow, Now, StreamId};
use crate::quic::client::QuicClient;
use crate::timer::Alarms;

/// A client's connection.
pub enum Client {
    /// Over a stream socket of its own.
    Stream(Box<Conn>),
    /// Over QUIC, by the thread's UDP socket.
    Quic(Box<QuicClient>),
}

impl Client {
    /// Where it came from; `port` names its configuration.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Stream(conn) => conn.streams.origin(),
            Self::Quic(client) => client.streams.origin(),
        }
    }

    /// Whether workers may be told of it: that of a proxy may be another's until it has said whose, and
    /// the address of a QUIC client is its own only when the handshake is done.
    pub fn has_begun(&self) -> bool {
        match self {
            Self::Stream(conn) => conn.announced,
            Self::Quic(client) => client.has_begun(),
        }
    }

    /// Its place among the connections of its address, when they are bounded.
    pub fn seat(&mut self) -> Option<&mut Seat> {
        match self {
            Self::Stream(conn) => conn.seat.as_deref_mut(),
            Self::Quic(client) => client.seat.as_deref_mut(),
        }
    }

    /// The exchanges of its streams.
    pub fn exchanges(&mut self) -> &mut Exchanges {
        match self {
            Self::Stream(conn) => &mut conn.streams.exchanges,
            Self::Quic(client) => &mut client.streams.exchanges,
        }
    }

    /// Takes a part of a response from the protocol's side.
    pub fn send(
        &mut self,
        stream: StreamId,
        part: Part<ResponseHead>,
        now: &Now,
        error_log: &mut ErrorLog,
    ) -> Flow {
        match self {
            Self::Stream(conn) => conn.streams.send(stream, part, now, error_log),
            Self::Quic(client) => client.streams.send(stream, part, now, error_log),
        }
    }

    /// The connection is over: what became of the requests that nothing was told of.
    pub fn unfinished(&mut self) -> Vec<Ended> {
        match self {
            Self::Stream(conn) => conn.streams.unfinished(),
            Self::Quic(client) => client.streams.unfinished(),
        }
    }

    /// Accepts the upgrade that a request asks for.
    pub fn upgrade(
        &mut self,
        stream: StreamId,
        upgrade: Upgrade,
        now: &Now,
        error_log: &mut ErrorLog,
    ) -> Flow {
        match self {
            Self::Stream(conn) => conn.streams.upgrade(stream, upgrade, now, error_log),
            Self::Quic(client) => client.streams.upgrade(stream, upgrade, now, error_log),
        }
    }

    /// Holds the content of a request back, or lets it come again.
    pub fn set_paused(&mut self, stream: StreamId, paused: bool, now: &Now) {
        match self {
            Self::Stream(conn) => conn.streams.set_paused(stream, paused, now),
            Self::Quic(client) => client.streams.set_paused(stream, paused, now),
        }
    }

    /// No new requests: finish, then close.
    pub fn shutdown(&mut self, now: &Now) {
        match self {
            Self::Stream(conn) => conn.shutdown(now),
            Self::Quic(client) => client.shutdown(now),
        }
    }

    /// Whether no further request is wanted.
    pub fn is_draining(&self) -> bool {
        match self {
            Self::Stream(conn) => conn.streams.is_draining(),
            Self::Quic(client) => client.streams.is_draining(),
        }
    }

    /// When to look at this connection next.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Stream(conn) => conn.deadline(),
            Self::Quic(client) => client.deadline(),
        }
    }

    /// A deadline has passed. [`PumpResult::Keep`] leaves the rest to the next turn's work.
    pub fn timeout(&mut self, now: &Now, error_log: &mut ErrorLog) -> PumpResult {
        match self {
            Self::Stream(conn) => conn.timeout(now, error_log),
            Self::Quic(client) => client.timeout(now, error_log),
        }
    }

    /// Deadlines that have been set with the timers.
    pub fn alarms(&mut self) -> &mut Alarms {
        match self {
            Self::Stream(conn) => &mut conn.alarms,
            Self::Quic(client) => &mut client.alarms,
        }
    }
}
