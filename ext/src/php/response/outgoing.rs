//! [`OutgoingResponse`]: the state machine of a response.
//!
//! ```text
//!          write                    end
//!  Open ──────────▶ Streaming ──────────────▶ Over
//!    └── end, redirect, send_file ──▶ Over ◀── the client has gone, or the handler is done
//!    └── detach ──▶ Over, here; in another callback it goes on as it was (see `detached`)
//! ```
//!
//! `status`, fields and cookies count while it is open. What fails changes nothing: everything that goes
//! out is prepared before the phase changes.

use bytes::Bytes;
use config::coding::ContentEncoder;
use ext_php_rs::types::Zval;
use http::StatusCode;
use reactor::protocol::files::FileContent;
use reactor::protocol::message::content_length;
use wire::{BodyLength, ClaimToken, Part, Reason, RequestHead, ResponseHead};
use worker::{Reply, ReplyError};

use super::defaults::{default_type, status_has_content};
use super::lines::Lines;
use super::sent_file::SentFile;
use super::stream::{StreamingResponse, too_long};
use crate::compression::Compression;
use crate::engine::zend::string::Text;
use crate::engine::zend::value::{self, Array};
use crate::php::error::Failure;

/// A response on its way.
#[derive(Debug)]
pub struct OutgoingResponse {
    pub(super) phase: ResponsePhase,
    /// The request's method is HEAD: no content goes out (RFC 9110, 9.3.2).
    pub(super) head_only: bool,
    /// How content is compressed, where it is.
    pub compression: Option<Compression>,
    /// The status code.
    pub status: StatusCode,
    /// A reason phrase of the handler's.
    pub reason: Option<Bytes>,
    /// Fields but for cookies.
    pub lines: Lines,
    /// No `Content-Type` is wanted, not even the default one.
    pub untyped: bool,
    /// Values of `Set-Cookie`.
    pub cookies: Vec<Vec<u8>>,
    /// Trailer fields.
    pub trailers: Lines,
    /// Its name for when it is detached, once somebody has asked for it.
    pub(super) token: Option<Box<ClaimToken>>,
    /// The head of its request, when that is another's than the handler's.
    pub(super) request: Option<Box<RequestHead>>,
}

#[derive(Debug)]
pub(super) enum ResponsePhase {
    Open(Reply),
    Streaming(StreamingResponse),
    Over,
}

/// What became of a response when its handler was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseOutcome {
    /// The handler had ended it, or the client had gone.
    Ended,
    /// Nothing had been sent: the client gets 500.
    Failed,
    /// Its head and perhaps content had been sent: the client sees it break off.
    BrokenOff,
}

impl OutgoingResponse {
    /// A response that goes out by `reply`.
    pub fn new(reply: Reply, head_only: bool, compression: Option<Compression>) -> Self {
        Self { phase: ResponsePhase::Open(reply), head_only, compression, ..Self::detached() }
    }

    /// A response that goes nowhere.
    pub fn detached() -> Self {
        Self {
            phase: ResponsePhase::Over,
            head_only: false,
            compression: None,
            status: StatusCode::OK,
            reason: None,
            lines: Lines::default(),
            untyped: false,
            cookies: Vec::new(),
            trailers: Lines::default(),
            token: None,
            request: None,
        }
    }

    /// Whether the head can still be changed.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, ResponsePhase::Open(_))
    }

    /// Whether more can be sent.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, ResponsePhase::Over)
    }

    /// Whether more can be sent and the client is there to read it.
    pub fn is_writable(&mut self) -> bool {
        match &mut self.phase {
            ResponsePhase::Open(reply)
            | ResponsePhase::Streaming(StreamingResponse { reply, .. }) => reply.is_awaited(),
            ResponsePhase::Over => false,
        }
    }

    /// Whether the client waits for what was not ended.
    pub fn is_awaited(&mut self) -> bool {
        match &mut self.phase {
            ResponsePhase::Open(reply)
            | ResponsePhase::Streaming(StreamingResponse { reply, .. }) => reply.is_open(),
            ResponsePhase::Over => false,
        }
    }

    /// The cookies as PHP sees them: a list of `Set-Cookie` values. NULL when there is none.
    pub fn cookie_array(&self) -> Zval {
        if self.cookies.is_empty() {
            return value::null();
        }
        let mut list = Array::with_capacity(self.cookies.len());
        self.cookies.iter().for_each(|cookie| list.push(value::bytes(cookie)));
        list.into_value()
    }

    /// Sends an interim head at once. `false`: the final one has been sent, or the client has gone.
    pub fn informational(&mut self, status: StatusCode, lines: &Lines) -> Result<bool, Failure> {
        let ResponsePhase::Open(reply) = &mut self.phase else { return Ok(false) };
        let fields = lines.build(&[])?;
        let (length, id_field) = (BodyLength::Known(0), None);
        let head = ResponseHead { status, reason: None, length, fields, id_field };
        Ok(reply.head(&head).and_then(|()| reply.flush()).is_ok())
    }

    /// Sends a piece of content, and the head before the first one. `false`: the response is over, or
    /// the client has gone.
    pub fn write(&mut self, content: &[u8]) -> Result<bool, Failure> {
        let mut stream = match std::mem::replace(&mut self.phase, ResponsePhase::Over) {
            ResponsePhase::Over => return Ok(false),
            // As long as the window lasts, only a look tells that nobody reads any more.
            ResponsePhase::Streaming(mut stream) => match stream.reply.is_open() {
                true => stream,
                false => return Ok(false),
            },
            ResponsePhase::Open(mut reply) => {
                let mut head = match self.head(BodyLength::Streamed, None) {
                    Ok(head) => head,
                    Err(failure) => {
                        self.phase = ResponsePhase::Open(reply);
                        return Err(failure);
                    }
                };
                let missing = self.declared();
                if missing.is_some_and(|missing| content.len() as u64 > missing) {
                    self.phase = ResponsePhase::Open(reply);
                    return Err(too_long(content.len(), missing));
                }
                let encoder = self.encoder(&mut head, missing);
                match reply.head(&head) {
                    Ok(()) => StreamingResponse { reply, missing, encoder },
                    Err(ReplyError::Gone(_) | ReplyError::Ended) => return Ok(false),
                }
            }
        };
        if let Some(missing) = stream.missing {
            let Some(left) = missing.checked_sub(content.len() as u64) else {
                let failure = too_long(content.len(), stream.missing);
                self.phase = ResponsePhase::Streaming(stream);
                return Err(failure);
            };
            stream.missing = Some(left);
        }
        let sent = match self.has_content() {
            true => stream.send(content)?,
            false => stream.reply.flush(),
        };
        if sent.is_ok() {
            self.phase = ResponsePhase::Streaming(stream);
        }
        Ok(sent.is_ok())
    }

    /// Sends the last piece of content and ends the response. `false` as for [`write`](Self::write).
    /// After a failure the response is as it was.
    pub fn end(&mut self, content: &[u8]) -> Result<bool, Failure> {
        let (head, trailers, coded) = match &self.phase {
            ResponsePhase::Over => return Ok(false),
            ResponsePhase::Open(_) => {
                let (head, coded) = self.whole(content)?;
                (Some(head), self.trailers()?, coded)
            }
            ResponsePhase::Streaming(stream) => {
                self.check_rest(stream.missing, content.len())?;
                (None, self.trailers()?, None)
            }
        };
        let coded = match &mut self.phase {
            ResponsePhase::Streaming(stream) => stream.last(content)?,
            ResponsePhase::Open(_) | ResponsePhase::Over => coded,
        };
        Ok(self.commit(head, trailers, |reply| match coded.as_deref().unwrap_or(content) {
            [] => Ok(()),
            content => reply.last_body(content),
        }))
    }

    /// The head of a response that has this content, and the content if it is compressed.
    fn whole(&self, content: &[u8]) -> Result<(ResponseHead, Option<Vec<u8>>), Failure> {
        let len = content.len() as u64;
        self.check_declared(len)?;
        let Some(compression) = &self.compression else {
            return Ok((self.head(self.length(len), None)?, None));
        };
        if len == 0 {
            // A length that is told to HEAD is that of content of the type that it would have.
            let told = self.declared().unwrap_or(0);
            let mut head = self.head(self.length(told), None)?;
            compression.absent(&mut head, Some(told));
            return Ok((head, None));
        }
        let mut head = self.head(self.length(len), None)?;
        let coded = compression.whole(&mut head, content);
        Ok((head, coded))
    }

    /// What compresses the pieces of a response that begins with this head, if anything does.
    fn encoder(&self, head: &mut ResponseHead, len: Option<u64>) -> Option<ContentEncoder> {
        let compression = self.compression.as_ref()?;
        if self.has_content() {
            return compression.streamed(head, len);
        }
        compression.absent(head, len);
        None
    }

    /// Whether the last piece of content, of `len` bytes, is what `Content-Length` leaves.
    fn check_rest(&self, missing: Option<u64>, len: usize) -> Result<(), Failure> {
        match missing {
            Some(left) if left < len as u64 => Err(too_long(len, missing)),
            Some(left) if left > len as u64 && !self.head_only => {
                let declared = self.declared().unwrap_or(0);
                Err(Failure::State(format!(
                    "Content-Length says {declared}, but the content ends after {} bytes",
                    declared - (left - len as u64)
                )))
            }
            _ => Ok(()),
        }
    }

    /// Ends a response, which must be open, as a redirection. `false`: the client has gone. After a
    /// failure the response is as it was.
    pub fn redirect(&mut self, status: StatusCode, location: Text) -> Result<bool, Failure> {
        let former = (self.status, self.reason.take(), self.lines.clone());
        self.status = status;
        self.lines.set(&Text::new(b"Location"), [location]);
        let ended = self.end(b"");
        if ended.is_err() {
            (self.status, self.reason, self.lines) = former;
        }
        ended
    }

    /// Sends a file and ends the response. `false`: it is not open, or the client has gone. After a
    /// failure the response is as it was.
    pub fn send_file(&mut self, file: SentFile) -> Result<bool, Failure> {
        let ResponsePhase::Open(reply) = &self.phase else { return Ok(false) };
        let answer = file.answer(self, reply.exchange())?;
        let trailers = self.trailers()?;
        let (head, parts) = match answer {
            Some(answer) => answer,
            None => {
                let head = self.complete_head(file.slice.len, Some(&file.media_type))?;
                let whole = FileContent::Range { offset: 0, len: file.slice.len };
                (head, whole.parts(&file.slice))
            }
        };
        Ok(self.commit(Some(head), trailers, |reply| {
            parts.into_iter().try_for_each(|part| match part {
                Part::Body(bytes) => reply.body(&bytes),
                Part::File(slice) => reply.file(slice),
                _ => Ok(()),
            })
        }))
    }

    /// Sends what has been prepared, with `content` in the middle, and ends the response. `false`: the
    /// client has gone.
    fn commit(
        &mut self,
        head: Option<ResponseHead>,
        trailers: Option<wire::Fields>,
        content: impl FnOnce(&mut Reply) -> Result<(), ReplyError>,
    ) -> bool {
        let mut reply = match std::mem::replace(&mut self.phase, ResponsePhase::Over) {
            ResponsePhase::Open(reply)
            | ResponsePhase::Streaming(StreamingResponse { reply, .. }) => reply,
            ResponsePhase::Over => return false,
        };
        let mut sent = head.map_or(Ok(()), |head| reply.head(&head));
        if self.has_content() {
            sent = sent.and_then(|()| content(&mut reply));
        }
        sent.and_then(|()| reply.end(trailers)).is_ok()
    }

    /// The handler is done. What it has not ended cannot be ended well any more.
    pub fn settle(&mut self) -> ResponseOutcome {
        match std::mem::replace(&mut self.phase, ResponsePhase::Over) {
            ResponsePhase::Over => ResponseOutcome::Ended,
            ResponsePhase::Open(mut reply) => abort(&mut reply, ResponseOutcome::Failed),
            ResponsePhase::Streaming(mut stream) => {
                abort(&mut stream.reply, ResponseOutcome::BrokenOff)
            }
        }
    }

    /// Whether content goes out (RFC 9110, 6.4.1 and 15.3.6).
    fn has_content(&self) -> bool {
        !self.head_only && status_has_content(self.status)
    }

    fn declared(&self) -> Option<u64> {
        self.lines.get(b"content-length").and_then(content_length)
    }

    /// The head of a response whose content has `len` bytes, and stays as it is.
    fn complete_head(&self, len: u64, media_type: Option<&str>) -> Result<ResponseHead, Failure> {
        self.check_declared(len)?;
        self.head(self.length(len), media_type)
    }

    /// Whether `Content-Length` is right.
    fn check_declared(&self, len: u64) -> Result<(), Failure> {
        if let Some(declared) = self.declared() {
            // To HEAD, and with 304, a handler may tell a length without having the content.
            let told = len == 0 && (self.head_only || self.status == StatusCode::NOT_MODIFIED);
            if declared != len && !told {
                return Err(Failure::State(format!(
                    "Content-Length says {declared}, but the content has {len} bytes"
                )));
            }
        }
        Ok(())
    }

    fn length(&self, len: u64) -> BodyLength {
        // Trailers need a content that is sent in pieces (RFC 9112, 7.1.2).
        let streamed = !self.trailers.is_empty() && self.declared().is_none();
        if streamed { BodyLength::Streamed } else { BodyLength::Known(len) }
    }

    fn head(&self, length: BodyLength, media_type: Option<&str>) -> Result<ResponseHead, Failure> {
        let mut more: Vec<(&[u8], &[u8])> =
            Vec::with_capacity(self.cookies.len() + usize::from(!self.untyped));
        let default;
        if length != BodyLength::Known(0)
            && status_has_content(self.status)
            && !self.untyped
            && self.lines.get(b"content-type").is_none()
        {
            default = media_type.map_or_else(default_type, |media_type| media_type.into());
            if !default.is_empty() {
                more.push((b"content-type", &default));
            }
        }
        more.extend(self.cookies.iter().map(|cookie| (&b"set-cookie"[..], &cookie[..])));
        let fields = self.lines.build(&more)?;
        Ok(ResponseHead {
            status: self.status,
            reason: self.reason.clone(),
            length,
            fields,
            id_field: None,
        })
    }

    fn trailers(&self) -> Result<Option<wire::Fields>, Failure> {
        if self.trailers.is_empty() { Ok(None) } else { self.trailers.build(&[]).map(Some) }
    }
}

fn abort(reply: &mut Reply, settled: ResponseOutcome) -> ResponseOutcome {
    let waiting = reply.is_open();
    reply.abort(Reason::HandlerFailed);
    if waiting { settled } else { ResponseOutcome::Ended }
}
