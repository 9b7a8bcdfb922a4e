//! Connections and requests of proxies: whom they are for.

use wire::head::Origin;
use wire::shm::Counter;
use wire::{RequestHead, Version};

use super::EventLoop;
use crate::client::Client;
use crate::conn::PumpResult;
use crate::error_log::{Kind, Peer};
use crate::handler::workers::Task;
use crate::protocol::error::Fault;
use crate::proxies::forwarded;
use crate::slots::Key;

impl EventLoop {
    /// Whether a connection is not one of a proxy, on a port where only proxies are heard. It is counted
    /// as closed then.
    pub(super) fn bypasses_proxies(&mut self, origin: &Origin) -> bool {
        let proxies = &self.common.config.ports[usize::from(origin.port)].proxies;
        if !proxies.protocol || origin.trusted_proxy {
            return false;
        }
        self.common.shared.add(Counter::Closed, 1);
        self.common.shared.add(Counter::Aborted, 1);
        let line = format_args!(
            "refused a connection of client {}: the port has proxy_protocol on, and trusted_proxies does \
             not name this address",
            Peer(origin.remote)
        );
        self.turn.error_log.log(Kind::Address, self.turn.now(), line);
        true
    }

    /// A proxy has said for whom its connection is.
    pub(super) fn introduced(&mut self, key: Key) {
        let Some(Client::Stream(conn)) = self.clients.get_mut(key) else { return };
        let origin = *conn.streams.origin();
        let counted = origin.remote.filter(|_| !origin.trusted_proxy);
        let now = self.turn.clock.now().instant;
        match self.common.seat(counted, true, &mut self.turn.error_log, now) {
            Some(seat) => {
                conn.seat = seat.map(Box::new);
                conn.announced = true;
                if self.common.config.ports[usize::from(origin.port)].notify_open {
                    self.tell(Task::Opened, origin);
                }
            }
            None => self.close(key, PumpResult::Abort),
        }
    }

    /// Finds out whose request it is, and whether this is the server for it. A trusted proxy has seen to
    /// the latter (RFC 9110, 7.4). One that comes before its handshake is done may come from anywhere.
    pub(super) fn place(&self, head: &mut RequestHead) -> Result<(), Fault> {
        let is_early = head.version == Version::Http3 && head.fields.get(b"early-data").is_some();
        if head.origin.trusted_proxy && !is_early {
            let port = &self.common.config.ports[usize::from(head.origin.port)];
            return forwarded::apply(head, &port.proxies);
        }
        if self.common.tls.misdirects(head) { Err(Fault::Misdirected) } else { Ok(()) }
    }
}
