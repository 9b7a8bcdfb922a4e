//! One request, from the objects that the handler gets to the answer that the client gets.

use std::fmt;

use http::Method;
use log::Level;
use worker::{Reply, Verdict};

use crate::call::{CallOutcome, Callback, OneLine, call};
use crate::engine;
use crate::log_limit::{Kind, limited};
use crate::port::PortContext;
use crate::request::{self, Request};
use crate::response::{Response, Settled};
use crate::zend::globals;
use crate::zend::object::Object;
use crate::zend::{self, value};

/// Calls the handler, and makes sure that the client gets an answer: the handler's; 500 if it has
/// sent nothing; a response that breaks off if it has not ended what it had begun.
pub fn handle(
    callback: &Callback,
    port: &PortContext,
    request: worker::Request,
    reply: Reply,
) -> Verdict {
    let head_only = request.head.method == Method::HEAD;
    let connection = request.head.origin.connection;
    let request = Request::create(request, port);
    let response = Response::create(reply, connection, head_only);
    // SAFETY: both objects are new; the references that they were made with become the arguments.
    let mut arguments = unsafe { [owned(request), owned(response)] };
    let limit = TimeLimit::start();
    let outcome = call(callback, &mut arguments);
    limit.stop();
    if let CallOutcome::ForkedCopy { fatal } = outcome {
        return leave_copy(fatal, arguments);
    }
    // SAFETY: the arguments keep both objects alive, and no PHP code runs meanwhile.
    let (request, response) = unsafe { (&mut (*request).state, &mut (*response).state) };
    report(request, &outcome, response.settle());
    request.retire();
    if matches!(outcome, CallOutcome::Unsound { .. }) {
        // No PHP code may run any more, not even a destructor.
        std::mem::forget(arguments);
        request::discard_uploads();
        return Verdict::Exit;
    }
    release(outcome, arguments)
}

/// In a copy that the handler has forked: nothing is answered, and the uploads are the worker's.
fn leave_copy(fatal: bool, arguments: [ext_php_rs::types::Zval; 2]) -> Verdict {
    request::forget_uploads();
    if fatal {
        std::mem::forget(arguments);
        return Verdict::Exit;
    }
    crate::call::guarded(move || drop(arguments))
}

/// Lets go of what the request held. Destructors of the user's may run, and do as they please.
fn release(outcome: CallOutcome, arguments: [ext_php_rs::types::Zval; 2]) -> Verdict {
    let verdict = crate::call::guarded(move || drop((outcome, arguments)));
    request::discard_uploads();
    // A copy that a later handler forks would end with it.
    engine::forget_exit_code();
    globals::take_last_error();
    globals::forget_headers();
    verdict
}

unsafe fn owned<T>(object: *mut Object<T>) -> ext_php_rs::types::Zval {
    // SAFETY: the caller passes a live object; its first reference moves into the value.
    unsafe {
        let value = value::object(&raw mut (*object).std);
        (*object).std.gc.refcount -= 1;
        value
    }
}

/// One line for whoever looks after the server, if there is something to say.
fn report(request: &Request, outcome: &CallOutcome, settled: Settled) {
    let label = request.label();
    let answer = match settled {
        Settled::Over => "",
        Settled::Failed => "; the client gets 500",
        Settled::BrokenOff => "; the response breaks off",
    };
    match outcome {
        CallOutcome::Threw(thrown) => {
            failed(Level::Error, format_args!("{label}: {thrown}{answer}"))
        }
        CallOutcome::Unsound { message } => {
            // The process ends by it, so that it is bounded by the pauses between processes.
            log::error!("{label}: {}{answer}; the worker is replaced", OneLine(message));
        }
        CallOutcome::Exited if settled != Settled::Over => failed(
            Level::Warn,
            format_args!("{label}: exit() before the response was ended{answer}"),
        ),
        CallOutcome::Returned(_) if settled != Settled::Over => failed(
            Level::Warn,
            format_args!("{label}: the handler has returned without end(){answer}"),
        ),
        CallOutcome::Exited | CallOutcome::Returned(_) | CallOutcome::ForkedCopy { .. } => {}
    }
}

/// Clients choose how often a handler that fails is called.
fn failed(level: Level, line: fmt::Arguments<'_>) {
    limited(Kind::Handler, level, line);
}

/// `max_execution_time`, anew for each request. Costs nothing when it is 0, as in PHP's CLI.
struct TimeLimit {
    seconds: i64,
}

impl TimeLimit {
    fn start() -> Self {
        // SAFETY: only reads globals, and sets a timer of the engine's.
        unsafe {
            let seconds = (*globals::executor()).timeout_seconds;
            if seconds > 0 {
                zend::zend_set_timeout(seconds, true);
            }
            Self { seconds }
        }
    }

    /// Also undoes what the handler has set by `set_time_limit()`.
    fn stop(self) {
        // SAFETY: as above.
        unsafe {
            let seconds = (*globals::executor()).timeout_seconds;
            if seconds != 0 || self.seconds != 0 {
                zend::zend_unset_timeout();
            }
            if seconds != self.seconds {
                globals::set_time_limit(self.seconds);
                zend::zend_unset_timeout();
            }
        }
    }
}
