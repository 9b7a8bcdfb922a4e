//! The SAPI's functions, which the engine calls while a request runs.
//!
//! None of them runs PHP code or takes memory of the engine's while the exchange is borrowed. Those that
//! may end the script do it last, when nothing is left to be dropped: the engine jumps out of them.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use config::log_limit::{LimitedEvent, limited_with};
use config::one_line::OneLine;
use ext_php_rs::ffi::{TRACK_VARS_SERVER, sapi_headers_struct, zend_hash_str_find, zval};
use log::Level;

use super::head::HeadBuilder;
use super::{exchange, input, variables, zend};
use crate::engine::call::is_timeout;
use crate::engine::client::WriteOutput;
use crate::engine::zend::globals;
use crate::engine::zend::string::bytes;

thread_local! {
    /// What writes output that belongs to no request.
    static WRITE: Cell<Option<WriteOutput>> = const { Cell::new(None) };
}

/// Puts the functions into the SAPI's table.
pub fn install() {
    // SAFETY: the table lives as long as the process, and no request runs.
    unsafe {
        let module = globals::sapi_module();
        (*module).activate = None;
        (*module).deactivate = None;
        WRITE.set((*module).ub_write.replace(write_output));
        (*module).flush = Some(flush);
        (*module).getenv = Some(getenv);
        // That of the command line drops every header.
        (*module).header_handler = None;
        (*module).send_headers = Some(send_headers);
        (*module).send_header = None;
        (*module).read_post = Some(read_post);
        (*module).read_cookies = Some(read_cookies);
        (*module).register_server_variables = Some(register_server_variables);
        (*module).log_message = Some(log_message);
        (*module).default_post_reader = Some(default_post_reader);
    }
}

/// What a function must not let out of it: the engine's frames are no Rust.
fn guarded<R>(otherwise: R, run: impl FnOnce() -> R) -> R {
    // The panic hook has logged it.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(otherwise)
}

unsafe extern "C" fn write_output(text: *const c_char, len: usize) -> usize {
    // SAFETY: the engine passes so many bytes.
    let content = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) };
    let taken = guarded(Some(true), || exchange::with(|exchange| exchange.response.write(content)));
    if taken.is_none()
        && let Some(write) = WRITE.get()
    {
        // SAFETY: the arguments are the engine's, for this function.
        return unsafe { write(text, len) };
    }
    if taken == Some(false) {
        // SAFETY: the engine's own function for this moment, which may jump out of the script.
        unsafe { zend::php_handle_aborted_connection() };
    }
    len
}

unsafe extern "C" fn flush(_context: *mut c_void) {
    let there =
        guarded(true, || exchange::with(|exchange| exchange.response.flush()).unwrap_or(true));
    if !there {
        // SAFETY: as in `write_output`.
        unsafe { zend::php_handle_aborted_connection() };
    }
}

unsafe extern "C" fn send_headers(headers: *mut sapi_headers_struct) -> c_int {
    guarded((), || {
        // SAFETY: the engine passes its own.
        let head = unsafe { HeadBuilder::of(headers) };
        exchange::with(|exchange| exchange.response.set_head(head));
    });
    zend::HEADERS_SENT
}

unsafe extern "C" fn read_post(buffer: *mut c_char, len: usize) -> usize {
    // SAFETY: the engine passes room for so many bytes.
    let buffer = unsafe {
        buffer.cast::<u8>().write_bytes(0, len);
        std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len)
    };
    guarded(0, || exchange::with(|exchange| exchange.read(buffer)).unwrap_or(0))
}

unsafe extern "C" fn read_cookies() -> *mut c_char {
    exchange::with(|exchange| exchange.cookie()).unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn register_server_variables(array: *mut zval) {
    guarded((), || {
        // SAFETY: the engine passes the array that becomes `$_SERVER`.
        unsafe { variables::register(array) };
    });
}

/// What a request says about itself, as `getenv()` has it under php-fpm.
unsafe extern "C" fn getenv(name: *const c_char, len: usize) -> *mut c_char {
    // SAFETY: the engine passes so many bytes; the values of `$_SERVER` that the request has begun with
    // live as long as it.
    unsafe {
        let text = std::slice::from_raw_parts(name.cast::<u8>(), len);
        if !variables::is_of_request(text) {
            return std::ptr::null_mut();
        }
        zend::zend_is_auto_global_str(c"_SERVER".as_ptr(), "_SERVER".len());
        let server = &(*globals::core()).http_globals[TRACK_VARS_SERVER as usize];
        let Some(array) = server.array() else { return std::ptr::null_mut() };
        let found = zend_hash_str_find(array, name, len);
        match found.as_ref().and_then(|value| value.zend_str()) {
            Some(value) => bytes(value).as_ptr().cast_mut().cast(),
            None => std::ptr::null_mut(),
        }
    }
}

/// A line of `error_log()`, and of errors with `log_errors`.
unsafe extern "C" fn log_message(message: *const c_char, _priority: c_int) {
    // SAFETY: the engine passes a C string.
    let message = unsafe { CStr::from_ptr(message) }.to_string_lossy();
    guarded((), || {
        let fatal = ["PHP Fatal error", "PHP Parse error", "PHP Recoverable fatal error"]
            .iter()
            .any(|start| message.starts_with(start));
        let label = exchange::with(|exchange| {
            exchange.fatal_logged |= fatal;
            (exchange.head.method.to_string(), exchange.head.path.escape_ascii().to_string())
        });
        let label = label.map(|(method, path)| (format!("{method} {path}: "), method, path));
        let (place, method, path) = label.unwrap_or_default();
        let (kind, reason) = match is_timeout(&message) {
            true => (LimitedEvent::Timeout, "max_execution_time"),
            false => (LimitedEvent::Handler, "php"),
        };
        let fields = [
            ("reason", reason.into()),
            ("method", (&method[..]).into()),
            ("path", (&path[..path.len().min(200)]).into()),
        ];
        let level = if fatal { Level::Error } else { Level::Warn };
        let line = format_args!("{place}{}", OneLine(&message));
        limited_with(kind, level, &fields, line);
    });
}

/// Content that is no form: from its file where it lies in one, without a copy.
unsafe extern "C" fn default_post_reader() {
    let opened = guarded(false, input::open_body);
    if !opened {
        // SAFETY: the engine's own function for this moment.
        unsafe { zend::php_default_post_reader() };
    }
}
