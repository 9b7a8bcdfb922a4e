//! Reads files for protocols whose frames are not made of files.

use bytes::{Bytes, BytesMut};
use nix::sys::uio::pread;
use wire::FileSlice;

/// Reads at most `len` bytes from the start of a slice; `None` when it cannot be read.
pub fn read(slice: &FileSlice, len: usize) -> Option<Bytes> {
    let len = usize::try_from(slice.len).unwrap_or(usize::MAX).min(len);
    let mut bytes = BytesMut::zeroed(len);
    loop {
        match pread(&slice.fd, &mut bytes, i64::try_from(slice.offset).ok()?) {
            Ok(read) => {
                bytes.truncate(read);
                return Some(bytes.freeze());
            }
            Err(nix::Error::EINTR) => {}
            Err(_) => return None,
        }
    }
}
