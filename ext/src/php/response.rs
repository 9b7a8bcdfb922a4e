//! `Ferrite\Http\Response`.

mod defaults;
mod detached;
mod event;
mod field_values;
mod lines;
pub mod methods;
mod outgoing;
mod sending;
mod sent_file;
mod stream;

use ext_php_rs::ffi::zend_object_handlers;
use ext_php_rs::types::Zval;

use self::outgoing::OutgoingResponse;
use crate::compression::Compression;
use crate::engine::zend::lazy::{self, Lazy};
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::object::{Class, NativeObject, Object};
use crate::engine::zend::value;
use crate::php::error::Failure;
use crate::request_cycle;
use crate::signatures::response::{LAZY, SIGNATURE, slot};

pub use self::outgoing::ResponseOutcome;

static CLASS: Class = Class::new(&SIGNATURE);

/// A response as PHP sees it.
#[derive(Debug)]
pub struct Response {
    outgoing: OutgoingResponse,
    /// The number of the connection.
    connection: u64,
    pending: u16,
}

impl Response {
    /// A new PHP object for a response, with one reference.
    pub fn create(
        reply: worker::Reply,
        connection: u64,
        head_only: bool,
        compression: Option<Compression>,
    ) -> *mut Object<Self> {
        Self::create_of(OutgoingResponse::new(reply, head_only, compression), connection)
    }

    fn create_of(outgoing: OutgoingResponse, connection: u64) -> *mut Object<Self> {
        let object = Object::create(Self { outgoing, connection, pending: LAZY });
        // SAFETY: the object is new, and its class declares this property first.
        unsafe { Object::slot(object, slot::FD).write(value::long(connection as i64)) };
        object
    }

    /// Whether it has been ended, or nobody can be sent anything.
    pub fn is_over(&self) -> bool {
        self.outgoing.is_over()
    }

    /// The handler is done: the response is over, whatever the object's future.
    pub fn settle(&mut self) -> ResponseOutcome {
        self.outgoing.settle()
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        if self.outgoing.is_taken_over() && self.outgoing.is_awaited() {
            request_cycle::report_taken_over(1);
        }
    }
}

impl NativeObject for Response {
    fn class() -> &'static Class {
        &CLASS
    }

    fn detached() -> Self {
        Self { outgoing: OutgoingResponse::detached(), connection: 0, pending: LAZY }
    }

    fn adapt(handlers: &mut zend_object_handlers) {
        lazy::adapt::<Self>(handlers);
    }
}

impl Lazy for Response {
    fn pending(&mut self) -> &mut u16 {
        &mut self.pending
    }

    unsafe fn make(this: *mut Object<Self>, slot: usize) -> Zval {
        // SAFETY: the caller's promise.
        let outgoing = unsafe { &(*this).state.outgoing };
        match slot {
            slot::HEADER => outgoing.lines.array(),
            slot::COOKIE => outgoing.cookie_array(),
            _ => outgoing.trailers.array(),
        }
    }
}

/// Refuses a process that a handler has forked: both of them would answer.
fn check_owner() -> Result<(), Failure> {
    if worker::is_forked_copy() {
        return Err(Failure::State(
            "This process was forked by the handler: only the worker itself can answer the client"
                .into(),
        ));
    }
    Ok(())
}

/// Lets `change` change the head of a response that is still open, and the property that shows it be
/// made anew. `false` when it is too late.
fn change(
    call: &Call<'_>,
    property: Option<usize>,
    change: impl FnOnce(&mut OutgoingResponse),
) -> Result<Returned, Failure> {
    check_owner()?;
    let this = call.this::<Response>();
    // SAFETY: the object is alive while its method runs, and the reference ends before the slot is
    // emptied, which may run a destructor.
    unsafe {
        let outgoing = &mut (*this).state.outgoing;
        if !outgoing.is_open() {
            return Ok(Returned::Bool(false));
        }
        change(outgoing);
        if let Some(property) = property {
            lazy::forget(this, property);
        }
    }
    Ok(Returned::Bool(true))
}
