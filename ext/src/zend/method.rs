//! Methods as C functions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ext_php_rs::ffi::{IS_FALSE, IS_TRUE};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use super::object::{Backed, Object};
use super::string::Text;
use super::value;
use crate::error::Failure;

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
pub type Body = fn(&mut Call<'_>) -> Result<Returned, Failure>;

/// The C function behind a method, as the builder takes it.
pub type Handler = extern "C" fn(&mut ExecuteData, &mut Zval);

/// A call of a method.
pub struct Call<'a>(&'a mut ExecuteData);

impl Call<'_> {
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
        unsafe { super::zend_parse_parameters(self.count(), c"".as_ptr()) };
        Err(Failure::Pending)
    }

    /// The object that the method is called on. `T` is the class that the method is declared in.
    pub fn this<T: Backed>(&mut self) -> *mut Object<T> {
        // SAFETY: the engine calls methods that are not static with an object of their class.
        unsafe { Object::of(self.0.This.value.obj) }
    }
}

/// Runs a body, and turns what comes of it into PHP's terms. A panic becomes an exception.
pub fn run(frame: &mut ExecuteData, returned: &mut Zval, body: Body) {
    let outcome = catch_unwind(AssertUnwindSafe(|| body(&mut Call(frame))));
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

/// Declares the C functions behind methods: `name => body;`.
macro_rules! methods {
    ($($name:ident => $body:path;)*) => {$(
        extern "C" fn $name(
            frame: &mut ::ext_php_rs::zend::ExecuteData,
            returned: &mut ::ext_php_rs::types::Zval,
        ) {
            $crate::zend::method::run(frame, returned, $body);
        }
    )*};
}
pub(crate) use methods;
