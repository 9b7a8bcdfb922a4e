//! Workers that are broken or lie: whatever they write to their links and to their memory, the reactor
//! serves on, and only they are replaced.

use std::io::Write;
use std::net::TcpStream;

use wire::control::FromReactor;
use wire::limits::{ARENA_BLOCKS, FRAME_BYTES_MAX};
use wire::shared::Counter;
use wire::{ExchangeId, Part};

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
        let stale = server.shared().held(0, 0, 0);
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
