//! `Set-Cookie` (RFC 6265, 4.1), under PHP's rules for names and values.

pub mod methods;
pub mod object;

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reactor::protocol::percent;

/// The first second of the year 10000, which a date cannot name (RFC 9110, 5.6.7).
const EXPIRES_END: i64 = 253_402_300_800;

/// A cookie that a handler sets.
#[derive(Debug, Clone, Default)]
pub struct Cookie<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value; empty to delete the cookie.
    pub value: &'a [u8],
    /// Whether the value goes out as it is; percent-encoded otherwise.
    pub raw: bool,
    /// When it expires, in seconds since 1970-01-01 UTC; 0 for the end of the session.
    pub expires: i64,
    /// For which paths it is.
    pub path: &'a [u8],
    /// For which hosts it is.
    pub domain: &'a [u8],
    /// Only over TLS.
    pub secure: bool,
    /// Not for scripts.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`.
    pub same_site: &'a [u8],
    /// `Low`, `Medium` or `High`.
    pub priority: &'a [u8],
    /// One jar for each top-level site; only with `secure`.
    pub partitioned: bool,
}

/// What is wrong with a cookie: the number of the argument, and the message behind its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieError(pub u32, pub &'static str);

impl Cookie<'_> {
    /// The field's value. `now` decides `Max-Age`.
    pub fn field_value(&self, now: SystemTime) -> Result<Vec<u8>, CookieError> {
        self.check()?;
        let mut line = Vec::with_capacity(64 + self.name.len() + self.value.len());
        line.extend_from_slice(self.name);
        line.push(b'=');
        if self.value.is_empty() {
            // As setcookie() does: a date in the past, for clients that do not know Max-Age.
            line.extend_from_slice(b"deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0");
        } else {
            if self.raw {
                line.extend_from_slice(self.value);
            } else {
                percent::encode(self.value, &mut line);
            }
            if self.expires != 0 {
                line.extend_from_slice(self.expiry(now).as_bytes());
            }
        }
        for (name, text) in [
            ("; Path=", self.path),
            ("; Domain=", self.domain),
            ("; SameSite=", self.same_site),
            ("; Priority=", self.priority),
        ] {
            if !text.is_empty() {
                line.extend_from_slice(name.as_bytes());
                line.extend_from_slice(text);
            }
        }
        for (name, set) in [
            ("; Secure", self.secure),
            ("; HttpOnly", self.http_only),
            ("; Partitioned", self.partitioned),
        ] {
            if set {
                line.extend_from_slice(name.as_bytes());
            }
        }
        Ok(line)
    }

    fn expiry(&self, now: SystemTime) -> String {
        let seconds = u64::try_from(self.expires).unwrap_or(0).max(1);
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut text = String::with_capacity(64);
        // Writing to memory cannot fail.
        let _ = write!(text, "; Expires={date}; Max-Age={}", seconds.saturating_sub(now));
        text
    }

    /// What is wrong with it, if anything is.
    pub fn check(&self) -> Result<(), CookieError> {
        if self.name.is_empty() {
            return Err(CookieError(1, "must not be empty"));
        }
        if has_any(self.name, b"=,; ") {
            return Err(CookieError(
                1,
                "must not contain \"=\", \",\", \";\", white space or control characters",
            ));
        }
        if self.raw && has_any(self.value, b",; ") {
            return Err(CookieError(
                2,
                "must not contain \",\", \";\", white space or control characters",
            ));
        }
        if self.expires >= EXPIRES_END {
            return Err(CookieError(3, "must not be later than the year 9999"));
        }
        for (number, text) in [(4, self.path), (5, self.domain)] {
            if has_any(text, b",; ") {
                return Err(CookieError(
                    number,
                    "must not contain \",\", \";\", white space or control characters",
                ));
            }
        }
        if !is_one_of(self.same_site, &["Strict", "Lax", "None"]) {
            return Err(CookieError(8, "must be \"Strict\", \"Lax\", \"None\" or empty"));
        }
        if !is_one_of(self.priority, &["Low", "Medium", "High"]) {
            return Err(CookieError(9, "must be \"Low\", \"Medium\", \"High\" or empty"));
        }
        // Clients drop a partitioned cookie without Secure (draft-cutler-httpbis-partitioned-cookies, 2.1).
        if self.partitioned && !self.secure {
            return Err(CookieError(
                10,
                "must be false for a cookie that is not secure: set Secure as well",
            ));
        }
        Ok(())
    }
}

/// Whether an attribute is empty or has one of these values, in any case.
fn is_one_of(text: &[u8], values: &[&str]) -> bool {
    text.is_empty() || values.iter().any(|value| text.eq_ignore_ascii_case(value.as_bytes()))
}

fn has_any(text: &[u8], forbidden: &[u8]) -> bool {
    text.iter().any(|byte| byte.is_ascii_control() || forbidden.contains(byte))
}
