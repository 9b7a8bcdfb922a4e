//! Options of ports whose requests run PHP files, and of workers that are a web SAPI.

use super::Spec;
use crate::options::classic::ClassicOptions;
use crate::options::option_type::OptionType::{List, Text};

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
        "sapi_name",
        Text(|d, v| d.server.sapi_name = v.to_owned()),
        "'ferrite'",
        "What `PHP_SAPI` and `php_sapi_name()` are in workers whose requests run PHP files.",
    ),
];
