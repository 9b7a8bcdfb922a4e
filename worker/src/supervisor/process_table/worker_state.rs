//! How processes stand, as the embedder is told.

use wire::control::Incarnation;

use super::slot::ProcessStage;
use super::{ProcessTable, ReactorState, ServerPhase};

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
            Some(ProcessStage::Booting { .. }) => WorkerState::Starting,
            Some(ProcessStage::Ready { .. }) => WorkerState::Ready,
            Some(ProcessStage::Retiring { .. }) => WorkerState::Stopping,
            Some(ProcessStage::Late | ProcessStage::Killed) | None => WorkerState::Killed,
        }
    }

    /// How the reactor stands.
    pub(crate) fn reactor_standing(&self) -> &'static str {
        match (self.phase, self.reactor.state) {
            (ServerPhase::Killing, _) => "killed",
            (ServerPhase::Draining { .. }, _) => "stopping",
            (_, ReactorState::Ready { .. }) => "ready",
            _ => "starting",
        }
    }

    /// How the supervisor stands.
    pub(crate) fn phase(&self) -> &'static str {
        match self.phase {
            ServerPhase::Running if self.started => "ready",
            ServerPhase::Running => "starting",
            _ => "stopping",
        }
    }
}
