//! The links of this worker by reactor thread, for callbacks that name a connection.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wire::{ConnectionId, PoolId};

use super::claims::SharedLink;
use super::link::Link;
use crate::membership::is_forked_copy;

thread_local! {
    /// One for each thread of the reactor, in their order.
    static LINKS: RefCell<Vec<Weak<RefCell<Link>>>> = const { RefCell::new(Vec::new()) };
    /// The pool that this worker is of.
    static POOL: Cell<PoolId> = const { Cell::new(PoolId(0)) };
}

/// These are the links from now on, of a worker of this pool.
pub(crate) fn set<'a>(pool: PoolId, links: impl Iterator<Item = &'a SharedLink>) {
    POOL.set(pool);
    LINKS.with_borrow_mut(|all| *all = links.map(Rc::downgrade).collect());
}

/// Whether this process has links.
pub(crate) fn exist() -> bool {
    LINKS.with_borrow(|all| all.iter().any(|link| link.strong_count() > 0))
}

/// The link of a reactor thread.
pub(crate) fn of_thread(thread: usize) -> Option<SharedLink> {
    LINKS.with_borrow(|all| all.get(thread).and_then(Weak::upgrade))
}

/// All of them.
pub(crate) fn all() -> Vec<SharedLink> {
    LINKS.with_borrow(|all| all.iter().filter_map(Weak::upgrade).collect())
}

/// This worker's pool, and the reactor thread of a link.
pub(crate) fn place_of(link: &SharedLink) -> (PoolId, u16) {
    let thread =
        LINKS.with_borrow(|all| all.iter().position(|other| other.as_ptr() == Rc::as_ptr(link)));
    (POOL.get(), thread.map_or(u16::MAX, |thread| thread as u16))
}

/// In a worker: has the reactor thread that owns a connection end it, whoever answers its requests. What
/// has been answered is still sent, the rest breaks off. Says whether the thread was told; it does not
/// answer, so nobody knows whether the connection was still there. `false` in any other process.
pub fn close_connection(connection: ConnectionId) -> bool {
    if is_forked_copy() {
        return false;
    }
    let link =
        LINKS.with_borrow(|all| all.get(connection.thread(all.len())).and_then(Weak::upgrade));
    link.is_some_and(|link| link.try_borrow_mut().is_ok_and(|mut link| link.close(connection)))
}
