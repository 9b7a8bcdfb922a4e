//! What a worker does first with what it has inherited.

use config::uploads::UploadFolder;
use config::{logger, process};
use wire::shm::WorkerCounter;
use worker::{ApplicationError, WorkerIdentity};

use super::ServerApplication;
use crate::compression::Compression;
use crate::engine::interpreter;
use crate::engine::zend::value;
use crate::php::server::state::ServerStage;
use crate::php::server::{object_of, write_slot};
use crate::signatures::server::slot;

impl ServerApplication {
    /// Makes the interpreter that this worker has inherited its own.
    pub(super) fn settle(&mut self, identity: WorkerIdentity) -> Result<(), ApplicationError> {
        interpreter::drop_inheritance();
        interpreter::reseed();
        // Keys are none of the handlers' business.
        self.run.reactor.ports.clear();
        self.run.reactor.admin = None;
        let pid = std::process::id();
        self.state.stage.set(ServerStage::Worker(identity.worker));
        if let Some(shared) = self.state.shared.get() {
            let lost = shared.worker(identity.worker.into(), WorkerCounter::LogLinesLost);
            logger::count_losses_of_worker(lost);
        }
        if let Some(object) = object_of(&self.server) {
            // SAFETY: `self.server` keeps the object alive.
            unsafe {
                write_slot(object, slot::WORKER_ID, value::long(i64::from(identity.worker)));
                write_slot(object, slot::WORKER_PID, value::long(i64::from(pid)));
            }
        }
        for handler in &mut self.run.handlers {
            let (parent, supervisor) = (&self.run.reactor.spool_dir, identity.supervisor);
            handler.context.uploads = UploadFolder::new(parent, supervisor, identity.incarnation);
        }
        let handlers = self.run.handlers.iter();
        Compression::set_ports(handlers.map(|port| port.context.compression.clone()).collect());
        process::pin(&self.run.reactor.cpus, usize::from(identity.worker));
        let assumed = self.run.identity.assume(identity.supervisor);
        assumed.map_err(|error| ApplicationError(error.to_string()))
    }
}
