//! [`ServerInner`]: the state of a server, which its methods and its processes share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::Ordering;

use config::bind::{Bound, SocketType};
use config::events::Event;
use config::options::option_type::Assignment;
use ext_php_rs::types::Zval;
use wire::shm::Shared;

use crate::callbacks::Callbacks;
use crate::engine::call::Callback;
use crate::php::port::{self, PortState};

/// What this process is to the server.
///
/// ```text
///  Before ──start()──▶ Supervisor ──stopped──▶ After
///                          └──fork──▶ Worker
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerStage {
    /// The script, before `start()`.
    #[default]
    Before,
    /// The supervisor of the running server.
    Supervisor,
    /// The worker with this id.
    Worker(u16),
    /// The script, after the server has stopped.
    After,
}

/// The state of a server; with interior mutability, because callbacks reach it while its methods run.
#[derive(Default)]
pub struct ServerInner {
    /// Its ports, the constructor's first.
    pub ports: RefCell<Vec<HeldPort>>,
    /// What was set on it.
    pub assignments: RefCell<Vec<Assignment>>,
    /// What it has callbacks for.
    pub callbacks: Callbacks,
    /// Whether it is too late to set anything; shared with its ports.
    pub frozen: Rc<Cell<bool>>,
    /// What this process is.
    pub stage: Cell<ServerStage>,
    /// The supervisor's process id; 0 before `start()`.
    pub supervisor: Cell<i32>,
    /// Marks and counters, once they are mapped.
    pub shared: Cell<Option<Shared>>,
}

/// A port and its PHP object.
pub struct HeldPort {
    /// The port.
    pub state: Rc<PortState>,
    /// Its `Ferrite\Server\Port`.
    pub object: Zval,
}

impl ServerInner {
    /// Adds a port, and returns its PHP object.
    pub fn add_port(&self, host: String, kind: SocketType, tls: bool, bound: Bound) -> Zval {
        let state = Rc::new(PortState::new(host, kind, tls, bound, Rc::clone(&self.frozen)));
        let object = port::new_object(Rc::clone(&state));
        let shown = object.shallow_clone();
        self.ports.borrow_mut().push(HeldPort { state, object });
        shown
    }

    /// The port with this index.
    pub fn port(&self, index: usize) -> Option<Rc<PortState>> {
        self.ports.borrow().get(index).map(|port| Rc::clone(&port.state))
    }

    /// Every port.
    pub fn all_ports(&self) -> Vec<Rc<PortState>> {
        self.ports.borrow().iter().map(|port| Rc::clone(&port.state)).collect()
    }

    /// The callback for an event on a port: the port's own, or the server's.
    pub fn callback_of(&self, port: &PortState, event: Event) -> Option<Rc<Callback>> {
        port.callbacks.get(event).or_else(|| self.callbacks.get(event))
    }

    /// The id of this worker, if this process is one.
    pub fn worker(&self) -> Option<u16> {
        match self.stage.get() {
            ServerStage::Worker(worker) if !worker::is_forked_copy() => Some(worker),
            _ => None,
        }
    }

    /// The process id of a worker, if it has one just now.
    pub fn pid_of(&self, worker: usize) -> Option<i32> {
        let shared = self.shared.get().filter(|shared| worker < shared.workers())?;
        let pid = shared.pid(worker).load(Ordering::Relaxed);
        i32::try_from(pid).ok().filter(|pid| *pid > 0)
    }
}
