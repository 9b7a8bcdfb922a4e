//! Closes the session at the end of a request, and resets its state.
//!
//! The module is asked to do so by what it gives the engine for the end of a script. That also forgets
//! the save handler that was set by `session_set_save_handler()`: the worker's own is set again, one
//! that a request has set is gone. Nothing here depends on the layout of the module's memory, which
//! differs from version to version; the module may be shared or missing.

use std::ffi::{c_int, c_uchar, c_void};

use ext_php_rs::ffi::{zend_hash_del_ind, zend_hash_str_find, zend_result};
use ext_php_rs::types::Zval;
use log::Level;

use crate::engine::call::{CallOutcome, call};
use crate::engine::interpreter;
use crate::engine::zend::globals;
use crate::engine::zend::string::Text;
use crate::engine::zend::value;
use crate::engine::zend::watched::{self, Watched};
use config::log_limit::{LimitedEvent, limited};

/// What a module gives the engine for the end of a script.
type ModuleEnd = unsafe extern "C" fn(c_int, c_int) -> zend_result;

/// The module, and how it is without a session.
#[derive(Debug)]
pub struct Session {
    end: ModuleEnd,
    kind: c_uchar,
    number: c_int,
    globals: *const c_void,
    size: usize,
    /// The module's memory when no session was used; empty before the first look.
    idle: Vec<u8>,
    /// What the script or `WorkerStart` has given to `session_set_save_handler()`.
    save_handler: Option<Vec<Zval>>,
    /// The INI entry `session.save_handler`, otherwise.
    save_handler_name: String,
}

impl Session {
    /// The module, if there is one.
    pub fn take() -> Option<Self> {
        let module = globals::module(c"session")?;
        let save_handler = watched::take_save_handler();
        Some(Self {
            end: module.request_shutdown_func?,
            kind: module.type_,
            number: module.module_number,
            globals: module.globals_ptr,
            size: if module.globals_ptr.is_null() { 0 } else { module.globals_size },
            idle: Vec::new(),
            save_handler,
            save_handler_name: interpreter::ini_text(c"session.save_handler"),
        })
    }

    /// Whether anything in the module has changed since [`close`](Self::close).
    pub fn was_used(&self) -> bool {
        self.idle.is_empty() || self.memory() != &self.idle[..]
    }

    /// Writes and closes an active session, and resets its id. Save handlers of the user's may
    /// run.
    pub fn close(&mut self) {
        // SAFETY: the engine calls it at the end of each script, in just this state: no code of the
        // module runs.
        unsafe { (self.end)(c_int::from(self.kind), self.number) };
        empty_sid(self.number);
        self.set_save_handler();
        let memory = self.memory().to_vec();
        self.idle = memory;
    }

    fn memory(&self) -> &[u8] {
        // SAFETY: the module has told the engine where its memory is, and how large.
        unsafe { std::slice::from_raw_parts(self.globals.cast(), self.size) }
    }

    fn set_save_handler(&self) {
        let by_request = watched::was_called(Watched::SaveHandler);
        if let Some(arguments) = &self.save_handler {
            let mut arguments: Vec<Zval> = arguments.iter().map(Zval::shallow_clone).collect();
            if arguments.len() <= 2 {
                // An object, whose session is closed here, not by a shutdown function.
                arguments.truncate(1);
                arguments.push(value::boolean(false));
            }
            // Quietly: since 8.4 PHP says of single functions that they are deprecated, which would be
            // printed after each request.
            let (outcome, _) = globals::collect_warning(|| {
                interpreter::function("session_set_save_handler")
                    .map(|function| call(&function, &mut arguments))
            });
            let failed = match &outcome {
                Some(CallOutcome::Returned(yes)) => yes.bool() != Some(true),
                _ => true,
            };
            if failed {
                let line =
                    format_args!("the session save handler of the worker cannot be set again");
                limited(LimitedEvent::Reset, Level::Error, line);
            }
        } else if by_request {
            globals::set_ini(b"session.save_handler", self.save_handler_name.as_bytes());
        }
        // That of the request, or the record of what has just been done.
        drop(watched::take_save_handler());
    }
}

/// Empties the constant `SID` of the module with this number, which names the session and its id where its
/// client had sent no cookie. It stays a constant: compiled code may hold its address.
fn empty_sid(module: c_int) {
    const NAME: &str = "SID";
    /// `ZEND_CONSTANT_MODULE_NUMBER`
    const NUMBER_SHIFT: u32 = 8;
    // SAFETY: the values of the engine's table of constants point to constants, which begin with their value;
    // the module itself replaces this one in the same way, beside the flags.
    unsafe {
        let constants = (*globals::executor()).zend_constants;
        let found = zend_hash_str_find(constants, NAME.as_ptr().cast(), NAME.len());
        let Some(sid) = found.as_ref().and_then(|found| found.value.ptr.cast::<Zval>().as_mut())
        else {
            return;
        };
        let beside = sid.u2;
        if beside.constant_flags >> NUMBER_SHIFT == module as u32 {
            let mut empty = value::bytes(b"");
            empty.u2 = beside;
            *sid = empty;
        }
    }
}

/// Whether there is a global `$_SESSION`, with or without a session.
pub fn has_variable() -> bool {
    // SAFETY: the table of globals is valid as long as the process.
    unsafe {
        !zend_hash_str_find(globals::symbols(), VARIABLE.as_ptr().cast(), VARIABLE.len()).is_null()
    }
}

/// Forgets it. Destructors of the user's may run.
pub fn forget_variable() {
    let name = Text::new(VARIABLE.as_bytes());
    // SAFETY: the table of globals is the engine's.
    unsafe { zend_hash_del_ind(globals::symbols(), name.as_ptr()) };
}

const VARIABLE: &str = "_SESSION";
