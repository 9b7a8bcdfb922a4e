//! [`StreamWriter`]: writes a response to a stream of `quiche`.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Response};
use quiche::h3::HeaderRef;
use wire::limits::QUIC_COPY_BYTES_MAX;

use super::error::Code;
use super::{Quic, frame, log, qpack};
use crate::reply::{Refused, ResetReason, Sink};

/// What a DATA frame's header may take (RFC 9114, 7.1): its type, and its length.
const FRAME_OVERHEAD: usize = 1 + 8;

/// The way of one response to the client.
pub struct StreamWriter<'a> {
    /// The connection.
    pub quic: &'a mut Quic,
    /// The stream.
    pub stream: u64,
    /// What the stream has not taken yet of the HEADERS frame in work. A frame of many fields does
    /// not fit a small window, and a window that nothing is sent through does not grow.
    pub unsent: &'a mut Option<Bytes>,
    /// What it is to be reset with: not before the client has ended it.
    pub cut: Option<Code>,
    /// Bytes that the stream has taken.
    pub sent: u64,
}

impl StreamWriter<'_> {
    /// Gives the stream a HEADERS frame, piece by piece: the one in work, if there is one.
    fn section(&mut self, list: &[HeaderRef<'_>], last: bool) -> Result<(), Refused<()>> {
        let mut frame = match self.unsent.take() {
            Some(frame) => frame,
            None => {
                let frame = qpack::encode(list).ok_or(Refused::Gone)?;
                log::headers_created(self.quic, self.stream, list, frame.len());
                frame
            }
        };
        loop {
            let room = self.quic.stream_capacity(self.stream).map_err(|_| Refused::Gone)?;
            let piece = frame.split_to(frame.len().min(room));
            let ends = frame.is_empty();
            if piece.is_empty() {
                // To be told when there is room, and the client that it is in the way.
                self.quic.stream_writable(self.stream, 1).map_err(|_| Refused::Gone)?;
                *self.unsent = Some(frame);
                return Err(Refused::Full(()));
            }
            self.give(piece, ends && last)?;
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

    /// Gives the stream bytes that it has room for.
    fn give(&mut self, bytes: Bytes, last: bool) -> Result<(), Refused<()>> {
        let len = bytes.len();
        match self.quic.stream_send_zc(self.stream, bytes, last) {
            Ok((sent, _)) if sent == len => {
                self.sent += len as u64;
                Ok(())
            }
            _ => Err(Refused::Gone),
        }
    }
}

fn lines(fields: &HeaderMap) -> impl Iterator<Item = HeaderRef<'_>> {
    fields.iter().map(|(name, value)| HeaderRef::new(name.as_str().as_bytes(), value.as_bytes()))
}

/// Gives back what was not taken.
fn back<T>(refused: Refused<()>, what: T) -> Refused<T> {
    match refused {
        Refused::Full(()) => Refused::Full(what),
        Refused::Gone => Refused::Gone,
    }
}

impl Sink for StreamWriter<'_> {
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

    fn data(&mut self, data: Bytes, last: bool) -> Result<(), Refused<()>> {
        if data.is_empty() {
            return self.give(data, last);
        }
        log::data_created(self.quic, self.stream, data.len());
        let copied = if data.len() <= QUIC_COPY_BYTES_MAX { data.len() } else { 0 };
        let mut frame = BytesMut::with_capacity(FRAME_OVERHEAD + copied);
        frame::put_number(&mut frame, frame::DATA);
        frame::put_number(&mut frame, data.len() as u64);
        if copied > 0 {
            frame.put_slice(&data);
            return self.give(frame.freeze(), last);
        }
        self.give(frame.freeze(), false)?;
        self.give(data, last)
    }

    fn trailers(&mut self, trailers: HeaderMap) -> Result<(), Refused<HeaderMap>> {
        let list: Vec<_> = lines(&trailers).collect();
        let sent = self.section(&list, true);
        sent.map_err(|refused| back(refused, trailers))
    }

    fn reset(&mut self, cut: ResetReason) {
        self.cut = Some(match cut {
            ResetReason::Cancelled => Code::RequestCancelled,
            ResetReason::Broken => Code::InternalError,
        });
    }
}
