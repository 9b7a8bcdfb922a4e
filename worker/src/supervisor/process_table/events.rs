//! What the notes of the table are called in the log, and their fields.

use log::kv::Value;
use wire::event::{self, LogEvent, optional};
use wire::{RequestId, RequestIds, ids};

use super::action::{Exit, Note, Work};

impl Note {
    /// Writes the line.
    pub(crate) fn log(&self) {
        let reactor = |worker: &Option<u16>| worker.is_none();
        let (event, fields): (LogEvent, Vec<(&str, Value<'_>)>) = match self {
            Self::WorkerEnded { worker, pid, exit, work } => {
                let mut fields = vec![("worker", (*worker).into()), ("pid", (*pid).into())];
                fields.extend(exit.fields());
                fields.extend(work.fields());
                if *exit == Exit::TIMED_OUT {
                    fields.push(("reason", "request_timeout".into()));
                }
                (LogEvent::WorkerDied, fields)
            }
            Self::WorkerUnlinked { worker, pid, killed } => {
                let event = if *killed { LogEvent::WorkerKilled } else { LogEvent::WorkerDied };
                let fields = [("worker", (*worker).into()), ("pid", (*pid).into())];
                (event, [&fields[..], &[("reason", "link_lost".into())]].concat())
            }
            Self::WorkerLate { worker, pid, after } => (
                LogEvent::WorkerKilled,
                vec![
                    ("worker", (*worker).into()),
                    ("pid", (*pid).into()),
                    ("reason", "start_timeout".into()),
                    ("after", after.as_secs_f64().into()),
                ],
            ),
            Self::ReactorEnded { pid, exit, .. } => {
                let mut fields = vec![("pid", (*pid).into())];
                fields.extend(exit.fields());
                (LogEvent::ReactorDied, fields)
            }
            Self::ReactorStuck { pid, thread, after } => (
                LogEvent::ReactorKilled,
                vec![
                    ("pid", (*pid).into()),
                    ("reason", "stuck".into()),
                    ("thread", (*thread).into()),
                    ("after", after.as_secs_f64().into()),
                ],
            ),
            Self::ForkFailed { worker } => {
                (LogEvent::ForkFailed, vec![("worker", optional(*worker))])
            }
            Self::Overdue { worker, pid } if reactor(worker) => (
                LogEvent::ReactorKilled,
                vec![("pid", (*pid).into()), ("reason", "stop_timeout".into())],
            ),
            Self::Overdue { worker, pid } => (
                LogEvent::WorkerKilled,
                vec![
                    ("worker", optional(*worker)),
                    ("pid", (*pid).into()),
                    ("reason", "stop_timeout".into()),
                ],
            ),
            Self::ReloadBegun => (LogEvent::ReloadStarted, Vec::new()),
            Self::ReloadDone => (LogEvent::ReloadFinished, Vec::new()),
            Self::ReloadAbandoned { worker } => {
                (LogEvent::ReloadAbandoned, vec![("worker", (*worker).into())])
            }
            Self::Stopping => (LogEvent::ServerStopping, vec![("at_once", false.into())]),
            Self::Killing => (LogEvent::ServerStopping, vec![("at_once", true.into())]),
        };
        let _about = ids::about(&self.ids());
        event::log(self.level(), event, &fields, format_args!("{self}"));
    }
}

impl Note {
    /// Those of the request that it is about.
    fn ids(&self) -> RequestIds {
        let Self::WorkerEnded { work: Work::Request(request), .. } = self else {
            return RequestIds::NONE;
        };
        let id = request.id.as_deref().unwrap_or_default();
        RequestIds { request: RequestId::parse(id.as_bytes()), trace: None }
    }
}

impl Exit {
    /// One of the two is null.
    fn fields(&self) -> [(&'static str, Value<'_>); 2] {
        let (code, signal) = match self {
            Self::Code(code) => (Some(*code), None),
            Self::Signal(signal) => (None, Some(*signal)),
        };
        [("exit_code", optional(code)), ("signal", optional(signal))]
    }
}

impl Work {
    fn fields(&self) -> Vec<(&'static str, Value<'_>)> {
        let state = match self {
            Self::Booting => "starting",
            Self::Idle => "idle",
            Self::Request(_) => "busy",
            Self::Unknown => "unknown",
        };
        let mut fields = vec![("state", state.into())];
        if let Self::Request(request) = self {
            // As the reactor names it: `METHOD path`, or an event.
            match request.summary.split_once(' ') {
                Some((method, path)) if path.starts_with(['/', '*']) => {
                    fields.extend([("method", method.into()), ("path", path.into())]);
                }
                _ => fields.push(("callback", request.summary[..].into())),
            }
        }
        fields
    }
}
