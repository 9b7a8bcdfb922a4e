//! Methods as C functions, and what they are given.

use std::borrow::Cow;
use std::ffi::c_int;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use ext_php_rs::ffi::{IS_FALSE, IS_TRUE, zend_execute_data, zend_string, zval};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use super::object::{NativeObject, Object};
use super::string::{Text, bytes};
use super::{SUCCESS, value, zend_parse_parameters};
use crate::php::error::Failure;

/// What a method returns to PHP.
#[derive(Debug)]
pub enum Returned {
    /// `true` or `false`.
    Bool(bool),
    /// A string.
    Text(Text),
    /// Anything else.
    Value(Zval),
}

/// The body of a method.
pub type MethodBody = fn(&Call<'_>) -> Result<Returned, Failure>;

/// The C function behind a method, as the builder takes it.
pub type MethodHandler = extern "C" fn(&mut ExecuteData, &mut Zval);

/// The C function behind a function of PHP's.
pub type ZifHandler = unsafe extern "C" fn(frame: *mut zend_execute_data, returned: *mut zval);

/// A call of a method.
pub struct Call<'a>(&'a ExecuteData);

impl Call<'_> {
    /// The call of a function.
    ///
    /// # Safety
    ///
    /// `frame` is the engine's, for the call that goes on.
    pub unsafe fn of_function(frame: *const ExecuteData) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { &*frame })
    }

    /// The only argument, a number, or what it is without; throws when that is none.
    pub fn optional_int(&self, default: i64) -> Result<i64, Failure> {
        let mut number = default;
        // SAFETY: the specification takes a pointer to one number.
        parsed(unsafe { zend_parse_parameters(self.count(), c"|l".as_ptr(), &raw mut number) })?;
        Ok(number)
    }

    /// The only argument, a string; throws when that is none.
    pub fn only_string(&self) -> Result<Str<'_>, Failure> {
        let mut string: *mut zend_string = std::ptr::null_mut();
        // SAFETY: the specification takes a pointer to one string, which lives while the call runs.
        unsafe {
            parsed(zend_parse_parameters(self.count(), c"S".as_ptr(), &raw mut string))?;
            Ok(Str::or(string, ""))
        }
    }

    /// Number of arguments passed.
    pub fn count(&self) -> u32 {
        // SAFETY: the engine uses this member of the union in call frames.
        unsafe { self.0.This.u2.num_args }
    }

    /// Throws what PHP throws when a method without parameters gets some.
    pub fn no_arguments(&self) -> Result<(), Failure> {
        if self.count() == 0 {
            return Ok(());
        }
        // SAFETY: an empty specification takes no pointers.
        parsed(unsafe { zend_parse_parameters(self.count(), c"".as_ptr()) })
    }

    /// The object that the method is called on. `T` is the class that the method is declared in.
    pub fn this<T: NativeObject>(&self) -> *mut Object<T> {
        // SAFETY: the engine calls methods that are not static with an object of their class.
        unsafe { Object::of(self.0.This.value.obj) }
    }
}

/// The result of `zend_parse_parameters`, which has thrown when it failed.
pub fn parsed(outcome: c_int) -> Result<(), Failure> {
    if outcome == SUCCESS { Ok(()) } else { Err(Failure::Pending) }
}

/// A string argument. It lives while the method runs.
#[derive(Debug, Clone, Copy)]
pub struct Str<'a> {
    /// `None`: the default.
    given: Option<NonNull<zend_string>>,
    default: &'static str,
    lifetime: PhantomData<&'a zend_string>,
}

impl<'a> Str<'a> {
    /// An argument, or its default if that is null.
    ///
    /// # Safety
    ///
    /// The string, if there is one, is live for `'a`.
    pub unsafe fn or(given: *mut zend_string, default: &'static str) -> Self {
        Self { given: NonNull::new(given), default, lifetime: PhantomData }
    }

    /// An argument that may be null.
    ///
    /// # Safety
    ///
    /// As for [`or`](Self::or).
    pub unsafe fn given(given: *mut zend_string) -> Option<Self> {
        // SAFETY: the caller's promise.
        (!given.is_null()).then(|| unsafe { Self::or(given, "") })
    }

    /// The content.
    pub fn as_bytes(self) -> &'a [u8] {
        match self.given {
            // SAFETY: the string is live for `'a`.
            Some(string) => unsafe { bytes(string.as_ptr()) },
            None => self.default.as_bytes(),
        }
    }

    /// One more reference to the string.
    pub fn to_text(self) -> Text {
        match self.given {
            // SAFETY: the string is live.
            Some(string) => unsafe { Text::share(string.as_ptr()) },
            None => Text::new(self.default.as_bytes()),
        }
    }

    /// The content as text. Bytes that are not UTF-8 are replaced.
    pub fn to_str(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.as_bytes())
    }
}

/// Runs a body, and turns what comes of it into PHP's terms. A panic becomes an exception.
pub fn run(frame: &mut ExecuteData, returned: &mut Zval, body: MethodBody) {
    let outcome = catch_unwind(AssertUnwindSafe(|| body(&Call(frame))));
    let outcome = outcome.unwrap_or_else(|_| {
        Err(Failure::State("Ferrite has failed here; the log says how".into()))
    });
    match outcome {
        // The engine has set the place for the result to NULL, which owns nothing.
        Ok(Returned::Bool(yes)) => returned.u1.type_info = if yes { IS_TRUE } else { IS_FALSE },
        Ok(Returned::Text(text)) => *returned = value::text(text),
        Ok(Returned::Value(value)) => *returned = value,
        Err(failure) => failure.throw(),
    }
}
