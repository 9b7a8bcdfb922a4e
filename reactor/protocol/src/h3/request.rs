//! What `quiche` has decoded of a request, as all versions with streams tell it.

use std::borrow::Cow;

use http::Method;
use quiche::h3::{Header, NameValue};
use wire::head::{Origin, Scheme};
use wire::{Fields, Version};

use crate::error::Fault;
use crate::message;
use crate::request::{self, ControlData, FieldLine, Head};
use crate::settings::HttpSettings;

/// Turns fields into a head. [`Fault::Message`] says that they are malformed (RFC 9114, 4.1.2). A
/// request that came before the handshake was done, and may therefore be a copy, says so to the
/// handler (RFC 8470, 5.1).
pub fn head(
    list: &[Header],
    early: bool,
    origin: Origin,
    settings: &HttpSettings,
) -> Result<Head, Fault> {
    let mut lines = Vec::with_capacity(list.len() + 1);
    let mut pseudo = Pseudo::default();
    for line in list {
        match line.name() {
            [b':', ..] if !lines.is_empty() => return Err(Fault::Message),
            [b':', name @ ..] => pseudo.take(name, line.value())?,
            // The client's own word for it gives way to what is known.
            b"early-data" if early => {}
            _ => lines.push(field(line)?),
        }
    }
    let control = pseudo.control(settings.upgrades)?;
    if early {
        // RFC 8470, 5.2: only what is safe to do twice (RFC 9110, 9.2.1).
        if !matches!(control.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Err(Fault::TooEarly);
        }
        lines.push((b"early-data", b"1"));
    }
    request::head(control, &lines, origin, settings)
}

/// Trailers, without what must not be there.
pub fn trailers(list: &[Header]) -> Result<Option<Fields>, Fault> {
    let lines = list.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Ok(request::trailers(lines.into_iter()))
}

/// How urgent the client finds the response (RFC 9218, 5). Several lines are one dictionary
/// (RFC 9651, 4.2).
pub fn priority(list: &[Header]) -> Option<Cow<'_, [u8]>> {
    let mut lines = list.iter().filter(|line| line.name() == b"priority").map(NameValue::value);
    let first = Cow::Borrowed(lines.next()?);
    Some(lines.fold(first, |before, line| Cow::Owned([&before[..], b", ", line].concat())))
}

/// One field line (RFC 9114, 4.2 and 10.3).
fn field(line: &Header) -> Result<FieldLine<'_>, Fault> {
    let (name, value) = (line.name(), line.value());
    let lower = !name.iter().any(u8::is_ascii_uppercase);
    if !lower || !message::is_token(name) || !message::is_field_text(value) {
        return Err(Fault::Message);
    }
    match name {
        b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding" | b"upgrade" => {
            Err(Fault::Message)
        }
        b"te" if !value.eq_ignore_ascii_case(b"trailers") => Err(Fault::Message),
        _ => Ok((name, value)),
    }
}

/// Pseudo-fields (RFC 9114, 4.3.1).
#[derive(Default)]
struct Pseudo<'a> {
    method: Option<&'a [u8]>,
    scheme: Option<&'a [u8]>,
    authority: Option<&'a [u8]>,
    path: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
}

impl<'a> Pseudo<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Fault> {
        let place = match name {
            b"method" => &mut self.method,
            b"scheme" => &mut self.scheme,
            b"authority" => &mut self.authority,
            b"path" => &mut self.path,
            b"protocol" => &mut self.protocol,
            _ => return Err(Fault::Message),
        };
        if place.replace(value).is_some() { Err(Fault::Message) } else { Ok(()) }
    }

    fn control(self, upgrades: bool) -> Result<ControlData<'a>, Fault> {
        let method = self.method.and_then(|method| Method::from_bytes(method).ok());
        let method = method.ok_or(Fault::Message)?;
        let extended = method == Method::CONNECT && self.protocol.is_some_and(message::is_token);
        if self.protocol.is_some() && !(extended && upgrades) {
            // RFC 9220, 3, and RFC 8441, 3: not before the server has said that it may.
            return Err(Fault::Message);
        }
        let complete = if method == Method::CONNECT && !extended {
            // RFC 9114, 4.4.
            self.authority.is_some() && self.scheme.is_none() && self.path.is_none()
        } else {
            self.scheme.is_some() && self.path.is_some_and(|path| !path.is_empty())
        };
        if !complete {
            return Err(Fault::Message);
        }
        let path = self.path.unwrap_or_default();
        let (version, scheme) = (Version::Http3, Scheme::Https);
        let Self { authority, scheme: named_scheme, protocol, .. } = self;
        Ok(ControlData { method, path, authority, protocol, version, named_scheme, scheme })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_may_take_several_lines() {
        let list = |values: &[&str]| -> Vec<Header> {
            let lines = values.iter().map(|value| Header::new(b"priority", value.as_bytes()));
            lines.chain([Header::new(b"x", b"u=0")]).collect()
        };
        let read = |values: &[&str]| {
            priority(&list(values)).map(|value| String::from_utf8_lossy(&value).into_owned())
        };
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["u=1"]).as_deref(), Some("u=1"));
        assert_eq!(read(&["u=1", "i", "u=2"]).as_deref(), Some("u=1, i, u=2"));
    }
}
