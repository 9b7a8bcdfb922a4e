//! What a SAPI needs of the engine, and `ext-php-rs` does not declare.

use std::ffi::{c_char, c_int, c_uint, c_void};

use ext_php_rs::ffi::{
    HashTable, sapi_headers_struct, zend_class_entry, zend_file_handle, zend_function_entry,
    zend_resource, zend_string, zval,
};

use crate::engine::zend::globals;

/// `SAPI_HEADER_SENT_SUCCESSFULLY`
pub const HEADERS_SENT: c_int = 1;
/// `SAPI_OPTION_NO_CHDIR`
pub const NO_CHDIR: c_int = 1;
/// Argument of an input filter: a variable of `$_SERVER` (`PARSE_SERVER`).
pub const PARSE_SERVER: c_int = 5;
/// `MODULE_PERSISTENT`
pub const MODULE_PERSISTENT: c_int = 1;
/// `PHP_INI_STAGE_ACTIVATE`
pub const STAGE_ACTIVATE: c_int = 1 << 2;

/// The filter that variables of a request go through.
pub type InputFilter = unsafe extern "C" fn(
    kind: c_int,
    name: *const c_char,
    value: *mut *mut c_char,
    len: usize,
    new_len: *mut usize,
) -> c_uint;

#[allow(missing_docs)]
unsafe extern "C" {
    pub static php_import_environment_variables: Option<unsafe extern "C" fn(array: *mut zval)>;

    pub fn php_request_startup() -> c_int;
    fn php_request_shutdown(unused: *mut c_void);
    /// An int, and since PHP 8.4 a bool: whether it has succeeded is not asked.
    pub fn php_execute_script(script: *mut zend_file_handle);
    pub fn php_handle_auth_data(authorization: *const c_char) -> c_int;
    pub fn php_handle_aborted_connection();
    pub fn php_default_post_reader();
    pub fn php_header() -> c_int;
    fn sapi_deactivate();
    pub fn php_file_le_stream() -> c_int;
    pub fn zend_list_close(resource: *mut zend_resource);
    pub fn zend_list_delete(resource: *mut zend_resource) -> c_int;
    pub fn php_output_start_user(handler: *mut zval, chunk: usize, flags: c_int) -> c_int;
    pub fn php_output_discard_all();
    pub fn zend_objects_store_mark_destructed(store: *mut c_void);
    pub fn zend_is_auto_global_str(name: *const c_char, len: usize) -> bool;
    pub fn zend_hash_str_add(
        table: *mut HashTable,
        key: *const c_char,
        len: usize,
        value: *mut zval,
    ) -> *mut zval;
    pub fn zend_register_functions(
        scope: *mut zend_class_entry,
        functions: *const zend_function_entry,
        table: *mut HashTable,
        kind: c_int,
    ) -> c_int;
    pub fn _zend_hash_init(
        table: *mut HashTable,
        size: u32,
        destructor: Option<unsafe extern "C" fn(*mut zval)>,
        persistent: bool,
    );
    pub fn zend_string_hash_func(string: *mut zend_string) -> u64;
}

/// Ends the request to PHP, as at the end of a script.
///
/// # Safety
///
/// A request has begun. A bailout may jump out of it.
pub unsafe fn end_request() {
    // SAFETY: the caller's promise.
    unsafe {
        php_request_shutdown(std::ptr::null_mut());
        forget_freed();
    }
}

/// Ends the request to the SAPI alone: the script's memory stays.
///
/// # Safety
///
/// No request is in work.
pub unsafe fn deactivate() {
    // SAFETY: the caller's promise.
    unsafe {
        sapi_deactivate();
        forget_freed();
    }
}

/// Some versions of PHP free what a request has told the SAPI, and leave the pointers: the next request would be
/// shown the credentials of this one, and all of it be freed once more.
///
/// # Safety
///
/// The engine has freed it.
unsafe fn forget_freed() {
    // SAFETY: the SAPI's globals, which own these strings and the table.
    unsafe {
        let sapi = globals::sapi();
        let info = &raw mut (*sapi).request_info;
        (*info).auth_user = std::ptr::null_mut();
        (*info).auth_password = std::ptr::null_mut();
        (*info).auth_digest = std::ptr::null_mut();
        (*info).content_type_dup = std::ptr::null_mut();
        (*info).current_user = std::ptr::null_mut();
        (*sapi).rfc1867_uploaded_files = std::ptr::null_mut();
    }
}

/// The fields of a response that PHP's `header()` has set, each as it was given, in their order.
///
/// # Safety
///
/// `headers` points to the SAPI's list, and the lines are not used when it has changed.
pub unsafe fn header_lines<'a>(
    headers: *const sapi_headers_struct,
) -> impl Iterator<Item = &'a [u8]> {
    // SAFETY: the caller's promise: elements hold their line behind two pointers.
    let mut element = unsafe { (*headers).headers.head };
    std::iter::from_fn(move || {
        // SAFETY: as above; the last element points to none.
        unsafe {
            let line = (&raw const element.as_ref()?.data)
                .cast::<ext_php_rs::ffi::sapi_header_struct>()
                .read_unaligned();
            element = (*element).next;
            Some(std::slice::from_raw_parts(line.header.cast::<u8>(), line.header_len))
        }
    })
}
