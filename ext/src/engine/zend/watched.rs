//! Notes calls of PHP functions whose effects outlive a request. The engine has no other cheap sign of
//! them.
//!
//! The C function behind each is replaced, once, by one that notes the call and goes on to the
//! original. A request that calls none of them pays for none.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{zend_execute_data, zend_function, zend_hash_str_find, zval};
use ext_php_rs::types::Zval;

use super::globals;
use crate::engine::client;

/// A function that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// `pcntl_alarm()`
    Alarm,
    /// `session_set_save_handler()`
    SaveHandler,
    /// `date_default_timezone_set()`
    Timezone,
    /// `chdir()`
    Directory,
    /// `umask()`
    Umask,
    /// `output_add_rewrite_var()`
    RewriteVariable,
    /// `mt_srand()`, or [`srand()`](Self::SeedByAlias)
    Seed,
    /// `srand()`
    SeedByAlias,
}

/// Functions that tell whether the client is there: they look before they do.
const LOOKING: [&str; 2] = ["connection_aborted", "connection_status"];

/// The watched functions, in the order of [`Watched`], and behind them those of [`LOOKING`].
const FUNCTIONS: [(&str, FunctionHandler); 10] = [
    ("pcntl_alarm", note::<0>),
    ("session_set_save_handler", note_save_handler),
    ("date_default_timezone_set", note::<2>),
    ("chdir", note::<3>),
    ("umask", note::<4>),
    ("output_add_rewrite_var", note::<5>),
    ("mt_srand", note::<6>),
    ("srand", note::<7>),
    (LOOKING[0], look::<8>),
    (LOOKING[1], look::<9>),
];

/// A C function behind a PHP function.
type FunctionHandler = unsafe extern "C" fn(*mut zend_execute_data, *mut zval);

thread_local! {
    /// The original functions.
    static ORIGINALS: [Cell<Option<FunctionHandler>>; FUNCTIONS.len()] = const {
        [const { Cell::new(None) }; FUNCTIONS.len()]
    };
    /// One bit for each function that was called since [`forget`].
    static CALLED: Cell<u8> = const { Cell::new(0) };
    /// The arguments of the last call of `session_set_save_handler()` that succeeded. Never dropped
    /// at the end of the thread: the engine has ended by then.
    static SAVE_HANDLER: RefCell<Option<ManuallyDrop<Vec<Zval>>>> = const { RefCell::new(None) };
}

/// Begins to watch. To be called when all modules have started, before any script runs.
pub fn install() {
    for (at, (name, handler)) in FUNCTIONS.iter().enumerate() {
        // SAFETY: the table of functions lives as long as the process, and its values point to
        // functions, which stay. No PHP code runs meanwhile.
        unsafe {
            let table = (*globals::compiler()).function_table;
            let Some(found) = zend_hash_str_find(table, name.as_ptr().cast(), name.len()).as_ref()
            else {
                continue;
            };
            let function = &mut (*found.value.ptr.cast::<zend_function>()).internal_function;
            ORIGINALS.with(|originals| {
                // A process that lives for many scripts comes here many times.
                if originals[at].get().is_none() {
                    originals[at].set(function.handler);
                    function.handler = Some(*handler);
                }
            });
        }
    }
}

/// Whether the function was called since [`forget`].
pub fn was_called(function: Watched) -> bool {
    CALLED.get() & 1 << function as u8 != 0
}

/// Whether any was.
pub fn any_called() -> bool {
    CALLED.get() != 0
}

/// Forgets the calls.
pub fn forget() {
    CALLED.set(0);
}

/// Takes the arguments by which `session_set_save_handler()` was last called with success.
pub fn take_save_handler() -> Option<Vec<Zval>> {
    SAVE_HANDLER.take().map(ManuallyDrop::into_inner)
}

/// Forgets those arguments without dropping them: the request that they belonged to has ended, and its
/// memory with it.
pub fn forget_save_handler() {
    if let Some(arguments) = SAVE_HANDLER.take() {
        let mut arguments = ManuallyDrop::into_inner(arguments);
        // SAFETY: no element is left to be dropped; the memory of the list itself is Rust's.
        unsafe { arguments.set_len(0) };
    }
}

unsafe extern "C" fn note<const AT: usize>(frame: *mut zend_execute_data, returned: *mut zval) {
    CALLED.set(CALLED.get() | 1 << AT);
    // SAFETY: the arguments are the engine's, for this function.
    unsafe { original(AT, frame, returned) };
}

unsafe extern "C" fn look<const AT: usize>(frame: *mut zend_execute_data, returned: *mut zval) {
    client::look();
    // SAFETY: as in `note`.
    unsafe { original(AT, frame, returned) };
}

unsafe extern "C" fn note_save_handler(frame: *mut zend_execute_data, returned: *mut zval) {
    const AT: usize = Watched::SaveHandler as usize;
    // SAFETY: as in `note`. The arguments lie behind the frame, as many as it says, and live while
    // the function runs.
    unsafe {
        let count = (*frame).This.u2.num_args as usize;
        let first =
            frame.cast::<zval>().add(size_of::<zend_execute_data>().div_ceil(size_of::<zval>()));
        let arguments = (0..count).map(|at| (*first.add(at)).shallow_clone()).collect();
        note::<AT>(frame, returned);
        if (*returned).bool() == Some(true) {
            let former = SAVE_HANDLER.replace(Some(ManuallyDrop::new(arguments)));
            // Its end may run a destructor of the user's, which may come here again.
            drop(former.map(ManuallyDrop::into_inner));
        }
    }
}

/// # Safety
///
/// The arguments are those that the engine has passed to the function that stands in.
unsafe fn original(at: usize, frame: *mut zend_execute_data, returned: *mut zval) {
    if let Some(original) = ORIGINALS.with(|originals| originals[at].get()) {
        // SAFETY: the caller's promise.
        unsafe { original(frame, returned) };
    }
}
