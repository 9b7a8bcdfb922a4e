//! [`WebResponse`]: the state machine of a response that PHP prints.
//!
//! ```text
//!         64 KiB, or flush()              end of the script,
//!  Open ────────────────────▶ Streaming ── fastcgi_finish_request() ──▶ Over
//!    └────────── the same end: the content is all there ──────────────────▶┘
//! ```

use config::coding::ContentEncoder;
use http::StatusCode;
use reactor::protocol::message::plain_response;
use wire::limits::WEB_OUTPUT_BYTES_MAX;
use wire::{Fields, Reason, ResponseHead};
use worker::{ClientWatch, Reply, ReplyError};

use super::head::{HeadBuilder, status_has_content};
use crate::compression::Compression;

/// A response on its way.
#[derive(Debug)]
pub struct WebResponse {
    phase: WebPhase,
    /// The request's method is HEAD: no content goes out (RFC 9110, 9.3.2).
    head_only: bool,
    /// How content is compressed, where it is.
    compression: Option<Compression>,
    /// What has been printed and not been sent.
    pending: Vec<u8>,
    /// Whether the client has gone before the end.
    gone: bool,
}

#[derive(Debug)]
enum WebPhase {
    Open { reply: Reply, head: Option<HeadBuilder> },
    Streaming { reply: Reply, missing: Option<u64>, content: bool, encoder: Option<ContentEncoder> },
    Over,
}

/// What became of a response when its script was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It has been sent, or the client had gone.
    Sent,
    /// There was none: the client gets 500.
    Failed,
    /// It was shorter than its `Content-Length`: the client sees it break off.
    BrokenOff,
}

impl WebResponse {
    /// A response that goes out by `reply`. `pending` is empty; its room is used again.
    pub fn new(
        reply: Reply,
        head_only: bool,
        compression: Option<Compression>,
        pending: Vec<u8>,
    ) -> Self {
        let phase = WebPhase::Open { reply, head: None };
        Self { phase, head_only, compression, pending, gone: false }
    }

    /// Tells whether the client has left, beside the response.
    pub fn watch(&self) -> Option<ClientWatch> {
        match &self.phase {
            WebPhase::Open { reply, .. } | WebPhase::Streaming { reply, .. } => Some(reply.watch()),
            WebPhase::Over => None,
        }
    }

    /// Whether nothing has been sent to the client, not even a head.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, WebPhase::Open { .. })
    }

    /// Whether its end has been sent.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, WebPhase::Over)
    }

    /// The head as PHP would send it. It goes out with the first content, or at the end.
    pub fn set_head(&mut self, made: HeadBuilder) {
        if let WebPhase::Open { head, .. } = &mut self.phase {
            *head = Some(made);
        }
    }

    /// In place of the status of a head that has not gone out.
    pub fn set_status(&mut self, status: StatusCode) {
        if let WebPhase::Open { head: Some(head), .. } = &mut self.phase
            && head.status == StatusCode::OK
        {
            head.status = status;
        }
    }

    /// Sends an interim head at once. `false`: the final one has been sent, or the client has gone.
    pub fn informational(&mut self, head: &ResponseHead) -> bool {
        match &mut self.phase {
            WebPhase::Open { reply, .. } => reply.head(head).and_then(|()| reply.flush()).is_ok(),
            _ => false,
        }
    }

    /// Takes what the script prints. `false`: the client has gone.
    pub fn write(&mut self, content: &[u8]) -> bool {
        if self.is_over() {
            return !self.gone;
        }
        if self.pending.len() + content.len() <= WEB_OUTPUT_BYTES_MAX {
            self.pending.extend_from_slice(content);
            return true;
        }
        // Once by itself, what is large anyway.
        self.stream(content)
    }

    /// Sends what there is. `false`: the client has gone.
    pub fn flush(&mut self) -> bool {
        match &mut self.phase {
            WebPhase::Over => return !self.gone,
            // As under php-fpm nothing goes out before the script has printed something.
            WebPhase::Open { head: None, .. } => return true,
            WebPhase::Open { .. } | WebPhase::Streaming { .. } => {}
        }
        if !self.stream(b"") {
            return false;
        }
        let WebPhase::Streaming { reply, .. } = &mut self.phase else { return !self.gone };
        let sent = reply.flush().is_ok() && reply.is_awaited();
        self.note(sent)
    }

    /// Sends what is pending, and `more` behind it.
    fn stream(&mut self, more: &[u8]) -> bool {
        self.begin();
        let pending = std::mem::take(&mut self.pending);
        let sent = self.send(&pending) && self.send(more);
        self.pending = pending;
        self.pending.clear();
        self.note(sent)
    }

    /// From open to streaming.
    fn begin(&mut self) {
        let (mut reply, head) = match std::mem::replace(&mut self.phase, WebPhase::Over) {
            WebPhase::Open { reply, head: Some(head) } => (reply, head),
            other => {
                self.phase = other;
                return;
            }
        };
        let content = !self.head_only && head.has_content();
        let declared = head.declared();
        let missing = declared.filter(|_| content);
        let mut head = head.streamed();
        let encoder = match &self.compression {
            Some(compression) if content => compression.streamed(&mut head, declared),
            Some(compression) => {
                compression.absent(&mut head, declared);
                None
            }
            None => None,
        };
        if reply.head(&head).is_ok() {
            self.phase = WebPhase::Streaming { reply, missing, content, encoder };
        } else {
            self.gone = true;
        }
    }

    /// Sends content as far as `Content-Length` lets it.
    fn send(&mut self, content: &[u8]) -> bool {
        match &mut self.phase {
            WebPhase::Streaming { reply, missing, content: true, encoder } => {
                let content = within(missing, content);
                if content.is_empty() {
                    return true;
                }
                match encoder {
                    None => reply.body(content).is_ok(),
                    Some(encoder) => {
                        encoder.write(content).is_ok_and(|coded| reply.body(&coded).is_ok())
                    }
                }
            }
            WebPhase::Streaming { .. } => true,
            WebPhase::Open { .. } | WebPhase::Over => !self.gone,
        }
    }

    fn note(&mut self, sent: bool) -> bool {
        if !sent {
            self.gone = true;
            self.phase = WebPhase::Over;
        }
        sent
    }

    /// The script is done: sends the rest and the end.
    pub fn finish(&mut self) -> Settled {
        let pending = std::mem::take(&mut self.pending);
        let settled = match std::mem::replace(&mut self.phase, WebPhase::Over) {
            WebPhase::Over => Settled::Sent,
            WebPhase::Open { mut reply, head: None } => {
                reply.abort(Reason::HandlerFailed);
                Settled::Failed
            }
            WebPhase::Open { mut reply, head: Some(head) } => {
                let (head, coded) = self.whole(head, &pending);
                let content = !self.head_only && status_has_content(head.status);
                let content = if content { coded.as_deref().unwrap_or(&pending) } else { &[] };
                self.gone = finish(reply.head(&head), &mut reply, content).is_err();
                Settled::Sent
            }
            WebPhase::Streaming { mut reply, mut missing, content, encoder } => {
                let last = if content { within(&mut missing, &pending) } else { &[] };
                let coded = encoder.map(|encoder| encoder.finish(last)).transpose();
                match (missing, coded) {
                    (Some(1..), _) | (_, Err(_)) => {
                        reply.abort(Reason::HandlerFailed);
                        Settled::BrokenOff
                    }
                    (_, Ok(coded)) => {
                        let last = coded.as_deref().unwrap_or(last);
                        self.gone = finish(Ok(()), &mut reply, last).is_err();
                        Settled::Sent
                    }
                }
            }
        };
        self.pending = pending;
        self.pending.clear();
        settled
    }

    /// The head of a response whose content is all there, and the content if it is compressed.
    fn whole(&self, head: HeadBuilder, content: &[u8]) -> (ResponseHead, Option<Vec<u8>>) {
        let len = content.len() as u64;
        let sent = !self.head_only && head.has_content();
        // PHP ends a script at its first output to HEAD, so what it has printed says nothing then.
        let told = head.declared().or(sent.then_some(len));
        let mut head = if sent { head.complete(len) } else { head.streamed() };
        let coded = match &self.compression {
            Some(compression) if sent && len > 0 => compression.whole(&mut head, content),
            Some(compression) => {
                compression.absent(&mut head, told);
                None
            }
            None => None,
        };
        (head, coded)
    }

    /// Breaks it off, so that the client can tell.
    pub fn abort(&mut self) {
        if let WebPhase::Open { mut reply, .. } | WebPhase::Streaming { mut reply, .. } =
            std::mem::replace(&mut self.phase, WebPhase::Over)
        {
            reply.abort(Reason::HandlerFailed);
        }
    }

    /// The room of what was pending, for the next response.
    pub fn into_room(mut self) -> Vec<u8> {
        let mut room = std::mem::take(&mut self.pending);
        room.clear();
        room
    }
}

/// A whole response that needs no script.
pub fn answer(mut reply: Reply, status: StatusCode, location: Option<&[u8]>, head_only: bool) {
    let (mut head, content) = plain_response(status);
    if let Some(location) = location {
        let line = [(&b"location"[..], location)];
        head.fields = head.fields.iter().chain(line).collect::<Fields>();
    }
    let content = if head_only { &[] } else { &content[..] };
    let sent = reply.head(&head);
    // Who has gone misses nothing.
    let _ = finish(sent, &mut reply, content);
}

fn finish(
    head: Result<(), ReplyError>,
    reply: &mut Reply,
    content: &[u8],
) -> Result<(), ReplyError> {
    head?;
    if !content.is_empty() {
        reply.last_body(content)?;
    }
    reply.end(None)
}

/// The beginning of `content` that is still missing.
fn within<'a>(missing: &mut Option<u64>, content: &'a [u8]) -> &'a [u8] {
    let Some(missing) = missing else { return content };
    let len = content.len().min(usize::try_from(*missing).unwrap_or(usize::MAX));
    *missing -= len as u64;
    &content[..len]
}
