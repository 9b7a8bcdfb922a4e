//! TLS over QUIC: by the same certificates and rules as over TCP.

use std::sync::Arc;
use std::time::Duration;

use boring::asn1::Asn1Time;
use boring::ec::{EcGroup, EcKey};
use boring::hash::MessageDigest;
use boring::nid::Nid;
use boring::pkey::{PKey, Private};
use boring::ssl::{SslContextBuilder, SslMethod};
use boring::x509::{X509, X509NameBuilder};
use reactor::tls::certificates::{CertificateSource, Pem};
use reactor::tls::{ClientVerification, TlsConfig, development};

use wire::shm::Counter;

use super::client::{self, Client};
use super::{start, start_with};

/// A certificate and its key, PEM.
fn made() -> (Vec<u8>, Vec<u8>) {
    match development::localhost().unwrap() {
        CertificateSource::Memory(pem) => (pem.certificate.clone(), pem.key.clone()),
        CertificateSource::Files { .. } => panic!("made in memory"),
    }
}

fn memory(certificate: &[u8], key: &[u8]) -> CertificateSource {
    CertificateSource::Memory(Arc::new(Pem {
        certificate: certificate.to_vec(),
        key: key.to_vec(),
    }))
}

/// A client's certificate, signed by itself, and its key.
fn client_certificate() -> (X509, PKey<Private>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "somebody").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

fn der(pem: &[u8]) -> Vec<u8> {
    X509::from_pem(pem).unwrap().to_der().unwrap()
}

fn shown(server: std::net::SocketAddr, name: &str) -> Vec<u8> {
    let mut client = Client::new(server, &mut client::config(), name);
    client.until("a handshake", |client| client.quic.is_established());
    let shown = client.quic.peer_cert().unwrap().to_vec();
    assert_eq!(client.quic.application_proto(), b"h3");
    client.close();
    shown
}

#[test]
fn a_name_leads_to_its_certificate() {
    let [(a, a_key), (b, b_key)] = [made(), made()];
    let mut tls = TlsConfig::new(memory(&a, &a_key));
    tls.named = vec![("b.example".to_owned(), memory(&b, &b_key))];
    let server = start_with(tls, |_| {});
    assert!(shown(server.address(), "localhost") == der(&a));
    assert!(shown(server.address(), "b.example") == der(&b));
    server.stop();
}

#[test]
fn new_certificates_are_for_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let put = |(certificate, key): &(Vec<u8>, Vec<u8>)| {
        std::fs::write(folder.path().join("c.pem"), certificate).unwrap();
        std::fs::write(folder.path().join("k.pem"), key).unwrap();
    };
    let [first, second] = [made(), made()];
    put(&first);
    let identity = CertificateSource::Files {
        certificate: folder.path().join("c.pem"),
        key: folder.path().join("k.pem"),
        passphrase: None,
        staple: None,
    };
    let server = start_with(TlsConfig::new(identity), |config| config.threads = 2);
    let mut worker = server.add_worker(0, 0);
    let mut old = Client::connect(server.address());
    assert!(old.quic.peer_cert() == Some(&der(&first.0)[..]));
    put(&second);
    server.reload_tls();
    server.until("the new one", |server| shown(server.address(), "localhost") == der(&second.0));
    // In every thread.
    for _ in 0..8 {
        assert!(shown(server.address(), "localhost") == der(&second.0));
    }
    let stream = old.get("/");
    let request = worker.request();
    worker.respond(request.id, 200, b"still here");
    assert_eq!(old.answer(stream).body, b"still here");
    server.stop();
}

#[test]
fn a_client_must_show_a_certificate_where_one_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = client_certificate();
    let pem = certificate.to_pem().unwrap();
    let authorities = folder.path().join("ca.pem");
    std::fs::write(&authorities, &pem).unwrap();
    let mut tls = TlsConfig::new(development::localhost().unwrap());
    tls.clients = Some(ClientVerification { authorities, depth_max: 1 });
    let server = start_with(tls, |_| {});
    let mut worker = server.add_worker(0, 0);

    let mut nobody = Client::new(server.address(), &mut client::config(), "localhost");
    nobody.until_closed();
    let error = nobody.quic.peer_error().expect("an alert");
    // certificate_required (RFC 8446, 6.2; RFC 9001, 4.8).
    assert_eq!((error.is_app, error.error_code), (false, 0x100 + 116));

    let mut builder = SslContextBuilder::new(SslMethod::tls()).unwrap();
    builder.set_certificate(&certificate).unwrap();
    builder.set_private_key(&key).unwrap();
    let mut config = client::config_over(builder);
    let mut somebody = Client::connect_with(server.address(), &mut config);
    let stream = somebody.get("/");
    let request = worker.request();
    let tls = request.head.tls.as_ref().and_then(|tls| tls.facts()).unwrap();
    assert!(
        tls.client
            .is_some_and(|client| (client.subject, client.pem.as_bytes()) == ("CN=somebody", &pem))
    );
    worker.respond(request.id, 200, b"hello");
    assert_eq!(somebody.answer(stream).status, 200);
    server.stop();
}

#[test]
fn a_handshake_that_fails_costs_no_connection() {
    let server = start(|_| {});
    let mut config = client::config();
    config.set_application_protos(&[b"h9"]).unwrap();
    let mut client = Client::new(server.address(), &mut config, "localhost");
    client.until_closed();
    let error = client.quic.peer_error().expect("an alert");
    // no_application_protocol (RFC 9001, 8.1).
    assert_eq!((error.is_app, error.error_code), (false, 0x100 + 120));
    server.until("nothing left", super::idle);
    server.stop();
}

#[test]
fn a_connection_writes_what_happens_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    let server = start(|config| config.ports[0].quic.qlog_dir = Some(dir));
    Client::connect(server.address()).close();
    server.until("nothing left", super::idle);
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    assert!(text.contains("packet_received") && text.contains("connection_closed"), "{text}");
    server.stop();
}

#[test]
fn a_session_is_good_in_the_next_reactor() {
    let tls = TlsConfig::new(development::localhost().unwrap());
    let mut session: Option<Vec<u8>> = None;
    for resumed in [false, true] {
        let server = start_with(tls.clone(), |config| config.threads = 2);
        let mut client = Client::new(server.address(), &mut client::config(), "localhost");
        if let Some(session) = &session {
            client.quic.set_session(session).unwrap();
        }
        client.until("a ticket", |client| client.quic.session().is_some());
        assert_eq!(client.quic.is_resumed(), resumed);
        let counters = [Counter::TlsHandshakes, Counter::TlsResumptions];
        let counted = counters.map(|counter| server.count(counter));
        assert_eq!(counted, [u64::from(!resumed), u64::from(resumed)]);
        session = client.quic.session().map(<[u8]>::to_vec);
        client.close();
        server.drain(Duration::ZERO);
        server.ended();
    }
}

#[test]
fn a_host_that_no_certificate_is_for_gets_421() {
    let (certificate, key) = made();
    let mut tls = TlsConfig::new(memory(&certificate, &key));
    tls.check_authority = true;
    let server = start_with(tls, |_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = Client::connect(server.address());
    for (nth, body) in [None, Some(&[b'x'; 1_000][..]), Some(&[b'x'; 300_000])].iter().enumerate() {
        let stream = client.request_of("other.example", "POST", "/", *body);
        let answer = client.answer(stream);
        assert_eq!(answer.status, 421);
        assert_eq!(answer.body, b"421 Misdirected Request\n");
        server.counted(Counter::Refused, nth as u64 + 1);
        assert_eq!(server.count(Counter::Requests), nth as u64);
        // The connection goes on.
        let stream = client.get("/");
        let request = worker.request();
        worker.respond(request.id, 200, b"own");
        assert_eq!(client.answer(stream).status, 200);
    }
    client.close();
    server.stop();
}
