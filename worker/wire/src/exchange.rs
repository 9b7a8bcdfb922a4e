//! [`ExchangeId`]: the name of one request/response pair on a link.

use std::fmt;

/// Names an exchange: a slot in the table of one reactor thread, and the generation of that slot,
/// so that an answer that comes late never reaches the slot's next tenant.
///
/// 62 bits are used (24 slot, 38 generation): two are left for the state of a started mark.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExchangeId(u64);

const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
const GENERATION_MASK: u64 = (1 << 38) - 1;

impl ExchangeId {
    /// Slots a table may have: 16,777,216 exchanges in flight per reactor thread.
    pub const SLOT_MAX: u32 = SLOT_MASK as u32;

    /// The id of `generation` of `slot`; both are cut to their width.
    pub fn new(slot: u32, generation: u64) -> Self {
        Self((generation & GENERATION_MASK) << SLOT_BITS | u64::from(slot) & SLOT_MASK)
    }

    /// The slot.
    pub fn slot(self) -> usize {
        (self.0 & SLOT_MASK) as usize
    }

    /// The generation.
    pub fn generation(self) -> u64 {
        self.0 >> SLOT_BITS
    }

    /// The number on the wire; below 2^62.
    pub fn to_u64(self) -> u64 {
        self.0
    }

    /// The inverse of [`to_u64`](Self::to_u64).
    pub fn from_u64(value: u64) -> Self {
        Self(value & (GENERATION_MASK << SLOT_BITS | SLOT_MASK))
    }
}

impl fmt::Debug for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot(), self.generation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_and_generation_survive() {
        let id = ExchangeId::new(0x12_3456, 0x3f_ffff_ffff);
        assert_eq!((id.slot(), id.generation()), (0x12_3456, 0x3f_ffff_ffff));
        assert!(id.to_u64() < 1 << 62);
        assert_eq!(ExchangeId::from_u64(id.to_u64()), id);
    }
}
