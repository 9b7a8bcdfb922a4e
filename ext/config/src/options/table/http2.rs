//! Options of HTTP/2, each of a port.

use super::Spec;
use crate::options::option_type::OptionType::{Bytes, Count, Switch};

/// A head has to fit a frame between processes, so what is beyond this makes no difference.
const LIST_MOST: u32 = 2 << 20;

/// Options of HTTP/2.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "open_http2_protocol",
        Switch(|d, v| d.port.http.http2.enabled = v),
        "true",
        "Whether the port speaks HTTP/2 beside HTTP/1. With TLS, ALPN decides; a client without \
         TLS begins with the preface of HTTP/2 (prior knowledge).",
    ),
    Spec::port(
        "http2_max_concurrent_streams",
        Count { min: 1, max: 10_000, set: |d, v| d.port.http.http2.streams_max = v as u32 },
        "128",
        "Requests that one connection may have open at a time.",
    ),
    Spec::port(
        "http2_init_window_size",
        Bytes { min: 1, max: (1 << 31) - 1, set: |d, v| d.port.http.http2.window_bytes = v as u32 },
        "65535",
        "Bytes of one request's body that may be under way. Larger is faster on long ways; what \
         arrives is spooled, so it costs little memory.",
    ),
    Spec::port(
        "http2_max_frame_size",
        Bytes {
            min: 1 << 14,
            max: (1 << 24) - 1,
            set: |d, v| d.port.http.http2.frame_bytes_max = v as u32,
        },
        "16K",
        "Payload of one frame that a client may send. Each connection may need as much memory.",
    ),
    Spec::port(
        "http2_header_table_size",
        Bytes { min: 0, max: 64 << 10, set: |d, v| d.port.http.http2.table_bytes_max = v as u32 },
        "4K",
        "Memory for the compression of a client's headers, per connection.",
    ),
    Spec::port(
        "http2_max_header_list_size",
        Bytes {
            min: 1 << 10,
            max: u32::MAX as u64,
            set: |d, v| d.port.http.http2.header_list_bytes_max = Some((v as u32).min(LIST_MOST)),
        },
        "as header_bytes_max",
        "Size of all header lines together, each counted with 32 bytes more, on HTTP/2 and HTTP/3; \
         past it the client gets 431. At most 2M; what is above that is 2M.",
    ),
    Spec::port(
        "http2_max_headers",
        Count {
            min: 8,
            max: 10_000,
            set: |d, v| d.port.http.http2.header_count_max = Some(v as usize),
        },
        "as header_count_max",
        "Number of header lines on HTTP/2 and HTTP/3; past it the client gets 431.",
    ),
];
