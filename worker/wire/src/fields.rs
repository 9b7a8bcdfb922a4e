//! [`Fields`]: header and trailer fields in one block of memory.

use bincode::{BorrowDecode, Encode};
use bytes::{Bytes, BytesMut};

/// Field lines in the order of the message. Names are lower-case. All text lies in one block, so
/// that a message of 15 fields costs two allocations and is copied as one piece.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    block: Bytes,
    spans: Vec<FieldSpan>,
}

/// Where a field line lies in the block. Both lengths fit because the block is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub struct FieldSpan {
    /// Offset of the name.
    pub name: u32,
    /// Length of the name.
    pub name_len: u16,
    /// Offset of the value.
    pub value: u32,
    /// Length of the value.
    pub value_len: u32,
}

impl FieldSpan {
    fn within(self, block_len: usize) -> bool {
        let name_end = u64::from(self.name) + u64::from(self.name_len);
        let value_end = u64::from(self.value) + u64::from(self.value_len);
        name_end <= block_len as u64 && value_end <= block_len as u64
    }
}

impl Fields {
    /// Fields over a block. `None` when a span points outside of it.
    pub fn from_block(block: Bytes, spans: Vec<FieldSpan>) -> Option<Self> {
        spans.iter().all(|span| span.within(block.len())).then_some(Self { block, spans })
    }

    /// Number of field lines.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no field line.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Name and value of each line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + '_ {
        self.spans.iter().map(|span| {
            let (name, value) = (span.name as usize, span.value as usize);
            (
                &self.block[name..name + span.name_len as usize],
                &self.block[value..value + span.value_len as usize],
            )
        })
    }

    /// The first value of `name` (lower-case).
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The first value of each of these names (lower-case), without a copy.
    pub fn get_bytes<const N: usize>(&self, names: [&[u8]; N]) -> [Option<Bytes>; N] {
        let mut values = [const { None }; N];
        for (name, value) in self.iter() {
            for (wanted, place) in names.iter().zip(&mut values) {
                if name == *wanted && place.is_none() {
                    *place = Some(self.block.slice_ref(value));
                }
            }
        }
        values
    }

    /// Every value of `name` (lower-case), in order.
    pub fn get_all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.iter().filter(move |(n, _)| *n == name).map(|(_, value)| value)
    }

    /// Gives the first line of `name` (lower-case) another value, or appends one. Copies the text.
    /// Returns whether the lines still fit a block, and changes nothing if not.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> bool {
        let at = self.block.len();
        let value_at = at + name.len();
        let (Ok(_), Ok(name_len)) =
            (u32::try_from(value_at + value.len()), u16::try_from(name.len()))
        else {
            return false;
        };
        let span = FieldSpan {
            name: at as u32,
            name_len,
            value: value_at as u32,
            value_len: value.len() as u32,
        };
        let found = self.iter().position(|(known, _)| known == name);
        let mut block = Vec::with_capacity(value_at + value.len());
        for text in [&self.block, name, value] {
            block.extend_from_slice(text);
        }
        self.block = block.into();
        match found {
            Some(index) => self.spans[index] = span,
            None => self.spans.push(span),
        }
        true
    }

    pub(crate) fn block(&self) -> &Bytes {
        &self.block
    }

    pub(crate) fn spans(&self) -> &[FieldSpan] {
        &self.spans
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

impl Eq for Fields {}

impl<'a> FromIterator<(&'a [u8], &'a [u8])> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'a [u8], &'a [u8])>>(lines: I) -> Self {
        let mut builder = FieldsBuilder::default();
        for (name, value) in lines {
            builder.push(name, value);
        }
        builder.build()
    }
}

/// Collects [`Fields`] line by line.
#[derive(Debug, Default)]
pub struct FieldsBuilder {
    block: BytesMut,
    spans: Vec<FieldSpan>,
}

impl FieldsBuilder {
    /// Room for `lines` lines and `bytes` bytes of text.
    pub fn with_capacity(lines: usize, bytes: usize) -> Self {
        Self { block: BytesMut::with_capacity(bytes), spans: Vec::with_capacity(lines) }
    }

    /// Appends a line; the name is stored in lower case. The caller has bounded the text: names
    /// below 64 KiB and all text below 4 GiB.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        debug_assert!(name.len() <= usize::from(u16::MAX));
        let at = self.block.len();
        self.block.extend_from_slice(name);
        self.block[at..].make_ascii_lowercase();
        let value_at = self.block.len();
        self.block.extend_from_slice(value);
        self.spans.push(FieldSpan {
            name: at as u32,
            name_len: name.len() as u16,
            value: value_at as u32,
            value_len: value.len() as u32,
        });
    }

    /// The collected fields.
    pub fn build(self) -> Fields {
        Fields { block: self.block.freeze(), spans: self.spans }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_order_and_repeat() {
        let fields: Fields =
            [(&b"Accept"[..], &b"a"[..]), (b"X", b""), (b"accept", b"b")].into_iter().collect();
        assert_eq!(fields.get(b"accept"), Some(&b"a"[..]));
        assert_eq!(fields.get_all(b"accept").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(fields.get(b"x"), Some(&b""[..]));
        assert_eq!(fields.get(b"none"), None);
    }

    #[test]
    fn a_line_gets_another_value() {
        let mut fields: Fields =
            [(&b"host"[..], &b"a"[..]), (b"x", b"1"), (b"x", b"2")].into_iter().collect();
        assert!(
            fields.set(b"x", b"") && fields.set(b"host", b"long.example") && fields.set(b"y", b"3")
        );
        let lines: Vec<_> = fields.iter().collect();
        let expected = [("host", "long.example"), ("x", ""), ("x", "2"), ("y", "3")]
            .map(|(n, v)| (n.as_bytes(), v.as_bytes()));
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_span_outside_the_block_is_refused() {
        let span = FieldSpan { name: 0, name_len: 2, value: u32::MAX, value_len: 2 };
        assert!(Fields::from_block(Bytes::from_static(b"abcd"), vec![span]).is_none());
    }
}
