//! The spans of an exchange, by OpenTelemetry's semantic conventions of HTTP.
//!
//! ```text
//!  server   ├────────────────────────────────────────┤  the whole exchange
//!  queue    ├──────────┤                                its content's arrival, and the wait for a worker
//!  handler             ├───────────────────────┤        the worker
//! ```

use std::time::{Duration, Instant};

use http::Method;
use otlp::messages::{KeyValue, Span, SpanKind, Status};
use wire::Version;
use wire::shm::exchanges::METHODS;

use crate::record::{Outcome, Record};
use crate::trace_context::TraceContext;

/// Flags of a span: that something is said of its parent, and that this is remote.
const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// Parameters whose values are credentials, by the conventions: they are not told.
const SECRET: [&str; 4] = ["AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"];

/// Appends the spans of an exchange.
pub(super) fn append(record: &Record, spans: &mut Vec<Span>) {
    let Some(trace) = &record.trace else { return };
    let maker = Maker { record, trace };
    spans.push(maker.server());
    if let Some(given) = record.given {
        spans.push(maker.inner("queue", 1, record.begun, given));
        let answered = record.answered_all.unwrap_or(record.ended).min(record.ended);
        let mut handler = maker.inner("handler", 2, given, answered);
        if let Some((worker, pid)) = record.worker {
            handler.attributes.push(KeyValue::int("ferrite.worker.id", worker.into()));
            handler.attributes.push(KeyValue::int("process.pid", pid.into()));
        }
        spans.push(handler);
    }
}

struct Maker<'a> {
    record: &'a Record,
    trace: &'a TraceContext,
}

impl Maker<'_> {
    fn server(&self) -> Span {
        let record = self.record;
        let known = record.method.as_ref().filter(|method| is_known(method));
        let error = error(record);
        let remote = if self.trace.parent.is_some() { PARENT_IS_REMOTE } else { 0 };
        Span {
            span_id: self.trace.span_id.to_vec(),
            parent_span_id: self.trace.parent.map_or_else(Vec::new, |id| id.to_vec()),
            trace_state: lossy(self.trace.state.as_deref().unwrap_or_default()),
            name: known.map_or("HTTP", |method| method.as_str()).to_owned(),
            kind: SpanKind::Server as i32,
            attributes: attributes(record, known.is_some(), error.as_deref()),
            status: error.map(|error| Status::error(&error)),
            flags: 1 | PARENT_IS_KNOWN | remote,
            ..self.span(record.begun, record.ended)
        }
    }

    /// A part of the server's span. Its id follows from that: nobody else names it.
    fn inner(&self, name: &str, nth: u64, from: Instant, to: Instant) -> Span {
        let id = u64::from_be_bytes(self.trace.span_id) ^ nth;
        Span {
            span_id: id.max(1).to_be_bytes().to_vec(),
            parent_span_id: self.trace.span_id.to_vec(),
            name: name.to_owned(),
            kind: SpanKind::Internal as i32,
            flags: 1 | PARENT_IS_KNOWN,
            ..self.span(from, to)
        }
    }

    fn span(&self, from: Instant, to: Instant) -> Span {
        Span {
            trace_id: self.trace.trace_id.to_vec(),
            start_time_unix_nano: self.at(from),
            end_time_unix_nano: self.at(to.max(from)),
            ..Span::default()
        }
    }

    /// Nanoseconds since 1970: the clock of the record's begin goes on from there.
    fn at(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.record.begun);
        let at = Duration::from_micros(self.record.received_at) + since;
        u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
    }
}

fn is_known(method: &Method) -> bool {
    METHODS.contains(&method.as_str())
}

/// The value of `error.type`; `None` where nothing went wrong on this side. A client that has left is told by
/// `ferrite.outcome`: streams end so.
fn error(record: &Record) -> Option<String> {
    match record.outcome {
        Outcome::Complete | Outcome::ClientLeft | Outcome::Refused => {
            let status = record.status.filter(|status| status.is_server_error());
            status.map(|status| status.as_str().to_owned())
        }
        outcome => Some(outcome.name().to_owned()),
    }
}

fn attributes(record: &Record, known: bool, error: Option<&str>) -> Vec<KeyValue> {
    let mut list = Vec::with_capacity(16);
    let mut text = |key: &str, value: Option<String>| {
        list.extend(value.map(|value| KeyValue::text(key, value)));
    };
    let method = record.method.as_ref().map_or("", |method| method.as_str());
    text("http.request.method", Some(if known { method } else { "_OTHER" }.to_owned()));
    text("http.request.method_original", (!known).then(|| method.to_owned()));
    text("url.path", Some(lossy(&record.path)));
    text("url.query", record.query.as_deref().map(|query| redacted(&lossy(query))));
    text("url.scheme", Some(if record.tls.is_some() { "https" } else { "http" }.to_owned()));
    text("server.address", record.host.as_deref().map(lossy));
    text("user_agent.original", record.user_agent.as_deref().map(lossy));
    text("client.address", record.client.map(|client| client.ip().to_canonical().to_string()));
    text("network.protocol.name", Some("http".to_owned()));
    text("network.protocol.version", record.version.map(|version| number(version).to_owned()));
    text("error.type", error.map(str::to_owned));
    text("ferrite.outcome", Some(record.outcome.name().to_owned()));
    text("ferrite.request_id", record.ids.request.as_ref().map(|id| id.as_str().to_owned()));
    let status = record.status.map(|status| status.as_u16().into());
    list.extend(status.map(|status| KeyValue::int("http.response.status_code", status)));
    list.push(KeyValue::int("http.request.body.size", record.request_content));
    list.push(KeyValue::int("http.response.body.size", record.content));
    list
}

fn number(version: Version) -> &'static str {
    match version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
        Version::Http2 => "2",
        Version::Http3 => "3",
    }
}

/// Text of a client's: strings of protocol buffers are UTF-8.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The query without credentials.
fn redacted(query: &str) -> String {
    let parameter = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if SECRET.contains(&name) => format!("{name}=REDACTED"),
        _ => parameter.to_owned(),
    };
    query.split('&').map(parameter).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;
    use otlp::messages::AttributeValue;

    use super::*;
    use crate::record::tests::record;

    fn traced() -> Record {
        let mut record = record();
        record.received_at = 1_000_000;
        record.trace = Some(TraceContext {
            trace_id: [7; 16],
            span_id: [8; 8],
            parent: Some([9; 8]),
            sampled: true,
            state: Some(Bytes::from_static(b"a=1")),
        });
        let after = |millis| Some(record.begun + Duration::from_millis(millis));
        (record.given, record.answered, record.answered_all) = (after(1), after(2), after(3));
        record.ended = record.begun + Duration::from_millis(4);
        record.worker = Some((2, 4711));
        record
    }

    fn spans_of(record: &Record) -> Vec<Span> {
        let mut spans = Vec::new();
        append(record, &mut spans);
        spans
    }

    fn get(span: &Span, key: &str) -> Option<AttributeValue> {
        let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
        found.value.clone()?.value
    }

    fn text(span: &Span, key: &str) -> Option<String> {
        match get(span, key)? {
            AttributeValue::Text(text) => Some(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_exchange_is_a_span_with_two_parts() {
        let spans = spans_of(&traced());
        let names: Vec<_> = spans.iter().map(|span| &span.name[..]).collect();
        assert_eq!(names, ["GET", "queue", "handler"]);
        let second = 1_000_000_000;
        let times = spans.iter().map(|span| {
            let from = |at: u64| (at - second) / 1_000_000;
            (from(span.start_time_unix_nano), from(span.end_time_unix_nano))
        });
        assert_eq!(times.collect::<Vec<_>>(), [(0, 4), (0, 1), (1, 3)]);
        let [server, queue, handler] = &spans[..] else { panic!() };
        assert_eq!((&server.parent_span_id[..], &server.trace_state[..]), (&[9; 8][..], "a=1"));
        assert_eq!((server.flags, queue.flags), (0x301, 0x101));
        for inner in [queue, handler] {
            assert_eq!(inner.parent_span_id, server.span_id);
            assert_ne!(inner.span_id, server.span_id);
        }
        assert_ne!(queue.span_id, handler.span_id);
        assert!(spans.iter().all(|span| span.trace_id == [7; 16] && span.status.is_none()
            || span.name == "GET"));
        assert_eq!(get(handler, "process.pid"), Some(AttributeValue::Int(4711)));
        assert_eq!(text(server, "network.protocol.version").as_deref(), Some("1.1"));
        assert_eq!(text(server, "client.address").as_deref(), Some("192.0.2.7"));
        assert_eq!(get(server, "http.response.status_code"), Some(AttributeValue::Int(200)));
    }

    #[test]
    fn errors_are_those_of_this_side() {
        let cases = [
            (200, Outcome::Complete, None),
            (404, Outcome::Complete, None),
            (400, Outcome::Refused, None),
            (200, Outcome::ClientLeft, None),
            (500, Outcome::Complete, Some("500")),
            (502, Outcome::WorkerDied, Some("worker_died")),
            (503, Outcome::Shed, Some("shed")),
            (504, Outcome::Timeout, Some("timeout")),
            (200, Outcome::Failed, Some("failed")),
        ];
        for (status, outcome, error) in cases {
            let mut record = traced();
            record.status = StatusCode::from_u16(status).ok();
            record.outcome = outcome;
            let server = spans_of(&record).remove(0);
            assert_eq!(text(&server, "error.type").as_deref(), error, "{status} {outcome:?}");
            assert_eq!(server.status.is_some_and(|status| status.code == 2), error.is_some());
        }
    }

    #[test]
    fn what_clients_send_is_text_and_no_secret() {
        let mut record = traced();
        record.method = Method::from_bytes(b"BREW").ok();
        record.path = Bytes::from_static(b"/\xff");
        record.query = Some(Bytes::from_static(b"a=1&sig=abc&Signature=x&sig"));
        let server = spans_of(&record).remove(0);
        assert_eq!(server.name, "HTTP");
        for (key, value) in [
            ("http.request.method", "_OTHER"),
            ("http.request.method_original", "BREW"),
            ("url.path", "/\u{fffd}"),
            ("url.query", "a=1&sig=REDACTED&Signature=REDACTED&sig"),
        ] {
            assert_eq!(text(&server, key).as_deref(), Some(value));
        }
    }
}
