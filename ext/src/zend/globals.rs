//! The engine's globals, and what must be put back in order between two requests.

use std::ffi::{CStr, c_int};

use ext_php_rs::ffi::{
    _zend_compiler_globals, _zend_executor_globals, PHP_INI_USER, ext_php_rs_compiler_globals,
    ext_php_rs_executor_globals, ext_php_rs_process_globals, ext_php_rs_sapi_globals,
    ext_php_rs_sapi_module, php_core_globals, sapi_globals_struct, sapi_module_struct,
    zend_hash_str_find, zend_module_entry,
};
use ext_php_rs::types::Zval;

use super::module_registry;
use super::string::Text;

/// `EG`.
pub fn executor() -> *mut _zend_executor_globals {
    // SAFETY: only returns an address.
    unsafe { ext_php_rs_executor_globals() }
}

/// `CG`.
pub fn compiler() -> *mut _zend_compiler_globals {
    // SAFETY: only returns an address.
    unsafe { ext_php_rs_compiler_globals() }
}

/// `PG`.
pub fn core() -> *mut php_core_globals {
    // SAFETY: only returns an address.
    unsafe { ext_php_rs_process_globals() }
}

/// `SG`.
pub fn sapi() -> *mut sapi_globals_struct {
    // SAFETY: only returns an address.
    unsafe { ext_php_rs_sapi_globals() }
}

/// The table of the SAPI's functions.
pub fn sapi_module() -> *mut sapi_module_struct {
    // SAFETY: only returns an address.
    unsafe { ext_php_rs_sapi_module() }
}

/// The last error that PHP has raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// Its text.
    pub message: String,
    /// The file of the PHP code that raised it.
    pub file: String,
    /// The line in it.
    pub line: i64,
}

/// Takes away what `error_get_last()` would say.
pub fn take_last_error() -> Option<LastError> {
    // SAFETY: the strings belong to the globals, and are taken out of them before they are released.
    unsafe {
        let core = core();
        if (*core).last_error_message.is_null() && (*core).last_error_file.is_null() {
            return None;
        }
        let message =
            Text::adopt(std::mem::replace(&mut (*core).last_error_message, std::ptr::null_mut()));
        let file =
            Text::adopt(std::mem::replace(&mut (*core).last_error_file, std::ptr::null_mut()));
        let line = std::mem::take(&mut (*core).last_error_lineno);
        (*core).last_error_type = 0;
        Some(LastError { message: owned(message), file: owned(file), line: i64::from(line) })
    }
}

/// Runs `parse`, which reads a client's input by PHP's own parsers, and returns the last warning
/// that they raised. No error handler of the user's runs meanwhile and nothing is displayed.
pub fn collect_warning<R>(parse: impl FnOnce() -> R) -> (R, Option<String>) {
    take_last_error();
    // SAFETY: the handler is only parked: it is put back unchanged. A bailout in between ends the
    // worker.
    let (handler, reporting) = unsafe {
        let executor = executor();
        let handler =
            std::ptr::replace(&raw mut (*executor).user_error_handler, super::value::undef());
        (handler, std::mem::replace(&mut (*executor).error_reporting, 0))
    };
    let result = parse();
    // SAFETY: as above; UNDEF owns nothing.
    unsafe {
        let executor = executor();
        (&raw mut (*executor).user_error_handler).write(handler);
        (*executor).error_reporting = reporting;
    }
    (result, take_last_error().map(|error| error.message))
}

/// Runs `parse`, and takes away the array that it has left behind in one of the places of the
/// superglobals (`TRACK_VARS_*`). What was there before is put back: the engine relies on it.
pub fn with_http_global<R>(kind: u32, parse: impl FnOnce() -> R) -> (R, Zval) {
    // SAFETY: the index is one of the engine's constants; values are moved, never copied.
    let place = unsafe { &raw mut (*core()).http_globals[kind as usize] };
    // SAFETY: as above.
    let before = unsafe { std::ptr::replace(place, super::value::undef()) };
    let result = parse();
    // SAFETY: as above.
    (result, unsafe { std::ptr::replace(place, before) })
}

/// Forgets what PHP's `header()` and its like have been told, which nobody would ever send and which
/// would grow; and that output began, so that they do not complain in the next request.
pub fn forget_headers() {
    // SAFETY: the list belongs to the globals.
    unsafe {
        let list = &raw mut (*sapi()).sapi_headers.headers;
        if (*list).count > 0 {
            super::zend_llist_clean(list.cast());
        }
        (*sapi()).headers_sent = 0;
    }
}

/// Lets the generators behind `mt_rand()`, `lcg_value()` and their relatives forget their states, as
/// the engine does before each script: they take new seeds when they are used next. `false` when this
/// PHP has none of it.
pub fn forget_seeds() -> bool {
    let name = c"random";
    // SAFETY: the values of the engine's table of modules point to modules, which stay. The function is what the engine calls between two scripts, and
    // nothing of the module runs now.
    unsafe {
        let found =
            zend_hash_str_find(&raw const module_registry, name.as_ptr(), name.count_bytes());
        let Some(found) = found.as_ref() else { return false };
        let module = found.value.ptr.cast::<zend_module_entry>();
        let Some(begin) = (*module).request_startup_func else { return false };
        begin(c_int::from((*module).type_), (*module).module_number) == super::SUCCESS
    }
}

/// What `set_time_limit()` does; starts the engine's timer.
pub fn set_time_limit(seconds: i64) {
    let (name, value) = (Text::new(b"max_execution_time"), seconds.to_string());
    // SAFETY: the engine copies name and value.
    unsafe {
        super::zend_alter_ini_entry_chars(
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            PHP_INI_USER as c_int,
            PHP_INI_STAGE_RUNTIME,
        );
    }
}

/// `PHP_INI_STAGE_RUNTIME`
const PHP_INI_STAGE_RUNTIME: c_int = 1 << 4;

/// Passes the values of the INI settings `default_mimetype` and `default_charset`.
pub fn with_default_content_type<R>(take: impl FnOnce(&[u8], &[u8]) -> R) -> R {
    // SAFETY: both are null or C strings that live until an INI setting changes.
    unsafe {
        let text = |pointer: *mut std::ffi::c_char| {
            if pointer.is_null() { &[][..] } else { CStr::from_ptr(pointer).to_bytes() }
        };
        take(text((*sapi()).default_mimetype), text((*sapi()).default_charset))
    }
}

fn owned(text: Option<Text>) -> String {
    text.map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned()).unwrap_or_default()
}
