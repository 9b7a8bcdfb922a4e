//! What the workers of a pool have in work, for administrators.

use super::WorkerPool;
use crate::handler::admin::report::Doing;
use crate::handler::workers::in_flight::key_of;

impl WorkerPool {
    /// What workers have in work of this thread's exchanges. One that a worker has claimed is not told of:
    /// it is beside another.
    pub fn in_work(&self) -> Vec<Doing> {
        let found = self.common.scheduler(self.id).in_work(self.thread);
        let doing = found.into_iter().filter_map(|(slot, id, since)| {
            let worker = self.links.get(slot)?.as_ref()?.worker;
            let task = &self.exchanges.get(key_of(id))?.task;
            let id = task.ids().request.as_ref().map(|id| id.as_str().to_owned());
            Some(Doing { worker, request: task.summary(), id, since })
        });
        doing.collect()
    }
}
