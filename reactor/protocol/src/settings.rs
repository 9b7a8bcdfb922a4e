//! What a port's options say about HTTP.

use std::time::Duration;

use bytes::Bytes;

use super::pace::Pace;

/// Bounds and habits of the protocol machines of one port. Parsed once from the server's options.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Value of the `Server` field; `None` hides it.
    pub server: Option<Bytes>,
    /// Value of the `Alt-Svc` field, which tells clients of HTTP/1 and HTTP/2 where HTTP/3 is spoken;
    /// `None`: nothing to tell.
    pub alt_svc: Option<Bytes>,
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
    /// Bytes of content per second on the whole; past what that leaves 408. 0: no bound.
    pub body_rate_min: u64,
    /// Paths with these beginnings have requests whose content comes as far as their handler asks for
    /// it; the empty one is the beginning of all.
    pub streamed: Vec<Bytes>,
    /// As `body_rate_min`, of content that a handler waits for.
    pub streamed_rate_min: u64,
    /// Bytes of a response that a client has to take per second on the whole. 0: no bound.
    pub send_rate_min: u64,
    /// From the end of a response to the first byte of the next request; past it the connection is
    /// closed without a word.
    pub keepalive_timeout: Duration,
    /// Whether a client of HTTP/1 that has sent its last byte still waits for its responses, also
    /// when it did not say that it would close.
    pub half_close: bool,
    /// Whether a handler of the port may accept upgrades: clients of HTTP/2 and HTTP/3 are told that they may
    /// ask, and heads say what for. Otherwise such wishes are ignored, or refused where they must not be.
    pub upgrades: bool,
    /// Whether somebody wants to know what became of each request (see [`Ended`](super::ended::Ended)).
    pub observation: Observation,
    /// What concerns HTTP/2 alone.
    pub http2: Http2Settings,
    /// What concerns HTTP/3 alone.
    pub http3: Http3Settings,
}

/// Bytes per second that any client can send and take which still has a use for them.
const RATE_MIN: u64 = 100;

/// Bytes per second below which a client is not worth the worker that waits for it: an 8 MiB upload takes
/// eight minutes at this rate.
const STREAMED_RATE_MIN: u64 = 16 << 10;

/// Whether somebody wants to know what became of each request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Observation {
    /// Nobody: nothing is counted.
    #[default]
    Off,
    /// The end of each is told.
    On,
}

impl HttpSettings {
    /// Whether somebody wants to know what became of each request.
    pub fn is_observed(&self) -> bool {
        self.observation == Observation::On
    }

    /// Whether the content of a request to this path comes as far as its handler asks for it.
    pub fn streams(&self, path: &[u8]) -> bool {
        self.streamed.iter().any(|prefix| path.starts_with(prefix))
    }

    /// How fast content of a request has to come, also of one whose handler waits for it.
    pub fn body_pace(&self, streamed: bool) -> Pace {
        let rate_min = if streamed { self.streamed_rate_min } else { self.body_rate_min };
        Pace { timeout: self.body_timeout, rate_min }
    }

    /// How fast a response has to be taken by a client that may take nothing for so long.
    pub fn send_pace(&self, timeout: Duration) -> Pace {
        Pace { timeout, rate_min: self.send_rate_min }
    }
}

/// What a port's options say about HTTP/2.
#[derive(Debug, Clone)]
pub struct Http2Settings {
    /// Whether the port speaks HTTP/2 at all.
    pub enabled: bool,
    /// Requests that a client may have open at a time (RFC 9113, 5.1.2).
    pub streams_max: u32,
    /// Bytes of one request's content that may be under way (RFC 9113, 6.9.2).
    pub window_bytes: u32,
    /// Payload of a frame that the client may send (RFC 9113, 6.5.2): 2^14 to 2^24 - 1.
    pub frame_bytes_max: u32,
    /// Bytes of the table that compresses the client's fields (RFC 7541, 4.2).
    pub table_bytes_max: u32,
    /// Bytes of all field lines, by the count of RFC 9113, 10.5.1; past it 431. `None`: what the
    /// bounds for all versions come to.
    pub header_list_bytes_max: Option<u32>,
    /// Number of field lines; past it 431. `None`: as for all versions.
    pub header_count_max: Option<usize>,
    /// A client that keeps the window of a response shut for so long gets no more of it.
    pub stall_timeout: Duration,
}

impl Default for Http2Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            streams_max: 128,
            window_bytes: 65_535,
            frame_bytes_max: 16 << 10,
            table_bytes_max: 4096,
            header_list_bytes_max: None,
            header_count_max: None,
            stall_timeout: Duration::from_secs(30),
        }
    }
}

/// What a port's options say about HTTP/3. What is QUIC's goes into the endpoint's
/// `quiche::Config`; what is HTTP's is held to by [`Http3`](super::h3::Http3).
#[derive(Debug, Clone)]
pub struct Http3Settings {
    /// Whether the port speaks HTTP/3 at all.
    pub enabled: bool,
    /// Requests that a client may have open at a time (RFC 9000, 4.6).
    pub streams_max: u64,
    /// Bytes of one request's content that may be under way (RFC 9000, 4.1).
    pub window_bytes: u64,
    /// Bytes of all requests' content together that may be under way; at least one request's.
    pub connection_window_bytes: u64,
    /// Whether a request may come before the handshake is done (RFC 8470).
    pub early_data: bool,
    /// A client that keeps the window of a response shut for so long gets no more of it.
    pub stall_timeout: Duration,
}

impl Default for Http3Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            streams_max: 128,
            window_bytes: 256 << 10,
            connection_window_bytes: 1 << 20,
            early_data: false,
            stall_timeout: Duration::from_secs(30),
        }
    }
}

impl Http3Settings {
    /// Bytes of all requests' content together that may be under way.
    pub fn connection_window_bytes(&self) -> u64 {
        self.connection_window_bytes.max(self.window_bytes)
    }
}

impl HttpSettings {
    /// The bound on a field section that clients of HTTP/2 and HTTP/3 are told (RFC 9113, 6.5.2;
    /// RFC 9114, 4.2.2), with the 32 bytes that each line counts for more than its text.
    pub fn field_section_bytes_max(&self) -> u32 {
        let text = self.request_line_bytes_max.saturating_add(self.header_bytes_max);
        let lines = self.field_lines_max().saturating_add(4).saturating_mul(32);
        let all = u32::try_from(text.saturating_add(lines)).unwrap_or(u32::MAX);
        self.http2.header_list_bytes_max.unwrap_or(all)
    }

    /// The number of field lines on HTTP/2 and HTTP/3.
    pub fn field_lines_max(&self) -> usize {
        self.http2.header_count_max.unwrap_or(self.header_count_max)
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            server: Some(Bytes::from_static(b"ferrite")),
            alt_svc: None,
            request_line_bytes_max: 8 << 10,
            header_bytes_max: 32 << 10,
            header_count_max: 100,
            body_bytes_max: 8 << 20,
            first_byte_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            body_rate_min: RATE_MIN,
            streamed: Vec::new(),
            streamed_rate_min: STREAMED_RATE_MIN,
            send_rate_min: RATE_MIN,
            keepalive_timeout: Duration::from_secs(75),
            half_close: false,
            upgrades: false,
            observation: Observation::Off,
            http2: Http2Settings::default(),
            http3: Http3Settings::default(),
        }
    }
}
