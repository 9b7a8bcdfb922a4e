//! Content codings (RFC 9110, 8.4.1): which there are, content that is decoded within bounds, and content that
//! is encoded. The one place that knows the libraries.

mod brotli;
mod encoder;
mod zstd;

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use self::brotli::BrotliReader;
use self::zstd::ZstdReader;

pub use self::encoder::{ContentEncoder, encode};
pub use reactor::protocol::files::ContentCoding;

/// The codings that are decoded, as the value of `Accept-Encoding`.
pub const ACCEPTED: &str = "gzip, br, zstd";

/// Bytes that are decoded at a time.
const PIECE_BYTES: usize = 64 << 10;

/// What `Content-Encoding` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncoding {
    /// The content is as it is.
    Identity,
    /// It is in this coding.
    One(ContentCoding),
    /// It is in a coding that nobody here knows, or in more than one.
    Unsupported,
}

impl ContentEncoding {
    /// Reads the values of all lines of the field.
    pub fn of<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let names = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        let codings =
            names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"));
        codings.fold(Self::Identity, |before, name| match (before, ContentCoding::named(name)) {
            (Self::Identity, Some(coding)) => Self::One(coding),
            _ => Self::Unsupported,
        })
    }
}

/// How large decoded content may become, and where it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// Its bytes.
    pub bytes_max: u64,
    /// Those of them that stay in memory; past it all goes to a file.
    pub memory_bytes_max: usize,
    /// The folder of that file, which has no name.
    pub folder: &'a Path,
}

/// Decoded content.
#[derive(Debug)]
pub enum Decoded {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file without a name, and its length.
    File(File, u64),
}

/// Why content cannot be decoded.
#[derive(Debug)]
pub enum DecodeError {
    /// It becomes larger than it may.
    TooLarge,
    /// It is not in the coding, is cut off, or something follows it.
    Malformed,
    /// It cannot be read or kept.
    Io(io::Error),
}

/// Decodes content.
pub fn decode<'a>(
    coding: ContentCoding,
    content: impl Read + 'a,
    bounds: Bounds<'_>,
) -> Result<Decoded, DecodeError> {
    let mut kept = DecodedOutput { bounds, len: 0, place: Decoded::Memory(Vec::new()) };
    let mut decoder = DecodingReader::new(coding, content, bounds.bytes_max);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match decoder.read(&mut piece)? {
            0 => return Ok(kept.place),
            len => kept.add(&piece[..len])?,
        }
    }
}

/// Reads content that is decoded as it comes.
pub struct DecodingReader<'a> {
    decoder: Box<dyn ContentDecoder + 'a>,
    /// So many bytes may come yet.
    left: u64,
    state: DecodingState,
}

/// How far a [`DecodingReader`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecodingState {
    Open,
    /// All of it was read.
    Ended,
    TooLarge,
    Malformed,
}

/// Decodes one coding.
trait ContentDecoder: Read {
    /// What it reads from: content in the coding, of which it has taken no byte behind its end.
    fn source(&mut self) -> &mut dyn EncodedContent;
}

/// Content in a coding.
trait EncodedContent {
    /// Whether nothing is left.
    fn is_at_end(&mut self) -> bool;

    /// What has failed while it was read.
    fn failure(&mut self) -> Option<io::Error>;
}

impl<'a> DecodingReader<'a> {
    /// Decodes `content`, of which there may be `bytes_max` when it is decoded.
    pub fn new(coding: ContentCoding, content: impl Read + 'a, bytes_max: u64) -> Self {
        let content =
            BufReader::with_capacity(PIECE_BYTES, EncodedSource { content, failed: None });
        let decoder: Box<dyn ContentDecoder + 'a> = match coding {
            ContentCoding::Gzip => Box::new(MultiGzDecoder::new(content)),
            ContentCoding::Brotli => Box::new(BrotliReader::new(content)),
            ContentCoding::Zstd => Box::new(ZstdReader::new(content)),
        };
        Self { decoder, left: bytes_max, state: DecodingState::Open }
    }

    /// Fills the beginning of `space`; 0 at the end. What is wrong stays so.
    pub fn read(&mut self, space: &mut [u8]) -> Result<usize, DecodeError> {
        loop {
            match self.state {
                DecodingState::Open => {}
                DecodingState::Ended => return Ok(0),
                DecodingState::TooLarge => return Err(DecodeError::TooLarge),
                DecodingState::Malformed => return Err(DecodeError::Malformed),
            }
            let read = self.decoder.read(space);
            let source = self.decoder.source();
            // Content that cannot be read looks to a decoder as content that ends.
            if let Some(error) = source.failure() {
                self.state = DecodingState::Malformed;
                return Err(DecodeError::Io(error));
            }
            match read {
                // Nothing may follow: another reader might take it for something.
                Ok(0) => {
                    let ended = source.is_at_end();
                    if let Some(error) = source.failure() {
                        self.state = DecodingState::Malformed;
                        return Err(DecodeError::Io(error));
                    }
                    self.state =
                        if ended { DecodingState::Ended } else { DecodingState::Malformed };
                }
                Ok(len) if len as u64 > self.left => self.state = DecodingState::TooLarge,
                Ok(len) => {
                    self.left -= len as u64;
                    return Ok(len);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.state = DecodingState::Malformed,
            }
        }
    }
}

impl fmt::Debug for DecodingReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodingReader").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<R: Read> ContentDecoder for MultiGzDecoder<BufReader<EncodedSource<R>>> {
    fn source(&mut self) -> &mut dyn EncodedContent {
        self.get_mut()
    }
}

impl<R: Read> ContentDecoder for BrotliReader<BufReader<EncodedSource<R>>> {
    fn source(&mut self) -> &mut dyn EncodedContent {
        self.get_mut()
    }
}

impl<R: Read> ContentDecoder for ZstdReader<BufReader<EncodedSource<R>>> {
    fn source(&mut self) -> &mut dyn EncodedContent {
        self.get_mut()
    }
}

impl<R: Read> EncodedContent for BufReader<EncodedSource<R>> {
    fn is_at_end(&mut self) -> bool {
        self.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    fn failure(&mut self) -> Option<io::Error> {
        self.get_mut().failed.take()
    }
}

/// Content on its way in, and what has failed.
struct EncodedSource<R> {
    content: R,
    failed: Option<io::Error>,
}

impl<R: Read> Read for EncodedSource<R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self.content.read(space) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
            result => result,
        }
    }
}

/// Content on its way out.
struct DecodedOutput<'a> {
    bounds: Bounds<'a>,
    len: u64,
    place: Decoded,
}

impl DecodedOutput<'_> {
    fn add(&mut self, piece: &[u8]) -> Result<(), DecodeError> {
        self.len += piece.len() as u64;
        if let Decoded::Memory(bytes) = &mut self.place {
            if self.len <= self.bounds.memory_bytes_max as u64 {
                bytes.extend_from_slice(piece);
                return Ok(());
            }
            let mut file = tempfile::tempfile_in(self.bounds.folder).map_err(DecodeError::Io)?;
            file.write_all(bytes).map_err(DecodeError::Io)?;
            self.place = Decoded::File(file, 0);
        }
        if let Decoded::File(file, len) = &mut self.place {
            file.write_all(piece).map_err(DecodeError::Io)?;
            *len = self.len;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom};

    use super::*;

    const TEXT: &[u8] = b"hello, hello, hello";

    /// [`TEXT`] as the command-line tools of the three write it.
    const GZIP: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\
        \xa2\x00\x9f\xa1\xca\x09\x13\x00\x00\x00";
    const BROTLI: &[u8] = b"\x0b\x09\x80hello, hello, hello\x03";

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn run(
        coding: ContentCoding,
        content: &[u8],
        bytes_max: u64,
        memory: usize,
    ) -> Result<Vec<u8>, DecodeError> {
        let folder = std::env::temp_dir();
        let bounds = Bounds { bytes_max, memory_bytes_max: memory, folder: &folder };
        decode(coding, content, bounds).map(|decoded| match decoded {
            Decoded::Memory(bytes) => {
                assert!(bytes.len() <= memory);
                bytes
            }
            Decoded::File(mut file, len) => {
                assert!(len > memory as u64);
                let mut bytes = Vec::new();
                file.seek(SeekFrom::Start(0)).unwrap();
                file.read_to_end(&mut bytes).unwrap();
                assert_eq!(bytes.len() as u64, len);
                bytes
            }
        })
    }

    fn samples() -> [(ContentCoding, Vec<u8>); 3] {
        [
            (ContentCoding::Gzip, gzip(TEXT)),
            (ContentCoding::Brotli, BROTLI.to_vec()),
            (ContentCoding::Zstd, zstd(TEXT)),
        ]
    }

    #[test]
    fn content_is_decoded() {
        assert_eq!(run(ContentCoding::Gzip, GZIP, 100, 100).unwrap(), TEXT);
        for (coding, encoded) in samples() {
            for memory in [100, 19, 18, 0] {
                assert_eq!(run(coding, &encoded, 19, memory).unwrap(), TEXT, "{coding:?} {memory}");
            }
        }
        // Several members and frames are one content (RFC 1952, 2.2; RFC 8878, 3.1).
        let twice = [TEXT, TEXT].concat();
        assert_eq!(
            run(ContentCoding::Gzip, &[gzip(TEXT), gzip(TEXT)].concat(), 100, 100).unwrap(),
            twice
        );
        assert_eq!(
            run(ContentCoding::Zstd, &[zstd(TEXT), zstd(TEXT)].concat(), 100, 100).unwrap(),
            twice
        );
    }

    #[test]
    fn what_is_cut_off_or_followed_by_something_is_malformed() {
        for (coding, encoded) in samples() {
            for len in 0..encoded.len() {
                let cut = run(coding, &encoded[..len], 100, 100);
                assert!(matches!(cut, Err(DecodeError::Malformed)), "{coding:?} {len}");
            }
            for more in [&b"x"[..], b"\0", &[b'x'; 200_000]] {
                let followed = run(coding, &[&encoded, more].concat(), 100, 100);
                assert!(matches!(followed, Err(DecodeError::Malformed)), "{coding:?}");
            }
            for garbage in [TEXT, &[0xff; 100]] {
                let garbage = run(coding, garbage, 1000, 100);
                assert!(matches!(garbage, Err(DecodeError::Malformed)), "{coding:?} {garbage:?}");
            }
        }
    }

    /// Whatever a client sends, the worker goes on.
    #[test]
    fn damaged_content_is_read_without_harm() {
        let text: Vec<u8> = (0..20_000_u32).map(|n| (n / 7 % 11 * n % 251) as u8).collect();
        let mut random = 1_u64;
        for (coding, encoded) in [
            (ContentCoding::Gzip, gzip(&text)),
            (ContentCoding::Zstd, zstd(&text)),
            samples()[1].clone(),
        ] {
            for _ in 0..200 {
                let mut damaged = encoded.clone();
                for _ in 0..3 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let at = (random >> 33) as usize % damaged.len();
                    damaged[at] ^= (random >> 20) as u8;
                }
                let _ = run(coding, &damaged, 1 << 20, 1 << 20);
            }
        }
    }

    /// Skippable frames and a checksum (RFC 8878, 3.1).
    #[test]
    fn what_frames_of_zstd_may_have_beside_content() {
        let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
        let frame = b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello";
        for parts in [[&skippable[..], frame], [frame, skippable]] {
            assert_eq!(run(ContentCoding::Zstd, &parts.concat(), 100, 100).unwrap(), b"hello");
        }
        let cut = [&frame[..], &skippable[..10]].concat();
        assert!(matches!(run(ContentCoding::Zstd, &cut, 100, 100), Err(DecodeError::Malformed)));
        // The low half of XXH64 of "hello".
        let with_sum = |sum: &[u8]| [b"\x28\xb5\x2f\xfd\x24\x05\x29\x00\x00hello", sum].concat();
        let good = with_sum(&[0xa3, 0x6d, 0x9f, 0x88]);
        let bad = with_sum(&[0; 4]);
        assert!(matches!(run(ContentCoding::Zstd, &bad, 100, 100), Err(DecodeError::Malformed)));
        assert_eq!(run(ContentCoding::Zstd, &good, 100, 100).unwrap(), b"hello");
        // What the command-line tool makes of a text that repeats.
        let text = b"hello, hello, hello ".repeat(40);
        let encoded = b"\x28\xb5\x2f\xfd\x04\x68\x95\x00\x00\x40\x68\x65\x6c\x6c\x6f\x2c\x20\x20\x02\x00\x09\x6f\x56\x42\x5c\x31\x02\xbd\xf8\x41\xb7";
        assert_eq!(run(ContentCoding::Zstd, encoded, 1000, 100).unwrap(), text);
    }

    #[test]
    fn what_grows_too_large_is_not_decoded_to_its_end() {
        let zeros = vec![0; 2 << 20];
        for (coding, bomb) in
            [(ContentCoding::Gzip, gzip(&zeros)), (ContentCoding::Zstd, zstd(&zeros))]
        {
            assert!(bomb.len() < 100_000);
            assert!(matches!(run(coding, &bomb, 1 << 20, 1000), Err(DecodeError::TooLarge)));
            assert_eq!(run(coding, &bomb, 2 << 20, 1000).unwrap().len(), zeros.len());
        }
        assert!(matches!(run(ContentCoding::Brotli, BROTLI, 18, 1000), Err(DecodeError::TooLarge)));
    }

    #[test]
    fn a_window_beyond_the_codings_bound_is_refused() {
        // One raw block of five bytes, behind a window of 2^10 * 2^exponent bytes and mantissa / 8 of it.
        let frame = |exponent: u8, mantissa: u8| {
            let window = exponent << 3 | mantissa;
            [b"\x28\xb5\x2f\xfd\x00", &[window][..], b"\x29\x00\x00hello"].concat()
        };
        assert_eq!(run(ContentCoding::Zstd, &frame(13, 0), 5, 5).unwrap(), b"hello");
        for (exponent, mantissa) in [(13, 1), (14, 0), (31, 7)] {
            let result = run(ContentCoding::Zstd, &frame(exponent, mantissa), 1 << 30, 0);
            assert!(matches!(result, Err(DecodeError::Malformed)));
        }
        // A single segment, whose window is its content: 8 MiB and a byte more.
        let single =
            [&b"\x28\xb5\x2f\xfd\xa0"[..], &(8_u32 << 20 | 1).to_le_bytes(), b"\x29\0\0hello"];
        let result = run(ContentCoding::Zstd, &single.concat(), 1 << 30, 0);
        assert!(matches!(result, Err(DecodeError::Malformed)));
    }

    #[test]
    fn content_is_decoded_as_it_comes_and_what_is_wrong_stays_so() {
        for (coding, encoded) in samples() {
            // A byte at a time, as a slow client sends it.
            let trickle = encoded.iter().map(std::slice::from_ref);
            let content = trickle.fold(Box::new(io::empty()) as Box<dyn Read>, |before, byte| {
                Box::new(before.chain(byte))
            });
            let mut reader = DecodingReader::new(coding, content, 19);
            let (mut all, mut space) = (Vec::new(), [0; 7]);
            loop {
                match reader.read(&mut space).unwrap() {
                    0 => break,
                    len => all.extend_from_slice(&space[..len]),
                }
            }
            assert_eq!(all, TEXT, "{coding:?}");
            assert_eq!(reader.read(&mut space).unwrap(), 0);
            for (bytes_max, content) in [(18, &encoded[..]), (19, &[&encoded[..], b"x"].concat())] {
                let mut reader = DecodingReader::new(coding, content, bytes_max);
                let errors =
                    std::iter::repeat_with(|| reader.read(&mut space)).skip_while(Result::is_ok);
                for error in errors.take(2) {
                    let too_large = matches!(error, Err(DecodeError::TooLarge));
                    assert_eq!(too_large, bytes_max == 18, "{coding:?} {error:?}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_read_or_kept_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _space: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let bounds =
            Bounds { bytes_max: 100, memory_bytes_max: 0, folder: Path::new("/nonexistent") };
        for coding in [ContentCoding::Gzip, ContentCoding::Brotli, ContentCoding::Zstd] {
            assert!(matches!(decode(coding, Broken, bounds), Err(DecodeError::Io(_))));
        }
        assert!(matches!(
            decode(ContentCoding::Gzip, &gzip(TEXT)[..], bounds),
            Err(DecodeError::Io(_))
        ));
    }

    #[test]
    fn names() {
        let of = |lines: &[&str]| ContentEncoding::of(lines.iter().map(|line| line.as_bytes()));
        for none in [&[][..], &[""], &["identity"], &["Identity, "]] {
            assert_eq!(of(none), ContentEncoding::Identity, "{none:?}");
        }
        for (line, coding) in [
            ("gzip", ContentCoding::Gzip),
            ("X-GZip", ContentCoding::Gzip),
            ("br", ContentCoding::Brotli),
            (" identity, zstd ,", ContentCoding::Zstd),
        ] {
            assert_eq!(of(&[line]), ContentEncoding::One(coding), "{line}");
        }
        for other in [&["deflate"][..], &["gzip, br"], &["gzip", "gzip"], &["gzip;q=1"], &["br, x"]]
        {
            assert_eq!(of(other), ContentEncoding::Unsupported, "{other:?}");
        }
        for name in ACCEPTED.split(", ") {
            assert!(ContentCoding::named(name.as_bytes()).is_some());
        }
    }
}
