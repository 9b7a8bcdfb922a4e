//! What clients and workers may make the reactor hold: files, their bytes, descriptors, and the
//! connections of one address.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use wire::shm::Counter;
use wire::{BodyLength, FileSlice, Part};

use super::played::{BODY_MEMORY_BYTES_MAX, Server, Worker, response_of};
use super::{GET, get};

/// A client whose request's content is in a file and goes on.
fn uploading(server: &Server, before: u64) -> TcpStream {
    let mut client = server.connect();
    upload(&mut client);
    server.until("a file", |server| server.count(Counter::BodyFiles) == before + 1);
    client
}

fn upload(client: &mut TcpStream) {
    write!(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n").unwrap();
    let _ = client.write_all(&vec![b'x'; BODY_MEMORY_BYTES_MAX + 1]);
}

#[test]
fn bodies_in_files_are_bounded_and_their_end_makes_room() {
    let server = Server::start(|config| config.spool_files_max = 2);
    let mut worker = server.add_worker(0, 0);
    let first = uploading(&server, 0);
    let _second = uploading(&server, 1);
    let mut third = server.connect();
    upload(&mut third);
    let response = response_of(&mut third);
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    assert!(response.contains("\r\nRetry-After: "), "{response}");
    assert_eq!(server.count(Counter::BodiesRefused), 1);
    // Who needs no file is served.
    let mut other = server.connect();
    other.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(response_of(&mut other).starts_with("HTTP/1.1 200 "));
    drop(first);
    server.until("room", |server| server.count(Counter::BodyFiles) == 1);
    let _fourth = uploading(&server, 1);
    server.stop();
}

#[test]
fn the_bytes_of_bodies_in_files_are_bounded_together() {
    let server = Server::start(|config| config.spool_bytes_max = 150_000);
    let mut first = uploading(&server, 0);
    let mut second = uploading(&server, 1);
    first.write_all(&[b'x'; 30_000]).unwrap();
    assert!(response_of(&mut first).starts_with("HTTP/1.1 503 "));
    server.until("one left", |server| server.count(Counter::BodyFiles) == 1);
    server.until("its bytes", |server| {
        server.count(Counter::BodyBytes) == BODY_MEMORY_BYTES_MAX as u64 + 1
    });
    second.write_all(&[b'x'; 30_000]).unwrap();
    server.until("there is room again", |server| server.count(Counter::BodyBytes) > 90_000);
    drop(second);
    server.until("nothing left", |server| server.count(Counter::BodyBytes) == 0);
    server.stop();
}

/// How a pipe's reading end stands: `true` when nobody holds the other one any more.
fn is_closed(reader: &mut std::io::PipeReader) -> bool {
    matches!(reader.read(&mut [0]), Ok(0))
}

#[test]
fn a_file_frame_without_its_descriptor_costs_one_answer_and_no_link() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut clients = [server.connect(), server.connect()];
    clients[0].write_all(&get("/0")).unwrap();
    let first = worker.request();
    worker.file_without_descriptor(first.id, 5);
    let response = response_of(&mut clients[0]);
    assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    // The handler goes on for a while: what it still says is dropped.
    worker.send(first.id, Part::Body(b"more".to_vec().into()));
    worker.send(first.id, Part::End(None));
    clients[1].write_all(&get("/1")).unwrap();
    let second = worker.request();
    worker.respond(second.id, 200, b"the same worker");
    assert!(response_of(&mut clients[1]).ends_with("the same worker"));
    assert_eq!((server.count(Counter::FilesRefused), server.count(Counter::Lost)), (1, 0));
    server.stop();
}

#[test]
fn descriptors_that_no_frame_takes_are_closed() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.send(request.id, Part::Head(super::played::head_of(200, BodyLength::Streamed)));
    let (mut reader, writer) = std::io::pipe().unwrap();
    for count in [1, 16, 17, 200, 253] {
        worker.stray_descriptors(request.id, &writer, count);
    }
    drop(writer);
    // Each body frame has come with descriptors; the last may still wait for its frame.
    let (other, last) = std::io::pipe().unwrap();
    worker.stray_descriptors(request.id, &last, 1);
    worker.send(request.id, Part::End(None));
    let mut answer = Vec::new();
    while !answer.ends_with(b"0\r\n\r\n") {
        let mut piece = [0; 1000];
        let len = client.read(&mut piece).unwrap();
        assert!(len > 0, "cut off");
        answer.extend_from_slice(&piece[..len]);
    }
    assert!(is_closed(&mut reader), "nobody holds them");
    drop((other, last));
    assert_eq!(server.count(Counter::Lost), 0);
    server.stop();
}

/// The files that this process, whose threads the reactor's are, has open by this path.
fn open_by(path: &Path) -> usize {
    let entries = fs::read_dir("/proc/self/fd").unwrap().flatten();
    entries.filter(|entry| fs::read_link(entry.path()).is_ok_and(|file| file == path)).count()
}

/// Has a worker send a part of a file, which it opens as `sendfile()` does, to a client that does not read.
fn send_unread(server: &Server, worker: &mut Worker, path: &Path, offset: u64) -> TcpStream {
    let mut client = server.connect();
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let request = worker.request();
    let file = File::open(path).unwrap();
    let len = file.metadata().unwrap().len() - offset;
    worker.head(request.id, 200, BodyLength::Known(len));
    worker.send(request.id, Part::File(FileSlice::new(file.into(), offset, len)));
    worker.send(request.id, Part::End(None));
    client
}

fn content_of(client: &mut TcpStream) -> Vec<u8> {
    let mut response = Vec::new();
    // One that is broken off may end with a reset.
    let _ = client.read_to_end(&mut response);
    let at = response.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    response.split_off(at)
}

/// Large enough for no socket to hold it, and no two places of it are alike.
fn large_file(dir: &Path, name: &str) -> (PathBuf, Vec<u8>) {
    let content: Vec<u8> = (0..4u32 << 20).flat_map(u32::to_le_bytes).collect();
    let path = dir.join(name);
    fs::write(&path, &content).unwrap();
    (path, content)
}

#[test]
fn a_file_that_many_answers_send_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let (one, content) = large_file(dir.path(), "one");
    let (two, _) = large_file(dir.path(), "two");
    // Connections leave room for one file that is sent.
    let server = Server::start(|config| {
        config.threads = 1;
        config.connections_max = 10_000_000;
    });
    let mut worker = server.add_worker(0, 0);
    let offset = |n: usize| n * 1_000_001;
    let send = |worker: &mut Worker, path: &Path, n| {
        let client = send_unread(&server, worker, path, offset(n) as u64);
        server.until("it is answered", |server| server.count(Counter::Exchanges) == 0);
        client
    };
    let mut clients: Vec<_> = (0..10).map(|n| send(&mut worker, &one, n)).collect();
    assert_eq!((server.count(Counter::SentFiles), open_by(&one)), (1, 1));
    let mut refused = send(&mut worker, &two, 0);
    server.counted(Counter::FilesRefused, 1);
    let _ = refused.read_to_end(&mut Vec::new());
    // The first has gone, and nobody else asks from the beginning.
    drop(clients.remove(0));
    clients.push(send(&mut worker, &one, 10));
    for (client, n) in clients.iter_mut().zip(1..) {
        assert!(content_of(client) == content[offset(n)..], "{n}");
    }
    assert_eq!(server.count(Counter::FilesRefused), 1);
    server.until("it is closed", |server| server.count(Counter::SentFiles) == 0);
    assert_eq!(open_by(&one), 0);
    let mut last = send(&mut worker, &two, 0);
    assert!(content_of(&mut last) == content);
    server.stop();
}

#[test]
fn a_file_that_changes_between_answers_is_not_mixed_with_what_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (path, content) = large_file(dir.path(), "file");
    let server = Server::start(|config| config.threads = 1);
    let mut worker = server.add_worker(0, 0);
    let mut before = send_unread(&server, &mut worker, &path, 0);
    server.until("one is open", |server| server.count(Counter::SentFiles) == 1);
    let new: Vec<u8> = content.iter().rev().copied().collect();
    fs::write(dir.path().join("new"), &new).unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    let mut after = send_unread(&server, &mut worker, &path, 0);
    server.until("both are open", |server| server.count(Counter::SentFiles) == 2);
    assert!(content_of(&mut after) == new);
    assert!(content_of(&mut before) == content);
    server.stop();
}

#[test]
fn a_file_that_shrinks_breaks_off_all_answers_that_send_it() {
    let dir = tempfile::tempdir().unwrap();
    let (path, content) = large_file(dir.path(), "file");
    let server = Server::start(|config| config.threads = 1);
    let mut worker = server.add_worker(0, 0);
    let mut clients = [0, 1, 2].map(|n| send_unread(&server, &mut worker, &path, n));
    server.until("they are answered", |server| server.count(Counter::Exchanges) == 0);
    assert_eq!(server.count(Counter::SentFiles), 1);
    File::options().write(true).open(&path).unwrap().set_len(content.len() as u64 / 2).unwrap();
    for (client, n) in clients.iter_mut().zip(0..) {
        let got = content_of(client);
        assert!(got.len() <= content.len() / 2 && content[n..].starts_with(&got), "{n}");
    }
    server.until("it is closed", |server| server.count(Counter::SentFiles) == 0);
    server.stop();
}

fn connect_from(from: Ipv4Addr, server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&server.address().into()).unwrap();
    let client = TcpStream::from(socket);
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client
}

fn is_refused(client: &mut TcpStream) -> bool {
    let _ = client.write_all(GET);
    !matches!(client.read(&mut [0]), Ok(1..))
}

#[test]
fn one_address_does_not_take_the_connections_of_others() {
    let server = Server::start(|config| {
        config.connections_max = 50;
        config.address_connections_max = 10;
        config.threads = 2;
    });
    let mut worker = server.add_worker(0, 0);
    let mut greedy: Vec<_> = (0..60).map(|_| server.connect()).collect();
    server.until("refused", |server| server.count(Counter::AddressesRefused) == 50);
    // The last of the others may still be on its way to its thread.
    server.until("taken", |server| server.count(Counter::Connections) == 10);
    assert!(is_refused(&mut greedy[59]));
    let mut other = connect_from(Ipv4Addr::new(127, 0, 0, 2), &server);
    other.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(response_of(&mut other).starts_with("HTTP/1.1 200 "));
    drop(greedy);
    server.until("they have gone", |server| server.count(Counter::Connections) == 1);
    let mut again = server.connect();
    again.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(response_of(&mut again).starts_with("HTTP/1.1 200 "));
    server.stop();
}

#[test]
fn connections_without_a_whole_head_are_bounded_apart() {
    let server = Server::start(|config| config.address_pending_max = 2);
    let mut worker = server.add_worker(0, 0);
    let mut clients: Vec<TcpStream> = Vec::new();
    for _ in 0..5 {
        let mut client = server.connect();
        client.write_all(GET).unwrap();
        let request = worker.request();
        worker.respond(request.id, 200, b"");
        assert!(response_of(&mut client).starts_with("HTTP/1.1 200 "));
        clients.push(client);
    }
    let mut slow = [server.connect(), server.connect()];
    for client in &mut slow {
        client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    }
    server.until("they are there", |server| server.count(Counter::Connections) == 7);
    let mut late = server.connect();
    assert!(is_refused(&mut late));
    slow[0].write_all(b"Host: x\r\n\r\n").unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(response_of(&mut slow[0]).starts_with("HTTP/1.1 200 "));
    let mut next = server.connect();
    next.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(response_of(&mut next).starts_with("HTTP/1.1 200 "));
    server.stop();
}
