//! The figures as text: OpenMetrics 1.0, or the format 0.0.4 of Prometheus.

use std::fmt::{self, Write};

use super::visit::{Memory, MetricsSink, visit};
use super::{Family, MetricType};
use crate::shm::Shared;
use crate::shm::exchanges::{BUCKETS, HistogramSnapshot};

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpositionFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The text format of Prometheus.
    Prometheus,
}

impl ExpositionFormat {
    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// All figures.
pub fn render(shared: Shared, memory: &[Memory], format: ExpositionFormat) -> String {
    let mut text = Exposition { text: String::with_capacity(16 << 10), format };
    visit(shared, memory, &mut text);
    if format == ExpositionFormat::OpenMetrics {
        text.text.push_str("# EOF\n");
    }
    text.text
}

struct Exposition {
    text: String,
    format: ExpositionFormat,
}

impl Exposition {
    /// Only OpenMetrics has units, and only there a counter's family is named without `_total`.
    fn head(&mut self, family: &Family) {
        let Family { name, kind, unit, help, .. } = family;
        let (name, kind) = match (self.format, kind) {
            (ExpositionFormat::Prometheus, MetricType::Counter) => {
                (format!("{name}_total"), kind.name())
            }
            (ExpositionFormat::Prometheus, MetricType::Info) => (format!("{name}_info"), "gauge"),
            _ => ((*name).to_owned(), kind.name()),
        };
        self.line(format_args!("# TYPE {name} {kind}"));
        if self.format == ExpositionFormat::OpenMetrics && !unit.is_empty() {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
        self.line(format_args!("# HELP {name} {help}"));
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to memory cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

impl MetricsSink for Exposition {
    fn begin(&mut self, family: &Family) {
        self.head(family);
    }

    fn histogram(
        &mut self,
        family: &Family,
        labels: &[(&str, &str)],
        histogram: &HistogramSnapshot,
    ) {
        let name = family.name;
        let mut below = 0;
        for (index, count) in histogram.counts.iter().enumerate() {
            below += count;
            let bound = BUCKETS.get(index).map_or("+Inf".to_owned(), |bound| seconds(*bound));
            let labels: Vec<_> = labels.iter().copied().chain([("le", &bound[..])]).collect();
            self.line(format_args!("{name}_bucket{} {below}", Labels(&labels)));
        }
        self.line(format_args!("{name}_sum{} {}", Labels(labels), seconds(histogram.sum)));
        self.line(format_args!("{name}_count{} {below}", Labels(labels)));
    }

    fn sample(&mut self, family: &Family, labels: &[(&str, &str)], value: u64) {
        let suffix = match family.kind {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            MetricType::Gauge | MetricType::Histogram => "",
        };
        self.line(format_args!("{}{suffix}{} {value}", family.name, Labels(labels)));
    }
}

/// Microseconds as seconds, in the fewest digits.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').map_or(text.to_owned(), |whole| format!("{whole}.0"))
}

/// Labels between braces. All values are words of this program: nothing has to be escaped.
struct Labels<'a>(&'a [(&'a str, &'a str)]);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            write!(f, "{before}{name}=\"{value}\"")?;
        }
        if self.0.is_empty() { Ok(()) } else { f.write_char('}') }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::head::Version;
    use crate::shm::Counter;
    use crate::shm::exchanges::Timing;

    fn shared() -> Shared {
        let words = Shared::words(2, 2);
        let memory: Vec<AtomicU64> = (0..words).map(|_| AtomicU64::new(0)).collect();
        Shared::new(memory.leak(), 2, 2)
    }

    #[test]
    fn threads_are_added_up() {
        let shared = shared();
        shared.add(Counter::Accepted, 7);
        for thread in 0..2 {
            shared.exchanges(thread).count(Version::Http2, "GET", 200);
            shared.exchanges(thread).observe(Timing::Total(Version::Http2), 1_500);
        }
        let memory = [Memory { process: "worker", worker: Some(1), bytes: 4096 }];
        let text = render(shared, &memory, ExpositionFormat::OpenMetrics);
        for line in [
            "# TYPE ferrite_connections_accepted counter",
            "ferrite_connections_accepted_total 7",
            "ferrite_http_requests_total{network_protocol_version=\"2\",http_request_method=\"GET\",\
             http_response_status_class=\"2xx\"} 2",
            "ferrite_http_responses_total{http_response_status_code=\"200\"} 2",
            "http_server_request_duration_seconds_bucket{network_protocol_version=\"2\",le=\"0.0025\"} 2",
            "http_server_request_duration_seconds_bucket{network_protocol_version=\"2\",le=\"+Inf\"} 2",
            "http_server_request_duration_seconds_sum{network_protocol_version=\"2\"} 0.003",
            "ferrite_process_resident_memory_bytes{process=\"worker\",worker=\"1\"} 4096",
            "# UNIT ferrite_process_resident_memory_bytes bytes",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
        let text = render(shared, &memory, ExpositionFormat::Prometheus);
        assert!(text.contains("# TYPE ferrite_connections_accepted_total counter\n"));
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"));
    }

    #[test]
    fn bounds_are_written_in_the_fewest_digits() {
        let shown = [0, 100, 2_500, 1_000_000, 60_000_000].map(seconds);
        assert_eq!(shown, ["0.0", "0.0001", "0.0025", "1.0", "60.0"]);
    }
}
