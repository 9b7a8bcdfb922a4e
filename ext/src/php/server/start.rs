//! `start()`: checks the configuration, runs the processes, returns when the server has stopped.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use config::admin::AdminSocket;
use config::bind;
use config::events::Event;
use config::logger::{self, LogSource};
use config::options::config::{DecompressionOptions, PortOptions, ServerOptions};
use config::options::resolve;
use config::process::{self, Identity, PidFile, ProcessError};
use config::stats_file::StatsFile;
use config::uploads::UploadFolder;
use ext_php_rs::types::Zval;
use reactor::config::{AdminConfig, PortConfig};
use reactor::tls::Tls;
use worker::{Membership, Plan, SuperviseOutcome, supervise};

use super::state::{ServerInner, ServerStage};
use super::{Server, admin, files, port_set, state_of, write_slot};
use crate::application::{PortHandler, ServerApplication, ServerPlan};
use crate::engine::zend::method::{Call, Returned};
use crate::engine::zend::object::Object;
use crate::engine::zend::value::{self, Array};
use crate::engine::zend::zend_unset_timeout;
use crate::engine::{client, interpreter};
use crate::php::error::Failure;
use crate::php::port::{Decompression, PortContext, PortState};
use crate::php::web;
use crate::settings;
use crate::signatures::server::slot;
use crate::web::classic::ClassicPlan;
use crate::web::opcache;
use crate::web::pull::PullPlan;

/// Everything that can go wrong has gone right: what is left is to fork.
struct Ready {
    server: ServerOptions,
    ports: Vec<PortOptions>,
    /// TLS by port.
    tls: Vec<Option<Arc<Tls>>>,
    /// UDP sockets by port, one per reactor thread.
    datagrams: Vec<Vec<OwnedFd>>,
    /// The number of the UDP port by port, where HTTP/3 is spoken.
    http3: Vec<Option<u16>>,
    handlers: Vec<PortHandler>,
    identity: Identity,
    /// The CPUs that threads and workers stay on; none: wherever the kernel has them.
    cpus: Vec<usize>,
    /// The socket of the admin listener, and what the reactor has to know of it.
    admin: Option<AdminSocket>,
    admin_config: Option<AdminConfig>,
    classic: Option<ClassicPlan>,
    pull: Option<PullPlan>,
}

/// `Server::start()`
pub fn start(call: &Call<'_>) -> Result<Returned, Failure> {
    let this = call.this::<Server>();
    let state = state_of(this)?;
    check_stage(&state)?;
    let mut ready = prepare(&state)?;
    let pid_file = become_supervisor(&mut ready.server)?;

    state.frozen.set(true);
    state.stage.set(ServerStage::Supervisor);
    state.supervisor.set(std::process::id() as i32);
    // SAFETY: the engine has passed a live object of this class, which this value keeps alive.
    let server = unsafe { Object::to_value(this) };
    show(this, &state, &ready);
    ready.admin_config = admin::config(this, &state, &ready.server);

    let plan = Plan {
        pools: ready.server.pools(),
        reactor_threads: ready.server.reactor_threads(),
        listeners: listeners(&state, &mut ready),
        datagrams: std::mem::take(&mut ready.datagrams),
        settings: ready.server.processes.clone(),
        windows: ready.ports.iter().map(|port| port.reactor.window_bytes).collect(),
        title: interpreter::script_name(),
        report_interval: ready.server.stats_file.as_ref().map(|_| ready.server.stats_interval),
    };
    let run = run(ready, pid_file);
    let mut application = ServerApplication::new(server, Rc::clone(&state), run);
    // SAFETY: stops the engine's timer: `max_execution_time` counts for requests, not for the server.
    unsafe { zend_unset_timeout() };
    let outcome = supervise(plan, &mut application);
    if let Some(code) = application.exit_code(&outcome) {
        process::end_with(code);
    }
    let in_supervisor = matches!(outcome, Ok(SuperviseOutcome::Stopped) | Err(_));
    if in_supervisor && !application.clean_up() {
        // Its last words were logged when the callback failed.
        process::end_now();
    }
    if outcome == Ok(SuperviseOutcome::ForkedCopy) && !application.is_sound() {
        std::mem::forget(application);
        // PHP's own shutdown comes next, as after any fatal error.
        return Err(Failure::Fatal);
    }
    drop(application);
    finish(&state, outcome)
}

fn finish(
    state: &ServerInner,
    outcome: Result<SuperviseOutcome, worker::SuperviseError>,
) -> Result<Returned, Failure> {
    match outcome {
        Ok(SuperviseOutcome::WorkerDone) => {
            interpreter::end_script();
            Err(Failure::Pending)
        }
        // As the script would end here: `exit($code)` and uncaught exceptions have set the exit code.
        Ok(SuperviseOutcome::ForkedCopy) => {
            interpreter::unwind_script();
            Err(Failure::Pending)
        }
        // The worker's request has been answered and its links are closed.
        Ok(SuperviseOutcome::WorkerUnsound) => process::end_now(),
        Ok(SuperviseOutcome::Stopped) => {
            state.stage.set(ServerStage::After);
            logger::set_role(LogSource::Script);
            interpreter::forget_exit_code();
            Ok(Returned::Bool(true))
        }
        Err(error) => {
            state.stage.set(ServerStage::After);
            logger::set_role(LogSource::Script);
            Err(Failure::State(error.to_string()))
        }
    }
}

fn check_stage(state: &ServerInner) -> Result<(), Failure> {
    let why = match state.stage.get() {
        ServerStage::Before if worker::membership() == Membership::Outside => return Ok(()),
        ServerStage::Before => {
            "No other server can be started in a process of a running one: start it by a script of \
             its own"
        }
        ServerStage::Supervisor => "The server runs already",
        ServerStage::Worker(_) => "A worker cannot start its own server again",
        ServerStage::After => "A server can be started once only",
    };
    Err(Failure::State(why.to_owned()))
}

fn prepare(state: &ServerInner) -> Result<Ready, Failure> {
    let sapi = interpreter::sapi_name();
    if sapi != "cli" {
        return Err(Failure::State(format!(
            "A server is started from the command line, not from '{sapi}'"
        )));
    }
    let states = state.all_ports();
    let own: Vec<_> = states.iter().map(|port| port.assignments.borrow().clone()).collect();
    let (server, mut ports) = resolve(&state.assignments.borrow(), &own);
    let pull = files::prepare_pull(state, &states, &server, &mut ports)?;
    let classic = files::prepare(state, &states, &server, &mut ports)?;
    let handlers = states
        .iter()
        .zip(&ports)
        .map(|(port, options)| handler(state, port, options, &server))
        .collect::<Result<Vec<_>, _>>()?;
    port_set::check_proxies(&states, &ports)?;
    files::set_ini(&server)?;
    let tls = port_set::tls(&states, &ports)?;
    let identity = Identity::look_up(&server).map_err(failure)?;
    let cpus = process::cpus(&server).map_err(failure)?;
    process::check_files(&server).map_err(failure)?;
    process::check_writable("upload_tmp_dir", &server.reactor.spool_dir).map_err(failure)?;
    for dir in ports.iter().filter_map(|port| port.reactor.quic.qlog_dir.as_ref()) {
        process::check_writable("http3_qlog_dir", dir).map_err(failure)?;
    }
    for (port, options) in states.iter().zip(&ports) {
        configure(port, options)?;
    }
    let datagrams = port_set::datagrams(&states, &ports, &tls, server.reactor_threads())?;
    let http3 = states.iter().map(|port| port.http3.get().then_some(port.number)).collect();
    let admin = admin::bind(&server)?;
    Ok(Ready {
        server,
        ports,
        tls,
        datagrams,
        http3,
        handlers,
        identity,
        cpus,
        admin,
        admin_config: None,
        classic,
        pull,
    })
}

fn handler(
    state: &ServerInner,
    port: &PortState,
    options: &PortOptions,
    server: &ServerOptions,
) -> Result<PortHandler, Failure> {
    let in_chroot = server.chroot.is_some();
    options.files.check(in_chroot).map_err(|error| Failure::State(error.to_string()))?;
    let request = state.callback_of(port, Event::Request);
    let runs_files = options.classic.enabled() || server.worker_script.is_some();
    if request.is_none() && !options.files.enabled && !runs_files {
        let place = port.place();
        return Err(Failure::State(format!(
            "There is no callback for 'Request' on {place}: call on('Request', …) before start()"
        )));
    }
    let web = request.as_deref().and_then(web::callback_of);
    Ok(PortHandler {
        web: web.is_some(),
        request: web.or(request),
        connect: state.callback_of(port, Event::Connect),
        close: state.callback_of(port, Event::Close),
        context: PortContext {
            number: port.number,
            parse_cookie: options.parse_cookie,
            parse_post: options.parse_post,
            parse_files: options.parse_files,
            decompression: decompression(options, server),
            compression: options.compression.on.then(|| Arc::new(options.compression.clone())),
            uploads: UploadFolder::new(&server.reactor.spool_dir, std::process::id() as i32, 0),
        },
    })
}

fn decompression(options: &PortOptions, server: &ServerOptions) -> Option<Decompression> {
    let DecompressionOptions { on, bytes_max } = options.decompression;
    on.then(|| Decompression {
        bytes_max: if bytes_max == 0 { options.http.body_bytes_max } else { bytes_max },
        memory_bytes_max: options.reactor.body_memory_bytes_max,
        folder: server.reactor.spool_dir.clone(),
    })
}

fn configure(port: &PortState, options: &PortOptions) -> Result<(), Failure> {
    let Some(socket) = port.socket.take() else {
        return Err(Failure::State("The port is closed".to_owned()));
    };
    let outcome = bind::configure(&socket, port.kind, options);
    port.socket.set(Some(socket));
    outcome.map_err(|error| Failure::State(format!("Cannot listen on {}: {error}", port.host)))?;
    match &port.path {
        Some(path) => process::give_socket(path, &options.unix_socket).map_err(failure),
        None => Ok(()),
    }
}

/// The last steps that can fail, in an order in which none has to be undone.
fn become_supervisor(server: &mut ServerOptions) -> Result<Option<PidFile>, Failure> {
    logger::set_level(server.log_level);
    logger::set_json(server.log_json);
    interpreter::survive_output();
    client::watch_output();
    process::raise_files_to(server.supervisor_files());
    if let Some(path) = &server.log_file {
        logger::redirect(path).map_err(|error| {
            Failure::State(format!("Cannot append to log_file {}: {error}", path.display()))
        })?;
    }
    if server.daemonize {
        interpreter::flush_output();
        process::daemonize(server.log_file.as_deref()).map_err(failure)?;
    }
    server.reactor.access_log = server.access_log.open().map_err(|error| {
        Failure::State(format!("Cannot append to access_log {}: {error}", server.access_log.to))
    })?;
    let access_log = server.reactor.access_log.as_ref();
    server.reactor.request_ids = server.request_id.of_reactor(access_log);
    // Variables that are empty are none, as the specification of OpenTelemetry has it.
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    server.reactor.traces = server.tracing.traces(&env);
    server.reactor.otlp = server.tracing.otlp(&env);
    let written = server.pid_file.as_deref().map(PidFile::write).transpose();
    written.map(Option::flatten).map_err(failure)
}

fn failure(error: ProcessError) -> Failure {
    Failure::State(error.to_string())
}

/// The sockets, which belong to the supervisor from now on.
fn listeners(state: &ServerInner, ready: &mut Ready) -> Vec<OwnedFd> {
    let ports = state.all_ports();
    let clients = ports.iter().filter_map(|port| port.socket.take()).map(OwnedFd::from);
    let admin = ready.admin.as_mut().and_then(|admin| admin.socket.take());
    // It has no UDP socket, but a place among those that have.
    ready.datagrams.extend(admin.iter().map(|_| Vec::new()));
    clients.chain(admin).collect()
}

/// Shows in the properties what has been decided.
fn show(this: *mut Object<Server>, state: &ServerInner, ready: &Ready) {
    let mut effective = Array::with_capacity(4);
    let mut set =
        |key: &str, number: i64| effective.set_symbol(key.as_bytes(), value::long(number));
    set("worker_num", i64::from(ready.server.worker_num));
    set("reactor_num", i64::from(ready.server.reactor_threads()));
    set("max_connection", ready.server.connections(process::files_max()) as i64);
    if let Some(admin) = &ready.admin {
        effective.set_symbol(b"admin_listen", value::bytes(admin.place.as_bytes()));
    }
    let effective: Zval = effective.into_value();
    let pid = i64::from(state.supervisor.get());
    // SAFETY: the object is live, and declares these properties.
    unsafe {
        settings::merge_slot(Object::slot(this, slot::SETTING), &effective);
        write_slot(this, slot::MASTER_PID, value::long(pid));
        write_slot(this, slot::MANAGER_PID, value::long(pid));
    }
}

fn run(ready: Ready, pid_file: Option<PidFile>) -> ServerPlan {
    let leaves_script = ready.classic.is_some() || ready.pull.is_some();
    let opcache = leaves_script.then(opcache::part).flatten();
    // A script that asks for requests uses the memory as long as it runs.
    if leaves_script && (opcache.is_none() || ready.pull.is_some()) {
        opcache::kill_nobody();
    }
    let any = ready.handlers.iter().any(|handler| handler.web);
    let web = any.then(|| files::callbacks(&ready.server, &ready.ports));
    let ports = ready.ports.iter().zip(&ready.handlers).zip(ready.tls).zip(ready.http3);
    let mut files = Vec::new();
    let ports = ports.map(|(((options, handler), tls), http3)| {
        let (connect, close) = (handler.connect.is_some(), handler.close.is_some());
        let mut port = options.reactor_config(tls, http3, connect, close);
        port.redirects = options.files.redirects();
        if options.files.enabled {
            if handler.request.is_none() && !options.classic.enabled() && ready.pull.is_none() {
                port.routes.rest = None;
            }
            files.push(options.files.serve(files.len() as u8, &mut port.routes));
        }
        port
    });
    let admin = ready.admin_config.iter().map(|_| PortConfig::admin());
    let ports = ports.chain(admin).collect();
    let reactor = reactor::Config {
        threads: usize::from(ready.server.reactor_threads()),
        pools: ready.server.pools(),
        connections_max: ready.server.connections(process::files_max()),
        turn_interval_max: ready.server.turn_interval_max(),
        take_log: logger::take_over,
        cpus: ready.cpus,
        ports,
        admin: ready.admin_config,
        files,
        ..ready.server.reactor
    };
    ServerPlan {
        handlers: ready.handlers,
        identity: ready.identity,
        reactor,
        title: interpreter::script_name(),
        // Wherever the process is when it is opened anew.
        log_file: ready
            .server
            .log_file
            .clone()
            .map(|path| std::path::absolute(&path).unwrap_or(path)),
        admin_path: ready.admin.and_then(|admin| admin.path),
        pid_file,
        stats_file: ready
            .server
            .stats_file
            .map(|path| StatsFile::new(&path, ready.server.stats_interval)),
        banner: ready.server.banner,
        foreground: !ready.server.daemonize,
        reset_state: ready.server.reset_state,
        web,
        classic: ready.classic,
        pull: ready.pull,
        opcache,
    }
}
