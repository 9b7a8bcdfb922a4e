//! `Server::getClientInfo()`: what is known of the connection in work.

use std::cell::Cell;
use std::num::NonZeroU16;

use config::bind::SocketType;
use wire::TlsInfo;
use wire::head::Origin;

use super::state::ServerInner;
use crate::engine::zend::value::{self, Array};
use crate::php::request;
use crate::web::exchange;
use ext_php_rs::types::Zval;

thread_local! {
    /// The connection that `Connect` or `Close` is told of.
    static EVENT: Cell<Option<Origin>> = const { Cell::new(None) };
}

/// While it lives a callback is told of a connection.
#[derive(Debug)]
pub struct Told;

impl Told {
    /// The callback is about to be called.
    pub fn of(origin: Origin) -> Self {
        EVENT.set(Some(origin));
        Self
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        EVENT.set(None);
    }
}

/// The facts of a connection, if it is the one in work.
pub fn array(state: &ServerInner, connection: i64) -> Option<Zval> {
    let is_meant = |origin: &Origin| origin.connection as i64 == connection;
    let (origin, tls) = in_work().filter(|(origin, _)| is_meant(origin))?;
    let ports = state.all_ports();
    let port = ports.get(usize::from(origin.port))?;
    let mut array = Array::with_capacity(10);
    let mut set = |key: &str, value| array.set_symbol(key.as_bytes(), value);
    let local = origin.local.map_or(port.number, |local| local.port());
    set("server_port", value::long(origin.server_port.map_or(local, NonZeroU16::get).into()));
    let flag = if port.tls { SocketType::SSL } else { 0 };
    set("socket_type", value::long(port.kind.value() | flag));
    let remote =
        origin.remote.map(|remote| (remote.ip().to_canonical().to_string(), remote.port()));
    let (ip, number) = remote.unwrap_or_else(|| ("unix:".to_owned(), 0));
    set("remote_ip", value::bytes(ip.as_bytes()));
    set("remote_port", value::long(number.into()));
    set("reactor_id", value::long(origin.reactor.into()));
    if origin.received_at > 0 {
        let seconds = origin.received_at as f64 / 1e6;
        for key in ["last_time", "last_recv_time", "last_dispatch_time"] {
            set(key, value::double(seconds));
        }
    }
    if let Some(client) = tls.as_ref().and_then(TlsInfo::facts).and_then(|facts| facts.client) {
        set("ssl_client_cert", value::bytes(client.pem.as_bytes()));
    }
    Some(array.into_value())
}

/// The connection that a callback is told of, or that of the request in work.
fn in_work() -> Option<(Origin, Option<TlsInfo>)> {
    if let Some(origin) = EVENT.get() {
        return Some((origin, None));
    }
    let of_web = exchange::with(|exchange| (exchange.head.origin, exchange.head.tls.clone()));
    of_web.or_else(|| request::current::with_any_head(|head| (head.origin, head.tls.clone())))
}
