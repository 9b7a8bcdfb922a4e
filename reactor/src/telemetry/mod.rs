//! What a collector of OpenTelemetry is sent: spans of exchanges that are over, and the figures of the server.
//!
//! An observer hands records of sampled traces to the thread of the crate `otlp`, which makes spans of them.

mod metrics;
mod spans;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use log::Level;
use log::kv::Value;
use otlp::messages::{Metric, Span};
use otlp::{ExporterThread, Figure, Sender, Settings, TelemetrySource};
use wire::event::{self, LogEvent};
use wire::limits::OTLP_TEXT_BYTES_MAX;
use wire::shm::{Counter, Shared};

use crate::config::{MakeObserver, Observer};
use crate::handler::admin::memory::MemoryLook;
use crate::record::Record;

/// Makes spans and metrics.
#[derive(Debug)]
pub(crate) struct Telemetry {
    shared: Shared,
    memory: Mutex<MemoryLook>,
}

impl TelemetrySource for Telemetry {
    type Item = Record;

    fn spans(&self, record: &Record, spans: &mut Vec<Span>) {
        spans::append(record, spans);
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        metrics::all(self.shared, memory.look(self.shared, Instant::now()))
    }

    fn add(&self, figure: Figure, count: u64) {
        let counter = match figure {
            Figure::Exported => Counter::SpansExported,
            Figure::Lost => Counter::SpansLost,
            Figure::Failed => Counter::OtlpFailures,
        };
        self.shared.add(counter, count);
    }

    fn lost(&self) -> u64 {
        self.shared.get(Counter::SpansLost)
    }
}

/// Starts the thread that sends. When there is none to be had, or no use for the certificates, the server goes on
/// without it.
pub(crate) fn start(settings: Settings, shared: Shared) -> Option<ExporterThread<Telemetry>> {
    let memory = Mutex::new(MemoryLook::new());
    let started = ExporterThread::start(settings, Telemetry { shared, memory });
    let failed = started.as_ref().err();
    if let Some(error) = failed {
        event::log(
            Level::Error,
            LogEvent::OtlpFailed,
            &[("error", Value::from_display(error))],
            format_args!(
                "spans and metrics are not sent: {error}; requests are served all the same. Look at the file that \
                 OTEL_EXPORTER_OTLP_CERTIFICATE names, then start the server anew"
            ),
        );
    }
    started.ok()
}

/// Makes the observer of each reactor thread; requests of the port for administrators make no spans.
pub(crate) fn observer(running: &ExporterThread<Telemetry>, admin: Option<u16>) -> MakeObserver {
    let sender = running.sender();
    MakeObserver(Arc::new(move |_, _| {
        Box::new(Recorder { sender: sender.clone(), admin, records: Vec::new() })
    }))
}

/// One thread's end of it.
#[derive(Debug)]
struct Recorder {
    sender: Sender<Telemetry>,
    admin: Option<u16>,
    records: Vec<Record>,
}

impl Observer for Recorder {
    fn over(&mut self, record: &Record) {
        let sampled = record.trace.as_ref().is_some_and(|trace| trace.sampled);
        if sampled && self.admin != Some(record.port) {
            self.records.push(record.kept(OTLP_TEXT_BYTES_MAX));
        }
    }

    fn turn_ends(&mut self) {
        if let Some(last) = self.records.last() {
            let now = last.ended;
            self.sender.send(&mut self.records, now);
        }
    }

    fn reads_fields(&self) -> bool {
        true
    }
}
