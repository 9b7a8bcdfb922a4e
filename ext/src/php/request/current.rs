//! The request that the handler has in work, for the response to it.

use std::cell::Cell;

use wire::{ExchangeId, RequestHead};

use super::Request;
use crate::engine::zend::object::Object;

thread_local! {
    static CURRENT: Cell<Option<(ExchangeId, *const Object<Request>)>> = const { Cell::new(None) };
}

/// A handler has this request in work. The object must stay until [`clear`].
pub fn set(exchange: ExchangeId, request: *const Object<Request>) {
    CURRENT.set(Some((exchange, request)));
}

/// The request's own time is over.
pub fn clear() {
    CURRENT.set(None);
}

/// Looks at the head of the request in work, whichever that is; `None` when there is none.
pub fn with_any_head<R>(look: impl FnOnce(&RequestHead) -> R) -> Option<R> {
    let (exchange, _) = CURRENT.get()?;
    with_head(exchange, look)
}

/// Looks at the head of the request of this exchange; `None` when it is not in work.
pub fn with_head<R>(exchange: ExchangeId, look: impl FnOnce(&RequestHead) -> R) -> Option<R> {
    let (current, request) = CURRENT.get()?;
    if current != exchange {
        return None;
    }
    // SAFETY: the request cycle keeps the object alive until it clears this, and `look` is given no
    // way to change it.
    let request = unsafe { &(*request).state };
    request.message.as_ref().map(|message| look(&message.head))
}
