//! One thread's socket of a port: what comes in, and what waits to go out.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use socket2::Socket;
use wire::limits::QUIC_SENDS;

use super::mmsg::{self, DatagramInbox, OutgoingDatagrams};
use crate::protocol::datagrams::Datagrams;

/// A UDP socket.
#[derive(Debug)]
pub struct UdpSocket {
    socket: Socket,
    local: SocketAddr,
    /// Whether the kernel cuts packets (UDP_SEGMENT).
    cuts: bool,
}

/// What a socket's turn at sending came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendProgress {
    /// Everything is on its way.
    All,
    /// The socket takes no more; the rest waits until it is writable.
    Blocked,
}

/// What waits to be sent, and how much of it has been.
#[derive(Debug, Default)]
pub struct DatagramOutbox {
    /// The packets.
    pub datagrams: Datagrams,
    sent: Position,
}

/// A place in an outbox.
#[derive(Debug, Default, Clone, Copy)]
struct Position {
    run: usize,
    /// Bytes of it.
    bytes: usize,
}

/// What was sent.
#[derive(Debug, Default, Clone, Copy)]
pub struct SendTally {
    /// Bytes.
    pub bytes: u64,
    /// Datagrams that the system refused: to QUIC they are lost.
    pub refused: u64,
}

impl UdpSocket {
    /// One of the sockets that [`bind`](super::bind::bind) has made.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        let socket = Socket::from(fd);
        let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { socket, local, cuts: true })
    }

    /// For registration with the poll.
    pub fn raw(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Receives once; 0 when nothing is there.
    pub fn receive(&self, inbox: &mut DatagramInbox) -> io::Result<usize> {
        loop {
            match inbox.receive(self.socket.as_fd()) {
                Ok(count) => return Ok(count),
                // The kernel reports what it heard of packets sent earlier (RFC 9000, 14.2.1: not
                // to be believed); the next call gives what has come.
                Err(
                    Errno::EINTR | Errno::ECONNREFUSED | Errno::EHOSTUNREACH | Errno::ENETUNREACH,
                ) => {}
                Err(Errno::EAGAIN) => return Ok(0),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The address that a packet came to.
    pub fn local(&self, to: Option<IpAddr>) -> SocketAddr {
        match to {
            Some(ip) => SocketAddr::new(ip, self.local.port()),
            None => self.local,
        }
    }

    /// Sends what waits.
    pub fn send(&mut self, out: &mut DatagramOutbox, tally: &mut SendTally) -> SendProgress {
        while !out.datagrams.is_empty() {
            let (batch, positions) = self.batch(out);
            if batch.is_empty() {
                out.clear();
                break;
            }
            match mmsg::send(self.socket.as_fd(), &batch) {
                Ok(count) => {
                    tally.bytes +=
                        batch[..count].iter().map(|one| one.bytes.len() as u64).sum::<u64>();
                    let reached = positions.get(count.saturating_sub(1)).copied();
                    out.advance(reached);
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return SendProgress::Blocked,
                Err(Errno::EIO | Errno::EINVAL)
                    if self.cuts && batch[0].segment_bytes.is_some() =>
                {
                    log::info!("the kernel does not cut UDP packets for this way out: one by one");
                    self.cuts = false;
                }
                // No memory, no route, a filter, a probe that was too large: as good as lost.
                Err(error) => {
                    log::debug!("a datagram to {} was refused: {error}", batch[0].to);
                    tally.refused += 1;
                    out.advance(positions.first().copied());
                }
            }
        }
        SendProgress::All
    }

    /// What one call may send next, and where each piece of it ends.
    fn batch<'a>(&self, out: &'a DatagramOutbox) -> (Vec<OutgoingDatagrams<'a>>, Vec<Position>) {
        let everywhere = self.local.ip().is_unspecified();
        let (mut batch, mut positions) =
            (Vec::with_capacity(QUIC_SENDS), Vec::with_capacity(QUIC_SENDS));
        let Position { run: first, bytes: mut at } = out.sent;
        for (run, (place, bytes)) in out.datagrams.runs().enumerate().skip(first) {
            let from = everywhere.then(|| place.from.ip());
            let whole = if self.cuts { bytes.len() } else { place.segment_bytes };
            for piece in bytes[at..].chunks(whole.max(1)) {
                if batch.len() == QUIC_SENDS {
                    return (batch, positions);
                }
                at += piece.len();
                let several = piece.len() > place.segment_bytes;
                let segment_bytes = several.then_some(place.segment_bytes as u16);
                batch.push(OutgoingDatagrams { bytes: piece, to: place.to, from, segment_bytes });
                positions.push(match at == bytes.len() {
                    true => Position { run: run + 1, bytes: 0 },
                    false => Position { run, bytes: at },
                });
            }
            at = 0;
        }
        (batch, positions)
    }
}

impl DatagramOutbox {
    /// Everything before this is dealt with.
    fn advance(&mut self, to: Option<Position>) {
        self.sent = to.unwrap_or(self.sent);
        if self.datagrams.runs().nth(self.sent.run).is_none() {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.datagrams.clear();
        self.sent = Position::default();
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket as Plain;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::quic::bind;

    fn bound(ip: [u8; 4]) -> UdpSocket {
        UdpSocket::new(bind::bind((ip, 0).into(), 1).unwrap().remove(0)).unwrap()
    }

    /// Sends packets of these lengths to each of two clients, and returns what they got.
    fn sent(socket: &mut UdpSocket, lens: &[usize]) -> Vec<Vec<Vec<u8>>> {
        let clients = [(); 2].map(|()| Plain::bind("127.0.0.1:0").unwrap());
        let mut out = DatagramOutbox::default();
        for client in &clients {
            for (nth, len) in lens.iter().enumerate() {
                let from = SocketAddr::from(([127, 0, 0, 1], socket.local.port()));
                out.datagrams.room().unwrap()[..*len].fill(nth as u8);
                out.datagrams.push(*len, from, client.local_addr().unwrap());
            }
        }
        let mut tally = SendTally::default();
        assert_eq!(socket.send(&mut out, &mut tally), SendProgress::All);
        assert!(out.datagrams.is_empty());
        let total = lens.iter().sum::<usize>() as u64 * 2;
        assert_eq!((tally.bytes, tally.refused), (total, 0));
        let read = |client: &Plain| {
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let read = lens.iter().map(|_| {
                let mut packet = [0; 2000];
                let (len, from) = client.recv_from(&mut packet).unwrap();
                assert_eq!(from.port(), socket.local.port());
                packet[..len].to_vec()
            });
            read.collect()
        };
        clients.iter().map(read).collect()
    }

    #[test]
    fn packets_arrive_one_by_one_whoever_cuts_them() {
        let lens: Vec<_> = (0..40).map(|nth| if nth % 11 == 10 { 300 } else { 1200 }).collect();
        let wanted: Vec<_> = lens.iter().zip(0..).map(|(len, nth)| vec![nth; *len]).collect();
        for cuts in [true, false] {
            for ip in [[127, 0, 0, 1], [0; 4]] {
                let mut socket = bound(ip);
                socket.cuts = cuts;
                assert_eq!(sent(&mut socket, &lens), [wanted.clone(), wanted.clone()]);
                assert_eq!(socket.cuts, cuts, "this kernel can");
            }
        }
    }

    #[test]
    fn a_packet_that_the_system_refuses_is_lost_alone() {
        let (mut socket, client) = (bound([127, 0, 0, 1]), Plain::bind("127.0.0.1:0").unwrap());
        let to = client.local_addr().unwrap();
        let mut out = DatagramOutbox::default();
        for (to, len) in [(to, 100), (SocketAddr::from(([255; 4], 9)), 101), (to, 102)] {
            out.datagrams.room().unwrap();
            out.datagrams.push(len, socket.local, to);
        }
        let mut tally = SendTally::default();
        assert_eq!(socket.send(&mut out, &mut tally), SendProgress::All);
        assert_eq!((tally.bytes, tally.refused), (202, 1));
        let lens = [(); 2].map(|()| client.recv(&mut [0; 2000]).unwrap());
        assert_eq!(lens, [100, 102]);
    }

    #[test]
    fn what_the_kernel_has_put_together_is_taken_apart() {
        let (mut client, server) = (bound([127, 0, 0, 1]), bound([0; 4]));
        let to = SocketAddr::from(([127, 0, 0, 1], server.local.port()));
        let mut out = DatagramOutbox::default();
        for nth in 0..10 {
            let len = if nth == 9 { 70 } else { 1200 };
            out.datagrams.room().unwrap()[..len].fill(nth);
            out.datagrams.push(len, client.local, to);
        }
        client.send(&mut out, &mut SendTally::default());
        let (mut inbox, mut packets, begin) = (DatagramInbox::new(), Vec::new(), Instant::now());
        while packets.len() < 10 && begin.elapsed() < Duration::from_secs(20) {
            server.receive(&mut inbox).unwrap();
            for (received, bytes) in inbox.received() {
                assert_eq!((received.from, server.local(received.to)), (client.local, to));
                packets.extend(bytes.chunks(received.segment_bytes).map(<[u8]>::to_vec));
            }
        }
        let wanted: Vec<_> =
            (0..10).map(|nth| vec![nth; if nth == 9 { 70 } else { 1200 }]).collect();
        assert_eq!(packets, wanted);
    }
}
