//! Binding: from a host, a port number and a socket type to a listening socket.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, fchmod};
use socket2::{Domain, SockAddr, Socket, TcpKeepalive, Type};

use crate::options::config::{BACKLOG_DEFAULT, PortOptions};

/// The kind of a listening socket: the value of a `SOCK_` constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketType {
    /// `SOCK_TCP`: IPv4.
    Tcp,
    /// `SOCK_TCP6`: IPv6, and IPv4 as well when the host is `::`.
    Tcp6,
    /// `SOCK_UNIX_STREAM`: a path.
    Unix,
}

impl SocketType {
    /// The value of `SOCK_TCP`.
    pub const TCP: i64 = 1;
    /// The value of `SOCK_UDP`, which is refused.
    pub const UDP: i64 = 2;
    /// The value of `SOCK_TCP6`.
    pub const TCP6: i64 = 3;
    /// The value of `SOCK_UDP6`, which is refused.
    pub const UDP6: i64 = 4;
    /// The value of `SOCK_UNIX_STREAM`.
    pub const UNIX_STREAM: i64 = 5;
    /// The value of `SOCK_UNIX_DGRAM`, which is refused.
    pub const UNIX_DGRAM: i64 = 6;
    /// The flag `SSL`.
    pub const SSL: i64 = 1 << 9;

    /// The type with this value, and whether the flag `SSL` is set.
    pub fn from_value(value: i64) -> Result<(Self, bool), BindError> {
        let tls = value & Self::SSL != 0;
        let kind = match value & !Self::SSL {
            Self::TCP => Ok(Self::Tcp),
            Self::TCP6 => Ok(Self::Tcp6),
            Self::UNIX_STREAM => Ok(Self::Unix),
            Self::UDP | Self::UDP6 | Self::UNIX_DGRAM => Err(BindError::Datagram),
            _ => Err(BindError::Type(value)),
        };
        Ok((kind?, tls))
    }

    /// The value of its constant.
    pub fn value(self) -> i64 {
        match self {
            Self::Tcp => Self::TCP,
            Self::Tcp6 => Self::TCP6,
            Self::Unix => Self::UNIX_STREAM,
        }
    }
}

/// A bound and listening socket.
#[derive(Debug)]
pub struct Bound {
    /// The socket; blocking, as it was made.
    pub socket: Socket,
    /// The port: the real one when 0 was asked for; 0 on a Unix socket.
    pub port: u16,
    /// The path of a Unix socket that was made here, and is to be removed.
    pub path: Option<PathBuf>,
}

/// Why a port could not be bound: what, where and what to do.
#[derive(Debug)]
pub enum BindError {
    /// A datagram socket was asked for.
    Datagram,
    /// No socket type has this value.
    Type(i64),
    /// The port number is none.
    Port(i64),
    /// The host is not an address of the family.
    Host {
        /// As given.
        host: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// The path does not fit into a socket address.
    PathLength(String),
    /// A server answers on the path.
    PathInUse(String),
    /// The path exists and is no socket.
    PathTaken(String),
    /// HTTP/3 cannot have its UDP port.
    Datagrams {
        /// The address.
        place: String,
        /// How.
        error: io::Error,
    },
    /// The service manager has no socket for the port.
    Activation {
        /// The name that was asked for; empty for any.
        name: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A system call failed.
    System {
        /// The address or path.
        place: String,
        /// How.
        error: io::Error,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Datagram => f.write_str("Datagram sockets are not supported"),
            Self::Type(value) => write!(
                f,
                "Unknown socket type {value}: use SOCK_TCP, SOCK_TCP6 or SOCK_UNIX_STREAM"
            ),
            Self::Port(port) => write!(f, "Port {port} is not between 0 and 65535"),
            Self::Host { host, wanted } => write!(f, "Host '{host}' is not {wanted}"),
            Self::PathLength(path) => write!(
                f,
                "Cannot listen on {path}: the path of a Unix socket has 1 to {PATH_BYTES_MAX} bytes"
            ),
            Self::PathInUse(path) => {
                write!(f, "Cannot listen on {path}: another server answers there")
            }
            Self::PathTaken(path) => {
                write!(f, "Cannot listen on {path}: a file that is no socket is in the way")
            }
            Self::Datagrams { place, error } => write!(
                f,
                "Cannot listen on UDP {place} for HTTP/3: {} (open_http3_protocol turns HTTP/3 off)",
                explain(error)
            ),
            Self::Activation { name, why } if name.is_empty() => {
                write!(f, "Cannot listen on a socket of systemd: {why}")
            }
            Self::Activation { name, why } => {
                write!(f, "Cannot listen on the socket '{name}' of systemd: {why}")
            }
            Self::System { place, error } => {
                write!(f, "Cannot listen on {place}: {}", explain(error))
            }
        }
    }
}

impl std::error::Error for BindError {}

/// Bytes of a socket path: `sun_path` without its terminating NUL (unix(7)).
const PATH_BYTES_MAX: usize = 107;

/// Binds and listens. `host` is an address or `localhost`, or the path of a Unix socket.
pub fn bind(host: &str, port: i64, kind: SocketType) -> Result<Bound, BindError> {
    if kind == SocketType::Unix {
        return bind_path(host, None);
    }
    let port = u16::try_from(port).map_err(|_| BindError::Port(port))?;
    let address = SocketAddr::new(address(host, kind)?, port);
    let system = |error| BindError::System { place: address.to_string(), error };
    let socket = match port {
        0 => listen_anywhere(address, is_free_over_udp),
        _ => listen_tcp(address),
    };
    let socket = socket.map_err(system)?;
    let local = socket.local_addr().map_err(system)?;
    let port = local.as_socket().map_or(port, |local| local.port());
    Ok(Bound { socket, port, path: None })
}

/// Binds the UDP sockets of HTTP/3, one per reactor thread, to the address that this socket listens
/// on. A Unix socket has none.
pub fn bind_datagrams(beside: Option<&Socket>, threads: u16) -> Result<Vec<OwnedFd>, BindError> {
    let address = beside.and_then(|socket| socket.local_addr().ok()?.as_socket());
    let Some(address) = address else { return Ok(Vec::new()) };
    reactor::quic::bind::bind(address, threads)
        .map_err(|error| BindError::Datagrams { place: address.to_string(), error })
}

/// Applies what `set()` said of the port to its socket.
pub fn configure(socket: &Socket, kind: SocketType, options: &PortOptions) -> io::Result<()> {
    if options.backlog != BACKLOG_DEFAULT {
        // listen(2) on a listening socket only changes its backlog.
        socket.listen(options.backlog)?;
    }
    if kind != SocketType::Unix {
        // Accepted sockets inherit all of these from the listening one.
        let keepalive = &options.tcp_keepalive;
        if keepalive.on {
            let probes = TcpKeepalive::new()
                .with_time(keepalive.idle)
                .with_interval(keepalive.interval)
                .with_retries(keepalive.count);
            socket.set_tcp_keepalive(&probes)?;
        }
        if !options.tcp_user_timeout.is_zero() {
            socket.set_tcp_user_timeout(Some(options.tcp_user_timeout))?;
        }
    }
    Ok(())
}

fn address(host: &str, kind: SocketType) -> Result<IpAddr, BindError> {
    let wanted = match kind {
        SocketType::Tcp6 => "an IPv6 address",
        _ => "an IPv4 address",
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match (bare.parse(), kind) {
        (Ok(address @ IpAddr::V4(_)), SocketType::Tcp) => Ok(address),
        (Ok(address @ IpAddr::V6(_)), SocketType::Tcp6) => Ok(address),
        (Err(_), SocketType::Tcp) if host == "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        (Err(_), SocketType::Tcp6) if host == "localhost" => Ok(Ipv6Addr::LOCALHOST.into()),
        _ => Err(BindError::Host { host: host.to_owned(), wanted }),
    }
}

fn listen_tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        let both = address.ip().is_unspecified();
        socket.set_only_v6(!both)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG_DEFAULT)?;
    Ok(socket)
}

/// Numbers that are tried when any will do.
const TRIES: usize = 32;

/// Listens on a free port whose number is free over UDP too: HTTP/3 may need it at the start, and UDP
/// clients of other programs have ports from the same range.
fn listen_anywhere(address: SocketAddr, is_free: fn(&Socket) -> bool) -> io::Result<Socket> {
    // Held until the end, so that another number comes next.
    let mut taken = Vec::new();
    loop {
        let socket = listen_tcp(address)?;
        if taken.len() == TRIES || is_free(&socket) {
            return Ok(socket);
        }
        taken.push(socket);
    }
}

/// Whether the UDP port of the same number is free.
fn is_free_over_udp(socket: &Socket) -> bool {
    let address = socket.local_addr().ok().and_then(|address| address.as_socket());
    address.is_some_and(|address| UdpSocket::bind(address).is_ok())
}

/// Binds a Unix socket that nobody but this user may connect to, from its first moment on.
pub fn bind_private(path: &str) -> Result<Bound, BindError> {
    bind_path(path, Some(Mode::S_IRUSR | Mode::S_IWUSR))
}

fn bind_path(path: &str, mode: Option<Mode>) -> Result<Bound, BindError> {
    if path.is_empty() || path.len() > PATH_BYTES_MAX || path.contains('\0') {
        return Err(BindError::PathLength(path.escape_default().to_string()));
    }
    clear_path(path)?;
    let system = |error| BindError::System { place: path.to_owned(), error };
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(system)?;
    let address = SockAddr::unix(path).map_err(system)?;
    if let Some(mode) = mode {
        // The file that the bind makes has the mode of the socket (unix(7)), less the umask.
        fchmod(&socket, mode).map_err(|error| system(error.into()))?;
    }
    socket.bind(&address).map_err(system)?;
    socket.listen(BACKLOG_DEFAULT).map_err(system)?;
    // Absolute, so that it can be removed wherever the process is by then.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    Ok(Bound { socket, port: 0, path: Some(path) })
}

/// Removes a socket file that a server left behind; refuses when one still answers on it.
fn clear_path(path: &str) -> Result<(), BindError> {
    let Ok(metadata) = Path::new(path).symlink_metadata() else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(BindError::PathTaken(path.to_owned()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
                .map_err(|error| BindError::System { place: path.to_owned(), error })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(BindError::System { place: path.to_owned(), error })
        }
        // Whatever else it says, somebody is there (a full backlog, for one).
        Ok(_) | Err(_) => Err(BindError::PathInUse(path.to_owned())),
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use by another process".to_owned(),
        io::ErrorKind::AddrNotAvailable => "no interface has this address".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "permission denied (ports below 1024 need root or CAP_NET_BIND_SERVICE)".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(host: &str, port: i64, kind: SocketType) -> String {
        bind(host, port, kind).expect_err("refused").to_string()
    }

    #[test]
    fn port_0_is_a_free_port() {
        let bound = bind("127.0.0.1", 0, SocketType::Tcp).expect("bound");
        assert_ne!(bound.port, 0);
        let again = message("127.0.0.1", i64::from(bound.port), SocketType::Tcp);
        assert!(again.ends_with("in use by another process"), "{again}");
    }

    #[test]
    fn port_0_is_free_over_udp_too() {
        use std::sync::Mutex;
        static SEEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
        let number = |socket: &Socket| socket.local_addr().unwrap().as_socket().unwrap().port();
        let third = |socket: &Socket| {
            let mut seen = SEEN.lock().unwrap();
            seen.push(socket.local_addr().unwrap().as_socket().unwrap().port());
            seen.len() == 3
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let socket = listen_anywhere(address, third).expect("bound");
        let seen = SEEN.lock().unwrap();
        assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2], "{seen:?}");
        assert_eq!(number(&socket), seen[2]);
        let _other = UdpSocket::bind((Ipv4Addr::LOCALHOST, number(&socket)));
        assert!(!is_free_over_udp(&socket));
        // With every number taken, one that is good for TCP at least.
        assert!(listen_anywhere(address, |_| false).is_ok());
    }

    #[test]
    fn bad_places_are_named() {
        assert_eq!(
            message("example.org", 80, SocketType::Tcp),
            "Host 'example.org' is not an IPv4 address"
        );
        assert_eq!(
            message("127.0.0.1", 0, SocketType::Tcp6),
            "Host '127.0.0.1' is not an IPv6 address"
        );
        assert_eq!(
            message("127.0.0.1", 70_000, SocketType::Tcp),
            "Port 70000 is not between 0 and 65535"
        );
        let long = "/tmp/".to_owned() + &"x".repeat(200);
        assert!(message(&long, 0, SocketType::Unix).contains("1 to 107 bytes"));
        assert!(message("192.0.2.1", 0, SocketType::Tcp).contains("no interface"));
    }

    #[test]
    fn a_stale_socket_file_is_removed_and_a_live_one_is_not() {
        let path = std::env::temp_dir().join(format!("ferrite-bind-{}.sock", std::process::id()));
        let path = path.to_str().expect("a path in UTF-8");
        let first = bind(path, 0, SocketType::Unix).expect("bound");
        assert!(message(path, 0, SocketType::Unix).contains("another server answers"));
        drop(first);
        let second = bind(path, 0, SocketType::Unix).expect("bound again");
        drop(second);
        std::fs::remove_file(path).expect("removed");
        std::fs::write(path, "").expect("written");
        assert!(message(path, 0, SocketType::Unix).contains("no socket"));
        std::fs::remove_file(path).expect("removed");
    }
}
