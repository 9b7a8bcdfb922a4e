//! Options of the server about the ids of requests.

use reactor::config::IdTrust;

use super::Spec;
use crate::options::option_type::OptionType::{Parsed, Switch, Word};
use crate::options::request_id::check_field;

/// Options of the server about the ids of requests.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::server(
        "request_id",
        Switch(|d, v| d.server.request_id.on = Some(v)),
        "as needed",
        "Whether each request has an id: in `$request->server['request_id']` and `$_SERVER['REQUEST_ID']`, \
         in every line of the log about it, in the access log. Without the option requests have ids where \
         `access_log_format` or `request_id_response` uses them. See [logging.md](logging.md).",
    ),
    Spec::server(
        "request_id_header",
        Parsed(check_field, "the name of a header that means nothing to HTTP itself", |d, v| {
            d.server.request_id.set_field(v.text().unwrap_or_default());
        }),
        "'X-Request-Id'",
        "The header that ids are taken from, and that responses have them in.",
    ),
    Spec::server(
        "request_id_trust",
        Word {
            words: &["proxies", "all", "none"],
            set: |d, v| {
                d.server.request_id.settings.trust = match v {
                    "proxies" => IdTrust::Proxies,
                    "all" => IdTrust::Everybody,
                    _ => IdTrust::Nobody,
                }
            },
        },
        "'proxies'",
        "Whose ids are taken: those of `trusted_proxies`, of all clients or of nobody. An id has 1 to 128 \
         letters, digits and `-_.:;=+/@`; in the place of any other, and of several, there is a new one.",
    ),
    Spec::server(
        "request_id_response",
        Switch(|d, v| d.server.request_id.settings.in_responses = v),
        "false",
        "Whether responses have the id in `request_id_header`, those of static files and errors too. One \
         that the handler sets itself stays.",
    ),
];
