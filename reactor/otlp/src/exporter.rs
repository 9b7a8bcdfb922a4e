//! [`Exporter`]: the thread that sends, and what it does when a collector does not take it.
//!
//! ```text
//!  waiting ──items──▶ sending ──taken──▶ waiting
//!     ▲                 │ ▲
//!     │   refused, old  │ └── after a while ── backing off
//!     └─────────────────┴───── failed ───────────▶
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use log::Level;
use log::kv::Value;
use prost::Message;
use wire::event::{self, LogEvent};
use wire::limits::{OTLP_BATCH_AGE_MAX, OTLP_FLUSH_TIME_MAX, OTLP_LOSS_LOG_INTERVAL};

use crate::backoff::RetryDelay;
use crate::client::{CollectorClient, ExportError};
use crate::messages::{
    ExportMetrics, ExportTraces, InstrumentationScope, KeyValue, Resource, ResourceMetrics,
    ResourceSpans, ScopeMetrics, ScopeSpans,
};
use crate::queue::{Queue, Wake};
use crate::{Figure, Settings, TelemetrySource};

/// The version of the semantic conventions that names follow.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.34.0";

pub(crate) struct Exporter<S: TelemetrySource> {
    settings: Settings,
    client: CollectorClient,
    queue: Arc<Queue<S::Item>>,
    source: Arc<S>,
    resource: Resource,
    /// Spans that are on their way.
    batch: Option<Batch>,
    /// How many those are, until somebody counts what has become of them.
    on_way: Arc<AtomicU64>,
    traces: Signal,
    metrics: Signal,
    losses: SpanLosses,
}

/// Spans that are sent at once, as a message.
struct Batch {
    message: Vec<u8>,
    spans: u64,
    since: Instant,
}

/// How the sending of spans or of metrics goes.
struct Signal {
    what: &'static str,
    /// When it is sent next; spans, if there are any.
    at: Instant,
    backoff: RetryDelay,
    /// The log has told of a failure.
    failing: bool,
}

impl Signal {
    fn new(what: &'static str, at: Instant) -> Self {
        Self { what, at, backoff: RetryDelay::default(), failing: false }
    }

    fn works(&mut self, url: &str) {
        self.backoff.reset();
        if std::mem::take(&mut self.failing) {
            event::log(
                Level::Info,
                LogEvent::OtlpRecovered,
                &[("url", url.into())],
                format_args!("{} are sent to {url} again", self.what),
            );
        }
    }

    fn fails(&mut self, url: &str, why: &str) {
        if std::mem::replace(&mut self.failing, true) {
            return;
        }
        event::log(
            Level::Warn,
            LogEvent::OtlpFailed,
            &[("url", url.into()), ("error", why.into())],
            format_args!(
                "cannot send {} to the OpenTelemetry collector at {url}: {why}; requests are served all the \
                 same. Look whether it runs, and whether otlp_endpoint and otlp_headers are right",
                self.what
            ),
        );
    }
}

/// What was told of spans that were dropped.
struct SpanLosses {
    told: u64,
    at: Option<Instant>,
}

impl<S: TelemetrySource> Exporter<S> {
    pub fn new(
        settings: Settings,
        client: CollectorClient,
        queue: Arc<Queue<S::Item>>,
        source: Arc<S>,
        now: Instant,
    ) -> Self {
        let attributes = settings.resource.iter();
        let attributes = attributes.map(|(key, value)| KeyValue::text(key, &value[..])).collect();
        // What a former life has lost it has told itself.
        let losses = SpanLosses { told: source.lost(), at: None };
        let metrics = Signal::new("metrics", now + settings.metrics_interval);
        let (traces, resource) = (Signal::new("spans", now), Resource { attributes });
        let (batch, on_way) = (None, Arc::default());
        Self { settings, client, queue, source, resource, batch, on_way, traces, metrics, losses }
    }

    /// The number of spans that are on their way: who takes it counts them.
    pub fn on_way(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.on_way)
    }

    pub fn run(mut self) {
        loop {
            let batch = self.batch.as_ref().map(|_| self.traces.at);
            let metrics = self.settings.metrics.as_ref().map(|_| self.metrics.at);
            let until = batch.into_iter().chain(metrics).min();
            match self.queue.wait(self.batch.is_none(), until) {
                Wake::Closed => return self.flush(),
                Wake::Items => self.batch = self.next_batch(),
                Wake::Time => {}
            }
            if self.traces.at <= Instant::now() {
                self.send_batch(Instant::now() + self.settings.timeout);
            }
            if self.metrics.at <= Instant::now() {
                self.send_metrics(Instant::now() + self.settings.timeout);
            }
            self.tell_losses(false);
        }
    }

    /// The end has come: each thing is tried once more, as long as there is time.
    fn flush(&mut self) {
        let deadline = Instant::now() + OTLP_FLUSH_TIME_MAX;
        loop {
            self.batch = self.batch.take().or_else(|| self.next_batch());
            if self.batch.is_none() {
                break;
            }
            self.send_batch(deadline);
            if self.batch.is_some() || Instant::now() >= deadline {
                break;
            }
        }
        self.send_metrics(deadline);
        let left = self.on_way.swap(0, Ordering::Relaxed) + self.queue.clear() as u64;
        self.source.add(Figure::Lost, left);
        self.tell_losses(true);
    }

    fn next_batch(&self) -> Option<Batch> {
        let items = self.queue.take();
        let mut spans = Vec::with_capacity(items.len() * 3);
        items.iter().for_each(|item| self.source.spans(item, &mut spans));
        let count = spans.len() as u64;
        let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans }];
        let resource = Some(self.resource.clone());
        let spans = ResourceSpans { resource, scope_spans, schema_url: SCHEMA.to_owned() };
        let message = ExportTraces { resource_spans: vec![spans] }.encode_to_vec();
        self.on_way.store(count, Ordering::Relaxed);
        (count > 0).then(|| Batch { message, spans: count, since: Instant::now() })
    }

    /// Sends the spans, if there are any. They stay when that fails, unless it is no use.
    fn send_batch(&mut self, deadline: Instant) {
        let Some(batch) = &self.batch else { return };
        let Some(url) = &self.settings.traces else { return };
        let settled = match post(&self.client, url, &batch.message, deadline) {
            Ok(partial) => {
                let rejected = partial.as_ref().map_or(0, |partial| partial.rejected);
                let rejected = u64::try_from(rejected).unwrap_or(0).min(batch.spans);
                self.settle(batch.spans - rejected, rejected);
                match partial.filter(|_| rejected > 0) {
                    Some(partial) => self.traces.fails(url, &partial.error_message),
                    None => self.traces.works(url),
                }
                true
            }
            Err(failure) => {
                self.source.add(Figure::Failed, 1);
                self.traces.fails(url, failure.why());
                let (said, lasting) = match failure {
                    ExportError::Passing(_, said) => (said, false),
                    ExportError::Lasting(_) => (None, true),
                };
                self.traces.at = Instant::now() + self.traces.backoff.failed(said);
                let old = batch.since.elapsed() >= OTLP_BATCH_AGE_MAX;
                if lasting || old {
                    self.settle(0, batch.spans);
                }
                lasting || old
            }
        };
        if settled {
            self.batch = None;
        }
    }

    /// Counts what has become of the spans that were on their way, unless it was done at the end.
    fn settle(&self, exported: u64, lost: u64) {
        if self.on_way.swap(0, Ordering::Relaxed) > 0 {
            self.source.add(Figure::Exported, exported);
            self.source.add(Figure::Lost, lost);
        }
    }

    /// Sends the figures as they are now. When that fails, later ones are sent: they hold all that these do.
    fn send_metrics(&mut self, deadline: Instant) {
        let Some(url) = &self.settings.metrics else { return };
        let scope_metrics =
            vec![ScopeMetrics { scope: Some(scope()), metrics: self.source.metrics() }];
        let resource = Some(self.resource.clone());
        let metrics = ResourceMetrics { resource, scope_metrics, schema_url: SCHEMA.to_owned() };
        let message = ExportMetrics { resource_metrics: vec![metrics] }.encode_to_vec();
        let interval = self.settings.metrics_interval;
        let wait = match post(&self.client, url, &message, deadline) {
            Ok(None) => {
                self.metrics.works(url);
                interval
            }
            Ok(Some(partial)) => {
                if partial.rejected > 0 {
                    self.metrics.fails(url, &partial.error_message);
                }
                interval
            }
            Err(failure) => {
                self.source.add(Figure::Failed, 1);
                self.metrics.fails(url, failure.why());
                match failure {
                    ExportError::Passing(_, said) => {
                        self.metrics.backoff.failed(said).min(interval)
                    }
                    ExportError::Lasting(_) => interval,
                }
            }
        };
        self.metrics.at = Instant::now() + wait;
    }

    /// Says at times how many spans were dropped, not for each.
    fn tell_losses(&mut self, last: bool) {
        let lost = self.source.lost();
        let due = self.losses.at.is_none_or(|at| at.elapsed() >= OTLP_LOSS_LOG_INTERVAL);
        if lost <= self.losses.told || !(due || last) {
            return;
        }
        let count = lost - self.losses.told;
        self.losses = SpanLosses { told: lost, at: Some(Instant::now()) };
        event::log(
            Level::Warn,
            LogEvent::SpansLost,
            &[("count", Value::from(count))],
            format_args!(
                "dropped {count} spans; no request was held up by it. The collector takes fewer than are made, \
                 or none: sample fewer (trace_sample), or help the collector"
            ),
        );
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "ferrite".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn post(
    client: &CollectorClient,
    url: &str,
    message: &[u8],
    deadline: Instant,
) -> Result<Option<crate::messages::PartialSuccess>, ExportError> {
    let timeout = deadline.saturating_duration_since(Instant::now());
    match timeout.is_zero() {
        true => Err(ExportError::Passing("there was no time left".to_owned(), None)),
        false => client.post(url, message, timeout),
    }
}
