//! Percent-encoding (RFC 3986, 2.1).

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text`, encoded but for unreserved characters (RFC 3986, 2.3), as PHP's `rawurlencode()` does.
pub fn encode(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
        }
    }
}

/// `text` without its encoding; `None` where that is malformed.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                (digit()? << 4 | digit()?) as u8
            }
            byte => *byte,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        let mut encoded = Vec::new();
        encode(&all, &mut encoded);
        assert!(encoded.is_ascii() && !encoded.iter().any(u8::is_ascii_control));
        assert_eq!(decode(&encoded), Some(all));
    }

    #[test]
    fn what_is_encoded_and_what_is_malformed() {
        let mut encoded = Vec::new();
        encode(b"a-_.~Z9 /%\xff", &mut encoded);
        assert_eq!(encoded, b"a-_.~Z9%20%2F%25%FF");
        assert_eq!(decode(b"a%2fb%2Fc+d").as_deref(), Some(&b"a/b/c+d"[..]));
        for text in [&b"%"[..], b"%4", b"a%zz", b"%2", b"%+1"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
