//! What the endpoint does with packets, before there is any HTTP.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reactor::config::Retry;
use reactor::tls::{Tls, TlsConfig, development};
use socket2::{Domain, Socket, Type};
use wire::limits::QUIC_HANDSHAKES_MAX;
use wire::shm::Counter;

use super::client::{self, Client};
use super::{idle, start};
use crate::played::{self, Server};

/// A packet with a long header (RFC 9000, 17.2), as long as a client's first has to be.
fn long(version: u32, len: usize) -> Vec<u8> {
    let mut packet = vec![0xc0];
    packet.extend_from_slice(&version.to_be_bytes());
    packet.extend_from_slice(&[8, 1, 2, 3, 4, 5, 6, 7, 8]);
    packet.extend_from_slice(&[4, 11, 12, 13, 14]);
    packet.resize(len, 0);
    packet
}

/// What the server answers to a packet, if anything.
fn answer_to(server: &Server, packet: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    ask(&socket, server.address(), packet)
}

fn ask(socket: &UdpSocket, server: SocketAddr, packet: &[u8]) -> Option<Vec<u8>> {
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    socket.send_to(packet, server).unwrap();
    let mut answer = [0; 2000];
    let len = socket.recv(&mut answer).ok()?;
    Some(answer[..len].to_vec())
}

#[test]
fn other_versions_are_told_of_this_one() {
    let server = start(|_| {});
    let answer = answer_to(&server, &long(0x1a2a_3a4a, 1200)).expect("version negotiation");
    assert_eq!((answer[0] & 0x80, &answer[1..5]), (0x80, &[0; 4][..]));
    // The client's own id comes first now (RFC 9000, 17.2.1).
    assert_eq!(&answer[5..19], &[4, 11, 12, 13, 14, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    let versions: Vec<_> = answer[19..].chunks(4).map(<[u8]>::to_vec).collect();
    assert!(versions.contains(&vec![0, 0, 0, 1]), "{versions:?}");
    // Who sends little gets nothing (14.1), and what is an answer itself neither.
    assert_eq!(answer_to(&server, &long(0x1a2a_3a4a, 1199)), None);
    assert_eq!(answer_to(&server, &long(0, 1200)), None);
    server.stop();
}

#[test]
fn garbage_is_dropped() {
    let server = start(|_| {});
    for packet in [vec![], vec![0], vec![0xc0; 7], vec![0xff; 255], long(1, 100), long(1, 1200)] {
        assert_eq!(answer_to(&server, &packet), None, "{packet:?}");
    }
    server.until("nothing left", idle);
    Client::connect(server.address()).close();
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn a_connection_is_counted_and_forgotten() {
    let server = start(|_| {});
    let client = Client::connect(server.address());
    assert_eq!(server.count(Counter::QuicConnections), 1);
    assert_eq!(server.count(Counter::Connections), 1);
    client.close();
    server.until("nothing left", idle);
    assert_eq!((server.count(Counter::Accepted), server.count(Counter::Closed)), (1, 1));
    assert_eq!(server.count(Counter::Aborted), 0);
    server.stop();
}

#[test]
fn who_does_not_prove_its_address_gets_three_times_what_it_sent() {
    let server = start(|_| {});
    let mut client = Client::new(server.address(), &mut client::config(), "localhost");
    let mut first = [0; 1500];
    let (len, info) = client.quic.send(&mut first).unwrap();
    client.sockets[0].send_to(&first[..len], info.to).unwrap();
    let begin = Instant::now();
    let mut received = 0;
    // Long enough for a few repetitions.
    while begin.elapsed() < Duration::from_secs(3) {
        let mut packet = [0; 2000];
        received += client.sockets[0].recv(&mut packet).unwrap_or(0);
    }
    assert!(received > 0 && received <= 3 * len, "{received} for {len}");
    server.stop();
}

#[test]
fn retry_proves_an_address() {
    let server = start(|config| config.ports[0].quic.retry = Retry::Always);
    let mut client = Client::connect(server.address());
    let (_, first) = client.received[0];
    assert_eq!(first & 0xf0, 0xf0, "the first packet is a Retry (RFC 9000, 17.2.5)");
    client.step();
    assert_eq!(server.count(Counter::Accepted), 1, "a Retry is not a connection");
    client.close();
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn a_token_of_somebody_else_opens_nothing() {
    let server = start(|config| config.ports[0].quic.retry = Retry::Always);
    let mut client = Client::new(server.address(), &mut client::config(), "localhost");
    let mut packet = [0; 1500];
    let (len, info) = client.quic.send(&mut packet).unwrap();
    let retry = ask(&client.sockets[0], server.address(), &packet[..len]).expect("a Retry");
    let mut retry = retry;
    let to = info.from;
    let from = server.address();
    let _ = client.quic.recv(&mut retry, quiche::RecvInfo { from, to });
    let (len, _) = client.quic.send(&mut packet).unwrap();
    assert_eq!(answer_to(&server, &packet[..len]), None, "from another port");
    assert_eq!(server.count(Counter::Accepted), 0);
    assert!(ask(&client.sockets[0], server.address(), &packet[..len]).is_some());
    assert_eq!(server.count(Counter::Accepted), 1);
    server.stop();
}

#[test]
fn many_open_handshakes_make_new_clients_prove_theirs() {
    let server = start(|config| config.connections_max = 1000);
    let mut packet = [0; 1500];
    let mut clients = Vec::new();
    for _ in 0..QUIC_HANDSHAKES_MAX {
        let mut client = Client::new(server.address(), &mut client::config(), "localhost");
        let (len, info) = client.quic.send(&mut packet).unwrap();
        client.sockets[0].send_to(&packet[..len], info.to).unwrap();
        clients.push(client);
    }
    let open = |server: &Server| server.count(Counter::QuicConnections);
    server.until("handshakes", |server| open(server) == QUIC_HANDSHAKES_MAX as u64);
    let late = Client::connect(server.address());
    assert_eq!(late.received[0].1 & 0xf0, 0xf0, "sent back first");
    // One that goes on makes room for one.
    clients[0].until("a handshake", |client| client.quic.is_established());
    clients[0].step();
    server.until("room", |_| {
        let mut next = Client::new(server.address(), &mut client::config(), "localhost");
        next.until("a handshake", |client| client.quic.is_established());
        next.received[0].1 & 0xf0 != 0xf0
    });
    server.stop();
}

#[test]
fn what_is_forgotten_is_reset() {
    let server = start(|_| {});
    let client = Client::connect(server.address());
    let cid = client.quic.destination_id().into_owned();
    let token = client.quic.peer_transport_params().unwrap().stateless_reset_token.unwrap();
    client.close();
    server.until("nothing left", idle);
    let mut packet = vec![0x40];
    packet.extend_from_slice(&cid);
    packet.resize(60, 7);
    let reset = answer_to(&server, &packet).expect("a reset");
    assert!(reset.len() < packet.len() && reset[0] & 0xc0 == 0x40, "{reset:?}");
    assert_eq!(reset[reset.len() - 16..], token.to_be_bytes());
    assert_eq!(answer_to(&server, &packet[..21]), None, "too short to answer with less");
    server.stop();
}

#[test]
fn no_more_connections_than_there_may_be() {
    let server = start(|config| config.connections_max = 2);
    let clients = [(); 2].map(|()| Client::connect(server.address()));
    let mut third = Client::new(server.address(), &mut client::config(), "localhost");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(500) {
        third.step();
    }
    assert!(!third.quic.is_established());
    assert_eq!(server.count(Counter::QuicConnections), 2);
    for client in clients {
        client.close();
    }
    third.until("room", |client| client.quic.is_established());
    server.stop();
}

#[test]
fn a_handshake_that_does_not_go_on_ends() {
    let mut tls = TlsConfig::new(development::localhost().unwrap());
    tls.handshake_timeout = Duration::from_millis(300);
    let server = super::start_with(tls, |_| {});
    let mut client = Client::new(server.address(), &mut client::config(), "localhost");
    let mut packet = [0; 1500];
    let (len, info) = client.quic.send(&mut packet).unwrap();
    client.sockets[0].send_to(&packet[..len], info.to).unwrap();
    server.until("a connection", |server| server.count(Counter::QuicConnections) == 1);
    server.until("nothing left", idle);
    assert_eq!(server.count(Counter::Aborted), 1);
    server.stop();
}

/// A server whose kernel does not steer: packets go to threads by their addresses.
fn start_without_steering(threads: usize) -> Server {
    let mut config = played::config();
    config.threads = threads;
    let tls = Tls::load(TlsConfig::new(development::localhost().unwrap())).unwrap();
    config.ports[0].tls = Some(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sockets = (0..threads).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        socket.set_reuse_port(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.bind(&address.into()).unwrap();
        OwnedFd::from(socket)
    });
    Server::start_over(config, listener, sockets.collect())
}

#[test]
fn threads_hand_over_what_the_kernel_does_not_steer() {
    let server = start_without_steering(3);
    let mut clients: Vec<_> = (0..12).map(|_| Client::connect(server.address())).collect();
    // The ways to 12 ports and the ids of 12 connections name the same thread each with little luck.
    for client in &mut clients {
        client.migrate();
    }
    for client in clients {
        client.close();
    }
    server.until("nothing left", idle);
    server.stop();
}

#[test]
fn one_address_has_so_many_connections_and_forged_ones_take_none() {
    let server = start(|config| config.address_connections_max = 2);
    // First packets that nobody goes on with: they could have any address.
    let mut packet = [0; 1500];
    let forged: Vec<_> = (0..10)
        .map(|_| {
            let mut client = Client::new(server.address(), &mut client::config(), "localhost");
            let (len, info) = client.quic.send(&mut packet).unwrap();
            client.sockets[0].send_to(&packet[..len], info.to).unwrap();
            client
        })
        .collect();
    server.until("two are in", |server| server.count(Counter::QuicConnections) == 2);
    // Who has the address says so by the token of a Retry.
    let clients = [(); 2].map(|()| Client::connect(server.address()));
    assert!(clients.iter().all(|client| client.received[0].1 & 0xf0 == 0xf0), "sent back first");
    assert_eq!(server.count(Counter::QuicConnections), 4);
    let mut late = Client::new(server.address(), &mut client::config(), "localhost");
    let begin = Instant::now();
    while server.count(Counter::AddressesRefused) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(20));
        late.step();
    }
    assert!(!late.quic.is_established());
    drop(forged);
    for client in clients {
        client.close();
    }
    late.until("room", |client| client.quic.is_established());
    server.stop();
}
