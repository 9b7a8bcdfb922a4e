//! TLS: certificates, contexts, and the stream between a socket and its protocol.
//!
//! ```text
//!  TlsConfig ──▶ Material ──▶ SslContext ──▶ TlsStream
//!  (options)     (PEM, read    (one per port,  (one per client)
//!                 and checked)  replaceable)
//! ```
//!
//! [`Tls::load`] reads and checks what the options name; the embedder calls it before the reactor
//! runs, so that a mistake is an error at start. The reactor makes a context of it ([`contexts`]),
//! which all threads share; QUIC makes its own of the same parts, one per thread.

pub mod certificates;
pub(crate) mod ciphers;
pub(crate) mod context;
pub(crate) mod contexts;
pub mod development;
#[allow(unsafe_code)]
pub(crate) mod handshake_state;
pub(crate) mod info;
pub(crate) mod keylog;
pub(crate) mod names;
pub(crate) mod staple;
pub(crate) mod stream;
#[allow(unsafe_code)]
pub mod tickets;
mod watch;
pub(crate) mod wire_end;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use self::certificates::{CertificateSource, Material, TlsError};
use self::tickets::TicketSecret;
use self::watch::Fingerprint;

/// What a port's options say about TLS.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// The certificate of clients that name no server, or one that no other certificate is for.
    pub identity: CertificateSource,
    /// Certificates by server name (RFC 6066, 3), in lower case; `*.` stands for one label.
    pub named: Vec<(String, CertificateSource)>,
    /// The oldest version.
    pub version_min: TlsVersion,
    /// The newest version.
    pub version_max: TlsVersion,
    /// Cipher suites of TLS 1.2 in OpenSSL's notation; those of 1.3 are fixed. What is not served is
    /// left out.
    pub ciphers: String,
    /// Whether and how clients must show a certificate.
    pub clients: Option<ClientVerification>,
    /// From the accept to the end of the handshake; past it the connection is closed.
    pub handshake_timeout: Duration,
    /// What session tickets are sealed with.
    pub tickets: TicketSecret,
    /// Whether a request for a host that none of the certificates is for gets 421 (RFC 9110, 15.5.20).
    pub check_authority: bool,
}

/// Cipher suites of TLS 1.2 unless the options say otherwise: forward secrecy and authenticated
/// encryption. Suites in brackets are equal, so that a client without AES in hardware gets its way.
pub const CIPHERS_DEFAULT: &str = "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:\
     [ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:\
     ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

impl TlsConfig {
    /// The defaults, with this certificate.
    pub fn new(identity: CertificateSource) -> Self {
        Self {
            identity,
            named: Vec::new(),
            version_min: TlsVersion::Tls12,
            version_max: TlsVersion::Tls13,
            ciphers: CIPHERS_DEFAULT.to_owned(),
            clients: None,
            handshake_timeout: Duration::from_secs(10),
            tickets: TicketSecret::default(),
            check_authority: false,
        }
    }
}

/// A version that is served. Older ones are broken (RFC 8996).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// What a client's certificate must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientVerification {
    /// The certificates of the authorities that may have signed it, PEM.
    pub authorities: PathBuf,
    /// The number of intermediate certificates between it and one of them.
    pub depth_max: u32,
}

/// The TLS of one port: its options, and the certificates that they name, checked.
#[derive(Clone)]
pub struct Tls {
    /// The options.
    pub config: TlsConfig,
    /// What they name.
    pub(crate) material: Material,
    /// The files as they were before they were read.
    pub(crate) files: Fingerprint,
}

impl Tls {
    /// Reads and checks everything that the options name.
    pub fn load(config: TlsConfig) -> Result<Self, TlsError> {
        let files = Fingerprint::of(&config);
        let material = Material::load(&config)?;
        // A context shows mistakes that the files alone do not: a cipher list, say.
        context::build(&config, &material, true)?;
        Ok(Self { config, material, files })
    }

    /// Whether QUIC can use it, which needs TLS 1.3 (RFC 9001, 4.2).
    pub fn speaks_quic(&self) -> bool {
        self.config.version_max >= TlsVersion::Tls13
    }

    /// Reads the files again. An error leaves what was there.
    pub fn refresh(&mut self) -> Result<(), TlsError> {
        if watch::names_files(&self.config) {
            *self = Self::load(self.config.clone())?;
        }
        Ok(())
    }
}

/// Keys stay out of logs.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("identity", &self.config.identity).finish_non_exhaustive()
    }
}
