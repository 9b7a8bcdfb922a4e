//! What HTTP/3 has to say in a connection's log, beside what `quiche` says there of QUIC (qlog, as
//! draft-ietf-quic-qlog-h3-events has it). Without a log nothing is made up.

use qlog::events::EventData;
use qlog::events::http3::{FrameCreated, FrameParsed, Http3Frame, HttpHeader};
use quiche::h3::NameValue;

use super::Quic;
use crate::StreamId;

/// A HEADERS frame was read.
pub fn headers_parsed<T: NameValue>(quic: &mut Quic, stream: StreamId, list: &[T], length: usize) {
    parsed(quic, stream, length as u64, || headers(list));
}

/// The header of a DATA frame was read.
pub fn data_parsed(quic: &mut Quic, stream: StreamId, length: u64) {
    parsed(quic, stream, length, || Http3Frame::Data { raw: None });
}

/// A PRIORITY_UPDATE frame was read.
pub fn priority_parsed(quic: &mut Quic, control: StreamId, stream: StreamId, value: &[u8]) {
    parsed(quic, control, value.len() as u64, || Http3Frame::PriorityUpdate {
        stream_id: Some(stream),
        push_id: None,
        priority_field_value: text(value),
        raw: None,
    });
}

/// A HEADERS frame was made.
pub fn headers_created<T: NameValue>(quic: &mut Quic, stream: StreamId, list: &[T], length: usize) {
    created(quic, stream, length, || headers(list));
}

/// A DATA frame was made.
pub fn data_created(quic: &mut Quic, stream: StreamId, length: usize) {
    created(quic, stream, length, || Http3Frame::Data { raw: None });
}

fn parsed(quic: &mut Quic, stream_id: StreamId, length: u64, frame: impl FnOnce() -> Http3Frame) {
    let Some(log) = quic.qlog_streamer() else { return };
    let length = Some(length);
    let event = FrameParsed { stream_id, length, frame: frame(), raw: None };
    // A log that cannot be written is no reason not to serve.
    let _ = log.add_event_data_now(EventData::Http3FrameParsed(event));
}

fn created(
    quic: &mut Quic,
    stream_id: StreamId,
    length: usize,
    frame: impl FnOnce() -> Http3Frame,
) {
    let Some(log) = quic.qlog_streamer() else { return };
    let length = Some(length as u64);
    let event = FrameCreated { stream_id, length, frame: frame(), raw: None };
    // As above.
    let _ = log.add_event_data_now(EventData::Http3FrameCreated(event));
}

fn headers<T: NameValue>(list: &[T]) -> Http3Frame {
    let line = |line: &T| HttpHeader {
        name: Some(text(line.name())),
        name_bytes: None,
        value: Some(text(line.value())),
        value_bytes: None,
    };
    Http3Frame::Headers { headers: list.iter().map(line).collect(), raw: None }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
