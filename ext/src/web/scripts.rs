//! The PHP files of a port: looks for them below its document root.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use config::log_limit::{LimitedEvent, limited};
use config::options::config::PortOptions;
use config::script::{Decision, Rules, ScriptKind, decide};
use log::Level;
use reactor::handler::files::root::{Found, Missing, Root};

/// The files below a document root, and which of them run.
#[derive(Debug)]
pub struct Scripts {
    root: Root,
    /// The path of the root.
    path: Vec<u8>,
    front: Vec<u8>,
    index: Vec<String>,
    deny: Vec<String>,
}

impl Scripts {
    /// Those of a port with these options; its root is absolute.
    pub fn new(options: &PortOptions) -> Self {
        let root = &options.files.root;
        let mut path = root.as_os_str().as_bytes().to_vec();
        while path.len() > 1 && path.ends_with(b"/") {
            path.pop();
        }
        Self {
            root: Root::new(root.clone(), options.files.symlinks),
            path,
            front: options.classic.script.as_bytes().to_vec(),
            index: options.files.index.clone(),
            deny: options.classic.deny.clone(),
        }
    }

    /// The path of the root, without a slash at its end.
    pub fn root(&self) -> &[u8] {
        &self.path
    }

    /// What runs for the path of a request.
    pub fn decide(&mut self, path: &[u8]) -> Decision {
        let Self { root, front, index, deny, .. } = self;
        let rules = Rules { front, index, deny };
        let now = Instant::now();
        decide(path, &rules, &mut |path| look(root, path, now))
    }
}

fn look(root: &mut Root, path: &[u8], now: Instant) -> ScriptKind {
    let path = if path.is_empty() { b"." } else { path };
    match root.open(Path::new(OsStr::from_bytes(path)), now) {
        Ok(Found::File(_)) => ScriptKind::File,
        Ok(Found::Directory(_)) => ScriptKind::Directory,
        Err(Missing::NoFile) => ScriptKind::Nothing,
        Err(Missing::Denied) => ScriptKind::Denied,
        Err(why) => {
            let path = path.escape_ascii();
            let line = format_args!(
                "the client gets 503: {path} below document_root cannot be looked for: {why:?}"
            );
            limited(LimitedEvent::Refused, Level::Error, line);
            ScriptKind::Failed
        }
    }
}
