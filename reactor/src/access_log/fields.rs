//! [`Field`]: what a line of the access log can say of an exchange.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use wire::hex::Hex;

use crate::record::Record;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// One thing that is known of an exchange.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Field {
            $($(#[$doc])* $variant,)*
        }

        impl Field {
            /// All of them, in the order in which JSON has them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in formats and in JSON.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Visits the fields of a record that apply, in the order in which JSON has them: with the name
            /// in a JSON object, from the comma up to the value.
            #[inline(always)]
            pub fn visit<'a>(
                record: &'a Record,
                iso: &'a [u8; 24],
                visitor: &mut impl FieldVisitor,
            ) {
                // Field by field, so that the compiler knows which it is.
                $(visitor.field(concat!(",\"", $name, "\":"), Self::$variant.of(record, iso));)*
            }
        }
    };
}

fields! {
    /// When the head was complete: ISO 8601, UTC, milliseconds.
    Time = "time",
    /// The client's address without its port.
    Client = "client",
    /// The client's port.
    ClientPort = "client_port",
    /// The method.
    Method = "method",
    /// The path, as sent.
    Path = "path",
    /// What followed the `?`.
    Query = "query",
    /// The version of HTTP.
    Protocol = "protocol",
    /// The version of TLS.
    Tls = "tls",
    /// `Host`.
    Host = "host",
    /// The status that the client was sent.
    Status = "status",
    /// How the exchange ended.
    Outcome = "outcome",
    /// Why it was refused.
    Reason = "reason",
    /// Bytes of the response's content.
    BodyBytes = "body_bytes",
    /// Bytes of the response as its version of HTTP forms it.
    WireBytes = "wire_bytes",
    /// Bytes of the request's content.
    RequestBodyBytes = "request_body_bytes",
    /// Seconds until a worker got it.
    QueueTime = "queue_time",
    /// Seconds that the worker took.
    WorkerTime = "worker_time",
    /// Seconds until the response began.
    FirstByteTime = "first_byte_time",
    /// Seconds until it was over.
    TotalTime = "total_time",
    /// The worker's id.
    Worker = "worker",
    /// The worker's process.
    Pid = "pid",
    /// The request's id.
    RequestId = "request_id",
    /// The trace that the request is part of.
    TraceId = "trace_id",
    /// The server's span in it.
    SpanId = "span_id",
    /// `Referer`.
    Referer = "referer",
    /// `User-Agent`.
    UserAgent = "user_agent",
    /// The connection's number.
    Connection = "connection",
    /// The stream within the connection.
    Stream = "stream",
    /// Index of the port.
    Port = "port",
}

/// Takes the fields of a record, one after the other.
pub trait FieldVisitor {
    /// This is the value of the field with this key.
    fn field(&mut self, key: &'static str, value: FieldValue<'_>);
}

/// The value of a field.
#[derive(Debug)]
pub enum FieldValue<'a> {
    /// It does not apply.
    None,
    /// Text of ours, or of characters that mean nothing in any format: methods, ids.
    Text(&'a [u8]),
    /// Text that we make.
    Own(String),
    /// An address.
    Address(IpAddr),
    /// What a client has sent.
    Bytes(&'a [u8]),
    /// A number.
    Number(u64),
    /// Seconds.
    Time(Duration),
}

impl Field {
    /// Its value in this record; `iso` is the time.
    #[inline(always)]
    pub fn of<'a>(self, record: &'a Record, iso: &'a [u8; 24]) -> FieldValue<'a> {
        let text = |text: &'a str| FieldValue::Text(text.as_bytes());
        let bytes = |bytes: &'a Option<bytes::Bytes>| {
            bytes.as_deref().map_or(FieldValue::None, FieldValue::Bytes)
        };
        let number = |number: Option<u64>| number.map_or(FieldValue::None, FieldValue::Number);
        let time = |time: Option<Duration>| time.map_or(FieldValue::None, FieldValue::Time);
        let id = |id: Option<&[u8]>| {
            id.map_or(FieldValue::None, |id| FieldValue::Own(Hex(id).to_string()))
        };
        match self {
            Self::Time => FieldValue::Text(iso),
            Self::Client => match record.client {
                Some(client) => FieldValue::Address(client.ip().to_canonical()),
                None => text("unix:"),
            },
            Self::ClientPort => number(record.client.map(|client| client.port().into())),
            Self::Method => {
                record.method.as_ref().map_or(FieldValue::None, |method| text(method.as_str()))
            }
            Self::Path if record.path.is_empty() => FieldValue::None,
            Self::Path => FieldValue::Bytes(&record.path),
            Self::Query => bytes(&record.query),
            Self::Protocol => {
                record.version.map_or(FieldValue::None, |version| text(version.as_str()))
            }
            Self::Tls => {
                let facts = record.tls.as_ref().and_then(|tls| tls.facts());
                facts.map_or(FieldValue::None, |facts| text(facts.version))
            }
            Self::Host => bytes(&record.host),
            Self::Status => number(record.status.map(|status| status.as_u16().into())),
            Self::Outcome => text(record.outcome.name()),
            Self::Reason => {
                record.fault.map_or(FieldValue::None, |fault| FieldValue::Own(fault.to_string()))
            }
            Self::BodyBytes => FieldValue::Number(record.content),
            Self::WireBytes => FieldValue::Number(record.wire),
            Self::RequestBodyBytes => FieldValue::Number(record.request_content),
            Self::QueueTime => time(record.times.queue),
            Self::WorkerTime => time(record.times.worker),
            Self::FirstByteTime => time(record.times.first_byte),
            Self::TotalTime => FieldValue::Time(record.times.total),
            Self::Worker => number(record.worker.map(|(worker, _)| worker.into())),
            Self::Pid => number(record.worker.map(|(_, pid)| pid.into())),
            Self::RequestId => record
                .ids
                .request
                .as_ref()
                .map_or(FieldValue::None, |id| FieldValue::Text(id.as_bytes())),
            Self::TraceId => id(record.trace.as_ref().map(|trace| &trace.trace_id[..])),
            Self::SpanId => id(record.trace.as_ref().map(|trace| &trace.span_id[..])),
            Self::Referer => bytes(&record.referer),
            Self::UserAgent => bytes(&record.user_agent),
            Self::Connection => FieldValue::Number(record.connection),
            Self::Stream => FieldValue::Number(record.stream),
            Self::Port => FieldValue::Number(record.port.into()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
