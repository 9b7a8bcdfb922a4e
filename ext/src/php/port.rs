//! `Ferrite\Server\Port`, and the facts of a port that requests depend on.

pub mod methods;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use config::bind::{Bound, SocketType};
use config::events::Event;
use config::options::config::CompressionOptions;
use config::options::option_type::Assignment;
use config::uploads::UploadFolder;
use ext_php_rs::types::Zval;
use socket2::Socket;

use crate::callbacks::Callbacks;
use crate::engine::call::Callback;
use crate::engine::zend::object::{Class, NativeObject, Object};
use crate::engine::zend::value;
use crate::php::error::Failure;
use crate::settings;
use crate::signatures::port::{SIGNATURE, slot};

/// The facts of a port that building requests and responses depends on. One per port, in the order
/// of `listen()`; index [`Origin::port`](wire::head::Origin).
#[derive(Debug, Clone)]
pub struct PortContext {
    /// The TCP port; 0 on a Unix socket.
    pub number: u16,
    /// Whether `Request::$cookie` is filled.
    pub parse_cookie: bool,
    /// Whether `Request::$post` is filled from a form.
    pub parse_post: bool,
    /// Whether `Request::$files` is filled from a multipart form.
    pub parse_files: bool,
    /// How content of requests is decoded, where it is.
    pub decompression: Option<Decompression>,
    /// How content of responses is compressed, where it is.
    pub compression: Option<Arc<CompressionOptions>>,
    /// Where uploaded files are put; a worker makes it its own.
    pub uploads: UploadFolder,
}

/// How far content of requests is decoded, and where it is kept.
#[derive(Debug, Clone)]
pub struct Decompression {
    /// Its bytes.
    pub bytes_max: u64,
    /// Those that stay in memory.
    pub memory_bytes_max: usize,
    /// The folder for more.
    pub folder: PathBuf,
}

/// What a port is: shared by its PHP object and its server.
pub struct PortState {
    /// The host or path, as given.
    pub host: String,
    /// The kind of its socket.
    pub kind: SocketType,
    /// Whether clients speak TLS.
    pub tls: bool,
    /// Whether HTTP/3 is spoken on the UDP port of the same number; known when the server starts.
    pub http3: Cell<bool>,
    /// The port number; 0 on a Unix socket.
    pub number: u16,
    /// The path of a Unix socket that the server has made, and removes.
    pub path: Option<PathBuf>,
    /// Its socket, until the server starts.
    pub socket: Cell<Option<Socket>>,
    /// What was set on it.
    pub assignments: RefCell<Vec<Assignment>>,
    /// What it has callbacks for.
    pub callbacks: Callbacks,
    /// Whether the server has started: nothing may be set any more.
    pub frozen: Rc<Cell<bool>>,
    /// The process that has bound it.
    owner: u32,
}

impl PortState {
    /// Where it is, as error messages name it.
    pub fn place(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None if self.kind == SocketType::Unix => self.host.clone(),
            None => format!("{}:{}", self.host, self.number),
        }
    }

    /// A port that has just been bound.
    pub fn new(
        host: String,
        kind: SocketType,
        tls: bool,
        bound: Bound,
        frozen: Rc<Cell<bool>>,
    ) -> Self {
        Self {
            host,
            kind,
            tls,
            http3: Cell::new(false),
            number: bound.port,
            path: bound.path,
            socket: Cell::new(Some(bound.socket)),
            assignments: RefCell::default(),
            callbacks: Callbacks::default(),
            frozen,
            owner: std::process::id(),
        }
    }

    /// Its callback for an event.
    pub fn callback(&self, event: Event) -> Option<Rc<Callback>> {
        self.callbacks.get(event)
    }
}

impl Drop for PortState {
    /// A server that never started leaves no socket file behind.
    fn drop(&mut self) {
        if let (Some(_), Some(path)) = (self.socket.take(), &self.path)
            && self.owner == std::process::id()
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The Rust half of a `Ferrite\Server\Port`; `None` when something else than a server has made it.
pub struct Port(Option<Rc<PortState>>);

static CLASS: Class = Class::new(&SIGNATURE);

impl NativeObject for Port {
    fn class() -> &'static Class {
        &CLASS
    }

    fn detached() -> Self {
        Self(None)
    }
}

/// A new PHP object for a port.
pub fn new_object(state: Rc<PortState>) -> Zval {
    let values = [
        (slot::HOST, value::bytes(state.host.as_bytes())),
        (slot::PORT, value::long(i64::from(state.number))),
        (slot::TYPE, value::long(state.kind.value())),
        (slot::SSL, value::boolean(state.tls)),
        (slot::SETTING, value::empty_array()),
    ];
    let object = Object::create(Port(Some(state)));
    // SAFETY: the object is new, and its class declares these properties.
    unsafe {
        for (slot, value) in values {
            Object::slot(object, slot).write(value);
        }
        Object::into_value(object)
    }
}

/// Takes settings, on the PHP object of a port, that its server has taken for it.
pub fn show_settings(port: &Zval, given: &Zval) {
    if let Some(object) = port.object() {
        // SAFETY: ports that a server holds are objects of this class.
        let this = unsafe { Object::<Port>::of(std::ptr::from_ref(object).cast_mut()) };
        // SAFETY: the object is live, and declares the property.
        unsafe { settings::merge_slot(Object::slot(this, slot::SETTING), given) };
    }
}

/// The settings that the PHP object of a port shows.
pub fn shown_settings(port: &Zval) -> Vec<(String, config::options::value::Value)> {
    let Some(object) = port.object() else { return Vec::new() };
    // SAFETY: ports that a server holds are objects of this class.
    let this = unsafe { Object::<Port>::of(std::ptr::from_ref(object).cast_mut()) };
    // SAFETY: the object is live, and declares the property.
    unsafe { settings::of_slot(Object::slot(this, slot::SETTING)) }
}

fn state(this: *mut Object<Port>) -> Result<Rc<PortState>, Failure> {
    // SAFETY: the engine has passed a live object of this class.
    let state = unsafe { &(*this).state.0 };
    let missing = || Failure::State("This port belongs to no server".to_owned());
    state.clone().ok_or_else(missing)
}
