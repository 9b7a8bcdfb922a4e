//! What a collector of OpenTelemetry gets of requests, in every version of HTTP.

use std::time::{Duration, Instant};

use otlp::Settings;
use otlp::messages::{AttributeValue, Data, ExportMetrics, ExportTraces, Metric, Span};
use prost::Message;
use reactor::config::TraceSettings;
use wire::{Part, Reason, Version};

use super::common::client::Request;
use super::fake_collector::{Answer, Collector, PATIENCE};
use super::secure::Secure;
use super::{Wire, text};

const VERSIONS: [(Version, &str); 3] =
    [(Version::Http11, "1.1"), (Version::Http2, "2"), (Version::Http3, "3")];
const TRACE: [u8; 16] = [0xab; 16];
const PARENT: &str = "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01";

fn server(version: Version, otlp: Settings) -> Secure {
    Secure::configured(version, |config| {
        config.traces = Some(TraceSettings { ratio: 0.0, ..TraceSettings::default() });
        config.otlp = Some(otlp);
    })
}

/// So many spans, from as many messages as they come in.
fn spans(collector: &Collector, count: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    while spans.len() < count {
        let message = ExportTraces::decode(&collector.next().body[..]).unwrap();
        let scopes = message.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    spans
}

fn get(span: &Span, key: &str) -> Option<AttributeValue> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.clone()?.value
}

fn is_text(span: &Span, key: &str, wanted: &str) -> bool {
    get(span, key) == Some(AttributeValue::Text(wanted.to_owned()))
}

#[test]
fn a_sampled_request_is_a_span_of_the_server_with_those_of_queue_and_handler() {
    for (version, number) in VERSIONS {
        let collector = Collector::start(Vec::new());
        let mut wire = server(version, collector.settings());
        let request = Request::new("GET", "/a?b=c").field("traceparent", PARENT);
        let mut passed = String::new();
        let reply = wire.exchange(&request, &mut |seen| {
            let field = seen.head.fields.get(b"traceparent").unwrap();
            passed = String::from_utf8(field.to_vec()).unwrap();
            text("hello")
        });
        assert_eq!(reply.status, 200);
        let spans = spans(&collector, 3);
        let named = |name: &str| spans.iter().find(|span| span.name == name).expect(name);
        let (server, queue, handler) = (named("GET"), named("queue"), named("handler"));
        assert!(spans.iter().all(|span| span.trace_id == TRACE), "{version:?}");
        assert_eq!(server.parent_span_id, [0xcd; 8]);
        assert!(passed.contains(&wire::hex::Hex(&server.span_id).to_string()), "{passed}");
        assert_eq!(
            (&queue.parent_span_id, &handler.parent_span_id),
            (&server.span_id, &server.span_id)
        );
        for (key, value) in [
            ("http.request.method", "GET"),
            ("url.path", "/a"),
            ("url.query", "b=c"),
            ("url.scheme", "https"),
            ("network.protocol.version", number),
            ("client.address", "127.0.0.1"),
            ("ferrite.outcome", "complete"),
        ] {
            assert!(is_text(server, key, value), "{version:?} {key}: {server:?}");
        }
        assert_eq!(get(server, "http.response.status_code"), Some(AttributeValue::Int(200)));
        assert_eq!(get(server, "http.response.body.size"), Some(AttributeValue::Int(5)));
        assert_eq!(get(server, "error.type"), None);
        let times = [
            server.start_time_unix_nano,
            queue.start_time_unix_nano,
            queue.end_time_unix_nano,
            handler.start_time_unix_nano,
            handler.end_time_unix_nano,
            server.end_time_unix_nano,
        ];
        assert!(times.is_sorted(), "{version:?} {times:?}");
    }
}

#[test]
fn what_is_not_sampled_is_not_sent_and_errors_are_told() {
    for (version, _) in VERSIONS {
        let collector = Collector::start(Vec::new());
        let mut wire = server(version, collector.settings());
        wire.still_serves();
        let request = Request::new("GET", "/fails").field("traceparent", PARENT);
        let reply = wire.answer(&request, vec![Part::Abort(Reason::HandlerFailed)]);
        assert_eq!(reply.status, 500);
        let spans = spans(&collector, 3);
        assert_eq!(spans.len(), 3, "{version:?}: that of /next is not sampled");
        let server = spans.iter().find(|span| span.name == "GET").unwrap();
        assert!(is_text(server, "url.path", "/fails") && is_text(server, "error.type", "failed"));
        assert_eq!(server.status.as_ref().map(|status| status.code), Some(2));
    }
}

#[test]
fn figures_are_sent_with_the_names_of_the_conventions() {
    let collector = Collector::start(Vec::new());
    let interval = Duration::from_millis(50);
    let mut wire = server(
        Version::Http2,
        Settings {
            traces: None,
            metrics: Some(format!("{}/v1/metrics", collector.url)),
            metrics_interval: interval,
            ..collector.settings()
        },
    );
    wire.still_serves();
    let begin = Instant::now();
    loop {
        let message = ExportMetrics::decode(&collector.next().body[..]).unwrap();
        let metrics = &message.resource_metrics[0].scope_metrics[0].metrics;
        let found = metrics.iter().find(|metric| metric.name == "http.server.request.duration");
        if let Some(Metric { data: Some(Data::Histogram(histogram)), unit, .. }) = found
            && histogram.data_points.iter().any(|point| point.count == 1)
        {
            assert_eq!(unit, "s");
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "the request is counted");
    }
}

/// A collector that takes nothing does not hold up requests.
#[test]
fn requests_do_not_wait_for_a_collector() {
    for (version, _) in VERSIONS {
        let collector = Collector::start(vec![Answer::Never; 99]);
        let settings = Settings { queue_len: 4, batch_len: 1, ..collector.settings() };
        let mut wire = server(version, settings);
        for _ in 0..20 {
            let request = Request::new("GET", "/").field("traceparent", PARENT);
            assert_eq!(wire.answer(&request, text("hello")).status, 200);
        }
        wire.still_serves();
        let begin = Instant::now();
        while wire.counted(wire::shm::Counter::SpansLost) == 0 {
            assert!(begin.elapsed() < PATIENCE, "{version:?}: some are dropped");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
