//! Hands the files of a form that the reactor has stored to PHP's parser of forms, in the place of those that
//! it would write.
//!
//! The parser reads every byte, and decides what is a file, how long it is, and whether it is taken. It tells
//! a callback what it does (`php_rfc1867_callback`). Once it has written more of a file than it reads ahead,
//! it is known which of the reactor's files it is at: if that holds the same bytes up to there, it is given the name
//! of the parser's file, and what the parser writes from then on goes nowhere. Whenever something is not as it
//! should be, the parser goes on writing, as without all this.
//!
//! Then it need not read all of the file either. The reactor has looked there for what the parser looks for, the end
//! of the file, and has found none before the file's: so most of it is left out of what the parser reads, and added
//! to what it writes and counts (`new_length`). The end of the file it sees for itself.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::libc;
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::uio::pread;
use nix::unistd::{dup2_raw, linkat};
use wire::limits::{
    FORM_BOUNDARY_BYTES_MAX, FORM_FILE_READ_BYTES, FORM_FILE_WRITTEN_BYTES, FORM_READ_BYTES,
    FORM_SKIP_BYTES_MAX,
};

use super::body::Body;
use super::pieces::OwnFile;
use crate::engine::zend::{self, Rfc1867Callback, globals};

/// While it exists the parser is handed the files of a form.
#[derive(Debug)]
pub struct Handover {
    before: Rfc1867Callback,
}

/// What is known of the parser.
struct ParserProgress {
    files: Vec<OwnFile>,
    folder: PathBuf,
    /// Who watches uploads as well.
    watcher: Rfc1867Callback,
    /// The descriptor that the parser's file is likely to get.
    expected: RawFd,
    /// Whether this file has been looked at.
    looked: bool,
    /// The file that the parser has been given.
    given: Option<Given>,
    /// How much of it the parser has seen.
    seen: u64,
    skip: Skip,
}

/// Leaves out so many bytes of what the parser is about to read; `false` where it cannot.
pub type Skip = fn(u64) -> bool;

/// One of the reactor's files, in the place of the parser's.
struct Given {
    /// Which of them.
    nth: usize,
    /// Whether it has got its name, which is this.
    placed: bool,
    path: PathBuf,
}

thread_local! {
    static PROGRESS: RefCell<Option<ParserProgress>> = const { RefCell::new(None) };
}

impl Handover {
    /// For the form that `body` is, whose files go to `folder`; `None` where nothing can be handed over.
    /// `watched`: whether who watches uploads now, which is the session extension as a rule, goes on to. The parser
    /// reads what `skip` leaves out of.
    pub fn begin(body: &Body, folder: &Path, watched: bool, skip: Skip) -> Option<Self> {
        let Body::Pieces(pieces) = body else { return None };
        let files = pieces.files();
        if files.is_empty() || folder.as_os_str().is_empty() {
            return None;
        }
        // SAFETY: a variable of the engine's, put back when this is dropped.
        let before = unsafe { zend::php_rfc1867_callback.replace(Some(on_event)) };
        PROGRESS.set(Some(ParserProgress {
            files,
            folder: folder.to_owned(),
            watcher: before.filter(|_| watched),
            expected: -1,
            looked: false,
            given: None,
            seen: 0,
            skip,
        }));
        Some(Self { before })
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        // SAFETY: puts back what was there.
        unsafe { zend::php_rfc1867_callback.replace(self.before) };
        PROGRESS.set(None);
    }
}

const FILE_START: u32 = 2;
const FILE_DATA: u32 = 3;
const FILE_END: u32 = 4;
const SUCCESS: c_int = 0;
const FAILURE: c_int = -1;

/// `multipart_event_file_data`
#[repr(C)]
struct FileData {
    post_bytes_processed: usize,
    offset: i64,
    data: *mut c_char,
    length: usize,
    new_length: *mut usize,
}

/// `multipart_event_file_end`
#[repr(C)]
struct FileEnd {
    post_bytes_processed: usize,
    temp_filename: *mut c_char,
    cancel_upload: c_int,
}

unsafe extern "C" fn on_event(event: u32, data: *mut c_void, extra: *mut *mut c_void) -> c_int {
    let watcher = PROGRESS.with_borrow(|progress| progress.as_ref().and_then(|all| all.watcher));
    // SAFETY: as the engine calls it.
    let outcome = watcher.map_or(SUCCESS, |watcher| unsafe { watcher(event, data, extra) });
    if outcome != SUCCESS {
        return outcome;
    }
    let look = || {
        PROGRESS.with_borrow_mut(|progress| {
            let Some(progress) = progress else { return SUCCESS };
            match event {
                FILE_START => progress.file_start(),
                // SAFETY: what comes with this event.
                FILE_DATA => progress.file_data(unsafe { &*data.cast::<FileData>() }),
                // SAFETY: what comes with this event.
                FILE_END => return progress.file_end(unsafe { &*data.cast::<FileEnd>() }),
                _ => {}
            }
            SUCCESS
        })
    };
    // The panic hook has logged it.
    catch_unwind(AssertUnwindSafe(look)).unwrap_or(FAILURE)
}

impl ParserProgress {
    /// The parser is about to open a file: it gets the lowest descriptor that is free.
    fn file_start(&mut self) {
        let free = open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        self.expected = free.map_or(-1, |free| free.as_raw_fd());
        (self.looked, self.given, self.seen) = (false, None, 0);
    }

    /// The parser is about to write.
    fn file_data(&mut self, event: &FileData) {
        let offset = u64::try_from(event.offset).unwrap_or_default();
        // SAFETY: the engine passes where the length is.
        let len = unsafe { event.new_length.as_ref() }.map_or(event.length, |len| *len);
        self.seen = offset + len as u64;
        if !self.looked && offset >= FORM_FILE_WRITTEN_BYTES {
            self.looked = true;
            self.given = self.give(event.post_bytes_processed as u64, offset, self.seen);
        }
        if len == event.length
            && let Some(count) = self.to_skip(event)
            && (self.skip)(count as u64)
        {
            self.seen += count as u64;
            // SAFETY: as above; a global of the only thread.
            unsafe {
                event.new_length.write(len + count);
                (*globals::sapi()).read_post_bytes += count as i64;
            }
        }
    }

    /// How many bytes of the file, behind those that the parser has in its buffer, it need not read.
    fn to_skip(&self, event: &FileData) -> Option<usize> {
        let given = self.given.as_ref().filter(|given| given.placed)?;
        let file = self.files.get(given.nth)?;
        let read = (event.post_bytes_processed as u64).checked_sub(file.start)?;
        let left = file.length().checked_sub(read)?.checked_sub(FORM_FILE_READ_BYTES)?;
        let count = usize::try_from(left.min(FORM_SKIP_BYTES_MAX)).ok()?;
        let worth = left >= FORM_FILE_READ_BYTES && read >= self.seen;
        if !worth || begins_delimiter(file, read) {
            return None;
        }
        // What the parser will do. A program's memory may end before so many bytes, whose content nobody looks at.
        // SAFETY: `write` checks what it is given; the descriptor is that of /dev/null, which reads nothing.
        let taken = unsafe { libc::write(self.expected, event.data.cast(), event.length + count) };
        (usize::try_from(taken) == Ok(event.length + count)).then_some(count)
    }

    /// Gives the parser's file the content that it is about to have.
    fn give(&self, read: u64, written: u64, seen: u64) -> Option<Given> {
        let nth = find(&self.files, read, seen)?;
        let ours = self.files.get(nth)?;
        // SAFETY: a descriptor of this process, which is only looked at.
        let theirs =
            (self.expected >= 0).then(|| unsafe { BorrowedFd::borrow_raw(self.expected) })?;
        let stat = fstat(theirs).ok()?;
        let regular = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG;
        if !regular || stat.st_nlink != 1 || u64::try_from(stat.st_size) != Ok(written) {
            return None;
        }
        let path = std::fs::read_link(format!("/proc/self/fd/{}", self.expected)).ok()?;
        if path.parent() != Some(&*self.folder) || !same(theirs, ours.as_fd(), written) {
            return None;
        }
        let nowhere = open("/dev/null", OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
        // Under another name first, which shows that it can be done.
        let new = path.with_extension("form");
        let held = format!("/proc/self/fd/{}", ours.raw());
        linkat(AT_FDCWD, &*held, AT_FDCWD, &new, AtFlags::AT_SYMLINK_FOLLOW).ok()?;
        // SAFETY: the parser's descriptor: what it writes there goes nowhere from now on, and it closes it.
        let Ok(descriptor) = (unsafe { dup2_raw(&nowhere, self.expected) }) else {
            let _ = std::fs::remove_file(&new);
            return None;
        };
        // It stays open, the parser's.
        let _ = std::mem::ManuallyDrop::new(descriptor);
        // Not over the other file: file systems write a file at once that takes the place of another.
        let placed = std::fs::remove_file(&path).and_then(|()| std::fs::rename(&new, &path));
        if let Err(error) = &placed {
            log::error!("a form's file cannot be put to {}: {error}", path.display());
        }
        Some(Given { nth, placed: placed.is_ok(), path })
    }

    /// The parser has closed a file. What it has counted is how long the file is.
    fn file_end(&mut self, event: &FileEnd) -> c_int {
        let Some(Given { nth, placed, path }) = self.given.take() else { return SUCCESS };
        if event.cancel_upload != 0 {
            return SUCCESS;
        }
        let Some(file) = self.files.get(nth).filter(|_| placed) else { return FAILURE };
        let len = file.length();
        if self.seen == len {
            return SUCCESS;
        }
        // It never is: a delimiter is one to both.
        log::error!(
            "a form's file has {len} bytes in {}, and {} to PHP's parser",
            path.display(),
            self.seen
        );
        let shortened =
            File::options().write(true).open(&path).and_then(|file| file.set_len(self.seen));
        if self.seen < len && shortened.is_ok() { SUCCESS } else { FAILURE }
    }
}

/// The file that the parser is at, when it has read so many bytes and seen so many of its file: it has no more than
/// its buffer between the two.
fn find(files: &[OwnFile], read: u64, seen: u64) -> Option<usize> {
    let last = read.checked_sub(seen)?;
    let first = last.saturating_sub(FORM_FILE_WRITTEN_BYTES);
    let possible = files.iter().rposition(|file| (first..=last).contains(&file.start))?;
    files.get(possible).filter(|file| file.length() >= seen).map(|_| possible)
}

/// Whether what lies before this place of a file may be the beginning of a delimiter: with what the parser reads next,
/// in the place of what is left out, it might be a whole one.
fn begins_delimiter(file: &OwnFile, place: u64) -> bool {
    let mut bytes = [0; FORM_BOUNDARY_BYTES_MAX + DELIMITER_START.len()];
    let Some(from) = place.checked_sub(bytes.len() as u64) else { return true };
    if pread(file.as_fd(), &mut bytes, from as i64) != Ok(bytes.len()) {
        return true;
    }
    let starts =
        |start: &[u8]| DELIMITER_START.starts_with(start) || start.starts_with(DELIMITER_START);
    (0..bytes.len()).any(|at| starts(&bytes[at..]))
}

/// What a delimiter begins with, before the boundary.
const DELIMITER_START: &[u8] = b"\n--";

/// Whether two files begin with the same bytes.
fn same(one: BorrowedFd<'_>, other: BorrowedFd<'_>, len: u64) -> bool {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len > FORM_READ_BYTES {
        return false;
    }
    let beginning = |file| {
        let mut bytes = vec![0; len];
        (pread(file, &mut bytes, 0) == Ok(len)).then_some(bytes)
    };
    beginning(one).is_some_and(|one| Some(one) == beginning(other))
}
