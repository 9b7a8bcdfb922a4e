//! HTTP/2 as bytes, for what no honest client sends.

use protocol::error::Fault;
use protocol::h2::PREFACE;
use protocol::settings::HttpSettings;

use super::{Server, h2};

/// The fields of a GET in HPACK: indexed, and the authority as a literal.
pub const GET: &[u8] = b"\x82\x86\x84\x01\x01a";

/// The same of a POST.
pub const POST: &[u8] = b"\x83\x86\x84\x01\x01a";

/// The code of ENHANCE_YOUR_CALM (RFC 9113, 7).
pub const CALM: Option<u32> = Some(11);

/// A frame (RFC 9113, 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A frame as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// What these bytes are made of.
pub fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<9>() {
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes(head[5..].try_into().expect("four bytes"));
        let (payload, rest) = rest.split_at(len);
        frames.push(Frame { kind: head[3], stream, payload: payload.to_vec() });
        bytes = rest;
    }
    frames
}

/// A server that has a client's preface.
pub fn greeted(settings: HttpSettings) -> Server {
    let mut server = h2::server(settings);
    server.feed([&PREFACE[..], &frame(4, 0, 0, b""), &frame(4, 1, 0, b"")].concat());
    server.written();
    server
}

/// The error code of the GOAWAY that the server has sent last.
pub fn goaway(server: &mut Server) -> Option<u32> {
    let frames = frames(&server.written());
    let last = frames.iter().rfind(|frame| frame.kind == 7)?;
    Some(u32::from_be_bytes(last.payload[4..8].try_into().expect("four bytes")))
}

/// Streams that the server has reset, with the error code.
pub fn resets(server: &mut Server) -> Vec<(u32, u32)> {
    let code = |payload: &[u8]| u32::from_be_bytes(payload.try_into().expect("four bytes"));
    let frames = frames(&server.written());
    let resets = frames.iter().filter(|frame| frame.kind == 3);
    resets.map(|frame| (frame.stream, code(&frame.payload))).collect()
}

/// What was refused, in order.
pub fn faults(server: &Server) -> Vec<Fault> {
    server.refusals.iter().map(|error| error.reason).collect()
}
