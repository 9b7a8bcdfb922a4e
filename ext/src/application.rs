//! [`ServerApplication`]: the callbacks of the supervisor, the reactor and the workers.

mod banner;
mod settle;

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use config::events::Event;
use config::log_limit;
use config::logger::{self, LogSource};
use config::process::{self, Identity, PidFile};
use config::stats_file::StatsFile;
use config::uploads;
use ext_php_rs::types::Zval;
use log::Level;
use wire::Reason;
use wire::event::{self, LogEvent};
use wire::head::Origin;
use wire::ids;
use wire::metrics;
use wire::shm::{Counter, Shared};
use worker::{
    Application, ApplicationError, ConnectionEvent, IncomingRequest, ProcessState, ReactorBoot,
    Reply, SuperviseOutcome, Verdict, WorkerFailure, WorkerIdentity, WorkerScript,
};

use crate::engine::call::{CallOutcome, Callback, call, call_event};
use crate::engine::interpreter;
use crate::engine::reset::Baseline;
use crate::engine::zend::value;
use crate::php::port::PortContext;
use crate::php::server::client_info::Told;
use crate::php::server::state::ServerInner;
use crate::request_cycle;
use crate::web::callback::WebCallbacks;
use crate::web::classic::{Classic, ClassicPlan};
use crate::web::opcache::Parted;
use crate::web::pull::{self, PullPlan};
use crate::web::superglobals;

/// What one port does with what comes in.
pub struct PortHandler {
    /// The callback for `Request`; `None` on a port that sends files alone.
    pub request: Option<Rc<Callback>>,
    /// Whether it sees requests as under php-fpm.
    pub web: bool,
    /// The callback for `Connect`.
    pub connect: Option<Rc<Callback>>,
    /// The callback for `Close`.
    pub close: Option<Rc<Callback>>,
    /// What requests have to know of the port.
    pub context: PortContext,
}

/// What `start()` has decided.
pub struct ServerPlan {
    /// One per port.
    pub handlers: Vec<PortHandler>,
    /// Whom the children become.
    pub identity: Identity,
    /// What the reactor does.
    pub reactor: reactor::Config,
    /// The script's name, for the supervisor's title.
    pub title: String,
    /// Where the log goes, as an absolute path; `None`: standard error.
    pub log_file: Option<PathBuf>,
    /// The socket of the admin listener, to be removed at the end.
    pub admin_path: Option<PathBuf>,
    /// The file to remove at the end.
    pub pid_file: Option<PidFile>,
    /// The file that gets the statistics.
    pub stats_file: Option<StatsFile>,
    /// Whether to print the banner; `None`: as the INI entry says.
    pub banner: Option<bool>,
    /// Whether the supervisor has kept its terminal.
    pub foreground: bool,
    /// The option of this name.
    pub reset_state: bool,
    /// Where callbacks see requests as under php-fpm: how.
    pub web: Option<WebCallbacks>,
    /// Where requests run files: which, and how.
    pub classic: Option<ClassicPlan>,
    /// Where workers run a script that asks for requests: which, and how.
    pub pull: Option<PullPlan>,
    /// For workers that leave the script of the server.
    pub opcache: Option<Parted>,
}

/// The application of one server. Each process has its own copy.
pub struct ServerApplication {
    /// The `Ferrite\Http\Server`.
    server: Zval,
    state: Rc<ServerInner>,
    run: ServerPlan,
    /// Whether PHP code may still run in this process.
    sound: bool,
    /// In a worker, once it is ready.
    baseline: Option<Baseline>,
    /// In a worker that has left the script of the server.
    left: Option<LeftScript>,
}

/// What a worker does that has left the script of the server.
enum LeftScript {
    /// Each request runs a file.
    Classic(Classic),
    /// A script asks for requests; it is here until it runs.
    Pull(Option<Box<pull::Script>>),
}

impl ServerApplication {
    /// The application of a server that is about to start.
    pub fn new(server: Zval, state: Rc<ServerInner>, run: ServerPlan) -> Self {
        Self { server, state, run, sound: true, baseline: None, left: None }
    }

    /// In the supervisor, at the end: removes socket files, the pid file and the file of statistics. `false`
    /// when a callback has left the interpreter in a state in which the script cannot go on.
    pub fn clean_up(&self) -> bool {
        for port in self.state.all_ports() {
            if let Some(path) = &port.path {
                let _ = std::fs::remove_file(path);
            }
        }
        if let Some(path) = &self.run.admin_path {
            let _ = std::fs::remove_file(path);
        }
        if let Some(pid_file) = &self.run.pid_file {
            pid_file.remove();
        }
        if let Some(stats_file) = &self.run.stats_file {
            stats_file.remove();
        }
        self.sound
    }

    /// Whether PHP code may still run in this process.
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// In a worker that has left the script of the server, which it cannot return to: the code that it ends
    /// with.
    pub fn exit_code(
        &self,
        outcome: &Result<SuperviseOutcome, worker::SuperviseError>,
    ) -> Option<i32> {
        let of_copy = match self.left.as_ref()? {
            LeftScript::Classic(classic) => classic.exit_code,
            LeftScript::Pull(_) => pull::exit_code(),
        };
        Some(match outcome {
            Ok(SuperviseOutcome::WorkerDone) => 0,
            Ok(SuperviseOutcome::ForkedCopy) => of_copy,
            _ => process::EXIT_FATAL,
        })
    }

    /// Calls the server's callback for an event, if there is one; `None` when there is none.
    fn call(&mut self, event: Event, more: &[i64]) -> Option<CallOutcome> {
        let arguments = self.arguments(more);
        self.call_with(event, arguments)
    }

    fn call_with(&mut self, event: Event, mut arguments: Vec<Zval>) -> Option<CallOutcome> {
        let callback = self.state.callbacks.get(event)?;
        if !self.sound {
            return None;
        }
        let outcome = call_event(event.name(), &callback, &mut arguments);
        self.note(&outcome);
        Some(outcome)
    }

    /// The same for a callback that must succeed; the error says how it did not.
    fn call_or_fail(&mut self, event: Event, more: &[i64]) -> Result<(), ApplicationError> {
        let Some(callback) = self.state.callbacks.get(event) else { return Ok(()) };
        let outcome = call(&callback, &mut self.arguments(more));
        self.note(&outcome);
        let name = event.name();
        let why = match outcome {
            CallOutcome::Returned(_) | CallOutcome::ForkedCopy { .. } => return Ok(()),
            CallOutcome::Exited => " called exit()".to_owned(),
            CallOutcome::Threw(thrown) => format!(": {thrown}"),
            CallOutcome::Unsound { message } => format!(": {message}"),
        };
        Err(ApplicationError(format!("the {name} callback{why}")))
    }

    fn arguments(&self, more: &[i64]) -> Vec<Zval> {
        let mut arguments = vec![self.server.shallow_clone()];
        arguments.extend(more.iter().map(|number| value::long(*number)));
        arguments
    }

    fn note(&mut self, outcome: &CallOutcome) {
        if matches!(outcome, CallOutcome::Unsound { .. } | CallOutcome::ForkedCopy { fatal: true })
        {
            self.sound = false;
        }
    }

    /// A successor of a reactor gets the certificates of its own time.
    fn refresh_certificates(&mut self) {
        for tls in self.run.reactor.ports.iter_mut().filter_map(|port| port.tls.as_mut()) {
            if let Err(error) = Arc::make_mut(tls).refresh() {
                event::log(
                    Level::Error,
                    LogEvent::TlsCertificateRefused,
                    &[("error", (&error.to_string()[..]).into())],
                    format_args!("TLS certificate refused, that of the start stays: {error}"),
                );
            }
        }
    }
}

impl Application for ServerApplication {
    fn title(&mut self, role: worker::Role) {
        let (role, script) = match role {
            worker::Role::Supervisor => (LogSource::Supervisor, &self.run.title[..]),
            worker::Role::Reactor => (LogSource::Reactor, ""),
            worker::Role::Worker(id) => (LogSource::Worker(id), ""),
        };
        logger::set_role(role);
        interpreter::set_title(format!("ferrite: {role} {script}").trim_end());
        if role == LogSource::Supervisor {
            self.tell(LogEvent::ServerStarting, "the server starts");
        }
    }

    fn mapped(&mut self, shared: Shared) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        shared.counter(Counter::StartedAt).store(now.as_secs(), Ordering::Relaxed);
        self.state.shared.set(Some(shared));
        logger::count_losses(shared.counter(Counter::LogLinesLost));
    }

    fn started(&mut self) -> Result<(), ApplicationError> {
        self.print_banner();
        self.tell(LogEvent::ServerReady, "the server is ready");
        self.call_or_fail(Event::Start, &[])
    }

    fn worker_failed(&mut self, failure: &WorkerFailure) {
        let numbers = [
            i64::from(failure.worker),
            i64::from(failure.pid),
            i64::from(failure.exit_code),
            i64::from(failure.signal),
        ];
        let mut arguments = self.arguments(&numbers);
        arguments.push(value::bytes(failure.reason.name().as_bytes()));
        self.call_with(Event::WorkerError, arguments);
    }

    fn worker_reaped(&mut self, identity: WorkerIdentity) {
        let WorkerIdentity { supervisor, incarnation, .. } = identity;
        let (parent, owner) = self.run.identity.place_of(&self.run.reactor.spool_dir);
        uploads::remove_left(&parent, supervisor, incarnation, owner);
    }

    fn reopen_log(&mut self) -> Option<OwnedFd> {
        logger::reopen(self.run.log_file.as_ref()?)
    }

    fn reopen_access_log(&mut self) -> Option<OwnedFd> {
        self.run.reactor.access_log.as_ref()?.reopen()
    }

    fn take_log(&mut self, file: OwnedFd) {
        logger::take_over(file);
    }

    fn report(&mut self, processes: &[ProcessState]) {
        if let (Some(file), Some(shared)) = (&mut self.run.stats_file, self.state.shared.get()) {
            file.write(&metrics::stats(shared, None), processes);
        }
    }

    fn stopped(&mut self) {
        self.call(Event::Shutdown, &[]);
        self.tell(LogEvent::ServerStopped, "the server has stopped");
    }

    fn run_reactor(&mut self, boot: ReactorBoot) -> i32 {
        process::raise_files();
        // While this process may still read what only root may.
        self.refresh_certificates();
        if let Err(error) = self.run.identity.assume(self.state.supervisor.get()) {
            log::error!("{error}");
            return 1;
        }
        let config = self.run.reactor.clone();
        let ReactorBoot { listeners, datagrams, control, shared } = boot;
        let boot = reactor::Boot { listeners, datagrams, control, shared };
        match catch_unwind(AssertUnwindSafe(|| reactor::run(config, boot))) {
            Ok(Ok(())) => 0,
            Ok(Err(error)) => {
                log::error!("{error}");
                1
            }
            // The panic hook has logged it.
            Err(_) => 1,
        }
    }

    fn worker_started(&mut self, identity: WorkerIdentity) -> Result<(), ApplicationError> {
        self.settle(identity)?;
        if let Some(web) = &self.run.web {
            web.sapi.settle();
        }
        self.call_or_fail(Event::WorkerStart, &[i64::from(identity.worker)])?;
        let memory = self.run.opcache.as_ref();
        if let Some(plan) = self.run.classic.take_if(|_| !worker::is_forked_copy()) {
            self.left = Some(LeftScript::Classic(Classic::begin(plan, memory)));
            return Ok(());
        }
        if let Some(plan) = self.run.pull.take_if(|_| !worker::is_forked_copy()) {
            self.left = Some(LeftScript::Pull(Some(Box::new(pull::begin(plan, memory)))));
            return Ok(());
        }
        self.baseline = Some(Baseline::take(self.run.reset_state));
        Ok(())
    }

    fn handle(&mut self, request: IncomingRequest, mut reply: Reply) -> Verdict {
        let _about = ids::about(&request.head.ids);
        let port = usize::from(request.head.origin.port);
        if let (Some(left), Some(handler)) = (&mut self.left, self.run.handlers.get(port)) {
            return match left {
                LeftScript::Classic(classic) => {
                    classic.handle(port, &handler.context, request, reply)
                }
                LeftScript::Pull(_) => pull::handle(&handler.context, request, reply),
            };
        }
        match (self.run.handlers.get(port), &mut self.baseline) {
            (Some(PortHandler { request: Some(callback), context, web, .. }), Some(baseline)) => {
                let verdict = match (web, &mut self.run.web) {
                    (true, Some(web)) => web.handle(callback, context, baseline, request, reply),
                    (_, web) => {
                        web.iter().for_each(|_| superglobals::clear());
                        request_cycle::handle(callback, context, baseline, request, reply)
                    }
                };
                self.sound &= verdict == Verdict::Continue;
                verdict
            }
            _ => {
                log::error!("a request came in by port {port}, which does not exist");
                reply.abort(Reason::Internal);
                Verdict::Continue
            }
        }
    }

    fn connection(&mut self, event: ConnectionEvent, origin: Origin) -> Verdict {
        let Some(handler) = self.run.handlers.get(usize::from(origin.port)) else {
            return Verdict::Continue;
        };
        let (name, callback) = match event {
            ConnectionEvent::Opened => (Event::Connect.name(), handler.connect.clone()),
            ConnectionEvent::Closed => (Event::Close.name(), handler.close.clone()),
        };
        let Some(callback) = callback else { return Verdict::Continue };
        let numbers = [origin.connection as i64, i64::from(origin.reactor)];
        let parked = self.baseline.as_ref().map(Baseline::begin);
        let told = Told::of(origin);
        let outcome = call_event(name, &callback, &mut self.arguments(&numbers));
        drop(told);
        self.note(&outcome);
        if let (Some(baseline), Some(parked)) = (&mut self.baseline, parked) {
            self.sound &= request_cycle::after_event(name, baseline, parked, &outcome);
        }
        if self.sound { Verdict::Continue } else { Verdict::Exit }
    }

    fn worker_script(&mut self) -> Option<Box<dyn WorkerScript>> {
        match self.left.as_mut()? {
            LeftScript::Pull(script) => Some(script.take()?),
            LeftScript::Classic(_) => None,
        }
    }

    fn worker_stopped(&mut self, identity: WorkerIdentity) {
        if self.left.is_none() {
            self.call(Event::WorkerStop, &[i64::from(identity.worker)]);
        }
        log_limit::sum_up();
    }
}
