//! `Ferrite\Http\Response`.

mod arguments;
mod class;
mod lines;
mod media;
mod outgoing;
mod sending;

use std::time::SystemTime;

use bytes::Bytes;
use ext_php_rs::ffi::{zend_long, zend_string, zval};
use ext_php_rs::types::Zval;
use http::StatusCode;
use reactor::protocol::message::is_field_text;

use self::arguments::{Values, field_values, parse};
use self::outgoing::Outgoing;
use crate::cookie::Cookie;
use crate::error::Failure;
use crate::zend::lazy::{self, Lazy};
use crate::zend::method::{Call, Returned};
use crate::zend::object::{Backed, Class, Object};
use crate::zend::string::{Interned, Text, bytes};
use crate::zend::value;

pub use self::class::register;
pub use self::outgoing::Settled;

static CLASS: Class = Class::new();

/// The slot of the property that is not lazy.
const FD: usize = 0;

/// The lazy properties, in the order of their slots.
static PROPERTIES: [Interned; 3] =
    [Interned::new("header"), Interned::new("cookie"), Interned::new("trailer")];
const HEADER: usize = 0;
const COOKIE: usize = 1;
const TRAILER: usize = 2;

/// All lazy properties pending.
const ALL: u16 = (1 << PROPERTIES.len()) - 1;

/// A response as PHP sees it.
#[derive(Debug)]
pub struct Response {
    outgoing: Outgoing,
    pending: u16,
}

impl Response {
    /// A new PHP object for a response, with one reference.
    pub fn create(reply: worker::Reply, connection: u64, head_only: bool) -> *mut Object<Self> {
        let outgoing = Outgoing::new(reply, head_only);
        let object = Object::create(Self { outgoing, pending: ALL });
        // SAFETY: the object is new, and its class declares this property first.
        unsafe { Object::slot(object, FD).write(value::long(connection as i64)) };
        object
    }

    /// The handler is done: the response is over, whatever the object's future.
    pub fn settle(&mut self) -> Settled {
        self.outgoing.settle()
    }
}

impl Backed for Response {
    fn class() -> &'static Class {
        &CLASS
    }

    fn bare() -> Self {
        Self { outgoing: Outgoing::detached(), pending: ALL }
    }
}

impl Lazy for Response {
    const FIRST: usize = 1;

    fn names() -> &'static [Interned] {
        &PROPERTIES
    }

    fn pending(&mut self) -> &mut u16 {
        &mut self.pending
    }

    unsafe fn make(this: *mut Object<Self>, index: usize) -> Zval {
        // SAFETY: the caller's promise.
        let outgoing = unsafe { &(*this).state.outgoing };
        match index {
            HEADER => outgoing.lines.array(),
            COOKIE => outgoing.cookie_array(),
            _ => outgoing.trailers.array(),
        }
    }
}

/// Refuses a process that a handler has forked: both of them would answer.
fn check_owner() -> Result<(), Failure> {
    if worker::is_forked_copy() {
        return Err(Failure::State(
            "This process was forked by the handler: only the worker itself can answer the client"
                .into(),
        ));
    }
    Ok(())
}

/// Lets `change` change the head of a response that is still open, and the property that shows it be
/// made anew. `false` when it is too late.
fn change(
    call: &mut Call<'_>,
    property: Option<usize>,
    change: impl FnOnce(&mut Outgoing),
) -> Result<Returned, Failure> {
    check_owner()?;
    let this = call.this::<Response>();
    // SAFETY: the object is alive while its method runs, and the reference ends before the slot is
    // emptied, which may run a destructor.
    unsafe {
        let outgoing = &mut (*this).state.outgoing;
        if !outgoing.is_open() {
            return Ok(Returned::Bool(false));
        }
        change(outgoing);
        if let Some(property) = property {
            lazy::forget(this, property);
        }
    }
    Ok(Returned::Bool(true))
}

/// `status(int $http_code, string $reason = ''): bool`
fn status(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let mut code: zend_long = 0;
    let mut reason: *mut zend_string = std::ptr::null_mut();
    parse!(call, c"l|S", code, reason)?;
    let status = checked_status(1, code)?;
    let reason = match reason.is_null() {
        true => &[][..],
        // SAFETY: an argument lives while the method runs.
        false => unsafe { bytes(reason) },
    };
    if !is_field_text(reason) {
        let message = "must not contain CR, LF, NUL or another control character";
        return Err(Failure::Value(2, message.into()));
    }
    let reason = (!reason.is_empty()).then(|| Bytes::copy_from_slice(reason));
    change(call, None, |outgoing| (outgoing.status, outgoing.reason) = (status, reason))
}

/// A final status code (RFC 9110, 15).
fn checked_status(argument: u32, code: zend_long) -> Result<StatusCode, Failure> {
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

/// `header(string $key, string|array|null $value, bool $format = true, bool $append = false): bool`
fn header(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let mut name: *mut zend_string = std::ptr::null_mut();
    let mut content: *mut zval = std::ptr::null_mut();
    let (mut format, mut append) = (true, false);
    parse!(call, c"Sz|bb", name, content, format, append)?;
    // SAFETY: an argument lives while the method runs.
    let name = unsafe { Text::share(name) };
    lines::check_name(1, name.as_bytes())?;
    let is_type = name.as_bytes().eq_ignore_ascii_case(b"content-type");
    // SAFETY: as above.
    let values = field_values(2, name.as_bytes(), unsafe { &mut *content })?;
    if append {
        return append_lines(call, name, values);
    }
    match values {
        Values::One(value) => change(call, Some(HEADER), |outgoing| {
            outgoing.untyped &= !is_type;
            outgoing.lines.set(&name, [value]);
        }),
        Values::Many(values) => change(call, Some(HEADER), |outgoing| {
            outgoing.untyped = if is_type { values.is_empty() } else { outgoing.untyped };
            outgoing.lines.set(&name, values);
        }),
    }
}

/// One more line of a field, or several, beside those that it has.
fn append_lines(call: &mut Call<'_>, name: Text, values: Values) -> Result<Returned, Failure> {
    if lines::is_single(name.as_bytes()) {
        let name = String::from_utf8_lossy(name.as_bytes());
        let message = format!("must be false for {name}, of which a response has one");
        return Err(Failure::Value(4, message));
    }
    let values = match values {
        Values::One(value) => vec![value],
        Values::Many(values) => values,
    };
    change(call, Some(HEADER), |outgoing| outgoing.lines.append(&name, values))
}

/// `initHeader(): bool`
fn init_header(call: &mut Call<'_>) -> Result<Returned, Failure> {
    call.no_arguments()?;
    change(call, Some(TRAILER), |outgoing| outgoing.trailers.clear())?;
    change(call, Some(COOKIE), |outgoing| outgoing.cookies.clear())?;
    change(call, Some(HEADER), |outgoing| {
        outgoing.lines.clear();
        outgoing.untyped = false;
    })
}

/// `trailer(string $key, string $value): bool`
fn trailer(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let mut name: *mut zend_string = std::ptr::null_mut();
    let mut content: *mut zend_string = std::ptr::null_mut();
    parse!(call, c"SS", name, content)?;
    // SAFETY: arguments live while the method runs.
    let (name, content) = unsafe { (Text::share(name), Text::share(content)) };
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
        lazy::forget(this, TRAILER);
    }
    Ok(Returned::Bool(true))
}

/// `cookie(string $name, string $value = '', int $expires = 0, …): bool`
fn cookie(call: &mut Call<'_>) -> Result<Returned, Failure> {
    set_cookie(call, false)
}

/// `rawcookie(string $name, string $value = '', int $expires = 0, …): bool`
fn rawcookie(call: &mut Call<'_>) -> Result<Returned, Failure> {
    set_cookie(call, true)
}

fn set_cookie(call: &mut Call<'_>, raw: bool) -> Result<Returned, Failure> {
    let empty = std::ptr::null_mut::<zend_string>();
    let (mut name, mut content, mut path, mut domain) = (empty, empty, empty, empty);
    let (mut same_site, mut priority) = (empty, empty);
    let mut expires: zend_long = 0;
    let (mut secure, mut http_only, mut partitioned) = (false, false, false);
    parse!(
        call,
        c"S|SlSSbbSSb",
        name,
        content,
        expires,
        path,
        domain,
        secure,
        http_only,
        same_site,
        priority,
        partitioned
    )?;
    let text = |string: *mut zend_string, default: &'static [u8]| match string.is_null() {
        true => default,
        // SAFETY: arguments live while the method runs.
        false => unsafe { bytes(string) },
    };
    let cookie = Cookie {
        name: text(name, b""),
        value: text(content, b""),
        raw,
        expires,
        path: text(path, b"/"),
        domain: text(domain, b""),
        secure,
        http_only,
        same_site: text(same_site, b""),
        priority: text(priority, b""),
        partitioned,
    };
    let line = cookie
        .field_value(SystemTime::now())
        .map_err(|error| Failure::Value(error.0, error.1.to_owned()))?;
    change(call, Some(COOKIE), |outgoing| outgoing.cookies.push(line))
}

/// `isWritable(): bool`
fn is_writable(call: &mut Call<'_>) -> Result<Returned, Failure> {
    call.no_arguments()?;
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile.
    let outgoing = unsafe { &mut (*call.this::<Response>()).state.outgoing };
    Ok(Returned::Bool(outgoing.is_writable()))
}

/// `getStatusCode(): int`
fn status_code(call: &mut Call<'_>) -> Result<Returned, Failure> {
    call.no_arguments()?;
    // SAFETY: as above.
    let status = unsafe { (*call.this::<Response>()).state.outgoing.status };
    Ok(Returned::Value(value::long(status.as_u16().into())))
}
