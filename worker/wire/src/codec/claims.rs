//! Frames about detached exchanges, and who claims them.

use bytes::Bytes;

use super::kind::FrameKind;
use super::{Encoder, PoolId, ToReactor, ToWorker, decode};
use crate::claim::{ClaimSecret, Claimed};
use crate::error::CodecError;
use crate::exchange::ExchangeId;
use crate::head::{RequestHeadFrame, RequestHeadRef};

impl Encoder {
    /// Appends [`ToReactor::Detach`].
    pub fn detach(&mut self, exchange: ExchangeId, secret: ClaimSecret, state: &[u8]) {
        self.raw(FrameKind::Detach, 0, exchange, &[&secret.to_bytes()[..], state].concat());
    }

    /// Appends [`ToReactor::Claim`].
    pub fn claim(&mut self, exchange: ExchangeId, PoolId(pool): PoolId, secret: ClaimSecret) {
        let payload = [&pool.to_le_bytes()[..], &secret.to_bytes()].concat();
        self.raw(FrameKind::Claim, 0, exchange, &payload);
    }

    /// Appends [`ToWorker::Claimed`].
    pub(super) fn claimed(&mut self, exchange: ExchangeId, claimed: Option<&Claimed>) {
        match claimed {
            None => self.raw(FrameKind::Claimed, 0, exchange, &[]),
            Some(Claimed { head, state, window }) => {
                let payload = (*window, &state[..], RequestHeadRef::from(&**head));
                self.encoded(FrameKind::Claimed, 0, exchange, payload);
            }
        }
    }
}

/// What a worker says of a detached exchange.
pub(super) fn to_reactor(kind: &FrameKind, payload: &Bytes) -> Result<ToReactor, CodecError> {
    match kind {
        FrameKind::Detach => {
            let (secret, state) = secret(payload)?;
            Ok(ToReactor::Detach { secret, state: payload.slice_ref(state) })
        }
        _ => {
            let (pool, rest) = payload.split_first_chunk().ok_or(CodecError::Payload)?;
            let (secret, []) = secret(rest)? else { return Err(CodecError::Payload) };
            Ok(ToReactor::Claim { pool: PoolId(u16::from_le_bytes(*pool)), secret })
        }
    }
}

/// What the reactor answers to that.
pub(super) fn to_worker(kind: &FrameKind, payload: &Bytes) -> Result<ToWorker, CodecError> {
    match kind {
        FrameKind::Detached => match payload[..] {
            [yes @ (0 | 1)] => Ok(ToWorker::Detached(yes == 1)),
            _ => Err(CodecError::Payload),
        },
        _ if payload.is_empty() => Ok(ToWorker::Claimed(None)),
        _ => Ok(ToWorker::Claimed(Some(Box::new(claimed(payload)?)))),
    }
}

fn secret(payload: &[u8]) -> Result<(ClaimSecret, &[u8]), CodecError> {
    let (secret, rest) = payload.split_first_chunk().ok_or(CodecError::Payload)?;
    Ok((ClaimSecret::new(*secret), rest))
}

fn claimed(payload: &Bytes) -> Result<Claimed, CodecError> {
    let (window, state, head): (u32, &[u8], RequestHeadFrame<'_>) = decode(payload)?;
    let state = payload.slice_ref(state);
    Ok(Claimed { head: Box::new(head.into_head(payload)?), state, window })
}
