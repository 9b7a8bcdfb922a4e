//! The workers as the ones who answer requests.

mod body;
mod form;
mod form_spool;
pub(super) mod in_flight;
pub mod link;
mod pool;
pub mod scheduler;
mod upload;

pub(crate) use in_flight::Task;
pub(crate) use pool::{Claim, WorkerFault, WorkerPool};
