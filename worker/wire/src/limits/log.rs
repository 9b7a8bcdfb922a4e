//! Bounds of the log, and of what its lines name.

use std::time::Duration;

/// Bytes of the message of one log line: long enough for a message with its place, short enough that a handler's
/// exception cannot fill a disk line by line.
pub const LOG_LINE_BYTES_MAX: usize = 16 << 10;
/// Bytes of one text beside it, in a line that is JSON: a path, a reason.
pub const LOG_FIELD_BYTES_MAX: usize = 4 << 10;
/// Bytes of all of a line, whatever it quotes: what the parts above add up to at most, and a sign behind what is cut.
pub const LOG_RECORD_BYTES_MAX: usize = 64 << 10;
/// Bytes of the message of a line that an application writes, and of the context behind it, as JSON has them:
/// together as much as any other message.
pub const LOG_MESSAGE_BYTES_MAX: usize = LOG_LINE_BYTES_MAX / 2 - 64;
/// See [`LOG_MESSAGE_BYTES_MAX`].
pub const LOG_CONTEXT_BYTES_MAX: usize = LOG_LINE_BYTES_MAX / 2 - 64;
/// Arrays within arrays of that context: more than people read in a line, and an array that contains itself ends.
pub const LOG_CONTEXT_DEPTH_MAX: usize = 8;

/// Lines of the log of one kind that others bring about (requests refused, handshakes that fail, what
/// a worker says amiss), in one go and per process or reactor thread; see
/// [`LogLimit`](crate::log_limit::LogLimit). More than a scanner or a broken client leads to in a while.
pub const LOG_COMPLAINTS_MAX: u32 = 200;
/// How many more of them each second allows: of a flood that goes on a disk gets a hundred megabytes
/// a day.
pub const LOG_COMPLAINTS_PER_SECOND_EARNED: u32 = 10;
/// How long lines are left out before one says how many.
pub const LOG_COMPLAINTS_PERIOD: Duration = Duration::from_secs(1);
/// As [`LOG_COMPLAINTS_PERIOD`], for lines that say that a bound is reached: they differ in nothing
/// that helps, so there is one at once, and one after each such time as long as it goes on.
pub const LOG_BOUND_PERIOD: Duration = Duration::from_secs(10);

/// Bytes of the id of a request: more than any proxy makes (the longest known are of 90), and little beside a
/// line of a log.
pub const REQUEST_ID_BYTES_MAX: usize = 128;
