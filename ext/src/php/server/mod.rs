//! `Ferrite\Http\Server`: the class.

mod admin;
pub(crate) mod client_info;
mod control;
mod files;
pub mod methods;
mod port_set;
pub mod start;
pub mod state;

use std::rc::Rc;

use ext_php_rs::ffi::{std_object_handlers, zend_object, zend_object_handlers};
use ext_php_rs::types::Zval;

use crate::engine::zend::object::{Class, NativeObject, Object};
use crate::php::error::Failure;
use crate::signatures::server::SIGNATURE;

use state::ServerInner;

/// The Rust half of a `Ferrite\Http\Server`; `None` until its constructor has run.
pub struct Server(Option<Rc<ServerInner>>);

static CLASS: Class = Class::new(&SIGNATURE);

impl NativeObject for Server {
    fn class() -> &'static Class {
        &CLASS
    }

    fn detached() -> Self {
        Self(None)
    }

    fn adapt(handlers: &mut zend_object_handlers) {
        // SAFETY: the standard handlers are constant data of the engine.
        handlers.get_constructor = unsafe { std_object_handlers }.get_constructor;
    }
}

/// The state of an object whose constructor has run.
pub(crate) fn state_of(this: *mut Object<Server>) -> Result<Rc<ServerInner>, Failure> {
    // SAFETY: the engine has passed a live object of this class.
    let state = unsafe { &(*this).state.0 };
    let missing = || Failure::State("The constructor of the server was not called".to_owned());
    state.clone().ok_or_else(missing)
}

/// Writes a property.
///
/// # Safety
///
/// `this` is live, and `slot` is one of `signatures::server::slot`.
pub(crate) unsafe fn write_slot(this: *mut Object<Server>, slot: usize, value: Zval) {
    // SAFETY: the caller's promise; the old value is taken out before it is released.
    drop(unsafe { std::ptr::replace(Object::slot(this, slot), value) });
}

/// The object behind a value that is known to be a server.
pub(crate) fn object_of(server: &Zval) -> Option<*mut Object<Server>> {
    let object: *const zend_object = server.object()?;
    // SAFETY: the caller knows that it is an object of this class.
    Some(unsafe { Object::of(object.cast_mut()) })
}
