//! The figures of `stats()`, from the counters in shared memory.

use ext_php_rs::types::Zval;
use wire::shm::{Counter, Shared, WorkerCounter};

use crate::engine::zend::value::{self, Array};

/// Key and counter.
const COUNTERS: [(&str, Counter); 31] = [
    ("start_time", Counter::StartedAt),
    ("connection_num", Counter::Connections),
    ("quic_connection_num", Counter::QuicConnections),
    ("abort_count", Counter::Aborted),
    ("accept_count", Counter::Accepted),
    ("close_count", Counter::Closed),
    ("dispatch_count", Counter::Dispatched),
    ("request_count", Counter::Requests),
    ("response_count", Counter::Responses),
    ("total_recv_bytes", Counter::BytesReceived),
    ("total_send_bytes", Counter::BytesSent),
    ("concurrency", Counter::Exchanges),
    ("queue_len", Counter::Queued),
    ("shed_count", Counter::Shed),
    ("lost_count", Counter::Lost),
    ("refused_count", Counter::Refused),
    ("stray_count", Counter::Stray),
    ("given_up_count", Counter::GivenUp),
    ("flood_count", Counter::Floods),
    ("stall_count", Counter::Stalls),
    ("file_refused_count", Counter::FilesRefused),
    ("response_spool_memory_bytes", Counter::SpoolMemory),
    ("response_spool_disk_bytes", Counter::SpoolDisk),
    ("body_spool_file_num", Counter::BodyFiles),
    ("body_spool_bytes", Counter::BodyBytes),
    ("body_spool_refused_count", Counter::BodiesRefused),
    ("address_refused_count", Counter::AddressesRefused),
    ("detached_num", Counter::Detached),
    ("unanswered_count", Counter::Unanswered),
    ("worker_restart_count", Counter::WorkerRestarts),
    ("reactor_restart_count", Counter::ReactorRestarts),
];

/// The figures of the server, and of this worker if the process is one, for PHP.
pub fn array(shared: Shared, worker: Option<u16>) -> Zval {
    let figures = figures(shared, worker);
    let mut array = Array::with_capacity(figures.len());
    for (key, number) in figures {
        array.set_symbol(key.as_bytes(), value::long(i64::try_from(number).unwrap_or(i64::MAX)));
    }
    array.into_value()
}

/// The figures of the server, and of this worker if the process is one.
pub fn figures(shared: Shared, worker: Option<u16>) -> Vec<(&'static str, u64)> {
    let mut figures = Vec::with_capacity(COUNTERS.len() + 6);
    let mut set = |key: &'static str, number: u64| figures.push((key, number));
    for (key, counter) in COUNTERS {
        set(key, shared.get(counter));
    }
    let busy = (0..shared.workers())
        .filter(|&worker| figure(shared, worker, WorkerCounter::Busy) != 0)
        .count();
    set("worker_num", shared.workers() as u64);
    set("reactor_num", shared.threads() as u64);
    set("idle_worker_num", shared.workers().saturating_sub(busy) as u64);
    if let Some(worker) = worker.map(usize::from) {
        set("worker_request_count", figure(shared, worker, WorkerCounter::Requests));
        set("worker_response_count", figure(shared, worker, WorkerCounter::Responses));
    }
    figures
}

fn figure(shared: Shared, worker: usize, counter: WorkerCounter) -> u64 {
    shared.worker(worker, counter).load(std::sync::atomic::Ordering::Relaxed)
}
