//! `Ferrite\Http\Cookie`: what a cookie is made of, set attribute by attribute.

use ext_php_rs::ffi::{std_object_handlers, zend_object_handlers};

use super::{Cookie, CookieError};
use crate::engine::zend::object::{Class, NativeObject};
use crate::signatures::cookie::SIGNATURE;

/// The attributes that the PHP object holds. They mean what those of [`Cookie`] do.
#[derive(Debug, Default)]
pub struct CookieObject {
    /// Whether the value is percent-encoded on its way out.
    pub encode: bool,
    /// Its name; empty until it is given one.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// When it expires.
    pub expires: i64,
    /// For which paths it is.
    pub path: Vec<u8>,
    /// For which hosts it is.
    pub domain: Vec<u8>,
    /// Only over TLS.
    pub secure: bool,
    /// Not for scripts.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`.
    pub same_site: Vec<u8>,
    /// `Low`, `Medium` or `High`.
    pub priority: Vec<u8>,
    /// One jar for each top-level site.
    pub partitioned: bool,
}

static CLASS: Class = Class::new(&SIGNATURE);

impl CookieObject {
    /// A cookie without name, value and attributes.
    pub fn new(encode: bool) -> Self {
        Self { encode, ..Self::default() }
    }

    /// The cookie. `raw`: its value goes out as it is, whatever the constructor was told.
    pub fn cookie(&self, raw: bool) -> Cookie<'_> {
        Cookie {
            name: &self.name,
            value: &self.value,
            raw: raw || !self.encode,
            expires: self.expires,
            path: &self.path,
            domain: &self.domain,
            secure: self.secure,
            http_only: self.http_only,
            same_site: &self.same_site,
            priority: &self.priority,
            partitioned: self.partitioned,
        }
    }
}

/// What an object lacks to be a cookie. What can be judged alone, its methods have refused before.
pub fn lack(error: &CookieError) -> &'static str {
    match error.0 {
        1 => "must have a name: call withName() first",
        2 => "must have a value that can go out as it is: send it by cookie(), which encodes it",
        _ => "must be secure, because it is partitioned: call withSecure(true) first",
    }
}

impl NativeObject for CookieObject {
    fn class() -> &'static Class {
        &CLASS
    }

    fn detached() -> Self {
        Self::new(true)
    }

    fn adapt(handlers: &mut zend_object_handlers) {
        // SAFETY: the standard handlers are constant data of the engine.
        handlers.get_constructor = unsafe { std_object_handlers }.get_constructor;
    }
}
