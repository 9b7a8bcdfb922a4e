//! Bounds of what is sent to a collector of OpenTelemetry.

use std::time::Duration;

/// Exchanges that wait to be sent as spans, unless `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise: OpenTelemetry's own
/// bound. Past it they are dropped. Each takes a kilobyte as a rule, and 10 KiB at most.
pub const OTLP_QUEUE_LEN: usize = 2048;
/// The most that the variable may say: 1 GiB of the longest.
pub const OTLP_QUEUE_LEN_MAX: usize = 100_000;

/// Exchanges whose spans are sent at once, unless `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` says otherwise: OpenTelemetry's
/// own bound. Collectors take 4 MiB at once as a rule.
pub const OTLP_BATCH_LEN: usize = 512;

/// How long a span waits for others, unless `OTEL_BSP_SCHEDULE_DELAY` says otherwise.
pub const OTLP_DELAY: Duration = Duration::from_secs(5);

/// Between two reports of the metrics, unless `OTEL_METRIC_EXPORT_INTERVAL` says otherwise.
pub const OTLP_METRICS_INTERVAL: Duration = Duration::from_secs(60);

/// How long a collector may take to answer, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise.
pub const OTLP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long is waited after a first failure, and twice as long after each further one.
pub const OTLP_BACKOFF_MIN: Duration = Duration::from_secs(1);
/// What it grows to: a collector that is back is found within this time.
pub const OTLP_BACKOFF_MAX: Duration = Duration::from_secs(30);
/// The longest `Retry-After` of a collector that is obeyed; one that asks for more is taken to be wrong.
pub const OTLP_RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// How old a batch becomes that a collector does not take; then it is dropped: newer ones are worth more.
pub const OTLP_BATCH_AGE_MAX: Duration = Duration::from_secs(300);

/// How long a stop waits for what is left to be sent: a collector that works has taken it by then.
pub const OTLP_FLUSH_TIME_MAX: Duration = Duration::from_secs(1);

/// Bytes of a collector's answer that are read.
pub const OTLP_ANSWER_BYTES_MAX: u64 = 64 << 10;

/// Bytes of a text of a client's in an attribute.
pub const OTLP_TEXT_BYTES_MAX: usize = 2048;

/// Between two lines of the log about spans that were dropped.
pub const OTLP_LOSS_LOG_INTERVAL: Duration = Duration::from_secs(60);
