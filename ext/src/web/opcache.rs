//! opcache's shared memory, which the supervisor parts from where workers leave its script.

pub use config::opcache::Parted;
use ext_php_rs::ffi::{zend_hash_str_find, zend_ini_entry};

use super::settings;
use crate::engine::zend::globals;

/// Has opcache wait for as long as the memory is in use.
pub fn kill_nobody() {
    settings::apply(&[("opcache.force_restart_timeout".to_owned(), b"0".to_vec())]);
}

/// Has the supervisor go on in a copy of its memory. See [`config::opcache`]. To be called before the first fork.
/// `None`: opcache has none, or it cannot be done.
pub fn part() -> Option<Parted> {
    config::opcache::part(landmark()?)
}

/// An address in the memory: opcache keeps the names of settings there. `None`: it does not.
fn landmark() -> Option<usize> {
    // SAFETY: the table and its entries live as long as the process.
    unsafe {
        let settings = (*globals::executor()).ini_directives;
        let found =
            zend_hash_str_find(settings, c"opcache.enable".as_ptr(), "opcache.enable".len());
        Some((*found.as_ref()?.value.ptr.cast::<zend_ini_entry>()).name as usize)
    }
}
