//! [`Code`]: what a stream or a connection ends with.

/// An error code of HTTP/3 (RFC 9114, 8.1) or QPACK (RFC 9204, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Code {
    /// There is nothing wrong: what is left is of no use.
    NoError = 0x100,
    /// A rule was broken that has no code of its own.
    GeneralProtocolError = 0x101,
    /// Something went wrong here.
    InternalError = 0x102,
    /// A stream that the client must not open, or a second one of a kind that there is one of.
    StreamCreationError = 0x103,
    /// A stream has ended that has to last as long as the connection.
    ClosedCriticalStream = 0x104,
    /// A frame is where it must not be.
    FrameUnexpected = 0x105,
    /// A frame is not laid out as its type says, or is cut off.
    FrameError = 0x106,
    /// Work that serves nobody.
    ExcessiveLoad = 0x107,
    /// A stream or a push has an id that it cannot have.
    IdError = 0x108,
    /// A setting that must not be sent, or with a value that it cannot have.
    SettingsError = 0x109,
    /// The control stream does not begin with SETTINGS.
    MissingSettings = 0x10a,
    /// Nothing was done of the request: it may be sent again.
    RequestRejected = 0x10b,
    /// The response is not wanted any more, or not to be had.
    RequestCancelled = 0x10c,
    /// The stream ended before there was a request.
    RequestIncomplete = 0x10d,
    /// A message is malformed.
    MessageError = 0x10e,
    /// A field section that cannot be decoded.
    DecompressionFailed = 0x200,
    /// An instruction on the encoder stream that makes no sense.
    EncoderStreamError = 0x201,
    /// An instruction on the decoder stream that makes no sense.
    DecoderStreamError = 0x202,
}
