//! Ferrite's process model: a single-threaded supervisor that forks, restarts and stops a reactor
//! and its workers, and the loop by which a worker serves its links.

pub mod application;
pub mod plan;
pub mod reply;

pub use application::{
    Application, ConnectionEvent, Failure, ReactorBoot, Request, RequestBody, Verdict,
    WorkerFailure, WorkerIdentity,
};
pub use plan::{Outcome, Plan, SuperviseError, supervise};
pub use reply::{Reply, ReplyError};
