//! Calls the user's functions, and catches their exceptions, `exit()` and fatal errors.

use std::ffi::{CStr, c_int, c_void};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;

use config::log_limit::{LimitedEvent, limited_with};
use config::one_line::OneLine;
use ext_php_rs::ffi::{
    _efree, E_ERROR, ZEND_ACC_CALL_VIA_TRAMPOLINE, zend_fcall_info, zend_fcall_info_cache,
};
use ext_php_rs::flags::DataType;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::try_catch;
use log::Level;
use nix::libc::{RTLD_DEFAULT, dlsym};

use crate::engine::buffers;
use crate::engine::thrown::{Thrown, describe};
use crate::engine::zend::globals::{self, LastError};
use crate::engine::zend::{self, SUCCESS, value};
use crate::php::error::Failure;

/// A PHP callable, resolved once.
pub struct Callback {
    callable: Zval,
    /// Borrows from `callable`: it is never dropped.
    info: ManuallyDrop<zend_fcall_info>,
    cache: zend_fcall_info_cache,
}

/// How a call ended.
#[derive(Debug)]
pub enum CallOutcome {
    /// The function returned this.
    Returned(Zval),
    /// It called `exit()`.
    Exited,
    /// It threw what it did not catch.
    Threw(Thrown),
    /// This process is a copy that the function has forked: it is to end as a script would here. What
    /// the function threw has been reported by PHP.
    ForkedCopy {
        /// Whether it was a fatal error, so that nothing but PHP's own shutdown may run.
        fatal: bool,
    },
    /// A fatal error, or something as bad: no further PHP code may run in this process.
    Unsound {
        /// What PHP said, with the place.
        message: String,
    },
}

impl CallOutcome {
    /// How a request has ended whose shutdown functions have ended in `later`.
    pub fn or_worse(self, later: Self) -> Self {
        match (&self, &later) {
            (Self::ForkedCopy { fatal: true }, _) => self,
            (_, Self::ForkedCopy { .. }) => later,
            (Self::Unsound { .. }, _) => self,
            _ => later,
        }
    }
}

impl Callback {
    /// Resolves a callable. The error says what is wrong with it, in the engine's words.
    pub fn new(callable: &Zval) -> Result<Self, String> {
        let mut callable = callable.shallow_clone();
        let mut info = ManuallyDrop::new(blank::<zend_fcall_info>());
        let mut cache = blank::<zend_fcall_info_cache>();
        let mut error = std::ptr::null_mut();
        // SAFETY: all pointers are valid; the engine fills `info` and `cache`, or `error`.
        let outcome = unsafe {
            zend::zend_fcall_info_init(
                &raw mut callable,
                0,
                &raw mut *info,
                &raw mut cache,
                std::ptr::null_mut(),
                &raw mut error,
            )
        };
        let complaint = if error.is_null() {
            None
        } else {
            // SAFETY: the engine has allocated the text for us.
            unsafe {
                let text = CStr::from_ptr(error).to_string_lossy().into_owned();
                _efree(error.cast());
                Some(text)
            }
        };
        if outcome != SUCCESS {
            return Err(complaint.unwrap_or_else(|| "no valid callback".into()));
        }
        // SAFETY: a resolved cache has a function.
        unsafe {
            if (*cache.function_handler).common.fn_flags & ZEND_ACC_CALL_VIA_TRAMPOLINE != 0 {
                // A stand-in for __call() lives for one call: resolve anew each time.
                zend::zend_release_fcall_info_cache(&raw mut cache);
                cache = blank();
            }
        }
        Ok(Self { callable, info, cache })
    }

    /// Resolves the argument with this number (from 1).
    pub fn of_argument(number: u32, callable: &Zval) -> Result<Self, Failure> {
        Self::new(callable)
            .map_err(|what| Failure::Type(number, format!("must be a valid callback, {what}")))
    }

    /// The callable as it was given.
    pub fn callable(&self) -> &Zval {
        &self.callable
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

/// A struct of the engine's in which nothing is set. Its fields are not listed here: they differ from
/// one version of PHP to the next.
fn blank<T: EngineStruct>() -> T {
    // SAFETY: the trait's promise.
    unsafe { std::mem::zeroed() }
}

/// A struct of the engine's for which zeros are a valid value: pointers, numbers, and a zval, which
/// is UNDEF then.
///
/// # Safety
///
/// All bytes zero is a valid value of the type.
unsafe trait EngineStruct {}

// SAFETY: pointers, numbers and a zval.
unsafe impl EngineStruct for zend_fcall_info {}
// SAFETY: pointers.
unsafe impl EngineStruct for zend_fcall_info_cache {}

/// Calls the function. No exception is pending afterwards, and output buffers that the function has
/// left open are flushed and closed.
pub fn call(callback: &Callback, arguments: &mut [Zval]) -> CallOutcome {
    call_then(callback, arguments, || {})
}

/// The same, and `then` while what the function has left, such as an exception, is still there.
pub fn call_then(callback: &Callback, arguments: &mut [Zval], then: fn()) -> CallOutcome {
    let mut returned = value::undef();
    // SAFETY: a copy that is never dropped either: `function_name` stays the callback's.
    let mut info = unsafe { ManuallyDrop::new(std::ptr::read(&raw const *callback.info)) };
    let mut cache = callback.cache;
    info.retval = &raw mut returned;
    info.params = arguments.as_mut_ptr();
    info.param_count = arguments.len() as u32;
    let (info, cache) = (&raw mut *info, &raw mut cache);
    // SAFETY: both live on this frame, and the arguments in the caller's.
    let outcome = enter(&mut || unsafe {
        zend::zend_call_function(info, cache);
        then();
    });
    outcome.unwrap_or(CallOutcome::Returned(returned))
}

/// Runs what may run PHP code, and closes the output buffers that are left open. `None` when nothing
/// went wrong; no exception is pending afterwards. `run` must own nothing: a fatal error jumps over it.
pub fn enter(run: &mut dyn FnMut()) -> Option<CallOutcome> {
    // SAFETY: only reads globals.
    let level = unsafe { zend::php_output_get_level() };
    enter_open(&mut || {
        run();
        // SAFETY: they are those that it has opened.
        unsafe { buffers::close(level) };
    })
}

/// The same, but that output buffers which `run` opens stay open.
pub fn enter_open(run: &mut dyn FnMut()) -> Option<CallOutcome> {
    // SAFETY: only reads globals.
    let frame = unsafe { (*globals::executor()).current_execute_data };
    // SAFETY: only reads globals. Once set, by a fatal error of the handler, it stays.
    let unclean_before = unsafe { (*globals::compiler()).unclean_shutdown };
    let run = &raw mut *run;
    // SAFETY: the closure outlives the call.
    let caught = try_catch(AssertUnwindSafe(|| unsafe {
        (*run)();
        raise_exhausted_memory();
    }));
    // SAFETY: only reads globals.
    let unclean = unsafe { (*globals::compiler()).unclean_shutdown };
    if caught.is_err() || (unclean && !unclean_before) {
        // SAFETY: a bailout has left the pointer to a frame that is gone.
        unsafe { (*globals::executor()).current_execute_data = frame };
        if worker::is_forked_copy() {
            return Some(CallOutcome::ForkedCopy { fatal: true });
        }
        // Some builds of PHP unwind the stack after exhausted memory, as exit() does.
        take_exception();
        return Some(CallOutcome::Unsound { message: fatal_message() });
    }
    if worker::is_forked_copy() {
        return Some(CallOutcome::ForkedCopy { fatal: report_as_php_does() });
    }
    take_exception()
}

/// Some builds of PHP only note down that memory is exhausted, and raise the error when user code goes
/// on. It must not wait for that of the next request: nothing could be called there any more.
fn raise_exhausted_memory() {
    static RAISE: OnceLock<Option<unsafe extern "C" fn()>> = OnceLock::new();
    let raise = RAISE.get_or_init(|| {
        // SAFETY: the name is a C string; what the engine has under it takes and returns nothing.
        unsafe {
            let found = dlsym(RTLD_DEFAULT, c"zend_handle_delayed_oom".as_ptr());
            std::mem::transmute::<*mut c_void, Option<unsafe extern "C" fn()>>(found)
        }
    });
    if let Some(raise) = raise {
        // SAFETY: called within `try_catch`; it does nothing when nothing was noted down.
        unsafe { raise() };
    }
}

/// Runs what may run destructors of the user's, or other code of theirs that is not called for its
/// result. What they throw is logged, in a line that begins with `what`. `false` when the interpreter
/// is no longer sound.
pub fn guarded(what: &str, run: impl FnOnce()) -> bool {
    let mut run = std::mem::ManuallyDrop::new(run);
    // SAFETY: the closure is taken out once.
    let outcome = enter(&mut || unsafe { std::mem::ManuallyDrop::take(&mut run)() });
    match outcome {
        None | Some(CallOutcome::Returned(_) | CallOutcome::Exited) => true,
        Some(CallOutcome::Threw(thrown)) => {
            let fields = [("reason", "exception".into()), ("callback", what.into())];
            limited_with(
                LimitedEvent::Handler,
                Level::Error,
                &fields,
                format_args!("{what}: {thrown}"),
            );
            true
        }
        Some(CallOutcome::Unsound { message }) => {
            log::error!("{what}: {}", OneLine(&message));
            false
        }
        Some(CallOutcome::ForkedCopy { fatal }) => !fatal,
    }
}

/// Whether a fatal error is that of `max_execution_time`.
pub fn is_timeout(message: &str) -> bool {
    message
        .trim_start_matches("PHP Fatal error:")
        .trim_start()
        .starts_with("Maximum execution time of ")
}

fn fatal_message() -> String {
    // Shutdown functions may ask for it as well.
    match globals::last_error() {
        Some(LastError { message, file, line }) => {
            // An uncaught exception's text goes over many lines: the first names it.
            let first = message.lines().next().unwrap_or_default();
            format!("{first} in {file}:{line}")
        }
        None => "the interpreter gave up without saying why".into(),
    }
}

/// What PHP does with an exception that a script has not caught: the user's handler gets it, or it is a
/// fatal error that sets the exit code. `exit()` is an exception too, and has set its code. `true` when
/// the user's handler has ended in a fatal error.
fn report_as_php_does() -> bool {
    try_catch(report_exception).is_err()
}

/// The same, where a fatal error may jump out of it.
pub fn report_exception() {
    // SAFETY: both functions take the pending exception, as at the end of a script.
    unsafe {
        let executor = globals::executor();
        if zend::has_exception() && !is_undef(&(*executor).user_exception_handler) {
            zend::zend_user_exception_handler();
        }
        if zend::has_exception() {
            zend::zend_exception_error((*executor).exception, E_ERROR as c_int);
        }
    }
}

fn is_undef(value: &Zval) -> bool {
    value.get_type() == DataType::Undef
}

fn take_exception() -> Option<CallOutcome> {
    // SAFETY: the exception, if there is one, lives until it is cleared.
    unsafe {
        let exception = (*globals::executor()).exception;
        if exception.is_null() {
            return None;
        }
        let exit = zend::zend_is_unwind_exit(exception) || zend::zend_is_graceful_exit(exception);
        let outcome =
            if exit { CallOutcome::Exited } else { CallOutcome::Threw(describe(exception)) };
        zend::zend_clear_exception();
        Some(outcome)
    }
}

/// Runs a callback that belongs to no request, and logs what went wrong: one line that begins with
/// `what`. `false` when the interpreter is no longer sound.
pub fn call_event(what: &str, callback: &Callback, arguments: &mut [Zval]) -> CallOutcome {
    let outcome = call(callback, arguments);
    match &outcome {
        CallOutcome::Returned(_) | CallOutcome::Exited | CallOutcome::ForkedCopy { .. } => {}
        CallOutcome::Threw(thrown) => callback_failed(what, format_args!("{what}: {thrown}")),
        CallOutcome::Unsound { message } => {
            callback_failed(what, format_args!("{what}: {}", OneLine(message)));
        }
    }
    outcome
}

fn callback_failed(what: &str, message: fmt::Arguments<'_>) {
    // Clients choose how often some are called.
    limited_with(LimitedEvent::Callback, Level::Error, &[("callback", what.into())], message);
}
