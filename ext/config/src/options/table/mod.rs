//! The table of all options: the one place that says what each takes, means and maps to. Parsing,
//! error messages and `docs/options.md` come from it.

mod absent;
mod access_log;
mod compression;
mod files;
mod http2;
mod http3;
mod port;
mod proxy;
mod request_id;
mod server;
mod tls;
mod tracing;
mod web;

use super::option_type::OptionType;

/// One option.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Its key.
    pub name: &'static str,
    /// Other keys for the same.
    pub aliases: &'static [&'static str],
    /// Whose option it is.
    pub scope: Scope,
    /// What it takes, and where that goes.
    pub kind: OptionType,
    /// Its default, in words.
    pub default: &'static str,
    /// What it does; units and consequences.
    pub doc: &'static str,
    /// Whether its value is shown to nobody.
    pub secret: bool,
}

/// Whose option it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The server's: `Server::set()` only.
    Server,
    /// A port's: `Port::set()`, or `Server::set()` for all ports that do not say otherwise.
    Port,
}

impl Spec {
    const fn server(
        name: &'static str,
        kind: OptionType,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, aliases: &[], scope: Scope::Server, kind, default, doc, secret: false }
    }

    const fn port(
        name: &'static str,
        kind: OptionType,
        default: &'static str,
        doc: &'static str,
    ) -> Self {
        Self { name, aliases: &[], scope: Scope::Port, kind, default, doc, secret: false }
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    const fn alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Whether `key` is its name or an alias of it.
    pub fn is_called(&self, key: &str) -> bool {
        self.name == key || self.aliases.contains(&key)
    }
}

/// Every option.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    [
        server::OPTIONS,
        port::OPTIONS,
        access_log::OPTIONS,
        request_id::OPTIONS,
        tracing::OPTIONS,
        proxy::OPTIONS,
        compression::OPTIONS,
        files::OPTIONS,
        web::OPTIONS,
        http2::OPTIONS,
        http3::OPTIONS,
        tls::OPTIONS,
        absent::OPTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The option with this key.
pub fn find(key: &str) -> Option<&'static Spec> {
    all().find(|spec| spec.is_called(key))
}
