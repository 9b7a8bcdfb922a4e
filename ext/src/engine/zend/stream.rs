//! PHP streams that read from Rust.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ext_php_rs::ffi::{php_stream, php_stream_ops};
use ext_php_rs::types::Zval;

use super::value;

/// What a stream reads from.
pub trait Source {
    /// Fills the beginning of `buffer`; 0 at the end. May wait. An error is what PHP's warning says, and
    /// the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String>;
}

/// Bytes that one `fread()` gives at most; PHP's own bound is 8 KiB, for streams that are no files.
const CHUNK_BYTES: usize = 64 << 10;

/// A stream that can be read and not be written to; NULL if the engine makes none.
pub fn open(source: Box<dyn Source>) -> Zval {
    // A pointer to it fits the one word that the engine keeps.
    let source = Box::into_raw(Box::new(source));
    // SAFETY: the functions in `OPS` take what this stream was made with; `mode` is copied.
    let stream = unsafe {
        _php_stream_alloc(&raw const OPS, source.cast(), std::ptr::null(), c"rb".as_ptr())
    };
    // SAFETY: the engine's new stream, or null.
    let Some(stream) = (unsafe { stream.as_mut() }) else {
        // SAFETY: the engine has not taken it.
        drop(unsafe { Box::from_raw(source) });
        return value::null();
    };
    stream.chunk_size = CHUNK_BYTES;
    // As `php_stream_to_zval()` does: the value owns the stream.
    stream.set___exposed(1);
    value::resource(stream.res)
}

static OPS: Ops = Ops(php_stream_ops {
    write: None,
    read: Some(read),
    close: Some(close),
    flush: None,
    label: LABEL.as_ptr(),
    seek: None,
    cast: None,
    stat: None,
    set_option: None,
});

const LABEL: &CStr = c"ferrite";

/// Constant functions, and a pointer to a constant.
#[repr(transparent)]
struct Ops(php_stream_ops);

// SAFETY: nothing in it ever changes.
unsafe impl Sync for Ops {}

unsafe extern "C" fn read(stream: *mut php_stream, buffer: *mut c_char, len: usize) -> isize {
    // SAFETY: the engine passes room for `len` bytes, and a stream that `open` has made, whose source
    // lives until `close`.
    let outcome = unsafe {
        buffer.cast::<u8>().write_bytes(0, len);
        let buffer = std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len);
        let source = (*stream).abstract_.cast::<Box<dyn Source>>();
        catch_unwind(AssertUnwindSafe(|| (*source).read(buffer)))
    };
    let outcome = outcome.unwrap_or_else(|_| Err("Ferrite has failed here".to_owned()));
    let read = outcome.as_ref().copied().unwrap_or_default();
    if read == 0 {
        // SAFETY: as above.
        unsafe { (*stream).set_eof(1) };
    }
    if let Err(message) = outcome {
        // Nothing of the source is borrowed.
        super::warn(&message);
        return -1;
    }
    read as isize
}

unsafe extern "C" fn close(stream: *mut php_stream, _close_handle: c_int) -> c_int {
    // SAFETY: the engine closes a stream once; the pointer is that of `open`.
    drop(unsafe { Box::from_raw((*stream).abstract_.cast::<Box<dyn Source>>()) });
    0
}

unsafe extern "C" {
    fn _php_stream_alloc(
        ops: *const Ops,
        source: *mut c_void,
        persistent_id: *const c_char,
        mode: *const c_char,
    ) -> *mut php_stream;
}
