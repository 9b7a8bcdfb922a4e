//! The methods of `Ferrite\Http\Cookie`.

use std::time::SystemTime;

use super::object::{CookieObject, lack};
use super::{Cookie, CookieError};
use crate::engine::zend::method::{Call, Returned, Str};
use crate::engine::zend::object::Object;
use crate::engine::zend::value::{self, Array};
use crate::php::error::Failure;
use crate::signatures::cookie as given;

/// Sets something, and returns the object.
fn set(call: &Call<'_>, set: impl FnOnce(&mut CookieObject)) -> Result<Returned, Failure> {
    let this = call.this::<CookieObject>();
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile.
    unsafe {
        set(&mut (*this).state);
        Ok(Returned::Value(Object::to_value(this)))
    }
}

/// Sets a text, unless `alone`, a cookie with nothing but that text, is refused.
fn set_text(
    call: &Call<'_>,
    text: Str<'_>,
    alone: Cookie<'_>,
    place: fn(&mut CookieObject) -> &mut Vec<u8>,
) -> Result<Returned, Failure> {
    check(&alone)?;
    set(call, |cookie| *place(cookie) = text.as_bytes().to_vec())
}

fn check(alone: &Cookie<'_>) -> Result<(), Failure> {
    alone.check().map_err(|CookieError(_, message)| Failure::Value(1, message.to_owned()))
}

/// A cookie that nothing is wrong with.
fn sound<'a>() -> Cookie<'a> {
    Cookie { name: b"name", ..Cookie::default() }
}

/// `Cookie::__construct()`
pub fn construct(call: &Call<'_>, given: given::Construct) -> Result<Returned, Failure> {
    set(call, |cookie| *cookie = CookieObject::new(given.encode))?;
    Ok(Returned::Value(value::null()))
}

/// `Cookie::withName()`
pub fn with_name(call: &Call<'_>, given: given::WithName<'_>) -> Result<Returned, Failure> {
    let alone = Cookie { name: given.name.as_bytes(), ..sound() };
    set_text(call, given.name, alone, |cookie| &mut cookie.name)
}

/// `Cookie::withValue()`
pub fn with_value(call: &Call<'_>, given: given::WithValue<'_>) -> Result<Returned, Failure> {
    // SAFETY: as in `set`.
    let raw = unsafe { !(*call.this::<CookieObject>()).state.encode };
    let alone = Cookie { value: given.value.as_bytes(), raw, ..sound() };
    set_text(call, given.value, alone, |cookie| &mut cookie.value)
}

/// `Cookie::withExpires()`
pub fn with_expires(call: &Call<'_>, given: given::WithExpires) -> Result<Returned, Failure> {
    check(&Cookie { expires: given.expires, ..sound() })?;
    set(call, |cookie| cookie.expires = given.expires)
}

/// `Cookie::withPath()`
pub fn with_path(call: &Call<'_>, given: given::WithPath<'_>) -> Result<Returned, Failure> {
    let alone = Cookie { path: given.path.as_bytes(), ..sound() };
    set_text(call, given.path, alone, |cookie| &mut cookie.path)
}

/// `Cookie::withDomain()`
pub fn with_domain(call: &Call<'_>, given: given::WithDomain<'_>) -> Result<Returned, Failure> {
    let alone = Cookie { domain: given.domain.as_bytes(), ..sound() };
    set_text(call, given.domain, alone, |cookie| &mut cookie.domain)
}

/// `Cookie::withSecure()`
pub fn with_secure(call: &Call<'_>, given: given::WithSecure) -> Result<Returned, Failure> {
    set(call, |cookie| cookie.secure = given.secure)
}

/// `Cookie::withHttpOnly()`
pub fn with_http_only(call: &Call<'_>, given: given::WithHttpOnly) -> Result<Returned, Failure> {
    set(call, |cookie| cookie.http_only = given.http_only)
}

/// `Cookie::withSameSite()`
pub fn with_same_site(
    call: &Call<'_>,
    given: given::WithSameSite<'_>,
) -> Result<Returned, Failure> {
    let alone = Cookie { same_site: given.same_site.as_bytes(), ..sound() };
    set_text(call, given.same_site, alone, |cookie| &mut cookie.same_site)
}

/// `Cookie::withPriority()`
pub fn with_priority(call: &Call<'_>, given: given::WithPriority<'_>) -> Result<Returned, Failure> {
    let alone = Cookie { priority: given.priority.as_bytes(), ..sound() };
    set_text(call, given.priority, alone, |cookie| &mut cookie.priority)
}

/// `Cookie::withPartitioned()`
pub fn with_partitioned(
    call: &Call<'_>,
    given: given::WithPartitioned,
) -> Result<Returned, Failure> {
    set(call, |cookie| cookie.partitioned = given.partitioned)
}

/// `Cookie::toArray()`
pub fn to_array(call: &Call<'_>) -> Result<Returned, Failure> {
    // SAFETY: as in `set`.
    let cookie = unsafe { &(*call.this::<CookieObject>()).state };
    let mut array = Array::with_capacity(11);
    for (key, value) in [
        ("name", value::bytes(&cookie.name)),
        ("value", value::bytes(&cookie.value)),
        ("path", value::bytes(&cookie.path)),
        ("domain", value::bytes(&cookie.domain)),
        ("sameSite", value::bytes(&cookie.same_site)),
        ("priority", value::bytes(&cookie.priority)),
        ("encode", value::boolean(cookie.encode)),
        ("expires", value::long(cookie.expires)),
        ("secure", value::boolean(cookie.secure)),
        ("httpOnly", value::boolean(cookie.http_only)),
        ("partitioned", value::boolean(cookie.partitioned)),
    ] {
        array.set_symbol(key.as_bytes(), value);
    }
    Ok(Returned::Value(array.into_value()))
}

/// `Cookie::toString()`
pub fn to_string(call: &Call<'_>) -> Result<Returned, Failure> {
    // SAFETY: as in `set`.
    let cookie = unsafe { &(*call.this::<CookieObject>()).state };
    let line = cookie
        .cookie(false)
        .field_value(SystemTime::now())
        .map_err(|error| Failure::State(format!("This cookie {}", lack(&error))))?;
    Ok(Returned::Value(value::bytes(&line)))
}

/// `Cookie::reset()`
pub fn reset(call: &Call<'_>) -> Result<Returned, Failure> {
    set(call, |cookie| *cookie = CookieObject::new(cookie.encode))
}
