//! One client's socket.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;

use mio::net::UdpSocket;
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

/// What the kernel hands over at once, joined by GRO.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that one system call receives.
const PIECES: usize = 8;
/// Room for what the server sends before this one thread gets to read it.
const SOCKET_BUFFER_BYTES: usize = 8 << 20;

/// A socket, and who is at its other end.
pub struct UdpEndpoint {
    pub socket: UdpSocket,
    pub local: SocketAddr,
    pub peer: SocketAddr,
    state: UdpSocketState,
}

/// Where packets are received; one for all sockets.
pub struct PacketInbox {
    storage: Vec<u8>,
    metas: [RecvMeta; PIECES],
}

impl PacketInbox {
    pub fn new() -> Self {
        Self { storage: vec![0; PIECE_BYTES * PIECES], metas: [RecvMeta::default(); PIECES] }
    }
}

impl UdpEndpoint {
    /// A socket with a port of its own, at the address that leads to the peer.
    pub fn new(peer: SocketAddr) -> io::Result<Self> {
        let probe = std::net::UdpSocket::bind(if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
        probe.connect(peer)?;
        let socket = std::net::UdpSocket::bind(SocketAddr::new(probe.local_addr()?.ip(), 0))?;
        socket.set_nonblocking(true)?;
        let state = UdpSocketState::new((&socket).into())?;
        // The kernel gives as much of it as its limits allow.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(SOCKET_BUFFER_BYTES);
        let local = socket.local_addr()?;
        Ok(Self { socket: UdpSocket::from_std(socket), local, peer, state })
    }

    /// Gives each packet that is there to `take`; how many there were.
    pub fn receive(
        &self,
        inbox: &mut PacketInbox,
        mut take: impl FnMut(&mut [u8]),
    ) -> io::Result<u64> {
        let mut count = 0;
        loop {
            let mut pieces = inbox.storage.chunks_exact_mut(PIECE_BYTES);
            let mut slices: [IoSliceMut<'_>; PIECES] =
                std::array::from_fn(|_| IoSliceMut::new(pieces.next().unwrap_or_default()));
            match self.state.recv((&self.socket).into(), &mut slices, &mut inbox.metas) {
                Ok(filled) => {
                    for (slice, meta) in slices.iter_mut().zip(&inbox.metas).take(filled) {
                        for packet in slice[..meta.len].chunks_mut(meta.stride.max(1)) {
                            take(packet);
                            count += 1;
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                // Nobody listens there, or not yet: QUIC's own timers decide.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How many packets of one size may be sent at once.
    pub fn segments_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends packets of `segment` bytes each, the last of which may be shorter.
    pub fn send(&self, contents: &[u8], segment: usize) -> io::Result<()> {
        let transmit = Transmit {
            destination: self.peer,
            ecn: None,
            contents,
            segment_size: (contents.len() > segment).then_some(segment),
            src_ip: None,
        };
        match self.state.try_send((&self.socket).into(), &transmit) {
            // A full socket is a full wire: the packets are lost, and sent again.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            done => done,
        }
    }
}
