//! `ThreadReport`: what one thread of the reactor tells the admin listener; `Gathering`: those of all
//! threads.

use std::time::Instant;

/// What a worker has in work.
#[derive(Debug, Clone)]
pub struct Doing {
    /// Its id.
    pub worker: u16,
    /// The request as `METHOD path`, bounded, or the event.
    pub request: String,
    /// The id of the request, where requests have ids.
    pub id: Option<String>,
    /// Since when.
    pub since: Instant,
}

/// What one thread knows.
#[derive(Debug, Default)]
pub struct ThreadReport {
    /// What workers have in work of this thread's requests.
    pub doing: Vec<Doing>,
}

/// What the threads have told so far.
#[derive(Debug)]
pub(super) struct Gathering {
    /// Which question it answers: reports of a former one come too late.
    pub(super) number: u64,
    /// Threads that have not answered.
    left: usize,
    /// When it is answered with what there is.
    pub(super) until: Instant,
    /// All reports together.
    pub(super) report: ThreadReport,
}

impl Gathering {
    pub(super) fn new(number: u64, threads: usize, until: Instant) -> Self {
        Self { number, left: threads, until, report: ThreadReport::default() }
    }

    /// Takes a report. Says whether it was the last.
    pub(super) fn add(&mut self, report: ThreadReport) -> bool {
        self.report.doing.extend(report.doing);
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }
}
