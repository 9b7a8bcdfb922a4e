//! Rate limits for log lines of workers that clients can cause; suppressed lines are counted.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use log::Level;
use log::kv::Value;
use wire::event::{self, LogEvent};
use wire::log_limit::LogLimit;

/// What a line is about. Each kind has its own bound, so that a flood of one hides no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedEvent {
    /// PHP's parsers complain of a form, a query or cookies.
    Parser,
    /// A handler has failed.
    Handler,
    /// A request took longer than `max_execution_time`.
    Timeout,
    /// Uploads cannot be put where they belong.
    Uploads,
    /// A callback that belongs to no request has failed.
    Callback,
    /// The content of a request cannot be read.
    Content,
    /// What a request has changed cannot be put back.
    Reset,
    /// A request is not given to its handler.
    Refused,
}

impl LimitedEvent {
    const ALL: [Self; 8] = [
        Self::Parser,
        Self::Handler,
        Self::Timeout,
        Self::Uploads,
        Self::Callback,
        Self::Content,
        Self::Reset,
        Self::Refused,
    ];

    fn event(self) -> LogEvent {
        match self {
            Self::Parser => LogEvent::ParserWarned,
            Self::Handler => LogEvent::RequestFailed,
            Self::Timeout => LogEvent::RequestTimeout,
            Self::Uploads => LogEvent::UploadsFailed,
            Self::Callback => LogEvent::CallbackFailed,
            Self::Content => LogEvent::SpoolFailed,
            Self::Reset => LogEvent::ResetFailed,
            Self::Refused => LogEvent::RequestRefused,
        }
    }

    fn several(self) -> &'static str {
        match self {
            Self::Parser => "warnings of PHP's parsers",
            Self::Handler => "requests whose handler failed",
            Self::Timeout => "requests that took longer than max_execution_time",
            Self::Uploads => "requests whose uploads are beside their folder",
            Self::Callback => "callbacks that failed",
            Self::Content => "bodies that could not be read",
            Self::Refused => "requests were refused",
            Self::Reset => "times something could not be put back behind a request",
        }
    }
}

/// One for each kind, with the moment that it counts from, made at its first line. Each process has
/// its own.
static LIMITS: Mutex<[Option<(Instant, LogLimit)>; LimitedEvent::ALL.len()]> =
    Mutex::new([const { None }; LimitedEvent::ALL.len()]);

/// Logs a line without fields, as [`limited_with`] does.
pub fn limited(kind: LimitedEvent, level: Level, line: fmt::Arguments<'_>) {
    limited_with(kind, level, &[], line);
}

/// Logs a line with its fields, unless its kind is over its rate. About once a second one more line
/// counts those that were left out.
pub fn limited_with(
    kind: LimitedEvent,
    level: Level,
    fields: &[(&str, Value<'_>)],
    line: fmt::Arguments<'_>,
) {
    if level > log::max_level() {
        return;
    }
    let now = Instant::now();
    let mut limits = LIMITS.lock().unwrap_or_else(PoisonError::into_inner);
    let (begin, limit) = limits[kind as usize].get_or_insert_with(|| (now, LogLimit::default()));
    let now = now.saturating_duration_since(*begin);
    if limit.take(now) {
        event::log(level, kind.event(), fields, line);
    }
    if let Some(left_out) = limit.sum_up(now) {
        say(kind, left_out);
    }
}

/// At the end of a process: logs how many lines were left out since the last such count.
pub fn sum_up() {
    let mut limits = LIMITS.lock().unwrap_or_else(PoisonError::into_inner);
    for (kind, limit) in LimitedEvent::ALL.into_iter().zip(limits.iter_mut()) {
        match limit.as_mut().map(|(_, limit)| limit.take_left_out()) {
            None | Some(0) => {}
            Some(left_out) => say(kind, left_out),
        }
    }
}

fn say(kind: LimitedEvent, left_out: u64) {
    let fields = [("of", kind.event().name().into()), ("count", left_out.into())];
    let line = format_args!("{left_out} more {}: not a line for each", kind.several());
    event::log(Level::Warn, LogEvent::EventsSuppressed, &fields, line);
}
