//! Frames: how parts cross a link.
//!
//! A frame is a header of 16 bytes and a payload. All numbers are little-endian; both ends run on
//! the same machine from the same build.
//!
//! ```text
//!  0        4      5      6         7     8           16
//!  | length | kind | mark | address |  0  |  number  | payload …
//! ```
//!
//! `address` says what the number names: an exchange (0), a connection (1) or a pool of workers (2). Each
//! kind of frame takes one of them; a frame with another is broken.
//!
//! Heads are bincode (fixed-width integers), bodies are raw. A file's descriptor travels beside the
//! bytes (SCM_RIGHTS); descriptors arrive in the order of their frames and never later than them. One
//! message carries one descriptor at most, so that a reader who has no room for one knows which it was.

mod address;
mod claims;
mod kind;
mod message;
mod payload;

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use self::address::AddressKind;
pub use self::address::{Address, ConnectionId, PoolId};
use self::kind::FrameKind;
pub use self::message::{ToReactor, ToWorker};
use self::payload::{decode, number};
use crate::error::CodecError;
use crate::exchange::ExchangeId;
use crate::fields::{FieldSpan, Fields};
use crate::head::{
    RequestHead, RequestHeadFrame, RequestHeadRef, ResponseHead, ResponseHeadFrame, ResponseHeadRef,
};
use crate::limits::{FRAME_BYTES_MAX, LINK_DESCRIPTORS_MAX};
use crate::part::{FileSlice, OpenFile, Part, Reason};
use crate::shm::arena::{Arena, Lend, Loan};

/// Length of a frame's header in bytes.
pub const HEADER_BYTES: usize = 16;

/// The limit keeps a damaged length from allocating.
const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Fixint,
    bincode::config::Limit<{ FRAME_BYTES_MAX as usize }>,
> = bincode::config::standard().with_fixed_int_encoding().with_limit();

/// Bytes and descriptors that wait to be written to a link.
#[derive(Debug, Default)]
pub struct Encoder {
    /// Encoded frames.
    pub bytes: BytesMut,
    /// Descriptors to be sent with them, each in a message of its own, in the order of their frames.
    pub descriptors: VecDeque<Attached>,
}

/// A descriptor beside its frame.
#[derive(Debug)]
pub struct Attached {
    /// Where the frame begins in [`Encoder::bytes`]: the descriptor goes no later.
    pub at: usize,
    /// The file.
    pub file: Arc<OpenFile>,
}

impl Encoder {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What may be sent in one message with the first descriptor: everything before the frame of the
    /// second.
    pub fn piece(&self) -> &[u8] {
        let end = self.descriptors.get(1).map_or(self.bytes.len(), |second| second.at);
        &self.bytes[..end]
    }

    /// So many of the bytes have been sent.
    pub fn advance(&mut self, sent: usize) {
        self.bytes.advance(sent);
        for descriptor in &mut self.descriptors {
            descriptor.at = descriptor.at.saturating_sub(sent);
        }
    }

    /// Nothing waits any more.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.descriptors.clear();
    }

    /// Appends a message to a worker.
    pub fn to_worker(&mut self, exchange: ExchangeId, message: &ToWorker) {
        match message {
            ToWorker::Request { mark, part: Part::Head(head) } => {
                self.request_head(exchange, *mark, head);
            }
            ToWorker::Request { mark, part } => self.rest(*mark, exchange, part),
            ToWorker::Credit(bytes) => {
                self.raw(FrameKind::Credit, 0, exchange, &bytes.to_le_bytes());
            }
            ToWorker::Streamed => self.raw(FrameKind::Streamed, 0, exchange, &[]),
            ToWorker::SetWindow(bytes) => {
                self.raw(FrameKind::SetWindow, 0, exchange, &bytes.to_le_bytes());
            }
            ToWorker::Detached(yes) => {
                self.raw(FrameKind::Detached, 0, exchange, &[u8::from(*yes)])
            }
            ToWorker::Claimed(claimed) => self.claimed(exchange, claimed.as_deref()),
            ToWorker::Opened { mark, origin } => {
                self.encoded(FrameKind::Opened, *mark, exchange, origin);
            }
            ToWorker::Closed { mark, origin } => {
                self.encoded(FrameKind::Closed, *mark, exchange, origin);
            }
        }
    }

    /// Appends a request's head without taking it: it is kept in case the worker dies.
    pub fn request_head(&mut self, exchange: ExchangeId, mark: u8, head: &RequestHead) {
        self.encoded(FrameKind::Head, mark, exchange, RequestHeadRef::from(head));
    }

    /// Appends a part of a response.
    pub fn to_reactor(&mut self, exchange: ExchangeId, part: &Part<ResponseHead>) {
        match part {
            Part::Head(head) => self.response_head(exchange, head),
            part => self.rest(0, exchange, part),
        }
    }

    /// Appends [`ToReactor::Complete`].
    pub fn complete(&mut self, exchange: ExchangeId) {
        self.raw(FrameKind::Complete, 0, exchange, &[]);
    }

    /// Appends [`ToReactor::RequestCredit`].
    pub fn request_credit(&mut self, exchange: ExchangeId, bytes: u32) {
        self.raw(FrameKind::RequestCredit, 0, exchange, &bytes.to_le_bytes());
    }

    /// Appends [`ToReactor::Close`].
    pub fn close(&mut self, connection: ConnectionId) {
        self.raw(FrameKind::Close, 0, connection, &[]);
    }

    /// Appends a response head that the caller keeps.
    pub fn response_head(&mut self, exchange: ExchangeId, head: &ResponseHead) {
        self.encoded(FrameKind::Head, 0, exchange, ResponseHeadRef::from(head));
    }

    /// Appends a body frame without a [`Bytes`] in between; at most
    /// [`BODY_FRAME_BYTES_MAX`](crate::limits::BODY_FRAME_BYTES_MAX) at a time.
    pub fn body(&mut self, exchange: ExchangeId, content: &[u8]) {
        self.raw(FrameKind::Body, 0, exchange, content);
    }

    /// Appends content that lies in a block of the worker's arena.
    pub fn block(&mut self, exchange: ExchangeId, block: u8, len: u32) {
        self.raw(FrameKind::Block, block, exchange, &len.to_le_bytes());
    }

    /// The header of a body frame of `len` bytes, for a sender that writes the content itself.
    pub fn body_header(exchange: ExchangeId, len: u32) -> [u8; HEADER_BYTES] {
        header(FrameKind::Body, 0, exchange, len)
    }

    fn rest<H>(&mut self, mark: u8, exchange: ExchangeId, part: &Part<H>) {
        match part {
            Part::Head(_) => {
                unreachable!("heads are encoded by the caller, which knows their type")
            }
            Part::Body(content) => self.raw(FrameKind::Body, mark, exchange, content),
            Part::File(slice) => {
                let (at, file) = (self.bytes.len(), Arc::clone(&slice.fd));
                self.descriptors.push_back(Attached { at, file });
                self.encoded(FrameKind::File, mark, exchange, (slice.offset, slice.len));
            }
            Part::End(trailers) => {
                let trailers = trailers.as_ref().map(|t| (&t.block()[..], t.spans()));
                match trailers {
                    None => self.raw(FrameKind::End, mark, exchange, &[]),
                    Some(trailers) => self.encoded(FrameKind::End, mark, exchange, trailers),
                }
            }
            Part::Abort(reason) => self.raw(FrameKind::Abort, mark, exchange, &[*reason as u8]),
        }
    }

    fn raw(&mut self, kind: FrameKind, mark: u8, address: impl Into<Address>, payload: &[u8]) {
        self.bytes.reserve(HEADER_BYTES + payload.len());
        self.bytes.extend_from_slice(&header(kind, mark, address, payload.len() as u32));
        self.bytes.extend_from_slice(payload);
    }

    fn encoded<E: bincode::Encode>(
        &mut self,
        kind: FrameKind,
        mark: u8,
        exchange: ExchangeId,
        value: E,
    ) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&header(kind, mark, exchange, 0));
        // Writing to memory cannot fail, and no Encode of ours does.
        let _ = bincode::encode_into_writer(value, Growing(&mut self.bytes), CONFIG);
        let len = (self.bytes.len() - at - HEADER_BYTES) as u32;
        self.bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }
}

fn header(kind: FrameKind, mark: u8, address: impl Into<Address>, len: u32) -> [u8; HEADER_BYTES] {
    let (address, number) = address.into().parts();
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&len.to_le_bytes());
    header[4] = kind as u8;
    header[5] = mark;
    header[6] = address as u8;
    header[8..].copy_from_slice(&number.to_le_bytes());
    header
}

struct Growing<'a>(&'a mut BytesMut);

impl bincode::enc::write::Writer for Growing<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Bytes and descriptors that were read from a link and are not yet messages.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Where the reader appends what it read.
    pub bytes: BytesMut,
    /// Descriptors that came, in order, and whose frames have not been read; `None` for one that the
    /// process had no room for.
    pub descriptors: VecDeque<Option<OwnedFd>>,
    /// Where the blocks lie that a worker's frames name.
    pub arena: Option<Arena>,
    /// Makes content of a block; by itself, a copy.
    pub lend: Option<Lend>,
}

impl Decoder {
    /// Takes the descriptor that came with a message, before the next is read. What came beside it, as
    /// no message carries two, is closed, and so is what no frame takes. `cut` says that the process
    /// had no room for all that came.
    pub fn descriptors_came(&mut self, came: impl IntoIterator<Item = OwnedFd>, cut: bool) {
        let first = came.into_iter().next();
        if (first.is_some() || cut) && self.descriptors.len() < LINK_DESCRIPTORS_MAX {
            self.descriptors.push_back(first);
        }
    }

    /// Descriptors that no frame has taken.
    pub fn waiting_descriptors(&self) -> usize {
        self.descriptors.len()
    }

    /// The next message from the reactor; `None` while it is incomplete.
    pub fn next_to_worker(&mut self) -> Result<Option<(Address, ToWorker)>, CodecError> {
        let Some(frame) = self.next_frame()? else { return Ok(None) };
        let mark = frame.mark;
        let message = match frame.kind {
            FrameKind::Head => {
                let head: RequestHeadFrame<'_> = decode(&frame.payload)?;
                let head = Box::new(head.into_head(&frame.payload)?);
                ToWorker::Request { mark, part: Part::Head(head) }
            }
            FrameKind::Credit => ToWorker::Credit(number(&frame.payload)?),
            FrameKind::SetWindow => ToWorker::SetWindow(number(&frame.payload)?),
            FrameKind::Streamed if frame.payload.is_empty() => ToWorker::Streamed,
            FrameKind::Detached | FrameKind::Claimed => {
                claims::to_worker(&frame.kind, &frame.payload)?
            }
            FrameKind::Opened => ToWorker::Opened { mark, origin: decode(&frame.payload)? },
            FrameKind::Closed => ToWorker::Closed { mark, origin: decode(&frame.payload)? },
            kind => {
                let part = self.part(kind, mark, frame.address, frame.payload)?;
                ToWorker::Request { mark, part }
            }
        };
        Ok(Some((frame.address, message)))
    }

    /// The next message from a worker; `None` while it is incomplete.
    pub fn next_to_reactor(&mut self) -> Result<Option<(Address, ToReactor)>, CodecError> {
        let Some(frame) = self.next_frame()? else { return Ok(None) };
        let part = match frame.kind {
            FrameKind::Block => {
                let len = number(&frame.payload)? as usize;
                let arena = self.arena.filter(|_| len > 0);
                let loan = arena.and_then(|arena| arena.borrow(frame.mark, len));
                let content = self.lend.unwrap_or(Loan::copy);
                Part::Body(content(loan.ok_or(CodecError::Payload)?))
            }
            FrameKind::Head => {
                let head: ResponseHeadFrame<'_> = decode(&frame.payload)?;
                Part::Head(head.into_head(&frame.payload)?)
            }
            FrameKind::RequestCredit => {
                let credit = ToReactor::RequestCredit(number(&frame.payload)?);
                return Ok(Some((frame.address, credit)));
            }
            FrameKind::Detach | FrameKind::Claim => {
                return Ok(Some((frame.address, claims::to_reactor(&frame.kind, &frame.payload)?)));
            }
            FrameKind::Complete if frame.payload.is_empty() => {
                return Ok(Some((frame.address, ToReactor::Complete)));
            }
            FrameKind::Close if frame.payload.is_empty() => {
                return Ok(Some((frame.address, ToReactor::Close)));
            }
            kind => self.part(kind, frame.mark, frame.address, frame.payload)?,
        };
        Ok(Some((frame.address, part.into())))
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, CodecError> {
        let Some(header) = self.bytes.first_chunk::<HEADER_BYTES>() else {
            if self.bytes.is_empty() && self.descriptors.len() > 1 {
                // Only the last one's frame can be on its way still: nobody takes the others.
                self.descriptors.drain(..self.descriptors.len() - 1);
            }
            return Ok(None);
        };
        let len = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        if len > FRAME_BYTES_MAX {
            return Err(CodecError::TooLong(len));
        }
        let kind = FrameKind::from_u8(header[4])?;
        let mark = header[5];
        let address = AddressKind::from_u8(header[6])?;
        if address != kind.address() {
            return Err(CodecError::Address(header[6]));
        }
        let number = header.last_chunk::<8>().map_or(0, |number| u64::from_le_bytes(*number));
        let address = Address::from_parts(address, number)?;
        if self.bytes.len() < HEADER_BYTES + len as usize {
            self.bytes.reserve(HEADER_BYTES + len as usize - self.bytes.len());
            return Ok(None);
        }
        self.bytes.advance(HEADER_BYTES);
        let payload = self.bytes.split_to(len as usize).freeze();
        Ok(Some(Frame { kind, mark, address, payload }))
    }

    fn part<H>(
        &mut self,
        kind: FrameKind,
        mark: u8,
        address: Address,
        payload: Bytes,
    ) -> Result<Part<H>, CodecError> {
        Ok(match kind {
            FrameKind::Body if payload.is_empty() => return Err(CodecError::Payload),
            FrameKind::Body => Part::Body(payload),
            FrameKind::File => {
                let (offset, len) = decode(&payload)?;
                let fd = self.descriptors.pop_front().flatten();
                let fd = fd.ok_or(CodecError::MissingDescriptor { address, mark })?;
                Part::File(FileSlice::new(fd, offset, len))
            }
            FrameKind::End if payload.is_empty() => Part::End(None),
            FrameKind::End => {
                let (block, spans): (&[u8], Vec<FieldSpan>) = decode(&payload)?;
                let fields = Fields::from_block(payload.slice_ref(block), spans);
                Part::End(Some(fields.ok_or(CodecError::Payload)?))
            }
            FrameKind::Abort => {
                let reason = payload.first().copied().and_then(Reason::from_u8);
                Part::Abort(reason.ok_or(CodecError::Payload)?)
            }
            kind => return Err(CodecError::Kind(kind as u8)),
        })
    }
}

struct Frame {
    kind: FrameKind,
    mark: u8,
    address: Address,
    payload: Bytes,
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use proptest::prelude::*;

    use super::*;
    use crate::claim::{ClaimSecret, Claimed};
    use crate::head::{BodyLength, Origin, Scheme, Version};
    use crate::ids::{RequestId, RequestIds};
    use crate::tls::TlsInfo;

    fn request_head() -> Box<RequestHead> {
        Box::new(RequestHead {
            method: Method::GET,
            path: Bytes::from_static(b"/a"),
            query: Some(Bytes::from_static(b"b=c")),
            version: Version::Http11,
            scheme: Scheme::Http,
            fields: [(&b"host"[..], &b"localhost"[..])].into_iter().collect(),
            origin: Origin {
                connection: 7,
                port: 1,
                reactor: 2,
                remote: Some(([127, 0, 0, 1], 80).into()),
                received_at: 9,
                ..Origin::default()
            },
            tls: Some(TlsInfo::from_bytes(Bytes::from_static(b"tls"))),
            ids: RequestIds { request: RequestId::parse(b"id"), trace: Some([7; 16]) },
            streamed: false,
            upgrade: None,
        })
    }

    #[test]
    fn a_request_survives_the_link_byte_by_byte() {
        let id = ExchangeId::new(3, 4);
        let mut encoder = Encoder::default();
        encoder.to_worker(id, &ToWorker::Request { mark: 5, part: Part::Head(request_head()) });
        encoder.to_worker(id, &ToWorker::SetWindow(6));
        let end = ToWorker::Request { mark: 5, part: Part::End(None) };
        encoder.to_worker(id, &end);
        let mut decoder = Decoder::default();
        let mut got = Vec::new();
        for byte in encoder.bytes {
            decoder.bytes.extend_from_slice(&[byte]);
            got.extend(decoder.next_to_worker().unwrap());
        }
        let [
            (first, head),
            (_, ToWorker::SetWindow(6)),
            (second, ToWorker::Request { part: Part::End(None), .. }),
        ] = &got[..]
        else {
            panic!("{got:?}")
        };
        assert_eq!((*first, *second), (id.into(), id.into()));
        let ToWorker::Request { mark: 5, part: Part::Head(head) } = head else {
            panic!("{head:?}")
        };
        assert_eq!(head, &request_head());
    }

    #[test]
    fn a_response_survives_the_link() {
        let id = ExchangeId::new(1, 1);
        let head = ResponseHead {
            status: StatusCode::OK,
            reason: None,
            length: BodyLength::Known(2),
            fields: [(&b"x"[..], &b"y"[..])].into_iter().collect(),
            id_field: None,
        };
        let mut encoder = Encoder::default();
        encoder.to_reactor(id, &Part::Head(head.clone()));
        encoder.complete(id);
        encoder.body(id, b"hi");
        encoder.to_reactor(id, &Part::End(Some(head.fields.clone())));
        encoder.to_reactor(id, &Part::Abort(Reason::HandlerFailed));
        let mut decoder = Decoder { bytes: encoder.bytes, ..Decoder::default() };
        let mut next = || decoder.next_to_reactor().unwrap().unwrap().1;
        assert!(matches!(next(), ToReactor::Part(Part::Head(h)) if h == head));
        assert!(matches!(next(), ToReactor::Complete));
        assert!(matches!(next(), ToReactor::Part(Part::Body(b)) if b == "hi"));
        assert!(matches!(next(), ToReactor::Part(Part::End(Some(t))) if t == head.fields));
        assert!(matches!(next(), ToReactor::Part(Part::Abort(Reason::HandlerFailed))));
        assert!(decoder.bytes.is_empty());
    }

    #[test]
    fn what_is_said_of_a_detached_exchange_survives_the_link() {
        let (id, new) = (ExchangeId::new(1, 7), ExchangeId::new(2, 1));
        let key = ClaimSecret::new([7; 16]);
        let mut encoder = Encoder::default();
        encoder.detach(id, key, b"state");
        encoder.claim(id, PoolId(3), key);
        let mut decoder = Decoder { bytes: encoder.bytes, ..Decoder::default() };
        let mut next = || decoder.next_to_reactor().unwrap().unwrap();
        assert!(matches!(next(), (Address::Exchange(of), ToReactor::Detach { secret, state })
            if of == id && secret.is(&key) && state == "state"));
        assert!(matches!(next(), (Address::Exchange(of), ToReactor::Claim { pool, secret })
            if of == id && secret.is(&key) && pool == PoolId(3)));
        let mut encoder = Encoder::default();
        let (head, state) = (request_head(), Bytes::from_static(b"state"));
        let claimed = Claimed { head, state, window: 9 };
        encoder.to_worker(id, &ToWorker::Detached(true));
        encoder.to_worker(new, &ToWorker::Claimed(Some(Box::new(claimed))));
        encoder.to_worker(id, &ToWorker::Claimed(None));
        let mut decoder = Decoder { bytes: encoder.bytes, ..Decoder::default() };
        let mut next = || decoder.next_to_worker().unwrap().unwrap();
        assert!(matches!(next(), (_, ToWorker::Detached(true))));
        let (of, ToWorker::Claimed(Some(claimed))) = next() else { panic!("nothing") };
        assert_eq!(
            (of, claimed.head, &claimed.state[..]),
            (new.into(), request_head(), &b"state"[..])
        );
        assert_eq!(claimed.window, 9);
        assert!(matches!(next(), (of, ToWorker::Claimed(None)) if of == id.into()));
    }

    #[test]
    fn each_kind_of_frame_takes_one_kind_of_address() {
        let mut encoder = Encoder::default();
        encoder.close(ConnectionId(1 << 62 | 5));
        let mut decoder = Decoder { bytes: encoder.bytes.clone(), ..Decoder::default() };
        let (address, message) = decoder.next_to_reactor().unwrap().unwrap();
        assert_eq!(address, ConnectionId(1 << 62 | 5).into());
        assert!(matches!(message, ToReactor::Close));
        let mut decoder = Decoder { bytes: encoder.bytes.clone(), ..Decoder::default() };
        assert!(decoder.next_to_worker().is_err(), "nobody says so to a worker");
        let mut end = Encoder::default();
        end.to_reactor(ExchangeId::new(0, 1), &Part::End(None));
        for (mut bytes, fits) in [(encoder.bytes, 1), (end.bytes, 0)] {
            for other in (0..=u8::MAX).filter(|address| *address != fits) {
                bytes[6] = other;
                let mut decoder = Decoder { bytes: bytes.clone(), ..Decoder::default() };
                let error = decoder.next_to_reactor().unwrap_err();
                assert_eq!(error, CodecError::Address(other));
            }
        }
    }

    fn null() -> OwnedFd {
        std::fs::File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn a_file_frame_without_its_descriptor_costs_its_exchange_alone() {
        let (id, next) = (ExchangeId::new(0, 0), ExchangeId::new(0, 1));
        let mut encoder = Encoder::default();
        encoder.to_reactor(id, &Part::File(FileSlice::new(null(), 1, 2)));
        encoder.to_reactor(next, &Part::File(FileSlice::new(null(), 3, 4)));
        assert_eq!(encoder.descriptors.len(), 2);
        let mut decoder = Decoder { bytes: encoder.bytes, ..Decoder::default() };
        // There was no room for the first.
        decoder.descriptors_came(None, true);
        decoder.descriptors_came(Some(null()), false);
        let missing = CodecError::MissingDescriptor { address: id.into(), mark: 0 };
        assert_eq!(decoder.next_to_reactor().unwrap_err(), missing);
        let (of, message) = decoder.next_to_reactor().unwrap().unwrap();
        let ToReactor::Part(part) = message else { panic!("{message:?}") };
        assert!(
            of == next.into() && matches!(part, Part::File(FileSlice { offset: 3, len: 4, .. }))
        );
        assert!(decoder.next_to_reactor().unwrap().is_none());
    }

    #[test]
    fn descriptors_that_no_frame_takes_are_closed() {
        let mut decoder = Decoder::default();
        for _ in 0..100 {
            decoder.descriptors_came([null(), null(), null()], true);
            assert!(decoder.waiting_descriptors() <= LINK_DESCRIPTORS_MAX);
        }
        assert!(decoder.next_to_reactor().unwrap().is_none());
        assert_eq!(decoder.waiting_descriptors(), 1);
    }

    #[test]
    fn each_descriptor_goes_with_the_bytes_before_the_frame_of_the_next() {
        let id = ExchangeId::new(0, 0);
        let mut encoder = Encoder::default();
        encoder.body(id, b"before");
        encoder.to_reactor(id, &Part::File(FileSlice::new(null(), 1, 2)));
        let second = encoder.bytes.len();
        encoder.to_reactor(id, &Part::File(FileSlice::new(null(), 3, 4)));
        encoder.body(id, b"after");
        let whole = encoder.bytes.len();
        assert_eq!(encoder.piece().len(), second);
        encoder.descriptors.pop_front();
        encoder.advance(10);
        assert_eq!((encoder.piece().len(), encoder.descriptors[0].at), (whole - 10, second - 10));
        encoder.advance(second - 10);
        assert_eq!(encoder.descriptors[0].at, 0);
        encoder.clear();
        assert!(encoder.is_empty() && encoder.descriptors.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let mut decoder = Decoder { bytes: bytes[..].into(), ..Decoder::default() };
            while let Ok(Some(_)) = decoder.next_to_worker() {}
            let mut decoder = Decoder { bytes: bytes[..].into(), ..Decoder::default() };
            while let Ok(Some(_)) = decoder.next_to_reactor() {}
        }

        #[test]
        fn no_damaged_frame_panics(at in 0usize..200, value: u8) {
            let mut encoder = Encoder::default();
            let part = Part::Head(request_head());
            encoder.to_worker(ExchangeId::new(0, 0), &ToWorker::Request { mark: 0, part });
            if let Some(byte) = encoder.bytes.get_mut(at) {
                *byte = value;
            }
            let mut decoder = Decoder { bytes: encoder.bytes, ..Decoder::default() };
            while let Ok(Some(_)) = decoder.next_to_worker() {}
        }
    }
}
