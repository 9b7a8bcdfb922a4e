//! The table as a state machine: no process, and time is whatever the test says.

use std::time::{Duration, Instant};

use nix::libc::{SIGKILL, SIGSEGV};
use wire::control::Incarnation;
use wire::limits::{
    ABORT_TIME_MAX, BOOT_FAILURES_MAX, CRASH_PAUSE_MAX, END_GRACE, LOST_REPORT_WAIT_MAX,
    RESPAWN_PAUSE_MIN, STEADY_LIFE_MIN, STOP_TIME_MIN,
};

use super::{Action, Exit, Note, ProcessTable, Replacements, Work};
use crate::application::{FailureReason, WorkerFailure};
use crate::plan::SuperviseError;
use crate::supervisor::watchdog::Stuck;

const MAX_WAIT: Duration = Duration::from_secs(3);
const START_TIME: Duration = Duration::from_secs(60);
const KILLED: Exit = Exit::Signal(SIGKILL);
const REACTOR: i32 = 1;

/// A table with a supervisor that does as it is told.
struct Bench {
    table: ProcessTable,
    now: Instant,
    /// Whether there are descriptors for links.
    links: bool,
    /// What the supervisor has not read yet: this worker is ready.
    unread: Option<Incarnation>,
}

impl Bench {
    fn new(workers: u16) -> Self {
        let table = ProcessTable::new(workers, MAX_WAIT, START_TIME);
        Self { table, now: Instant::now(), links: true, unread: None }
    }

    /// A server that is up: its reactor has pid 1, its workers have pid 100 + incarnation.
    fn up(workers: u16) -> Self {
        let mut bench = Self::new(workers);
        let actions = bench.run();
        assert_eq!(actions.len(), usize::from(workers) + 1, "{actions:?}");
        bench.table.reactor_ready(bench.now);
        for action in actions {
            if let Action::ForkWorker { incarnation, .. } = action {
                bench.table.worker_ready(incarnation, bench.now);
            }
        }
        assert_eq!(bench.run().last(), Some(&Action::Started));
        bench.pass(STEADY_LIFE_MIN);
        bench
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Does all there is to do now.
    fn run(&mut self) -> Vec<Action> {
        let mut done = Vec::new();
        while let Some(action) = self.table.poll(self.now) {
            match &action {
                Action::ForkReactor { .. } => self.table.reactor_forked(Some(REACTOR), self.now),
                Action::ForkWorker { incarnation, .. } => {
                    self.table.worker_forked(*incarnation, Some(pid(*incarnation)), self.now);
                }
                Action::Hear(incarnation) => {
                    if self.unread == Some(*incarnation) {
                        self.table.worker_ready(*incarnation, self.now);
                    }
                    self.table.heard(*incarnation, self.now);
                }
                Action::Link { incarnation, .. } => {
                    self.table.linked(*incarnation, self.links, self.now);
                }
                _ => {}
            }
            done.push(action);
            assert!(done.len() < 1000, "the table spins: {done:?}");
        }
        done
    }

    fn exit(&mut self, incarnation: Incarnation, exit: Exit) {
        self.table.exited(pid(incarnation), exit, self.now);
    }

    fn ready(&mut self, incarnation: Incarnation) {
        self.table.worker_ready(incarnation, self.now);
    }

    /// Goes to the table's deadline.
    fn skip(&mut self) {
        self.now = self.now.max(self.table.deadline().expect("a deadline"));
    }
}

fn pid(incarnation: Incarnation) -> i32 {
    100 + incarnation as i32
}

fn forked(actions: &[Action]) -> Vec<(u16, Incarnation)> {
    let fork = |action: &Action| match action {
        Action::ForkWorker { worker, incarnation, .. } => Some((*worker, *incarnation)),
        _ => None,
    };
    actions.iter().filter_map(fork).collect()
}

fn late(worker: u16, incarnation: Incarnation) -> Action {
    Action::Note(Note::WorkerLate { worker, pid: pid(incarnation), after: START_TIME })
}

fn ended(actions: &[Action]) -> Vec<Work> {
    let work = |action: &Action| match action {
        Action::Note(Note::WorkerEnded { work, .. }) => Some(work.clone()),
        _ => None,
    };
    actions.iter().filter_map(work).collect()
}

fn result(actions: &[Action]) -> Option<&Result<(), SuperviseError>> {
    match actions.last() {
        Some(Action::End { result, .. }) => Some(result),
        _ => None,
    }
}

#[test]
fn a_server_is_up_when_the_reactor_and_every_worker_are_ready_and_linked() {
    let mut bench = Bench::new(2);
    let [(0, first), (1, second)] = forked(&bench.run())[..] else { panic!() };
    bench.ready(first);
    assert_eq!(bench.run(), [], "no link without a reactor");
    bench.table.reactor_ready(bench.now);
    assert_eq!(bench.run(), [Action::Link { worker: 0, incarnation: first }]);
    bench.ready(second);
    let link = Action::Link { worker: 1, incarnation: second };
    assert_eq!(bench.run(), [link, Action::Started]);
}

#[test]
fn a_steady_worker_that_is_killed_is_replaced_at_once_with_the_other_parity() {
    let mut bench = Bench::up(1);
    bench.table.lost(1, Some("GET /".into()), bench.now);
    bench.exit(1, KILLED);
    let actions = bench.run();
    assert_eq!(forked(&actions), [(0, 2)]);
    assert!(actions.contains(&Action::ForkWorker { worker: 0, incarnation: 2, again: true }));
    assert_eq!(ended(&actions), [Work::Request("GET /".into())]);
    let failed = actions.iter().filter(|action| matches!(action, Action::Failed(_))).count();
    assert_eq!(failed, 1);
    bench.ready(2);
    assert_eq!(bench.run(), [Action::Link { worker: 0, incarnation: 2 }]);
    // The supervisor counts those that died.
    assert_eq!((bench.table.tally(), bench.table.restarts_of(0)), (Replacements::default(), 1));
}

#[test]
fn a_worker_that_lost_a_link_and_lives_is_told_to_end_then_killed_and_replaced_at_once() {
    let mut bench = Bench::up(1);
    bench.table.lost(1, Some("GET /".into()), bench.now);
    let actions = bench.run();
    assert!(actions.contains(&Action::Stop(1)), "{actions:?}");
    assert_eq!(forked(&actions), [(0, 2)], "its place does not wait for its end");
    bench.ready(2);
    assert!(bench.run().contains(&Action::Link { worker: 0, incarnation: 2 }));
    let pid = pid(1);
    bench.pass(STOP_TIME_MIN);
    let note = Action::Note(Note::WorkerUnlinked { worker: 0, pid, killed: true });
    assert_eq!(bench.run(), [note, Action::Kill(1)]);
    bench.exit(1, KILLED);
    assert_eq!(ended(&bench.run()), [Work::Request("GET /".into())]);
}

#[test]
fn a_worker_that_lost_a_link_and_obeys_leaves_a_line() {
    let mut bench = Bench::up(1);
    bench.table.lost(1, None, bench.now);
    bench.run();
    let pid = pid(1);
    bench.exit(1, Exit::Code(0));
    let note = Action::Note(Note::WorkerUnlinked { worker: 0, pid, killed: false });
    assert_eq!(bench.run(), [note]);
}

#[test]
fn a_stuck_reactor_is_told_to_end_then_killed_and_replaced_at_once() {
    let mut bench = Bench::up(1);
    let (thread, after) = (3, Duration::from_secs(10));
    bench.table.reactor_stuck(Stuck { thread, after }, bench.now);
    let note = Action::Note(Note::ReactorStuck { pid: REACTOR, thread, after });
    assert_eq!(bench.run(), [note, Action::AbortReactor]);
    assert!(bench.table.deadline().is_some_and(|at| at <= bench.now + ABORT_TIME_MAX));
    bench.pass(ABORT_TIME_MAX);
    assert_eq!(bench.run(), [Action::KillReactor]);
    assert_eq!(bench.run(), [], "once");
    bench.table.exited(REACTOR, KILLED, bench.now);
    assert!(bench.run().contains(&Action::ForkReactor { again: true }));
    assert_eq!(bench.run(), []);
}

#[test]
fn a_reactor_that_finishes_is_not_stuck() {
    let mut bench = Bench::up(1);
    bench.table.stop(bench.now);
    bench.run();
    let stuck = Stuck { thread: 0, after: Duration::from_secs(10) };
    bench.table.reactor_stuck(stuck, bench.now);
    assert_eq!(bench.run(), []);
}

#[test]
fn the_log_line_waits_for_the_reactors_word_and_not_for_ever() {
    let mut bench = Bench::up(1);
    bench.exit(1, KILLED);
    let actions = bench.run();
    assert_eq!(forked(&actions), [(0, 2)], "the replacement does not wait");
    assert_eq!(ended(&actions), []);
    bench.table.lost(1, None, bench.now);
    assert_eq!(ended(&bench.run()), [Work::Idle]);

    bench.ready(2);
    bench.run();
    bench.exit(2, KILLED);
    assert_eq!(ended(&bench.run()), []);
    assert!(bench.table.deadline().is_some_and(|at| at <= bench.now + LOST_REPORT_WAIT_MAX));
    bench.pass(LOST_REPORT_WAIT_MAX);
    assert_eq!(ended(&bench.run()), [Work::Unknown]);
}

#[test]
fn short_lives_are_replaced_after_doubling_pauses() {
    let mut bench = Bench::up(1);
    bench.exit(1, KILLED);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let before = bench.now;
        let actions = loop {
            let actions = bench.run();
            if !forked(&actions).is_empty() {
                break actions;
            }
            bench.skip();
        };
        pauses.push(bench.now - before);
        let (_, incarnation) = forked(&actions)[0];
        bench.ready(incarnation);
        bench.run();
        bench.table.lost(incarnation, None, bench.now);
        bench.exit(incarnation, Exit::Signal(SIGSEGV));
    }
    assert_eq!(pauses[0], Duration::ZERO);
    assert_eq!(pauses[1], RESPAWN_PAUSE_MIN);
    assert_eq!(pauses[2], RESPAWN_PAUSE_MIN * 2);
    assert_eq!(pauses[8], CRASH_PAUSE_MAX);
}

#[test]
fn workers_that_cannot_be_linked_are_replaced_after_pauses() {
    let mut bench = Bench::up(1);
    bench.links = false;
    bench.table.lost(1, None, bench.now);
    bench.exit(1, KILLED);
    let mut actions = bench.run();
    let begin = bench.now;
    for _ in 0..9 {
        let (_, incarnation) = forked(&actions)[0];
        bench.ready(incarnation);
        assert!(bench.run().contains(&Action::Kill(incarnation)));
        bench.exit(incarnation, KILLED);
        actions = bench.run();
        while forked(&actions).is_empty() {
            bench.skip();
            actions = bench.run();
        }
    }
    assert!(bench.now - begin > 6 * CRASH_PAUSE_MAX);
    bench.links = true;
    bench.ready(forked(&actions)[0].1);
    assert!(bench.run().iter().any(|action| matches!(action, Action::Link { .. })));
}

#[test]
fn boots_that_fail_in_a_row_end_the_server() {
    let mut bench = Bench::new(1);
    let mut actions = bench.run();
    bench.table.reactor_ready(bench.now);
    for _ in 0..BOOT_FAILURES_MAX {
        let (_, incarnation) = forked(&actions)[0];
        bench.exit(incarnation, Exit::Code(1));
        actions = bench.run();
        assert_eq!(ended(&actions), [Work::Booting]);
        if forked(&actions).is_empty() && !actions.contains(&Action::Drain(Duration::ZERO)) {
            bench.skip();
            actions = bench.run();
        }
    }
    assert!(actions.contains(&Action::Drain(Duration::ZERO)), "{actions:?}");
    bench.table.exited(REACTOR, Exit::Code(0), bench.now);
    let actions = bench.run();
    let Some(Err(SuperviseError::BootLoop(text))) = result(&actions) else { panic!("{actions:?}") };
    assert!(text.contains("worker 0") && text.contains("exit code 1"), "{text}");
    assert!(matches!(actions.last(), Some(Action::End { started: false, .. })));
}

#[test]
fn a_worker_that_is_not_ready_in_time_is_killed_and_started_again() {
    let mut bench = Bench::new(1);
    bench.run();
    bench.table.reactor_ready(bench.now);
    bench.pass(START_TIME - Duration::from_millis(1));
    assert_eq!(bench.run(), []);
    bench.skip();
    assert_eq!(bench.run(), [Action::Hear(1), late(0, 1), Action::Kill(1)]);
    bench.ready(1);
    bench.pass(START_TIME);
    assert_eq!(bench.run(), [], "what it says now is too late, and nobody is started beside it");
    assert_eq!(bench.table.deadline(), None);
    bench.exit(1, KILLED);
    let reason = FailureReason::StartTimeout;
    let failure = WorkerFailure { worker: 0, pid: pid(1), exit_code: 0, signal: SIGKILL, reason };
    assert_eq!(bench.run(), [Action::Failed(failure)], "the log has its line");
    let begin = bench.now;
    bench.skip();
    assert_eq!(bench.now - begin, RESPAWN_PAUSE_MIN);
    assert_eq!(forked(&bench.run()), [(0, 2)]);
    assert_eq!(bench.table.tally(), Replacements { not_ready: 1, ..Replacements::default() });
    bench.pass(START_TIME - Duration::from_millis(1));
    bench.ready(2);
    bench.pass(START_TIME);
    assert_eq!(bench.run().last(), Some(&Action::Started), "and whoever is ready has all the time");
}

#[test]
fn a_worker_that_nobody_has_listened_to_is_not_late() {
    let mut bench = Bench::new(1);
    bench.run();
    bench.table.reactor_ready(bench.now);
    bench.unread = Some(1);
    bench.pass(2 * START_TIME);
    let link = Action::Link { worker: 0, incarnation: 1 };
    assert_eq!(bench.run(), [Action::Hear(1), link, Action::Started]);
}

#[test]
fn the_time_of_a_worker_begins_with_its_fork() {
    let mut table = ProcessTable::new(1, MAX_WAIT, START_TIME);
    let now = Instant::now();
    while let Some(action) = table.poll(now) {
        if let Action::ForkWorker { incarnation, .. } = action {
            table.worker_forked(incarnation, Some(pid(incarnation)), now + MAX_WAIT);
        }
    }
    assert_eq!(table.deadline(), Some(now + MAX_WAIT + START_TIME));
}

#[test]
fn workers_that_are_never_ready_in_time_end_the_server() {
    let mut bench = Bench::new(2);
    let begin = bench.now;
    let mut lives: Vec<_> = forked(&bench.run());
    bench.table.reactor_ready(bench.now);
    let mut killed = 0;
    let drained = loop {
        bench.skip();
        let actions = bench.run();
        lives.extend(forked(&actions));
        for action in &actions {
            if let Action::Kill(incarnation) = action {
                killed += 1;
                bench.exit(*incarnation, KILLED);
            }
        }
        if actions.iter().any(|action| matches!(action, Action::Drain(_))) {
            break actions;
        }
    };
    assert!(drained.contains(&Action::Drain(Duration::ZERO)));
    assert_eq!((killed, lives.len()), (10, 10), "both five times");
    assert!(bench.now - begin < 5 * START_TIME + Duration::from_secs(2));
    bench.table.exited(REACTOR, Exit::Code(0), bench.now);
    let actions = bench.run();
    let Some(Err(SuperviseError::BootLoop(text))) = result(&actions) else { panic!("{actions:?}") };
    assert!(text.contains("5 times in a row (the last one was not ready after 60 s)"), "{text}");
}

#[test]
fn a_successor_that_is_not_ready_in_time_ends_the_reload_and_nothing_else() {
    let mut bench = Bench::up(2);
    bench.table.reload();
    assert_eq!(forked(&bench.run()), [(0, 4)]);
    bench.skip();
    assert_eq!(bench.run(), [Action::Hear(4), late(0, 4), Action::Kill(4)]);
    bench.exit(4, KILLED);
    let actions = bench.run();
    assert!(actions.contains(&Action::Note(Note::ReloadAbandoned { worker: 0 })), "{actions:?}");
    assert_eq!(ended(&actions), []);
    bench.pass(2 * START_TIME);
    assert_eq!(bench.run(), [], "nobody is told to go, and nobody tries again");
    bench.table.reload();
    assert_eq!(forked(&bench.run()).len(), 1, "but at the next signal");
}

#[test]
fn a_reactor_that_cannot_boot_ends_the_server() {
    let mut bench = Bench::new(1);
    bench.run();
    bench.ready(1);
    let mut actions = Vec::new();
    for _ in 0..BOOT_FAILURES_MAX {
        bench.table.exited(REACTOR, Exit::Code(3), bench.now);
        actions = bench.run();
        if !actions.contains(&Action::Stop(1)) {
            bench.skip();
            actions = bench.run();
            assert!(actions.contains(&Action::ForkReactor { again: true }), "{actions:?}");
        }
    }
    assert!(actions.contains(&Action::Stop(1)));
    bench.exit(1, Exit::Code(0));
    let actions = bench.run();
    assert!(matches!(result(&actions), Some(Err(SuperviseError::BootLoop(_)))), "{actions:?}");
}

#[test]
fn while_others_serve_a_worker_that_cannot_boot_is_tried_again_and_again() {
    let mut bench = Bench::up(2);
    bench.exit(1, KILLED);
    for _ in 0..3 * BOOT_FAILURES_MAX {
        let actions = loop {
            let actions = bench.run();
            if !forked(&actions).is_empty() {
                break actions;
            }
            bench.skip();
        };
        bench.exit(forked(&actions)[0].1, Exit::Code(1));
    }
    assert!(!bench.run().iter().any(|action| matches!(action, Action::Drain(_))));
}

#[test]
fn a_reload_replaces_one_worker_after_another() {
    let mut bench = Bench::up(2);
    bench.table.reload();
    let actions = bench.run();
    assert_eq!(actions[0], Action::Note(Note::ReloadBegun));
    assert_eq!(forked(&actions), [(0, 4)], "3 has the parity of 1");
    bench.ready(4);
    let link = Action::Link { worker: 0, incarnation: 4 };
    assert_eq!(bench.run(), [link, Action::Retire(1), Action::Stop(1)]);
    bench.table.retired(1);
    assert_eq!(bench.run(), [], "the next one waits for the end of the former process");
    bench.exit(1, Exit::Code(0));
    assert_eq!(forked(&bench.run()), [(1, 5)]);
    bench.ready(5);
    bench.run();
    bench.exit(2, Exit::Code(0));
    assert_eq!(bench.run(), [Action::Note(Note::ReloadDone)]);
    assert_eq!(
        bench.table.tally(),
        Replacements { reloaded: 2, reloads: 1, ..Replacements::default() }
    );
    assert_eq!([0, 1].map(|worker| bench.table.restarts_of(worker)), [1, 1]);
}

#[test]
fn a_second_reload_follows_the_first() {
    let mut bench = Bench::up(1);
    bench.table.reload();
    bench.run();
    bench.table.reload();
    bench.table.reload();
    bench.ready(2);
    bench.run();
    bench.exit(1, Exit::Code(0));
    let actions = bench.run();
    assert_eq!(actions[..2], [Note::ReloadDone, Note::ReloadBegun].map(Action::Note));
    assert_eq!(forked(&actions), [(0, 3)]);
    bench.ready(3);
    bench.run();
    bench.exit(2, Exit::Code(0));
    assert_eq!(bench.run(), [Action::Note(Note::ReloadDone)]);
}

#[test]
fn a_successor_that_does_not_boot_ends_the_reload_and_nothing_else() {
    let mut bench = Bench::up(2);
    bench.table.reload();
    bench.run();
    bench.exit(4, Exit::Code(255));
    let actions = bench.run();
    assert!(actions.contains(&Action::Note(Note::ReloadAbandoned { worker: 0 })));
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.run(), [], "nobody tries again");
    assert_eq!((bench.table.tally().reloads, bench.table.tally().abandoned), (0, 1));
    bench.table.reload();
    assert_eq!(forked(&bench.run()).len(), 1, "but at the next signal");
}

#[test]
fn a_worker_that_does_not_retire_is_killed() {
    let mut bench = Bench::up(1);
    bench.table.reload();
    bench.run();
    bench.ready(2);
    bench.run();
    bench.pass(MAX_WAIT + END_GRACE - Duration::from_millis(1));
    assert_eq!(bench.run(), []);
    bench.skip();
    let overdue = Note::Overdue { worker: Some(0), pid: pid(1) };
    assert_eq!(bench.run(), [Action::Note(overdue), Action::Kill(1)]);
    bench.exit(1, KILLED);
    assert!(bench.run().contains(&Action::Note(Note::ReloadDone)));
}

#[test]
fn a_recycled_worker_serves_until_its_successor_is_linked() {
    let mut bench = Bench::up(1);
    bench.table.worker_recycle(1);
    let actions = bench.run();
    assert_eq!(actions, [Action::ForkWorker { worker: 0, incarnation: 2, again: false }]);
    bench.exit(2, Exit::Code(1));
    assert_eq!(ended(&bench.run()), [Work::Booting], "no fault, and another try");
    bench.skip();
    assert_eq!(forked(&bench.run()), [(0, 3)].map(|(w, _)| (w, 4)));
    bench.ready(4);
    let link = Action::Link { worker: 0, incarnation: 4 };
    assert_eq!(bench.run(), [link, Action::Retire(1), Action::Stop(1)]);
    assert_eq!(bench.table.tally(), Replacements { recycled: 2, ..Replacements::default() });
}

#[test]
fn a_worker_that_leaves_is_replaced_at_once_and_is_no_failure() {
    let mut bench = Bench::up(1);
    for incarnation in 1..10 {
        bench.table.worker_leaving(incarnation, false);
        bench.table.lost(incarnation, None, bench.now);
        bench.exit(incarnation, Exit::Code(255));
        let fork = Action::ForkWorker { worker: 0, incarnation: incarnation + 1, again: false };
        assert_eq!(bench.run(), [fork]);
        bench.ready(incarnation + 1);
        bench.run();
    }
    assert_eq!(bench.table.tally(), Replacements { left: 9, ..Replacements::default() });
}

#[test]
fn a_worker_that_leaves_because_of_a_timeout_is_counted_as_such() {
    let mut bench = Bench::up(1);
    for (incarnation, timed_out) in [(1, true), (2, false), (3, true)] {
        bench.table.worker_leaving(incarnation, timed_out);
        bench.table.lost(incarnation, None, bench.now);
        bench.exit(incarnation, Exit::Code(255));
        assert_eq!(forked(&bench.run()), [(0, incarnation + 1)]);
        bench.ready(incarnation + 1);
        bench.run();
    }
    assert_eq!(
        bench.table.tally(),
        Replacements { left: 1, timed_out: 2, ..Replacements::default() }
    );
}

#[test]
fn one_that_leaves_beside_a_former_life_is_counted_as_such() {
    let mut bench = Bench::up(1);
    bench.table.worker_recycle(1);
    bench.run();
    bench.ready(2);
    bench.run();
    bench.table.worker_leaving(2, false);
    bench.table.lost(2, None, bench.now);
    bench.exit(2, Exit::Code(255));
    // The place is free once the former one has gone as well.
    bench.exit(1, Exit::Code(0));
    bench.run();
    assert_eq!(
        bench.table.tally(),
        Replacements { recycled: 1, left: 1, ..Replacements::default() }
    );
}

#[test]
fn two_lives_of_a_worker_never_share_their_marks() {
    let mut bench = Bench::up(1);
    bench.table.reload();
    bench.run();
    bench.ready(2);
    bench.run();
    // 1 retires, 2 serves and dies.
    bench.exit(2, KILLED);
    assert_eq!(forked(&bench.run()), [], "2 had a short life");
    bench.skip();
    assert_eq!(forked(&bench.run()), [(0, 4)], "3 has the marks of 1");
    bench.ready(4);
    assert_eq!(bench.run(), [], "the reactor still looks at the marks of 2");
    bench.table.lost(2, None, bench.now);
    assert!(bench.run().contains(&Action::Link { worker: 0, incarnation: 4 }));
}

#[test]
fn a_new_reactor_gets_links_to_the_warm_workers() {
    let mut bench = Bench::up(2);
    bench.table.exited(REACTOR, KILLED, bench.now);
    let actions = bench.run();
    assert!(actions.contains(&Action::ForkReactor { again: true }), "{actions:?}");
    assert_eq!(forked(&actions), []);
    bench.table.reactor_ready(bench.now);
    let link = |worker, incarnation| Action::Link { worker, incarnation };
    assert_eq!(bench.run(), [link(0, 1), link(1, 2)]);
    bench.table.exited(REACTOR, KILLED, bench.now);
    assert!(matches!(bench.run()[..], [Action::Note(_)]), "it did not live long");
    bench.skip();
    assert_eq!(bench.run(), [Action::ForkReactor { again: true }]);
}

#[test]
fn a_reload_goes_on_over_the_death_of_the_reactor() {
    let mut bench = Bench::up(1);
    bench.table.reload();
    bench.run();
    bench.table.exited(REACTOR, KILLED, bench.now);
    bench.run();
    bench.ready(2);
    assert_eq!(bench.run(), []);
    bench.table.reactor_ready(bench.now);
    let link = Action::Link { worker: 0, incarnation: 2 };
    assert_eq!(bench.run(), [link, Action::Stop(1)], "1 has no link to retire from");
}

#[test]
fn a_worker_whose_links_were_lost_is_replaced_even_if_it_does_not_end() {
    let mut bench = Bench::up(1);
    bench.table.lost(1, None, bench.now);
    assert_eq!(forked(&bench.run()), [(0, 2)]);
    bench.skip();
    assert!(bench.run().contains(&Action::Kill(1)));
}

#[test]
fn a_stop_drains_the_reactor_and_then_ends_the_workers() {
    let mut bench = Bench::up(2);
    bench.table.stop(bench.now);
    assert_eq!(bench.run(), [Action::Note(Note::Stopping), Action::Drain(MAX_WAIT)]);
    bench.table.reload();
    bench.table.worker_recycle(1);
    assert_eq!(bench.run(), [], "nobody is replaced any more");
    bench.table.exited(REACTOR, Exit::Code(0), bench.now);
    assert_eq!(bench.run(), [Action::Stop(1), Action::Stop(2)]);
    bench.exit(1, Exit::Code(0));
    assert_eq!(bench.run(), []);
    bench.exit(2, Exit::Code(0));
    assert_eq!(bench.run(), [Action::End { started: true, result: Ok(()) }]);
    assert_eq!(bench.table.deadline(), None);
}

#[test]
fn a_request_in_flight_gets_its_worker_also_while_draining() {
    let mut bench = Bench::up(1);
    bench.table.stop(bench.now);
    bench.run();
    bench.table.lost(1, None, bench.now);
    bench.exit(1, KILLED);
    assert_eq!(forked(&bench.run()), [(0, 2)]);
}

#[test]
fn what_does_not_stop_in_time_is_killed() {
    let mut bench = Bench::up(1);
    bench.table.stop(bench.now);
    bench.run();
    bench.pass(MAX_WAIT + END_GRACE);
    let overdue = Note::Overdue { worker: None, pid: REACTOR };
    assert_eq!(bench.run(), [Action::Note(overdue), Action::KillReactor]);
    assert_eq!(bench.table.deadline(), None);
    bench.table.exited(REACTOR, KILLED, bench.now);
    assert_eq!(bench.run(), [Action::Stop(1)]);
    assert_eq!(bench.table.deadline(), Some(bench.now + STOP_TIME_MIN));
    bench.skip();
    assert!(bench.run().contains(&Action::Kill(1)));
    bench.exit(1, KILLED);
    assert_eq!(bench.run(), [Action::End { started: true, result: Ok(()) }]);
}

#[test]
fn a_boundless_wait_is_bounded() {
    let mut table = ProcessTable::new(1, Duration::MAX, Duration::MAX);
    let now = Instant::now();
    while let Some(action) = table.poll(now) {
        if let Action::ForkReactor { .. } = action {
            table.reactor_forked(Some(REACTOR), now);
        }
    }
    table.stop(now);
    while table.poll(now).is_some() {}
    assert!(table.deadline().is_some_and(|at| at > now));
}

#[test]
fn a_second_signal_kills_everything() {
    let mut bench = Bench::up(1);
    bench.table.stop(bench.now);
    bench.run();
    bench.table.stop(bench.now);
    let killing = Action::Note(Note::Killing);
    assert_eq!(bench.run(), [killing, Action::Kill(1), Action::KillReactor]);
    bench.exit(1, KILLED);
    bench.table.exited(REACTOR, KILLED, bench.now);
    assert_eq!(bench.run(), [Action::End { started: true, result: Ok(()) }]);
}

#[test]
fn a_failed_start_callback_is_the_result() {
    let mut bench = Bench::up(1);
    let error = SuperviseError::Start("no".into());
    bench.table.fail(error.clone(), bench.now);
    assert_eq!(bench.run(), [Action::Drain(MAX_WAIT)]);
    bench.table.exited(REACTOR, Exit::Code(0), bench.now);
    bench.run();
    bench.exit(1, Exit::Code(0));
    assert_eq!(result(&bench.run()), Some(&Err(error)));
}

#[test]
fn a_fork_that_fails_counts_as_a_failed_boot() {
    let mut table = ProcessTable::new(1, MAX_WAIT, START_TIME);
    let mut now = Instant::now();
    let mut failures = 0;
    let end = loop {
        match table.poll(now) {
            Some(Action::ForkWorker { incarnation, .. }) => {
                failures += 1;
                table.worker_forked(incarnation, None, now);
            }
            Some(Action::ForkReactor { .. }) => table.reactor_forked(Some(REACTOR), now),
            Some(Action::Drain(_)) => table.exited(REACTOR, Exit::Code(0), now),
            Some(Action::End { result, .. }) => break result,
            Some(_) => {}
            None => now = table.deadline().expect("a deadline"),
        }
    };
    assert_eq!(failures, BOOT_FAILURES_MAX);
    assert!(matches!(end, Err(SuperviseError::BootLoop(_))));
}
