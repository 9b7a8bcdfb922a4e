//! The folder of a worker's uploads, and its removal when the worker has died.
//!
//! PHP's parser makes a file for each upload, and removes it at the end of the request; a worker that
//! dies in between leaves it. Other processes cannot tell these files from those of other programs. So
//! each worker has a folder of its own in `upload_tmp_dir` while it has uploads, and the supervisor
//! removes the folder and its files when the worker has died. The supervisor computes the folder's name
//! from its own pid and the worker's incarnation: it trusts nothing that a worker sends.

use std::cell::Cell;
use std::fs::{DirBuilder, symlink_metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use log::Level;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{Uid, UnlinkatFlags, unlinkat};
use wire::limits::UPLOADS_REMOVED_MAX;

use crate::log_limit::{LimitedEvent, limited};

/// The folder that a worker puts uploads into.
#[derive(Debug, Clone)]
pub struct UploadFolder {
    /// `upload_tmp_dir`.
    parent: PathBuf,
    own: PathBuf,
    made: Cell<bool>,
}

/// Its name.
fn name(supervisor: i32, incarnation: u64) -> String {
    format!("ferrite-uploads-{supervisor}-{incarnation}")
}

impl UploadFolder {
    /// Uploads of this life of a worker.
    pub fn new(parent: &Path, supervisor: i32, incarnation: u64) -> Self {
        let own = parent.join(name(supervisor, incarnation));
        Self { parent: parent.to_owned(), own, made: Cell::new(false) }
    }

    /// Creates the folder and returns its path. If it cannot be created, or another user has created it,
    /// returns `upload_tmp_dir`.
    pub fn enter(&self) -> &Path {
        let made = match DirBuilder::new().mode(0o700).create(&self.own) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.check(),
            made => made,
        };
        match made {
            Ok(()) => {
                self.made.set(true);
                &self.own
            }
            Err(error) => {
                limited(
                    LimitedEvent::Uploads,
                    Level::Warn,
                    format_args!(
                        "cannot make {}: {error}; uploads go to upload_tmp_dir itself, and stay there \
                         if the worker is killed",
                        self.own.display()
                    ),
                );
                &self.parent
            }
        }
    }

    fn check(&self) -> io::Result<()> {
        let metadata = symlink_metadata(&self.own)?;
        let is_ours = metadata.is_dir()
            && metadata.uid() == nix::unistd::geteuid().as_raw()
            && metadata.mode() & 0o077 == 0;
        if is_ours { Ok(()) } else { Err(io::Error::other("another user has made it")) }
    }

    /// The request is over, and its uploads are gone.
    pub fn leave(&self) {
        if self.made.take() {
            // A process that the handler has forked may have left something; the supervisor removes it.
            let _ = std::fs::remove_dir(&self.own);
        }
    }
}

/// In the supervisor, when a worker has been reaped: removes its folder, if it has left one, and the
/// files in it. The supervisor may be root: it follows no link, goes into no folder below, and touches
/// nothing but a folder of the worker's user.
pub fn remove_left(parent: &Path, supervisor: i32, incarnation: u64, owner: Uid) {
    let path = parent.join(name(supervisor, incarnation));
    match remove(&path, owner) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(error) => log::error!(
            "uploads of a worker that has ended cannot be removed from {}: {}",
            path.display(),
            error.desc()
        ),
    }
}

fn remove(path: &Path, owner: Uid) -> nix::Result<()> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut folder = Dir::open(path, flags, Mode::empty())?;
    if fstat(&folder)?.st_uid != owner.as_raw() {
        return Err(Errno::EPERM);
    }
    let names: Vec<_> = folder
        .iter()
        .filter_map(|entry| entry.ok().map(|entry| entry.file_name().to_owned()))
        .filter(|name| name.to_bytes() != b"." && name.to_bytes() != b"..")
        .take(UPLOADS_REMOVED_MAX)
        .collect();
    for name in names {
        unlinkat(&folder, name.as_c_str(), UnlinkatFlags::NoRemoveDir)?;
    }
    match std::fs::remove_dir(path) {
        Ok(()) => Ok(()),
        Err(error) => Err(Errno::from_raw(error.raw_os_error().unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn place() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn a_folder_is_there_while_it_is_needed() {
        let place = place();
        let folder = UploadFolder::new(place.path(), 1, 2);
        for _ in 0..2 {
            let inside = folder.enter().to_owned();
            assert_eq!(folder.enter(), inside, "entered again");
            assert!(inside.is_dir() && inside.starts_with(place.path()));
            folder.leave();
            assert!(!inside.exists());
        }
    }

    #[test]
    fn what_a_dead_worker_has_left_is_removed() {
        let place = place();
        let inside = UploadFolder::new(place.path(), 1, 2).enter().to_owned();
        std::fs::write(inside.join("phpabcdef"), "x").expect("written");
        remove_left(place.path(), 1, 3, Uid::effective());
        assert!(inside.exists(), "another life's");
        remove_left(place.path(), 1, 2, Uid::effective());
        assert!(!inside.exists());
    }

    #[test]
    fn a_lying_worker_has_nothing_else_removed() {
        let place = place();
        let precious = place.path().join("precious");
        std::fs::create_dir(&precious).expect("made");
        std::fs::write(precious.join("file"), "x").expect("written");
        // The folder itself is a link.
        let path = place.path().join(name(1, 2));
        symlink(&precious, &path).expect("a link");
        remove_left(place.path(), 1, 2, Uid::effective());
        let folder = UploadFolder::new(place.path(), 1, 2);
        assert_eq!(folder.enter(), place.path(), "nor is it used");
        std::fs::remove_file(&path).expect("removed");
        // Links and folders in it.
        let inside = folder.enter().to_owned();
        symlink(precious.join("file"), inside.join("link")).expect("a link");
        remove_left(place.path(), 1, 2, Uid::effective());
        assert!(!inside.exists());
        // Another user's.
        let inside = folder.enter().to_owned();
        std::fs::write(inside.join("file"), "x").expect("written");
        remove_left(place.path(), 1, 2, Uid::from_raw(Uid::effective().as_raw() + 1));
        assert!(inside.join("file").exists());
        assert!(precious.join("file").exists());
    }
}
