//! Options of the server about traces.

use super::Spec;
use crate::options::access_log::check_sample;
use crate::options::option_type::OptionType::{Parsed, Word};
use crate::options::tracing::ContextOption;

/// Options of the server about traces.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::server(
        "trace_context",
        Word {
            words: ContextOption::WORDS,
            set: |d, v| d.server.tracing.context = Some(ContextOption::of(v)),
        },
        "'off'",
        "Whether requests are parts of traces (W3C Trace Context), by the header `traceparent`, and whose traces go on: \
         those of 'all' clients, of `trusted_proxies` ('proxies'), or of 'none', where each request begins a new \
         one. Handlers see `traceparent` with the server's own span in it. See [tracing.md](tracing.md).",
    ),
    Spec::server(
        "trace_sample",
        Parsed(check_sample, "a number from 0 to 1", |d, v| {
            d.server.tracing.sample = Some(v.seconds().unwrap_or(1.0));
        }),
        "1 (all)",
        "Which part of the traces that begin here is sampled. Those that go on are sampled as their client says.",
    ),
];
