//! Settings of a process: daemon, pid file, user and group, CPUs, open files.

use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{
    AccessFlags, Gid, Group, Pid, Uid, User, access, chdir, chown, chroot, dup2_stderr, dup2_stdin,
    dup2_stdout, geteuid, getppid, initgroups, setgid, setgroups, setuid,
};

use crate::options::config::{ServerOptions, SocketAccess};

/// Why an option cannot be applied to a process.
#[derive(Debug)]
pub enum ProcessError {
    /// The option needs root.
    NotRoot(&'static str),
    /// There is no such user or group.
    NoSuch(&'static str, String),
    /// So many workers need more open files than there may be.
    Files {
        /// How many workers.
        workers: u16,
        /// What they need.
        needed: u64,
        /// The hard limit.
        max: u64,
    },
    /// No CPU is left to stay on.
    NoCpu(Vec<usize>),
    /// A system call failed: what was to be done, and how it failed.
    System(String, io::Error),
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRoot(option) => write!(f, "Option '{option}' can be used by root only"),
            Self::NoSuch(what, name) => write!(f, "There is no {what} '{name}'"),
            Self::Files { workers, needed, max } => write!(
                f,
                "worker_num {workers} needs {needed} open files per process, and the limit is {max} \
                 (ulimit -Hn)"
            ),
            Self::NoCpu(allowed) => write!(
                f,
                "cpu_affinity_ignore leaves none of the CPUs that this process may run on: {allowed:?}"
            ),
            Self::System(what, error) => write!(f, "Cannot {what}: {error}"),
        }
    }
}

impl std::error::Error for ProcessError {}

fn system<E: Into<io::Error>>(what: &str) -> impl FnOnce(E) -> ProcessError {
    move |error| ProcessError::System(what.to_owned(), error.into())
}

/// Whom the children become, and where their root is. Looked up before anything is given up.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    user: Option<(User, Gid)>,
    group: Option<Gid>,
    root: Option<PathBuf>,
}

impl Identity {
    /// Looks up what the options name.
    pub fn look_up(options: &ServerOptions) -> Result<Self, ProcessError> {
        let group = match &options.group {
            None => None,
            Some(name) => Some(group_named(name)?.gid),
        };
        let user = match &options.user {
            None => None,
            Some(name) => {
                let user = user_named(name)?;
                let gid = group.unwrap_or(user.gid);
                Some((user, gid))
            }
        };
        let identity = Self { user, group, root: options.chroot.clone() };
        identity.check()?;
        Ok(identity)
    }

    /// Where a path of the children (below `chroot`) lies in the supervisor, and the owner of their files.
    pub fn place_of(&self, path: &Path) -> (PathBuf, Uid) {
        let path = match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        };
        (path, self.user.as_ref().map_or_else(geteuid, |(user, _)| user.uid))
    }

    fn check(&self) -> Result<(), ProcessError> {
        if geteuid().is_root() {
            return Ok(());
        }
        if self.root.is_some() {
            return Err(ProcessError::NotRoot("chroot"));
        }
        if self.user.as_ref().is_some_and(|(user, _)| user.uid != geteuid()) {
            return Err(ProcessError::NotRoot("user"));
        }
        match self.group {
            Some(gid) if gid != nix::unistd::getegid() => Err(ProcessError::NotRoot("group")),
            _ => Ok(()),
        }
    }

    /// In a child: becomes this. Nothing leads back.
    pub fn assume(&self, supervisor: i32) -> Result<(), ProcessError> {
        if !geteuid().is_root() {
            return Ok(());
        }
        if let Some(root) = &self.root {
            chroot(root).map_err(system("change the root directory"))?;
            chdir("/").map_err(system("enter the root directory"))?;
        }
        match (&self.user, self.group) {
            (Some((user, gid)), _) => become_user(user, *gid)?,
            (None, Some(gid)) => {
                setgroups(&[gid]).map_err(system("set the groups"))?;
                setgid(gid).map_err(system("set the group"))?;
            }
            (None, None) => return Ok(()),
        }
        stay_bound(supervisor)
    }
}

/// Sets permissions, owner and group of a Unix socket.
pub fn give_socket(path: &Path, access: &SocketAccess) -> Result<(), ProcessError> {
    let owner = access.owner.as_deref().map(user_named).transpose()?.map(|user| user.uid);
    let group = access.group.as_deref().map(group_named).transpose()?.map(|group| group.gid);
    if owner.is_some() || group.is_some() {
        let what = format!("give {} to another user or group", path.display());
        chown(path, owner, group).map_err(system(&what))?;
    }
    // Behind the change of owner: nobody gets in by permissions that were meant for another.
    if let Some(mode) = access.mode {
        let what = format!("set the permissions of {}", path.display());
        std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(system(&what))?;
    }
    Ok(())
}

fn user_named(name: &str) -> Result<User, ProcessError> {
    let user = User::from_name(name).map_err(system("look up the user"))?;
    user.ok_or_else(|| ProcessError::NoSuch("user", name.to_owned()))
}

fn group_named(name: &str) -> Result<Group, ProcessError> {
    let group = Group::from_name(name).map_err(system("look up the group"))?;
    group.ok_or_else(|| ProcessError::NoSuch("group", name.to_owned()))
}

fn become_user(user: &User, gid: Gid) -> Result<(), ProcessError> {
    let name = std::ffi::CString::new(user.name.as_str()).unwrap_or_default();
    let uid: Uid = user.uid;
    initgroups(&name, gid).map_err(system("set the groups"))?;
    setgid(gid).map_err(system("set the group"))?;
    setuid(uid).map_err(system("set the user"))
}

/// A change of user makes the kernel forget that this process ends with its parent (prctl(2)).
fn stay_bound(supervisor: i32) -> Result<(), ProcessError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(system("bind to the supervisor"))?;
    if getppid() != Pid::from_raw(supervisor) {
        return Err(ProcessError::System(
            "go on".to_owned(),
            io::Error::other("the supervisor is gone"),
        ));
    }
    Ok(())
}

/// Ends this process without running anything of PHP's: its interpreter is no longer sound.
pub fn end_now() -> ! {
    end_with(EXIT_FATAL)
}

/// The same with this exit code.
pub fn end_with(code: i32) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { nix::libc::_exit(code) }
}

/// The exit code of PHP after a fatal error.
pub const EXIT_FATAL: i32 = 255;

/// Whether files can be made in a folder that an option names; the error names both.
pub fn check_writable(option: &str, folder: &Path) -> Result<(), ProcessError> {
    let what = || format!("write to {option} {}", folder.display());
    let metadata =
        std::fs::metadata(folder).map_err(|error| ProcessError::System(what(), error))?;
    if !metadata.is_dir() {
        return Err(ProcessError::System(what(), io::ErrorKind::NotADirectory.into()));
    }
    access(folder, AccessFlags::W_OK | AccessFlags::X_OK)
        .map_err(|error| ProcessError::System(what(), error.into()))
}

/// The CPUs that reactor threads and workers are to stay on, one each: of those that this process may
/// run on (as `taskset` or a container allows), those that are not to be ignored. None without
/// `open_cpu_affinity`.
pub fn cpus(options: &ServerOptions) -> Result<Vec<usize>, ProcessError> {
    if !options.cpu_affinity {
        return Ok(Vec::new());
    }
    let allowed = sched_getaffinity(THIS_THREAD).map_err(system("ask for the CPUs"))?;
    let is_allowed = |cpu: &usize| allowed.is_set(*cpu).unwrap_or(false);
    let allowed: Vec<usize> = (0..CpuSet::count()).filter(is_allowed).collect();
    let ignored = &options.cpu_affinity_ignore;
    let cpus: Vec<usize> = allowed.iter().copied().filter(|cpu| !ignored.contains(cpu)).collect();
    if cpus.is_empty() { Err(ProcessError::NoCpu(allowed)) } else { Ok(cpus) }
}

/// In a worker: stays on its CPU, if there are such. What it starts stays there as well.
pub fn pin(cpus: &[usize], worker: usize) {
    if cpus.is_empty() {
        return;
    }
    let mut set = CpuSet::new();
    let pinned =
        set.set(cpus[worker % cpus.len()]).and_then(|()| sched_setaffinity(THIS_THREAD, &set));
    if let Err(error) = pinned {
        log::warn!("cannot stay on one CPU: {}", error.desc());
    }
}

const THIS_THREAD: Pid = Pid::from_raw(0);

/// Files that this process may have open at most, if it asks for it.
pub fn files_max() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(_, hard)| hard)
}

/// Whether the processes can have as many files open as `options` ask for.
pub fn check_files(options: &ServerOptions) -> Result<(), ProcessError> {
    let (max, needed) = (files_max(), options.files_min());
    if max < needed {
        let workers = options.worker_num;
        return Err(ProcessError::Files { workers, needed, max });
    }
    Ok(())
}

/// Asks for as many open files as there may be.
pub fn raise_files() {
    raise_files_to(u64::MAX);
}

/// Asks for so many open files, or as many as there may be.
pub fn raise_files_to(wanted: u64) {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < wanted.min(hard)
    {
        // It cannot fail up to the hard limit; if it does, accepting stops earlier.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard);
    }
}

/// Goes on in the background, with standard output and error in `log_file` or nowhere. Returns in
/// the process that goes on.
pub fn daemonize(log_file: Option<&Path>) -> Result<(), ProcessError> {
    // It stays in its folder: the script's relative paths keep their meaning.
    nix::unistd::daemon(true, true).map_err(system("go into the background"))?;
    let nowhere = File::open("/dev/null").map_err(system("open /dev/null"))?;
    dup2_stdin(nowhere.as_fd()).map_err(system("close standard input"))?;
    let path = log_file.unwrap_or(Path::new("/dev/null"));
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| ProcessError::System(format!("open {}", path.display()), error))?;
    dup2_stdout(output.as_fd()).map_err(system("redirect standard output"))?;
    dup2_stderr(output.as_fd()).map_err(system("redirect standard error"))
}

/// The file with the supervisor's process id.
#[derive(Debug)]
pub struct PidFile(PathBuf);

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

impl PidFile {
    /// Writes it. `None` when there is no room for it, which the log tells: a server that starts again
    /// on a full disk serves all the same.
    pub fn write(path: &Path) -> Result<Option<Self>, ProcessError> {
        match std::fs::write(path, format!("{}\n", std::process::id())) {
            // Absolute, so that it can be removed wherever the process is by then.
            Ok(()) => {
                Ok(Some(Self(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))))
            }
            Err(error) if is_full(&error) => {
                // Who reads an empty file takes it for a number.
                if std::fs::symlink_metadata(path).is_ok_and(|about| about.is_file()) {
                    let _ = std::fs::remove_file(path);
                }
                log::error!(
                    "cannot write pid_file {}: {error}; the server goes on without it. Free space \
                     there and start the server again",
                    path.display()
                );
                Ok(None)
            }
            Err(error) => Err(ProcessError::System(format!("write {}", path.display()), error)),
        }
    }

    /// Removes it, unless another server has written it since.
    pub fn remove(&self) {
        let own = format!("{}\n", std::process::id());
        if std::fs::read_to_string(&self.0).is_ok_and(|content| content == own) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}
