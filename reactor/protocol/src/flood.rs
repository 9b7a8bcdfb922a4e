//! [`Flood`]: work for the server that serves nobody, by the version of HTTP and what it is made of.

use std::fmt;

/// What the connection was flooded with. Packets of QUIC are encrypted, so what is in them is known of
/// requests alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flood {
    /// Streams that are opened and reset at once, by the client or because of its errors.
    Http2Reset,
    /// PING.
    Http2Ping,
    /// SETTINGS.
    Http2Settings,
    /// DATA and CONTINUATION with little or nothing in them.
    Http2EmptyFrame,
    /// Fields without end, packed or in CONTINUATION.
    Http2Header,
    /// Frames of other types: PRIORITY, WINDOW_UPDATE, unknown ones.
    Http2Other,
    /// Requests that are reset at once, by the client or because of its errors.
    Http3Reset,
    /// All other packets.
    Http3Other,
}

impl Flood {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Http2Reset,
        Self::Http2Ping,
        Self::Http2Settings,
        Self::Http2EmptyFrame,
        Self::Http2Header,
        Self::Http2Other,
        Self::Http3Reset,
        Self::Http3Other,
    ];
}

impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http2Reset | Self::Http3Reset => "requests that are reset",
            Self::Http2Ping => "PING",
            Self::Http2Settings => "SETTINGS",
            Self::Http2EmptyFrame => "empty frames",
            Self::Http2Header => "header fields",
            Self::Http2Other => "frames that carry nothing",
            Self::Http3Other => "packets that carry nothing",
        })
    }
}
