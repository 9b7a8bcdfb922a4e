//! [`AccessLogOptions`]: the options of the access log.

use std::io;
use std::path::Path;

use reactor::access_log::{AccessLog, Format, FormatError, LogTarget};

use super::nearest::nearest;
use super::option_type::InvalidValue;
use super::value::Value;

/// The options of the access log.
#[derive(Debug, Clone)]
pub struct AccessLogOptions {
    /// Where it goes: a path, `stdout`, `syslog`; `off` or nothing: there is none.
    pub to: String,
    /// How lines are made.
    pub format: Format,
    /// Which part of the exchanges that went well is logged.
    pub sample: f64,
    /// Paths that are left out.
    pub exclude: Vec<String>,
}

impl Default for AccessLogOptions {
    fn default() -> Self {
        Self { to: String::new(), format: Format::Combined, sample: 1.0, exclude: Vec::new() }
    }
}

impl AccessLogOptions {
    /// What the options ask for, with its file open.
    pub fn open(&self) -> io::Result<Option<AccessLog>> {
        let target = match &self.to[..] {
            "" | "off" => return Ok(None),
            "stdout" => LogTarget::stdout()?,
            "syslog" => LogTarget::Syslog,
            path => LogTarget::open(Path::new(path))?,
        };
        let Self { format, sample, exclude, .. } = self.clone();
        Ok(Some(AccessLog { target, format, sample, exclude }))
    }
}

/// Whether a value is a format.
pub fn check_format(value: &Value) -> Result<(), InvalidValue> {
    let text = value.text().ok_or(InvalidValue::Type)?;
    match Format::parse(text) {
        Ok(_) => Ok(()),
        Err(FormatError::Malformed) => Err(InvalidValue::Range),
        Err(FormatError::Unknown(name)) => {
            let known = Format::field_names().chain(["combined", "json"]);
            Err(InvalidValue::Entry(match nearest(&name, known) {
                Some(meant) => format!("{name} (did you mean {meant}?)"),
                None => name,
            }))
        }
    }
}

/// Whether a value is a part of the whole.
pub fn check_sample(value: &Value) -> Result<(), InvalidValue> {
    match value.seconds() {
        Some(part) if (0.0..=1.0).contains(&part) => Ok(()),
        Some(_) => Err(InvalidValue::Range),
        None => Err(InvalidValue::Type),
    }
}
