//! Compiled regular expressions, which the command line drops at the end of each request: a web SAPI keeps
//! them.

use std::ffi::c_void;

use ext_php_rs::ffi::{HashTable, zval};
use nix::libc::{RTLD_DEFAULT, dlsym, free};

use super::zend;

/// What `pcre_globals` begins with, in PHP 8.2 to 8.5 with the JIT of PCRE.
#[repr(C)]
struct Globals {
    cache: HashTable,
    backtrack_limit: i64,
    recursion_limit: i64,
    jit: bool,
    per_request_cache: bool,
}

/// Keeps them from now on. No request may run: the cache of the last one is gone.
pub fn keep() {
    // SAFETY: the module's variable and a function of the library that it uses, each of which may be missing.
    unsafe {
        let globals = dlsym(RTLD_DEFAULT, c"pcre_globals".as_ptr()).cast::<Globals>();
        let (Some(globals), Some(_)) = (globals.as_mut(), release()) else { return };
        // What it is in the command line: otherwise the variable is another than is known here.
        if (&raw const globals.per_request_cache).cast::<u8>().read() == 1
            && (&raw const globals.jit).cast::<u8>().read() <= 1
        {
            globals.per_request_cache = false;
            zend::_zend_hash_init(&raw mut globals.cache, 0, Some(forget), true);
        }
    }
}

/// `pcre2_code_free()`
fn release() -> Option<unsafe extern "C" fn(*mut c_void)> {
    // SAFETY: the name is a C string; what is under it takes compiled code.
    unsafe {
        let found = dlsym(RTLD_DEFAULT, c"pcre2_code_free_8".as_ptr());
        std::mem::transmute::<*mut c_void, Option<unsafe extern "C" fn(*mut c_void)>>(found)
    }
}

/// An entry is displaced by others. It begins with the compiled code.
unsafe extern "C" fn forget(entry: *mut zval) {
    // SAFETY: the module has allocated entry and code.
    unsafe {
        let entry = (*entry).value.ptr.cast::<*mut c_void>();
        if let (Some(code), Some(release)) = (entry.as_ref(), release()) {
            release(*code);
            free(entry.cast());
        }
    }
}
