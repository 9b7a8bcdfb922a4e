//! Content of responses in the memory that workers fill, as bytes that are sent from there.

use std::ptr;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use wire::shm::arena::Loan;

/// Content where it lies: the block is free again when the last of these bytes is dropped. A copy when
/// so many blocks are on loan that the worker might find none.
pub fn content(loan: Loan) -> Bytes {
    let view = View(loan);
    if view.0.is_scarce() { Bytes::copy_from_slice(view.as_ref()) } else { Bytes::from_owner(view) }
}

/// A block that is on loan, as bytes.
struct View(Loan);

impl AsRef<[u8]> for View {
    fn as_ref(&self) -> &[u8] {
        let (words, len): (&[AtomicU64], usize) = self.0.words();
        debug_assert!(len <= size_of_val(words));
        // SAFETY: the words are at least `len` initialised bytes, in memory that is mapped as long as
        // the process lives. A worker does not write a block that is on loan. One that is broken or
        // hostile can: then these bytes change while they are looked at, which is content that is
        // wrong, of that worker's own response. Nothing here or below decides by them: they are
        // copied, encrypted and written, and a length is never among them.
        unsafe { &*ptr::slice_from_raw_parts(words.as_ptr().cast(), len) }
    }
}
