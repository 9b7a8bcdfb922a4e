//! A client of HTTP/3 over real sockets, made of `quiche`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use boring::ssl::{SslContextBuilder, SslMethod};
use quiche::h3::{Header, NameValue};
use quiche::{ConnectionId, RecvInfo};

/// Longer than anything may take, short enough that a hanging test ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server has answered on a stream.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub finished: bool,
    pub reset: Option<u64>,
}

pub struct Client {
    pub quic: quiche::Connection,
    pub http: Option<quiche::h3::Connection>,
    pub answers: BTreeMap<u64, Answer>,
    /// The first is the one that the connection began with.
    pub sockets: Vec<UdpSocket>,
    /// Whether the server has said that it is about to leave.
    pub goaway: bool,
    /// Bytes and first bytes of what came.
    pub received: Vec<(usize, u8)>,
    server: SocketAddr,
}

/// What a client asks for unless a test says otherwise.
pub fn config() -> quiche::Config {
    config_over(SslContextBuilder::new(SslMethod::tls()).unwrap())
}

/// The same with more said about TLS.
pub fn config_over(tls: SslContextBuilder) -> quiche::Config {
    let version = quiche::PROTOCOL_VERSION;
    let mut config = quiche::Config::with_boring_ssl_ctx_builder(version, tls).unwrap();
    config.set_application_protos(quiche::h3::APPLICATION_PROTOCOL).unwrap();
    config.verify_peer(false);
    config.set_max_idle_timeout(30_000);
    config.set_initial_max_data(10 << 20);
    config.set_initial_max_stream_data_bidi_local(1 << 20);
    config.set_initial_max_stream_data_bidi_remote(1 << 20);
    config.set_initial_max_stream_data_uni(1 << 20);
    config.set_initial_max_streams_bidi(100);
    config.set_initial_max_streams_uni(100);
    config.set_active_connection_id_limit(8);
    config
}

impl Client {
    /// A client that has not said anything.
    pub fn new(server: SocketAddr, config: &mut quiche::Config, name: &str) -> Self {
        let socket = bind();
        let local = socket.local_addr().unwrap();
        let mut cid = [0; 16];
        boring::rand::rand_bytes(&mut cid).unwrap();
        let cid = ConnectionId::from_ref(&cid);
        let quic = quiche::connect(Some(name), &cid, local, server, config).unwrap();
        Self {
            quic,
            http: None,
            answers: BTreeMap::new(),
            sockets: vec![socket],
            goaway: false,
            received: Vec::new(),
            server,
        }
    }

    /// A client whose handshake is done.
    pub fn connect(server: SocketAddr) -> Self {
        Self::connect_with(server, &mut config())
    }

    pub fn connect_with(server: SocketAddr, config: &mut quiche::Config) -> Self {
        let mut client = Self::new(server, config, "localhost");
        client.until("a handshake", |client| client.quic.is_established());
        client
    }

    /// Sends what is there to send.
    pub fn flush(&mut self) {
        let mut packet = [0; 1500];
        while let Ok((len, info)) = self.quic.send(&mut packet) {
            let socket =
                self.sockets.iter().find(|socket| socket.local_addr().unwrap() == info.from);
            // One that is closed sends no more.
            if let Some(socket) = socket {
                socket.send_to(&packet[..len], info.to).unwrap();
            }
        }
    }

    /// Sends, waits a little for what comes, and takes it.
    pub fn step(&mut self) {
        self.flush();
        let mut packet = [0; 65_536];
        for nth in 0..self.sockets.len() {
            loop {
                match self.sockets[nth].recv_from(&mut packet) {
                    Ok((len, from)) => {
                        self.received.push((len, packet[0]));
                        let to = self.sockets[nth].local_addr().unwrap();
                        let _ = self.quic.recv(&mut packet[..len], RecvInfo { from, to });
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        if self.quic.timeout() == Some(Duration::ZERO) {
            self.quic.on_timeout();
        }
        self.open();
        self.poll();
        self.flush();
    }

    /// Begins with HTTP/3 as soon as that can be.
    pub fn open(&mut self) {
        if self.http.is_none() && (self.quic.is_established() || self.quic.is_in_early_data()) {
            let config = quiche::h3::Config::new().unwrap();
            let http = quiche::h3::Connection::with_transport(&mut self.quic, &config);
            self.http = Some(http.unwrap());
        }
    }

    fn poll(&mut self) {
        let Some(http) = &mut self.http else { return };
        while let Ok((stream, event)) = http.poll(&mut self.quic) {
            let answer = self.answers.entry(stream).or_default();
            match event {
                quiche::h3::Event::Headers { list, .. } => {
                    for field in &list {
                        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                        let (name, value) = (text(field.name()), text(field.value()));
                        match name.as_str() {
                            ":status" => answer.status = value.parse().unwrap(),
                            _ => answer.fields.push((name, value)),
                        }
                    }
                }
                quiche::h3::Event::Data => {
                    let mut piece = [0; 16 << 10];
                    while let Ok(len) = http.recv_body(&mut self.quic, stream, &mut piece) {
                        answer.body.extend_from_slice(&piece[..len]);
                    }
                }
                quiche::h3::Event::Finished => answer.finished = true,
                quiche::h3::Event::Reset(code) => answer.reset = Some(code),
                quiche::h3::Event::GoAway => self.goaway = true,
                quiche::h3::Event::PriorityUpdate => {}
            }
        }
    }

    /// Goes on until something is so.
    pub fn until(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let begin = Instant::now();
        loop {
            self.step();
            if condition(self) {
                return;
            }
            let closed = self.quic.is_closed();
            assert!(!closed, "{what}: closed {:?}", self.quic.peer_error());
            assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        }
    }

    /// Goes on until the connection is over.
    pub fn until_closed(&mut self) {
        let begin = Instant::now();
        while !self.quic.is_draining() && !self.quic.is_closed() {
            self.step();
            assert!(begin.elapsed() < PATIENCE, "the connection stays");
        }
    }

    /// Asks for a path, without content, and returns the stream.
    pub fn get(&mut self, path: &str) -> u64 {
        self.request("GET", path, None)
    }

    /// Makes a request and returns its stream.
    pub fn request(&mut self, method: &str, path: &str, body: Option<&[u8]>) -> u64 {
        self.request_of("localhost", method, path, body)
    }

    /// The same of another host.
    pub fn request_of(
        &mut self,
        authority: &str,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
    ) -> u64 {
        self.request_with(authority, method, path, &[], body)
    }

    /// The same with fields.
    pub fn request_with(
        &mut self,
        authority: &str,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> u64 {
        if self.http.is_none() {
            self.until("HTTP/3", |client| client.http.is_some());
        }
        let control =
            [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path)];
        let lines = control.iter().chain(fields);
        let head: Vec<_> =
            lines.map(|(name, value)| Header::new(name.as_bytes(), value.as_bytes())).collect();
        let http = self.http.as_mut().unwrap();
        let stream = http.send_request(&mut self.quic, &head, body.is_none()).unwrap();
        let mut rest = body.unwrap_or_default();
        let begin = Instant::now();
        while !rest.is_empty() {
            let http = self.http.as_mut().unwrap();
            match http.send_body(&mut self.quic, stream, rest, true) {
                Ok(len) => rest = &rest[len..],
                Err(quiche::h3::Error::Done) => self.step(),
                // It has answered already, and wants no more (RFC 9114, 4.1).
                Err(_) if self.answers.get(&stream).is_some_and(|answer| answer.finished) => break,
                Err(error) => panic!("{error}"),
            }
            assert!(begin.elapsed() < PATIENCE, "the server takes no content");
        }
        self.flush();
        stream
    }

    /// The complete answer on a stream.
    pub fn answer(&mut self, stream: u64) -> Answer {
        self.until("an answer", |client| {
            let answer = client.answers.get(&stream);
            answer.is_some_and(|answer| answer.finished || answer.reset.is_some())
        });
        self.answers.remove(&stream).unwrap()
    }

    /// Moves the connection to another port.
    pub fn migrate(&mut self) {
        self.until("an id to move with", |client| client.quic.available_dcids() > 0);
        // The server needs one as well, for the new way.
        let (mut cid, mut token) = ([0; 16], [0; 16]);
        boring::rand::rand_bytes(&mut cid).unwrap();
        boring::rand::rand_bytes(&mut token).unwrap();
        let cid = ConnectionId::from_ref(&cid);
        self.quic.new_scid(&cid, u128::from_be_bytes(token), false).unwrap();
        let socket = bind();
        let local = socket.local_addr().unwrap();
        self.sockets.push(socket);
        self.quic.probe_path(local, self.server).unwrap();
        let server = self.server;
        self.until("a way", |client| client.quic.is_path_validated(local, server) == Ok(true));
        self.quic.migrate(local, server).unwrap();
    }

    /// Says goodbye.
    pub fn close(mut self) {
        let _ = self.quic.close(true, 0x100, b"");
        self.flush();
    }
}

/// A socket that does not wait long.
pub fn bind() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    socket
}
