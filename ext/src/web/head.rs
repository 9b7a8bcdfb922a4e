//! The head of a response, from what `header()`, `http_response_code()` and their like have set.

use std::ffi::CStr;

use bytes::Bytes;
use config::log_limit::{LimitedEvent, limited_with};
use ext_php_rs::ffi::sapi_headers_struct;
use http::StatusCode;
use log::Level;
use reactor::protocol::message::{content_length, is_field_text, is_token};
use wire::limits::RESPONSE_HEAD_BYTES_MAX;
use wire::{BodyLength, FieldsBuilder, ResponseHead};

use super::zend::header_lines;

/// A head whose length is not known yet.
#[derive(Debug)]
pub struct HeadBuilder {
    /// The status code; 200 at least.
    pub status: StatusCode,
    reason: Option<Bytes>,
    lines: FieldsBuilder,
    /// What the script has said about the length.
    declared: Option<u64>,
}

impl HeadBuilder {
    /// What PHP has at the moment of sending.
    ///
    /// # Safety
    ///
    /// `headers` points to the SAPI's headers.
    pub unsafe fn of(headers: *const sapi_headers_struct) -> Self {
        // SAFETY: the caller's promise; the line is null or a C string.
        let (code, line) = unsafe {
            let line = (*headers).http_status_line;
            let line = (!line.is_null()).then(|| CStr::from_ptr(line).to_bytes());
            ((*headers).http_response_code, line)
        };
        let mut head = Self {
            status: final_status(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            reason: line.and_then(|line| reason(line, code)),
            lines: FieldsBuilder::with_capacity(8, 256),
            declared: None,
        };
        let mut bytes = 0;
        // SAFETY: the caller's promise.
        for line in unsafe { header_lines(headers) } {
            bytes += line.len();
            if bytes > RESPONSE_HEAD_BYTES_MAX {
                left_out(line, "the fields of the response have more bytes than there can be");
                break;
            }
            head.take(line);
        }
        head
    }

    fn take(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return left_out(line, "there is no colon in it");
        };
        let (name, value) = (line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii());
        if !is_token(name) || name.len() > usize::from(u16::MAX) || !is_field_text(value) {
            return left_out(line, "it is no field of a response");
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            match content_length(value) {
                Some(length) => self.declared = Some(length),
                None => left_out(line, "its value is no number"),
            }
        } else if name.eq_ignore_ascii_case(b"status") {
            // As in CGI (RFC 3875, 6.3.3).
            let code = value.get(..3).and_then(|code| std::str::from_utf8(code).ok());
            if let Some(status) = code.and_then(|code| final_status(code.parse().ok()?)) {
                self.status = status;
                self.reason =
                    value.get(4..).filter(|text| !text.is_empty()).map(Bytes::copy_from_slice);
            }
        } else if !(value.is_empty() && name.eq_ignore_ascii_case(b"content-type")) {
            // `header('Content-Type:')` asks for none.
            self.lines.push(name, value);
        }
    }

    /// What the script has said about the length.
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Whether content belongs to it.
    pub fn has_content(&self) -> bool {
        status_has_content(self.status)
    }

    /// The head of content that is all there, in place of whatever the script has said about its length.
    pub fn complete(self, len: u64) -> ResponseHead {
        self.build(BodyLength::Known(len))
    }

    /// The head of content that is still to come, or, to HEAD, of content that is not made.
    pub fn streamed(mut self) -> ResponseHead {
        if let Some(length) = self.declared {
            self.lines.push(b"content-length", length.to_string().as_bytes());
        }
        self.build(BodyLength::Streamed)
    }

    fn build(self, length: BodyLength) -> ResponseHead {
        let Self { status, reason, lines, .. } = self;
        ResponseHead { status, reason, length, fields: lines.build(), id_field: None }
    }
}

/// Whether content belongs to a response with this status (RFC 9110, 15.3.5, 15.3.6 and 15.4.5).
pub(super) fn status_has_content(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

fn final_status(code: i32) -> Option<StatusCode> {
    let status = StatusCode::from_u16(u16::try_from(code).ok()?).ok()?;
    (!status.is_informational()).then_some(status)
}

/// The phrase of a status line such as `HTTP/1.1 404 Nothing here`, if that is still the status:
/// `http_response_code()` leaves the line as it was.
fn reason(line: &[u8], code: i32) -> Option<Bytes> {
    let mut parts = line.splitn(3, |byte| *byte == b' ').skip(1);
    let of_line = std::str::from_utf8(parts.next()?).ok()?.parse();
    let phrase = parts.next()?.trim_ascii();
    (of_line == Ok(code) && !phrase.is_empty() && is_field_text(phrase))
        .then(|| Bytes::copy_from_slice(phrase))
}

/// Clients may bring it about.
fn left_out(line: &[u8], why: &str) {
    let shown = line[..line.len().min(100)].escape_ascii().to_string();
    let line = format_args!("the header \"{shown}\" is not sent: {why}");
    limited_with(LimitedEvent::Handler, Level::Warn, &[("reason", "header".into())], line);
}
