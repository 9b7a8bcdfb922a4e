//! The heads of a request and of a response.

use std::net::SocketAddr;
use std::num::NonZeroU16;

use bincode::{BorrowDecode, Encode};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::error::CodecError;
use crate::fields::{FieldSpan, Fields};
use crate::ids::{RequestId, RequestIds, RequestIdsFrame};
use crate::tls::TlsInfo;

/// The protocol version of the message; data, never a branch above the protocol layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, BorrowDecode)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
    /// HTTP/3 (RFC 9114).
    Http3,
}

impl Version {
    /// What PHP sees in `server_protocol`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Http3 => "HTTP/3",
        }
    }
}

/// The scheme of the target URI (RFC 9110, 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub enum Scheme {
    /// Over a cleartext transport.
    Http,
    /// Over TLS or QUIC.
    Https,
}

impl Scheme {
    /// The scheme of this name, in upper or lower case (RFC 3986, 3.1).
    pub fn named(name: &[u8]) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str().as_bytes()))
    }

    /// The port of an authority that names none (RFC 9110, 4.2).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// What PHP sees in `request_scheme`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A request's control data and fields (RFC 9110, 6.2 and 6.3).
#[derive(Debug, Clone, PartialEq)]
pub struct RequestHead {
    /// The method token, upper or lower case as sent.
    pub method: Method,
    /// The path of the target, as sent; `*` for `OPTIONS *`.
    pub path: Bytes,
    /// What follows the `?`, if there is one.
    pub query: Option<Bytes>,
    /// The version of the message.
    pub version: Version,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Field lines. `host` holds the authority, whichever way the version carries it.
    pub fields: Fields,
    /// Where it came from.
    pub origin: Origin,
    /// The TLS it came by; `None` over a cleartext transport.
    pub tls: Option<TlsInfo>,
    /// Its ids, where somebody wants any.
    pub ids: RequestIds,
    /// Whether content follows that comes as far as the handler asks for it. Not told over a link,
    /// where the request that is streamed says so itself.
    pub streamed: bool,
    /// The protocol that the client would go on with on this stream, where the port accepts upgrades
    /// (RFC 9110, 7.8; RFC 8441, 4; RFC 9220, 3). It is of use within the reactor, and no worker is told.
    pub upgrade: Option<Box<[u8]>>,
}

/// The transport facts of a request: same for all requests of a connection but for the stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Encode, BorrowDecode)]
pub struct Origin {
    /// Names the connection: what Swoole calls `fd`.
    pub connection: u64,
    /// The stream within the connection; 0 on HTTP/1.
    pub stream: u64,
    /// Index of the port that accepted the connection, in the order of `listen()`.
    pub port: u16,
    /// The reactor thread.
    pub reactor: u16,
    /// The client's address; `None` on a Unix socket. Its port is 0 where a proxy has not told it.
    pub remote: Option<SocketAddr>,
    /// The address that the client connected to; `None` on a Unix socket.
    pub local: Option<SocketAddr>,
    /// Whether the connection is one of a proxy that the port trusts: what its requests say about
    /// their client holds.
    pub trusted_proxy: bool,
    /// The port of the target URI, as a trusted proxy says; `None`: that of `local`.
    pub server_port: Option<NonZeroU16>,
    /// When the head was complete, in microseconds since 1970-01-01 UTC.
    pub received_at: u64,
}

/// How long a response's content is, as far as the worker knows when it sends the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub enum BodyLength {
    /// Exactly so many bytes follow.
    Known(u64),
    /// The content ends with [`Part::End`](crate::Part::End).
    Streamed,
}

/// A response's control data and fields.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseHead {
    /// The status code; below 200 for an interim response.
    pub status: StatusCode,
    /// A reason phrase instead of the registered one; only HTTP/1 carries it.
    pub reason: Option<Bytes>,
    /// The length of the content that follows.
    pub length: BodyLength,
    /// Field lines as the handler set them, names in lower case.
    pub fields: Fields,
    /// The id of the request, where its client is to have it. It is of use within the reactor, and crosses no
    /// link; so the fields, which lie in one block, need not be copied for it.
    pub id_field: Option<Box<IdField>>,
}

/// A field with the id of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct IdField {
    /// Its name, in lower case: a token that means nothing to HTTP.
    pub name: Bytes,
    /// Its value.
    pub id: RequestId,
}

#[derive(Encode, BorrowDecode)]
pub(crate) struct RequestHeadFrame<'a> {
    method: &'a str,
    path: &'a [u8],
    query: Option<&'a [u8]>,
    version: Version,
    scheme: Scheme,
    origin: Origin,
    tls: Option<&'a [u8]>,
    ids: RequestIdsFrame<'a>,
    block: &'a [u8],
    spans: Vec<FieldSpan>,
}

impl<'a> RequestHeadFrame<'a> {
    pub(crate) fn into_head(self, payload: &Bytes) -> Result<RequestHead, CodecError> {
        Ok(RequestHead {
            method: Method::from_bytes(self.method.as_bytes()).map_err(|_| CodecError::Head)?,
            path: payload.slice_ref(self.path),
            query: self.query.map(|query| payload.slice_ref(query)),
            version: self.version,
            scheme: self.scheme,
            origin: self.origin,
            tls: self.tls.map(|tls| TlsInfo::from_bytes(payload.slice_ref(tls))),
            fields: Fields::from_block(payload.slice_ref(self.block), self.spans)
                .ok_or(CodecError::Head)?,
            ids: self.ids.into_ids(),
            streamed: false,
            upgrade: None,
        })
    }
}

#[derive(Encode, BorrowDecode)]
pub(crate) struct ResponseHeadFrame<'a> {
    status: u16,
    reason: Option<&'a [u8]>,
    length: BodyLength,
    block: &'a [u8],
    spans: Vec<FieldSpan>,
}

impl<'a> ResponseHeadFrame<'a> {
    pub(crate) fn into_head(self, payload: &Bytes) -> Result<ResponseHead, CodecError> {
        Ok(ResponseHead {
            status: StatusCode::from_u16(self.status).map_err(|_| CodecError::Head)?,
            reason: self.reason.map(|reason| payload.slice_ref(reason)),
            length: self.length,
            fields: Fields::from_block(payload.slice_ref(self.block), self.spans)
                .ok_or(CodecError::Head)?,
            id_field: None,
        })
    }
}

/// The borrowed shape that is encoded; its bytes are those of the frame above.
#[derive(Encode)]
pub(crate) struct RequestHeadRef<'a> {
    method: &'a str,
    path: &'a [u8],
    query: Option<&'a [u8]>,
    version: Version,
    scheme: Scheme,
    origin: Origin,
    tls: Option<&'a [u8]>,
    ids: RequestIdsFrame<'a>,
    block: &'a [u8],
    spans: &'a [FieldSpan],
}

impl<'a> From<&'a RequestHead> for RequestHeadRef<'a> {
    fn from(head: &'a RequestHead) -> Self {
        Self {
            method: head.method.as_str(),
            path: &head.path,
            query: head.query.as_deref(),
            version: head.version,
            scheme: head.scheme,
            origin: head.origin,
            tls: head.tls.as_ref().map(TlsInfo::as_bytes),
            ids: (&head.ids).into(),
            block: head.fields.block(),
            spans: head.fields.spans(),
        }
    }
}

/// The borrowed shape of a response head.
#[derive(Encode)]
pub(crate) struct ResponseHeadRef<'a> {
    status: u16,
    reason: Option<&'a [u8]>,
    length: BodyLength,
    block: &'a [u8],
    spans: &'a [FieldSpan],
}

impl<'a> From<&'a ResponseHead> for ResponseHeadRef<'a> {
    fn from(head: &'a ResponseHead) -> Self {
        Self {
            status: head.status.as_u16(),
            reason: head.reason.as_deref(),
            length: head.length,
            block: head.fields.block(),
            spans: head.fields.spans(),
        }
    }
}
