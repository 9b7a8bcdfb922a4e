//! A client that speaks HTTP/3, in memory: `quiche`'s other half.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use boring::pkey::{PKey, Private};
use boring::ssl::{SslContextBuilder, SslMethod};
use boring::x509::X509;
use bytes::Bytes;
use protocol::datagrams::Datagrams;
use protocol::error::{Fault, ProtocolError};
use protocol::h3::{ALPN, Http3, Quic};
use protocol::settings::HttpSettings;
use protocol::upgrade::{Accepted, Machine, Upgrades};
use protocol::{Flow, Input, Now, Outgoing, Protocol, StreamId};
use quiche::h3::{Event, Header, NameValue};
use quiche::{ConnectionId, RecvInfo};
use wire::limits::QUIC_DATAGRAM_BYTES_MAX;
use wire::{BodyLength, Part, RequestHead, ResponseHead};

use super::client::{Lines, Reply, Request};
use super::{Seen, certificate, head, note, now, origin, settings};

/// A server's end.
pub struct Server {
    pub http3: Http3,
    pub now: Now,
    /// Requests seen, in order.
    pub seen: Vec<Seen>,
    pub refusals: Vec<ProtocolError>,
    pub released: u64,
    pub upgrades: Upgrades,
    /// What machines have told their handlers.
    pub told: Vec<Part<Box<RequestHead>>>,
    out: Datagrams,
    list_bytes: usize,
}

/// A client's end.
pub struct Client {
    pub quic: quiche::Connection,
    pub h3: Option<quiche::h3::Connection>,
    /// What came, by stream.
    pub replies: BTreeMap<StreamId, Reply>,
    /// Streams that the server has reset, with the code.
    pub resets: BTreeMap<StreamId, u64>,
    pub goaways: Vec<StreamId>,
    /// Content is not read.
    pub deaf: bool,
    /// HTTP/3 is not opened: the test speaks it byte for byte.
    pub raw: bool,
}

/// Both ends.
pub struct Pair {
    pub client: Client,
    pub server: Server,
}

pub fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn identity() -> &'static (X509, PKey<Private>) {
    static IDENTITY: OnceLock<(X509, PKey<Private>)> = OnceLock::new();
    IDENTITY.get_or_init(certificate::localhost)
}

/// What an endpoint sets.
pub fn server_config(settings: &HttpSettings) -> quiche::Config {
    let (certificate, key) = identity();
    let mut tls = SslContextBuilder::new(SslMethod::tls()).expect("a context");
    tls.set_certificate(certificate).expect("set");
    tls.set_private_key(key).expect("set");
    let version = quiche::PROTOCOL_VERSION;
    let mut config = quiche::Config::with_boring_ssl_ctx_builder(version, tls).expect("a config");
    common_config(&mut config);
    let http3 = &settings.http3;
    config.set_initial_max_data(http3.connection_window_bytes());
    config.set_initial_max_stream_data_bidi_remote(http3.window_bytes);
    config.set_initial_max_stream_data_uni(64 << 10);
    config.set_initial_max_streams_bidi(http3.streams_max);
    config.set_initial_max_streams_uni(8);
    if http3.early_data {
        config.enable_early_data();
    }
    config
}

/// What a client sets, with room for all it may get.
pub fn client_config() -> quiche::Config {
    let mut config = quiche::Config::new(quiche::PROTOCOL_VERSION).expect("a config");
    common_config(&mut config);
    config.verify_peer(false);
    config.set_initial_max_data(10 << 20);
    config.set_initial_max_stream_data_bidi_local(1 << 20);
    config.set_initial_max_stream_data_uni(1 << 20);
    config.set_initial_max_streams_uni(8);
    config
}

fn common_config(config: &mut quiche::Config) {
    config.set_application_protos(&[ALPN]).expect("a protocol");
    config.set_max_idle_timeout(60_000);
    config.set_max_send_udp_payload_size(1350);
    config.set_max_recv_udp_payload_size(1500);
    config.grease(false);
}

impl Server {
    pub fn new(settings: HttpSettings) -> Self {
        let mut config = server_config(&settings);
        Self::with(settings, &mut config)
    }

    pub fn with(settings: HttpSettings, config: &mut quiche::Config) -> Self {
        let id = ConnectionId::from_ref(&[7; 16]);
        let quic: Quic =
            quiche::accept_with_buf_factory(&id, None, address(443), address(1), config)
                .expect("a connection");
        let (now, list_bytes) = (now(), settings.field_section_bytes_max() as usize);
        let http3 = Http3::new(quic, Arc::new(settings), origin(), super::read_file, &now);
        Self {
            http3,
            now,
            seen: Vec::new(),
            refusals: Vec::new(),
            released: 0,
            upgrades: Upgrades::default(),
            told: Vec::new(),
            out: Datagrams::new(),
            list_bytes,
        }
    }

    pub fn receive(&mut self, datagram: &mut [u8]) {
        let (from, to) = (address(1), address(443));
        self.http3.receive(Input::Datagram { bytes: datagram, from, to }, &self.now);
        self.turn();
    }

    /// What the event loop does after every verb, but for the packets.
    pub fn turn(&mut self) {
        while let Some((stream, part)) = self.http3.poll() {
            if let Some(part) = self.upgrades.take(stream, part) {
                note(&mut self.seen, stream, part);
            }
        }
        self.upgrades.drive(&mut self.http3, &self.now);
        self.told.extend(self.upgrades.parts().map(|(_, part)| part));
        self.released += self.upgrades.released().map(|(_, bytes)| bytes).sum::<u64>();
        while let Some(refusal) = self.http3.refusal() {
            self.refusals.push(refusal);
        }
    }

    /// Packets that may go now.
    pub fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            self.http3.transmit(&mut Outgoing::Datagrams(&mut self.out), &self.now);
            for (stream, bytes) in self.out.released.drain(..) {
                if !self.upgrades.client_took(stream, bytes) {
                    self.released += bytes;
                }
            }
            self.turn();
            if self.out.is_empty() {
                return packets;
            }
            for (run, bytes) in self.out.runs() {
                assert_eq!((run.from, run.to), (address(443), address(1)));
                packets.extend(bytes.chunks(run.segment_bytes).map(<[u8]>::to_vec));
            }
            self.out.clear();
        }
    }

    pub fn send(&mut self, stream: StreamId, part: Part<ResponseHead>) -> Flow {
        let flow = self.http3.send(stream, part, &self.now);
        self.turn();
        flow
    }

    /// Accepts an upgrade.
    pub fn upgrade(
        &mut self,
        stream: StreamId,
        accepted: &Accepted,
        machine: Box<dyn Machine>,
    ) -> Flow {
        let flow = self.upgrades.accept(&mut self.http3, stream, accepted, machine, &self.now);
        self.turn();
        flow
    }

    /// Sends a part to the machine of a stream.
    pub fn push(&mut self, stream: StreamId, part: Part<ResponseHead>) -> Flow {
        let flow = self.upgrades.send(stream, part, &self.now);
        self.turn();
        flow
    }

    /// Sends a whole response.
    pub fn set_paused(&mut self, stream: StreamId, paused: bool) {
        let now = self.now;
        self.http3.set_paused(stream, paused, &now);
        self.turn();
    }

    pub fn respond(&mut self, stream: StreamId, status: u16, body: &[u8]) {
        let length = BodyLength::Known(body.len() as u64);
        self.send(stream, Part::Head(head(status, length, &[])));
        if !body.is_empty() {
            self.send(stream, Part::Body(Bytes::copy_from_slice(body)));
        }
        self.send(stream, Part::End(None));
    }

    /// Bytes of a request's fields that are allowed, as HTTP/3 counts them.
    pub fn list_bytes(&self) -> usize {
        self.list_bytes
    }

    pub fn faults(&self) -> Vec<Fault> {
        self.refusals.iter().map(|refusal| refusal.reason).collect()
    }
}

impl Client {
    pub fn new(config: &mut quiche::Config) -> Self {
        let id = ConnectionId::from_ref(&[9; 16]);
        let quic = quiche::connect(Some("localhost"), &id, address(1), address(443), config);
        Self {
            quic: quic.expect("a connection"),
            h3: None,
            replies: BTreeMap::new(),
            resets: BTreeMap::new(),
            goaways: Vec::new(),
            deaf: false,
            raw: false,
        }
    }

    pub fn receive(&mut self, datagram: &mut [u8]) {
        let info = RecvInfo { from: address(443), to: address(1) };
        // What concerns nobody is dropped.
        let _ = self.quic.recv(datagram, info);
    }

    /// Reads what there is.
    pub fn turn(&mut self) {
        if self.h3.is_none()
            && !self.raw
            && (self.quic.is_established() || self.quic.is_in_early_data())
        {
            self.open();
        }
        let Some(h3) = &mut self.h3 else { return };
        while let Ok((stream, event)) = h3.poll(&mut self.quic) {
            let reply = self.replies.entry(stream).or_default();
            match event {
                Event::Headers { list, .. } => headers(reply, &list),
                Event::Data if self.deaf => {}
                Event::Data => {
                    let mut bytes = [0; 4096];
                    while let Ok(len) = h3.recv_body(&mut self.quic, stream, &mut bytes) {
                        reply.body.extend_from_slice(&bytes[..len]);
                    }
                }
                Event::Finished => reply.complete = true,
                Event::Reset(code) => {
                    self.resets.insert(stream, code);
                }
                Event::GoAway => {
                    self.replies.remove(&stream);
                    self.goaways.push(stream);
                }
                Event::PriorityUpdate => panic!("for servers"),
            }
        }
    }

    /// Opens HTTP/3.
    pub fn open(&mut self) {
        let mut config = quiche::h3::Config::new().expect("a config");
        config.set_max_field_section_size(1 << 20);
        let h3 = quiche::h3::Connection::with_transport(&mut self.quic, &config);
        self.h3 = Some(h3.expect("HTTP/3"));
    }

    /// Packets that may go now.
    pub fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut packet = [0; 1500];
        while let Ok((len, _)) = self.quic.send(&mut packet) {
            packets.push(packet[..len].to_vec());
        }
        packets
    }

    /// Opens a stream.
    pub fn request(&mut self, fields: &[(&str, &[u8])], last: bool) -> StreamId {
        let list: Vec<_> =
            fields.iter().map(|(name, value)| Header::new(name.as_bytes(), value)).collect();
        let h3 = self.h3.as_mut().expect("HTTP/3");
        h3.send_request(&mut self.quic, &list, last).expect("a stream")
    }

    /// Sends a whole request, as the server takes it.
    pub fn ask(&mut self, request: &Request, carry: &mut dyn FnMut(&mut Self)) -> StreamId {
        let body = request.body.clone().unwrap_or_default();
        let trailers = !request.trailers.is_empty();
        let mut fields: Vec<(String, Vec<u8>)> = vec![
            (":method".into(), request.method.into()),
            (":scheme".into(), request.scheme.unwrap_or("https").into()),
            (":authority".into(), request.authority.unwrap_or("localhost").into()),
            (":path".into(), request.target.into()),
        ];
        if request.body.is_some() && !trailers {
            fields.push(("content-length".into(), body.len().to_string().into()));
        }
        let lower = |(name, value): &(&str, String)| {
            (name.to_ascii_lowercase(), value.clone().into_bytes())
        };
        fields.extend(request.fields.iter().map(lower));
        let lines: Vec<_> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        let stream = self.request(&lines, body.is_empty() && !trailers);
        self.body(stream, &body, !trailers, carry);
        if trailers {
            let list: Vec<_> = request
                .trailers
                .iter()
                .map(lower)
                .map(|(name, value)| Header::new(name.as_bytes(), &value))
                .collect();
            let (h3, quic) = self.h3();
            h3.send_additional_headers(quic, stream, &list, true, true).expect("sent");
        }
        stream
    }

    /// Sends content, as the server takes it.
    pub fn body(
        &mut self,
        stream: StreamId,
        mut body: &[u8],
        last: bool,
        carry: &mut dyn FnMut(&mut Self),
    ) {
        while !body.is_empty() {
            let (h3, quic) = self.h3();
            match h3.send_body(quic, stream, body, last) {
                Ok(sent) => body = &body[sent..],
                Err(quiche::h3::Error::Done) => {}
                Err(error) => panic!("{error}"),
            }
            carry(self);
        }
    }

    pub fn h3(&mut self) -> (&mut quiche::h3::Connection, &mut quiche::Connection) {
        (self.h3.as_mut().expect("HTTP/3"), &mut self.quic)
    }
}

fn drive(client: &mut Client, server: &mut Server) {
    loop {
        client.turn();
        let mut up = client.packets();
        for packet in &mut up {
            server.receive(packet);
        }
        let mut down = server.packets();
        for packet in &mut down {
            client.receive(packet);
        }
        if up.is_empty() && down.is_empty() {
            return;
        }
    }
}

fn headers(reply: &mut Reply, list: &[Header]) {
    let lines: Lines = list
        .iter()
        .map(|line| (String::from_utf8_lossy(line.name()).into_owned(), line.value().to_vec()))
        .collect();
    let Some((first, status)) = lines.first().filter(|(name, _)| name == ":status") else {
        reply.trailers = lines;
        return;
    };
    assert_eq!(first, ":status");
    let status = std::str::from_utf8(status).expect("text").parse().expect("a status");
    let lines = lines[1..].to_vec();
    assert_eq!(reply.status, 0, "one final head");
    if status < 200 {
        reply.interim.push((status, lines));
    } else {
        (reply.status, reply.fields) = (status, lines);
    }
}

pub const GET: &[(&str, &[u8])] =
    &[(":method", b"GET"), (":scheme", b"https"), (":authority", b"localhost"), (":path", b"/")];

impl Pair {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: HttpSettings) -> Self {
        let server = Server::new(settings);
        Self::of(Client::new(&mut client_config()), server)
    }

    /// With a server that looks for the largest packets the path takes.
    pub fn discovering() -> Self {
        let settings = settings();
        let mut config = server_config(&settings);
        config.discover_pmtu(true);
        config.set_max_send_udp_payload_size(QUIC_DATAGRAM_BYTES_MAX);
        let server = Server::with(settings, &mut config);
        Self::of(Client::new(&mut client_config()), server)
    }

    pub fn of(client: Client, server: Server) -> Self {
        let mut pair = Self { client, server };
        pair.drive();
        assert!(pair.client.h3.is_some(), "the handshake is done");
        pair
    }

    /// Moves packets until none move.
    pub fn drive(&mut self) {
        drive(&mut self.client, &mut self.server);
    }

    /// Lets time pass for what is not `quiche`'s, and fires the deadline if it is due.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        self.server.now.instant += time;
        let now = self.server.now;
        if self.server.http3.deadline().is_some_and(|deadline| deadline <= now.instant) {
            self.server.http3.receive(Input::Timeout, &now);
            self.server.turn();
        }
        self.drive();
        self
    }

    /// A GET that the server has seen.
    pub fn get(&mut self) -> StreamId {
        let stream = self.client.request(GET, true);
        self.drive();
        stream
    }

    /// Sends a whole request, and waits until the server has all of it.
    pub fn request(&mut self, request: &Request) -> StreamId {
        let Self { client, server } = self;
        let stream = client.ask(request, &mut |client| drive(client, server));
        self.drive();
        stream
    }

    /// Sends content, as the server takes it.
    pub fn body(&mut self, stream: StreamId, body: &[u8], last: bool) {
        let Self { client, server } = self;
        client.body(stream, body, last, &mut |client| drive(client, server));
    }

    /// The response, as far as it came.
    pub fn reply(&mut self, stream: StreamId) -> Reply {
        self.drive();
        self.client.replies.get(&stream).cloned().unwrap_or_default()
    }
}
