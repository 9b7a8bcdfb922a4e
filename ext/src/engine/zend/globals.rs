//! The engine's globals, and what is reset in them between two requests.

use std::ffi::{CStr, c_int};

use config::options::nearest::nearest;
use ext_php_rs::ffi::{
    _efree, _zend_compiler_globals, _zend_executor_globals, HashTable, IS_UNDEF, PHP_INI_SYSTEM,
    PHP_INI_USER, ext_php_rs_compiler_globals, ext_php_rs_executor_globals,
    ext_php_rs_process_globals, ext_php_rs_sapi_globals, ext_php_rs_sapi_module, php_core_globals,
    sapi_globals_struct, sapi_module_struct, zend_hash_find, zend_hash_str_find, zend_module_entry,
    zend_string,
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

/// `EG(symbol_table)`: the global variables.
pub fn symbols() -> *mut HashTable {
    // SAFETY: only takes an address.
    unsafe { &raw mut (*executor()).symbol_table }
}

/// A module that is loaded.
pub fn module(name: &CStr) -> Option<&'static zend_module_entry> {
    // SAFETY: the values of the engine's table of modules point to modules, which stay.
    unsafe {
        let found =
            zend_hash_str_find(&raw const module_registry, name.as_ptr(), name.count_bytes());
        found.as_ref()?.value.ptr.cast::<zend_module_entry>().as_ref()
    }
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

/// Takes the error of `error_get_last()`, which has none afterwards.
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

/// The error of `error_get_last()`, which stays.
pub fn last_error() -> Option<LastError> {
    // SAFETY: the strings, if there are any, live as long as the globals refer to them.
    unsafe {
        let core = core();
        if (*core).last_error_message.is_null() && (*core).last_error_file.is_null() {
            return None;
        }
        let share = |text: *mut zend_string| (!text.is_null()).then(|| Text::share(text));
        let message = owned(share((*core).last_error_message));
        let file = owned(share((*core).last_error_file));
        Some(LastError { message, file, line: i64::from((*core).last_error_lineno) })
    }
}

/// Runs `parse`, which reads a client's input by PHP's own parsers, and returns the last warning
/// that they raised. No error handler of the user's runs meanwhile and nothing is displayed.
pub fn collect_warning<R>(parse: impl FnOnce() -> R) -> (R, Option<String>) {
    take_last_error();
    let result = without_error_handler(|| {
        // SAFETY: a plain value, which is put back. A bailout in between ends the worker.
        let reporting = unsafe { std::mem::replace(&mut (*executor()).error_reporting, 0) };
        let result = parse();
        // SAFETY: as above.
        unsafe { (*executor()).error_reporting = reporting };
        result
    });
    (result, take_last_error().map(|error| error.message))
}

/// Runs it while the user has no error handler.
pub fn without_error_handler<R>(run: impl FnOnce() -> R) -> R {
    let undef = super::value::undef();
    // SAFETY: the handler is only parked: it is put back unchanged. A bailout in between ends the
    // worker.
    let handler = unsafe { std::ptr::replace(&raw mut (*executor()).user_error_handler, undef) };
    let result = run();
    // SAFETY: as above; UNDEF owns nothing.
    unsafe { (&raw mut (*executor()).user_error_handler).write(handler) };
    result
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

/// Resets what PHP's `header()`, `http_response_code()`, `header_register_callback()` and their like
/// have set (nothing sends it, and it would grow), and the flags that output has begun (they would warn
/// in the next request) and that it has failed.
pub fn forget_headers(response_code: c_int) {
    // SAFETY: the list and the strings belong to the globals.
    unsafe {
        let sapi = sapi();
        let headers = &raw mut (*sapi).sapi_headers;
        if (*headers).headers.count > 0 {
            super::zend_llist_clean((&raw mut (*headers).headers).cast());
        }
        for text in [&raw mut (*headers).http_status_line, &raw mut (*headers).mimetype] {
            let text = std::ptr::replace(text, std::ptr::null_mut());
            if !text.is_null() {
                _efree(text.cast());
            }
        }
        (*headers).http_response_code = response_code;
        (*headers).send_default_content_type = 1;
        (*sapi).headers_sent = 0;
        if (*sapi).callback_func.u1.type_info != IS_UNDEF {
            drop(std::ptr::replace(&raw mut (*sapi).callback_func, super::value::undef()));
        }
        (*core()).connection_status = 0;
    }
}

/// Lets the generators behind `mt_rand()`, `lcg_value()` and their relatives forget their states, as
/// the engine does before each script: they take new seeds when they are used next. `false` when this
/// PHP has none of it.
pub fn forget_seeds() -> bool {
    let Some(module) = module(c"random") else { return false };
    let Some(begin) = module.request_startup_func else { return false };
    // SAFETY: the function is what the engine calls between two scripts, and nothing of the module
    // runs now.
    unsafe { begin(c_int::from(module.type_), module.module_number) == super::SUCCESS }
}

/// What `set_time_limit()` does; starts the engine's timer.
pub fn set_time_limit(seconds: i64) {
    set_ini(b"max_execution_time", seconds.to_string().as_bytes());
}

/// What `ini_set()` does.
pub fn set_ini(name: &[u8], value: &[u8]) {
    let name = Text::new(name);
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

/// Sets what php.ini sets, if that can be set now.
pub fn set_system_ini(name: &str, value: &str) -> Result<(), IniError> {
    let key = Text::new(name.as_bytes());
    // SAFETY: the table of all settings lives as long as the process, and the engine copies name and
    // value.
    unsafe {
        let settings = (*executor()).ini_directives;
        if zend_hash_find(settings, key.as_ptr()).is_null() {
            let known: Vec<_> = super::value::entries(&*settings)
                .map(|(name, _)| String::from_utf8_lossy(&name.to_bytes()).into_owned())
                .collect();
            let nearest = nearest(name, known.iter().map(String::as_str));
            return Err(IniError::Unknown(nearest.map(str::to_owned)));
        }
        let outcome = super::zend_alter_ini_entry_chars(
            key.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            PHP_INI_SYSTEM as c_int,
            PHP_INI_STAGE_RUNTIME,
        );
        if outcome == super::SUCCESS { Ok(()) } else { Err(IniError::Refused) }
    }
}

/// Why a setting cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IniError {
    /// There is none of this name; the nearest one.
    Unknown(Option<String>),
    /// Not to this value, or not once PHP has started.
    Refused,
}

/// What `ini_restore()` does.
pub fn restore_ini(name: &[u8]) {
    let name = Text::new(name);
    // SAFETY: the engine looks the name up, and keeps nothing of it.
    unsafe { super::zend_restore_ini_entry(name.as_ptr(), PHP_INI_STAGE_RUNTIME) };
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
