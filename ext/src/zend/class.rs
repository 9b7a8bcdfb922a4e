//! Where a registered class entry is kept.

use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::args::ArgInfoTables;
use ext_php_rs::ffi::{IS_ARRAY, IS_FALSE, IS_NULL, IS_STRING, zend_function, zend_hash_str_find};
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

/// A union type: one bit for each `IS_*`. The builder cannot express them.
pub type Mask = u32;

/// `string|false`.
pub const STRING_OR_FALSE: Mask = 1 << IS_STRING | 1 << IS_FALSE;
/// `array|string|null`.
pub const ARRAY_STRING_OR_NULL: Mask = 1 << IS_ARRAY | 1 << IS_STRING | 1 << IS_NULL;

/// Gives a registered method a union type: for what it returns, or for the argument with this index
/// (from 0). It must have been declared with some type.
pub fn set_type(entry: &ClassEntry, lower_name: &str, argument: Option<usize>, mask: Mask) {
    let table = &raw const entry.function_table;
    // SAFETY: the table belongs to a registered class; its values point to functions, and the engine
    // keeps its own copies of their argument tables, where the returned type lies first.
    unsafe {
        let found = zend_hash_str_find(table, lower_name.as_ptr().cast(), lower_name.len());
        let Some(found) = found.as_ref() else { return };
        let function = found.value.ptr.cast::<zend_function>();
        let arguments = (*function).common.arg_info;
        let place = match argument {
            None => arguments.sub(1),
            Some(index) if index < (*function).common.num_args as usize => arguments.add(index),
            Some(_) => return,
        };
        (*place).type_.type_mask = mask;
    }
}
