//! Ports: `Ferrite\Server\Port`, and what a request needs to know of the port it came in by.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;

use ext_php_rs::args::Arg;
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::Zval;
use socket2::Socket;

use crate::call::Callback;
use crate::callbacks::{Callbacks, callable};
use crate::declare::{self, Property, Types};
use crate::error::Failure;
use crate::settings;
use crate::zend::method::{Call, Returned, methods};
use crate::zend::object::{self, Backed, Class, Object};
use crate::zend::value;
use config::bind::{Bound, SocketType};
use config::events::Event;
use config::options::kind::Assignment;
use config::options::table::Scope;
use config::uploads::UploadFolder;

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
    /// Where uploaded files are put; a worker makes it its own.
    pub uploads: UploadFolder,
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
    /// The path of a Unix socket.
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

static CLASS: Class = Class::new();

static PROPERTIES: [Property; 5] = [
    Property::new("host", Types::STRING),
    Property::new("port", Types::INT),
    Property::new("type", Types::INT),
    Property::new("ssl", Types::BOOL),
    Property::new("setting", Types::ARRAY),
];
const SETTING: usize = 4;

impl Backed for Port {
    fn class() -> &'static Class {
        &CLASS
    }

    fn bare() -> Self {
        Self(None)
    }
}

methods! {
    php_set => set;
    php_on => on;
    php_get_callback => get_callback;
}

/// Registers `Ferrite\Server\Port`. To be called once, at module startup.
pub fn register() -> ext_php_rs::error::Result<()> {
    let set = FunctionBuilder::new("set", php_set)
        .arg(Arg::new("settings", DataType::Array))
        .returns(DataType::Bool, false, false);
    let on = FunctionBuilder::new("on", php_on)
        .arg(Arg::new("event_name", DataType::String))
        .arg(Arg::new("callback", DataType::Callable))
        .returns(DataType::Bool, false, false);
    let get_callback = FunctionBuilder::new("getCallback", php_get_callback)
        .arg(Arg::new("event_name", DataType::String))
        .returns(DataType::Mixed, false, false);
    ClassBuilder::new("Ferrite\\Server\\Port")
        .method(set, MethodFlags::Public)
        .method(on, MethodFlags::Public)
        .method(get_callback, MethodFlags::Public)
        .registration(|entry, tables| {
            declare::properties(entry, &PROPERTIES);
            declare::returns(entry, "getcallback", CALLABLE_OR_NULL);
            object::registered::<Port>(entry, tables, |_| {});
        })
        .register()
}

/// The types that a callback can be given as, or null.
pub const CALLABLE_OR_NULL: Types =
    Types::OBJECT.or(Types::STRING).or(Types::ARRAY).or(Types::NULL);

/// A new PHP object for a port.
pub fn new_object(state: Rc<PortState>) -> Zval {
    let values = [
        value::bytes(state.host.as_bytes()),
        value::long(i64::from(state.number)),
        value::long(state.kind.value()),
        settings::boolean(state.tls),
        declare::empty_array(),
    ];
    let object = Object::create(Port(Some(state)));
    // SAFETY: the object is new, and its class declares these properties first. The value takes over
    // the reference that `create` has given us.
    unsafe {
        for (index, value) in values.into_iter().enumerate() {
            Object::slot(object, index).write(value);
        }
        let value = value::object(&raw mut (*object).std);
        (*object).std.gc.refcount -= 1;
        value
    }
}

/// Takes settings, on the PHP object of a port, that its server has taken for it.
pub fn show_settings(port: &Zval, given: &Zval) {
    if let Some(object) = port.object() {
        // SAFETY: ports that a server holds are objects of this class.
        let this = unsafe { Object::<Port>::of(std::ptr::from_ref(object).cast_mut()) };
        // SAFETY: the object is live, and declares the property.
        unsafe { settings::merge_slot(Object::slot(this, SETTING), given) };
    }
}

fn set(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let given = settings::array_argument(call)?;
    let this = call.this::<Port>();
    let state = state(this)?;
    if state.frozen.get() {
        return Err(settings::too_late("set"));
    }
    let new = settings::check(&given, Scope::Port)?;
    state.assignments.borrow_mut().extend(new);
    // SAFETY: the object is live, and declares the property.
    unsafe { settings::merge_slot(Object::slot(this, SETTING), &given) };
    Ok(Returned::Bool(true))
}

fn on(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let (name, callback) = callable::arguments(call)?;
    let state = state(call.this::<Port>())?;
    let event =
        Event::find_of_port(&name).map_err(|error| Failure::Value(1, callable::blame(&error)))?;
    if state.frozen.get() {
        return Err(settings::too_late("on"));
    }
    state.callbacks.set(event, callback);
    Ok(Returned::Bool(true))
}

fn get_callback(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let name = callable::name_argument(call)?;
    let state = state(call.this::<Port>())?;
    let event =
        Event::find_of_port(&name).map_err(|error| Failure::Value(1, callable::blame(&error)))?;
    Ok(Returned::Value(state.callbacks.shown(event)))
}

fn state(this: *mut Object<Port>) -> Result<Rc<PortState>, Failure> {
    // SAFETY: the engine has passed a live object of this class.
    let state = unsafe { &(*this).state.0 };
    let missing = || Failure::State("This port belongs to no server".to_owned());
    state.clone().ok_or_else(missing)
}
