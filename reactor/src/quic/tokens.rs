//! What the endpoint says without keeping anything: the tokens of Retry (RFC 9000, 8.1.2) and of
//! stateless reset (10.3). All is derived from one secret, so what one thread or one life of the
//! reactor has said, every other one understands.

use std::net::{IpAddr, SocketAddr};

use boring::rand::rand_bytes;
use boring::symm::{Cipher, decrypt_aead, encrypt_aead};
use wire::limits::QUIC_RETRY_AGE_MAX;

use super::cids::{CID_BYTES, Cid};
use crate::secret::Secret;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// Seals under what no other purpose uses.
const CONTEXT: &[u8] = b"ferrite retry 1";
/// When it expires, the client's address and port, the id that Retry has chosen.
const FIXED_BYTES: usize = 8 + 16 + 2 + CID_BYTES;
/// RFC 9000, 17.2.
const DCID_BYTES_MAX: usize = 20;

/// The shortest packet that looks like one (RFC 9000, 10.3).
const RESET_BYTES_MIN: usize = 21;
/// As long as a short packet of ours, so that it cannot be told from one.
const RESET_BYTES_MAX: usize = 43;

/// Makes and checks tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    secret: Secret,
}

/// What a client's token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressToken {
    /// Ours, and for this client: the destination of its very first packet.
    Valid {
        /// The id that the client had chosen before it was sent away.
        original: Vec<u8>,
    },
    /// Ours, but too old, or of another client.
    Stale,
    /// Not ours: of another server that was here before, perhaps. As good as none.
    Foreign,
}

impl Tokens {
    /// Tokens by this secret.
    pub fn new(secret: Secret) -> Self {
        Self { secret }
    }

    /// A token for the client at `from`, which has sent a first packet to `original` and is told to
    /// come back to `retried`. `now` in seconds since 1970.
    pub fn seal(
        &self,
        from: SocketAddr,
        original: &[u8],
        retried: &Cid,
        now: u64,
    ) -> Option<Vec<u8>> {
        let mut plain = Vec::with_capacity(FIXED_BYTES + original.len());
        plain.extend_from_slice(&(now + QUIC_RETRY_AGE_MAX.as_secs()).to_be_bytes());
        plain.extend_from_slice(&address(from));
        plain.extend_from_slice(retried);
        plain.extend_from_slice(original);
        let mut token = vec![0; NONCE_BYTES];
        let mut tag = [0; TAG_BYTES];
        rand_bytes(&mut token).ok()?;
        let key = self.secret.derive(CONTEXT, b"").ok()?;
        let cipher = Cipher::aes_256_gcm();
        let sealed = encrypt_aead(cipher, &key, Some(&token), CONTEXT, &plain, &mut tag).ok()?;
        token.extend_from_slice(&sealed);
        token.extend_from_slice(&tag);
        Some(token)
    }

    /// What a token is that came from `from` in a packet to `dcid`. `now` in seconds since 1970.
    pub fn open(&self, token: &[u8], from: SocketAddr, dcid: &[u8], now: u64) -> AddressToken {
        let Some(plain) = self.unseal(token) else { return AddressToken::Foreign };
        let (fixed, original) = plain.split_at(FIXED_BYTES);
        let (expires, rest) = fixed.split_at(8);
        let (client, retried) = rest.split_at(18);
        let expires = u64::from_be_bytes(expires.try_into().unwrap_or_default());
        if now > expires || client != address(from) || retried != dcid {
            return AddressToken::Stale;
        }
        AddressToken::Valid { original: original.to_vec() }
    }

    fn unseal(&self, token: &[u8]) -> Option<Vec<u8>> {
        let most = NONCE_BYTES + FIXED_BYTES + DCID_BYTES_MAX + TAG_BYTES;
        if token.len() > most {
            return None;
        }
        let (nonce, rest) = token.split_at_checked(NONCE_BYTES)?;
        let (sealed, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_BYTES)?)?;
        let key = self.secret.derive(CONTEXT, b"").ok()?;
        let cipher = Cipher::aes_256_gcm();
        let plain = decrypt_aead(cipher, &key, Some(nonce), CONTEXT, sealed, tag).ok()?;
        (plain.len() >= FIXED_BYTES).then_some(plain)
    }

    /// The token by which a client knows that a reset of the connection with this id is ours.
    pub fn reset(&self, cid: &[u8]) -> Option<u128> {
        let key = self.secret.derive(b"ferrite stateless reset", cid).ok()?;
        key.first_chunk().map(|token| u128::from_be_bytes(*token))
    }

    /// A stateless reset, as the answer to a packet of so many bytes to `cid`. Always shorter than
    /// that, so that two endpoints cannot go on forever (RFC 9000, 10.3.3).
    pub fn reset_packet(&self, cid: &[u8], answered: usize) -> Option<Vec<u8>> {
        let len = answered.checked_sub(1)?.min(RESET_BYTES_MAX);
        if len < RESET_BYTES_MIN {
            return None;
        }
        let mut packet = vec![0; len];
        rand_bytes(&mut packet).ok()?;
        // A short header with the fixed bit (RFC 9000, 17.3.1).
        packet[0] = packet[0] & 0x3f | 0x40;
        packet[len - 16..].copy_from_slice(&self.reset(cid)?.to_be_bytes());
        Some(packet)
    }
}

fn address(of: SocketAddr) -> [u8; 18] {
    let ip = match of.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut bytes = [0; 18];
    bytes[..16].copy_from_slice(&ip.octets());
    bytes[16..].copy_from_slice(&of.port().to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quic::cids;

    const HERE: ([u8; 4], u16) = ([192, 0, 2, 1], 1000);

    #[test]
    fn a_token_is_for_one_client_and_a_while() {
        let tokens = Tokens::new(Secret::default());
        let (from, retried) = (SocketAddr::from(HERE), cids::choose(0, 1));
        let token = tokens.seal(from, b"original", &retried, 1000).unwrap();
        let open = |from: SocketAddr, dcid: &[u8], now| tokens.open(&token, from, dcid, now);
        let valid = AddressToken::Valid { original: b"original".to_vec() };
        assert_eq!(open(from, &retried, 1000), valid);
        let last = 1000 + QUIC_RETRY_AGE_MAX.as_secs();
        assert_eq!(open(from, &retried, last), valid);
        assert_eq!(open(from, &retried, last + 1), AddressToken::Stale);
        assert_eq!(open((HERE.0, 1001).into(), &retried, 1000), AddressToken::Stale);
        assert_eq!(open(([192, 0, 2, 2], HERE.1).into(), &retried, 1000), AddressToken::Stale);
        assert_eq!(open(from, &cids::choose(0, 1), 1000), AddressToken::Stale);
    }

    #[test]
    fn what_others_have_sealed_is_no_token() {
        let tokens = Tokens::new(Secret::default());
        let (from, retried) = (SocketAddr::from(HERE), cids::choose(0, 1));
        let token = tokens.seal(from, b"original", &retried, 1000).unwrap();
        let other = Tokens::new(Secret::default());
        assert_eq!(other.open(&token, from, &retried, 1000), AddressToken::Foreign);
        for at in 0..token.len() {
            let mut broken = token.clone();
            broken[at] ^= 1;
            assert_eq!(tokens.open(&broken, from, &retried, 1000), AddressToken::Foreign, "{at}");
            assert_eq!(
                tokens.open(&token[..at], from, &retried, 1000),
                AddressToken::Foreign,
                "{at}"
            );
        }
        assert_eq!(tokens.open(&[0; 2000], from, &retried, 1000), AddressToken::Foreign);
        // The same secret, in another thread or life.
        let heir = Tokens::new(tokens.secret.clone());
        assert!(matches!(heir.open(&token, from, &retried, 1000), AddressToken::Valid { .. }));
    }

    #[test]
    fn a_reset_is_shorter_than_what_it_answers() {
        let tokens = Tokens::new(Secret::default());
        let cid = cids::choose(0, 1);
        assert_eq!(tokens.reset_packet(&cid, RESET_BYTES_MIN), None);
        assert_eq!(tokens.reset_packet(&cid, 0), None);
        for answered in [22, 30, 43, 44, 1200] {
            let packet = tokens.reset_packet(&cid, answered).unwrap();
            assert!(packet.len() < answered && packet.len() >= RESET_BYTES_MIN);
            assert_eq!(packet[0] & 0xc0, 0x40);
            let token = tokens.reset(&cid).unwrap().to_be_bytes();
            assert_eq!(packet[packet.len() - 16..], token);
        }
        assert_ne!(tokens.reset(&cid), tokens.reset(&cids::choose(0, 1)));
    }
}
