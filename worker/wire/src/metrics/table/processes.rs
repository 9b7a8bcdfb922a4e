//! Figures of processes, and times of exchanges.

use super::{family, made};
use crate::metrics::FigureSource::{Each, One};
use crate::metrics::MetricType::{Counter, Gauge, Histogram};
use crate::metrics::{Computed as Made, Family};
use crate::shm::{Counter as C, WorkerCounter};

pub(super) const FAMILIES: &[Family] = &[
    family("ferrite_workers", Gauge, "", made(Made::Workers), "Workers by what they do."),
    family(
        "ferrite_worker_restarts",
        Counter,
        "",
        Each(
            "reason",
            &[
                ("died", C::WorkerRestarts, "worker_restart_count"),
                ("left", C::WorkersLeft, "worker_left_count"),
                ("request_timeout", C::WorkersTimedOut, "worker_request_timeout_count"),
                ("not_ready", C::WorkersNotReady, "worker_not_ready_count"),
                ("max_request", C::WorkersRecycled, "worker_recycle_count"),
                ("reload", C::WorkersReloaded, "worker_reload_count"),
            ],
        ),
        "Worker processes that took the place of another: it died, ended by itself after a fatal error, or \
         because a request took longer than max_execution_time, was not ready in time, had served max_request, or was replaced in a reload.",
    ),
    family(
        "ferrite_reloads",
        Counter,
        "",
        Each(
            "result",
            &[
                ("finished", C::Reloads, "reload_count"),
                ("abandoned", C::ReloadsAbandoned, "reload_abandoned_count"),
            ],
        ),
        "Reloads that have replaced all workers, and those that were given up.",
    ),
    family("ferrite_reactor_threads", Gauge, "", made(Made::Threads), "Threads of the reactor."),
    family(
        "ferrite_reactor_restarts",
        Counter,
        "",
        One(C::ReactorRestarts, "reactor_restart_count"),
        "Reactors replaced after they died.",
    ),
    family(
        "ferrite_log_lines_dropped",
        Counter,
        "",
        Each(
            "reason",
            &[
                ("suppressed", C::LogLinesSuppressed, "log_suppressed_count"),
                ("lost", C::LogLinesLost, "log_lost_count"),
                ("access_log", C::AccessLogLost, "access_log_lost_count"),
            ],
        ),
        "Lines of the log that the reactor left out because there were too many of their kind, and lines \
         of any process but the workers, and of the access log, that could not be written.",
    ),
    family(
        "ferrite_otlp_spans",
        Counter,
        "",
        Each(
            "result",
            &[
                ("exported", C::SpansExported, "span_export_count"),
                ("dropped", C::SpansLost, "span_lost_count"),
            ],
        ),
        "Spans that a collector of OpenTelemetry has taken, and those that were dropped: it has not taken them, \
         or too many waited.",
    ),
    family(
        "ferrite_otlp_failures",
        Counter,
        "",
        One(C::OtlpFailures, "otlp_failure_count"),
        "Requests to a collector of OpenTelemetry that failed.",
    ),
    family(
        "ferrite_worker_requests",
        Counter,
        "",
        made(Made::OfWorker(WorkerCounter::Requests)),
        "Requests that each worker has begun, its former processes included.",
    ),
    family(
        "ferrite_worker_responses",
        Counter,
        "",
        made(Made::OfWorker(WorkerCounter::Responses)),
        "Responses that each worker has completed, its former processes included.",
    ),
    family(
        "ferrite_worker_log_lines_lost",
        Counter,
        "",
        made(Made::OfWorker(WorkerCounter::LogLinesLost)),
        "Lines of the log that each worker could not write, its former processes included.",
    ),
    family(
        "ferrite_worker_place_restarts",
        Counter,
        "",
        made(Made::RestartsOfWorker),
        "Processes that took the place of another, by worker.",
    ),
    family(
        "ferrite_process_resident_memory_bytes",
        Gauge,
        "bytes",
        made(Made::Memory),
        "Resident memory of each process, shared pages included; looked up at most once a second.",
    ),
    family(
        "ferrite_http_requests",
        Counter,
        "",
        made(Made::Requests),
        "Exchanges that are over, files and refusals included; the class is none where the client has got \
         no final status.",
    ),
    family(
        "ferrite_http_responses",
        Counter,
        "",
        made(Made::Responses),
        "Exchanges that are over, by status.",
    ),
    family(
        "ferrite_http_exchanges",
        Counter,
        "",
        made(Made::Outcomes),
        "Exchanges that are over, by how they ended: complete, client_left, worker_died, timeout, shed, \
         refused or failed.",
    ),
    family(
        "http_server_request_duration_seconds",
        Histogram,
        "seconds",
        made(Made::Total),
        "From the head of a request until the end of its response.",
    ),
    family(
        "ferrite_request_queue_duration_seconds",
        Histogram,
        "seconds",
        made(Made::Queue),
        "How long complete requests have waited for a worker.",
    ),
    family(
        "ferrite_request_worker_duration_seconds",
        Histogram,
        "seconds",
        made(Made::Worker),
        "How long workers have had requests, until they had answered them.",
    ),
    family(
        "ferrite_request_first_byte_duration_seconds",
        Histogram,
        "seconds",
        made(Made::FirstByte),
        "From the head of a request until the first byte of its response.",
    ),
];
