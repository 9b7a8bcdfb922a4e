//! Classic: each request is one of PHP's own, from its beginning to its end, and leaves nothing behind.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::panic::AssertUnwindSafe;

use config::script::Decision;
use ext_php_rs::ffi::{
    _zend_file_handle, zend_destroy_file_handle, zend_file_handle, zend_stream_init_filename,
};
use ext_php_rs::zend::try_catch;
use http::{Method, StatusCode};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use worker::{IncomingRequest, Reply, Verdict};

use super::exchange::{self, WebExchange};
use super::opcache::Parted;
use super::outcome::{fatal_error, settle};
use super::response::answer;
use super::sapi::WebSapi;
use super::scripts::Scripts;
use super::uploads::Uploads;
use super::{input, regex, zend};
use crate::engine::client;
use crate::engine::zend::watched::{self, Watched};
use crate::engine::zend::{globals, php_free_shutdown_functions};
use crate::php::port::PortContext;
use crate::php::request::decoding;

/// What `start()` has decided about workers whose requests run files.
#[derive(Debug)]
pub struct ClassicPlan {
    /// By port; `None` for one that sends files alone.
    pub scripts: Vec<Option<Scripts>>,
    /// What they become.
    pub sapi: WebSapi,
}

/// A worker that has left the script of the server: nothing of that is there any more.
#[derive(Debug)]
pub struct Classic {
    scripts: Vec<Option<Scripts>>,
    /// Room for what is printed.
    room: Vec<u8>,
    /// The code that a process ends with which a script has forked.
    pub exit_code: i32,
}

impl Classic {
    /// [Leaves](leave_script) the script of the server.
    pub fn begin(plan: ClassicPlan, memory: Option<&Parted>) -> Self {
        leave_script(&plan.sapi, memory);
        Self { scripts: plan.scripts, room: Vec::new(), exit_code: 0 }
    }

    /// Answers one request.
    pub fn handle(
        &mut self,
        port: usize,
        context: &PortContext,
        request: IncomingRequest,
        reply: Reply,
    ) -> Verdict {
        let mut request = request;
        let body = match decoding::take_body(&mut request, context.decompression.as_ref()) {
            Ok(body) => body,
            Err(refusal) => {
                decoding::refuse(reply, &request.head, &refusal);
                return Verdict::Continue;
            }
        };
        let head_only = request.head.method == Method::HEAD;
        let Some(Some(scripts)) = self.scripts.get_mut(port) else {
            answer(reply, StatusCode::NOT_FOUND, None, head_only);
            return Verdict::Continue;
        };
        let status = match scripts.decide(&request.head.path) {
            Decision::Run(script) => {
                let room = std::mem::take(&mut self.room);
                let root = scripts.root();
                let exchange =
                    WebExchange::new(request.head, body, reply, script, root, context, room);
                return self.run(exchange, context);
            }
            Decision::Redirect(mut location) => {
                if let Some(query) = &request.head.query {
                    location.extend([b"?", &query[..]].concat());
                }
                answer(reply, StatusCode::MOVED_PERMANENTLY, Some(&location), head_only);
                return Verdict::Continue;
            }
            Decision::Deny => StatusCode::FORBIDDEN,
            Decision::NotFound => StatusCode::NOT_FOUND,
            Decision::Malformed => StatusCode::BAD_REQUEST,
            Decision::Failed => StatusCode::SERVICE_UNAVAILABLE,
        };
        answer(reply, status, None, head_only);
        Verdict::Continue
    }

    fn run(&mut self, exchange: WebExchange, context: &PortContext) -> Verdict {
        let uploads = Uploads::prepare(&exchange, context);
        if let Some(watch) = exchange.response.watch() {
            client::watch(watch);
        }
        let authorization = exchange.head.fields.get(b"authorization").map(<[u8]>::to_vec);
        let authorization = authorization.and_then(|value| CString::new(value).ok());
        let file = CString::new(exchange.file()).unwrap_or_default();
        let is_post = exchange.head.method == Method::POST;
        exchange.enter();
        let (mut begun, mut fatal) = (false, None);
        // What a bailout jumps over must own nothing.
        let (begun_at, fatal_at) = (&raw mut begun, &raw mut fatal);
        let (file, authorization) = (&file, authorization.as_deref());
        let ran = try_catch(AssertUnwindSafe(|| {
            // SAFETY: as a SAPI calls them; both places outlive the closure.
            unsafe {
                if zend::php_request_startup() != crate::engine::zend::SUCCESS {
                    return;
                }
                *begun_at = true;
                if let Some(authorization) = authorization {
                    zend::php_handle_auth_data(authorization.as_ptr());
                }
                if !is_post {
                    input::open_body();
                }
                execute(file);
                *fatal_at = fatal_error();
            }
        }));
        // SAFETY: as a SAPI calls it at the end of each request. Shutdown functions, destructors and
        // callbacks of output buffers run in it, each guarded by the engine.
        let ended = try_catch(AssertUnwindSafe(|| unsafe {
            if begun {
                zend::end_request();
            }
            (*globals::executor()).exit_status
        }));
        forget_script();
        if worker::is_forked_copy() {
            self.exit_code = ended.unwrap_or(255);
            // What it would answer, and the uploads, are the worker's.
            std::mem::forget((exchange::leave(), uploads));
            return Verdict::Continue;
        }
        drop(uploads);
        let sound = begun && ran.is_ok() && ended.is_ok();
        client::forget();
        let Some(exchange) = exchange::leave() else { return Verdict::Exit };
        self.room = settle(exchange, fatal);
        if sound { Verdict::Continue } else { Verdict::Exit }
    }
}

/// Ends the request that the script of the server is to PHP, in this process alone, which becomes a web
/// SAPI. From now on no value of that script may be used or dropped, and the call that has led here must
/// not return. The process shares opcache's memory from now on.
pub fn leave_script(sapi: &WebSapi, memory: Option<&Parted>) {
    let end = AssertUnwindSafe(|| {
        // SAFETY: as at the end of a script, but that neither its shutdown functions nor its
        // destructors run, and nobody sees its output: they are the supervisor's.
        unsafe {
            zend::php_output_discard_all();
            php_free_shutdown_functions();
            let store = &raw mut (*globals::executor()).objects_store;
            zend::zend_objects_store_mark_destructed(store.cast());
            zend::end_request();
        }
    });
    if try_catch(end).is_err() {
        log::error!("the script of the server cannot be left");
        config::process::end_now();
    }
    if let Some(memory) = memory {
        memory.join();
    }
    forget_script();
    keep_standard_input();
    sapi.settle();
    regex::keep();
}

/// Runs a file as the script of the request.
///
/// # Safety
///
/// A request of PHP's has begun. A bailout may jump out of it.
pub unsafe fn execute(file: &CString) {
    let mut handle = MaybeUninit::<zend_file_handle>::zeroed();
    // SAFETY: the engine fills the handle, and copies the path; it is destroyed once.
    unsafe {
        let handle: *mut _zend_file_handle = handle.as_mut_ptr();
        zend_stream_init_filename(handle, file.as_ptr());
        (*handle).primary_script = true;
        zend::php_execute_script(handle);
        zend_destroy_file_handle(handle);
    }
}

/// What was noted of the script that has ended, whose values are gone.
pub fn forget_script() {
    if watched::any_called() {
        if watched::was_called(Watched::Alarm) {
            nix::unistd::alarm::cancel();
        }
        watched::forget();
    }
    watched::forget_save_handler();
}

/// The end of the server's script may have closed standard input: its number must not become that of a
/// socket, which `php://stdin` would read from.
fn keep_standard_input() {
    if fcntl(std::io::stdin(), FcntlArg::F_GETFD).is_ok() {
        return;
    }
    match nix::fcntl::open("/dev/null", OFlag::O_RDONLY, nix::sys::stat::Mode::empty()) {
        // The lowest number that is free.
        Ok(file) => std::mem::forget(file),
        Err(error) => log::warn!("/dev/null cannot be opened: {error}"),
    }
}
