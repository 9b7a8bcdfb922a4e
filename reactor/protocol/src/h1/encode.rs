//! Responses as bytes (RFC 9112, 4 to 7).

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use wire::{BodyLength, Fields, FileSlice, ResponseHead, Version};

use super::outbox::Outbox;
use crate::error::Fault;
use crate::message::{self, ContentFraming, Shape};
use crate::settings::HttpSettings;
use crate::upgrade::Accepted;

/// What the `Connection` field says (RFC 9112, 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing: HTTP/1.1 goes on by itself.
    Implied,
    /// `keep-alive`, for an HTTP/1.0 client that asked for it.
    KeepAlive,
    /// `close`.
    Close,
}

/// How the content of a response goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEncoder {
    /// There is none: what the handler sends is dropped.
    Nothing,
    /// So many bytes are missing.
    Exactly(u64),
    /// Chunks.
    Chunked,
    /// As it is, until the connection ends: HTTP/1.0 knows no chunks.
    UntilClose,
}

impl BodyEncoder {
    /// The encoder for a shape and the client's version.
    pub fn new(content: ContentFraming, version: Version) -> Self {
        match content {
            ContentFraming::Nothing => Self::Nothing,
            ContentFraming::Exactly(length) => Self::Exactly(length),
            ContentFraming::Streamed if version >= Version::Http11 => Self::Chunked,
            ContentFraming::Streamed => Self::UntilClose,
        }
    }

    /// Appends content. A handler that sends more than it declared is stopped before the first byte
    /// that would be taken for the next response.
    pub fn content(&mut self, out: &mut Outbox, content: Bytes) -> Result<(), Fault> {
        let len = content.len() as u64;
        self.framed(out, len, |out| out.content(content), |out| out.release(len))
    }

    /// Appends all of the content of a response that is not a handler's: nobody gets credit for it.
    pub fn own_content(self, out: &mut Outbox, content: &[u8]) {
        if let Self::Exactly(_) = self {
            out.own_content(content);
        }
    }

    /// Appends a range of a file as content.
    pub fn file(&mut self, out: &mut Outbox, slice: FileSlice) -> Result<(), Fault> {
        self.framed(out, slice.len, |out| out.file(slice), |_| {})
    }

    fn framed(
        &mut self,
        out: &mut Outbox,
        len: u64,
        append: impl FnOnce(&mut Outbox),
        skip: impl FnOnce(&mut Outbox),
    ) -> Result<(), Fault> {
        match self {
            // An empty chunk would end the content.
            _ if len == 0 => {}
            Self::Nothing => skip(out),
            Self::Exactly(left) => {
                *left = left.checked_sub(len).ok_or(Fault::ResponseLength)?;
                append(out);
            }
            Self::Chunked => {
                hex_line(out.buffer(20), len);
                append(out);
                out.buffer(2).extend_from_slice(b"\r\n");
            }
            Self::UntilClose => append(out),
        }
        Ok(())
    }

    /// Ends the content. Trailers that no framing can carry are dropped.
    pub fn end(self, out: &mut Outbox, trailers: Option<&Fields>) -> Result<(), Fault> {
        match self {
            Self::Exactly(1..) => Err(Fault::ResponseLength),
            Self::Chunked => {
                let lines = trailers.map_or(0, Fields::len);
                let buffer = out.buffer(5 + lines * 64);
                buffer.extend_from_slice(b"0\r\n");
                let usable = |(name, value): &(&[u8], &[u8])| {
                    message::may_trail(name) && message::check_field(name, value).is_ok()
                };
                for (name, value) in trailers.iter().flat_map(|t| t.iter()).filter(usable) {
                    field_line(buffer, name, value);
                }
                buffer.extend_from_slice(b"\r\n");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What a final head says beside what the handler set.
#[derive(Debug)]
pub struct HeadLines<'a> {
    /// The decisions that hold in every version.
    pub shape: &'a Shape,
    /// How the content goes out.
    pub encoder: BodyEncoder,
    /// What becomes of the connection.
    pub connection: Persistence,
    /// What the port says of itself.
    pub settings: &'a HttpSettings,
    /// Value of `Date`.
    pub date: &'a [u8; 29],
}

/// Appends a final head; [`message::shape`] has found it sendable.
pub fn head(out: &mut Outbox, head: &ResponseHead, lines: &HeadLines<'_>) {
    let buffer = head_buffer(out, head);
    status_line(buffer, head);
    if let Some(server) = lines.shape.server(lines.settings) {
        line(buffer, b"Server: ", server);
    }
    if let Some(alternative) = lines.shape.alt_svc(lines.settings) {
        line(buffer, b"Alt-Svc: ", alternative);
    }
    if lines.shape.adds_date() {
        line(buffer, b"Date: ", lines.date);
    }
    handlers_fields(buffer, &head.fields);
    if let Some(field) = &head.id_field {
        field_line(buffer, &field.name, field.id.as_bytes());
    }
    if let Some(length) = lines.shape.content_length {
        buffer.extend_from_slice(b"Content-Length: ");
        decimal(buffer, length);
        buffer.extend_from_slice(b"\r\n");
    }
    if lines.encoder == BodyEncoder::Chunked {
        buffer.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    match lines.connection {
        Persistence::Implied => {}
        Persistence::KeepAlive => buffer.extend_from_slice(b"Connection: keep-alive\r\n"),
        Persistence::Close => buffer.extend_from_slice(b"Connection: close\r\n"),
    }
    buffer.extend_from_slice(b"\r\n");
}

/// Appends an interim head (RFC 9110, 15.2): it has neither content nor anything about it.
pub fn interim(out: &mut Outbox, head: &ResponseHead) -> Result<(), Fault> {
    head.fields.iter().try_for_each(|(name, value)| message::check_field(name, value))?;
    let buffer = head_buffer(out, head);
    status_line(buffer, head);
    handlers_fields(buffer, &head.fields);
    buffer.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends the head by which an upgrade is accepted (RFC 9110, 7.8 and 15.2.2).
pub fn switching(
    out: &mut Outbox,
    accepted: &Accepted,
    settings: &HttpSettings,
    date: &[u8; 29],
) -> Result<(), Fault> {
    let Accepted { protocol, fields } = accepted;
    message::check_field(b"upgrade", protocol)?;
    fields.iter().try_for_each(|(name, value)| message::check_field(name, value))?;
    let status = StatusCode::SWITCHING_PROTOCOLS;
    let (reason, length) = (None, BodyLength::Streamed);
    let head = ResponseHead { status, reason, length, fields: fields.clone(), id_field: None };
    let buffer = head_buffer(out, &head);
    status_line(buffer, &head);
    if let Some(server) = &settings.server {
        line(buffer, b"Server: ", server);
    }
    line(buffer, b"Date: ", date);
    line(buffer, b"Upgrade: ", protocol);
    line(buffer, b"Connection: ", b"Upgrade");
    handlers_fields(buffer, fields);
    buffer.extend_from_slice(b"\r\n");
    Ok(())
}

/// Room for the lines that are not the handler's.
const HEAD_BYTES: usize = 224;

fn head_buffer<'o>(out: &'o mut Outbox, head: &ResponseHead) -> &'o mut BytesMut {
    let fields = head.fields.iter().map(|(name, value)| name.len() + value.len() + 4);
    let id = head.id_field.as_ref();
    let id = id.map_or(0, |field| field.name.len() + field.id.as_bytes().len() + 4);
    out.buffer(HEAD_BYTES + head.reason.as_ref().map_or(0, Bytes::len) + fields.sum::<usize>() + id)
}

/// RFC 9112, 4. The version is the server's own (RFC 9110, 6.2), whatever the client's is.
fn status_line(buffer: &mut BytesMut, head: &ResponseHead) {
    buffer.extend_from_slice(b"HTTP/1.1 ");
    buffer.extend_from_slice(head.status.as_str().as_bytes());
    buffer.extend_from_slice(b" ");
    let own = head.reason.as_deref().filter(|reason| message::is_field_text(reason));
    let registered = head.status.canonical_reason().unwrap_or_default().as_bytes();
    buffer.extend_from_slice(own.unwrap_or(registered));
    buffer.extend_from_slice(b"\r\n");
}

fn handlers_fields(buffer: &mut BytesMut, fields: &Fields) {
    for (name, value) in fields.iter().filter(|(name, _)| message::is_handlers_field(name)) {
        field_line(buffer, name, value);
    }
}

/// A field line, its name as people are used to see it: `Content-Type`.
fn field_line(buffer: &mut BytesMut, name: &[u8], value: &[u8]) {
    buffer.reserve(name.len() + value.len() + 4);
    let mut start = true;
    let at = buffer.len();
    buffer.extend_from_slice(name);
    for byte in &mut buffer[at..] {
        if start {
            byte.make_ascii_uppercase();
        }
        start = *byte == b'-';
    }
    line(buffer, b": ", value.trim_ascii());
}

fn line(buffer: &mut BytesMut, name: &[u8], value: &[u8]) {
    buffer.extend_from_slice(name);
    buffer.extend_from_slice(value);
    buffer.extend_from_slice(b"\r\n");
}

fn decimal(buffer: &mut BytesMut, number: u64) {
    digits(buffer, number, 10);
}

/// A chunk's size (RFC 9112, 7.1).
fn hex_line(buffer: &mut BytesMut, number: u64) {
    digits(buffer, number, 16);
    buffer.extend_from_slice(b"\r\n");
}

fn digits(buffer: &mut BytesMut, mut number: u64, base: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b"0123456789abcdef"[(number % base) as usize];
        number /= base;
        if number == 0 {
            break;
        }
    }
    buffer.extend_from_slice(&text[at..]);
}
