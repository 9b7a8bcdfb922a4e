//! Requests: from what `h2` has decoded to a head and trailers.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Method};
use wire::head::{Origin, Scheme};
use wire::limits::FIELD_NAME_BYTES_MAX;
use wire::{Fields, FieldsBuilder, RequestHead, Version};

use crate::protocol::error::Fault;
use crate::protocol::h1::target;
use crate::protocol::message;
use crate::protocol::settings::HttpSettings;

/// A request's head, and what the protocol itself needs to know of it.
#[derive(Debug)]
pub struct Head {
    /// The head, as workers see it.
    pub head: RequestHead,
    /// The client waits for a 100 before it sends the content.
    pub expects_continue: bool,
}

/// Turns a request into a head. `h2` has refused what is malformed (RFC 9113, 8.1.1): pseudo-fields
/// that are missing, repeated or unknown, and fields of the connection (8.2.2). What is refused here
/// is what the server will not do.
pub fn head(
    parts: http::request::Parts,
    origin: Origin,
    scheme: Scheme,
    settings: &HttpSettings,
) -> Result<Head, Fault> {
    // RFC 9110, 9.3.6: a server that has no use for CONNECT answers 501.
    if parts.method == Method::CONNECT {
        return Err(Fault::Connect);
    }
    let (path, query) = path(&parts, settings)?;
    check_length(&parts.headers, settings)?;
    let expects_continue = expects_continue(&parts.headers)?;
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let fields = fields(&parts.headers, authority, settings)?;
    let version = Version::Http2;
    let method = parts.method;
    let head = RequestHead { method, path, query, version, scheme, fields, origin, tls: None };
    Ok(Head { head, expects_continue })
}

/// Path and query as slices of one text.
fn path(
    parts: &http::request::Parts,
    settings: &HttpSettings,
) -> Result<(Bytes, Option<Bytes>), Fault> {
    let text = parts.uri.path_and_query().ok_or(Fault::Target)?.as_str().as_bytes();
    if text.len() > settings.request_line_bytes_max {
        return Err(Fault::RequestLineTooLong);
    }
    let target = target::parse(&parts.method, text)?;
    match (target.path, target.authority) {
        // RFC 9113, 8.3.1: `:path` is a path and a query, and nothing else.
        (target::Path::Sent(path), None) => {
            let text = Bytes::copy_from_slice(text);
            Ok((text.slice(path), target.query.map(|query| text.slice(query))))
        }
        _ => Err(Fault::Target),
    }
}

/// One line with one number, as in HTTP/1; `h2` holds the content to it (RFC 9113, 8.1.1).
fn check_length(headers: &HeaderMap, settings: &HttpSettings) -> Result<(), Fault> {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let Some(value) = lines.next() else { return Ok(()) };
    let length = message::content_length(value.as_bytes()).ok_or(Fault::ContentLength)?;
    if lines.next().is_some() {
        return Err(Fault::ContentLength);
    }
    if length > settings.body_bytes_max { Err(Fault::ContentTooLarge) } else { Ok(()) }
}

/// RFC 9110, 10.1.1.
fn expects_continue(headers: &HeaderMap) -> Result<bool, Fault> {
    let mut any = false;
    for value in headers.get_all(EXPECT) {
        if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") {
            return Err(Fault::Expectation);
        }
        any = true;
    }
    Ok(any)
}

/// Field lines, `host` first: it holds the authority (RFC 9113, 8.3.1).
fn fields(
    headers: &HeaderMap,
    authority: Option<&[u8]>,
    settings: &HttpSettings,
) -> Result<Fields, Fault> {
    if headers.len() > settings.http2_header_count_max() {
        return Err(Fault::FieldsTooLarge);
    }
    let text: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if text > settings.header_bytes_max {
        return Err(Fault::FieldsTooLarge);
    }
    let mut fields = FieldsBuilder::with_capacity(headers.len() + 1, text + 64);
    fields.push(b"host", host(headers, authority)?);
    for name in headers.keys().filter(|name| **name != HOST && **name != COOKIE) {
        if name.as_str().len() > FIELD_NAME_BYTES_MAX {
            return Err(Fault::FieldsTooLarge);
        }
        for value in headers.get_all(name) {
            fields.push(name.as_str().as_bytes(), value.as_bytes());
        }
    }
    match cookie(headers) {
        Crumbs::None => {}
        Crumbs::One(value) => fields.push(b"cookie", value.as_bytes()),
        Crumbs::Joined(value) => fields.push(b"cookie", &value),
    }
    Ok(fields.build())
}

/// The authority. A `Host` beside it must say the same (RFC 9113, 8.3.1).
fn host<'a>(headers: &'a HeaderMap, authority: Option<&'a [u8]>) -> Result<&'a [u8], Fault> {
    let mut lines = headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    let line = lines.next();
    let differs = matches!((line, authority), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b));
    match authority.or(line) {
        Some(host) if !differs && lines.next().is_none() && target::is_authority(host) => Ok(host),
        _ => Err(Fault::Host),
    }
}

enum Crumbs<'a> {
    None,
    One(&'a HeaderValue),
    Joined(Vec<u8>),
}

/// The cookie, which a client may send in pieces (RFC 9113, 8.2.3).
fn cookie(headers: &HeaderMap) -> Crumbs<'_> {
    let mut crumbs = headers.get_all(COOKIE).iter();
    match (crumbs.next(), crumbs.next()) {
        (None, _) => Crumbs::None,
        (Some(one), None) => Crumbs::One(one),
        (Some(one), Some(two)) => {
            let all = [one, two].into_iter().chain(crumbs).map(HeaderValue::as_bytes);
            Crumbs::Joined(all.collect::<Vec<_>>().join(&b"; "[..]))
        }
    }
}

/// Trailers. Fields that must not be there are dropped (RFC 9110, 6.5.1).
pub fn trailers(trailers: &HeaderMap) -> Option<Fields> {
    let fields: Fields = trailers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
        .filter(|(name, _)| message::may_trail(name) && name.len() <= FIELD_NAME_BYTES_MAX)
        .collect();
    (!fields.is_empty()).then_some(fields)
}
