//! [`TlsOptions`]: the `ssl_` options of a port, and their conversion to the reactor's TLS
//! configuration.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reactor::tls::certificates::{CertificateSource, TlsError};
use reactor::tls::{ClientVerification, TlsConfig, TlsVersion, development};

/// The options as they were given.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// Whether to make a certificate for `localhost`.
    pub development: bool,
    /// The default certificate.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// What keys are encrypted with.
    pub passphrase: Option<String>,
    /// An OCSP response for the default certificate.
    pub staple: Option<PathBuf>,
    /// Certificates by server name.
    pub named: Vec<NamedCertificate>,
    /// Bits of [`TLS_1_2`] and [`TLS_1_3`]; 0 for both.
    pub protocols: i64,
    /// Cipher suites of TLS 1.2, if not the default.
    pub ciphers: Option<String>,
    /// Whether clients must show a certificate.
    pub verify_peer: bool,
    /// Authorities of clients' certificates.
    pub authorities: Option<PathBuf>,
    /// Intermediate certificates that a client may have.
    pub depth_max: u32,
    /// From accept to the end of the handshake.
    pub handshake_timeout: Duration,
    /// Whether requests for hosts without a certificate are refused, if it was said.
    pub check_authority: Option<bool>,
}

/// The value of `SSL_TLSv1_2`.
pub const TLS_1_2: i64 = 16;
/// The value of `SSL_TLSv1_3`.
pub const TLS_1_3: i64 = 32;

/// An entry of `ssl_sni_certs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCertificate {
    /// The server name.
    pub name: String,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// An OCSP response for it.
    pub staple: Option<PathBuf>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            development: false,
            certificate: None,
            key: None,
            passphrase: None,
            staple: None,
            named: Vec::new(),
            protocols: 0,
            ciphers: None,
            verify_peer: false,
            authorities: None,
            depth_max: 9,
            handshake_timeout: Duration::from_secs(10),
            check_authority: None,
        }
    }
}

/// Why they do not fit together.
#[derive(Debug)]
pub enum TlsOptionsError {
    /// No certificate.
    NoCertificate,
    /// A certificate without its key.
    NoKey,
    /// `ssl_verify_peer` without authorities.
    NoAuthorities,
    /// A certificate or key cannot be used.
    Certificates(TlsError),
}

impl fmt::Display for TlsOptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str(
                "a port with SSL needs ssl_cert_file and ssl_key_file; for development, set tls to \
                 'dev'",
            ),
            Self::NoKey => f.write_str("ssl_cert_file and ssl_key_file belong together"),
            Self::NoAuthorities => f.write_str(
                "ssl_verify_peer needs ssl_client_cert_file: the authorities of clients' certificates",
            ),
            Self::Certificates(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TlsOptionsError {}

impl TlsOptions {
    /// Whether a certificate was asked for.
    pub fn any(&self) -> bool {
        self.development || self.certificate.is_some() || self.key.is_some()
    }

    /// The reactor's TLS configuration.
    pub fn config(&self) -> Result<TlsConfig, TlsOptionsError> {
        let identity = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => self.files(certificate, key, self.staple.as_ref()),
            (None, None) if self.development => {
                development::localhost().map_err(TlsOptionsError::Certificates)?
            }
            (None, None) => return Err(TlsOptionsError::NoCertificate),
            _ => return Err(TlsOptionsError::NoKey),
        };
        let mut config = TlsConfig::new(identity);
        config.named = self
            .named
            .iter()
            .map(|named| {
                let NamedCertificate { name, certificate, key, staple } = named;
                (name.to_ascii_lowercase(), self.files(certificate, key, staple.as_ref()))
            })
            .collect();
        (config.version_min, config.version_max) = match self.protocols {
            TLS_1_2 => (TlsVersion::Tls12, TlsVersion::Tls12),
            TLS_1_3 => (TlsVersion::Tls13, TlsVersion::Tls13),
            _ => (TlsVersion::Tls12, TlsVersion::Tls13),
        };
        if let Some(ciphers) = &self.ciphers {
            config.ciphers.clone_from(ciphers);
        }
        if self.verify_peer {
            let authorities = self.authorities.clone().ok_or(TlsOptionsError::NoAuthorities)?;
            config.clients = Some(ClientVerification { authorities, depth_max: self.depth_max });
        }
        config.handshake_timeout = self.handshake_timeout;
        // With one certificate there is nobody to be mistaken for, and names may lead to a port by
        // ways that the certificate does not tell of. With several, each is for its own hosts.
        config.check_authority = self.check_authority.unwrap_or(!self.named.is_empty());
        Ok(config)
    }

    fn files(
        &self,
        certificate: &PathBuf,
        key: &PathBuf,
        staple: Option<&PathBuf>,
    ) -> CertificateSource {
        CertificateSource::Files {
            certificate: absolute(certificate),
            key: absolute(key),
            passphrase: self.passphrase.clone(),
            staple: staple.map(absolute),
        }
    }
}

/// A daemon leaves the directory that a relative path begins in.
fn absolute(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(options: &TlsOptions) -> String {
        options.config().err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn certificates_and_keys_belong_together() {
        assert!(message(&TlsOptions::default()).contains("needs ssl_cert_file"));
        let half = TlsOptions { key: Some("/k.pem".into()), ..TlsOptions::default() };
        assert!(message(&half).contains("belong together"));
        let development = TlsOptions { development: true, ..TlsOptions::default() };
        assert!(development.config().is_ok_and(|config| config.clients.is_none()));
        let verifying = TlsOptions { verify_peer: true, ..development };
        assert!(message(&verifying).contains("ssl_client_cert_file"));
    }

    #[test]
    fn authorities_are_checked_where_names_have_certificates_of_their_own() {
        let named = NamedCertificate {
            name: "a.example".into(),
            certificate: "/c.pem".into(),
            key: "/k.pem".into(),
            staple: None,
        };
        for (named, said, checked) in [
            (vec![], None, false),
            (vec![], Some(true), true),
            (vec![named.clone()], None, true),
            (vec![named.clone()], Some(false), false),
            (vec![named], Some(true), true),
        ] {
            let options = TlsOptions {
                development: true,
                named,
                check_authority: said,
                ..TlsOptions::default()
            };
            let config = options.config().expect("options that fit");
            assert_eq!(config.check_authority, checked, "{options:?}");
        }
    }

    #[test]
    fn protocols_are_bits() {
        let options = TlsOptions { development: true, protocols: TLS_1_3, ..TlsOptions::default() };
        let config = options.config().expect("options that fit");
        assert_eq!(
            (config.version_min, config.version_max),
            (TlsVersion::Tls13, TlsVersion::Tls13)
        );
    }
}
