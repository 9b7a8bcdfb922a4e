//! What the exporter does with a collector that takes, refuses, is slow, or is not there.

mod fake;
mod stranger;

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use boring::pkey::PKey;
use boring::ssl::{SslAcceptor, SslMethod};
use boring::x509::X509;
use fake::{Answer, Collector, PATIENCE};
use otlp::messages::{
    Data, ExportMetrics, ExportResponse, ExportTraces, Gauge, KeyValue, Metric, NumberDataPoint,
    PartialSuccess, Span,
};
use otlp::{ExporterThread, Figure, Settings, TelemetrySource};
use prost::Message;
use wire::limits::OTLP_FLUSH_TIME_MAX;

/// Spans that are named after numbers, and one figure.
#[derive(Debug, Default)]
struct Numbers {
    exported: AtomicU64,
    lost: AtomicU64,
    failed: AtomicU64,
}

#[derive(Debug, Clone)]
struct Counted(Arc<Numbers>);

impl TelemetrySource for Counted {
    type Item = u32;

    fn spans(&self, item: &u32, spans: &mut Vec<Span>) {
        spans.push(Span { name: item.to_string(), ..Span::default() });
    }

    fn metrics(&self) -> Vec<Metric> {
        let point = NumberDataPoint { as_int: Some(7), ..NumberDataPoint::default() };
        let data = Some(Data::Gauge(Gauge { data_points: vec![point] }));
        vec![Metric { name: "seven".into(), data, ..Metric::default() }]
    }

    fn add(&self, figure: Figure, count: u64) {
        let place = match figure {
            Figure::Exported => &self.0.exported,
            Figure::Lost => &self.0.lost,
            Figure::Failed => &self.0.failed,
        };
        place.fetch_add(count, Ordering::SeqCst);
    }

    fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::SeqCst)
    }
}

impl Counted {
    fn get(&self) -> [u64; 3] {
        [&self.0.exported, &self.0.lost, &self.0.failed].map(|figure| figure.load(Ordering::SeqCst))
    }

    /// Waits for exported, lost and failed to be these.
    fn becomes(&self, wanted: [u64; 3]) {
        self.wait(|figures| figures == wanted);
    }

    fn wait(&self, wanted: impl Fn([u64; 3]) -> bool) {
        let begin = Instant::now();
        while !wanted(self.get()) {
            assert!(begin.elapsed() < PATIENCE, "{:?}", self.get());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn start(settings: Settings) -> (ExporterThread<Counted>, Counted) {
    let source = Counted(Arc::default());
    (ExporterThread::start(settings, source.clone()).unwrap(), source)
}

fn give(running: &ExporterThread<Counted>, numbers: std::ops::Range<u32>) {
    running.sender().send(&mut numbers.collect(), Instant::now());
}

fn names(body: &[u8]) -> Vec<String> {
    let message = ExportTraces::decode(body).unwrap();
    let scopes = message.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
    scopes.flat_map(|scope| scope.spans).map(|span| span.name).collect()
}

#[test]
fn spans_and_metrics_arrive_with_their_resource() {
    let collector = Collector::start(Vec::new());
    let (running, source) = start(Settings {
        metrics: Some(format!("{}/v1/metrics", collector.url)),
        metrics_interval: Duration::from_secs(3600),
        headers: vec![("x-key".into(), "secret".into())],
        resource: vec![("service.name".into(), "shop".into())],
        ..collector.settings()
    });
    give(&running, 0..2);
    let seen = collector.next();
    assert_eq!(seen.path, "POST /v1/traces HTTP/1.1");
    for wanted in ["content-type: application/x-protobuf", "x-key: secret"] {
        assert!(seen.fields.iter().any(|line| line.eq_ignore_ascii_case(wanted)), "{wanted}");
    }
    assert_eq!(names(&seen.body), ["0", "1"]);
    let message = ExportTraces::decode(&seen.body[..]).unwrap();
    let resource = message.resource_spans[0].resource.clone().unwrap();
    assert_eq!(resource.attributes, [KeyValue::text("service.name", "shop")]);
    source.becomes([2, 0, 0]);
    running.finish();
    let seen = collector.next();
    assert_eq!(seen.path, "POST /v1/metrics HTTP/1.1", "figures are sent once more at the end");
    let message = ExportMetrics::decode(&seen.body[..]).unwrap();
    assert_eq!(message.resource_metrics[0].scope_metrics[0].metrics[0].name, "seven");
}

#[test]
fn what_waits_at_the_end_is_sent() {
    let collector = Collector::start(Vec::new());
    let delay = Duration::from_secs(3600);
    let (running, source) = start(Settings { delay, batch_len: 4, ..collector.settings() });
    give(&running, 0..3);
    running.finish();
    assert_eq!(names(&collector.next().body), ["0", "1", "2"]);
    source.becomes([3, 0, 0]);
}

#[test]
fn a_collector_that_asks_for_patience_gets_the_same_spans_later() {
    let collector =
        Collector::start(vec![Answer::Status("503 Service Unavailable\r\nRetry-After: 2")]);
    let (running, source) = start(collector.settings());
    give(&running, 0..1);
    let first = collector.next();
    give(&running, 1..2);
    let again = collector.next();
    assert_eq!((names(&first.body), names(&again.body)), (vec!["0".into()], vec!["0".into()]));
    assert!(again.at - first.at >= Duration::from_millis(1900), "{:?}", again.at - first.at);
    assert_eq!(names(&collector.next().body), ["1"]);
    source.becomes([2, 0, 1]);
}

#[test]
fn what_a_collector_refuses_is_dropped_and_counted() {
    let partial = PartialSuccess { rejected: 1, error_message: "too old".into() };
    let partial = ExportResponse { partial_success: Some(partial) }.encode_to_vec();
    let collector = Collector::start(vec![
        Answer::Status("400 Bad Request"),
        Answer::Body(partial),
        Answer::Body(b"\xffno protobuf".to_vec()),
    ]);
    let (running, source) = start(collector.settings());
    give(&running, 0..2);
    source.becomes([0, 2, 1]);
    give(&running, 2..5);
    source.becomes([2, 3, 1]);
    give(&running, 5..6);
    source.becomes([3, 3, 1]);
    let bodies: Vec<_> = (0..3).map(|_| names(&collector.next().body).len()).collect();
    assert_eq!(bodies, [2, 3, 1], "nothing is sent twice");
}

/// A port that nobody listens at.
#[test]
fn without_a_collector_spans_are_dropped_and_nobody_waits() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (running, source) = start(Settings {
        traces: Some(url),
        queue_len: 10,
        batch_len: 2,
        delay: Duration::ZERO,
        ..Settings::default()
    });
    give(&running, 0..2);
    source.wait(|[_, _, failed]| failed > 0);
    give(&running, 2..102);
    assert_eq!(source.lost(), 90, "two are on their way, ten wait");
    running.finish();
    source.wait(|[exported, lost, _]| (exported, lost) == (0, 102));
}

#[test]
fn a_collector_that_never_answers_does_not_hold_up_the_end() {
    let collector = Collector::start(vec![Answer::Never; 9]);
    let (running, source) = start(collector.settings());
    give(&running, 0..1);
    collector.next();
    for number in 1..3000 {
        give(&running, number..number + 1);
    }
    assert_eq!(source.lost(), 3000 - 1 - 2048, "the rest has room");
    let begin = Instant::now();
    running.finish();
    let took = begin.elapsed();
    assert!(took >= OTLP_FLUSH_TIME_MAX, "it was waited for");
    assert!(took < OTLP_FLUSH_TIME_MAX + PATIENCE);
    assert_eq!(source.get(), [0, 3000, 0], "the one on its way as well");
}

#[test]
fn an_address_that_is_none_is_refused_by_the_first_request() {
    let (running, source) = start(Settings {
        traces: Some("http://[".into()),
        delay: Duration::ZERO,
        ..Settings::default()
    });
    give(&running, 0..1);
    source.becomes([0, 1, 1]);
    running.finish();
}

#[test]
fn a_collector_by_tls_is_believed_by_its_certificate_alone() {
    let identity = reactor::tls::development::localhost().unwrap();
    let reactor::tls::certificates::CertificateSource::Memory(pem) = identity else {
        panic!("{identity:?}")
    };
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_certificate(&X509::from_pem(&pem.certificate).unwrap()).unwrap();
    acceptor.set_private_key(&PKey::private_key_from_pem(&pem.key).unwrap()).unwrap();
    let collector = Collector::by_tls(acceptor.build());

    let (running, source) = start(collector.settings());
    give(&running, 0..1);
    source.wait(|[_, _, failed]| failed > 0);
    running.finish();
    source.wait(|[exported, lost, _]| (exported, lost) == (0, 1));

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&pem.certificate).unwrap();
    let certificates = Some(file.path().to_owned());
    let (running, source) = start(Settings { certificates, ..collector.settings() });
    give(&running, 1..2);
    assert_eq!(names(&collector.next().body), ["1"]);
    source.becomes([1, 0, 0]);
    give(&running, 2..3);
    source.becomes([2, 0, 0]);
}
