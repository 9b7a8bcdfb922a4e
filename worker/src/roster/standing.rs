//! How processes stand, as the embedder is told.

use wire::control::Incarnation;

use super::slot::Stage;
use super::{Phase, ReactorState, Roster};

/// How a worker process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is not ready yet.
    Starting,
    /// It serves.
    Ready,
    /// It finishes what it has.
    Stopping,
    /// It has been killed and is about to be gone.
    Killed,
}

impl Roster {
    /// How a worker process stands.
    pub(crate) fn standing(&self, incarnation: Incarnation) -> Standing {
        let mut lives = self.slots.iter().flat_map(|slot| &slot.lives);
        match lives.find(|life| life.incarnation == incarnation).map(|life| life.stage) {
            Some(Stage::Booting { .. }) => Standing::Starting,
            Some(Stage::Ready { .. }) => Standing::Ready,
            Some(Stage::Retiring { .. }) => Standing::Stopping,
            Some(Stage::Late | Stage::Killed) | None => Standing::Killed,
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
