//! Reads the payloads of frames: numbers, and what bincode has written.

use super::CONFIG;
use crate::error::CodecError;

/// A number of 32 bits, and nothing else.
pub(super) fn number(payload: &[u8]) -> Result<u32, CodecError> {
    payload.try_into().map(u32::from_le_bytes).map_err(|_| CodecError::Payload)
}

/// A value, and nothing behind it.
pub(super) fn decode<'a, D: bincode::BorrowDecode<'a, ()>>(
    payload: &'a [u8],
) -> Result<D, CodecError> {
    let (value, used) =
        bincode::borrow_decode_from_slice(payload, CONFIG).map_err(|_| CodecError::Head)?;
    if used == payload.len() { Ok(value) } else { Err(CodecError::Payload) }
}
