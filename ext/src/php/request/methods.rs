//! The methods of a request.

use super::body::StreamSource;
use super::{Message, Request, server};
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::stream;
use crate::engine::zend::string::Text;
use crate::php::error::Failure;

/// Calls `answer` with the message; `false` when the object has none.
fn with_message(
    call: &Call<'_>,
    answer: impl FnOnce(&mut Message) -> std::io::Result<Text>,
) -> Result<Returned, Failure> {
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile.
    match unsafe { &mut (*call.this::<Request>()).state.message } {
        None => Ok(Returned::Bool(false)),
        Some(message) => answer(message).map(Returned::Text).map_err(|error| {
            Failure::State(format!("the body of the request cannot be read: {error}"))
        }),
    }
}

/// `Request::rawContent()`
pub fn raw_content(call: &Call<'_>) -> Result<Returned, Failure> {
    with_message(call, |message| message.body.text())
}

/// `Request::getData()`
pub fn get_data(call: &Call<'_>) -> Result<Returned, Failure> {
    with_message(call, Message::data)
}

/// `Request::getMethod()`
pub fn get_method(call: &Call<'_>) -> Result<Returned, Failure> {
    with_message(call, |message| Ok(server::method(&message.head)))
}

/// `Request::getTarget()`
pub fn get_target(call: &Call<'_>) -> Result<Returned, Failure> {
    with_message(call, |Message { head, .. }| {
        Ok(match &head.query {
            None => Text::new(&head.path),
            Some(query) => Text::new(&[&head.path, &b"?"[..], query].concat()),
        })
    })
}

/// `Request::isCompleted()`
pub fn is_completed(call: &Call<'_>) -> Result<Returned, Failure> {
    // SAFETY: the object is alive while its method runs.
    let message = unsafe { &(*call.this::<Request>()).state.message };
    Ok(Returned::Bool(message.as_ref().is_some_and(|message| message.body.is_complete())))
}

/// `Request::stream()`
pub fn stream(call: &Call<'_>) -> Result<Returned, Failure> {
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile.
    let Some(message) = (unsafe { &(*call.this::<Request>()).state.message }) else {
        return Ok(Returned::Bool(false));
    };
    let source = message.body.source().map_err(|error| {
        Failure::State(format!("the body of the request cannot be read: {error}"))
    })?;
    let seekable = matches!(source, StreamSource::Stored(..));
    Ok(Returned::Value(stream::open(Box::new(source), seekable)))
}
