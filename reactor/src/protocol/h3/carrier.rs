//! [`Carrier`]: a stream of `quiche`'s, as a response sees it.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Response};
use quiche::h3::qpack::Encoder;
use quiche::h3::{Connection, Error, HeaderRef, NameValue, WireErrorCode};
use wire::limits::QUIC_SECTION_BYTES_MAX;

use super::Quic;
use super::stream::Urgency;
use crate::protocol::reply::{Cut, Refused, Sink};

/// What a DATA frame's header may take (RFC 9114, 7.1): its type, and its length.
const FRAME_OVERHEAD: usize = 1 + 8;

/// The way of one response to the client.
pub struct Carrier<'a> {
    /// The connection.
    pub quic: &'a mut Quic,
    /// What speaks HTTP/3 on it.
    pub h3: &'a mut Connection,
    /// The stream.
    pub stream: u64,
    /// Who makes the frames.
    pub framing: &'a mut Framing,
    /// How urgent the response is.
    pub priority: Urgency,
}

/// Who makes the frames of a response.
///
/// `quiche` does, as long as field sections are small: it gives one to a stream as a whole, or waits.
/// For a large one it might wait for ever, because a window that nothing is sent through does not
/// grow. From such a section on the frames are made here.
#[derive(Debug)]
pub enum Framing {
    /// `quiche`; whether there was a head, if only an interim one.
    Theirs(bool),
    /// Ours; what the stream has not taken yet of the frame in work.
    Ours(Option<Bytes>),
}

impl Default for Framing {
    fn default() -> Self {
        Self::Theirs(false)
    }
}

impl Framing {
    /// Whether there was a head, if only an interim one.
    pub fn is_headed(&self) -> bool {
        !matches!(self, Self::Theirs(false))
    }

    /// Whether `quiche` does not know what was sent.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }
}

impl Carrier<'_> {
    fn section(&mut self, list: &[HeaderRef<'_>], last: bool) -> Result<(), Refused<()>> {
        let bytes: usize = list.iter().map(|line| line.name().len() + line.value().len()).sum();
        let Framing::Theirs(headed) = *self.framing else { return self.frame(list, last) };
        if bytes > QUIC_SECTION_BYTES_MAX {
            if !headed {
                self.priority.apply(self.quic, self.stream);
            }
            *self.framing = Framing::Ours(None);
            return self.frame(list, last);
        }
        let Self { quic, h3, stream, priority, .. } = self;
        let sent = if headed {
            h3.send_additional_headers(quic, *stream, list, false, last)
        } else {
            h3.send_response_with_priority(quic, *stream, list, &priority.get(), last)
        };
        match sent {
            Ok(()) => {
                *self.framing = Framing::Theirs(true);
                Ok(())
            }
            Err(Error::StreamBlocked | Error::Done) => Err(Refused::Full(())),
            Err(_) => Err(Refused::Gone),
        }
    }

    /// Gives the stream a HEADERS frame, piece by piece.
    fn frame(&mut self, list: &[HeaderRef<'_>], last: bool) -> Result<(), Refused<()>> {
        let Framing::Ours(rest) = self.framing else { return Err(Refused::Gone) };
        let mut frame = match rest.take() {
            Some(frame) => frame,
            None => headers(list).ok_or(Refused::Gone)?,
        };
        loop {
            let room = self.quic.stream_capacity(self.stream).map_err(|_| Refused::Gone)?;
            let piece = frame.split_to(frame.len().min(room));
            let ends = frame.is_empty();
            if piece.is_empty() {
                // To be told when there is room, and the client that it is in the way.
                self.quic.stream_writable(self.stream, 1).map_err(|_| Refused::Gone)?;
                *rest = Some(frame);
                return Err(Refused::Full(()));
            }
            let len = piece.len();
            match self.quic.stream_send_zc(self.stream, piece, ends && last) {
                Ok((sent, _)) if sent == len => {}
                _ => return Err(Refused::Gone),
            }
            if ends {
                return Ok(());
            }
        }
    }

    fn response(&mut self, head: &Response<()>, last: bool) -> Result<(), Refused<()>> {
        let status = head.status();
        let mut list = Vec::with_capacity(head.headers().len() + 1);
        list.push(HeaderRef::new(b":status", status.as_str().as_bytes()));
        list.extend(lines(head.headers()));
        self.section(&list, last)
    }
}

fn lines(fields: &HeaderMap) -> impl Iterator<Item = HeaderRef<'_>> {
    fields.iter().map(|(name, value)| HeaderRef::new(name.as_str().as_bytes(), value.as_bytes()))
}

/// A HEADERS frame (RFC 9114, 7.2.2).
fn headers(list: &[HeaderRef<'_>]) -> Option<Bytes> {
    const HEADERS: u8 = 1;
    let most: usize = list.iter().map(|line| line.name().len() + line.value().len() + 32).sum();
    let mut section = vec![0; most + 2];
    let len = Encoder::new().encode(list, &mut section).ok()?;
    let mut frame = BytesMut::with_capacity(FRAME_OVERHEAD + len);
    frame.put_u8(HEADERS);
    put_length(&mut frame, len);
    frame.extend_from_slice(&section[..len]);
    Some(frame.freeze())
}

/// A length in eight bytes (RFC 9000, 16), however short it could be.
fn put_length(out: &mut BytesMut, len: usize) {
    out.put_u64(0b11 << 62 | len as u64);
}

/// Gives back what was not taken.
fn back<T>(refused: Refused<()>, what: T) -> Refused<T> {
    match refused {
        Refused::Full(()) => Refused::Full(what),
        Refused::Gone => Refused::Gone,
    }
}

impl Sink for Carrier<'_> {
    fn interim(&mut self, head: Response<()>) -> Result<(), Refused<Response<()>>> {
        self.response(&head, false).map_err(|refused| back(refused, head))
    }

    fn head(&mut self, head: Response<()>, last: bool) -> Result<(), Refused<Response<()>>> {
        self.response(&head, last).map_err(|refused| back(refused, head))
    }

    fn room(&mut self, wanted: u64) -> Option<usize> {
        let room = self.quic.stream_capacity(self.stream).ok()?.saturating_sub(FRAME_OVERHEAD);
        if room == 0 {
            // As above.
            self.quic.stream_writable(self.stream, FRAME_OVERHEAD + 1).ok()?;
        }
        Some(room.min(usize::try_from(wanted).unwrap_or(usize::MAX)))
    }

    fn data(&mut self, mut data: Bytes, last: bool) -> Result<(), Refused<()>> {
        const DATA: u8 = 0;
        let len = data.len();
        if self.framing.is_ours() {
            if len > 0 {
                let mut header = BytesMut::with_capacity(FRAME_OVERHEAD);
                header.put_u8(DATA);
                put_length(&mut header, len);
                let sent = self.quic.stream_send_zc(self.stream, header.freeze(), false);
                sent.map_err(|_| Refused::Gone)?;
            }
            return match self.quic.stream_send_zc(self.stream, data, last) {
                Ok((sent, _)) if sent == len => Ok(()),
                _ => Err(Refused::Gone),
            };
        }
        match self.h3.send_body_zc(self.quic, self.stream, &mut data, last) {
            Ok(sent) if sent == len => Ok(()),
            Err(Error::Done) if len == 0 => Err(Refused::Full(())),
            _ => Err(Refused::Gone),
        }
    }

    fn trailers(&mut self, trailers: HeaderMap) -> Result<(), Refused<HeaderMap>> {
        let list: Vec<_> = lines(&trailers).collect();
        let sent = self.section(&list, true);
        sent.map_err(|refused| back(refused, trailers))
    }

    fn reset(&mut self, cut: Cut) {
        let code = match cut {
            Cut::Cancelled => WireErrorCode::RequestCancelled,
            Cut::Broken => WireErrorCode::InternalError,
        };
        // A stream that is gone needs no reset.
        let _ = self.quic.stream_shutdown(self.stream, quiche::Shutdown::Write, code as u64);
    }
}
