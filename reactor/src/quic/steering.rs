//! Has the kernel give each packet to the thread that its connection id names.
//!
//! A classic BPF program, attached to the group of sockets that share a port (SO_REUSEPORT), returns
//! the index of the socket: the first byte of the destination id modulo the number of sockets. Where
//! the kernel takes no program, it spreads packets by their addresses, and what comes to a wrong
//! thread is handed over ([`Mail::Datagram`](crate::mailbox::Mail::Datagram)): slower, and as right.

use std::os::fd::AsFd;

use nix::libc::{self, sock_filter, sock_fprog};
use nix::sys::socket::{setsockopt, sockopt};

/// Where the destination id begins in a packet with a long header (RFC 9000, 17.2), behind the first
/// byte, the version and the id's length; and in one with a short header (17.3).
const LONG_AT: u32 = 6;
const SHORT_AT: u32 = 1;
/// The bit that tells them apart.
const LONG: u32 = 0x80;

/// Attaches the program to the group that the socket belongs to.
pub fn attach(socket: &impl AsFd, sockets: u16) -> nix::Result<()> {
    let mut program = program(sockets);
    let program = sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    setsockopt(socket, sockopt::AttachReusePortCbpf, &program)
}

fn program(sockets: u16) -> [sock_filter; 7] {
    let op = |code: u32, k: u32| sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let load = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
    let jump = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
    [
        op(load, 0),
        // Long: the next instruction; short: the one behind the jump.
        sock_filter { code: jump as u16, jt: 0, jf: 2, k: LONG },
        op(load, LONG_AT),
        op(libc::BPF_JMP | libc::BPF_JA, 1),
        op(load, SHORT_AT),
        op(libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K, u32::from(sockets.max(1))),
        op(libc::BPF_RET | libc::BPF_A, 0),
    ]
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use crate::quic::{bind, cids};

    #[test]
    fn the_kernel_gives_a_packet_to_the_thread_that_it_names() {
        const SOCKETS: u16 = 3;
        let sockets = bind::bind(([127, 0, 0, 1], 0).into(), SOCKETS).unwrap();
        let sockets: Vec<_> = sockets.into_iter().map(UdpSocket::from).collect();
        for socket in &sockets {
            socket.set_nonblocking(false).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        }
        let address = sockets[0].local_addr().unwrap();
        for nth in 0..12 {
            let (client, thread) = (UdpSocket::bind("127.0.0.1:0").unwrap(), nth % SOCKETS);
            let cid = cids::choose(thread, SOCKETS);
            let mut packet = match nth % 2 {
                0 => vec![0x40],
                _ => vec![0xc0, 0, 0, 0, 1, cid.len() as u8],
            };
            packet.extend_from_slice(&cid);
            client.send_to(&packet, address).unwrap();
            let mut received = [0; 100];
            let len = sockets[usize::from(thread)].recv(&mut received).unwrap();
            assert_eq!(received[..len], packet);
        }
    }
}
