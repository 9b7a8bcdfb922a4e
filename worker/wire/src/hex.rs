//! Bytes as hexadecimal digits in lower case, by which ids are written.

use std::fmt;

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The two digits of a byte.
pub fn pair(byte: u8) -> [u8; 2] {
    PAIRS[usize::from(byte)]
}

/// Writes two digits for each byte, as far as `text` has room.
pub fn write(bytes: &[u8], text: &mut [u8]) {
    for (byte, place) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        place.copy_from_slice(&pair(*byte));
    }
}

/// The bytes that a text of twice as many digits is; `None` when it is none. Upper case is not taken, so
/// that an id has one text.
pub fn read<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// Bytes that are shown as digits.
#[derive(Debug, Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = [0; 64];
        for piece in self.0.chunks(room.len() / 2) {
            let text = &mut room[..2 * piece.len()];
            write(piece, text);
            f.write_str(std::str::from_utf8(text).unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_digits() {
        let bytes: [u8; 256] = std::array::from_fn(|at| at as u8);
        let text = Hex(&bytes).to_string();
        assert!(text.starts_with("000102") && text.ends_with("fdfeff"), "{text}");
        assert_eq!(text, bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        assert_eq!(read(text.as_bytes()), Some(bytes));
        assert_eq!(Hex(&[]).to_string(), "");
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["0", "000", "0g", "0A", "-1", "é", ""] {
            assert_eq!(read::<1>(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read(b""), Some([]));
    }

    #[test]
    fn what_has_no_room_is_left_out() {
        let mut text = *b"....";
        write(&[1, 2, 3], &mut text[..3]);
        assert_eq!(text, *b"01..");
    }
}
