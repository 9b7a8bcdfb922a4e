//! How connections begin and end: the TLS handshake before the first request, and what is said after
//! the last.

use bytes::BytesMut;
use log::kv::Value;
use wire::limits::{LINGER_BYTES_MAX, LINGER_DRAINING_TIME_MAX, LINGER_TIME_MAX};
use wire::shared::Counter;

use super::{Conn, Context, Fate, Phase};
use crate::complaints::Kind;
use crate::config::PortConfig;
use crate::file;
use crate::protocol::{self, Now};
use crate::socket::Socket;
use crate::tls::stream::Handshake;

impl Conn {
    /// Goes on with a TLS handshake; `None` when there is none, or none any more.
    pub(super) fn handshake(&mut self, port: &PortConfig, cx: &mut Context<'_>) -> Option<Fate> {
        let (Phase::Handshaking { .. }, Socket::Tls(stream)) = (self.phase, &mut self.socket)
        else {
            return None;
        };
        match stream.handshake(cx.buffer) {
            Handshake::Pending => {
                self.readable = false;
                return Some(Fate::Keep);
            }
            Handshake::Gone => return Some(Fate::Abort),
            Handshake::Done => {
                stream.acknowledge();
                self.tls = Some(stream.info());
                let (agreed, http) = (stream.protocol(), port.http.clone());
                self.protocol = protocol::agreed(agreed, http, self.origin, file::read, cx.now);
                self.phase = Phase::Open;
                // What was read last may hold more than the handshake's end.
                self.readable = true;
                if self.draining {
                    self.protocol.shutdown(cx.now);
                }
            }
            Handshake::Failed(reason) => {
                cx.shared.add(Counter::Refused, 1);
                let peer = self.peer();
                cx.complaints.log_with(
                    Kind::Handshake,
                    cx.now.instant,
                    &[("client", peer.value()), ("reason", Value::from_display(&reason))],
                    format_args!("TLS handshake with client {peer} failed: {reason}"),
                );
                self.linger(cx.now);
            }
        }
        None
    }

    /// Ends a connection that has nothing more to say.
    pub(super) fn end(&mut self) -> Option<Fate> {
        self.socket.farewell();
        Some(Fate::Close)
    }

    /// Drops what comes, until the client has closed or for a while, so that it sees what was said.
    pub(super) fn linger(&mut self, now: &Now) {
        self.socket.shutdown_write();
        self.pending = BytesMut::new();
        let time = if self.draining { LINGER_DRAINING_TIME_MAX } else { LINGER_TIME_MAX };
        let until = now.instant + time;
        self.phase = Phase::Lingering { until, bytes_left: LINGER_BYTES_MAX };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::AtomicU64;
    use std::time::Duration;

    use boring::ssl::{HandshakeError, SslConnector, SslMethod, SslVerifyMode};
    use wire::Part;
    use wire::head::Origin;
    use wire::shared::Shared;

    use super::*;
    use crate::complaints::Complaints;
    use crate::conn::Event;
    use crate::protocol::Output;
    use crate::response_spool::{ResponseSpool, SpoolLimits, SpoolUsage};
    use crate::socket::ReadBuffer;
    use crate::tls::{Tls, TlsConfig, context, development};

    fn port() -> PortConfig {
        let tls = Tls::load(TlsConfig::new(development::localhost().unwrap())).unwrap();
        PortConfig {
            http: Default::default(),
            tcp_nodelay: true,
            send_timeout: Duration::from_secs(1),
            window_bytes: 1 << 20,
            response_spool_bytes_max: 64 << 20,
            body_memory_bytes_max: 1 << 20,
            tell_opened: false,
            tell_closed: false,
            tls: Some(tls.into()),
            quic: Default::default(),
        }
    }

    /// What the handshake reads may hold the first request as well: no edge of readiness will tell
    /// of it.
    #[test]
    fn content_that_comes_with_the_end_of_the_handshake_is_looked_at() {
        let port = port();
        let tls = port.tls.as_ref().unwrap();
        let context = context::build(&tls.config, &tls.material, true).unwrap();
        let (client, server) = UnixStream::pair().unwrap();
        client.set_nonblocking(true).unwrap();
        server.set_nonblocking(true).unwrap();
        let socket = Socket::tls(server.into(), &context).unwrap();
        let now = Now {
            instant: std::time::Instant::now(),
            unix_micros: 0,
            date: *b"Sun, 06 Nov 1994 08:49:37 GMT",
        };
        let origin = Origin { connection: 1, ..Origin::default() };
        let mut conn = Conn::new(socket, &port, origin, &now);
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let mut events = Vec::new();
        let shared = Shared::new(memory.leak(), 1, 1);
        let limits = SpoolLimits { memory_bytes_max: 0, disk_bytes_max: 0 };
        let usage = SpoolUsage::new(limits, shared);
        let mut cx = Context {
            now: &now,
            buffer: &mut ReadBuffer::new(),
            scratch: &mut Output::default(),
            shared,
            complaints: &mut Complaints::new(shared, now.instant),
            spool: &mut ResponseSpool::new(usage.into(), std::env::temp_dir()),
            events: &mut events,
        };

        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let begun = connector.build().connect("localhost", client);
        let Err(HandshakeError::WouldBlock(begun)) = begun else { panic!("{begun:?}") };
        // The socket is said to be writable, no more.
        assert_eq!(conn.pump(&port, &mut cx), Fate::Keep);
        let mut client = begun.handshake().unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!(conn.pump(&port, &mut cx), Fate::Keep);
        assert!(matches!(&events[..], [Event::Request(_, Part::Head(_)), _]), "{events:?}");
    }
}
