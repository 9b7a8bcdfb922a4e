//! [`ClaimToken`]: the name of a detached exchange, by which any worker may answer it.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use crate::codec::PoolId;
use crate::exchange::ExchangeId;
use crate::head::RequestHead;
use crate::hex::{self, Hex};

/// Who claims a detached exchange has to say this, which is chosen by chance for each of them.
#[derive(Clone, Copy)]
pub struct ClaimSecret([u8; Self::BYTES]);

impl ClaimSecret {
    /// Length in bytes: nobody finds a second one in the time of the universe.
    pub const BYTES: usize = 16;

    /// These bytes, which have to be random.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// Whether both are the same, in a time that does not tell how much of them is.
    pub fn is(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(differing) == 0
    }
}

impl fmt::Debug for ClaimSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimSecret(..)")
    }
}

/// Names a detached exchange. As text it is what PHP stores: [`ClaimToken::CHARS`] hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub struct ClaimToken {
    /// The pool whose worker has detached it.
    pub pool: PoolId,
    /// The reactor thread that holds it.
    pub thread: u16,
    /// The exchange, as that pool and thread know it.
    pub exchange: ExchangeId,
    /// What only those know who may answer it.
    pub secret: ClaimSecret,
}

impl ClaimToken {
    /// Length of the text.
    pub const CHARS: usize = 2 * Self::BYTES;
    const BYTES: usize = 2 + 2 + 8 + ClaimSecret::BYTES;
}

impl fmt::Display for ClaimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool: PoolId(pool), thread, exchange, secret } = self;
        let mut bytes = [0; Self::BYTES];
        bytes[..2].copy_from_slice(&pool.to_be_bytes());
        bytes[2..4].copy_from_slice(&thread.to_be_bytes());
        bytes[4..12].copy_from_slice(&exchange.to_u64().to_be_bytes());
        bytes[12..].copy_from_slice(&secret.0);
        Hex(&bytes).fmt(f)
    }
}

/// The text is no token of any server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoToken;

impl FromStr for ClaimToken {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        // In one case alone, so that an exchange has one name.
        let bytes: [u8; Self::BYTES] = hex::read(text.as_bytes()).ok_or(NoToken)?;
        let (pool, rest) = cut(&bytes)?;
        let (thread, rest) = cut(rest)?;
        let (exchange, secret) = cut(rest)?;
        let exchange = ExchangeId::from_u64(u64::from_be_bytes(exchange));
        let secret = ClaimSecret(*secret.first_chunk().ok_or(NoToken)?);
        let (pool, thread) = (PoolId(u16::from_be_bytes(pool)), u16::from_be_bytes(thread));
        Ok(Self { pool, thread, exchange, secret })
    }
}

fn cut<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), NoToken> {
    let (first, rest) = bytes.split_first_chunk().ok_or(NoToken)?;
    Ok((*first, rest))
}

/// What a worker is given that has claimed a detached exchange: all that it takes to answer.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The head of the request.
    pub head: Box<RequestHead>,
    /// How far the response had come, in the words of who detached it.
    pub state: Bytes,
    /// Content bytes that may be sent until there is credit for more.
    pub window: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_as_text_and_nothing_else_is_one() {
        let secret = ClaimSecret::new(std::array::from_fn(|at| at as u8 * 17));
        let exchange = ExchangeId::new(77, 3 << 32 | 9);
        let token = ClaimToken { pool: PoolId(1), thread: 63, exchange, secret };
        let text = token.to_string();
        assert_eq!(text.len(), ClaimToken::CHARS);
        let read: ClaimToken = text.parse().unwrap();
        assert_eq!((read.pool, read.thread, read.exchange), (PoolId(1), 63, exchange));
        assert!(read.secret.is(&secret));
        assert!(!format!("{token:?}").contains("11, 22"), "it is not told");
        for other in [&text[1..], &text.to_uppercase(), &format!("{text}0"), "", "é"] {
            assert!(other.parse::<ClaimToken>().is_err(), "{other}");
        }
        let foreign = text.replace(&text[54..], "00").parse::<ClaimToken>().unwrap();
        assert!(!foreign.secret.is(&secret));
    }
}
