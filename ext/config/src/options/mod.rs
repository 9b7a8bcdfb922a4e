//! Options: from PHP's array to a typed configuration, once.
//!
//! ```text
//!  set() ──▶ check ──▶ Assignment …  (kept)      start() ──▶ resolve ──▶ ServerOptions, PortOptions
//!              └─▶ OptionError                                 defaults, then assignments in order
//! ```
//!
//! Nothing in here knows Zend: the values are [`Value`]s.

pub mod access_log;
pub mod classic;
pub mod config;
pub mod docs;
pub mod files;
pub mod nearest;
pub mod option_type;
pub mod request_id;
pub mod shown;
pub mod table;
pub mod tls;
pub mod tracing;
pub mod value;

use std::fmt;

use config::{ConfigBuilder, PortOptions, ServerOptions};
use option_type::{Assignment, InvalidValue, OptionType};
use table::{Scope, Spec};
use value::Value;

/// Why `set()` refuses an option.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionError {
    /// There is no such option.
    Unknown {
        /// The key.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<&'static str>,
    },
    /// The option belongs to the server, not to a port.
    Scope {
        /// The key.
        key: String,
    },
    /// The value does not fit.
    Invalid {
        /// The key.
        key: String,
        /// In which way.
        invalid: InvalidValue,
        /// What is allowed.
        allowed: String,
        /// What was given.
        given: Value,
        /// For an absent option: why it is.
        why: &'static str,
    },
}

impl OptionError {
    /// Whether the mistake is one of type rather than of value.
    pub fn is_type(&self) -> bool {
        matches!(self, Self::Invalid { invalid: InvalidValue::Type, .. })
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { key, nearest: None } => write!(f, "Unknown option '{key}'"),
            Self::Unknown { key, nearest: Some(nearest) } => {
                write!(f, "Unknown option '{key}', did you mean '{nearest}'?")
            }
            Self::Scope { key } => {
                write!(f, "Option '{key}' belongs to the server; set it with Server::set()")
            }
            Self::Invalid { key, invalid: InvalidValue::Absent, allowed, given, why } => write!(
                f,
                "Option '{key}' is not supported: only {allowed} is accepted, {given} given. {why}"
            ),
            Self::Invalid { key, invalid: InvalidValue::Entry(wrong), allowed, .. } => {
                let wrong = wrong.escape_debug();
                write!(f, "Option '{key}' must be {allowed}, and \"{wrong}\" is none of these")
            }
            Self::Invalid { key, allowed, given, .. } => {
                write!(f, "Option '{key}' must be {allowed}, {given} given")
            }
        }
    }
}

impl std::error::Error for OptionError {}

/// Checks one key and its value, for the server (`scope` [`Scope::Server`], which may also set the
/// options of its ports) or for one port.
pub fn check(key: &str, value: &Value, scope: Scope) -> Result<Assignment, OptionError> {
    let Some(spec) = table::find(key) else {
        let known = table::all().flat_map(keys);
        return Err(OptionError::Unknown {
            key: key.to_owned(),
            nearest: nearest::nearest(key, known),
        });
    };
    if scope == Scope::Port && spec.scope == Scope::Server {
        return Err(OptionError::Scope { key: key.to_owned() });
    }
    spec.kind.accept(value).map_err(|invalid| OptionError::Invalid {
        key: key.to_owned(),
        invalid,
        allowed: spec.kind.to_string(),
        given: value.clone(),
        why: if matches!(spec.kind, OptionType::Absent(_)) { spec.doc } else { "" },
    })
}

/// The server's options and those of each port: the defaults, what was set on the server, and on top
/// of it what was set on the port.
pub fn resolve(
    server: &[Assignment],
    ports: &[Vec<Assignment>],
) -> (ServerOptions, Vec<PortOptions>) {
    let mut builder =
        ConfigBuilder { server: ServerOptions::default(), port: PortOptions::default() };
    for assignment in server {
        assignment.apply(&mut builder);
    }
    let ports = ports.iter().map(|assignments| {
        let mut own = builder.clone();
        for assignment in assignments {
            assignment.apply(&mut own);
        }
        own.port
    });
    let ports = ports.collect();
    (builder.server, ports)
}

fn keys(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
    std::iter::once(spec.name).chain(spec.aliases.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn set(key: &str, value: Value) -> Result<Assignment, OptionError> {
        check(key, &value, Scope::Server)
    }

    fn message(key: &str, value: Value) -> String {
        match set(key, value) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{key} was accepted"),
        }
    }

    #[test]
    fn keys_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for key in table::all().flat_map(keys) {
            assert!(seen.insert(key), "{key}");
        }
    }

    #[test]
    fn errors_say_what_is_allowed() {
        assert_eq!(
            message("woker_num", Value::Int(1)),
            "Unknown option 'woker_num', did you mean 'worker_num'?"
        );
        assert_eq!(message("frobnicate", Value::Int(1)), "Unknown option 'frobnicate'");
        assert_eq!(
            message("worker_num", Value::Int(0)),
            "Option 'worker_num' must be an int from 1 to 1024, 0 given"
        );
        assert_eq!(
            message("package_max_length", Value::Text("lots".into())),
            "Option 'package_max_length' must be bytes from 1K to 1024G, \"lots\" given"
        );
        assert!(message("open_websocket_protocol", Value::Bool(true)).contains("not supported"));
        assert!(set("worker_num", Value::Array(Vec::new())).err().is_some_and(|e| e.is_type()));
        assert!(set("worker_num", Value::Int(0)).err().is_some_and(|e| !e.is_type()));
    }

    #[test]
    fn a_port_takes_the_servers_options_and_its_own() {
        let server = [
            set("keepalive_timeout", Value::Int(5)).ok(),
            set("package_max_length", Value::Text("2M".into())).ok(),
        ];
        let server: Vec<_> = server.into_iter().flatten().collect();
        let own = check("package_max_length", &Value::Text("4K".into()), Scope::Port).ok();
        let own: Vec<_> = own.into_iter().collect();
        let (_, ports) = resolve(&server, &[Vec::new(), own]);
        assert_eq!(ports[0].http.body_bytes_max, 2 << 20);
        assert_eq!(ports[1].http.body_bytes_max, 4 << 10);
        assert_eq!(ports[1].http.keepalive_timeout, Duration::from_secs(5));
        let error = check("worker_num", &Value::Int(1), Scope::Port).err();
        assert!(matches!(error, Some(OptionError::Scope { .. })));
    }

    #[test]
    fn a_server_header_can_be_hidden_and_named() {
        for (value, wanted) in [
            (Value::Bool(false), None),
            (Value::Bool(true), Some("ferrite")),
            (Value::Text("me".into()), Some("me")),
        ] {
            let assignment = set("server_header", value).ok().into_iter().collect::<Vec<_>>();
            let (_, ports) = resolve(&assignment, &[Vec::new()]);
            assert_eq!(ports[0].http.server.as_deref(), wanted.map(str::as_bytes));
        }
        let forged = Value::Text("a\r\nb".into());
        assert!(set("server_header", forged).is_err());
    }
}
