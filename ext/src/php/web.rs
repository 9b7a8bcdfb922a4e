//! `Ferrite\Http\Web`: marks a callback that sees a request as a script under php-fpm does.

pub mod methods;

use std::rc::Rc;

use ext_php_rs::ffi::{std_object_handlers, zend_object_handlers};

use crate::engine::call::Callback;
use crate::engine::zend::object::{Class, NativeObject, Object};
use crate::signatures::web::{SIGNATURE, slot};

/// The Rust half of the object, which holds nothing.
#[derive(Debug, Default)]
pub struct Web;

static CLASS: Class = Class::new(&SIGNATURE);

impl NativeObject for Web {
    fn class() -> &'static Class {
        &CLASS
    }

    fn detached() -> Self {
        Self
    }

    fn adapt(handlers: &mut zend_object_handlers) {
        // SAFETY: the standard handlers are constant data of the engine.
        handlers.get_constructor = unsafe { std_object_handlers }.get_constructor;
    }
}

/// What is called in the place of such an object; `None` for any other callable.
pub fn callback_of(callback: &Callback) -> Option<Rc<Callback>> {
    let object = Object::<Web>::of_value(callback.callable())?;
    // SAFETY: the callable keeps the object alive, whose class declares the property.
    let callable = unsafe { (*Object::slot(object, slot::CALLBACK)).shallow_clone() };
    Callback::new(&callable).ok().map(Rc::new)
}
