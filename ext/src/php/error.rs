//! [`Failure`]: why a method throws; and the class `Ferrite\Exception`.

use std::ffi::CString;

use ext_php_rs::exception::PhpException;
use ext_php_rs::ffi::{zend_ce_error, zend_throw_exception};
use ext_php_rs::zend::ClassEntry;

use crate::engine::zend::class::{self, ClassCell};
use crate::engine::zend::{self, spl_ce_RuntimeException, zend_argument_type_error};
use crate::signatures::exception::SIGNATURE;

static CLASS: ClassCell = ClassCell::new();

/// Registers `Ferrite\Exception`. To be called once, at module startup, before the other classes.
pub fn register() -> ext_php_rs::error::Result<()> {
    class::builder(&SIGNATURE)
        .extends((runtime_exception, "\\RuntimeException"))
        .registration(|entry, tables| {
            class::complete(entry, &SIGNATURE);
            CLASS.set(entry, tables);
        })
        .register()
}

/// The class `Ferrite\Exception`.
pub fn class() -> &'static ClassEntry {
    CLASS.get()
}

/// The same as the engine wants it.
pub fn entry() -> *mut ClassEntry {
    CLASS.as_ptr()
}

/// `Ferrite\Exception` with this message, for code that returns a [`PhpException`].
pub fn exception(message: impl Into<String>) -> PhpException {
    PhpException::new(message.into(), 0, class())
}

/// Why a method does not return a value.
#[derive(Debug)]
pub enum Failure {
    /// The object is not in a state for this: `Ferrite\Exception`.
    State(String),
    /// The argument with this number (from 1) has an impossible value: `ValueError`. The message
    /// goes behind "Argument #1 ($name) ".
    Value(u32, String),
    /// The argument with this number has an impossible type: `TypeError`.
    Type(u32, String),
    /// The object must not be made by hand: `Error`.
    Forbidden(String),
    /// A PHP exception is pending already.
    Pending,
    /// A fatal error has been reported: the script ends now, by PHP's own shutdown.
    Fatal,
}

impl Failure {
    /// Throws it, unless an exception is pending already.
    pub fn throw(self) {
        match self {
            Self::Pending => {}
            // SAFETY: between here and the engine no frame holds anything that has to be dropped.
            Self::Fatal => unsafe { ext_php_rs::zend::bailout() },
            _ if zend::has_exception() => {}
            Self::State(message) => throw(class(), message),
            Self::Value(number, message) => {
                let message = c_string(message);
                // SAFETY: the format takes one string, which lives until the call returns.
                unsafe {
                    zend::zend_argument_value_error(number, c"%s".as_ptr(), message.as_ptr())
                };
            }
            Self::Type(number, message) => {
                let message = c_string(message);
                // SAFETY: as above.
                unsafe { zend_argument_type_error(number, c"%s".as_ptr(), message.as_ptr()) };
            }
            // SAFETY: the engine sets the class entry before any extension starts.
            Self::Forbidden(message) => throw(unsafe { &*zend_ce_error }, message),
        }
    }
}

fn throw(class: &ClassEntry, message: String) {
    let message = c_string(message);
    let class = std::ptr::from_ref(class).cast_mut();
    // SAFETY: the class extends Throwable, and the message is copied.
    unsafe { zend_throw_exception(class, message.as_ptr(), 0) };
}

/// Text with a NUL inside is shown up to it.
fn c_string(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let end = error.nul_position();
        let mut text = error.into_vec();
        text.truncate(end);
        CString::new(text).unwrap_or_default()
    })
}

fn runtime_exception() -> &'static ClassEntry {
    // SAFETY: SPL is compiled into every PHP and has registered its classes by now.
    unsafe { &*spl_ce_RuntimeException }
}
