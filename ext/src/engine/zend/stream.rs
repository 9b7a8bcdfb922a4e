//! PHP streams that read from Rust.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::SeekFrom;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ext_php_rs::ffi::{php_stream, php_stream_ops};
use ext_php_rs::types::Zval;

use super::value;

/// What a stream reads from.
pub trait StreamOps {
    /// Fills the beginning of `buffer`; 0 at the end. May wait. An error is what PHP's warning says, and
    /// the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String>;

    /// Goes to a place of a stream that can; `None`: there is no such place.
    fn seek(&mut self, to: SeekFrom) -> Option<u64> {
        let _ = to;
        None
    }
}

/// Bytes that one `fread()` gives at most; PHP's own bound is 8 KiB, for streams that are no files.
const CHUNK_BYTES: usize = 64 << 10;

/// A stream that can be read and not be written to, and go back if its source can; NULL if the engine
/// makes none.
pub fn open(source: Box<dyn StreamOps>, seekable: bool) -> Zval {
    let functions = if seekable { &SEEKABLE } else { &OPS };
    // SAFETY: the engine's new stream, or null.
    let Some(stream) = (unsafe { make(source, functions).as_mut() }) else { return value::null() };
    // As `php_stream_to_zval()` does: the value owns the stream.
    stream.set___exposed(1);
    value::resource(stream.res)
}

/// A stream of the engine's own that can go back; null if it makes none. The end of the script frees it.
pub fn open_unowned(source: Box<dyn StreamOps>) -> *mut php_stream {
    make(source, &SEEKABLE)
}

fn make(source: Box<dyn StreamOps>, functions: &'static Ops) -> *mut php_stream {
    // A pointer to it fits the one word that the engine keeps.
    let source = Box::into_raw(Box::new(source));
    // SAFETY: the functions take what this stream was made with; `mode` is copied.
    unsafe {
        let stream = _php_stream_alloc(functions, source.cast(), std::ptr::null(), c"rb".as_ptr());
        match stream.as_mut() {
            Some(stream) => stream.chunk_size = CHUNK_BYTES,
            // The engine has not taken it.
            None => drop(Box::from_raw(source)),
        }
        stream
    }
}

static OPS: Ops = Ops(FUNCTIONS);

static SEEKABLE: Ops = Ops(php_stream_ops { seek: Some(seek), ..FUNCTIONS });

const FUNCTIONS: php_stream_ops = php_stream_ops {
    write: None,
    read: Some(read),
    close: Some(close),
    flush: None,
    label: LABEL.as_ptr(),
    seek: None,
    cast: None,
    stat: None,
    set_option: None,
};

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
        let source = (*stream).abstract_.cast::<Box<dyn StreamOps>>();
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

unsafe extern "C" fn seek(
    stream: *mut php_stream,
    offset: i64,
    whence: c_int,
    reached: *mut i64,
) -> c_int {
    let to = match (whence, u64::try_from(offset)) {
        (SEEK_SET, Ok(offset)) => SeekFrom::Start(offset),
        (SEEK_CUR, _) => SeekFrom::Current(offset),
        (SEEK_END, _) => SeekFrom::End(offset),
        _ => return -1,
    };
    // SAFETY: the engine passes room for the answer, and a stream that `make` has made, whose source
    // lives until `close`.
    unsafe {
        let source = (*stream).abstract_.cast::<Box<dyn StreamOps>>();
        let place = catch_unwind(AssertUnwindSafe(|| (*source).seek(to))).ok().flatten();
        match place.and_then(|place| i64::try_from(place).ok()) {
            Some(place) => {
                *reached = place;
                0
            }
            None => -1,
        }
    }
}

const SEEK_SET: c_int = 0;
const SEEK_CUR: c_int = 1;
const SEEK_END: c_int = 2;

unsafe extern "C" fn close(stream: *mut php_stream, _close_handle: c_int) -> c_int {
    // SAFETY: the engine closes a stream once; the pointer is that of `open`.
    drop(unsafe { Box::from_raw((*stream).abstract_.cast::<Box<dyn StreamOps>>()) });
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
