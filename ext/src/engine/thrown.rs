//! [`Thrown`]: what an exception says, read without running code of the application.

use std::fmt;

use config::one_line::OneLine;
use ext_php_rs::ffi::{
    instanceof_function_slow, zend_ce_error, zend_ce_exception, zend_ce_throwable, zend_object,
    zend_read_property,
};
use ext_php_rs::types::{ZendObject, Zval};

use crate::engine::zend::string::bytes;
use crate::engine::zend::value;

/// An exception that nobody caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thrown {
    /// Its class.
    pub class: String,
    /// Its message.
    pub message: String,
    /// The file that it was created in.
    pub file: String,
    /// The line in it.
    pub line: i64,
}

/// What an object says that can be thrown, and what it has come from; `None` for any other object.
pub fn thrown(object: &ZendObject) -> Option<(Thrown, Zval)> {
    let exception = std::ptr::from_ref(object).cast_mut();
    // SAFETY: the object is live; the engine has set the interface before any extension starts.
    unsafe {
        instanceof_function_slow((*exception).ce, zend_ce_throwable)
            .then(|| (describe(exception), property(exception, "previous")))
    }
}

/// The name of an object's class.
pub fn class_name(object: &ZendObject) -> &str {
    // SAFETY: the class of a live object.
    let name = unsafe { (*object.ce).name() }.unwrap_or_default();
    // The name of an anonymous class goes on behind a NUL.
    name.split('\0').next().unwrap_or_default()
}

/// # Safety
///
/// `exception` points to a live object of a class that implements Throwable.
pub unsafe fn describe(exception: *mut zend_object) -> Thrown {
    // SAFETY: the caller's promise.
    unsafe {
        let text = |name| match property(exception, name).zend_str() {
            Some(text) => String::from_utf8_lossy(bytes(text)).into_owned(),
            None => String::new(),
        };
        Thrown {
            class: class_name(&*exception).to_owned(),
            message: text("message"),
            file: text("file"),
            line: property(exception, "line").long().unwrap_or_default(),
        }
    }
}

/// A property of an exception.
///
/// # Safety
///
/// As for [`describe`].
unsafe fn property(exception: *mut zend_object, name: &str) -> Zval {
    // SAFETY: the caller's promise. The properties are read as from inside the class that declares
    // them, which needs no getter and runs no code of the user's.
    unsafe {
        let class = (*exception).ce;
        let is_error = class == zend_ce_error || instanceof_function_slow(class, zend_ce_error);
        let scope = if is_error { zend_ce_error } else { zend_ce_exception };
        let mut room = value::null();
        let found = zend_read_property(
            scope,
            exception,
            name.as_ptr().cast(),
            name.len(),
            true,
            &raw mut room,
        );
        (*found).shallow_clone()
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, message, file, line } = self;
        write!(f, "uncaught {class}: {} in {file}:{line}", OneLine(message))
    }
}
