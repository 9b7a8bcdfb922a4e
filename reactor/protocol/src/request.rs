//! Requests of the versions that have streams: from decoded fields to a head and trailers.

use bytes::Bytes;
use http::Method;
use wire::head::{Origin, Scheme};
use wire::limits::FIELD_NAME_BYTES_MAX;
use wire::{Fields, FieldsBuilder, RequestHead, RequestIds, Version};

use super::error::Fault;
use super::h1::target;
use super::message;
use super::settings::HttpSettings;

/// A field line: the name in lower case, and the value.
pub type FieldLine<'a> = (&'a [u8], &'a [u8]);

/// What pseudo-fields tell (RFC 9113, 8.3.1; RFC 9114, 4.3.1), and the connection: the control data
/// (RFC 9110, 6.2).
#[derive(Debug)]
pub struct ControlData<'a> {
    /// `:method`.
    pub method: Method,
    /// `:path`.
    pub path: &'a [u8],
    /// `:authority`.
    pub authority: Option<&'a [u8]>,
    /// `:protocol` (RFC 8441, 4; RFC 9220, 3), which comes with CONNECT alone.
    pub protocol: Option<&'a [u8]>,
    /// The version of the connection.
    pub version: Version,
    /// `:scheme`, where the client has sent it.
    pub named_scheme: Option<&'a [u8]>,
    /// The scheme of the connection.
    pub scheme: Scheme,
}

/// A request's head, and what the protocol itself needs to know of it.
#[derive(Debug)]
pub struct Head {
    /// The head, as workers see it.
    pub head: Box<RequestHead>,
    /// `Content-Length`.
    pub content_length: Option<u64>,
    /// The client waits for a 100 before it sends the content.
    pub expects_continue: bool,
}

/// Turns a request into a head. What is malformed was refused before (RFC 9113, 8.1.1; RFC 9114,
/// 4.1.2): pseudo-fields that are missing, repeated or unknown, and fields of the connection. What
/// is refused here is what the server will not do.
pub fn head(
    control: ControlData<'_>,
    lines: &[FieldLine<'_>],
    origin: Origin,
    settings: &HttpSettings,
) -> Result<Head, Fault> {
    // RFC 9110, 9.3.6: a server that has no use for CONNECT answers 501.
    let upgrade = control.protocol.filter(|_| settings.upgrades).map(Box::from);
    if control.method == Method::CONNECT && upgrade.is_none() {
        return Err(Fault::Connect);
    }
    let scheme = scheme(&control, &origin)?;
    let (path, query) = path(&control, settings)?;
    let content_length = content_length(lines, settings)?;
    let expects_continue = expects_continue(lines)?;
    let fields = fields(lines, control.authority, settings)?;
    let ControlData { method, version, .. } = control;
    let head = Box::new(RequestHead {
        method,
        path,
        query,
        version,
        scheme,
        fields,
        origin,
        tls: None,
        ids: RequestIds::NONE,
        streamed: false,
        upgrade,
    });
    Ok(Head { head, content_length, expects_continue })
}

/// A request for another scheme is for another origin, whatever the connection is (RFC 9110, 7.4). A
/// trusted proxy knows by which the client has come. Not over QUIC, where a sender's address may be
/// forged until the handshake is done.
fn scheme(control: &ControlData<'_>, origin: &Origin) -> Result<Scheme, Fault> {
    let Some(named) = control.named_scheme else { return Ok(control.scheme) };
    let named = Scheme::named(named).ok_or(Fault::Scheme)?;
    let may_differ = origin.trusted_proxy && control.version != Version::Http3;
    if named == control.scheme || may_differ { Ok(named) } else { Err(Fault::Scheme) }
}

/// Path and query as slices of one text.
fn path(
    control: &ControlData<'_>,
    settings: &HttpSettings,
) -> Result<(Bytes, Option<Bytes>), Fault> {
    let text = control.path;
    if text.len() > settings.request_line_bytes_max {
        return Err(Fault::RequestLineTooLong);
    }
    // That of extended CONNECT is as of other methods (RFC 8441, 4).
    let method = if control.protocol.is_some() { &Method::GET } else { &control.method };
    let target = target::parse(method, text)?;
    match (target.path, target.authority) {
        // RFC 9113, 8.3.1, and RFC 9114, 4.3.1: `:path` is a path and a query, and nothing else.
        (target::TargetPath::Sent(path), None) => {
            let text = Bytes::copy_from_slice(text);
            Ok((text.slice(path), target.query.map(|query| text.slice(query))))
        }
        _ => Err(Fault::Target),
    }
}

fn values<'a>(lines: &'a [FieldLine<'a>], wanted: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    lines.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| *value)
}

/// One line with one number, as in HTTP/1. That the content is as long is seen to where it arrives
/// (RFC 9113, 8.1.1; RFC 9114, 4.1.2).
fn content_length(lines: &[FieldLine<'_>], settings: &HttpSettings) -> Result<Option<u64>, Fault> {
    let mut found = values(lines, b"content-length");
    let Some(value) = found.next() else { return Ok(None) };
    let length = message::content_length(value).ok_or(Fault::ContentLength)?;
    if found.next().is_some() {
        return Err(Fault::ContentLength);
    }
    if length > settings.body_bytes_max { Err(Fault::ContentTooLarge) } else { Ok(Some(length)) }
}

/// RFC 9110, 10.1.1.
fn expects_continue(lines: &[FieldLine<'_>]) -> Result<bool, Fault> {
    let mut any = false;
    for value in values(lines, b"expect") {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Fault::Expectation);
        }
        any = true;
    }
    Ok(any)
}

/// Field lines, `host` first: it holds the authority (RFC 9113, 8.3.1; RFC 9114, 4.3.1).
fn fields(
    lines: &[FieldLine<'_>],
    authority: Option<&[u8]>,
    settings: &HttpSettings,
) -> Result<Fields, Fault> {
    if lines.len() > settings.field_lines_max() {
        return Err(Fault::FieldsTooLarge);
    }
    let text: usize = lines.iter().map(|(name, value)| name.len() + value.len()).sum();
    if text > settings.header_bytes_max {
        return Err(Fault::FieldsTooLarge);
    }
    let mut fields = FieldsBuilder::with_capacity(lines.len() + 1, text + 64);
    fields.push(b"host", host(lines, authority)?);
    for (name, value) in lines.iter().filter(|(name, _)| !matches!(*name, b"host" | b"cookie")) {
        if name.len() > FIELD_NAME_BYTES_MAX {
            return Err(Fault::FieldsTooLarge);
        }
        fields.push(name, value);
    }
    // A client may send the cookie in pieces (RFC 9113, 8.2.3; RFC 9114, 4.2.1).
    let mut crumbs = values(lines, b"cookie");
    match (crumbs.next(), crumbs.next()) {
        (None, _) => {}
        (Some(one), None) => fields.push(b"cookie", one),
        (Some(one), Some(two)) => {
            let all: Vec<_> = [one, two].into_iter().chain(crumbs).collect();
            fields.push(b"cookie", &all.join(&b"; "[..]));
        }
    }
    Ok(fields.build())
}

/// The authority. A `Host` beside it must say the same (RFC 9113, 8.3.1; RFC 9114, 4.3.1).
fn host<'a>(lines: &'a [FieldLine<'a>], authority: Option<&'a [u8]>) -> Result<&'a [u8], Fault> {
    let mut found = values(lines, b"host");
    let line = found.next();
    let differs = matches!((line, authority), (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b));
    match authority.or(line) {
        Some(host) if !differs && found.next().is_none() && target::is_authority(host) => Ok(host),
        _ => Err(Fault::Host),
    }
}

/// Trailers. Fields that must not be there are dropped (RFC 9110, 6.5.1).
pub fn trailers<'a>(lines: impl Iterator<Item = FieldLine<'a>>) -> Option<Fields> {
    let fields: Fields = lines
        .filter(|(name, _)| message::may_trail(name) && name.len() <= FIELD_NAME_BYTES_MAX)
        .collect();
    (!fields.is_empty()).then_some(fields)
}
