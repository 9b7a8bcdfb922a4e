//! How many files the reactor may hold open for its clients.

use nix::sys::resource::{Resource, getrlimit};
use wire::DescriptorBudget;

use crate::config::Config;

/// Descriptors of a reactor that has just started, where the kernel does not tell.
const OPEN_AT_START: u64 = 64;

/// What the limit on open files leaves beside connections, links, and what is open now.
pub fn budget(config: &Config) -> DescriptorBudget {
    // The soft limit is what counts; without one there is no bound but memory.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    // In a reload each worker lives twice. Each thread has a file for responses that nobody takes.
    let links = 2 * config.workers as u64 * config.threads as u64 + config.threads as u64;
    DescriptorBudget::of_process(limit, open_now(), config.connections_max as u64, links)
}

fn open_now() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(OPEN_AT_START, |entries| entries.count() as u64)
}
