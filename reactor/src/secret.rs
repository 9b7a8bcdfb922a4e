//! A secret from which keys are derived: made before the reactor is forked, so that all threads and
//! the next reactor have the same.

use std::fmt;
use std::hint;
use std::sync::Arc;

use boring::error::ErrorStack;
use boring::hash::hmac_sha256;
use boring::rand::rand_bytes;

/// 256 bits by chance.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Bits>);

#[derive(PartialEq, Eq)]
struct Bits([u8; 32]);

impl Drop for Bits {
    fn drop(&mut self) {
        self.0.fill(0);
        // Keeps the compiler from leaving the fill out.
        hint::black_box(&self.0);
    }
}

impl Default for Secret {
    fn default() -> Self {
        let mut bits = [0; 32];
        // The library never returns an error here: it ends the process when there is no randomness.
        let _ = rand_bytes(&mut bits);
        Self(Arc::new(Bits(bits)))
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The key for a purpose, and for what belongs to it.
    pub(crate) fn derive(&self, purpose: &[u8], of: &[u8]) -> Result<[u8; 32], ErrorStack> {
        hmac_sha256(&self.0.0, &[purpose, of].concat())
    }
}
