//! What an idle connection costs in memory. Ignored, because it measures:
//! `cargo test --release -p reactor --test runtime -- --ignored --nocapture idle`

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};
use reactor::protocol::settings::HttpSettings;
use wire::shared::Counter;

use super::client::Client;
use super::start;

const CLIENTS: usize = 10_000;
const KIBIBYTES_MAX: usize = 30;
/// Where the clients find their server. They are another process, so that they do not count.
const SERVER: &str = "IDLE_CLIENTS_OF";

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

#[test]
#[ignore = "measures"]
fn idle_connections() {
    if std::env::var_os(SERVER).is_some() {
        return;
    }
    let keepalive_timeout = Duration::from_secs(3600);
    let http = HttpSettings { keepalive_timeout, ..HttpSettings::default() };
    let server = start(|config| {
        config.connections_max = 2 * CLIENTS;
        config.ports[0].http = http.into();
    });
    let mut worker = server.add_worker(0, 0);
    // What is made once, is made.
    Client::connect(server.address()).close();
    let before = resident();
    let mut clients = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "the_clients_of_idle_connections"])
        .env(SERVER, server.address().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..CLIENTS {
                let request = worker.request();
                worker.respond(request.id, 200, b"hello");
            }
        });
    });
    let mut lines = BufReader::new(clients.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("idle")));
    assert_eq!(server.count(Counter::QuicConnections), CLIENTS as u64);
    let each = (resident() - before) as f64 / CLIENTS as f64;
    println!("an idle connection: {each:.1} KiB");
    clients.kill().unwrap();
    clients.wait().unwrap();
    assert!(each <= KIBIBYTES_MAX as f64);
    server.stop();
}

#[test]
#[ignore = "belongs to another"]
fn the_clients_of_idle_connections() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let files = CLIENTS as u64 + 100;
    setrlimit(Resource::RLIMIT_NOFILE, files, files).unwrap();
    let server = server.parse().unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let mut client = Client::connect(server);
            let stream = client.get("/");
            client.answer(stream);
            // Acknowledgements, and what the server has left to say.
            (0..5).for_each(|_| client.step());
            client
        })
        .collect();
    println!("idle");
    std::thread::sleep(Duration::from_secs(3600));
    drop(clients);
}
