//! `MemoryLook`: how much memory the processes have resident, looked up now and then.
//!
//! It is read from `/proc/PID/statm` within the event loop. The kernel answers that from counters of the
//! process, without waiting for a lock that the process may hold (proc(5)), so one that hangs does not hang
//! the reader; a read takes some ten microseconds. How many are read in one go is bounded all the same.

use std::time::{Duration, Instant};

use nix::unistd::{SysconfVar, sysconf};
use wire::limits::ADMIN_PROCESSES_PER_LOOK_MAX;
use wire::metrics::visit::Memory;
use wire::shm::Shared;

/// How long what was looked up holds.
const AGE_MAX: Duration = Duration::from_secs(1);

/// What was looked up last.
#[derive(Debug)]
pub(crate) struct MemoryLook {
    at: Option<Instant>,
    found: Vec<Memory>,
    /// The worker to go on with.
    next: usize,
    page_bytes: u64,
}

impl MemoryLook {
    pub(crate) fn new() -> Self {
        let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
        let page_bytes = page.and_then(|page| u64::try_from(page).ok()).unwrap_or(4096);
        Self { at: None, found: Vec::new(), next: 0, page_bytes }
    }

    /// The memory of every process, as far as the system tells.
    pub(crate) fn look(&mut self, shared: Shared, now: Instant) -> &[Memory] {
        if self.at.is_some_and(|at| now.saturating_duration_since(at) < AGE_MAX) {
            return &self.found;
        }
        self.at = Some(now);
        let supervisor = nix::unistd::getppid().as_raw().unsigned_abs();
        self.put("supervisor", None, supervisor);
        self.put("reactor", None, std::process::id());
        let workers = shared.workers();
        for _ in 0..workers.min(ADMIN_PROCESSES_PER_LOOK_MAX) {
            let worker = self.next % workers;
            self.next = worker + 1;
            let lives = [0, 1].map(|life| shared.life(worker, life).get());
            let latest = lives.into_iter().flatten().max_by_key(|life| life.incarnation);
            self.put("worker", Some(worker), latest.map_or(0, |life| life.pid));
        }
        &self.found
    }

    fn put(&mut self, process: &'static str, worker: Option<usize>, pid: u32) {
        let bytes = resident_pages(pid).map(|pages| pages.saturating_mul(self.page_bytes));
        let is_it = |known: &Memory| known.process == process && known.worker == worker;
        let at = self.found.iter().position(is_it);
        match (at, bytes) {
            (Some(at), Some(bytes)) => self.found[at].bytes = bytes,
            (Some(at), None) => drop(self.found.remove(at)),
            (None, Some(bytes)) => {
                self.found.push(Memory { process, worker, bytes });
                self.found.sort_by_key(|memory| memory.worker);
            }
            (None, None) => {}
        }
    }

    /// The memory of a worker that was found.
    pub(crate) fn of_worker(&self, worker: usize) -> Option<u64> {
        self.found.iter().find(|memory| memory.worker == Some(worker)).map(|memory| memory.bytes)
    }
}

fn resident_pages(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_none_has_none() {
        assert!(resident_pages(std::process::id()).is_some_and(|pages| pages > 100));
        assert_eq!(resident_pages(0), None);
    }
}
