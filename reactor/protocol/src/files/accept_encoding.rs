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

    fn is_named(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name().as_bytes())
            || self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip")
    }
}

/// The codings that a client takes, the one that it likes best first; among equals the one that
/// compresses best. None without the field.
pub fn accepted_codings(request: &Fields) -> Vec<ContentCoding> {
    let mut codings: Vec<(ContentCoding, u16)> = ContentCoding::ALL
        .into_iter()
        .map(|coding| (coding, weight(request, coding)))
        .filter(|(_, weight)| *weight > 0)
        .collect();
    codings.sort_by_key(|(_, weight)| u16::MAX - weight);
    codings.into_iter().map(|(coding, _)| coding).collect()
}

/// The weight of a coding in thousandths; 0: it is not taken.
fn weight(request: &Fields, coding: ContentCoding) -> u16 {
    let mut any = 0;
    for element in request.get_all(b"accept-encoding").flat_map(tokens) {
        let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let is_any = name == b"*";
        if !is_any && !coding.is_named(name) {
            continue;
        }
        let weight = parts.find_map(quality).unwrap_or(1000);
        if !is_any {
            return weight;
        }
        any = weight;
    }
    any
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
        ] {
            let fields = [(&b"accept-encoding"[..], value.as_bytes())].into_iter().collect();
            assert_eq!(accepted_codings(&fields), wanted, "{value}");
        }
        assert!(accepted_codings(&Fields::default()).is_empty());
    }
}
