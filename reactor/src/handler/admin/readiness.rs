//! `Readiness`: whether the server is to get requests.

use std::time::Instant;

use wire::limits::READY_QUEUE_FULL_TIME;
use wire::metrics::workers_by_state;
use wire::shm::{Counter, ServerState, Shared};

/// Whether the server is to get requests, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Readiness(Option<String>);

impl Readiness {
    /// As of now. `full_since` is when requests began to be refused because the queue is full.
    pub(super) fn of(shared: Shared, full_since: Option<Instant>, now: Instant) -> Self {
        let [(_, idle), (_, busy), ..] = workers_by_state(shared);
        let full = full_since.map(|since| now.saturating_duration_since(since));
        let stops = ServerState::of(shared.get(Counter::State)) == ServerState::Stopping;
        Self(if stops || shared.get(Counter::Draining) != 0 {
            Some("draining".to_owned())
        } else if idle + busy == 0 {
            Some("no worker is ready".to_owned())
        } else {
            full.filter(|full| *full >= READY_QUEUE_FULL_TIME)
                .map(|full| format!("the queue has been full for {} s", full.as_secs()))
        })
    }

    /// Why it is to get none; `None` when it is to get some.
    pub(super) fn reason(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use wire::shm::LifeState;
    use wire::shm::lives::Life;

    use super::*;

    #[test]
    fn a_server_is_ready_when_it_can_take_requests() {
        let memory: Vec<AtomicU64> = (0..Shared::words(1, 1)).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::new(memory.leak(), 1, 1);
        let now = Instant::now();
        let reason = |full| Readiness::of(shared, full, now).0;
        assert_eq!(reason(None).as_deref(), Some("no worker is ready"));
        let life = Life { incarnation: 1, pid: 1, state: LifeState::Ready, since_ms: 0 };
        shared.life(0, 1).set(Some(life));
        assert_eq!(reason(None), None);
        let since = now - READY_QUEUE_FULL_TIME;
        assert_eq!(reason(Some(since + Duration::from_millis(1))), None, "it may pass");
        assert!(reason(Some(since)).is_some_and(|reason| reason.contains("full for 3 s")));
        shared.counter(Counter::Draining).store(1, Ordering::Relaxed);
        assert_eq!(reason(None).as_deref(), Some("draining"));
    }
}
