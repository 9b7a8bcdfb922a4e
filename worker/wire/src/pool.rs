//! [`Pools`]: the table of worker pools, and which of them a worker belongs to.

use crate::codec::PoolId;

/// What the workers of a pool do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// They answer requests.
    Request,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// What its workers do.
    pub kind: PoolKind,
    /// How many there are, at least 1.
    pub workers: u16,
}

/// All pools of a server. The ids of workers run through the rows: those of the first begin with 0, those
/// of each other one behind the row before. All rows together have at most
/// [`WORKERS_MAX`](crate::limits::WORKERS_MAX) workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pools(Vec<Pool>);

impl Pools {
    /// A table of these rows.
    pub fn new(rows: Vec<Pool>) -> Self {
        Self(rows)
    }

    /// One pool of so many workers, which answer requests.
    pub fn of_requests(workers: u16) -> Self {
        Self(vec![Pool { kind: PoolKind::Request, workers }])
    }

    /// Every row with its name.
    pub fn iter(&self) -> impl Iterator<Item = (PoolId, Pool)> + '_ {
        (0..).map(PoolId).zip(self.0.iter().copied())
    }

    /// The row of this name.
    pub fn get(&self, PoolId(pool): PoolId) -> Option<Pool> {
        self.0.get(usize::from(pool)).copied()
    }

    /// Workers of all pools.
    pub fn workers(&self) -> u16 {
        self.0.iter().fold(0, |all, pool| all.saturating_add(pool.workers))
    }

    /// The pool of a worker, and its place there, from 0; `None` when there is no such worker.
    pub fn of_worker(&self, worker: u16) -> Option<(PoolId, u16)> {
        let mut place = worker;
        for (id, pool) in self.iter() {
            match place.checked_sub(pool.workers) {
                None => return Some((id, place)),
                Some(behind) => place = behind,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_numbered_through_the_pools() {
        let pool = |workers| Pool { kind: PoolKind::Request, workers };
        let pools = Pools::new(vec![pool(2), pool(1), pool(3)]);
        let places: Vec<_> = (0..7).map(|worker| pools.of_worker(worker)).collect();
        let at = |pool, place| Some((PoolId(pool), place));
        assert_eq!(places, [at(0, 0), at(0, 1), at(1, 0), at(2, 0), at(2, 1), at(2, 2), None]);
        assert_eq!((pools.workers(), pools.get(PoolId(3))), (6, None));
        assert_eq!(Pools::of_requests(4).of_worker(3), at(0, 3));
    }
}
