//! The banner that the supervisor prints on standard output when the server is up.

use std::fmt;
use std::path::PathBuf;

/// What the banner shows.
#[derive(Debug)]
pub struct Banner {
    /// Ferrite's version.
    pub version: &'static str,
    /// PHP's version.
    pub php: String,
    /// Where it can be reached.
    pub addresses: Vec<ListenAddress>,
    /// The supervisor's process id.
    pub supervisor: i32,
    /// The reactor's process id, and its threads.
    pub reactor: (i32, u16),
    /// The workers' process ids.
    pub workers: Vec<i32>,
    /// Whether Ctrl-C stops it: it has a terminal.
    pub foreground: bool,
    /// Whether to use colours.
    pub colours: bool,
    /// What should be otherwise on a machine that serves others.
    pub warnings: Vec<&'static str>,
}

/// One listening port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// Host and port.
    Tcp(String, u16),
    /// Host and port, by TLS.
    Tls {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Whether HTTP/3 is spoken on the UDP port of the same number.
        http3: bool,
    },
    /// A path.
    Unix(PathBuf),
}

/// Workers that are listed one by one.
const WORKERS_SHOWN_MAX: usize = 8;

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) => url(f, "http", host, *port),
            Self::Tls { host, port, .. } => url(f, "https", host, *port),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn url(f: &mut fmt::Formatter<'_>, scheme: &str, host: &str, port: u16) -> fmt::Result {
    match host.contains(':') {
        true => write!(f, "{scheme}://[{host}]:{port}/"),
        false => write!(f, "{scheme}://{host}:{port}/"),
    }
}

impl ListenAddress {
    /// For a host that means every interface: an address that can be opened.
    fn local(&self) -> Option<String> {
        match self {
            Self::Tcp(host, port) if everywhere(host) => Some(format!("http://localhost:{port}/")),
            Self::Tls { host, port, .. } if everywhere(host) => {
                Some(format!("https://localhost:{port}/"))
            }
            _ => None,
        }
    }
}

fn everywhere(host: &str) -> bool {
    host == "0.0.0.0" || host == "::"
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bold, dim, reset) =
            if self.colours { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        writeln!(f, "{bold}Ferrite {}{reset} {dim}on PHP {}{reset}", self.version, self.php)?;
        for address in &self.addresses {
            write!(f, "  {bold}{address}{reset}")?;
            if let Some(local) = address.local() {
                write!(f, "  {dim}({local}){reset}")?;
            }
            match address {
                ListenAddress::Tls { http3: true, .. } => writeln!(f, "  {dim}with HTTP/3{reset}")?,
                _ => writeln!(f)?,
            }
        }
        writeln!(f, "  supervisor {}", self.supervisor)?;
        let (reactor, threads) = self.reactor;
        let plural = if threads == 1 { "" } else { "s" };
        writeln!(f, "  ├── reactor {reactor} {dim}({threads} thread{plural}){reset}")?;
        self.workers(f)?;
        for warning in &self.warnings {
            writeln!(f, "  {bold}warning:{reset} {warning}")?;
        }
        let stop = if self.foreground { "Ctrl-C" } else { "SIGTERM" };
        writeln!(
            f,
            "  {dim}{stop} stops it; kill -USR1 {} replaces the workers{reset}",
            self.supervisor
        )
    }
}

impl Banner {
    fn workers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.workers.len() {
            len if len <= WORKERS_SHOWN_MAX => len,
            _ => WORKERS_SHOWN_MAX - 1,
        };
        for (id, pid) in self.workers.iter().enumerate().take(shown) {
            let branch = if id + 1 == self.workers.len() { "└──" } else { "├──" };
            writeln!(f, "  {branch} worker {id}: {pid}")?;
        }
        match self.workers.len() - shown {
            0 => Ok(()),
            rest => writeln!(f, "  └── and {rest} more workers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner(workers: usize) -> Banner {
        Banner {
            version: "1.2.3",
            php: "8.2.0".to_owned(),
            addresses: vec![
                ListenAddress::Tcp("0.0.0.0".to_owned(), 9501),
                ListenAddress::Tcp("::1".to_owned(), 9502),
                ListenAddress::Tls { host: "::".to_owned(), port: 9503, http3: true },
                ListenAddress::Tls { host: "127.0.0.1".to_owned(), port: 9504, http3: false },
                ListenAddress::Unix(PathBuf::from("/run/a.sock")),
            ],
            supervisor: 10,
            reactor: (11, 2),
            workers: (12..).take(workers).collect(),
            foreground: true,
            colours: false,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn it_says_where_and_who() {
        let wanted = "\
Ferrite 1.2.3 on PHP 8.2.0
  http://0.0.0.0:9501/  (http://localhost:9501/)
  http://[::1]:9502/
  https://[::]:9503/  (https://localhost:9503/)  with HTTP/3
  https://127.0.0.1:9504/
  unix:/run/a.sock
  supervisor 10
  ├── reactor 11 (2 threads)
  ├── worker 0: 12
  └── worker 1: 13
  Ctrl-C stops it; kill -USR1 10 replaces the workers
";
        assert_eq!(banner(2).to_string(), wanted);
    }

    #[test]
    fn many_workers_are_counted() {
        let text = banner(20).to_string();
        assert!(text.contains("worker 6: 18"));
        assert!(text.contains("└── and 13 more workers"));
        assert!(!text.contains("worker 7:"));
    }

    #[test]
    fn warnings_have_a_line_each() {
        let text = Banner { warnings: vec!["one", "two"], ..banner(1) }.to_string();
        assert!(text.contains("12\n  warning: one\n  warning: two\n  Ctrl-C"));
    }

    #[test]
    fn colours_are_optional() {
        assert!(!banner(1).to_string().contains('\x1b'));
        let coloured = Banner { colours: true, ..banner(1) };
        assert!(coloured.to_string().contains("\x1b[1m"));
    }
}
