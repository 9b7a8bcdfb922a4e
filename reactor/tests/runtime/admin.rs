//! The admin listener: what it tells and does, whatever the workers and the clients do.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reactor::PortConfig;
use reactor::config::AdminConfig;
use wire::control::FromReactor;
use wire::limits::{ADMIN_CONNECTIONS_MAX, ADMIN_STREAMS_MAX};
use wire::shm::lives::Life;
use wire::shm::{Counter, LifeState, WorkerCounter};

use super::played::{self, Server};
use super::{GET, get};

fn start(tweak: impl FnOnce(&mut reactor::Config)) -> Server {
    Server::start(|config| {
        let options = Bytes::from_static(b"{\"options\":{}}\n");
        config.admin = Some(AdminConfig { port: 1, token: None, options });
        config.ports.push(PortConfig::admin());
        tweak(config);
    })
}

fn connect(server: &Server) -> TcpStream {
    let client = TcpStream::connect(server.admin.unwrap()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client
}

/// Asks for a path, with more fields, and returns the whole response.
fn ask(server: &Server, method: &str, path: &str, fields: &str) -> String {
    let mut client = connect(server);
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).unwrap();
    response
}

fn look(server: &Server, path: &str) -> String {
    ask(server, "GET", path, "")
}

fn is_ready(server: &Server, worker: usize) {
    let life =
        Life { incarnation: 0, pid: std::process::id(), state: LifeState::Ready, since_ms: 5 };
    server.shared().life(worker, 0).set(Some(life));
}

#[test]
fn it_answers_while_no_worker_is_there_and_when_all_connections_are_in_use() {
    let server = start(|config| config.connections_max = 1);
    let mut only = server.connect();
    only.write_all(GET).unwrap();
    server.until("it is in the queue", |server| server.count(Counter::Queued) == 1);
    let mut refused = server.connect();
    assert_eq!(refused.read(&mut [0; 1]).unwrap_or(0), 0, "there is no room for clients");
    let response = look(&server, "/metrics");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    for line in [
        "ferrite_queue_length 1",
        "ferrite_connections 1",
        "ferrite_connections_limit 1",
        "ferrite_connections_accepted_total 2",
        "ferrite_connections_refused_total{reason=\"max_connection\"} 1",
    ] {
        assert!(response.lines().any(|found| found == line), "{line} in {response}");
    }
    assert!(response.contains("ferrite_process_resident_memory_bytes{process=\"reactor\""));
    assert!(look(&server, "/healthz").ends_with("\r\n\r\nok\n"));
    let mut worker = server.add_worker(0, 0);
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(played::response_of(&mut only).starts_with("HTTP/1.1 200 "));
    server.stop();
}

#[test]
fn it_is_ready_when_a_worker_is_and_until_it_drains() {
    let server = start(|_| {});
    let unready = look(&server, "/readyz");
    assert!(unready.starts_with("HTTP/1.1 503 "), "{unready}");
    assert!(unready.ends_with("no worker is ready\n"), "{unready}");
    is_ready(&server, 0);
    assert!(look(&server, "/readyz").starts_with("HTTP/1.1 200 "));
    let drain = ask(&server, "POST", "/drain", "Ferrite-Control: 1\r\n");
    assert!(drain.starts_with("HTTP/1.1 202 "), "{drain}");
    assert!(look(&server, "/readyz").ends_with("draining\n"));
    // Who has not noticed yet is served all the same.
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    assert!(played::response_of(&mut client).starts_with("HTTP/1.1 200 "));
    server.stop();
}

#[test]
fn a_queue_that_stays_full_makes_it_unready() {
    let server = start(|config| config.queue_len_max = 0);
    is_ready(&server, 0);
    let mut client = server.connect();
    server.until_any("the queue has been full for a while", || {
        client.write_all(GET).unwrap();
        played::response_of(&mut client);
        look(&server, "/readyz").contains("the queue has been full for ")
    });
    let mut worker = server.add_worker(0, 0);
    server.until_any("a request is taken", || {
        let shed = server.count(Counter::Shed);
        client.write_all(GET).unwrap();
        server.until("it is decided on", |server| {
            server.count(Counter::Shed) > shed || server.count(Counter::Dispatched) > 0
        });
        server.count(Counter::Dispatched) > 0 || played::response_of(&mut client).is_empty()
    });
    let request = worker.request();
    worker.respond(request.id, 200, b"");
    server.until("it is ready again", |server| look(server, "/readyz").ends_with("ready\n"));
    server.stop();
}

#[test]
fn it_tells_what_each_worker_does_of_whichever_thread() {
    let server = start(|config| config.threads = 2);
    let mut workers: Vec<_> = (0..2).map(|id| server.add_worker(id, 0)).collect();
    (0..2).for_each(|worker| is_ready(&server, worker));
    let mut clients: Vec<_> = (0..2).map(|_| server.connect()).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        client.write_all(&get(&format!("/slow/{at}"))).unwrap();
    }
    let requests: Vec<_> = workers.iter_mut().map(|worker| worker.request()).collect();
    for worker in 0..2 {
        server.shared().worker(worker, WorkerCounter::Busy).store(1, Ordering::Relaxed);
    }
    let response = look(&server, "/workers");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    for text in ["\"request\":\"GET /slow/0\"", "\"request\":\"GET /slow/1\"", "\"state\":\"busy\""]
    {
        assert!(response.contains(text), "{text} in {response}");
    }
    for (worker, request) in workers.iter_mut().zip(requests) {
        worker.respond(request.id, 200, b"");
    }
    for client in &mut clients {
        played::response_of(client);
    }
    assert!(look(&server, "/workers").contains("\"doing\":null"));
    let status = look(&server, "/status");
    assert!(status.contains("\"busy\":2") && status.contains("\"request_count\":2"), "{status}");
    server.stop();
}

#[test]
fn verbs_go_to_the_supervisor_and_other_methods_nowhere() {
    let server = start(|_| {});
    for (path, wanted) in [("/reload", FromReactor::Reload), ("/stop", FromReactor::Shutdown)] {
        let wrong = look(&server, path);
        assert!(
            wrong.starts_with("HTTP/1.1 405 ") && wrong.contains("\r\nAllow: POST\r\n"),
            "{wrong}"
        );
        let foreign = ask(&server, "POST", path, "");
        assert!(foreign.starts_with("HTTP/1.1 403 "), "{foreign}");
        assert!(!server.has_news());
        let done = ask(&server, "POST", path, "Ferrite-Control: 1\r\n");
        assert!(done.starts_with("HTTP/1.1 202 "), "{done}");
        assert_eq!(server.control(), wanted);
    }
    assert!(look(&server, "/nothing").starts_with("HTTP/1.1 404 "));
    assert!(ask(&server, "PUT", "/metrics", "").contains("\r\nAllow: GET, HEAD\r\n"));
    let head = ask(&server, "HEAD", "/metrics", "");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(look(&server, "/options").ends_with("{\"options\":{}}\n"));
    server.stop();
}

#[test]
fn a_token_is_asked_for() {
    let token = Bytes::from_static(b"0123456789abcdef");
    let server = start(|config| config.admin.as_mut().unwrap().token = Some(token));
    let refused = look(&server, "/metrics");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert!(refused.contains("\r\nWww-Authenticate: Basic realm="), "{refused}");
    let with = "Authorization: Bearer 0123456789abcdef\r\n";
    assert!(ask(&server, "GET", "/metrics", with).starts_with("HTTP/1.1 200 "));
    server.stop();
}

#[test]
fn events_come_until_the_client_leaves_and_are_bounded() {
    let server = start(|_| {});
    let subscribe = || {
        let mut client = connect(&server);
        client.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).contains("data: {") {
            let mut some = [0; 4096];
            let len = client.read(&mut some).unwrap();
            assert!(len > 0, "{}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&some[..len]);
        }
        (client, String::from_utf8_lossy(&text).into_owned())
    };
    let (mut first, text) = subscribe();
    assert!(text.contains("Content-Type: text/event-stream\r\n"), "{text}");
    let mut seen = 0;
    while seen < 2 {
        let mut some = [0; 65536];
        let len = first.read(&mut some).unwrap();
        seen += String::from_utf8_lossy(&some[..len]).matches("data: {").count();
    }
    let others: Vec<_> = (1..ADMIN_STREAMS_MAX).map(|_| subscribe()).collect();
    assert!(look(&server, "/events").starts_with("HTTP/1.1 503 "));
    drop((first, others));
    server.until("there is room again", |_| {
        let mut client = connect(&server);
        client.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut some = [0; 12];
        client.read_exact(&mut some).unwrap();
        &some == b"HTTP/1.1 200"
    });
    server.stop();
}

#[test]
fn administrators_are_bounded_and_count_as_no_clients() {
    let server = start(|_| {});
    let open: Vec<_> = (0..ADMIN_CONNECTIONS_MAX)
        .map(|_| {
            let mut client = connect(&server);
            client.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let mut some = [0; 12];
            client.read_exact(&mut some).unwrap();
            client
        })
        .collect();
    let mut beyond = connect(&server);
    assert_eq!(beyond.read(&mut [0; 1]).unwrap_or(0), 0);
    assert_eq!(
        [Counter::Connections, Counter::Accepted].map(|counter| server.count(counter)),
        [0, 0]
    );
    drop(open);
    server.until("there is room again", |server| {
        let mut client = connect(server);
        let asked = client.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        asked.is_ok() && client.read_exact(&mut [0; 12]).is_ok()
    });
    let counters =
        [Counter::Closed, Counter::Exchanges, Counter::BytesReceived, Counter::BytesSent];
    assert_eq!(counters.map(|counter| server.count(counter)), [0; 4]);
    server.stop();
}

#[test]
fn it_answers_while_the_server_drains_and_does_not_hold_it() {
    let server = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    is_ready(&server, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    let mut idle = connect(&server);
    idle.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
    server.drain(Duration::from_secs(20));
    server.until("it says so", |server| look(server, "/readyz").ends_with("draining\n"));
    assert!(look(&server, "/metrics").contains("\nferrite_draining 1\n"));
    worker.respond(request.id, 200, b"");
    assert!(played::response_of(&mut client).starts_with("HTTP/1.1 200 "));
    server.ended();
}

#[test]
fn exchanges_are_counted_by_kind_and_timed() {
    let server = start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(&get("/users/7")).unwrap();
    let request = worker.request();
    worker.respond(request.id, 200, b"hi");
    played::response_of(&mut client);
    client.write_all(b"POST /boom HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").unwrap();
    let request = worker.request();
    worker.respond(request.id, 500, b"");
    played::response_of(&mut client);
    server.until("both are counted", |server| {
        look(server, "/metrics").contains("ferrite_request_worker_duration_seconds_count 2")
    });
    let labels = |method, class| {
        format!(
            "{{network_protocol_version=\"1.1\",http_request_method=\"{method}\",\
             http_response_status_class=\"{class}\"}}"
        )
    };
    let metrics = look(&server, "/metrics");
    for line in [
        format!("ferrite_http_requests_total{} 1", labels("GET", "2xx")),
        format!("ferrite_http_requests_total{} 1", labels("POST", "5xx")),
        "ferrite_http_responses_total{http_response_status_code=\"500\"} 1".to_owned(),
        "http_server_request_duration_seconds_count{network_protocol_version=\"1.1\"} 2".to_owned(),
        "ferrite_http_exchanges_total{outcome=\"complete\"} 2".to_owned(),
        "ferrite_request_queue_duration_seconds_count 2".to_owned(),
        "ferrite_request_first_byte_duration_seconds_bucket{le=\"+Inf\"} 2".to_owned(),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    let mut events = connect(&server);
    events.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut text = String::new();
    while !text.contains("\"errors\":[") || !text.ends_with("\n\r\n") {
        let mut some = [0; 65536];
        let len = events.read(&mut some).unwrap();
        text.push_str(&String::from_utf8_lossy(&some[..len]));
    }
    for part in ["\"route\":\"GET /users/*\"", "\"request\":\"POST /boom\",\"status\":500"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    server.stop();
}
