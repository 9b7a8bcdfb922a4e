//! What the supervisor says of the server when it is up.

use std::io::IsTerminal;
use std::path::PathBuf;

use config::banner::{Banner, ListenAddress};
use config::bind::SocketType;
use config::logger;
use log::Level;
use wire::event::{self, LogEvent};
use wire::shm::Counter;

use super::ServerApplication;
use crate::engine::interpreter;

impl ServerApplication {
    /// Prints the banner, where it is wanted.
    pub(super) fn print_banner(&self) {
        let wanted = self.run.banner.unwrap_or_else(|| interpreter::ini_switch(c"ferrite.banner"));
        if !wanted || !self.run.foreground {
            return;
        }
        let stdout = std::io::stdout();
        let colours = match interpreter::ini_text(c"ferrite.colors").as_str() {
            "always" => true,
            "never" => false,
            _ => stdout.is_terminal(),
        };
        let reactor = self.state.shared.get().map_or(0, |shared| shared.get(Counter::ReactorPid));
        let banner = Banner {
            version: env!("CARGO_PKG_VERSION"),
            php: interpreter::php_version(),
            addresses: self.addresses(),
            supervisor: self.state.supervisor.get(),
            reactor: (reactor as i32, self.run.reactor.threads as u16),
            workers: (0..usize::from(self.run.reactor.pools.workers()))
                .map(|worker| self.state.pid_of(worker).unwrap_or_default())
                .collect(),
            foreground: std::io::stdin().is_terminal() || stdout.is_terminal(),
            colours,
            warnings: interpreter::warnings(),
        };
        // In one piece, behind what the script has printed.
        interpreter::flush_output();
        let _ = nix::unistd::write(&stdout, banner.to_string().as_bytes());
    }

    /// Logs in JSON what the banner and the end of the process show in text.
    pub(super) fn tell(&self, event: LogEvent, text: &str) {
        if logger::is_json() {
            let addresses: Vec<_> = self.addresses().iter().map(ListenAddress::to_string).collect();
            let addresses = addresses.join(" ");
            let workers = u64::from(self.run.reactor.pools.workers());
            let fields = [("addresses", (&addresses[..]).into()), ("workers", workers.into())];
            event::log(Level::Info, event, &fields, format_args!("{text}"));
        }
    }

    /// Where the server can be reached.
    pub(super) fn addresses(&self) -> Vec<ListenAddress> {
        let ports = self.state.all_ports();
        let addresses = ports.iter().map(|port| match &port.path {
            Some(path) => ListenAddress::Unix(path.clone()),
            None if port.kind == SocketType::Unix => ListenAddress::Unix(PathBuf::from(&port.host)),
            None => {
                let host = port.host.trim_matches(['[', ']']).to_owned();
                match port.tls {
                    true => ListenAddress::Tls { host, port: port.number, http3: port.http3.get() },
                    false => ListenAddress::Tcp(host, port.number),
                }
            }
        });
        addresses.collect()
    }
}
