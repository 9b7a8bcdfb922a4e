//! What a frame of a link is about: its kind, as a number.

use super::address::AddressKind;
use crate::error::CodecError;

/// The kind of a frame.
#[repr(u8)]
pub(super) enum FrameKind {
    Head = 1,
    Body = 2,
    File = 3,
    End = 4,
    Abort = 5,
    Credit = 6,
    Opened = 7,
    Closed = 8,
    Block = 9,
    SetWindow = 10,
    Complete = 11,
    Streamed = 12,
    RequestCredit = 13,
    Close = 14,
    Detach = 15,
    Detached = 16,
    Claim = 17,
    Claimed = 18,
}

impl FrameKind {
    /// The inverse of `self as u8`.
    pub(super) fn from_u8(value: u8) -> Result<Self, CodecError> {
        Ok(match value {
            1 => Self::Head,
            2 => Self::Body,
            3 => Self::File,
            4 => Self::End,
            5 => Self::Abort,
            6 => Self::Credit,
            7 => Self::Opened,
            8 => Self::Closed,
            9 => Self::Block,
            10 => Self::SetWindow,
            11 => Self::Complete,
            12 => Self::Streamed,
            13 => Self::RequestCredit,
            14 => Self::Close,
            15 => Self::Detach,
            16 => Self::Detached,
            17 => Self::Claim,
            18 => Self::Claimed,
            other => return Err(CodecError::Kind(other)),
        })
    }

    /// What its frames name.
    pub(super) fn address(&self) -> AddressKind {
        match self {
            Self::Close => AddressKind::Connection,
            _ => AddressKind::Exchange,
        }
    }
}
