//! Query strings, cookies and forms, read by PHP's own parsers: so `a[b][]=1` means what it always
//! means, and `max_input_vars`, `upload_max_filesize` and their like hold.

use std::cell::Cell;
use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ext_php_rs::ffi::{
    _emalloc, TRACK_VARS_COOKIE, TRACK_VARS_FILES, php_default_input_filter, php_default_treat_data,
};
use ext_php_rs::types::Zval;

use super::body::Body;
use super::handover::Handover;
use super::parser_source::ParserSource;
use crate::engine::zend::globals::{self, collect_warning};
#[cfg(php85)]
use crate::engine::zend::string::Text;
use crate::engine::zend::string::claim;
use crate::engine::zend::value::{self, Array};
use crate::engine::zend::{self, PARSE_COOKIE, PARSE_STRING};

/// What a parser has made of a client's input, and what it has left out.
#[derive(Debug)]
pub struct Parsed {
    /// The array, or NULL.
    pub value: Zval,
    /// PHP's warning, if a limit was reached.
    pub warning: Option<String>,
}

/// What was in a multipart form.
#[derive(Debug)]
pub struct Multipart {
    /// The fields: an array, or NULL.
    pub post: Zval,
    /// The uploads as in `$_FILES`, or NULL.
    pub files: Zval,
    /// The paths of the temporary files, or NULL.
    pub tmpfiles: Zval,
    /// PHP's warning, if a limit was reached.
    pub warning: Option<String>,
}

/// A query string, as `$_GET` would have it.
pub fn query(text: &[u8]) -> Parsed {
    parse_string(text)
}

/// A form in `application/x-www-form-urlencoded`, as `$_POST` would have it.
pub fn urlencoded(body: &Body) -> std::io::Result<Parsed> {
    let content = body.bytes()?;
    // A query string is cut at `arg_separator.input`, a form always at "&".
    // The setting is a C string, and since PHP 8.5 one of PHP's.
    #[cfg(php85)]
    let text = Text::new(b"&");
    #[cfg(php85)]
    let ampersand = text.as_ptr();
    #[cfg(not(php85))]
    let ampersand = c"&".as_ptr().cast_mut();
    // SAFETY: the setting is put back before anybody else can see it, and before the text is gone.
    let separator =
        unsafe { std::mem::replace(&mut (*globals::core()).arg_separator.input, ampersand) };
    let parsed = parse_string(&content);
    // SAFETY: as above.
    unsafe { (*globals::core()).arg_separator.input = separator };
    Ok(parsed)
}

/// The value of a `Cookie` field, as `$_COOKIE` would have it.
pub fn cookies(line: Vec<u8>) -> Parsed {
    let line = CString::new(line).unwrap_or_default();
    let parse = || {
        // SAFETY: the parser copies the text, and leaves its array in the globals.
        unsafe {
            (*globals::sapi()).request_info.cookie_data = line.as_ptr().cast_mut();
            php_default_treat_data(PARSE_COOKIE, std::ptr::null_mut(), std::ptr::null_mut());
            (*globals::sapi()).request_info.cookie_data = std::ptr::null_mut();
        }
    };
    let (((), warning), value) = globals::with_http_global(TRACK_VARS_COOKIE, || parsing(parse));
    Parsed { value: or_null(value), warning }
}

/// A form in `multipart/form-data`. Files go to `folder`; PHP remembers them for
/// `is_uploaded_file()` and `move_uploaded_file()` until [`discard_uploads`].
pub fn multipart(
    content_type: &[u8],
    body: &Body,
    with_files: bool,
    folder: &Path,
) -> std::io::Result<Multipart> {
    let mut content_type = content_type.to_vec();
    content_type.push(0);
    let directory = CString::new(folder.as_os_str().as_bytes()).unwrap_or_default();
    let mut source = ParserSource::new(body)?;
    let mut post = Array::with_capacity(0).into_value();
    let parse = || {
        let _settings =
            UploadSettings::install(&mut source, body.len().unwrap_or(0), with_files, &directory);
        let _handover = Handover::begin(body, folder, false, skip_source);
        // SAFETY: the type is a C string that may be written to, and `post` is an array.
        unsafe {
            zend::rfc1867_post_handler(content_type.as_mut_ptr().cast(), (&raw mut post).cast());
        }
    };
    let (((), warning), files) = globals::with_http_global(TRACK_VARS_FILES, || parsing(parse));
    Ok(Multipart {
        post: or_null(post),
        tmpfiles: temporary_files(),
        files: or_null(files),
        warning,
    })
}

/// Removes the temporary files of uploads that nobody has moved away.
pub fn discard_uploads() {
    // SAFETY: the engine's own function, for a table that exists; some versions of PHP leave the pointer.
    unsafe {
        if !(*globals::sapi()).rfc1867_uploaded_files.is_null() {
            zend::destroy_uploaded_files_hash();
            (*globals::sapi()).rfc1867_uploaded_files = std::ptr::null_mut();
        }
    }
}

/// In a copy that a handler has forked: its end must not remove what the worker still has.
pub fn forget_uploads() {
    // SAFETY: the engine takes no table for none; this one leaks with the process.
    unsafe { (*globals::sapi()).rfc1867_uploaded_files = std::ptr::null_mut() };
}

fn parse_string(text: &[u8]) -> Parsed {
    let mut array = Array::with_capacity(0).into_value();
    let ((), warning) = parsing(|| {
        // SAFETY: the parser frees the text, which is a C string of the engine's heap.
        unsafe { php_default_treat_data(PARSE_STRING, engine_text(text), &raw mut array) };
    });
    Parsed { value: array, warning }
}

/// A C string on the engine's heap. The parser stops at a NUL, so they are escaped.
fn engine_text(text: &[u8]) -> *mut c_char {
    let escaped;
    let text = if text.contains(&0) {
        escaped = text.split(|byte| *byte == 0).collect::<Vec<_>>().join(&b"%00"[..]);
        &escaped
    } else {
        text
    };
    // The parser copies a value twice more: decoded, and as PHP's string.
    claim(text.len().saturating_mul(3));
    // SAFETY: there is room for the text and its final NUL.
    unsafe {
        let copy = _emalloc(text.len() + 1).cast::<u8>();
        copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
        *copy.add(text.len()) = 0;
        copy.cast()
    }
}

/// Runs a parser. The filter extension keeps what it sees until the end of PHP's own request, which
/// is the end of this worker: it must not see a client's input.
fn parsing<R>(parse: impl FnOnce() -> R) -> (R, Option<String>) {
    // SAFETY: the function pointer is put back before anybody else can see it.
    unsafe {
        let module = globals::sapi_module();
        let filter = (*module).input_filter.replace(php_default_input_filter);
        let outcome = collect_warning(parse);
        (*module).input_filter = filter;
        outcome
    }
}

fn or_null(value: Zval) -> Zval {
    match value.array() {
        Some(array) if !array.is_empty() => value,
        _ => value::null(),
    }
}

fn temporary_files() -> Zval {
    // SAFETY: the table, if there is one, lives until the uploads are discarded. Its keys are the
    // paths; its values are bare pointers, which are none of PHP's.
    let Some(uploads) = (unsafe { (*globals::sapi()).rfc1867_uploaded_files.as_ref() }) else {
        return value::null();
    };
    let mut list = Array::with_capacity(uploads.len());
    for (path, _) in value::entries(uploads) {
        list.push(value::bytes(&path.to_bytes()));
    }
    or_null(list.into_value())
}

thread_local! {
    /// What PHP's parser reads from while [`UploadSettings`] are installed.
    static SOURCE: Cell<*mut ParserSource> = const { Cell::new(std::ptr::null_mut()) };
}

unsafe extern "C" fn read_source(buffer: *mut c_char, len: usize) -> usize {
    // SAFETY: the parser passes room for `len` bytes, and the source lives as long as the settings.
    unsafe {
        let Some(source) = SOURCE.get().as_mut() else { return 0 };
        buffer.cast::<u8>().write_bytes(0, len);
        source.fill(std::slice::from_raw_parts_mut(buffer.cast(), len))
    }
}

fn skip_source(count: u64) -> bool {
    // SAFETY: the source lives as long as the settings, and is not being read: the parser has called back.
    unsafe { SOURCE.get().as_mut() }.is_some_and(|source| source.skip(count))
}

/// The settings under which the upload parser runs; put back when dropped.
struct UploadSettings {
    read_post: Option<unsafe extern "C" fn(*mut c_char, usize) -> usize>,
    progress: zend::Rfc1867Callback,
    content_length: i64,
    post_max_size: i64,
    file_uploads: bool,
    upload_tmp_dir: *mut c_char,
}

impl UploadSettings {
    fn install(source: &mut ParserSource, len: u64, with_files: bool, directory: &CString) -> Self {
        SOURCE.set(source);
        // SAFETY: plain settings of the only thread; all are put back before PHP code runs again.
        unsafe {
            let (sapi, core) = (globals::sapi(), globals::core());
            let module = globals::sapi_module();
            let before = Self {
                read_post: (*module).read_post,
                // The session extension would start sessions of its own accord.
                progress: zend::php_rfc1867_callback.replace(None),
                content_length: (*sapi).request_info.content_length,
                post_max_size: (*sapi).post_max_size,
                file_uploads: (*core).file_uploads,
                upload_tmp_dir: (*core).upload_tmp_dir,
            };
            (*module).read_post = Some(read_source);
            (*sapi).request_info.content_length = len as i64;
            (*sapi).read_post_bytes = 0;
            (*sapi).post_read = 0;
            // The server's own bound for bodies holds instead.
            (*sapi).post_max_size = 0;
            (*core).file_uploads = before.file_uploads && with_files;
            if !directory.is_empty() {
                (*core).upload_tmp_dir = directory.as_ptr().cast_mut();
            }
            before
        }
    }
}

impl Drop for UploadSettings {
    fn drop(&mut self) {
        SOURCE.set(std::ptr::null_mut());
        // SAFETY: puts back what was there.
        unsafe {
            let (sapi, core) = (globals::sapi(), globals::core());
            (*globals::sapi_module()).read_post = self.read_post;
            zend::php_rfc1867_callback.replace(self.progress);
            (*sapi).request_info.content_length = self.content_length;
            (*sapi).post_max_size = self.post_max_size;
            (*core).file_uploads = self.file_uploads;
            (*core).upload_tmp_dir = self.upload_tmp_dir;
        }
    }
}
