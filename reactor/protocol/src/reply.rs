//! [`Reply`]: a response on its way from a worker to a stream, for versions that have streams.
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
use http::{HeaderMap, Response, StatusCode};
use wire::{Part, Reason, ResponseHead};

use super::content::{End, Outgoing};
use super::error::{Fault, ProtocolError};
use super::message::{self, RequestFacts};
use super::outlet::Outlet;
use super::pace::Pace;
use super::{Flow, Now, response};

/// What the client gets.
#[derive(Debug)]
pub struct Reply {
    facts: RequestFacts,
    state: State,
    /// Interim heads that the stream has not taken.
    interim: VecDeque<Response<()>>,
    /// When the client has kept its window shut for too long.
    stalled: Option<Instant>,
}

#[derive(Debug)]
enum State {
    /// There is no final head yet.
    Awaited,
    /// The stream has not been given the final head.
    Headed { head: Response<()>, content: Outgoing },
    /// The stream has the head.
    Sending(Outgoing),
    /// The stream is to be reset: nobody is there who could read an answer.
    Cut,
    /// The stream has everything, or is gone.
    Over,
}

/// A stream as a response sees it. What it has not taken it is given again before anything else.
pub trait Sink {
    /// An interim head (RFC 9110, 15.2).
    fn interim(&mut self, head: Response<()>) -> Result<(), Refused<Response<()>>>;

    /// The final head; `last` when there is nothing else.
    fn head(&mut self, head: Response<()>, last: bool) -> Result<(), Refused<Response<()>>>;

    /// How many bytes of content it takes now, at most `wanted`. `None`: the stream is no more.
    fn room(&mut self, wanted: u64) -> Option<usize>;

    /// Content, not more than the room; `last` when it is the end, which may be all there is.
    fn data(&mut self, data: Bytes, last: bool) -> Result<(), Refused<()>>;

    /// The end.
    fn trailers(&mut self, trailers: HeaderMap) -> Result<(), Refused<HeaderMap>>;

    /// The end before the end.
    fn reset(&mut self, cut: Cut);
}

/// Why a stream has not taken something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused<T> {
    /// There is no room now; here it is back.
    Full(T),
    /// The stream is no more.
    Gone,
}

/// Why a stream is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The client has given up, or makes no progress.
    Cancelled,
    /// The response cannot be completed.
    Broken,
}

/// What became of a response when it was moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It waits for the worker.
    Waits,
    /// It waits for room.
    Blocked,
    /// It has had its share, and has more.
    More,
    /// It is to be moved once more when what it gave before was written.
    Again,
    /// The stream has all of it.
    All,
    /// The stream was reset.
    Reset,
    /// The stream is no more.
    Gone,
}

impl Reply {
    /// Nothing yet, to a request of this kind.
    pub fn new(facts: RequestFacts) -> Self {
        Self { facts, state: State::Awaited, interim: VecDeque::new(), stalled: None }
    }

    /// Whether there is nothing more to do.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether there is no final head yet.
    pub fn is_awaited(&self) -> bool {
        matches!(self.state, State::Awaited)
    }

    /// Whether it has something that the stream has not taken.
    pub fn has_more(&self) -> bool {
        !self.interim.is_empty()
            || match &self.state {
                State::Headed { .. } | State::Cut => true,
                State::Sending(content) => content.front_len().is_some() || content.end.is_some(),
                State::Awaited | State::Over => false,
            }
    }

    /// When the client has kept its window shut for too long.
    pub fn deadline(&self) -> Option<Instant> {
        self.stalled
    }

    /// What keeps it waiting is not the client's doing: the deadline is this one.
    pub fn bear_with(&mut self, until: Instant) {
        if let Some(stalled) = &mut self.stalled {
            *stalled = until;
        }
    }

    /// The stream is no more.
    pub fn lose(&mut self, outlet: &mut Outlet) {
        if let State::Headed { content, .. } | State::Sending(content) = &mut self.state {
            content.discard(outlet);
        }
        self.state = State::Over;
        self.stalled = None;
    }

    /// Says that the client may go on (RFC 9110, 10.1.1).
    pub fn say_continue(&mut self) {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::CONTINUE;
        self.interim.push_back(head);
    }

    /// A part of the worker's.
    pub fn send(&mut self, part: Part<ResponseHead>, outlet: &mut Outlet, now: &Now) -> Flow {
        let result = match (&mut self.state, part) {
            (State::Cut | State::Over, _) => return Flow::Gone,
            (State::Headed { content, .. } | State::Sending(content), _)
                if content.end.is_some() =>
            {
                return Flow::Gone;
            }
            (_, Part::Abort(reason)) => return self.abort(reason, outlet, now),
            (State::Awaited, Part::Head(head)) if head.status.is_informational() => {
                response::interim(&head).map(|head| self.interim.push_back(head))
            }
            (State::Awaited, Part::Head(head)) => self.head(&head, outlet, now),
            (State::Headed { content, .. } | State::Sending(content), part) => match part {
                Part::Body(bytes) => content.push(bytes, outlet),
                Part::File(slice) => content.push_file(slice),
                Part::End(fields) => content.end(response::trailers(fields.as_ref())),
                Part::Head(_) | Part::Abort(_) => Err(Fault::ResponseOrder),
            },
            (State::Awaited, _) => Err(Fault::ResponseOrder),
        };
        match result {
            Ok(()) => Flow::Ready,
            Err(fault) => {
                outlet.report(ProtocolError::stream(fault));
                self.abort(Reason::Internal, outlet, now);
                Flow::Gone
            }
        }
    }

    /// The response breaks off. Before its head an error takes its place; behind it, the client
    /// must see that it is incomplete.
    fn abort(&mut self, reason: Reason, outlet: &mut Outlet, now: &Now) -> Flow {
        match &mut self.state {
            State::Awaited => match message::abort_status(reason) {
                Some(status) => self.plain(status, outlet, now),
                None => self.state = State::Cut,
            },
            State::Headed { content, .. } | State::Sending(content) => {
                content.end = Some(End::Broken);
            }
            State::Cut | State::Over => return Flow::Gone,
        }
        Flow::Ready
    }

    /// Answers in place of the handler. A response that has begun breaks off, if it has no end yet.
    pub fn plain(&mut self, status: StatusCode, outlet: &mut Outlet, now: &Now) {
        if let State::Headed { content, .. } | State::Sending(content) = &mut self.state {
            content.end.get_or_insert(End::Broken);
            return;
        }
        let (head, bytes) = message::plain_response(status);
        // Its fields are sendable.
        if self.head(&head, outlet, now).is_ok()
            && let State::Headed { content, .. } = &mut self.state
        {
            content.push_own(bytes);
            // All of it is there.
            let _ = content.end(None);
        }
    }

    /// The final head.
    fn head(&mut self, head: &ResponseHead, outlet: &Outlet, now: &Now) -> Result<(), Fault> {
        let shape = message::shape(&self.facts, head)?;
        let head = response::head(head, &shape, &outlet.settings, &now.date)?;
        if self.is_awaited() {
            self.state = State::Headed { head, content: Outgoing::new(shape.content) };
        }
        Ok(())
    }

    /// Gives the stream what it takes, at most about `most` bytes of content. A response whose client
    /// is slower than `pace` is past its [`deadline`](Self::deadline).
    pub fn give(
        &mut self,
        sink: &mut impl Sink,
        outlet: &mut Outlet,
        most: usize,
        pace: Pace,
        now: &Now,
    ) -> Moved {
        let mut taken = 0;
        let moved = match std::mem::replace(&mut self.state, State::Over) {
            State::Cut => {
                sink.reset(Cut::Cancelled);
                Moved::Reset
            }
            State::Over => Moved::All,
            state => match self.give_heads(state, sink, outlet) {
                Ok(State::Sending(mut content)) if self.interim.is_empty() => {
                    let moved = give_content(&mut content, sink, outlet, most, &mut taken);
                    self.state = State::Sending(content);
                    moved
                }
                Ok(State::Over) => Moved::All,
                Ok(state) => {
                    let waits = matches!(state, State::Awaited) && self.interim.is_empty();
                    self.state = state;
                    if waits { Moved::Waits } else { Moved::Blocked }
                }
                Err(Gone) => {
                    self.state = State::Cut;
                    Moved::Gone
                }
            },
        };
        match moved {
            Moved::Blocked => {
                self.stalled = Some(match self.stalled {
                    Some(deadline) => pace.extend(deadline, taken, now.instant),
                    None => pace.begin(now.instant),
                });
            }
            Moved::All | Moved::Reset => self.state = State::Over,
            Moved::Waits | Moved::More | Moved::Again | Moved::Gone => {}
        }
        if moved != Moved::Blocked {
            self.stalled = None;
        }
        moved
    }

    /// Gives the stream the heads that there are. The state that comes of it is `Over` when there is
    /// nothing else.
    fn give_heads(
        &mut self,
        state: State,
        sink: &mut impl Sink,
        outlet: &mut Outlet,
    ) -> Result<State, Gone> {
        while let Some(head) = self.interim.pop_front() {
            match sink.interim(head) {
                Ok(()) => self.stalled = None,
                Err(Refused::Gone) => {
                    self.state = state;
                    self.lose(outlet);
                    return Err(Gone);
                }
                Err(Refused::Full(head)) => {
                    self.interim.push_front(head);
                    return Ok(state);
                }
            }
        }
        let State::Headed { head, mut content } = state else { return Ok(state) };
        let last = content.is_empty();
        match sink.head(head, last) {
            Ok(()) if last => Ok(State::Over),
            Ok(()) => {
                self.stalled = None;
                Ok(State::Sending(content))
            }
            Err(Refused::Full(head)) => Ok(State::Headed { head, content }),
            Err(Refused::Gone) => {
                content.discard(outlet);
                Err(Gone)
            }
        }
    }
}

/// The stream is no more.
struct Gone;

fn give_content(
    content: &mut Outgoing,
    sink: &mut impl Sink,
    outlet: &mut Outlet,
    mut most: usize,
    taken: &mut u64,
) -> Moved {
    while let Some(wanted) = content.front_len() {
        let room = match sink.room(wanted) {
            None => return Moved::Gone,
            Some(0) => return Moved::Blocked,
            Some(room) => room.min(most),
        };
        if room == 0 {
            return Moved::More;
        }
        let Some(data) = content.take(room, outlet) else {
            sink.reset(Cut::Broken);
            return Moved::Gone;
        };
        most -= data.len();
        *taken += data.len() as u64;
        let last = content.is_empty();
        if sink.data(data, last).is_err() {
            return Moved::Gone;
        }
        if last {
            return Moved::All;
        }
    }
    give_end(content, sink)
}

/// Tells the end, once all content was taken.
fn give_end(content: &mut Outgoing, sink: &mut impl Sink) -> Moved {
    let refused = match content.end.take() {
        None => return Moved::Waits,
        Some(End::Complete(None)) => match sink.data(Bytes::new(), true) {
            Ok(()) => return Moved::All,
            Err(Refused::Full(())) => Refused::Full(None),
            Err(Refused::Gone) => Refused::Gone,
        },
        Some(End::Complete(Some(trailers))) => match sink.trailers(trailers) {
            Ok(()) => return Moved::All,
            Err(Refused::Full(trailers)) => Refused::Full(Some(trailers)),
            Err(Refused::Gone) => Refused::Gone,
        },
        // A reset takes back what has not been written.
        Some(End::Broken) => {
            content.end = Some(End::Reset);
            return Moved::Again;
        }
        Some(End::Reset) => {
            sink.reset(Cut::Broken);
            return Moved::Reset;
        }
    };
    match refused {
        Refused::Gone => Moved::Gone,
        Refused::Full(trailers) => {
            content.end = Some(End::Complete(trailers));
            Moved::Blocked
        }
    }
}
