//! Bounds of the access log.

use std::time::Duration;

/// Bytes of lines that wait to be written, once more while they are written: a second of 20,000 requests.
/// Past it lines are lost.
pub const ACCESS_LOG_BUFFER_BYTES_MAX: usize = 8 << 20;

/// Bytes that are written at once: more would not make the system call cheaper.
pub const ACCESS_LOG_WRITE_BYTES: usize = 64 << 10;

/// How long a line waits for others: as long as nobody notices who follows the log.
pub const ACCESS_LOG_DELAY: Duration = Duration::from_millis(100);

/// Bytes of a path, a query or a field of a client's: what is longer serves nobody who reads the log.
pub const ACCESS_LOG_FIELD_BYTES_MAX: usize = 2048;

/// How long a stop waits for the access log: a disk has taken it by then, a pipe without a reader never will.
pub const ACCESS_LOG_FLUSH_TIME_MAX: Duration = Duration::from_secs(1);
