//! Web callbacks: the script stays in memory, and a function of it is called for each request, which sees a
//! request of PHP's: superglobals, `header()`, `echo`, sessions.

use std::ffi::{CStr, CString, c_int};

use config::log_limit::{LimitedEvent, limited};
use config::script::ScriptPath;
use http::Method;
use log::Level;
use wire::RequestHead;
use worker::{IncomingRequest, Reply, Verdict};

use super::exchange::{self, WebExchange};
use super::outcome::{fatal_error, settle};
use super::sapi::WebSapi;
use super::uploads::Uploads;
use super::{input, superglobals, zend};
use crate::engine::call::{
    CallOutcome, Callback, call, call_then, enter, enter_open, guarded, is_timeout,
    report_exception,
};
use crate::engine::reset::Baseline;
use crate::engine::zend::globals;
use crate::engine::{client, interpreter};
use crate::php::port::PortContext;
use crate::php::request::body::Body;
use crate::php::request::{self, decoding};
use crate::request_cycle::TimeLimit;

/// The script that callbacks belong to, as requests see it.
#[derive(Debug)]
pub struct WebCallbacks {
    /// What workers become.
    pub sapi: WebSapi,
    /// The document root, without a slash at its end.
    pub root: Vec<u8>,
    /// The script, as if it lay there.
    pub file: Vec<u8>,
    /// Room for what is printed.
    pub room: Vec<u8>,
}

impl WebCallbacks {
    /// Answers one request by what the callback prints.
    pub fn handle(
        &mut self,
        callback: &Callback,
        context: &PortContext,
        baseline: &mut Baseline,
        request: IncomingRequest,
        reply: Reply,
    ) -> Verdict {
        match Admitted::new(context, request, reply) {
            Some(admitted) => self.run(callback, context, baseline, admitted),
            None => Verdict::Continue,
        }
    }

    /// The same for one that was admitted.
    pub fn run(
        &mut self,
        callback: &Callback,
        context: &PortContext,
        baseline: &mut Baseline,
        admitted: Admitted,
    ) -> Verdict {
        let Admitted { head, body, reply } = admitted;
        let script = ScriptPath { file: self.file.clone(), path_info: Vec::new() };
        let room = std::mem::take(&mut self.room);
        let exchange = WebExchange::new(head, body, reply, script, &self.root, context, room);
        let uploads = Uploads::prepare(&exchange, context);
        if let Some(watch) = exchange.response.watch() {
            client::watch(watch);
        }
        let begin = Begin::of(&exchange);
        exchange.enter();
        let parked = baseline.begin();
        let limit = TimeLimit::start();
        let mut outcome = match enter_open(&mut || begin.run()) {
            None => call_then(callback, &mut [], report_exception),
            Some(failed) => failed,
        };
        let mut thrown = None;
        if !matches!(outcome, CallOutcome::ForkedCopy { .. })
            && let Some(worse) = parked.run()
        {
            match worse {
                CallOutcome::Threw(what) => {
                    thrown = Some(format!("in a shutdown function: {what}"))
                }
                worse => outcome = outcome.or_worse(worse),
            }
        }
        limit.stop();
        if let CallOutcome::ForkedCopy { fatal } = outcome {
            parked.inherit();
            return leave_copy(fatal, uploads);
        }
        let fatal = failure(&outcome, thrown);
        // Callbacks of output buffers, and that of header_register_callback().
        let late = enter(&mut || end_output());
        if is_unsound(&outcome) || late.as_ref().is_some_and(is_unsound) {
            // No more PHP code may run than does after a fatal error in a script; no destructor.
            std::mem::forget((outcome, parked));
            baseline.give_up();
            if fatal.as_deref().is_some_and(is_timeout) {
                worker::note_timeout();
            }
            self.finish(fatal);
            request::discard_uploads();
            return Verdict::Exit;
        }
        let mut sound = guarded("in a destructor", move || {
            drop(outcome);
            parked.unpark();
        });
        sound &= baseline.end();
        if worker::is_forked_copy() {
            // A destructor has forked it.
            return leave_copy(!sound, uploads);
        }
        self.finish(fatal);
        sound &= guarded("after a request", end_request);
        drop(uploads);
        interpreter::forget_exit_code();
        globals::take_last_error();
        if sound { Verdict::Continue } else { Verdict::Exit }
    }

    /// The session is written by now: the client gets the end.
    fn finish(&mut self, fatal: Option<String>) {
        client::forget();
        if let Some(exchange) = exchange::leave() {
            self.room = settle(exchange, fatal);
        }
    }
}

/// A request whose content can be read.
#[derive(Debug)]
pub struct Admitted {
    head: Box<RequestHead>,
    body: Body,
    reply: Reply,
}

impl Admitted {
    /// Decodes the content, where the port does. `None`: it cannot be decoded; the request was refused.
    pub fn new(context: &PortContext, mut request: IncomingRequest, reply: Reply) -> Option<Self> {
        match decoding::take_body(&mut request, context.decompression.as_ref()) {
            Ok(body) => Some(Self { head: request.head, body, reply }),
            Err(refusal) => {
                decoding::refuse(reply, &request.head, &refusal);
                None
            }
        }
    }
}

fn is_unsound(outcome: &CallOutcome) -> bool {
    matches!(outcome, CallOutcome::Unsound { .. })
}

/// What is known before a request begins.
struct Begin {
    authorization: Option<CString>,
    is_post: bool,
}

impl Begin {
    fn of(exchange: &WebExchange) -> Self {
        let authorization = exchange.head.fields.get(b"authorization").map(<[u8]>::to_vec);
        Self {
            authorization: authorization.and_then(|value| CString::new(value).ok()),
            is_post: exchange.head.method == Method::POST,
        }
    }

    /// As the engine begins a request, but that the script's memory stays. A fatal error may jump out of it.
    fn run(&self) {
        // What PHP has to say of the client's input: one that throws would have the request end here.
        globals::without_error_handler(|| self.activate());
        if interpreter::ini_switch(c"session.auto_start")
            && let Some(start) = interpreter::function("session_start")
        {
            call(&start, &mut []);
        }
    }

    fn activate(&self) {
        // SAFETY: as the engine calls them; what was active belongs to no request.
        unsafe {
            restart_output();
            // The content is that of the request that begins: nothing of it is to be read here.
            (*globals::sapi()).post_read = 1;
            zend::deactivate();
            ext_php_rs::ffi::sapi_activate();
            if let Some(authorization) = &self.authorization {
                zend::php_handle_auth_data(authorization.as_ptr());
            }
            if !self.is_post {
                input::open_body();
            }
            superglobals::make();
            buffer_output();
            begin_module(c"zlib");
        }
    }
}

/// Begins with no output buffers and no header sent.
///
/// # Safety
///
/// No output of a request waits.
unsafe fn restart_output() {
    // SAFETY: as at the end of a request and the beginning of the next. Headers count as sent, so that
    // those of nobody are not.
    unsafe {
        (*globals::sapi()).headers_sent = 1;
        ext_php_rs::ffi::php_output_deactivate();
        ext_php_rs::ffi::php_output_activate();
        (*globals::sapi()).headers_sent = 0;
        (*globals::core()).connection_status = 0;
    }
}

/// `output_buffering`
unsafe fn buffer_output() {
    /// `PHP_OUTPUT_HANDLER_STDFLAGS`
    const STANDARD: c_int = 0x70;
    // SAFETY: as the engine does it at the beginning of a request.
    unsafe {
        let bytes = (*globals::core()).output_buffering;
        if bytes > 0 {
            let chunk = if bytes > 1 { bytes as usize } else { 0 };
            zend::php_output_start_user(std::ptr::null_mut(), chunk, STANDARD);
        }
    }
}

/// # Safety
///
/// The engine may begin a request of this module's now. A fatal error may jump out of it.
unsafe fn begin_module(name: &CStr) {
    if let Some(module) = globals::module(name)
        && let Some(begin) = module.request_startup_func
    {
        // SAFETY: the caller's promise.
        unsafe { begin(c_int::from(module.type_), module.module_number) };
    }
}

/// Flushes all output buffers, and sends the head if none was.
fn end_output() {
    // SAFETY: as the engine does it at the end of a request.
    unsafe {
        ext_php_rs::ffi::php_output_end_all();
        zend::php_header();
        ext_php_rs::ffi::php_output_deactivate();
        ext_php_rs::ffi::php_output_activate();
    }
}

/// What the engine does last at the end of a request, and extensions that keep what is its client's: the
/// variables (filter), and the coding that it takes (zlib).
fn end_request() {
    input::close_body();
    for name in [c"filter", c"zlib"] {
        if let Some(module) = globals::module(name)
            && let Some(end) = module.request_shutdown_func
        {
            // SAFETY: the engine calls it in just this state: no code of the module runs.
            unsafe { end(c_int::from(module.type_), module.module_number) };
        }
    }
    // SAFETY: as the engine calls it; no request is in work.
    unsafe { zend::deactivate() };
}

/// What the client of a request is to get 500 for, if it can be told so: a fatal error, an exception of the
/// callback's, or what a shutdown function has thrown.
fn failure(outcome: &CallOutcome, thrown: Option<String>) -> Option<String> {
    let first = match outcome {
        CallOutcome::Unsound { message } => Some(message.clone()),
        _ => fatal_error(),
    };
    if let (Some(_), Some(thrown)) = (&first, &thrown) {
        limited(LimitedEvent::Handler, Level::Error, format_args!("{thrown}"));
    }
    first.or(thrown)
}

/// In a copy that the callback has forked: nothing is answered, and the uploads are the worker's.
fn leave_copy(fatal: bool, uploads: Option<Uploads<'_>>) -> Verdict {
    std::mem::forget((exchange::leave(), uploads));
    request::forget_uploads();
    if fatal { Verdict::Exit } else { Verdict::Continue }
}
