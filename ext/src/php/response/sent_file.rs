//! [`SentFile`]: a file that is a response, and what the client's request makes of it.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{Method, StatusCode};
use reactor::protocol::files::{FileFacts, FileOptions, FileResponse, respond};
use wire::{BodyLength, ExchangeId, FileSlice, Part, RequestHead, ResponseHead};

use super::outgoing::OutgoingResponse;
use crate::php::error::Failure;
use crate::php::request::current;

/// A file that a handler sends.
#[derive(Debug)]
pub struct SentFile {
    /// What is sent of it unless the request says otherwise.
    pub slice: FileSlice,
    /// What is known of it, if the slice is all of it.
    pub facts: Option<FileFacts>,
    /// Its media type, by its name.
    pub media_type: Cow<'static, str>,
}

/// The head of a response, and the parts that follow it.
pub type FileAnswer = (ResponseHead, Vec<Part<ResponseHead>>);

impl SentFile {
    /// The answer to a conditional request, or to one for ranges, and to any other with the fields that
    /// make these possible. `None` where the handler has said itself what is sent: with a part of the
    /// file, a status, `Content-Range`, `Content-Length` or trailers; and to other methods than GET and
    /// HEAD.
    pub fn answer(
        &self,
        outgoing: &OutgoingResponse,
        exchange: ExchangeId,
    ) -> Result<Option<FileAnswer>, Failure> {
        let own = |name: &[u8]| outgoing.lines.get(name);
        let decided = outgoing.status != StatusCode::OK
            || own(b"content-range").is_some()
            || own(b"content-length").is_some()
            || !outgoing.trailers.is_empty();
        let Some(facts) = self.facts.filter(|_| !decided) else { return Ok(None) };
        let media_type = own(b"content-type").unwrap_or(self.media_type.as_bytes());
        let options = FileOptions {
            media_type: (!outgoing.untyped).then_some(media_type),
            coding: None,
            etag: own(b"etag"),
            last_modified: own(b"last-modified"),
            ranges: own(b"accept-ranges").is_none_or(|units| units.eq_ignore_ascii_case(b"bytes")),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let answer = |head: &RequestHead| {
            let reads = head.method == Method::GET || head.method == Method::HEAD;
            let now = now.as_micros() as u64;
            reads.then(|| respond(&head.method, &head.fields, &facts, &options, now))
        };
        let response = match &outgoing.request {
            Some(head) => answer(head),
            None => current::with_head(exchange, answer).flatten(),
        };
        let Some(response) = response else { return Ok(None) };
        let head = head_of(outgoing, &response)?;
        Ok(Some((head, response.content.parts(&self.slice))))
    }
}

/// The handler's fields, but for those that the response has otherwise, and what says how to read the
/// file where that is not what follows.
fn head_of(outgoing: &OutgoingResponse, response: &FileResponse) -> Result<ResponseHead, Failure> {
    let mut lines = outgoing.lines.clone();
    if !response.status.is_success() {
        for name in
            [&b"content-type"[..], b"content-encoding", b"content-language", b"content-disposition"]
        {
            lines.remove(name);
        }
    }
    let own = response.fields.iter().map(|(name, value)| (*name, &value[..]));
    let cookies = outgoing.cookies.iter().map(|cookie| (&b"set-cookie"[..], &cookie[..]));
    let more: Vec<(&[u8], &[u8])> = own.chain(cookies).collect();
    response.fields.iter().for_each(|(name, _)| lines.remove(name));
    Ok(ResponseHead {
        status: response.status,
        reason: outgoing.reason.clone().filter(|_| response.status == StatusCode::OK),
        length: BodyLength::Known(response.content.len()),
        fields: lines.build(&more)?,
        id_field: None,
    })
}
