//! The server side of a case: this program, started with `--server`.

mod application;
mod hostile;
pub use application::{BARE, BARE_ORPHANED, FORK, ORPHANED, pattern};
mod reactor;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use wire::{Pool, PoolKind, Pools};
use worker::{Plan, ProcessSettings, SuperviseOutcome, supervise};

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds the socket, the events, the log, and the files that make things fail.
    pub dir: PathBuf,
    /// Number of workers of the first pool.
    pub workers: u16,
    /// Number of workers of the second pool; 0: there is none.
    pub second_pool: u16,
    /// Number of links of each worker.
    pub threads: u16,
    /// Requests that the played reactor hands to one worker at a time.
    pub depth: usize,
    /// See [`Plan::max_wait_time`].
    pub max_wait: Duration,
    /// See [`Plan::worker_start_timeout`].
    pub start_timeout: Duration,
    /// See [`Plan::reactor_watchdog_time`]. A played reactor turns as long as there is no `stuck` file.
    pub watchdog: Duration,
    /// See [`Plan::max_request`].
    pub max_request: u32,
    /// See [`Plan::windows`].
    pub window: u32,
}

impl Options {
    /// As arguments of the program.
    pub fn arguments(&self) -> Vec<String> {
        let numbers = [
            u64::from(self.workers),
            u64::from(self.threads),
            self.depth as u64,
            self.max_wait.as_millis() as u64,
            u64::from(self.max_request),
            u64::from(self.window),
            self.start_timeout.as_millis() as u64,
            self.watchdog.as_millis() as u64,
            u64::from(self.second_pool),
        ];
        let dir = self.dir.display().to_string();
        let flag = "--server".to_string();
        [flag, dir].into_iter().chain(numbers.iter().map(u64::to_string)).collect()
    }

    fn parse(arguments: &[String]) -> Self {
        fn number<N: FromStr>(arguments: &[String], at: usize) -> N {
            arguments[at].parse().ok().expect("a number")
        }
        Self {
            dir: arguments[0].clone().into(),
            workers: number(arguments, 1),
            threads: number(arguments, 2),
            depth: number(arguments, 3),
            max_wait: Duration::from_millis(number(arguments, 4)),
            max_request: number(arguments, 5),
            window: number(arguments, 6),
            start_timeout: Duration::from_millis(number(arguments, 7)),
            watchdog: Duration::from_millis(number(arguments, 8)),
            second_pool: number(arguments, 9),
        }
    }
}

/// The server process.
pub fn main(arguments: &[String]) -> ExitCode {
    let options = Options::parse(arguments);
    let log = Box::leak(Box::new(Log(options.dir.join("log"))));
    log::set_logger(log).expect("one logger");
    log::set_max_level(log::LevelFilter::Info);
    let listener = UnixListener::bind(options.dir.join("socket")).expect("bind");
    let row = |workers| Pool { kind: PoolKind::Request, workers };
    let second = (options.second_pool > 0).then(|| row(options.second_pool));
    let plan = Plan {
        pools: Pools::new([row(options.workers)].into_iter().chain(second).collect()),
        reactor_threads: options.threads,
        listeners: vec![listener.into()],
        datagrams: Vec::new(),
        settings: ProcessSettings {
            max_wait_time: options.max_wait,
            worker_start_timeout: options.start_timeout,
            reactor_watchdog_time: options.watchdog,
            max_request: options.max_request,
        },
        windows: vec![options.window],
        report_interval: None,
        title: "processes".into(),
    };
    let mut application = application::Played { options: options.clone(), shared: None };
    let result = supervise(plan, &mut application);
    match result {
        Ok(SuperviseOutcome::WorkerDone) => ExitCode::SUCCESS,
        Ok(SuperviseOutcome::WorkerUnsound) => ExitCode::from(9),
        Ok(SuperviseOutcome::ForkedCopy) => {
            event(&options.dir, &format!("copy-ends {}", std::process::id()));
            ExitCode::from(23)
        }
        Ok(SuperviseOutcome::Stopped) => {
            event(&options.dir, "result stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            event(&options.dir, &format!("result {error:?}"));
            ExitCode::from(7)
        }
    }
}

/// Tells the case what has happened.
pub fn event(dir: &Path, text: &str) {
    append(&dir.join("events"), text);
}

fn append(path: &Path, text: &str) {
    let mut file = match OpenOptions::new().append(true).create(true).open(path) {
        // A case may leave a process no room for files.
        Err(error) if error.raw_os_error() == Some(nix::libc::EMFILE) => return,
        opened => opened.expect("open"),
    };
    // One write for one line: several processes write here.
    file.write_all(format!("{text}\n").as_bytes()).expect("write");
}

struct Log(PathBuf);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        append(&self.0, &format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}
