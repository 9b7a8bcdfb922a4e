//! What `start()` checks and prepares for all ports: proxies, certificates, and the sockets of HTTP/3.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use config::bind;
use config::options::config::PortOptions;
use config::options::tls::TlsOptionsError;
use reactor::tls::Tls;

use crate::php::error::Failure;
use crate::php::port::PortState;

/// A port that hears proxies alone and knows none would serve nobody.
pub(super) fn check_proxies(
    states: &[Rc<PortState>],
    ports: &[PortOptions],
) -> Result<(), Failure> {
    for (state, port) in states.iter().zip(ports) {
        let proxies = &port.reactor.proxies;
        if proxies.protocol && proxies.trusted.is_empty() {
            return Err(Failure::State(format!(
                "proxy_protocol is on for {}, but no proxy is trusted: name the addresses that may send \
                 it in trusted_proxies",
                state.place()
            )));
        }
    }
    Ok(())
}

/// Binds what HTTP/3 comes by: here, because only now it is known whether and with how many threads
/// it is to be spoken.
pub(super) fn datagrams(
    states: &[Rc<PortState>],
    ports: &[PortOptions],
    tls: &[Option<Arc<Tls>>],
    threads: u16,
) -> Result<Vec<Vec<OwnedFd>>, Failure> {
    let bind = |((state, port), tls): ((&Rc<PortState>, &PortOptions), &Option<Arc<Tls>>)| {
        let speaks = port.http.http3.enabled && tls.as_ref().is_some_and(|tls| tls.speaks_quic());
        state.http3.set(speaks);
        if !speaks {
            return Ok(Vec::new());
        }
        let socket = state.socket.take();
        let bound = bind::bind_datagrams(socket.as_ref(), threads);
        state.socket.set(socket);
        bound.map_err(|error| Failure::State(error.to_string()))
    };
    states.iter().zip(ports).zip(tls).map(bind).collect()
}

/// Reads and checks certificates and keys, so that a mistake is an exception here.
pub(super) fn tls(
    states: &[Rc<PortState>],
    ports: &[PortOptions],
) -> Result<Vec<Option<Arc<Tls>>>, Failure> {
    let any = states.iter().any(|state| state.tls);
    if !any && ports.iter().any(|port| port.tls.any()) {
        return Err(Failure::State(
            "A certificate is set, but no port speaks TLS: add the SSL flag to its socket type"
                .to_owned(),
        ));
    }
    let load = |(state, port): (&Rc<PortState>, &PortOptions)| {
        if !state.tls {
            return Ok(None);
        }
        let config = port
            .tls
            .config()
            .and_then(|config| Tls::load(config).map_err(TlsOptionsError::Certificates));
        let tls = config.map_err(|error| {
            Failure::State(format!("TLS on {}:{}: {error}", state.host, state.number))
        })?;
        Ok(Some(Arc::new(tls)))
    };
    states.iter().zip(ports).map(load).collect()
}
