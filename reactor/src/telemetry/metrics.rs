//! The figures of the server as metrics of OpenTelemetry, by its names where it has some for them.

use std::time::{SystemTime, UNIX_EPOCH};

use otlp::messages::{
    CUMULATIVE, Data, Distribution, Gauge, Histogram, KeyValue, Metric, NumberDataPoint, Sum,
};
use wire::metrics::visit::{Memory, MetricsSink, visit};
use wire::metrics::{Family, MetricType};
use wire::shm::exchanges::{self, BUCKETS};
use wire::shm::{Counter, Shared};

/// All of them.
pub(super) fn all(shared: Shared, memory: &[Memory]) -> Vec<Metric> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let start = shared.get(Counter::StartedAt).saturating_mul(1_000_000_000);
    let mut made = Made { start, now, metrics: Vec::with_capacity(64) };
    visit(shared, memory, &mut made);
    made.metrics.retain(|metric| !is_empty(metric));
    made.metrics
}

struct Made {
    start: u64,
    now: u64,
    metrics: Vec<Metric>,
}

impl MetricsSink for Made {
    fn begin(&mut self, family: &'static Family) {
        let data = match family.kind {
            MetricType::Counter => Data::Sum(Sum {
                data_points: Vec::new(),
                aggregation_temporality: CUMULATIVE,
                is_monotonic: true,
            }),
            MetricType::Gauge | MetricType::Info => Data::Gauge(Gauge::default()),
            MetricType::Histogram => Data::Histogram(Histogram {
                data_points: Vec::new(),
                aggregation_temporality: CUMULATIVE,
            }),
        };
        self.metrics.push(Metric {
            name: name(family),
            description: family.help.to_owned(),
            unit: unit(family).to_owned(),
            data: Some(data),
        });
    }

    fn sample(&mut self, _: &Family, labels: &[(&str, &str)], value: u64) {
        let number = NumberDataPoint {
            start_time_unix_nano: self.start,
            time_unix_nano: self.now,
            as_int: Some(i64::try_from(value).unwrap_or(i64::MAX)),
            attributes: attributes(labels),
        };
        match self.metrics.last_mut().and_then(|metric| metric.data.as_mut()) {
            Some(Data::Gauge(gauge)) => gauge.data_points.push(number),
            Some(Data::Sum(sum)) => sum.data_points.push(number),
            Some(Data::Histogram(_)) | None => {}
        }
    }

    fn histogram(
        &mut self,
        _: &Family,
        labels: &[(&str, &str)],
        of: &exchanges::HistogramSnapshot,
    ) {
        let distribution = Distribution {
            start_time_unix_nano: self.start,
            time_unix_nano: self.now,
            count: of.count(),
            sum: Some(of.sum as f64 / 1e6),
            bucket_counts: of.counts.to_vec(),
            explicit_bounds: BUCKETS.iter().map(|micros| *micros as f64 / 1e6).collect(),
            attributes: attributes(labels),
        };
        let data = self.metrics.last_mut().and_then(|metric| metric.data.as_mut());
        if let Some(Data::Histogram(histogram)) = data {
            histogram.data_points.push(distribution);
        }
    }
}

/// A metric without figures is none: nothing of the kind has been yet.
fn is_empty(metric: &Metric) -> bool {
    match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.is_empty(),
        Some(Data::Sum(sum)) => sum.data_points.is_empty(),
        Some(Data::Histogram(histogram)) => histogram.data_points.is_empty(),
        None => true,
    }
}

/// A name with dots, without the unit, which is said apart.
fn name(family: &Family) -> String {
    let end = format!("_{}", family.unit);
    let plain = family.name.strip_suffix(&end).filter(|_| !family.unit.is_empty());
    let plain = plain.unwrap_or(family.name);
    for (prefix, dotted) in [
        ("http_server_request_", "http.server.request."),
        ("http_server_", "http.server."),
        ("ferrite_", "ferrite."),
    ] {
        if let Some(rest) = plain.strip_prefix(prefix) {
            return format!("{dotted}{rest}");
        }
    }
    plain.to_owned()
}

fn unit(family: &Family) -> &'static str {
    match family.unit {
        "seconds" => "s",
        "bytes" => "By",
        _ => "1",
    }
}

fn attributes(labels: &[(&str, &str)]) -> Vec<KeyValue> {
    let attribute = |(name, value): &(&str, &str)| match (*name, value.parse()) {
        ("http_response_status_code", Ok(code)) => KeyValue::int("http.response.status_code", code),
        ("http_request_method", _) => KeyValue::text("http.request.method", *value),
        ("network_protocol_version", _) => KeyValue::text("network.protocol.version", *value),
        ("http_response_status_class", _) => {
            KeyValue::text("ferrite.http.response.status_class", *value)
        }
        (name, _) => KeyValue::text(name, *value),
    };
    labels.iter().map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use wire::Version;
    use wire::shm::exchanges::Timing;

    use super::*;

    #[test]
    fn figures_have_names_units_and_attributes_of_the_conventions() {
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(memory.leak(), 1, 1);
        shared.counter(Counter::StartedAt).store(5, std::sync::atomic::Ordering::Relaxed);
        shared.exchanges(0).count(Version::Http2, "GET", 404);
        shared.exchanges(0).observe(Timing::Total(Version::Http2), 1_500);
        let metrics = all(shared, &[Memory { process: "worker", worker: Some(1), bytes: 4096 }]);
        let get = |name: &str| {
            metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}"))
        };
        let duration = get("http.server.request.duration");
        assert_eq!(duration.unit, "s");
        let Some(Data::Histogram(histogram)) = &duration.data else { panic!("{duration:?}") };
        let of_h2 = &histogram.data_points[1];
        assert_eq!(of_h2.attributes, [KeyValue::text("network.protocol.version", "2")]);
        assert_eq!((of_h2.count, of_h2.sum), (1, Some(0.0015)));
        assert_eq!(of_h2.bucket_counts.len(), of_h2.explicit_bounds.len() + 1);
        assert_eq!((of_h2.bucket_counts[4], of_h2.explicit_bounds[4]), (1, 0.0025));
        let Some(Data::Sum(sum)) = &get("ferrite.http_responses").data else { panic!() };
        assert!(sum.is_monotonic && sum.aggregation_temporality == CUMULATIVE);
        let point = &sum.data_points[0];
        assert_eq!(point.attributes, [KeyValue::int("http.response.status_code", 404)]);
        assert_eq!((point.as_int, point.start_time_unix_nano), (Some(1), 5_000_000_000));
        let memory = get("ferrite.process_resident_memory");
        assert_eq!(memory.unit, "By");
        let Some(Data::Gauge(_)) = get("http.server.active_requests").data else { panic!() };
    }
}
