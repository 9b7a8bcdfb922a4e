//! Session tickets (RFC 5077; RFC 8446, 4.6.1) that every thread, and the next reactor as well, can
//! open.
//!
//! Keys are not kept but derived: from one secret, which is made before the reactor is forked, and
//! from the hour of the clock. So they change by themselves, everywhere at once, without a word
//! between threads or processes. A ticket is accepted in its own period and in the next; then the
//! client gets a new one by a full handshake. With TLS 1.3 every resumption agrees on new keys all
//! the same, so that a secret that leaks does not open what was recorded.

use std::time::{SystemTime, UNIX_EPOCH};

use boring::error::ErrorStack;
use boring::hash::MessageDigest;
use boring::rand::rand_bytes;
use boring::ssl::{SslContextBuilder, TicketKeyCallbackResult};
use boring::symm::Cipher;

use crate::secret::Secret;

/// How long tickets are sealed with the same key, in seconds. Half of what the clients' tickets live
/// at most, as a key opens tickets for one period more.
const PERIOD_SECONDS: u64 = 12 * 3600;

/// What session tickets are sealed with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketSecret(Secret);

/// The keys of one period.
struct Keys {
    name: [u8; 16],
    cipher: [u8; 32],
    mac: [u8; 32],
}

impl TicketSecret {
    fn keys(&self, period: u64) -> Result<Keys, ErrorStack> {
        let derive = |purpose: &[u8]| self.0.derive(purpose, &period.to_be_bytes());
        let mut name = [0; 16];
        name.copy_from_slice(&derive(b"ticket name")?[..16]);
        Ok(Keys { name, cipher: derive(b"ticket cipher")?, mac: derive(b"ticket mac")? })
    }

    /// The keys by which to open a ticket of this name, and whether they are still the current ones.
    fn find(&self, name: &[u8; 16], period: u64) -> Result<Option<(Keys, bool)>, ErrorStack> {
        for (candidate, current) in [(period, true), (period.saturating_sub(1), false)] {
            let keys = self.keys(candidate)?;
            if boring::memcmp::eq(&keys.name, name) {
                return Ok(Some((keys, current)));
            }
        }
        Ok(None)
    }
}

/// Has tickets sealed and opened with this secret.
pub(crate) fn install(builder: &mut SslContextBuilder, secret: &TicketSecret) {
    let secret = secret.clone();
    // SAFETY: as the library asks, the callback fills name and vector and sets both contexts up when
    // it seals, sets both up when it opens, and in every other case returns that it did not.
    unsafe {
        builder.set_ticket_key_callback(move |_, name, iv, cipher, mac, seal| {
            let period = period();
            let done = if seal {
                secret.keys(period).and_then(|keys| {
                    *name = keys.name;
                    rand_bytes(iv)?;
                    cipher.init_encrypt(&Cipher::aes_256_cbc(), &keys.cipher, iv)?;
                    mac.init(&keys.mac, &MessageDigest::sha256())?;
                    Ok(TicketKeyCallbackResult::Success)
                })
            } else {
                secret.find(name, period).and_then(|found| {
                    let Some((keys, current)) = found else {
                        return Ok(TicketKeyCallbackResult::Noop);
                    };
                    mac.init(&keys.mac, &MessageDigest::sha256())?;
                    cipher.init_decrypt(&Cipher::aes_256_cbc(), &keys.cipher, iv)?;
                    Ok(match current {
                        true => TicketKeyCallbackResult::Success,
                        false => TicketKeyCallbackResult::DecryptSuccessRenew,
                    })
                })
            };
            done.unwrap_or(TicketKeyCallbackResult::Error)
        });
    }
}

fn period() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_1970.as_secs() / PERIOD_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_open_their_own_period_and_the_next() {
        let secret = TicketSecret::default();
        let sealed = secret.keys(100).unwrap();
        let found = |period| secret.find(&sealed.name, period).unwrap();
        assert!(found(100).is_some_and(|(keys, current)| current && keys.mac == sealed.mac));
        assert!(found(101).is_some_and(|(keys, current)| !current && keys.cipher == sealed.cipher));
        assert!(found(102).is_none());
        let other = TicketSecret::default();
        assert!(other.find(&sealed.name, 100).unwrap().is_none());
    }
}
