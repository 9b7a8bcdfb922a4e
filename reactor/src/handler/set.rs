//! [`Handlers`]: the handlers of one reactor thread.

use std::fmt;

use wire::PoolId;

use super::admin::Admin;
use super::files::Files;
use super::fixed::Fixed;
use super::workers::WorkerPool;
use super::{Handler, HandlerId};
use crate::config::Config;
use crate::read_buffer::ReadBuffer;
use crate::shared::SharedState;
use crate::turn::Turn;

/// All of them, by their ids.
pub struct Handlers {
    /// One for each pool of workers, in the order of their table.
    pub pools: Vec<WorkerPool>,
    fixed: Vec<Fixed>,
    files: Vec<Files>,
    /// Where there is an admin listener, in the first thread.
    pub admin: Option<Admin>,
}

impl Handlers {
    /// Those of the configuration.
    pub fn new(shared: SharedState, thread: u16) -> Self {
        let fixed = (0..).map(HandlerId::Fixed).zip(&shared.config.fixed);
        let fixed = fixed.map(|(id, fixed)| Fixed::new(id, fixed)).collect();
        let pools = shared.config.pools.iter();
        let pools = pools.map(|(id, pool)| WorkerPool::new(shared.clone(), thread, id, pool));
        let files = (0..).map(HandlerId::Files).zip(&shared.config.files);
        let files = files.map(|(id, files)| Files::new(id, files, shared.clone()));
        let admin = Admin::new(&shared, thread);
        Self { fixed, files: files.collect(), pools: pools.collect(), admin }
    }

    /// The handler of this id.
    pub fn get(&mut self, id: HandlerId) -> Option<&mut dyn Handler> {
        match id {
            HandlerId::Pool(id) => self.pool(id).map(|pool| pool as &mut dyn Handler),
            HandlerId::Fixed(index) => {
                self.fixed.get_mut(usize::from(index)).map(|fixed| fixed as &mut dyn Handler)
            }
            HandlerId::Files(index) => {
                self.files.get_mut(usize::from(index)).map(|files| files as &mut dyn Handler)
            }
            HandlerId::Admin => self.admin.as_mut().map(|admin| admin as &mut dyn Handler),
        }
    }

    /// A pool of workers.
    pub fn pool(&mut self, PoolId(pool): PoolId) -> Option<&mut WorkerPool> {
        self.pools.get_mut(usize::from(pool))
    }

    /// Exchanges in flight, but for those of administrators: the server does not wait for them.
    pub fn open_exchanges(&self) -> usize {
        let pools = self.pools.iter().map(Handler::open_exchanges);
        let fixed = self.fixed.iter().map(Handler::open_exchanges);
        pools.chain(fixed).chain(self.files.iter().map(Handler::open_exchanges)).sum()
    }

    /// Whether links have more than they may have in one turn.
    pub fn are_unread(&self) -> bool {
        self.pools.iter().any(WorkerPool::is_unread)
    }

    /// Reads the links on that had more than they may have in one turn.
    pub fn read_on(&mut self, buffer: &mut ReadBuffer, turn: &mut Turn) {
        self.pools.iter_mut().for_each(|pool| pool.read_on(buffer, turn));
    }

    /// Writes to all links that have something to write.
    pub fn flush(&mut self) {
        self.pools.iter_mut().for_each(WorkerPool::flush);
    }
}

/// The first handler that a route names and the configuration does not have.
pub fn unknown(config: &Config) -> Option<HandlerId> {
    let routes = config.ports.iter().map(|port| &port.routes);
    let named =
        routes.flat_map(|routes| routes.paths.iter().map(|route| route.handler).chain(routes.rest));
    named.into_iter().find(|id| match id {
        HandlerId::Pool(pool) => config.pools.get(*pool).is_none(),
        HandlerId::Fixed(index) => usize::from(*index) >= config.fixed.len(),
        HandlerId::Files(index) => usize::from(*index) >= config.files.len(),
        HandlerId::Admin => config.admin.is_none(),
    })
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers").field("pools", &self.pools).finish_non_exhaustive()
    }
}
