//! `$request->server`.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;

use ext_php_rs::types::Zval;
use wire::tls::TlsFacts;
use wire::{RequestHead, Scheme, TlsInfo};

use super::names::{self, key};
use crate::engine::zend::php_raw_url_decode;
use crate::engine::zend::string::Text;
use crate::engine::zend::value::{self, Array};

/// What is known of a request beside its fields.
pub fn array(head: &RequestHead, port: u16) -> Zval {
    let mut array = Array::with_capacity(key::KEYS.len());
    let mut set = |name: usize, value| array.set(&key::KEYS[name], value);
    let path = names::value(&head.path);
    set(key::REQUEST_METHOD, value::text(method(head)));
    set(key::REQUEST_URI, value::text(path.clone()));
    set(key::PATH_INFO, value::text(decoded(path)));
    if let Some(query) = head.query.as_deref().filter(|query| !query.is_empty()) {
        set(key::QUERY_STRING, value::bytes(query));
    }
    let seconds = (head.origin.received_at / 1_000_000) as i64;
    set(key::REQUEST_TIME, value::long(seconds));
    set(key::REQUEST_TIME_FLOAT, value::double(head.origin.received_at as f64 / 1e6));
    set(key::REQUEST_SCHEME, value::text(names::value(head.scheme.as_str().as_bytes())));
    set(key::SERVER_PROTOCOL, value::text(names::value(head.version.as_str().as_bytes())));
    let local = head.origin.local.map_or(port, |local| local.port());
    set(
        key::SERVER_PORT,
        value::long(head.origin.server_port.map_or(local, NonZeroU16::get).into()),
    );
    set(key::SERVER_ADDR, address(head.origin.local));
    set(key::REMOTE_PORT, value::long(head.origin.remote.map_or(0, |remote| remote.port().into())));
    set(key::REMOTE_ADDR, address(head.origin.remote));
    set(key::MASTER_TIME, value::long(seconds));
    if head.scheme == Scheme::Https {
        set(key::HTTPS, value::bytes(b"on"));
    }
    if let Some(facts) = head.tls.as_ref().and_then(TlsInfo::facts) {
        set_tls(&mut set, &facts);
    }
    if let Some(id) = &head.ids.request {
        set(key::REQUEST_ID, value::bytes(id.as_bytes()));
    }
    array.into_value()
}

fn set_tls(set: &mut impl FnMut(usize, Zval), facts: &TlsFacts<'_>) {
    let text = |text: &str| value::bytes(text.as_bytes());
    set(key::SSL_PROTOCOL, text(facts.version));
    set(key::SSL_CIPHER, text(facts.cipher));
    if let Some(name) = facts.server_name {
        set(key::SSL_SERVER_NAME, text(name));
    }
    if let Some(client) = &facts.client {
        set(key::SSL_CLIENT_VERIFY, text("SUCCESS"));
        set(key::SSL_CLIENT_S_DN, text(client.subject));
        set(key::SSL_CLIENT_CERT, text(client.pem));
    }
}

/// The method token.
pub fn method(head: &RequestHead) -> Text {
    names::value(head.method.as_str().as_bytes())
}

fn decoded(path: Text) -> Text {
    if !path.as_bytes().contains(&b'%') {
        return path;
    }
    let mut content = path.as_bytes().to_vec();
    // SAFETY: decodes in place, and never makes it longer.
    let len = unsafe { php_raw_url_decode(content.as_mut_ptr().cast(), content.len()) };
    content.truncate(len);
    Text::new(&content)
}

/// An address as text, IPv4 also as such when it came in by an IPv6 socket.
fn address(address: Option<SocketAddr>) -> Zval {
    let Some(address) = address else {
        return value::text(names::value(b"unix:"));
    };
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            let mut text = [0; V4_BYTES_MAX];
            let len = v4(ip.octets(), &mut text);
            value::bytes(&text[..len])
        }
        IpAddr::V6(ip) => value::bytes(ip.to_string().as_bytes()),
    }
}

/// Length of the longest IPv4 address.
const V4_BYTES_MAX: usize = "255.255.255.255".len();

/// Writes an IPv4 address and returns its length; the general way of formatting is slow.
fn v4(octets: [u8; 4], text: &mut [u8; V4_BYTES_MAX]) -> usize {
    let mut len = 0;
    let mut put = |byte| {
        text[len] = byte;
        len += 1;
    };
    for (at, octet) in octets.into_iter().enumerate() {
        if at > 0 {
            put(b'.');
        }
        if octet >= 100 {
            put(b'0' + octet / 100);
        }
        if octet >= 10 {
            put(b'0' + octet / 10 % 10);
        }
        put(b'0' + octet % 10);
    }
    len
}
