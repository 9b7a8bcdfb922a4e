//! Options of a port.

use std::time::Duration;

use bytes::Bytes as Octets;

use super::Spec;
use crate::options::config::ConfigBuilder;
use crate::options::option_type::BoolOr;
use crate::options::option_type::OptionType::{
    Bytes, Count, List, Permissions, Seconds, Switch, SwitchOrText, Text,
};

/// What `server_header` says by itself.
const SERVER: &[u8] = b"ferrite";

/// The longest time that a port's timeout may be: a day.
const DAY: f64 = 86_400.0;

/// Options of a port.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "package_max_length",
        Bytes { min: 1 << 10, max: 1 << 40, set: |d, v| d.port.http.body_bytes_max = v },
        "8M",
        "Size of a request body; past it the client gets 413.",
    ),
    Spec::port(
        "body_memory_bytes_max",
        Bytes {
            min: 0,
            max: 1 << 30,
            set: |d, v| d.port.reactor.body_memory_bytes_max = v as usize,
        },
        "256K",
        "A request body up to this size stays in memory; a larger one is spooled to an unlinked \
         temporary file in `upload_tmp_dir`.",
    ),
    Spec::port(
        "request_line_bytes_max",
        Bytes {
            min: 256,
            max: 256 << 10,
            set: |d, v| d.port.http.request_line_bytes_max = v as usize,
        },
        "8K",
        "Size of the request line; past it the client gets 414.",
    ),
    Spec::port(
        "header_bytes_max",
        Bytes { min: 1 << 10, max: 1 << 20, set: |d, v| d.port.http.header_bytes_max = v as usize },
        "32K",
        "Size of all header lines together; past it the client gets 431.",
    ),
    Spec::port(
        "header_count_max",
        Count { min: 8, max: 10_000, set: |d, v| d.port.http.header_count_max = v as usize },
        "100",
        "Number of header lines; past it the client gets 431.",
    ),
    Spec::port(
        "first_byte_timeout",
        Seconds { min: 0.001, max: DAY, set: |d, v| d.port.http.first_byte_timeout = v },
        "10",
        "From the accept of a connection to its first byte; then it is closed.",
    ),
    Spec::port(
        "header_timeout",
        Seconds { min: 0.001, max: DAY, set: |d, v| d.port.http.header_timeout = v },
        "10",
        "From the first byte of a request's head to its last; past it the client gets 408.",
    ),
    Spec::port(
        "body_timeout",
        Seconds { min: 0.001, max: DAY, set: |d, v| d.port.http.body_timeout = v },
        "30",
        "Between two arrivals of a request's body; past it the client gets 408.",
    ),
    Spec::port(
        "body_rate_min",
        Count { min: 0, max: 1 << 30, set: |d, v| d.port.http.body_rate_min = v as u64 },
        "100",
        "Bytes per second that a request's body has to come with on the whole, beyond `body_timeout`: \
         a client that sends a byte now and then gets 408. 0: any byte is enough.",
    ),
    Spec::port(
        "body_stream",
        Switch(|d, v| d.port.body_stream = v),
        "false",
        "Whether a handler starts when the head of its request is there, and reads the body while it \
         arrives, by `$request->stream()`; docs/uploads.md.",
    ),
    Spec::port(
        "body_stream_locations",
        List(|d, v| d.port.http.streamed = v.iter().map(|v| v.clone().into()).collect()),
        "[]",
        "The same for requests whose path begins with one of these.",
    ),
    Spec::port(
        "body_stream_rate_min",
        Count { min: 0, max: 1 << 30, set: |d, v| d.port.http.streamed_rate_min = v as u64 },
        "16384",
        "As `body_rate_min`, for bodies that a handler reads while they arrive: a slow client holds a \
         worker there.",
    ),
    Spec::port(
        "keepalive_timeout",
        Seconds { min: 0.001, max: DAY, set: |d, v| d.port.http.keepalive_timeout = v },
        "75",
        "From the end of a response to the next request on the same connection; then it is closed.",
    ),
    Spec::port(
        "http_half_close",
        Switch(|d, v| d.port.http.half_close = v),
        "false",
        "Whether a client of HTTP/1 that closes its direction behind a request still waits for the \
         response. Without it one that has not said so (`Connection: close`, or HTTP/1.0) counts as \
         leaving: its request is dropped if it waits for a worker; a handler that runs is told by \
         `isWritable()`, and what it sends still goes to the client.",
    ),
    Spec::port(
        "max_idle_time",
        Seconds { min: 0.0, max: DAY, set: idle },
        "0 (as keepalive_timeout)",
        "Swoole's name for `keepalive_timeout`; 0 leaves that as it is.",
    )
    .alias(&["heartbeat_idle_time"]),
    Spec::port(
        "heartbeat_check_interval",
        Seconds { min: 0.0, max: DAY, set: |d, v| idle(d, v * 2) },
        "0 (as keepalive_timeout)",
        "Sets `keepalive_timeout` to twice this time. Every connection has its own timer, nothing \
         is checked at intervals.",
    ),
    Spec::port(
        "send_timeout",
        Seconds { min: 0.001, max: DAY, set: |d, v| d.port.reactor.send_timeout = v },
        "30",
        "A client that takes no byte of a response for so long is cut off.",
    ),
    Spec::port(
        "send_rate_min",
        Count { min: 0, max: 1 << 30, set: |d, v| d.port.http.send_rate_min = v as u64 },
        "100",
        "Bytes per second that a client has to take on the whole while a response waits for it, beyond \
         `send_timeout`: one that takes a byte now and then is cut off. 0: any byte is enough.",
    ),
    Spec::port(
        "socket_buffer_size",
        Bytes { min: 64 << 10, max: 1 << 30, set: |d, v| d.port.reactor.window_bytes = v as u32 },
        "1M",
        "Bytes of one response that are kept in memory for a client that does not read; the rest goes \
         to the spool file. As much may be under way from a worker.",
    ),
    Spec::port(
        "response_spool_bytes_max",
        Bytes { min: 0, max: 1 << 40, set: |d, v| d.port.reactor.response_spool_bytes_max = v },
        "64M",
        "Bytes of one response that its client may leave, in memory and in the spool file together, \
         while the handler goes on writing. Past it `write()` waits for the client. What `end()` is \
         given is not bounded by it, but by the bounds for all responses.",
    ),
    Spec::port(
        "server_header",
        SwitchOrText(|d, v| {
            d.port.http.server = match v {
                BoolOr::Switch(false) | BoolOr::Text("") => None,
                BoolOr::Switch(true) => Some(Octets::from_static(SERVER)),
                BoolOr::Text(text) => Some(Octets::copy_from_slice(text.as_bytes())),
            }
        }),
        "true ('ferrite')",
        "Value of the Server header; false hides it.",
    ),
    Spec::port(
        "unix_socket_mode",
        Permissions(|d, v| d.port.unix_socket.mode = Some(v)),
        "by the umask",
        "Permissions of a Unix socket: who may write to it may connect. No effect on TCP.",
    ),
    Spec::port(
        "unix_socket_owner",
        Text(|d, v| d.port.unix_socket.owner = (!v.is_empty()).then(|| v.to_owned())),
        "'' (the user of the supervisor)",
        "User that a Unix socket belongs to. Only root can give it away.",
    ),
    Spec::port(
        "unix_socket_group",
        Text(|d, v| d.port.unix_socket.group = (!v.is_empty()).then(|| v.to_owned())),
        "'' (the group of the supervisor)",
        "Group that a Unix socket belongs to: one of the supervisor's own, unless that is root.",
    ),
    Spec::port(
        "backlog",
        Count { min: 1, max: 65_535, set: |d, v| d.port.backlog = v as i32 },
        "4096",
        "Connections that may wait for their accept. The kernel cuts it to net.core.somaxconn.",
    ),
    Spec::port(
        "open_tcp_nodelay",
        Switch(|d, v| d.port.reactor.tcp_nodelay = v),
        "true",
        "TCP_NODELAY: whether small packets are sent at once.",
    ),
    Spec::port(
        "open_tcp_keepalive",
        Switch(|d, v| d.port.tcp_keepalive.on = v),
        "false",
        "SO_KEEPALIVE: whether the kernel probes idle connections.",
    ),
    Spec::port(
        "tcp_keepidle",
        Seconds { min: 1.0, max: 32_767.0, set: |d, v| d.port.tcp_keepalive.idle = v },
        "3600",
        "Idle time before the first probe.",
    ),
    Spec::port(
        "tcp_keepinterval",
        Seconds { min: 1.0, max: 32_767.0, set: |d, v| d.port.tcp_keepalive.interval = v },
        "60",
        "Time between two probes.",
    ),
    Spec::port(
        "tcp_keepcount",
        Count { min: 1, max: 127, set: |d, v| d.port.tcp_keepalive.count = v as u32 },
        "5",
        "Unanswered probes before a connection is given up.",
    ),
    Spec::port(
        "tcp_user_timeout",
        Count {
            min: 0,
            max: 86_400_000,
            set: |d, v| d.port.tcp_user_timeout = Duration::from_millis(v as u64),
        },
        "0 (the kernel's)",
        "TCP_USER_TIMEOUT in milliseconds: how long sent bytes may stay unacknowledged.",
    ),
    Spec::port(
        "http_decompression",
        Switch(|d, v| d.port.decompression.on = v),
        "false",
        "Whether content of requests in gzip, br or zstd is decoded before the handler is called, which \
         sees neither `Content-Encoding` nor the former `Content-Length`. Another coding, or several, gets \
         415 with Accept-Encoding, content that is not in its coding 400. Content that a handler reads \
         while it arrives is decoded as it is read, and has no `Content-Length`; what is wrong with it ends \
         the stream with a warning.",
    ),
    Spec::port(
        "http_decompression_bytes_max",
        Bytes { min: 0, max: 1 << 40, set: |d, v| d.port.decompression.bytes_max = v },
        "0 (as package_max_length)",
        "Size of a request's content when it is decoded; past it the client gets 413, or what is read while \
         it arrives ends with a warning. Beyond \
         `body_memory_bytes_max` it is kept in an unlinked file in `upload_tmp_dir`.",
    ),
    Spec::port(
        "http_parse_cookie",
        Switch(|d, v| d.port.parse_cookie = v),
        "true",
        "Whether `Request::$cookie` is filled.",
    ),
    Spec::port(
        "http_parse_post",
        Switch(|d, v| d.port.parse_post = v),
        "true",
        "Whether `Request::$post` is filled from forms.",
    ),
    Spec::port(
        "http_parse_files",
        Switch(|d, v| d.port.parse_files = v),
        "true",
        "Whether multipart forms are parsed into `Request::$post` and `Request::$files`.",
    ),
];

fn idle(builder: &mut ConfigBuilder, time: Duration) {
    if !time.is_zero() {
        builder.port.http.keepalive_timeout = time;
    }
}
