//! Runs the functions of `register_shutdown_function()`: those of a request at its end, those of
//! the script and of `WorkerStart` at the end of the worker.

use ext_php_rs::ffi::{HashTable, zend_hash_next_index_insert};

use crate::engine::call::{CallOutcome, enter};
use crate::engine::zend::value::entries;
use crate::engine::zend::{self, php_call_shutdown_functions, php_free_shutdown_functions};

/// The worker's own shutdown functions, aside while a request runs.
#[derive(Debug)]
#[must_use = "the worker's own shutdown functions would be lost"]
pub struct Parked(*mut HashTable);

impl Parked {
    /// Puts them aside.
    pub fn park() -> Self {
        // SAFETY: null is an empty list to the engine.
        Self(unsafe { zend::basic_globals.replace(std::ptr::null_mut()) })
    }

    /// Runs the functions that were registered since; `None`: nothing went wrong. `exit()` in one of
    /// them leaves out the rest, as in PHP.
    pub fn run(&self) -> Option<CallOutcome> {
        // SAFETY: only the pointer is looked at.
        if unsafe { zend::basic_globals.get() }.is_null() {
            return None;
        }
        // SAFETY: the engine's own function for the end of a script.
        let outcome = enter(&mut || unsafe { php_call_shutdown_functions() });
        match outcome {
            None | Some(CallOutcome::Exited) => None,
            failed => failed,
        }
    }

    /// In a copy that the handler has forked, whose end is the end of a script: behind the worker's own,
    /// which it has inherited, it runs what the request has registered.
    pub fn inherit(self) {
        // SAFETY: both tables are the engine's, and hold pointers that they own. These move: the table
        // of the request is never freed, in a process that is about to end.
        unsafe {
            if self.0.is_null() {
                return;
            }
            let request = zend::basic_globals.replace(self.0);
            let Some(request) = request.as_ref() else { return };
            for (_, function) in entries(request) {
                zend_hash_next_index_insert(self.0, std::ptr::from_ref(function).cast_mut());
            }
        }
    }

    /// In such a copy, when what the request has registered has run already.
    pub fn put_back(self) {
        // SAFETY: the table is the engine's.
        unsafe { zend::basic_globals.replace(self.0) };
    }

    /// Frees what [`run`](Self::run) has run, and puts the worker's own back. Destructors of the
    /// user's may run.
    pub fn unpark(self) {
        // SAFETY: the engine's own function; it leaves an empty list. What a destructor registers
        // meanwhile comes too late, and is freed as well.
        unsafe {
            while !zend::basic_globals.get().is_null() {
                php_free_shutdown_functions();
            }
            zend::basic_globals.replace(self.0);
        }
    }
}
