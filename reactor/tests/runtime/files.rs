//! Files that the reactor sends without a worker.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use reactor::Config;
use reactor::config::{FilesConfig, Routes};
use reactor::handler::HandlerId;
use reactor::handler::files::root::Symlinks;
use reactor::handler::routes::{PathMatch, Route};
use reactor::protocol::h2::PREFACE;
use reactor::tls::{Tls, TlsConfig, development};
use wire::shm::Counter;

use super::get;
use super::http2::{frame, until};
use super::played::{Server, response_of};
use super::quic::client::Client;

const LARGE_BYTES: usize = 300_000;

/// A directory with files that were written long ago.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("sub/empty")).unwrap();
    fs::create_dir(root.join(".well-known")).unwrap();
    fs::write(dir.path().join("secret"), "secret").unwrap();
    for (name, content) in [
        ("a.txt", b"hello".to_vec()),
        ("large.bin", large()),
        ("zero.css", Vec::new()),
        ("index.php", b"<?php secret();".to_vec()),
        (".env", b"KEY=secret".to_vec()),
        (".well-known/security.txt", b"Contact: x".to_vec()),
        ("sub/index.html", b"<p>sub</p>".to_vec()),
        ("sub/b.js", b"b()".to_vec()),
        ("sub/b.js.gz", b"gzip of b".to_vec()),
        ("sub/b.js.br", b"brotli of b".to_vec()),
        ("a<b>&\"'.txt", b"odd".to_vec()),
    ] {
        write(&root.join(name), &content);
    }
    symlink("a.txt", root.join("inside.txt")).unwrap();
    symlink("../secret", root.join("outside.txt")).unwrap();
    mkfifo(&root.join("fifo.txt"), Mode::S_IRWXU).unwrap();
    dir
}

fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    let before = SystemTime::now() - Duration::from_secs(100);
    File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
}

fn large() -> Vec<u8> {
    (0..LARGE_BYTES).map(|n| (n / 5) as u8).collect()
}

/// Serves the files, and has the workers answer the rest, unless the files are `alone`.
fn serve(config: &mut Config, dir: &Path, alone: bool) {
    config.files = vec![FilesConfig {
        root: dir.join("root"),
        index: vec!["index.php".into(), "index.html".into()],
        autoindex: false,
        symlinks: Symlinks::Inside,
        precompressed: false,
        cache_control: Some(Bytes::from_static(b"max-age=60")),
        runs_programs: false,
        alone,
    }];
    let path = PathMatch::Prefix(Bytes::from_static(b"/"));
    let rest = (!alone).then_some(HandlerId::WORKERS);
    config.ports[0].routes =
        Routes { paths: vec![Route { path, handler: HandlerId::Files(0) }], rest };
}

fn start(dir: &Path, alone: bool) -> Server {
    Server::start(|config| serve(config, dir, alone))
}

fn ask(server: &Server, request: impl AsRef<[u8]>) -> String {
    let mut client = server.connect();
    client.write_all(request.as_ref()).unwrap();
    response_of(&mut client)
}

fn status(server: &Server, path: &str) -> u16 {
    ask(server, get(path))[9..12].parse().unwrap()
}

#[test]
fn files_are_sent_without_a_worker() {
    let dir = tree();
    let server = start(dir.path(), false);
    let response = ask(&server, get("/a.txt?v=1"));
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\nhello"), "{response}");
    for line in [
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Cache-Control: max-age=60\r\n",
        "Accept-Ranges: bytes\r\n",
        "Content-Length: 5\r\n",
        "ETag: \"",
        "Last-Modified: ",
    ] {
        assert!(response.to_lowercase().contains(&line.to_lowercase()), "{line} {response}");
    }
    assert!(ask(&server, get("/inside.txt")).ends_with("hello"));
    assert!(ask(&server, get("/sub/")).ends_with("<p>sub</p>"));
    assert!(ask(&server, get("/.well-known/security.txt")).ends_with("Contact: x"));
    let zero = ask(&server, get("/zero.css"));
    assert!(zero.contains("Content-Length: 0\r\n") && zero.contains("text/css"), "{zero}");
    // One connection, several in one packet, and content that nobody asked for.
    let mut client = server.connect();
    let with_content = b"GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    client.write_all(&[&with_content[..], &get("/a.txt"), &get("/sub/b.js")].concat()).unwrap();
    for end in ["hello", "hello", "b()"] {
        assert!(response_of(&mut client).ends_with(end));
    }
    let mut client = server.connect();
    client.write_all(&get("/large.bin")).unwrap();
    client.write_all(b"GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = Vec::new();
    client.read_to_end(&mut all).unwrap();
    let at = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert!(all[at..at + LARGE_BYTES] == large() && all.ends_with(b"hello"));
    assert_eq!(server.count(Counter::Dispatched), 0);
    assert_eq!(server.count(Counter::Requests), server.count(Counter::Responses));
    server.stop();
}

#[test]
fn what_is_no_file_goes_to_a_worker() {
    let dir = tree();
    let server = start(dir.path(), false);
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    for path in [
        "/",
        "/missing",
        "/a.txt/",
        "/a.txt/x",
        "/index.php",
        "/index.php/x",
        "/%69ndex.PHP",
        "/sub/empty",
        "/sub/empty/",
        "/.env",
        "/%2eenv",
        "/../secret",
        "/..%2fsecret",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/secret",
        "/sub/..%5c..%5csecret",
        "/outside.txt",
        "/fifo.txt",
        "/%zz",
    ] {
        client.write_all(&get(path)).unwrap();
        let request = worker.request();
        assert_eq!(request.head.path, path, "as it was sent");
        worker.respond(request.id, 200, b"php");
        let response = response_of(&mut client);
        assert!(response.ends_with("php"), "{path} {response}");
    }
    // Nothing but GET and HEAD is about files.
    client.write_all(b"POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx").unwrap();
    let request = worker.request();
    assert_eq!(request.body, b"x");
    worker.respond(request.id, 200, b"php");
    assert!(response_of(&mut client).ends_with("php"));
    server.stop();
}

#[test]
fn a_port_of_files_alone_refuses_the_rest() {
    let dir = tree();
    let server = start(dir.path(), true);
    for path in
        ["/", "/missing", "/index.php", "/.env", "/outside.txt", "/fifo.txt", "/..%2fsecret"]
    {
        assert_eq!(status(&server, path), 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let request = format!("{method} /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        let response = ask(&server, request);
        assert!(response.starts_with("HTTP/1.1 405 "), "{response}");
        assert!(response.to_lowercase().contains("\r\nallow: get, head\r\n"), "{response}");
    }
    server.stop();
}

#[test]
fn a_directory_without_its_slash_is_redirected_on_this_host() {
    let dir = tree();
    fs::create_dir(dir.path().join("root/evil.example")).unwrap();
    write(&dir.path().join("root/evil.example/index.html"), b"x");
    let server = start(dir.path(), true);
    for (path, location) in [
        ("/sub", "/sub/"),
        ("/sub?a=b", "/sub/?a=b"),
        ("//sub", "/sub/"),
        ("//evil.example", "/evil.example/"),
        ("///evil%2Eexample", "/evil.example/"),
    ] {
        let response = ask(&server, get(path)).to_lowercase();
        assert!(response.starts_with("http/1.1 301 "), "{response}");
        assert!(response.contains(&format!("\r\nlocation: {location}\r\n")), "{response}");
    }
    assert_eq!(status(&server, "/sub/empty"), 404, "there is nothing to be sent to");
    server.stop();
}

#[test]
fn what_may_not_be_read_is_forbidden() {
    if nix::unistd::geteuid().is_root() {
        return; // It may read everything.
    }
    let dir = tree();
    use std::os::unix::fs::PermissionsExt;
    let path = dir.path().join("root/a.txt");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let server = start(dir.path(), true);
    assert_eq!(status(&server, "/a.txt"), 403);
    server.stop();
}

#[test]
fn neighbours_that_are_compressed() {
    let dir = tree();
    let server = Server::start(|config| {
        serve(config, dir.path(), true);
        config.files[0].precompressed = true;
    });
    let ask = |accept: &str| {
        let request =
            format!("GET /sub/b.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {accept}\r\n\r\n");
        let response = ask(&server, request);
        assert!(response.to_lowercase().contains("\r\nvary: accept-encoding\r\n"), "{response}");
        assert!(response.contains("text/javascript"), "{response}");
        response
    };
    for (accept, coding, content) in [
        ("gzip, br", "br", "brotli of b"),
        ("gzip;q=1, br;q=0.2", "gzip", "gzip of b"),
        ("zstd, gzip;q=0.1", "gzip", "gzip of b"),
    ] {
        let response = ask(accept);
        assert!(response.to_lowercase().contains(&format!("\r\ncontent-encoding: {coding}\r\n")));
        assert!(response.ends_with(content), "{response}");
    }
    for accept in ["identity", "br;q=0", "zstd", ""] {
        let response = ask(accept);
        assert!(!response.to_lowercase().contains("content-encoding"), "{response}");
        assert!(response.ends_with("b()"), "{response}");
    }
    // One that is older is of a former file.
    let file = File::options().write(true).open(dir.path().join("root/sub/b.js")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(10)).unwrap();
    assert!(ask("br").ends_with("b()"));
    server.stop();
}

#[test]
fn a_directory_can_be_listed() {
    let dir = tree();
    let server = Server::start(|config| {
        serve(config, dir.path(), true);
        config.files[0].autoindex = true;
        config.files[0].index.clear();
    });
    let page = ask(&server, get("/"));
    assert!(page.contains("text/html; charset=utf-8"), "{page}");
    let odd = "<a href=\"a%3Cb%3E%26%22%27.txt\">a&lt;b&gt;&amp;&quot;&#39;.txt</a>";
    for shown in [odd, "<a href=\"sub/\">sub/</a>", "<a href=\"a.txt\">a.txt</a>"] {
        assert!(page.contains(shown), "{shown} {page}");
    }
    for hidden in [".env", "index.php", "fifo", "secret", "../", ".well-known"] {
        assert!(!page.contains(hidden), "{hidden} {page}");
    }
    assert!(ask(&server, get("/sub/")).contains("<a href=\"../\">"));
    assert!(ask(&server, get("/sub")).starts_with("HTTP/1.1 301 "));
    server.stop();
}

#[test]
fn a_large_file_is_sent_as_it_was_asked_for() {
    let dir = tree();
    // Sparse: it takes no room.
    let huge = File::create(dir.path().join("root/huge.bin")).unwrap();
    huge.set_len(5 << 30).unwrap();
    let server = start(dir.path(), true);
    let range = |range: &str| {
        let request = format!("GET /huge.bin HTTP/1.1\r\nHost: x\r\nRange: bytes={range}\r\n\r\n");
        ask(&server, request)
    };
    let response = range("5368709115-");
    assert!(response.starts_with("HTTP/1.1 206 "), "{response}");
    assert!(response.contains("bytes 5368709115-5368709119/5368709120\r\n"), "{response}");
    assert!(range("5368709120-").contains("bytes */5368709120\r\n"));
    let mut client = server.connect();
    client.write_all(&get("/huge.bin")).unwrap();
    let mut begin = [0; 4096];
    client.read_exact(&mut begin).unwrap();
    assert!(String::from_utf8_lossy(&begin).contains("\r\nContent-Length: 5368709120\r\n"));
    server.stop();
}

/// A client that has asked for the large file and reads nothing.
fn unread(server: &Server, path: &str) -> std::net::TcpStream {
    let mut client = server.connect();
    socket2::SockRef::from(&client).set_recv_buffer_size(4096).unwrap();
    client.write_all(&get(path)).unwrap();
    client
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_breaks_off() {
    let dir = tree();
    let path = dir.path().join("root/shrinks.bin");
    fs::write(&path, vec![b'x'; 32 << 20]).unwrap();
    let server = start(dir.path(), true);
    let mut client = server.connect();
    client.write_all(&get("/shrinks.bin")).unwrap();
    let mut begin = [0; 1000];
    client.read_exact(&mut begin).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
    let mut rest = Vec::new();
    let ended = client.read_to_end(&mut rest);
    assert!(ended.is_err() || rest.len() < 32 << 20, "it is not padded");
    server.until("it is closed", |server| server.count(Counter::Connections) == 0);
    assert_eq!(status(&server, "/shrinks.bin"), 200);
    server.stop();
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_stays_what_it_was() {
    let dir = tree();
    let path = dir.path().join("root/replaced.bin");
    fs::write(&path, vec![b'x'; 8 << 20]).unwrap();
    let server = start(dir.path(), true);
    let mut client = server.connect();
    client.write_all(&get("/replaced.bin")).unwrap();
    let mut begin = [0; 1000];
    client.read_exact(&mut begin).unwrap();
    fs::write(dir.path().join("new"), vec![b'y'; 8 << 20]).unwrap();
    fs::rename(dir.path().join("new"), &path).unwrap();
    let at = begin.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let mut rest = vec![0; (8 << 20) - (1000 - at)];
    client.read_exact(&mut rest).unwrap();
    assert!(begin[at..].iter().chain(&rest).all(|byte| *byte == b'x'));
    assert!(ask(&server, get("/replaced.bin")).ends_with('y'));
    server.stop();
}

#[test]
fn clients_that_do_not_read_share_their_file() {
    let dir = tree();
    for name in ["one.bin", "two.bin"] {
        fs::write(dir.path().join("root").join(name), vec![b'x'; 32 << 20]).unwrap();
    }
    // Connections leave room for one file that is sent.
    let server = Server::start(|config| {
        serve(config, dir.path(), true);
        config.connections_max = 10_000_000;
    });
    let clients: Vec<_> = (0..20).map(|_| unread(&server, "/one.bin")).collect();
    server.until("all are served", |server| server.count(Counter::Responses) == 20);
    let refused = ask(&server, get("/two.bin"));
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert_eq!(server.count(Counter::FilesRefused), 1);
    assert!(ask(&server, get("/a.txt")).ends_with("hello"), "small ones need no descriptor");
    assert!(ask(&server, get("/large.bin")).starts_with("HTTP/1.1 503 "));
    drop(clients);
    server.until("they are gone", |server| server.count(Counter::Connections) == 0);
    assert_eq!(status(&server, "/large.bin"), 200);
    server.stop();
}

#[test]
fn streams_that_nobody_reads_hold_no_descriptor_each() {
    let dir = tree();
    let server = Server::start(|config| {
        serve(config, dir.path(), true);
        config.connections_max = 10_000_000;
    });
    let mut client = server.connect();
    // No window at all (RFC 9113, 6.9.2).
    let settings = [0, 4, 0, 0, 0, 0];
    let mut bytes = [&PREFACE[..], &frame(4, 0, 0, &settings)].concat();
    for n in 0..100u32 {
        let path = if n % 2 == 0 { "/large.bin" } else { "/a.txt" };
        let fields =
            [b"\x82\x86\x04", &[path.len() as u8][..], path.as_bytes(), b"\x01\x01a"].concat();
        bytes.extend(frame(1, 5, n * 2 + 1, &fields));
    }
    client.write_all(&bytes).unwrap();
    server.until("all are answered", |server| server.count(Counter::Responses) == 100);
    assert_eq!(server.count(Counter::FilesRefused), 0);
    assert_eq!(status(&server, "/large.bin"), 200, "others are served");
    drop(client);
    server.until("it is gone", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn the_same_over_http2() {
    let dir = tree();
    let server = start(dir.path(), true);
    let mut client = server.connect();
    client.write_all(&[&PREFACE[..], &frame(4, 0, 0, b"")].concat()).unwrap();
    for (n, (path, content)) in
        [("/a.txt", &b"hello"[..]), ("/.env", b"404 Not Found\n")].into_iter().enumerate()
    {
        let fields =
            [b"\x82\x86\x04", &[path.len() as u8][..], path.as_bytes(), b"\x01\x01a"].concat();
        client.write_all(&frame(1, 5, n as u32 * 2 + 1, &fields)).unwrap();
        assert_eq!(until(&mut client, 0), content);
    }
    server.stop();
}

#[test]
fn the_same_over_http3() {
    let dir = tree();
    let tls = Tls::load(TlsConfig::new(development::localhost().unwrap())).unwrap();
    let server = Server::start(|config| {
        config.ports[0].tls = Some(tls.into());
        serve(config, dir.path(), true);
    });
    let mut client = Client::connect(server.address());
    for (path, status, content) in [
        ("/large.bin", 200, large()),
        ("/a.txt", 200, b"hello".to_vec()),
        ("/zero.css", 200, Vec::new()),
        ("/sub", 301, b"301 Moved Permanently\n".to_vec()),
        ("/..%2fsecret", 404, b"404 Not Found\n".to_vec()),
    ] {
        let stream = client.get(path);
        let answer = client.answer(stream);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body == content, "{path}");
    }
    client.close();
    server.stop();
}

#[test]
fn a_root_that_goes_away_is_empty_and_may_come_back() {
    let dir = tree();
    let server = start(dir.path(), true);
    assert_eq!(status(&server, "/a.txt"), 200);
    fs::rename(dir.path().join("root"), dir.path().join("away")).unwrap();
    server.until("it is gone", |server| status(server, "/a.txt") == 404);
    fs::create_dir(dir.path().join("root")).unwrap();
    fs::write(dir.path().join("root/a.txt"), "new").unwrap();
    server.until("another one is there", |server| ask(server, get("/a.txt")).ends_with("new"));
    server.stop();
}
