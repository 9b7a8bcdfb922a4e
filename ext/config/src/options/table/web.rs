//! Options of ports whose requests run PHP files, and of workers that are a web SAPI.

use super::Spec;
use crate::options::classic::ClassicOptions;
use crate::options::option_type::OptionType::{List, Switch, Text};

/// Options of PHP files that are run, and of the SAPI that they see.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "script",
        Text(|d, v| d.port.classic.script = v.to_owned()),
        "'' (no file is run)",
        "The front script, as a path below `document_root`, such as 'index.php': requests then run PHP \
         files as under php-fpm, on ports without a callback for `Request` (see \
         [applications](applications.md)).",
    ),
    Spec::port(
        "php_deny",
        List(|d, v| d.port.classic.deny = ClassicOptions::denied(v)),
        "[]",
        "Beginnings of paths, such as '/uploads', below which no PHP file is run by its name: 403. For \
         folders that an application writes to.",
    ),
    Spec::server(
        "worker_script",
        Text(|d, v| d.server.worker_script = (!v.is_empty()).then(|| v.into())),
        "'' (none)",
        "A PHP file that each worker runs from its start to its end, and which asks for each request by \
         `ferrite_handle_request()`, in the place of a callback for `Request` and of `script` (see \
         [applications](applications.md)). A relative path begins where the server is started.",
    ),
    Spec::server(
        "frankenphp_alias",
        Switch(|d, v| d.server.frankenphp_alias = v),
        "false",
        "Whether a `worker_script` finds `frankenphp_handle_request()` and its relatives, and \
         `$_SERVER['FRANKENPHP_WORKER']`: for scripts that were written for FrankenPHP (see [coming from \
         FrankenPHP](from-frankenphp.md)).",
    ),
    Spec::server(
        "sapi_name",
        Text(|d, v| d.server.sapi_name = v.to_owned()),
        "'ferrite'",
        "What `PHP_SAPI` and `php_sapi_name()` are in workers whose requests run PHP files.",
    ),
];
