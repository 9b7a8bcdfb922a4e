//! [`Datagrams`]: packets on their way to a socket.

use std::net::SocketAddr;
use std::ops::Range;

use wire::limits::{
    QUIC_DATAGRAM_BYTES_MAX, QUIC_SEGMENTS_BYTES_MAX, QUIC_SEGMENTS_MAX, QUIC_SEND_BYTES_MAX,
};

use super::StreamId;
use super::ended::Ended;

/// Packets, one behind the other in one buffer that is reused for all connections of a thread.
#[derive(Debug, Default)]
pub struct Datagrams {
    buffer: Vec<u8>,
    filled: usize,
    runs: Vec<PacketRun>,
    /// How many content bytes of which stream were taken or dropped since the last look: the worker
    /// may send as many more. Looked at for each connection, so all are of the latest one.
    pub released: Vec<(StreamId, u64)>,
    /// Requests whose response was taken to its end, or never will be, since the last look.
    pub ended: Vec<Ended>,
}

/// Packets that one system call can send: all of one size but the last, which may be shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketRun {
    /// Our address.
    pub from: SocketAddr,
    /// The client's address.
    pub to: SocketAddr,
    /// Bytes of each packet.
    pub segment_bytes: usize,
    /// Where the packets are.
    range: Range<usize>,
    /// A packet was shorter than the others.
    ended: bool,
}

impl Datagrams {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Room for one packet; `None` when the buffer is full.
    pub fn room(&mut self) -> Option<&mut [u8]> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; QUIC_SEND_BYTES_MAX];
        }
        self.buffer.get_mut(self.filled..self.filled + QUIC_DATAGRAM_BYTES_MAX)
    }

    /// A packet of so many bytes was written to [`room`](Self::room).
    pub fn push(&mut self, len: usize, from: SocketAddr, to: SocketAddr) {
        let end = (self.filled + len).min(self.buffer.len());
        match self.runs.last_mut() {
            Some(run) if run.takes(len, from, to) => {
                run.range.end = end;
                run.ended = len < run.segment_bytes;
            }
            _ => {
                let range = self.filled..end;
                self.runs.push(PacketRun { from, to, segment_bytes: len, range, ended: false });
            }
        }
        self.filled = end;
    }

    /// The packets, run by run, in order.
    pub fn runs(&self) -> impl Iterator<Item = (&PacketRun, &[u8])> {
        self.runs.iter().map(|run| (run, &self.buffer[run.range.clone()]))
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Forgets everything; the buffer stays.
    pub fn clear(&mut self) {
        self.filled = 0;
        self.runs.clear();
    }
}

impl PacketRun {
    /// How many packets these are.
    pub fn segments(&self) -> usize {
        self.range.len().div_ceil(self.segment_bytes.max(1))
    }

    fn takes(&self, len: usize, from: SocketAddr, to: SocketAddr) -> bool {
        !self.ended
            && len <= self.segment_bytes
            && (self.from, self.to) == (from, to)
            && self.range.len() + len <= QUIC_SEGMENTS_BYTES_MAX
            && self.segments() < QUIC_SEGMENTS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// Fills packets of these lengths; the runs that come of it, as packet lengths.
    fn runs(packets: &[(usize, u16)]) -> Vec<Vec<usize>> {
        let mut out = Datagrams::new();
        for (nth, (len, to)) in packets.iter().enumerate() {
            out.room().unwrap()[..*len].fill(nth as u8);
            out.push(*len, address(1), address(*to));
        }
        let mut nth = 0;
        let runs = out.runs().map(|(run, bytes)| {
            let packets: Vec<_> = bytes.chunks(run.segment_bytes).collect();
            assert_eq!(packets.len(), run.segments());
            for packet in &packets {
                assert!(packet.iter().all(|byte| *byte == nth as u8), "packet {nth} is intact");
                nth += 1;
            }
            packets.iter().map(|packet| packet.len()).collect()
        });
        runs.collect()
    }

    #[test]
    fn a_run_is_what_one_call_can_send() {
        assert_eq!(runs(&[(1200, 2), (1200, 2), (40, 2)]), [vec![1200, 1200, 40]]);
        // Nothing follows a shorter packet, and no longer one follows.
        assert_eq!(
            runs(&[(40, 2), (1200, 2), (40, 2), (40, 2)]),
            [vec![40], vec![1200, 40], vec![40]]
        );
        // Another path is another call.
        assert_eq!(runs(&[(40, 2), (40, 3), (40, 2)]), [[40], [40], [40]]);
    }

    #[test]
    fn runs_and_the_buffer_are_bounded() {
        let small = runs(&[(30, 2); QUIC_SEGMENTS_MAX + 1]);
        assert_eq!(small.iter().map(Vec::len).collect::<Vec<_>>(), [QUIC_SEGMENTS_MAX, 1]);
        let large = runs(&[(QUIC_DATAGRAM_BYTES_MAX, 2); 60]);
        assert_eq!(large.iter().map(Vec::len).sum::<usize>(), 60);
        assert!(
            large.iter().all(|run| run.len() * QUIC_DATAGRAM_BYTES_MAX <= QUIC_SEGMENTS_BYTES_MAX)
        );
        let mut out = Datagrams::new();
        let mut packets = 0;
        while out.room().is_some() {
            out.push(QUIC_DATAGRAM_BYTES_MAX, address(1), address(2));
            packets += 1;
        }
        assert_eq!(packets, QUIC_SEND_BYTES_MAX / QUIC_DATAGRAM_BYTES_MAX);
        out.clear();
        assert!(out.is_empty() && out.room().is_some());
    }
}
