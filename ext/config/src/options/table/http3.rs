//! Options of HTTP/3, each of a port.

use std::path::PathBuf;

use reactor::config::{Congestion, Retry};

use super::Spec;
use crate::options::option_type::OptionType::{Bytes, Count, Seconds, Switch, Text, Word};

/// Options of HTTP/3.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "open_http3_protocol",
        Switch(|d, v| d.port.http.http3.enabled = v),
        "true",
        "Whether a port with `SSL` speaks HTTP/3 on the UDP port of the same number. Needs TLS 1.3. The \
         answers of HTTP/1 and HTTP/2 tell clients of it (`Alt-Svc`).",
    ),
    Spec::port(
        "http3_max_concurrent_streams",
        Count { min: 1, max: 10_000, set: |d, v| d.port.http.http3.streams_max = v as u64 },
        "128",
        "Requests that one connection may have open at a time.",
    ),
    Spec::port(
        "http3_init_window_size",
        Bytes { min: 1 << 10, max: 1 << 30, set: |d, v| d.port.http.http3.window_bytes = v },
        "256K",
        "Bytes of one request's body that may be under way. Larger is faster on long ways; what \
         arrives is spooled, so it costs little memory.",
    ),
    Spec::port(
        "http3_alt_svc_max_age",
        Seconds { min: 0.0, max: 31_536_000.0, set: |d, v| d.port.alt_svc_max_age = v },
        "86400",
        "How long a client remembers that HTTP/3 is spoken, once an answer of HTTP/1 or HTTP/2 has told \
         it (`Alt-Svc`); 0: it is not told. An `Alt-Svc` of the handler's own is sent instead.",
    ),
    Spec::port(
        "http3_early_data",
        Switch(|d, v| d.port.http.http3.early_data = v),
        "false",
        "Whether a client that comes back may send requests before the handshake is done (0-RTT). \
         Such a request may have been recorded and sent again by somebody else: only GET, HEAD and \
         OPTIONS get through, with `Early-Data: 1`; others get 425.",
    ),
    Spec::port(
        "http3_congestion_control",
        Word {
            words: &["cubic", "bbr2"],
            set: |d, v| {
                d.port.reactor.quic.congestion = match v {
                    "bbr2" => Congestion::Bbr2,
                    _ => Congestion::Cubic,
                }
            },
        },
        "'cubic'",
        "How fast packets are sent: 'cubic' slows down when packets are lost, 'bbr2' sends as fast as \
         it has measured the way to be.",
    ),
    Spec::port(
        "http3_retry",
        Word {
            words: &["auto", "always"],
            set: |d, v| {
                d.port.reactor.quic.retry = match v {
                    "always" => Retry::Always,
                    _ => Retry::Auto,
                }
            },
        },
        "'auto'",
        "When clients have to prove that their address is theirs before they get a connection, which \
         costs them a round trip: 'auto' when many handshakes are open, 'always'.",
    ),
    Spec::port(
        "http3_qlog_dir",
        Text(|d, v| d.port.reactor.quic.qlog_dir = (!v.is_empty()).then(|| PathBuf::from(v))),
        "''",
        "A directory in which each connection of HTTP/3 writes what happens to it (qlog), in a file of \
         its own. For looking into a problem: the files grow, and nobody removes them.",
    ),
];
