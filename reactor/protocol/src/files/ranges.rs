//! `Range` (RFC 9110, 14): from what the client asks for to ranges that are there.

use std::num::NonZeroUsize;

use http_range_header::{
    RangeUnsatisfiableError, SyntacticallyCorrectRange, parse_range_header_with_max_ranges,
};
use wire::limits::{FILE_RANGE_GAP_BYTES, FILE_RANGES_MAX};

/// A range that lies within the file. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// First byte.
    pub first: u64,
    /// Last byte.
    pub last: u64,
}

impl ByteRange {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.last - self.first + 1
    }

    /// The value of `Content-Range` (RFC 9110, 14.4) in a file of this length.
    pub fn content_range(&self, file_len: u64) -> String {
        format!("bytes {}-{}/{file_len}", self.first, self.last)
    }

    /// Both as one, if they overlap, or so little is between them that two parts would be longer.
    fn joined(self, other: Self) -> Option<Self> {
        let gap = |before: Self, behind: Self| behind.first.saturating_sub(before.last);
        let near =
            gap(self, other) <= FILE_RANGE_GAP_BYTES && gap(other, self) <= FILE_RANGE_GAP_BYTES;
        near.then(|| Self { first: self.first.min(other.first), last: self.last.max(other.last) })
    }
}

/// What is sent of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it: what was asked for is no range, or too many of them.
    Whole,
    /// One range.
    One(ByteRange),
    /// Several, at most [`FILE_RANGES_MAX`], none of which overlap.
    Many(Vec<ByteRange>),
    /// None of the ranges is there.
    Unsatisfiable,
}

/// What a `Range` field selects of a file of this length. A field that is malformed is ignored (14.2), as
/// is one with more than [`FILE_RANGES_MAX`] ranges. Ranges that overlap or nearly touch become one
/// (15.3.7.2), so that the ranges together are never longer than the file.
pub fn select(field: &[u8], len: u64) -> Selection {
    const RANGES_MAX: NonZeroUsize = NonZeroUsize::new(FILE_RANGES_MAX).expect("more than none");
    let Ok(field) = std::str::from_utf8(field) else { return Selection::Whole };
    let parsed = match parse_range_header_with_max_ranges(field, RANGES_MAX) {
        Ok(parsed) => parsed.into_ranges(),
        Err(RangeUnsatisfiableError::Unsatisfiable) => return Selection::Unsatisfiable,
        Err(_) => return Selection::Whole,
    };
    let suffix_of_nothing =
        |range| matches!(range, &SyntacticallyCorrectRange::FromLast(1..)) && len == 0;
    if parsed.iter().any(suffix_of_nothing) {
        // It is satisfiable (14.1.2), but there is no `Content-Range` for it.
        return Selection::Whole;
    }
    let mut ranges: Vec<ByteRange> = Vec::new();
    for range in parsed.into_iter().filter_map(|range| within(range, len)) {
        add(&mut ranges, range);
    }
    match ranges[..] {
        [] => Selection::Unsatisfiable,
        [one] => Selection::One(one),
        _ => Selection::Many(ranges),
    }
}

fn within(range: SyntacticallyCorrectRange, len: u64) -> Option<ByteRange> {
    let end = len.checked_sub(1)?;
    let (first, last) = match range {
        SyntacticallyCorrectRange::FromStart(first) => (first, end),
        SyntacticallyCorrectRange::FromLast(0) => return None,
        SyntacticallyCorrectRange::FromLast(count) => (len.saturating_sub(count), end),
        SyntacticallyCorrectRange::Indexed(first, last) => (first, last.min(end)),
    };
    (first <= last).then_some(ByteRange { first, last })
}

/// Adds a range, in the place of the first one that it joins.
fn add(ranges: &mut Vec<ByteRange>, mut range: ByteRange) {
    let mut place = ranges.len();
    // What it grows to may join others.
    while let Some(at) = ranges.iter().position(|other| other.joined(range).is_some()) {
        let other = ranges.remove(at);
        range = other.joined(range).unwrap_or(other);
        place = place.min(at);
    }
    ranges.insert(place.min(ranges.len()), range);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(field: &str, len: u64) -> Vec<(u64, u64)> {
        match select(field.as_bytes(), len) {
            Selection::One(range) => vec![(range.first, range.last)],
            Selection::Many(ranges) => ranges.iter().map(|r| (r.first, r.last)).collect(),
            other => panic!("{field}: {other:?}"),
        }
    }

    #[test]
    fn ranges_that_are_there() {
        for (field, wanted) in [
            ("bytes=0-0", &[(0, 0)][..]),
            ("BYTES=0-0", &[(0, 0)]),
            ("bytes=9000-", &[(9000, 9999)]),
            ("bytes=-500", &[(9500, 9999)]),
            ("bytes=-20000", &[(0, 9999)]),
            ("bytes=5-99999999999999999999999", &[(5, 9999)]),
            ("bytes=0-9,500-599", &[(0, 9), (500, 599)]),
            ("bytes=500-599,0-9", &[(500, 599), (0, 9)]),
            ("bytes=0-9,20000-,500-599", &[(0, 9), (500, 599)]),
            ("bytes=0-9, 20000-", &[(0, 9)]),
            // Overlapping, touching, and nearly touching ones become one.
            ("bytes=0-99,50-199", &[(0, 199)]),
            ("bytes=0-,0-,0-,0-", &[(0, 9999)]),
            ("bytes=0-99,100-199", &[(0, 199)]),
            ("bytes=0-99,150-199", &[(0, 199)]),
            ("bytes=0-9,500-599,8000-8999,10-520", &[(0, 599), (8000, 8999)]),
        ] {
            assert_eq!(ranges(field, 10_000), wanted, "{field}");
        }
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for field in [
            "",
            "bytes",
            "bytes=",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=-",
            "bytes=1",
            "bytes=0-1,x",
            "lines=0-5",
            "bytes 0-5",
            "bytes=-1-5",
            "bytes=+1-5",
            "bytes=0x1-5",
            "bytes=0--1",
            "\u{e9}",
        ] {
            assert_eq!(select(field.as_bytes(), 100), Selection::Whole, "{field}");
        }
        assert_eq!(select(b"bytes=\xff-", 100), Selection::Whole);
        assert_eq!(select(b"bytes=-5", 0), Selection::Whole);
    }

    #[test]
    fn what_is_not_there_is_unsatisfiable() {
        for (field, len) in
            [("bytes=100-", 100), ("bytes=100-200,500-", 100), ("bytes=-0", 100), ("bytes=0-", 0)]
        {
            assert_eq!(select(field.as_bytes(), len), Selection::Unsatisfiable, "{field} of {len}");
        }
    }

    #[test]
    fn the_number_of_ranges_is_bounded() {
        let field = |count| {
            let ranges: Vec<_> = (0..count).map(|n| format!("{0}-{0}", n * 1000)).collect();
            format!("bytes={}", ranges.join(","))
        };
        assert_eq!(ranges(&field(FILE_RANGES_MAX), 1 << 40).len(), FILE_RANGES_MAX);
        let more = field(FILE_RANGES_MAX + 1);
        assert_eq!(select(more.as_bytes(), 1 << 40), Selection::Whole);
        assert_eq!(select(field(1_000_000).as_bytes(), 1 << 40), Selection::Whole);
        assert_eq!(select("bytes=".repeat(1_000_000).as_bytes(), 1 << 40), Selection::Whole);
        assert_eq!(
            select(format!("bytes={}", ",".repeat(1_000_000)).as_bytes(), 100),
            Selection::Whole
        );
    }

    proptest! {
        #[test]
        fn ranges_lie_within_the_file_and_apart(
            len in 0u64..5000,
            specs in prop::collection::vec((0u64..6000, prop::option::of(0u64..6000)), 1..20),
        ) {
            let specs: Vec<_> = specs
                .iter()
                .map(|(first, len)| match len {
                    Some(len) => format!("{first}-{}", first + len),
                    None => format!("{first}-"),
                })
                .collect();
            let field = format!("bytes={}", specs.join(","));
            if let Selection::Many(ranges) = select(field.as_bytes(), len) {
                prop_assert!(ranges.len() <= FILE_RANGES_MAX);
                prop_assert!(ranges.iter().map(ByteRange::len).sum::<u64>() <= len);
                for (at, one) in ranges.iter().enumerate() {
                    prop_assert!(one.last < len);
                    prop_assert!(ranges[..at].iter().all(|other| other.joined(*one).is_none()));
                }
            }
        }
    }
}
