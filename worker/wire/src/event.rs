//! [`LogEvent`]: the names of what the log tells, and [`log`], by which a line has one and its fields.
//!
//! Names and fields are for programs (`log_format` => 'json') and stay as they are; the text of a line
//! is for people, and may change. Lines that are logged without a name are [`LogEvent::MESSAGE`].

use std::fmt;

use log::kv::{Key, Value};
use log::{Level, Record};

/// The key under which a record carries the name of its event.
pub const KEY: &str = "event";

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a line of the log tells.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum LogEvent {
            $($(#[$doc])* $variant,)*
        }

        impl LogEvent {
            /// Every event that has a name of its own.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

events! {
    /// The server starts.
    ServerStarting = "server_starting",
    /// All processes are up for the first time.
    ServerReady = "server_ready",
    /// The server stops.
    ServerStopping = "server_stopping",
    /// All other processes have ended.
    ServerStopped = "server_stopped",
    /// The workers are being replaced.
    ReloadStarted = "reload_started",
    /// All workers have been replaced.
    ReloadFinished = "reload_finished",
    /// A reload was given up.
    ReloadAbandoned = "reload_abandoned",
    /// A worker ended that should not have.
    WorkerDied = "worker_died",
    /// A worker did not start or end in its time.
    WorkerKilled = "worker_killed",
    /// A worker takes the place of one that died.
    WorkerReplaced = "worker_replaced",
    /// A worker could not start.
    WorkerStartFailed = "worker_start_failed",
    /// The reactor ended though it should not have.
    ReactorDied = "reactor_died",
    /// The reactor did not end in its time.
    ReactorKilled = "reactor_killed",
    /// A reactor takes the place of one that died.
    ReactorReplaced = "reactor_replaced",
    /// A process could not be started.
    ForkFailed = "fork_failed",
    /// A worker sent what no worker sends.
    WorkerMisbehaved = "worker_misbehaved",
    /// Connections outlasted `max_wait_time`.
    ConnectionsCutOff = "connections_cut_off",
    /// A client's request was refused.
    RequestRefused = "request_refused",
    /// An address has as many connections as it may.
    ConnectionRefused = "connection_refused",
    /// A connection cannot be taken on, for want of something.
    ConnectionFailed = "connection_failed",
    /// A handshake of TLS or QUIC came to nothing.
    HandshakeFailed = "handshake_failed",
    /// A client took nothing of its response.
    ClientStalled = "client_stalled",
    /// A response cannot be sent as it was made.
    ResponseInvalid = "response_invalid",
    /// The content of a request cannot be kept.
    SpoolFailed = "spool_failed",
    /// A file that is a response cannot be kept open.
    FileRefused = "file_refused",
    /// Lines of the access log are lost.
    AccessLogLost = "access_log_lost",
    /// The access log cannot be opened anew.
    AccessLogFailed = "access_log_failed",
    /// Spans or metrics cannot be sent to a collector.
    OtlpFailed = "otlp_failed",
    /// They are sent again.
    OtlpRecovered = "otlp_recovered",
    /// Spans were dropped.
    SpansLost = "spans_lost",
    /// Lines of a kind were left out.
    EventsSuppressed = "events_suppressed",
    /// A handler did not end its response.
    RequestFailed = "request_failed",
    /// A request took longer than it may.
    RequestTimeout = "request_timeout",
    /// PHP's parsers complain of a form, a query or cookies.
    ParserWarned = "parser_warned",
    /// The folder for a worker's uploads cannot be made or emptied.
    UploadsFailed = "uploads_failed",
    /// A callback that belongs to no request failed.
    CallbackFailed = "callback_failed",
    /// A new certificate is in use.
    TlsCertificateLoaded = "tls_certificate_loaded",
    /// The former certificate stays.
    TlsCertificateRefused = "tls_certificate_refused",
    /// An OCSP response is not sent any more.
    TlsStapleExpired = "tls_staple_expired",
    /// TLS cannot be begun.
    TlsFailed = "tls_failed",
    /// What a request has changed cannot be put back.
    ResetFailed = "reset_failed",
    /// The statistics cannot be written.
    StatsFileFailed = "stats_file_failed",
    /// An administrator wants something done.
    AdminCommand = "admin_command",
    /// What the application has to say.
    Application = "application",
    /// A bug: a process gave up.
    Panicked = "panicked",
}

impl LogEvent {
    /// The name of lines that have none of their own.
    pub const MESSAGE: &'static str = "message";
}

/// Logs a line with a name, and with its fields apart.
pub fn log(
    level: Level,
    event: LogEvent,
    fields: &[(&str, Value<'_>)],
    message: fmt::Arguments<'_>,
) {
    if level > log::max_level() {
        return;
    }
    let fields = Named { event, fields };
    log::logger().log(
        &Record::builder()
            .level(level)
            .target(module_path!())
            .key_values(&fields)
            .args(message)
            .build(),
    );
}

/// A field that may be null.
pub fn optional<'a, T: Into<Value<'a>>>(value: Option<T>) -> Value<'a> {
    value.map_or(Value::null(), Into::into)
}

struct Named<'a> {
    event: LogEvent,
    fields: &'a [(&'a str, Value<'a>)],
}

impl log::kv::Source for Named<'_> {
    fn visit<'kvs>(
        &'kvs self,
        visitor: &mut dyn log::kv::VisitSource<'kvs>,
    ) -> Result<(), log::kv::Error> {
        visitor.visit_pair(Key::from_str(KEY), Value::from(self.event.name()))?;
        for (key, value) in self.fields {
            visitor.visit_pair(Key::from_str(key), value.clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in docs/logging.md has each of them, and what to do about it, and nothing else.
    #[test]
    fn every_event_is_documented_with_what_to_do() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/logging.md");
        let text = std::fs::read_to_string(path).expect("docs/logging.md");
        let table = text.split_once("| event | when | fields | what to do |\n").expect("a table").1;
        let mut documented = Vec::new();
        for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [names, when, _, advice] = cells[..] else { panic!("four cells: {row}") };
            assert!(!when.is_empty() && advice.len() > 5, "{row}");
            documented.extend(names.split(", ").map(|name| name.trim_matches('`').to_owned()));
        }
        let mut known: Vec<_> = LogEvent::ALL.iter().map(|event| event.name().to_owned()).collect();
        documented.sort_unstable();
        known.sort_unstable();
        assert_eq!(documented, known);
    }

    #[test]
    fn names_are_different_and_plain() {
        let mut names: Vec<_> = LogEvent::ALL.iter().map(|event| event.name()).collect();
        names.push(LogEvent::MESSAGE);
        for name in &names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
