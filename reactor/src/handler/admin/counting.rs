//! [`Counting`]: counts the exchanges of a thread that are over, for the admin listener.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use wire::Version;
use wire::shm::exchanges::{ExchangeFigures, Timing};

use crate::record::{Observer, Record, Times};
use crate::shared::SharedState;

/// Observes the exchanges of a thread.
#[derive(Debug)]
pub struct Counting {
    common: SharedState,
    thread: usize,
    figures: ExchangeFigures,
}

impl Counting {
    /// For this thread; `None` without an admin listener, and without a collector of metrics: then nobody asks.
    pub fn new(common: &SharedState, thread: u16) -> Option<Self> {
        let collected = common.config.otlp.as_ref().is_some_and(|otlp| otlp.metrics.is_some());
        if common.config.admin.is_none() && !collected {
            return None;
        }
        let thread = usize::from(thread);
        let figures = common.shared.exchanges(thread);
        Some(Self { common: common.clone(), thread, figures })
    }
}

impl Observer for Counting {
    fn over(&mut self, record: &Record) {
        if self.common.config.is_admin(record.port) {
            return;
        }
        // A connection whose version nobody knows has said something that is no HTTP.
        let version = record.version.unwrap_or(Version::Http11);
        let method = record.method.as_ref().map_or("_OTHER", |method| method.as_str());
        let status = record.status.map_or(0, |status| status.as_u16());
        self.figures.count(version, method, status);
        self.figures.ended(record.outcome as usize);
        let Times { queue, worker, first_byte, total } = record.times;
        for (timing, time) in [
            (Timing::Queue, queue),
            (Timing::Worker, worker),
            (Timing::FirstByte, first_byte),
            (Timing::Total(version), Some(total)),
        ] {
            if let Some(time) = time {
                self.figures.observe(timing, micros(time));
            }
        }
        let notable = self.common.notable.get(self.thread).map(Mutex::lock);
        // Only who renders the page holds it meanwhile, for microseconds.
        if let Some(notable) = notable {
            notable.unwrap_or_else(PoisonError::into_inner).note(record, micros(total));
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use wire::shm::exchanges::OUTCOMES;

    use crate::record::Outcome;

    #[test]
    fn outcomes_have_the_same_names_everywhere() {
        assert_eq!(Outcome::ALL.map(Outcome::name), OUTCOMES);
        assert!(Outcome::ALL.iter().enumerate().all(|(at, outcome)| *outcome as usize == at));
    }
}
