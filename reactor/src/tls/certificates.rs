//! Certificates and keys: from files to what a context takes, with every check that can be made
//! before a client comes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fmt, fs, hint, io};

use boring::asn1::Asn1Time;
use boring::error::ErrorStack;
use boring::pkey::{PKey, Private};
use boring::x509::X509;

use super::TlsConfig;
use super::staple::Staple;

/// Where a certificate and its key come from.
#[derive(Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// From files.
    Files {
        /// The certificate and those that lead to its authority, PEM.
        certificate: PathBuf,
        /// The private key, PEM.
        key: PathBuf,
        /// What the key is encrypted with.
        passphrase: Option<String>,
        /// The OCSP response that is sent with the certificate, DER.
        staple: Option<PathBuf>,
    },
    /// From memory.
    Memory(Arc<Pem>),
}

/// Keys and passphrases stay out of logs.
impl fmt::Debug for CertificateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { certificate, .. } => write!(f, "{}", certificate.display()),
            Self::Memory(_) => f.write_str("in memory"),
        }
    }
}

/// A certificate chain and its key as text. The key is wiped when this is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// The chain.
    pub certificate: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
}

impl Drop for Pem {
    fn drop(&mut self) {
        self.key.fill(0);
        // Keeps the compiler from leaving the fill out.
        hint::black_box(&self.key);
    }
}

/// What the options of a port name: read, and checked.
#[derive(Clone)]
pub(crate) struct Material {
    pub(crate) default: Credential,
    /// By server name.
    pub(crate) named: Vec<(String, Credential)>,
    /// The authorities of clients' certificates.
    pub(crate) authorities: Vec<X509>,
}

/// A certificate chain, the leaf first, and the key of the leaf.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) chain: Vec<X509>,
    pub(crate) key: PKey<Private>,
    pub(crate) staple: Option<Arc<Staple>>,
}

impl Material {
    pub(crate) fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        let named = config.named.iter().map(|(name, identity)| {
            Ok((name.clone(), Credential::load(identity, "ssl_sni_certs: ")?))
        });
        let authorities = match &config.clients {
            Some(clients) => certificates(&clients.authorities, "ssl_client_cert_file ")?,
            None => Vec::new(),
        };
        Ok(Self {
            default: Credential::load(&config.identity, "")?,
            named: named.collect::<Result<_, _>>()?,
            authorities,
        })
    }
}

impl Credential {
    fn load(identity: &CertificateSource, option: &'static str) -> Result<Self, TlsError> {
        match identity {
            CertificateSource::Files { certificate, key, passphrase, staple } => {
                let of = |alone| if option.is_empty() { alone } else { option };
                let (of_certificate, of_key) = (of("ssl_cert_file "), of("ssl_key_file "));
                let chain = certificates(certificate, of_certificate)?;
                let named = |reason| TlsError::new(of_key, Some(key), reason);
                let text = read(key).map_err(named)?;
                let private = private_key(&text, passphrase.as_deref()).map_err(named)?;
                let mut credential = Self { chain, key: private, staple: None };
                credential.check_time(certificate, of_certificate)?;
                credential.check_pair(certificate).map_err(named)?;
                if let (Some(file), Some(leaf)) = (staple, credential.chain.first()) {
                    credential.staple = Some(Staple::load(file, leaf, of("ssl_stapling_file "))?);
                }
                Ok(credential)
            }
            CertificateSource::Memory(pem) => {
                let named = |reason| TlsError::new("the certificate in memory", None, reason);
                let chain = X509::stack_from_pem(&pem.certificate)
                    .map_err(|error| named(RejectReason::NoCertificate(detail(&error))))?;
                let key = private_key(&pem.key, None).map_err(named)?;
                Ok(Self { chain, key, staple: None })
            }
        }
    }

    fn check_time(&self, file: &Path, option: &'static str) -> Result<(), TlsError> {
        let Some(leaf) = self.chain.first() else { return Ok(()) };
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let Ok(now) = Asn1Time::from_unix(since_1970.as_secs() as _) else { return Ok(()) };
        let reason = if leaf.not_after() < now {
            RejectReason::Expired(leaf.not_after().to_string())
        } else if leaf.not_before() > now {
            RejectReason::NotYet(leaf.not_before().to_string())
        } else {
            return Ok(());
        };
        Err(TlsError::new(option, Some(file), reason))
    }

    fn check_pair(&self, certificate: &Path) -> Result<(), RejectReason> {
        let public = self.chain.first().and_then(|leaf| leaf.public_key().ok());
        match public {
            Some(public) if public.public_eq(&self.key) => Ok(()),
            _ => Err(RejectReason::Mismatch(certificate.to_owned())),
        }
    }
}

fn certificates(file: &Path, option: &'static str) -> Result<Vec<X509>, TlsError> {
    let text = read(file).map_err(|reason| TlsError::new(option, Some(file), reason))?;
    match X509::stack_from_pem(&text) {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(RejectReason::NoCertificate(String::new())),
        Err(error) => Err(RejectReason::NoCertificate(detail(&error))),
    }
    .map_err(|reason| TlsError::new(option, Some(file), reason))
}

fn private_key(text: &[u8], passphrase: Option<&str>) -> Result<PKey<Private>, RejectReason> {
    let encrypted = memchr::memmem::find(text, b"ENCRYPTED").is_some();
    let key = match passphrase {
        Some(passphrase) => PKey::private_key_from_pem_passphrase(text, passphrase.as_bytes()),
        None if encrypted => return Err(RejectReason::NoPassphrase),
        None => PKey::private_key_from_pem(text),
    };
    key.map_err(|error| match encrypted {
        true => RejectReason::Passphrase,
        false => RejectReason::NoKey(detail(&error)),
    })
}

/// A PEM file larger than this is a mistake: a long chain has a few dozen kilobytes, a bundle of all
/// public authorities a few hundred.
const PEM_BYTES_MAX: u64 = 4 << 20;

fn read(file: &Path) -> Result<Vec<u8>, RejectReason> {
    let about = fs::metadata(file).map_err(RejectReason::Read)?;
    if about.is_file() && about.len() <= PEM_BYTES_MAX {
        fs::read(file).map_err(RejectReason::Read)
    } else {
        Err(RejectReason::NoFile)
    }
}

/// What the library says of its first error.
pub(crate) fn detail(error: &ErrorStack) -> String {
    let first = error.errors().first();
    first.and_then(|error| error.reason()).unwrap_or_default().to_lowercase().replace('_', " ")
}

/// Why certificates cannot be used.
#[derive(Debug)]
pub struct TlsError {
    /// The option, with a space behind it.
    option: &'static str,
    file: Option<PathBuf>,
    reason: RejectReason,
}

impl TlsError {
    pub(crate) fn new(option: &'static str, file: Option<&Path>, reason: RejectReason) -> Self {
        Self { option, file: file.map(Path::to_owned), reason }
    }
}

/// What is wrong.
#[derive(Debug)]
pub(crate) enum RejectReason {
    Read(io::Error),
    NoFile,
    NoCertificate(String),
    NoKey(String),
    NoPassphrase,
    Passphrase,
    Expired(String),
    NotYet(String),
    Mismatch(PathBuf),
    NoStaple,
    StapleMismatch,
    /// A word of a list of suites that names none.
    Cipher(String),
    NoCipher,
    /// The library refuses it.
    Refused(String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.option.trim_end())?;
        if let Some(file) = &self.file {
            write!(f, " {}", file.display())?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for TlsError {}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |f: &mut fmt::Formatter<'_>, what: &str, detail: &str| match detail {
            "" => f.write_str(what),
            detail => write!(f, "{what} ({detail})"),
        };
        match self {
            Self::Read(error) => write!(f, "cannot be read: {error}"),
            Self::NoFile => f.write_str("is no regular file, or larger than any PEM file"),
            Self::NoCertificate(detail) => because(f, "holds no certificate in PEM", detail),
            Self::NoKey(detail) => because(f, "holds no private key in PEM", detail),
            Self::NoPassphrase => f.write_str("the key is encrypted: ssl_passphrase is needed"),
            Self::Passphrase => f.write_str("ssl_passphrase does not decrypt the key"),
            Self::Expired(when) => write!(f, "the certificate expired on {when}"),
            Self::NotYet(when) => write!(f, "the certificate is valid from {when} on only"),
            Self::Mismatch(certificate) => {
                write!(f, "the key does not belong to the certificate {}", certificate.display())
            }
            Self::NoStaple => f.write_str("holds no successful OCSP response in DER"),
            Self::StapleMismatch => {
                f.write_str("the OCSP response is about another certificate: fetch a new one")
            }
            Self::Cipher(word) => write!(
                f,
                "'{word}' names no cipher suites; write names and classes as OpenSSL has them, such \
                 as ECDHE-RSA-AES128-GCM-SHA256 or EECDH+AESGCM, separated by colons"
            ),
            Self::NoCipher => f.write_str(
                "the server serves none of them; it has suites with ECDHE and AES-GCM or \
                 ChaCha20-Poly1305, such as ECDHE-RSA-AES128-GCM-SHA256",
            ),
            Self::Refused(detail) => because(f, "not accepted", detail),
        }
    }
}
