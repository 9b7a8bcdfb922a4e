//! A connection, and an exchange on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::pki_types::{CertificateDer, pem::PemObject};

use crate::error::Failure;

/// RFC 9114, 8.1.
pub const H3_NO_ERROR: u32 = 0x100;

/// What sends requests; may be cloned, one for each exchange.
pub type Sender = h3::client::SendRequest<h3_quinn::OpenStreams, Bytes>;
/// An open exchange.
pub type Stream = h3::client::RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>;

/// An open connection. Its control streams are read by a task of their own.
pub struct Client {
    pub sender: Sender,
    pub quic: quinn::Connection,
    endpoint: quinn::Endpoint,
}

/// A complete answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub content: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Client {
    pub async fn connect(port: u16, authority: &Path) -> Result<Self, Failure> {
        let mut endpoint = quinn::Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        endpoint.set_default_client_config(config(authority)?);
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let quic = endpoint.connect(server, "localhost")?.await?;
        let (mut driver, sender) = h3::client::new(h3_quinn::Connection::new(quic.clone())).await?;
        tokio::spawn(async move { driver.wait_idle().await });
        Ok(Self { sender, quic, endpoint })
    }

    /// A request without content, to its answer's end.
    pub async fn get(&self, target: &str) -> Result<Answer, Failure> {
        get(self.sender.clone(), target).await
    }

    /// Says that all is well and that nothing more will come, and waits until that is sent.
    pub async fn close(self) {
        self.quic.close(H3_NO_ERROR.into(), b"");
        self.endpoint.wait_idle().await;
    }
}

/// A request without content, to its answer's end.
pub async fn get(sender: Sender, target: &str) -> Result<Answer, Failure> {
    let mut stream = open(sender, Method::GET, target).await?;
    stream.finish().await?;
    receive(&mut stream).await
}

/// Sends a request's head.
pub async fn open(mut sender: Sender, method: Method, target: &str) -> Result<Stream, Failure> {
    let uri = format!("https://localhost{target}");
    let head = Request::builder().method(method).uri(uri).body(())?;
    Ok(sender.send_request(head).await?)
}

/// Reads an answer to its end.
pub async fn receive<S>(stream: &mut h3::client::RequestStream<S, Bytes>) -> Result<Answer, Failure>
where
    S: h3::quic::RecvStream,
{
    let (head, ()) = stream.recv_response().await?.into_parts();
    let mut content = BytesMut::new();
    while let Some(mut piece) = stream.recv_data().await? {
        while piece.has_remaining() {
            let chunk = piece.chunk();
            content.extend_from_slice(chunk);
            let len = chunk.len();
            piece.advance(len);
        }
    }
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        content: content.freeze(),
        trailers: stream.recv_trailers().await?,
    })
}

fn config(authority: &Path) -> Result<quinn::ClientConfig, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    let mut transport = quinn::TransportConfig::default();
    // So that a server which has gone without a word is not what ends a test.
    transport.keep_alive_interval(Some(Duration::from_secs(1)));
    config.transport_config(Arc::new(transport));
    Ok(config)
}
