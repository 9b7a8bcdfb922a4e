//! How many files the reactor may hold open for its clients.

use nix::sys::resource::{Resource, getrlimit};
use wire::limits::ADMIN_CONNECTIONS_MAX;
use wire::shm::{Counter, Shared};
use wire::{Budget, DescriptorBudget, Holder};

use crate::config::Config;

/// Descriptors of a reactor that has just started, where the kernel does not tell.
const OPEN_AT_START: u64 = 64;

/// What the limit on open files leaves beside connections, links, and what is open now.
pub fn budget(config: &Config, shared: Shared) -> DescriptorBudget {
    // The soft limit is what counts; without one there is no bound but memory.
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    // In a reload each worker lives twice, and by each link one descriptor may have come that nobody
    // has taken yet. Each thread has a file for responses that nobody takes, and its own descriptor of each
    // directory whose files it sends.
    let (workers, threads) = (u64::from(config.pools.workers()), config.threads as u64);
    let admins = if config.admin.is_some() { ADMIN_CONNECTIONS_MAX as u64 } else { 0 };
    let own = threads + threads * config.files.len() as u64 + admins;
    let links = 2 * 2 * workers * threads + own;
    let bodies = Budget::shown(config.spool_files_max, shared.counter(Counter::BodyFiles));
    DescriptorBudget::of_process(limit, open_now(), config.connections_max as u64, links)
        .bounded(Holder::Body, bodies)
        .bounded(Holder::Sent, Budget::shown(u64::MAX, shared.counter(Counter::SentFiles)))
}

fn open_now() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(OPEN_AT_START, |entries| entries.count() as u64)
}
