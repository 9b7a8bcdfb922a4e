//! The contexts of all ports: shared by the threads, replaced as a whole.

use std::sync::{PoisonError, RwLock};

use boring::ssl::SslContext;

use super::certificates::TlsError;
use super::context;
use crate::config::PortConfig;

/// One place per port; `None` where it speaks cleartext.
#[derive(Debug)]
pub(crate) struct Contexts {
    ports: Vec<Option<RwLock<SslContext>>>,
}

impl Contexts {
    pub(crate) fn new(ports: &[PortConfig]) -> Result<Self, TlsError> {
        let ports = ports.iter().map(|port| {
            let Some(tls) = &port.tls else { return Ok(None) };
            let context = context::build(&tls.config, &tls.material, port.http.http2.enabled)?;
            Ok(Some(RwLock::new(context)))
        });
        Ok(Self { ports: ports.collect::<Result<_, _>>()? })
    }

    /// The context for a new connection by this port.
    pub(crate) fn of(&self, port: u16) -> Option<SslContext> {
        let current = self.ports.get(usize::from(port))?.as_ref()?;
        Some(current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
