//! Options of Swoole that have no effect here. They are taken when their value asks for nothing, so
//! that a configuration can be brought along; anything else is an error, so that nobody relies on
//! what is not there.

use super::{Scope, Spec};
use crate::options::option_type::NoOp::{self, Any, Off, On, OneOf};
use crate::options::option_type::OptionType::Absent;

const fn server(name: &'static str, no_op: NoOp, doc: &'static str) -> Spec {
    Spec {
        name,
        aliases: &[],
        scope: Scope::Server,
        kind: Absent(no_op),
        default: "",
        doc,
        secret: false,
    }
}

const fn port(name: &'static str, no_op: NoOp, doc: &'static str) -> Spec {
    Spec {
        name,
        aliases: &[],
        scope: Scope::Port,
        kind: Absent(no_op),
        default: "",
        doc,
        secret: false,
    }
}

const COROUTINES: &str = "There are no coroutines: a worker handles one request at a time.";
const DISPATCH: &str = "Every request goes to an idle worker, whichever connection it came in by (as modes 1, 3 and 7).";
const TASKS: &str = "There are no task workers yet.";
const TASK_DETAIL: &str = "Refines task workers, which do not exist yet.";
const LATER: &str = "Not there yet.";
const PUSH: &str = "Clients have given up server push; `$response->informational(103, …)` tells them what to load.";
const WEBSOCKET: &str = "WebSocket is not there yet.";
const WEBSOCKET_DETAIL: &str = "Refines WebSocket, which is not there yet.";
const RAW: &str = "Ports speak HTTP, not protocols of their own.";
const BOUNDED: &str = "The reactor bounds its buffers by itself.";
const THREADS: &str = "Workers are processes, not threads.";
const BOUND_EARLY: &str = "Ports are bound by the constructor and by `listen()`, before `set()`.";

/// Options without effect.
pub(super) const OPTIONS: &[Spec] = &[
    server("enable_coroutine", Off, COROUTINES),
    server("hook_flags", Off, COROUTINES),
    server("enable_preemptive_scheduler", Off, COROUTINES),
    server("max_coroutine", Any, COROUTINES).alias(&["max_coro_num"]),
    server("send_yield", Any, "`write()` waits by itself past `response_spool_bytes_max`."),
    server("dispatch_mode", OneOf(&[1, 3, 7]), DISPATCH),
    server("dispatch_func", Off, DISPATCH),
    server("single_thread", Off, "Set `reactor_num` to 1."),
    server("max_request_grace", Off, "`max_request` adds up to a tenth by chance."),
    server("reload_async", On, "A reload always waits for requests in flight."),
    server("max_concurrency", Off, "A worker handles one request at a time."),
    server("worker_max_concurrency", Off, "A worker handles one request at a time."),
    server("max_queued_bytes", Off, BOUNDED),
    server("enable_unsafe_event", Off, "Connect and Close are always told when they are set."),
    server("enable_delay_receive", Off, "A request is always handed over when it is complete."),
    server(
        "discard_timeout_request",
        Any,
        "A request whose client has left is not handed over; see `http_half_close`.",
    ),
    server("enable_reuse_port", Off, BOUND_EARLY),
    server("event_object", Off, LATER),
    server("start_session_id", Any, "Connection numbers are unique anyway."),
    server("bootstrap", Off, THREADS),
    server("init_arguments", Off, THREADS),
    server("task_worker_num", Off, TASKS),
    server("task_ipc_mode", Any, TASK_DETAIL),
    server("task_max_request", Any, TASK_DETAIL),
    server("task_max_request_grace", Any, TASK_DETAIL),
    server("task_tmpdir", Any, TASK_DETAIL),
    server("task_enable_coroutine", Off, COROUTINES),
    server("task_use_object", Any, TASK_DETAIL).alias(&["task_object"]),
    server("message_queue_key", Any, TASK_DETAIL),
    server(
        "upload_max_filesize",
        Off,
        "Use `package_max_length`, or `php_ini` for the size of each file.",
    ),
    server("input_buffer_size", Any, BOUNDED).alias(&["buffer_input_size"]),
    server("output_buffer_size", Any, "A response has no bound; see `socket_buffer_size`.")
        .alias(&["buffer_output_size"]),
    port("buffer_high_watermark", Off, BOUNDED),
    port("buffer_low_watermark", Off, BOUNDED),
    server("url_rewrite_rules", Off, LATER),
    port("open_http_protocol", On, "Every port speaks HTTP."),
    port("http2_enable_push", Off, PUSH),
    port("open_websocket_protocol", Off, WEBSOCKET),
    port("websocket_subprotocol", Any, WEBSOCKET_DETAIL),
    port("websocket_compression", Any, WEBSOCKET_DETAIL),
    port("websocket_mask", Any, WEBSOCKET_DETAIL),
    port("open_websocket_close_frame", Any, WEBSOCKET_DETAIL),
    port("open_websocket_ping_frame", Any, WEBSOCKET_DETAIL),
    port("open_websocket_pong_frame", Any, WEBSOCKET_DETAIL),
    port("open_eof_check", Off, RAW),
    port("open_eof_split", Off, RAW),
    port("open_length_check", Off, RAW),
    port("open_mqtt_protocol", Off, RAW),
    port("open_redis_protocol", Off, RAW),
    port("tcp_fastopen", Off, LATER),
    port("tcp_defer_accept", Off, LATER),
    port("ssl_ecdh_curve", Off, "X25519MLKEM768, X25519, P-256 and P-384 are offered."),
    port("ssl_dhparam", Off, "Suites with finite-field Diffie-Hellman are not offered."),
    port(
        "ssl_prefer_server_ciphers",
        Any,
        "The server's order counts; equal suites are in the client's order.",
    ),
    port("ssl_allow_self_signed", Off, "Add the certificate to `ssl_client_cert_file`."),
    port("ssl_capath", Off, "Use `ssl_client_cert_file`."),
    port("ssl_compress", Off, "Compression of TLS is unsafe (CRIME)."),
    server("log_date_format", Off, "Log lines carry the time as ISO 8601, UTC."),
    server("log_date_with_microseconds", Any, "Log lines carry milliseconds."),
    server("log_rotation", Off, "Rotate the file from outside, with copytruncate."),
    server("display_errors", Any, "PHP's own setting decides."),
    server("trace_flags", Off, LATER),
    server("print_backtrace_on_error", Off, LATER),
    server("admin_server", Off, LATER),
];
