//! Bounds of QUIC and HTTP/3.

use std::time::Duration;

/// Bytes of packets that are made in one go: two calls' worth, and streams of other connections get
/// their turn soon.
pub const QUIC_SEND_BYTES_MAX: usize = 128 << 10;
/// Bytes of one UDP datagram that is sent, which path MTU discovery may find: what an Ethernet frame
/// of 1500 bytes has room for behind the heads of IPv6 and UDP. Browsers close a connection on which
/// more arrives (they say so in `max_udp_payload_size`, which `quiche` does not look at).
pub const QUIC_DATAGRAM_BYTES_MAX: usize = 1452;
/// Bytes that every path takes (RFC 9000, 14). Larger packets are tried once one of this size was full:
/// who is sent less gains nothing by them.
pub const QUIC_DATAGRAM_BYTES_MIN: usize = 1200;
/// Datagrams that the kernel cuts from one buffer (`UDP_MAX_SEGMENTS` was 64 for long).
pub const QUIC_SEGMENTS_MAX: usize = 64;
/// Bytes of such a buffer: what fits one IP packet, which is what it is until it is cut.
pub const QUIC_SEGMENTS_BYTES_MAX: usize = 65_000;
/// Bytes of one part of a request's content on HTTP/3. What lies in more packets is read in one go.
pub const QUIC_READ_BYTES_MAX: usize = 64 << 10;
/// Content that is copied behind its frame's header: two buffers cost more than the copy.
pub const QUIC_COPY_BYTES_MAX: usize = 1 << 10;
/// Content that a response which shares its urgency with others (RFC 9218, 4.2) gives at a time.
pub const QUIC_TURN_BYTES: usize = 16 << 10;
/// How long a client may go on opening streams after the first GOAWAY (RFC 9114, 5.2): those that
/// crossed it on the way are served.
pub const QUIC_GOAWAY_TIME: Duration = Duration::from_millis(500);
/// How often a client whose requests are in work is asked for a sign of life, at least. Browsers and
/// routers forget a silent connection after half a minute.
pub const QUIC_PING_INTERVAL_MAX: Duration = Duration::from_secs(10);
/// And at most: what a client says of its patience must not make work.
pub const QUIC_PING_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// How long a response that broke off waits for the client to have read what was before that.
pub const QUIC_BREAK_TIME_MAX: Duration = Duration::from_millis(100);
/// How long a stream that is to be reset waits for the client to stop sending its request, as it was
/// asked to. And how long one that was answered is kept once the client has stopped: its last
/// acknowledgement comes within that time, whatever was lost.
pub const QUIC_LINGER_TIME: Duration = Duration::from_secs(10);
/// Bytes of the client's datagrams that serve no request, in one go: resets, pings, priorities, what
/// arrives twice. As much as a few thousand small packets.
pub const QUIC_IDLE_BYTES_MAX: u64 = 1 << 20;
/// How many more of them each second allows.
pub const QUIC_BYTES_PER_SECOND_EARNED: u64 = 64 << 10;
/// How many more each response that was sent to its end allows, besides the request's head.
pub const QUIC_BYTES_PER_RESPONSE_EARNED: u64 = 4 << 10;
/// Bytes sent that allow one more: acknowledgements come for every few packets.
pub const QUIC_BYTES_SENT_PER_BYTE_EARNED: u64 = 4;
/// What a datagram costs besides its bytes, as work is counted here.
pub const QUIC_DATAGRAM_BYTES: u64 = 100;
/// What a request costs that the client has given up: a thousand of them in one go are too many.
pub const QUIC_BYTES_PER_RESET: u64 = 1 << 10;
/// Bytes of a frame on a client's control stream (RFC 9114, 7.2): numbers, in SETTINGS a dozen of them,
/// in PRIORITY_UPDATE a short text besides.
pub const QUIC_CONTROL_FRAME_BYTES_MAX: u64 = 1 << 10;
/// Times that a thread receives from a UDP socket by one system call.
pub const QUIC_RECEIVES: usize = 16;
/// Bytes of each: what the kernel puts together of one client's packets at most.
pub const QUIC_RECEIVE_BYTES: usize = 64 << 10;
/// Such calls in one turn of the event loop before others have theirs.
pub const QUIC_RECEIVES_PER_TURN_MAX: usize = 8;
/// Times that a thread sends to a UDP socket by one system call.
pub const QUIC_SENDS: usize = 32;
/// Room in the kernel for what comes to a UDP socket while its thread is at work elsewhere: 20 ms at
/// 1 Gbit/s. The kernel may give less.
pub const QUIC_SOCKET_BYTES: usize = 4 << 20;
/// Ids of one connection that are in use at a time (RFC 9000, 5.1.1), and addresses that a client may
/// come from in the life of a connection: a phone changes its own now and then.
pub const QUIC_CIDS_MAX: u64 = 8;
/// Streams of a client's own in one direction: control, QPACK's two, and some to come.
pub const QUIC_UNIDIRECTIONAL_STREAMS_MAX: u64 = 16;
/// Bytes of such a stream that may be under way.
pub const QUIC_UNIDIRECTIONAL_BYTES: u64 = 16 << 10;
/// Handshakes that one thread has open before it asks new clients to prove their address first
/// (Retry): each costs memory and a signature, and addresses can be forged.
pub const QUIC_HANDSHAKES_MAX: usize = 256;
/// How long a client may take to come back with the token of a Retry.
pub const QUIC_RETRY_AGE_MAX: Duration = Duration::from_secs(15);
/// Packets per second that a thread answers without a connection (version negotiation, stateless
/// reset), whatever comes in: nobody is to make it send more.
pub const QUIC_ANSWERS_PER_SECOND_MAX: u32 = 1_000;
/// Datagrams that wait in a thread's mailbox because they came to another thread: as many as the
/// socket's own buffer has room for.
pub const QUIC_HANDED_OVER_MAX: usize = 2_048;
