//! The log: one line per event, one `write(2)` per line, so that lines of several processes never
//! mix. A line is text, or a JSON object ([`json`]).
//!
//! ```text
//! 2026-01-31T12:00:00.123Z WARN  worker 0 [4711] message
//! ```

pub mod application;
pub mod bounded;
pub mod context;
mod json;
mod losses;

use std::fmt::{self, Write as _};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, LevelFilter, Log, Metadata, Record};
use wire::hex::Hex;
use wire::limits::LOG_LINE_BYTES_MAX;
use wire::{RequestIds, ids};

use self::bounded::LineEscaper;
use self::losses::Losses;

/// Which process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// The script before `start()`, and after it.
    Script,
    /// The supervisor.
    Supervisor,
    /// The reactor.
    Reactor,
    /// The worker with this id.
    Worker(u16),
}

/// Makes this the logger of the process; standard error until [`redirect`].
pub fn install() {
    // It fails when there is one already: then that is this one.
    let _ = log::set_logger(&LOGGER);
    set_level(DEFAULT_LEVEL);
}

/// Names the process in the lines to come.
pub fn set_role(role: LogSource) {
    LOGGER.role.store(role.encode(), Ordering::Relaxed);
    if matches!(role, LogSource::Reactor | LogSource::Worker(_)) {
        LOGGER.losses.begin_anew();
    }
}

/// Counts lines that cannot be written there from now on, in this process and its children but the workers.
pub fn count_losses(counter: &'static AtomicU64) {
    LOGGER.losses.count_at(counter);
}

/// Counts lines that this worker cannot write there from now on.
pub fn count_losses_of_worker(counter: &'static AtomicU64) {
    LOGGER.losses.count_of_worker_at(counter);
}

/// Logs nothing below this level, a `Ferrite\LOG_` number.
pub fn set_level(level: u8) {
    log::set_max_level(filter(level));
}

/// Writes JSON objects from now on, or text.
pub fn set_json(json: bool) {
    LOGGER.json.store(json, Ordering::Relaxed);
}

/// Whether lines are JSON objects.
pub fn is_json() -> bool {
    LOGGER.json.load(Ordering::Relaxed)
}

/// Appends to a file from now on. It stays open for the life of the process and of its children, or
/// until [`take_over`].
pub fn redirect(path: &Path) -> io::Result<()> {
    let file = append_to(path)?;
    LOGGER.losses.name(path);
    let former = LOGGER.fd.swap(file.into_raw_fd(), Ordering::Relaxed);
    if former != STDERR {
        // SAFETY: the descriptor was made by a former call and belongs to nobody else.
        drop(unsafe { OwnedFd::from_raw_fd(former) });
    }
    Ok(())
}

/// Opens a file to append to.
pub fn append_to(path: &Path) -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().create(true).append(true).open(path)?.into())
}

/// Writes to this file instead of the one of [`redirect`], in all threads; standard output and error
/// as well where those are the same file. Both keep their numbers, so no line is written in between.
pub fn take_over(file: OwnedFd) {
    let own = LOGGER.fd.load(Ordering::Relaxed);
    if own == STDERR {
        return;
    }
    let identity = |fd: i32| fstat_of(fd).map(|stat| (stat.st_dev, stat.st_ino));
    let former = identity(own);
    for fd in [STDOUT, STDERR] {
        if former.is_some() && identity(fd) == former {
            replace(&file, fd, 0);
        }
    }
    replace(&file, own, nix::libc::O_CLOEXEC);
}

/// Opens the file anew, because it may have been moved away, and writes to it from now on. A copy of its
/// descriptor for the other processes; `None` when it cannot be opened.
pub fn reopen(path: &Path) -> Option<OwnedFd> {
    match append_to(path).and_then(|file| Ok((file.try_clone()?, file))) {
        Ok((copy, file)) => {
            take_over(file);
            log::info!("the log was opened anew");
            Some(copy)
        }
        Err(error) => {
            let path = path.display();
            log::error!("cannot open log_file {path} anew: {error}; the log goes on where it was");
            None
        }
    }
}

fn fstat_of(fd: i32) -> Option<nix::sys::stat::FileStat> {
    // SAFETY: the number is only looked at, whether it is open or not.
    nix::sys::stat::fstat(unsafe { BorrowedFd::borrow_raw(fd) }).ok()
}

fn replace(file: &OwnedFd, fd: i32, flags: i32) {
    // SAFETY: the number is the log's or one of the standard streams; it stays open for them.
    unsafe { nix::libc::dup3(file.as_raw_fd(), fd, flags) };
}

/// The descriptor that lines are written to.
pub fn descriptor() -> BorrowedFd<'static> {
    // SAFETY: it is standard error, or a file that is only closed when another takes its place, in
    // the only thread that there is by then.
    unsafe { BorrowedFd::borrow_raw(LOGGER.fd.load(Ordering::Relaxed)) }
}

const STDOUT: i32 = 1;
const STDERR: i32 = 2;

/// `Ferrite\LOG_INFO`.
const DEFAULT_LEVEL: u8 = 2;

static LOGGER: Logger = Logger {
    fd: AtomicI32::new(STDERR),
    role: AtomicU32::new(0),
    json: AtomicBool::new(false),
    losses: Losses::none(),
};

struct Logger {
    fd: AtomicI32,
    role: AtomicU32,
    json: AtomicBool,
    losses: Losses,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        self.losses.write(descriptor(), self.line(record));
    }

    fn flush(&self) {}
}

impl Logger {
    fn is_worker(&self) -> bool {
        matches!(LogSource::current(), LogSource::Worker(_))
    }

    fn line(&self, record: &Record<'_>) -> Vec<u8> {
        let role = LogSource::current();
        let now = Timestamp(SystemTime::now());
        match is_json() {
            true => json::line(now, role, record),
            false => line(now.0, record.level(), role, record.args(), &ids::current()),
        }
    }
}

impl LogSource {
    /// This process.
    fn current() -> Self {
        Self::decode(LOGGER.role.load(Ordering::Relaxed))
    }

    fn encode(self) -> u32 {
        match self {
            Self::Script => 0,
            Self::Supervisor => 1,
            Self::Reactor => 2,
            Self::Worker(id) => 3 + u32::from(id),
        }
    }

    fn decode(value: u32) -> Self {
        match value {
            0 => Self::Script,
            1 => Self::Supervisor,
            2 => Self::Reactor,
            id => Self::Worker((id - 3) as u16),
        }
    }
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script => f.write_str("script"),
            Self::Supervisor => f.write_str("supervisor"),
            Self::Reactor => f.write_str("reactor"),
            Self::Worker(id) => write!(f, "worker {id}"),
        }
    }
}

fn filter(level: u8) -> LevelFilter {
    match level {
        0 | 1 => LevelFilter::Trace,
        2 => LevelFilter::Info,
        3 | 4 => LevelFilter::Warn,
        5 => LevelFilter::Error,
        _ => LevelFilter::Off,
    }
}

fn line(
    now: SystemTime,
    level: Level,
    role: LogSource,
    message: &fmt::Arguments<'_>,
    ids: &RequestIds,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    let pid = std::process::id();
    let _ = write!(text, "{} {level:<5} {role} [{pid}] ", Timestamp(now));
    let end = text.len() + LOG_LINE_BYTES_MAX;
    // It fails where the message is cut.
    let _ = LineEscaper { line: &mut text, end }.write_fmt(format_args!("{message}"));
    if let Some(id) = &ids.request {
        let _ = write!(text, " [request_id={}]", id.as_str());
    }
    if let Some(id) = &ids.trace {
        let _ = write!(text, " [trace_id={}]", Hex(id));
    }
    text.push(b'\n');
    text
}

/// A time as ISO 8601 with milliseconds, UTC.
struct Timestamp(SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (days, seconds) = ((since.as_secs() / 86_400) as i64, since.as_secs() % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let millis = since.subsec_millis();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// The Gregorian date so many days after 1970-01-01; counted in years that begin in March, so that
/// the leap day is the last.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wire::RequestId;

    use super::*;

    const NONE: RequestIds = RequestIds::NONE;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7)
    }

    #[test]
    fn times_are_iso() {
        for (seconds, wanted) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_827_696, "2000-02-29T12:34:56.007Z"),
            (4_102_444_799, "2099-12-31T23:59:59.007Z"),
        ] {
            assert_eq!(Timestamp(at(seconds)).to_string(), wanted);
        }
    }

    #[test]
    fn a_message_is_one_line() {
        let line =
            line(at(0), Level::Warn, LogSource::Worker(3), &format_args!("a\nb\r\x1b[0m"), &NONE);
        let text = String::from_utf8(line).expect("UTF-8");
        let wanted = format!("WARN  worker 3 [{}] a\\nb\\x0d\\x1b[0m\n", std::process::id());
        assert_eq!(text, format!("1970-01-01T00:00:00.007Z {wanted}"));
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = "ü".repeat(LOG_LINE_BYTES_MAX);
        let line = line(at(0), Level::Warn, LogSource::Script, &format_args!("{long}"), &NONE);
        assert!(line.len() < LOG_LINE_BYTES_MAX + 100);
        assert!(String::from_utf8(line).is_ok());
    }

    #[test]
    fn a_line_about_a_request_ends_with_its_id_however_long_it_is() {
        let ids = RequestIds { request: RequestId::parse(b"id-1"), trace: None };
        let long = "x".repeat(LOG_LINE_BYTES_MAX + 1);
        let line = line(at(0), Level::Warn, LogSource::Reactor, &format_args!("{long}"), &ids);
        assert!(line.ends_with("x… [request_id=id-1]\n".as_bytes()));
        let ids = RequestIds { trace: Some([0xa5; 16]), ..ids };
        let line = super::line(at(0), Level::Warn, LogSource::Reactor, &format_args!("x"), &ids);
        let trace = "a5".repeat(16);
        assert!(line.ends_with(format!(" x [request_id=id-1] [trace_id={trace}]\n").as_bytes()));
    }

    #[test]
    fn roles_survive() {
        for role in [
            LogSource::Script,
            LogSource::Supervisor,
            LogSource::Reactor,
            LogSource::Worker(65_535),
        ] {
            assert_eq!(LogSource::decode(role.encode()), role);
        }
    }
}
