//! What `ext-php-rs` does not declare of the Zend API, and the glue over it that this crate shares.

pub mod class;
pub mod globals;
pub mod lazy;
pub mod method;
pub mod object;
pub mod signature;
pub mod stream;
pub mod string;
pub mod value;
pub mod watched;

use std::cell::UnsafeCell;
use std::ffi::{c_char, c_int, c_void};

use ext_php_rs::ffi::{
    E_WARNING, HashTable, ext_php_rs_executor_globals, php_error_docref, php_output_handler,
    zend_class_entry, zend_fcall_info, zend_fcall_info_cache, zend_long, zend_object, zend_stack,
    zend_string, zval,
};

/// `SUCCESS` of the C API.
pub const SUCCESS: c_int = 0;
/// Argument of `php_default_treat_data`: the cookies of the request.
pub const PARSE_COOKIE: c_int = 2;
/// Argument of `php_default_treat_data`: a query string in memory that it may free.
pub const PARSE_STRING: c_int = 3;

/// A callback of `rfc1867.c` that watches uploads.
pub type Rfc1867Callback =
    Option<unsafe extern "C" fn(event: u32, data: *mut c_void, extra: *mut *mut c_void) -> c_int>;

/// A variable of the engine's that extensions may change.
#[repr(transparent)]
#[derive(Debug)]
pub struct EngineVariable<T>(UnsafeCell<T>);

// SAFETY: PHP's code, and what is called by it, runs on one thread of the process.
unsafe impl<T> Sync for EngineVariable<T> {}

impl<T> EngineVariable<T> {
    /// A copy of what is there.
    ///
    /// # Safety
    ///
    /// The engine has put a valid value there.
    pub unsafe fn get(&self) -> T
    where
        T: Copy,
    {
        // SAFETY: no reference to the inside is ever given out.
        unsafe { *self.0.get() }
    }

    /// Puts `value` there and returns what was there.
    ///
    /// # Safety
    ///
    /// The engine must be able to use the value for as long as it is there.
    pub unsafe fn replace(&self, value: T) -> T {
        // SAFETY: no reference to the inside is ever given out.
        unsafe { std::ptr::replace(self.0.get(), value) }
    }
}

#[allow(missing_docs)]
unsafe extern "C" {
    pub static spl_ce_RuntimeException: *mut zend_class_entry;
    pub static module_registry: HashTable;
    pub static php_rfc1867_callback: EngineVariable<Rfc1867Callback>;
    /// `php_basic_globals` begins with `user_shutdown_function_names`, in PHP 8.2 to 8.5; it is null
    /// when there are none.
    pub static basic_globals: EngineVariable<*mut HashTable>;

    pub fn zend_parse_parameters(num_args: u32, type_spec: *const c_char, ...) -> c_int;
    pub fn zend_argument_value_error(arg_num: u32, format: *const c_char, ...);
    pub fn zend_argument_type_error(arg_num: u32, format: *const c_char, ...);
    /// As a parameter of type string takes what is none, by the caller's mode of types; it may change `arg`.
    pub fn zend_parse_arg_str_slow(
        arg: *mut zval,
        dest: *mut *mut zend_string,
        arg_num: u32,
    ) -> bool;
    pub fn zval_try_get_string_func(op: *mut zval) -> *mut zend_string;
    pub fn zend_zval_type_name(arg: *const zval) -> *const c_char;

    pub fn zend_fcall_info_init(
        callable: *mut zval,
        check_flags: u32,
        fci: *mut zend_fcall_info,
        fcc: *mut zend_fcall_info_cache,
        callable_name: *mut *mut zend_string,
        error: *mut *mut c_char,
    ) -> c_int;
    pub fn zend_call_function(fci: *mut zend_fcall_info, fcc: *mut zend_fcall_info_cache) -> c_int;
    pub fn zend_release_fcall_info_cache(fcc: *mut zend_fcall_info_cache);
    pub fn zend_clear_exception();
    pub fn zend_user_exception_handler();
    pub fn zend_exception_error(exception: *mut zend_object, severity: c_int) -> c_int;
    pub fn zend_is_unwind_exit(exception: *const zend_object) -> bool;
    pub fn zend_is_graceful_exit(exception: *const zend_object) -> bool;

    pub fn zend_memory_usage(real: bool) -> usize;
    pub fn zend_error(kind: c_int, format: *const c_char, ...);

    pub fn zend_set_timeout(seconds: zend_long, reset_signals: bool);
    pub fn zend_unset_timeout();
    pub fn zend_alter_ini_entry_chars(
        name: *mut zend_string,
        value: *const c_char,
        value_length: usize,
        modify_type: c_int,
        stage: c_int,
    ) -> c_int;

    pub fn zend_restore_ini_entry(name: *mut zend_string, stage: c_int) -> c_int;

    pub fn zend_stack_push(stack: *mut zend_stack, element: *const c_void) -> c_int;
    pub fn zend_stack_top(stack: *const zend_stack) -> *mut c_void;
    pub fn zend_stack_del_top(stack: *mut zend_stack);

    pub fn php_call_shutdown_functions();
    pub fn php_free_shutdown_functions();

    pub fn zend_hash_internal_pointer_reset_ex(table: *mut HashTable, position: *mut u32);
    pub fn zend_hash_get_current_key_ex(
        table: *const HashTable,
        key: *mut *mut zend_string,
        index: *mut u64,
        position: *const u32,
    ) -> c_int;

    pub fn add_assoc_zval_ex(array: *mut zval, key: *const c_char, len: usize, value: *mut zval);
    pub fn zend_llist_clean(list: *mut c_void);
    pub fn php_output_get_level() -> c_int;
    pub fn php_output_end() -> c_int;
    pub fn php_output_get_active_handler() -> *mut php_output_handler;
    pub fn php_check_open_basedir(path: *const c_char) -> c_int;
    pub fn rfc1867_post_handler(content_type: *mut c_char, array: *mut c_void);
    pub fn destroy_uploaded_files_hash();
    pub fn php_raw_url_decode(text: *mut c_char, len: usize) -> usize;
}

/// Whether a PHP exception is pending.
pub fn has_exception() -> bool {
    // SAFETY: the globals of the only thread are valid for the life of the process.
    unsafe { !(*ext_php_rs_executor_globals()).exception.is_null() }
}

/// Raises a warning of PHP's. The user's error handler may run: no reference into an object may be held.
pub fn warn(message: &str) {
    let message = std::ffi::CString::new(message).unwrap_or_default();
    // SAFETY: the format takes one string, which lives until the call returns.
    unsafe {
        php_error_docref(std::ptr::null(), E_WARNING as c_int, c"%s".as_ptr(), message.as_ptr());
    }
}
