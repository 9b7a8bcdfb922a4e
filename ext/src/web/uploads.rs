//! [`Uploads`]: where the uploads of a request are put.

use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;

use super::exchange::{self, WebExchange};
use crate::engine::zend::globals;
use crate::php::port::PortContext;
use crate::php::request::handover::Handover;

/// The folder of the uploads of a request, while it runs.
#[derive(Debug)]
pub struct Uploads<'a> {
    context: &'a PortContext,
    /// What `upload_tmp_dir` was.
    before: *mut c_char,
    _path: CString,
    _handover: Option<Handover>,
}

impl<'a> Uploads<'a> {
    /// Has PHP put them into the worker's folder; `None` where there can be none.
    pub fn prepare(exchange: &WebExchange, context: &'a PortContext) -> Option<Self> {
        let content_type = exchange.head.fields.get(b"content-type")?;
        let start = content_type.get(..MULTIPART.len())?;
        if !start.eq_ignore_ascii_case(MULTIPART) || exchange.body.is_empty() {
            return None;
        }
        let folder = context.uploads.enter();
        let handover = Handover::begin(&exchange.body, folder, true, |count| {
            exchange::with(|exchange| exchange.skip(count)).unwrap_or(false)
        });
        let path = CString::new(folder.as_os_str().as_bytes()).ok()?;
        // SAFETY: a plain setting, put back when this is dropped; the path lives as long.
        let before = unsafe {
            std::mem::replace(&mut (*globals::core()).upload_tmp_dir, path.as_ptr().cast_mut())
        };
        Some(Self { context, before, _path: path, _handover: handover })
    }
}

const MULTIPART: &[u8] = b"multipart/form-data";

impl Drop for Uploads<'_> {
    fn drop(&mut self) {
        // SAFETY: puts back what was there.
        unsafe { (*globals::core()).upload_tmp_dir = self.before };
        self.context.uploads.leave();
    }
}
