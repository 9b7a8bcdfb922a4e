//! Writes the bounds of what is counted beside the counters, so that whoever reads one can read the other.

use std::sync::atomic::Ordering;

use wire::shm::{Counter, Shared};
use wire::{DescriptorBudget, Holder};

use crate::config::Config;

/// Says how much there may be of what.
pub fn publish(config: &Config, files: &DescriptorBudget, shared: Shared) {
    let number = |count: usize| count as u64;
    for (counter, bound) in [
        (Counter::ConnectionsMax, number(config.connections_max)),
        (Counter::QueuedMax, number(config.queue_len_max)),
        (Counter::SpoolMemoryMax, config.response_spool.memory_bytes_max),
        (Counter::SpoolDiskMax, config.response_spool.disk_bytes_max),
        (Counter::BodyFilesMax, files.max(Holder::Body)),
        (Counter::BodyBytesMax, config.spool_bytes_max),
        (Counter::DetachedMax, number(config.detached_max)),
        (Counter::SentFilesMax, files.max(Holder::Sent)),
    ] {
        shared.counter(counter).store(bound, Ordering::Relaxed);
    }
}
