//! What frames are made of (RFC 9114, 7): numbers, and a header of two of them.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Content.
pub const DATA: u64 = 0x0;
/// A field section.
pub const HEADERS: u64 = 0x1;
/// A push is not wanted.
pub const CANCEL_PUSH: u64 = 0x3;
/// What the sender can take.
pub const SETTINGS: u64 = 0x4;
/// A push is to come.
pub const PUSH_PROMISE: u64 = 0x5;
/// Streams, or pushes, are to come no more.
pub const GOAWAY: u64 = 0x7;
/// How many pushes may come.
pub const MAX_PUSH_ID: u64 = 0xd;
/// How urgent a response is (RFC 9218, 7.2).
pub const PRIORITY_UPDATE: u64 = 0xf0700;
/// How urgent a push is.
pub const PRIORITY_UPDATE_PUSH: u64 = 0xf0701;

/// The largest number there is (RFC 9000, 16).
pub const NUMBER_MAX: u64 = (1 << 62) - 1;

/// Whether the type is one that HTTP/2 had and HTTP/3 must not have (RFC 9114, 11.2.1).
pub fn is_http2(kind: u64) -> bool {
    matches!(kind, 0x2 | 0x6 | 0x8 | 0x9)
}

/// A number (RFC 9000, 16) that may arrive in pieces.
#[derive(Debug, Default, Clone, Copy)]
pub struct PartialVarint {
    value: u64,
    /// Bytes that are missing, once the first was there.
    missing: Option<u8>,
}

impl PartialVarint {
    /// Takes the bytes of a number from the front. `None`: there were not enough.
    pub fn take(&mut self, from: &mut Bytes) -> Option<u64> {
        while self.missing != Some(0) {
            let byte = from.first().copied()?;
            from.advance(1);
            match &mut self.missing {
                None => {
                    self.value = u64::from(byte & 0x3f);
                    self.missing = Some((1 << (byte >> 6)) - 1);
                }
                Some(missing) => {
                    self.value = self.value << 8 | u64::from(byte);
                    *missing -= 1;
                }
            }
        }
        self.missing = None;
        Some(self.value)
    }

    /// Whether a part of it was there.
    pub fn is_begun(&self) -> bool {
        self.missing.is_some()
    }
}

/// The header of a frame, which may arrive in pieces.
#[derive(Debug, Default, Clone, Copy)]
pub struct FrameHeader {
    kind: Option<u64>,
    number: PartialVarint,
}

impl FrameHeader {
    /// Takes a header from the front: the type, and how long the payload is. `None`: there was not
    /// enough.
    pub fn take(&mut self, from: &mut Bytes) -> Option<(u64, u64)> {
        let kind = match self.kind {
            Some(kind) => kind,
            None => *self.kind.insert(self.number.take(from)?),
        };
        let len = self.number.take(from)?;
        self.kind = None;
        Some((kind, len))
    }

    /// Whether a part of it was there.
    pub fn is_begun(&self) -> bool {
        self.kind.is_some() || self.number.is_begun()
    }
}

/// A payload that is wanted as a whole, and may arrive in pieces.
#[derive(Debug)]
pub struct Payload {
    so_far: BytesMut,
    left: u64,
}

impl Payload {
    /// One of so many bytes, which the caller bounds.
    pub fn new(len: u64) -> Self {
        Self { so_far: BytesMut::new(), left: len }
    }

    /// Takes what is there from the front. `None`: some of it is missing.
    pub fn take(&mut self, from: &mut Bytes) -> Option<Bytes> {
        let piece = split(&mut self.left, from);
        if self.left == 0 && self.so_far.is_empty() {
            return Some(piece);
        }
        self.so_far.extend_from_slice(&piece);
        (self.left == 0).then(|| std::mem::take(&mut self.so_far).freeze())
    }
}

/// Bytes that are skipped as they come: those that are missing still.
pub fn skip(left: u64, from: &mut Bytes) -> u64 {
    let here = left.min(from.len() as u64);
    // Not more than there are.
    from.advance(here as usize);
    left - here
}

/// Takes so much of the front as is there: at most what is missing.
pub fn split(left: &mut u64, from: &mut Bytes) -> Bytes {
    let here = (*left).min(from.len() as u64);
    *left -= here;
    from.split_to(here as usize)
}

/// Writes a number in as few bytes as it takes. What is larger than any number is cut to the
/// largest.
pub fn put_number(out: &mut BytesMut, number: u64) {
    let number = number.min(NUMBER_MAX);
    match number {
        0..0x40 => out.put_u8(number as u8),
        0x40..0x4000 => out.put_u16(number as u16 | 1 << 14),
        0x4000..0x4000_0000 => out.put_u32(number as u32 | 2 << 30),
        _ => out.put_u64(number | 3 << 62),
    }
}

/// A frame that holds numbers and nothing else.
pub fn put_numbers(out: &mut BytesMut, kind: u64, numbers: &[u64]) {
    let mut payload = BytesMut::with_capacity(8 * numbers.len());
    for number in numbers {
        put_number(&mut payload, *number);
    }
    put_number(out, kind);
    put_number(out, payload.len() as u64);
    out.put_slice(&payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9000, A.1, and the edges of each length.
    const NUMBERS: &[(u64, &[u8])] = &[
        (0, &[0]),
        (37, &[0x25]),
        (63, &[0x3f]),
        (64, &[0x40, 0x40]),
        (15_293, &[0x7b, 0xbd]),
        (16_383, &[0x7f, 0xff]),
        (16_384, &[0x80, 0, 0x40, 0]),
        (494_878_333, &[0x9d, 0x7f, 0x3e, 0x7d]),
        (1 << 30, &[0xc0, 0, 0, 0, 0x40, 0, 0, 0]),
        (151_288_809_941_952_652, &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]),
        (NUMBER_MAX, &[0xff; 8]),
    ];

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (number, bytes) in NUMBERS {
            let mut out = BytesMut::new();
            put_number(&mut out, *number);
            assert_eq!(&out[..], *bytes, "{number}");
        }
        let mut out = BytesMut::new();
        put_number(&mut out, u64::MAX);
        assert_eq!(out[..], [0xff; 8]);
    }

    #[test]
    fn numbers_arrive_in_pieces() {
        for (number, bytes) in NUMBERS.iter().chain([&(37, &[0x40, 0x25][..])]) {
            let mut reader = PartialVarint::default();
            for byte in &bytes[..bytes.len() - 1] {
                assert_eq!(reader.take(&mut Bytes::copy_from_slice(&[*byte])), None);
                assert!(reader.is_begun());
            }
            let mut rest = Bytes::copy_from_slice(&[bytes[bytes.len() - 1], 7]);
            assert_eq!(reader.take(&mut rest), Some(*number));
            assert!(!reader.is_begun());
            assert_eq!(rest[..], [7]);
        }
    }

    #[test]
    fn headers_arrive_in_pieces() {
        let bytes = [0x80, 0x0f, 0x07, 0x00, 0x40, 0x41];
        for cut in 0..bytes.len() {
            let mut header = FrameHeader::default();
            assert_eq!(header.take(&mut Bytes::copy_from_slice(&bytes[..cut])), None);
            assert_eq!(header.is_begun(), cut > 0);
            let rest = header.take(&mut Bytes::copy_from_slice(&bytes[cut..]));
            assert_eq!(rest, Some((PRIORITY_UPDATE, 0x41)));
            assert!(!header.is_begun());
        }
    }

    #[test]
    fn payloads_arrive_in_pieces() {
        for piece in 1..6 {
            let mut payload = Payload::new(5);
            let mut taken = Vec::new();
            for piece in b"12345".chunks(piece) {
                let mut piece = Bytes::copy_from_slice(piece);
                taken.push(payload.take(&mut piece));
                assert!(piece.is_empty());
            }
            assert_eq!(taken.pop(), Some(Some(Bytes::from_static(b"12345"))), "{piece}");
            assert!(taken.iter().all(Option::is_none));
        }
        let mut rest = Bytes::from_static(b"67");
        assert_eq!(Payload::new(0).take(&mut rest), Some(Bytes::new()));
        assert_eq!(Payload::new(1).take(&mut rest), Some(Bytes::from_static(b"6")));
        assert_eq!(rest[..], *b"7");
    }

    #[test]
    fn frames_of_numbers() {
        let mut out = BytesMut::new();
        put_numbers(&mut out, SETTINGS, &[6, 16_384]);
        assert_eq!(out[..], [4, 5, 6, 0x80, 0, 0x40, 0]);
    }
}
