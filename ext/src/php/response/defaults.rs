//! What holds for a response whose handler says nothing: its type, and whether it has content.

use http::StatusCode;
use reactor::protocol::message::is_field_text;

use crate::engine::zend::globals::with_default_content_type;

/// Whether a response with this status has content (RFC 9110, 6.4.1 and 15.3.6).
pub(super) fn status_has_content(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// As PHP has it: `default_charset` goes with text only. Empty when the setting is.
pub(super) fn default_type() -> Vec<u8> {
    with_default_content_type(|media_type, charset| {
        let is_text = media_type.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"text/"));
        let value = if is_text && !charset.is_empty() {
            [media_type, b"; charset=", charset].concat()
        } else {
            media_type.to_vec()
        };
        // An INI setting may hold anything.
        if is_field_text(&value) { value } else { Vec::new() }
    })
}
