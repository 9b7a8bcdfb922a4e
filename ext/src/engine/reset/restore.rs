//! The option `reset_state`: restores settings of the process that a request has changed. Costs
//! nothing when it has changed none.

use std::path::PathBuf;

use ext_php_rs::ffi::{zend_ini_entry, zend_stack};
use ext_php_rs::types::Zval;
use log::Level;
use nix::sys::stat::{Mode, umask};

use crate::engine::call::{CallOutcome, call};
use crate::engine::interpreter;
use crate::engine::zend::string::Text;
use crate::engine::zend::value::{self, ArrayKey, entries};
use crate::engine::zend::watched::{self, Watched};
use crate::engine::zend::{self, globals};
use config::log_limit::{LimitedEvent, limited};

/// The settings of a worker before its first request.
#[derive(Debug)]
pub struct Restore {
    /// The INI entries that differ from the start of PHP: name and value.
    ini: Vec<(Vec<u8>, Vec<u8>)>,
    /// `None` when it cannot be read: then it is not restored.
    directory: Option<PathBuf>,
    umask: Mode,
    /// What `date_default_timezone_set()` was given.
    timezone: Option<Text>,
    errors: HandlerStack,
    exceptions: HandlerStack,
}

impl Restore {
    /// Takes note of them. Calls of watched functions must not have been forgotten.
    pub fn take() -> Self {
        let mask = umask(Mode::empty());
        umask(mask);
        let timezone = watched::was_called(Watched::Timezone).then(timezone).flatten();
        Self {
            ini: modified(),
            directory: std::env::current_dir().ok(),
            umask: mask,
            timezone,
            errors: HandlerStack::errors(),
            exceptions: HandlerStack::exceptions(),
        }
    }

    /// Puts them back. Destructors of the user's may run.
    pub fn put_back(&mut self) {
        self.put_back_ini();
        if watched::was_called(Watched::Directory)
            && let Some(directory) = &self.directory
            && let Err(error) = std::env::set_current_dir(directory)
        {
            let directory = directory.display();
            let line = format_args!("cannot go back to the folder {directory}: {error}");
            limited(LimitedEvent::Reset, Level::Error, line);
        }
        if watched::was_called(Watched::Umask) {
            umask(self.umask);
        }
        if watched::was_called(Watched::Timezone) {
            self.put_back_timezone();
        }
        self.errors.put_back();
        self.exceptions.put_back();
    }

    fn put_back_ini(&self) {
        let now = modified();
        if now == self.ini {
            return;
        }
        for (name, _) in &now {
            if !self.ini.iter().any(|(known, _)| known == name) {
                globals::restore_ini(name);
            }
        }
        for (name, value) in &self.ini {
            if !now.iter().any(|entry| entry.0 == *name && entry.1 == *value) {
                globals::set_ini(name, value);
            }
        }
    }

    /// The end that the module has for each script forgets the zone: the INI entry holds again.
    fn put_back_timezone(&self) {
        let Some(module) = globals::module(c"date") else { return };
        if let Some(end) = module.request_shutdown_func {
            // SAFETY: the engine calls it in just this state: no code of the module runs.
            unsafe { end(i32::from(module.type_), module.module_number) };
        }
        if let Some(zone) = &self.timezone
            && let Some(set) = interpreter::function("date_default_timezone_set")
        {
            call(&set, &mut [value::text(zone.clone())]);
        }
    }
}

fn timezone() -> Option<Text> {
    let get = interpreter::function("date_default_timezone_get")?;
    match call(&get, &mut []) {
        CallOutcome::Returned(zone) => zone.zend_str().map(|zone| Text::new(zone.as_bytes())),
        _ => None,
    }
}

/// The INI entries that differ from the start of PHP.
fn modified() -> Vec<(Vec<u8>, Vec<u8>)> {
    // SAFETY: the table, if there is one, has pointers to entries, which stay; values may be null.
    unsafe {
        let Some(table) = (*globals::executor()).modified_ini_directives.as_ref() else {
            return Vec::new();
        };
        let modified = entries(table).filter_map(|(key, entry)| {
            let ArrayKey::Text(name) = key else { return None };
            let entry = entry.value.ptr.cast::<zend_ini_entry>().as_ref()?;
            let value = entry.value.as_ref().map_or(&[][..], |value| zend::string::bytes(value));
            Some((name.to_vec(), value.to_vec()))
        });
        modified.collect()
    }
}

/// A stack of handlers: the one in use, and those below it.
struct HandlerStack {
    /// Where the engine keeps them; all live as long as the process.
    current: *mut Zval,
    below: *mut zend_stack,
    /// For handlers of errors: for which of them each is called.
    masks: Option<(*mut i32, *mut zend_stack)>,
    /// How they were: the one in use last.
    known: Vec<(Zval, i32)>,
}

impl std::fmt::Debug for HandlerStack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handlers").field("known", &self.known.len()).finish()
    }
}

impl HandlerStack {
    fn errors() -> Self {
        // SAFETY: only takes addresses.
        unsafe {
            let executor = globals::executor();
            Self::of(
                &raw mut (*executor).user_error_handler,
                &raw mut (*executor).user_error_handlers,
                Some((
                    &raw mut (*executor).user_error_handler_error_reporting,
                    &raw mut (*executor).user_error_handlers_error_reporting,
                )),
            )
        }
    }

    fn exceptions() -> Self {
        // SAFETY: only takes addresses.
        unsafe {
            let executor = globals::executor();
            Self::of(
                &raw mut (*executor).user_exception_handler,
                &raw mut (*executor).user_exception_handlers,
                None,
            )
        }
    }

    /// # Safety
    ///
    /// The places are the engine's.
    unsafe fn of(
        current: *mut Zval,
        below: *mut zend_stack,
        masks: Option<(*mut i32, *mut zend_stack)>,
    ) -> Self {
        let mut handlers = Self { current, below, masks, known: Vec::new() };
        // SAFETY: the caller's promise; the stacks are as long as they say.
        handlers.known = unsafe {
            let depth = (*below).top as usize;
            let mask = |at| masks.map_or(0, |(_, stack)| *(*stack).elements.cast::<i32>().add(at));
            let below = (0..depth)
                .map(|at| ((*(*below).elements.cast::<Zval>().add(at)).shallow_clone(), mask(at)));
            let own = ((*current).shallow_clone(), masks.map_or(0, |(current, _)| *current));
            below.chain(std::iter::once(own)).collect()
        };
        handlers
    }

    fn depth(&self) -> usize {
        // SAFETY: the stack is the engine's.
        unsafe { (*self.below).top as usize }
    }

    fn put_back(&mut self) {
        while self.depth() + 1 > self.known.len() {
            self.pop();
        }
        let Some((handler, mask)) = self.known.last() else { return };
        // SAFETY: the places are the engine's.
        let same = unsafe {
            same(&*self.current, handler) && self.masks.is_none_or(|(current, _)| *current == *mask)
        };
        if same && self.depth() + 1 == self.known.len() {
            return;
        }
        while self.depth() > 0 {
            self.pop();
        }
        for at in 0..self.known.len() {
            self.set(at);
        }
    }

    /// As `restore_error_handler()`.
    fn pop(&mut self) {
        // SAFETY: the stack has an element, whose value moves to the place of the one in use; that is
        // taken out before it is released, because a destructor may run.
        unsafe {
            let above = std::ptr::replace(self.current, value::undef());
            self.current.write(zend::zend_stack_top(self.below).cast::<Zval>().read());
            zend::zend_stack_del_top(self.below);
            if let Some((current, stack)) = self.masks {
                *current = *zend::zend_stack_top(stack).cast::<i32>();
                zend::zend_stack_del_top(stack);
            }
            drop(above);
        }
    }

    /// Puts back the handler with this index, over those below it.
    fn set(&mut self, at: usize) {
        let (handler, mask) = &self.known[at];
        // SAFETY: the stack copies the value in use, whose ownership moves there.
        unsafe {
            let former = std::ptr::replace(self.current, handler.shallow_clone());
            if let Some((current, stack)) = self.masks {
                let former = std::mem::replace(&mut *current, *mask);
                if at > 0 {
                    zend::zend_stack_push(stack, (&raw const former).cast());
                }
            }
            if at > 0 {
                zend::zend_stack_push(self.below, (&raw const former).cast());
                std::mem::forget(former);
            }
        }
    }
}

/// Whether both are the same function, array or object.
fn same(left: &Zval, right: &Zval) -> bool {
    // SAFETY: both members of the union have as many bytes as a pointer.
    unsafe { left.u1.type_info == right.u1.type_info && left.value.lval == right.value.lval }
}
