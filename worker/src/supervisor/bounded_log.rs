//! The supervisor's lines in the log, within bounds, and how every process gets a new file for its own.

use std::os::fd::OwnedFd;
use std::time::Instant;

use log::Level;
use nix::unistd::Pid;
use wire::control::{ToReactorControl, ToWorkerControl, encode};
use wire::event::{self, LogEvent};
use wire::log_limit::LogLimit;

use super::Supervisor;
use crate::application::Application;
use crate::supervisor::process_table::{Note, ProcessName};

/// Bounds what others can bring about: a client whose requests end workers, a worker that writes to
/// descriptors that are not its own.
#[derive(Debug)]
pub(super) struct BoundedLog {
    /// What the limits count from.
    begin: Instant,
    /// Control messages that nobody can read.
    unreadable: LogLimit,
    /// Workers that ended, or had to be ended.
    ended: LogLimit,
    /// Processes that took the place of others.
    replaced: LogLimit,
}

impl BoundedLog {
    pub(super) fn new() -> Self {
        let [unreadable, ended, replaced] = [(); 3].map(|()| LogLimit::default());
        Self { begin: Instant::now(), unreadable, ended, replaced }
    }

    /// Whether one more line about a control message may be written.
    pub(super) fn take_unreadable(&mut self) -> bool {
        self.unreadable.take(self.begin.elapsed())
    }

    /// Writes a note of the table.
    pub(super) fn note(&mut self, note: &Note) {
        if !note.is_of_a_worker() || self.ended.take(self.begin.elapsed()) {
            note.log();
        }
    }

    /// Says that a process takes the place of one that died; `None` is the reactor.
    pub(super) fn replaced(&mut self, again: bool, worker: Option<u16>, pid: Pid) {
        if !again || !self.replaced.take(self.begin.elapsed()) {
            return;
        }
        let pid = pid.as_raw();
        let event =
            if worker.is_some() { LogEvent::WorkerReplaced } else { LogEvent::ReactorReplaced };
        let fields = [("worker", event::optional(worker)), ("pid", pid.into())];
        let text = format_args!("{} is started again as process {pid}", ProcessName(worker));
        event::log(Level::Info, event, &fields, text);
    }

    /// Says how many lines were left out, once it is time.
    pub(super) fn sum_up(&mut self) {
        let now = self.begin.elapsed();
        if let Some(left_out) = self.unreadable.sum_up(now) {
            log::error!("{left_out} more control messages could not be read");
        }
        for (limit, of, level, several) in [
            (&mut self.ended, LogEvent::WorkerDied, Level::Error, "workers have ended"),
            (&mut self.replaced, LogEvent::WorkerReplaced, Level::Info, "were started again"),
        ] {
            if let Some(left_out) = limit.sum_up(now) {
                let fields = [("of", of.name().into()), ("count", left_out.into())];
                let line = format_args!("{left_out} more {several}: not a line for each");
                event::log(level, LogEvent::EventsSuppressed, &fields, line);
            }
        }
    }

    /// When [`sum_up`](Self::sum_up) has something to say.
    pub(super) fn due(&self) -> Option<Instant> {
        let limits = [&self.unreadable, &self.ended, &self.replaced];
        limits.into_iter().filter_map(LogLimit::deadline).min().map(|at| self.begin + at)
    }
}

impl Supervisor {
    /// The files of the log and of the access log may have been moved away: opens them anew.
    pub(super) fn reopen_logs(&mut self, application: &mut dyn Application) {
        if let Some(file) = application.reopen_log() {
            self.pass_log_on(file);
        }
        if let Some(file) = application.reopen_access_log() {
            self.tell_reactor(&ToReactorControl::AccessLog, vec![file]);
        }
    }

    /// Every process writes to the new file, also workers that are not replaced.
    fn pass_log_on(&mut self, file: OwnedFd) {
        for child in self.workers.values_mut() {
            match file.try_clone() {
                Ok(copy) => child.control.post(encode(&ToWorkerControl::Log), vec![copy]),
                Err(error) => {
                    let worker = child.worker;
                    log::error!("worker {worker} cannot be given the new log file: {error}");
                }
            }
        }
        self.tell_reactor(&ToReactorControl::Log, vec![file]);
    }
}
