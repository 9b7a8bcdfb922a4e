//! [`Budget`] and [`DescriptorBudget`]: how much of something a process holds for its clients at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::DESCRIPTORS_SPARE;

/// An amount that may be held at a time by all threads together. Clones are the same budget.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    max: u64,
    held: AtomicU64,
    /// Shows others what is held. It is never read here: it may lie in shared memory.
    gauge: Option<&'static AtomicU64>,
}

impl Budget {
    /// At most so much.
    pub fn new(max: u64) -> Self {
        Self(Arc::new(Account { max, held: AtomicU64::new(0), gauge: None }))
    }

    /// At most so much; what is held is added to a gauge, and taken from it again.
    pub fn shown(max: u64, gauge: &'static AtomicU64) -> Self {
        Self(Arc::new(Account { max, held: AtomicU64::new(0), gauge: Some(gauge) }))
    }

    /// What may be held at most.
    pub fn max(&self) -> u64 {
        self.0.max
    }

    /// What is held.
    pub fn held(&self) -> u64 {
        self.0.held.load(Ordering::Relaxed)
    }

    /// Takes a share, which gives itself back when it is dropped. `None` when not so much is left.
    pub fn take(&self, amount: u64) -> Option<Share> {
        self.add(amount).then(|| Share { budget: self.clone(), amount })
    }

    fn add(&self, amount: u64) -> bool {
        let more = |held: u64| held.checked_add(amount).filter(|held| *held <= self.0.max);
        let added = self.0.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if let (true, Some(gauge)) = (added, self.0.gauge) {
            gauge.fetch_add(amount, Ordering::Relaxed);
        }
        added
    }

    fn give_back(&self, amount: u64) {
        self.0.held.fetch_sub(amount, Ordering::Relaxed);
        if let Some(gauge) = self.0.gauge {
            gauge.fetch_sub(amount, Ordering::Relaxed);
        }
    }
}

/// A share of a [`Budget`]; its end gives it back.
#[derive(Debug)]
pub struct Share {
    budget: Budget,
    amount: u64,
}

impl Share {
    /// Takes more of the same budget; `false`, and nothing taken, when not so much is left.
    pub fn grow(&mut self, amount: u64) -> bool {
        let added = self.budget.add(amount);
        if added {
            self.amount += amount;
        }
        added
    }

    /// Gives back a part.
    pub fn shrink(&mut self, amount: u64) {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        self.budget.give_back(amount);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.give_back(self.amount);
    }
}

/// What files of clients are held open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Content of a request, while it arrives and until its answer begins.
    Body,
    /// A file that is sent, until its clients have taken it.
    Sent,
}

/// The files that the reactor holds open for clients, all threads together. Links, connections and
/// what the process opens for itself are no part of it: room for them is set apart before.
///
/// A third belongs to each [`Holder`], so that none can starve another; the last third is whose comes
/// first.
#[derive(Debug, Clone)]
pub struct DescriptorBudget {
    all: [Budget; 2],
    own: [Budget; 2],
    common: Budget,
}

impl DescriptorBudget {
    /// A process that may have `limit` files open, has `open` of its own, and will have so many
    /// connections and links. Where that leaves nothing, each holder has one file all the same.
    pub fn of_process(limit: u64, open: u64, connections: u64, links: u64) -> Self {
        let reserved = [open, connections, links, DESCRIPTORS_SPARE];
        Self::new(reserved.into_iter().fold(limit, u64::saturating_sub))
    }

    /// So many files.
    pub fn new(files: u64) -> Self {
        let third = files / 3;
        let own = third.max(1);
        Self {
            all: [(); 2].map(|()| Budget::new(u64::MAX)),
            own: [(); 2].map(|()| Budget::new(own)),
            common: Budget::new(third),
        }
    }

    /// Bounds one holder to what `budget` allows, besides.
    pub fn bounded(mut self, holder: Holder, budget: Budget) -> Self {
        self.all[holder as usize] = budget;
        self
    }

    /// Takes the right to hold one more file open. `None` when there are as many as there may be.
    pub fn take(&self, holder: Holder) -> Option<Permit> {
        let counted = self.all[holder as usize].take(1)?;
        let own = self.own[holder as usize].take(1);
        let taken = own.or_else(|| self.common.take(1))?;
        Some(Permit { _counted: counted, _taken: taken })
    }

    /// The files that are open.
    pub fn held(&self, holder: Holder) -> u64 {
        self.all[holder as usize].held()
    }

    /// How many there may be at most, when no other holder has taken of the common third.
    pub fn max(&self, holder: Holder) -> u64 {
        let most = self.own[holder as usize].max() + self.common.max();
        most.min(self.all[holder as usize].max())
    }
}

/// The right to hold one file open; goes with the file, and its end gives it back.
#[derive(Debug)]
pub struct Permit {
    _counted: Share,
    _taken: Share,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_give_themselves_back() {
        let gauge: &AtomicU64 = Box::leak(Box::new(AtomicU64::new(7)));
        let budget = Budget::shown(10, gauge);
        let mut share = budget.take(6).unwrap();
        assert!(budget.take(5).is_none());
        assert!(!share.grow(5));
        assert!(share.grow(4));
        assert_eq!((budget.held(), gauge.load(Ordering::Relaxed)), (10, 17));
        share.shrink(3);
        assert!(budget.take(3).is_some());
        drop(share);
        assert_eq!((budget.held(), gauge.load(Ordering::Relaxed)), (0, 7));
        assert!(budget.take(u64::MAX).is_none());
    }

    #[test]
    fn no_holder_takes_what_belongs_to_another() {
        let budget = DescriptorBudget::new(30);
        let bodies: Vec<_> = std::iter::from_fn(|| budget.take(Holder::Body)).collect();
        assert_eq!(bodies.len(), 20);
        assert_eq!(budget.max(Holder::Body), 20);
        let sent: Vec<_> = std::iter::from_fn(|| budget.take(Holder::Sent)).collect();
        assert_eq!(sent.len(), 10);
        drop(bodies);
        assert_eq!(budget.held(Holder::Body), 0);
        let more: Vec<_> = std::iter::from_fn(|| budget.take(Holder::Sent)).collect();
        assert_eq!(more.len(), 10);
        drop((more, sent));
        assert!(budget.take(Holder::Sent).is_some());
    }

    #[test]
    fn an_option_bounds_one_holder() {
        let budget = DescriptorBudget::new(30).bounded(Holder::Body, Budget::new(2));
        let _two = [(); 2].map(|()| budget.take(Holder::Body).unwrap());
        assert!(budget.take(Holder::Body).is_none());
        assert_eq!((budget.max(Holder::Body), budget.max(Holder::Sent)), (2, 20));
        assert!(budget.take(Holder::Sent).is_some());
    }

    #[test]
    fn what_is_needed_for_itself_is_set_apart() {
        let budget = DescriptorBudget::of_process(1024, 20, 768, 16);
        let most = budget.max(Holder::Sent);
        assert_eq!(most, (1024 - 20 - 768 - 16 - DESCRIPTORS_SPARE) / 3 * 2);
        let small = DescriptorBudget::of_process(64, 20, 768, 16);
        let _one = small.take(Holder::Sent).unwrap();
        assert!(small.take(Holder::Sent).is_none());
        assert!(small.take(Holder::Body).is_some());
    }
}
