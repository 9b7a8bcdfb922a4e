//! How a script has ended, for its client and for the log.

use config::log_limit::{LimitedEvent, limited_with};
use config::one_line::OneLine;
use http::StatusCode;
use log::Level;

use super::exchange::WebExchange;
use super::response::Settled;
use crate::engine::call::is_timeout;
use crate::engine::zend::globals;

/// The script is done: completes the response, and says how it went where it did not go well. Returns the
/// room of the response, for the next one.
pub fn settle(mut exchange: WebExchange, fatal: Option<String>) -> Vec<u8> {
    let response = &mut exchange.response;
    if fatal.is_some() {
        response.set_status(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let open = response.is_open();
    let settled = response.finish();
    let answer = match settled {
        Settled::Failed => "; the client gets 500",
        Settled::BrokenOff => "; the response breaks off",
        Settled::Sent if fatal.is_some() && open => "; the client gets 500",
        Settled::Sent => "",
    };
    let what = match (fatal, settled) {
        // PHP has said so itself (`log_errors`).
        (Some(_), Settled::Sent) if exchange.fatal_logged => None,
        (Some(message), _) => Some(message),
        (None, Settled::BrokenOff) => Some("shorter than its Content-Length".to_owned()),
        (None, Settled::Failed) => Some("the script has left no response".to_owned()),
        (None, Settled::Sent) => None,
    };
    if let Some(what) = what {
        let method = exchange.head.method.as_str();
        let path = exchange.head.path[..exchange.head.path.len().min(200)].escape_ascii();
        let path = path.to_string();
        let (kind, reason) = match is_timeout(&what) {
            true => (LimitedEvent::Timeout, "max_execution_time"),
            false => (LimitedEvent::Handler, "fatal"),
        };
        let fields =
            [("reason", reason.into()), ("method", method.into()), ("path", (&path[..]).into())];
        let line = format_args!("{method} {path}: {}{answer}", OneLine(&what));
        limited_with(kind, Level::Error, &fields, line);
    }
    exchange.response.into_room()
}

/// The fatal error that has ended the script, if one has.
pub fn fatal_error() -> Option<String> {
    // E_ERROR, E_PARSE, E_CORE_ERROR, E_COMPILE_ERROR, E_USER_ERROR, E_RECOVERABLE_ERROR
    const FATAL: i32 = 1 | 4 | 16 | 64 | 256 | 4096;
    // SAFETY: only reads globals.
    let ended = unsafe {
        (*globals::executor()).exit_status == 255 && (*globals::core()).last_error_type & FATAL != 0
    };
    let error = ended.then(globals::last_error).flatten()?;
    let first = error.message.lines().next().unwrap_or_default();
    Some(format!("{first} in {}:{}", error.file, error.line))
}
