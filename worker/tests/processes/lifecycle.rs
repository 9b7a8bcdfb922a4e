//! Starting, dying, replacing and stopping.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::{Client, Seen, Server, options, runs, wait_for};

crate::cases![
    processes_boot_and_serve,
    each_pool_keeps_its_own_workers,
    a_worker_holds_nobody_elses_descriptors,
    a_killed_worker_is_replaced_within_a_second,
    a_killed_worker_costs_only_what_it_had_started,
    workers_that_cannot_boot_end_the_server,
    workers_that_hang_at_every_start_end_the_server,
    a_reactor_that_cannot_boot_ends_the_server,
    a_failed_start_callback_ends_the_server,
    a_reload_replaces_all_workers_and_fails_no_request,
    workers_ask_for_a_reload_and_a_stop,
    a_reload_to_a_broken_script_changes_nothing,
    a_reload_to_a_script_that_hangs_changes_nothing,
    a_retired_worker_finishes_its_request,
    a_worker_that_never_finishes_is_killed_at_a_reload,
    a_stop_lets_the_request_in_flight_finish,
    a_stop_does_not_wait_for_ever,
    a_second_signal_ends_at_once,
    nobody_survives_the_supervisor,
    a_dead_reactor_is_replaced_and_the_workers_stay,
    a_worker_outlives_the_reactor_in_the_middle_of_a_response,
    unsound_workers_are_replaced_and_are_no_failure,
    a_worker_is_replaced_after_max_request,
    a_worker_is_replaced_at_its_own_wish,
    a_stray_sigterm_costs_a_worker_no_request,
    a_signal_to_the_whole_group_is_an_orderly_stop,
];

fn kill_now(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it runs");
}

fn code(status: ExitStatus) -> Option<i32> {
    status.code()
}

fn worker_pid(server: &Server) -> i32 {
    String::from_utf8(server.get("/pid")).expect("text").parse().expect("a pid")
}

fn busy(server: &Server, target: &str) -> (Client, i32) {
    let before = server.events().iter().filter(|event| event.starts_with("sleeping")).count();
    let mut client = server.client();
    client.request(target);
    let pid = server.await_nth("sleeping", before + 1).parse().expect("a pid");
    (client, pid)
}

fn restarted(server: &Server, worker: u16, nth: usize) -> i32 {
    server.await_nth(&format!("worker {worker} "), nth).parse().expect("a pid")
}

fn processes_boot_and_serve() {
    let server = Server::start(&options(3));
    let pids: Vec<i32> = (0..3).map(|worker| restarted(&server, worker, 1)).collect();
    assert!(pids.contains(&worker_pid(&server)));
    assert_eq!(server.titled("Supervisor", 1), server.pid());
    assert!(runs(server.titled("Reactor", 1)));
    assert_eq!(server.titled("Worker(2)", 1), pids[2]);
}

fn each_pool_keeps_its_own_workers() {
    let mut options = options(1);
    options.second_pool = 2;
    let server = Server::start(&options);
    let pools = [(0, "0"), (1, "1"), (2, "1")];
    let pids = pools.map(|(worker, _)| restarted(&server, worker, 1));
    assert_eq!(server.titled("Worker(2)", 1), pids[2]);
    // One of the second pool dies: that pool gets another, and nobody else is touched.
    kill_now(pids[2]);
    assert_ne!(restarted(&server, 2, 2), pids[2]);
    assert!(runs(pids[0]) && runs(pids[1]));
    // A reload is for all of them.
    server.signal(Signal::SIGUSR1);
    for (worker, pool) in pools {
        let lives = if worker == 2 { 3 } else { 2 };
        restarted(&server, worker, lives);
        for life in 1..=lives {
            assert_eq!(server.await_nth(&format!("pool {worker} "), life), pool, "{worker} {life}");
        }
    }
    wait_for("the end of the former workers", || pids.iter().all(|pid| !runs(*pid)).then_some(()));
}

fn a_worker_holds_nobody_elses_descriptors() {
    let server = Server::start(&options(4));
    for _ in 0..8 {
        let open = String::from_utf8(server.get("/descriptors")).expect("text");
        // Its control socket and its link.
        let sockets = open.lines().filter(|name| name.starts_with("socket:")).count();
        assert_eq!(sockets, 2, "{open}");
        assert_eq!(open.matches("signalfd").count(), 1, "its own: {open}");
    }
}

fn a_killed_worker_is_replaced_within_a_second() {
    let server = Server::start(&options(1));
    for life in 1..4 {
        let pid = restarted(&server, 0, life);
        let (mut client, _) = busy(&server, "/sleep?60000");
        let killed = Instant::now();
        kill_now(pid);
        assert_eq!(client.next(), Seen::Lost);
        assert_ne!(worker_pid(&server), pid);
        assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
        server.await_event(&format!("failed 0 {pid} 0 9"));
        let about = format!("pid {pid}");
        // The failure is told behind its log line.
        let log = server.log();
        let lines: Vec<&String> = log.iter().filter(|line| line.contains(&about)).collect();
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.contains("signal 9") && line.contains("GET /sleep?60000"), "{line}");
    }
}

fn a_killed_worker_costs_only_what_it_had_started() {
    let mut options = options(1);
    options.depth = 3;
    let server = Server::start(&options);
    let (mut first, pid) = busy(&server, "/sleep?60000");
    let mut others = [server.client(), server.client()];
    others.iter_mut().for_each(|client| client.request("/pid"));
    others.iter_mut().for_each(Client::settle);
    kill_now(pid);
    assert_eq!(first.next(), Seen::Lost);
    for other in &mut others {
        assert_ne!(other.content(), pid.to_string().as_bytes());
    }
}

fn workers_that_cannot_boot_end_the_server() {
    let options = options(2);
    std::fs::write(options.dir.join("fail-worker"), "").expect("write");
    let mut server = Server::spawn(&options);
    assert_eq!(code(server.end()), Some(7));
    let result = server.events().pop().expect("a result");
    assert!(result.contains("BootLoop") && result.contains("5 times"), "{result}");
    assert!(server.log().iter().any(|line| line.contains("told to fail")));
    assert!(!server.events().iter().any(|event| event == "started" || event == "stopped"));
}

fn workers_that_hang_at_every_start_end_the_server() {
    let mut options = options(1);
    options.start_timeout = Duration::from_millis(300);
    std::fs::write(options.dir.join("hang-worker"), "").expect("write");
    let mut server = Server::spawn(&options);
    let begun = Instant::now();
    let first: i32 = server.await_event("hanging 0").parse().expect("a pid");
    // Only what cannot be ignored ends it.
    let _ = kill(Pid::from_raw(first), Signal::SIGTERM);
    assert_eq!(code(server.end()), Some(7));
    assert!(begun.elapsed() >= 5 * options.start_timeout, "{:?}", begun.elapsed());
    let events = server.events();
    let result = events.last().expect("a result");
    assert!(result.contains("BootLoop") && result.contains("not ready after 0.3 s"), "{result}");
    let count = |begin: &str| events.iter().filter(|event| event.starts_with(begin)).count();
    assert_eq!((count("hanging 0"), count("failed 0"), count("started")), (5, 5, 0));
    server.await_event(&format!("failed 0 {first} 0 9"));
    let about = format!("worker 0 (pid {first})");
    let log = server.log();
    let lines: Vec<&String> = log.iter().filter(|line| line.contains(&about)).collect();
    let [line] = &lines[..] else { panic!("{log:?}") };
    assert!(line.contains("0.3 s") && line.contains("worker_start_timeout"), "{line}");
    assert!(!runs(first));
}

fn a_reload_to_a_script_that_hangs_changes_nothing() {
    let mut options = options(2);
    options.start_timeout = Duration::from_secs(2);
    let server = Server::start(&options);
    let before = [restarted(&server, 0, 1), restarted(&server, 1, 1)];
    let hangs = server.dir.join("hang-worker");
    std::fs::write(&hangs, "").expect("write");
    server.signal(Signal::SIGUSR1);
    let successor: i32 = server.await_event("hanging 0").parse().expect("a pid");
    let mut client = server.client();
    let mut answered = 0;
    let given_up = || server.log().iter().any(|line| line.contains("reload given up"));
    while !given_up() {
        let pid: i32 = String::from_utf8(client.get("/pid")).expect("text").parse().expect("a pid");
        assert!(before.contains(&pid), "{pid}");
        answered += 1;
    }
    assert!(answered > 0);
    wait_for("its end", || (!runs(successor)).then_some(()));
    assert!(before.iter().all(|pid| runs(*pid)));
    let killed = format!("worker 0 (pid {successor}) was not ready after 2 s and is killed");
    assert_eq!(server.log().iter().filter(|line| line.contains(&killed)).count(), 1);
    std::fs::remove_file(&hangs).expect("remove");
    server.signal(Signal::SIGUSR1);
    restarted(&server, 0, 2);
    restarted(&server, 1, 2);
}

fn a_reactor_that_cannot_boot_ends_the_server() {
    let options = options(1);
    std::fs::write(options.dir.join("fail-reactor"), "").expect("write");
    let mut server = Server::spawn(&options);
    assert_eq!(code(server.end()), Some(7));
    let result = server.events().pop().expect("a result");
    assert!(result.contains("BootLoop") && result.contains("exit code 3"), "{result}");
    server.await_event("worker-stopped 0");
}

fn a_failed_start_callback_ends_the_server() {
    let options = options(1);
    std::fs::write(options.dir.join("fail-start"), "").expect("write");
    let mut server = Server::spawn(&options);
    assert_eq!(code(server.end()), Some(7));
    assert_eq!(server.events().pop().as_deref(), Some("result Start(\"told to fail\")"));
}

fn a_reload_replaces_all_workers_and_fails_no_request() {
    let server = Server::start(&options(2));
    let before = [restarted(&server, 0, 1), restarted(&server, 1, 1)];
    let mut client = server.client();
    let mut reload = |done: usize| {
        server.signal(Signal::SIGUSR1);
        let mut answered = 0;
        let ready = || server.log().iter().filter(|l| l.contains("have been replaced")).count();
        while ready() < done {
            client.get("/pid");
            answered += 1;
        }
        assert!(answered > 0);
    };
    reload(1);
    let after = [restarted(&server, 0, 2), restarted(&server, 1, 2)];
    assert!(after.contains(&worker_pid(&server)));
    assert!(before.iter().all(|pid| !runs(*pid)));
    reload(2);
    let stopped = |event: &&String| event.starts_with("worker-stopped");
    assert_eq!(server.events().iter().filter(stopped).count(), 4);
    assert!(!server.events().iter().any(|event| event.starts_with("failed")));
}

fn workers_ask_for_a_reload_and_a_stop() {
    let mut server = Server::start(&options(2));
    // A worker asks by its control socket, so that no pid and no privilege matters.
    assert_eq!(server.get("/reload?0"), b"soon");
    restarted(&server, 1, 2);
    let (mut slow, _) = busy(&server, "/sleep?200");
    let mut client = server.client();
    let mut late = server.client();
    assert_eq!(client.get("/shutdown?0"), b"soon");
    late.settle();
    assert_eq!(late.get("/shutdown?0"), b"soon");
    assert_eq!(slow.content(), b"slept");
    assert_eq!(code(server.end()), Some(0));
    server.await_event("result stopped");
}

fn a_reload_to_a_broken_script_changes_nothing() {
    let server = Server::start(&options(2));
    let before = worker_pid(&server);
    let broken = server.dir.join("fail-worker");
    std::fs::write(&broken, "").expect("write");
    server.signal(Signal::SIGUSR1);
    let given_up = |log: Vec<String>| log.iter().any(|line| line.contains("reload given up"));
    wait_for("the end of the reload", || given_up(server.log()).then_some(()));
    let pid = worker_pid(&server);
    assert!([restarted(&server, 0, 1), restarted(&server, 1, 1)].contains(&pid), "{before} {pid}");
    std::fs::remove_file(&broken).expect("remove");
    server.signal(Signal::SIGUSR1);
    restarted(&server, 0, 2);
    restarted(&server, 1, 2);
}

fn a_retired_worker_finishes_its_request() {
    let server = Server::start(&options(1));
    let (mut client, pid) = busy(&server, "/sleep?300");
    server.signal(Signal::SIGUSR1);
    restarted(&server, 0, 2);
    assert_ne!(worker_pid(&server), pid, "the successor serves meanwhile");
    assert_eq!(client.content(), b"slept");
    server.await_event(&format!("worker-stopped 0 {pid}"));
}

fn a_worker_that_never_finishes_is_killed_at_a_reload() {
    let mut options = options(1);
    options.max_wait = Duration::from_millis(100);
    let server = Server::start(&options);
    let (mut client, pid) = busy(&server, "/sleep?60000");
    server.signal(Signal::SIGUSR1);
    assert_eq!(client.next(), Seen::Lost);
    wait_for("its end", || (!runs(pid)).then_some(()));
    assert_ne!(worker_pid(&server), pid);
}

fn a_stop_lets_the_request_in_flight_finish() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut server = Server::start(&options(2));
        let (mut client, pid) = busy(&server, "/sleep?300");
        server.signal(signal);
        wait_for("closed listeners", || {
            std::os::unix::net::UnixStream::connect(server.dir.join("socket")).err()
        });
        assert!(runs(pid), "the request is still in flight");
        assert_eq!(client.content(), b"slept");
        assert_eq!(code(server.end()), Some(0));
        let events = server.events();
        let at = |begin: &str| events.iter().rposition(|event| event.starts_with(begin));
        assert!(at("slept") < at("worker-stopped"), "{events:?}");
        assert!(at("worker-stopped") < at("stopped"), "{events:?}");
        assert_eq!(events.last().map(String::as_str), Some("result stopped"));
        assert!(!events.iter().any(|event| event.starts_with("failed")));
    }
}

fn a_stop_does_not_wait_for_ever() {
    let mut options = options(1);
    options.max_wait = Duration::from_millis(200);
    let mut server = Server::start(&options);
    let (_client, _) = busy(&server, "/sleep?60000");
    let begun = Instant::now();
    server.signal(Signal::SIGTERM);
    assert_eq!(code(server.end()), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    server.await_event("stopped");
}

fn a_second_signal_ends_at_once() {
    let mut options = options(2);
    options.max_wait = Duration::from_secs(60);
    let mut server = Server::start(&options);
    let (_client, pid) = busy(&server, "/sleep?60000");
    server.signal(Signal::SIGTERM);
    wait_for("the stop", || server.log().iter().any(|l| l.contains("stops")).then_some(()));
    assert!(runs(pid));
    let begun = Instant::now();
    server.signal(Signal::SIGINT);
    assert_eq!(code(server.end()), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(!runs(pid));
    server.await_event("result stopped");
}

fn nobody_survives_the_supervisor() {
    let mut server = Server::start(&options(2));
    let (_client, busy) = busy(&server, "/sleep?60000");
    let others = [restarted(&server, 0, 1), restarted(&server, 1, 1), server.titled("Reactor", 1)];
    assert!(others.contains(&busy));
    server.signal(Signal::SIGKILL);
    server.end();
    for pid in others {
        wait_for("the end of a child", || (!runs(pid)).then_some(()));
    }
}

fn a_dead_reactor_is_replaced_and_the_workers_stay() {
    let server = Server::start(&options(2));
    let reactor = server.titled("Reactor", 1);
    let workers = [restarted(&server, 0, 1), restarted(&server, 1, 1)];
    let (mut client, pid) = busy(&server, "/sleep?300");
    kill_now(reactor);
    assert!(client.try_next().is_err(), "its connections die with it");
    assert_ne!(server.titled("Reactor", 2), reactor);
    let mut seen = std::collections::HashSet::new();
    while seen.len() < 2 {
        seen.insert(worker_pid(&server));
        // Two at a time, so that both have to serve.
        let (mut first, _) = busy(&server, "/sleep?50");
        seen.insert(worker_pid(&server));
        first.content();
    }
    assert_eq!(seen, workers.into_iter().collect());
    server.await_event(&format!("slept {pid}"));
    let about = format!("the reactor (pid {reactor}) was killed by signal 9");
    assert_eq!(server.log().iter().filter(|line| line.contains(&about)).count(), 1);
    assert!(!server.events().iter().any(|event| event.starts_with("failed")));
}

fn a_worker_outlives_the_reactor_in_the_middle_of_a_response() {
    let server = Server::start(&options(1));
    let pid = worker_pid(&server);
    let mut streaming = server.client();
    streaming.request("/stream?1000");
    assert!(matches!(streaming.next(), Seen::Head(_)));
    kill_now(server.titled("Reactor", 1));
    let after = server.await_event("stream Gone(ClientGone)");
    assert!(after.parse::<usize>().is_ok_and(|bytes| bytes <= 1 << 20), "{after}");
    assert_eq!(worker_pid(&server), pid);
}

fn unsound_workers_are_replaced_and_are_no_failure() {
    let server = Server::start(&options(1));
    let mut pids = std::collections::HashSet::new();
    let begun = Instant::now();
    for _ in 0..5 {
        assert!(pids.insert(worker_pid(&server)));
        assert_eq!(server.get("/exit"), b"bye");
    }
    assert!(pids.insert(worker_pid(&server)));
    assert!(begun.elapsed() < Duration::from_secs(2), "there is no pause: {:?}", begun.elapsed());
    let events = server.events();
    assert!(!events.iter().any(|e| e.starts_with("failed") || e.starts_with("worker-stopped")));
}

fn a_worker_is_replaced_after_max_request() {
    let mut options = options(1);
    options.max_request = 10;
    let server = Server::start(&options);
    let mut served = std::collections::HashMap::<i32, u32>::new();
    for _ in 0..100 {
        *served.entry(worker_pid(&server)).or_default() += 1;
    }
    assert!(served.len() > 1, "{served:?}");
    let first = restarted(&server, 0, 1);
    assert!(served[&first] >= 10, "{served:?}");
    server.await_event(&format!("worker-stopped 0 {first}"));
    assert!(!server.events().iter().any(|event| event.starts_with("failed")));
}

fn a_worker_is_replaced_at_its_own_wish() {
    let server = Server::start(&options(1));
    let pid = worker_pid(&server);
    assert_eq!(server.get("/replace"), b"soon");
    server.await_event(&format!("worker-stopped 0 {pid}"));
    assert_ne!(worker_pid(&server), pid);
}

fn a_stray_sigterm_costs_a_worker_no_request() {
    let server = Server::start(&options(1));
    for (life, signal) in [(1, Signal::SIGTERM), (2, Signal::SIGUSR1)] {
        let pid = restarted(&server, 0, life);
        kill(Pid::from_raw(pid), signal).expect("it runs");
        server.await_event(&format!("worker-stopped 0 {pid}"));
        worker_pid(&server);
    }
    let mut client = server.client();
    client.request("/echo");
    assert_eq!(client.content(), b"");
    assert!(!server.events().iter().any(|event| event.starts_with("failed")));
}

fn a_signal_to_the_whole_group_is_an_orderly_stop() {
    // As a terminal or a service manager does it.
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut server = Server::start(&options(2));
        let (mut client, pid) = busy(&server, "/sleep?300");
        for process in [server.titled("Reactor", 1), pid, server.pid()] {
            kill(Pid::from_raw(process), signal).expect("it runs");
        }
        assert_eq!(client.content(), b"slept");
        assert_eq!(code(server.end()), Some(0));
        server.await_event("result stopped");
    }
}
