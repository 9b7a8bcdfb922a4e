//! The links of an event loop: which pool of workers one belongs to, and what the pools are told.

use mio::Interest;
use mio::event::Event as Readiness;
use wire::PoolId;
use wire::head::Origin;

use super::EventLoop;
use crate::handler::workers::Task;
use crate::handler::workers::link::{LinkError, WorkerLink};
use crate::handler::workers::scheduler::WorkerSlot;
use crate::mailbox::PoolMail;
use crate::token::{Source, token};

impl EventLoop {
    pub(super) fn link_ready(&mut self, id: PoolId, slot: WorkerSlot, readiness: &Readiness) {
        let Some(pool) = self.handlers.pool(id) else { return };
        if readiness.is_writable() {
            pool.link_writable(slot);
        }
        let to_the_end = readiness.is_read_closed();
        pool.link_readable(slot, to_the_end, &mut self.buffer, &mut self.turn);
    }

    pub(super) fn read_pool_mail(&mut self, id: PoolId, mail: PoolMail) {
        let thread = usize::from(self.thread);
        let (buffer, turn) = (&mut self.buffer, &mut self.turn);
        let Some(pool) = self.handlers.pool(id) else { return };
        match mail {
            PoolMail::Link { slot, worker, incarnation, socket } => {
                let link = WorkerLink::new(socket, self.common.shared, worker, incarnation, thread);
                self.add_link(id, slot, link);
            }
            PoolMail::Assign(assignment) => pool.assigned(assignment, turn),
            PoolMail::Move(step) => pool.take_over(step, turn),
            PoolMail::TooOld(id) => pool.too_old(id, turn),
            PoolMail::CloseLink { slot, incarnation } => {
                pool.close_link(slot, incarnation, buffer, turn);
            }
        }
    }

    fn add_link(&mut self, id: PoolId, slot: WorkerSlot, link: WorkerLink) {
        let incarnation = link.incarnation;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self.register(link.raw(), token(Source::Link(id, slot)), interest);
        let (buffer, turn) = (&mut self.buffer, &mut self.turn);
        let Some(pool) = self.handlers.pool(id) else { return };
        if pool.has_link(slot) {
            // The place is needed: the supervisor knows that whoever had it is dead.
            pool.link_lost(slot, LinkError::Closed, turn);
        }
        if !pool.add_link(slot, link, turn) {
            pool.close_link(slot, incarnation, buffer, turn);
        }
        if let Err(error) = registered {
            log::error!("cannot poll the link to a worker: {error}");
            pool.link_lost(slot, LinkError::Closed, turn);
        }
    }

    /// A connection was opened or closed, and a worker of the port's pool is to be told.
    pub(super) fn tell(&mut self, task: fn(Origin) -> Task, origin: Origin) {
        let port = &self.common.config.ports[usize::from(origin.port)];
        if let Some(pool) = self.handlers.pool(port.routes.pool_of_connections()) {
            pool.tell(task(origin), &mut self.turn);
        }
    }
}
