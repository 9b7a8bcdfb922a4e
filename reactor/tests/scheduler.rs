//! The policy, driven with time as an argument.

use std::time::{Duration, Instant};

use reactor::Config;
use reactor::handler::workers::scheduler::*;
use wire::limits::{BEGIN_TIME_MAX, HANDOVER_DEPTH_MAX, REBALANCE_AFTER};
use wire::{ExchangeId, PoolId, Pools};

fn config(workers: u16, threads: usize, queue_len_max: usize) -> Config {
    Config { threads, pools: Pools::of_requests(workers), queue_len_max, ..Config::default() }
}

fn ticket(n: u32) -> RequestKey {
    RequestKey { thread: 0, exchange: ExchangeId::new(n, 0) }
}

/// The policy of the only pool.
fn over(config: &Config) -> Scheduler {
    Scheduler::new(config, config.pools.get(PoolId(0)).unwrap())
}

fn scheduler(workers: u16, start: Instant) -> Scheduler {
    let mut scheduler = over(&config(workers, 1, 2));
    for worker in 0..workers {
        let slot = worker_slot(worker, 0);
        scheduler.joined(slot, 0, start);
        assert_eq!(scheduler.linked(slot, 0, start), None);
    }
    scheduler
}

#[test]
fn idle_workers_come_first_then_the_queue_then_refusal() {
    let now = Instant::now();
    let mut s = scheduler(2, now);
    assert_eq!(s.submit(ticket(1), now), Placement::Given(2));
    assert_eq!(s.submit(ticket(2), now), Placement::Given(0));
    assert_eq!(s.submit(ticket(3), now), Placement::Queued);
    assert_eq!(s.submit(ticket(4), now), Placement::Queued);
    assert_eq!(s.submit(ticket(5), now), Placement::Refused);
    let later = now + Duration::from_millis(100);
    let next = FollowUp::Assign(Dispatch { ticket: ticket(3), worker: 0 });
    assert_eq!(s.finished(0, ticket(2), later), next);
    assert!(s.cancel(ticket(4)));
    assert_eq!(s.finished(2, ticket(1), later), FollowUp::Nothing);
    assert_eq!(s.submit(ticket(6), later), Placement::Given(2));
}

#[test]
fn only_a_fast_worker_is_given_requests_ahead() {
    let mut now = Instant::now();
    let mut s = scheduler(1, now);
    for n in 0..40 {
        assert_eq!(s.submit(ticket(n), now), Placement::Given(0));
        now += Duration::from_micros(20);
        assert_eq!(s.finished(0, ticket(n), now), FollowUp::Nothing);
    }
    for n in 0..HANDOVER_DEPTH_MAX as u32 {
        assert_eq!(s.submit(ticket(n), now), Placement::Given(0), "{n}");
    }
    assert_eq!(s.submit(ticket(9), now), Placement::Queued);
    now += Duration::from_millis(100);
    assert_eq!(s.finished(0, ticket(0), now), FollowUp::Nothing, "it has become slow");
    assert_eq!(s.queued(), 1);
}

#[test]
fn a_request_behind_a_slow_one_moves_to_an_idle_worker() {
    let mut now = Instant::now();
    let mut s = scheduler(2, now);
    for n in 0..80 {
        assert_eq!(s.submit(ticket(n), now), Placement::Given(2));
        assert_eq!(s.submit(ticket(100 + n), now), Placement::Given(0));
        now += Duration::from_micros(20);
        s.finished(0, ticket(100 + n), now);
        s.finished(2, ticket(n), now);
    }
    assert_eq!(s.submit(ticket(1), now), Placement::Given(2));
    assert_eq!(s.submit(ticket(2), now), Placement::Given(0));
    assert_eq!(s.submit(ticket(3), now), Placement::Given(0));
    assert_eq!(s.finished(2, ticket(1), now), FollowUp::Nothing);
    assert_eq!(s.unbalanced(), Some(REBALANCE_AFTER));
    assert_eq!(s.rebalance(now), [], "the first may still be quick");
    now += REBALANCE_AFTER;
    assert_eq!(s.rebalance(now), [Move { ticket: ticket(3), from: 0, to: 2 }]);
    assert_eq!(s.unbalanced(), None, "nobody is idle");
    assert_eq!(s.relieved(0, ticket(3), now), FollowUp::Nothing, "taken back");
    assert_eq!(s.finished(0, ticket(2), now), FollowUp::Nothing);
    assert_eq!(s.submit(ticket(4), now), Placement::Given(0));
}

#[test]
fn a_request_behind_a_handler_that_works_on_moves_once() {
    let mut now = Instant::now();
    let mut s = scheduler(2, now);
    assert_eq!(s.submit(ticket(1), now), Placement::Given(2));
    assert_eq!(s.finished(2, ticket(1), now), FollowUp::Nothing);
    assert_eq!(s.submit(ticket(2), now), Placement::Given(2), "nobody knows that it works on");
    assert_eq!(s.unbalanced(), Some(BEGIN_TIME_MAX));
    assert_eq!(s.rebalance(now), [], "it may begin at once");
    now += BEGIN_TIME_MAX;
    assert_eq!(s.rebalance(now), [Move { ticket: ticket(2), from: 2, to: 0 }]);
    assert_eq!(s.relieved(0, ticket(2), now), FollowUp::Nothing, "it had begun");
    assert_eq!(s.unbalanced(), None);
    now += BEGIN_TIME_MAX;
    assert_eq!(s.rebalance(now), [], "a slow one is asked for once");
    assert_eq!(s.finished(2, ticket(2), now), FollowUp::Nothing);
    assert_eq!(s.submit(ticket(3), now), Placement::Given(2));
    assert_eq!(s.unbalanced(), Some(BEGIN_TIME_MAX), "the next one is another");
}

#[test]
fn a_request_leaves_the_queue_when_it_is_too_old() {
    let now = Instant::now();
    let mut s = scheduler(1, now);
    s.submit(ticket(1), now);
    let second = now + Duration::from_secs(1);
    assert_eq!(s.submit(ticket(2), now), Placement::Queued);
    assert_eq!(s.submit(ticket(3), second), Placement::Queued);
    assert_eq!(s.next_expiry(), Some(now + Duration::from_secs(10)));
    assert_eq!(s.expired(now + Duration::from_secs(10)), [ticket(2)]);
    assert_eq!(s.next_expiry(), Some(second + Duration::from_secs(10)));
}

#[test]
fn a_retired_worker_finishes_and_closes() {
    let now = Instant::now();
    let mut s = scheduler(1, now);
    s.submit(ticket(1), now);
    assert_eq!(s.retire(0), None, "it still has work");
    assert_eq!(s.submit(ticket(2), now), Placement::Queued);
    s.joined(1, 1, now);
    assert_eq!(s.linked(1, 1, now), Some(Dispatch { ticket: ticket(2), worker: 1 }));
    assert_eq!(s.finished(0, ticket(1), now), FollowUp::Close(0));
    let end = WorkerEnd { incarnation: 0, retired: true, request: None };
    assert_eq!(s.link_ended(0, 0, None), LinkEnd::Worker(end));
}

#[test]
fn a_lost_worker_is_reported_once_all_links_ended() {
    let now = Instant::now();
    let mut s = over(&config(1, 2, 1));
    s.joined(0, 0, now);
    assert_eq!(s.submit(ticket(9), now), Placement::Queued, "not linked yet");
    assert_eq!(s.linked(0, 0, now), None);
    let waited = Dispatch { ticket: ticket(9), worker: 0 };
    assert_eq!(s.linked(0, 0, now), Some(waited));
    assert_eq!(s.link_ended(0, 0, Some("GET /".into())), LinkEnd::CloseOthers);
    assert_eq!(s.retire(0), None);
    let end = WorkerEnd { incarnation: 0, retired: false, request: Some("GET /".into()) };
    assert_eq!(s.link_ended(0, 0, None), LinkEnd::Worker(end));
    assert_eq!(s.resubmit(ticket(1), now), Placement::Queued);
    assert_eq!(s.resubmit(ticket(2), now), Placement::Queued, "never refused");
}

#[test]
fn the_end_of_one_link_is_the_end_of_the_worker() {
    let now = Instant::now();
    let mut s = over(&config(1, 3, 1));
    s.joined(0, 6, now);
    assert_eq!((0..3).filter_map(|_| s.linked(0, 6, now)).count(), 0);
    assert!(!s.is_ending(0, 6));
    assert_eq!(s.link_ended(0, 6, None), LinkEnd::CloseOthers, "it was idle");
    assert!(s.is_ending(0, 6));
    assert_eq!(s.submit(ticket(1), now), Placement::Queued, "it is given nothing more");
    assert_eq!(s.link_ended(0, 6, None), LinkEnd::Nothing, "told once");
    let end = WorkerEnd { incarnation: 6, retired: false, request: None };
    assert_eq!(s.link_ended(0, 6, None), LinkEnd::Worker(end));
}

#[test]
fn a_link_that_ends_before_the_others_are_there_ends_them_as_they_come() {
    let now = Instant::now();
    let mut s = over(&config(1, 2, 1));
    s.joined(0, 2, now);
    assert_eq!(s.linked(0, 2, now), None);
    assert_eq!(s.link_ended(0, 2, None), LinkEnd::CloseOthers);
    assert_eq!(s.submit(ticket(1), now), Placement::Queued);
    assert_eq!(s.linked(0, 2, now), None, "not even with all links");
    assert!(s.is_ending(0, 2));
    let end = WorkerEnd { incarnation: 2, retired: false, request: None };
    assert_eq!(s.link_ended(0, 2, None), LinkEnd::Worker(end));
}

#[test]
fn what_is_late_of_one_life_does_not_touch_the_next_in_its_place() {
    let now = Instant::now();
    let mut s = over(&config(1, 2, 1));
    s.joined(0, 2, now);
    s.joined(0, 4, now);
    assert_eq!(s.linked(0, 2, now), None);
    assert_eq!(s.link_ended(0, 2, None), LinkEnd::Nothing);
    assert!(s.is_ending(0, 2) && !s.is_ending(0, 4));
    assert_eq!(s.linked(0, 4, now), None);
    assert_eq!(s.linked(0, 4, now), None);
    assert_eq!(s.submit(ticket(1), now), Placement::Given(0));
}
