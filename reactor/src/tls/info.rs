//! What requests tell of the TLS that they came by.

use boring::ssl::{NameType, SslRef};
use wire::tls::{ClientCertificate, TlsFacts, TlsInfo};

/// `XN_FLAG_RFC2253`: `CN=…,O=…`, with control characters and what is not ASCII escaped.
const SUBJECT_AS_RFC_2253: i32 = 0x0111_0317;

/// What is known of a connection's TLS.
pub(crate) fn of(ssl: &SslRef) -> TlsInfo {
    let cipher = ssl.current_cipher();
    let certificate = ssl.peer_certificate();
    let shown = certificate.as_ref().map(|certificate| {
        let subject = certificate.subject_name().print_ex(SUBJECT_AS_RFC_2253);
        let pem = certificate.to_pem().ok().and_then(|pem| String::from_utf8(pem).ok());
        (subject.unwrap_or_default(), pem.unwrap_or_default())
    });
    TlsInfo::new(&TlsFacts {
        version: ssl.version_str(),
        cipher: cipher.map_or("", |cipher| cipher.standard_name().unwrap_or(cipher.name())),
        server_name: ssl.servername(NameType::HOST_NAME),
        // A handshake in which it could not be verified has failed.
        client: shown.as_ref().map(|(subject, pem)| ClientCertificate { subject, pem }),
    })
}
