//! How the sources of readiness are told apart: one number per source.

use mio::Token;
use wire::PoolId;

use crate::handler::workers::scheduler::WorkerSlot;
use crate::slots::Key;

/// A source of readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A connection. Its generation is cut to [`GENERATION_BITS`] bits.
    Conn(Key),
    /// A link to a worker: its pool, and its place there.
    Link(PoolId, WorkerSlot),
    /// A listener, by the index of its port.
    Listener(usize),
    /// The thread's mailbox.
    Mail,
    /// The control socket.
    Control,
    /// The thread's UDP socket of the port with this index.
    Udp(usize),
}

const KIND_SHIFT: u32 = 60;
const SLOT_BITS: u32 = 28;
/// Below it is a link's place in its pool.
const POOL_SHIFT: u32 = 32;
/// Bits of a connection's generation in a token: enough that an event of a closed connection never
/// meets a later tenant within one turn of the event loop.
pub const GENERATION_BITS: u32 = KIND_SHIFT - SLOT_BITS;

/// The token of a source.
pub fn token(source: Source) -> Token {
    let (kind, rest) = match source {
        Source::Conn(key) => {
            let generation = key.generation & ((1 << GENERATION_BITS) - 1);
            (0, generation << SLOT_BITS | u64::from(key.slot))
        }
        Source::Link(PoolId(pool), slot) => (1, u64::from(pool) << POOL_SHIFT | slot as u64),
        Source::Listener(index) => (2, index as u64),
        Source::Mail => (3, 0),
        Source::Control => (4, 0),
        Source::Udp(index) => (5, index as u64),
    };
    Token((kind << KIND_SHIFT | rest) as usize)
}

impl From<Token> for Source {
    fn from(token: Token) -> Self {
        let value = token.0 as u64;
        let rest = value & ((1 << KIND_SHIFT) - 1);
        match value >> KIND_SHIFT {
            0 => Self::Conn(Key {
                slot: (rest & ((1 << SLOT_BITS) - 1)) as u32,
                generation: rest >> SLOT_BITS,
            }),
            1 => Self::Link(
                PoolId((rest >> POOL_SHIFT) as u16),
                (rest & ((1 << POOL_SHIFT) - 1)) as usize,
            ),
            2 => Self::Listener(rest as usize),
            3 => Self::Mail,
            4 => Self::Control,
            _ => Self::Udp(rest as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_survives() {
        let key = Key { slot: 12345, generation: 678 };
        for source in [
            Source::Conn(key),
            Source::Link(PoolId(0), 9),
            Source::Link(PoolId(u16::MAX), 1 << 20),
            Source::Listener(3),
            Source::Mail,
            Source::Control,
            Source::Udp(2),
        ] {
            assert_eq!(Source::from(token(source)), source);
        }
    }
}
