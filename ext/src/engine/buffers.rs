//! Closes the output buffers that PHP code has left open.

use std::ffi::c_int;

use crate::engine::zend::{self, SUCCESS, globals, value};

/// `PHP_OUTPUT_HANDLER_REMOVABLE`
const REMOVABLE: c_int = 0x40;

/// Flushes and closes output buffers down to a level, those as well that scripts must not close.
///
/// # Safety
///
/// A fatal error of their callbacks may jump out of it.
pub unsafe fn close(level: c_int) {
    // SAFETY: callbacks of the user's may run, with no exception (exit()'s) pending; handlers live as their level.
    unsafe {
        let exception = &raw mut (*globals::executor()).exception;
        let mut pending = exception.replace(std::ptr::null_mut());
        let mut closed = true;
        while closed && zend::php_output_get_level() > level {
            if let Some(handler) = zend::php_output_get_active_handler().as_mut() {
                handler.flags |= REMOVABLE;
            }
            closed = zend::php_output_end() == SUCCESS;
            if !(*exception).is_null() {
                std::ptr::swap(exception, &raw mut pending);
                let former = exception.replace(std::ptr::null_mut());
                (!former.is_null()).then(|| value::owned_object(former));
            }
        }
        exception.write(pending);
    }
}
