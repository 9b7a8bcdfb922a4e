//! Binds the sockets of a port, one per thread.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Socket, Type};
use wire::limits::QUIC_SOCKET_BYTES;

use super::{mmsg, steering};

/// Binds so many UDP sockets to one address, in the order of the threads that will read them. It is
/// an error if anybody else has the port, also if they would share it.
pub fn bind(address: SocketAddr, sockets: u16) -> io::Result<Vec<OwnedFd>> {
    let first = socket(address)?;
    // Without SO_REUSEPORT, which would let another server of this user have the port as well.
    first.bind(&address.into())?;
    first.set_reuse_port(true)?;
    let address = first.local_addr()?.as_socket().unwrap_or(address);
    let mut all = vec![first];
    for _ in 1..sockets {
        let next = socket(address)?;
        next.set_reuse_port(true)?;
        next.bind(&address.into())?;
        all.push(next);
    }
    if sockets > 1
        && let Err(error) = steering::attach(&all[0], sockets)
    {
        log::info!("the kernel does not steer QUIC packets ({error}): threads hand them over");
    }
    Ok(all.into_iter().map(OwnedFd::from).collect())
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    let everywhere = address.ip().is_unspecified();
    if address.is_ipv6() {
        socket.set_only_v6(!everywhere)?;
    }
    if everywhere {
        // Answers must leave from the address that a packet came to.
        let (level, option) = match address.is_ipv6() {
            true => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
            false => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        };
        mmsg::set_option(socket.as_fd(), level, option, 1)?;
    }
    make_room(&socket);
    let fd = socket.as_fd();
    // QUIC packets are never fragmented (RFC 9000, 14); their size is found out by trying.
    if address.is_ipv6() {
        let probe = libc::IPV6_PMTUDISC_PROBE;
        mmsg::set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, probe)?;
    }
    if address.is_ipv4() || everywhere {
        let probe = libc::IP_PMTUDISC_PROBE;
        mmsg::set_option(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, probe)?;
    }
    // A kernel that cannot do it gives packets one by one.
    let _ = mmsg::set_option(fd, libc::SOL_UDP, libc::UDP_GRO, 1);
    Ok(socket)
}

/// Without room for what comes in one turn of the event loop, packets are lost.
fn make_room(socket: &Socket) {
    // Beyond net.core.rmem_max only for root; otherwise the kernel gives what it may.
    if setsockopt(socket, sockopt::RcvBufForce, &QUIC_SOCKET_BYTES).is_err() {
        let _ = socket.set_recv_buffer_size(QUIC_SOCKET_BYTES);
    }
    if setsockopt(socket, sockopt::SndBufForce, &QUIC_SOCKET_BYTES).is_err() {
        let _ = socket.set_send_buffer_size(QUIC_SOCKET_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_ones_own() {
        let sockets = bind(([127, 0, 0, 1], 0).into(), 1).unwrap();
        let first = Socket::from(sockets.into_iter().next().unwrap());
        let address = first.local_addr().unwrap().as_socket().unwrap();
        let error = bind(address, 2).expect_err("somebody has it");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert_eq!(bind(address, 3).unwrap().len(), 3);
    }
}
