//! [`Unidirectional`]: a client's unidirectional streams (RFC 9114, 6.2; RFC 9204, 4.2).
//!
//! There is one for control, and one for each side of QPACK; they last as long as the connection. As
//! no dynamic table was agreed on, QPACK's have hardly anything to say.

use bytes::Bytes;
use smallvec::SmallVec;
use wire::limits::QUIC_CONTROL_FRAME_BYTES_MAX;

use super::error::Code;
use super::frame::{self, FrameHeader, PartialVarint, Payload};
use crate::StreamId;

/// What the client's unidirectional streams have said so far.
#[derive(Debug, Default)]
pub struct Unidirectional {
    /// Three as a rule, for as long as the connection.
    streams: SmallVec<[(StreamId, StreamKind); 3]>,
    /// SETTINGS were there.
    settled: bool,
    /// What few clients have anything to say of: there are none.
    pushes: Option<Box<PushLimits>>,
}

/// What the client has said of pushes.
#[derive(Debug)]
struct PushLimits {
    /// The push from which on there are none, as the client said last.
    goaway: u64,
    /// How many pushes the client allows.
    max_push_id: u64,
}

/// What kind of a stream it is, and where it stands.
#[derive(Debug)]
enum StreamKind {
    /// Its type is not there yet.
    Opening(PartialVarint),
    /// Frames; with the one that is here in part.
    Control(Option<Box<StreamState>>),
    /// What fills the dynamic table that responses refer to requests' fields by.
    Encoder,
    /// What acknowledges fields that refer to the dynamic table; whether a number goes on, and for
    /// how many bytes it has.
    Decoder(Option<u8>),
    /// Unknown stream type.
    Unknown,
}

#[derive(Debug)]
enum StreamState {
    Between(FrameHeader),
    Payload { kind: u64, payload: Payload },
    Skipped(u64),
}

/// What a client said that others have to know of.
#[derive(Debug, PartialEq, Eq)]
pub struct PriorityUpdate {
    /// The stream of the request.
    pub stream: StreamId,
    /// The value of a `Priority` field.
    pub value: Bytes,
}

impl Default for PushLimits {
    fn default() -> Self {
        Self { goaway: u64::MAX, max_push_id: 0 }
    }
}

impl Unidirectional {
    /// Takes what has come on a stream. To be called again until it says `None`, with what is left
    /// in `from`. An error is the connection's.
    pub fn receive(
        &mut self,
        stream: StreamId,
        from: &mut Bytes,
    ) -> Result<Option<PriorityUpdate>, Code> {
        let at = match self.streams.iter().position(|(id, _)| *id == stream) {
            Some(at) => at,
            None => {
                self.streams.push((stream, StreamKind::Opening(PartialVarint::default())));
                self.streams.len() - 1
            }
        };
        if let StreamKind::Opening(number) = &mut self.streams[at].1 {
            let Some(kind) = number.take(from) else { return Ok(None) };
            self.streams[at].1 = self.kind(kind)?;
        }
        loop {
            match &mut self.streams[at].1 {
                StreamKind::Control(begun) => {
                    let mut state = begun.take().map_or_else(StreamState::default, |state| *state);
                    let said = state.next(from, self.settled)?;
                    if state.is_begun() {
                        *begun = Some(Box::new(state));
                    }
                    let Some((kind, payload)) = said else { return Ok(None) };
                    if let Some(update) = self.said(kind, payload)? {
                        return Ok(Some(update));
                    }
                }
                StreamKind::Encoder => {
                    encoder_instructions(from)?;
                    return Ok(None);
                }
                StreamKind::Decoder(number) => {
                    decoder_instructions(number, from)?;
                    return Ok(None);
                }
                StreamKind::Opening(_) | StreamKind::Unknown => {
                    from.clear();
                    return Ok(None);
                }
            }
        }
    }

    /// A stream has ended, or was reset.
    pub fn end(&mut self, stream: StreamId) -> Result<(), Code> {
        let Some(at) = self.streams.iter().position(|(id, _)| *id == stream) else { return Ok(()) };
        let kind = self.streams.swap_remove(at).1;
        if self.streams.spilled() {
            // As a rule a stream of no kind was one too many (GREASE; RFC 9114, 6.2.3): it is over soon.
            self.streams.shrink_to_fit();
        }
        match kind {
            StreamKind::Opening(_) | StreamKind::Unknown => Ok(()),
            _ => Err(Code::ClosedCriticalStream),
        }
    }

    /// A stream's type is there.
    fn kind(&self, kind: u64) -> Result<StreamKind, Code> {
        const CONTROL: u64 = 0x0;
        const PUSH: u64 = 0x1;
        const ENCODER: u64 = 0x2;
        const DECODER: u64 = 0x3;
        let kind = match kind {
            CONTROL => StreamKind::Control(None),
            ENCODER => StreamKind::Encoder,
            DECODER => StreamKind::Decoder(None),
            PUSH => return Err(Code::StreamCreationError),
            _ => return Ok(StreamKind::Unknown),
        };
        let same = |(_, other): &(_, StreamKind)| {
            std::mem::discriminant(other) == std::mem::discriminant(&kind)
        };
        if self.streams.iter().any(same) {
            return Err(Code::StreamCreationError);
        }
        Ok(kind)
    }

    fn pushes(&mut self) -> &mut PushLimits {
        self.pushes.get_or_insert_default()
    }

    /// A frame of the control stream is there (RFC 9114, 7.2).
    fn said(&mut self, kind: u64, payload: Bytes) -> Result<Option<PriorityUpdate>, Code> {
        match kind {
            frame::SETTINGS => {
                settings(payload)?;
                self.settled = true;
            }
            frame::GOAWAY => {
                let id = single(payload)?;
                // RFC 9114, 5.2.
                if std::mem::replace(&mut self.pushes().goaway, id) < id {
                    return Err(Code::IdError);
                }
            }
            frame::MAX_PUSH_ID => {
                let id = single(payload)?;
                if std::mem::replace(&mut self.pushes().max_push_id, id) > id {
                    return Err(Code::IdError);
                }
            }
            frame::CANCEL_PUSH => {
                single(payload)?;
                // Nothing was ever promised (RFC 9114, 7.2.3).
                return Err(Code::IdError);
            }
            frame::PRIORITY_UPDATE => {
                let (stream, value) = update(payload)?;
                // RFC 9218, 7.2: a stream that a client opens for a request.
                if stream % 4 != 0 {
                    return Err(Code::IdError);
                }
                return Ok(Some(PriorityUpdate { stream, value }));
            }
            _ => {
                update(payload)?;
                // As for CANCEL_PUSH.
                return Err(Code::IdError);
            }
        }
        Ok(None)
    }
}

impl Default for StreamState {
    fn default() -> Self {
        Self::Between(FrameHeader::default())
    }
}

impl StreamState {
    /// Whether a part of a frame was there.
    fn is_begun(&self) -> bool {
        match self {
            Self::Between(header) => header.is_begun(),
            Self::Payload { .. } | Self::Skipped(_) => true,
        }
    }

    /// The next frame that means something.
    fn next(&mut self, from: &mut Bytes, settled: bool) -> Result<Option<(u64, Bytes)>, Code> {
        loop {
            match self {
                Self::Between(header) => {
                    let Some((kind, len)) = header.take(from) else { return Ok(None) };
                    *self = Self::begin(kind, len, settled)?;
                }
                Self::Payload { kind, payload } => {
                    let Some(payload) = payload.take(from) else { return Ok(None) };
                    let said = (*kind, payload);
                    *self = Self::default();
                    return Ok(Some(said));
                }
                Self::Skipped(left) => {
                    *left = frame::skip(*left, from);
                    if *left > 0 {
                        return Ok(None);
                    }
                    *self = Self::default();
                }
            }
        }
    }

    /// A frame begins: is it one of those that may come, and now?
    fn begin(kind: u64, len: u64, settled: bool) -> Result<Self, Code> {
        match kind {
            frame::SETTINGS if settled => return Err(Code::FrameUnexpected),
            frame::SETTINGS => {}
            _ if !settled => return Err(Code::MissingSettings),
            frame::GOAWAY
            | frame::MAX_PUSH_ID
            | frame::CANCEL_PUSH
            | frame::PRIORITY_UPDATE
            | frame::PRIORITY_UPDATE_PUSH => {}
            frame::DATA | frame::HEADERS | frame::PUSH_PROMISE => {
                return Err(Code::FrameUnexpected);
            }
            _ if frame::is_http2(kind) => return Err(Code::FrameUnexpected),
            _ => return Ok(Self::Skipped(len)),
        }
        if len > QUIC_CONTROL_FRAME_BYTES_MAX {
            return Err(Code::ExcessiveLoad);
        }
        Ok(Self::Payload { kind, payload: Payload::new(len) })
    }
}

/// A number of a payload; that the payload ends in it is an error of the frame (RFC 9114, 7.1).
fn number(payload: &mut Bytes) -> Result<u64, Code> {
    PartialVarint::default().take(payload).ok_or(Code::FrameError)
}

/// The payload is one number.
fn single(mut payload: Bytes) -> Result<u64, Code> {
    let id = number(&mut payload)?;
    if payload.is_empty() { Ok(id) } else { Err(Code::FrameError) }
}

/// The payload of a PRIORITY_UPDATE (RFC 9218, 7.2).
fn update(mut payload: Bytes) -> Result<(u64, Bytes), Code> {
    Ok((number(&mut payload)?, payload))
}

/// The payload of SETTINGS (RFC 9114, 7.2.4). None of them changes what is sent here: there is no
/// dynamic table, and no response whose fields are too many for its client would be of use to it.
fn settings(mut payload: Bytes) -> Result<(), Code> {
    /// RFC 9220, 3, and RFC 9297, 2.1.1: yes or no.
    const ENABLE_CONNECT_PROTOCOL: u64 = 0x8;
    const H3_DATAGRAM: u64 = 0x33;
    let mut seen = Vec::new();
    while !payload.is_empty() {
        let (id, value) = (number(&mut payload)?, number(&mut payload)?);
        let is_switch = matches!(id, ENABLE_CONNECT_PROTOCOL | H3_DATAGRAM);
        // 7.2.4.1: those of HTTP/2 that HTTP/3 has no use for.
        if matches!(id, 0x0 | 0x2..=0x5) || is_switch && value > 1 || seen.contains(&id) {
            return Err(Code::SettingsError);
        }
        seen.push(id);
    }
    Ok(())
}

/// RFC 9204, 4.3. With a table of no bytes there is one thing to say: that it has none.
fn encoder_instructions(from: &mut Bytes) -> Result<(), Code> {
    const SET_CAPACITY_0: u8 = 0b0010_0000;
    let harmless = from.iter().all(|byte| *byte == SET_CAPACITY_0);
    from.clear();
    if harmless { Ok(()) } else { Err(Code::EncoderStreamError) }
}

/// RFC 9204, 4.4. Of what never was there is nothing to acknowledge. That a stream was given up may
/// be said of any.
fn decoder_instructions(number: &mut Option<u8>, from: &mut Bytes) -> Result<(), Code> {
    /// Behind the first byte (RFC 9204, 4.1.1).
    const NUMBER_BYTES_MAX: u8 = 9;
    for byte in std::mem::take(from) {
        *number = match *number {
            Some(NUMBER_BYTES_MAX) => return Err(Code::DecoderStreamError),
            Some(bytes) => (byte & 0x80 != 0).then_some(bytes + 1),
            None if byte & 0b1100_0000 == 0b0100_0000 => (byte & 0x3f == 0x3f).then_some(0),
            None => return Err(Code::DecoderStreamError),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &[u8] = b"\x00\x04\x02\x06\x10";

    /// Says this on the stream, in pieces; what comes of it.
    fn say(
        control: &mut Unidirectional,
        stream: StreamId,
        bytes: &[u8],
        piece: usize,
    ) -> Result<Vec<PriorityUpdate>, Code> {
        let mut updates = Vec::new();
        for piece in bytes.chunks(piece) {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(update) = control.receive(stream, &mut piece)? {
                updates.push(update);
            }
            assert!(piece.is_empty());
        }
        Ok(updates)
    }

    /// One stream, whole and byte for byte.
    fn error(bytes: &[u8]) -> Option<Code> {
        let whole = say(&mut Unidirectional::default(), 2, bytes, 999).err();
        assert_eq!(say(&mut Unidirectional::default(), 2, bytes, 1).err(), whole, "{bytes:?}");
        whole
    }

    fn error_after_settings(bytes: &[u8]) -> Option<Code> {
        error(&[SETTINGS, bytes].concat())
    }

    #[test]
    fn what_a_client_may_say() {
        assert_eq!(error_after_settings(b"\x07\x01\x08\x07\x01\x04"), None, "GOAWAY");
        assert_eq!(error_after_settings(b"\x0d\x01\x04\x0d\x01\x08"), None, "MAX_PUSH_ID");
        assert_eq!(error_after_settings(b"\x21\x05hello\x21\x00"), None, "unknown frames");
        assert_eq!(error(b"\x00\x04\x00"), None, "no settings");
        assert_eq!(error(b"\x00\x04\x06\x21\x01\x08\x01\x33\x00"), None, "settings");
        assert_eq!(error(b"\x21whatever"), None, "an unknown stream");
        assert_eq!(error(b"\x02\x20\x20"), None, "a table of no bytes");
        assert_eq!(error(b"\x03\x40\x7e\x7f\x80\x01\x7f\x05"), None, "streams were given up");
    }

    #[test]
    fn frames_have_their_places() {
        for kind in [0x0, 0x1, 0x2, 0x4, 0x5, 0x6, 0x8, 0x9] {
            assert_eq!(error_after_settings(&[kind, 0]), Some(Code::FrameUnexpected), "{kind}");
        }
        for kind in [0x0, 0x1, 0x2, 0x3, 0x7, 0xd, 0x21] {
            assert_eq!(error(&[0, kind, 0]), Some(Code::MissingSettings), "{kind}");
        }
    }

    #[test]
    fn payloads_are_what_their_frames_say() {
        for payload in [&b"\x00"[..], b"\x02\x00\x00", b"\x01\x40", b"\x03\x40\x00\x00"] {
            for kind in [0x3, 0x7, 0xd] {
                let error = error_after_settings(&[&[kind], payload].concat());
                assert_eq!(error, Some(Code::FrameError), "{kind} {payload:?}");
            }
        }
        for update in [&b"\x80\x0f\x07\x00\x00"[..], b"\x80\x0f\x07\x01\x01\x40"] {
            assert_eq!(error_after_settings(update), Some(Code::FrameError));
        }
        for settings in [&b"\x00\x04\x01\x06"[..], b"\x00\x04\x02\x06\x40", b"\x00\x04\x01\x40"] {
            assert_eq!(error(settings), Some(Code::FrameError));
        }
        let large = [&b"\x00\x04\x44\x01"[..], &[0; 0x401]].concat();
        assert_eq!(error(&large), Some(Code::ExcessiveLoad));
    }

    #[test]
    fn settings_that_must_not_be() {
        for id in [0, 2, 3, 4, 5] {
            assert_eq!(error(&[0, 4, 2, id, 0]), Some(Code::SettingsError));
        }
        assert_eq!(error(b"\x00\x04\x02\x08\x02"), Some(Code::SettingsError));
        assert_eq!(error(b"\x00\x04\x02\x33\x02"), Some(Code::SettingsError));
        assert_eq!(error(b"\x00\x04\x04\x21\x01\x21\x01"), Some(Code::SettingsError));
    }

    #[test]
    fn ids_that_cannot_be() {
        let id = Some(Code::IdError);
        assert_eq!(error_after_settings(b"\x07\x01\x04\x07\x01\x08"), id, "GOAWAY grows");
        assert_eq!(error_after_settings(b"\x0d\x01\x04\x0d\x01\x03"), id, "MAX_PUSH_ID shrinks");
        assert_eq!(error_after_settings(b"\x03\x01\x00"), id, "nothing was promised");
        assert_eq!(error_after_settings(b"\x80\x0f\x07\x01\x02\x00u"), id, "nor here");
        for stream in 1..4 {
            assert_eq!(error_after_settings(&[0x80, 0xf, 7, 0, 1, stream]), id, "{stream}");
        }
    }

    #[test]
    fn priorities_are_passed_on() {
        let bytes = [SETTINGS, b"\x80\x0f\x07\x00\x04\x08u=1", b"\x80\x0f\x07\x00\x01\x0c"];
        for piece in 1..20 {
            let updates = say(&mut Unidirectional::default(), 2, &bytes.concat(), piece).unwrap();
            let value = Bytes::from_static(b"u=1");
            let expected = [
                PriorityUpdate { stream: 8, value },
                PriorityUpdate { stream: 12, value: Bytes::new() },
            ];
            assert_eq!(updates, expected);
        }
    }

    #[test]
    fn what_there_is_one_of() {
        for kind in [0, 2, 3] {
            let mut control = Unidirectional::default();
            say(&mut control, 2, &[kind], 1).unwrap();
            assert_eq!(say(&mut control, 6, &[kind], 1), Err(Code::StreamCreationError));
            let mut control = Unidirectional::default();
            say(&mut control, 2, &[kind], 1).unwrap();
            assert_eq!(control.end(2), Err(Code::ClosedCriticalStream));
        }
        assert_eq!(error(b"\x01\x00"), Some(Code::StreamCreationError), "a push");
    }

    #[test]
    fn streams_that_mean_nothing_leave_nothing() {
        let mut control = Unidirectional::default();
        for nth in 0..100 {
            say(&mut control, nth, [&b"\x40"[..], b"\x21x"][nth as usize % 2], 1).unwrap();
            control.end(nth).unwrap();
        }
        control.end(4711).unwrap();
        assert!(control.streams.is_empty());
    }

    #[test]
    fn qpack_without_a_table() {
        let encoder = Some(Code::EncoderStreamError);
        assert_eq!(error(b"\x02\x3f\xe1\x1f"), encoder, "a table");
        assert_eq!(error(b"\x02\x41a\x01b"), encoder, "a field");
        assert_eq!(error(b"\x02\xc0\x01b"), encoder, "a field with a known name");
        assert_eq!(error(b"\x02\x00"), encoder, "a copy");
        let decoder = Some(Code::DecoderStreamError);
        assert_eq!(error(b"\x03\x80"), decoder, "an acknowledgement");
        assert_eq!(error(b"\x03\x00"), decoder, "an increment of none");
        assert_eq!(error(b"\x03\x01"), decoder, "an increment");
        let endless = [&b"\x03\x7f"[..], &[0xff; 10]].concat();
        assert_eq!(error(&endless), decoder, "a number that does not end");
    }
}
