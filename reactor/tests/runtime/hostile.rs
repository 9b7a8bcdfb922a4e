//! Workers that are broken or lie: whatever they write to their links and to their memory, the reactor
//! serves on, and only they are replaced.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;

use reactor::Config;
use reactor::config::SpoolLimits;
use reactor::protocol::h2::PREFACE;
use wire::BodyLength::Known;
use wire::control::FromReactor;
use wire::limits::{ARENA_BLOCKS, FRAME_BYTES_MAX};
use wire::shm::Counter;
use wire::{ExchangeId, FileSlice, Part, ToWorker};

use super::http2::{GET as GET2, frame};
use super::played::{self, Server, Worker, response_of};
use super::{GET, get};

/// What comes of one link's end, with two reactor threads.
struct Pair {
    server: Server,
    worker: Worker,
    /// One client per thread.
    clients: [TcpStream; 2],
}

impl Pair {
    /// A worker that has shown to be fast, so that it is given requests ahead.
    fn start() -> Self {
        let server = Server::start(|config| config.threads = 2);
        let mut worker = server.add_worker(0, 0);
        let mut clients = [server.connect(), server.connect()];
        for n in 0..4 {
            let client = &mut clients[n % 2];
            client.write_all(GET).unwrap();
            let request = worker.request();
            worker.respond(request.id, 200, b"");
            response_of(client);
        }
        Self { server, worker, clients }
    }

    /// The worker has started the first client's request, and has been given the second one's, by the
    /// other thread.
    fn busy() -> (Self, ExchangeId) {
        let mut pair = Self::start();
        pair.clients[0].write_all(&get("/started")).unwrap();
        let started = pair.worker.request();
        pair.clients[1].write_all(&get("/ahead")).unwrap();
        pair.server.until("handed over", |server| server.count(Counter::Dispatched) == 6);
        (pair, started.id)
    }
}

#[test]
fn an_idle_worker_that_loses_one_link_is_told_of_and_closed() {
    for link in [0, 1] {
        let mut pair = Pair::start();
        pair.worker.end_link(link);
        let lost = FromReactor::Lost { incarnation: 0, request: None };
        assert_eq!(pair.server.control(), lost);
        assert!(pair.worker.ended(), "its other link as well");
        let mut next = pair.server.add_worker(0, 1);
        for client in &mut pair.clients {
            client.write_all(GET).unwrap();
            let request = next.request();
            next.respond(request.id, 200, b"next");
            assert!(response_of(client).ends_with("next"));
        }
        pair.server.stop();
    }
}

#[test]
fn the_end_of_one_link_costs_the_started_request_whichever_link_it_came_by() {
    for own in [true, false] {
        let (mut pair, started) = Pair::busy();
        let link = pair.worker.link_of(started);
        pair.worker.end_link(if own { link } else { 1 - link });
        assert!(response_of(&mut pair.clients[0]).starts_with("HTTP/1.1 502 "));
        let request = Some("GET /started".into());
        assert_eq!(pair.server.control(), FromReactor::Lost { incarnation: 0, request });
        assert!(pair.worker.ended());
        let mut next = pair.server.add_worker(0, 1);
        let request = next.request();
        assert_eq!(&request.head.path[..], b"/ahead");
        next.respond(request.id, 200, b"once");
        assert!(response_of(&mut pair.clients[1]).ends_with("once"));
        assert_eq!(pair.worker.startable(), 0, "it was taken back from the worker that lives on");
        assert_eq!(pair.server.count(Counter::Lost), 1);
        pair.server.stop();
    }
}

/// The mark is the worker's to set, and one that lies leaves it: the answer itself shows that the handler
/// has begun, and a handler that has begun is not called again for the same request.
#[test]
fn a_request_that_has_been_answered_is_not_given_to_another_worker_whatever_its_mark_says() {
    let server = Server::start(|_| {});
    let mut liar = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(&get("/answered")).unwrap();
    let (id, _head) = liar.next();
    let (_, end) = liar.next();
    assert!(matches!(end, ToWorker::Request { part: Part::End(_), .. }), "{end:?}");
    liar.head(id, 200, Known(10));
    liar.content(id, b"half");
    let mut begun = [0; 12];
    client.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    liar.end_link(0);
    assert!(matches!(server.control(), FromReactor::Lost { incarnation: 0, .. }));
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"half"), "broken off, and nobody else has gone on");
    let mut next = server.add_worker(0, 1);
    let mut client = server.connect();
    client.write_all(&get("/other")).unwrap();
    assert_eq!(&next.request().head.path[..], b"/other");
    assert_eq!((server.count(Counter::Lost), server.count(Counter::Dispatched)), (1, 2));
    server.stop();
}

#[test]
fn what_a_worker_has_finished_counts_although_another_of_its_links_has_ended() {
    let (mut pair, started) = Pair::busy();
    pair.worker.hold(started, 200, b"held");
    let link = pair.worker.link_of(started);
    pair.worker.end_link(1 - link);
    assert!(response_of(&mut pair.clients[0]).ends_with("held"));
    assert!(matches!(pair.server.control(), FromReactor::Lost { incarnation: 0, .. }));
    assert!(!pair.worker.can_hold(link), "its link is over, and it knows");
    pair.server.stop();
}

#[test]
fn half_a_worker_does_not_come_back_by_links_that_arrive_late() {
    let server = Server::start(|config| config.threads = 4);
    for incarnation in 0..50 {
        let mut worker = server.add_worker(0, incarnation);
        worker.end_link(incarnation as usize % 4);
        assert!(matches!(server.control(), FromReactor::Lost { .. }));
        assert!(worker.ended());
    }
    server.stop();
}

#[test]
fn a_place_behind_bytes_that_were_never_sent_is_no_reason_to_wait() {
    for position in [1 << 60, u64::MAX, 100_000, 1 << 20] {
        let server = Server::start(|_| {});
        let mut good = server.add_worker(1, 0);
        let mut liar = server.add_worker(0, 0);
        let mut clients = [server.connect(), server.connect()];
        clients[0].write_all(GET).unwrap();
        let request = liar.request();
        liar.respond(request.id, 200, b"");
        response_of(&mut clients[0]);
        clients[0].write_all(GET).unwrap();
        let held = liar.request();
        // The other worker is busy, so the liar is given the next one ahead.
        let mut busy = server.connect();
        busy.write_all(GET).unwrap();
        let slow = good.request();
        clients[1].write_all(&get("/ahead")).unwrap();
        server.until("handed over", |server| server.count(Counter::Dispatched) == 4);
        liar.hold_at(held.id, position);
        assert!(response_of(&mut clients[0]).starts_with("HTTP/1.1 502 "));
        assert!(matches!(server.control(), FromReactor::Lost { incarnation: 0, .. }));
        good.respond(slow.id, 200, b"");
        assert!(response_of(&mut busy).starts_with("HTTP/1.1 200 "));
        let request = good.request();
        assert_eq!(&request.head.path[..], b"/ahead");
        good.respond(request.id, 200, b"served");
        assert!(response_of(&mut clients[1]).ends_with("served"));
        server.stop();
    }
}

#[test]
fn answers_that_were_held_for_a_former_reactor_are_forgotten() {
    for position in [0, 12_345, 1 << 40] {
        let server = Server::start(|_| {});
        // The worker is still at work for the former reactor, and has not taken up its new link.
        let stale = server.shared().batch(0, 0, 0);
        assert!(stale.hold(&played::answer(ExchangeId::new(9, 9), b"old"), 0, position));
        let mut late = server.add_worker(0, 0);
        let mut first = server.connect();
        first.write_all(&get("/late")).unwrap();
        server.until("given", |server| server.count(Counter::Dispatched) == 1);
        // Another one has so much to do that the reactor looks at what workers hold.
        let mut other = server.add_worker(1, 0);
        let mut clients = [server.connect(), server.connect()];
        clients[0].write_all(GET).unwrap();
        let request = other.request();
        other.respond(request.id, 200, b"");
        response_of(&mut clients[0]);
        for client in &mut clients {
            client.write_all(GET).unwrap();
        }
        server.until("it is looked at", |_| !stale.is_waiting());
        let request = late.request();
        late.respond(request.id, 200, b"late");
        assert!(response_of(&mut first).ends_with("late"));
        server.stop();
    }
}

#[test]
fn a_worker_cannot_answer_in_the_name_of_another() {
    let server = Server::start(|config| config.threads = 2);
    let mut victim = server.add_worker(0, 0);
    let mut clients = [server.connect(), server.connect()];
    for client in &mut clients {
        client.write_all(&get("/victim")).unwrap();
    }
    let first = victim.request();
    server.until("one waits", |server| server.count(Counter::Queued) == 1);
    for (lie, id) in [first.id, ExchangeId::from_u64(first.id.to_u64() + 1)].into_iter().enumerate()
    {
        // A worker with nothing to do would get the request that waits.
        let mut liar = server.add_worker(1, lie as u64);
        if lie == 0 {
            let taken = liar.request();
            liar.respond(taken.id, 200, b"honest");
        }
        for link in 0..2 {
            liar.raw(link, &played::answer(id, b"SPOOFED"));
        }
        if lie == 0 {
            assert!(matches!(server.control(), FromReactor::Lost { incarnation: 0, .. }));
            assert!(liar.ended());
        } else {
            // An exchange that is over, or never was: dropped.
            server.until("counted", |server| server.count(Counter::Stray) > 1);
        }
    }
    victim.respond(first.id, 200, b"honest");
    for client in &mut clients {
        assert!(response_of(client).ends_with("honest"));
    }
    assert!(server.count(Counter::Stray) > 0);
    server.stop();
}

/// A request that the bad worker has started. The good one is kept busy until then: who was idle last
/// is given the next request.
fn attacked(server: &Server, good: &mut Worker, bad: &mut Worker) -> (TcpStream, ExchangeId) {
    let mut clients = [server.connect(), server.connect()];
    clients[0].write_all(&get("/attacked")).unwrap();
    server.until_any("a request", || bad.has_message() || good.has_message());
    if bad.has_message() {
        let [client, _] = clients;
        return (client, bad.request().id);
    }
    let request = good.request();
    clients[1].write_all(&get("/attacked")).unwrap();
    let id = bad.request().id;
    good.respond(request.id, 200, b"");
    response_of(&mut clients[0]);
    let [_, client] = clients;
    (client, id)
}

type Attack = (&'static str, fn(&mut Worker, ExchangeId));

/// What ends the worker that does it.
const ATTACKS: &[Attack] = &[
    ("noise", |worker, _| worker.raw(0, &noise(8 << 10))),
    ("a frame that is too long", |worker, id| {
        worker.raw(0, &played::frame(FRAME_BYTES_MAX + 1, 2, 0, id, &[]));
    }),
    ("the longest length there is", |worker, id| {
        worker.raw(0, &played::frame(u32::MAX, 2, 0, id, &[]));
    }),
    ("a kind that there is not", |worker, id| worker.raw(0, &played::frame(0, 99, 0, id, &[]))),
    ("what only the reactor says", |worker, id| {
        worker.raw(0, &played::frame(4, 6, 0, id, &[0xff; 4]));
    }),
    ("a block that is not in use", |worker, id| {
        worker.raw(0, &played::frame(4, 9, 1, id, &100u32.to_le_bytes()));
    }),
    ("a block that does not exist", |worker, id| {
        worker.scribble(u64::MAX);
        worker.raw(0, &played::frame(4, 9, ARENA_BLOCKS as u8, id, &100u32.to_le_bytes()));
    }),
    ("a block that is too long", |worker, id| {
        worker.scribble(u64::MAX);
        worker.raw(0, &played::frame(4, 9, 0, id, &u32::MAX.to_le_bytes()));
    }),
    ("a head that is none", |worker, id| {
        worker.raw(0, &played::frame(64, 1, 0, id, &[0xff; 64]));
    }),
    ("a head whose fields lie outside of it", |worker, id| {
        let mut head = vec![200, 0, 0, 1, 0, 0, 0];
        head.extend_from_slice(&[0xff; 57]);
        worker.raw(0, &played::frame(64, 1, 0, id, &head));
    }),
    ("an empty body", |worker, id| worker.raw(0, &played::frame(0, 2, 0, id, &[]))),
    ("half a frame, then the end", |worker, id| {
        worker.raw(0, &played::frame(100, 2, 0, id, &[b'x'; 50]));
        worker.end_link(0);
    }),
];

fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(step).take(len).collect()
}

#[test]
fn nothing_that_a_worker_sends_disturbs_another() {
    let server = Server::start(|_| {});
    let mut good = server.add_worker(0, 0);
    let mut bystander = server.connect();
    let mut serve = |good: &mut Worker, when: &str| {
        bystander.write_all(&get("/bystander")).unwrap();
        let request = good.request();
        assert_eq!(&request.head.path[..], b"/bystander", "{when}");
        good.respond(request.id, 200, b"fine");
        assert!(response_of(&mut bystander).ends_with("fine"), "{when}");
    };
    for (n, (what, attack)) in ATTACKS.iter().enumerate() {
        let incarnation = n as u64;
        let mut bad = server.add_worker(1, incarnation);
        let (mut client, id) = attacked(&server, &mut good, &mut bad);
        serve(&mut good, what);
        attack(&mut bad, id);
        assert!(response_of(&mut client).starts_with("HTTP/1.1 502 "), "{what}");
        let request = Some("GET /attacked".into());
        assert_eq!(server.control(), FromReactor::Lost { incarnation, request }, "{what}");
        assert!(bad.ended(), "{what}");
        serve(&mut good, what);
    }
    server.until("nothing is left", |server| server.count(Counter::Exchanges) == 0);
    server.stop();
}

/// Nothing is spooled, so that there is credit for what the client has taken alone.
fn without_spool(config: &mut Config) {
    config.response_spool = SpoolLimits { memory_bytes_max: 0, disk_bytes_max: 0 };
    config.ports[0].response_spool_bytes_max = 0;
    config.ports[0].window_bytes = 128 << 10;
}

#[test]
fn a_worker_that_sends_more_than_its_window_is_replaced() {
    let server = Server::start(without_spool);
    let mut good = server.add_worker(0, 0);
    let mut bad = server.add_worker(1, 0);
    let (mut client, id) = attacked(&server, &mut good, &mut bad);
    bad.stream_head(id);
    // The sockets between the reactor and its client hold a few MiB.
    let most = 1 << 30;
    assert!(bad.overrun(id, most) < most);
    assert!(bad.ended());
    let request = Some("GET /attacked".into());
    assert_eq!(server.control(), FromReactor::Lost { incarnation: 0, request });
    // Its client can tell that the answer is not whole.
    let mut content = Vec::new();
    let _ = client.read_to_end(&mut content);
    assert!(content.starts_with(b"HTTP/1.1 200 ") && !content.ends_with(b"0\r\n\r\n"));
    serve_next(&server, &mut good);
    server.stop();
}

#[test]
fn a_window_is_used_up_to_its_last_byte_and_no_further() {
    const WINDOW: usize = 128 << 10;
    for beyond in [0, 1] {
        let server = Server::start(without_spool);
        let mut good = server.add_worker(0, 0);
        let mut bad = server.add_worker(1, 0);
        let (mut client, id) = attacked(&server, &mut good, &mut bad);
        bad.head(id, 200, Known((WINDOW + beyond) as u64));
        // In one frame, so that there is no credit for the first of it.
        bad.send(id, Part::Body(vec![b'x'; WINDOW + beyond].into()));
        if beyond == 0 {
            bad.send(id, Part::End(None));
            assert!(response_of(&mut client).ends_with(&"x".repeat(WINDOW)));
            assert!(!server.has_news());
        } else {
            assert!(bad.ended());
            let request = Some("GET /attacked".into());
            assert_eq!(server.control(), FromReactor::Lost { incarnation: 0, request });
            serve_next(&server, &mut good);
        }
        server.stop();
    }
}

#[test]
fn content_of_an_event_is_more_than_its_worker_was_allowed() {
    let server = Server::start(|config| config.ports[0].notify_open = true);
    let mut bad = server.add_worker(0, 0);
    let _client = server.connect();
    let (id, message) = bad.next();
    assert!(matches!(message, ToWorker::Opened { .. }), "{message:?}");
    bad.send(id, Part::Body("x".into()));
    assert!(bad.ended());
    assert!(matches!(server.control(), FromReactor::Lost { incarnation: 0, .. }));
    server.stop();
}

/// What a client of each version sees of an answer: all that comes, up to its end or the end of the
/// connection.
fn answer_of(client: &mut TcpStream, http2: bool) -> Vec<u8> {
    let mut all = Vec::new();
    if !http2 {
        let _ = client.read_to_end(&mut all);
        return all;
    }
    let mut head = [0; 9];
    while client.read_exact(&mut head).is_ok() {
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; len as usize];
        client.read_exact(&mut payload).unwrap();
        let (kind, of_stream) = (head[3], head[8] == 1);
        if of_stream && kind == 0 {
            all.extend_from_slice(&payload);
        }
        // RST_STREAM, or END_STREAM on DATA or HEADERS.
        if of_stream && (kind == 3 || kind < 2 && head[4] & 1 == 1) {
            break;
        }
    }
    all
}

type NoFile = (&'static str, fn() -> OwnedFd);

/// What is no file, though it has a descriptor.
const NO_FILES: &[NoFile] = &[
    ("a file that cannot be read", || {
        std::fs::File::options().write(true).open("/dev/null").unwrap().into()
    }),
    ("a socket", || std::os::unix::net::UnixStream::pair().unwrap().0.into()),
    ("a pipe that is empty", || {
        let (reader, writer) = std::io::pipe().unwrap();
        // It stays empty: nobody closes the other end.
        std::mem::forget(writer);
        reader.into()
    }),
    ("a folder", || std::fs::File::open("/").unwrap().into()),
    ("a file that is too short", || std::fs::File::open("/dev/null").unwrap().into()),
];

#[test]
fn what_is_no_file_costs_its_own_answer() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    for (what, open) in NO_FILES {
        for http2 in [false, true] {
            let mut client = server.connect();
            if http2 {
                let start = [&PREFACE[..], &frame(4, 0, 0, b""), &frame(1, 5, 1, GET2)].concat();
                client.write_all(&start).unwrap();
            } else {
                client.write_all(GET).unwrap();
            }
            let request = worker.request();
            worker.head(request.id, 200, Known(1000));
            worker.send(request.id, Part::File(FileSlice::new(open(), 0, 1000)));
            worker.send(request.id, Part::End(None));
            let answer = answer_of(&mut client, http2);
            assert!(answer.len() < 1000, "{what}: {} bytes", answer.len());
            serve_next(&server, &mut worker);
        }
    }
    assert_eq!(server.count(Counter::Lost), 0, "the worker stays");
    server.stop();
}

#[test]
fn a_file_without_end_does_not_keep_its_thread() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    for http2 in [false, true] {
        let mut client = server.connect();
        if http2 {
            let window = [&[0, 4][..], &0x7fff_ffff_u32.to_be_bytes()].concat();
            let more = frame(8, 0, 0, &0x7000_0000_u32.to_be_bytes());
            let start = [&PREFACE[..], &frame(4, 0, 0, &window), &more, &frame(1, 5, 1, GET2)];
            client.write_all(&start.concat()).unwrap();
        } else {
            client.write_all(GET).unwrap();
        }
        let request = worker.request();
        let len = 1 << 62;
        worker.head(request.id, 200, Known(len));
        let zeros = std::fs::File::open("/dev/zero").unwrap();
        worker.send(request.id, Part::File(FileSlice::new(zeros.into(), 0, len)));
        worker.send(request.id, Part::End(None));
        let reading = std::thread::spawn(move || {
            let mut space = vec![0; 64 << 10];
            let mut read = 0;
            while read < 64 << 20 {
                read += client.read(&mut space).unwrap();
            }
        });
        for _ in 0..20 {
            serve_next(&server, &mut worker);
        }
        reading.join().unwrap();
        server.until("it has left", |server| server.count(Counter::Connections) == 0);
    }
    server.stop();
}

#[test]
fn a_second_frame_of_a_file_needs_a_descriptor_of_its_own() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    let request = worker.request();
    worker.head(request.id, 200, Known(2000));
    let zeros = std::fs::File::open("/dev/zero").unwrap();
    worker.send(request.id, Part::File(FileSlice::new(zeros.into(), 0, 1000)));
    worker.bare_file(request.id, 1000);
    worker.send(request.id, Part::End(None));
    let answer = answer_of(&mut client, false);
    assert!(!answer.ends_with(&[0; 2000]));
    serve_next(&server, &mut worker);
    assert_eq!((server.count(Counter::FilesRefused), server.count(Counter::Lost)), (1, 0));
    server.stop();
}

fn serve_next(server: &Server, good: &mut Worker) {
    let mut client = server.connect();
    client.write_all(&get("/next")).unwrap();
    let request = good.request();
    assert_eq!(&request.head.path[..], b"/next");
    good.respond(request.id, 200, b"fine");
    assert!(response_of(&mut client).ends_with("fine"));
}

#[test]
fn parts_behind_the_end_and_ends_of_nothing_are_dropped_in_any_number() {
    let server = Server::start(|_| {});
    let mut worker = server.add_worker(0, 0);
    let mut client = server.connect();
    for round in 1..=3 {
        client.write_all(GET).unwrap();
        let request = worker.request();
        worker.respond(request.id, 200, b"once");
        for _ in 0..1_000 {
            worker.stream_head(request.id);
            worker.send(request.id, Part::Body("more".into()));
            worker.send(request.id, Part::End(None));
        }
        assert!(response_of(&mut client).ends_with("once"));
        server.until("counted", |server| server.count(Counter::Stray) == 3_000 * round);
    }
    server.stop();
}

#[test]
fn no_words_in_a_workers_memory_disturb_another() {
    let server = Server::start(|config| config.threads = 2);
    let mut good = server.add_worker(0, 0);
    let mut bystanders = [server.connect(), server.connect()];
    for (n, word) in [0, u64::MAX, 1, 1 << 60, 0x4242_4242_4242_4242, 16 << 2].iter().enumerate() {
        let mut bad = server.add_worker(1, n as u64);
        let (mut client, _) = attacked(&server, &mut good, &mut bad);
        for round in 0..50 {
            bad.scribble(word.rotate_left(round));
            for client in &mut bystanders {
                client.write_all(&get("/bystander")).unwrap();
                let request = good.request();
                assert_eq!(&request.head.path[..], b"/bystander");
                good.respond(request.id, 200, b"fine");
                assert!(response_of(client).ends_with("fine"));
            }
        }
        drop(bad);
        // A mark that says anything else than that the request was not started means 502.
        assert!(response_of(&mut client).starts_with("HTTP/1.1 502 "));
        assert!(matches!(server.control(), FromReactor::Lost { .. }));
    }
    drop(bystanders);
    server.until("they have left", |server| server.count(Counter::Connections) == 0);
    server.stop();
}

#[test]
fn a_worker_that_never_stops_writing_does_not_keep_its_thread() {
    let server = Server::start(|_| {});
    let mut good = server.add_worker(0, 0);
    let mut bad = server.add_worker(1, 0);
    let _attacked = attacked(&server, &mut good, &mut bad);
    let flood = bad.flood();
    let mut client = server.connect();
    server.until("it floods", |server| server.count(Counter::Stray) > 10_000);
    for _ in 0..20 {
        client.write_all(GET).unwrap();
        let request = good.request();
        good.respond(request.id, 200, b"fine");
        assert!(response_of(&mut client).ends_with("fine"));
    }
    let before = server.count(Counter::Stray);
    server.until("it floods still", |server| server.count(Counter::Stray) > before);
    server.stop();
    flood.join().unwrap();
}
