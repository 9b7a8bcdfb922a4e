//! The strings that requests are made of, known to PHP once for all requests.

use crate::zend::string::{Interned, Text};

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

/// The lazy properties, in the order of their slots.
pub mod property {
    use super::Interned;

    table! {
        /// The names.
        NAMES:
        HEADER = "header", SERVER = "server", COOKIE = "cookie", GET = "get", FILES = "files",
        POST = "post", TMPFILES = "tmpfiles", TRAILER = "trailer",
    }
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
        MASTER_TIME = "master_time",
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
static FIELDS: [Interned; 62] = [
    Interned::new("te"),
    Interned::new("dnt"),
    Interned::new("via"),
    Interned::new("date"),
    Interned::new("from"),
    Interned::new("host"),
    Interned::new("range"),
    Interned::new("accept"),
    Interned::new("cookie"),
    Interned::new("expect"),
    Interned::new("origin"),
    Interned::new("pragma"),
    Interned::new("sec-gpc"),
    Interned::new("referer"),
    Interned::new("upgrade"),
    Interned::new("trailer"),
    Interned::new("cdn-loop"),
    Interned::new("if-match"),
    Interned::new("if-range"),
    Interned::new("priority"),
    Interned::new("forwarded"),
    Interned::new("sec-ch-ua"),
    Interned::new("x-real-ip"),
    Interned::new("connection"),
    Interned::new("keep-alive"),
    Interned::new("user-agent"),
    Interned::new("traceparent"),
    Interned::new("x-csrf-token"),
    Interned::new("x-request-id"),
    Interned::new("x-xsrf-token"),
    Interned::new("content-type"),
    Interned::new("tracestate"),
    Interned::new("authorization"),
    Interned::new("cache-control"),
    Interned::new("if-none-match"),
    Interned::new("sec-fetch-dest"),
    Interned::new("sec-fetch-mode"),
    Interned::new("sec-fetch-site"),
    Interned::new("sec-fetch-user"),
    Interned::new("accept-charset"),
    Interned::new("content-length"),
    Interned::new("accept-encoding"),
    Interned::new("accept-language"),
    Interned::new("x-forwarded-for"),
    Interned::new("x-forwarded-host"),
    Interned::new("x-forwarded-port"),
    Interned::new("x-requested-with"),
    Interned::new("sec-ch-ua-mobile"),
    Interned::new("content-encoding"),
    Interned::new("content-language"),
    Interned::new("cf-connecting-ip"),
    Interned::new("x-forwarded-proto"),
    Interned::new("if-modified-since"),
    Interned::new("transfer-encoding"),
    Interned::new("sec-websocket-key"),
    Interned::new("sec-ch-ua-platform"),
    Interned::new("proxy-authorization"),
    Interned::new("if-unmodified-since"),
    Interned::new("sec-websocket-version"),
    Interned::new("sec-websocket-protocol"),
    Interned::new("sec-websocket-extensions"),
    Interned::new("upgrade-insecure-requests"),
];

/// Makes the strings known to PHP. At module startup only.
pub fn init() {
    let tables: [&[Interned]; 4] = [&property::NAMES, &key::KEYS, &VALUES, &FIELDS];
    tables.into_iter().flatten().for_each(Interned::init);
}

/// A field name as a PHP string.
pub fn field(name: &[u8]) -> Text {
    known(&FIELDS, name)
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
