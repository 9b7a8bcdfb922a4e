//! Bounds of what administrators ask.

use std::time::Duration;

/// Connections to the admin listener at a time, beside `max_connection`: a monitor, a few people with a page
/// open, and commands. One more is closed at once.
pub const ADMIN_CONNECTIONS_MAX: usize = 32;
/// Of those, such as get events: each costs the rendering of a message each second no more, but its bytes.
pub const ADMIN_STREAMS_MAX: usize = 8;
/// Time between two events.
pub const ADMIN_EVENT_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes of events that a client may leave before it misses some.
pub const ADMIN_STREAM_AHEAD_BYTES_MAX: u64 = 1 << 20;
/// Bytes of content of a request of an administrator's; nothing there needs any.
pub const ADMIN_CONTENT_BYTES_MAX: u64 = 4 << 10;
/// How long the admin listener waits for what the threads of the reactor tell: one that hangs does not
/// hang the answer.
pub const ADMIN_GATHER_TIME_MAX: Duration = Duration::from_millis(500);
/// Processes whose memory is looked up in one go: about a millisecond.
pub const ADMIN_PROCESSES_PER_LOOK_MAX: usize = 64;
/// Bytes of `admin_token`, at least: what nobody guesses.
pub const ADMIN_TOKEN_BYTES_MIN: usize = 16;
/// How long requests are refused because the queue is full until `/readyz` says no: longer than a burst,
/// shorter than what a load balancer needs to act.
pub const READY_QUEUE_FULL_TIME: Duration = Duration::from_secs(3);
/// Routes whose times are kept, per thread; another one takes the place of the one that has been fastest.
pub const ADMIN_ROUTES_KEPT: usize = 128;
/// Bytes of the name of a route or request that is kept.
pub const ADMIN_ROUTE_BYTES_MAX: usize = 128;
/// Of them, routes that are shown.
pub const ADMIN_ROUTES_SHOWN_MAX: usize = 10;
/// The latest errors that are kept, per thread, and shown.
pub const ADMIN_ERRORS_KEPT: usize = 32;
