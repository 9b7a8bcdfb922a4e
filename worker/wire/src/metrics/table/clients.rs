//! Figures of connections, requests and what is kept for clients.

use super::{family, made};
use crate::metrics::FigureSource::{Each, One, Parts};
use crate::metrics::MetricType::{Counter, Gauge, Info};
use crate::metrics::{Computed as Made, Family, LabelledCounter};
use crate::shm::Counter as C;

pub(super) const FAMILIES: &[Family] = &[
    family("ferrite_build", Info, "", made(Made::Build), "The version of the server."),
    family(
        "ferrite_start_time_seconds",
        Gauge,
        "seconds",
        One(C::StartedAt, "start_time"),
        "When the server started, in seconds since 1970-01-01 UTC.",
    ),
    family(
        "ferrite_draining",
        Gauge,
        "",
        One(C::Draining, "draining"),
        "1 once the server is to get no more requests, because it was drained or stops.",
    ),
    family(
        "ferrite_connections",
        Gauge,
        "",
        One(C::Connections, "connection_num"),
        "Open connections of clients, over TCP, Unix sockets and QUIC.",
    ),
    family(
        "ferrite_quic_connections",
        Gauge,
        "",
        One(C::QuicConnections, "quic_connection_num"),
        "Those of them that are over QUIC (HTTP/3).",
    ),
    family(
        "ferrite_connections_limit",
        Gauge,
        "",
        One(C::ConnectionsMax, "connection_max"),
        "How many there may be: max_connection, or what the limit on open files allows.",
    ),
    family(
        "ferrite_connections_accepted",
        Counter,
        "",
        One(C::Accepted, "accept_count"),
        "Connections accepted.",
    ),
    family(
        "ferrite_connections_closed",
        Counter,
        "",
        One(C::Closed, "close_count"),
        "Connections closed.",
    ),
    family(
        "ferrite_connections_aborted",
        Counter,
        "",
        One(C::Aborted, "abort_count"),
        "Connections closed because of an error or a deadline, those refused included.",
    ),
    family(
        "ferrite_connections_refused",
        Counter,
        "",
        Each(
            "reason",
            &[
                ("max_connection", C::ConnectionsRefused, "connection_refused_count"),
                ("address", C::AddressesRefused, "address_refused_count"),
            ],
        ),
        "Connections closed at once: all are in use, or the client's address has as many as it may.",
    ),
    family(
        "ferrite_tls_handshakes",
        Counter,
        "",
        Each(
            "result",
            &[
                ("full", C::TlsHandshakes, "tls_handshake_count"),
                ("resumed", C::TlsResumptions, "tls_resumption_count"),
                ("failed", C::TlsFailures, "tls_failure_count"),
            ],
        ),
        "TLS handshakes, also of QUIC; those that failed over TCP alone.",
    ),
    family(
        "http_server_active_requests",
        Gauge,
        "",
        One(C::Exchanges, "concurrency"),
        "Requests for workers that are in the server: arriving, waiting, or being answered.",
    ),
    family(
        "ferrite_requests_received",
        Counter,
        "",
        One(C::Requests, "request_count"),
        "Requests for workers whose head was read.",
    ),
    family(
        "ferrite_requests_dispatched",
        Counter,
        "",
        One(C::Dispatched, "dispatch_count"),
        "Requests handed to a worker; one that is given to another worker counts again.",
    ),
    family(
        "ferrite_responses_completed",
        Counter,
        "",
        One(C::Responses, "response_count"),
        "Responses sent to their end.",
    ),
    family(
        "ferrite_requests_failed",
        Counter,
        "",
        Each(
            "reason",
            &[
                ("shed", C::Shed, "shed_count"),
                ("worker_lost", C::Lost, "lost_count"),
                ("refused", C::Refused, "refused_count"),
                ("client_gone", C::GivenUp, "given_up_count"),
                ("unanswered", C::Unanswered, "unanswered_count"),
                ("body_refused", C::BodiesRefused, "body_spool_refused_count"),
                ("file_refused", C::FilesRefused, "file_refused_count"),
            ],
        ),
        "Requests without the handler's whole answer: shed from the queue (503), lost with their worker \
         (502), refused by the protocol (4xx), left by the client, detached and not claimed (504), without \
         room for their content or file (503).",
    ),
    family(
        "ferrite_responses_stray",
        Counter,
        "",
        One(C::Stray, "stray_count"),
        "Parts of responses for requests that no longer exist; dropped.",
    ),
    family(
        "ferrite_responses_stalled",
        Counter,
        "",
        One(C::Stalls, "stall_count"),
        "Responses cut off because their client did not take them.",
    ),
    family(
        "ferrite_floods",
        Counter,
        "",
        Parts("flood_count", FLOODS),
        "Connections over HTTP/2 and HTTP/3 ended because they made work and served nobody, by what they sent \
         too much of: streams reset at once, PING, SETTINGS, empty frames, header fields, or other; packets of \
         HTTP/3 are known apart by resets alone.",
    ),
    family(
        "ferrite_network_receive_bytes",
        Counter,
        "bytes",
        One(C::BytesReceived, "total_recv_bytes"),
        "Bytes read from clients.",
    ),
    family(
        "ferrite_network_transmit_bytes",
        Counter,
        "bytes",
        One(C::BytesSent, "total_send_bytes"),
        "Bytes written to clients.",
    ),
    family(
        "ferrite_queue_length",
        Gauge,
        "",
        One(C::Queued, "queue_len"),
        "Requests that wait for a worker.",
    ),
    family(
        "ferrite_queue_length_limit",
        Gauge,
        "",
        One(C::QueuedMax, "queue_len_max"),
        "How many there may be: request_queue_len_max.",
    ),
    family(
        "ferrite_response_spool_bytes",
        Gauge,
        "bytes",
        Each(
            "medium",
            &[
                ("memory", C::SpoolMemory, "response_spool_memory_bytes"),
                ("disk", C::SpoolDisk, "response_spool_disk_bytes"),
            ],
        ),
        "Bytes of responses that clients have not taken.",
    ),
    family(
        "ferrite_response_spool_limit_bytes",
        Gauge,
        "bytes",
        Each(
            "medium",
            &[
                ("memory", C::SpoolMemoryMax, "response_spool_memory_bytes_max"),
                ("disk", C::SpoolDiskMax, "response_spool_disk_bytes_max"),
            ],
        ),
        "How many there may be; past it workers wait for their clients.",
    ),
    family(
        "ferrite_body_spool_files",
        Gauge,
        "",
        One(C::BodyFiles, "body_spool_file_num"),
        "Request bodies in files.",
    ),
    family(
        "ferrite_body_spool_files_limit",
        Gauge,
        "",
        One(C::BodyFilesMax, "body_spool_file_max"),
        "How many there may be.",
    ),
    family(
        "ferrite_body_spool_bytes",
        Gauge,
        "bytes",
        One(C::BodyBytes, "body_spool_bytes"),
        "Bytes of request bodies in files.",
    ),
    family(
        "ferrite_body_spool_limit_bytes",
        Gauge,
        "bytes",
        One(C::BodyBytesMax, "body_spool_bytes_max"),
        "How many there may be: body_spool_bytes_max.",
    ),
    family(
        "ferrite_sent_files",
        Gauge,
        "",
        One(C::SentFiles, "sent_file_num"),
        "Descriptors of files that are held open until clients have taken them.",
    ),
    family(
        "ferrite_sent_files_limit",
        Gauge,
        "",
        One(C::SentFilesMax, "sent_file_max"),
        "How many there may be, as the limit on open files allows.",
    ),
    family(
        "ferrite_detached_responses",
        Gauge,
        "",
        One(C::Detached, "detached_num"),
        "Detached responses that nobody has claimed.",
    ),
    family(
        "ferrite_detached_responses_limit",
        Gauge,
        "",
        One(C::DetachedMax, "detached_max"),
        "How many there may be: max_detached.",
    ),
];

const FLOODS: &[LabelledCounter] = &[
    flood(["2", "reset"], C::FloodsHttp2Reset, "h2_reset_flood_count"),
    flood(["2", "ping"], C::FloodsHttp2Ping, "h2_ping_flood_count"),
    flood(["2", "settings"], C::FloodsHttp2Settings, "h2_settings_flood_count"),
    flood(["2", "empty_frame"], C::FloodsHttp2EmptyFrame, "h2_empty_frame_flood_count"),
    flood(["2", "header"], C::FloodsHttp2Header, "h2_header_flood_count"),
    flood(["2", "other"], C::FloodsHttp2Other, "h2_other_flood_count"),
    flood(["3", "reset"], C::FloodsHttp3Reset, "h3_reset_flood_count"),
    flood(["3", "other"], C::FloodsHttp3Other, "h3_other_flood_count"),
];

const fn flood(values: [&'static str; 2], counter: C, key: &'static str) -> LabelledCounter {
    let [version, kind] = values;
    LabelledCounter {
        labels: [("network_protocol_version", version), ("kind", kind)],
        counter,
        key,
    }
}
