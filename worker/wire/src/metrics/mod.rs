//! The figures of the server, each with its name, type, unit and source: the one place from which
//! `/metrics`, `stats()` and `docs/metrics.md` come.
//!
//! Names follow the rules of Prometheus (base units, `_total`), and where OpenTelemetry has a convention for
//! the same figure, its name and labels.

pub mod docs;
mod table;
pub mod text;
pub mod visit;

pub use self::table::families;
use crate::shm::{Counter, Shared, WorkerCounter};

/// Figures of one name.
#[derive(Debug)]
pub struct Family {
    /// Its name, without `_total`.
    pub name: &'static str,
    /// What it counts.
    pub kind: MetricType,
    /// Its unit, by which the name ends; empty for a number of things.
    pub unit: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
    /// Where it comes from.
    pub source: FigureSource,
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricType {
    /// It only goes up, as long as the server runs.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How many there were up to each of some bounds.
    Histogram,
    /// Always 1; what it tells is in its labels.
    Info,
}

impl MetricType {
    /// What the text formats call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// Where the figures of a family come from.
#[derive(Debug)]
pub enum FigureSource {
    /// A counter, and its key in `stats()`.
    One(Counter, &'static str),
    /// One counter for each value of a label, and its key in `stats()`.
    Each(&'static str, &'static [(&'static str, Counter, &'static str)]),
    /// Several counters, told apart by two labels, and the key of their sum in `stats()`.
    Parts(&'static str, &'static [LabelledCounter]),
    /// What is put together from several places.
    Computed(Computed),
}

/// One of several counters of a family.
#[derive(Debug)]
pub struct LabelledCounter {
    /// What tells it apart.
    pub labels: [(&'static str, &'static str); 2],
    /// The counter.
    pub counter: Counter,
    /// Its key in `stats()`.
    pub key: &'static str,
}

/// A figure that is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Computed {
    /// The version.
    Build,
    /// Threads of the reactor.
    Threads,
    /// Workers by what they do.
    Workers,
    /// A counter of each worker.
    OfWorker(WorkerCounter),
    /// How often each worker's place was given to another process.
    RestartsOfWorker,
    /// Memory of each process.
    Memory,
    /// Exchanges by version, method and class of status.
    Requests,
    /// Exchanges by status.
    Responses,
    /// Exchanges by how they ended.
    Outcomes,
    /// Time in the queue.
    Queue,
    /// Time with a worker.
    Worker,
    /// Time to the first byte.
    FirstByte,
    /// Time on the whole, by version.
    Total,
}

impl Computed {
    /// The names of its labels.
    pub fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Build => &["version"],
            Self::Threads | Self::Queue | Self::Worker | Self::FirstByte => &[],
            Self::Workers => &["state"],
            Self::OfWorker(_) | Self::RestartsOfWorker => &["worker"],
            Self::Memory => &["process", "worker"],
            Self::Requests => {
                &["network_protocol_version", "http_request_method", "http_response_status_class"]
            }
            Self::Responses => &["http_response_status_code"],
            Self::Outcomes => &["outcome"],
            Self::Total => &["network_protocol_version"],
        }
    }
}

/// The name of the program in the figures.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The figures of `stats()` by their keys, and those of this worker if the process is one.
pub fn stats(shared: Shared, worker: Option<u16>) -> Vec<(&'static str, u64)> {
    let mut figures = Vec::with_capacity(112);
    for family in families() {
        match family.source {
            FigureSource::One(counter, key) => figures.push((key, shared.get(counter))),
            FigureSource::Each(_, counters) => {
                figures
                    .extend(counters.iter().map(|(_, counter, key)| (*key, shared.get(*counter))));
            }
            FigureSource::Parts(sum, parts) => {
                let of = |part: &'static LabelledCounter| (part.key, shared.get(part.counter));
                let all: u64 = parts.iter().map(|part| of(part).1).sum();
                figures.push((sum, all));
                figures.extend(parts.iter().map(of));
            }
            FigureSource::Computed(Computed::Workers) => {
                let [idle, busy, ..] = workers_by_state(shared).map(|(_, count)| count);
                figures.extend([
                    ("worker_num", shared.workers() as u64),
                    ("idle_worker_num", idle),
                    ("busy_worker_num", busy),
                ]);
            }
            FigureSource::Computed(Computed::Threads) => {
                figures.push(("reactor_num", shared.threads() as u64));
            }
            FigureSource::Computed(Computed::OfWorker(counter @ WorkerCounter::LogLinesLost)) => {
                let lost = (0..shared.workers()).map(|worker| figure(shared, worker, counter));
                // A worker may have written anything there.
                figures.push(("worker_log_lost_count", lost.fold(0, u64::saturating_add)));
            }
            FigureSource::Computed(_) => {}
        }
    }
    if let Some(worker) = worker.map(usize::from) {
        let of = |counter| figure(shared, worker, counter);
        figures.push(("worker_request_count", of(WorkerCounter::Requests)));
        figures.push(("worker_response_count", of(WorkerCounter::Responses)));
    }
    figures
}

/// How many workers are in each state. One that is ready is idle or busy; one that has just been replaced
/// may be there twice, and is counted as its latest process.
pub fn workers_by_state(shared: Shared) -> [(&'static str, u64); 4] {
    let mut states = [("idle", 0), ("busy", 0), ("starting", 0), ("stopping", 0)];
    for worker in 0..shared.workers() {
        let at = match worker_state(shared, worker) {
            "idle" => 0,
            "busy" => 1,
            "starting" => 2,
            _ => 3,
        };
        states[at].1 += 1;
    }
    states
}

/// What a worker does: `idle`, `busy`, `starting` or `stopping`. A place without a process is about to
/// get one.
pub fn worker_state(shared: Shared, worker: usize) -> &'static str {
    use crate::shm::LifeState;
    let states = [0, 1].map(|life| shared.life(worker, life).get().map(|life| life.state));
    if states.contains(&Some(LifeState::Ready)) {
        return if figure(shared, worker, WorkerCounter::Busy) == 0 { "idle" } else { "busy" };
    }
    let ends =
        |state: &Option<LifeState>| matches!(state, Some(LifeState::Stopping | LifeState::Killed));
    let starts = states.contains(&Some(LifeState::Starting));
    if !starts && states.iter().any(ends) { "stopping" } else { "starting" }
}

/// A figure that a worker writes itself.
pub fn figure(shared: Shared, worker: usize, counter: WorkerCounter) -> u64 {
    shared.worker(worker, counter).load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_follow_the_rules() {
        let mut names = HashSet::new();
        for family in families() {
            let name = family.name;
            assert!(names.insert(name), "{name} is there twice");
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(name.bytes().all(plain), "{name}");
            assert!(name.starts_with("ferrite_") || name.starts_with("http_server_"), "{name}");
            assert!(!name.ends_with("_total"), "{name}: the format adds it");
            assert!(
                family.unit.is_empty() || name.ends_with(&format!("_{}", family.unit)),
                "{name}"
            );
            let has_unit = ["seconds", "bytes"].iter().any(|unit| name.ends_with(unit));
            assert_eq!(has_unit, !family.unit.is_empty(), "{name}");
            assert!(family.help.ends_with('.') && !family.help.contains('\n'), "{name}");
        }
    }

    #[test]
    fn every_counter_is_told_once_but_what_is_no_figure() {
        let mut seen = Vec::new();
        let mut keys = HashSet::new();
        for family in families() {
            let pairs: Vec<_> = match family.source {
                FigureSource::One(counter, key) => vec![(counter, key)],
                FigureSource::Each(_, each) => {
                    each.iter().map(|(_, counter, key)| (*counter, *key)).collect()
                }
                FigureSource::Parts(sum, parts) => {
                    assert!(keys.insert(sum), "{sum}");
                    parts.iter().map(|part| (part.counter, part.key)).collect()
                }
                FigureSource::Computed(_) => Vec::new(),
            };
            for (counter, key) in pairs {
                assert!(!seen.contains(&(counter as usize)), "{counter:?}");
                seen.push(counter as usize);
                assert!(keys.insert(key), "{key}");
            }
        }
        for number in 0..crate::shm::counters() {
            let told = seen.contains(&number);
            let untold = [Counter::ReactorPid as usize, Counter::State as usize].contains(&number);
            assert!(told != untold, "counter {number}");
        }
    }
}
