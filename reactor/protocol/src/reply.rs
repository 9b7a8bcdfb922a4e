//! [`StreamReply`]: a response on its way from a worker to a stream, for versions that have streams.
//!
//! ```text
//!   Awaited ──▶ Headed ──▶ Sending ──▶ Over
//!      └──────────┴───────────┴──────────▲
//! ```
//!
//! `Headed` lasts until the next turn: a response whose end follows its head at once is then told
//! in as few frames as possible.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use http::{Response, StatusCode};
use wire::{BodyLength, Part, Reason, ResponseHead};

use super::content::{ResponseContent, ResponseEnd};
use super::ended::Sent;
use super::error::{Fault, ProtocolError};
use super::message::{self, RequestFacts};
use super::pace::Pace;
pub use super::sink::{Refused, ResetReason, Sink, WriteProgress};
use super::stream_context::StreamContext;
use super::upgrade::Accepted;
use super::{Flow, KeepInFile, Now, StreamId, response};

/// What the client gets.
#[derive(Debug)]
pub struct StreamReply {
    facts: RequestFacts,
    state: ReplyState,
    /// Interim heads that the stream has not taken.
    interim: VecDeque<Response<()>>,
    /// When the client has kept its window shut for too long.
    stalled: Option<Instant>,
    /// What the stream has taken.
    sent: Sent,
    /// It has ended before its time on this side.
    broken: bool,
}

#[derive(Debug)]
enum ReplyState {
    /// There is no final head yet.
    Awaited,
    /// The stream has not been given the final head.
    Headed { head: Response<()>, content: ResponseContent },
    /// The stream has the head.
    Sending(ResponseContent),
    /// The stream is to be reset: nobody is there who could read an answer.
    Broken,
    /// The stream has everything, or is gone.
    Over,
}

impl StreamReply {
    /// Nothing yet, to a request of this kind.
    pub fn new(facts: RequestFacts) -> Self {
        let (state, interim) = (ReplyState::Awaited, VecDeque::new());
        Self { facts, state, interim, stalled: None, sent: Sent::default(), broken: false }
    }

    /// Whether there is nothing more to do.
    pub fn is_over(&self) -> bool {
        matches!(self.state, ReplyState::Over)
    }

    /// What the stream has taken, but for the bytes on the wire.
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// Whether it has ended before its time on this side.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether there is no final head yet.
    pub fn is_awaited(&self) -> bool {
        matches!(self.state, ReplyState::Awaited)
    }

    /// Whether it has something that the stream has not taken.
    pub fn has_more(&self) -> bool {
        !self.interim.is_empty()
            || match &self.state {
                ReplyState::Headed { .. } | ReplyState::Broken => true,
                ReplyState::Sending(content) => {
                    content.front_len().is_some() || content.end.is_some()
                }
                ReplyState::Awaited | ReplyState::Over => false,
            }
    }

    /// When the client has kept its window shut for too long.
    pub fn deadline(&self) -> Option<Instant> {
        self.stalled
    }

    /// What keeps it waiting is not the client's doing: the deadline is this one.
    pub fn extend_deadline(&mut self, until: Instant) {
        if let Some(stalled) = &mut self.stalled {
            *stalled = until;
        }
    }

    /// Content goes to files as far as `keep` takes it.
    pub fn spool(&mut self, stream: StreamId, keep: &mut KeepInFile<'_>) {
        if let ReplyState::Headed { content, .. } | ReplyState::Sending(content) = &mut self.state {
            content.spool(stream, keep);
        }
    }

    /// The stream is no more.
    pub fn lose(&mut self, context: &mut StreamContext) {
        if let ReplyState::Headed { content, .. } | ReplyState::Sending(content) = &mut self.state {
            content.discard(context);
        }
        self.state = ReplyState::Over;
        self.stalled = None;
    }

    /// Says that the client may go on (RFC 9110, 10.1.1).
    pub fn say_continue(&mut self) {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::CONTINUE;
        self.interim.push_back(head);
    }

    /// Says that an upgrade is accepted: 200 takes the place of 101 (RFC 8441, 5). `false`: it has answered
    /// otherwise, or cannot be said.
    pub fn upgrade(&mut self, accepted: &Accepted, context: &mut StreamContext, now: &Now) -> bool {
        if !self.is_awaited() {
            return false;
        }
        let (ok, length, fields) = (StatusCode::OK, BodyLength::Streamed, accepted.fields.clone());
        let head = ResponseHead { status: ok, reason: None, length, fields, id_field: None };
        let said = self.head(&head, context, now);
        if let Err(fault) = said {
            context.report(ProtocolError::stream(fault));
            self.abort(Reason::Internal, context, now);
        }
        said.is_ok()
    }

    /// A part of the worker's.
    pub fn send(
        &mut self,
        part: Part<ResponseHead>,
        context: &mut StreamContext,
        now: &Now,
    ) -> Flow {
        let result = match (&mut self.state, part) {
            (ReplyState::Broken | ReplyState::Over, _) => return Flow::Gone,
            (ReplyState::Headed { content, .. } | ReplyState::Sending(content), _)
                if content.end.is_some() =>
            {
                return Flow::Gone;
            }
            (_, Part::Abort(reason)) => return self.abort(reason, context, now),
            (ReplyState::Awaited, Part::Head(head)) if head.status.is_informational() => {
                response::interim(&head).map(|head| self.interim.push_back(head))
            }
            (ReplyState::Awaited, Part::Head(head)) => self.head(&head, context, now),
            (ReplyState::Headed { content, .. } | ReplyState::Sending(content), part) => match part
            {
                Part::Body(bytes) => content.push(bytes, context),
                Part::File(slice) => content.push_file(slice),
                Part::End(fields) => content.end(response::trailers(fields.as_ref())),
                Part::Head(_) | Part::Abort(_) => Err(Fault::ResponseOrder),
            },
            (ReplyState::Awaited, _) => Err(Fault::ResponseOrder),
        };
        match result {
            Ok(()) => Flow::Ready,
            Err(fault) => {
                context.report(ProtocolError::stream(fault));
                self.abort(Reason::Internal, context, now);
                Flow::Gone
            }
        }
    }

    /// The response breaks off. Before its head an error takes its place; behind it, the client
    /// must see that it is incomplete.
    fn abort(&mut self, reason: Reason, context: &mut StreamContext, now: &Now) -> Flow {
        match &mut self.state {
            ReplyState::Awaited => match message::abort_status(reason) {
                Some(status) => self.plain(status, context, now),
                None => self.state = ReplyState::Broken,
            },
            ReplyState::Headed { content, .. } | ReplyState::Sending(content) => {
                content.end = Some(ResponseEnd::Broken);
            }
            ReplyState::Broken | ReplyState::Over => return Flow::Gone,
        }
        Flow::Ready
    }

    /// Answers in place of the handler. A response that has begun breaks off, if it has no end yet.
    pub fn plain(&mut self, status: StatusCode, context: &mut StreamContext, now: &Now) {
        if let ReplyState::Headed { content, .. } | ReplyState::Sending(content) = &mut self.state {
            content.end.get_or_insert(ResponseEnd::Broken);
            return;
        }
        let (head, bytes) = message::plain_response(status);
        // Its fields are sendable.
        if self.head(&head, context, now).is_ok()
            && let ReplyState::Headed { content, .. } = &mut self.state
        {
            content.push_own(bytes);
            // All of it is there.
            let _ = content.end(None);
        }
    }

    /// The final head.
    fn head(
        &mut self,
        head: &ResponseHead,
        context: &StreamContext,
        now: &Now,
    ) -> Result<(), Fault> {
        let shape = message::shape(&self.facts, head)?;
        let head = response::head(head, &shape, &context.settings, &now.date)?;
        if self.is_awaited() {
            self.state = ReplyState::Headed { head, content: ResponseContent::new(shape.content) };
        }
        Ok(())
    }

    /// Gives the stream what it takes, at most about `most` bytes of content. A response whose client
    /// is slower than `pace` is past its [`deadline`](Self::deadline).
    pub fn poll_write(
        &mut self,
        sink: &mut impl Sink,
        context: &mut StreamContext,
        most: usize,
        pace: Pace,
        now: &Now,
    ) -> WriteProgress {
        let mut taken = 0;
        let moved = match std::mem::replace(&mut self.state, ReplyState::Over) {
            ReplyState::Broken => {
                self.broken = true;
                sink.reset(ResetReason::Cancelled);
                WriteProgress::Reset
            }
            ReplyState::Over => WriteProgress::All,
            state => match self.give_heads(state, sink, context) {
                Ok(ReplyState::Sending(mut content)) if self.interim.is_empty() => {
                    let moved = give_content(&mut content, sink, context, most, &mut taken);
                    self.state = ReplyState::Sending(content);
                    moved
                }
                Ok(ReplyState::Over) => WriteProgress::All,
                Ok(state) => {
                    let waits = matches!(state, ReplyState::Awaited) && self.interim.is_empty();
                    self.state = state;
                    if waits { WriteProgress::Waits } else { WriteProgress::Blocked }
                }
                Err(Gone) => {
                    self.state = ReplyState::Broken;
                    WriteProgress::Gone
                }
            },
        };
        self.sent.content += taken;
        self.broken |= moved == WriteProgress::Reset;
        match moved {
            WriteProgress::Blocked => {
                self.stalled = Some(match self.stalled {
                    Some(deadline) => pace.extend(deadline, taken, now.instant),
                    None => pace.begin(now.instant),
                });
            }
            WriteProgress::All | WriteProgress::Reset => self.state = ReplyState::Over,
            WriteProgress::Waits
            | WriteProgress::More
            | WriteProgress::Again
            | WriteProgress::Gone => {}
        }
        if moved != WriteProgress::Blocked {
            self.stalled = None;
        }
        moved
    }

    /// Gives the stream the heads that there are. The state that comes of it is `Over` when there is
    /// nothing else.
    fn give_heads(
        &mut self,
        state: ReplyState,
        sink: &mut impl Sink,
        context: &mut StreamContext,
    ) -> Result<ReplyState, Gone> {
        while let Some(head) = self.interim.pop_front() {
            match sink.interim(head) {
                Ok(()) => self.stalled = None,
                Err(Refused::Gone) => {
                    self.state = state;
                    self.lose(context);
                    return Err(Gone);
                }
                Err(Refused::Full(head)) => {
                    self.interim.push_front(head);
                    return Ok(state);
                }
            }
        }
        let ReplyState::Headed { head, mut content } = state else { return Ok(state) };
        let (last, status) = (content.is_empty(), head.status());
        let given = sink.head(head, last);
        if given.is_ok() {
            self.sent.status = Some(status);
        }
        match given {
            Ok(()) if last => Ok(ReplyState::Over),
            Ok(()) => {
                self.stalled = None;
                Ok(ReplyState::Sending(content))
            }
            Err(Refused::Full(head)) => Ok(ReplyState::Headed { head, content }),
            Err(Refused::Gone) => {
                content.discard(context);
                Err(Gone)
            }
        }
    }
}

/// The stream is no more.
struct Gone;

fn give_content(
    content: &mut ResponseContent,
    sink: &mut impl Sink,
    context: &mut StreamContext,
    mut most: usize,
    taken: &mut u64,
) -> WriteProgress {
    while let Some(wanted) = content.front_len() {
        let room = match sink.room(wanted) {
            None => return WriteProgress::Gone,
            Some(0) => return WriteProgress::Blocked,
            Some(room) => room.min(most),
        };
        if room == 0 {
            return WriteProgress::More;
        }
        let Some(data) = content.take(room, context) else {
            sink.reset(ResetReason::Broken);
            return WriteProgress::Gone;
        };
        most -= data.len();
        *taken += data.len() as u64;
        let last = content.is_empty();
        if sink.data(data, last).is_err() {
            return WriteProgress::Gone;
        }
        if last {
            return WriteProgress::All;
        }
    }
    give_end(content, sink)
}

/// Tells the end, once all content was taken.
fn give_end(content: &mut ResponseContent, sink: &mut impl Sink) -> WriteProgress {
    let refused = match content.end.take() {
        None => return WriteProgress::Waits,
        Some(ResponseEnd::Complete(None)) => match sink.data(Bytes::new(), true) {
            Ok(()) => return WriteProgress::All,
            Err(Refused::Full(())) => Refused::Full(None),
            Err(Refused::Gone) => Refused::Gone,
        },
        Some(ResponseEnd::Complete(Some(trailers))) => match sink.trailers(trailers) {
            Ok(()) => return WriteProgress::All,
            Err(Refused::Full(trailers)) => Refused::Full(Some(trailers)),
            Err(Refused::Gone) => Refused::Gone,
        },
        // A reset takes back what has not been written.
        Some(ResponseEnd::Broken) => {
            content.end = Some(ResponseEnd::Reset);
            return WriteProgress::Again;
        }
        Some(ResponseEnd::Reset) => {
            sink.reset(ResetReason::Broken);
            return WriteProgress::Reset;
        }
    };
    match refused {
        Refused::Gone => WriteProgress::Gone,
        Refused::Full(trailers) => {
            content.end = Some(ResponseEnd::Complete(trailers));
            WriteProgress::Blocked
        }
    }
}
