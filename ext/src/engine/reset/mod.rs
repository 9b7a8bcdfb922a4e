//! Resets the state that a request leaves in PHP; docs/state.md lists it.
//!
//! PHP forgets it by itself at the end of each script. A worker's script does not end, so the same is
//! done here, by the modules' own functions where there are any.

mod restore;
mod session;
mod shutdown;

use std::ffi::c_int;

use log::Level;
use nix::unistd::alarm;

use self::restore::Restore;
use self::session::Session;
use crate::engine::call::{self, CallOutcome, guarded};
use crate::engine::interpreter;
use crate::engine::zend::globals;
use crate::engine::zend::watched::{self, Watched};
use config::log_limit::{LimitedEvent, limited};

pub use self::shutdown::Parked;

/// How the interpreter was before the first request: what each request finds, and what is put back
/// after it.
#[derive(Debug)]
pub struct Baseline {
    session: Option<Session>,
    /// What `http_response_code()` goes by.
    response_code: c_int,
    /// With the option `reset_state`.
    restore: Option<Restore>,
}

impl Baseline {
    /// To be called when a worker is ready for its first request. What the script has left open ends
    /// here: a session, headers.
    pub fn take(reset_state: bool) -> Self {
        // In the CLI no status is set before a script sets one.
        globals::forget_headers(0);
        let restore = reset_state.then(Restore::take);
        let mut baseline = Self { session: Session::take(), response_code: 0, restore };
        baseline.forget_session();
        globals::take_last_error();
        watched::forget();
        baseline
    }

    /// To be called where code that belongs to no request may have run since [`end`](Self::end): what it has
    /// left open ends here, as in [`take`](Self::take). `false` when the interpreter is no longer sound.
    pub fn again(&mut self) -> bool {
        globals::forget_headers(self.response_code);
        self.forget_session()
    }

    /// To be called before a request, or another callback that clients bring about.
    pub fn begin(&self) -> Parked {
        Parked::park()
    }

    /// To be called after it, when its shutdown functions have run: forgets what it has left behind.
    /// `false` when the interpreter is no longer sound.
    pub fn end(&mut self) -> bool {
        let mut sound = true;
        if watched::was_called(Watched::Alarm) {
            sound &= forget_alarm();
        }
        if watched::was_called(Watched::RewriteVariable) {
            sound &= forget_rewrite_variables();
        }
        if watched::was_called(Watched::Seed) || watched::was_called(Watched::SeedByAlias) {
            globals::forget_seeds();
        }
        globals::forget_headers(self.response_code);
        sound &= self.forget_session();
        if let Some(restore) = &mut self.restore {
            sound &= guarded("while the state was reset", || restore.put_back());
        }
        if watched::any_called() {
            watched::forget();
        }
        sound
    }

    /// After a fatal error: as much of [`end`](Self::end) as others than this worker would see. It
    /// writes an active session and gives it free, as PHP does.
    pub fn give_up(&mut self) {
        self.forget_session();
    }

    fn forget_session(&mut self) -> bool {
        let mut sound = true;
        if let Some(session) = self.session.as_mut().filter(|session| session.was_used()) {
            sound &= guarded("while the session was closed", || session.close());
        }
        if session::has_variable() {
            sound &= guarded("in a destructor", session::forget_variable);
        }
        sound
    }
}

/// An alarm that has gone off already is the request's as well: its handler runs now.
fn forget_alarm() -> bool {
    alarm::cancel();
    guarded("in a signal handler", || {
        if let Some(dispatch) = interpreter::function("pcntl_signal_dispatch") {
            let outcome = call::call(&dispatch, &mut []);
            if let CallOutcome::Threw(thrown) = outcome {
                let line = format_args!("in a signal handler: {thrown}");
                limited(LimitedEvent::Handler, Level::Error, line);
            }
        }
    })
}

/// The module keeps them for the script's whole time: they would become more with each request.
fn forget_rewrite_variables() -> bool {
    guarded("while output_reset_rewrite_vars() ran", || {
        if let Some(reset) = interpreter::function("output_reset_rewrite_vars") {
            call::call(&reset, &mut []);
        }
    })
}
