//! Ferrite's process model: a single-threaded supervisor that forks, restarts and stops a reactor
//! and its workers, and the loop by which a worker serves its links.

pub mod application;
mod control;
pub mod control_signals;
pub mod membership;
pub mod plan;
mod runtime;
mod shared_memory;
mod signals;
mod supervisor;

pub use application::{
    Application, ApplicationError, BodyPiece, ConnectionEvent, FailureReason, IncomingRequest,
    Next, ProcessState, ReactorBoot, RequestBody, Role, ScriptEnd, Verdict, WorkerFailure,
    WorkerIdentity, WorkerScript,
};
pub use membership::{Membership, is_forked_copy, membership};
pub use plan::{Plan, ProcessSettings, SuperviseError, SuperviseOutcome, supervise};
pub use runtime::body::{BodyError, BodyStream};
pub use runtime::claims::{ClaimError, claim, end_claims};
pub use runtime::links::close_connection;
pub use runtime::reply::{ClientWatch, Reply, ReplyError};
pub use runtime::work::note_timeout;
pub use signals::with_open_mask;
