//! Clients over real sockets, by TLS or QUIC.

use std::io::ErrorKind;
use std::net::{TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use boring::ssl::{ErrorCode, SslConnector, SslMethod, SslStream, SslVerifyMode};
use bytes::BytesMut;
use h2::client::ResponseFuture;
use reactor::protocol::StreamId;
use wire::Version;

use super::common::client::{self, Reply, Request};
use super::common::h2::Client;
use super::common::h3;
use super::played;

/// Longer than anything may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long nobody looks at a socket that had nothing.
pub const PAUSE: Duration = Duration::from_micros(100);

/// A client: its connection, and what it speaks on it.
pub enum Peer {
    Stream(Box<StreamPeer>),
    Datagrams(Box<DatagramPeer>),
}

/// What a request is answered by.
pub enum Asked {
    /// The next response of the connection.
    Http1,
    Http2(ResponseFuture),
    Http3(StreamId),
}

impl Peer {
    pub fn connect(server: &played::Server, version: Version) -> Self {
        match version {
            Version::Http3 => Self::Datagrams(Box::new(DatagramPeer::connect(server))),
            _ => Self::Stream(Box::new(StreamPeer::connect(server, version))),
        }
    }

    /// Sends a request, or as much as the server lets through.
    pub fn ask(&mut self, request: &Request) -> Asked {
        match self {
            Self::Stream(peer) => peer.ask(request),
            Self::Datagrams(peer) => peer.ask(request),
        }
    }

    /// Reads the response to a request.
    pub fn reply(&mut self, asked: Asked, head_only: bool) -> Reply {
        match (self, asked) {
            (Self::Stream(peer), Asked::Http1) => peer.reply_of_http1(head_only),
            (Self::Stream(peer), Asked::Http2(response)) => peer.reply(response),
            (Self::Datagrams(peer), Asked::Http3(stream)) => peer.reply(stream),
            _ => panic!("another client's"),
        }
    }

    /// Waits for the head of a response and so many bytes of its content: what breaks off a stream of QUIC
    /// overtakes what was sent on it (RFC 9000, 19.4).
    pub fn receive(&mut self, asked: &Asked, sent: Option<usize>) {
        if let (Self::Datagrams(peer), Asked::Http3(stream), Some(sent)) = (self, asked, sent) {
            peer.until("what was sent", |client| {
                let reply = client.replies.get(stream);
                reply.is_some_and(|reply| reply.status != 0 && reply.body.len() >= sent)
            });
        }
    }

    /// Lets the client read and write.
    pub fn turn(&mut self) {
        match self {
            Self::Stream(peer) => peer.turn(),
            Self::Datagrams(peer) => peer.turn(),
        }
    }

    /// Whether the connection goes on.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Stream(peer) => peer.ended.is_none(),
            Self::Datagrams(peer) => {
                !peer.client.quic.is_draining() && !peer.client.quic.is_closed()
            }
        }
    }
}

/// A client over UDP.
pub struct DatagramPeer {
    client: h3::Client,
    socket: UdpSocket,
}

impl DatagramPeer {
    fn connect(server: &played::Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server.address()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let client = h3::Client::new(&mut h3::client_config());
        let mut peer = Self { client, socket };
        peer.until("a handshake", |client| client.h3.is_some());
        peer
    }

    fn ask(&mut self, request: &Request) -> Asked {
        let Self { client, socket } = self;
        let stream = client.ask(request, &mut |client| carry(client, socket));
        self.turn();
        Asked::Http3(stream)
    }

    fn reply(&mut self, stream: StreamId) -> Reply {
        self.until("a response", |client| {
            let complete = client.replies.get(&stream).is_some_and(|reply| reply.complete);
            complete || client.resets.contains_key(&stream)
        });
        let reply = self.client.replies.remove(&stream).unwrap_or_default();
        assert!(reply.complete != self.client.resets.contains_key(&stream), "{reply:?}");
        reply
    }

    fn until(&mut self, what: &str, so: impl Fn(&h3::Client) -> bool) {
        let begin = Instant::now();
        while !so(&self.client) {
            assert!(begin.elapsed() < PATIENCE, "waited in vain for {what}");
            self.turn();
        }
    }

    fn turn(&mut self) {
        carry(&mut self.client, &self.socket);
    }
}

/// Moves what there is to move; waits for a moment when nothing comes.
fn carry(client: &mut h3::Client, socket: &UdpSocket) {
    client.turn();
    for packet in client.packets() {
        // What finds no room is lost, as on any network.
        let _ = socket.send(&packet);
    }
    let mut packet = [0; 1500];
    let mut none = true;
    loop {
        match socket.recv(&mut packet) {
            Ok(len) => client.receive(&mut packet[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
        none = false;
    }
    if client.quic.timeout() == Some(Duration::ZERO) {
        client.quic.on_timeout();
    }
    client.turn();
    if none {
        thread::sleep(PAUSE);
    }
}

/// A client over TCP.
pub struct StreamPeer {
    stream: SslStream<TcpStream>,
    /// Read, and not understood yet; of HTTP/1.
    unread: Vec<u8>,
    http2: Option<Client>,
    ended: Option<Ended>,
}

/// How the connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// With close_notify (RFC 8446, 6.1).
    InOrder,
    /// Without: what came before may be cut off.
    Cut,
}

impl StreamPeer {
    fn connect(server: &played::Server, version: Version) -> Self {
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let http2 = version == Version::Http2;
        connector.set_alpn_protos(if http2 { b"\x02h2" } else { b"\x08http/1.1" }).unwrap();
        let stream = connector.build().connect("localhost", server.connect()).unwrap();
        assert_eq!(stream.ssl().selected_alpn_protocol() == Some(b"h2"), http2);
        stream.get_ref().set_nonblocking(true).unwrap();
        let http2 = http2.then(|| Client::new(&h2::client::Builder::new()));
        Self { stream, unread: Vec::new(), http2, ended: None }
    }

    /// Sends a request, or as much as the server lets through.
    fn ask(&mut self, request: &Request) -> Asked {
        let Some(mut http2) = self.http2.take() else {
            self.write(&client::encode(request));
            return Asked::Http1;
        };
        let response = http2.request(request, "https", &mut |http2| self.carry(http2));
        self.http2 = Some(http2);
        Asked::Http2(response)
    }

    fn reply(&mut self, response: ResponseFuture) -> Reply {
        let mut http2 = self.http2.take().expect("HTTP/2");
        let reply = http2.reply(response, &mut |http2| self.carry(http2));
        assert!(http2.ended.is_none());
        self.http2 = Some(http2);
        reply
    }

    fn reply_of_http1(&mut self, head_only: bool) -> Reply {
        let begin = Instant::now();
        loop {
            let in_order = self.ended == Some(Ended::InOrder);
            match client::try_decode(&self.unread, head_only, in_order) {
                Some((reply, used)) if reply.complete || self.ended.is_some() => {
                    assert_eq!(used, self.unread.len(), "nothing behind the response");
                    self.unread.clear();
                    return reply;
                }
                _ => assert!(self.ended.is_none(), "no response"),
            }
            assert!(begin.elapsed() < PATIENCE, "waited in vain for a response");
            self.read();
        }
    }

    /// Lets the client read and write.
    fn turn(&mut self) {
        match self.http2.take() {
            Some(mut http2) => {
                self.carry(&mut http2);
                self.http2 = Some(http2);
            }
            None => self.read(),
        }
    }

    fn carry(&mut self, http2: &mut Client) {
        let up = http2.written();
        if !up.is_empty() {
            self.write(&up);
        }
        self.read();
        http2.io.feed(&mut BytesMut::from(&self.unread[..]));
        self.unread.clear();
        http2.drive();
    }

    /// Writes all, while the server reads or not.
    fn write(&mut self, mut bytes: &[u8]) {
        let begin = Instant::now();
        while !bytes.is_empty() {
            assert!(begin.elapsed() < PATIENCE, "the server takes nothing");
            match self.stream.ssl_write(bytes) {
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.code() == ErrorCode::WANT_WRITE => thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Reads once; waits for a moment when there is nothing.
    fn read(&mut self) {
        let mut space = [0; 16 << 10];
        match self.stream.ssl_read(&mut space) {
            Ok(len) => self.unread.extend_from_slice(&space[..len]),
            Err(error) if error.code() == ErrorCode::WANT_READ => thread::sleep(PAUSE),
            Err(error) if error.code() == ErrorCode::ZERO_RETURN => {
                self.ended = Some(Ended::InOrder);
            }
            Err(_) => self.ended = Some(Ended::Cut),
        }
    }
}
