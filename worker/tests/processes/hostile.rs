//! Processes that are broken or lie: what they can reach, and what follows.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::{Client, Seen, Server, options, runs, wait_for};

crate::cases![
    a_worker_that_has_lost_one_of_its_links_is_replaced,
    a_worker_that_has_lost_a_link_and_does_not_end_is_killed,
    what_only_supervisor_and_reactor_may_say_cannot_be_written_by_a_worker,
    a_worker_that_writes_there_all_the_same_is_replaced_and_changes_nothing,
    a_flood_of_unreadable_control_messages_leaves_few_lines,
    a_reactor_that_does_not_turn_is_replaced_and_the_workers_stay,
    a_reactor_that_idles_or_sleeps_with_its_supervisor_stays,
];

fn pid_of(server: &Server) -> i32 {
    String::from_utf8(server.get("/pid")).expect("text").parse().expect("a pid")
}

fn await_line(server: &Server, wanted: &str) -> String {
    wait_for(wanted, || server.log().into_iter().find(|line| line.contains(wanted)))
}

fn a_worker_that_has_lost_one_of_its_links_is_replaced() {
    let mut options = options(1);
    options.threads = 3;
    let server = Server::start(&options);
    let pid = pid_of(&server);
    let mut client = server.client();
    client.request("/close-link");
    // Answered, or not any more, as the link happens to be this one.
    client.rest();
    wait_for("its end", || (!runs(pid)).then_some(()));
    assert_eq!(server.await_event("worker-stopped 0 "), pid.to_string(), "in good order");
    let next = wait_for("a successor", || {
        let mut client = server.client();
        client.request("/pid");
        match client.rest() {
            (content, Seen::End) => Some(content),
            _ => None,
        }
    });
    assert_ne!(next, pid.to_string().as_bytes());
    await_line(&server, "after its link to the reactor had ended");
}

fn a_worker_that_has_lost_a_link_and_does_not_end_is_killed() {
    let mut options = options(1);
    options.threads = 2;
    let server = Server::start(&options);
    let pid = pid_of(&server);
    let mut client = server.client();
    client.request("/close-link?60000");
    assert_eq!(client.rest().1, Seen::End);
    wait_for("its end", || (!runs(pid)).then_some(()));
    await_line(&server, &format!("worker 0 (pid {pid}) is killed after its link"));
    assert_ne!(pid_of(&server), pid);
}

fn what_only_supervisor_and_reactor_may_say_cannot_be_written_by_a_worker() {
    let mut options = options(2);
    options.threads = 2;
    let server = Server::start(&options);
    let text = String::from_utf8(server.get("/protect")).expect("text");
    assert_eq!(text, "connections no, reactor no, pid no, turns no, other worker no, own yes");
}

fn a_worker_that_writes_there_all_the_same_is_replaced_and_changes_nothing() {
    let server = Server::start(&options(1));
    let pid = pid_of(&server);
    let mut client = server.client();
    client.request("/scribble");
    assert_eq!(client.rest().1, Seen::Lost);
    wait_for("its end", || (!runs(pid)).then_some(()));
    await_line(&server, "was killed by signal 11");
    assert_eq!(server.get("/connections"), b"0");
}

fn a_flood_of_unreadable_control_messages_leaves_few_lines() {
    let server = Server::start(&options(2));
    for _ in 0..5 {
        let mut client: Client = server.client();
        client.request("/control?50000");
        assert_eq!(client.rest().1, Seen::Lost, "it is killed");
    }
    await_line(&server, "control message");
    let lines = server.log().iter().filter(|line| line.contains("control message")).count();
    assert!(lines <= 300, "{lines} lines");
    pid_of(&server);
}

fn a_reactor_that_does_not_turn_is_replaced_and_the_workers_stay() {
    let mut options = options(1);
    options.watchdog = Duration::from_secs(1);
    let server = Server::start(&options);
    let (reactor, worker) = (server.titled("Reactor", 1), pid_of(&server));
    std::fs::write(server.dir.join("stuck"), "").expect("a file");
    await_line(&server, &format!("thread 0 of the reactor (pid {reactor}) has done nothing for "));
    await_line(&server, &format!("the reactor (pid {reactor}) was killed by signal 6 (SIGABRT)"));
    assert_ne!(server.titled("Reactor", 2), reactor);
    let same = wait_for("an answer", || {
        let mut client = server.client();
        client.request("/pid");
        match client.try_next() {
            Ok(_) => Some(client.content()),
            Err(_) => None,
        }
    });
    assert_eq!(same, worker.to_string().as_bytes());

    // One that is stopped does not take the first signal.
    let reactor = server.titled("Reactor", 2);
    kill(Pid::from_raw(reactor), Signal::SIGSTOP).expect("it runs");
    await_line(&server, &format!("the reactor (pid {reactor}) was killed by signal 9 (SIGKILL)"));
    assert_ne!(server.titled("Reactor", 3), reactor);
}

fn a_reactor_that_idles_or_sleeps_with_its_supervisor_stays() {
    let mut options = options(1);
    options.watchdog = Duration::from_secs(1);
    let server = Server::start(&options);
    let processes = [server.pid(), server.titled("Reactor", 1)];
    for signal in [Signal::SIGSTOP, Signal::SIGCONT] {
        for pid in processes {
            kill(Pid::from_raw(pid), signal).expect("it runs");
        }
        // Twice as long as a thread may take.
        std::thread::sleep(2 * options.watchdog);
    }
    pid_of(&server);
    assert!(server.log().iter().all(|line| !line.contains("has done nothing")));
}
