//! Decodes the content of requests, where the option `http_decompression` wants it.

use std::io;

use bytes::Bytes;
use config::coding::{self, Bounds, ContentEncoding, DecodeError, Decoded};
use config::log_limit::{LimitedEvent, limited_with};
use config::one_line::OneLine;
use http::StatusCode;
use log::Level;
use reactor::protocol::message::plain_response;
use wire::{Fields, FileSlice, RequestHead};
use worker::{Reply, Request, RequestBody};

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

/// Puts the decoded content in the place of what has come, and says so in the head: no
/// `Content-Encoding`, and the new `Content-Length`. What is still to come stays in its coding.
pub fn apply(request: &mut Request, settings: &Decompression) -> Result<(), Refusal> {
    let coding = match ContentEncoding::of(request.head.fields.get_all(b"content-encoding")) {
        ContentEncoding::Identity => return Ok(()),
        ContentEncoding::One(_) | ContentEncoding::Unsupported
            if matches!(request.body, RequestBody::Stream(_)) =>
        {
            return Ok(());
        }
        ContentEncoding::One(coding) => coding,
        ContentEncoding::Unsupported => return Err(Refusal::Unsupported),
    };
    let nothing = RequestBody::Memory(Bytes::new());
    let body = Body::from(std::mem::replace(&mut request.body, nothing));
    let mut len = 0;
    if !body.is_empty() {
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
        (request.body, len) = match decoded {
            Decoded::Memory(bytes) => {
                let len = bytes.len() as u64;
                (RequestBody::Memory(bytes.into()), len)
            }
            Decoded::File(file, len) => {
                (RequestBody::File(FileSlice::new(file.into(), 0, len)), len)
            }
        };
    }
    request.head.fields = described(&request.head.fields, len);
    Ok(())
}

/// The fields of decoded content.
fn described(fields: &Fields, len: u64) -> Fields {
    let len = len.to_string();
    let others = fields
        .iter()
        .filter(|(name, _)| *name != b"content-encoding" && *name != b"content-length");
    others.chain([(&b"content-length"[..], len.as_bytes())]).collect()
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
