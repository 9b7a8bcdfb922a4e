//! [`visit`]: all figures as they are now, one after another, for whoever writes them in some format.

use super::{Computed, Family, FigureSource, VERSION, families, figure, workers_by_state};
use crate::head::Version;
use crate::shm::Shared;
use crate::shm::exchanges::{CLASSES, HistogramSnapshot, METHODS, OUTCOMES, PROTOCOLS, Timing};

/// A process and its resident memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// `supervisor`, `reactor` or `worker`.
    pub process: &'static str,
    /// Which worker.
    pub worker: Option<usize>,
    /// Bytes.
    pub bytes: u64,
}

/// Is given the figures.
pub trait MetricsSink {
    /// Figures of a family follow.
    fn begin(&mut self, family: &'static Family);

    /// A figure.
    fn sample(&mut self, family: &Family, labels: &[(&str, &str)], value: u64);

    /// A histogram.
    fn histogram(
        &mut self,
        family: &Family,
        labels: &[(&str, &str)],
        histogram: &HistogramSnapshot,
    );
}

/// Gives all figures.
pub fn visit(shared: Shared, memory: &[Memory], sink: &mut impl MetricsSink) {
    for family in families() {
        family_of(sink, family, shared, memory);
    }
}

/// The histogram of a time, over all threads.
pub fn histogram(shared: Shared, timing: Timing) -> HistogramSnapshot {
    let mut histogram = HistogramSnapshot::default();
    for thread in 0..shared.threads() {
        shared.exchanges(thread).add_to(&mut histogram, timing);
    }
    histogram
}

/// The versions of HTTP, in the order of [`PROTOCOLS`].
pub const VERSIONS: [Version; PROTOCOLS.len()] =
    [Version::Http10, Version::Http11, Version::Http2, Version::Http3];

fn family_of(
    sink: &mut impl MetricsSink,
    family: &'static Family,
    shared: Shared,
    memory: &[Memory],
) {
    sink.begin(family);
    match family.source {
        FigureSource::One(counter, _) => sink.sample(family, &[], shared.get(counter)),
        FigureSource::Each(label, counters) => {
            for (value, counter, _) in counters {
                sink.sample(family, &[(label, value)], shared.get(*counter));
            }
        }
        FigureSource::Parts(_, parts) => {
            for part in parts {
                sink.sample(family, &part.labels, shared.get(part.counter));
            }
        }
        FigureSource::Computed(which) => computed(sink, family, which, shared, memory),
    }
}

fn computed(
    sink: &mut impl MetricsSink,
    family: &Family,
    which: Computed,
    shared: Shared,
    memory: &[Memory],
) {
    match which {
        Computed::Build => sink.sample(family, &[("version", VERSION)], 1),
        Computed::Threads => sink.sample(family, &[], shared.threads() as u64),
        Computed::Workers => {
            for (state, count) in workers_by_state(shared) {
                sink.sample(family, &[("state", state)], count);
            }
        }
        Computed::OfWorker(counter) => {
            workers(sink, family, shared, |worker| figure(shared, worker, counter));
        }
        Computed::RestartsOfWorker => workers(sink, family, shared, |worker| {
            shared.restarts(worker).load(std::sync::atomic::Ordering::Relaxed)
        }),
        Computed::Memory => {
            for Memory { process, worker, bytes } in memory {
                let worker = worker.map(|worker| worker.to_string()).unwrap_or_default();
                sink.sample(family, &[("process", process), ("worker", &worker)], *bytes);
            }
        }
        Computed::Requests => requests(sink, family, shared),
        Computed::Responses => responses(sink, family, shared),
        Computed::Outcomes => {
            for (outcome, name) in OUTCOMES.iter().enumerate() {
                let count = sum(shared, |thread| shared.exchanges(thread).outcomes(outcome));
                sink.sample(family, &[("outcome", name)], count);
            }
        }
        Computed::Queue => sink.histogram(family, &[], &histogram(shared, Timing::Queue)),
        Computed::Worker => sink.histogram(family, &[], &histogram(shared, Timing::Worker)),
        Computed::FirstByte => {
            sink.histogram(family, &[], &histogram(shared, Timing::FirstByte));
        }
        Computed::Total => {
            for (version, name) in VERSIONS.into_iter().zip(PROTOCOLS) {
                let histogram = histogram(shared, Timing::Total(version));
                // A version that nobody speaks is not there, but there is always one.
                if histogram.count() > 0 || version == Version::Http11 {
                    sink.histogram(family, &[("network_protocol_version", name)], &histogram);
                }
            }
        }
    }
}

fn workers(
    sink: &mut impl MetricsSink,
    family: &Family,
    shared: Shared,
    of: impl Fn(usize) -> u64,
) {
    for worker in 0..shared.workers() {
        sink.sample(family, &[("worker", &worker.to_string())], of(worker));
    }
}

/// Only what has been.
fn requests(sink: &mut impl MetricsSink, family: &Family, shared: Shared) {
    let labels = Computed::Requests.labels();
    for (protocol, version) in PROTOCOLS.iter().enumerate() {
        for (method, name) in METHODS.iter().enumerate() {
            for (class, status) in CLASSES.iter().enumerate() {
                let count = sum(shared, |thread| {
                    shared.exchanges(thread).requests(protocol, method, class)
                });
                if count > 0 {
                    let values = [*version, *name, *status];
                    let labels: Vec<_> = labels.iter().copied().zip(values).collect();
                    sink.sample(family, &labels, count);
                }
            }
        }
    }
}

/// Only what has been.
fn responses(sink: &mut impl MetricsSink, family: &Family, shared: Shared) {
    for status in 100..600 {
        let count = sum(shared, |thread| shared.exchanges(thread).responses(status));
        if count > 0 {
            let status = status.to_string();
            sink.sample(family, &[("http_response_status_code", &status)], count);
        }
    }
}

fn sum(shared: Shared, of: impl Fn(usize) -> u64) -> u64 {
    (0..shared.threads()).map(of).sum()
}
