//! `ServiceManager`: what systemd is told of the server (sd_notify(3)), where it has started it.
//!
//! Nothing here can fail the server: a service manager that cannot be reached is told nothing.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use wire::limits::SERVICE_STATUS_INTERVAL;

use crate::supervisor::process_table::Note;

/// Whoever has started the server, if it wants to know how it stands.
#[derive(Debug)]
pub(crate) struct ServiceManager {
    /// Where it listens.
    address: Option<SocketAddr>,
    /// How often it hears that the supervisor is alive, and how much is going on; `None`: it listens to
    /// nobody.
    interval: Option<Duration>,
    /// Whether it ends a server that it does not hear of (WatchdogSec=).
    watches: bool,
    /// When to tell it next; `None` before the server is ready.
    due: Option<Instant>,
}

impl ServiceManager {
    /// The one that has set `NOTIFY_SOCKET`, and `WATCHDOG_USEC` for this process, if there is one.
    pub(crate) fn of_environment() -> Self {
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|_| ours).map(Duration::from_micros);
        let address = env::var_os("NOTIFY_SOCKET").and_then(|name| address(&name).ok());
        Self::new(address, watchdog)
    }

    fn new(address: Option<SocketAddr>, watchdog: Option<Duration>) -> Self {
        let listens = address.is_some();
        let watchdog = watchdog.filter(|time| listens && !time.is_zero());
        // As sd_watchdog_enabled(3) advises: twice in the time that there is.
        let beat = watchdog.map_or(SERVICE_STATUS_INTERVAL, |time| time / 2);
        let interval = listens.then(|| beat.min(SERVICE_STATUS_INTERVAL));
        Self { address, interval, watches: watchdog.is_some(), due: None }
    }

    /// When [`report`](Self::report) has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// All processes are up for the first time.
    pub(crate) fn ready(&mut self, status: &str, now: Instant) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
        self.due = self.interval.map(|interval| now + interval);
    }

    /// Tells that the supervisor turns, and how much is going on, when it is time.
    pub(crate) fn report(&mut self, status: impl FnOnce() -> String, now: Instant) {
        let (Some(due), Some(interval)) = (self.due, self.interval) else { return };
        if due <= now {
            let alive = if self.watches { "WATCHDOG=1\n" } else { "" };
            self.tell(&format!("{alive}STATUS={}", status()));
            self.due = Some((due + interval).max(now));
        }
    }

    /// Something has happened to the server. A stop takes `max_wait_time` at most.
    pub(crate) fn note(&mut self, note: &Note, max_wait_time: Duration) {
        match note {
            Note::ReloadBegun => {
                // systemd compares the time with that of its own signal (Type=notify-reload).
                let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return };
                let now = Duration::from(now).as_micros();
                let status = "The workers are replaced";
                self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS={status}"));
            }
            Note::ReloadDone => self.tell("READY=1\nSTATUS=All workers were replaced"),
            Note::ReloadAbandoned { .. } => {
                let status = "A reload was given up, see the log: the former workers serve on";
                self.tell(&format!("READY=1\nSTATUS={status}"));
            }
            Note::Stopping => {
                let within = max_wait_time.as_micros();
                let status = "No new requests: what is in flight is finished";
                self.tell(&format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={within}\nSTATUS={status}"));
                // What follows has a deadline of its own, and may take as long.
                self.due = None;
            }
            _ => {}
        }
    }

    fn tell(&self, message: &str) {
        if let Some(address) = &self.address
            && let Err(error) = send(address, message)
        {
            log::debug!("the service manager cannot be told: {error}");
        }
    }
}

/// The address that `NOTIFY_SOCKET` names: a path, or behind `@` an abstract name.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

/// By a socket of its own each time: it is seldom, and no child inherits one.
fn send(address: &SocketAddr, message: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    // A service manager that does not read must not hold the supervisor.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message.as_bytes(), address).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somewhere() -> (UnixDatagram, SocketAddr) {
        let name = format!(
            "ferrite-service-manager-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        );
        let address = SocketAddr::from_abstract_name(&name).expect("an address");
        let socket = UnixDatagram::bind_addr(&address).expect("bound");
        socket.set_nonblocking(true).expect("set");
        (socket, address)
    }

    fn hear(socket: &UnixDatagram) -> Option<String> {
        let mut bytes = [0; 4096];
        let len = socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..len]).into_owned())
    }

    #[test]
    fn a_watchdog_hears_of_the_server_twice_in_its_time() {
        let (socket, address) = somewhere();
        let now = Instant::now();
        let mut manager = ServiceManager::new(Some(address), Some(Duration::from_secs(6)));
        assert_eq!(manager.deadline(), None);
        manager.ready("up", now);
        assert_eq!(hear(&socket).as_deref(), Some("READY=1\nSTATUS=up"));
        assert_eq!(manager.deadline(), Some(now + Duration::from_secs(3)));
        manager.report(|| panic!("it is not due"), now + Duration::from_secs(2));
        manager.report(|| "idle".to_owned(), now + Duration::from_secs(4));
        assert_eq!(hear(&socket).as_deref(), Some("WATCHDOG=1\nSTATUS=idle"));
        assert_eq!(manager.deadline(), Some(now + Duration::from_secs(6)));
    }

    #[test]
    fn without_a_service_manager_there_is_nothing_to_do() {
        let mut manager = ServiceManager::new(None, Some(Duration::from_secs(6)));
        manager.ready("", Instant::now());
        assert_eq!(manager.deadline(), None);
    }

    #[test]
    fn one_that_does_not_read_holds_nobody() {
        let (_socket, address) = somewhere();
        let mut manager = ServiceManager::new(Some(address), None);
        for _ in 0..10_000 {
            manager.note(&Note::ReloadDone, Duration::ZERO);
        }
    }

    #[test]
    fn a_stop_says_how_long_it_takes() {
        let (socket, address) = somewhere();
        let mut manager = ServiceManager::new(Some(address), None);
        manager.note(&Note::Stopping, Duration::from_secs(3));
        let said = hear(&socket).expect("something");
        assert!(said.starts_with("STOPPING=1\nEXTEND_TIMEOUT_USEC=3000000\n"), "{said}");
        assert_eq!(manager.deadline(), None);
    }
}
