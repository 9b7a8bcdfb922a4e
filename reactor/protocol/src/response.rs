//! Responses of the versions that have streams: from a head and trailers to fields.

use http::header::{ALT_SVC, CONTENT_LENGTH, DATE, SERVER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use wire::{Fields, ResponseHead};

use super::error::Fault;
use super::message::{self, Shape};
use super::settings::HttpSettings;

/// A final head; [`message::shape`] has found it sendable. The reason phrase is dropped: there is
/// none (RFC 9113, 8.3.2; RFC 9114, 4.3.2).
pub fn head(
    head: &ResponseHead,
    shape: &Shape,
    settings: &HttpSettings,
    date: &[u8; 29],
) -> Result<Response<()>, Fault> {
    let mut headers = HeaderMap::with_capacity(head.fields.len() + 5);
    if let Some(server) = shape.server(settings) {
        headers.append(SERVER, value(server)?);
    }
    if let Some(alternative) = shape.alt_svc(settings) {
        headers.append(ALT_SVC, value(alternative)?);
    }
    if shape.adds_date() {
        headers.append(DATE, value(date)?);
    }
    append(&mut headers, &head.fields)?;
    if let Some(field) = &head.id_field {
        let name = HeaderName::from_bytes(&field.name).map_err(|_| Fault::ResponseField)?;
        headers.try_append(name, value(field.id.as_bytes())?).map_err(|_| Fault::ResponseField)?;
    }
    if let Some(length) = shape.content_length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response(head.status, headers))
}

/// An interim head.
pub fn interim(head: &ResponseHead) -> Result<Response<()>, Fault> {
    // 101 has no meaning without upgrades (RFC 9113, 8.6; RFC 9114, 4.5).
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Fault::ResponseStatus);
    }
    let mut headers = HeaderMap::with_capacity(head.fields.len());
    for (name, value) in head.fields.iter() {
        message::check_field(name, value)?;
    }
    append(&mut headers, &head.fields)?;
    Ok(response(head.status, headers))
}

/// Trailers; what must not be there is dropped.
pub fn trailers(fields: Option<&Fields>) -> Option<HeaderMap> {
    let mut trailers = HeaderMap::new();
    for (name, line) in fields?.iter() {
        let usable = message::may_trail(name) && message::check_field(name, line).is_ok();
        if let (true, Ok(name), Ok(line)) = (usable, HeaderName::from_bytes(name), value(line)) {
            // Too many for the table: the rest is left out, as what cannot be a trailer is.
            let _ = trailers.try_append(name, line);
        }
    }
    (!trailers.is_empty()).then_some(trailers)
}

fn append(headers: &mut HeaderMap, fields: &Fields) -> Result<(), Fault> {
    // `te` is a request's (RFC 9113, 8.2.2; RFC 9114, 4.2).
    let usable = |name: &[u8]| message::is_handlers_field(name) && name != b"te";
    for (name, line) in fields.iter().filter(|(name, _)| usable(name)) {
        let name = HeaderName::from_bytes(name).map_err(|_| Fault::ResponseField)?;
        headers.try_append(name, value(line)?).map_err(|_| Fault::ResponseField)?;
    }
    Ok(())
}

fn value(text: &[u8]) -> Result<HeaderValue, Fault> {
    // White space at the ends is no part of a value (RFC 9110, 5.5; RFC 9113, 8.2.1).
    HeaderValue::from_bytes(text.trim_ascii()).map_err(|_| Fault::ResponseField)
}

fn response(status: StatusCode, headers: HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
