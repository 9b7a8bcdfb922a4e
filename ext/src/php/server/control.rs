//! The methods of a server that runs.

use std::rc::Rc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wire::ConnectionId;
use wire::shm::Counter;
use worker::control_signals;

use super::client_info;
use super::state::{ServerInner, ServerStage};
use super::{Server, state_of};
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::value;
use crate::php::error::Failure;
use crate::signatures::server as given;
use crate::stats;

/// `Server::shutdown()`
pub fn shutdown(call: &Call<'_>) -> Result<Returned, Failure> {
    let state = running(call)?;
    Ok(Returned::Bool(control_signals::shutdown(state.supervisor.get()).is_ok()))
}

/// `Server::reload()`
pub fn reload(call: &Call<'_>, given: given::Reload) -> Result<Returned, Failure> {
    let state = running(call)?;
    if given.only_reload_taskworker {
        // There are no task workers: all of them have been reloaded.
        return Ok(Returned::Bool(true));
    }
    Ok(Returned::Bool(control_signals::reload(state.supervisor.get()).is_ok()))
}

/// `Server::reloadTls()`
pub fn reload_tls(call: &Call<'_>) -> Result<Returned, Failure> {
    running(call)?;
    Ok(Returned::Bool(control_signals::reload_tls().is_ok()))
}

/// `Server::stop()`
pub fn stop(call: &Call<'_>, given: given::Stop) -> Result<Returned, Failure> {
    let worker = given.worker_id;
    let state = running(call)?;
    let own = state.worker().is_some_and(|own| worker == -1 || worker == i64::from(own));
    Ok(Returned::Bool(match worker_pid(&state, worker)? {
        Some(_) if own => control_signals::replace_this_worker(),
        // SIGTERM makes a worker ask for the same.
        Some(pid) => kill(Pid::from_raw(pid), Signal::SIGTERM).is_ok(),
        None => false,
    }))
}

/// `Server::close()`
pub fn close(call: &Call<'_>, given: given::Close) -> Result<Returned, Failure> {
    let state = running(call)?;
    let shared = state.shared.get().ok_or_else(not_running)?;
    // No higher number can have been given out: each connection takes at most as many as there are threads.
    let highest = shared.get(Counter::Accepted).saturating_mul(shared.threads() as u64);
    let number = u64::try_from(given.fd).ok().filter(|number| (1..=highest).contains(number));
    let told = number.is_some_and(|number| worker::close_connection(ConnectionId(number)));
    Ok(Returned::Bool(told))
}

/// `Server::getClientInfo()` and `Server::connection_info()`
pub fn get_client_info(call: &Call<'_>, given: given::GetClientInfo) -> Result<Returned, Failure> {
    let state = running(call)?;
    let info = client_info::array(&state, given.fd);
    Ok(info.map_or(Returned::Bool(false), Returned::Value))
}

/// `Server::stats()`
pub fn stats(call: &Call<'_>) -> Result<Returned, Failure> {
    let state = running(call)?;
    let shared = state.shared.get().ok_or_else(not_running)?;
    Ok(Returned::Value(stats::array(shared, state.worker())))
}

/// `Server::getWorkerId()`
pub fn get_worker_id(call: &Call<'_>) -> Result<Returned, Failure> {
    let state = state_of(call.this::<Server>())?;
    Ok(match state.worker() {
        Some(worker) => Returned::Value(value::long(i64::from(worker))),
        None => Returned::Bool(false),
    })
}

/// `Server::getWorkerPid()`
pub fn get_worker_pid(call: &Call<'_>, given: given::GetWorkerPid) -> Result<Returned, Failure> {
    let state = state_of(call.this::<Server>())?;
    Ok(match worker_pid(&state, given.id) {
        Ok(Some(pid)) => Returned::Value(value::long(i64::from(pid))),
        _ => Returned::Bool(false),
    })
}

/// `Server::getMasterPid()` and `Server::getManagerPid()`
pub fn get_master_pid(call: &Call<'_>) -> Result<Returned, Failure> {
    let state = state_of(call.this::<Server>())?;
    Ok(Returned::Value(value::long(i64::from(state.supervisor.get()))))
}

/// The process id of a worker; -1 is the one that asks.
fn worker_pid(state: &ServerInner, worker: i64) -> Result<Option<i32>, Failure> {
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

fn running(call: &Call<'_>) -> Result<Rc<ServerInner>, Failure> {
    let state = state_of(call.this::<Server>())?;
    if worker::is_forked_copy() {
        return Err(Failure::State(
            "This process was forked by a callback: it has no part in the server".to_owned(),
        ));
    }
    match state.stage.get() {
        ServerStage::Supervisor | ServerStage::Worker(_) => Ok(state),
        ServerStage::Before | ServerStage::After => Err(not_running()),
    }
}

fn not_running() -> Failure {
    Failure::State("The server is not running".to_owned())
}
