//! The links of this worker by reactor thread, for callbacks that name a connection.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use wire::ConnectionId;

use super::link::Link;
use crate::membership::is_forked_copy;

thread_local! {
    /// One for each thread of the reactor, in their order.
    static LINKS: RefCell<Vec<Weak<RefCell<Link>>>> = const { RefCell::new(Vec::new()) };
}

/// These are the links from now on.
pub(crate) fn set<'a>(links: impl Iterator<Item = &'a Rc<RefCell<Link>>>) {
    LINKS.with_borrow_mut(|all| *all = links.map(Rc::downgrade).collect());
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
