//! HTTP/3: windows, deadlines, priorities, the end of streams and of connections, and abuse. What a
//! request and a response mean is in `conformance`.

mod abuse;
mod broken;
mod cancelled;
#[path = "../common/mod.rs"]
mod common;
mod ends;
mod lingering;
mod pressure;
mod requests;
mod responses;

use std::time::Duration;

use common::h3::Pair;

const MINUTE: Duration = Duration::from_secs(60);

/// The error code of the CONNECTION_CLOSE that the client got, if it is HTTP/3's.
fn closed_with(pair: &Pair) -> Option<u64> {
    pair.client.quic.peer_error().filter(|error| error.is_app).map(|error| error.error_code)
}

/// Asserts that the connection serves and keeps nothing.
fn still_serves(pair: &mut Pair) {
    let stream = pair.get();
    assert_eq!(pair.server.seen.last().map(|seen| seen.stream), Some(stream));
    pair.server.respond(stream, 200, b"next");
    let reply = pair.reply(stream);
    assert_eq!((reply.status, &reply.body[..], reply.complete), (200, &b"next"[..], true));
    assert!(pair.server.http3.is_idle());
}
