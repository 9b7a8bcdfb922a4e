//! The options as typed structs, with their defaults.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reactor::config::PortConfig;
use reactor::protocol::settings::HttpSettings;
use reactor::tls::Tls;
use wire::Pools;
use worker::ProcessSettings;

use super::access_log::AccessLogOptions;
use super::classic::ClassicOptions;
use super::files::StaticOptions;
use super::request_id::RequestIdOptions;
use super::tls::TlsOptions;
use super::tracing::TracingOptions;

/// What assignments write to: the server's options, and those of one port.
#[derive(Debug, Clone)]
pub struct ConfigBuilder {
    /// Options of the whole server.
    pub server: ServerOptions,
    /// Options of one port.
    pub port: PortOptions,
}

/// Options of the whole server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Options that are passed to the reactor unchanged. `start()` fills in what depends on several
    /// options, or on the machine.
    pub reactor: reactor::Config,
    /// Options that are passed to the supervisor unchanged.
    pub processes: ProcessSettings,
    /// Worker processes.
    pub worker_num: u16,
    /// Reactor threads; `None`: as many as CPUs, 8 at most. Never more than workers.
    pub reactor_num: Option<u16>,
    /// Open connections; `None`: as many as the process may have files, 100,000 at most.
    pub connections_max: Option<usize>,
    /// Whether to leave the terminal.
    pub daemonize: bool,
    /// Where to write the supervisor's process id.
    pub pid_file: Option<PathBuf>,
    /// User that the children become.
    pub user: Option<String>,
    /// Group that the children become.
    pub group: Option<String>,
    /// Root directory of the children.
    pub chroot: Option<PathBuf>,
    /// Where the log goes; `None`: standard error.
    pub log_file: Option<PathBuf>,
    /// The access log.
    pub access_log: AccessLogOptions,
    /// The ids of requests.
    pub request_id: RequestIdOptions,
    /// Traces.
    pub tracing: TracingOptions,
    /// The least level that is logged, as a `Ferrite\LOG_` number.
    pub log_level: u8,
    /// Whether log lines are JSON objects.
    pub log_json: bool,
    /// File that gets the statistics.
    pub stats_file: Option<PathBuf>,
    /// Time between two writes of it.
    pub stats_interval: Duration,
    /// Where administrators are answered.
    pub admin_listen: Option<String>,
    /// What they have to know.
    pub admin_token: Option<String>,
    /// Whether to print the banner; `None`: as the INI entry says.
    pub banner: Option<bool>,
    /// Whether settings that a request has changed are put back after it.
    pub reset_state: bool,
    /// Settings of PHP's in the server's processes, by their names.
    pub php_ini: Vec<(String, String)>,
    /// The script that workers run from their start to their end.
    pub worker_script: Option<PathBuf>,
    /// Whether it finds FrankenPHP's names.
    pub frankenphp_alias: bool,
    /// What `PHP_SAPI` is in workers that are a web SAPI.
    pub sapi_name: String,
    /// Whether reactor threads and workers stay on one CPU each.
    pub cpu_affinity: bool,
    /// CPUs that are not used for it.
    pub cpu_affinity_ignore: Vec<usize>,
}

/// Options of one port.
#[derive(Debug, Clone)]
pub struct PortOptions {
    /// Options that are passed to the reactor unchanged. `start()` fills in what depends on several
    /// options.
    pub reactor: PortConfig,
    /// Bounds and habits of HTTP.
    pub http: HttpSettings,
    /// Whether handlers read all bodies while they arrive.
    pub body_stream: bool,
    /// Connections that wait for their accept.
    pub backlog: i32,
    /// Who may connect to a Unix socket.
    pub unix_socket: SocketAccess,
    /// SO_KEEPALIVE and its three times.
    pub tcp_keepalive: TcpKeepalive,
    /// TCP_USER_TIMEOUT; zero: the kernel's default.
    pub tcp_user_timeout: Duration,
    /// Whether `Request::$cookie` is filled.
    pub parse_cookie: bool,
    /// Whether `Request::$post` is filled.
    pub parse_post: bool,
    /// Whether `Request::$files` is filled.
    pub parse_files: bool,
    /// Files that are sent without a worker.
    pub files: StaticOptions,
    /// PHP files that are run.
    pub classic: ClassicOptions,
    /// Whether and how far content of requests is decoded.
    pub decompression: DecompressionOptions,
    /// Whether and how content of responses is compressed.
    pub compression: CompressionOptions,
    /// TLS, if the port speaks it.
    pub tls: TlsOptions,
    /// How long clients remember that HTTP/3 is spoken; zero: they are not told.
    pub alt_svc_max_age: Duration,
}

/// Permissions, owner and group of a Unix socket; what is `None` stays as the bind has made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocketAccess {
    /// Permissions, at most 0777.
    pub mode: Option<u32>,
    /// The owner's name.
    pub owner: Option<String>,
    /// The group's name.
    pub group: Option<String>,
}

/// Whether and how far content of requests is decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecompressionOptions {
    /// Whether it is.
    pub on: bool,
    /// Its bytes afterwards; 0: as many as may come.
    pub bytes_max: u64,
}

/// Whether and how content of responses is compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressionOptions {
    /// Whether it is.
    pub on: bool,
    /// From 1 to 9; 0: each coding's own.
    pub level: u8,
    /// Bytes of content from which on it is.
    pub bytes_min: u64,
    /// The media types that are, in lower case.
    pub types: Vec<String>,
}

impl Default for CompressionOptions {
    fn default() -> Self {
        let types = COMPRESSED_TYPES.split(", ").map(str::to_owned).collect();
        Self { on: false, level: 0, bytes_min: COMPRESSION_BYTES_MIN, types }
    }
}

/// What is compressed before `set()` says otherwise. Events are not: each is small.
pub const COMPRESSED_TYPES: &str = "text/html, text/plain, text/css, text/javascript, text/xml, text/csv, \
                                    text/markdown, text/calendar, application/javascript, \
                                    application/json, application/ld+json, application/manifest+json, \
                                    application/problem+json, application/xml, application/xhtml+xml, \
                                    application/rss+xml, application/atom+xml, application/wasm, \
                                    image/svg+xml";

/// Content that is smaller fits into one packet beside the head as it is.
pub const COMPRESSION_BYTES_MIN: u64 = 1024;

/// TCP keep-alive probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpKeepalive {
    /// Whether there are any.
    pub on: bool,
    /// Idle seconds before the first.
    pub idle: Duration,
    /// Seconds between two.
    pub interval: Duration,
    /// Unanswered ones before the connection is given up.
    pub count: u32,
}

impl ServerOptions {
    /// How often the threads of the reactor turn at least, for the watchdog's sake.
    pub fn turn_interval_max(&self) -> Option<Duration> {
        let time = self.processes.reactor_watchdog_time;
        (!time.is_zero()).then(|| time / wire::limits::WATCHDOG_LOOKS)
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            reactor: reactor::Config::default(),
            processes: ProcessSettings::default(),
            worker_num: cpus(),
            reactor_num: None,
            connections_max: None,
            daemonize: false,
            pid_file: None,
            user: None,
            group: None,
            chroot: None,
            log_file: None,
            access_log: AccessLogOptions::default(),
            request_id: RequestIdOptions::default(),
            tracing: TracingOptions::default(),
            log_level: 2,
            log_json: false,
            stats_file: None,
            stats_interval: Duration::from_secs(1),
            admin_listen: None,
            admin_token: None,
            banner: None,
            reset_state: false,
            php_ini: Vec::new(),
            sapi_name: "ferrite".to_owned(),
            worker_script: None,
            frankenphp_alias: false,
            cpu_affinity: false,
            cpu_affinity_ignore: Vec::new(),
        }
    }
}

impl Default for PortOptions {
    fn default() -> Self {
        Self {
            reactor: PortConfig::default(),
            http: HttpSettings::default(),
            body_stream: false,
            backlog: BACKLOG_DEFAULT,
            unix_socket: SocketAccess::default(),
            tcp_keepalive: TcpKeepalive {
                on: false,
                idle: Duration::from_secs(3600),
                interval: Duration::from_secs(60),
                count: 5,
            },
            tcp_user_timeout: Duration::ZERO,
            parse_cookie: true,
            parse_post: true,
            parse_files: true,
            files: StaticOptions::default(),
            classic: ClassicOptions::default(),
            decompression: DecompressionOptions::default(),
            compression: CompressionOptions::default(),
            tls: TlsOptions::default(),
            alt_svc_max_age: Duration::from_secs(86_400),
        }
    }
}

/// Connections that wait for their accept, before `set()` says otherwise.
pub const BACKLOG_DEFAULT: i32 = 4096;

/// Connections that the default of `max_connection` allows, whatever the limit on open files.
const CONNECTIONS_MAX: u64 = 100_000;

/// Reactor threads that the default of `reactor_num` allows, however many CPUs there are.
const REACTOR_THREADS_DEFAULT_MAX: u16 = 8;

/// Files that are open beside those that are counted: listeners, logs, the script's own.
const OTHER_FILES: u64 = 128;

impl ServerOptions {
    /// The pools of workers: the one that answers requests.
    pub fn pools(&self) -> Pools {
        Pools::of_requests(self.worker_num)
    }

    /// The number of reactor threads.
    pub fn reactor_threads(&self) -> u16 {
        let wanted = self.reactor_num.unwrap_or_else(|| cpus().min(REACTOR_THREADS_DEFAULT_MAX));
        wanted.min(self.worker_num).max(1)
    }

    /// Open files without which the processes cannot be: one control socket per worker in the
    /// supervisor, one link per worker and thread in the reactor.
    pub fn files_min(&self) -> u64 {
        let (workers, threads) = (u64::from(self.worker_num), u64::from(self.reactor_threads()));
        (workers * threads).max(workers + 2 * threads) + OTHER_FILES
    }

    /// Open files of the supervisor at worst: all workers twice, as in a reload, and both ends of all
    /// their links, not yet taken by those to whom they go.
    pub fn supervisor_files(&self) -> u64 {
        let (workers, threads) = (u64::from(self.worker_num), u64::from(self.reactor_threads()));
        2 * workers * (1 + threads) + OTHER_FILES
    }

    /// The number of connections, when a process may have `files` open. Listeners and spooled bodies
    /// need some beside the links (twice as many in a reload, and by each a descriptor that has just
    /// come), so a quarter is kept back (at most 1,024).
    pub fn connections(&self, files: u64) -> usize {
        let links = 4 * u64::from(self.worker_num) * u64::from(self.reactor_threads());
        let room = files.saturating_sub((files / 4).min(1024).max(links + OTHER_FILES));
        let wanted = self.connections_max.map_or(CONNECTIONS_MAX, |max| max as u64);
        wanted.min(room).max(1) as usize
    }
}

impl PortOptions {
    /// The value of `Alt-Svc` for HTTP/3 on this UDP port (RFC 7838, 3).
    fn alt_svc(&self, port: u16) -> Option<Bytes> {
        let age = self.alt_svc_max_age.as_secs();
        (age > 0).then(|| format!("h3=\":{port}\"; ma={age}").into())
    }

    /// The reactor's configuration of this port. `http3` is the UDP port on which it speaks HTTP/3.
    pub fn reactor_config(
        &self,
        tls: Option<Arc<Tls>>,
        http3: Option<u16>,
        notify_open: bool,
        notify_close: bool,
    ) -> PortConfig {
        let mut http = self.http.clone();
        http.alt_svc = http3.and_then(|port| self.alt_svc(port));
        if self.body_stream {
            http.streamed = vec![Bytes::new()];
        }
        http.http2.stall_timeout = self.reactor.send_timeout;
        http.http3.stall_timeout = self.reactor.send_timeout;
        PortConfig { http: Arc::new(http), notify_open, notify_close, tls, ..self.reactor.clone() }
    }
}

/// CPUs that this process may use.
fn cpus() -> u16 {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    cpus.min(wire::limits::WORKERS_MAX) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactor_threads_never_outnumber_workers() {
        let options =
            ServerOptions { worker_num: 2, reactor_num: Some(16), ..ServerOptions::default() };
        assert_eq!(options.reactor_threads(), 2);
    }

    #[test]
    fn connections_leave_room_for_other_files() {
        let options = ServerOptions { worker_num: 1, ..ServerOptions::default() };
        assert_eq!(options.connections(1024), 768);
        assert_eq!(options.connections(1 << 20), 100_000);
        let many = ServerOptions { worker_num: 400, reactor_num: Some(2), ..options };
        assert_eq!(many.connections(8192), 8192 - 3200 - 128);
        assert_eq!(many.connections(100), 1);
        assert_eq!((many.files_min(), many.supervisor_files()), (928, 2528));
    }
}
