//! A client that speaks HTTP/2, in memory: the `h2` crate's other half.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use h2::client::{Connection, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use reactor::protocol::Output;
use reactor::protocol::h2::Http2;
use reactor::protocol::h2::tape::Tape;
use reactor::protocol::settings::HttpSettings;
use wire::Scheme;

use super::client::{Lines, Reply, Request};
use super::{Server, now, origin, settings};

/// A client over a tape.
pub struct Client {
    pub tape: Tape,
    pub connection: Connection<Tape, Bytes>,
    pub requests: SendRequest<Bytes>,
    /// The connection has ended, with this error.
    pub ended: Option<Option<h2::Error>>,
}

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
        let tape = Tape::default();
        let Poll::Ready(Ok((requests, connection))) = poll(builder.handshake(tape.clone())) else {
            panic!("no handshake")
        };
        Self { tape, connection, requests, ended: None }
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
            self.tape.transmit(&mut out);
            if out.len() == before {
                break;
            }
        }
        let mut bytes = Vec::new();
        for chunk in out.chunks() {
            match chunk {
                reactor::protocol::Chunk::Buffer(buffer) => bytes.extend_from_slice(buffer),
                reactor::protocol::Chunk::Bytes(buffer) => bytes.extend_from_slice(buffer),
                reactor::protocol::Chunk::File(_) => unreachable!("a tape holds bytes"),
            }
        }
        bytes
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
        loop {
            let up = self.client.written();
            if !up.is_empty() {
                self.server.feed(&up);
            }
            let down = self.server.written();
            if !down.is_empty() {
                self.client.tape.feed(&mut BytesMut::from(&down[..]));
            }
            if up.is_empty() && down.is_empty() {
                return;
            }
        }
    }

    /// Opens a stream.
    pub fn open(
        &mut self,
        request: http::Request<()>,
        end: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        assert!(poll(std::future::poll_fn(|cx| self.client.requests.poll_ready(cx))).is_ready());
        let opened = self.client.requests.send_request(request, end).expect("a stream");
        self.drive();
        opened
    }

    /// Sends a whole request, and waits until the server has all of it.
    pub fn request(&mut self, request: &Request) -> ResponseFuture {
        let body = request.body.clone().unwrap_or_default();
        let trailers = !request.trailers.is_empty();
        let last = body.is_empty() && !trailers;
        let (response, mut stream) = self.open(message(request), last);
        if last {
            return response;
        }
        stream.send_data(Bytes::from(body), !trailers).expect("sent");
        if trailers {
            let lines = request.trailers.iter();
            let lines =
                lines.map(|(n, v)| (n.to_ascii_lowercase().parse().unwrap(), v.parse().unwrap()));
            stream.send_trailers(lines.collect::<HeaderMap>()).expect("sent");
        }
        self.drive();
        response
    }

    /// Reads the response to a request to its end.
    pub fn reply(&mut self, mut response: ResponseFuture) -> Reply {
        self.drive();
        let mut reply = Reply::default();
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(&mut cx()) {
            reply.interim.push((interim.status().as_u16(), lines(interim.headers())));
        }
        let (head, mut body) = match Pin::new(&mut response).poll(&mut cx()) {
            Poll::Ready(Ok(response)) => response.into_parts(),
            Poll::Ready(Err(_)) => return reply,
            Poll::Pending => panic!("no response"),
        };
        reply.status = head.status.as_u16();
        reply.fields = lines(&head.headers);
        self.content(&mut body, &mut reply);
        reply
    }

    fn content(&mut self, body: &mut RecvStream, reply: &mut Reply) {
        loop {
            match body.poll_data(&mut cx()) {
                Poll::Ready(Some(Ok(bytes))) => {
                    reply.body.extend_from_slice(&bytes);
                    body.flow_control().release_capacity(bytes.len()).expect("released");
                    self.drive();
                }
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(_))) => return,
                Poll::Pending => panic!("the response has no end"),
            }
        }
        match body.poll_trailers(&mut cx()) {
            Poll::Ready(Ok(trailers)) => {
                reply.trailers = trailers.as_ref().map(lines).unwrap_or_default();
                reply.complete = true;
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => panic!("the response has no end"),
        }
    }
}

/// A server's end.
pub fn server(settings: HttpSettings) -> Server {
    let now = now();
    let settings = Arc::new(settings);
    let http2 = Http2::new(settings, origin(), Scheme::Http, reactor::file::read, &now);
    Server::over(Box::new(http2), now)
}

/// A request as the client takes it.
pub fn message(request: &Request) -> http::Request<()> {
    let uri = match request.target {
        "*" => {
            let uri = http::Uri::builder().scheme("http").authority("localhost");
            uri.path_and_query("*").build().expect("a target")
        }
        path => format!("http://localhost{path}").parse().expect("a target"),
    };
    let mut message = http::Request::builder().method(request.method).uri(uri);
    for (name, value) in &request.fields {
        message = message.header(name.to_ascii_lowercase(), value);
    }
    if let (Some(body), true) = (&request.body, request.trailers.is_empty()) {
        message = message.header("content-length", body.len());
    }
    message.body(()).expect("a request")
}

fn lines(headers: &HeaderMap) -> Lines {
    headers.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().to_vec())).collect()
}
