//! Declaring what the class builder cannot express: typed properties that scripts only read, and
//! return types that are unions.

use std::ffi::{c_int, c_void};

use ext_php_rs::ffi::{
    HashTable, IS_ARRAY, IS_FALSE, IS_LONG, IS_NULL, IS_OBJECT, IS_STRING, IS_TRUE,
    zend_class_entry, zend_empty_array, zend_function, zend_hash_str_find, zend_property_info,
    zend_string, zend_type, zval,
};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ClassEntry;

use crate::zend::string::Interned;

/// A set of types: one bit for each `IS_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types(u32);

impl Types {
    /// `int`
    pub const INT: Self = Self(1 << IS_LONG);
    /// `string`
    pub const STRING: Self = Self(1 << IS_STRING);
    /// `bool`
    pub const BOOL: Self = Self(1 << IS_FALSE | 1 << IS_TRUE);
    /// `false`
    pub const FALSE: Self = Self(1 << IS_FALSE);
    /// `array`
    pub const ARRAY: Self = Self(1 << IS_ARRAY);
    /// `object`
    pub const OBJECT: Self = Self(1 << IS_OBJECT);
    /// `null`
    pub const NULL: Self = Self(1 << IS_NULL);

    /// Both.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A property that PHP code reads and only this crate writes.
#[derive(Debug)]
pub struct Property {
    /// Its name.
    pub name: Interned,
    /// Its type.
    pub types: Types,
}

impl Property {
    /// A property.
    pub const fn new(name: &'static str, types: Types) -> Self {
        Self { name: Interned::new(name), types }
    }
}

/// Declares properties of a class that has just been registered: public, typed, readonly. Their slots
/// follow each other in this order, and are filled when an object is made.
pub fn properties(entry: &mut ClassEntry, properties: &[Property]) {
    for property in properties {
        property.name.init();
        let mut default = crate::zend::value::undef();
        let types = zend_type { ptr: std::ptr::null_mut(), type_mask: property.types.0 };
        // SAFETY: the class is registered, its name lives for ever, and UNDEF owns nothing.
        unsafe {
            zend_declare_typed_property(
                entry,
                property.name.as_ptr(),
                &raw mut default,
                (PUBLIC | READONLY) as c_int,
                std::ptr::null_mut(),
                types,
            );
        }
    }
}

/// Gives a method of a registered class its return type.
pub fn returns(entry: &ClassEntry, lower_name: &str, types: Types) {
    let table: *const HashTable = &raw const entry.function_table;
    // SAFETY: the table belongs to a registered class; its values point to functions. A function
    // that declares a return type has its place right before its first argument.
    unsafe {
        let found = zend_hash_str_find(table, lower_name.as_ptr().cast(), lower_name.len());
        let Some(found) = found.as_ref() else { return };
        let function = found.value.ptr.cast::<zend_function>();
        if (*function).common.fn_flags & HAS_RETURN_TYPE != 0 {
            let place = (*function).common.arg_info.sub(1);
            (*place).type_.ptr = std::ptr::null_mut::<c_void>();
            (*place).type_.type_mask = types.0;
        }
    }
}

/// An empty array that nobody counts.
pub fn empty_array() -> Zval {
    let mut value = Zval::new();
    value.value.arr = (&raw const zend_empty_array).cast_mut();
    value.u1.type_info = IS_ARRAY;
    value
}

const PUBLIC: u32 = ext_php_rs::ffi::ZEND_ACC_PUBLIC;
const HAS_RETURN_TYPE: u32 = ext_php_rs::ffi::ZEND_ACC_HAS_RETURN_TYPE;
/// `ZEND_ACC_READONLY`
const READONLY: u32 = 1 << 7;

unsafe extern "C" {
    fn zend_declare_typed_property(
        entry: *mut zend_class_entry,
        name: *mut zend_string,
        default: *mut zval,
        access: c_int,
        doc_comment: *mut zend_string,
        types: zend_type,
    ) -> *mut zend_property_info;
}
