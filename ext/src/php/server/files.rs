//! What `start()` prepares for workers whose requests run files: which files, and PHP's settings.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use config::events::Event;
use config::options::config::{PortOptions, ServerOptions};

use super::state::ServerInner;
use crate::engine::interpreter;
use crate::engine::zend::globals::{self, IniError};
use crate::php::error::Failure;
use crate::php::port::PortState;
use crate::web::callback::WebCallbacks;
use crate::web::classic::ClassicPlan;
use crate::web::pull::PullPlan;
use crate::web::sapi::WebSapi;
use crate::web::scripts::Scripts;
use crate::web::settings;

/// Before the first fork, so that every process has the same.
pub fn set_ini(server: &ServerOptions) -> Result<(), Failure> {
    for (name, value) in &server.php_ini {
        globals::set_system_ini(name, value).map_err(|error| {
            Failure::State(match error {
                IniError::Unknown(Some(nearest)) => format!(
                    "php_ini: PHP has no setting '{name}'; did you mean '{nearest}'?"
                ),
                IniError::Unknown(None) => format!("php_ini: PHP has no setting '{name}'"),
                IniError::Refused => format!(
                    "php_ini: '{name}' cannot be set to '{value}' while PHP runs: is that a value of it? \
                     Else set it when PHP starts (php -d {name}=…)"
                ),
            })
        })?;
    }
    Ok(())
}

/// The plan of workers whose requests run files; `None` where they are given to callbacks.
pub fn prepare(
    state: &ServerInner,
    states: &[Rc<PortState>],
    server: &ServerOptions,
    ports: &mut [PortOptions],
) -> Result<Option<ClassicPlan>, Failure> {
    if server.worker_script.is_some() {
        return Ok(None);
    }
    let mut scripts = Vec::with_capacity(ports.len());
    for (port, options) in states.iter().zip(&mut *ports) {
        let root = &options.files.root;
        let checked = options.classic.check(root, server.chroot.is_some());
        checked.map_err(|error| Failure::State(error.to_string()))?;
        let callback = state.callback_of(port, Event::Request).is_some();
        if options.classic.enabled() && callback {
            return Err(Failure::State(format!(
                "script is set for {}, which has a callback for 'Request' as well: leave out one of them",
                port.place()
            )));
        }
        if options.classic.enabled() {
            options.files.serve_beside_php();
        }
        scripts.push(options.classic.enabled().then(|| Scripts::new(options)));
    }
    if scripts.iter().all(Option::is_none) {
        return Ok(None);
    }
    refuse_callbacks(state, states, "the files of script")?;
    Ok(Some(ClassicPlan { scripts, sapi: sapi(server) }))
}

/// The script of the server is left by the workers, and its functions with it.
fn refuse_callbacks(
    state: &ServerInner,
    states: &[Rc<PortState>],
    what: &str,
) -> Result<(), Failure> {
    for port in states {
        for event in [Event::Request, Event::Connect, Event::Close, Event::WorkerStop] {
            if state.callback_of(port, event).is_some() {
                return Err(Failure::State(format!(
                    "There is a callback for '{}' on {}, but workers run {what}: nothing of this script \
                     is there when requests come. Leave out one of them",
                    event.name(),
                    port.place()
                )));
            }
        }
    }
    Ok(())
}

/// The plan of workers that run a script which asks for requests; `None` where there is none.
pub fn prepare_pull(
    state: &ServerInner,
    states: &[Rc<PortState>],
    server: &ServerOptions,
    ports: &mut [PortOptions],
) -> Result<Option<PullPlan>, Failure> {
    let Some(path) = &server.worker_script else {
        return match server.frankenphp_alias {
            true => Err(Failure::State(
                "frankenphp_alias is for a worker_script: set that to the script that asks for requests"
                    .to_owned(),
            )),
            false => Ok(None),
        };
    };
    let script = std::fs::canonicalize(path).ok().filter(|script| script.is_file());
    let Some(script) = script.or_else(|| server.chroot.is_some().then(|| path.clone())) else {
        return Err(Failure::State(format!(
            "Option 'worker_script' must be a PHP file; {} is none",
            path.display()
        )));
    };
    for (port, options) in states.iter().zip(&mut *ports) {
        if options.classic.enabled() {
            return Err(Failure::State(format!(
                "worker_script and script are both set for {}: leave out one of them",
                port.place()
            )));
        }
        if !options.files.root.as_os_str().is_empty() {
            options.files.serve_beside_php();
        }
    }
    refuse_callbacks(state, states, "the worker_script")?;
    let web = web(server, ports, &script);
    Ok(Some(PullPlan { script, web, reset_state: server.reset_state }))
}

/// What workers become that see requests as under php-fpm.
fn sapi(server: &ServerOptions) -> WebSapi {
    let name = if server.sapi_name.is_empty() { "ferrite" } else { &server.sapi_name };
    WebSapi {
        name: name.to_owned(),
        settings: settings::wanted(&server.php_ini),
        frankenphp: server.frankenphp_alias,
    }
}

/// How requests see the script of the server, where callbacks of it answer them.
pub fn callbacks(server: &ServerOptions, ports: &[PortOptions]) -> WebCallbacks {
    let script = interpreter::script_path();
    web(server, ports, &std::fs::canonicalize(&script).unwrap_or(script))
}

fn web(server: &ServerOptions, ports: &[PortOptions], script: &Path) -> WebCallbacks {
    let root = ports.iter().map(|port| &port.files.root).find(|root| !root.as_os_str().is_empty());
    let root = match root {
        Some(root) => std::path::absolute(root).unwrap_or_else(|_| root.clone()),
        None => script.parent().unwrap_or(Path::new("/")).to_owned(),
    };
    let below = root.canonicalize().ok().and_then(|root| script.strip_prefix(root).ok());
    let name = below.or(script.file_name().map(Path::new)).unwrap_or(script);
    let name = name.as_os_str().as_bytes().to_vec();
    let root = root.as_os_str().as_bytes();
    let root = root.strip_suffix(b"/").unwrap_or(root).to_vec();
    WebCallbacks { sapi: sapi(server), root, file: name, room: Vec::new() }
}
