//! HTTP/3 over real UDP sockets: the endpoint, and the way of a request through it.

mod certificates;
pub mod client;
mod endpoint;
mod requests;

use std::sync::Arc;

use reactor::Config;
use reactor::tls::{Tls, TlsConfig, development};

use wire::shm::Counter;

use crate::played::Server;

/// A server that speaks HTTP/3.
pub fn start(tweak: impl FnOnce(&mut Config)) -> Server {
    let identity = development::localhost().unwrap();
    start_with(TlsConfig::new(identity), tweak)
}

fn start_with(tls: TlsConfig, tweak: impl FnOnce(&mut Config)) -> Server {
    let tls = Arc::new(Tls::load(tls).unwrap());
    Server::start(|config| {
        config.ports[0].tls = Some(tls);
        tweak(config);
    })
}

/// Whether no connection is left, and nothing that one had.
fn idle(server: &Server) -> bool {
    [Counter::Connections, Counter::QuicConnections, Counter::Exchanges]
        .into_iter()
        .all(|gauge| server.count(gauge) == 0)
}
