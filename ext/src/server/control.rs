//! The methods of a server that runs.

use std::ffi::c_long;
use std::rc::Rc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::state::{ServerState, Stage};
use super::{Server, state_of};
use crate::error::Failure;
use crate::stats;
use crate::zend::method::{Call, Returned};
use crate::zend::value;
use crate::zend::{SUCCESS, zend_parse_parameters};

pub(super) fn shutdown(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let state = running(call)?;
    signal(state.supervisor.get(), Signal::SIGTERM).map(Returned::Bool)
}

pub(super) fn reload(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let mut only_tasks = false;
    // SAFETY: `b` fills one bool.
    let parsed =
        unsafe { zend_parse_parameters(call.count(), c"|b".as_ptr(), &raw mut only_tasks) };
    if parsed != SUCCESS {
        return Err(Failure::Pending);
    }
    let state = running(call)?;
    if only_tasks {
        // There are no task workers: all of them have been reloaded.
        return Ok(Returned::Bool(true));
    }
    signal(state.supervisor.get(), Signal::SIGUSR1).map(Returned::Bool)
}

pub(super) fn stop(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let worker = worker_argument(call)?;
    let state = running(call)?;
    match worker_pid(&state, worker)? {
        // SIGTERM asks a worker to have itself replaced, after the request in work.
        Some(pid) => signal(pid, Signal::SIGTERM).map(Returned::Bool),
        None => Ok(Returned::Bool(false)),
    }
}

pub(super) fn stats(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let state = running(call)?;
    let shared = state.shared.get().ok_or_else(not_running)?;
    Ok(Returned::Value(stats::array(shared, state.worker())))
}

pub(super) fn get_worker_id(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let state = state_of(call.this::<Server>())?;
    Ok(match state.worker() {
        Some(worker) => Returned::Value(value::long(i64::from(worker))),
        None => Returned::Bool(false),
    })
}

pub(super) fn get_worker_pid(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let worker = worker_argument(call)?;
    let state = state_of(call.this::<Server>())?;
    Ok(match worker_pid(&state, worker) {
        Ok(Some(pid)) => Returned::Value(value::long(i64::from(pid))),
        _ => Returned::Bool(false),
    })
}

pub(super) fn get_master_pid(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let state = state_of(call.this::<Server>())?;
    Ok(Returned::Value(value::long(i64::from(state.supervisor.get()))))
}

/// The argument that names a worker: -1 is the one that asks.
fn worker_argument(call: &Call<'_>) -> Result<i64, Failure> {
    let mut worker: c_long = -1;
    // SAFETY: `l` fills one integer.
    let parsed = unsafe { zend_parse_parameters(call.count(), c"|l".as_ptr(), &raw mut worker) };
    if parsed == SUCCESS { Ok(worker) } else { Err(Failure::Pending) }
}

fn worker_pid(state: &ServerState, worker: i64) -> Result<Option<i32>, Failure> {
    if worker == -1 {
        let own = || std::process::id() as i32;
        return match state.worker() {
            Some(_) => Ok(Some(own())),
            None => Err(Failure::Value(1, "must name a worker: this process is none".to_owned())),
        };
    }
    let workers = state.shared.get().map_or(0, |shared| shared.workers());
    match usize::try_from(worker) {
        Ok(worker) if worker < workers => Ok(state.pid_of(worker)),
        _ => Err(Failure::Value(1, format!("must be -1 or below {workers}, {worker} given"))),
    }
}

/// Sends a signal; `false` when the process is gone.
fn signal(pid: i32, signal: Signal) -> Result<bool, Failure> {
    // 0 and negative numbers would signal whole groups.
    if pid < 1 {
        return Err(not_running());
    }
    Ok(kill(Pid::from_raw(pid), signal).is_ok())
}

fn running(call: &mut Call<'_>) -> Result<Rc<ServerState>, Failure> {
    let state = state_of(call.this::<Server>())?;
    match state.stage.get() {
        Stage::Supervisor | Stage::Worker(_) => Ok(state),
        Stage::Before | Stage::After => Err(not_running()),
    }
}

fn not_running() -> Failure {
    Failure::State("The server is not running".to_owned())
}
