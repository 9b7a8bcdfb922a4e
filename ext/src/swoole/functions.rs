//! Functions of Swoole's that have an equivalent here.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

use ext_php_rs::ffi::{
    zend_execute_data, zend_function_entry, zend_internal_arg_info, zend_type, zval,
};
use ext_php_rs::types::Zval;

use super::VERSION;
use crate::engine::interpreter;
use crate::engine::zend::method::{Call, ZifHandler};
use crate::engine::zend::value;
use crate::php::error::Failure;
use crate::web::zend::{MODULE_PERSISTENT, zend_register_functions};

const MAY_BE_BOOL: u32 = 1 << 2 | 1 << 3;
const MAY_BE_LONG: u32 = 1 << 4;
const MAY_BE_STRING: u32 = 1 << 6;

/// Makes them. To be called once, at module startup.
pub fn register() {
    let name = Some((c"process_name", MAY_BE_STRING));
    let mut entries = vec![
        entry(c"swoole_version", version, MAY_BE_STRING, None),
        entry(c"swoole_cpu_num", cpu_num, MAY_BE_LONG, None),
        entry(c"swoole_set_process_name", set_process_name, MAY_BE_BOOL, name),
    ];
    // SAFETY: pointers and numbers, which may be zero: the entry that ends the table.
    entries.push(unsafe { MaybeUninit::zeroed().assume_init() });
    let entries = Box::leak(entries.into_boxed_slice()).as_ptr();
    let nowhere = std::ptr::null_mut();
    // SAFETY: the entries live as long as the process; without a table the engine's own is meant.
    unsafe { zend_register_functions(nowhere, entries, std::ptr::null_mut(), MODULE_PERSISTENT) };
}

fn entry(
    name: &'static CStr,
    handler: ZifHandler,
    returns: u32,
    parameter: Option<(&'static CStr, u32)>,
) -> zend_function_entry {
    let argument = |name: *const c_char, mask| zend_internal_arg_info {
        name,
        type_: zend_type { ptr: std::ptr::null_mut(), type_mask: mask },
        default_value: std::ptr::null(),
    };
    // The first tells how many are required.
    let required = std::ptr::without_provenance(usize::from(parameter.is_some()));
    let mut arguments = vec![argument(required, returns)];
    arguments.extend(parameter.map(|(name, mask)| argument(name.as_ptr(), mask)));
    // SAFETY: as above.
    let mut entry: zend_function_entry = unsafe { MaybeUninit::zeroed().assume_init() };
    entry.fname = name.as_ptr();
    entry.handler = Some(handler);
    entry.num_args = arguments.len() as u32 - 1;
    entry.arg_info = Box::leak(arguments.into_boxed_slice()).as_ptr();
    entry
}

/// # Safety
///
/// `frame` and `returned` are the engine's, for a call.
unsafe fn answer(
    frame: *mut zend_execute_data,
    returned: *mut zval,
    make: impl FnOnce(&Call<'_>) -> Result<Zval, Failure>,
) {
    // SAFETY: the caller's promise.
    match make(&unsafe { Call::of_function(frame) }) {
        // SAFETY: as above; the engine has set the place to NULL, which owns nothing.
        Ok(value) => unsafe { returned.write(value) },
        Err(failure) => failure.throw(),
    }
}

/// `swoole_version(): string`
unsafe extern "C" fn version(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own arguments.
    unsafe {
        answer(frame, returned, |call| {
            call.no_arguments()?;
            Ok(value::bytes(VERSION.as_bytes()))
        })
    }
}

/// `swoole_cpu_num(): int`: those that this process may use.
unsafe extern "C" fn cpu_num(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own arguments.
    unsafe {
        answer(frame, returned, |call| {
            call.no_arguments()?;
            let cpus = std::thread::available_parallelism().map_or(1, usize::from);
            Ok(value::long(cpus as i64))
        })
    }
}

/// `swoole_set_process_name(string $process_name): bool`, as `cli_set_process_title()`.
unsafe extern "C" fn set_process_name(frame: *mut zend_execute_data, returned: *mut zval) {
    // SAFETY: the engine's own arguments.
    unsafe {
        answer(frame, returned, |call| {
            let name = call.only_string()?;
            Ok(value::boolean(interpreter::set_title(&name.to_str())))
        })
    }
}
