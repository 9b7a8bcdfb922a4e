//! [`RequestIds`]: the names by which what is told of one request in several places is found together, and
//! [`about`], by which lines of the log have them.

use std::cell::RefCell;
use std::fmt;

use bincode::{BorrowDecode, Encode};
use bytes::Bytes;

use crate::alphabet::alphabet;
use crate::hex;
use crate::limits::REQUEST_ID_BYTES_MAX;

/// The id of a request: 1 to [`REQUEST_ID_BYTES_MAX`] letters, digits and characters that mean nothing in a
/// field, in a line of a log or in a shell.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(IdText);

/// One of the length of a UUID, as the reactor makes them and most proxies too, costs no allocation.
#[derive(Clone, PartialEq, Eq)]
enum IdText {
    Uuid([u8; UUID_BYTES]),
    Other(Bytes),
}

/// Bytes of a UUID as text (RFC 9562, 4).
const UUID_BYTES: usize = 36;

impl RequestId {
    /// The text as an id; `None` when it may not be one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let fits = (1..=REQUEST_ID_BYTES_MAX).contains(&text.len());
        let safe = fits && text.iter().all(|byte| SAFE[usize::from(*byte)]);
        safe.then(|| Self::known(text))
    }

    /// Text that is an id, as somebody has seen who is believed.
    fn known(text: &[u8]) -> Self {
        Self(match text.try_into() {
            Ok(uuid) => IdText::Uuid(uuid),
            Err(_) => IdText::Other(Bytes::copy_from_slice(text)),
        })
    }

    /// A UUID as an id.
    pub fn uuid(bytes: &[u8; 16]) -> Self {
        const DIGITS_AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
        let mut text = [b'-'; UUID_BYTES];
        for (at, byte) in DIGITS_AT.into_iter().zip(bytes) {
            [text[at], text[at + 1]] = hex::pair(*byte);
        }
        Self(IdText::Uuid(text))
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            IdText::Uuid(uuid) => uuid,
            IdText::Other(text) => text,
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Safe characters are ASCII.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// Those of UUIDs, of base 64 in both alphabets, and of what load balancers make (`Root=1-67-ab;Self=..`).
const SAFE: [bool; 256] = alphabet(b"-_.:;=+/@");

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The ids of one request. Empty where nobody wants any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestIds {
    /// The id of the request.
    pub request: Option<RequestId>,
    /// The trace that it is part of.
    pub trace: Option<TraceId>,
}

/// The id of a trace (W3C Trace Context, 3.2.2.3).
pub type TraceId = [u8; 16];

impl RequestIds {
    /// None.
    pub const NONE: Self = Self { request: None, trace: None };

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.request.is_none() && self.trace.is_none()
    }
}

/// As they cross a link, within a head.
#[derive(Encode, BorrowDecode)]
pub(crate) struct RequestIdsFrame<'a> {
    request: Option<&'a [u8]>,
    trace: Option<TraceId>,
}

impl<'a> From<&'a RequestIds> for RequestIdsFrame<'a> {
    fn from(ids: &'a RequestIds) -> Self {
        Self { request: ids.request.as_ref().map(RequestId::as_bytes), trace: ids.trace }
    }
}

impl RequestIdsFrame<'_> {
    /// The ids: those of the reactor, which has looked at them.
    pub(crate) fn into_ids(self) -> RequestIds {
        RequestIds { request: self.request.map(RequestId::known), trace: self.trace }
    }
}

thread_local! {
    /// Whom lines of this thread are about.
    static CURRENT: RefCell<RequestIds> = const { RefCell::new(RequestIds::NONE) };
}

/// Lines that this thread logs are about the request with these ids, until what is returned is dropped.
/// Without ids nothing changes.
#[must_use]
pub fn about(ids: &RequestIds) -> About {
    match ids.is_empty() {
        true => About(None),
        false => About(Some(CURRENT.replace(ids.clone()))),
    }
}

/// The ids that lines of this thread have.
pub fn current() -> RequestIds {
    CURRENT.with_borrow(Clone::clone)
}

/// See [`about`].
#[derive(Debug)]
pub struct About(Option<RequestIds>);

impl Drop for About {
    fn drop(&mut self) {
        if let Some(former) = self.0.take() {
            CURRENT.set(former);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Option<RequestId> {
        RequestId::parse(text.as_bytes())
    }

    #[test]
    fn only_what_is_safe_everywhere_is_an_id() {
        let most = "x".repeat(REQUEST_ID_BYTES_MAX);
        for text in ["a", "0198f3c2-7d1e-7000-8000-0123456789ab", "Root=1-67-ab;Self=1", &most] {
            assert_eq!(id(text).expect(text).as_str(), text);
        }
        let more = "x".repeat(REQUEST_ID_BYTES_MAX + 1);
        let bad = [
            "",
            " a",
            "a b",
            "a\r\nX: y",
            "a\x1b[0m",
            "a\"",
            "a'",
            "<a>",
            "a,b",
            "ü",
            "a\0",
            "$(a)",
        ];
        for text in bad.into_iter().chain([&more[..]]) {
            assert_eq!(id(text), None, "{text:?}");
        }
    }

    #[test]
    fn lines_are_about_the_innermost_request() {
        let ids = |text| RequestIds { request: id(text), trace: None };
        assert_eq!(current(), RequestIds::NONE);
        let outer = about(&ids("outer"));
        {
            let _inner = about(&ids("inner"));
            let _none = about(&RequestIds::NONE);
            assert_eq!(current(), ids("inner"));
        }
        assert_eq!(current(), ids("outer"));
        drop(outer);
        assert_eq!(current(), RequestIds::NONE);
        let traced = RequestIds { request: None, trace: Some([7; 16]) };
        let _traced = about(&traced);
        assert_eq!(current(), traced, "a trace is enough");
    }
}
