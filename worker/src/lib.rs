//! Ferrite's process model: a single-threaded supervisor that forks, restarts and stops a reactor
//! and its workers, and the loop by which a worker serves its links.

pub mod application;
mod assembly;
mod control;
pub mod control_signals;
mod incoming;
mod link;
pub mod membership;
pub mod plan;
pub mod reply;
mod report;
mod roster;
mod serve;
mod shared_memory;
mod signals;
mod socket;
mod spawn;
mod supervisor;
mod watchdog;

pub use application::{
    Application, ConnectionEvent, Failure, ProcessState, ReactorBoot, Request, RequestBody, Role,
    Verdict, WorkerFailure, WorkerIdentity,
};
pub use incoming::{BodyError, BodyStream};
pub use membership::{Membership, is_forked_copy, membership};
pub use plan::{Outcome, Plan, ProcessSettings, SuperviseError, supervise};
pub use reply::{Reply, ReplyError};
pub use signals::with_open_mask;
