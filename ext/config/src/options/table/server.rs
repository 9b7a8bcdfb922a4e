//! Options of the whole server.

use std::path::PathBuf;
use std::time::Duration;

use wire::limits::{REACTOR_THREADS_MAX, WORKERS_MAX};

use super::Spec;
use crate::options::option_type::OptionType::{
    Bytes, Count, Cpus, Ini, Seconds, Switch, Text, Word,
};

/// Options of the whole server.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::server(
        "worker_num",
        Count { min: 1, max: WORKERS_MAX as i64, set: |d, v| d.server.worker_num = v as u16 },
        "number of CPUs",
        "Worker processes: how many requests PHP handles at the same time.",
    ),
    Spec::server(
        "reactor_num",
        Count {
            min: 1,
            max: REACTOR_THREADS_MAX as i64,
            set: |d, v| d.server.reactor_num = Some(v as u16),
        },
        "number of CPUs, at most 8",
        "Threads of the reactor process. More than `worker_num` are not started.",
    ),
    Spec::server(
        "open_cpu_affinity",
        Switch(|d, v| d.server.cpu_affinity = v),
        "false",
        "Whether each reactor thread and each worker stays on one CPU, in turn, of those that the \
         process may run on. Programs that handlers start stay there too.",
    ),
    Spec::server(
        "cpu_affinity_ignore",
        Cpus(|d, v| d.server.cpu_affinity_ignore = v.to_vec()),
        "[]",
        "CPUs that `open_cpu_affinity` keeps free, for a network card's interrupts or other programs.",
    ),
    Spec::server(
        "php_ini",
        Ini(|d, v| d.server.php_ini = v.to_vec()),
        "[]",
        "Settings of PHP's in the server's processes, by their names, as `['upload_max_filesize' => '64M']`: \
         for what php.ini has otherwise for the command line than a web server wants. `ini_set()` may \
         change them. What only the start of PHP can set (`opcache.enable_cli`) is refused.",
    ),
    Spec::server(
        "max_request",
        Count {
            min: 0,
            max: u32::MAX as i64,
            set: |d, v| d.server.processes.max_request = v as u32,
        },
        "0 (never)",
        "Requests after which a worker is replaced. Up to a tenth is added by chance, so that \
         workers are not replaced all at once.",
    ),
    Spec::server(
        "max_wait_time",
        Seconds { min: 0.0, max: 86_400.0, set: |d, v| d.server.processes.max_wait_time = v },
        "3",
        "How long requests in flight may take after a stop or a reload began; then they are cut \
         off.",
    ),
    Spec::server(
        "worker_start_timeout",
        Seconds {
            min: 0.001,
            max: 86_400.0,
            set: |d, v| d.server.processes.worker_start_timeout = v,
        },
        "60",
        "How long a worker may take to start, its `WorkerStart` callback included; then it is killed \
         and started again. The server ends when that happens five times in a row and nobody serves; \
         a reload is given up the first time.",
    ),
    Spec::server(
        "reactor_watchdog_time",
        Seconds {
            min: 0.0,
            max: 86_400.0,
            set: |d, v| d.server.processes.reactor_watchdog_time = v,
        },
        "10",
        "How long a thread of the reactor may do nothing at all, not even look for what there is to \
         do, until the reactor is killed and started again; 0: for ever. Its clients' connections end \
         by that, the workers stay.",
    ),
    Spec::server(
        "max_connection",
        Count { min: 1, max: 10_000_000, set: |d, v| d.server.connections_max = Some(v as usize) },
        "what the limit on open files allows, at most 100000",
        "Open client connections. One more is closed at once. Never more than the hard limit on \
         open files (`ulimit -Hn`) allows.",
    )
    .alias(&["max_conn"]),
    Spec::server(
        "max_connection_per_address",
        Count {
            min: 0,
            max: 10_000_000,
            set: |d, v| d.server.reactor.address_connections_max = v as u32,
        },
        "0 (any number)",
        "Open connections of one client address, an IPv6 network of 64 bits counting as one. One more is \
         closed at once (over QUIC: not answered) and counted as `address_refused_count`. Connections of \
         `trusted_proxies` are not counted, except by the address that the PROXY protocol tells: let \
         the proxy limit its clients. Connections by a Unix socket have no address.",
    ),
    Spec::server(
        "max_pending_connection_per_address",
        Count {
            min: 0,
            max: 10_000_000,
            set: |d, v| d.server.reactor.address_pending_max = v as u32,
        },
        "0 (any number)",
        "Of those, connections that have not sent the head of a first request completely: handshakes, \
         slow heads, and idle ones. Keep it above what a browser opens ahead (about 6 over HTTP/1.1), \
         times the clients behind one address.",
    ),
    Spec::server(
        "request_queue_len_max",
        Count { min: 0, max: 1_000_000, set: |d, v| d.server.reactor.queue_len_max = v as usize },
        "1024",
        "Requests that may wait for a worker. Past it a request is answered with 503 and \
         Retry-After at once.",
    ),
    Spec::server(
        "request_queue_timeout",
        Seconds { min: 0.001, max: 86_400.0, set: |d, v| d.server.reactor.queue_age_max = v },
        "10",
        "How long a request may wait for a worker; then it is answered with 503 and Retry-After.",
    ),
    Spec::server(
        "max_detached",
        Count { min: 0, max: 10_000_000, set: |d, v| d.server.reactor.detached_max = v as usize },
        "10000",
        "Responses that handlers have detached and nobody has taken over, at a time. Past it `detach()` \
         throws, and the handler answers by itself.",
    ),
    Spec::server(
        "detach_timeout",
        Seconds { min: 0.001, max: 86_400.0, set: |d, v| d.server.reactor.detach_timeout = v },
        "60",
        "How long a detached response may wait for who takes it over; then its client gets 504, or sees \
         it break off if something has been sent.",
    ),
    Spec::server(
        "daemonize",
        Switch(|d, v| d.server.daemonize = v),
        "false",
        "Whether `start()` leaves the terminal and goes on in the background. Output that is not \
         logged is lost then; use it with `log_file`.",
    ),
    Spec::server(
        "pid_file",
        Text(|d, v| d.server.pid_file = path(v)),
        "'' (none)",
        "File for the supervisor's process id; written at start, removed at the end.",
    ),
    Spec::server(
        "user",
        Text(|d, v| d.server.user = text(v)),
        "'' (unchanged)",
        "User that the reactor and the workers become. Only root may change it.",
    ),
    Spec::server(
        "group",
        Text(|d, v| d.server.group = text(v)),
        "'' (the user's)",
        "Group that the reactor and the workers become. Only root may change it.",
    ),
    Spec::server(
        "chroot",
        Text(|d, v| d.server.chroot = path(v)),
        "'' (none)",
        "Directory that becomes the root directory of the reactor and the workers. Only root may \
         do so.",
    ),
    Spec::server(
        "log_file",
        Text(|d, v| d.server.log_file = path(v)),
        "'' (standard error)",
        "File that log lines are appended to, one write per line. SIGHUP opens it anew.",
    ),
    Spec::server(
        "log_level",
        Count { min: 0, max: 6, set: |d, v| d.server.log_level = v as u8 },
        "Ferrite\\LOG_INFO",
        "The least level that is logged: a `Ferrite\\LOG_` constant; `LOG_NONE` (6) logs nothing.",
    ),
    Spec::server(
        "log_format",
        Word { words: &["text", "json"], set: |d, v| d.server.log_json = v == "json" },
        "'text'",
        "How log lines are written: 'text' for people, 'json' for programs: one object for each, with \
         the name of its event and its fields, as [logging.md](logging.md) lists them.",
    ),
    Spec::server(
        "stats_file",
        Text(|d, v| d.server.stats_file = path(v)),
        "'' (none)",
        "File that gets what `stats()` shows, and the state of every process, as JSON: written whole \
         each `stats_timer_interval`, removed at the end. [logging.md](logging.md) says what is in \
         it.",
    ),
    Spec::server(
        "stats_timer_interval",
        Count {
            min: 10,
            max: 86_400_000,
            set: |d, v| d.server.stats_interval = Duration::from_millis(v as u64),
        },
        "1000",
        "Milliseconds between two writes of `stats_file`.",
    ),
    Spec::server(
        "admin_listen",
        Text(|d, v| d.server.admin_listen = text(v)),
        "'' (none)",
        "Where the server answers its administrators, and `ferrite ctl`: metrics, health, state, control. \
         The path of a Unix socket, which only the user who starts the server may use, or an address of \
         loopback with a port ('127.0.0.1:9502', '[::1]:9502'). Any other address wants `admin_token`. \
         [operating.md](operating.md) tells what is there.",
    ),
    Spec::server(
        "admin_token",
        Text(|d, v| d.server.admin_token = text(v)),
        "'' (none)",
        "What clients of `admin_listen` have to know when it is a port: at least 16 bytes, as \
         `Authorization: Bearer`, or as the password of any user (Basic). It travels in cleartext: beyond \
         this machine put a proxy with TLS in front.",
    )
    .secret(),
    Spec::server(
        "banner",
        Switch(|d, v| d.server.banner = Some(v)),
        "the INI entry ferrite.banner",
        "Whether the supervisor prints addresses, versions and processes on standard output when \
         everything is up.",
    ),
    Spec::server(
        "reset_state",
        Switch(|d, v| d.server.reset_state = v),
        "false",
        "Whether INI entries, the current folder, umask, time zone and the handlers of errors and \
         exceptions are put back after each request, as they were when the worker was ready; \
         [state.md](state.md) tells what else a request leaves behind.",
    ),
    Spec::server(
        "upload_tmp_dir",
        Text(|d, v| {
            if let Some(path) = path(v) {
                d.server.reactor.spool_dir = path;
            }
        }),
        "the system's temporary folder",
        "Where uploaded files and request bodies above `body_memory_bytes_max` are put; with `chroot`, \
         a path in there as well. Uploads lie in a folder of their worker's in it, which is removed \
         when the worker dies.",
    ),
    Spec::server(
        "response_spool_memory_bytes_max",
        Bytes {
            min: 0,
            max: 1 << 40,
            set: |d, v| d.server.reactor.response_spool.memory_bytes_max = v,
        },
        "64M",
        "Content of all responses together that is kept in memory for clients that have not taken it; \
         what is beyond goes to disk. Past both bounds workers wait for their clients. Beside it a \
         connection may have 4 KiB, and what frames were made of: over HTTP/2 at most 64 KiB of a response and \
         64 KiB of the connection, over HTTP/3 what the client has not acknowledged.",
    ),
    Spec::server(
        "response_spool_disk_bytes_max",
        Bytes {
            min: 0,
            max: 1 << 50,
            set: |d, v| d.server.reactor.response_spool.disk_bytes_max = v,
        },
        "1G",
        "As `response_spool_memory_bytes_max`, in an unlinked temporary file per reactor thread in \
         `upload_tmp_dir`. The space is free again when clients have taken it or are gone.",
    ),
    Spec::server(
        "body_spool_files_max",
        Count { min: 1, max: 10_000_000, set: |d, v| d.server.reactor.spool_files_max = v as u64 },
        "10000",
        "Request bodies above `body_memory_bytes_max` that are in files at a time. Past it a request is \
         answered with 503 and Retry-After. Never more than two thirds of what `max_connection` leaves of the \
         limit on open files (`ulimit -Hn`).",
    ),
    Spec::server(
        "body_spool_bytes_max",
        Bytes { min: 0, max: u64::MAX >> 1, set: |d, v| d.server.reactor.spool_bytes_max = v },
        "16G",
        "Bytes of those files together. Past it a request is answered with 503 and Retry-After.",
    ),
];

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn path(value: &str) -> Option<PathBuf> {
    (!value.is_empty()).then(|| PathBuf::from(value))
}
