//! The methods of a response that set its head, and those that ask about it.

use std::ffi::CStr;
use std::time::SystemTime;

use bytes::Bytes;
use ext_php_rs::types::Zval;
use http::StatusCode;
use reactor::protocol::message::is_field_text;

use super::field_values::{Values, field_values};
use super::{Response, change, check_owner, lines};
use crate::engine::zend::lazy;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::object::Object;
use crate::engine::zend::string::{Text, bytes};
use crate::engine::zend::{value, zend_parse_arg_str_slow, zend_zval_type_name};
use crate::php::cookie::Cookie;
use crate::php::cookie::object::{CookieObject, lack};
use crate::php::error::Failure;
use crate::signatures::response::{self as given, slot};

pub use super::detached::{create, detach, token};
pub use super::event::event;
pub use super::sending::{end, informational, redirect, sendfile, write};

/// `Response::status()`
pub fn status(call: &Call<'_>, given: given::Status<'_>) -> Result<Returned, Failure> {
    let status = checked_status(1, given.http_code)?;
    let reason = given.reason.as_bytes();
    if !is_field_text(reason) {
        let message = "must not contain CR, LF, NUL or another control character";
        return Err(Failure::Value(2, message.into()));
    }
    let reason = (!reason.is_empty()).then(|| Bytes::copy_from_slice(reason));
    change(call, None, |outgoing| (outgoing.status, outgoing.reason) = (status, reason))
}

/// A final status code (RFC 9110, 15).
pub(super) fn checked_status(argument: u32, code: i64) -> Result<StatusCode, Failure> {
    let refused = |message: &str| Err(Failure::Value(argument, message.into()));
    match u16::try_from(code).map(StatusCode::from_u16) {
        // The client would go on waiting for the final one.
        Ok(Ok(status)) if status.is_informational() => refused(
            "must not be an interim status (1xx): a response needs a final one, from 200 to 599",
        ),
        Ok(Ok(status)) if status.as_u16() <= 599 => Ok(status),
        _ => refused("must be from 200 to 599"),
    }
}

/// `Response::header()`
pub fn header(call: &Call<'_>, given: given::Header<'_>) -> Result<Returned, Failure> {
    let name = given.key.to_text();
    lines::check_name(1, name.as_bytes())?;
    let is_type = name.as_bytes().eq_ignore_ascii_case(b"content-type");
    let values = field_values(2, name.as_bytes(), given.value)?;
    if given.append {
        return append_lines(call, name, values);
    }
    match values {
        Values::One(value) => change(call, Some(slot::HEADER), |outgoing| {
            outgoing.untyped &= !is_type;
            outgoing.lines.set(&name, [value]);
        }),
        Values::Many(values) => change(call, Some(slot::HEADER), |outgoing| {
            outgoing.untyped = if is_type { values.is_empty() } else { outgoing.untyped };
            outgoing.lines.set(&name, values);
        }),
    }
}

/// One more line of a field, or several, beside those that it has.
fn append_lines(call: &Call<'_>, name: Text, values: Values) -> Result<Returned, Failure> {
    if lines::is_single(name.as_bytes()) {
        let name = String::from_utf8_lossy(name.as_bytes());
        let message = format!("must be false for {name}, of which a response has one");
        return Err(Failure::Value(4, message));
    }
    let values = match values {
        Values::One(value) => vec![value],
        Values::Many(values) => values,
    };
    change(call, Some(slot::HEADER), |outgoing| outgoing.lines.append(&name, values))
}

/// `Response::initHeader()`
pub fn init_header(call: &Call<'_>) -> Result<Returned, Failure> {
    change(call, Some(slot::TRAILER), |outgoing| outgoing.trailers.clear())?;
    change(call, Some(slot::COOKIE), |outgoing| outgoing.cookies.clear())?;
    change(call, Some(slot::HEADER), |outgoing| {
        outgoing.lines.clear();
        outgoing.untyped = false;
    })
}

/// `Response::trailer()`
pub fn trailer(call: &Call<'_>, given: given::Trailer<'_>) -> Result<Returned, Failure> {
    let (name, content) = (given.key.to_text(), given.value.to_text());
    lines::check_name(1, name.as_bytes())?;
    lines::check_trailer(1, name.as_bytes())?;
    lines::check_value(2, name.as_bytes(), content.as_bytes())?;
    check_owner()?;
    let this = call.this::<Response>();
    // SAFETY: as in `change`; a trailer may be set until the end.
    unsafe {
        let outgoing = &mut (*this).state.outgoing;
        if outgoing.is_over() {
            return Ok(Returned::Bool(false));
        }
        outgoing.trailers.set(&name, [content]);
        lazy::forget(this, slot::TRAILER);
    }
    Ok(Returned::Bool(true))
}

/// `Response::cookie()`
pub fn cookie(call: &Call<'_>, given: given::Cookie<'_>) -> Result<Returned, Failure> {
    set_cookie(call, &given, false)
}

/// `Response::rawcookie()`
pub fn rawcookie(call: &Call<'_>, given: given::Rawcookie<'_>) -> Result<Returned, Failure> {
    set_cookie(call, &given, true)
}

fn set_cookie(call: &Call<'_>, given: &given::Cookie<'_>, raw: bool) -> Result<Returned, Failure> {
    let line = match Object::<CookieObject>::of_value(given.name) {
        // SAFETY: the argument holds the object while the method runs, and no PHP code runs meanwhile.
        Some(object) => object_line(call, unsafe { &(*object).state }, raw)?,
        None => given_line(given, raw)?,
    };
    change(call, Some(slot::COOKIE), |outgoing| outgoing.cookies.push(line))
}

/// The line of a cookie that is an object.
fn object_line(call: &Call<'_>, object: &CookieObject, raw: bool) -> Result<Vec<u8>, Failure> {
    if call.count() > 1 {
        let message = "must not be given beside a Cookie object, which holds it: call the \
                       object's methods";
        return Err(Failure::Value(2, message.into()));
    }
    let line = object.cookie(raw).field_value(SystemTime::now());
    line.map_err(|error| Failure::Value(1, lack(&error).to_owned()))
}

/// The line of a cookie that is made of arguments.
fn given_line(given: &given::Cookie<'_>, raw: bool) -> Result<Vec<u8>, Failure> {
    let mut name = given.name.dereference().shallow_clone();
    let mut text = std::ptr::null_mut();
    let taken = if name.is_string() {
        // SAFETY: a string is what it holds.
        unsafe { name.value.str_ }
    } else {
        // SAFETY: `name` is ours, and owns the text that is found in it.
        let is_text = unsafe { zend_parse_arg_str_slow(&raw mut name, &raw mut text, 1) };
        if !is_text {
            return Err(no_name(given.name.dereference()));
        }
        text
    };
    let cookie = Cookie {
        // SAFETY: `name` holds it until the end of this function.
        name: unsafe { bytes(taken) },
        value: given.value.as_bytes(),
        raw,
        expires: given.expires,
        path: given.path.as_bytes(),
        domain: given.domain.as_bytes(),
        secure: given.secure,
        http_only: given.httponly,
        same_site: given.samesite.as_bytes(),
        priority: given.priority.as_bytes(),
        partitioned: given.partitioned,
    };
    let line = cookie.field_value(SystemTime::now());
    line.map_err(|error| Failure::Value(error.0, error.1.to_owned()))
}

/// The exception for what can be no name of a cookie.
fn no_name(given: &Zval) -> Failure {
    // SAFETY: the engine returns a constant C string.
    let kind = unsafe { CStr::from_ptr(zend_zval_type_name(given)) }.to_string_lossy();
    Failure::Type(1, format!("must be a Ferrite\\Http\\Cookie or a string, {kind} given"))
}

/// `Response::isWritable()`
pub fn is_writable(call: &Call<'_>) -> Result<Returned, Failure> {
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile.
    let outgoing = unsafe { &mut (*call.this::<Response>()).state.outgoing };
    Ok(Returned::Bool(outgoing.is_writable()))
}

/// `Response::getStatusCode()`
pub fn get_status_code(call: &Call<'_>) -> Result<Returned, Failure> {
    // SAFETY: as above.
    let status = unsafe { (*call.this::<Response>()).state.outgoing.status };
    Ok(Returned::Value(value::long(status.as_u16().into())))
}
