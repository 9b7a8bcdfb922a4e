//! `Replacements`: how often processes took the place of others, by the reason.

use super::ProcessTable;

/// How often processes took the place of others, since the start. Those that died are counted where they
/// are forked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Replacements {
    /// Because a worker had served as many requests as it should.
    pub(crate) recycled: u64,
    /// In a reload.
    pub(crate) reloaded: u64,
    /// Because a worker had ended by its own decision.
    pub(crate) left: u64,
    /// Because a request took longer than it may, and its worker had ended for that.
    pub(crate) timed_out: u64,
    /// Because a worker had not become ready.
    pub(crate) not_ready: u64,
    /// Reloads that came to their end.
    pub(crate) reloads: u64,
    /// Reloads that were given up.
    pub(crate) abandoned: u64,
}

impl ProcessTable {
    /// What has been counted.
    pub(crate) fn tally(&self) -> Replacements {
        self.tally
    }

    /// How often the place of a worker was given to another process.
    pub(crate) fn restarts_of(&self, worker: usize) -> u32 {
        self.slots.get(worker).map_or(0, |slot| slot.restarts)
    }

    /// A worker is about to be forked that is not the first of its place.
    pub(super) fn count_restart(&mut self, worker: usize) {
        let renewed = self.renewed_before(worker);
        let slot = &mut self.slots[worker];
        if slot.latest.is_none() {
            return;
        }
        slot.restarts = slot.restarts.saturating_add(1);
        // It may not have been reaped yet.
        let left = std::mem::take(&mut slot.left) | slot.lives.iter().any(|life| life.leaving);
        let timed_out =
            std::mem::take(&mut slot.timed_out) | slot.lives.iter().any(|life| life.timed_out);
        match slot.ready() {
            // The supervisor counts it.
            _ if slot.died => {}
            None if timed_out => self.tally.timed_out += 1,
            None if left => self.tally.left += 1,
            Some(life) if renewed.is_some_and(|mark| life.incarnation < mark) => {
                self.tally.reloaded += 1;
            }
            Some(life) if life.recycle => self.tally.recycled += 1,
            _ => self.tally.not_ready += 1,
        }
    }
}
