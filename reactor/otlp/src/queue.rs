//! [`Queue`]: what waits to be sent, between the threads that make it and the one that sends.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Items that wait, up to a bound.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    news: Condvar,
    bounds: QueueBounds,
}

/// When items are taken, and how many may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueBounds {
    /// Items that may wait.
    pub len_max: usize,
    /// Items that are taken at once.
    pub batch_len: usize,
    /// How long one waits for others.
    pub delay: Duration,
}

#[derive(Debug)]
struct Waiting<T> {
    items: Vec<T>,
    /// When the first of them came.
    since: Option<Instant>,
    closed: bool,
}

/// Why the waiting is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// There are items to be taken.
    Items,
    /// It is the time that was asked for.
    Time,
    /// Nothing follows, and what is there can be taken.
    Closed,
}

impl<T> Queue<T> {
    pub fn new(bounds: QueueBounds) -> Self {
        let waiting = Waiting { items: Vec::new(), since: None, closed: false };
        Self { waiting: Mutex::new(waiting), news: Condvar::new(), bounds }
    }

    /// Appends these items as far as there is room, and empties the list; how many had none. Never waits for who
    /// sends.
    pub fn push(&self, items: &mut Vec<T>, now: Instant) -> usize {
        let mut waiting = self.lock();
        let before = waiting.items.len();
        let room = self.bounds.len_max.saturating_sub(before);
        let fitting = items.len().min(room);
        let lost = items.len() - fitting;
        waiting.items.extend(items.drain(..fitting));
        items.clear();
        if fitting == 0 {
            return lost;
        }
        waiting.since.get_or_insert(now);
        let after = before + fitting;
        drop(waiting);
        let enough = before < self.bounds.batch_len && after >= self.bounds.batch_len;
        if before == 0 || enough {
            self.news.notify_one();
        }
        lost
    }

    /// Nothing follows.
    pub fn close(&self) {
        self.lock().closed = true;
        self.news.notify_one();
    }

    /// Drops all that wait; how many those were.
    pub fn clear(&self) -> usize {
        let mut waiting = self.lock();
        let count = waiting.items.len();
        (waiting.items, waiting.since) = (Vec::new(), None);
        count
    }

    /// Waits for items, if they are wanted, until this time, if there is one.
    pub fn wait(&self, wanted: bool, until: Option<Instant>) -> Wake {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return Wake::Closed;
            }
            if wanted && waiting.items.len() >= self.bounds.batch_len {
                return Wake::Items;
            }
            let due = waiting.since.filter(|_| wanted).map(|since| since + self.bounds.delay);
            let now = Instant::now();
            if due.is_some_and(|due| due <= now) {
                return Wake::Items;
            }
            if until.is_some_and(|until| until <= now) {
                return Wake::Time;
            }
            waiting = match due.into_iter().chain(until).min() {
                None => self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let waited = self.news.wait_timeout(waiting, at - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The first items, as many as are sent at once.
    pub fn take(&self) -> Vec<T> {
        let mut waiting = self.lock();
        let count = waiting.items.len().min(self.bounds.batch_len);
        let taken = waiting.items.drain(..count).collect();
        if waiting.items.is_empty() {
            waiting.since = None;
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(delay: Duration) -> Queue<u32> {
        Queue::new(QueueBounds { len_max: 5, batch_len: 2, delay })
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let (queue, now) = (queue(Duration::ZERO), Instant::now());
        assert_eq!(queue.push(&mut vec![1, 2, 3], now), 0);
        assert_eq!(queue.push(&mut vec![4, 5, 6, 7], now), 2);
        assert_eq!(queue.push(&mut vec![8], now), 1);
        assert_eq!(queue.wait(true, None), Wake::Items);
        assert_eq!([queue.take(), queue.take(), queue.take()], [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(queue.clear(), 0);
        queue.push(&mut vec![9, 10], now);
        assert_eq!([queue.clear(), queue.clear()], [2, 0]);
    }

    #[test]
    fn a_batch_is_taken_when_it_is_full_or_old_or_the_last() {
        let (queue, now) = (queue(Duration::from_secs(3600)), Instant::now());
        queue.push(&mut vec![1], now);
        assert_eq!(queue.wait(true, Some(now)), Wake::Time);
        queue.push(&mut vec![2], now);
        assert_eq!(queue.wait(true, None), Wake::Items);
        assert_eq!(queue.wait(false, Some(now)), Wake::Time, "nobody wants them");
        assert_eq!(queue.take(), [1, 2]);
        queue.push(&mut vec![3], now - Duration::from_secs(3601));
        assert_eq!(queue.wait(true, None), Wake::Items, "it is old");
        queue.close();
        assert_eq!(queue.wait(true, None), Wake::Closed);
        assert_eq!(queue.take(), [3]);
    }
}
