//! The methods of a port.

use config::events::Event;
use config::options::table::Scope;

use super::{Port, state};
use crate::callbacks;
use crate::engine::call::Callback;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::object::Object;
use crate::php::error::Failure;
use crate::settings;
use crate::signatures::port::{self as given, slot};

/// `Port::set()`
pub fn set(call: &Call<'_>, given: given::Set<'_>) -> Result<Returned, Failure> {
    let given = given.settings.shallow_clone();
    let this = call.this::<Port>();
    let state = state(this)?;
    if state.frozen.get() {
        return Err(settings::too_late("set"));
    }
    let new = settings::check(&given, Scope::Port)?;
    state.assignments.borrow_mut().extend(new);
    // SAFETY: the object is live, and declares the property.
    unsafe { settings::merge_slot(Object::slot(this, slot::SETTING), &given) };
    Ok(Returned::Bool(true))
}

/// `Port::on()`
pub fn on(call: &Call<'_>, given: given::On<'_>) -> Result<Returned, Failure> {
    let callback = Callback::of_argument(2, given.callback)?;
    let state = state(call.this::<Port>())?;
    let event = callbacks::event(given.event_name, Event::find_of_port)?;
    if state.frozen.get() {
        return Err(settings::too_late("on"));
    }
    state.callbacks.set(event, callback);
    Ok(Returned::Bool(true))
}

/// `Port::getCallback()`
pub fn get_callback(call: &Call<'_>, given: given::GetCallback<'_>) -> Result<Returned, Failure> {
    let state = state(call.this::<Port>())?;
    let event = callbacks::event(given.event_name, Event::find_of_port)?;
    Ok(Returned::Value(state.callbacks.shown(event)))
}
