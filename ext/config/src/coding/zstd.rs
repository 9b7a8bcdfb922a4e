//! [`ZstdReader`]: decodes Zstandard (RFC 8878) as a content coding: frame after frame, with a window that
//! is bounded.

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The largest window that a content coding may use (RFC 9659).
const WINDOW_BYTES_MAX: u64 = 8 << 20;

/// The longest header of a frame, its magic number included (RFC 8878, 3.1.1).
const HEADER_BYTES_MAX: usize = 18;

/// The magic number of a frame.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reads what the frames of `source` hold. An error says that it is malformed, or cannot be read.
pub(super) struct ZstdReader<R> {
    source: Peek<R>,
    decoder: FrameDecoder,
    state: ZstdState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ZstdState {
    /// Nothing has come: there has to be a frame.
    Begin,
    /// Within a frame.
    Frame,
    /// Behind one: there may be more.
    Between,
}

impl<R: Read> ZstdReader<R> {
    pub(super) fn new(source: R) -> Self {
        let source = Peek { held: Vec::new(), at: 0, inner: source };
        Self { source, decoder: FrameDecoder::new(), state: ZstdState::Begin }
    }

    /// What it reads from; behind the last frame it has read up to its end.
    pub(super) fn get_mut(&mut self) -> &mut R {
        &mut self.source.inner
    }

    /// Goes on to the next frame. `false` when there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        let head = self.source.peek(HEADER_BYTES_MAX)?;
        match head {
            [] if self.state == ZstdState::Between => return Ok(false),
            // Skippable frames (3.1.2): their length, and what nobody here knows.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                let len = u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + 8;
                let skipped = io::copy(&mut (&mut self.source).take(len), &mut io::sink())?;
                self.state = ZstdState::Between;
                return if skipped == len { Ok(true) } else { Err(malformed()) };
            }
            [a, b, c, d, header @ ..] if [*a, *b, *c, *d] == MAGIC => {
                if window(header).is_none_or(|window| window > WINDOW_BYTES_MAX) {
                    return Err(malformed());
                }
            }
            _ => return Err(malformed()),
        }
        self.decoder.reset(&mut self.source).map_err(io::Error::other)?;
        self.state = ZstdState::Frame;
        Ok(true)
    }

    /// The end of a frame: its checksum, if it has one (3.1.1).
    fn check(&self) -> io::Result<()> {
        let told = self.decoder.get_checksum_from_data();
        if told.is_some() && told != self.decoder.get_calculated_checksum() {
            return Err(malformed());
        }
        Ok(())
    }
}

/// The window of a frame by its header, behind the magic number (3.1.1.1). `None` when it is cut off.
fn window(header: &[u8]) -> Option<u64> {
    let (descriptor, rest) = header.split_first()?;
    if descriptor & 0x20 == 0 {
        let byte = rest.first()?;
        let base = 1_u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    // A single segment: as large as the content, whose size is behind the dictionary's id.
    let id_len = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size_len = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut size = [0; 8];
    size[..size_len].copy_from_slice(rest.get(id_len..id_len + size_len)?);
    let size = u64::from_le_bytes(size);
    Some(if size_len == 2 { size + 256 } else { size })
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.state != ZstdState::Frame {
                if self.next_frame()? {
                    continue;
                }
                return Ok(0);
            }
            while self.decoder.can_collect() < space.len() && !self.decoder.is_finished() {
                let wanted = space.len() - self.decoder.can_collect();
                let strategy = BlockDecodingStrategy::UptoBytes(wanted);
                self.decoder.decode_blocks(&mut self.source, strategy).map_err(io::Error::other)?;
            }
            match self.decoder.read(space)? {
                0 if self.decoder.is_finished() => {
                    self.check()?;
                    self.state = ZstdState::Between;
                }
                0 => return Err(malformed()),
                len => return Ok(len),
            }
        }
    }
}

/// A reader whose next bytes can be looked at.
struct Peek<R> {
    held: Vec<u8>,
    at: usize,
    inner: R,
}

impl<R: Read> Peek<R> {
    /// The next `len` bytes, or all that are left.
    fn peek(&mut self, len: usize) -> io::Result<&[u8]> {
        self.held.drain(..self.at);
        self.at = 0;
        let missing = len.saturating_sub(self.held.len()) as u64;
        (&mut self.inner).take(missing).read_to_end(&mut self.held)?;
        Ok(&self.held)
    }
}

impl<R: Read> Read for Peek<R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let held = &self.held[self.at..];
        if held.is_empty() {
            return self.inner.read(space);
        }
        let len = held.len().min(space.len());
        space[..len].copy_from_slice(&held[..len]);
        self.at += len;
        Ok(len)
    }
}
