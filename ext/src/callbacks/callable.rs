//! The arguments of `on()` and `getCallback()`.

use std::ffi::c_char;

use ext_php_rs::ffi::zval;

use crate::call::Callback;
use crate::error::Failure;
use crate::zend::method::Call;
use crate::zend::{SUCCESS, zend_parse_parameters};
use config::events::EventError;

/// An event's name and a callback.
pub fn arguments(call: &Call<'_>) -> Result<(String, Callback), Failure> {
    let mut name: *const c_char = std::ptr::null();
    let mut len = 0_usize;
    let mut callback: *mut zval = std::ptr::null_mut();
    // SAFETY: `s` fills a pointer and a length, `z` a pointer; all are valid while the call lasts.
    let parsed = unsafe {
        zend_parse_parameters(
            call.count(),
            c"sz".as_ptr(),
            &raw mut name,
            &raw mut len,
            &raw mut callback,
        )
    };
    if parsed != SUCCESS {
        return Err(Failure::Pending);
    }
    // SAFETY: as above.
    let callback = Callback::new(unsafe { &*callback })
        .map_err(|what| Failure::Type(2, format!("must be a valid callback, {what}")))?;
    Ok((text(name, len), callback))
}

/// An event's name.
pub fn name_argument(call: &Call<'_>) -> Result<String, Failure> {
    let mut name: *const c_char = std::ptr::null();
    let mut len = 0_usize;
    // SAFETY: `s` fills a pointer and a length.
    let parsed =
        unsafe { zend_parse_parameters(call.count(), c"s".as_ptr(), &raw mut name, &raw mut len) };
    if parsed == SUCCESS { Ok(text(name, len)) } else { Err(Failure::Pending) }
}

/// What is wrong with an event's name, as the end of an argument error.
pub fn blame(error: &EventError) -> String {
    format!("must be an event that can be handled: {error}")
}

/// The text of an argument, owned. Bytes that are not UTF-8 are replaced.
pub fn text(content: *const c_char, len: usize) -> String {
    // SAFETY: the engine has filled both from a live argument.
    let bytes = unsafe { std::slice::from_raw_parts(content.cast::<u8>(), len) };
    String::from_utf8_lossy(bytes).into_owned()
}
