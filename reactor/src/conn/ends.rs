//! How connections begin and end: a proxy's header and the TLS handshake before the first request, and
//! what is said after the last.

use bytes::BytesMut;
use log::kv::Value;
use wire::Scheme;
use wire::limits::{
    LINGER_BYTES_MAX, LINGER_DRAINING_TIME_MAX, LINGER_TIME_MAX, PROXY_HEADER_BYTES_MAX,
};
use wire::shm::Counter;

use super::{Conn, ConnContext, ConnEvent, ConnPhase, PumpResult, SocketReadiness};
use crate::config::PortConfig;
use crate::error_log::{ErrorLog, Kind};
use crate::file;
use crate::protocol::detect::Detect;
use crate::protocol::{self, Now};
use crate::proxies::protocol::{ProxyHeader, Relayed, parse};
use crate::socket::Socket;
use crate::tls::stream::HandshakeProgress;

impl ConnPhase {
    /// Where a connection stands before the client's own first byte.
    pub(super) fn first(socket: &Socket, port: &PortConfig, now: &Now) -> Self {
        match (socket, &port.tls) {
            (Socket::Tls(_), Some(tls)) => {
                Self::Handshaking { until: now.instant + tls.config.handshake_timeout }
            }
            _ => Self::Open,
        }
    }
}

impl Conn {
    /// Goes on with a proxy's header; `None` when there is none, or none any more. What follows it
    /// stays in the socket, where TLS or the protocol finds it.
    pub(super) fn proxy_header(
        &mut self,
        port: &PortConfig,
        cx: &mut ConnContext<'_>,
    ) -> Option<PumpResult> {
        if !matches!(self.phase, ConnPhase::ProxyHeader { .. }) {
            return None;
        }
        let mut space = [0; PROXY_HEADER_BYTES_MAX];
        let bytes = match self.socket.peek(&mut space) {
            Ok(len) => &mut space[..len],
            Err(nix::Error::EAGAIN) => return Some(PumpResult::Keep),
            Err(_) => return Some(PumpResult::Abort),
        };
        let ended = bytes.is_empty() || self.readiness == SocketReadiness::ReadableToEnd;
        match parse(bytes) {
            ProxyHeader::Incomplete if ended => Some(PumpResult::Abort),
            // The next bytes are an edge of readiness.
            ProxyHeader::Incomplete => Some(PumpResult::Keep),
            ProxyHeader::Malformed(reason) => {
                cx.streams.shared.add(Counter::Refused, 1);
                self.log_proxy(reason, cx.streams.now, cx.streams.error_log);
                Some(PumpResult::Abort)
            }
            ProxyHeader::Complete { len, relayed } => {
                if !self.socket.discard(&mut bytes[..len]) {
                    return Some(PumpResult::Abort);
                }
                cx.streams.shared.add(Counter::BytesReceived, len as u64);
                self.introduce(relayed, port, cx);
                None
            }
        }
    }

    /// Goes on as the connection of whom a proxy speaks for.
    fn introduce(&mut self, relayed: Relayed, port: &PortConfig, cx: &mut ConnContext<'_>) {
        let now = cx.streams.now;
        let mut origin = *self.streams.origin();
        let mut scheme = Scheme::Http;
        match relayed {
            Relayed::Local => {}
            // It is relayed as it is: what its requests say is nobody's word whom we know.
            Relayed::Unknown => origin.trusted_proxy = false,
            Relayed::Client { source, destination, scheme: of_client } => {
                origin.trusted_proxy = port.proxies.trusted.trust(Some(source));
                (origin.remote, origin.local) = (Some(source), Some(destination));
                scheme = of_client;
            }
        }
        let protocol = Detect::new(port.http.clone(), origin, scheme, file::read, now);
        self.streams.replace(Box::new(protocol), now);
        self.phase = ConnPhase::first(&self.socket, port, now);
        self.set_readable(false);
        cx.streams.events.push(ConnEvent::Introduced);
    }

    /// Says why a proxy's connection is closed.
    pub(super) fn log_proxy(&self, reason: &str, now: &Now, error_log: &mut ErrorLog) {
        let peer = self.peer();
        error_log.log_with(
            Kind::Handshake,
            now.instant,
            &[("client", peer.value()), ("reason", reason.into())],
            format_args!(
                "closed a connection of proxy {peer}: {reason}; have it send the PROXY protocol, or \
                 switch proxy_protocol off"
            ),
        );
    }

    /// Goes on with a TLS handshake; `None` when there is none, or none any more.
    pub(super) fn handshake(
        &mut self,
        port: &PortConfig,
        cx: &mut ConnContext<'_>,
    ) -> Option<PumpResult> {
        let (ConnPhase::Handshaking { .. }, Socket::Tls(stream)) = (self.phase, &mut self.socket)
        else {
            return None;
        };
        match stream.handshake(cx.buffer) {
            HandshakeProgress::Pending => {
                self.readiness.drained();
                return Some(PumpResult::Keep);
            }
            HandshakeProgress::Gone => return Some(PumpResult::Abort),
            HandshakeProgress::Done => {
                stream.acknowledge();
                let kind = if stream.is_resumed() {
                    Counter::TlsResumptions
                } else {
                    Counter::TlsHandshakes
                };
                cx.streams.shared.add(kind, 1);
                self.tls = Some(stream.info());
                let (agreed, http) = (stream.protocol(), port.http.clone());
                let (origin, now) = (*self.streams.origin(), cx.streams.now);
                let protocol = protocol::agreed(agreed, http, origin, file::read, now);
                self.streams.replace(protocol, now);
                self.phase = ConnPhase::Open;
                // What was read last may hold more than the handshake's end.
                self.set_readable(false);
            }
            HandshakeProgress::Failed(reason) => {
                cx.streams.shared.add(Counter::Refused, 1);
                cx.streams.shared.add(Counter::TlsFailures, 1);
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
        self.phase = ConnPhase::Lingering { until, bytes_left: LINGER_BYTES_MAX };
    }
}
