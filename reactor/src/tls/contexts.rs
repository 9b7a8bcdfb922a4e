//! The contexts of all ports: shared by the threads, replaced as a whole.
//!
//! Certificates are read again when somebody asks for it ([`Contexts::reload`]) and when their files
//! have changed ([`Contexts::look`]). What is wrong with new ones is logged, and the old ones stay.
//! Connections keep the context that they began with.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use boring::ssl::{SslContext, SslContextBuilder};
use wire::RequestHead;

use super::certificates::{Material, TlsError};
use super::names::Names;
use super::watch::{self, Fingerprint};
use super::{TlsConfig, context, keylog};
use log::Level;
use log::kv::Value;
use wire::event::{self, LogEvent};

use crate::config::PortConfig;

/// One place per port; `None` where it speaks cleartext.
#[derive(Debug)]
pub(crate) struct Contexts {
    ports: Vec<Option<PortTls>>,
}

#[derive(Debug)]
struct PortTls {
    config: TlsConfig,
    http2: bool,
    current: RwLock<CurrentCertificates>,
    files: Mutex<CertificateFiles>,
}

/// The certificates of now.
struct CurrentCertificates {
    context: SslContext,
    /// What QUIC makes its own contexts of.
    material: Arc<Material>,
    /// What they are for; nothing where nobody asks.
    names: Names,
    /// How often they have been replaced.
    generation: u64,
}

/// Keys stay out of logs.
impl fmt::Debug for CurrentCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// What is known of the files of a port.
#[derive(Debug)]
struct CertificateFiles {
    /// As they were when they were read last, well or not.
    read: Fingerprint,
    /// As they were at the last look.
    seen: Fingerprint,
}

impl Contexts {
    pub(crate) fn new(ports: &[PortConfig]) -> Result<Self, TlsError> {
        if let Some(path) = keylog::path() {
            log::warn!("SSLKEYLOGFILE: who reads {} can read every connection", path.display());
        }
        let ports = ports.iter().map(|port| {
            let Some(tls) = &port.tls else { return Ok(None) };
            let http2 = port.http.http2.enabled;
            let context = context::build(&tls.config, &tls.material, http2)?;
            Ok(Some(PortTls {
                config: tls.config.clone(),
                http2,
                current: RwLock::new(CurrentCertificates {
                    context,
                    material: Arc::new(tls.material.clone()),
                    names: names(&tls.config, &tls.material),
                    generation: 0,
                }),
                files: Mutex::new(CertificateFiles {
                    read: tls.files.clone(),
                    seen: tls.files.clone(),
                }),
            }))
        });
        Ok(Self { ports: ports.collect::<Result<_, _>>()? })
    }

    /// The context for a new connection by this port.
    pub(crate) fn of(&self, port: u16) -> Option<SslContext> {
        Some(self.port(port)?.current().context.clone())
    }

    /// How often the certificates of a port have been replaced.
    pub(crate) fn generation(&self, port: u16) -> u64 {
        self.port(port).map_or(0, |port| port.current().generation)
    }

    /// Whether a request is for a host that none of its port's certificates is for, on a port that
    /// is to look at it. One without an authority, of HTTP/1.0, is for whom it was sent to.
    pub(crate) fn misdirects(&self, head: &RequestHead) -> bool {
        let port = self.port(head.origin.port).filter(|port| port.config.check_authority);
        let Some(port) = port else { return false };
        let authority = head.fields.get(b"host").unwrap_or_default();
        let local = head.origin.local.map(|local| local.ip());
        !authority.is_empty() && !port.current().names.cover(authority, local)
    }

    /// What a context for QUIC is made of.
    pub(crate) fn quic(&self, port: u16) -> Option<SslContextBuilder> {
        let port = self.port(port)?;
        let material = Arc::clone(&port.current().material);
        context::quic(&port.config, &material)
            .inspect_err(|error| log::error!("TLS for QUIC: {error}"))
            .ok()
    }

    fn port(&self, port: u16) -> Option<&PortTls> {
        self.ports.get(usize::from(port))?.as_ref()
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

impl PortTls {
    fn files(&self) -> MutexGuard<'_, CertificateFiles> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> RwLockReadGuard<'_, CurrentCertificates> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn reload(&self, files: Fingerprint) {
        self.files().read = files;
        let config = &self.config;
        let new = Material::load(config).and_then(|material| {
            let context = context::build(config, &material, self.http2)?;
            Ok((context, Arc::new(material)))
        });
        match new {
            Ok((context, material)) => {
                let names = names(config, &material);
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                let generation = current.generation + 1;
                *current = CurrentCertificates { context, material, names, generation };
                event::log(
                    Level::Info,
                    LogEvent::TlsCertificateLoaded,
                    &[("identity", Value::from_debug(&config.identity))],
                    format_args!("new TLS certificate: {:?}", config.identity),
                );
            }
            Err(error) => event::log(
                Level::Error,
                LogEvent::TlsCertificateRefused,
                &[("error", Value::from_display(&error))],
                format_args!("new TLS certificate refused, the old one stays: {error}"),
            ),
        }
    }
}

fn names(config: &TlsConfig, material: &Material) -> Names {
    if config.check_authority { Names::of(material) } else { Names::default() }
}
