//! What can be wrong with bytes on a link.

use std::fmt;

use crate::codec::Address;

/// A frame that the other process cannot have meant. The link is unusable behind it, but for
/// [`MissingDescriptor`](Self::MissingDescriptor).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecError {
    /// A frame longer than [`FRAME_BYTES_MAX`](crate::limits::FRAME_BYTES_MAX).
    TooLong(u32),
    /// A kind that does not exist in this direction.
    Kind(u8),
    /// A kind of address that does not exist, or that this kind of frame does not take.
    Address(u8),
    /// A head that does not decode.
    Head,
    /// A payload whose shape does not fit its kind.
    Payload,
    /// A frame that announces a file without a descriptor beside it. The one error that costs its
    /// exchange alone: the frame has been read, and the link goes on behind it. The process that reads
    /// may have no room for one more open file.
    MissingDescriptor {
        /// What lacks a part.
        address: Address,
        /// The frame's mark.
        mark: u8,
    },
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(len) => write!(f, "frame of {len} bytes is too long"),
            Self::Kind(kind) => write!(f, "unknown frame kind {kind}"),
            Self::Address(kind) => write!(f, "frame with an address of kind {kind}"),
            Self::Head => f.write_str("head does not decode"),
            Self::Payload => f.write_str("payload does not fit its frame kind"),
            Self::MissingDescriptor { .. } => f.write_str("file frame without a descriptor"),
        }
    }
}

impl std::error::Error for CodecError {}
