//! The callbacks that `on()` has set.

use std::cell::RefCell;
use std::rc::Rc;

use config::events::{EVENTS, Event, EventError};
use ext_php_rs::types::Zval;

use crate::engine::call::Callback;
use crate::engine::zend::method::Str;
use crate::engine::zend::value;
use crate::php::error::Failure;

/// One callback per event, at most.
#[derive(Debug, Default)]
pub struct Callbacks([RefCell<Option<Rc<Callback>>>; EVENTS]);

impl Callbacks {
    /// Sets the callback for an event, in the place of a former one.
    pub fn set(&self, event: Event, callback: Callback) {
        // The former one is released after the borrow has ended: its end may run PHP code.
        let former = self.0[event as usize].borrow_mut().replace(Rc::new(callback));
        drop(former);
    }

    /// The callback for an event.
    pub fn get(&self, event: Event) -> Option<Rc<Callback>> {
        self.0[event as usize].borrow().clone()
    }

    /// The callback as `getCallback()` shows it: as it was given, or null.
    pub fn shown(&self, event: Event) -> Zval {
        match self.get(event) {
            Some(callback) => callback.callable().shallow_clone(),
            None => value::null(),
        }
    }
}

/// The event that the first argument of a method names.
pub fn event(name: Str<'_>, find: fn(&str) -> Result<Event, EventError>) -> Result<Event, Failure> {
    find(&name.to_str()).map_err(|error| {
        Failure::Value(1, format!("must be an event that can be handled: {error}"))
    })
}
