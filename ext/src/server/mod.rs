//! `Ferrite\Http\Server`: the class, and its methods.

mod control;
pub mod start;
pub mod state;

use std::ffi::{c_char, c_long};
use std::rc::Rc;

use ext_php_rs::args::Arg;
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::ffi::{std_object_handlers, zend_object};
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::Zval;
use wire::limits::PORTS_MAX;

use crate::callbacks::callable;
use crate::declare::{self, Property, Types};
use crate::error::Failure;
use crate::port::{self, CALLABLE_OR_NULL};
use crate::settings;
use crate::zend::method::{Call, Returned, methods};
use crate::zend::object::{self, Backed, Class, Object};
use crate::zend::value::{self, Array};
use crate::zend::{SUCCESS, zend_parse_parameters};
use config::bind::{self, BindError, SocketType};
use config::events::Event;
use config::options::table::Scope;

use state::ServerState;

/// The Rust half of a `Ferrite\Http\Server`; `None` until its constructor has run.
pub struct Server(Option<Rc<ServerState>>);

static CLASS: Class = Class::new();

/// The properties, in the order of [`Slot`].
static PROPERTIES: [Property; 12] = [
    Property::new("setting", Types::ARRAY),
    Property::new("host", Types::STRING),
    Property::new("port", Types::INT),
    Property::new("type", Types::INT),
    Property::new("ssl", Types::BOOL),
    Property::new("mode", Types::INT),
    Property::new("ports", Types::ARRAY),
    Property::new("master_pid", Types::INT),
    Property::new("manager_pid", Types::INT),
    Property::new("worker_id", Types::INT),
    Property::new("worker_pid", Types::INT),
    Property::new("taskworker", Types::BOOL),
];

/// The place of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Slot {
    Setting,
    Host,
    Port,
    Type,
    Ssl,
    Mode,
    Ports,
    MasterPid,
    ManagerPid,
    WorkerId,
    WorkerPid,
    TaskWorker,
}

/// The values of `BASE` and `PROCESS`. There is one process model; both mean it.
pub const MODES: [i64; 2] = [1, 2];

impl Backed for Server {
    fn class() -> &'static Class {
        &CLASS
    }

    fn bare() -> Self {
        Self(None)
    }
}

methods! {
    php_construct => construct;
    php_listen => listen;
    php_set => set;
    php_on => on;
    php_get_callback => get_callback;
    php_start => start::start;
    php_shutdown => control::shutdown;
    php_reload => control::reload;
    php_reload_tls => control::reload_tls;
    php_stop => control::stop;
    php_stats => control::stats;
    php_get_worker_id => control::get_worker_id;
    php_get_worker_pid => control::get_worker_pid;
    php_get_master_pid => control::get_master_pid;
    php_get_manager_pid => control::get_master_pid;
}

/// Registers `Ferrite\Http\Server`. To be called once, at module startup.
pub fn register() -> ext_php_rs::error::Result<()> {
    let mut class = ClassBuilder::new("Ferrite\\Http\\Server");
    for method in methods() {
        class = class.method(method, MethodFlags::Public);
    }
    class
        .registration(|entry, tables| {
            declare::properties(entry, &PROPERTIES);
            declare::returns(entry, "getcallback", CALLABLE_OR_NULL);
            for name in ["getworkerid", "getworkerpid"] {
                declare::returns(entry, name, Types::INT.or(Types::FALSE));
            }
            object::registered::<Server>(entry, tables, |handlers| {
                // SAFETY: the standard handlers are constant data of the engine.
                handlers.get_constructor = unsafe { std_object_handlers }.get_constructor;
            });
        })
        .register()
}

fn methods() -> Vec<FunctionBuilder<'static>> {
    let text = |name| Arg::new(name, DataType::String);
    let int = |name| Arg::new(name, DataType::Long);
    let yes_or_no = |method: FunctionBuilder<'static>| method.returns(DataType::Bool, false, false);
    let listens = |name, handler| {
        FunctionBuilder::new(name, handler)
            .arg(text("host"))
            .arg(int("port"))
            .arg(int("sock_type"))
            .returns(DataType::object("Ferrite\\Server\\Port"), false, false)
    };
    let says_pid =
        |name, handler| FunctionBuilder::new(name, handler).returns(DataType::Long, false, false);
    vec![
        FunctionBuilder::constructor(php_construct)
            .not_required()
            .arg(text("host").default("'0.0.0.0'"))
            .arg(int("port").default("0"))
            .arg(int("mode").default("2"))
            .arg(int("sock_type").default("1")),
        listens("listen", php_listen),
        listens("addListener", php_listen),
        yes_or_no(FunctionBuilder::new("set", php_set).arg(Arg::new("settings", DataType::Array))),
        yes_or_no(
            FunctionBuilder::new("on", php_on)
                .arg(text("event_name"))
                .arg(Arg::new("callback", DataType::Callable)),
        ),
        FunctionBuilder::new("getCallback", php_get_callback).arg(text("event_name")).returns(
            DataType::Mixed,
            false,
            false,
        ),
        yes_or_no(FunctionBuilder::new("start", php_start)),
        yes_or_no(FunctionBuilder::new("shutdown", php_shutdown)),
        yes_or_no(
            FunctionBuilder::new("reload", php_reload)
                .not_required()
                .arg(Arg::new("only_reload_taskworker", DataType::Bool).default("false")),
        ),
        yes_or_no(FunctionBuilder::new("reloadTls", php_reload_tls)),
        yes_or_no(
            FunctionBuilder::new("stop", php_stop)
                .not_required()
                .arg(int("workerId").default("-1")),
        ),
        FunctionBuilder::new("stats", php_stats).returns(DataType::Array, false, false),
        says_pid("getWorkerId", php_get_worker_id),
        says_pid("getWorkerPid", php_get_worker_pid).not_required().arg(int("id").default("-1")),
        says_pid("getMasterPid", php_get_master_pid),
        says_pid("getManagerPid", php_get_manager_pid),
    ]
}

fn construct(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let mut host: *const c_char = c"0.0.0.0".as_ptr();
    let (mut host_len, mut port, mut mode, mut kind): (usize, c_long, c_long, c_long) =
        (7, 0, 2, SocketType::TCP);
    // SAFETY: `s` fills a pointer and a length, each `l` an integer.
    let parsed = unsafe {
        zend_parse_parameters(
            call.count(),
            c"|slll".as_ptr(),
            &raw mut host,
            &raw mut host_len,
            &raw mut port,
            &raw mut mode,
            &raw mut kind,
        )
    };
    if parsed != SUCCESS {
        return Err(Failure::Pending);
    }
    if !MODES.contains(&mode) {
        return Err(Failure::Value(3, "must be Ferrite\\PROCESS or Ferrite\\BASE".to_owned()));
    }
    let this = call.this::<Server>();
    // SAFETY: the engine has passed a live object of this class.
    if unsafe { (*this).state.0.is_some() } {
        return Err(Failure::State("The constructor was called before".to_owned()));
    }
    let state = Rc::new(ServerState::default());
    let object = add_port(&state, callable::text(host, host_len), port, kind)?;
    let first = state.port(0).ok_or(Failure::Pending)?;
    let values = [
        declare::empty_array(),
        value::bytes(first.host.as_bytes()),
        value::long(i64::from(first.number)),
        value::long(first.kind.value()),
        settings::boolean(first.tls),
        value::long(mode),
        ports_array(&state),
        value::long(0),
        value::long(0),
        value::long(-1),
        value::long(0),
        settings::boolean(false),
    ];
    drop(object);
    // SAFETY: as above; the class declares these properties first, and UNDEF slots own nothing.
    unsafe {
        for (index, value) in values.into_iter().enumerate() {
            Object::slot(this, index).write(value);
        }
        (*this).state.0 = Some(state);
    }
    Ok(Returned::Value(value::null()))
}

fn listen(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let mut host: *const c_char = std::ptr::null();
    let (mut host_len, mut port, mut kind): (usize, c_long, c_long) = (0, 0, 0);
    // SAFETY: `s` fills a pointer and a length, each `l` an integer.
    let parsed = unsafe {
        zend_parse_parameters(
            call.count(),
            c"sll".as_ptr(),
            &raw mut host,
            &raw mut host_len,
            &raw mut port,
            &raw mut kind,
        )
    };
    if parsed != SUCCESS {
        return Err(Failure::Pending);
    }
    let this = call.this::<Server>();
    let state = state_of(this)?;
    if state.frozen.get() {
        return Err(settings::too_late("listen"));
    }
    if state.ports.borrow().len() == PORTS_MAX {
        return Err(Failure::State(format!("A server has at most {PORTS_MAX} ports")));
    }
    let object = add_port(&state, callable::text(host, host_len), port, kind)?;
    // SAFETY: the engine has passed a live object of this class.
    unsafe { write_slot(this, Slot::Ports, ports_array(&state)) };
    Ok(Returned::Value(object))
}

/// Binds a port, and returns its PHP object.
fn add_port(state: &ServerState, host: String, number: i64, kind: i64) -> Result<Zval, Failure> {
    let failure = |error: BindError| Failure::State(error.to_string());
    let (kind, tls) = SocketType::from_value(kind).map_err(failure)?;
    let bound = bind::bind(&host, number, kind).map_err(failure)?;
    Ok(state.add_port(host, kind, tls, bound))
}

fn ports_array(state: &ServerState) -> Zval {
    let ports = state.ports.borrow();
    let mut array = Array::with_capacity(ports.len());
    for port in ports.iter() {
        array.push(port.object.shallow_clone());
    }
    array.into_value()
}

fn set(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let given = settings::array_argument(call)?;
    let this = call.this::<Server>();
    let state = state_of(this)?;
    if state.frozen.get() {
        return Err(settings::too_late("set"));
    }
    let new = settings::check(&given, Scope::Server)?;
    state.assignments.borrow_mut().extend(new);
    // SAFETY: the object is live, and declares the property.
    unsafe { settings::merge_slot(Object::slot(this, Slot::Setting as usize), &given) };
    if let Some(first) = state.ports.borrow().first() {
        port::show_settings(&first.object, &given);
    }
    Ok(Returned::Bool(true))
}

fn on(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let (name, callback) = callable::arguments(call)?;
    let state = state_of(call.this::<Server>())?;
    let event = Event::find(&name).map_err(|error| Failure::Value(1, callable::blame(&error)))?;
    if state.frozen.get() {
        return Err(settings::too_late("on"));
    }
    state.callbacks.set(event, callback);
    Ok(Returned::Bool(true))
}

fn get_callback(call: &mut Call<'_>) -> Result<Returned, Failure> {
    let name = callable::name_argument(call)?;
    let state = state_of(call.this::<Server>())?;
    let event = Event::find(&name).map_err(|error| Failure::Value(1, callable::blame(&error)))?;
    Ok(Returned::Value(state.callbacks.shown(event)))
}

/// The state of an object whose constructor has run.
pub(crate) fn state_of(this: *mut Object<Server>) -> Result<Rc<ServerState>, Failure> {
    // SAFETY: the engine has passed a live object of this class.
    let state = unsafe { &(*this).state.0 };
    let missing = || Failure::State("The constructor of the server was not called".to_owned());
    state.clone().ok_or_else(missing)
}

/// Writes a property.
///
/// # Safety
///
/// `this` is live.
pub(crate) unsafe fn write_slot(this: *mut Object<Server>, slot: Slot, value: Zval) {
    // SAFETY: the caller's promise; the old value is taken out before it is released.
    drop(unsafe { std::ptr::replace(Object::slot(this, slot as usize), value) });
}

/// The object behind a value that is known to be a server.
pub(crate) fn object_of(server: &Zval) -> Option<*mut Object<Server>> {
    let object: *const zend_object = server.object()?;
    // SAFETY: the caller knows that it is an object of this class.
    Some(unsafe { Object::of(object.cast_mut()) })
}
