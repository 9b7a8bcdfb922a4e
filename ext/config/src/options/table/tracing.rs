//! Options of the server about traces, and the collector of OpenTelemetry that gets them.

use super::Spec;
use crate::options::access_log::check_sample;
use crate::options::option_type::OptionType::{Map, Parsed, Text, Word};
use crate::options::tracing::{ContextOption, check_endpoint};

/// Options of the server about traces and their collector.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::server(
        "trace_context",
        Word {
            words: ContextOption::WORDS,
            set: |d, v| d.server.tracing.context = Some(ContextOption::of(v)),
        },
        "'off'; 'all' with otlp_endpoint",
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
    Spec::server(
        "otlp_endpoint",
        Parsed(check_endpoint, "'http://HOST:PORT', 'https://HOST:PORT', 'env' or ''", |d, v| {
            d.server.tracing.endpoint = v.text().unwrap_or_default().to_owned();
        }),
        "'' (none)",
        "The collector of OpenTelemetry that spans and metrics are sent to, by OTLP over HTTP: `/v1/traces` and \
         `/v1/metrics` are appended. 'env': as `OTEL_EXPORTER_OTLP_ENDPOINT` and its like say. Requests never wait \
         for it. See [tracing.md](tracing.md).",
    ),
    Spec::server(
        "otlp_headers",
        Map(|d, v| d.server.tracing.headers = v.to_vec()),
        "[]",
        "Headers of the requests to the collector, as `['Authorization' => 'Bearer …']`; without them those of \
         `OTEL_EXPORTER_OTLP_HEADERS`.",
    )
    .secret(),
    Spec::server(
        "otlp_service_name",
        Text(|d, v| d.server.tracing.service_name = v.to_owned()),
        "`OTEL_SERVICE_NAME`, or 'ferrite'",
        "What the server is called in traces and metrics (`service.name`).",
    ),
];
