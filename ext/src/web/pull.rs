//! Pull: a script runs in each worker from its start to its end, and asks for one request after another.
//!
//! ```text
//!  run: leave_script ─▶ php_request_startup ─▶ the script ─────────▶ its end ─▶ php_request_shutdown
//!                                               │        ▲
//!                     ferrite_handle_request(…) ▼        │ true; false: no more
//!                                       the worker waits for a request, handle() calls the callback
//! ```

use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::rc::Rc;

use ext_php_rs::zend::try_catch;
use log::Level;
use worker::{IncomingRequest, Next, Reply, ScriptEnd, Verdict, WorkerScript, is_forked_copy};

use super::callback::{Admitted, WebCallbacks};
use super::classic::{execute, forget_script, leave_script};
use super::opcache::Parted;
use super::outcome::fatal_error;
use super::zend;
use crate::engine::call::{Callback, guarded};
use crate::engine::interpreter;
use crate::engine::reset::Baseline;
use crate::engine::zend::{SUCCESS, globals, zend_unset_timeout};
use crate::php::error::Failure;
use crate::php::port::PortContext;
use config::log_limit::{LimitedEvent, limited};

/// What `start()` has decided about workers that run a script of their own.
#[derive(Debug)]
pub struct PullPlan {
    /// The script, by its whole path.
    pub script: PathBuf,
    /// How requests see it.
    pub web: WebCallbacks,
    /// The option of this name.
    pub reset_state: bool,
}

/// What the worker knows between two requests.
#[derive(Debug)]
struct Pull {
    script: PathBuf,
    web: WebCallbacks,
    reset_state: bool,
    /// Once the script has asked for the first request.
    baseline: Option<Baseline>,
    /// How many requests it has had.
    handled: u64,
}

/// Where the script stands.
#[derive(Clone, Copy)]
enum ScriptStage {
    /// There is none, or it has ended.
    Outside,
    /// It runs, and may ask by this, which lives as long as this stage and the next one.
    Running(*mut (dyn FnMut() -> Next + 'static)),
    /// It has asked.
    Asking,
}

thread_local! {
    static STAGE: Cell<ScriptStage> = const { Cell::new(ScriptStage::Outside) };
    static PULL: RefCell<Option<Pull>> = const { RefCell::new(None) };
    /// What is called for the request that was asked for.
    static CALLBACK: RefCell<Option<Rc<Callback>>> = const { RefCell::new(None) };
    /// What the last request has come to; `None`: it has not come to the callback.
    static VERDICT: Cell<Option<Verdict>> = const { Cell::new(None) };
    /// What the script was told last.
    static TOLD: Cell<Option<Next>> = const { Cell::new(None) };
    /// The code that a process ends with which the script has forked.
    static EXIT_CODE: Cell<i32> = const { Cell::new(0) };
}

/// The script of a worker that has left that of the server.
#[derive(Debug)]
pub struct Script(CString);

/// Leaves the script of the server, for another one. See [`leave_script`].
pub fn begin(plan: PullPlan, memory: Option<&Parted>) -> Script {
    leave_script(&plan.web.sapi, memory);
    let PullPlan { script, web, reset_state } = plan;
    let path = CString::new(script.as_os_str().as_bytes()).unwrap_or_default();
    let pull = Pull { script, web, reset_state, baseline: None, handled: 0 };
    PULL.set(Some(pull));
    Script(path)
}

/// The code that a process ends with which the script has forked.
pub fn exit_code() -> i32 {
    EXIT_CODE.get()
}

/// What the script's `$_SERVER` says beside the environment while no request is in work.
pub fn variables() -> Vec<(Vec<u8>, Vec<u8>)> {
    PULL.with_borrow(|pull| {
        let Some(Pull { script, web, .. }) = pull else { return Vec::new() };
        let path = script.as_os_str().as_bytes();
        let name = [b"/", &web.file[..]].concat();
        let mut variables = vec![
            ("SCRIPT_FILENAME", path),
            ("SCRIPT_NAME", &name),
            ("PHP_SELF", &name),
            ("DOCUMENT_ROOT", &web.root),
        ];
        if web.sapi.frankenphp {
            variables.push(("FRANKENPHP_WORKER", b"1"));
        }
        variables
            .into_iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()))
            .collect()
    })
}

impl WorkerScript for Script {
    fn run(self: Box<Self>, next: &mut dyn FnMut() -> Next) -> ScriptEnd {
        let next: *mut (dyn FnMut() -> Next + '_) = next;
        // SAFETY: only the lifetime changes: the stage that holds it ends before this function does.
        let next = unsafe {
            std::mem::transmute::<
                *mut (dyn FnMut() -> Next + '_),
                *mut (dyn FnMut() -> Next + 'static),
            >(next)
        };
        let file = &self.0;
        let (mut begun, mut fatal, mut code) = (false, None, 0);
        // What a bailout jumps over must own nothing.
        let (begun_at, fatal_at, code_at) = (&raw mut begun, &raw mut fatal, &raw mut code);
        STAGE.set(ScriptStage::Running(next));
        let ran = try_catch(AssertUnwindSafe(|| {
            // SAFETY: as a SAPI calls them; the places outlive the closure.
            unsafe {
                if zend::php_request_startup() != SUCCESS {
                    return;
                }
                *begun_at = true;
                // `max_execution_time` counts for requests, and `worker_start_timeout` until the first one.
                zend_unset_timeout();
                // The script would end by a client that leaves.
                globals::set_ini(b"ignore_user_abort", b"1");
                execute(file);
                *code_at = (*globals::executor()).exit_status;
                *fatal_at = fatal_error();
            }
        }));
        STAGE.set(ScriptStage::Outside);
        // What it holds belongs to the script: the engine frees it.
        let pull = PULL.take();
        let handled = pull.as_ref().map_or(0, |pull| pull.handled);
        std::mem::forget(pull);
        if TOLD.get() == Some(Next::Exit) && !is_forked_copy() {
            return ScriptEnd::Unsound;
        }
        // SAFETY: as a SAPI calls it at the end of each request. Shutdown functions and destructors run in
        // it, each guarded by the engine.
        let end = try_catch(AssertUnwindSafe(|| unsafe {
            if begun {
                zend::end_request();
            }
            (*globals::executor()).exit_status
        }));
        forget_script();
        if is_forked_copy() {
            EXIT_CODE.set(end.unwrap_or(255));
            return ScriptEnd::Ended;
        }
        let failed = match fatal {
            Some(message) => Some(message),
            None if !begun || ran.is_err() => Some("PHP has given up".to_owned()),
            None if code != 0 => Some(format!("ended with exit code {code}")),
            None => None,
        };
        ended(&file.to_string_lossy(), failed, handled)
    }
}

/// How a script has ended that has `failed` in this way, if it has.
fn ended(script: &str, failed: Option<String>, handled: u64) -> ScriptEnd {
    match (failed, TOLD.get()) {
        (Some(how), None) => ScriptEnd::Failed(format!(
            "worker_script {script} has failed before it asked for a request: {how}"
        )),
        (Some(how), _) => ScriptEnd::Failed(format!("worker_script {script} has failed: {how}")),
        (None, None) => ScriptEnd::Failed(format!(
            "worker_script {script} has ended and has asked for no request: let it call \
             ferrite_handle_request() in a loop (while (ferrite_handle_request($callback));)"
        )),
        (None, Some(Next::Handled)) => {
            ended_early(script, handled);
            ScriptEnd::Ended
        }
        (None, _) => ScriptEnd::Ended,
    }
}

/// The script has ended though there may be more requests.
fn ended_early(script: &str, handled: u64) {
    if handled > 1 {
        log::info!(
            "worker_script {script} has ended after {handled} requests; the worker is replaced"
        );
        return;
    }
    log::warn!(
        "worker_script {script} has ended after one request, and the worker is replaced: call \
         ferrite_handle_request() in a loop (while (ferrite_handle_request($callback));)"
    );
}

/// Waits for a request and calls the callback for it. `false`: there are no more.
pub fn next_request(callback: Callback) -> Result<bool, Failure> {
    let failed = |what: &str| Err(Failure::State(format!("ferrite_handle_request() {what}")));
    let next = match STAGE.get() {
        _ if is_forked_copy() => {
            return failed(
                "is for the worker: a process that it has forked gets no requests, and has to end",
            );
        }
        ScriptStage::Outside => {
            return failed(
                "is for a script that the option worker_script names, while that runs: see \
                 docs/applications.md",
            );
        }
        ScriptStage::Asking => {
            return failed(
                "waits for one request after another: let the callback return before it is called again",
            );
        }
        ScriptStage::Running(next) => next,
    };
    STAGE.set(ScriptStage::Asking);
    let told = if prepare() { ask(next, Rc::new(callback)) } else { Next::Exit };
    STAGE.set(ScriptStage::Running(next));
    TOLD.set(Some(told));
    match told {
        Next::Handled => Ok(true),
        Next::Stop => Ok(false),
        // Nothing of the script runs any more.
        Next::Exit => Err(Failure::Fatal),
        Next::ForkedCopy if VERDICT.get() == Some(Verdict::Exit) => Err(Failure::Fatal),
        // As under the other ways in, the copy ends where the callback has returned in it.
        Next::ForkedCopy => {
            interpreter::unwind_script();
            Err(Failure::Pending)
        }
    }
}

/// What the script has left open is none of the request's. `false`: the interpreter is no longer sound.
fn prepare() -> bool {
    let Some(mut pull) = PULL.take() else { return false };
    // What it has printed belongs to no request.
    let mut sound = guarded("before a request", interpreter::flush_output);
    match &mut pull.baseline {
        Some(baseline) => sound &= baseline.again(),
        empty => {
            // SAFETY: stops the engine's timer, which the script may have started.
            unsafe { zend_unset_timeout() };
            *empty = Some(Baseline::take(pull.reset_state));
        }
    }
    PULL.set(Some(pull));
    sound
}

fn ask(next: *mut (dyn FnMut() -> Next + 'static), callback: Rc<Callback>) -> Next {
    CALLBACK.set(Some(callback));
    loop {
        VERDICT.set(None);
        // SAFETY: the script runs, and asks once at a time.
        let told = unsafe { (*next)() };
        // One that was refused is none that the script knows of.
        if told != Next::Handled || VERDICT.get().is_some() {
            let callback = CALLBACK.take();
            if told == Next::Exit {
                // No destructor may run.
                std::mem::forget(callback);
            }
            return told;
        }
    }
}

/// Answers one request by what the callback prints that the script has asked with.
pub fn handle(context: &PortContext, request: IncomingRequest, reply: Reply) -> Verdict {
    let Some(admitted) = Admitted::new(context, request, reply) else { return Verdict::Continue };
    let callback = CALLBACK.with_borrow(Option::clone);
    let (Some(callback), Some(mut pull)) = (callback, PULL.take()) else {
        limited(
            LimitedEvent::Handler,
            Level::Error,
            format_args!("nobody has asked for a request"),
        );
        return Verdict::Continue;
    };
    let Some(baseline) = &mut pull.baseline else { return Verdict::Exit };
    let verdict = pull.web.run(&callback, context, baseline, admitted);
    pull.handled += 1;
    PULL.set(Some(pull));
    VERDICT.set(Some(verdict));
    verdict
}
