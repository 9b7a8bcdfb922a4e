//! Files that responses of workers name.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use reactor::config::FileRedirects;
use reactor::handler::files::root::Symlinks;
use wire::BodyLength::{Known, Streamed};
use wire::shm::Counter;
use wire::{ExchangeId, Part, ResponseHead};

use super::get;
use super::played::{Server, Worker, response_of};

fn start(dir: &Path, sendfile: bool, accel: bool) -> Server {
    fs::create_dir(dir.join("private")).unwrap();
    fs::write(dir.join("private/ten.txt"), "0123456789").unwrap();
    fs::write(dir.join("private/large.bin"), vec![b'x'; 1 << 20]).unwrap();
    fs::write(dir.join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../secret", dir.join("private/link")).unwrap();
    let root = dir.join("private");
    let redirects = FileRedirects {
        roots: if sendfile { vec![root.clone()] } else { Vec::new() },
        locations: if accel { vec![("/internal/".into(), root)] } else { Vec::new() },
        symlinks: Symlinks::Inside,
    };
    Server::start(|config| config.ports[0].redirects = Some(Arc::new(redirects)))
}

fn answer(worker: &mut Worker, id: ExchangeId, status: u16, lines: &[(&str, &str)], body: &[u8]) {
    let fields = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let length = if body.is_empty() { Known(0) } else { Streamed };
    let status = status.try_into().unwrap();
    worker.send(
        id,
        Part::Head(ResponseHead { status, reason: None, length, fields, id_field: None }),
    );
    if !body.is_empty() {
        worker.send(id, Part::Body(body.to_vec().into()));
    }
    worker.send(id, Part::End(None));
}

#[test]
fn a_file_takes_the_place_of_the_response_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), true, true);
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    let path = dir.path().join("private/ten.txt");
    let path = path.to_str().unwrap();
    let mut ask = |request: &[u8], status, lines: &[(&str, &str)], body: &[u8]| {
        client.write_all(request).unwrap();
        let request = worker.request();
        answer(&mut worker, request.id, status, lines, body);
        response_of(&mut client)
    };
    for lines in [
        &[("x-sendfile", path), ("x-own", "kept"), ("content-length", "0")][..],
        &[
            ("x-accel-redirect", "/internal/ten.txt"),
            ("x-own", "kept"),
            ("x-accel-buffering", "no"),
        ],
    ] {
        let response = ask(&get("/"), 200, lines, b"");
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.ends_with("\r\n\r\n0123456789"), "{response}");
        let lower = response.to_lowercase();
        assert!(
            lower.contains("\r\nx-own: kept\r\n") && lower.contains("text/plain"),
            "{response}"
        );
        assert!(!lower.contains("x-sendfile") && !lower.contains("x-accel"), "{response}");
    }
    // The handler's content is dropped, its type and its status stay.
    let lines = [("x-sendfile", path), ("content-type", "a/b")];
    let response = ask(&get("/"), 404, &lines, b"<p>nothing</p>");
    assert!(response.starts_with("HTTP/1.1 404 "), "{response}");
    assert!(response.contains(": a/b\r\n") && response.ends_with("0123456789"), "{response}");
    let range = b"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=2-3\r\n\r\n";
    let response = ask(range, 200, &[("x-sendfile", path)], b"");
    assert!(response.starts_with("HTTP/1.1 206 ") && response.ends_with("23"), "{response}");
    // What may not be named is not sent, and nor is its name.
    let secret = dir.path().join("secret");
    let link = dir.path().join("private/link");
    for lines in [
        [("x-sendfile", secret.to_str().unwrap())],
        [("x-sendfile", "/etc/passwd")],
        [("x-sendfile", link.to_str().unwrap())],
        [("x-accel-redirect", "/internal/../secret")],
        [("x-accel-redirect", "/elsewhere")],
        [("x-accel-redirect", "/internal/missing")],
    ] {
        let response = ask(&get("/"), 200, &lines, b"");
        assert!(response.starts_with("HTTP/1.1 404 "), "{lines:?} {response}");
        assert!(!response.to_lowercase().contains("x-"), "{response}");
    }
    let response = ask(&get("/"), 204, &[("x-sendfile", path)], b"");
    assert!(response.starts_with("HTTP/1.1 204 "), "{response}");
    assert!(!response.to_lowercase().contains("x-sendfile"), "{response}");
    server.stop();
}

#[test]
fn without_an_option_the_headers_are_as_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), false, false);
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(&get("/")).unwrap();
    let request = worker.request();
    let lines = [("x-sendfile", "/a"), ("x-accel-redirect", "/b")];
    answer(&mut worker, request.id, 200, &lines, b"");
    let response = response_of(&mut client).to_lowercase();
    assert!(response.contains("\r\nx-sendfile: /a\r\n"), "{response}");
    assert!(response.contains("\r\nx-accel-redirect: /b\r\n"), "{response}");
    server.stop();
}

#[test]
fn the_worker_is_free_while_nobody_reads_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), true, false);
    fs::write(dir.path().join("private/huge.bin"), vec![b'x'; 32 << 20]).unwrap();
    let mut worker = server.add_worker(0, 0);
    let path = dir.path().join("private/huge.bin");
    let mut unread: Vec<_> = (0..5).map(|_| server.connect()).collect();
    for client in &mut unread {
        client.write_all(&get("/huge")).unwrap();
        let request = worker.request();
        answer(&mut worker, request.id, 200, &[("x-sendfile", path.to_str().unwrap())], b"");
    }
    let mut other = server.connect();
    other.write_all(&get("/other")).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"other");
    assert!(response_of(&mut other).ends_with("other"));
    drop(unread);
    server.until("they are gone", |server| server.count(Counter::Connections) == 1);
    assert_eq!(server.count(Counter::Exchanges), 0);
    server.stop();
}
