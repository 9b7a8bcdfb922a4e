//! `Accept-Encoding` (RFC 9110, 12.5.3): which content codings a client takes, by its q-values.

use wire::Fields;

use crate::message::tokens;

/// A content coding (RFC 9110, 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878).
    Zstd,
    /// gzip (RFC 1952).
    Gzip,
}

impl ContentCoding {
    /// All of them, the one that compresses best first.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// Its name in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What a file with this coding has behind its name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
        }
    }

    /// The coding of this name, in upper or lower case; `x-gzip` is gzip (RFC 9110, 8.4.1.3).
    pub fn named(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"x-gzip") {
            return Some(Self::Gzip);
        }
        Self::ALL.into_iter().find(|coding| name.eq_ignore_ascii_case(coding.name().as_bytes()))
    }
}

/// The codings that a client takes, the one that it likes best first; among equals the first of `known`.
/// None without the field, and none that the client likes less than content as it is.
pub fn accepted_codings(request: &Fields, known: &[ContentCoding]) -> Vec<ContentCoding> {
    // What is not named is accepted (RFC 9110, 12.5.3), and any coding that is named is liked better.
    let plain = weight(request, |name| name.eq_ignore_ascii_case(b"identity")).unwrap_or(0);
    let any = weight(request, |name| name == b"*").unwrap_or(0);
    let mut codings: Vec<(ContentCoding, u16)> = known
        .iter()
        .map(|coding| {
            let own = weight(request, |name| ContentCoding::named(name) == Some(*coding));
            (*coding, own.unwrap_or(any))
        })
        .filter(|(_, weight)| *weight > 0 && *weight >= plain)
        .collect();
    codings.sort_by_key(|(_, weight)| u16::MAX - weight);
    codings.into_iter().map(|(coding, _)| coding).collect()
}

/// The weight of the first element with such a name, in thousandths; 0: it is not taken. `None`
/// without one.
fn weight(request: &Fields, is_it: impl Fn(&[u8]) -> bool) -> Option<u16> {
    request.get_all(b"accept-encoding").flat_map(tokens).find_map(|element| {
        let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        is_it(name).then(|| parts.find_map(quality).unwrap_or(1000))
    })
}

/// `q=0.5` in thousandths (RFC 9110, 12.4.2); what is no weight counts as 0.
fn quality(parameter: &[u8]) -> Option<u16> {
    let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?;
    let value = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f32>().ok());
    let value = value.filter(|value| (0.0..=1.0).contains(value));
    Some((value.unwrap_or(0.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContentCoding::{Brotli, Gzip, Zstd};

    #[test]
    fn the_client_decides_and_equals_are_ours_to_choose() {
        for (value, wanted) in [
            ("", &[][..]),
            ("identity", &[]),
            ("gzip", &[Gzip]),
            ("GZIP", &[Gzip]),
            ("x-gzip", &[Gzip]),
            ("gzip, deflate, br, zstd", &[Brotli, Zstd, Gzip]),
            ("gzip;q=1.0, br;q=0.5", &[Gzip, Brotli]),
            ("br;q=0, gzip", &[Gzip]),
            ("*", &[Brotli, Zstd, Gzip]),
            ("*;q=0.5, gzip", &[Gzip, Brotli, Zstd]),
            ("*, br;q=0", &[Zstd, Gzip]),
            ("gzip;q=0, *;q=0", &[]),
            ("br;q=x, gzip;q=2, zstd;q=NaN", &[]),
            ("br; q=0.001", &[Brotli]),
            ("brx, g", &[]),
            ("identity, gzip;q=0.5", &[]),
            ("identity;q=0.5, gzip;q=0.5, br;q=0.4", &[Gzip]),
            ("identity;q=0", &[]),
            ("identity;q=0, *", &[Brotli, Zstd, Gzip]),
        ] {
            let fields = [(&b"accept-encoding"[..], value.as_bytes())].into_iter().collect();
            assert_eq!(accepted_codings(&fields, &ContentCoding::ALL), wanted, "{value}");
        }
        assert!(accepted_codings(&Fields::default(), &ContentCoding::ALL).is_empty());
    }

    #[test]
    fn elements_of_several_lines_are_one_list_and_equals_come_as_they_are_known() {
        let name = &b"accept-encoding"[..];
        let lines = [(name, &b"gzip"[..]), (name, b"br, zstd;q=0.9")];
        let fields = lines.into_iter().collect();
        assert_eq!(accepted_codings(&fields, &ContentCoding::ALL), [Brotli, Gzip, Zstd]);
        assert_eq!(accepted_codings(&fields, &[Zstd, Gzip, Brotli]), [Gzip, Brotli, Zstd]);
        assert_eq!(accepted_codings(&fields, &[Zstd]), [Zstd]);
    }
}
