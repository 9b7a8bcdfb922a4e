//! QUIC (RFC 9000): what lies between a UDP socket and HTTP/3.
//!
//! ```text
//!  UdpSocket ──▶ Endpoint ──▶ QuicClient ──▶ Http3          protocol::h3
//!  (one per       (routes      (one per       (packets to parts,
//!   thread and     packet       client)        parts to packets)
//!   port)
//!      ▲                            │
//!      └────────── Outbox ◀─────────┘
//! ```
//!
//! [`bind::bind`] makes the sockets of a port, one per thread, before the reactor is forked. The
//! kernel gives each packet to the thread that its connection id names ([`steering`]); a packet that
//! comes to a wrong one all the same is handed over. What belongs to no connection is a client's first
//! packet, or is answered without keeping anything: version negotiation, Retry, stateless reset
//! ([`tokens`]). All keys come from one secret, which is older than the reactor.

pub mod bind;
mod cids;
pub(crate) mod client;
pub(crate) mod context;
pub(crate) mod endpoint;
#[allow(unsafe_code)]
pub(crate) mod mmsg;
mod rate_limiter;
mod steering;
mod tokens;
pub(crate) mod udp;
