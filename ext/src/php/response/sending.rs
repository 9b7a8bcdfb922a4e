//! The methods that send.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use http::StatusCode;
use reactor::protocol::files::{FileFacts, media_type};
use wire::FileSlice;

use super::field_values::{Values, field_values};
use super::lines::Lines;
use super::methods::checked_status;
use super::sent_file::SentFile;
use super::{Response, check_owner, lines};
use crate::engine::client;
use crate::engine::zend::lazy;
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::php_check_open_basedir;
use crate::engine::zend::string::Text;
use crate::engine::zend::value::entries;
use crate::engine::zend::warn;
use crate::php::error::Failure;
use crate::signatures::response::{self as given, slot};

/// `Response::informational()`
pub fn informational(
    call: &Call<'_>,
    given: given::Informational<'_>,
) -> Result<Returned, Failure> {
    let status = interim_status(given.http_code)?;
    let mut fields = Lines::default();
    if let Some(headers) = given.headers {
        // One more reference: __toString() of an element may change the variable that holds it.
        let headers = headers.shallow_clone();
        for (name, value) in headers.array().into_iter().flat_map(entries) {
            let name = name.to_bytes();
            lines::check_name(2, &name)?;
            let values = match field_values(2, &name, &value.shallow_clone())? {
                Values::One(value) => vec![value],
                Values::Many(values) => values,
            };
            fields.set(&Text::new(&name), values);
        }
    }
    check_owner()?;
    check_client()?;
    // SAFETY: as in `write`.
    let outgoing = unsafe { &mut (*call.this::<Response>()).state.outgoing };
    outgoing.informational(status, &fields).map(Returned::Bool)
}

/// An interim status code that is the handler's to send (RFC 9110, 15.2).
fn interim_status(code: i64) -> Result<StatusCode, Failure> {
    let refused = |message: &str| Err(Failure::Value(1, message.into()));
    match u16::try_from(code).map(StatusCode::from_u16) {
        Ok(Ok(StatusCode::CONTINUE)) => {
            refused("must not be 100: the server sends it when the client waits for it")
        }
        Ok(Ok(StatusCode::SWITCHING_PROTOCOLS)) => {
            refused("must not be 101: a response does not change the protocol")
        }
        Ok(Ok(status)) if status.is_informational() => Ok(status),
        _ => refused("must be an interim status, from 102 to 199"),
    }
}

/// `Response::write()`
pub fn write(call: &Call<'_>, given: given::Write<'_>) -> Result<Returned, Failure> {
    let content = given.content.as_bytes();
    check_owner()?;
    check_client()?;
    // SAFETY: the object is alive while its method runs, and no PHP code runs meanwhile.
    let outgoing = unsafe { &mut (*call.this::<Response>()).state.outgoing };
    if content.is_empty() {
        // Output buffers produce empty pieces all the time. Nothing goes out, not even the head.
        return Ok(Returned::Bool(outgoing.is_writable()));
    }
    outgoing.write(content).map(Returned::Bool)
}

/// `Response::end()`
pub fn end(call: &Call<'_>, given: given::End<'_>) -> Result<Returned, Failure> {
    let content = given.content.map_or(&[][..], |content| content.as_bytes());
    check_owner()?;
    check_client()?;
    // SAFETY: as in `write`.
    let outgoing = unsafe { &mut (*call.this::<Response>()).state.outgoing };
    outgoing.end(content).map(Returned::Bool)
}

/// `Response::redirect()`
pub fn redirect(call: &Call<'_>, given: given::Redirect<'_>) -> Result<Returned, Failure> {
    let location = given.location.to_text();
    lines::check_value(1, b"Location", location.as_bytes())?;
    let status = checked_status(2, given.http_code)?;
    if !status.is_redirection() {
        return Err(Failure::Value(2, "must be a redirection (3xx)".into()));
    }
    check_owner()?;
    check_client()?;
    let this = call.this::<Response>();
    // SAFETY: as in `write`; the reference ends before the slot is emptied, which may run a destructor.
    unsafe {
        let outgoing = &mut (*this).state.outgoing;
        if !outgoing.is_open() {
            return Ok(Returned::Bool(false));
        }
        let ended = outgoing.redirect(status, location)?;
        lazy::forget(this, slot::HEADER);
        Ok(Returned::Bool(ended))
    }
}

/// `Response::sendfile()`
pub fn sendfile(call: &Call<'_>, given: given::Sendfile<'_>) -> Result<Returned, Failure> {
    let not_negative = |argument, number| u64::try_from(number).map_err(|_| negative(argument));
    let name = given.filename.to_text();
    if name.as_bytes().contains(&0) {
        return Err(Failure::Value(1, "must not contain any null bytes".into()));
    }
    let (offset, length) = (not_negative(2, given.offset)?, not_negative(3, given.length)?);
    check_owner()?;
    check_client()?;
    // SAFETY: as in `write`.
    if !unsafe { (*call.this::<Response>()).state.outgoing.is_open() } {
        return Ok(Returned::Bool(false));
    }
    // SAFETY: PHP strings end with a NUL. The engine warns by itself.
    if unsafe { php_check_open_basedir(name.c_str()) } != 0 {
        return Ok(Returned::Bool(false));
    }
    let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
    let file = match open_file(path, offset, length) {
        Ok(file) => file,
        Err(error) => {
            warn(&format!("{} cannot be sent: {}", path.display(), reason(&error)));
            return Ok(Returned::Bool(false));
        }
    };
    // SAFETY: as in `write`.
    let outgoing = unsafe { &mut (*call.this::<Response>()).state.outgoing };
    outgoing.send_file(file).map(Returned::Bool)
}

/// Ends the handler if its client has left and it is not to go on without.
pub(super) fn check_client() -> Result<(), Failure> {
    if client::end_if_left() { Err(Failure::Pending) } else { Ok(()) }
}

fn negative(argument: u32) -> Failure {
    Failure::Value(argument, "must be greater than or equal to 0".into())
}

fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_owned(),
        None => error.to_string(),
    }
}

fn open_file(path: &Path, offset: u64, length: u64) -> io::Result<SentFile> {
    // A FIFO without a writer must not block the worker: it is refused below.
    let file: File = OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let left = metadata.len().checked_sub(offset);
    let left = left.ok_or_else(|| io::Error::other("the offset is beyond its end"))?;
    let len = match length {
        0 => left,
        length if length <= left => length,
        _ => return Err(io::Error::other("it has less than the length behind the offset")),
    };
    // A part that the handler has chosen is no answer to what the client has asked for.
    let facts = (offset == 0 && length == 0).then(|| FileFacts {
        len,
        modified: metadata
            .mtime()
            .saturating_mul(1_000_000_000)
            .saturating_add(metadata.mtime_nsec()),
        inode: metadata.ino(),
    });
    Ok(SentFile {
        slice: FileSlice::new(file.into(), offset, len),
        facts,
        media_type: media_type(path.as_os_str().as_bytes()),
    })
}

const NONBLOCK: i32 = nix::fcntl::OFlag::O_NONBLOCK.bits();
