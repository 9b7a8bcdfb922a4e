//! What `h2` has decoded of a request, as all versions with streams tell it.

use http::HeaderMap;
use wire::head::{Origin, Scheme};
use wire::{Fields, Version};

use crate::error::Fault;
use crate::request::{self, ControlData, Head};
use crate::settings::HttpSettings;

/// Turns a request into a head. `h2` has refused what is malformed (RFC 9113, 8.1.1 and 8.2.2).
pub fn head(
    parts: http::request::Parts,
    origin: Origin,
    scheme: Scheme,
    settings: &HttpSettings,
) -> Result<Head, Fault> {
    let path = parts.uri.path_and_query().map_or(&b""[..], |path| path.as_str().as_bytes());
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let version = Version::Http2;
    let named_scheme = parts.uri.scheme_str().map(str::as_bytes);
    let protocol = parts.extensions.get::<h2::ext::Protocol>().map(|name| name.as_str().as_bytes());
    let method = parts.method;
    let control = ControlData { method, path, authority, protocol, version, named_scheme, scheme };
    let lines: Vec<_> = lines(&parts.headers).collect();
    request::head(control, &lines, origin, settings)
}

/// Trailers, without what must not be there.
pub fn trailers(trailers: &HeaderMap) -> Option<Fields> {
    request::trailers(lines(trailers))
}

fn lines(headers: &HeaderMap) -> impl Iterator<Item = request::FieldLine<'_>> {
    headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
}
