//! What the reactor is told to do: typed, complete, parsed once.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wire::Pools;
use wire::limits::ADMIN_CONTENT_BYTES_MAX;
use wire::shm::Shared;

use crate::access_log::AccessLog;
use crate::handler::HandlerId;
pub use crate::handler::files::redirects::FileRedirects;
pub use crate::handler::routes::Routes;
pub use crate::handler::{FilesConfig, FixedResponse};
use crate::protocol::settings::{HttpSettings, Observation};
pub use crate::proxies::{ForwardedFields, ProxySettings, TrustedProxies};
pub use crate::record::Observer;
pub use crate::request_ids::{IdTrust, RequestIdSettings};
pub use crate::response_spool::SpoolLimits;
use crate::secret::Secret;
use crate::tls::Tls;
pub use crate::trace_context::TraceSettings;

/// Configuration of the reactor process.
#[derive(Debug, Clone)]
pub struct Config {
    /// Threads, 1 to [`REACTOR_THREADS_MAX`](wire::limits::REACTOR_THREADS_MAX).
    pub threads: usize,
    /// The pools of workers, of which there is at least one.
    pub pools: Pools,
    /// Open connections; one more is closed at once after its accept.
    pub connections_max: usize,
    /// Requests that wait for a worker; past it 503.
    pub queue_len_max: usize,
    /// How long a request may wait for a worker; past it 503.
    pub queue_age_max: Duration,
    /// A worker whose mean service time is below this may be given requests ahead of their turn;
    /// see [`HANDOVER_FAST`](wire::limits::HANDOVER_FAST).
    pub handover_fast: Duration,
    /// Detached responses that nobody has claimed, at a time; one more stays with its handler.
    pub detached_max: usize,
    /// How long a detached response may wait for who claims it; past it 504.
    pub detach_timeout: Duration,
    /// Directory of the unlinked temporary files that large request bodies are spooled to.
    pub spool_dir: PathBuf,
    /// How much content of responses is kept for clients that have not taken it.
    pub response_spool: SpoolLimits,
    /// How often each thread turns at least, also when there is nothing to do: so that somebody who
    /// looks can tell (see [`Shared::turns`](wire::shm::Shared::turns)). `None`: it need not.
    pub turn_interval_max: Option<Duration>,
    /// Such files at a time, all threads together; never more than the limit on open files allows.
    pub spool_files_max: u64,
    /// Their bytes together; a body past it is answered with 503.
    pub spool_bytes_max: u64,
    /// Connections of one client address; 0 for any number.
    pub address_connections_max: u32,
    /// Those of them that have not sent a whole request head yet; 0 for any number.
    pub address_pending_max: u32,
    /// What tokens of QUIC are made by; the same in each life of the reactor.
    pub quic_secret: Secret,
    /// CPUs that the threads stay on, in turn; none: wherever the kernel has them.
    pub cpus: Vec<usize>,
    /// Writes the log to another file; called when the supervisor has opened one.
    pub take_log: fn(OwnedFd),
    /// A line for each exchange.
    pub access_log: Option<AccessLog>,
    /// Who is told of each exchange: each makes its end in a thread.
    pub observers: Vec<MakeObserver>,
    /// How requests get ids; `None`: they have none.
    pub request_ids: Option<RequestIdSettings>,
    /// How requests become parts of traces; `None`: they do not.
    pub traces: Option<TraceSettings>,
    /// The collector of OpenTelemetry that spans and metrics are sent to, if there is one.
    pub otlp: Option<otlp::Settings>,
    /// Answers that the reactor gives by itself, where the routes of a port say so.
    pub fixed: Vec<FixedResponse>,
    /// Directories whose files the reactor sends by itself, where the routes of a port say so; at most
    /// 128.
    pub files: Vec<FilesConfig>,
    /// The listener for administrators, if there is one.
    pub admin: Option<AdminConfig>,
    /// One entry per listener, in the same order.
    pub ports: Vec<PortConfig>,
}

/// Makes an observer's end in the thread of this index.
#[derive(Clone)]
pub struct MakeObserver(pub Arc<dyn Fn(Shared, u16) -> Box<dyn Observer> + Send + Sync>);

impl fmt::Debug for MakeObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeObserver")
    }
}

/// The listener for administrators. Its port is one of [`Config::ports`], as [`PortConfig::admin`] makes it.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// The index of its port.
    pub port: u16,
    /// What its clients have to know; `None`: nothing. Clients of a Unix socket never have to.
    pub token: Option<Bytes>,
    /// The effective options, as a JSON text.
    pub options: Bytes,
}

impl Config {
    /// Whether the port with this index is the admin listener's.
    pub fn is_admin(&self, port: u16) -> bool {
        self.admin.as_ref().is_some_and(|admin| admin.port == port)
    }
}

impl PortConfig {
    /// The port of the admin listener: HTTP/1 alone, without content worth the name.
    pub fn admin() -> Self {
        let mut http =
            HttpSettings { body_bytes_max: ADMIN_CONTENT_BYTES_MAX, ..HttpSettings::default() };
        http.http2.enabled = false;
        http.http3.enabled = false;
        let routes = Routes { paths: Vec::new(), rest: Some(HandlerId::Admin) };
        Self { http: Arc::new(http), routes, ..Self::default() }
    }
}

/// Configuration of one listening port.
#[derive(Debug, Clone)]
pub struct PortConfig {
    /// Bounds and habits of HTTP.
    pub http: Arc<HttpSettings>,
    /// Who answers requests.
    pub routes: Routes,
    /// Whether to set TCP_NODELAY.
    pub tcp_nodelay: bool,
    /// A client that takes no byte of a response for so long is cut off.
    pub send_timeout: Duration,
    /// Response bytes that a worker may be ahead of what was taken over from it, and that stay in
    /// memory for a client that does not read; at least 64 KiB.
    pub window_bytes: u32,
    /// Bytes of one response that its client may leave while the handler goes on writing; past it the
    /// worker waits.
    pub response_spool_bytes_max: u64,
    /// Request bodies up to this size stay in memory, larger ones are spooled to a file.
    pub body_memory_bytes_max: usize,
    /// Whether a worker is told of opened connections (`Connect`).
    pub notify_open: bool,
    /// Whether a worker is told of closed connections (`Close`).
    pub notify_close: bool,
    /// Files that responses of handlers may name, to have them sent in their place.
    pub redirects: Option<Arc<FileRedirects>>,
    /// Proxies in front of it.
    pub proxies: ProxySettings,
    /// TLS; `None` for cleartext.
    pub tls: Option<Arc<Tls>>,
    /// QUIC, below HTTP/3; without effect where that is not spoken.
    pub quic: QuicSettings,
}

impl Config {
    /// Has the protocols tell what observers want to know, when there are any.
    pub(crate) fn observe(&mut self) {
        let ids = self.request_ids.is_some() || self.traces.is_some();
        let asked = self.admin.is_some() || self.otlp.is_some();
        if self.observers.is_empty() && !asked && !ids {
            return;
        }
        for port in &mut self.ports {
            Arc::make_mut(&mut port.http).observation = Observation::On;
        }
    }
}

impl Default for Config {
    /// What options leave it at. Threads, workers and ports are those of a reactor without any.
    fn default() -> Self {
        Self {
            threads: 1,
            pools: Pools::of_requests(1),
            connections_max: 100_000,
            queue_len_max: 1024,
            queue_age_max: Duration::from_secs(10),
            handover_fast: wire::limits::HANDOVER_FAST,
            detached_max: 10_000,
            detach_timeout: Duration::from_secs(60),
            spool_dir: std::env::temp_dir(),
            response_spool: SpoolLimits { memory_bytes_max: 64 << 20, disk_bytes_max: 1 << 30 },
            turn_interval_max: None,
            spool_files_max: 10_000,
            spool_bytes_max: 16 << 30,
            address_connections_max: 0,
            address_pending_max: 0,
            quic_secret: Secret::default(),
            take_log: drop,
            cpus: Vec::new(),
            access_log: None,
            observers: Vec::new(),
            request_ids: None,
            traces: None,
            otlp: None,
            fixed: Vec::new(),
            files: Vec::new(),
            admin: None,
            ports: Vec::new(),
        }
    }
}

impl Default for PortConfig {
    /// What options leave it at.
    fn default() -> Self {
        Self {
            routes: Routes::default(),
            http: Arc::default(),
            tcp_nodelay: true,
            send_timeout: Duration::from_secs(30),
            window_bytes: 1 << 20,
            response_spool_bytes_max: 64 << 20,
            body_memory_bytes_max: 256 << 10,
            notify_open: false,
            notify_close: false,
            redirects: None,
            proxies: ProxySettings::default(),
            tls: None,
            quic: QuicSettings::default(),
        }
    }
}

/// What a port's options say about QUIC.
#[derive(Debug, Clone, Default)]
pub struct QuicSettings {
    /// Whether clients have to prove that their address is theirs.
    pub retry: Retry,
    /// How fast packets are sent.
    pub congestion: Congestion,
    /// Where each connection writes what happens to it, in a file of its own (qlog); a directory.
    pub qlog_dir: Option<PathBuf>,
}

/// When clients have to prove that their address is theirs (RFC 9000, 8.1.2), which costs them a
/// round trip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Retry {
    /// When many handshakes are open.
    #[default]
    Auto,
    /// Always.
    Always,
}

/// Congestion control.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Congestion {
    /// CUBIC (RFC 9438): slows down when packets are lost.
    #[default]
    Cubic,
    /// BBR version 2: sends as fast as it has measured the way to be.
    Bbr2,
}
