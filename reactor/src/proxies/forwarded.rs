//! What trusted proxies say in a request's fields: `Forwarded` (RFC 7239) and `X-Forwarded-*`.
//!
//! Every proxy adds to the right of what it has got, so the lists are read from there, as far as the
//! addresses are those of trusted proxies. What is left of the first other address was written by nobody
//! who is trusted. There is no standard for `X-Forwarded-*`; docs/proxies.md says how they are read here.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;

use smallvec::SmallVec;
use wire::{Fields, RequestHead, Scheme};

use super::{ForwardedFields, ProxySettings, TrustedProxies};
use crate::protocol::error::Fault;
use crate::protocol::h1::target::is_authority;
use crate::protocol::message::is_token;

/// What a list of fields says about the client.
#[derive(Debug, Default, PartialEq, Eq)]
struct Claims<'a> {
    client: Option<SocketAddr>,
    scheme: Option<Scheme>,
    host: Option<Cow<'a, [u8]>>,
    port: Option<u16>,
}

/// Whom a proxy has got a request from, as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hop {
    Address(SocketAddr),
    /// Somebody who has come by a Unix socket.
    Unix,
    /// `unknown`, an obfuscated identifier (RFC 7239, 6), or nothing that can be read.
    Unknown,
}

/// Puts what the trusted proxy says that has sent a request in the place of what is known of its
/// connection. The fields that said so stay.
pub fn apply(head: &mut RequestHead, settings: &ProxySettings) -> Result<(), Fault> {
    let trusted = &settings.trusted;
    let Claims { client, scheme, host, port } = match settings.fields {
        ForwardedFields::Forwarded => forwarded(&head.fields, trusted)?.unwrap_or_default(),
        ForwardedFields::XForwarded => x_forwarded(&head.fields, trusted).unwrap_or_default(),
        ForwardedFields::Either => {
            let of_x = x_forwarded(&head.fields, trusted);
            match (forwarded(&head.fields, trusted)?, of_x) {
                (Some(one), Some(other)) if !one.agrees_with(&other) => {
                    return Err(Fault::ForwardedTwice);
                }
                (one, other) => other.or(one).unwrap_or_default(),
            }
        }
    };
    let in_host = |authority: &[u8]| port_of(authority);
    let port = port.or_else(|| host.as_deref().and_then(in_host));
    let port = port.or_else(|| {
        let of_uri = scheme.map(|scheme| {
            let authority = head.fields.get(b"host").filter(|_| host.is_none());
            authority.and_then(in_host).unwrap_or(scheme.default_port())
        });
        of_uri.or_else(|| host.as_ref().map(|_| head.scheme.default_port()))
    });
    let host = host.map(Cow::into_owned);
    if let Some(host) = host
        && !head.fields.set(b"host", &host)
    {
        return Err(Fault::FieldsTooLarge);
    }
    head.origin.server_port = port.and_then(NonZeroU16::new);
    head.origin.remote = client.or(head.origin.remote);
    head.scheme = scheme.unwrap_or(head.scheme);
    Ok(())
}

impl Claims<'_> {
    /// Whether two say the same; a port may be told by one alone.
    fn agrees_with(&self, other: &Self) -> bool {
        let host = |claims: &Self| claims.host.as_deref().map(<[u8]>::to_ascii_lowercase);
        let ip = |claims: &Self| claims.client.map(|client| client.ip().to_canonical());
        (ip(self), self.scheme, host(self)) == (ip(other), other.scheme, host(other))
    }
}

/// Follows hops, the nearest first, as far as proxies are trusted: the client's address, as far as it
/// is known, and how many of them speak.
fn follow(
    hops: impl Iterator<Item = Hop>,
    trusted: &TrustedProxies,
) -> (Option<SocketAddr>, usize) {
    let (mut client, mut count) = (None, 0);
    for hop in hops {
        count += 1;
        let goes_on = match hop {
            Hop::Address(address) => {
                client = Some(address);
                trusted.trust_ip(address.ip())
            }
            Hop::Unix => trusted.trust(None),
            Hop::Unknown => false,
        };
        if !goes_on {
            break;
        }
    }
    (client, count)
}

/// `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`; `None` when there is none of them.
fn x_forwarded<'a>(fields: &'a Fields, trusted: &TrustedProxies) -> Option<Claims<'a>> {
    let hops = list(fields, b"x-forwarded-for");
    let schemes = list(fields, b"x-forwarded-proto");
    let hosts = list(fields, b"x-forwarded-host");
    let ports = list(fields, b"x-forwarded-port");
    if [&hops, &schemes, &hosts, &ports].iter().all(|list| list.is_empty()) {
        return None;
    }
    let (client, count) = follow(hops.iter().map(|text| hop(text)), trusted);
    // The value of the farthest proxy that is trusted: they may add to these lists, or set one value.
    let of = |list: &List<'a>| list.get(list.len().min(count.max(1)).checked_sub(1)?).copied();
    Some(Claims {
        client,
        scheme: of(&schemes).and_then(Scheme::named),
        host: of(&hosts).filter(|host| is_authority(host)).map(Cow::Borrowed),
        port: of(&ports).and_then(number),
    })
}

/// The elements of a list; as a rule there are few.
type List<'a> = SmallVec<[&'a [u8]; 4]>;

/// The elements of all lines of a field, the last one first; empty ones do not count (RFC 9110, 5.6.1).
fn list<'a>(fields: &'a Fields, name: &'static [u8]) -> List<'a> {
    let lines = fields.iter().filter(|(line, _)| *line == name);
    let elements = lines.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    let mut list: List<'a> =
        elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty()).collect();
    list.reverse();
    list
}

/// `Forwarded`; `None` when there is none.
fn forwarded<'a>(
    fields: &'a Fields,
    trusted: &TrustedProxies,
) -> Result<Option<Claims<'a>>, Fault> {
    let mut elements: Vec<Element<'a>> = Vec::new();
    for (_, line) in fields.iter().filter(|(name, _)| *name == b"forwarded") {
        read_elements(line, &mut elements)?;
    }
    if elements.is_empty() {
        return Ok(None);
    }
    elements.reverse();
    let (client, count) = follow(elements.iter().map(Element::hop), trusted);
    let mut claims = Claims { client, ..Claims::default() };
    for element in elements.into_iter().take(count) {
        // What a proxy leaves out, the one behind it may have told.
        claims.scheme = element.proto.and_then(|proto| Scheme::named(&proto)).or(claims.scheme);
        claims.host = element.host.filter(|host| is_authority(host)).or(claims.host);
    }
    Ok(Some(claims))
}

/// What one proxy says (RFC 7239, 4).
#[derive(Debug, Default)]
struct Element<'a> {
    /// There was anything at all.
    given: bool,
    client: Option<Cow<'a, [u8]>>,
    by: Option<Cow<'a, [u8]>>,
    proto: Option<Cow<'a, [u8]>>,
    host: Option<Cow<'a, [u8]>>,
}

impl<'a> Element<'a> {
    fn hop(&self) -> Hop {
        self.client.as_deref().map_or(Hop::Unknown, hop)
    }

    /// Takes a parameter; each occurs once (RFC 7239, 4). Those that nobody here knows are passed over.
    fn take(&mut self, name: &[u8], value: Cow<'a, [u8]>) -> Result<(), Fault> {
        self.given = true;
        let place = match name.to_ascii_lowercase().as_slice() {
            b"for" => &mut self.client,
            b"by" => &mut self.by,
            b"proto" => &mut self.proto,
            b"host" => &mut self.host,
            _ => return Ok(()),
        };
        if place.replace(value).is_some() { Err(Fault::Forwarded) } else { Ok(()) }
    }
}

/// `1#( [ pair ] *( ";" [ pair ] ) )`. One that is malformed is refused as a whole: where its elements
/// end is uncertain, and a quotation mark of the client's would hide what the proxy has added.
fn read_elements<'a>(line: &'a [u8], elements: &mut Vec<Element<'a>>) -> Result<(), Fault> {
    let mut element = Element::default();
    let mut rest = line.trim_ascii_start();
    loop {
        match rest {
            [] | [b',', ..] => {
                if element.given {
                    elements.push(std::mem::take(&mut element));
                }
                let [_, after @ ..] = rest else { return Ok(()) };
                rest = after.trim_ascii_start();
            }
            [b';', after @ ..] => rest = after.trim_ascii_start(),
            _ => {
                let name_end = memchr::memchr(b'=', rest).ok_or(Fault::Forwarded)?;
                let (name, after) = (&rest[..name_end], &rest[name_end + 1..]);
                let (value, after) = read_value(after)?;
                if !is_token(name) || !matches!(after.first(), None | Some(b',' | b';')) {
                    return Err(Fault::Forwarded);
                }
                element.take(name, value)?;
                rest = after;
            }
        }
    }
}

/// A token or a quoted string (RFC 9110, 5.6.4), and what follows behind white space. An address with a
/// port has to be quoted, but is not always.
fn read_value(text: &[u8]) -> Result<(Cow<'_, [u8]>, &[u8]), Fault> {
    let [b'"', quoted @ ..] = text else {
        let end = text.iter().position(|byte| b",; \t".contains(byte)).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        let is_bare = !value.is_empty() && !value.iter().any(|byte| b"\"\\=".contains(byte));
        let after = after.trim_ascii_start();
        return if is_bare { Ok((value.into(), after)) } else { Err(Fault::Forwarded) };
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Ok((value.into(), quoted[at + 1..].trim_ascii_start())),
            b'\\' => value.push(*bytes.next().ok_or(Fault::Forwarded)?.1),
            byte => value.push(*byte),
        }
    }
    Err(Fault::Forwarded)
}

/// An address, with or without a port, IPv6 with or without brackets (RFC 7239, 6); a port that is not
/// told, or obfuscated, is 0.
fn hop(text: &[u8]) -> Hop {
    let Ok(text) = std::str::from_utf8(text) else { return Hop::Unknown };
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if text == "unix:" {
        return Hop::Unix;
    }
    let whole = text.parse::<IpAddr>().ok().map(|ip| (ip, ""));
    let parts = whole.or_else(|| match text.strip_prefix('[') {
        Some(text) => {
            let (ip, port) = text.split_once(']')?;
            Some((ip.parse::<Ipv6Addr>().ok()?.into(), port))
        }
        None => {
            let colon = text.find(':')?;
            Some((text[..colon].parse().ok()?, &text[colon..]))
        }
    });
    match parts {
        Some((ip, "")) => Hop::Address((ip, 0).into()),
        Some((ip, port)) => match port.strip_prefix(':') {
            Some(port) if port.starts_with('_') => Hop::Address((ip, 0).into()),
            Some(port) => match number(port.as_bytes()) {
                Some(port) => Hop::Address((ip, port).into()),
                None => Hop::Unknown,
            },
            None => Hop::Unknown,
        },
        None => Hop::Unknown,
    }
}

/// A port, which is not 0.
fn number(text: &[u8]) -> Option<u16> {
    let digits = text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    text.parse().ok().filter(|port| *port != 0)
}

/// The port of an authority, if it names one.
fn port_of(authority: &[u8]) -> Option<u16> {
    let colon = memchr::memrchr(b':', authority)?;
    number(&authority[colon + 1..]).filter(|_| !authority[colon..].contains(&b']'))
}

#[cfg(test)]
mod tests;
