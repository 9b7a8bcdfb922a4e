//! The superglobals of a request, where the script that was compiled for them stays.

use ext_php_rs::ffi::{TRACK_VARS_FILES, zend_hash_str_find, zend_hash_update, zend_string};

use crate::engine::zend::globals;
use crate::engine::zend::string::Text;
use crate::engine::zend::value::{self, entries};

/// A superglobal, in PHP 8.2 to 8.5 (`zend_auto_global`).
#[repr(C)]
struct AutoGlobal {
    name: *mut zend_string,
    make: Option<unsafe extern "C" fn(*mut zend_string) -> bool>,
    /// Whether it is made when code that names it is compiled.
    jit: bool,
    /// Whether no such code was compiled yet.
    armed: bool,
}

/// Makes them anew of the request in work, but for `$_ENV`, and those that no code has named.
///
/// # Safety
///
/// The SAPI is active for the request. A fatal error may jump out of it.
pub unsafe fn make() {
    // SAFETY: the table's values point to superglobals, which live as long as the process; the array of
    // uploads is the engine's, which makes another one.
    unsafe {
        let files = &raw mut (*globals::core()).http_globals[TRACK_VARS_FILES as usize];
        drop(std::ptr::replace(files, value::undef()));
        let Some(table) = (*globals::compiler()).auto_globals.as_ref() else { return };
        for (name, entry) in entries(table) {
            let Some(global) = entry.value.ptr.cast::<AutoGlobal>().as_mut() else { continue };
            if name.to_bytes() == b"_ENV" || global.jit && global.armed {
                continue;
            }
            if let Some(make) = global.make {
                global.armed = make(global.name);
            }
        }
    }
}

/// Empties those of the last request, before a callback that is given objects.
pub fn clear() {
    for name in ["_GET", "_POST", "_COOKIE", "_FILES", "_REQUEST", "_SERVER"] {
        // SAFETY: the engine's table of global variables, which takes the value.
        unsafe {
            let found = zend_hash_str_find(globals::symbols(), name.as_ptr().cast(), name.len());
            if !found.is_null() {
                let key = Text::new(name.as_bytes());
                let mut nothing = value::moved(value::empty_array());
                zend_hash_update(globals::symbols(), key.as_ptr(), nothing.as_mut_ptr());
            }
        }
    }
}
