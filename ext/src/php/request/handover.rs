//! Hands the files of a form that the reactor has stored to PHP's parser of forms, in the place of those that
//! it would write.
//!
//! The parser reads every byte, and decides what is a file, how long it is, and whether it is taken. It tells
//! a callback what it does (`php_rfc1867_callback`). Once it has written more of a file than it reads ahead,
//! it is known which of the reactor's files it is at: if that holds the same bytes up to there, it is given the name
//! of the parser's file, and what the parser writes from then on goes nowhere. Whenever something is not as it
//! should be, the parser goes on writing, as without all this.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::uio::pread;
use nix::unistd::{dup2_raw, linkat};
use wire::limits::{FORM_FILE_WRITTEN_BYTES, FORM_READ_BYTES};

use super::body::Body;
use super::pieces::OwnFile;
use crate::engine::zend::{self, Rfc1867Callback};

/// While it exists the parser is handed the files of a form.
#[derive(Debug)]
pub struct Handover {
    before: Rfc1867Callback,
}

/// What is known of the parser.
struct Progress {
    files: Vec<OwnFile>,
    folder: PathBuf,
    /// Who watches uploads as well.
    watcher: Rfc1867Callback,
    /// The descriptor that the parser's file is likely to get.
    expected: RawFd,
    /// Whether this file has been looked at.
    looked: bool,
    /// The length of the file that the parser has been given, and its place.
    given: Option<(u64, PathBuf)>,
    /// How much of it the parser has seen.
    seen: u64,
}

thread_local! {
    static PROGRESS: RefCell<Option<Progress>> = const { RefCell::new(None) };
}

impl Handover {
    /// For the form that `body` is, whose files go to `folder`; `None` where nothing can be handed over.
    /// `watched`: whether who watches uploads now, which is the session extension as a rule, goes on to.
    pub fn begin(body: &Body, folder: &Path, watched: bool) -> Option<Self> {
        let Body::Pieces(pieces) = body else { return None };
        let files = pieces.files();
        if files.is_empty() || folder.as_os_str().is_empty() {
            return None;
        }
        // SAFETY: a variable of the engine's, put back when this is dropped.
        let before = unsafe { zend::php_rfc1867_callback.replace(Some(on_event)) };
        PROGRESS.set(Some(Progress {
            files,
            folder: folder.to_owned(),
            watcher: before.filter(|_| watched),
            expected: -1,
            looked: false,
            given: None,
            seen: 0,
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

/// In the place of a length: the file has not got its name.
const NOT_PLACED: u64 = u64::MAX;

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

impl Progress {
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
    }

    /// Gives the parser's file the content that it is about to have.
    fn give(&self, read: u64, written: u64, seen: u64) -> Option<(u64, PathBuf)> {
        let ours = find(&self.files, read, seen)?;
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
        let len = placed.map_or(NOT_PLACED, |()| ours.length());
        Some((len, path))
    }

    /// The parser has closed a file. What it has counted is how long the file is.
    fn file_end(&mut self, event: &FileEnd) -> c_int {
        let Some((len, path)) = self.given.take() else { return SUCCESS };
        if event.cancel_upload != 0 || self.seen == len {
            return SUCCESS;
        }
        if len == NOT_PLACED {
            return FAILURE;
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
fn find(files: &[OwnFile], read: u64, seen: u64) -> Option<&OwnFile> {
    let last = read.checked_sub(seen)?;
    let first = last.saturating_sub(FORM_FILE_WRITTEN_BYTES);
    let mut possible = files.iter().filter(|file| (first..=last).contains(&file.start));
    possible.next_back().filter(|file| file.length() >= seen)
}

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
