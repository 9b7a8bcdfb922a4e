//! Spans and metrics for OpenTelemetry: a thread that collects them and sends them over OTLP/HTTP.
//!
//! ```text
//!  threads that serve ──▶ a queue with a bound ──▶ a thread ──HTTP──▶ collector
//!                          └── full: dropped, counted
//! ```
//!
//! Nobody who serves ever waits for a collector: one that is down, slow or refuses costs spans, and no request.

#![forbid(unsafe_code)]

mod backoff;
mod client;
mod exporter;
pub mod messages;
mod queue;
mod tls;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wire::limits::{
    OTLP_BATCH_LEN, OTLP_DELAY, OTLP_FLUSH_TIME_MAX, OTLP_METRICS_INTERVAL, OTLP_QUEUE_LEN,
    OTLP_TIMEOUT,
};

use self::client::CollectorClient;
use self::exporter::Exporter;
use self::messages::{Metric, Span};
use self::queue::{Queue, QueueBounds};

/// What is sent, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The address that spans are sent to, `http` or `https`; `None`: none are sent.
    pub traces: Option<String>,
    /// The address that metrics are sent to, `http` or `https`; `None`: none are sent.
    pub metrics: Option<String>,
    /// Header fields of each request.
    pub headers: Vec<(String, String)>,
    /// A file of certificates (PEM) that are trusted in the place of the system's.
    pub certificates: Option<PathBuf>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What is said of the server: `service.name` and its like.
    pub resource: Vec<(String, String)>,
    /// Items that may wait.
    pub queue_len: usize,
    /// Items whose spans are sent at once.
    pub batch_len: usize,
    /// How long an item waits for others.
    pub delay: Duration,
    /// Between two reports of the metrics.
    pub metrics_interval: Duration,
}

impl Default for Settings {
    /// OpenTelemetry's own, and nothing is sent.
    fn default() -> Self {
        Self {
            traces: None,
            metrics: None,
            headers: Vec::new(),
            certificates: None,
            timeout: OTLP_TIMEOUT,
            resource: Vec::new(),
            queue_len: OTLP_QUEUE_LEN,
            batch_len: OTLP_BATCH_LEN,
            delay: OTLP_DELAY,
            metrics_interval: OTLP_METRICS_INTERVAL,
        }
    }
}

/// What there is to send. Its functions run in the thread that sends, but for [`add`](Source::add).
pub trait TelemetrySource: fmt::Debug + Send + Sync + 'static {
    /// What spans are made of.
    type Item: fmt::Debug + Send + 'static;

    /// Appends the spans of an item.
    fn spans(&self, item: &Self::Item, spans: &mut Vec<Span>);

    /// The figures as they are now.
    fn metrics(&self) -> Vec<Metric>;

    /// Counts.
    fn add(&self, figure: Figure, count: u64);

    /// What was counted as [`Figure::Lost`], by former lives of the process too.
    fn lost(&self) -> u64;
}

/// What is counted of the sending itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Spans that a collector has taken.
    Exported,
    /// Items and spans that were dropped.
    Lost,
    /// Requests to a collector that failed.
    Failed,
}

/// The thread that sends.
#[derive(Debug)]
pub struct ExporterThread<S: TelemetrySource> {
    sender: Sender<S>,
    thread: JoinHandle<()>,
    /// Spans of which nobody knows yet what becomes of them.
    on_way: Arc<AtomicU64>,
}

/// Where items are given.
#[derive(Debug)]
pub struct Sender<S: TelemetrySource> {
    queue: Arc<Queue<S::Item>>,
    source: Arc<S>,
}

impl<S: TelemetrySource> Clone for Sender<S> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), source: Arc::clone(&self.source) }
    }
}

impl<S: TelemetrySource> ExporterThread<S> {
    /// Starts the thread. Fails when there is none to be had, or no use for the certificates.
    pub fn start(settings: Settings, source: S) -> io::Result<Self> {
        let Settings { queue_len: len_max, batch_len, delay, .. } = settings;
        let queue = Arc::new(Queue::new(QueueBounds { len_max, batch_len, delay }));
        let source = Arc::new(source);
        let client = CollectorClient::new(&settings.headers, settings.certificates.as_deref())?;
        let sender = Sender { queue: Arc::clone(&queue), source: Arc::clone(&source) };
        let exporter = Exporter::new(settings, client, queue, source, Instant::now());
        let on_way = exporter.on_way();
        let thread = thread::Builder::new().name("otlp".into());
        let thread = thread.spawn(move || exporter.run())?;
        Ok(Self { sender, thread, on_way })
    }

    /// Where items are given.
    pub fn sender(&self) -> Sender<S> {
        self.sender.clone()
    }

    /// Has what waits sent, within a bound.
    pub fn finish(&self) {
        self.sender.queue.close();
        let begin = Instant::now();
        // A request that was on its way when the end came may take longer: it is not waited for.
        while !self.thread.is_finished() && begin.elapsed() < OTLP_FLUSH_TIME_MAX * 5 / 4 {
            thread::sleep(Duration::from_millis(2));
        }
        if !self.thread.is_finished() {
            // Whatever comes of it nobody hears any more: it is counted here, and there no longer.
            let on_way = self.on_way.swap(0, Ordering::Relaxed);
            self.sender.source.add(Figure::Lost, on_way + self.sender.queue.clear() as u64);
        }
    }
}

impl<S: TelemetrySource> Sender<S> {
    /// Gives these items, and empties the list. Never waits: what has no room is dropped and counted.
    pub fn send(&self, items: &mut Vec<S::Item>, now: Instant) {
        let lost = self.queue.push(items, now);
        if lost > 0 {
            self.source.add(Figure::Lost, lost as u64);
        }
    }
}
