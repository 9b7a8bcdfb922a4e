//! `ferrite_handle_request()` and `Ferrite\log()`.

use config::logger::application::{Entry, Severity};
use config::logger::bounded::escaped;
use config::one_line::OneLine;
use config::options::nearest::nearest;

use super::context;
use crate::engine::call::Callback;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::value;
use crate::php::error::Failure;
use crate::signatures::functions as given;
use crate::web::pull;

/// `ferrite_handle_request()`
pub fn ferrite_handle_request(
    _call: &Call<'_>,
    given: given::FerriteHandleRequest<'_>,
) -> Result<Returned, Failure> {
    let callback = Callback::of_argument(1, given.callback)?;
    pull::next_request(callback).map(Returned::Bool)
}

/// `Ferrite\log()`
pub fn log(_call: &Call<'_>, given: given::Log<'_>) -> Result<Returned, Failure> {
    let level = given.level.to_str();
    let severity = Severity::named(&level).ok_or_else(|| no_severity(&level))?;
    if severity.is_logged() {
        let context = given.context.and_then(context::of);
        Entry { severity, message: &given.message.to_str(), context }.write();
    }
    Ok(Returned::Value(value::null()))
}

fn no_severity(level: &str) -> Failure {
    let names = Severity::ALL.map(|severity| format!("\"{}\"", severity.name())).join(", ");
    let given = escaped(OneLine(level), LEVEL_BYTES_SHOWN_MAX);
    // Names of other systems, and of PSR-3 in capitals.
    let lower = given.to_ascii_lowercase();
    let known = Severity::ALL.into_iter().map(Severity::name);
    let meant = OTHER_NAMES.iter().find(|(name, _)| *name == lower).map(|(_, meant)| *meant);
    let hint = meant.or_else(|| nearest(&lower, known));
    let hint = hint.map_or_else(String::new, |meant| format!(" (did you mean \"{meant}\"?)"));
    Failure::Value(1, format!("must be one of {names}, \"{given}\" given{hint}"))
}

/// Bytes of a wrong level that the exception quotes.
const LEVEL_BYTES_SHOWN_MAX: usize = 40;

/// What other loggers call levels.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("warn", "warning"),
    ("err", "error"),
    ("crit", "critical"),
    ("emerg", "emergency"),
    ("fatal", "critical"),
    ("panic", "emergency"),
    ("trace", "debug"),
    ("information", "info"),
];
