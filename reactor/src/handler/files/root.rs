//! [`Root`]: opens regular files and directories below a directory, and nothing else.
//!
//! `openat2` with `RESOLVE_BENEATH` has the kernel refuse whatever leads out, also while somebody moves
//! directories and links about. Kernels before 5.6, and containers that do not let it pass, have every
//! directory on the way opened by itself, without following links.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::Error;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::{Mode, SFlag, fstat};
use wire::limits::{OPEN_BENEATH_TRIES, ROOT_AGE_MAX};

use super::held::FileIdentity;
use crate::protocol::files::FileFacts;

/// Which symbolic links below a root are followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// None.
    None,
    /// Those that do not lead out of the root.
    #[default]
    Inside,
    /// All of them: whoever may make links below the root decides what is served.
    Any,
}

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// A regular file.
    File(OpenedFile),
    /// A directory.
    Directory(OwnedFd),
}

/// A regular file.
#[derive(Debug)]
pub struct OpenedFile {
    /// Open for reading.
    pub fd: OwnedFd,
    /// What is known of it.
    pub facts: FileFacts,
    /// What tells it from others.
    pub identity: FileIdentity,
}

/// Why there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// There is no regular file or directory of this name below the root.
    NoFile,
    /// It may not be read by this process.
    Denied,
    /// The process, or the machine, has as many files open as it may have.
    Descriptors,
    /// The root itself is not there.
    Root(Error),
    /// The system has failed.
    Failed(Error),
}

/// The directory. It is opened anew now and then, so that another one may take its place.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    symlinks: Symlinks,
    opened: Option<(OwnedFd, Instant)>,
    /// Whether `openat2` is there; until it has shown not to be.
    resolves: bool,
}

impl Root {
    /// The directory of this path, which need not be there yet.
    pub fn new(path: PathBuf, symlinks: Symlinks) -> Self {
        Self { path, symlinks, opened: None, resolves: true }
    }

    /// Opens a relative path without `..` segments. Does not wait for the other end of a FIFO, nor for a
    /// device.
    pub fn open(&mut self, relative: &Path, now: Instant) -> Result<Found, Missing> {
        let root = match self.opened.take() {
            Some((root, at)) if now.saturating_duration_since(at) < ROOT_AGE_MAX => (root, at),
            _ => {
                let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
                let root =
                    open(&self.path, flags, Mode::empty()).map_err(|error| match missing(error) {
                        Missing::Descriptors => Missing::Descriptors,
                        _ => Missing::Root(error),
                    });
                (root?, now)
            }
        };
        let opened = self.open_at(&root.0, relative);
        self.opened = Some(root);
        found(opened.map_err(missing)?)
    }

    fn open_at(&mut self, root: &OwnedFd, relative: &Path) -> nix::Result<OwnedFd> {
        if self.symlinks == Symlinks::Any {
            return openat(root, relative, FLAGS, Mode::empty());
        }
        if self.resolves {
            match beneath(root, relative, self.symlinks) {
                // A filter of system calls answers with EPERM too, which `openat2` itself does not.
                Err(Error::ENOSYS | Error::EPERM) => self.resolves = false,
                result => return result,
            }
        }
        step_by_step(root, relative)
    }
}

/// A FIFO is not waited for, and a terminal does not become the process's own.
const FLAGS: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

fn beneath(root: &OwnedFd, relative: &Path, symlinks: Symlinks) -> nix::Result<OwnedFd> {
    let mut resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    if symlinks == Symlinks::None {
        resolve |= ResolveFlag::RESOLVE_NO_SYMLINKS;
    }
    let how = OpenHow::new().flags(FLAGS).resolve(resolve);
    let mut tries = OPEN_BENEATH_TRIES;
    loop {
        tries -= 1;
        match openat2(root, relative, how) {
            // Somebody has moved something meanwhile (openat2(2)).
            Err(Error::EAGAIN) if tries > 0 => {}
            Err(Error::EINTR) => {}
            result => return result,
        }
    }
}

/// Opens each directory on the way by itself; a link anywhere is refused.
fn step_by_step(root: &OwnedFd, relative: &Path) -> nix::Result<OwnedFd> {
    let mut names: Vec<&OsStr> = relative.iter().collect();
    let last = names.pop().unwrap_or(OsStr::from_bytes(b"."));
    let mut directory: Option<OwnedFd> = None;
    for name in names {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let at = directory.as_ref().unwrap_or(root);
        directory = Some(openat(at, name, flags, Mode::empty())?);
    }
    openat(directory.as_ref().unwrap_or(root), last, FLAGS | OFlag::O_NOFOLLOW, Mode::empty())
}

/// What has been opened, if that is something to send.
fn found(fd: OwnedFd) -> Result<Found, Missing> {
    let stat = fstat(fd.as_fd()).map_err(missing)?;
    if SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFDIR {
        return Ok(Found::Directory(fd));
    }
    let identity = FileIdentity::of(&stat).ok_or(Missing::NoFile)?;
    let nanos = stat.st_mtime.saturating_mul(1_000_000_000);
    let facts = FileFacts {
        len: stat.st_size as u64,
        modified: nanos.saturating_add(stat.st_mtime_nsec),
        inode: stat.st_ino,
    };
    Ok(Found::File(OpenedFile { fd, facts, identity }))
}

fn missing(error: Error) -> Missing {
    match error {
        // ENXIO: a socket, or a device that is not there. EXDEV, ELOOP: a link that leads out, or is
        // not to be followed.
        Error::ENOENT
        | Error::ENOTDIR
        | Error::ENAMETOOLONG
        | Error::ELOOP
        | Error::EXDEV
        | Error::ENXIO
        | Error::ENODEV
        | Error::EINVAL => Missing::NoFile,
        Error::EACCES | Error::EPERM => Missing::Denied,
        Error::EMFILE | Error::ENFILE | Error::ENOMEM => Missing::Descriptors,
        error => Missing::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        fs::write(root.join("a.txt"), "hello").unwrap();
        fs::write(root.join("sub/b.txt"), "b").unwrap();
        symlink("a.txt", root.join("inside")).unwrap();
        symlink("../secret", root.join("outside")).unwrap();
        symlink("/etc", root.join("absolute")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        mkfifo(&root.join("fifo"), Mode::S_IRWXU).unwrap();
        std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        dir
    }

    fn kind(root: &mut Root, path: &str) -> &'static str {
        match root.open(Path::new(path), Instant::now()) {
            Ok(Found::File(file)) => {
                assert!(file.facts.len > 0);
                "file"
            }
            Ok(Found::Directory(_)) => "directory",
            Err(Missing::NoFile) => "none",
            Err(other) => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn only_files_and_directories_below_the_root() {
        let dir = tree();
        let path = dir.path().join("root");
        for (symlinks, resolves) in [
            (Symlinks::None, true),
            (Symlinks::Inside, true),
            (Symlinks::Any, true),
            (Symlinks::None, false),
            (Symlinks::Inside, false),
        ] {
            let mut root = Root { resolves, ..Root::new(path.clone(), symlinks) };
            let inside = symlinks == Symlinks::Any || symlinks == Symlinks::Inside && resolves;
            let any = symlinks == Symlinks::Any;
            let or_none = |followed, kind| if followed { kind } else { "none" };
            for (path, wanted) in [
                (".", "directory"),
                ("a.txt", "file"),
                ("sub", "directory"),
                ("sub/b.txt", "file"),
                ("a.txt/", "none"),
                ("a.txt/x", "none"),
                ("missing", "none"),
                ("fifo", "none"),
                ("socket", "none"),
                ("loop", "none"),
                ("inside", or_none(inside, "file")),
                ("outside", or_none(any, "file")),
                ("absolute/passwd", or_none(any, "file")),
                ("up/secret", or_none(any, "file")),
                ("up/root/a.txt", or_none(any, "file")),
            ] {
                let wanted = match path {
                    // Without the slash that a path has lost.
                    "a.txt/" if !resolves => continue,
                    _ => wanted,
                };
                assert_eq!(kind(&mut root, path), wanted, "{path} {symlinks:?} {resolves}");
            }
            assert_eq!(kind(&mut root, &"x".repeat(5000)), "none");
        }
    }

    #[test]
    fn devices_are_not_served() {
        let mut root = Root::new("/dev".into(), Symlinks::Inside);
        for device in ["null", "zero", "tty"] {
            assert_eq!(kind(&mut root, device), "none");
        }
    }

    #[test]
    fn a_root_may_be_replaced_and_may_go() {
        let dir = tree();
        let path = dir.path().join("current");
        symlink("root", &path).unwrap();
        let mut root = Root::new(path.clone(), Symlinks::Inside);
        assert_eq!(kind(&mut root, "a.txt"), "file");
        fs::remove_file(&path).unwrap();
        fs::create_dir(dir.path().join("next")).unwrap();
        fs::write(dir.path().join("next/new.txt"), "new").unwrap();
        symlink("next", &path).unwrap();
        let later = Instant::now() + ROOT_AGE_MAX;
        assert!(matches!(root.open(Path::new("new.txt"), later), Ok(Found::File(_))));
        fs::remove_dir_all(dir.path().join("next")).unwrap();
        assert!(root.open(Path::new("new.txt"), later).is_err_and(|e| e == Missing::NoFile));
        let later = later + ROOT_AGE_MAX;
        let gone = Missing::Root(Error::ENOENT);
        assert!(root.open(Path::new("new.txt"), later).is_err_and(|e| e == gone));
    }

    /// Somebody swaps a directory and a link to the outside all the time: what is opened is never
    /// outside.
    #[test]
    fn a_race_with_a_link_is_not_won() {
        let dir = tree();
        let root_path = dir.path().join("root");
        fs::create_dir(dir.path().join("out")).unwrap();
        fs::write(dir.path().join("out/f"), "outside").unwrap();
        fs::create_dir(root_path.join("real")).unwrap();
        fs::write(root_path.join("real/f"), "in").unwrap();
        symlink("../out", root_path.join("link")).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    for from in ["real", "link"] {
                        let _ = fs::rename(root_path.join(from), root_path.join("it"));
                        let _ = fs::rename(root_path.join("it"), root_path.join(from));
                    }
                }
            });
            for resolves in [true, false] {
                let mut root = Root { resolves, ..Root::new(root_path.clone(), Symlinks::Inside) };
                for _ in 0..20_000 {
                    match root.open(Path::new("it/f"), Instant::now()) {
                        Ok(Found::File(file)) => assert_eq!(file.facts.len, 2),
                        Ok(found) => panic!("{found:?}"),
                        Err(_) => {}
                    }
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
