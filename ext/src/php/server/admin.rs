//! What `start()` prepares for administrators: the socket, and the options that are shown to them.

use bytes::Bytes;
use config::admin::{self, AdminSocket};
use config::options::config::ServerOptions;
use config::options::shown::{self, ShownPort};
use reactor::config::AdminConfig;

use super::Server;
use super::state::ServerInner;
use crate::engine::zend::object::Object;
use crate::php::error::Failure;
use crate::php::port;
use crate::settings;
use crate::signatures::server::slot;

/// Binds the admin listener, if there is to be one.
pub fn bind(options: &ServerOptions) -> Result<Option<AdminSocket>, Failure> {
    let Some(place) = &options.admin_listen else { return Ok(None) };
    let bound = admin::bind(place, options.admin_token.as_deref());
    bound.map(Some).map_err(|error| Failure::State(error.to_string()))
}

/// What the reactor has to know of it: its port is the one behind those of clients.
pub fn config(
    this: *mut Object<Server>,
    state: &ServerInner,
    options: &ServerOptions,
) -> Option<AdminConfig> {
    options.admin_listen.as_ref()?;
    // SAFETY: the object is live, and declares this property.
    let set = unsafe { settings::of_slot(Object::slot(this, slot::SETTING)) };
    let ports = state.ports.borrow();
    let shown = ports.iter().map(|held| ShownPort {
        place: held.state.place(),
        set: port::shown_settings(&held.object),
    });
    let shown: Vec<_> = shown.collect();
    Some(AdminConfig {
        port: u16::try_from(ports.len()).ok()?,
        token: options.admin_token.clone().map(Bytes::from),
        options: shown::json(&set, &shown).into(),
    })
}
