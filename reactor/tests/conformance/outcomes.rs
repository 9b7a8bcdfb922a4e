//! What the record says of exchanges, in every version of HTTP: status, outcome and content, whoever answers.

use std::fs;
use std::io::Write;

use bytes::Bytes;
use reactor::Config;
use reactor::config::{FilesConfig, Routes};
use reactor::handler::HandlerId;
use reactor::handler::files::root::Symlinks;
use reactor::handler::routes::{PathMatch, Route};
use reactor::protocol::h2::PREFACE;
use reactor::protocol::settings::HttpSettings;
use reactor::record::{Outcome, Record};
use wire::BodyLength::Known;
use wire::{Part, Reason, Version};

use super::common::client::{Reply, Request};
use super::common::frames::{GET, frame};
use super::common::{body, file, head, settings};
use super::recorded::{Recorded, Records, VERSIONS};
use super::{Response, Wire, played};

struct Server {
    recorded: Recorded,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Files below `/files/`; a worker has the rest.
    fn start(version: Version) -> Self {
        Self::configured(version, |_| {})
    }

    fn configured(version: Version, configure: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("files")).unwrap();
        fs::write(dir.path().join("files/a.txt"), "hello").unwrap();
        let root = dir.path().to_owned();
        let recorded = Recorded::start(version, |config| {
            config.files = vec![FilesConfig {
                root,
                index: Vec::new(),
                autoindex: false,
                symlinks: Symlinks::Inside,
                precompressed: false,
                cache_control: None,
                runs_programs: false,
                alone: false,
            }];
            let path = PathMatch::Prefix(Bytes::from_static(b"/files/"));
            let paths = vec![Route { path, handler: HandlerId::Files(0) }];
            config.ports[0].routes = Routes { paths, rest: Some(HandlerId::WORKERS) };
            configure(config);
        });
        Self { recorded, _dir: dir }
    }

    /// The record of the exchange that was just answered: it says what its client has got.
    fn check(&self, reply: &Reply, outcome: Outcome, by_worker: bool) {
        let record = self.recorded.records.next();
        let status = record.status.map(|status| status.as_u16());
        assert_eq!((status, record.outcome), (Some(reply.status), outcome), "{record:?}");
        assert_eq!(record.content, reply.body.len() as u64, "{record:?}");
        assert_eq!(record.worker.is_some(), by_worker, "{record:?}");
        assert!(self.recorded.records.is_empty(), "one record for each exchange");
    }
}

fn response(status: u16, part: Part<wire::ResponseHead>, len: u64) -> Response {
    vec![Part::Head(head(status, Known(len), &[])), part, Part::End(None)]
}

#[test]
fn what_a_worker_answers_is_recorded_as_its_client_has_it() {
    for version in VERSIONS {
        let mut server = Server::start(version);
        let cases: [(&str, u16, Response, Outcome); 8] = [
            ("GET", 200, response(200, body("hello"), 5), Outcome::Complete),
            ("GET", 200, response(200, Part::File(file(b"a file")), 6), Outcome::Complete),
            ("HEAD", 200, response(200, Part::File(file(b"a file")), 6), Outcome::Complete),
            ("GET", 304, response(304, body(""), 0), Outcome::Complete),
            ("GET", 206, response(206, body("el"), 2), Outcome::Complete),
            ("GET", 426, response(426, body("no"), 2), Outcome::Complete),
            ("GET", 500, vec![Part::Abort(Reason::HandlerFailed)], Outcome::Failed),
            ("GET", 503, vec![Part::Abort(Reason::Overloaded)], Outcome::Shed),
        ];
        for (method, status, response, outcome) in cases {
            let reply = server.recorded.wire.answer(&Request::new(method, "/"), response);
            assert_eq!(reply.status, status, "{version:?} {method}");
            server.check(&reply, outcome, true);
        }
    }
}

#[test]
fn files_are_recorded_without_a_worker() {
    for version in VERSIONS {
        let mut server = Server::start(version);
        let get = || Request::new("GET", "/files/a.txt");
        let whole = server.recorded.wire.unhandled(&get());
        assert_eq!((whole.status, &whole.body[..]), (200, &b"hello"[..]), "{version:?}");
        server.check(&whole, Outcome::Complete, false);
        let etag = whole.get("etag").expect("an entity tag").to_owned();
        for (request, status, len) in [
            (get().field("if-none-match", &etag), 304, 0),
            (get().field("range", "bytes=1-2"), 206, 2),
            (get().field("if-match", "\"other\""), 412, usize::MAX),
            (Request::new("HEAD", "/files/a.txt"), 200, 0),
        ] {
            let reply = server.recorded.wire.unhandled(&request);
            assert_eq!(reply.status, status, "{version:?} {request:?}");
            assert!(len == usize::MAX || reply.body.len() == len, "{version:?} {request:?}");
            server.check(&reply, Outcome::Complete, false);
        }
    }
}

/// A handler that knows of no upgrades answers as ever (RFC 9110, 7.8).
#[test]
fn an_upgrade_that_nobody_accepts_is_an_exchange_like_others() {
    let mut server = Server::start(Version::Http11);
    let request =
        Request::new("GET", "/").field("connection", "upgrade").field("upgrade", "websocket");
    let reply = server.recorded.wire.answer(&request, response(200, body("hello"), 5));
    assert_eq!(reply.status, 200);
    server.check(&reply, Outcome::Complete, true);
}

fn with_upgrades(config: &mut Config) {
    config.ports[0].http = HttpSettings { upgrades: true, ..settings() }.into();
}

fn asking_for_an_upgrade(version: Version) -> Request {
    match version {
        Version::Http2 | Version::Http3 => {
            Request::new("CONNECT", "/chat").field(":protocol", "websocket")
        }
        _ => Request::new("GET", "/").field("connection", "upgrade").field("upgrade", "websocket"),
    }
}

/// RFC 8441, 5, and RFC 9220, 3: an answer that is none of 2xx.
#[test]
fn an_upgrade_that_a_worker_refuses_is_recorded_as_its_answer() {
    for version in VERSIONS {
        let mut server = Server::configured(version, with_upgrades);
        let request = asking_for_an_upgrade(version);
        let reply = server.recorded.wire.answer(&request, response(403, body("no"), 2));
        assert_eq!(reply.status, 403, "{version:?}");
        server.check(&reply, Outcome::Complete, true);
    }
}

/// What a record says of a request that its client was sent no status for.
fn assert_refused_without_an_answer(record: &Record, version: Version) {
    assert_eq!((record.status, record.outcome), (None, Outcome::Refused), "{record:?}");
    assert_eq!((&record.method, record.version), (&None, Some(version)), "its head is none");
    assert_eq!((record.content, record.worker), (0, None), "{record:?}");
    assert!(record.fault.is_some(), "{record:?}");
}

/// RFC 8441, 3, and RFC 9220, 3: the server has not said that it may.
#[test]
fn an_extended_connect_that_was_not_offered_is_recorded_as_refused() {
    for version in [Version::Http2, Version::Http3] {
        let Recorded { mut wire, records } = Recorded::start(version, |_| {});
        let reply = wire.refused(&asking_for_an_upgrade(version));
        assert_eq!((reply.status, reply.complete), (0, false), "{version:?}");
        assert_refused_without_an_answer(&records.next(), version);
        wire.still_serves();
        assert_eq!(records.next().outcome, Outcome::Complete, "{version:?}");
        assert!(records.is_empty(), "one record for each exchange");
    }
}

/// A field of the connection makes a request malformed (RFC 9113, 8.2.2; RFC 9114, 4.2).
#[test]
fn an_upgrade_field_is_dropped_by_http1_and_refused_by_others() {
    let mut server = Server::start(Version::Http11);
    let request = Request::new("GET", "/").field("upgrade", "websocket");
    let reply = server.recorded.wire.answer(&request, response(200, body("hello"), 5));
    assert_eq!(reply.status, 200);
    server.check(&reply, Outcome::Complete, true);

    let Recorded { mut wire, records } = Recorded::start(Version::Http3, |_| {});
    assert_eq!(wire.refused(&request).status, 0);
    assert_refused_without_an_answer(&records.next(), Version::Http3);

    // No client that is a library sends it.
    let mut records = None;
    let server = played::Server::start(|config| records = Some(Records::of(config)));
    let mut client = server.connect();
    let fields = [GET, b"\x00\x07upgrade\x09websocket"].concat();
    let asked = [&PREFACE[..], &frame(4, 0, 0, b""), &frame(1, 5, 1, &fields)].concat();
    client.write_all(&asked).unwrap();
    assert_refused_without_an_answer(&records.unwrap().next(), Version::Http2);
    server.stop();
}
