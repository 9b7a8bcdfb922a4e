//! Decodes the content of requests, where the option `http_decompression` wants it.

use std::io;

use bytes::Bytes;
use config::coding::{self, Bounds, ContentCoding, ContentEncoding, DecodeError, Decoded};
use config::log_limit::{LimitedEvent, limited_with};
use config::one_line::OneLine;
use http::StatusCode;
use log::Level;
use reactor::protocol::message::plain_response;
use wire::{Fields, FileSlice, RequestHead};
use worker::{IncomingRequest, Reply, RequestBody};

use super::Label;
use super::body::Body;
use crate::php::port::Decompression;

/// Why a request is not given to its handler.
#[derive(Debug)]
pub enum Refusal {
    /// Its coding is none that is known (RFC 9110, 15.5.16).
    Unsupported,
    /// Its content is not in its coding.
    Malformed,
    /// Its content is too large when it is decoded.
    TooLarge,
    /// Its content cannot be read or kept.
    Io(io::Error),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Io(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Unsupported => "content coding is not supported".to_owned(),
            Self::Malformed => "content is not in its coding".to_owned(),
            Self::TooLarge => "decoded content too large (http_decompression_bytes_max)".to_owned(),
            Self::Io(error) => format!("cannot keep the decoded content: {error}"),
        }
    }
}

/// Takes the content out of a request; decoded where `settings` want it, which the head says then: no
/// `Content-Encoding`, and the new `Content-Length`. What is still to come is decoded while it is read, and
/// nobody knows its length.
pub fn take_body(
    request: &mut IncomingRequest,
    settings: Option<&Decompression>,
) -> Result<Body, Refusal> {
    let body = std::mem::replace(&mut request.body, RequestBody::Memory(Bytes::new()));
    let Some(settings) = settings else { return Ok(body.into()) };
    let coding = match ContentEncoding::of(request.head.fields.get_all(b"content-encoding")) {
        ContentEncoding::Identity => return Ok(body.into()),
        ContentEncoding::One(coding) => coding,
        ContentEncoding::Unsupported => return Err(Refusal::Unsupported),
    };
    let (body, len) = match body {
        RequestBody::Stream(stream) => {
            (Body::arriving(stream, Some((coding, settings.bytes_max))), None)
        }
        body => {
            let (body, len) = decoded(body.into(), coding, settings)?;
            (body, Some(len))
        }
    };
    request.head.fields = described(&request.head.fields, len);
    Ok(body)
}

/// Decodes content that is here, and tells its length.
fn decoded(
    body: Body,
    coding: ContentCoding,
    settings: &Decompression,
) -> Result<(Body, u64), Refusal> {
    if body.is_empty() {
        return Ok((body, 0));
    }
    let bounds = Bounds {
        bytes_max: settings.bytes_max,
        memory_bytes_max: settings.memory_bytes_max,
        folder: &settings.folder,
    };
    let reader = body.reader().map_err(Refusal::Io)?;
    let decoded = coding::decode(coding, reader, bounds).map_err(|error| match error {
        DecodeError::TooLarge => Refusal::TooLarge,
        DecodeError::Malformed => Refusal::Malformed,
        DecodeError::Io(error) => Refusal::Io(error),
    })?;
    Ok(match decoded {
        Decoded::Memory(bytes) => {
            let len = bytes.len() as u64;
            (Body::Memory(bytes.into()), len)
        }
        Decoded::File(file, len) => (Body::File(FileSlice::new(file.into(), 0, len)), len),
    })
}

/// The fields of decoded content.
fn described(fields: &Fields, len: Option<u64>) -> Fields {
    let len = len.map(|len| len.to_string());
    let others = fields
        .iter()
        .filter(|(name, _)| *name != b"content-encoding" && *name != b"content-length");
    others.chain(len.iter().map(|len| (&b"content-length"[..], len.as_bytes()))).collect()
}

/// Answers a request that its handler does not see.
pub fn refuse(mut reply: Reply, head: &RequestHead, refusal: &Refusal) {
    let (mut response, content) = plain_response(refusal.status());
    if matches!(refusal, Refusal::Unsupported) {
        // RFC 9110, 12.5.3: so that the client can send it again.
        response.fields.set(b"accept-encoding", coding::ACCEPTED.as_bytes());
    }
    let level = if matches!(refusal, Refusal::Io(_)) { Level::Error } else { Level::Info };
    let client = head.origin.remote.map(|remote| remote.to_string());
    let (label, reason) = (Label(Some(head)), refusal.reason());
    limited_with(
        LimitedEvent::Refused,
        level,
        &[
            ("client", wire::event::optional(client.as_deref())),
            ("status", refusal.status().as_u16().into()),
            ("reason", (&reason[..]).into()),
        ],
        format_args!("{label}: refused, {}: {}", refusal.status().as_u16(), OneLine(&reason)),
    );
    // A client that has left needs no answer.
    let _ = reply
        .head(&response)
        .and_then(|()| reply.last_body(&content))
        .and_then(|()| reply.end(None));
}
