//! [`Event`]: the events that `on()` takes callbacks for.

use std::fmt;

use crate::options::nearest::nearest;

/// An event that has a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Event {
    /// `(Server $server)`, in the supervisor: everything is up.
    Start,
    /// `(Server $server, int $workerId)`, in a worker, before its first request.
    WorkerStart,
    /// `(Server $server, int $workerId)`, in a worker, before its orderly end.
    WorkerStop,
    /// `(Server $server, int $workerId, int $pid, int $exitCode, int $signal)`, in the supervisor.
    WorkerError,
    /// `(Server $server)`, in the supervisor: all other processes have ended.
    Shutdown,
    /// `(Request $request, Response $response)`, in a worker.
    Request,
    /// `(Server $server, int $fd, int $reactorId)`, in a worker: a client has connected.
    Connect,
    /// `(Server $server, int $fd, int $reactorId)`, in a worker: a connection was closed.
    Close,
}

/// Number of events.
pub const EVENTS: usize = ALL.len();

const ALL: [(Event, &str); 8] = [
    (Event::Start, "Start"),
    (Event::WorkerStart, "WorkerStart"),
    (Event::WorkerStop, "WorkerStop"),
    (Event::WorkerError, "WorkerError"),
    (Event::Shutdown, "Shutdown"),
    (Event::Request, "Request"),
    (Event::Connect, "Connect"),
    (Event::Close, "Close"),
];

/// Events that are known from Swoole and not there.
const ABSENT: [&str; 18] = [
    "BeforeShutdown",
    "ManagerStart",
    "ManagerStop",
    "BeforeReload",
    "AfterReload",
    "WorkerExit",
    "Handshake",
    "BeforeHandshakeResponse",
    "Open",
    "Message",
    "Disconnect",
    "BufferFull",
    "BufferEmpty",
    "Task",
    "Finish",
    "PipeMessage",
    "Receive",
    "Packet",
];

/// Why a name is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventError {
    /// Swoole has it, this does not.
    Absent(&'static str),
    /// A port has no such event; only the server has.
    NotOfPort(&'static str),
    /// There is none of this name.
    Unknown {
        /// The name.
        name: String,
        /// The known one that looks most like it.
        nearest: Option<&'static str>,
    },
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(name) => write!(f, "Event '{name}' is not supported yet"),
            Self::NotOfPort(name) => {
                write!(f, "Event '{name}' belongs to the server; set it with Server::on()")
            }
            Self::Unknown { name, nearest: None } => write!(f, "Unknown event '{name}'"),
            Self::Unknown { name, nearest: Some(nearest) } => {
                write!(f, "Unknown event '{name}', did you mean '{nearest}'?")
            }
        }
    }
}

impl std::error::Error for EventError {}

impl Event {
    /// The event of this name, in any case.
    pub fn find(name: &str) -> Result<Self, EventError> {
        if let Some((event, _)) = ALL.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
            return Ok(*event);
        }
        if let Some(known) = ABSENT.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            return Err(EventError::Absent(known));
        }
        let known = ALL.iter().map(|(_, known)| *known).chain(ABSENT);
        let nearest = nearest(name, known);
        Err(EventError::Unknown { name: name.to_owned(), nearest })
    }

    /// The same for a port, which has fewer.
    pub fn find_of_port(name: &str) -> Result<Self, EventError> {
        match Self::find(name)? {
            event @ (Self::Request | Self::Connect | Self::Close) => Ok(event),
            event => Err(EventError::NotOfPort(event.name())),
        }
    }

    /// Its name, as the documentation writes it.
    pub fn name(self) -> &'static str {
        ALL[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        for (index, (event, name)) in ALL.iter().enumerate() {
            assert_eq!(*event as usize, index);
            assert_eq!(event.name(), *name);
            assert_eq!(Event::find(&name.to_uppercase()), Ok(*event));
        }
    }

    #[test]
    fn unknown_and_absent_names_are_told_apart() {
        let message = |name| Event::find(name).err().map(|error| error.to_string());
        assert_eq!(
            message("requst").as_deref(),
            Some("Unknown event 'requst', did you mean 'Request'?")
        );
        assert_eq!(message("task").as_deref(), Some("Event 'Task' is not supported yet"));
        assert_eq!(message("frobnicate").as_deref(), Some("Unknown event 'frobnicate'"));
        assert!(Event::find_of_port("workerstart").is_err());
        assert_eq!(Event::find_of_port("REQUEST"), Ok(Event::Request));
    }
}
