//! Whether the client of the request in work has left: for PHP's own functions, and for
//! `ignore_user_abort(false)`.

use std::cell::{Cell, RefCell};
use std::ffi::c_char;

use worker::ClientWatch;

use crate::engine::interpreter;
use crate::engine::zend::{self, globals};

/// `PHP_CONNECTION_ABORTED`
const ABORTED: i16 = 1;

/// The function of the SAPI that writes output.
pub type WriteOutput = unsafe extern "C" fn(*const c_char, usize) -> usize;

thread_local! {
    /// The client of the request in work.
    static WATCH: RefCell<Option<ClientWatch>> = const { RefCell::new(None) };
    /// Whether the request was ended because it has left: it is once, as by PHP.
    static ENDED: Cell<bool> = const { Cell::new(false) };
    /// Whether scripts go on without their clients when a request begins.
    static GOES_ON: Cell<bool> = const { Cell::new(true) };
    /// What writes output when nothing is to be looked at.
    static WRITE: Cell<Option<WriteOutput>> = const { Cell::new(None) };
}

/// A handler begins for this client.
pub fn watch(client: ClientWatch) {
    ENDED.set(false);
    GOES_ON.set(goes_on());
    WATCH.set(Some(client));
}

/// The request is over, and so is what it has said by `ignore_user_abort()`.
pub fn forget() {
    WATCH.set(None);
    if goes_on() != GOES_ON.get() {
        globals::set_ini(b"ignore_user_abort", if GOES_ON.get() { b"1" } else { b"0" });
    }
}

/// `ignore_user_abort()`
fn goes_on() -> bool {
    // SAFETY: only reads globals.
    unsafe { (*globals::core()).ignore_user_abort }
}

/// Looks, and keeps what it finds where `connection_status()` and `connection_aborted()` read it. Says
/// whether the client has left.
pub fn look() -> bool {
    let left = WATCH.with_borrow(|client| client.as_ref().is_some_and(ClientWatch::has_left));
    // SAFETY: a plain number of the engine's.
    unsafe {
        let status = &raw mut (*globals::core()).connection_status;
        if left {
            *status |= ABORTED;
        }
        *status & ABORTED != 0
    }
}

/// Before output: ends the script, as by `exit()`, if the client has left and the script is not to go on
/// without (`ignore_user_abort(false)`). Says whether it does; then an exception is pending.
pub fn end_if_left() -> bool {
    if goes_on() || ENDED.get() || zend::has_exception() || !look() {
        return false;
    }
    ENDED.set(true);
    interpreter::unwind_script();
    true
}

/// Has output (`echo`) look at the client as well. To be called before the first fork.
pub fn watch_output() {
    // SAFETY: the table of the SAPI's functions lives as long as the process, and no output is written
    // meanwhile.
    unsafe {
        let module = globals::sapi_module();
        if WRITE.get().is_none() {
            WRITE.set((*module).ub_write);
            (*module).ub_write = Some(write_output);
        }
    }
}

unsafe extern "C" fn write_output(text: *const c_char, len: usize) -> usize {
    if end_if_left() {
        // Nobody is to see it.
        return len;
    }
    let Some(write) = WRITE.get() else { return len };
    // SAFETY: the arguments are the engine's, for this function. Where output goes is not where the
    // client is: that it cannot be written is no reason to end the script, and says nothing of the client.
    unsafe {
        let core = globals::core();
        let (goes_on, status) = ((*core).ignore_user_abort, (*core).connection_status);
        (*core).ignore_user_abort = true;
        let written = write(text, len);
        (*core).ignore_user_abort = goes_on;
        (*core).connection_status = status;
        written
    }
}
