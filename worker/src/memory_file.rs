//! Content in a file that lies in memory, so that it can leave by sendfile.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// A file that holds this content and nothing else.
pub(crate) fn holding(content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(c"ferrite-response", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(content)?;
    Ok(file.into())
}
