//! How processes stand, as the embedder is told.

use wire::control::Incarnation;

use super::slot::Stage;
use super::{Phase, ProcessTable, ReactorState};

/// How a worker process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerState {
    /// It is not ready yet.
    Starting,
    /// It serves.
    Ready,
    /// It finishes what it has.
    Stopping,
    /// It has been killed and is about to be gone.
    Killed,
}

impl ProcessTable {
    /// How a worker process stands.
    pub(crate) fn standing(&self, incarnation: Incarnation) -> WorkerState {
        let mut lives = self.slots.iter().flat_map(|slot| &slot.lives);
        match lives.find(|life| life.incarnation == incarnation).map(|life| life.stage) {
            Some(Stage::Booting { .. }) => WorkerState::Starting,
            Some(Stage::Ready { .. }) => WorkerState::Ready,
            Some(Stage::Retiring { .. }) => WorkerState::Stopping,
            Some(Stage::Late | Stage::Killed) | None => WorkerState::Killed,
        }
    }

    /// How the reactor stands.
    pub(crate) fn reactor_standing(&self) -> &'static str {
        match (self.phase, self.reactor.state) {
            (Phase::Killing, _) => "killed",
            (Phase::Draining { .. }, _) => "stopping",
            (_, ReactorState::Ready { .. }) => "ready",
            _ => "starting",
        }
    }

    /// How the supervisor stands.
    pub(crate) fn phase(&self) -> &'static str {
        match self.phase {
            Phase::Running if self.started => "ready",
            Phase::Running => "starting",
            _ => "stopping",
        }
    }
}
