//! What one process of a server can ask of the others.

use std::io;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::signals;

/// Asks the supervisor to replace all workers one after another.
pub fn reload(supervisor: i32) -> io::Result<()> {
    send(supervisor, Signal::SIGUSR1)
}

/// Asks the supervisor to stop the server.
pub fn shutdown(supervisor: i32) -> io::Result<()> {
    send(supervisor, Signal::SIGTERM)
}

/// In a worker: asks the supervisor to replace this worker. It serves until its successor is ready.
/// `false` in any other process.
pub fn replace_this_worker() -> bool {
    signals::ask_for_replacement()
}

fn send(supervisor: i32, signal: Signal) -> io::Result<()> {
    // 0 and negative numbers would signal whole groups.
    if supervisor < 1 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    kill(Pid::from_raw(supervisor), signal).map_err(io::Error::from)
}
