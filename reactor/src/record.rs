//! [`Record`]: what is known of one exchange. It is filled where the facts arise, whoever answers, and given to
//! the [`Observer`]s once, when the exchange is over.
//!
//! ```text
//!  head complete ──▶ begun ──▶ given to a worker ──▶ answered ──▶ over ──▶ observers
//!                      └───── refused, shed, client left … ────────▲
//! ```
//!
//! Where there are no observers, and requests have no ids and are part of no traces, there are no records, and
//! nothing is done for them.

pub(crate) mod observers;
mod outcome;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};
use wire::head::{Origin, Version};
use wire::{Part, Reason, RequestHead, RequestIds, ResponseHead, TlsInfo};

pub use self::outcome::Outcome;
use crate::protocol::ended::{Ended, Ending};
use crate::protocol::error::Fault;
use crate::protocol::{Now, StreamId};
use crate::request_ids::{IdSource, RequestIdSettings};
use crate::slots::{Key, Slots};
use crate::trace_context::{TraceContext, TraceSettings, TraceSource};

/// Is told of each exchange that is over, in the reactor thread that had it. It must not block.
pub trait Observer: fmt::Debug + Send {
    /// The exchange is over, and the record is complete.
    fn over(&mut self, record: &Record);

    /// The turn of the event loop ends: what was collected can be passed on.
    fn turn_ends(&mut self) {}

    /// Whether it reads fields of requests.
    fn reads_fields(&self) -> bool {
        false
    }
}

/// What is known of one exchange.
#[derive(Debug, Clone)]
pub struct Record {
    /// The client, as trusted proxies say; `None` on a Unix socket.
    pub client: Option<SocketAddr>,
    /// The connection's number (`fd` in PHP).
    pub connection: u64,
    /// The stream within it.
    pub stream: StreamId,
    /// Index of the port.
    pub port: u16,
    /// The version of HTTP; `None` when the head of a request over HTTP/1 was refused.
    pub version: Option<Version>,
    /// The TLS that the request came by.
    pub tls: Option<TlsInfo>,
    /// The method; `None` when the head was refused.
    pub method: Option<Method>,
    /// The path, as sent. Bounded as request lines are; who writes it cuts it.
    pub path: Bytes,
    /// What followed the `?`.
    pub query: Option<Bytes>,
    /// `Host`, where an observer reads fields, as the two that follow.
    pub host: Option<Bytes>,
    /// `Referer`.
    pub referer: Option<Bytes>,
    /// `User-Agent`.
    pub user_agent: Option<Bytes>,
    /// Its ids, where requests have any.
    pub ids: RequestIds,
    /// Its place in a trace, where requests are parts of traces.
    pub trace: Option<TraceContext>,
    /// The status that the client was sent; `None`: it was sent none.
    pub status: Option<StatusCode>,
    /// Content of the request that has arrived, bytes.
    pub request_content: u64,
    /// Content of the response that the client was sent, bytes, as encoded by its content coding.
    pub content: u64,
    /// Bytes of the response as its version forms it: see [`Sent::wire`](crate::protocol::ended::Sent::wire).
    pub wire: u64,
    /// When the head was complete, in microseconds since 1970-01-01 UTC.
    pub received_at: u64,
    /// When the head was complete.
    pub begun: Instant,
    /// When it was given to a worker; the last one, if it was given to several.
    pub given: Option<Instant>,
    /// When the first part of the final response came from whoever answers.
    pub answered: Option<Instant>,
    /// When the last part did.
    pub answered_all: Option<Instant>,
    /// When it was over.
    pub ended: Instant,
    /// The worker that had it last: id and pid.
    pub worker: Option<(u16, u32)>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was refused.
    pub fault: Option<Fault>,
    /// How long it took, once it is over.
    pub times: Times,
    /// Why no handler has answered it to its end.
    reason: Option<Reason>,
}

/// How long the parts of an exchange took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// From the complete head until a worker got it: the content's arrival, and the queue. `None` when no
    /// worker did.
    pub queue: Option<Duration>,
    /// From then until the worker had answered, or lost it.
    pub worker: Option<Duration>,
    /// From the complete head until the response began.
    pub first_byte: Option<Duration>,
    /// From the complete head until the client was sent all.
    pub total: Duration,
}

impl Times {
    /// Of a record that is complete.
    fn of(record: &Record) -> Self {
        let until = record.answered_all.unwrap_or(record.ended);
        let since_head = |time: Instant| time.saturating_duration_since(record.begun);
        Self {
            queue: record.given.map(since_head),
            worker: record.given.map(|given| until.saturating_duration_since(given)),
            first_byte: record.answered.map(since_head),
            total: since_head(record.ended),
        }
    }
}

impl Record {
    fn new(stream: StreamId, origin: &Origin, now: Instant) -> Self {
        Self {
            client: origin.remote,
            connection: origin.connection,
            stream,
            port: origin.port,
            version: None,
            tls: None,
            method: None,
            path: Bytes::new(),
            query: None,
            host: None,
            referer: None,
            user_agent: None,
            ids: RequestIds::NONE,
            trace: None,
            status: None,
            request_content: 0,
            content: 0,
            wire: 0,
            received_at: origin.received_at,
            begun: now,
            given: None,
            answered: None,
            answered_all: None,
            ended: now,
            worker: None,
            outcome: Outcome::Complete,
            fault: None,
            times: Times::default(),
            reason: None,
        }
    }

    fn of(
        stream: StreamId,
        head: &RequestHead,
        trace: Option<TraceContext>,
        with_fields: bool,
        now: Instant,
    ) -> Self {
        let [host, referer, user_agent] = match with_fields {
            true => head.fields.get_bytes([b"host", b"referer", b"user-agent"]),
            false => [const { None }; 3],
        };
        Self {
            version: Some(head.version),
            tls: head.tls.clone(),
            method: Some(head.method.clone()),
            path: head.path.clone(),
            query: head.query.clone(),
            host,
            referer,
            user_agent,
            ids: head.ids.clone(),
            trace,
            ..Self::new(stream, &head.origin, now)
        }
    }

    /// A copy that holds on to no buffer of the connection; texts of the client's are cut to so many bytes.
    pub fn kept(&self, bytes_max: usize) -> Self {
        let cut = |text: &Bytes| Bytes::copy_from_slice(&text[..text.len().min(bytes_max)]);
        let cut_if = |text: &Option<Bytes>| text.as_ref().map(cut);
        let trace = self.trace.clone();
        Self {
            path: cut(&self.path),
            query: cut_if(&self.query),
            host: cut_if(&self.host),
            referer: None,
            user_agent: cut_if(&self.user_agent),
            trace: trace.map(|trace| TraceContext { state: cut_if(&trace.state), ..trace }),
            ..self.clone()
        }
    }

    /// It is over: the one place that says how.
    fn finish(&mut self, ended: &Ended, now: Instant) {
        let Ended { sent, ending, .. } = ended;
        (self.status, self.content, self.wire) = (sent.status, sent.content, sent.wire);
        self.ended = now;
        self.times = Times::of(self);
        if let Ending::Refused(fault) = ending {
            self.fault = Some(*fault);
        }
        self.outcome = match (ending, self.reason) {
            (Ending::Refused(fault), _) if is_late(*fault) => Outcome::Timeout,
            (Ending::Refused(_), _) => Outcome::Refused,
            (Ending::Lost(Reason::ClientStalled), _) => Outcome::Timeout,
            (Ending::Lost(Reason::Shutdown), _) => Outcome::Failed,
            (Ending::Lost(_), _) => Outcome::ClientLeft,
            (Ending::Complete | Ending::Broken, Some(reason)) => outcome_of(reason),
            (Ending::Broken, None) => Outcome::Failed,
            (Ending::Complete, None) if self.fault.is_some() => Outcome::Refused,
            (Ending::Complete, None) => Outcome::Complete,
        };
    }
}

fn is_late(fault: Fault) -> bool {
    matches!(fault, Fault::HeadTimeout | Fault::ContentTimeout | Fault::ResponseStalled)
}

fn outcome_of(reason: Reason) -> Outcome {
    match reason {
        Reason::ClientGone | Reason::ClientLeaving => Outcome::ClientLeft,
        Reason::ClientStalled | Reason::Unanswered => Outcome::Timeout,
        Reason::WorkerLost => Outcome::WorkerDied,
        Reason::Overloaded => Outcome::Shed,
        Reason::Refused => Outcome::Refused,
        Reason::HandlerFailed | Reason::Shutdown | Reason::Internal => Outcome::Failed,
    }
}

/// The records of one thread's exchanges.
#[derive(Debug)]
pub struct Records {
    observers: Vec<Box<dyn Observer>>,
    open: Slots<Record>,
    with_fields: bool,
    /// Gives requests their ids; `None`: they have none.
    ids: Option<IdSource>,
    /// Makes requests parts of traces; `None`: they are not.
    traces: Option<TraceSource>,
}

impl Records {
    /// For these observers, of requests that have ids and are parts of traces as the settings say.
    pub fn new(
        observers: Vec<Box<dyn Observer>>,
        ids: Option<RequestIdSettings>,
        traces: Option<TraceSettings>,
    ) -> Self {
        let with_fields = observers.iter().any(|observer| observer.reads_fields());
        let (ids, traces) = (ids.map(IdSource::new), traces.map(TraceSource::new));
        Self { observers, open: Slots::starting_at(1), with_fields, ids, traces }
    }

    /// A request has its head, and gets its ids and its place in a trace. `None` when nobody wants a record.
    pub fn begin(&mut self, stream: StreamId, head: &mut RequestHead, now: Instant) -> Option<Key> {
        if !self.are_wanted() {
            return None;
        }
        if let Some(ids) = &mut self.ids {
            ids.assign(head);
        }
        let trace = self.traces.as_mut().map(|traces| traces.assign(head));
        head.ids.trace = trace.as_ref().map(|trace| trace.trace_id);
        Some(self.open.insert(Record::of(stream, head, trace, self.with_fields, now)))
    }

    /// Whether there are records.
    pub fn are_wanted(&self) -> bool {
        !self.observers.is_empty() || self.ids.is_some() || self.traces.is_some()
    }

    /// Puts the ids of a request into the head of its response, where clients are to have them.
    pub fn mark(&self, key: Option<Key>, part: &mut Part<ResponseHead>) {
        if let (Some(source), Part::Head(head)) = (&self.ids, part)
            && let Some(record) = key.and_then(|key| self.open.get(key))
        {
            source.mark(&record.ids, head);
        }
    }

    /// The response that takes the place of one that has not begun, with the ids of its request; `None` where
    /// the protocol is to make it.
    pub fn failure(&self, key: Option<Key>, reason: Reason) -> Option<[Part<ResponseHead>; 3]> {
        let source = self.ids.as_ref()?;
        let record = self.open.get(key?).filter(|record| record.answered.is_none())?;
        source.failure(&record.ids, reason)
    }

    fn get(&mut self, key: Option<Key>) -> Option<&mut Record> {
        self.open.get_mut(key?)
    }

    /// A worker gets the request.
    pub fn given(&mut self, key: Option<Key>, worker: u16, pid: u32, now: Instant) {
        if let Some(record) = self.get(key) {
            (record.given, record.worker) = (Some(now), Some((worker, pid)));
        }
    }

    /// Content of the request has arrived.
    pub fn content(&mut self, key: Option<Key>, bytes: u64) {
        if let Some(record) = self.get(key) {
            record.request_content += bytes;
        }
    }

    /// The final head of the response is there, or what takes its place.
    pub fn answered(&mut self, key: Option<Key>, now: Instant) {
        if let Some(record) = self.get(key) {
            record.answered.get_or_insert(now);
        }
    }

    /// Whoever answers has said all; `reason` is why, if not for the end of the response.
    pub fn answered_all(&mut self, key: Option<Key>, reason: Option<Reason>, now: Instant) {
        if let Some(record) = self.get(key) {
            record.answered.get_or_insert(now);
            record.answered_all = Some(now);
            record.reason = record.reason.or(reason);
        }
    }

    /// It is refused for what is wrong with it.
    pub fn refused(&mut self, key: Option<Key>, fault: Fault) {
        if let Some(record) = self.get(key) {
            record.fault = Some(fault);
        }
    }

    /// An exchange is over: one without a record was refused for its head.
    pub fn over(&mut self, key: Option<Key>, ended: &Ended, origin: &Origin, now: &Now) {
        let Self { observers, open, .. } = self;
        let mut tell = |record: &mut Record| {
            record.finish(ended, now.instant);
            observers.iter_mut().for_each(|observer| observer.over(record));
        };
        // It is told of where it lies, as it is too large to be moved for nothing.
        match key.and_then(|key| Some((key, open.get_mut(key)?))) {
            Some((key, record)) => {
                tell(record);
                open.discard(key);
            }
            None => {
                let origin = Origin { received_at: now.unix_micros, ..*origin };
                let mut record = Record::new(ended.stream, &origin, now.instant);
                record.version = ended.version;
                tell(&mut record);
            }
        }
    }

    /// The turn of the event loop ends.
    pub fn turn_ends(&mut self) {
        self.observers.iter_mut().for_each(|observer| observer.turn_ends());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Of a request that went well.
    pub fn record() -> Record {
        let remote = "192.0.2.7:4711".parse().ok();
        let origin = Origin { remote, connection: 1, ..Origin::default() };
        let mut record = Record::new(0, &origin, Instant::now());
        record.version = Some(Version::Http11);
        record.method = Some(Method::GET);
        (record.path, record.query) = ("/a".into(), Some("b=c".into()));
        record.user_agent = Some("curl".into());
        record.status = Some(StatusCode::OK);
        (record.content, record.wire) = (5, 100);
        record
    }
}
