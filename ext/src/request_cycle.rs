//! Handles one request: makes its objects, calls the handler, completes the response.

use std::fmt;

use config::log_limit::{LimitedEvent, limited_with};
use config::one_line::OneLine;
use http::Method;
use log::Level;
use wire::event::{self, LogEvent};
use worker::{Reply, Verdict};

use crate::compression::Compression;
use crate::engine::call::{CallOutcome, Callback, call, guarded, is_timeout};
use crate::engine::reset::{Baseline, Parked};
use crate::engine::zend;
use crate::engine::zend::globals;
use crate::engine::zend::object::Object;
use crate::engine::{client, interpreter};
use crate::php::port::PortContext;
use crate::php::request::{self, Request, decoding};
use crate::php::response::{Response, ResponseOutcome};

/// Calls the handler, and makes sure that the client gets an answer: the handler's; 500 if it has
/// sent nothing; a response that breaks off if it has not ended what it had begun.
pub fn handle(
    callback: &Callback,
    port: &PortContext,
    baseline: &mut Baseline,
    mut request: worker::IncomingRequest,
    reply: Reply,
) -> Verdict {
    let body = match decoding::take_body(&mut request, port.decompression.as_ref()) {
        Ok(body) => body,
        Err(refusal) => {
            decoding::refuse(reply, &request.head, &refusal);
            return Verdict::Continue;
        }
    };
    let head_only = request.head.method == Method::HEAD;
    let connection = request.head.origin.connection;
    let exchange = reply.exchange();
    let compression = port.compression.as_ref();
    let compression = compression.map(|options| Compression::of(options, &request.head.fields));
    let request = Request::create(request, body, port);
    client::watch(reply.watch());
    request::current::set(exchange, request);
    let response = Response::create(reply, connection, head_only, compression);
    // SAFETY: both objects are new; the references that they were made with become the arguments.
    let mut arguments = unsafe { [Object::into_value(request), Object::into_value(response)] };
    let limit = TimeLimit::start();
    let parked = baseline.begin();
    let mut outcome = call(callback, &mut arguments);
    if let CallOutcome::ForkedCopy { fatal } = outcome {
        limit.stop();
        parked.inherit();
        return leave_copy(fatal, arguments);
    }
    // They may still answer the client.
    if let Some(worse) = run_shutdown_functions(&parked, request) {
        outcome = outcome.or_worse(worse);
    }
    limit.stop();
    if let CallOutcome::ForkedCopy { fatal } = outcome {
        parked.put_back();
        return leave_copy(fatal, arguments);
    }
    // SAFETY: the arguments keep both objects alive, and no PHP code runs meanwhile.
    let (request, response) = unsafe { (&mut (*request).state, &mut (*response).state) };
    let left = !response.is_over() && client::look();
    report(request, &outcome, response.settle(), left);
    report_taken_over(worker::end_claims());
    client::forget();
    request.retire();
    request::current::clear();
    if let CallOutcome::Unsound { message } = &outcome {
        if is_timeout(message) {
            worker::note_timeout();
        }
        // No more PHP code may run than does after a fatal error in a script; no destructor.
        std::mem::forget((outcome, arguments, parked));
        baseline.give_up();
        request::discard_uploads();
        port.uploads.leave();
        return Verdict::Exit;
    }
    release(baseline, parked, outcome, arguments, port)
}

/// Runs what the request has given to `register_shutdown_function()`. Returns what is worse than how
/// the handler itself has ended.
fn run_shutdown_functions(parked: &Parked, request: *mut Object<Request>) -> Option<CallOutcome> {
    let worse = parked.run()?;
    if let CallOutcome::Threw(thrown) = &worse {
        // SAFETY: the arguments of the handler keep the object alive.
        let label = unsafe { (*request).state.label() };
        in_shutdown(format_args!("{label}: in a shutdown function: {thrown}"));
        return None;
    }
    Some(worse)
}

/// In a copy that the handler has forked: nothing is answered, and the uploads are the worker's.
fn leave_copy(fatal: bool, arguments: [ext_php_rs::types::Zval; 2]) -> Verdict {
    request::current::clear();
    request::forget_uploads();
    if fatal {
        std::mem::forget(arguments);
        return Verdict::Exit;
    }
    let sound = guarded("in a destructor", move || drop(arguments));
    if sound { Verdict::Continue } else { Verdict::Exit }
}

/// Lets go of what the request held. Destructors of the user's may run, and do as they please.
fn release(
    baseline: &mut Baseline,
    parked: Parked,
    outcome: CallOutcome,
    arguments: [ext_php_rs::types::Zval; 2],
    port: &PortContext,
) -> Verdict {
    let mut sound = guarded("in a destructor", move || {
        drop((outcome, arguments));
        parked.unpark();
    });
    sound &= baseline.end();
    if worker::is_forked_copy() {
        // A destructor has forked it.
        request::forget_uploads();
        return if sound { Verdict::Continue } else { Verdict::Exit };
    }
    request::discard_uploads();
    port.uploads.leave();
    // A copy that a later handler forks would end with it.
    interpreter::forget_exit_code();
    globals::take_last_error();
    if sound { Verdict::Continue } else { Verdict::Exit }
}

/// As behind a request, behind a callback that clients bring about without one. `false` when the
/// interpreter is no longer sound.
pub fn after_event(
    name: &str,
    baseline: &mut Baseline,
    parked: Parked,
    outcome: &CallOutcome,
) -> bool {
    if let CallOutcome::ForkedCopy { fatal } = outcome {
        parked.inherit();
        return !fatal;
    }
    let worse = parked.run();
    report_taken_over(worker::end_claims());
    match &worse {
        Some(CallOutcome::Threw(thrown)) => {
            in_shutdown(format_args!("{name}: in a shutdown function: {thrown}"));
        }
        Some(CallOutcome::Unsound { message }) => log::error!("{name}: {}", OneLine(message)),
        _ => {}
    }
    if let Some(CallOutcome::ForkedCopy { fatal }) = worse {
        parked.put_back();
        return !fatal;
    }
    if [Some(outcome), worse.as_ref()]
        .into_iter()
        .flatten()
        .any(|outcome| matches!(outcome, CallOutcome::Unsound { .. }))
    {
        baseline.give_up();
        return false;
    }
    let sound = guarded("in a destructor", move || parked.unpark()) && baseline.end();
    globals::take_last_error();
    sound
}

/// Logs one line when the handler has failed, or has not ended the response though the client has not
/// `left`.
fn report(request: &Request, outcome: &CallOutcome, settled: ResponseOutcome, left: bool) {
    let label = request.label();
    let answer = match settled {
        ResponseOutcome::Ended => "",
        ResponseOutcome::Failed => "; the client gets 500",
        ResponseOutcome::BrokenOff => "; the response breaks off",
    };
    let failed = |level, reason: &str, message: fmt::Arguments<'_>| {
        let (method, path) = label.parts();
        let status = (settled == ResponseOutcome::Failed).then_some(500_u16);
        let client = request.client();
        let fields = [
            ("reason", reason.into()),
            ("method", (&method[..]).into()),
            ("path", (&path[..]).into()),
            ("client", (&client[..]).into()),
            ("status", event::optional(status)),
        ];
        match reason {
            // The process ends by it, so that it is bounded by the pauses between processes.
            "fatal" => event::log(level, LogEvent::RequestFailed, &fields, message),
            "max_execution_time" => event::log(level, LogEvent::RequestTimeout, &fields, message),
            // Clients choose how often a handler that fails is called.
            _ => limited_with(LimitedEvent::Handler, level, &fields, message),
        }
    };
    match outcome {
        CallOutcome::Threw(thrown) => {
            failed(Level::Error, "exception", format_args!("{label}: {thrown}{answer}"));
        }
        CallOutcome::Unsound { message } => {
            let reason = if is_timeout(message) { "max_execution_time" } else { "fatal" };
            let message = OneLine(message);
            failed(
                Level::Error,
                reason,
                format_args!("{label}: {message}{answer}; the worker is replaced"),
            );
        }
        CallOutcome::Exited | CallOutcome::Returned(_) if left => {}
        CallOutcome::Exited if settled != ResponseOutcome::Ended => failed(
            Level::Warn,
            "exit",
            format_args!("{label}: exit() before the response was ended{answer}"),
        ),
        CallOutcome::Returned(_) if settled != ResponseOutcome::Ended => failed(
            Level::Warn,
            "not_ended",
            format_args!("{label}: the handler has returned without end(){answer}"),
        ),
        CallOutcome::Exited | CallOutcome::Returned(_) | CallOutcome::ForkedCopy { .. } => {}
    }
}

/// Logs that a callback has not ended responses that it had taken over.
pub fn report_taken_over(count: usize) {
    if count > 0 {
        let fields = [("reason", "not_ended".into()), ("count", (count as u64).into())];
        let line = format_args!(
            "{count} responses that Response::create() has taken over were not ended by the callback; \
             their clients get 500, or see them break off"
        );
        limited_with(LimitedEvent::Handler, Level::Warn, &fields, line);
    }
}

/// Clients choose how often a function that fails is called.
fn in_shutdown(line: fmt::Arguments<'_>) {
    let fields = [("reason", "shutdown_function".into())];
    limited_with(LimitedEvent::Handler, Level::Error, &fields, line);
}

/// `max_execution_time`, anew for each request. Costs nothing when it is 0, as in PHP's CLI.
pub struct TimeLimit {
    seconds: i64,
}

impl TimeLimit {
    /// Starts it.
    pub fn start() -> Self {
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
    pub fn stop(self) {
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
