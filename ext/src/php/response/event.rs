//! `Response::event()`: server-sent events (WHATWG HTML, 9.2).

use super::{Response, check_owner};
use crate::engine::zend::lazy;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::string::Text;
use crate::php::error::Failure;
use crate::signatures::response::{self as given, slot};

/// `Response::event()`
pub fn event(call: &Call<'_>, given: given::Event<'_>) -> Result<Returned, Failure> {
    let name = given.event.map(|name| one_line(2, name.as_bytes())).transpose()?;
    let id = given.id.map(|id| one_line(3, id.as_bytes())).transpose()?;
    if given.retry.is_some_and(|time| time < 0) {
        return Err(Failure::Value(4, "must be greater than or equal to 0".into()));
    }
    let data = given.data.map(|data| data.as_bytes());
    let text = event_text(data, name, id, given.retry);
    check_owner()?;
    super::sending::check_client()?;
    let this = call.this::<Response>();
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile; the reference ends
    // before the slot is emptied, which may run a destructor.
    unsafe {
        let outgoing = &mut (*this).state.outgoing;
        if !outgoing.is_open() {
            return outgoing.write(&text).map(Returned::Bool);
        }
        let former = outgoing.lines.clone();
        if outgoing.lines.get(b"content-type").is_none() && !outgoing.untyped {
            let media_type = Text::new(b"text/event-stream");
            outgoing.lines.set(&Text::new(b"Content-Type"), [media_type]);
        }
        if outgoing.lines.get(b"cache-control").is_none() {
            outgoing.lines.set(&Text::new(b"Cache-Control"), [Text::new(b"no-cache")]);
        }
        let sent = outgoing.write(&text);
        if sent.is_err() {
            outgoing.lines = former;
        }
        lazy::forget(this, slot::HEADER);
        sent.map(Returned::Bool)
    }
}

/// Refuses what would end its line; NUL makes a client ignore an id.
fn one_line(argument: u32, text: &[u8]) -> Result<&[u8], Failure> {
    if text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(Failure::Value(argument, "must not contain CR, LF or NUL".into()));
    }
    Ok(text)
}

/// The text of one event. Without anything to say it is a comment, which keeps a connection alive.
fn event_text(
    data: Option<&[u8]>,
    name: Option<&[u8]>,
    id: Option<&[u8]>,
    retry: Option<i64>,
) -> Vec<u8> {
    let retry = retry.map(|time| time.to_string());
    let fields = [("event", name), ("id", id), ("retry", retry.as_deref().map(str::as_bytes))];
    let len: usize = data.map_or(0, <[u8]>::len);
    let mut text = Vec::with_capacity(len + 64);
    let mut line = |name: &str, value: &[u8]| {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.push(b'\n');
    };
    for (name, value) in fields {
        if let Some(value) = value {
            line(name, value);
        }
    }
    let mut rest = data;
    while let Some(data) = rest {
        let end = data.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (first, behind) = data.split_at(end.unwrap_or(data.len()));
        line("data", first);
        rest = match behind {
            [] => None,
            [b'\r', b'\n', behind @ ..] | [_, behind @ ..] => Some(behind),
        };
    }
    if text.is_empty() {
        text.extend_from_slice(b":\n");
    }
    text.push(b'\n');
    text
}
