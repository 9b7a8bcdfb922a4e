//! What one process of a server can ask of the others.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wire::control::{FromWorker, encode};

use crate::signals;

/// Asks the supervisor to replace all workers one after another. A worker asks by its control
/// socket, because one that has changed its user may not signal; any other process, by SIGUSR1.
pub fn reload(supervisor: i32) -> io::Result<()> {
    ask(&FromWorker::Reload, supervisor, Signal::SIGUSR1)
}

/// Asks the supervisor to stop the server; in the way of [`reload`], the signal is SIGTERM. Asked
/// for again, it stays an orderly stop; a second signal from outside would end the server at once.
pub fn shutdown(supervisor: i32) -> io::Result<()> {
    ask(&FromWorker::Shutdown, supervisor, Signal::SIGTERM)
}

/// Asks for the certificates to be read again. A worker asks by its control socket; the supervisor
/// itself, in one of its callbacks, has it done when the callback has returned.
pub fn reload_tls() -> io::Result<()> {
    match signals::say(&encode(&FromWorker::ReloadTls)) {
        Some(said) => said,
        None => {
            TLS_RELOAD.store(true, Ordering::Relaxed);
            Ok(())
        }
    }
}

/// In the supervisor: whether it has asked itself.
pub(crate) fn take_tls_reload() -> bool {
    TLS_RELOAD.swap(false, Ordering::Relaxed)
}

static TLS_RELOAD: AtomicBool = AtomicBool::new(false);

/// In a worker: asks the supervisor to replace this worker. It serves until its successor is ready.
/// `false` in any other process.
pub fn replace_this_worker() -> bool {
    signals::ask_for_replacement()
}

fn ask(message: &FromWorker, supervisor: i32, signal: Signal) -> io::Result<()> {
    if let Some(said) = signals::say(&encode(message)) {
        return said;
    }
    // 0 and negative numbers would signal whole groups.
    if supervisor < 1 {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    kill(Pid::from_raw(supervisor), signal).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_group_is_signalled() {
        assert_eq!(reload(0).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(shutdown(-1).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
