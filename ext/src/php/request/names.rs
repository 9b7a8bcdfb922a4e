//! Interned strings of requests: field names, keys of `$request->server`, frequent values.

use crate::engine::zend::string::{Interned, Text};

/// Declares a table of [`Interned`] strings and an index for each.
macro_rules! table {
    ($(#[$doc:meta])* $table:ident: $($name:ident = $text:literal),* $(,)?) => {
        $(#[$doc])*
        pub static $table: [Interned; [$($text),*].len()] = [$(Interned::new($text)),*];
        table!(@index $table 0usize; $($name)*);
    };
    (@index $table:ident $at:expr; $name:ident $($rest:ident)*) => {
        pub const $name: usize = $at;
        table!(@index $table $at + 1; $($rest)*);
    };
    (@index $table:ident $at:expr;) => {};
}

/// The keys of `$request->server`.
pub mod key {
    use super::Interned;

    table! {
        /// The keys.
        KEYS:
        REQUEST_METHOD = "request_method", REQUEST_URI = "request_uri", PATH_INFO = "path_info",
        QUERY_STRING = "query_string", REQUEST_TIME = "request_time",
        REQUEST_TIME_FLOAT = "request_time_float", REQUEST_SCHEME = "request_scheme",
        SERVER_PROTOCOL = "server_protocol", SERVER_PORT = "server_port",
        SERVER_ADDR = "server_addr", REMOTE_PORT = "remote_port", REMOTE_ADDR = "remote_addr",
        MASTER_TIME = "master_time", HTTPS = "https", SSL_PROTOCOL = "ssl_protocol",
        SSL_CIPHER = "ssl_cipher", SSL_SERVER_NAME = "ssl_server_name",
        SSL_CLIENT_VERIFY = "ssl_client_verify", SSL_CLIENT_S_DN = "ssl_client_s_dn",
        SSL_CLIENT_CERT = "ssl_client_cert", REQUEST_ID = "request_id",
    }
}

/// Values that most requests have one of: methods, versions, schemes.
static VALUES: [Interned; 15] = [
    Interned::new("GET"),
    Interned::new("POST"),
    Interned::new("PUT"),
    Interned::new("HEAD"),
    Interned::new("DELETE"),
    Interned::new("OPTIONS"),
    Interned::new("PATCH"),
    Interned::new("HTTP/1.1"),
    Interned::new("HTTP/1.0"),
    Interned::new("HTTP/2"),
    Interned::new("HTTP/3"),
    Interned::new("http"),
    Interned::new("https"),
    Interned::new("/"),
    Interned::new("unix:"),
];

/// Field names that clients and proxies send, shortest first.
#[rustfmt::skip]
const FIELD_NAMES: [&str; 62] = [
    "te", "dnt", "via", "date", "from", "host", "range", "accept", "cookie", "expect", "origin",
    "pragma", "referer", "sec-gpc", "trailer", "upgrade", "cdn-loop", "if-match", "if-range",
    "priority", "forwarded", "sec-ch-ua", "x-real-ip", "connection", "keep-alive", "tracestate",
    "user-agent", "traceparent", "content-type", "x-csrf-token", "x-request-id", "x-xsrf-token",
    "authorization", "cache-control", "if-none-match", "accept-charset", "content-length",
    "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user", "accept-encoding",
    "accept-language", "x-forwarded-for", "cf-connecting-ip", "content-encoding",
    "content-language", "sec-ch-ua-mobile", "x-forwarded-host", "x-forwarded-port",
    "x-requested-with", "if-modified-since", "sec-websocket-key", "transfer-encoding",
    "x-forwarded-proto", "sec-ch-ua-platform", "if-unmodified-since", "proxy-authorization",
    "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions",
    "upgrade-insecure-requests",
];

/// [`FIELD_NAMES`] as PHP knows them.
static FIELDS: [Interned; FIELD_NAMES.len()] = {
    let mut fields = [const { Interned::new("") }; FIELD_NAMES.len()];
    let mut at = 0;
    while at < fields.len() {
        fields[at] = Interned::new(FIELD_NAMES[at]);
        at += 1;
    }
    fields
};

/// Where the names of each length begin in [`FIELD_NAMES`]: those of `len` bytes lie from element `len`
/// to element `len + 1`.
const LENGTHS: [u8; LENGTH_MAX + 2] = {
    let mut starts = [0; LENGTH_MAX + 2];
    let (mut at, mut len) = (0, 0);
    while len < starts.len() {
        while at < FIELD_NAMES.len() && FIELD_NAMES[at].len() < len {
            at += 1;
            assert!(at == FIELD_NAMES.len() || FIELD_NAMES[at - 1].len() <= FIELD_NAMES[at].len());
        }
        starts[len] = at as u8;
        len += 1;
    }
    starts
};

/// The length of the longest of them.
const LENGTH_MAX: usize = FIELD_NAMES[FIELD_NAMES.len() - 1].len();

/// Makes the strings known to PHP. At module startup only.
pub fn init() {
    let tables: [&[Interned]; 3] = [&key::KEYS, &VALUES, &FIELDS];
    tables.into_iter().flatten().for_each(Interned::init);
}

/// A field name as a PHP string.
pub fn field(name: &[u8]) -> Text {
    let (start, end) = match LENGTHS.get(name.len()..) {
        Some([start, end, ..]) => (usize::from(*start), usize::from(*end)),
        _ => return Text::new(name),
    };
    known(&FIELDS[start..end], name)
}

/// A value as a PHP string, shared if it is a frequent one.
pub fn value(text: &[u8]) -> Text {
    known(&VALUES, text)
}

fn known(table: &[Interned], text: &[u8]) -> Text {
    // Most differ in length or in the first byte, so few are compared.
    match table.iter().find(|known| known.text().as_bytes() == text) {
        // SAFETY: interned strings live as long as the process.
        Some(known) => unsafe { Text::share(known.as_ptr()) },
        None => Text::new(text),
    }
}
