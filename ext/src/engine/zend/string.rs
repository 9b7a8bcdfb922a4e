//! PHP strings: owned references ([`Text`]) and interned names ([`Interned`]).

use std::ffi::{c_char, c_int, c_void};
use std::mem::{ManuallyDrop, offset_of};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::ffi::{
    _emalloc, E_ERROR, GC_IMMUTABLE, ext_php_rs_zend_string_init, ext_php_rs_zend_string_release,
    zend_string, zend_string_init_interned,
};

use super::{globals, zend_error, zend_memory_usage};

/// `GC_STRING`: a string, not collectable.
const GC_STRING: u32 = 6 | 1 << 4;

/// One reference to a PHP string.
#[derive(Debug)]
pub struct Text(NonNull<zend_string>);

impl Text {
    /// A new string with this content.
    pub fn new(content: &[u8]) -> Self {
        claim(content.len());
        // SAFETY: the content is copied. The engine does not return null: it bails out.
        unsafe {
            let string = ext_php_rs_zend_string_init(content.as_ptr().cast(), content.len(), false);
            Self(NonNull::new_unchecked(string))
        }
    }

    /// A new string of `len` bytes that `fill` writes. `fill` gets zeroed memory.
    pub fn filled<E>(len: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let head = offset_of!(zend_string, val);
        // The engine rounds strings up to 8 bytes; one is for the final NUL.
        let size = (head + len + 1).next_multiple_of(8);
        claim(size);
        // SAFETY: `size` covers head, content and NUL; every field is written before it is read.
        let mut text = unsafe {
            let string = _emalloc(size).cast::<zend_string>();
            (*string).gc.refcount = 1;
            (*string).gc.u.type_info = GC_STRING;
            (*string).h = 0;
            (*string).len = len;
            string.cast::<u8>().add(head).write_bytes(0, size - head);
            Self(NonNull::new_unchecked(string))
        };
        // SAFETY: the string is new, so nobody else sees its content.
        fill(unsafe { std::slice::from_raw_parts_mut(text.content_mut(), len) })?;
        Ok(text)
    }

    /// One more reference to a string that somebody else owns.
    ///
    /// # Safety
    ///
    /// `string` points to a live string.
    pub unsafe fn share(string: *mut zend_string) -> Self {
        // SAFETY: the caller's promise. Interned strings are shared without counting.
        unsafe {
            if (*string).gc.u.type_info & GC_IMMUTABLE == 0 {
                (*string).gc.refcount += 1;
            }
            Self(NonNull::new_unchecked(string))
        }
    }

    /// Takes over a reference; `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// `string` is null, or points to a live string of which the caller owns one reference.
    pub unsafe fn adopt(string: *mut zend_string) -> Option<Self> {
        NonNull::new(string).map(Self)
    }

    /// Gives the reference away.
    pub fn into_raw(self) -> *mut zend_string {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// The string, still owned by `self`.
    pub fn as_ptr(&self) -> *mut zend_string {
        self.0.as_ptr()
    }

    /// The content.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the reference keeps the string alive.
        unsafe { bytes(self.0.as_ptr()) }
    }

    /// The content as a C string, which ends at its first NUL.
    pub fn c_str(&self) -> *const c_char {
        self.as_bytes().as_ptr().cast()
    }

    fn content_mut(&mut self) -> *mut u8 {
        let head = offset_of!(zend_string, val);
        // SAFETY: the content lies behind the head in one allocation.
        unsafe { self.0.as_ptr().cast::<u8>().add(head) }
    }
}

impl Clone for Text {
    fn clone(&self) -> Self {
        // SAFETY: the reference keeps the string alive.
        unsafe { Self::share(self.0.as_ptr()) }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: one reference is ours.
        unsafe { ext_php_rs_zend_string_release(self.0.as_ptr()) }
    }
}

/// To be called before so much is taken from the engine's heap at once. What goes beyond `memory_limit`
/// is PHP's fatal error here: some builds of PHP end the process at once, without an answer to the
/// client, when an extension takes twice the limit.
pub fn claim(bytes: usize) {
    if bytes < CLAIMED_BYTES_MIN {
        return;
    }
    // SAFETY: only reads globals; the format takes two numbers of this size. The error does not return.
    unsafe {
        let limit = (*globals::core()).memory_limit;
        if let Ok(limit) = usize::try_from(limit)
            && limit > 0
            && zend_memory_usage(true).saturating_add(bytes) > limit
        {
            zend_error(
                E_ERROR as c_int,
                c"Allowed memory size of %zu bytes exhausted (tried to allocate %zu bytes)"
                    .as_ptr(),
                limit,
                bytes,
            );
        }
    }
}

/// Less than so much is far from twice any limit, and not worth a look.
const CLAIMED_BYTES_MIN: usize = 1 << 20;

/// The content of a string.
///
/// # Safety
///
/// `string` points to a string that lives for `'a`, unchanged.
pub unsafe fn bytes<'a>(string: *const zend_string) -> &'a [u8] {
    // SAFETY: the caller's promise; the content lies behind the head in one allocation.
    unsafe {
        let content = string.cast::<c_void>().byte_add(offset_of!(zend_string, val));
        std::slice::from_raw_parts(content.cast(), (*string).len)
    }
}

/// A string of the program that PHP sees too: made once at module startup, never counted, compared
/// by address.
#[derive(Debug)]
pub struct Interned {
    text: &'static str,
    string: AtomicPtr<zend_string>,
}

impl Interned {
    /// The string, not yet known to PHP.
    pub const fn new(text: &'static str) -> Self {
        Self { text, string: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Makes it known to PHP. At module startup only: later ones would die with the request.
    pub fn init(&self) {
        // SAFETY: the engine sets the function pointer before any extension starts, and no other
        // thread runs.
        let string = unsafe { zend_string_init_interned }
            // SAFETY: the text is copied.
            .map(|init| unsafe { init(self.text.as_ptr().cast(), self.text.len(), true) });
        if let Some(string) = string {
            self.string.store(string, Ordering::Relaxed);
        }
    }

    /// The string as PHP knows it.
    pub fn as_ptr(&self) -> *mut zend_string {
        self.string.load(Ordering::Relaxed)
    }

    /// The text.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Whether a PHP string has this content.
    ///
    /// # Safety
    ///
    /// `string` points to a live string.
    pub unsafe fn is(&self, string: *const zend_string) -> bool {
        // SAFETY: the caller's promise.
        std::ptr::eq(self.as_ptr(), string) || unsafe { bytes(string) } == self.text.as_bytes()
    }
}
