//! Request targets (RFC 9112, 3.2) and authorities (RFC 3986, 3.2).

use std::ops::Range;

use http::Method;
use wire::Scheme;

use crate::error::Fault;

/// A request target, as ranges of its text.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// The path.
    pub path: TargetPath,
    /// What follows the `?`.
    pub query: Option<Range<usize>>,
    /// The authority of an absolute-form target.
    pub authority: Option<Range<usize>>,
    /// The scheme of an absolute-form target.
    pub scheme: Option<Scheme>,
}

/// The path of a target.
#[derive(Debug, PartialEq, Eq)]
pub enum TargetPath {
    /// As sent.
    Sent(Range<usize>),
    /// An absolute-form target without a path stands for this one.
    Implied(&'static [u8]),
}

/// Parses the target of a request with `method`.
///
/// Bytes above 0x7f are let through: they are not allowed (RFC 3986, 2), but common, and harmless
/// as no party disagrees about where the target ends.
pub fn parse(method: &Method, target: &[u8]) -> Result<Target, Fault> {
    // RFC 9110, 9.3.6: a server that has no use for CONNECT answers 501.
    if *method == Method::CONNECT {
        return Err(if is_authority(target) { Fault::Connect } else { Fault::Target });
    }
    // No white space, no control character, and no fragment (RFC 9112, 3.2).
    if target.iter().any(|byte| *byte <= b' ' || *byte == 0x7f || *byte == b'#') {
        return Err(Fault::Target);
    }
    match target {
        [b'/', ..] => path_and_query(target, 0),
        // asterisk-form is for a server-wide OPTIONS (RFC 9112, 3.2.4).
        b"*" if *method == Method::OPTIONS => {
            Ok(Target { path: TargetPath::Sent(0..1), query: None, authority: None, scheme: None })
        }
        _ => absolute(method, target),
    }
}

/// absolute-form (RFC 9112, 3.2.2).
fn absolute(method: &Method, target: &[u8]) -> Result<Target, Fault> {
    let (start, scheme) = [(&b"http://"[..], Scheme::Http), (b"https://", Scheme::Https)]
        .into_iter()
        .find(|(text, _)| target.get(..text.len()).is_some_and(|t| t.eq_ignore_ascii_case(text)))
        .map(|(text, scheme)| (text.len(), scheme))
        .ok_or(Fault::Target)?;
    let end = target[start..]
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .map_or(target.len(), |len| start + len);
    // This also refuses user information (RFC 9110, 4.2.4).
    if !is_authority(&target[start..end]) {
        return Err(Fault::Target);
    }
    let mut parsed = path_and_query(target, end)?;
    if target.get(end) != Some(&b'/') {
        // RFC 9112, 3.2.4: the asterisk is what a proxy makes of an OPTIONS without path and query.
        let server_wide = *method == Method::OPTIONS && parsed.query.is_none();
        parsed.path = TargetPath::Implied(if server_wide { b"*" } else { b"/" });
    }
    parsed.authority = Some(start..end);
    parsed.scheme = Some(scheme);
    Ok(parsed)
}

fn path_and_query(target: &[u8], start: usize) -> Result<Target, Fault> {
    let mark = memchr::memchr(b'?', &target[start..]).map(|len| start + len);
    let path = start..mark.unwrap_or(target.len());
    // No file and no route has a name with NUL in it, and what C makes of one ends there.
    let text = &target[path.clone()];
    if memchr::memchr_iter(b'%', text).any(|at| text[at..].starts_with(b"%00")) {
        return Err(Fault::Target);
    }
    Ok(Target {
        path: TargetPath::Sent(path),
        query: mark.map(|mark| mark + 1..target.len()),
        authority: None,
        scheme: None,
    })
}

/// Whether this is `host [":" port]` with a host that is not empty (RFC 9110, 4.2.1 and 7.2).
pub fn is_authority(text: &[u8]) -> bool {
    let host_end = match text {
        [b'[', ..] => match memchr::memchr(b']', text) {
            Some(end) if is_ip_literal(&text[1..end]) => end + 1,
            _ => return false,
        },
        _ => {
            let end = memchr::memchr(b':', text).unwrap_or(text.len());
            if end == 0 || !is_reg_name(&text[..end]) {
                return false;
            }
            end
        }
    };
    match &text[host_end..] {
        [] => true,
        [b':', port @ ..] => is_port(port),
        _ => false,
    }
}

fn is_port(port: &[u8]) -> bool {
    port.len() <= 5
        && port.iter().all(u8::is_ascii_digit)
        && port.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')) <= 65535
}

/// An IPv6 address; the grammar's "future" versions do not exist.
fn is_ip_literal(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// A registered name or an IPv4 address (RFC 3986, 3.2.2).
fn is_reg_name(text: &[u8]) -> bool {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [byte, rest @ ..]
                if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) =>
            {
                rest
            }
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        for good in ["a", "a.b:80", "127.0.0.1", "[::1]", "[::1]:8080", "a:", "a%20b", "x_y"] {
            assert!(is_authority(good.as_bytes()), "{good}");
        }
        for bad in
            ["", ":80", "a:b", "a:65536", "a:123456", "u@h", "a b", "a/b", "[::1", "[x]", "::1"]
        {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
        for bad in ["a%2", "a%zz", "[::1]x", "a:80:80", "a#b", "a?b", "a\\b", "é"] {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
    }

    fn parsed(method: Method, target: &str) -> Result<(String, Option<&str>, Option<&str>), Fault> {
        let got = parse(&method, target.as_bytes())?;
        let path = match got.path {
            TargetPath::Sent(range) => &target[range],
            TargetPath::Implied(path) => std::str::from_utf8(path).unwrap(),
        };
        Ok((path.into(), got.query.map(|r| &target[r]), got.authority.map(|r| &target[r])))
    }

    #[test]
    fn nul_is_data_in_a_query_alone() {
        let got = parse(&Method::GET, b"/a%0?b=%00").unwrap();
        assert_eq!(got.query, Some(5..10));
    }

    #[test]
    fn the_four_forms() {
        let get = |target| parsed(Method::GET, target);
        assert_eq!(get("/a?b?c"), Ok(("/a".into(), Some("b?c"), None)));
        assert_eq!(get("//a"), Ok(("//a".into(), None, None)));
        assert_eq!(get("/?"), Ok(("/".into(), Some(""), None)));
        assert_eq!(get("http://h:1/a?b"), Ok(("/a".into(), Some("b"), Some("h:1"))));
        assert_eq!(get("HTTPS://h"), Ok(("/".into(), None, Some("h"))));
        assert_eq!(get("http://h?q"), Ok(("/".into(), Some("q"), Some("h"))));
        assert_eq!(parsed(Method::OPTIONS, "*"), Ok(("*".into(), None, None)));
        assert_eq!(parsed(Method::OPTIONS, "http://h"), Ok(("*".into(), None, Some("h"))));
        assert_eq!(parsed(Method::OPTIONS, "http://h?"), Ok(("/".into(), Some(""), Some("h"))));
        assert_eq!(parsed(Method::CONNECT, "h:1"), Err(Fault::Connect));
        assert_eq!(parsed(Method::CONNECT, "/"), Err(Fault::Target));
        for bad in [
            "/%00",
            "/a%00b?c",
            "http://h/%00",
            "*",
            "a",
            "h:80",
            "/a#b",
            "ftp://h/",
            "http:///a",
            "http://u@h/",
            "http:/h",
            "",
            "/\t",
        ] {
            assert_eq!(get(bad), Err(Fault::Target), "{bad}");
        }
    }
}
