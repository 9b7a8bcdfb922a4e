//! Functions that php-fpm has and the command line has not, and those of FrankenPHP's names.
//!
//! They are made once, before the first fork, in a table of their own: so every worker has them at the same
//! addresses, which code in opcache's shared memory may hold. PHP sees them once a process is a web SAPI.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::ffi::{
    HashTable, zend_execute_data, zend_function_entry, zend_internal_arg_info, zend_type, zval,
};
use ext_php_rs::types::Zval;
use http::StatusCode;
use wire::{BodyLength, FieldsBuilder, ResponseHead};

use super::exchange;
use super::variables::is_shown;
use super::zend::{self, MODULE_PERSISTENT, header_lines};
use crate::engine::zend::globals;
use crate::engine::zend::method::{Call, ZifHandler};
use crate::engine::zend::signature::Method;
use crate::engine::zend::value::{self, Array, entries};
use crate::signatures::functions::SIGNATURE;

const MAY_BE_BOOL: u32 = 1 << 2 | 1 << 3;
const MAY_BE_LONG: u32 = 1 << 4;
const MAY_BE_ARRAY: u32 = 1 << 7;
const MAY_BE_CALLABLE: u32 = 1 << 12;

/// A function: its name, its C function, what it returns, and its parameter.
struct Function {
    name: &'static CStr,
    handler: ZifHandler,
    returns: u32,
    /// Name, type and default value.
    parameter: Option<(&'static CStr, u32, Option<&'static CStr>)>,
}

/// What a worker script finds beside them that was written for FrankenPHP.
const FRANKENPHP: [Function; 4] = [
    Function {
        name: c"frankenphp_handle_request",
        handler: handle_request,
        returns: MAY_BE_BOOL,
        parameter: Some((c"callback", MAY_BE_CALLABLE, None)),
    },
    Function { name: c"frankenphp_finish_request", ..FUNCTIONS[0] },
    Function { name: c"frankenphp_request_headers", ..FUNCTIONS[1] },
    Function { name: c"frankenphp_response_headers", ..FUNCTIONS[3] },
];

const FUNCTIONS: [Function; 5] = [
    Function {
        name: c"fastcgi_finish_request",
        handler: finish_request,
        returns: MAY_BE_BOOL,
        parameter: None,
    },
    Function {
        name: c"getallheaders",
        handler: request_headers,
        returns: MAY_BE_ARRAY,
        parameter: None,
    },
    Function {
        name: c"apache_request_headers",
        handler: request_headers,
        returns: MAY_BE_ARRAY,
        parameter: None,
    },
    Function {
        name: c"apache_response_headers",
        handler: response_headers,
        returns: MAY_BE_ARRAY,
        parameter: None,
    },
    Function {
        name: c"headers_send",
        handler: headers_send,
        returns: MAY_BE_LONG,
        parameter: Some((c"status", MAY_BE_LONG, Some(c"200"))),
    },
];

/// The tables that they are made in.
static TABLES: [AtomicPtr<HashTable>; 2] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 2];

/// Makes them. To be called once, at module startup.
pub fn make() {
    for (table, functions) in TABLES.iter().zip([&FUNCTIONS[..], &FRANKENPHP]) {
        table.store(made(functions), Ordering::Relaxed);
    }
}

fn made(functions: &[Function]) -> *mut HashTable {
    // As the engine wants them: a table that ends with an empty entry. They live as long as the process.
    let entry = |function: &Function| {
        let argument = |name: *const _, mask, default| zend_internal_arg_info {
            name,
            type_: zend_type { ptr: std::ptr::null_mut(), type_mask: mask },
            default_value: default,
        };
        let is_required = function.parameter.is_some_and(|(_, _, default)| default.is_none());
        let required = std::ptr::without_provenance(usize::from(is_required));
        let mut arguments = vec![argument(required, function.returns, std::ptr::null())];
        if let Some((name, mask, default)) = function.parameter {
            let default = default.map_or(std::ptr::null(), CStr::as_ptr);
            arguments.push(argument(name.as_ptr(), mask, default));
        }
        // SAFETY: pointers and numbers, which may be zero.
        let mut entry: zend_function_entry = unsafe { MaybeUninit::zeroed().assume_init() };
        entry.fname = function.name.as_ptr();
        entry.handler = Some(function.handler);
        entry.num_args = arguments.len() as u32 - 1;
        entry.arg_info = Box::leak(arguments.into_boxed_slice()).as_ptr();
        entry
    };
    let mut all: Vec<zend_function_entry> = functions.iter().map(entry).collect();
    // SAFETY: as above.
    all.push(unsafe { MaybeUninit::zeroed().assume_init() });
    // SAFETY: the table is initialised before it is used; it and the entries live as long as the process.
    unsafe {
        let table = Box::leak(Box::new(MaybeUninit::<HashTable>::zeroed())).as_mut_ptr();
        zend::_zend_hash_init(table, functions.len() as u32, None, true);
        let entries = Box::leak(all.into_boxed_slice()).as_ptr();
        zend::zend_register_functions(std::ptr::null_mut(), entries, table, MODULE_PERSISTENT);
        table
    }
}

/// Lets PHP see them, those of FrankenPHP's names as well if it is to. No request may run.
pub fn show(frankenphp: bool) {
    TABLES[..1 + usize::from(frankenphp)].iter().for_each(show_table);
}

fn show_table(table: &AtomicPtr<HashTable>) {
    // SAFETY: the table was made at startup; the engine's own takes the same pointers.
    unsafe {
        let Some(table) = table.load(Ordering::Relaxed).as_ref() else { return };
        for (name, function) in entries(table) {
            let name = name.to_bytes();
            let mut function = std::ptr::read(function);
            // One that there is already stays.
            zend::zend_hash_str_add(
                (*globals::compiler()).function_table,
                name.as_ptr().cast(),
                name.len(),
                &raw mut function,
            );
            std::mem::forget(function);
        }
    }
}

/// # Safety
///
/// `frame` and `returned` are the engine's, for a call.
unsafe fn answer(frame: *mut zend_execute_data, returned: *mut zval, make: impl FnOnce() -> Zval) {
    // SAFETY: the caller's promise. When it throws the engine does not look at what is returned.
    unsafe {
        if Call::of_function(frame).no_arguments().is_ok() {
            returned.write(make());
        }
    }
}

/// `frankenphp_handle_request(callable $callback): bool`: the other name of `ferrite_handle_request()`.
unsafe extern "C" fn handle_request(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own, for this call.
    let (frame, returned) = unsafe { (&mut *frame, &mut *returned) };
    let named = |method: &&Method| method.name == "ferrite_handle_request";
    if let Some(function) = SIGNATURE.methods.iter().find(named) {
        (function.handler)(frame, returned);
    }
}

/// `fastcgi_finish_request(): bool`: sends what there is, and the end. The script goes on.
unsafe extern "C" fn finish_request(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own arguments. Callbacks of output buffers may run.
    unsafe {
        answer(frame, returned, || {
            if exchange::with(|exchange| exchange.response.is_over()) != Some(false) {
                return value::boolean(false);
            }
            ext_php_rs::ffi::php_output_end_all();
            zend::php_header();
            exchange::with(|exchange| exchange.response.finish());
            value::boolean(true)
        });
    }
}

/// `getallheaders(): array`
unsafe extern "C" fn request_headers(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own arguments.
    unsafe {
        answer(frame, returned, || {
            let lines = exchange::with(|exchange| {
                let lines = exchange.head.fields.iter();
                lines.map(|(name, value)| (name.to_vec(), value.to_vec())).collect::<Vec<_>>()
            });
            let mut array = Array::with_capacity(16);
            for (name, value) in joined(lines.unwrap_or_default()) {
                array.set_symbol(&title_case(&name), value::bytes(&value));
            }
            array.into_value()
        });
    }
}

/// Values of the same field, joined (RFC 9110, 5.3; RFC 9113, 8.2.3).
fn joined(lines: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut joined: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(lines.len());
    for (name, value) in lines {
        // As in `$_SERVER`.
        if !is_shown(&name) {
            continue;
        }
        match joined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                values.extend_from_slice(if name == b"cookie" { b"; " } else { b", " });
                values.extend_from_slice(&value);
            }
            None => joined.push((name, value)),
        }
    }
    joined
}

/// `content-type` as `Content-Type`.
fn title_case(name: &[u8]) -> Vec<u8> {
    let mut start = true;
    let letter = |byte: &u8| {
        let upper = std::mem::replace(&mut start, *byte == b'-');
        if upper { byte.to_ascii_uppercase() } else { *byte }
    };
    name.iter().map(letter).collect()
}

/// `apache_response_headers(): array`
unsafe extern "C" fn response_headers(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own arguments, and its list, which nothing changes meanwhile.
    unsafe {
        answer(frame, returned, || {
            let mut array = Array::with_capacity(8);
            for line in header_lines(&raw const (*globals::sapi()).sapi_headers) {
                if let Some(colon) = line.iter().position(|byte| *byte == b':') {
                    let value = value::bytes(line[colon + 1..].trim_ascii());
                    array.set_symbol(line[..colon].trim_ascii_end(), value);
                }
            }
            array.into_value()
        });
    }
}

/// `headers_send(int $status = 200): int`: sends an interim response (RFC 9110, 15.2) with the headers
/// that are set, such as 103; with any other status, those of the final one.
unsafe extern "C" fn headers_send(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own arguments.
    unsafe {
        let Ok(status) = Call::of_function(frame).optional_int(200) else { return };
        let sent = match status {
            // 101 changes the protocol, which no script can.
            100 | 102..=199 => interim(status as u16),
            200..=599 => {
                (*globals::sapi()).sapi_headers.http_response_code = status as c_int;
                zend::php_header() != 0
            }
            _ => false,
        };
        returned.write(value::long(if sent { status } else { 0 }));
    }
}

fn interim(status: u16) -> bool {
    let Ok(status) = StatusCode::from_u16(status) else { return false };
    let mut lines = FieldsBuilder::with_capacity(4, 256);
    // SAFETY: the engine's list, which nothing changes meanwhile.
    for line in unsafe { header_lines(&raw const (*globals::sapi()).sapi_headers) } {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii());
        let sendable = reactor::protocol::message::is_token(name)
            && name.len() <= usize::from(u16::MAX)
            && reactor::protocol::message::is_field_text(value);
        // What PHP or the script has set for the final response is none of the interim one's.
        let early = !name.eq_ignore_ascii_case(b"x-powered-by")
            && !name.eq_ignore_ascii_case(b"content-length")
            && !name.eq_ignore_ascii_case(b"set-cookie");
        if sendable && early {
            lines.push(name, value);
        }
    }
    let head = ResponseHead {
        status,
        reason: None,
        length: BodyLength::Known(0),
        fields: lines.build(),
        id_field: None,
    };
    exchange::with(|exchange| exchange.response.informational(&head)).unwrap_or(false)
}
