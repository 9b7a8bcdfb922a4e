//! The life of a worker process, from its first callback to its last.

use std::cell::Cell;

use log::Level;
use wire::control::FromWorker;
use wire::event::{self, LogEvent};

use crate::application::{
    Application, ApplicationError, Next, Role, ScriptEnd, WorkerIdentity, WorkerScript,
};
use crate::membership::is_forked_copy;
use crate::plan::SuperviseOutcome;
use crate::runtime::serve::{Served, WorkerContext, WorkerLoop};
use crate::signals;
use crate::supervisor::spawn;

thread_local! {
    /// Whether a request took longer than it may, so that the worker ends.
    static TIMED_OUT: Cell<bool> = const { Cell::new(false) };
}

/// To be called in a worker before it ends because a request took longer than it may: so that the supervisor
/// counts it as such.
pub fn note_timeout() {
    TIMED_OUT.set(true);
}

/// Runs a worker from its first callback to its last.
pub(crate) fn work(context: WorkerContext, application: &mut dyn Application) -> SuperviseOutcome {
    let identity = context.identity;
    application.title(Role::Worker(identity.worker));
    let signals = signals::settle_worker().unwrap_or_else(|error| {
        log::error!("worker {}: signalfd: {error}", identity.worker);
        spawn::end_now(1)
    });
    let started = application.worker_started(identity);
    if is_forked_copy() {
        return SuperviseOutcome::ForkedCopy;
    }
    if let Err(ApplicationError(text)) = started {
        start_failed(identity, &text);
    }
    let script = application.worker_script();
    let mut server = WorkerLoop::new(context, signals, application);
    let served = match script {
        Some(script) => run(&mut server, script, identity),
        None => {
            server.say(&FromWorker::Ready);
            server.serve()
        }
    };
    if served == Served::Unsound {
        // Before the links end, so that the supervisor knows by then.
        server.say(if TIMED_OUT.get() { &FromWorker::TimedOut } else { &FromWorker::Leaving });
    }
    signals::forget_worker();
    drop(server);
    match served {
        Served::Unsound => SuperviseOutcome::WorkerUnsound,
        Served::ForkedCopy => SuperviseOutcome::ForkedCopy,
        Served::Request | Served::Stopped => {
            application.worker_stopped(identity);
            if is_forked_copy() {
                SuperviseOutcome::ForkedCopy
            } else {
                SuperviseOutcome::WorkerDone
            }
        }
    }
}

/// Runs a script that asks for each request. The worker is ready when it asks for the first one.
fn run(
    server: &mut WorkerLoop<'_>,
    script: Box<dyn WorkerScript>,
    identity: WorkerIdentity,
) -> Served {
    let mut last = None;
    let end = script.run(&mut || {
        if last.is_none() {
            server.say(&FromWorker::Ready);
        }
        let served = match last {
            None | Some(Served::Request) => server.serve_one(),
            // It asks once more though there are none.
            Some(over) => over,
        };
        last = Some(served);
        if served == Served::Request {
            // What the script does before it asks again is no business of the client's.
            server.flush();
        }
        match served {
            Served::Request => Next::Handled,
            Served::Stopped => Next::Stop,
            Served::Unsound => Next::Exit,
            Served::ForkedCopy => Next::ForkedCopy,
        }
    });
    if is_forked_copy() {
        return Served::ForkedCopy;
    }
    let failed = match end {
        ScriptEnd::Unsound => return Served::Unsound,
        ScriptEnd::Failed(text) => Some(text),
        ScriptEnd::Ended => None,
    };
    match (failed, last) {
        (Some(text), None) => start_failed(identity, &text),
        (Some(text), Some(served)) => {
            log::error!("worker {}: {text}", identity.worker);
            if served == Served::Request {
                spawn::end_now(255);
            }
        }
        // It has had enough: that is no failure, and somebody takes its place at once.
        (None, Some(Served::Request)) => server.say(&FromWorker::Leaving),
        (None, _) => {}
    }
    Served::Stopped
}

fn start_failed(identity: WorkerIdentity, text: &str) -> ! {
    event::log(
        Level::Error,
        LogEvent::WorkerStartFailed,
        &[("worker", identity.worker.into()), ("error", text.into())],
        format_args!("worker {}: {text}", identity.worker),
    );
    spawn::end_now(1)
}
