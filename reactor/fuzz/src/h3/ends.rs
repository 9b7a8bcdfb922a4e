//! Both ends of a connection, in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::iter;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use boring::ssl::{SslContextBuilder, SslMethod};
use protocol::datagrams::Datagrams;
use protocol::error::ProtocolError;
use protocol::h3::{ALPN, Http3};
use protocol::settings::HttpSettings;
use protocol::{Flow, Input, Now, Outgoing, Protocol, StreamId};
use quiche::{Config, ConnectionId, RecvInfo, Shutdown};
use wire::{Part, RequestHead, ResponseHead};

use crate::{certificate, origin};

thread_local! {
    /// The server's and the client's, made once: keys and certificates take longer than a run.
    static CONFIGS: RefCell<(Config, Config)> = RefCell::new((server_config(), client_config()));
}

/// A client, and a server that it is connected with.
pub struct Ends {
    pub server: Http3,
    client: quiche::Connection,
    now: Now,
    out: Datagrams,
    /// What the client has got, by stream, and whether that was all.
    pub answers: BTreeMap<StreamId, (Vec<u8>, bool)>,
    /// Streams that the server has reset, with the code.
    pub resets: BTreeMap<StreamId, u64>,
    /// What the server has refused.
    pub refusals: Vec<ProtocolError>,
    /// Packets of the server are kept back.
    held: bool,
    /// The server was told to end the connection.
    pub leaving: bool,
}

impl Ends {
    /// With the handshake done.
    pub fn new() -> Self {
        let now = Now { instant: Instant::now(), unix_micros: 0, date: [b'x'; 29] };
        let settings = HttpSettings { body_bytes_max: 1000, ..HttpSettings::default() };
        let (server, client) = CONFIGS.with_borrow_mut(|(server, client)| {
            let (ours, theirs) =
                (ConnectionId::from_ref(&[7; 16]), ConnectionId::from_ref(&[9; 16]));
            let (here, there) = (address(443), address(1));
            let server = quiche::accept_with_buf_factory(&ours, None, here, there, server);
            let client = quiche::connect(Some("localhost"), &theirs, there, here, client);
            (server.expect("a connection"), client.expect("a connection"))
        });
        let server = Http3::new(server, Arc::new(settings), origin(), |_, _| None, &now);
        let mut ends = Self {
            server,
            client,
            now,
            out: Datagrams::new(),
            answers: BTreeMap::new(),
            resets: BTreeMap::new(),
            refusals: Vec::new(),
            held: false,
            leaving: false,
        };
        while ends.exchange() {}
        assert!(ends.client.is_established());
        ends
    }

    /// The client says something on a stream.
    pub fn say(&mut self, stream: StreamId, bytes: &[u8], last: bool) {
        if let Err(quiche::Error::StreamStopped(code)) =
            self.client.stream_send(stream, bytes, last)
        {
            assert_known(code);
        }
    }

    /// The client ends one side of a stream, if there is one.
    pub fn shut(&mut self, stream: StreamId, side: Shutdown) {
        let _ = self.client.stream_shutdown(stream, side, 0x10c);
    }

    /// A part of a response.
    pub fn send(&mut self, stream: StreamId, part: Part<ResponseHead>) -> Flow {
        self.server.send(stream, part, &self.now)
    }

    /// A part of a request.
    pub fn poll(&mut self) -> Option<(StreamId, Part<Box<RequestHead>>)> {
        let part = self.server.poll();
        self.refusals.extend(iter::from_fn(|| self.server.refusal()));
        part
    }

    /// Time passes for what is not QUIC's.
    pub fn pass(&mut self, time: Duration) {
        self.now.instant += time;
        if self.server.deadline().is_some_and(|deadline| deadline <= self.now.instant) {
            self.server.receive(Input::Timeout, &self.now);
        }
    }

    /// Holds the content of a request back, or lets it come again.
    pub fn set_paused(&mut self, stream: StreamId, paused: bool) {
        self.server.set_paused(stream, paused, &self.now);
    }

    /// The server finishes what is under way.
    pub fn shut_down(&mut self) {
        self.leaving = true;
        self.server.shutdown(&self.now);
    }

    /// Packets of the server do not arrive until the next but one [`exchange`](Self::exchange).
    pub fn keep_to_itself(&mut self) {
        self.held = true;
    }

    /// Moves packets in both directions, once. Whether there were any.
    pub fn exchange(&mut self) -> bool {
        let mut moved = false;
        let mut packet = [0; 1500];
        while let Ok((len, _)) = self.client.send(&mut packet) {
            let (from, to) = (address(1), address(443));
            let input = Input::Datagram { bytes: &mut packet[..len], from, to };
            self.server.receive(input, &self.now);
            moved = true;
        }
        if std::mem::take(&mut self.held) {
            return true;
        }
        loop {
            self.server.transmit(&mut Outgoing::Datagrams(&mut self.out), &self.now);
            self.out.released.clear();
            if self.out.is_empty() {
                break;
            }
            for (run, bytes) in self.out.runs() {
                for packet in bytes.chunks(run.segment_bytes) {
                    let info = RecvInfo { from: run.from, to: run.to };
                    let _ = self.client.recv(&mut packet.to_vec(), info);
                }
            }
            self.out.clear();
            moved = true;
        }
        self.read();
        moved
    }

    fn read(&mut self) {
        let mut bytes = [0; 4096];
        for stream in self.client.readable() {
            loop {
                match self.client.stream_recv(stream, &mut bytes) {
                    Ok((len, ended)) => {
                        let answer = self.answers.entry(stream).or_default();
                        answer.0.extend_from_slice(&bytes[..len]);
                        answer.1 |= ended;
                    }
                    Err(quiche::Error::StreamReset(code)) => {
                        assert_known(code);
                        self.resets.insert(stream, code);
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
    }

    /// The code with which the server has ended the connection; 0 when it has not.
    pub fn code(&mut self) -> u64 {
        self.server.quic().local_error().map_or(0, |error| error.error_code)
    }

    /// Whether the connection is over. It ends as HTTP/3 says, if not for want of life.
    pub fn is_over(&mut self) -> bool {
        if let Some(error) = self.server.quic().local_error() {
            assert!(error.is_app, "{error:?}");
            assert_known(error.error_code);
            return true;
        }
        self.server.closing().is_some()
    }
}

/// RFC 9114, 8.1; RFC 9204, 6.
fn assert_known(code: u64) {
    assert!(matches!(code, 0x100..=0x110 | 0x200..=0x202), "code {code:#x}");
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn server_config() -> Config {
    let (certificate, key) = certificate::localhost();
    let mut tls = SslContextBuilder::new(SslMethod::tls()).expect("a context");
    tls.set_certificate(&certificate).expect("a certificate");
    tls.set_private_key(&key).expect("a key");
    let config = Config::with_boring_ssl_ctx_builder(quiche::PROTOCOL_VERSION, tls);
    let mut config = config.expect("a configuration");
    common(&mut config);
    let http3 = HttpSettings::default().http3;
    config.set_initial_max_data(http3.connection_window_bytes());
    config.set_initial_max_stream_data_bidi_remote(http3.window_bytes);
    config.set_initial_max_stream_data_uni(16 << 10);
    config.set_initial_max_streams_bidi(http3.streams_max);
    config.set_initial_max_streams_uni(16);
    config
}

fn client_config() -> Config {
    let mut config = Config::new(quiche::PROTOCOL_VERSION).expect("a configuration");
    common(&mut config);
    config.verify_peer(false);
    config.set_initial_max_data(10 << 20);
    config.set_initial_max_stream_data_bidi_local(1 << 20);
    config.set_initial_max_stream_data_uni(1 << 20);
    config.set_initial_max_streams_uni(8);
    config
}

fn common(config: &mut Config) {
    config.set_application_protos(&[ALPN]).expect("a protocol");
    config.set_max_send_udp_payload_size(1350);
    config.grease(false);
    // Packets go when they are there, whatever the clock says.
    config.enable_pacing(false);
}
