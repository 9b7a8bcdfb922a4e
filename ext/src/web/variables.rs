//! `$_SERVER`, as php-fpm behind nginx fills it.

use std::ffi::CString;
use std::net::SocketAddr;
use std::num::NonZeroU16;

use ext_php_rs::ffi::{php_register_variable_safe, zval};
use wire::tls::TlsFacts;
use wire::{RequestHead, Scheme, TlsInfo, Version};

use super::exchange::{self, WebExchange, target};
use super::pull;
use super::zend::{self, PARSE_SERVER};
use crate::engine::zend::globals;

/// Fills the array: what the process has in its environment, and over it what the request says.
///
/// # Safety
///
/// `array` is the engine's array for it.
pub unsafe fn register(array: *mut zval) {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(import) = zend::php_import_environment_variables {
            import(array);
        }
    }
    let of_request = exchange::with(|exchange| Variables::of(exchange).0);
    let variables = of_request.unwrap_or_else(pull::variables);
    for (name, value) in variables {
        // SAFETY: the caller's promise.
        unsafe { set(array, &name, value) };
    }
}

/// Sets one, if the input filter lets it pass, which also keeps it for `filter_input()`.
///
/// # Safety
///
/// `array` is the engine's array for it.
unsafe fn set(array: *mut zval, name: &[u8], mut value: Vec<u8>) {
    let Ok(name) = CString::new(name) else { return };
    let len = value.len();
    value.push(0);
    let mut text = value.as_mut_ptr().cast();
    let mut new_len = len;
    // SAFETY: name and value are C strings; the filter is the engine's, or an extension's.
    unsafe {
        let filter = (*globals::sapi_module()).input_filter;
        let kept = filter.is_none_or(|filter| {
            filter(PARSE_SERVER, name.as_ptr(), &raw mut text, len, &raw mut new_len) != 0
        });
        if kept {
            php_register_variable_safe(name.as_ptr(), text, new_len, array);
        }
    }
}

/// Whether a field is shown by this name. Others, which could be mistaken for those, are left out, as nginx
/// does.
pub fn is_shown(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Whether a request says this of itself.
pub fn is_of_request(name: &[u8]) -> bool {
    name.starts_with(b"HTTP_") || OWN.iter().any(|own| own.as_bytes() == name)
}

const OWN: [&str; 27] = [
    "SCRIPT_FILENAME",
    "QUERY_STRING",
    "REQUEST_METHOD",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SCRIPT_NAME",
    "REQUEST_URI",
    "DOCUMENT_URI",
    "DOCUMENT_ROOT",
    "SERVER_PROTOCOL",
    "REQUEST_SCHEME",
    "HTTPS",
    "GATEWAY_INTERFACE",
    "SERVER_SOFTWARE",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "REMOTE_USER",
    "SERVER_ADDR",
    "SERVER_PORT",
    "SERVER_NAME",
    "REDIRECT_STATUS",
    "PATH_INFO",
    "PATH_TRANSLATED",
    "PHP_SELF",
    "SSL_PROTOCOL",
    "SSL_CLIENT_VERIFY",
    "REQUEST_ID",
];

/// Names and values.
struct Variables(Vec<(Vec<u8>, Vec<u8>)>);

impl Variables {
    fn of(exchange: &WebExchange) -> Self {
        let mut variables = Self(Vec::with_capacity(48));
        variables.script(exchange);
        variables.request(&exchange.head, exchange.port);
        variables.content(exchange);
        variables.fields(&exchange.head);
        if let Some(facts) = exchange.head.tls.as_ref().and_then(TlsInfo::facts) {
            variables.tls(&facts);
        }
        variables
    }

    fn set(&mut self, name: &str, value: &[u8]) {
        self.0.push((name.as_bytes().to_vec(), value.to_vec()));
    }

    fn script(&mut self, exchange: &WebExchange) {
        let script = &exchange.script;
        let name = [b"/", &script.file[..]].concat();
        self.set("SCRIPT_FILENAME", exchange.file());
        self.set("SCRIPT_NAME", &name);
        self.set("DOCUMENT_ROOT", &exchange.root);
        self.set("PATH_INFO", &script.path_info);
        let whole = [&name[..], &script.path_info].concat();
        self.set("DOCUMENT_URI", &whole);
        self.set("PHP_SELF", &whole);
    }

    fn request(&mut self, head: &RequestHead, port: u16) {
        self.set("REQUEST_METHOD", head.method.as_str().as_bytes());
        self.set("REQUEST_URI", &target(head));
        self.set("QUERY_STRING", head.query.as_deref().unwrap_or_default());
        self.set("CONTENT_TYPE", head.fields.get(b"content-type").unwrap_or_default());
        self.set("SERVER_PROTOCOL", protocol(head.version));
        self.set("REQUEST_SCHEME", head.scheme.as_str().as_bytes());
        if head.scheme == Scheme::Https {
            self.set("HTTPS", b"on");
        }
        if let Some(id) = &head.ids.request {
            self.set("REQUEST_ID", id.as_bytes());
        }
        self.set("GATEWAY_INTERFACE", b"CGI/1.1");
        self.set("SERVER_SOFTWARE", concat!("ferrite/", env!("CARGO_PKG_VERSION")).as_bytes());
        self.set("REDIRECT_STATUS", b"200");
        let origin = &head.origin;
        let address = |address: Option<SocketAddr>| match address {
            Some(address) => address.ip().to_canonical().to_string(),
            None => "unix:".to_owned(),
        };
        self.set("REMOTE_ADDR", address(origin.remote).as_bytes());
        let remote_port = origin.remote.map(|remote| remote.port().to_string());
        self.set("REMOTE_PORT", remote_port.unwrap_or_default().as_bytes());
        self.set("SERVER_ADDR", address(origin.local).as_bytes());
        let local = origin.local.map_or(port, |local| local.port());
        let port = origin.server_port.map_or(local, NonZeroU16::get);
        self.set("SERVER_PORT", port.to_string().as_bytes());
        let host = head.fields.get(b"host").unwrap_or_default();
        self.set("SERVER_NAME", without_port(host));
        let user = head.fields.get(b"authorization").and_then(basic_user).unwrap_or_default();
        self.set("REMOTE_USER", &user);
    }

    /// Also of content that has come without its length.
    fn content(&mut self, exchange: &WebExchange) {
        let told = exchange.head.fields.get(b"content-length").map(<[u8]>::to_vec);
        let counted =
            || exchange.body.len().filter(|len| *len > 0).map(|len| len.to_string().into());
        self.set("CONTENT_LENGTH", &told.or_else(counted).unwrap_or_default());
    }

    /// `HTTP_*`, but for `Proxy`, which programs would take for their own setting.
    fn fields(&mut self, head: &RequestHead) {
        let mut seen: Vec<&[u8]> = Vec::with_capacity(head.fields.len());
        for (name, value) in head.fields.iter() {
            if !is_shown(name) || name == b"proxy" || seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let upper = name.iter().map(|byte| match byte {
                b'-' => b'_',
                byte => byte.to_ascii_uppercase(),
            });
            let key: Vec<u8> = b"HTTP_".iter().copied().chain(upper).collect();
            let separator: &[u8] = if name == b"cookie" { b"; " } else { b", " };
            let mut values = head.fields.get_all(name);
            // Often there is one.
            let mut joined = values.next().unwrap_or(value).to_vec();
            for value in values {
                joined.extend_from_slice(separator);
                joined.extend_from_slice(value);
            }
            self.0.push((key, joined));
        }
    }

    fn tls(&mut self, facts: &TlsFacts<'_>) {
        self.set("SSL_PROTOCOL", facts.version.as_bytes());
        self.set("SSL_CIPHER", facts.cipher.as_bytes());
        if let Some(name) = facts.server_name {
            self.set("SSL_SERVER_NAME", name.as_bytes());
        }
        if let Some(client) = &facts.client {
            self.set("SSL_CLIENT_VERIFY", b"SUCCESS");
            self.set("SSL_CLIENT_S_DN", client.subject.as_bytes());
            self.set("SSL_CLIENT_CERT", client.pem.as_bytes());
        }
    }
}

/// As nginx says it: programs look for a minor version, which HTTP/2 and HTTP/3 have no more.
fn protocol(version: Version) -> &'static [u8] {
    match version {
        Version::Http2 => b"HTTP/2.0",
        Version::Http3 => b"HTTP/3.0",
        older => older.as_str().as_bytes(),
    }
}

/// The host in `Host` (RFC 9110, 7.2).
fn without_port(host: &[u8]) -> &[u8] {
    let digits = host.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    host[..host.len() - digits].strip_suffix(b":").unwrap_or(host)
}

/// The name in `Basic` credentials (RFC 7617, 2).
fn basic_user(credentials: &[u8]) -> Option<Vec<u8>> {
    let scheme = credentials.get(..6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = base64(credentials[6..].trim_ascii())?;
    let end = decoded.iter().position(|byte| *byte == b':')?;
    Some(decoded[..end].to_vec())
}

/// RFC 4648, 4.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    let mut decoded = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count) as u8);
        }
    }
    Some(decoded)
}
