//! Adjusts the interpreter that a process of the server has inherited.

use std::ffi::{CStr, OsStr, c_char, c_int, c_long};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ext_php_rs::types::Zval;

use crate::engine::call::{CallOutcome, Callback, call};
use crate::engine::zend::{self, globals, value};

/// Drops what the parent has left for its own end: output that waits in buffers, and shutdown
/// functions. For a new child.
pub fn drop_inheritance() {
    // SAFETY: the output layer and the shutdown functions belong to the request that runs; both
    // calls leave them empty and usable.
    unsafe {
        php_output_discard_all();
        zend::php_free_shutdown_functions();
    }
}

/// Writes out what waits in output buffers.
pub fn flush_output() {
    // SAFETY: may run callbacks of the user's, as at the end of every script.
    unsafe { php_output_end_all() };
}

/// Gives `mt_rand()`, `lcg_value()` and their relatives sequences of their own in this process.
pub fn reseed() {
    if !globals::forget_seeds() {
        log::error!("random numbers of this process are those that the script would have drawn");
    }
}

/// Lets scripts go on when their output cannot be written: a broken standard output must not cost a
/// client its response.
pub fn survive_output() {
    call_function("ignore_user_abort", &mut [value::long(1)]);
}

/// Sets the process title, where the command line allows it; whether it was.
pub fn set_title(title: &str) -> bool {
    let done = call_function("cli_set_process_title", &mut [value::bytes(title.as_bytes())]);
    done.is_some_and(|done| done.is_true())
}

/// The version of PHP that runs, which may be newer than the one that this was built for.
pub fn php_version() -> String {
    call_function("phpversion", &mut [])
        .and_then(|version| version.string())
        .unwrap_or_else(|| "?".to_owned())
}

/// The name of the SAPI.
pub fn sapi_name() -> String {
    // SAFETY: the module and its name live as long as the process.
    unsafe { CStr::from_ptr((*globals::sapi_module()).name) }.to_string_lossy().into_owned()
}

/// The script's path, as PHP was told it.
pub fn script_path() -> PathBuf {
    // SAFETY: the path is null or a C string that lives as long as the request.
    unsafe {
        let path = (*globals::sapi()).request_info.path_translated;
        if path.is_null() {
            return PathBuf::new();
        }
        PathBuf::from(OsStr::from_bytes(CStr::from_ptr(path).to_bytes()))
    }
}

/// The script's file name without its folder.
pub fn script_name() -> String {
    let path = script_path();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name.is_empty() { "php".to_owned() } else { name }
}

/// Forgets the exit code that a callback has left, by `exit()` or by output that was not written.
pub fn forget_exit_code() {
    // SAFETY: a plain number of the engine's.
    unsafe { (*globals::executor()).exit_status = 0 };
}

/// Lets the script end here, with exit code 0: no `finally`, and no line of it runs any more.
pub fn end_script() {
    forget_exit_code();
    unwind_script();
}

/// The same with the exit code that is set.
pub fn unwind_script() {
    // SAFETY: called from a method, with no exception pending: the engine sees it when the method
    // returns.
    unsafe { zend_throw_unwind_exit() };
}

/// The text of an INI entry.
pub fn ini_text(name: &CStr) -> String {
    // SAFETY: the name is a C string of this length; the answer lives until the entry changes.
    unsafe {
        let text = zend_ini_string(name.as_ptr(), name.count_bytes(), 0);
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into() }
    }
}

/// The same for a name that is not known to be a C string.
pub fn ini_text_of(name: &str) -> String {
    std::ffi::CString::new(name).map_or_else(|_| String::new(), |name| ini_text(&name))
}

/// The truth of an INI entry.
pub fn ini_switch(name: &CStr) -> bool {
    ini_number(name) != 0
}

/// The number of an INI entry.
fn ini_number(name: &CStr) -> i64 {
    // SAFETY: as above.
    unsafe { zend_ini_long(name.as_ptr(), name.count_bytes(), 0) }
}

/// What in PHP's own settings is meant for scripts of a moment, and not for a server.
pub fn warnings() -> Vec<&'static str> {
    let mut warnings = Vec::new();
    if ini_number(c"memory_limit") < 0 {
        warnings.push(
            "memory_limit is -1: one handler can take all memory; set it (php -d memory_limit=256M)",
        );
    }
    if !ini_switch(c"opcache.enable_cli") {
        warnings.push(
            "opcache.enable_cli is off: PHP code runs slower; load opcache, and set it \
             (php -d opcache.enable_cli=1)",
        );
    }
    warnings
}

/// A function of PHP's, if this PHP has it.
pub fn function(name: &str) -> Option<Callback> {
    Callback::new(&value::bytes(name.as_bytes())).ok()
}

fn call_function(name: &str, arguments: &mut [Zval]) -> Option<Zval> {
    match call(&function(name)?, arguments) {
        CallOutcome::Returned(value) => Some(value),
        _ => None,
    }
}

unsafe extern "C" {
    fn php_output_discard_all();
    fn php_output_end_all();
    fn zend_throw_unwind_exit();
    fn zend_ini_string(name: *const c_char, len: usize, original: c_int) -> *mut c_char;
    fn zend_ini_long(name: *const c_char, len: usize, original: c_int) -> c_long;
}
