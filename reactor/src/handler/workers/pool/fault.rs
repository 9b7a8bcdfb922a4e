//! What workers do that no worker does, for the log.

use std::fmt;

use crate::handler::workers::link::LinkError;

/// A worker has shown that it is broken, or that it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerFault {
    /// The worker's id.
    pub worker: u16,
    /// What it did.
    pub kind: FaultKind,
}

/// What a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Its link cannot be used any more: it is replaced.
    Link(LinkError),
    /// It answered requests that are over.
    Stray,
}

impl fmt::Display for WorkerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::Link(error) => {
                write!(f, "worker {} is replaced: {error}", self.worker)
            }
            FaultKind::Stray => {
                write!(f, "worker {} answered a request that is over; dropped", self.worker)
            }
        }
    }
}
