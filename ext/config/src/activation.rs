//! Sockets that a service manager has bound before it started the server (sd_listen_fds(3)).
//!
//! A port takes one by the host [`SYSTEMD`], or `SYSTEMD:NAME`. Each is taken once: one that was taken
//! is marked close-on-exec, as those are not that a service manager passes.

use std::env;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use socket2::{Domain, Socket, Type};

use crate::bind::{BindError, Bound, SocketType};

/// The host that means: a socket of the service manager's.
pub const SYSTEMD: &str = "SYSTEMD";

/// The descriptor of the first socket.
const FIRST: RawFd = 3;

/// Descriptors that are looked at: as many as a service manager passes to one service by far.
const SOCKETS_MAX: RawFd = 256;

/// The name behind `SYSTEMD:`, if the host asks for a socket of the service manager's; an empty one
/// means the next.
pub fn name(host: &str) -> Option<&str> {
    match host.strip_prefix(SYSTEMD)? {
        "" => Some(""),
        rest => rest.strip_prefix(':'),
    }
}

/// Takes the next socket that was passed to this process, of those with this name if it is one.
pub fn take(name: &str) -> Result<(Bound, String, SocketType), BindError> {
    let error = |why: &str| BindError::Activation { name: name.to_owned(), why: why.to_owned() };
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let passed = passed(env::var("LISTEN_PID").ok(), env::var("LISTEN_FDS").ok(), &names);
    if passed.is_empty() {
        return Err(error(
            "no sockets were passed to this process: start it by a systemd.socket unit, or by \
             systemd-socket-activate",
        ));
    }
    let wanted = passed.iter().filter(|(_, given)| name.is_empty() || name == *given);
    let mut any = false;
    for (fd, _) in wanted {
        any = true;
        if let Some(socket) = own(*fd) {
            return bound(Socket::from(socket)).map_err(|why| error(&why));
        }
    }
    let names: Vec<_> = passed.iter().map(|(_, name)| *name).collect();
    Err(match any {
        true => error("every socket of the kind has been taken by another port"),
        false => error(&format!("there are {} (FileDescriptorName=)", names.join(", "))),
    })
}

/// The descriptors that were passed to this process, and their names.
fn passed(pid: Option<String>, count: Option<String>, names: &str) -> Vec<(RawFd, &str)> {
    let ours = pid.and_then(|pid| pid.parse().ok()) == Some(std::process::id());
    let count = count.and_then(|count| count.parse::<RawFd>().ok()).filter(|_| ours);
    let mut names = names.split(':');
    (FIRST..FIRST + count.unwrap_or(0).clamp(0, SOCKETS_MAX))
        .map(|fd| (fd, names.next().filter(|name| !name.is_empty()).unwrap_or("unknown")))
        .collect()
}

/// Takes a descriptor, unless it was taken before.
fn own(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: asking for the flags of a descriptor harms nobody, whatever it is.
    let flags = fcntl(unsafe { BorrowedFd::borrow_raw(fd) }, FcntlArg::F_GETFD).ok()?;
    let flags = FdFlag::from_bits_retain(flags);
    if flags.contains(FdFlag::FD_CLOEXEC) {
        return None;
    }
    // SAFETY: the service manager has opened it for this process, and whoever takes one marks it: so
    // nobody else owns it.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    fcntl(&owned, FcntlArg::F_SETFD(flags | FdFlag::FD_CLOEXEC)).ok()?;
    Some(owned)
}

/// What kind of port a socket makes, and where.
fn bound(socket: Socket) -> Result<(Bound, String, SocketType), String> {
    let listens = socket.is_listener().map_err(|error| error.to_string())?;
    if !listens || socket.r#type().ok() != Some(Type::STREAM) {
        return Err(
            "the socket does not listen: ports need ListenStream= with Accept=no".to_owned()
        );
    }
    let address = socket.local_addr().map_err(|error| error.to_string())?;
    let (place, port, kind) = match (address.domain(), address.as_socket()) {
        (Domain::IPV4, Some(local)) => (local.ip().to_string(), local.port(), SocketType::Tcp),
        (Domain::IPV6, Some(local)) => (local.ip().to_string(), local.port(), SocketType::Tcp6),
        (Domain::UNIX, None) => {
            let path = address.as_pathname().map(|path| path.display().to_string());
            (path.unwrap_or_else(|| SYSTEMD.to_owned()), 0, SocketType::Unix)
        }
        _ => return Err("the socket is neither of IPv4, IPv6 nor Unix".to_owned()),
    };
    // A service manager's to remove, and to set the rights of.
    Ok((Bound { socket, port, path: None }, place, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_ask_for_a_socket() {
        assert_eq!(name("SYSTEMD"), Some(""));
        assert_eq!(name("SYSTEMD:http"), Some("http"));
        for host in ["SYSTEMDX", "systemd", "127.0.0.1", ""] {
            assert_eq!(name(host), None, "{host}");
        }
    }

    #[test]
    fn what_was_passed_to_another_process_is_not_ours() {
        let us = || Some(std::process::id().to_string());
        let two = || Some("2".to_owned());
        assert_eq!(passed(us(), two(), "http"), [(3, "http"), (4, "unknown")]);
        assert_eq!(passed(Some("1".to_owned()), two(), ""), []);
        assert_eq!(passed(None, two(), ""), []);
        for count in ["-1", "x", ""] {
            assert_eq!(passed(us(), Some(count.to_owned()), ""), [], "{count}");
        }
        assert_eq!(passed(us(), Some("2147483647".to_owned()), "").len(), SOCKETS_MAX as usize);
    }

    #[test]
    fn a_socket_says_what_port_it_makes() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let number = listener.local_addr().expect("an address").port();
        let (bound, place, kind) = bound(listener.into()).expect("a port");
        assert_eq!((bound.port, place.as_str(), kind), (number, "127.0.0.1", SocketType::Tcp));
        let (bad, _) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let said = super::bound(Socket::from(OwnedFd::from(bad))).map(|_| ()).unwrap_err();
        assert!(said.contains("ListenStream="), "{said}");
    }

    #[test]
    fn a_descriptor_is_taken_once() {
        use std::os::fd::{AsRawFd, IntoRawFd};
        let (socket, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let fd = socket.as_raw_fd();
        assert!(own(fd).is_none(), "it is close-on-exec, as ours are");
        let fd = OwnedFd::from(socket).into_raw_fd();
        // SAFETY: nobody else owns it.
        fcntl(unsafe { BorrowedFd::borrow_raw(fd) }, FcntlArg::F_SETFD(FdFlag::empty()))
            .expect("set");
        let owned = own(fd).expect("taken");
        assert!(own(owned.as_raw_fd()).is_none());
    }
}
