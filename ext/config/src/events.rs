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

const WEBSOCKET: &str = "there is no WebSocket; put a server for it behind the same proxy";
const RELOAD: &str = "use 'WorkerStart', which a reload calls in each new worker";
const BUFFERS: &str = "$response->write() waits for a client that is far behind";
const TASKS: &str =
    "answer with $response->end() in 'Request' and work on, as the client has its answer";

/// Events that are known from Swoole and not there, and what to do instead.
const ABSENT: [(&str, &str); 18] = [
    ("BeforeShutdown", "use 'WorkerStop' in workers, or 'Shutdown' when all have ended"),
    ("ManagerStart", "use 'Start', which the supervisor calls: it manages the workers"),
    ("ManagerStop", "use 'Shutdown', which the supervisor calls: it manages the workers"),
    ("BeforeReload", RELOAD),
    ("AfterReload", RELOAD),
    ("WorkerExit", "use 'WorkerStop', as there is no event loop that has to become empty"),
    ("Handshake", WEBSOCKET),
    ("BeforeHandshakeResponse", WEBSOCKET),
    ("Open", WEBSOCKET),
    ("Message", WEBSOCKET),
    ("Disconnect", "use 'Close'"),
    ("BufferFull", BUFFERS),
    ("BufferEmpty", BUFFERS),
    ("Task", TASKS),
    ("Finish", TASKS),
    ("PipeMessage", "let workers share a file, a database or APCu"),
    ("Receive", "clients speak HTTP, so use 'Request'"),
    ("Packet", "there are no datagram sockets; HTTP/3 comes as 'Request' does"),
];

/// Why a name is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventError {
    /// Swoole has it, this does not: its name, and what to do instead.
    Absent(&'static str, &'static str),
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
            Self::Absent(name, instead) => write!(f, "There is no event '{name}': {instead}"),
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
        if let Some((known, instead)) =
            ABSENT.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            return Err(EventError::Absent(known, instead));
        }
        let absent = ABSENT.iter().map(|(known, _)| *known);
        let known = ALL.iter().map(|(_, known)| *known).chain(absent);
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
    fn what_to_do_instead_names_events_that_there_are() {
        for (name, instead) in ABSENT {
            assert!(matches!(Event::find(name), Err(EventError::Absent(..))), "{name}");
            for named in instead.split('\'').skip(1).step_by(2) {
                assert!(Event::find(named).is_ok(), "{name}: {named}");
            }
        }
    }

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
        assert_eq!(
            message("receive").as_deref(),
            Some("There is no event 'Receive': clients speak HTTP, so use 'Request'")
        );
        assert_eq!(message("frobnicate").as_deref(), Some("Unknown event 'frobnicate'"));
        assert!(Event::find_of_port("workerstart").is_err());
        assert_eq!(Event::find_of_port("REQUEST"), Ok(Event::Request));
    }
}
