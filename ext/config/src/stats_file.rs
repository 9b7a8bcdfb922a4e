//! Writes the file of the option `stats_file`: figures and processes as JSON.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use log::Level;
use log::kv::Value as Field;
use serde_json::{Map, Value};
use wire::event::{self, LogEvent};
use worker::{ProcessState, Role};

/// The file, and whether it could be written the last time.
#[derive(Debug)]
pub struct StatsFile {
    path: PathBuf,
    /// Beside it, so that a rename puts it in its place.
    temporary: PathBuf,
    interval: Duration,
    failed: bool,
}

impl StatsFile {
    /// A file of this process that is not there yet. A relative path is one of the present folder.
    pub fn new(path: &Path, interval: Duration) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut temporary = path.clone().into_os_string();
        temporary.push(format!(".{}.new", process::id()));
        Self { path, temporary: temporary.into(), interval, failed: false }
    }

    /// Replaces the file. The first of several failures in a row is logged.
    pub fn write(&mut self, figures: &[(&str, u64)], processes: &[ProcessState]) {
        let content = content(SystemTime::now(), figures, processes);
        let result = self.replace(content.to_string().as_bytes());
        if let Err(error) = &result {
            let _ = fs::remove_file(&self.temporary);
            if !self.failed {
                let (path, millis) = (self.path.display(), self.interval.as_millis() as u64);
                let text = error.to_string();
                event::log(
                    Level::Error,
                    LogEvent::StatsFileFailed,
                    &[("path", Field::from_display(&path)), ("error", (&text[..]).into())],
                    format_args!(
                        "cannot write stats_file {path}: {error}; it is tried again each {millis} \
                         ms. Make the folder, free space there, or set stats_file"
                    ),
                );
            }
        }
        self.failed = result.is_err();
    }

    /// The server has ended.
    pub fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let mut file = File::create(&self.temporary)?;
        file.write_all(content)?;
        file.write_all(b"\n")?;
        drop(file);
        fs::rename(&self.temporary, &self.path)
    }
}

fn content(now: SystemTime, figures: &[(&str, u64)], processes: &[ProcessState]) -> Value {
    let stats: Map<String, Value> =
        figures.iter().map(|(name, figure)| ((*name).to_owned(), (*figure).into())).collect();
    let processes: Vec<Value> = processes.iter().map(process_object).collect();
    let members = [
        ("time", seconds(now).into()),
        ("pid", process::id().into()),
        ("stats", stats.into()),
        ("processes", processes.into()),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Map<_, _>>().into()
}

fn process_object(process: &ProcessState) -> Value {
    let mut object = Map::new();
    let (role, worker) = match process.role {
        Role::Supervisor => ("supervisor", None),
        Role::Reactor => ("reactor", None),
        Role::Worker(id) => ("worker", Some(id)),
    };
    object.insert("role".into(), role.into());
    if let Some(worker) = worker {
        object.insert("worker".into(), worker.into());
    }
    object.insert("pid".into(), process.pid.into());
    object.insert("state".into(), process.state.into());
    if worker.is_some() {
        object.insert("requests".into(), process.requests.into());
    }
    object.insert("since".into(), seconds(process.since).into());
    object.into()
}

/// Seconds since 1970-01-01 UTC, with milliseconds.
fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_an_object() {
        let since = UNIX_EPOCH + Duration::from_millis(1_500);
        let worker =
            ProcessState { role: Role::Worker(2), pid: 7, state: "idle", requests: 9, since };
        let reactor = ProcessState { role: Role::Reactor, ..worker.clone() };
        let content = content(UNIX_EPOCH, &[("request_count", 3)], &[reactor, worker]);
        assert_eq!(content["stats"]["request_count"], 3);
        assert_eq!(
            content["processes"].to_string(),
            r#"[{"role":"reactor","pid":7,"state":"idle","since":1.5},{"role":"worker","worker":2,"pid":7,"state":"idle","requests":9,"since":1.5}]"#
        );
    }

    #[test]
    fn the_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = std::env::temp_dir().join(format!("ferrite-stats-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = StatsFile::new(&folder.join("stats.json"), Duration::from_secs(1));
        for content in ["a long content", "short"] {
            file.replace(content.as_bytes()).expect("written");
            let read = fs::read_to_string(&file.path).expect("there");
            assert_eq!(read, format!("{content}\n"));
            assert_eq!(fs::read_dir(&folder).expect("there").count(), 1);
        }
        file.remove();
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 0);
        fs::remove_dir(&folder).expect("empty");
        assert!(file.replace(b"x").is_err());
    }
}
