//! [`Incoming`]: the frames of one request, as its stream's bytes come (RFC 9114, 4.1).
//!
//! ```text
//!   Head ──HEADERS──▶ Content ──HEADERS──▶ Nothing
//!                      │    ▲
//!                      └DATA┘
//! ```
//!
//! Frames that nobody knows are skipped everywhere (RFC 9114, 9).

use bytes::Bytes;

use super::error::Code;
use super::frame::{self, FrameHeader, Payload};

/// What is between the bytes of a stream and a request.
#[derive(Debug, Default)]
pub struct Incoming {
    expects: Expects,
    state: IncomingState,
}

/// What has not come yet.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Expects {
    #[default]
    Head,
    Content,
    Nothing,
}

#[derive(Debug)]
enum IncomingState {
    /// Between frames, or in the header of one.
    Between(FrameHeader),
    /// In a field section.
    Section(Payload),
    /// In content.
    Content(u64),
    /// In what is not read.
    Skipped(u64),
}

impl Default for IncomingState {
    fn default() -> Self {
        Self::Between(FrameHeader::default())
    }
}

/// A piece of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// The field section of the head (RFC 9204, 4.5).
    Head(Bytes),
    /// A DATA frame begins, with so many bytes of content.
    Data(u64),
    /// Content, as much as was there.
    Content(Bytes),
    /// The field section behind the content.
    Trailers(Bytes),
    /// A field section has begun that is too large: the head, if there was none before. It is
    /// skipped.
    TooLarge,
}

impl Incoming {
    /// Takes the next piece from the front of `from`, which is all that has come. `None`: there is
    /// no whole piece, and nothing is left in `from`. A field section takes at most so many bytes.
    ///
    /// An error is the connection's.
    pub fn next(&mut self, from: &mut Bytes, section_bytes_max: u64) -> Result<Option<Item>, Code> {
        loop {
            match &mut self.state {
                IncomingState::Between(header) => {
                    let Some((kind, len)) = header.take(from) else { return Ok(None) };
                    if let Some(item) = self.begin(kind, len, section_bytes_max)? {
                        return Ok(Some(item));
                    }
                }
                IncomingState::Section(payload) => {
                    let Some(section) = payload.take(from) else { return Ok(None) };
                    self.state = IncomingState::default();
                    let item = match self.expects {
                        Expects::Nothing => Item::Trailers(section),
                        Expects::Head | Expects::Content => Item::Head(section),
                    };
                    return Ok(Some(item));
                }
                IncomingState::Content(left) => {
                    let piece = frame::split(left, from);
                    if *left == 0 {
                        self.state = IncomingState::default();
                    }
                    if !piece.is_empty() {
                        return Ok(Some(Item::Content(piece)));
                    }
                    if from.is_empty() {
                        return Ok(None);
                    }
                }
                IncomingState::Skipped(left) => {
                    *left = frame::skip(*left, from);
                    if *left > 0 {
                        return Ok(None);
                    }
                    self.state = IncomingState::default();
                }
            }
        }
    }

    /// Whether the stream may end here: an error otherwise (RFC 9114, 7.1). `true`: there was a head.
    pub fn end(&self) -> Result<bool, Code> {
        match &self.state {
            IncomingState::Between(header) if !header.is_begun() => {
                Ok(self.expects != Expects::Head)
            }
            _ => Err(Code::FrameError),
        }
    }

    /// Whether the head has not come yet.
    pub fn is_headless(&self) -> bool {
        match &self.state {
            IncomingState::Section(_) => self.expects == Expects::Content,
            _ => self.expects == Expects::Head,
        }
    }

    /// A frame begins.
    fn begin(&mut self, kind: u64, len: u64, section_bytes_max: u64) -> Result<Option<Item>, Code> {
        self.state = match (kind, self.expects) {
            (frame::DATA, Expects::Content) => {
                self.state = IncomingState::Content(len);
                return Ok(Some(Item::Data(len)));
            }
            (frame::HEADERS, Expects::Head | Expects::Content) => {
                self.expects = match self.expects {
                    Expects::Head => Expects::Content,
                    Expects::Content | Expects::Nothing => Expects::Nothing,
                };
                if len > section_bytes_max {
                    self.state = IncomingState::Skipped(len);
                    return Ok(Some(Item::TooLarge));
                }
                IncomingState::Section(Payload::new(len))
            }
            (frame::DATA | frame::HEADERS, _) => return Err(Code::FrameUnexpected),
            (
                frame::CANCEL_PUSH
                | frame::SETTINGS
                | frame::PUSH_PROMISE
                | frame::GOAWAY
                | frame::MAX_PUSH_ID
                | frame::PRIORITY_UPDATE
                | frame::PRIORITY_UPDATE_PUSH,
                _,
            ) => return Err(Code::FrameUnexpected),
            (kind, _) if frame::is_http2(kind) => return Err(Code::FrameUnexpected),
            _ => IncomingState::Skipped(len),
        };
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"\x01\x03abc";
    const GREASE: &[u8] = b"\x21\x02xx";

    fn item(text: &'static [u8], make: fn(Bytes) -> Item) -> Item {
        make(Bytes::from_static(text))
    }

    /// All items, of pieces of this size; neighbouring content is joined.
    fn read(bytes: &[u8], piece: usize) -> Result<(Vec<Item>, Incoming), Code> {
        let mut incoming = Incoming::default();
        let mut items: Vec<Item> = Vec::new();
        for piece in bytes.chunks(piece.max(1)) {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(item) = incoming.next(&mut piece, 10)? {
                match (items.last_mut(), item) {
                    (_, Item::Data(_)) => {}
                    (Some(Item::Content(before)), Item::Content(more)) => {
                        *before = [&before[..], &more[..]].concat().into();
                    }
                    (_, item) => items.push(item),
                }
            }
            assert!(piece.is_empty(), "all of it is taken");
        }
        Ok((items, incoming))
    }

    #[test]
    fn a_request_is_the_same_however_it_is_cut() {
        let all = [GREASE, HEAD, GREASE, b"\x00\x02de", b"\x00\x00", b"\x00\x40\x01f", GREASE];
        let all = [&all.concat()[..], b"\x01\x02gh", GREASE].concat();
        for piece in 1..all.len() {
            let (items, incoming) = read(&all, piece).unwrap();
            let expected = [
                item(b"abc", Item::Head),
                item(b"def", Item::Content),
                item(b"gh", Item::Trailers),
            ];
            assert_eq!(items, expected, "{piece}");
            assert_eq!(incoming.end(), Ok(true));
        }
    }

    #[test]
    fn frames_of_content_are_told_with_their_length() {
        let mut bytes = Bytes::from_static(b"\x01\x00\x00\x40\x50xy");
        let mut incoming = Incoming::default();
        let mut next = || incoming.next(&mut bytes, 10).unwrap();
        assert_eq!(next(), Some(item(b"", Item::Head)));
        assert_eq!(next(), Some(Item::Data(0x50)));
        assert_eq!(next(), Some(item(b"xy", Item::Content)));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_stream_ends_between_frames() {
        let all = [HEAD, GREASE, b"\x00\x02de"].concat();
        let ends = [0, HEAD.len(), HEAD.len() + GREASE.len(), all.len()];
        for cut in 0..=all.len() {
            let (_, incoming) = read(&all[..cut], 99).unwrap();
            let expected = match ends.contains(&cut) {
                true => Ok(cut > 0),
                false => Err(Code::FrameError),
            };
            assert_eq!(incoming.end(), expected, "{cut}");
            assert_eq!(incoming.is_headless(), cut < HEAD.len(), "{cut}");
        }
    }

    #[test]
    fn sections_that_are_too_large_are_skipped() {
        let large = [b"\x01\x0b", &[b'x'; 11][..]].concat();
        let fits = [b"\x01\x0a", &[b'x'; 10][..]].concat();
        assert_eq!(read(&fits, 3).unwrap().0, [item(b"xxxxxxxxxx", Item::Head)]);
        for piece in [1, 4, 99] {
            let (items, incoming) = read(&[&large, &b"\x00\x01d"[..]].concat(), piece).unwrap();
            assert_eq!(items, [Item::TooLarge, item(b"d", Item::Content)]);
            assert!(!incoming.is_headless());
            let (items, _) = read(&[HEAD, &large].concat(), piece).unwrap();
            assert_eq!(items, [item(b"abc", Item::Head), Item::TooLarge]);
        }
        // However large: nothing is kept of it.
        let (items, incoming) = read(b"\x01\xff\xff\xff\xff\xff\xff\xff\xffxyz", 99).unwrap();
        assert_eq!(items, [Item::TooLarge]);
        assert_eq!(incoming.end(), Err(Code::FrameError));
    }

    #[test]
    fn frames_have_their_places() {
        let unexpected = |bytes: &[u8]| {
            for piece in [1, 99] {
                let read = read(bytes, piece).map(|(items, _)| items);
                assert_eq!(read, Err(Code::FrameUnexpected), "{bytes:?}");
            }
        };
        unexpected(b"\x00\x01d");
        unexpected(&[HEAD, HEAD, b"\x00\x01d"].concat());
        unexpected(&[HEAD, HEAD, HEAD].concat());
        for kind in [0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xd] {
            for before in [&[][..], HEAD, &[HEAD, HEAD].concat()] {
                unexpected(&[before, &[kind, 0]].concat());
            }
        }
        unexpected(b"\x80\x0f\x07\x00\x00");
        unexpected(b"\x80\x0f\x07\x01\x00");
    }
}
