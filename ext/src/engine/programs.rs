//! Unblocks signals for programs that PHP's functions start.
//!
//! A worker blocks signals (`worker/src/signals/in_worker.rs` says why). `popen(3)`, which most of
//! these functions go by, gives its program the mask of the caller. So the functions are wrapped,
//! for all processes at module startup: the engine and its JIT may remember them from then on.

use std::ffi::CStr;
use std::sync::OnceLock;

use ext_php_rs::ffi::{HashTable, zend_execute_data, zend_function, zend_hash_str_find, zval};

use crate::engine::zend::globals;
use crate::engine::zend::method::ZifHandler;

/// How many there are.
const COUNT: usize = 11;

/// What is wrapped, in the order of [`wrap`].
static WRAPPED: [OnceLock<ZifHandler>; COUNT] = [const { OnceLock::new() }; COUNT];

/// Wraps those that there are. To be called once, at module startup: all functions of all modules are
/// registered by then.
pub fn wrap() {
    // SAFETY: the table is complete, and no PHP code runs yet.
    let table = unsafe { (*globals::compiler()).function_table };
    wrap_one::<0>(table, c"exec");
    wrap_one::<1>(table, c"shell_exec");
    wrap_one::<2>(table, c"system");
    wrap_one::<3>(table, c"passthru");
    wrap_one::<4>(table, c"popen");
    wrap_one::<5>(table, c"proc_open");
    wrap_one::<6>(table, c"pcntl_exec");
    // These hand their message to a program.
    wrap_one::<7>(table, c"mail");
    wrap_one::<8>(table, c"mb_send_mail");
    wrap_one::<9>(table, c"imap_mail");
    wrap_one::<10>(table, c"error_log");
}

fn wrap_one<const AT: usize>(table: *const HashTable, name: &CStr) {
    // SAFETY: the values of the engine's table point to functions, which stay as long as the process.
    let function = unsafe {
        let found = zend_hash_str_find(table, name.as_ptr(), name.count_bytes());
        let Some(found) = found.as_ref() else { return };
        &mut (*found.value.ptr.cast::<zend_function>()).internal_function
    };
    if let Some(original) = function.handler {
        // It fails when there is one already: then this is no second wrapper.
        if WRAPPED[AT].set(original).is_ok() {
            function.handler = Some(call::<AT>);
        }
    }
}

/// Calls what is wrapped. A bailout may jump over this frame: it owns nothing.
unsafe extern "C" fn call<const AT: usize>(frame: *mut zend_execute_data, returned: *mut zval) {
    if let Some(original) = WRAPPED[AT].get() {
        // SAFETY: the engine's arguments are passed on as they came.
        worker::with_open_mask(|| unsafe { original(frame, returned) });
    }
}
