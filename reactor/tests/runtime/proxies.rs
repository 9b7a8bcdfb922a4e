//! Proxies in front of a port: whose word is taken about clients, and the PROXY protocol.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reactor::Config;
use reactor::config::{ProxySettings, TrustedProxies};
use reactor::protocol::h2::PREFACE;
use reactor::protocol::settings::HttpSettings;
use reactor::tls::{Tls, TlsConfig, development};
use wire::shm::Counter;
use wire::{RequestHead, Scheme, ToWorker, Version};

use crate::http2::frame;
use crate::played::{Server, Worker, response_of};
use crate::quic;
use crate::tls::connector;

fn proxies(words: &[&str], protocol: bool) -> ProxySettings {
    let mut trusted = TrustedProxies::default();
    assert!(words.iter().all(|word| trusted.add(word)));
    ProxySettings { trusted, protocol, ..ProxySettings::default() }
}

fn start(words: &[&str], protocol: bool, tweak: impl FnOnce(&mut Config)) -> Server {
    Server::start(|config| {
        config.ports[0].proxies = proxies(words, protocol);
        tweak(config);
    })
}

fn with_tls(config: &mut Config, check_authority: bool) {
    let mut tls = TlsConfig::new(development::localhost().unwrap());
    tls.check_authority = check_authority;
    config.ports[0].tls = Some(Arc::new(Tls::load(tls).unwrap()));
}

const FORWARDED: [(&str, &str); 3] = [
    ("x-forwarded-for", "6.6.6.6, 192.0.2.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "shop.example"),
];

fn http1(fields: &[(&str, &str)]) -> Vec<u8> {
    let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET / HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").into_bytes()
}

/// The frame of a request on stream 1, in literals without an index (RFC 7541, 6.2.2).
fn http2(scheme: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let control =
        [(":method", "GET"), (":scheme", scheme), (":authority", "localhost"), (":path", "/")];
    let mut block = Vec::new();
    for (name, value) in control.iter().chain(fields) {
        block.push(0);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    frame(1, 5, 1, &block)
}

/// A client of HTTP/2 that has said who it is.
fn preface() -> Vec<u8> {
    [&PREFACE[..], &frame(4, 0, 0, b"")].concat()
}

fn served(worker: &mut Worker) -> RequestHead {
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    *request.head
}

fn client_of(head: &RequestHead) -> String {
    let host = String::from_utf8_lossy(head.fields.get(b"host").unwrap()).into_owned();
    let origin = &head.origin;
    format!("{} {} {host} {:?}", origin.remote.unwrap(), head.scheme.as_str(), origin.server_port)
}

fn is_closed(client: &mut impl Read) -> bool {
    !matches!(client.read(&mut [0]), Ok(1..))
}

/// Every protocol alike: a proxy that is trusted, and one that is not.
#[test]
fn only_trusted_senders_speak_for_others() {
    for trusted in [true, false] {
        let words = if trusted { ["127.0.0.1"] } else { ["192.0.2.0/24"] };
        let expect = |head: &RequestHead, own: SocketAddr, scheme: &str| {
            let wanted = match trusted {
                true => "192.0.2.1:0 https shop.example Some(443)".to_owned(),
                false => format!("{own} {scheme} localhost None"),
            };
            assert_eq!(client_of(head), wanted, "{:?}", head.version);
            // What was said stays to be seen.
            for (name, value) in FORWARDED {
                assert_eq!(head.fields.get(name.as_bytes()), Some(value.as_bytes()));
            }
        };
        let server = start(&words, false, |_| {});
        let mut worker = server.add_worker(0, 0);
        let mut client = server.connect();
        client.write_all(&http1(&FORWARDED)).unwrap();
        expect(&served(&mut worker), client.local_addr().unwrap(), "http");
        let mut client = server.connect();
        client.write_all(&[preface(), http2("http", &FORWARDED)].concat()).unwrap();
        expect(&served(&mut worker), client.local_addr().unwrap(), "http");
        server.stop();

        let server = start(&words, false, |config| with_tls(config, false));
        let mut worker = server.add_worker(0, 0);
        for alpn in [&b"\x08http/1.1"[..], b"\x02h2"] {
            let mut connector = connector();
            connector.set_alpn_protos(alpn).unwrap();
            let mut client = connector.build().connect("localhost", server.connect()).unwrap();
            let bytes = match alpn {
                b"\x02h2" => [preface(), http2("https", &FORWARDED)].concat(),
                _ => http1(&FORWARDED),
            };
            client.write_all(&bytes).unwrap();
            let head = served(&mut worker);
            assert_eq!(head.version == Version::Http2, alpn == b"\x02h2");
            expect(&head, client.get_ref().local_addr().unwrap(), "https");
        }
        let mut client = quic::client::Client::connect(server.address());
        client.request_with("localhost", "GET", "/", &FORWARDED, None);
        let head = served(&mut worker);
        assert_eq!(head.version, Version::Http3);
        expect(&head, client.sockets[0].local_addr().unwrap(), "https");
        server.stop();
    }
}

/// An https target over cleartext passes for secured, unless who sends it is trusted (RFC 9110, 7.4).
#[test]
fn a_trusted_proxy_may_name_another_scheme() {
    let absolute = b"GET https://shop.example/ HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    for trusted in [true, false] {
        let words = if trusted { ["private_ranges"] } else { ["192.0.2.1"] };
        let server = start(&words, false, |_| {});
        let mut worker = server.add_worker(0, 0);
        let mut client = server.connect();
        client.write_all(absolute).unwrap();
        let mut h2 = server.connect();
        h2.write_all(&[preface(), http2("https", &[])].concat()).unwrap();
        if trusted {
            for _ in 0..2 {
                assert_eq!(served(&mut worker).scheme, Scheme::Https);
            }
        }
        let status = if trusted { "200" } else { "400" };
        assert!(response_of(&mut client).starts_with(&format!("HTTP/1.1 {status} ")));
        server.until("refused", |server| server.count(Counter::Refused) == 2 * u64::from(!trusted));
        server.stop();
    }
}

#[test]
fn what_a_proxy_says_may_be_refused() {
    let server = start(&["127.0.0.0/8"], false, |_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    for fields in [
        &[("Forwarded", "for=\"1.2.3.4, for=5.6.7.8")][..],
        &[("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "192.0.2.1")],
    ] {
        client.write_all(&http1(fields)).unwrap();
        let response = response_of(&mut client);
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    }
    client.write_all(&http1(&[("Forwarded", "for=\"[2001:db8::1]:9\";proto=https")])).unwrap();
    assert_eq!(client_of(&served(&mut worker)), "[2001:db8::1]:9 https localhost Some(443)");
    server.stop();
}

#[test]
fn a_trusted_proxy_has_seen_to_the_host() {
    for (words, status) in [(["127.0.0.1"], 200), (["192.0.2.1"], 421)] {
        let server = start(&words, false, |config| with_tls(config, true));
        let mut worker = server.add_worker(0, 0);
        let mut client = connector().build().connect("localhost", server.connect()).unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").unwrap();
        if status == 200 {
            served(&mut worker);
        }
        assert!(response_of(&mut client).starts_with(&format!("HTTP/1.1 {status} ")));
        server.stop();
    }
}

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.1 5000 8443\r\n";

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    [&signature[..], &[command, family], &(rest.len() as u16).to_be_bytes(), rest].concat()
}

/// 192.0.2.1:5000 to 198.51.100.1:8443, over TLS with the proxy or not.
fn v2_of_client(tls: bool) -> Vec<u8> {
    let addresses = [192, 0, 2, 1, 198, 51, 100, 1, 0x13, 0x88, 0x20, 0xfb];
    v2(0x21, 0x11, &[&addresses[..], &[0x20, 0, 5, u8::from(tls), 0, 0, 0, 0]].concat())
}

/// Version 1 and 2, in one packet with what follows or byte by byte, before each protocol over TCP.
#[test]
fn the_proxy_protocol_tells_the_client() {
    let (client_address, local) = ("192.0.2.1:5000", "198.51.100.1:8443");
    let headers =
        [(V1.to_vec(), "http"), (v2_of_client(false), "http"), (v2_of_client(true), "https")];
    for secure in [false, true] {
        let server = start(&["127.0.0.1"], true, |config| {
            if secure {
                with_tls(config, false);
            }
        });
        let mut worker = server.add_worker(0, 0);
        for (header, scheme) in &headers {
            for (version, bytewise) in
                [(Version::Http11, false), (Version::Http11, true), (Version::Http2, false)]
            {
                let scheme = if secure { "https" } else { scheme };
                let is_http2 = version == Version::Http2;
                // What only the client can say of itself counts for nothing.
                let fields = &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "ftp")];
                let bytes = match is_http2 {
                    true => [preface(), http2(scheme, fields)].concat(),
                    false => http1(fields),
                };
                let mut client = server.connect();
                client.set_nodelay(true).unwrap();
                if secure {
                    begin(&mut client, header, bytewise);
                    let mut connector = connector();
                    connector
                        .set_alpn_protos(if is_http2 { b"\x02h2" } else { b"\x08http/1.1" })
                        .unwrap();
                    let mut client = connector.build().connect("localhost", client).unwrap();
                    client.write_all(&bytes).unwrap();
                    check(&served(&mut worker), version, client_address, local, scheme);
                } else {
                    begin(&mut client, &[header, &bytes[..]].concat(), bytewise);
                    check(&served(&mut worker), version, client_address, local, scheme);
                }
            }
        }
        server.stop();
    }
}

fn begin(client: &mut TcpStream, bytes: &[u8], bytewise: bool) {
    if bytewise {
        bytes.iter().for_each(|byte| client.write_all(&[*byte]).unwrap());
    } else {
        client.write_all(bytes).unwrap();
    }
}

fn check(head: &RequestHead, version: Version, client: &str, local: &str, scheme: &str) {
    assert_eq!(head.version, version);
    assert_eq!(head.origin.remote, Some(client.parse().unwrap()));
    assert_eq!(head.origin.local, Some(local.parse().unwrap()));
    assert_eq!((head.scheme.as_str(), head.origin.trusted_proxy), (scheme, false));
    assert_eq!(head.fields.get(b"host"), Some(&b"localhost"[..]));
}

/// For itself a proxy may say all; for somebody whom it does not name, nothing.
#[test]
fn a_proxy_that_names_no_client() {
    let server = start(&["127.0.0.1"], true, |_| {});
    let mut worker = server.add_worker(0, 0);
    for (header, is_own) in [
        (v2(0x20, 0, b""), true),
        (v2(0x20, 0xff, b"\x01\x02\x03"), true),
        (v2(0x21, 0, b""), false),
        (v2(0x21, 0x31, &[b'x'; 216]), false),
        (b"PROXY UNKNOWN\r\n".to_vec(), false),
    ] {
        let mut client = server.connect();
        client.write_all(&[&header[..], &http1(&FORWARDED)].concat()).unwrap();
        let own = client.local_addr().unwrap();
        let head = served(&mut worker);
        let wanted = match is_own {
            true => "192.0.2.1:0 https shop.example Some(443)".to_owned(),
            false => format!("{own} http localhost None"),
        };
        assert_eq!(client_of(&head), wanted, "{header:?}");
    }
    // A proxy behind another one.
    let mut client = server.connect();
    let header = b"PROXY TCP4 127.0.0.1 127.0.0.1 5 6\r\n";
    client.write_all(&[&header[..], &http1(&FORWARDED)].concat()).unwrap();
    assert_eq!(client_of(&served(&mut worker)), "192.0.2.1:0 https shop.example Some(443)");
    server.stop();
}

#[test]
fn a_connection_without_a_good_header_is_closed() {
    let http =
        HttpSettings { first_byte_timeout: Duration::from_millis(300), ..HttpSettings::default() };
    let server = start(&["127.0.0.1"], true, |config| config.ports[0].http = http.into());
    let bad: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PROXY TCP4 1 2 3 4\r\n",
        &[&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat(),
        b"\x16\x03\x01\x02\x00",
        &PREFACE[..],
        &v2(0x21, 0x11, b"short"),
        &v2(0x21, 0, &[0; 5000])[..16],
    ];
    for (count, bytes) in bad.into_iter().enumerate() {
        let mut client = server.connect();
        client.write_all(bytes).unwrap();
        assert!(is_closed(&mut client), "{bytes:?}");
        server.until("refused", |server| server.count(Counter::Refused) == count as u64 + 1);
    }
    // It has its time, whatever comes meanwhile; and an end within it is one.
    for (bytes, ends) in
        [(&b""[..], false), (b"PROXY TCP4 1.2", false), (b"PROXY TCP4 1.2", true), (b"", true)]
    {
        let mut client = server.connect();
        let begun = Instant::now();
        client.write_all(bytes).unwrap();
        if ends {
            client.shutdown(std::net::Shutdown::Write).unwrap();
        }
        assert!(is_closed(&mut client));
        assert!(ends || begun.elapsed() > Duration::from_millis(250));
    }
    server.until("nobody is left", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn only_trusted_senders_are_heard_on_a_port_with_the_proxy_protocol() {
    let server = start(&["192.0.2.1"], true, |_| {});
    for bytes in [V1, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut client = server.connect();
        let _ = client.write_all(bytes);
        assert!(is_closed(&mut client));
    }
    server.until("closed", |server| server.count(Counter::Closed) == 2);
    assert_eq!((server.count(Counter::Connections), server.count(Counter::Aborted)), (0, 2));
    server.stop();
}

/// Connections are those of the clients, not of the proxy.
#[test]
fn connections_are_counted_by_the_clients_address() {
    let server = start(&["127.0.0.1"], true, |config| config.address_connections_max = 2);
    let mut worker = server.add_worker(0, 0);
    let of = |client: u8| {
        let mut socket = server.connect();
        let header = format!("PROXY TCP4 192.0.2.{client} 127.0.0.1 5 6\r\n");
        socket.write_all(&[header.as_bytes(), &http1(&[])].concat()).unwrap();
        socket
    };
    let mut clients = Vec::new();
    for client in [1, 2, 1, 2, 3] {
        clients.push(of(client));
        assert_eq!(
            served(&mut worker).origin.remote.unwrap().ip(),
            std::net::Ipv4Addr::new(192, 0, 2, client)
        );
    }
    assert!(is_closed(&mut of(1)));
    assert_eq!(server.count(Counter::AddressesRefused), 1);
    drop(clients);
    server.until("they have gone", |server| server.count(Counter::Connections) == 0);
    let _again = of(1);
    served(&mut worker);
    server.stop();

    // Those of a proxy that tells of its clients by fields are not counted.
    let server = start(&["127.0.0.1"], false, |config| config.address_connections_max = 2);
    let mut worker = server.add_worker(0, 0);
    let _clients: Vec<_> = (0..5)
        .map(|_| {
            let mut client = server.connect();
            client.write_all(&http1(&[])).unwrap();
            served(&mut worker);
            client
        })
        .collect();
    assert_eq!(server.count(Counter::AddressesRefused), 0);
    server.stop();
}

/// Who has connected is known when the proxy has said so; who never was announced does not leave.
#[test]
fn workers_hear_of_connections_when_they_are_known() {
    let server = start(&["127.0.0.1"], true, |config| {
        config.ports[0].notify_open = true;
        config.ports[0].notify_close = true;
    });
    let mut worker = server.add_worker(0, 0);
    let mut stranger = server.connect();
    stranger.write_all(b"nothing of the kind").unwrap();
    assert!(is_closed(&mut stranger));
    server.until("it has gone", |server| server.count(Counter::Closed) == 1);
    let mut client = server.connect();
    client.write_all(V1).unwrap();
    let (_, ToWorker::Opened { origin, .. }) = worker.next() else { panic!("not opened") };
    assert_eq!(origin.remote, Some("192.0.2.1:5000".parse().unwrap()));
    drop(client);
    server.stop();
}
