//! Who observes the exchanges of a thread.

use super::Observer;
use crate::handler::admin::counting::Counting;
use crate::shared::SharedState;

/// Those that the configuration asks for, and the one that counts for the admin listener.
pub fn of(common: &SharedState, thread: u16) -> Vec<Box<dyn Observer>> {
    let makers = common.config.observers.iter();
    let counting = Counting::new(common, thread).map(|counting| Box::new(counting) as _);
    makers.map(|make| (make.0)(common.shared, thread)).chain(counting).collect()
}
