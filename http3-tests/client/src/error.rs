//! Why a case failed.

use std::fmt;

/// What is said on standard error.
#[derive(Debug)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A failure of its own words, or of an error's.
pub fn failure(what: impl fmt::Display) -> Failure {
    Failure(what.to_string())
}

/// A failure unless the two are the same.
pub fn same<T: PartialEq + fmt::Debug>(what: &str, wanted: T, got: T) -> Result<(), Failure> {
    if wanted == got {
        return Ok(());
    }
    Err(failure(format!("{what}: wanted {wanted:?}, got {got:?}")))
}

macro_rules! from {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                failure(format!("{error} ({error:?})"))
            }
        })*
    };
}

from!(
    std::io::Error,
    http::Error,
    rustls::Error,
    rustls::pki_types::pem::Error,
    quinn::ConnectError,
    quinn::ConnectionError,
    quinn::crypto::rustls::NoInitialCipherSuite,
    h3::error::ConnectionError,
    h3::error::StreamError,
    tokio::task::JoinError
);
