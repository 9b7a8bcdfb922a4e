//! [`ContentEncoder`]: content of responses in a content coding, piece by piece or whole.

use std::fmt;
use std::io::{self, Write};

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::raw::CParameter;

use super::ContentCoding;

/// Level of gzip when none is asked for: 6 takes a fourth to a half longer for 0.4 to 0.7% fewer bytes of a
/// page.
const GZIP_LEVEL: u32 = 5;

/// The same of brotli: below 5 a page is hardly smaller than by gzip at 5; here it is by 3 to 8%, in three to
/// five times the time.
const BROTLI_LEVEL: u32 = 5;

/// The same of Zstandard: a third of the time of gzip at 5, and up to 5% more bytes. 5 takes two to three times
/// as long for 5% fewer.
const ZSTD_LEVEL: i32 = 3;

/// Brotli has 5 MiB of memory at 5 and 7 MiB at 6; from there on its table grows to 32 MiB at 9. A worker has
/// one encoder at a time, but there are many workers.
const BROTLI_LEVEL_MAX: u32 = 6;

/// The window of brotli as a power of two: 256 KiB. Pages are hardly larger, and the encoder and the
/// client's decoder keep as much.
const BROTLI_WINDOW_LOG: u32 = 18;

/// The window of Zstandard as a power of two: 512 KiB, of the 8 MiB that a content coding may use (RFC
/// 9659). An encoder has 2 MiB of memory at level 3, 12 MiB at 9.
const ZSTD_WINDOW_LOG: u32 = 19;

/// Bytes of output that brotli's encoder makes at a time.
const BROTLI_PIECE_BYTES: usize = 16 << 10;

/// What a page becomes at most, as a rule: a fourth of it.
const USUAL_RATIO: usize = 4;

/// Encodes one content.
pub struct ContentEncoder(EncoderKind);

/// Each in a box: the state of a response is moved, and mostly has none.
enum EncoderKind {
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(Box<zstd::Encoder<'static, Vec<u8>>>),
}

/// Encodes content that is there as a whole. `level` as for [`ContentEncoder::new`].
pub fn encode(coding: ContentCoding, level: u8, content: &[u8]) -> io::Result<Vec<u8>> {
    ContentEncoder::sized(coding, level, Some(content.len()))?.finish(content)
}

impl ContentEncoder {
    /// An encoder. `level` is from 1 to 9, and 0 for the coding's own; brotli stays at 6 beyond 6. An error
    /// says that there is no memory.
    pub fn new(coding: ContentCoding, level: u8) -> io::Result<Self> {
        Self::sized(coding, level, None)
    }

    /// An encoder for content of this many bytes, if that is known: its tables are no larger than that needs.
    fn sized(coding: ContentCoding, level: u8, len: Option<usize>) -> io::Result<Self> {
        let asked = (level > 0).then_some(level.min(9));
        let out = Vec::with_capacity(len.map_or(0, |len| len / USUAL_RATIO));
        Ok(Self(match coding {
            ContentCoding::Gzip => {
                let level = Compression::new(asked.map_or(GZIP_LEVEL, u32::from));
                EncoderKind::Gzip(Box::new(GzEncoder::new(out, level)))
            }
            ContentCoding::Brotli => {
                let level = asked.map_or(BROTLI_LEVEL, u32::from).min(BROTLI_LEVEL_MAX);
                let parameters = BrotliEncoderParams {
                    quality: level as i32,
                    lgwin: BROTLI_WINDOW_LOG as i32,
                    size_hint: len.unwrap_or(0),
                    ..BrotliEncoderParams::default()
                };
                let writer = CompressorWriter::with_params(out, BROTLI_PIECE_BYTES, &parameters);
                EncoderKind::Brotli(Box::new(writer))
            }
            ContentCoding::Zstd => {
                let level = asked.map_or(ZSTD_LEVEL, i32::from);
                let mut encoder = zstd::Encoder::new(out, level)?;
                encoder.set_pledged_src_size(len.map(|len| len as u64))?;
                encoder.set_parameter(CParameter::WindowLog(ZSTD_WINDOW_LOG))?;
                EncoderKind::Zstd(Box::new(encoder))
            }
        }))
    }

    /// Encodes a piece, and flushes: a client that decodes what has come so far sees all of the piece.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        let out = match &mut self.0 {
            EncoderKind::Gzip(encoder) => {
                encoder.write_all(piece)?;
                encoder.flush()?;
                encoder.get_mut()
            }
            EncoderKind::Brotli(encoder) => {
                encoder.write_all(piece)?;
                encoder.flush()?;
                encoder.get_mut()
            }
            EncoderKind::Zstd(encoder) => {
                encoder.write_all(piece)?;
                encoder.flush()?;
                encoder.get_mut()
            }
        };
        Ok(std::mem::take(out))
    }

    /// Encodes the last piece, which may be empty, and the end.
    pub fn finish(self, piece: &[u8]) -> io::Result<Vec<u8>> {
        match self.0 {
            EncoderKind::Gzip(mut encoder) => {
                encoder.write_all(piece)?;
                encoder.finish()
            }
            EncoderKind::Brotli(mut encoder) => {
                encoder.write_all(piece)?;
                Ok(encoder.into_inner())
            }
            EncoderKind::Zstd(mut encoder) => {
                encoder.write_all(piece)?;
                encoder.finish()
            }
        }
    }
}

impl fmt::Debug for ContentEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            EncoderKind::Gzip(_) => "ContentEncoder(gzip)",
            EncoderKind::Brotli(_) => "ContentEncoder(br)",
            EncoderKind::Zstd(_) => "ContentEncoder(zstd)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Decoded, DecodingReader, decode};
    use super::*;

    /// Text that repeats itself only in part.
    fn text(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut out = Vec::with_capacity(len + 16);
        while out.len() < len {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let word = format!("<p>{:x}</p>\n", state >> 20);
            out.extend_from_slice(word.as_bytes());
        }
        out.truncate(len);
        out
    }

    fn decoded(coding: ContentCoding, content: &[u8]) -> Vec<u8> {
        let folder = std::env::temp_dir();
        let bounds = Bounds { bytes_max: 1 << 30, memory_bytes_max: 1 << 30, folder: &folder };
        match decode(coding, content, bounds).unwrap() {
            Decoded::Memory(bytes) => bytes,
            Decoded::File(..) => panic!("in a file"),
        }
    }

    #[test]
    fn what_is_encoded_in_odd_pieces_is_decoded_to_the_same() {
        // More than either window.
        let text = text(1 << 20);
        for coding in ContentCoding::ALL {
            for level in [0, 1, 9] {
                let mut encoder = ContentEncoder::new(coding, level).unwrap();
                let (mut out, mut rest, mut len) = (Vec::new(), &text[..], 1);
                while rest.len() > len {
                    out.extend(encoder.write(&rest[..len]).unwrap());
                    rest = &rest[len..];
                    len = len * 3 % 77_777 + 1;
                }
                out.extend(encoder.finish(rest).unwrap());
                assert!(out.len() < text.len() / 2, "{coding:?} {level}: {}", out.len());
                assert!(decoded(coding, &out) == text, "{coding:?} {level}");
                for len in [1, 1000, 64 << 10, text.len()] {
                    let whole = encode(coding, level, &text[..len]).unwrap();
                    assert!(decoded(coding, &whole) == text[..len], "{coding:?} {level} {len}");
                }
            }
        }
    }

    #[test]
    fn each_piece_can_be_decoded_when_it_has_come() {
        use std::io::Read;
        for coding in ContentCoding::ALL {
            let mut encoder = ContentEncoder::new(coding, 0).unwrap();
            let mut so_far = Vec::new();
            let mut expected = Vec::new();
            for piece in [&b"one "[..], b"two ", b"three "] {
                so_far.extend(encoder.write(piece).unwrap());
                expected.extend_from_slice(piece);
                // Our decoder of Zstandard gives nothing out before the window is full or at its end.
                let seen = if coding == ContentCoding::Zstd {
                    let mut decoder = zstd::Decoder::new(&so_far[..]).unwrap();
                    beginning(expected.len(), |byte| decoder.read(byte).unwrap_or_default())
                } else {
                    let mut decoder = DecodingReader::new(coding, &so_far[..], 100);
                    beginning(expected.len(), |byte| decoder.read(byte).unwrap_or_default())
                };
                assert_eq!(seen, expected, "{coding:?}");
            }
            so_far.extend(encoder.finish(b"").unwrap());
            assert_eq!(decoded(coding, &so_far), b"one two three ");
        }
    }

    /// As many bytes as there are, up to `len`.
    fn beginning(len: usize, mut read: impl FnMut(&mut [u8]) -> usize) -> Vec<u8> {
        let mut byte = [0];
        std::iter::from_fn(|| (read(&mut byte) == 1).then_some(byte[0])).take(len).collect()
    }

    /// For a choice of levels: `cargo test --release --workspace -- --ignored --nocapture cost_of`.
    #[test]
    #[ignore = "measures"]
    fn cost_of_a_page_of_64_kib() {
        let page = text(64 << 10);
        for coding in ContentCoding::ALL {
            for level in 1..=9 {
                let begin = std::time::Instant::now();
                let mut len = 0;
                for _ in 0..50 {
                    len = encode(coding, level, &page).unwrap().len();
                }
                println!("{coding:?} {level}: {len} bytes, {:?}", begin.elapsed() / 50);
            }
        }
    }
}
