//! What a request tells of the TLS that it came by.

use bincode::{BorrowDecode, Encode};
use bytes::Bytes;

/// What is known of a connection's TLS, encoded once per connection: a request carries it along, and
/// who wants to know decodes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo(Bytes);

/// What [`TlsInfo`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub struct TlsFacts<'a> {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'a str,
    /// The cipher suite by its registered name.
    pub cipher: &'a str,
    /// The server name that the client asked for (RFC 6066, 3).
    pub server_name: Option<&'a str>,
    /// The client's certificate, if it has shown one; it has been verified.
    pub client: Option<ClientCertificate<'a>>,
}

/// A verified certificate of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub struct ClientCertificate<'a> {
    /// Its subject as text (RFC 2253).
    pub subject: &'a str,
    /// The certificate, PEM.
    pub pem: &'a str,
}

impl TlsInfo {
    /// Encodes facts.
    pub fn new(facts: &TlsFacts<'_>) -> Self {
        // Encoding to memory cannot fail, and no Encode of ours does.
        let bytes = bincode::encode_to_vec(facts, bincode::config::standard()).unwrap_or_default();
        Self(bytes.into())
    }

    /// Takes what another process has encoded.
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// As it crosses a link.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The facts; `None` when the bytes are none of ours.
    pub fn facts(&self) -> Option<TlsFacts<'_>> {
        let decoded = bincode::borrow_decode_from_slice(&self.0, bincode::config::standard());
        decoded.ok().map(|(facts, _)| facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_survive() {
        let facts = TlsFacts {
            version: "TLSv1.3",
            cipher: "TLS_AES_128_GCM_SHA256",
            server_name: Some("localhost"),
            client: Some(ClientCertificate { subject: "CN=me", pem: "-----BEGIN" }),
        };
        let info = TlsInfo::new(&facts);
        let copy = TlsInfo::from_bytes(Bytes::copy_from_slice(info.as_bytes()));
        assert_eq!(copy.facts(), Some(facts));
        assert_eq!(TlsInfo::from_bytes(Bytes::from_static(b"\xff")).facts(), None);
    }
}
