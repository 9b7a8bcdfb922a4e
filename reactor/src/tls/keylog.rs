//! The keys of connections, for who wants to look at the wire: `SSLKEYLOGFILE`, as browsers, curl and
//! Wireshark know it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use boring::ssl::SslContextBuilder;

/// The file that the environment names.
pub(crate) fn path() -> Option<PathBuf> {
    std::env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Has the keys of connections written to the file that the environment names, if it does.
pub(crate) fn install(builder: &mut SslContextBuilder) {
    let Some(path) = path() else { return };
    match OpenOptions::new().append(true).create(true).mode(0o600).open(&path) {
        Ok(file) => {
            builder.set_keylog_callback(move |_, line| write(&file, line));
        }
        Err(error) => log::error!("cannot append to SSLKEYLOGFILE {}: {error}", path.display()),
    }
}

fn write(mut file: &File, line: &str) {
    // In one piece, as several processes and threads may write. Who cannot write has been told.
    let _ = file.write_all(format!("{line}\n").as_bytes());
}
