//! A client that speaks HTTP/2, in memory: the `h2` crate's other half.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use h2::client::{Connection, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use protocol::Output;
use protocol::h2::Http2;
use protocol::h2::memory_io::MemoryIo;
use protocol::settings::HttpSettings;
use wire::Scheme;

use super::client::{Lines, Reply, Request};
use super::{Server, now, origin, settings};

/// A client over buffers in memory.
pub struct Client {
    pub io: MemoryIo,
    pub connection: Connection<MemoryIo, Bytes>,
    pub requests: SendRequest<Bytes>,
    /// The connection has ended, with this error.
    pub ended: Option<Option<h2::Error>>,
}

/// Moves bytes between a client and its server, as far as they go at the moment.
pub type Drive<'a> = &'a mut dyn FnMut(&mut Client);

/// Longer than anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A context that wakes nobody.
pub fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Polls once.
pub fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut cx())
}

impl Client {
    pub fn new(builder: &h2::client::Builder) -> Self {
        let io = MemoryIo::default();
        let Poll::Ready(Ok((requests, connection))) = poll(builder.handshake(io.clone())) else {
            panic!("no handshake")
        };
        Self { io, connection, requests, ended: None }
    }

    /// Lets the client read and write.
    pub fn drive(&mut self) {
        if self.ended.is_none()
            && let Poll::Ready(end) = Pin::new(&mut self.connection).poll(&mut cx())
        {
            self.ended = Some(end.err());
        }
    }

    /// What the client has written.
    pub fn written(&mut self) -> Vec<u8> {
        let mut out = Output::default();
        loop {
            self.drive();
            let before = out.len();
            self.io.transmit(&mut out);
            if out.len() == before {
                break;
            }
        }
        let mut bytes = Vec::new();
        for chunk in out.chunks() {
            match chunk {
                protocol::Chunk::Buffer(buffer) => bytes.extend_from_slice(buffer),
                protocol::Chunk::Bytes(buffer) => bytes.extend_from_slice(buffer),
                protocol::Chunk::File(_) => unreachable!("a io holds bytes"),
            }
        }
        bytes
    }

    /// Opens a stream.
    pub fn open(
        &mut self,
        request: http::Request<()>,
        end: bool,
        drive: Drive<'_>,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        self.settle("room for a stream", drive, |client| client.requests.poll_ready(&mut cx()))
            .expect("a connection");
        let opened = self.requests.send_request(request, end).expect("a stream");
        drive(self);
        opened
    }

    /// Sends a whole request.
    pub fn request(&mut self, request: &Request, scheme: &str, drive: Drive<'_>) -> ResponseFuture {
        let body = request.body.clone().unwrap_or_default();
        let trailers = !request.trailers.is_empty();
        let last = body.is_empty() && !trailers;
        let (response, mut stream) = self.open(message(request, scheme), last, drive);
        if last {
            return response;
        }
        // The server may have answered already, and wants no more (RFC 9113, 8.1).
        let sent = stream.send_data(Bytes::from(body), !trailers).is_ok();
        if sent && trailers {
            let lines = request.trailers.iter();
            let lines =
                lines.map(|(n, v)| (n.to_ascii_lowercase().parse().unwrap(), v.parse().unwrap()));
            stream.send_trailers(lines.collect::<HeaderMap>()).expect("sent");
        }
        drive(self);
        response
    }

    /// Reads the response to a request to its end.
    pub fn reply(&mut self, mut response: ResponseFuture, drive: Drive<'_>) -> Reply {
        drive(self);
        let mut reply = Reply::default();
        let head = self.settle("a response", drive, |_| {
            while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(&mut cx()) {
                reply.interim.push((interim.status().as_u16(), lines(interim.headers())));
            }
            Pin::new(&mut response).poll(&mut cx())
        });
        let Ok(head) = head else { return reply };
        let (head, mut body) = head.into_parts();
        reply.status = head.status.as_u16();
        reply.fields = lines(&head.headers);
        self.content(&mut body, &mut reply, drive);
        reply
    }

    fn content(&mut self, body: &mut RecvStream, reply: &mut Reply, drive: Drive<'_>) {
        loop {
            match self.settle("content", drive, |_| body.poll_data(&mut cx())) {
                Some(Ok(bytes)) => {
                    reply.body.extend_from_slice(&bytes);
                    body.flow_control().release_capacity(bytes.len()).expect("released");
                    drive(self);
                }
                None => break,
                Some(Err(_)) => return,
            }
        }
        if let Ok(trailers) = self.settle("the end", drive, |_| body.poll_trailers(&mut cx())) {
            reply.trailers = trailers.as_ref().map(lines).unwrap_or_default();
            reply.complete = true;
        }
    }

    /// Drives until something is there.
    fn settle<T>(
        &mut self,
        what: &str,
        drive: Drive<'_>,
        mut ready: impl FnMut(&mut Self) -> Poll<T>,
    ) -> T {
        let begin = Instant::now();
        loop {
            if let Poll::Ready(ready) = ready(self) {
                return ready;
            }
            assert!(begin.elapsed() < PATIENCE, "waited in vain for {what}");
            drive(self);
        }
    }
}

/// Both ends.
pub struct Pair {
    pub client: Client,
    pub server: Server,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(settings(), &h2::client::Builder::new())
    }

    pub fn with(settings: HttpSettings, builder: &h2::client::Builder) -> Self {
        let mut pair = Self { client: Client::new(builder), server: server(settings) };
        pair.drive();
        pair
    }

    /// Moves bytes until none move.
    pub fn drive(&mut self) {
        drive(&mut self.client, &mut self.server);
    }

    /// Opens a stream.
    pub fn open(
        &mut self,
        request: http::Request<()>,
        end: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let Self { client, server } = self;
        client.open(request, end, &mut |client| drive(client, server))
    }

    /// Sends a whole request, and waits until the server has all of it.
    pub fn request(&mut self, request: &Request) -> ResponseFuture {
        let Self { client, server } = self;
        client.request(request, "http", &mut |client| drive(client, server))
    }

    /// Reads the response to a request to its end.
    pub fn reply(&mut self, response: ResponseFuture) -> Reply {
        let Self { client, server } = self;
        client.reply(response, &mut |client| drive(client, server))
    }
}

/// Moves bytes between the two until none move.
fn drive(client: &mut Client, server: &mut Server) {
    loop {
        let up = client.written();
        if !up.is_empty() {
            server.feed(&up);
        }
        let down = server.written();
        if !down.is_empty() {
            client.io.feed(&mut BytesMut::from(&down[..]));
        }
        if up.is_empty() && down.is_empty() {
            return;
        }
    }
}

/// A server's end.
pub fn server(settings: HttpSettings) -> Server {
    let now = now();
    let settings = Arc::new(settings);
    let http2 = Http2::new(settings, origin(), Scheme::Http, super::read_file, &now);
    Server::over(Box::new(http2), now)
}

/// A request as the client takes it.
pub fn message(request: &Request, scheme: &str) -> http::Request<()> {
    let scheme = request.scheme.unwrap_or(scheme);
    let authority = request.authority.unwrap_or("localhost");
    let uri = match request.target {
        "*" => {
            let uri = http::Uri::builder().scheme(scheme).authority(authority);
            uri.path_and_query("*").build().expect("a target")
        }
        path => format!("{scheme}://{authority}{path}").parse().expect("a target"),
    };
    let mut message = http::Request::builder().method(request.method).uri(uri);
    for (name, value) in &request.fields {
        message = match *name {
            ":protocol" => message.extension(h2::ext::Protocol::from(&value[..])),
            name => message.header(name.to_ascii_lowercase(), value),
        };
    }
    if let (Some(body), true) = (&request.body, request.trailers.is_empty()) {
        message = message.header("content-length", body.len());
    }
    message.body(()).expect("a request")
}

fn lines(headers: &HeaderMap) -> Lines {
    headers.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().to_vec())).collect()
}
