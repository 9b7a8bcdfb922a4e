//! [`Carrier`]: a stream of `quiche`'s, as a response sees it.

use bytes::Bytes;
use http::{HeaderMap, Response};
use quiche::h3::{Connection, Error, HeaderRef, Priority, WireErrorCode};

use super::Quic;
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
    /// Whether a head was sent, if only an interim one.
    pub headed: &'a mut bool,
    /// How urgent the response is.
    pub priority: Priority,
}

impl Carrier<'_> {
    fn fields(&mut self, list: &[HeaderRef<'_>], last: bool) -> Result<(), Refused<()>> {
        let Self { quic, h3, stream, headed, priority } = self;
        let sent = if **headed {
            h3.send_additional_headers(quic, *stream, list, false, last)
        } else {
            h3.send_response_with_priority(quic, *stream, list, priority, last)
        };
        match sent {
            Ok(()) => {
                **headed = true;
                Ok(())
            }
            Err(Error::StreamBlocked | Error::Done) => Err(Refused::Full(())),
            Err(_) => Err(Refused::Gone),
        }
    }

    fn response(&mut self, head: &Response<()>, last: bool) -> Result<(), Refused<()>> {
        let status = head.status();
        let mut list = Vec::with_capacity(head.headers().len() + 1);
        list.push(HeaderRef::new(b":status", status.as_str().as_bytes()));
        list.extend(lines(head.headers()));
        self.fields(&list, last)
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
            // To be told when there is, and the client that it is in the way.
            self.quic.stream_writable(self.stream, FRAME_OVERHEAD + 1).ok()?;
        }
        Some(room.min(usize::try_from(wanted).unwrap_or(usize::MAX)))
    }

    fn data(&mut self, mut data: Bytes, last: bool) -> Result<(), Refused<()>> {
        let len = data.len();
        match self.h3.send_body_zc(self.quic, self.stream, &mut data, last) {
            Ok(sent) if sent == len => Ok(()),
            Err(Error::Done) if len == 0 => Err(Refused::Full(())),
            _ => Err(Refused::Gone),
        }
    }

    fn trailers(&mut self, trailers: HeaderMap) -> Result<(), Refused<HeaderMap>> {
        let list: Vec<_> = lines(&trailers).collect();
        let sent = self.fields(&list, true);
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
