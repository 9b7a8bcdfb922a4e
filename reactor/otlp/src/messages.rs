//! The messages of OTLP 1.x that are sent: resources, spans and metrics (opentelemetry-proto, package `v1`).
//!
//! Fields have the numbers and the meaning of the `.proto` files; those that are never set are left out.

use prost::{Message, Oneof};

/// What a collector is sent at its path for traces.
#[derive(Clone, PartialEq, Message)]
pub struct ExportTraces {
    /// Spans by the resource that they are of.
    #[prost(message, repeated, tag = "1")]
    pub resource_spans: Vec<ResourceSpans>,
}

/// The spans of a resource.
#[derive(Clone, PartialEq, Message)]
pub struct ResourceSpans {
    /// Whose they are.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// By the instrumentation that has made them.
    #[prost(message, repeated, tag = "2")]
    pub scope_spans: Vec<ScopeSpans>,
    /// Which version of the semantic conventions names follow.
    #[prost(string, tag = "3")]
    pub schema_url: String,
}

/// The spans of an instrumentation.
#[derive(Clone, PartialEq, Message)]
pub struct ScopeSpans {
    /// The instrumentation.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// Its spans.
    #[prost(message, repeated, tag = "2")]
    pub spans: Vec<Span>,
}

/// Who measures.
#[derive(Clone, PartialEq, Message)]
pub struct InstrumentationScope {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its version.
    #[prost(string, tag = "2")]
    pub version: String,
}

/// Who is measured.
#[derive(Clone, PartialEq, Message)]
pub struct Resource {
    /// `service.name` and its like.
    #[prost(message, repeated, tag = "1")]
    pub attributes: Vec<KeyValue>,
}

/// An attribute.
#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Its value.
    #[prost(message, optional, tag = "2")]
    pub value: Option<AnyValue>,
}

/// The value of an attribute.
#[derive(Clone, PartialEq, Message)]
pub struct AnyValue {
    /// It.
    #[prost(oneof = "AttributeValue", tags = "1, 2, 3, 4")]
    pub value: Option<AttributeValue>,
}

/// What a value may be here.
#[derive(Clone, PartialEq, Oneof)]
pub enum AttributeValue {
    /// Text.
    #[prost(string, tag = "1")]
    Text(String),
    /// A truth value.
    #[prost(bool, tag = "2")]
    Bool(bool),
    /// A whole number.
    #[prost(int64, tag = "3")]
    Int(i64),
    /// A number.
    #[prost(double, tag = "4")]
    Double(f64),
}

impl KeyValue {
    /// An attribute that is text.
    pub fn text(key: &str, value: impl Into<String>) -> Self {
        Self::new(key, AttributeValue::Text(value.into()))
    }

    /// An attribute that is a number; what does not fit is the largest.
    pub fn int(key: &str, value: u64) -> Self {
        Self::new(key, AttributeValue::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn new(key: &str, value: AttributeValue) -> Self {
        Self { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
    }
}

/// What took some time.
#[derive(Clone, PartialEq, Message)]
pub struct Span {
    /// The trace, 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    /// The span, 8 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    /// `tracestate`, as it came.
    #[prost(string, tag = "3")]
    pub trace_state: String,
    /// The span that it is part of; empty: none.
    #[prost(bytes = "vec", tag = "4")]
    pub parent_span_id: Vec<u8>,
    /// Its name, of which there are few.
    #[prost(string, tag = "5")]
    pub name: String,
    /// Which side of what.
    #[prost(enumeration = "SpanKind", tag = "6")]
    pub kind: i32,
    /// Its begin, nanoseconds since 1970.
    #[prost(fixed64, tag = "7")]
    pub start_time_unix_nano: u64,
    /// Its end, nanoseconds since 1970.
    #[prost(fixed64, tag = "8")]
    pub end_time_unix_nano: u64,
    /// What is known of it.
    #[prost(message, repeated, tag = "9")]
    pub attributes: Vec<KeyValue>,
    /// Whether it failed.
    #[prost(message, optional, tag = "15")]
    pub status: Option<Status>,
    /// Flags of its context (W3C), and whether the parent is known to be remote.
    #[prost(fixed32, tag = "16")]
    pub flags: u32,
}

/// Which side of what a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum SpanKind {
    /// It is not said.
    Unspecified = 0,
    /// A part of another one.
    Internal = 1,
    /// A request that is answered.
    Server = 2,
}

/// Whether a span failed.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// How.
    #[prost(string, tag = "2")]
    pub message: String,
    /// 0: it is not said; 2: it failed.
    #[prost(int32, tag = "3")]
    pub code: i32,
}

impl Status {
    /// It failed.
    pub fn error(message: &str) -> Self {
        Self { message: message.to_owned(), code: 2 }
    }
}

/// What a collector is sent at its path for metrics.
#[derive(Clone, PartialEq, Message)]
pub struct ExportMetrics {
    /// Metrics by the resource that they are of.
    #[prost(message, repeated, tag = "1")]
    pub resource_metrics: Vec<ResourceMetrics>,
}

/// The metrics of a resource.
#[derive(Clone, PartialEq, Message)]
pub struct ResourceMetrics {
    /// Whose they are.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// By the instrumentation that has made them.
    #[prost(message, repeated, tag = "2")]
    pub scope_metrics: Vec<ScopeMetrics>,
    /// Which version of the semantic conventions names follow.
    #[prost(string, tag = "3")]
    pub schema_url: String,
}

/// The metrics of an instrumentation.
#[derive(Clone, PartialEq, Message)]
pub struct ScopeMetrics {
    /// The instrumentation.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// Its metrics.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
}

/// Figures of one name.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// What it is.
    #[prost(string, tag = "2")]
    pub description: String,
    /// Its unit (UCUM).
    #[prost(string, tag = "3")]
    pub unit: String,
    /// The figures.
    #[prost(oneof = "Data", tags = "5, 7, 9")]
    pub data: Option<Data>,
}

/// Figures by their kind.
#[derive(Clone, PartialEq, Oneof)]
pub enum Data {
    /// They go up and down.
    #[prost(message, tag = "5")]
    Gauge(Gauge),
    /// They only go up.
    #[prost(message, tag = "7")]
    Sum(Sum),
    /// How many there were up to each of some bounds.
    #[prost(message, tag = "9")]
    Histogram(Histogram),
}

/// Figures that go up and down.
#[derive(Clone, PartialEq, Message)]
pub struct Gauge {
    /// One for each set of attributes.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberDataPoint>,
}

/// Figures that are summed up.
#[derive(Clone, PartialEq, Message)]
pub struct Sum {
    /// One for each set of attributes.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberDataPoint>,
    /// [`CUMULATIVE`].
    #[prost(int32, tag = "2")]
    pub aggregation_temporality: i32,
    /// Whether they only go up.
    #[prost(bool, tag = "3")]
    pub is_monotonic: bool,
}

/// Distributions.
#[derive(Clone, PartialEq, Message)]
pub struct Histogram {
    /// One for each set of attributes.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<Distribution>,
    /// [`CUMULATIVE`].
    #[prost(int32, tag = "2")]
    pub aggregation_temporality: i32,
}

/// Figures count from the server's start.
pub const CUMULATIVE: i32 = 2;

/// A figure.
#[derive(Clone, PartialEq, Message)]
pub struct NumberDataPoint {
    /// Since when it counts, nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    pub start_time_unix_nano: u64,
    /// When it was read.
    #[prost(fixed64, tag = "3")]
    pub time_unix_nano: u64,
    /// It; one of a choice, so 0 has to be said.
    #[prost(sfixed64, optional, tag = "6")]
    pub as_int: Option<i64>,
    /// Of what.
    #[prost(message, repeated, tag = "7")]
    pub attributes: Vec<KeyValue>,
}

/// A distribution.
#[derive(Clone, PartialEq, Message)]
pub struct Distribution {
    /// Since when it counts, nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    pub start_time_unix_nano: u64,
    /// When it was read.
    #[prost(fixed64, tag = "3")]
    pub time_unix_nano: u64,
    /// How many there were.
    #[prost(fixed64, tag = "4")]
    pub count: u64,
    /// Their sum.
    #[prost(double, optional, tag = "5")]
    pub sum: Option<f64>,
    /// How many there were in each bucket: one more than bounds.
    #[prost(fixed64, repeated, tag = "6")]
    pub bucket_counts: Vec<u64>,
    /// The upper bounds of the buckets but the last.
    #[prost(double, repeated, tag = "7")]
    pub explicit_bounds: Vec<f64>,
    /// Of what.
    #[prost(message, repeated, tag = "9")]
    pub attributes: Vec<KeyValue>,
}

/// What a collector answers, for traces and for metrics alike.
#[derive(Clone, PartialEq, Message)]
pub struct ExportResponse {
    /// What it has not taken.
    #[prost(message, optional, tag = "1")]
    pub partial_success: Option<PartialSuccess>,
}

/// What a collector has not taken.
#[derive(Clone, PartialEq, Message)]
pub struct PartialSuccess {
    /// How many.
    #[prost(int64, tag = "1")]
    pub rejected: i64,
    /// Why.
    #[prost(string, tag = "2")]
    pub error_message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes are those that the specification of protocol buffers asks for: a number 0 is set too.
    #[test]
    fn a_figure_is_as_the_proto_file_says() {
        for (number, byte) in [(-1, 0xff), (0, 0)] {
            let number = NumberDataPoint {
                as_int: Some(number),
                time_unix_nano: 1,
                ..NumberDataPoint::default()
            };
            let mut wanted = vec![3 << 3 | 1, 1, 0, 0, 0, 0, 0, 0, 0, 6 << 3 | 1];
            wanted.extend([byte; 8]);
            assert_eq!(number.encode_to_vec(), wanted);
        }
        let value = KeyValue::int("a", 300).encode_to_vec();
        assert_eq!(value, [0x0a, 1, b'a', 0x12, 3, 0x18, 0xac, 2]);
    }

    #[test]
    fn distributions_have_packed_buckets() {
        let distribution = Distribution {
            bucket_counts: vec![1, 2],
            explicit_bounds: vec![0.5],
            ..Distribution::default()
        };
        let bytes = distribution.encode_to_vec();
        assert_eq!(bytes[..2], [6 << 3 | 2, 16]);
        assert_eq!(bytes[18..20], [7 << 3 | 2, 8]);
        assert_eq!(Distribution::decode(&bytes[..]), Ok(distribution));
    }
}
