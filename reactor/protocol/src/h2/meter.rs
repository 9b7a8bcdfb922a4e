//! [`Meter`]: counts the bytes of each stream's frames on their way out (RFC 9113, 4.1).

use wire::limits::H2_METERED_STREAMS_MAX;

/// A frame's header: length, type, flags, stream.
const HEADER_BYTES: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;

/// What streams were sent, since somebody asked last.
#[derive(Debug, Default)]
pub struct Meter {
    /// The header that is arriving, and how much of it there is.
    header: [u8; HEADER_BYTES],
    have: usize,
    /// Payload bytes of the frame that are still to come.
    left: usize,
    streams: Vec<Metered>,
}

#[derive(Debug, Clone, Copy)]
struct Metered {
    stream: u32,
    bytes: u64,
    last: bool,
}

impl Meter {
    /// Frames, in pieces of any size.
    pub fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = &bytes[skipped..];
            if self.left > 0 || bytes.is_empty() {
                return;
            }
            let taken = (HEADER_BYTES - self.have).min(bytes.len());
            self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have == HEADER_BYTES {
                self.have = 0;
                self.frame();
            }
        }
    }

    fn frame(&mut self) {
        let [a, b, c, kind, flags, stream @ ..] = self.header;
        self.left = u32::from_be_bytes([0, a, b, c]) as usize;
        let stream = u32::from_be_bytes(stream) & (u32::MAX >> 1);
        if !matches!(kind, DATA | HEADERS | CONTINUATION | RST_STREAM) {
            return;
        }
        let bytes = (HEADER_BYTES + self.left) as u64;
        let last = kind == RST_STREAM || matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        match self.streams.iter_mut().find(|metered| metered.stream == stream) {
            Some(metered) => {
                metered.bytes += bytes;
                metered.last |= last;
            }
            None => {
                if self.streams.len() >= H2_METERED_STREAMS_MAX {
                    // Nobody has asked for the oldest: it was refused before it was a request.
                    self.streams.remove(0);
                }
                self.streams.push(Metered { stream, bytes, last });
            }
        }
    }

    /// Bytes of a stream's frames so far, and whether its last one is among them.
    pub fn of(&self, stream: u32) -> (u64, bool) {
        let metered = self.streams.iter().find(|metered| metered.stream == stream);
        metered.map_or((0, false), |metered| (metered.bytes, metered.last))
    }

    /// Nobody will ask for this stream again.
    pub fn forget(&mut self, stream: u32) {
        self.streams.retain(|metered| metered.stream != stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![0, (payload >> 8) as u8, payload as u8, kind, flags, 0, 0, 0, stream];
        bytes.resize(HEADER_BYTES + payload, 0xff);
        bytes
    }

    #[test]
    fn frames_are_counted_for_their_streams_however_they_are_cut() {
        let frames = [
            frame(4, 0, 0, 12),
            frame(HEADERS, 4, 1, 20),
            frame(HEADERS, 5, 3, 30),
            frame(DATA, 0, 1, 1000),
            frame(DATA, END_STREAM, 1, 0),
            frame(RST_STREAM, 0, 5, 4),
        ]
        .concat();
        for piece in [1, 2, 7, 8, 9, 10, 500, frames.len()] {
            let mut meter = Meter::default();
            frames.chunks(piece).for_each(|bytes| meter.see(bytes));
            assert_eq!(meter.of(1), (29 + 1009 + 9, true), "{piece}");
            assert_eq!(meter.of(3), (39, true));
            assert_eq!(meter.of(5), (13, true));
            assert_eq!(meter.of(7), (0, false));
            meter.forget(1);
            assert_eq!(meter.of(1), (0, false));
        }
    }

    #[test]
    fn streams_that_nobody_asks_for_take_no_more_than_a_bound() {
        let mut meter = Meter::default();
        for stream in 0..2 * H2_METERED_STREAMS_MAX as u32 {
            let id = stream.to_be_bytes();
            meter.see(&[0, 0, 4, RST_STREAM, 0, id[0], id[1], id[2], id[3], 0, 0, 0, 0]);
        }
        assert_eq!(meter.streams.len(), H2_METERED_STREAMS_MAX);
    }
}
