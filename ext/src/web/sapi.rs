//! Makes this process a web SAPI, once: the SAPI's table, `PHP_SAPI`, functions and settings.

use std::ffi::{CString, c_int, c_void};

use ext_php_rs::ffi::{
    IS_INTERNED_STRING_EX, ext_php_rs_zend_string_init, zend_hash_str_find, zval,
};
use nix::libc::{RTLD_DEFAULT, dlsym};

use super::zend::{NO_CHDIR, zend_string_hash_func};
use super::{functions, hooks, settings};
use crate::engine::zend::globals;

/// What a worker becomes.
#[derive(Debug)]
pub struct WebSapi {
    /// `sapi_name`.
    pub name: String,
    /// PHP's settings.
    pub settings: Vec<(String, Vec<u8>)>,
    /// Whether there are functions of FrankenPHP's names.
    pub frankenphp: bool,
}

impl WebSapi {
    /// Becomes it. To be called once, in a worker, before code of the application is compiled: constants are
    /// put in their places then.
    pub fn settle(&self) {
        rename(&self.name);
        hooks::install();
        functions::show(self.frankenphp);
        // SAFETY: plain values of the engine's.
        unsafe {
            let (sapi, module) = (globals::sapi(), globals::sapi_module());
            (*module).phpinfo_as_text = 0;
            // Scripts run in their own folder.
            (*sapi).options &= !NO_CHDIR;
            (*sapi).request_info.argc = 0;
            (*sapi).request_info.argv = std::ptr::null_mut();
        }
        keep_signals();
        settings::apply(&self.settings);
    }
}

/// The name in the SAPI's table, and the constant.
fn rename(name: &str) {
    // SAFETY: name and value live as long as the process.
    unsafe {
        let text = CString::new(name).unwrap_or_default().into_raw();
        (*globals::sapi_module()).name = text;
        (*globals::sapi_module()).pretty_name = c"Ferrite".as_ptr().cast_mut();
        let constants = (*globals::executor()).zend_constants;
        let found = zend_hash_str_find(constants, c"PHP_SAPI".as_ptr(), "PHP_SAPI".len());
        let Some(found) = found.as_ref() else { return };
        // Not by the engine's function for interned strings, whose own would end with a request.
        let value = ext_php_rs_zend_string_init(text, name.len(), true);
        (*value).gc.u.type_info |= INTERNED;
        zend_string_hash_func(value);
        // A constant begins with its value.
        let place = found.value.ptr.cast::<zval>();
        (*place).value.str_ = value;
        (*place).u1.type_info = IS_INTERNED_STRING_EX;
    }
}

/// `IS_STR_INTERNED | IS_STR_PERMANENT`
const INTERNED: u32 = 1 << 6 | 1 << 8;

/// What `zend_signal_globals` begins with, in PHP 8.2 to 8.5.
#[repr(C)]
struct SignalGlobals {
    depth: c_int,
    blocked: c_int,
    running: c_int,
    active: c_int,
    check: bool,
    reset: bool,
}

/// The engine would set handlers for SIGTERM and SIGUSR1 at the beginning of each request, and the worker
/// die by them: what a worker does about signals stays.
fn keep_signals() {
    // SAFETY: the engine's variable, which a PHP without `--enable-zend-signals` has not.
    unsafe {
        let found: *mut c_void = dlsym(RTLD_DEFAULT, c"zend_signal_globals".as_ptr());
        if let Some(signals) = found.cast::<SignalGlobals>().as_mut() {
            signals.reset = false;
        }
    }
}
