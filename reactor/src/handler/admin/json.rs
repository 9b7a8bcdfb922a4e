//! What the admin listener tells as JSON.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Map, Value, json};
use wire::RequestId;
use wire::limits::{ADMIN_ERRORS_KEPT, ADMIN_ROUTES_SHOWN_MAX};
use wire::metrics::visit::{VERSIONS, histogram};
use wire::metrics::{self, VERSION, worker_state, workers_by_state};
use wire::shm::exchanges::{BUCKETS, HistogramSnapshot, Timing};
use wire::shm::{Counter, ServerState, Shared, WorkerCounter};

use super::memory::MemoryLook;
use super::notable::{Notable, RouteFigures};
use super::readiness::Readiness;
use super::report::Doing;
use crate::shared::SharedState;

/// How the server stands.
pub(super) fn status(shared: Shared, readiness: &Readiness, unix_micros: u64) -> Value {
    let started = shared.get(Counter::StartedAt);
    let stats = metrics::stats(shared, None).into_iter();
    let stats: Map<_, _> = stats.map(|(key, figure)| (key.to_owned(), figure.into())).collect();
    let workers = workers_by_state(shared).into_iter();
    let workers: Map<_, _> = workers.map(|(state, n)| (state.to_owned(), n.into())).collect();
    json!({
        "version": VERSION,
        "time": unix_micros as f64 / 1e6,
        "state": ServerState::of(shared.get(Counter::State)).name(),
        "ready": readiness.reason().is_none(),
        "reason": readiness.reason(),
        "started_at": started,
        "uptime_seconds": (unix_micros / 1_000_000).saturating_sub(started),
        "workers": workers,
        "connections": limited(shared, Counter::Connections, Counter::ConnectionsMax),
        "queue": limited(shared, Counter::Queued, Counter::QueuedMax),
        "duration_seconds": {
            "total": quantiles(&total(shared)),
            "queue": quantiles(&histogram(shared, Timing::Queue)),
            "worker": quantiles(&histogram(shared, Timing::Worker)),
            "first_byte": quantiles(&histogram(shared, Timing::FirstByte)),
        },
        "stats": stats,
    })
}

fn limited(shared: Shared, counter: Counter, max: Counter) -> Value {
    json!({ "count": shared.get(counter), "max": shared.get(max) })
}

/// The time of exchanges on the whole, over every version.
fn total(shared: Shared) -> HistogramSnapshot {
    let mut all = HistogramSnapshot::default();
    for version in VERSIONS {
        let one = histogram(shared, Timing::Total(version));
        all.counts.iter_mut().zip(one.counts).for_each(|(all, one)| *all += one);
        all.sum += one.sum;
    }
    all
}

/// Since the start; null while there were none.
fn quantiles(histogram: &HistogramSnapshot) -> Value {
    let of = |part| histogram.quantile(part).map(|micros| micros / 1e6);
    json!({ "count": histogram.count(), "p50": of(0.5), "p90": of(0.9), "p99": of(0.99) })
}

/// The bounds and counts of the histogram of times on the whole, by which the page tells of the last seconds.
pub(super) fn buckets(shared: Shared) -> Value {
    let bounds: Vec<_> = BUCKETS.iter().map(|bound| *bound as f64 / 1e6).collect();
    json!({ "bounds": bounds, "counts": total(shared).counts.to_vec() })
}

/// The slowest routes of all threads.
pub(super) fn routes(common: &SharedState) -> Value {
    let mut all: Vec<(String, RouteFigures)> = Vec::new();
    for thread in common.notable.iter() {
        for (route, figures) in lock(thread).routes() {
            match all.iter_mut().find(|(known, _)| known.as_bytes() == route) {
                Some((_, sum)) => sum.add(figures),
                None => all.push((String::from_utf8_lossy(route).into_owned(), figures)),
            }
        }
    }
    all.sort_by_key(|(_, figures)| std::cmp::Reverse(figures.max_micros));
    let shown = all.into_iter().take(ADMIN_ROUTES_SHOWN_MAX).map(|(route, figures)| {
        json!({
            "route": route,
            "requests": figures.count,
            "mean": figures.sum_micros as f64 / 1e6 / figures.count.max(1) as f64,
            "max": figures.max_micros as f64 / 1e6,
        })
    });
    shown.collect()
}

/// The latest errors of all threads, the last first.
pub(super) fn errors(common: &SharedState) -> Value {
    let threads = common.notable.iter();
    let mut all: Vec<_> = threads.flat_map(|thread| lock(thread).errors().to_vec()).collect();
    all.sort_by_key(|error| std::cmp::Reverse(error.unix_micros));
    let shown = all.into_iter().take(ADMIN_ERRORS_KEPT).map(|error| {
        json!({
            "time": error.unix_micros as f64 / 1e6,
            "request": error.request,
            "status": error.status,
            "what": error.what,
            "seconds": error.micros as f64 / 1e6,
            "request_id": error.id.as_ref().map(RequestId::as_str),
        })
    });
    shown.collect()
}

fn lock(thread: &Mutex<Notable>) -> MutexGuard<'_, Notable> {
    // It is never left in the middle of a change.
    thread.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When a turn of the event loop is, in both ways to say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) unix_micros: u64,
}

impl Moment {
    /// A former moment, in seconds since 1970.
    pub(super) fn seconds_at(self, then: Instant) -> f64 {
        let ago = self.instant.saturating_duration_since(then).as_micros() as f64;
        // In milliseconds: more would be pretended.
        ((self.unix_micros as f64 - ago) / 1e3).round() / 1e3
    }
}

/// What the workers do.
pub(super) fn workers(shared: Shared, memory: &MemoryLook, doing: &[Doing], now: Moment) -> Value {
    let workers = (0..shared.workers()).map(|worker| {
        let lives = [0, 1].map(|life| shared.life(worker, life).get());
        let latest = lives.into_iter().flatten().max_by_key(|life| life.incarnation);
        let state = worker_state(shared, worker);
        // What was in work when the threads were asked may have ended.
        let found = doing.iter().filter(|_| state != "idle");
        let found = found.filter(|doing| usize::from(doing.worker) == worker).max_by_key(|d| d.since);
        let figure = |counter| metrics::figure(shared, worker, counter);
        json!({
            "worker": worker,
            "pid": latest.map(|life| life.pid),
            "state": state,
            "since": latest.map(|life| life.since_ms as f64 / 1e3),
            "requests": figure(WorkerCounter::Requests),
            "responses": figure(WorkerCounter::Responses),
            "restarts": shared.restarts(worker).load(std::sync::atomic::Ordering::Relaxed),
            "rss_bytes": memory.of_worker(worker),
            "doing": found.map(|doing| json!({
                "request": doing.request,
                "since": now.seconds_at(doing.since),
                "seconds": (now.instant.saturating_duration_since(doing.since)).as_millis() as f64 / 1e3,
                "request_id": doing.id,
            })),
        })
    });
    workers.collect()
}
