//! Field sections (RFC 9204), without a dynamic table: one request's fields never wait for another's,
//! and nothing is kept of them.

use bytes::{Buf, Bytes, BytesMut};
use octets::Octets;
use quiche::h3::qpack::{Decoder, Encoder, Error};
use quiche::h3::{Header, NameValue};

use super::frame;

/// Why a field section has no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecodable {
    /// It has more of them than is allowed.
    TooLarge,
    /// It is no field section.
    Malformed,
}

/// Reads a field section. Its fields take at most so many bytes, as RFC 9114, 4.2.2, counts them.
pub fn decode(section: &[u8], bytes_max: u64) -> Result<Vec<Header>, Undecodable> {
    // RFC 9204, 4.5.1: what is in no table was not inserted there, and nothing is before that.
    match section {
        [0, base, ..] if base & 0x80 == 0 => {}
        _ => return Err(Undecodable::Malformed),
    }
    match Decoder::new().decode(section, bytes_max) {
        Ok(list) => Ok(list),
        // `quiche` says that also of Huffman code that cannot be decoded.
        Err(Error::HeaderListTooLarge) if is_well_formed(section) => Err(Undecodable::TooLarge),
        Err(_) => Err(Undecodable::Malformed),
    }
}

/// Whether all of a field section can be decoded, however large its fields are: nothing is kept of
/// them.
fn is_well_formed(section: &[u8]) -> bool {
    let mut rest = Octets::with_slice(section);
    let mut all = number(&mut rest, 8).and_then(|_| number(&mut rest, 7)).map(drop);
    while all.is_some() && rest.cap() > 0 {
        all = line(&mut rest);
    }
    all.is_some()
}

/// Passes over one field line (RFC 9204, 4.5.2 to 4.5.6).
fn line(rest: &mut Octets<'_>) -> Option<()> {
    match rest.peek_u8().ok()? {
        first if first & 0b1100_0000 == 0b1100_0000 => entry(rest, 6),
        first if first & 0b1101_0000 == 0b0101_0000 => {
            entry(rest, 4)?;
            string(rest, 7)
        }
        first if first & 0b1110_0000 == 0b0010_0000 => {
            string(rest, 3)?;
            string(rest, 7)
        }
        // The dynamic table, of which there is none.
        _ => None,
    }
}

/// Passes over the number of an entry of the static table (RFC 9204, 3.1).
fn entry(rest: &mut Octets<'_>, prefix: u32) -> Option<()> {
    const ENTRIES: u64 = 99;
    (number(rest, prefix)? < ENTRIES).then_some(())
}

/// Passes over a text (RFC 9204, 4.1.2).
fn string(rest: &mut Octets<'_>, prefix: u32) -> Option<()> {
    let huffman = rest.peek_u8().ok()? & (1 << prefix) != 0;
    let len = usize::try_from(number(rest, prefix)?).ok()?;
    let mut text = rest.get_bytes(len).ok()?;
    (!huffman || text.get_huffman_decoded().is_ok()).then_some(())
}

/// Reads a number that begins with so many bits of a byte (RFC 7541, 5.1).
fn number(rest: &mut Octets<'_>, prefix: u32) -> Option<u64> {
    let most = (1 << prefix) - 1;
    let mut number = u64::from(rest.get_u8().ok()?) & most;
    if number < most {
        return Some(number);
    }
    for shift in (0..u64::BITS).step_by(7) {
        let byte = rest.get_u8().ok()?;
        number = number.checked_add(u64::from(byte & 0x7f).checked_shl(shift)?)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// How large a field section is (RFC 9114, 4.2.2).
pub fn list_bytes(list: &[Header]) -> u64 {
    list.iter().map(|line| (line.name().len() + line.value().len() + 32) as u64).sum()
}

/// A HEADERS frame with these fields (RFC 9114, 7.2.2).
pub fn encode<T: NameValue>(list: &[T]) -> Option<Bytes> {
    /// Type and length, before the length is known.
    const HEADER_BYTES: usize = 1 + 8;
    /// More than the numbers before a name and a value take, and what Huffman code adds at its end.
    const LINE_BYTES: usize = 32;
    let most: usize =
        list.iter().map(|line| line.name().len() + line.value().len() + LINE_BYTES).sum();
    let mut bytes = BytesMut::zeroed(HEADER_BYTES + 2 + most);
    let len = Encoder::new().encode(list, &mut bytes[HEADER_BYTES..]).ok()?;
    let mut header = BytesMut::with_capacity(HEADER_BYTES);
    frame::put_number(&mut header, frame::HEADERS);
    frame::put_number(&mut header, len as u64);
    let start = HEADER_BYTES - header.len();
    bytes[start..HEADER_BYTES].copy_from_slice(&header);
    bytes.truncate(HEADER_BYTES + len);
    bytes.advance(start);
    Some(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn lines(list: &[Header]) -> Vec<(&[u8], &[u8])> {
        list.iter().map(|line| (line.name(), line.value())).collect()
    }

    /// What a HEADERS frame holds; its length is checked.
    fn payload(frame: &Bytes) -> Bytes {
        let mut rest = frame.clone();
        let (kind, len) = frame::FrameHeader::default().take(&mut rest).unwrap();
        assert_eq!((kind, len), (frame::HEADERS, rest.len() as u64));
        rest
    }

    #[test]
    fn what_is_encoded_can_be_decoded() {
        let odd: Vec<u8> = (0x20..=0xff).filter(|byte| *byte != 0x7f).collect();
        let long = [b'a'; 20_000];
        let values: [&[u8]; 6] = [b"", b"200", b"text/html", &odd, &odd.repeat(200), &long];
        for value in values {
            for name in [&b":status"[..], b"content-type", b"x-unheard-of", b"x", &b"n".repeat(300)]
            {
                let list = [Header::new(name, value), Header::new(b"x", value)];
                let frame = encode(&list).unwrap();
                let decoded = decode(&payload(&frame), u64::MAX).unwrap();
                assert_eq!(lines(&decoded), lines(&list));
            }
        }
        assert_eq!(payload(&encode::<Header>(&[]).unwrap())[..], [0, 0]);
    }

    #[test]
    fn what_is_too_large_is_told_from_what_is_malformed() {
        let section = payload(&encode(&[Header::new(b"name", b"value")]).unwrap());
        assert!(decode(&section, 32 + 4 + 5).is_ok());
        assert_eq!(decode(&section, 32 + 4 + 4), Err(Undecodable::TooLarge));
        assert_eq!(decode(&section, 31), Err(Undecodable::TooLarge));
        let malformed: [&[u8]; 10] = [
            b"",
            b"\x00",
            // RFC 9204, 4.5.1: entries of a table that there is none of, and less than none of it.
            b"\x01\x00\xd1",
            b"\x00\x80\xd1",
            // 4.5.2 to 4.5.6: references to it.
            b"\x00\x00\x80",
            b"\x00\x00\x10",
            b"\x00\x00\x40\x01a",
            b"\x00\x00\x00\x01a",
            // An entry that the static table does not have.
            b"\x00\x00\xff\x24",
            // Huffman code that ends wrongly.
            b"\x00\x00\x50\x81\x00",
        ];
        for section in malformed {
            for most in [0, 31, 1000] {
                assert_eq!(
                    decode(section, most),
                    Err(Undecodable::Malformed),
                    "{section:?} {most}"
                );
            }
        }
        for cut in 3..section.len() {
            assert_eq!(decode(&section[..cut], 1000), Err(Undecodable::Malformed), "{cut}");
        }
    }

    /// Pieces of field sections, most of them as they should be.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let huffman =
            vec![&b"\x50\x81\x1f"[..], b"\x50\x81\x00", b"\x29\x1f\x81\x1f", b"\x2a\x1c\x64\x00"];
        let plain = vec![&b"\xd1"[..], b"\xff\x23", b"\x50\x01a", b"\x5f\x53\x02ab", b"\x21x\x00"];
        let numbers = vec![&b"\x50\x7f\x80\x00"[..], b"\xff\xa3\x80\x00", b"\x27\x01"];
        let odd = vec![&b"\xff\x24"[..], b"\x80", b"\x10", b"\x40\x01a", b"\x01", b"\x50\x05a"];
        let pieces = |pieces: Vec<&'static [u8]>| select(pieces).prop_map(<[u8]>::to_vec);
        prop_oneof![
            4 => pieces(plain),
            4 => pieces(huffman),
            2 => pieces(numbers),
            1 => pieces(odd),
            1 => vec(any::<u8>(), 0..20),
        ]
    }

    proptest! {
        #[test]
        fn what_can_be_decoded_is_well_formed(pieces in vec(piece(), 0..6), cut in 0..3usize) {
            let mut section = [b"\0\0", &pieces.concat()[..]].concat();
            section.truncate(section.len() - cut.min(section.len()));
            let decoded = Decoder::new().decode(&section, u64::MAX);
            prop_assert_eq!(is_well_formed(&section), decoded.is_ok(), "{:?}", section);
        }
    }

    #[test]
    fn numbers_have_an_end() {
        let endless = [&b"\0\0\xff"[..], &[0x80; 10], &[0]].concat();
        assert!(!is_well_formed(&endless));
        let long = [&b"\0\0\xff"[..], &[0x80; 9], &[0]].concat();
        assert!(is_well_formed(&long));
        let large = [&b"\0\0\x27"[..], &[0xff; 9], &[1]].concat();
        assert!(!is_well_formed(&large));
    }
}
