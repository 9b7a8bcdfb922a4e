//! What callbacks fork and start, and signals that reach more than one process.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::{Seen, Server, options, runs, wait_for};
use crate::server::{BARE, BARE_ORPHANED, FORK, ORPHANED};

crate::cases![
    a_forked_copy_of_a_worker_answers_nobody_and_ends,
    a_worker_that_dies_is_missed_at_once_although_its_copy_lives,
    a_copy_that_is_forked_at_a_start_is_no_member,
    signals_do_not_cut_short_what_a_handler_waits_in,
    a_handlers_programs_find_every_signal_at_its_default,
    hangup_and_quit_are_obeyed,
];

fn number(text: Vec<u8>) -> i32 {
    String::from_utf8(text).expect("text").parse().expect("a number")
}

fn a_forked_copy_of_a_worker_answers_nobody_and_ends() {
    for threads in [1, 2] {
        let mut options = options(1);
        options.threads = threads;
        let server = Server::start(&options);
        let worker = number(server.get("/pid"));
        for (nth, how) in [FORK, BARE, FORK, BARE].into_iter().enumerate() {
            assert_eq!(number(server.get(&format!("/fork?{how}"))), worker);
            let copy = server.await_nth("copy ", nth + 1);
            server.await_event(&format!("copy-ends {copy}"));
            let events = server.events();
            let seen =
                events.iter().find(|event| event.starts_with("in-copy") && event.ends_with(&copy));
            let seen = seen.expect("told").clone();
            assert!(seen.starts_with("in-copy ForkedCopy Err(Ended) Err(Ended) "), "{seen}");
            wait_for("its end", || (!runs(copy.parse().expect("a pid"))).then_some(()));
            // The worker has both ends of its links for itself.
            assert_eq!(number(server.get("/pid")), worker);
        }
        let pids: Vec<_> = (0..20).map(|_| number(server.get("/pid"))).collect();
        assert!(pids.iter().all(|pid| *pid == worker), "{pids:?}");
        assert!(!server.log().iter().any(|line| line.starts_with("ERROR")), "{:?}", server.log());
    }
}

fn a_worker_that_dies_is_missed_at_once_although_its_copy_lives() {
    for (threads, how) in [(1, ORPHANED), (1, BARE_ORPHANED), (2, BARE_ORPHANED)] {
        let mut options = options(1);
        options.threads = threads;
        options.depth = 3;
        let mut server = Server::start(&options);
        let (mut first, mut others) = (server.client(), [server.client(), server.client()]);
        let dead = number(server.get("/pid"));
        let begun = Instant::now();
        first.request(&format!("/fork?{how}"));
        others.iter_mut().for_each(|client| client.request("/pid"));
        assert_eq!(first.next(), Seen::Lost);
        for other in &mut others {
            assert_ne!(number(other.content()), dead);
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let copy: i32 = server.await_event("copy ").parse().expect("a pid");
        assert!(runs(copy));
        let about = format!("pid {dead}");
        let line = wait_for("a line", || server.log().into_iter().find(|l| l.contains(&about)));
        assert!(line.contains("GET /fork"), "{line}");
        server.signal(Signal::SIGTERM);
        assert_eq!(server.end().code(), Some(0));
        assert!(runs(copy), "it belongs to itself");
        // What libc has forked is as any process is; the other one still has the worker's mask.
        let signal = if how == ORPHANED { Signal::SIGTERM } else { Signal::SIGKILL };
        kill(Pid::from_raw(copy), signal).expect("it runs");
        wait_for("its end", || (!runs(copy)).then_some(()));
    }
}

fn a_copy_that_is_forked_at_a_start_is_no_member() {
    for file in ["fork-start", "fork-worker"] {
        let options = options(1);
        std::fs::write(options.dir.join(file), "").expect("write");
        let mut server = Server::start(&options);
        let copy = server.await_event("copy ");
        server.await_event(&format!("copy-ends {copy}"));
        assert!(!runs(copy.parse().expect("a pid")) || number(server.get("/pid")) > 0);
        server.get("/pid");
        assert_eq!(server.events().iter().filter(|event| *event == "started").count(), 1);
        server.signal(Signal::SIGTERM);
        assert_eq!(server.end().code(), Some(0));
        let ends = server.events().iter().filter(|event| *event == "result stopped").count();
        assert_eq!(ends, 1, "{:?}", server.events());
    }
}

fn signals_do_not_cut_short_what_a_handler_waits_in() {
    let signals = [
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGHUP,
        Signal::SIGUSR2,
        Signal::SIGTERM,
        Signal::SIGUSR1,
    ];
    for threads in [1, 2] {
        let mut options = options(1);
        options.threads = threads;
        let server = Server::start(&options);
        for (nth, signal) in signals.into_iter().enumerate() {
            let mut client = server.client();
            client.request("/doze?600");
            let worker: i32 = server.await_nth("dozing", nth + 1).parse().expect("a pid");
            let pid = Pid::from_raw(worker);
            for _ in 0..20 {
                kill(pid, signal).expect("it runs");
                std::thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(client.content(), b"whole", "{signal}");
            if matches!(signal, Signal::SIGTERM | Signal::SIGUSR1) {
                // It asks to be replaced all the same.
                server.await_event(&format!("worker-stopped 0 {worker}"));
            } else {
                assert_eq!(number(server.get("/pid")), worker, "{signal} is not for workers");
            }
        }
    }
}

fn a_handlers_programs_find_every_signal_at_its_default() {
    let server = Server::start(&options(1));
    let seen = String::from_utf8(server.get("/program")).expect("text");
    assert_eq!(seen.lines().count(), 4, "{seen}");
    for line in seen.lines() {
        let (name, mask) = line.split_once(":\t").expect("a field of proc(5)");
        let mask = u64::from_str_radix(mask, 16).expect("a mask");
        // 32 and 33 are libc's own, which nobody can set (signal(7)).
        assert_eq!(mask & !(0b11 << 31), 0, "{name} in {seen}");
    }
}

fn hangup_and_quit_are_obeyed() {
    let mut server = Server::start(&options(1));
    let worker = number(server.get("/pid"));
    server.signal(Signal::SIGHUP);
    server.await_event(&format!("worker-stopped 0 {worker}"));
    server.await_event("log-reopened");
    let mut client = server.client();
    client.request("/sleep?300");
    server.await_event("sleeping");
    server.signal(Signal::SIGQUIT);
    assert_eq!(client.content(), b"slept");
    assert_eq!(server.end().code(), Some(0));
}
