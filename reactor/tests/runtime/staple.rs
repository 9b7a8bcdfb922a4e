//! TLS: OCSP responses that go with certificates.

use std::net::TcpStream;
use std::path::Path;

use boring::ssl::SslStream;
use boring::x509::X509;
use reactor::tls::certificates::CertificateSource;
use reactor::tls::{Tls, TlsConfig};

use crate::played::Server;
use crate::tls::{connector, made, put, start};

/// An element of DER (X.690).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &len[..], content].concat()
}

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 4;
const TIME: u8 = 0x18;
const FIRST: u8 = 0xa0;

/// An OCSP response (RFC 6960, 4.2.1) for this certificate, which nobody has signed.
fn response(certificate: &[u8], until: &str) -> Vec<u8> {
    let leaf = X509::from_pem(certificate).unwrap();
    let serial = [vec![0], leaf.serial_number().to_bn().unwrap().to_vec()].concat();
    let hash = element(OCTETS, &[7; 20]);
    let about = [&element(SEQUENCE, b"")[..], &hash, &hash, &element(2, &serial)].concat();
    let begin = element(TIME, b"20260101000000Z");
    let end = element(FIRST, &element(TIME, until.as_bytes()));
    let single = [&element(SEQUENCE, &about)[..], &[0x80, 0], &begin, &end].concat();
    let singles = element(SEQUENCE, &element(SEQUENCE, &single));
    let data = [element(0xa2, &hash), begin, singles].concat();
    let basic = element(SEQUENCE, &element(SEQUENCE, &data));
    let kind = element(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
    let typed = element(SEQUENCE, &[kind, element(OCTETS, &basic)].concat());
    element(SEQUENCE, &[&[10, 1, 0][..], &element(FIRST, &typed)].concat())
}

fn identity(folder: &Path) -> CertificateSource {
    CertificateSource::Files {
        certificate: folder.join("c.pem"),
        key: folder.join("k.pem"),
        passphrase: None,
        staple: Some(folder.join("staple.der")),
    }
}

/// A client that asks for the status of the server's certificate, if it is to.
fn connect(server: &Server, ask: bool) -> SslStream<TcpStream> {
    let mut builder = connector();
    if ask {
        builder.enable_ocsp_stapling();
    }
    builder.build().connect("localhost", server.connect()).unwrap()
}

fn shown(server: &Server) -> Option<Vec<u8>> {
    connect(server, true).ssl().ocsp_status().map(<[u8]>::to_vec)
}

const LATER: &str = "20991231235959Z";

#[test]
fn a_staple_is_sent_to_who_asks_and_replaced_with_its_file() {
    let place = tempfile::tempdir().unwrap();
    let (certificate, key) = made();
    put(place.path(), &certificate, &key);
    let staple = place.path().join("staple.der");
    let first = response(&certificate, "20991231000000Z");
    std::fs::write(&staple, &first).unwrap();
    let mut config = TlsConfig::new(identity(place.path()));
    config.named = vec![("localhost".to_owned(), identity(place.path()))];
    let server = start(config);
    assert_eq!(shown(&server), Some(first.clone()));
    assert_eq!(connect(&server, false).ssl().ocsp_status(), None);

    // The files are watched.
    let second = response(&certificate, LATER);
    std::fs::write(&staple, &second).unwrap();
    server.until("seen", |server| shown(server) == Some(second.clone()));

    // Broken ones, and those of other certificates, leave what is there.
    for broken in [b"nothing".to_vec(), response(&made().0, LATER)] {
        std::fs::write(&staple, broken).unwrap();
        server.reload_tls();
        assert_eq!(shown(&server), Some(second.clone()));
    }

    // One that is out of date would make clients refuse the certificate.
    std::fs::write(&staple, response(&certificate, "20260108000000Z")).unwrap();
    server.reload_tls();
    server.until("without", |server| shown(server).is_none());
    server.stop();
}

#[test]
fn a_staple_that_cannot_be_used_is_an_error_at_start() {
    let place = tempfile::tempdir().unwrap();
    let (certificate, key) = made();
    put(place.path(), &certificate, &key);
    let staple = place.path().join("staple.der");
    let said = || Tls::load(TlsConfig::new(identity(place.path()))).unwrap_err().to_string();
    let says = |what| {
        let said = said();
        assert!(said.starts_with("ssl_stapling_file ") && said.contains(what), "{said}");
    };
    says("cannot be read");
    std::fs::write(&staple, &certificate).unwrap();
    says("no successful OCSP response in DER");
    std::fs::write(&staple, response(&made().0, LATER)).unwrap();
    says("about another certificate");
    std::fs::write(&staple, response(&certificate, LATER)).unwrap();
    assert!(Tls::load(TlsConfig::new(identity(place.path()))).is_ok());
}
