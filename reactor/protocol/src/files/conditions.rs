//! Conditional requests (RFC 9110, 13).

use std::time::UNIX_EPOCH;

use wire::Fields;

/// The validators of the representation that is there now (RFC 9110, 8.8).
#[derive(Debug, Clone, Copy)]
pub struct Validators<'a> {
    /// Its entity tag, as `ETag` has it.
    pub etag: &'a [u8],
    /// When it was last modified, in seconds since 1970-01-01 UTC; `None`: nobody knows.
    pub last_modified: Option<u64>,
    /// Whether that time tells this representation from any other.
    pub is_date_strong: bool,
}

/// What the conditions of a GET or HEAD come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// The representation is sent.
    Send {
        /// Whether `Range` counts.
        ranges: bool,
    },
    /// 304: the client has it.
    NotModified,
    /// 412: it is not what the client has asked for.
    Failed,
}

/// Evaluates the conditions of a GET or HEAD, in their order of precedence (RFC 9110, 13.2.2).
pub fn evaluate(request: &Fields, current: &Validators<'_>) -> Precondition {
    let holds = match list(request, b"if-match") {
        Some(tags) => is_any(&tags) || any_tag(&tags, |tag| strongly_equal(tag, current.etag)),
        None => match single_date(request, b"if-unmodified-since") {
            Some(date) => current.last_modified.is_none_or(|modified| modified <= date),
            None => true,
        },
    };
    if !holds {
        return Precondition::Failed;
    }
    let has_it = match list(request, b"if-none-match") {
        Some(tags) => is_any(&tags) || any_tag(&tags, |tag| weakly_equal(tag, current.etag)),
        None => match single_date(request, b"if-modified-since") {
            Some(date) => current.last_modified.is_some_and(|modified| modified <= date),
            None => false,
        },
    };
    if has_it {
        return Precondition::NotModified;
    }
    Precondition::Send {
        ranges: request.get(b"if-range").is_none_or(|value| if_range(value, current)),
    }
}

/// Whether the representation is the one that the client has a part of (RFC 9110, 13.1.5).
fn if_range(value: &[u8], current: &Validators<'_>) -> bool {
    let value = value.trim_ascii();
    if value.starts_with(b"\"") || value.starts_with(b"W/") {
        return strongly_equal(value, current.etag);
    }
    let modified = current.last_modified.filter(|_| current.is_date_strong);
    date(value).is_some_and(|date| modified == Some(date))
}

/// The time that a field names, in seconds since 1970-01-01 UTC; `None` when it names none.
pub fn date(value: &[u8]) -> Option<u64> {
    let time = httpdate::parse_http_date(std::str::from_utf8(value).ok()?.trim()).ok()?;
    Some(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// The field's date; `None` without one, and for what is none (RFC 9110, 13.1.3 and 13.1.4).
fn single_date(request: &Fields, name: &[u8]) -> Option<u64> {
    let mut lines = request.get_all(name);
    let (value, None) = (lines.next()?, lines.next()) else { return None };
    date(value)
}

/// All lines of a field as one list (RFC 9110, 5.3); `None` without any.
fn list(request: &Fields, name: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<_> = request.get_all(name).collect();
    (!lines.is_empty()).then(|| lines.join(&b","[..]))
}

fn is_any(tags: &[u8]) -> bool {
    tags.trim_ascii() == b"*"
}

/// Whether any entity tag of a list is `wanted`. Reading ends where something else comes.
fn any_tag(mut list: &[u8], mut wanted: impl FnMut(&[u8]) -> bool) -> bool {
    loop {
        let start = list.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','));
        list = &list[start.unwrap_or(list.len())..];
        let opening = if list.starts_with(b"W/") { 2 } else { 0 };
        if list.get(opening) != Some(&b'"') {
            return false;
        }
        let text = &list[opening + 1..];
        let Some(end) = text.iter().position(|byte| *byte == b'"') else { return false };
        let (tag, rest) = list.split_at(opening + end + 2);
        if wanted(tag) {
            return true;
        }
        list = rest;
    }
}

/// RFC 9110, 8.8.3.2.
fn strongly_equal(one: &[u8], other: &[u8]) -> bool {
    one == other && one.starts_with(b"\"")
}

fn weakly_equal(one: &[u8], other: &[u8]) -> bool {
    let opaque = |tag: &'_ [u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    opaque(one) == opaque(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Precondition::{Failed, NotModified, Send};

    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn outcome(fields: &[(&str, &str)]) -> Precondition {
        of(fields, b"\"a\"", true)
    }

    fn of(fields: &[(&str, &str)], etag: &[u8], is_date_strong: bool) -> Precondition {
        let lines = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let last_modified = date(SAME.as_bytes());
        evaluate(&lines.collect(), &Validators { etag, last_modified, is_date_strong })
    }

    const SENT: Precondition = Send { ranges: true };

    #[test]
    fn each_condition_by_itself() {
        for (name, value, wanted) in [
            ("if-match", "\"a\"", SENT),
            ("if-match", "*", SENT),
            ("if-match", "\"b\", \"a\"", SENT),
            ("if-match", "\"b,\"a\"", Failed),
            ("if-match", "\"b\"", Failed),
            ("if-match", "W/\"a\"", Failed),
            ("if-match", "a", Failed),
            ("if-match", "", Failed),
            ("if-none-match", "\"a\"", NotModified),
            ("if-none-match", "W/\"a\"", NotModified),
            ("if-none-match", "*", NotModified),
            ("if-none-match", ", \"x\" ,\"a\"", NotModified),
            ("if-none-match", "\"b\"", SENT),
            ("if-none-match", "a", SENT),
            ("if-none-match", "\"a", SENT),
            ("if-modified-since", SAME, NotModified),
            ("if-modified-since", LATER, NotModified),
            ("if-modified-since", EARLIER, SENT),
            ("if-modified-since", "yesterday", SENT),
            ("if-unmodified-since", SAME, SENT),
            ("if-unmodified-since", EARLIER, Failed),
            ("if-unmodified-since", "yesterday", SENT),
            ("if-range", "\"a\"", SENT),
            ("if-range", "W/\"a\"", Send { ranges: false }),
            ("if-range", "\"b\"", Send { ranges: false }),
            ("if-range", SAME, SENT),
            ("if-range", LATER, Send { ranges: false }),
            ("if-range", EARLIER, Send { ranges: false }),
            ("if-range", "a", Send { ranges: false }),
        ] {
            assert_eq!(outcome(&[(name, value)]), wanted, "{name}: {value}");
        }
    }

    #[test]
    fn they_have_an_order() {
        for (fields, wanted) in [
            // If-Match hides If-Unmodified-Since, If-None-Match hides If-Modified-Since.
            (&[("if-match", "\"a\""), ("if-unmodified-since", EARLIER)][..], SENT),
            (&[("if-none-match", "\"b\""), ("if-modified-since", LATER)], SENT),
            (&[("if-none-match", "\"a\""), ("if-modified-since", EARLIER)], NotModified),
            (&[("if-match", "\"b\""), ("if-none-match", "\"a\"")], Failed),
            (&[("if-match", "\"a\""), ("if-none-match", "\"a\"")], NotModified),
            (&[("if-unmodified-since", EARLIER), ("if-none-match", "\"a\"")], Failed),
            (&[("if-none-match", "\"b\""), ("if-none-match", "\"a\"")], NotModified),
            (&[("if-none-match", "\"a\""), ("if-range", "\"b\"")], NotModified),
        ] {
            assert_eq!(outcome(fields), wanted, "{fields:?}");
        }
    }

    #[test]
    fn what_may_still_change_is_compared_weakly() {
        let weak = b"W/\"a\"";
        assert_eq!(of(&[("if-none-match", "\"a\"")], weak, false), NotModified);
        for tag in ["\"a\"", "W/\"a\""] {
            assert_eq!(of(&[("if-match", tag)], weak, false), Failed);
            assert_eq!(of(&[("if-range", tag)], weak, false), Send { ranges: false });
        }
        assert_eq!(of(&[("if-range", SAME)], weak, false), Send { ranges: false });
    }
}
