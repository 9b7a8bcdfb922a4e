//! One connection and its requests.

use std::collections::HashMap;
use std::time::Instant;

use quiche::h3::{self, Header, NameValue};
use quiche::{Config, ConnectionId, RecvInfo};

use crate::options::Options;
use crate::udp::{PacketInbox, UdpEndpoint};

/// What an Ethernet carries over IPv4: 1,500 bytes without the headers of IP and UDP.
pub const DATAGRAM_BYTES_MAX: usize = 1472;
/// Content that is read at once.
const READ_BYTES: usize = 64 << 10;
/// The same as h2load's: the server is never stopped by a window.
const WINDOW_BYTES: u64 = 1 << 30;
/// RFC 9114, 8.1.
const H3_NO_ERROR: u64 = 0x100;

/// What every request is made of.
pub struct Workload {
    head: Vec<Header>,
    body: Vec<u8>,
    streams: usize,
    answer_bytes: Option<u64>,
    keep: bool,
    /// Whether a connection makes one request only.
    once: bool,
}

/// What came of the requests that were answered.
#[derive(Default)]
pub struct AnswerTally {
    /// How long each took.
    pub micros: Vec<u32>,
    pub bytes: u64,
    /// Answers with another status than 200 or of another length than expected, and streams that
    /// were reset.
    pub wrong: u64,
    /// The content of the last one, when it is to be kept.
    pub content: Vec<u8>,
}

/// What clients share.
pub struct Common {
    pub job: Workload,
    pub tally: AnswerTally,
    /// Requests that may still begin.
    pub left: u64,
    pub inbox: PacketInbox,
    out: Vec<u8>,
    read: Vec<u8>,
}

/// A connection.
pub struct H3Client {
    pub endpoint: UdpEndpoint,
    pub quic: quiche::Connection,
    http: Option<h3::Connection>,
    asked: bool,
    requests: HashMap<u64, PendingRequest>,
    /// Streams with content that is not sent yet.
    uploads: Vec<u64>,
}

struct PendingRequest {
    began: Instant,
    sent: usize,
    status_is_ok: bool,
    received: u64,
}

impl Workload {
    pub fn new(options: &Options) -> Self {
        let method: &[u8] = if options.body.is_empty() { b"GET" } else { b"POST" };
        let mut head = vec![
            Header::new(b":method", method),
            Header::new(b":scheme", b"https"),
            Header::new(b":authority", options.address.to_string().as_bytes()),
            Header::new(b":path", options.path.as_bytes()),
            Header::new(b"user-agent", b"h3load"),
        ];
        if !options.body.is_empty() {
            head.push(Header::new(b"content-length", options.body.len().to_string().as_bytes()));
        }
        Self {
            head,
            body: options.body.clone(),
            streams: options.streams,
            answer_bytes: options.answer_bytes,
            keep: options.output.is_some(),
            once: options.idle,
        }
    }
}

impl Common {
    pub fn new(job: Workload) -> Self {
        Self {
            job,
            tally: AnswerTally::default(),
            left: 0,
            inbox: PacketInbox::new(),
            out: vec![0; 64 << 10],
            read: vec![0; READ_BYTES],
        }
    }
}

/// The QUIC of all clients.
pub fn config(ca: Option<&str>) -> Result<Config, quiche::Error> {
    let mut config = Config::new(quiche::PROTOCOL_VERSION)?;
    config.set_application_protos(h3::APPLICATION_PROTOCOL)?;
    config.verify_peer(ca.is_some());
    if let Some(file) = ca {
        config.load_verify_locations_from_file(file)?;
    }
    config.set_max_recv_udp_payload_size(DATAGRAM_BYTES_MAX);
    config.set_max_send_udp_payload_size(DATAGRAM_BYTES_MAX);
    config.set_initial_max_data(WINDOW_BYTES);
    config.set_max_connection_window(WINDOW_BYTES);
    config.set_initial_max_stream_data_bidi_local(WINDOW_BYTES);
    config.set_max_stream_window(WINDOW_BYTES);
    // The server's control stream, and those of QPACK.
    config.set_initial_max_stream_data_uni(1 << 20);
    config.set_initial_max_streams_uni(16);
    config.enable_pacing(false);
    Ok(config)
}

impl H3Client {
    /// Begins to connect.
    pub fn new(endpoint: UdpEndpoint, number: usize, config: &mut Config) -> Result<Self, String> {
        // Unlike others' is enough: the peer's answer goes to this socket alone.
        let mut id = [0; 8];
        id.copy_from_slice(&(number as u64).to_be_bytes());
        let id = ConnectionId::from_ref(&id);
        let (local, peer) = (endpoint.local, endpoint.peer);
        let quic = quiche::connect(Some("localhost"), &id, local, peer, config)
            .map_err(|error| format!("quiche: {error}"))?;
        let requests = HashMap::new();
        Ok(Self { endpoint, quic, http: None, asked: false, requests, uploads: Vec::new() })
    }

    /// Whether requests can be made.
    pub fn is_ready(&self) -> bool {
        self.http.is_some() && !self.is_over()
    }

    /// Whether there is nothing to expect any more.
    pub fn is_over(&self) -> bool {
        self.quic.is_closed() || self.quic.is_draining()
    }

    /// Requests without their answer.
    pub fn in_flight(&self) -> usize {
        self.requests.len()
    }

    /// Reads what is there, makes requests, writes.
    pub fn turn(&mut self, common: &mut Common) -> Result<(), String> {
        let info = RecvInfo { from: self.endpoint.peer, to: self.endpoint.local };
        let quic = &mut self.quic;
        self.endpoint
            .receive(&mut common.inbox, |packet| {
                // What cannot be read is dropped (RFC 9000, 12.2).
                let _ = quic.recv(packet, info);
            })
            .map_err(|error| format!("cannot receive: {error}"))?;
        if self.http.is_none() && self.quic.is_established() {
            let settings = h3::Config::new().map_err(|error| error.to_string())?;
            let http = h3::Connection::with_transport(&mut self.quic, &settings);
            self.http = Some(http.map_err(|error| format!("no HTTP/3: {error}"))?);
        }
        self.answers(common);
        self.ask(common);
        self.upload(&common.job);
        self.flush(common)
    }

    fn answers(&mut self, common: &mut Common) {
        let Some(http) = &mut self.http else { return };
        // An error ends the connection, which shows.
        while let Ok((id, event)) = http.poll(&mut self.quic) {
            let Some(request) = self.requests.get_mut(&id) else { continue };
            match event {
                h3::Event::Headers { list, .. } => {
                    // A head of 1xx comes before the one that counts.
                    request.status_is_ok |=
                        list.iter().any(|one| one.name() == b":status" && one.value() == b"200");
                }
                h3::Event::Data => {
                    while let Ok(count) = http.recv_body(&mut self.quic, id, &mut common.read) {
                        request.received += count as u64;
                        common.tally.bytes += count as u64;
                        if common.job.keep {
                            common.tally.content.extend_from_slice(&common.read[..count]);
                        }
                    }
                }
                h3::Event::Finished => {
                    let length_is_ok =
                        common.job.answer_bytes.is_none_or(|wanted| wanted == request.received);
                    common.tally.wrong += u64::from(!request.status_is_ok || !length_is_ok);
                    common.tally.micros.push(request.began.elapsed().as_micros() as u32);
                    self.requests.remove(&id);
                }
                h3::Event::Reset(_) => {
                    common.tally.wrong += 1;
                    common.tally.micros.push(request.began.elapsed().as_micros() as u32);
                    self.requests.remove(&id);
                }
                _ => {}
            }
        }
    }

    fn ask(&mut self, common: &mut Common) {
        let Some(http) = &mut self.http else { return };
        let Common { job, left, tally, .. } = common;
        while *left > 0 && self.requests.len() < job.streams && !(job.once && self.asked) {
            // Refused when the server allows no further stream yet.
            let sent = http.send_request(&mut self.quic, &job.head, job.body.is_empty());
            let Ok(id) = sent else { return };
            let began = Instant::now();
            let request = PendingRequest { began, sent: 0, status_is_ok: false, received: 0 };
            self.requests.insert(id, request);
            *left -= 1;
            self.asked = true;
            if !job.body.is_empty() {
                self.uploads.push(id);
            }
            tally.content.clear();
        }
    }

    fn upload(&mut self, job: &Workload) {
        let Some(http) = &mut self.http else { return };
        let (quic, requests) = (&mut self.quic, &mut self.requests);
        self.uploads.retain(|&id| {
            let Some(request) = requests.get_mut(&id) else { return false };
            // Nothing can be sent while the windows are closed.
            while let Ok(count) = http.send_body(quic, id, &job.body[request.sent..], true) {
                request.sent += count;
                if request.sent == job.body.len() {
                    return false;
                }
            }
            true
        });
    }

    /// Sends what QUIC has to say, packets of the same size together.
    pub fn flush(&mut self, common: &mut Common) -> Result<(), String> {
        let out = &mut common.out;
        let most = self.endpoint.segments_max().min(out.len() / DATAGRAM_BYTES_MAX);
        let (mut len, mut segment, mut count) = (0, 0, 0);
        loop {
            let packet = self.quic.send(&mut out[len..len + DATAGRAM_BYTES_MAX]).ok();
            let size = packet.map_or(0, |(size, _)| size);
            let joins = size > 0 && (count == 0 || size <= segment);
            if joins {
                segment = if count == 0 { size } else { segment };
                (len, count) = (len + size, count + 1);
                if size == segment && count < most {
                    continue;
                }
            }
            if len > 0 {
                let sent = self.endpoint.send(&out[..len], segment);
                sent.map_err(|error| format!("cannot send: {error}"))?;
            }
            if size == 0 {
                return Ok(());
            }
            let begun = len;
            (len, segment, count) = (0, 0, 0);
            if !joins {
                out.copy_within(begun..begun + size, 0);
                (len, segment, count) = (size, size, 1);
            }
        }
    }

    /// Says goodbye.
    pub fn close(&mut self, common: &mut Common) -> Result<(), String> {
        // Refused when it is closed already.
        let _ = self.quic.close(true, H3_NO_ERROR, b"");
        self.flush(common)
    }
}
