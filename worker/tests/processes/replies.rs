//! Requests and responses on the links.

use std::time::Duration;

use wire::limits::{ARENA_BYTES_MIN, BODY_FRAME_BYTES_MAX};

use crate::client::{Seen, Server, options};
use crate::server::pattern;

crate::cases![
    content_of_any_size_comes_back,
    content_beyond_the_window_waits_for_credit,
    the_last_content_says_that_it_is_when_it_has_to_wait,
    files_on_disk_need_no_window,
    a_stream_ends_when_the_client_leaves,
    a_handler_can_see_that_the_client_left,
    what_a_client_that_leaves_is_sent_still_reaches_it,
    an_unfinished_reply_is_aborted,
    a_request_that_was_taken_back_is_skipped,
    a_request_whose_client_left_before_its_turn_is_not_handled,
    requests_handed_ahead_are_kept_while_a_reply_waits,
    several_links_are_served_at_once,
    a_spooled_upload_reaches_the_handler,
    an_upload_that_a_worker_has_no_room_for_costs_one_answer,
    connection_events_are_heard_and_answered,
];

const WINDOW: usize = 100_000;

/// Reads content until the worker stops for want of credit.
fn up_to(client: &mut crate::client::Client, bytes: usize) -> Vec<u8> {
    let mut content = Vec::new();
    while content.len() < bytes {
        match client.next() {
            Seen::Head(_) => {}
            Seen::Body(part) | Seen::File(part) => content.extend(part),
            other => panic!("{other:?} after {} bytes", content.len()),
        }
    }
    assert_eq!(content.len(), bytes, "the window holds");
    client.settle();
    content
}

fn content_of_any_size_comes_back() {
    let mut options = options(1);
    options.window = 64 << 20;
    let server = Server::start(&options);
    let mut client = server.client();
    let sizes = [
        0,
        1,
        BODY_FRAME_BYTES_MAX / 2,
        BODY_FRAME_BYTES_MAX / 2 + 1,
        BODY_FRAME_BYTES_MAX,
        BODY_FRAME_BYTES_MAX + 1,
        ARENA_BYTES_MIN - 1,
        ARENA_BYTES_MIN,
        // More than the arena holds.
        9_000_000,
    ];
    for size in sizes {
        let content = pattern(size);
        client.say(&format!("request /echo {size}"), &content);
        assert!(client.content() == content, "{size}");
    }
}

fn content_beyond_the_window_waits_for_credit() {
    let mut options = options(1);
    options.window = WINDOW as u32;
    let server = Server::start(&options);
    let mut client = server.client();
    let whole = pattern(200_000);
    client.request("/big?200000");
    let mut content = up_to(&mut client, WINDOW);
    client.say("credit 1", b"");
    content.extend(up_to(&mut client, 1));
    client.say("credit 50000", b"");
    content.extend(up_to(&mut client, 50_000));
    client.say("credit 1000000", b"");
    content.extend(client.content());
    assert!(content == whole);
    // The next exchange has the whole window again, and no more.
    client.request("/big?200000");
    up_to(&mut client, WINDOW);
    client.say("credit 200000", b"");
    client.content();
}

fn the_last_content_says_that_it_is_when_it_has_to_wait() {
    let mut options = options(1);
    options.window = WINDOW as u32;
    let server = Server::start(&options);
    let mut client = server.client();
    for len in [WINDOW, WINDOW + 1] {
        client.request(&format!("/last?{len}"));
        assert!(matches!(client.next(), Seen::Head(_)));
        let first = client.next();
        assert_eq!(first, Seen::Body(pattern(1)));
        let mut content = pattern(1);
        if len > WINDOW {
            assert_eq!(client.next(), Seen::Complete);
            content.extend(up_to(&mut client, WINDOW - 1));
            client.say("credit 1", b"");
        }
        content.extend(client.content());
        assert!(content == pattern(len), "{len}");
    }
}

fn files_on_disk_need_no_window() {
    let mut options = options(1);
    options.window = WINDOW as u32;
    let server = Server::start(&options);
    let mut client = server.client();
    assert!(client.get("/disk?300000") == pattern(300_000));
}

fn a_stream_ends_when_the_client_leaves() {
    let mut options = options(1);
    options.window = WINDOW as u32;
    let server = Server::start(&options);
    let mut client = server.client();
    client.request("/stream?1000");
    up_to(&mut client, WINDOW);
    client.say("abort", b"");
    assert_eq!(client.next(), Seen::Abort("ClientGone".into()));
    assert_eq!(server.await_event("stream Gone(ClientGone)"), WINDOW.to_string());
    client.request("/pid");
    client.content();
}

fn a_handler_can_see_that_the_client_left() {
    let server = Server::start(&options(1));
    let mut client = server.client();
    client.request("/watch");
    server.await_event("watching");
    client.say("abort", b"");
    assert_eq!(server.await_event("watched: open"), "false");
    assert_eq!(server.await_event("watched: Err"), "Err(Gone(ClientGone))");
    assert_eq!(client.next(), Seen::Abort("ClientGone".into()));
    client.get("/pid");
}

fn what_a_client_that_leaves_is_sent_still_reaches_it() {
    let server = Server::start(&options(1));
    let mut client = server.client();
    client.request("/watch");
    server.await_event("watching");
    client.say("leave", b"");
    assert_eq!(server.await_event("watched: open"), "false");
    assert_eq!(server.await_event("watched: Ok"), "Ok(())");
    assert_eq!(client.rest(), (b"x".to_vec(), Seen::Abort("HandlerFailed".into())));
    client.get("/pid");
}

fn an_unfinished_reply_is_aborted() {
    let server = Server::start(&options(1));
    let mut client = server.client();
    for target in ["/drop", "/abort"] {
        client.request(target);
        assert_eq!(client.rest(), (Vec::new(), Seen::Abort("HandlerFailed".into())));
    }
    client.get("/pid");
}

fn a_request_that_was_taken_back_is_skipped() {
    let mut options = options(1);
    options.depth = 3;
    let server = Server::start(&options);
    let mut slow = server.client();
    slow.request("/sleep?200");
    server.await_event("sleeping");
    let mut taken = server.client();
    taken.request("/sleep?0");
    taken.settle();
    taken.say("takeback", b"");
    assert_eq!(taken.next(), Seen::Taken(true));
    slow.say("takeback", b"");
    assert_eq!(slow.next(), Seen::Taken(false), "it was started");
    assert_eq!(slow.content(), b"slept");
    slow.get("/pid");
    let sleeps = server.events().iter().filter(|event| event.starts_with("sleeping")).count();
    assert_eq!(sleeps, 1);
}

fn a_request_whose_client_left_before_its_turn_is_not_handled() {
    let mut options = options(1);
    options.depth = 2;
    let server = Server::start(&options);
    let mut slow = server.client();
    slow.request("/sleep?200");
    server.await_event("sleeping");
    let mut gone = server.client();
    gone.request("/sleep?1");
    gone.settle();
    gone.say("abort", b"");
    assert_eq!(gone.next(), Seen::Abort("ClientGone".into()));
    let sleeps = |event: &&String| event.starts_with("sleeping");
    let handled = server.events().iter().filter(sleeps).count();
    assert_eq!(handled, 1);
}

fn requests_handed_ahead_are_kept_while_a_reply_waits() {
    let mut options = options(1);
    options.depth = 4;
    options.window = WINDOW as u32;
    let server = Server::start(&options);
    let mut blocked = server.client();
    blocked.request("/big?200000");
    up_to(&mut blocked, WINDOW);
    let mut others = [server.client(), server.client(), server.client()];
    for (size, other) in others.iter_mut().enumerate() {
        let size = 30_000 * size;
        other.say(&format!("request /echo {size}"), &pattern(size));
        other.settle();
    }
    // Behind all of them on the link.
    blocked.say("credit 200000", b"");
    blocked.content();
    for (size, other) in others.iter_mut().enumerate() {
        assert!(other.content() == pattern(30_000 * size));
    }
}

fn several_links_are_served_at_once() {
    let mut options = options(2);
    options.threads = 4;
    options.depth = 3;
    let server = Server::start(&options);
    let mut clients: Vec<_> = (0..16).map(|_| server.client()).collect();
    for round in 0..20 {
        for (index, client) in clients.iter_mut().enumerate() {
            let content = pattern(round * 100 + index);
            client.say(&format!("request /echo {}", content.len()), &content);
        }
        for (index, client) in clients.iter_mut().enumerate() {
            assert!(client.content() == pattern(round * 100 + index));
        }
    }
    server.signal(nix::sys::signal::Signal::SIGUSR1);
    server.await_event("worker 1 5 ");
    clients[0].get("/pid");
}

fn a_spooled_upload_reaches_the_handler() {
    let server = Server::start(&options(1));
    let mut client = server.client();
    let content = pattern(100_000);
    client.say("file /echo 100000", &content);
    assert!(client.content() == content);
}

fn an_upload_that_a_worker_has_no_room_for_costs_one_answer() {
    let server = Server::start(&options(1));
    let mut client = server.client();
    let pid = client.get("/pid");
    assert_eq!(client.get("/no-room"), b"full");
    let content = pattern(100_000);
    for _ in 0..3 {
        client.say("file /echo 100000", &content);
        assert_eq!(client.next(), Seen::Abort("Overloaded".into()));
    }
    assert_eq!(client.get("/room"), b"room");
    client.say("file /echo 100000", &content);
    assert!(client.content() == content);
    assert_eq!(client.get("/pid"), pid, "the worker lives on");
}

fn connection_events_are_heard_and_answered() {
    let mut options = options(1);
    options.max_wait = Duration::from_secs(1);
    let server = Server::start(&options);
    let mut client = server.client();
    client.say("opened", b"");
    assert_eq!(client.rest(), (Vec::new(), Seen::End));
    client.say("closed", b"");
    assert_eq!(client.rest(), (Vec::new(), Seen::End));
    server.await_event("Opened 0");
    server.await_event("Closed 0");
}
