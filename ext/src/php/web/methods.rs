//! The methods of `Ferrite\Http\Web`.

use super::Web;
use crate::engine::call::Callback;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::object::Object;
use crate::engine::zend::value;
use crate::php::error::Failure;
use crate::signatures::web::{self as given, slot};

/// `Web::__construct()`
pub fn construct(call: &Call<'_>, given: given::Construct<'_>) -> Result<Returned, Failure> {
    Callback::of_argument(1, given.callback)?;
    let this = call.this::<Web>();
    // SAFETY: the object is alive while its method runs, and its class declares the property.
    unsafe {
        let former = std::ptr::replace(
            Object::slot(this, slot::CALLBACK),
            given.callback.dereference().shallow_clone(),
        );
        drop(former);
    }
    Ok(Returned::Value(value::null()))
}

/// `Web::__invoke()`
pub fn invoke(_call: &Call<'_>) -> Result<Returned, Failure> {
    Err(Failure::State(
        "A Web callback is called by the server: pass the object to on('Request', …)".to_owned(),
    ))
}
