//! [`ProtocolError`]: what was wrong, who is to blame, and how far the damage reaches.

use std::fmt;

use http::StatusCode;

use super::StreamId;
use super::flood::Flood;

/// A message that broke a rule. The protocol has answered it already; this is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProtocolError {
    /// How far the damage reaches.
    pub scope: ErrorScope,
    /// The status that the client got, or would have got if nothing had been sent before.
    pub status: StatusCode,
    /// The rule.
    pub reason: Fault,
    /// The stream of the request, where that is known and has its head.
    pub stream: Option<StreamId>,
}

/// What an error ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorScope {
    /// One request and its response; the connection goes on.
    Stream,
    /// The connection.
    Connection,
}

/// Whose fault it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The client's.
    Client,
    /// The handler's, whose response cannot be sent.
    Handler,
}

impl ProtocolError {
    /// An error that ends the connection.
    pub fn connection(reason: Fault) -> Self {
        Self { scope: ErrorScope::Connection, status: reason.status(), reason, stream: None }
    }

    /// An error that ends one request.
    pub fn stream(reason: Fault) -> Self {
        Self { scope: ErrorScope::Stream, status: reason.status(), reason, stream: None }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status.as_u16(), self.reason)
    }
}

impl std::error::Error for ProtocolError {}

/// A broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Not `method SP target SP version CRLF` (RFC 9112, 3).
    RequestLine,
    /// The method is not a token (RFC 9110, 9.1).
    Method,
    /// CONNECT asks for a tunnel (RFC 9110, 9.3.6).
    Connect,
    /// A target in none of the four forms, or in one that its method excludes (RFC 9112, 3.2).
    Target,
    /// A target or `:scheme` of another scheme than the connection's (RFC 9110, 7.4).
    Scheme,
    /// An authority that no certificate of the port is for (RFC 9110, 15.5.20).
    Misdirected,
    /// A major version other than 1 (RFC 9110, 2.5).
    Version,
    /// A line feed without a carriage return, or the reverse (RFC 9112, 2.2).
    LineEnd,
    /// A field line that is not `token ":" OWS value OWS` (RFC 9112, 5).
    FieldLine,
    /// No `Host` on HTTP/1.1, several, or one that is no authority (RFC 9112, 3.2).
    Host,
    /// `Content-Length` is no number or not alone (RFC 9112, 6.3).
    ContentLength,
    /// `Transfer-Encoding` beside `Content-Length`, on HTTP/1.0, or not ending in `chunked` exactly
    /// once (RFC 9112, 6.1 and 6.3).
    TransferEncoding,
    /// A transfer coding before `chunked` (RFC 9112, 6.1).
    TransferCoding,
    /// An expectation other than `100-continue` (RFC 9110, 10.1.1).
    Expectation,
    /// Malformed chunk (RFC 9112, 7.1).
    Chunk,
    /// More chunk extensions than anybody needs (RFC 9112, 7.1.1).
    ChunkExtension,
    /// The request line is longer than allowed.
    RequestLineTooLong,
    /// More field lines, or longer ones, than allowed.
    FieldsTooLarge,
    /// More content than allowed.
    ContentTooLarge,
    /// The head did not arrive in time.
    HeadTimeout,
    /// The content stopped arriving.
    ContentTimeout,
    /// A frame that breaks the rules of the connection (RFC 9113, 5.4.1).
    Frame,
    /// A request that is malformed, larger than allowed, or one too many at a time (RFC 9113, 5.1.2
    /// and 8.1.1).
    Request,
    /// Work for the server that serves nobody (RFC 9113, 10.5).
    Flood(Flood),
    /// The client kept the window of its response shut (RFC 9113, 6.9).
    ResponseStalled,
    /// The response has a field that cannot be sent: no token, or a control character (RFC 9110, 5).
    ResponseField,
    /// The response's `Content-Length` is no number, or not the length of its content.
    ResponseLength,
    /// The response has a status that makes no sense here: 101 without an upgrade.
    ResponseStatus,
    /// Parts of the response came in an impossible order.
    ResponseOrder,
    /// A message that is malformed in a way that no answer is given to (RFC 9114, 4.1.2).
    Message,
    /// A request that is not safe to repeat came before the handshake was done (RFC 8470, 5.2).
    TooEarly,
    /// The handshake failed, or took too long.
    Handshake,
    /// What a trusted proxy says about its client is malformed (RFC 7239, 4).
    Forwarded,
    /// `Forwarded` and `X-Forwarded-*` say different things: one of them may be the client's own.
    ForwardedTwice,
}

impl Fault {
    /// The status to answer with (RFC 9110, 15).
    pub fn status(self) -> StatusCode {
        match self {
            Self::RequestLine
            | Self::Method
            | Self::Target
            | Self::Scheme
            | Self::LineEnd
            | Self::FieldLine
            | Self::Host
            | Self::ContentLength
            | Self::TransferEncoding
            | Self::Chunk
            | Self::ChunkExtension
            | Self::Frame
            | Self::Request
            | Self::Message
            | Self::Forwarded
            | Self::ForwardedTwice
            | Self::Handshake => StatusCode::BAD_REQUEST,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooEarly => StatusCode::TOO_EARLY,
            Self::Flood(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadTimeout | Self::ContentTimeout | Self::ResponseStalled => {
                StatusCode::REQUEST_TIMEOUT
            }
            Self::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RequestLineTooLong => StatusCode::URI_TOO_LONG,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::FieldsTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Connect | Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::ResponseField
            | Self::ResponseLength
            | Self::ResponseStatus
            | Self::ResponseOrder => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Who broke the rule.
    pub fn blame(self) -> Blame {
        match self {
            Self::ResponseField
            | Self::ResponseLength
            | Self::ResponseStatus
            | Self::ResponseOrder => Blame::Handler,
            _ => Blame::Client,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flood(flood) => return write!(f, "too much work for nothing: {flood}"),
            Self::RequestLine => "malformed request line",
            Self::Method => "invalid method",
            Self::Connect => "CONNECT is not served",
            Self::Target => "invalid request target",
            Self::Scheme => "request for another scheme than the connection's",
            Self::Misdirected => "no certificate of the port is for the host (ssl_check_authority)",
            Self::Version => "HTTP version not supported",
            Self::LineEnd => "line does not end in CRLF",
            Self::FieldLine => "malformed field line",
            Self::Host => "missing, repeated or invalid Host",
            Self::ContentLength => "invalid Content-Length",
            Self::TransferEncoding => "invalid Transfer-Encoding",
            Self::TransferCoding => "unknown transfer coding",
            Self::Expectation => "unknown expectation",
            Self::Chunk => "malformed chunk",
            Self::ChunkExtension => "chunk extensions too long",
            Self::RequestLineTooLong => "request line too long",
            Self::FieldsTooLarge => "header fields too large",
            Self::ContentTooLarge => "content too large",
            Self::HeadTimeout => "request head did not arrive in time",
            Self::ContentTimeout => "request content stopped arriving",
            Self::Frame => "frame out of order or malformed",
            Self::Request => "request malformed, too large, or one too many",
            Self::ResponseStalled => "the client does not take its response",
            Self::ResponseField => "response field cannot be sent",
            Self::ResponseLength => "response content is not as long as declared",
            Self::ResponseStatus => "response status is not possible here",
            Self::ResponseOrder => "response parts out of order",
            Self::Message => "malformed message",
            Self::TooEarly => "not safe to be sent before the handshake is done",
            Self::Handshake => "handshake failed",
            Self::Forwarded => "malformed Forwarded from a trusted proxy",
            Self::ForwardedTwice => {
                "Forwarded and X-Forwarded-* of a trusted proxy differ: have it remove what clients \
                 send, or name in forwarded_headers the ones that it sets"
            }
        })
    }
}
