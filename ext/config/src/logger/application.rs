//! Lines that applications write, by `Ferrite\log()`: they go where all others go.

use std::fmt;
use std::time::SystemTime;

use log::Level;
use serde_json::{Map, Value};
use wire::event::LogEvent;
use wire::ids;
use wire::limits::LOG_MESSAGE_BYTES_MAX;

use super::bounded::{Bounded, escaped};
use super::{LOGGER, LogSource, Timestamp, descriptor, is_json, json, line};

/// How much a line of an application's matters, as PSR-3 has it, which takes it from RFC 5424.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The system is unusable.
    Emergency,
    /// Somebody has to act at once.
    Alert,
    /// A critical condition.
    Critical,
    /// An error.
    Error,
    /// What should not happen.
    Warning,
    /// Normal and worth a line.
    Notice,
    /// Of interest.
    Info,
    /// For who looks for mistakes.
    Debug,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Info,
        Self::Debug,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Alert => "alert",
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }

    /// The level of the log that stands for it.
    fn level(self) -> Level {
        match self {
            Self::Emergency | Self::Alert | Self::Critical | Self::Error => Level::Error,
            Self::Warning => Level::Warn,
            Self::Notice | Self::Info => Level::Info,
            Self::Debug => Level::Debug,
        }
    }

    /// Whether the log's own level says as much.
    fn is_a_level(self) -> bool {
        matches!(self, Self::Error | Self::Warning | Self::Info | Self::Debug)
    }

    /// Whether such a line is written.
    pub fn is_logged(self) -> bool {
        self.level() <= log::max_level()
    }
}

/// What an application says.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// How much it matters.
    pub severity: Severity,
    /// The text.
    pub message: &'a str,
    /// What belongs to it, within bounds already; `None` when there is nothing.
    pub context: Option<Value>,
}

impl Entry<'_> {
    /// Writes the line, unless `log_level` leaves it out.
    pub fn write(&self) {
        if self.severity.is_logged() {
            let role = LogSource::current();
            let now = Timestamp(SystemTime::now());
            let line = if is_json() { self.json(now, role) } else { self.text(now, role) };
            LOGGER.losses.write(descriptor(), line);
        }
    }

    fn text(&self, now: Timestamp, role: LogSource) -> Vec<u8> {
        line(now.0, self.severity.level(), role, &format_args!("{self}"), &ids::current())
    }

    fn json(&self, now: Timestamp, role: LogSource) -> Vec<u8> {
        let mut object = Map::new();
        json::begin(&mut object, now, self.severity.level(), LogEvent::Application.name(), role);
        object.insert("message".into(), escaped(self.message, LOG_MESSAGE_BYTES_MAX).into());
        object.insert("severity".into(), self.severity.name().into());
        if let Some(context) = &self.context {
            object.insert("context".into(), context.clone());
        }
        json::end(object)
    }
}

/// As lines of text have it.
impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.severity.is_a_level() {
            write!(f, "{}: ", self.severity.name())?;
        }
        write!(f, "{}", Bounded(self.message, LOG_MESSAGE_BYTES_MAX))?;
        match &self.context {
            Some(context) => write!(f, " {context}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::json;
    use wire::limits::LOG_RECORD_BYTES_MAX;

    use super::*;

    const NOW: Timestamp = Timestamp(UNIX_EPOCH);

    fn text(severity: Severity, message: &str, context: Option<Value>) -> String {
        let entry = Entry { severity, message, context };
        String::from_utf8(entry.text(NOW, LogSource::Worker(2))).expect("UTF-8")
    }

    #[test]
    fn every_name_of_psr_3_is_known_and_no_other() {
        for severity in Severity::ALL {
            assert_eq!(Severity::named(severity.name()), Some(severity));
        }
        assert_eq!(Severity::named("Warning"), None);
        assert_eq!(Severity::named("warn"), None);
    }

    #[test]
    fn a_line_of_text_has_all_of_it() {
        let said =
            text(Severity::Critical, "no\nroom \u{1b}[31m", Some(json!({"a": 1, "b": "x\ny"})));
        let wanted = format!(
            "1970-01-01T00:00:00.000Z ERROR worker 2 [{}] critical: no\\nroom \\x1b[31m {{\"a\":1,\"b\":\"x\\ny\"}}\n",
            std::process::id()
        );
        assert_eq!(said, wanted);
        assert!(text(Severity::Warning, "w", None).ends_with("] w\n"));
    }

    #[test]
    fn a_line_of_json_is_an_object_within_its_bound() {
        let message = "\u{1}\"".repeat(1 << 20);
        let context = Some(json!({"user": {"id": 7}}));
        let entry = Entry { severity: Severity::Notice, message: &message, context };
        let line = entry.json(NOW, LogSource::Supervisor);
        assert!(line.len() <= LOG_RECORD_BYTES_MAX, "{}", line.len());
        let object: Value = serde_json::from_slice(&line).expect("an object");
        assert_eq!((&object["level"], &object["severity"]), (&"info".into(), &"notice".into()));
        assert_eq!(
            (&object["event"], &object["context"]["user"]["id"]),
            (&"application".into(), &7.into())
        );
        assert!(text(Severity::Notice, &message, None).len() <= LOG_RECORD_BYTES_MAX);
    }
}
