//! [`Handlers`]: the handlers of one reactor thread.

use std::fmt;

use super::files::Files;
use super::fixed::Fixed;
use super::workers::WorkerPool;
use super::{Handler, HandlerId};
use crate::shared::SharedState;

/// All of them, by their ids.
pub struct Handlers {
    /// The pool of PHP workers.
    pub workers: WorkerPool,
    others: Vec<Box<dyn Handler>>,
    files: Vec<Files>,
}

impl Handlers {
    /// Those of the configuration.
    pub fn new(shared: SharedState, thread: u16) -> Self {
        let fixed = shared.config.fixed.iter();
        let others = fixed.map(|response| Box::new(Fixed::new(response)) as Box<dyn Handler>);
        let files = shared.config.files.iter();
        Self {
            others: others.collect(),
            files: files.map(|files| Files::new(files, shared.clone())).collect(),
            workers: WorkerPool::new(shared.clone(), thread),
        }
    }

    /// The handler of this id; the workers, where the configuration has no other.
    pub fn get(&mut self, HandlerId(id): HandlerId) -> &mut dyn Handler {
        if id >= HandlerId::FILES
            && let Some(files) = self.files.get_mut(usize::from(id - HandlerId::FILES))
        {
            return files;
        }
        match self.others.get_mut(usize::from(id).wrapping_sub(1)) {
            Some(other) => &mut **other,
            None => &mut self.workers,
        }
    }

    /// The ids.
    pub fn ids(&self) -> impl Iterator<Item = HandlerId> + use<> {
        let files = (0..self.files.len() as u8).map(HandlerId::files);
        (0..=self.others.len() as u8).map(HandlerId).chain(files)
    }

    /// Whether answers wait for their connections.
    pub fn have_answers(&mut self) -> bool {
        self.ids().any(|id| !self.get(id).answers().is_empty())
    }

    /// Exchanges in flight.
    pub fn open_exchanges(&self) -> usize {
        let others = self.others.iter().map(|other| other.open_exchanges());
        self.workers.open_exchanges() + others.sum::<usize>()
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers").field("workers", &self.workers).finish_non_exhaustive()
    }
}
