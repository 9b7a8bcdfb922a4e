//! Listening sockets: accepts connections for all threads.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use socket2::{SockAddr, Socket};
use wire::head::Origin;

/// Connections accepted in one turn of the event loop before the open ones have theirs.
pub const ACCEPTS_PER_TURN_MAX: usize = 64;

/// A bound and listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    port: u16,
}

/// What one attempt to accept gave.
#[derive(Debug)]
pub enum AcceptAttempt {
    /// A connection; stream, reactor and connection number of its origin are still open.
    Connection(OwnedFd, Origin),
    /// Nobody waits.
    Nothing,
    /// The client has left already.
    Again,
    /// The process or the machine has run out of something.
    Exhausted(io::Error),
}

impl Listener {
    /// The listener of the port with this index.
    pub fn new(socket: OwnedFd, port: u16, tcp_nodelay: bool) -> io::Result<Self> {
        let socket = Socket::from(socket);
        socket.set_nonblocking(true)?;
        if socket.local_addr()?.is_ipv4() || socket.local_addr()?.is_ipv6() {
            // Accepted sockets inherit it.
            socket.set_tcp_nodelay(tcp_nodelay)?;
        }
        Ok(Self { socket, port })
    }

    /// For registration with the poll.
    pub fn raw(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Accepts one connection.
    pub fn accept(&self) -> AcceptAttempt {
        let (socket, peer) = match self.socket.accept() {
            Ok(accepted) => accepted,
            Err(error) => return Self::failed(error),
        };
        let Ok(local) = socket.local_addr() else { return AcceptAttempt::Again };
        if socket.set_nonblocking(true).is_err() {
            return AcceptAttempt::Again;
        }
        let origin = Origin {
            port: self.port,
            remote: SockAddr::as_socket(&peer),
            local: SockAddr::as_socket(&local),
            ..Origin::default()
        };
        AcceptAttempt::Connection(socket.into(), origin)
    }

    fn failed(error: io::Error) -> AcceptAttempt {
        match error.raw_os_error().map(nix::Error::from_raw) {
            Some(nix::Error::EAGAIN) => AcceptAttempt::Nothing,
            Some(
                nix::Error::EMFILE | nix::Error::ENFILE | nix::Error::ENOBUFS | nix::Error::ENOMEM,
            ) => AcceptAttempt::Exhausted(error),
            // A connection that broke before it was accepted (accept(2), "Error handling").
            _ => AcceptAttempt::Again,
        }
    }
}
