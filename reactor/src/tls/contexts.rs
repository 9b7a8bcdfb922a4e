//! The contexts of all ports: shared by the threads, replaced as a whole.
//!
//! Certificates are read again when somebody asks for it ([`Contexts::reload`]) and when their files
//! have changed ([`Contexts::look`]). What is wrong with new ones is logged, and the old ones stay.
//! Connections keep the context that they began with.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use boring::ssl::SslContext;

use super::certificates::{Material, TlsError};
use super::watch::{self, Fingerprint};
use super::{TlsConfig, context};
use crate::config::PortConfig;

/// One place per port; `None` where it speaks cleartext.
#[derive(Debug)]
pub(crate) struct Contexts {
    ports: Vec<Option<Port>>,
}

#[derive(Debug)]
struct Port {
    config: TlsConfig,
    http2: bool,
    current: RwLock<SslContext>,
    files: Mutex<Files>,
}

/// What is known of the files of a port.
#[derive(Debug)]
struct Files {
    /// As they were when they were read last, well or not.
    read: Fingerprint,
    /// As they were at the last look.
    seen: Fingerprint,
}

impl Contexts {
    pub(crate) fn new(ports: &[PortConfig]) -> Result<Self, TlsError> {
        let ports = ports.iter().map(|port| {
            let Some(tls) = &port.tls else { return Ok(None) };
            let http2 = port.http.http2.enabled;
            let context = context::build(&tls.config, &tls.material, http2)?;
            Ok(Some(Port {
                config: tls.config.clone(),
                http2,
                current: RwLock::new(context),
                files: Mutex::new(Files { read: tls.files.clone(), seen: tls.files.clone() }),
            }))
        });
        Ok(Self { ports: ports.collect::<Result<_, _>>()? })
    }

    /// The context for a new connection by this port.
    pub(crate) fn of(&self, port: u16) -> Option<SslContext> {
        let port = self.ports.get(usize::from(port))?.as_ref()?;
        Some(port.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Whether there are files to look at.
    pub(crate) fn has_files(&self) -> bool {
        self.ports.iter().flatten().any(|port| watch::names_files(&port.config))
    }

    /// Reads all certificates again.
    pub(crate) fn reload(&self) {
        for port in self.ports.iter().flatten().filter(|port| watch::names_files(&port.config)) {
            port.reload(Fingerprint::of(&port.config));
        }
    }

    /// Reads those again whose files have changed, and have stopped changing: a certificate and its
    /// key are two files, which nobody can replace at once.
    pub(crate) fn look(&self) {
        for port in self.ports.iter().flatten() {
            let now = Fingerprint::of(&port.config);
            let mut files = port.files();
            let (changed, settled) = (now.differs(&files.read), !now.differs(&files.seen));
            files.seen = now.clone();
            drop(files);
            if changed && settled {
                port.reload(now);
            }
        }
    }
}

impl Port {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reload(&self, files: Fingerprint) {
        self.files().read = files;
        let config = &self.config;
        let context = Material::load(config)
            .and_then(|material| context::build(config, &material, self.http2));
        match context {
            Ok(context) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = context;
                log::info!("new TLS certificate: {:?}", config.identity);
            }
            Err(error) => log::error!("new TLS certificate refused, the old one stays: {error}"),
        }
    }
}
