//! Where a registered class entry is kept.

use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::args::ArgInfoTables;
use ext_php_rs::ffi::{zend_function, zend_hash_str_find};
use ext_php_rs::zend::ClassEntry;

/// The class entry of one class, set once at module startup.
#[derive(Debug)]
pub struct ClassCell(AtomicPtr<ClassEntry>);

impl ClassCell {
    /// An empty cell.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Keeps the entry, and the argument tables that its methods point to, for ever.
    pub fn set(&self, entry: &'static mut ClassEntry, tables: ArgInfoTables) {
        Box::leak(tables);
        self.0.store(entry, Ordering::Release);
    }

    /// The class entry as the engine wants it; null before the module has started.
    pub fn as_ptr(&self) -> *mut ClassEntry {
        self.0.load(Ordering::Relaxed)
    }

    /// The class entry.
    pub fn get(&self) -> &'static ClassEntry {
        // SAFETY: classes are registered when the module starts, before anything can ask.
        unsafe { &*self.as_ptr() }
    }
}

impl Default for ClassCell {
    fn default() -> Self {
        Self::new()
    }
}

/// Gives the argument `index` (from 0) of a registered method a union type, which the builder
/// cannot express: `mask` has one bit for each `IS_*`.
pub fn set_argument_type(entry: &ClassEntry, lower_name: &str, index: usize, mask: u32) {
    let table = &raw const entry.function_table;
    // SAFETY: the table belongs to a registered class; its values point to functions, whose
    // argument tables the engine has copied and never shares.
    unsafe {
        let found = zend_hash_str_find(table, lower_name.as_ptr().cast(), lower_name.len());
        let Some(found) = found.as_ref() else { return };
        let function = found.value.ptr.cast::<zend_function>();
        if index < (*function).common.num_args as usize {
            (*(*function).common.arg_info.add(index)).type_.type_mask = mask;
        }
    }
}
