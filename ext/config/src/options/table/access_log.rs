//! Options of the server about the access log.

use reactor::access_log::Format;

use super::Spec;
use crate::options::access_log::{check_format, check_sample};
use crate::options::option_type::OptionType::{List, Parsed, Text};

/// Options of the server about the access log.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::server(
        "access_log",
        Text(|d, v| d.server.access_log.to = v.to_owned()),
        "'off'",
        "Where a line goes for each request, whoever answers it: a file, 'stdout', 'syslog' or 'off'. The \
         lines are written aside, and lost when they cannot be (`access_log_lost_count`): requests never \
         wait. SIGHUP opens the file anew. See [logging.md](logging.md).",
    ),
    Spec::server(
        "access_log_format",
        Parsed(
            check_format,
            "'combined', 'json' or a string with fields as '{client} {method} {status}'",
            |d, v| {
                if let Some(Ok(format)) = v.text().map(Format::parse) {
                    d.server.access_log.format = format;
                }
            },
        ),
        "'combined'",
        "How a line is made. [logging.md](logging.md) lists the fields.",
    ),
    Spec::server(
        "access_log_sample",
        Parsed(check_sample, "a number from 0 to 1", |d, v| {
            d.server.access_log.sample = v.seconds().unwrap_or(1.0);
        }),
        "1 (all)",
        "Which part of the requests is logged. Those that did not go well always are: status 500 and \
         above, clients that left, refused requests.",
    ),
    Spec::server(
        "access_log_exclude",
        List(|d, v| d.server.access_log.exclude = v.to_vec()),
        "[]",
        "Paths whose requests are logged only when they did not go well, as `['/healthz', '/static/*']`: \
         one that ends in `*` is the beginning of paths.",
    ),
];
