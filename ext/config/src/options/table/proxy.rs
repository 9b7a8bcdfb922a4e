//! Options of a port about proxies in front of it.

use reactor::config::ForwardedFields;

use super::Spec;
use crate::options::option_type::OptionType::{Proxies, Switch, Word};

/// Options of a port about proxies in front of it.
pub(super) const OPTIONS: &[Spec] = &[
    Spec::port(
        "trusted_proxies",
        Proxies(|d, v| d.port.reactor.proxies.trusted = v.clone()),
        "[] (none)",
        "Proxies whose word about their clients is taken: by `Forwarded`, `X-Forwarded-For`, `-Proto`, \
         `-Host` and `-Port`, and by the PROXY protocol. `private_ranges` stands for the networks of \
         private use, this machine's own addresses and link-local ones, `unix:` for whoever connects by \
         a Unix socket. See [proxies.md](proxies.md).",
    ),
    Spec::port(
        "forwarded_headers",
        Word {
            words: &["forwarded", "x-forwarded"],
            set: |d, v| {
                d.port.reactor.proxies.fields = match v {
                    "forwarded" => ForwardedFields::Forwarded,
                    "x-forwarded" => ForwardedFields::XForwarded,
                    _ => ForwardedFields::Either,
                }
            },
        },
        "'' (either)",
        "Which header trusted proxies set; the other one is not looked at. Without it both are, and a \
         request in which they differ gets 400.",
    ),
    Spec::port(
        "proxy_protocol",
        Switch(|d, v| d.port.reactor.proxies.protocol = v),
        "false",
        "Whether every connection begins with a header of the PROXY protocol, version 1 or 2, within \
         `first_byte_timeout`. One without it, or of a sender that `trusted_proxies` does not name, is \
         closed. No effect on HTTP/3.",
    ),
];
