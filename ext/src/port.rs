//! Ports: what a request needs to know of the one it came in by.

use std::path::PathBuf;

/// The facts of a port that building requests and responses depends on. One per port, in the order
/// of `listen()`; index [`Origin::port`](wire::head::Origin).
#[derive(Debug, Clone)]
pub struct PortContext {
    /// The TCP port; 0 on a Unix socket.
    pub number: u16,
    /// Whether `Request::$cookie` is filled.
    pub parse_cookie: bool,
    /// Whether `Request::$post` is filled from a form.
    pub parse_post: bool,
    /// Whether `Request::$files` is filled from a multipart form.
    pub parse_files: bool,
    /// Where uploaded files are put.
    pub upload_tmp_dir: PathBuf,
}
