//! [`HeldFiles`]: files that are open until clients have taken them, each once, however many clients
//! there are.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::{Arc, Weak};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::stat::{FileStat, SFlag, fstat};
use wire::{DescriptorBudget, FileSlice, Holder, OpenFile};

use super::root::OpenedFile;

/// What two descriptors have in common that read the same content. The number of the file alone would not
/// do: on a file system of layers (overlayfs) a file keeps its own when it is first written to, and who has
/// opened it before goes on reading what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    len: i64,
    /// When its content, and when anything of it was last changed: seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileIdentity {
    /// `None` for what is no regular file.
    pub fn of(stat: &FileStat) -> Option<Self> {
        let kind = SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits());
        (kind == SFlag::S_IFREG).then_some(Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            len: stat.st_size,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        })
    }
}

/// The files, found by what they are. Nothing here keeps one open. Entries of files that nobody holds any
/// more stay until there are as many of them as of others, and [`FEW`]: a budget of descriptors bounds the
/// table.
#[derive(Debug, Default)]
pub struct HeldFiles {
    files: HashMap<FileIdentity, Weak<OpenFile>>,
    /// How many entries there may be before the dead ones are removed.
    full: usize,
}

/// So many entries are not worth a look.
const FEW: usize = 64;

impl HeldFiles {
    /// A slice of the whole file, which keeps it open; `None` when there are as many files as there may
    /// be. A file that is held already takes no second descriptor.
    pub fn hold(&mut self, file: OpenedFile, budget: &DescriptorBudget) -> Option<FileSlice> {
        let slice = FileSlice::new(file.fd, 0, file.facts.len);
        self.enter(file.identity, slice, budget)
    }

    /// The same for a slice of a file that a worker has opened. Another descriptor of the same file takes
    /// the place of its own, if it is one by which the worker may read it.
    pub fn share(&mut self, mut slice: FileSlice, budget: &DescriptorBudget) -> Option<FileSlice> {
        if let Some(identity) = readable(&slice.fd) {
            return self.enter(identity, slice, budget);
        }
        slice.count(budget.take(Holder::Sent)?, None);
        Some(slice)
    }

    fn enter(
        &mut self,
        identity: FileIdentity,
        mut slice: FileSlice,
        budget: &DescriptorBudget,
    ) -> Option<FileSlice> {
        if let Some(held) = self.files.get(&identity).and_then(Weak::upgrade) {
            return Some(FileSlice::shared(held, slice.offset, slice.len));
        }
        slice.count(budget.take(Holder::Sent)?, None);
        if self.files.len() >= self.full {
            self.files.retain(|_, file| file.strong_count() > 0);
            self.full = (self.files.len() * 2).max(FEW);
        }
        self.files.insert(identity, Arc::downgrade(&slice.fd));
        Some(slice)
    }
}

/// What a descriptor is open for, if that is a regular file and the descriptor one that reads it as any
/// other does: `O_PATH` can be had of files that may not be read, and `O_DIRECT` reads whole blocks only.
fn readable(fd: &OpenFile) -> Option<FileIdentity> {
    let flags = fcntl(fd.as_fd(), FcntlArg::F_GETFL).ok()?;
    let writes_only = flags & libc::O_ACCMODE == libc::O_WRONLY;
    let other = OFlag::O_PATH | OFlag::O_DIRECT;
    if writes_only || OFlag::from_bits_retain(flags).intersects(other) {
        return None;
    }
    FileIdentity::of(&fstat(fd.as_fd()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File, OpenOptions};
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use crate::file;

    /// A folder with a file, and what holds files of it.
    struct Place {
        _dir: tempfile::TempDir,
        path: PathBuf,
        held: HeldFiles,
        budget: DescriptorBudget,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("file");
            fs::write(&path, "0123456789").unwrap();
            Self { _dir: dir, path, held: HeldFiles::default(), budget: DescriptorBudget::new(30) }
        }

        fn share(&mut self, file: File, offset: u64, len: u64) -> FileSlice {
            let slice = FileSlice::new(file.into(), offset, len);
            self.held.share(slice, &self.budget).unwrap()
        }

        fn whole(&mut self) -> FileSlice {
            let file = File::open(&self.path).unwrap();
            self.share(file, 0, 10)
        }

        fn open(&self) -> u64 {
            self.budget.held(Holder::Sent)
        }
    }

    fn is_same(one: &FileSlice, other: &FileSlice) -> bool {
        Arc::ptr_eq(&one.fd, &other.fd)
    }

    fn text(slice: &FileSlice) -> String {
        String::from_utf8(file::read(slice, 100).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_file_is_open_once_as_long_as_anybody_sends_it() {
        let mut place = Place::new();
        let first = place.whole();
        let file = File::open(&place.path).unwrap();
        let second = place.share(file, 3, 4);
        assert!(is_same(&first, &second));
        assert_eq!((place.open(), text(&first)), (1, "0123456789".into()));
        drop(first);
        assert_eq!((place.open(), text(&second)), (1, "3456".into()));
        drop(second);
        assert_eq!(place.open(), 0);
        let again = place.whole();
        assert_eq!((place.open(), text(&again)), (1, "0123456789".into()));
    }

    /// Each way in which a file becomes another one, or may have.
    #[test]
    fn a_file_that_has_changed_is_another_one() {
        let append = |path: &Path| fs::write(path, "0123456789 and more").unwrap();
        let shorten = |path: &Path| fs::write(path, "012").unwrap();
        let touch = |path: &Path| {
            let file = File::options().write(true).open(path).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified + Duration::from_nanos(1)).unwrap();
        };
        // The time of the change itself nobody can set back.
        let same_times = |path: &Path| {
            let before = fs::metadata(path).unwrap();
            let changed = || {
                let now = FileIdentity::of(&fstat(File::open(path).unwrap()).unwrap()).unwrap();
                now.changed != (before.ctime(), before.ctime_nsec())
            };
            while !changed() {
                fs::write(path, "9876543210").unwrap();
                let file = File::options().write(true).open(path).unwrap();
                file.set_modified(before.modified().unwrap()).unwrap();
            }
        };
        let replace = |path: &Path| {
            let new = path.with_extension("new");
            fs::write(&new, "abcdefghij").unwrap();
            let times = fs::metadata(path).unwrap().modified().unwrap();
            File::options().write(true).open(&new).unwrap().set_modified(times).unwrap();
            fs::rename(new, path).unwrap();
        };
        let changes: [&dyn Fn(&Path); 5] = [&append, &shorten, &touch, &same_times, &replace];
        for (n, change) in changes.into_iter().enumerate() {
            let mut place = Place::new();
            let before = place.whole();
            change(&place.path);
            let after = place.whole();
            assert!(!is_same(&before, &after), "{n}");
            assert_eq!(place.open(), 2, "{n}");
            assert!(is_same(&after, &place.whole()), "{n}");
        }
    }

    #[test]
    fn what_is_no_regular_file_is_not_shared() {
        let mut place = Place::new();
        let slices: Vec<_> =
            (0..2).map(|_| place.share(File::open("/dev/zero").unwrap(), 0, 4)).collect();
        assert!(!is_same(&slices[0], &slices[1]));
        assert_eq!(place.open(), 2);
        drop(slices);
        assert_eq!(place.open(), 0);
    }

    /// A worker gets no content by a descriptor that does not read it, nor takes it from others by one.
    #[test]
    fn a_descriptor_that_does_not_read_is_not_shared() {
        for flags in [libc::O_WRONLY, libc::O_PATH] {
            let mut place = Place::new();
            let open = |path: &Path| {
                let (writes, custom) = (flags == libc::O_WRONLY, flags & libc::O_PATH);
                let mut options = OpenOptions::new();
                options.read(!writes).write(writes).custom_flags(custom).open(path).unwrap()
            };
            let file = open(&place.path);
            let first = place.share(file, 0, 10);
            let readable = place.whole();
            let file = open(&place.path);
            let last = place.share(file, 0, 10);
            assert!(!is_same(&first, &readable) && !is_same(&last, &readable));
            assert_eq!((text(&readable), place.open()), ("0123456789".into(), 3));
            assert!(file::read(&first, 10).is_none() && file::read(&last, 10).is_none());
        }
    }

    #[test]
    fn a_file_without_a_name_is_closed_with_its_last_slice() {
        let mut place = Place::new();
        let file = tempfile::tempfile().unwrap();
        let copy = file.try_clone().unwrap();
        let slices = [place.share(file, 0, 0), place.share(copy, 0, 0)];
        assert!(is_same(&slices[0], &slices[1]));
        let fd = Arc::downgrade(&slices[0].fd);
        drop(slices);
        assert!(fd.upgrade().is_none());
        assert_eq!(place.open(), 0);
    }

    #[test]
    fn past_the_bound_only_files_that_are_open_are_held() {
        let mut place = Place::new();
        let kept = place.whole();
        let files = std::iter::from_fn(|| {
            let slice = FileSlice::new(tempfile::tempfile().unwrap().into(), 0, 0);
            place.held.share(slice, &place.budget)
        });
        let others: Vec<_> = files.collect();
        assert_eq!(others.len() as u64 + 1, place.budget.max(Holder::Sent));
        assert!(is_same(&kept, &place.whole()));
    }

    #[test]
    fn files_that_nobody_holds_do_not_fill_the_table() {
        let mut place = Place::new();
        let kept = place.whole();
        for _ in 0..1000 {
            drop(place.share(tempfile::tempfile().unwrap(), 0, 0));
            assert!(place.held.files.len() <= FEW);
        }
        assert!(is_same(&kept, &place.whole()));
    }
}
