//! Whether the files of certificates have changed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::TlsConfig;
use super::certificates::CertificateSource;

/// Which files there were, as far as can be told without reading them. Links are followed, so that a
/// link that is switched to another folder counts as a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<File>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum File {
    There {
        device: u64,
        inode: u64,
        size: u64,
        seconds: i64,
        nanoseconds: i64,
    },
    Missing,
    /// This process may not look.
    Hidden,
}

impl Fingerprint {
    /// The files that these options name, as they are now.
    pub(crate) fn of(config: &TlsConfig) -> Self {
        Self(files(config).map(|file| look(&file)).collect())
    }

    /// Whether something is different now. What may not be looked at counts as unchanged.
    pub(crate) fn differs(&self, former: &Self) -> bool {
        let pairs = self.0.iter().zip(&former.0);
        pairs.clone().any(|(now, then)| now != then && *now != File::Hidden)
    }
}

/// Whether these options name files at all.
pub(crate) fn names_files(config: &TlsConfig) -> bool {
    files(config).next().is_some()
}

fn files(config: &TlsConfig) -> impl Iterator<Item = PathBuf> {
    let named = config.named.iter().map(|(_, identity)| identity);
    let identities = std::iter::once(&config.identity).chain(named);
    let of_identities = identities.filter_map(|identity| match identity {
        CertificateSource::Files { certificate, key, staple, .. } => {
            Some([Some(certificate.clone()), Some(key.clone()), staple.clone()])
        }
        CertificateSource::Memory(_) => None,
    });
    let authorities = config.clients.iter().map(|clients| clients.authorities.clone());
    of_identities.flatten().flatten().chain(authorities)
}

fn look(file: &Path) -> File {
    match fs::metadata(file) {
        Ok(about) => File::There {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            seconds: about.mtime(),
            nanoseconds: about.mtime_nsec(),
        },
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::Hidden,
        Err(_) => File::Missing,
    }
}
