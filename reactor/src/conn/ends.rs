//! How connections begin and end: the TLS handshake before the first request, and what is said after
//! the last.

use bytes::BytesMut;
use log::kv::Value;
use wire::limits::{LINGER_BYTES_MAX, LINGER_DRAINING_TIME_MAX, LINGER_TIME_MAX};
use wire::shm::Counter;

use super::{Conn, Context, Phase, PumpResult};
use crate::config::PortConfig;
use crate::error_log::Kind;
use crate::file;
use crate::protocol::{self, Now};
use crate::socket::Socket;
use crate::tls::stream::Handshake;

impl Conn {
    /// Goes on with a TLS handshake; `None` when there is none, or none any more.
    pub(super) fn handshake(
        &mut self,
        port: &PortConfig,
        cx: &mut Context<'_>,
    ) -> Option<PumpResult> {
        let (Phase::Handshaking { .. }, Socket::Tls(stream)) = (self.phase, &mut self.socket)
        else {
            return None;
        };
        match stream.handshake(cx.buffer) {
            Handshake::Pending => {
                self.readiness.drained();
                return Some(PumpResult::Keep);
            }
            Handshake::Gone => return Some(PumpResult::Abort),
            Handshake::Done => {
                stream.acknowledge();
                self.tls = Some(stream.info());
                let (agreed, http) = (stream.protocol(), port.http.clone());
                let (origin, now) = (self.streams.origin, cx.streams.now);
                let protocol = protocol::agreed(agreed, http, origin, file::read, now);
                self.streams.replace(protocol, now);
                self.phase = Phase::Open;
                // What was read last may hold more than the handshake's end.
                self.set_readable(false);
            }
            Handshake::Failed(reason) => {
                cx.streams.shared.add(Counter::Refused, 1);
                let peer = self.peer();
                cx.streams.error_log.log_with(
                    Kind::Handshake,
                    cx.streams.now.instant,
                    &[("client", peer.value()), ("reason", Value::from_display(&reason))],
                    format_args!("TLS handshake with client {peer} failed: {reason}"),
                );
                self.linger(cx.streams.now);
            }
        }
        None
    }

    /// Ends a connection that has nothing more to say.
    pub(super) fn end(&mut self) -> Option<PumpResult> {
        self.socket.send_close_notify();
        Some(PumpResult::Close)
    }

    /// Drops what comes, until the client has closed or for a while, so that it sees what was said.
    pub(super) fn linger(&mut self, now: &Now) {
        self.socket.shutdown_write();
        self.pending = BytesMut::new();
        let time =
            if self.streams.is_draining() { LINGER_DRAINING_TIME_MAX } else { LINGER_TIME_MAX };
        let until = now.instant + time;
        self.phase = Phase::Lingering { until, bytes_left: LINGER_BYTES_MAX };
    }
}
