//! The methods of a server that configure it. Those of a server that runs are in `control.rs`.

use std::rc::Rc;

use config::activation;
use config::bind::{self, BindError, SocketType};
use config::events::Event;
use config::options::table::Scope;
use ext_php_rs::types::Zval;
use wire::limits::PORTS_MAX;

use super::state::ServerInner;
use super::{Server, state_of, write_slot};
use crate::callbacks;
use crate::engine::call::Callback;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::object::Object;
use crate::engine::zend::value::{self, Array};
use crate::php::error::Failure;
use crate::php::port;
use crate::settings;
use crate::signatures::constant::{BASE, PROCESS};
use crate::signatures::server::{self as given, slot};

pub use super::control::{
    close, get_client_info, get_master_pid, get_worker_id, get_worker_pid, reload, reload_tls,
    shutdown, stats, stop,
};
pub use super::start::start;

/// `Server::__construct()`
pub fn construct(call: &Call<'_>, given: given::Construct<'_>) -> Result<Returned, Failure> {
    // There is one process model; both mean it.
    if ![BASE, PROCESS].contains(&given.mode) {
        return Err(Failure::Value(3, "must be Ferrite\\PROCESS or Ferrite\\BASE".to_owned()));
    }
    let this = call.this::<Server>();
    // SAFETY: the engine has passed a live object of this class.
    if unsafe { (*this).state.0.is_some() } {
        return Err(Failure::State("The constructor was called before".to_owned()));
    }
    let state = Rc::new(ServerInner::default());
    let host = given.host.to_str().into_owned();
    let object = add_port(&state, host, given.port, given.sock_type)?;
    let first = state.port(0).ok_or(Failure::Pending)?;
    let values = [
        (slot::SETTING, value::empty_array()),
        (slot::HOST, value::bytes(first.host.as_bytes())),
        (slot::PORT, value::long(i64::from(first.number))),
        (slot::TYPE, value::long(first.kind.value())),
        (slot::SSL, value::boolean(first.tls)),
        (slot::MODE, value::long(given.mode)),
        (slot::PORTS, ports_array(&state)),
        (slot::MASTER_PID, value::long(0)),
        (slot::MANAGER_PID, value::long(0)),
        (slot::WORKER_ID, value::long(-1)),
        (slot::WORKER_PID, value::long(0)),
        (slot::TASKWORKER, value::boolean(false)),
    ];
    drop(object);
    // SAFETY: as above; the class declares these properties, and UNDEF slots own nothing.
    unsafe {
        for (slot, value) in values {
            Object::slot(this, slot).write(value);
        }
        (*this).state.0 = Some(state);
    }
    Ok(Returned::Value(value::null()))
}

/// `Server::listen()`
pub fn listen(call: &Call<'_>, given: given::Listen<'_>) -> Result<Returned, Failure> {
    let this = call.this::<Server>();
    let state = state_of(this)?;
    if state.frozen.get() {
        return Err(settings::too_late("listen"));
    }
    if state.ports.borrow().len() == PORTS_MAX {
        return Err(Failure::State(format!("A server has at most {PORTS_MAX} ports")));
    }
    let host = given.host.to_str().into_owned();
    let object = add_port(&state, host, given.port, given.sock_type)?;
    // SAFETY: the engine has passed a live object of this class.
    unsafe { write_slot(this, slot::PORTS, ports_array(&state)) };
    Ok(Returned::Value(object))
}

/// Binds a port, and returns its PHP object.
fn add_port(state: &ServerInner, host: String, number: i64, kind: i64) -> Result<Zval, Failure> {
    let failure = |error: BindError| Failure::State(error.to_string());
    let (kind, tls) = SocketType::from_value(kind).map_err(failure)?;
    let (bound, host, kind) = match activation::name(&host) {
        Some(name) => activation::take(name).map_err(failure)?,
        None => (bind::bind(&host, number, kind).map_err(failure)?, host, kind),
    };
    Ok(state.add_port(host, kind, tls, bound))
}

fn ports_array(state: &ServerInner) -> Zval {
    let ports = state.ports.borrow();
    let mut array = Array::with_capacity(ports.len());
    for port in ports.iter() {
        array.push(port.object.shallow_clone());
    }
    array.into_value()
}

/// `Server::set()`
pub fn set(call: &Call<'_>, given: given::Set<'_>) -> Result<Returned, Failure> {
    let given = given.settings.shallow_clone();
    let this = call.this::<Server>();
    let state = state_of(this)?;
    if state.frozen.get() {
        return Err(settings::too_late("set"));
    }
    let new = settings::check(&given, Scope::Server)?;
    state.assignments.borrow_mut().extend(new);
    // SAFETY: the object is live, and declares the property.
    unsafe { settings::merge_slot(Object::slot(this, slot::SETTING), &given) };
    if let Some(first) = state.ports.borrow().first() {
        port::show_settings(&first.object, &given);
    }
    Ok(Returned::Bool(true))
}

/// `Server::on()`
pub fn on(call: &Call<'_>, given: given::On<'_>) -> Result<Returned, Failure> {
    let callback = Callback::of_argument(2, given.callback)?;
    let state = state_of(call.this::<Server>())?;
    let event = callbacks::event(given.event_name, Event::find)?;
    if state.frozen.get() {
        return Err(settings::too_late("on"));
    }
    state.callbacks.set(event, callback);
    Ok(Returned::Bool(true))
}

/// `Server::getCallback()`
pub fn get_callback(call: &Call<'_>, given: given::GetCallback<'_>) -> Result<Returned, Failure> {
    let state = state_of(call.this::<Server>())?;
    let event = callbacks::event(given.event_name, Event::find)?;
    Ok(Returned::Value(state.callbacks.shown(event)))
}
