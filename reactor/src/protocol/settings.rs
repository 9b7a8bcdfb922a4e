//! What a port's options say about HTTP.

use std::time::Duration;

use bytes::Bytes;

/// Bounds and habits of the protocol machines of one port. Parsed once from the server's options.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Value of the `Server` field; `None` hides it.
    pub server: Option<Bytes>,
    /// Bytes of the request line (RFC 9112, 3); past it 414.
    pub request_line_bytes_max: usize,
    /// Bytes of all field lines together, and of all trailer lines; past it 431.
    pub header_bytes_max: usize,
    /// Number of field lines, and of trailer lines; past it 431.
    pub header_count_max: usize,
    /// Bytes of content; past it 413.
    pub body_bytes_max: u64,
    /// From the accept to the first byte; past it the connection is closed without a word.
    pub first_byte_timeout: Duration,
    /// From the first byte of a head to its last; past it 408.
    pub header_timeout: Duration,
    /// Between two arrivals of content; past it 408.
    pub body_timeout: Duration,
    /// From the end of a response to the first byte of the next request; past it the connection is
    /// closed without a word.
    pub keepalive_timeout: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            server: Some(Bytes::from_static(b"ferrite")),
            request_line_bytes_max: 8 << 10,
            header_bytes_max: 32 << 10,
            header_count_max: 100,
            body_bytes_max: 8 << 20,
            first_byte_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(75),
        }
    }
}
