//! Makers of PHP values and arrays.

use ext_php_rs::ffi::{
    _zend_new_array, GC_IMMUTABLE, HashPosition, HashTable, IS_ARRAY, IS_ARRAY_EX, IS_DOUBLE,
    IS_FALSE, IS_INTERNED_STRING_EX, IS_LONG, IS_NULL, IS_RESOURCE_EX, IS_STRING_EX, IS_TRUE,
    IS_UNDEF, zend_empty_array, zend_hash_find, zend_hash_get_current_data_ex,
    zend_hash_move_forward_ex, zend_hash_next_index_insert, zend_hash_update, zend_object,
    zend_resource, zend_string, zval,
};
use ext_php_rs::types::Zval;

use super::string::{Text, bytes as bytes_of};
use super::{add_assoc_zval_ex, zend_hash_get_current_key_ex, zend_hash_internal_pointer_reset_ex};

/// `IS_OBJECT_EX`: counted and collectable.
const OBJECT: u32 = ext_php_rs::ffi::IS_OBJECT_EX;

/// A value of PHP's that has no destructor in Rust: whoever gets it owns it.
pub fn undef() -> Zval {
    let mut value = Zval::new();
    value.u1.type_info = IS_UNDEF;
    value
}

/// NULL.
pub fn null() -> Zval {
    let mut value = Zval::new();
    value.u1.type_info = IS_NULL;
    value
}

/// true or false
pub fn boolean(yes: bool) -> Zval {
    let mut value = Zval::new();
    value.u1.type_info = if yes { IS_TRUE } else { IS_FALSE };
    value
}

/// An integer.
pub fn long(number: i64) -> Zval {
    let mut value = Zval::new();
    value.value.lval = number;
    value.u1.type_info = IS_LONG;
    value
}

/// A floating point number.
pub fn double(number: f64) -> Zval {
    let mut value = Zval::new();
    value.value.dval = number;
    value.u1.type_info = IS_DOUBLE;
    value
}

/// The engine's immutable empty array, which is not counted.
pub fn empty_array() -> Zval {
    let mut value = Zval::new();
    value.value.arr = (&raw const zend_empty_array).cast_mut();
    value.u1.type_info = IS_ARRAY;
    value
}

/// A string; the reference moves into the value.
pub fn text(text: Text) -> Zval {
    raw_text(text.into_raw())
}

/// A resource; the reference moves into the value.
pub fn resource(resource: *mut zend_resource) -> Zval {
    let mut value = Zval::new();
    value.value.res = resource;
    value.u1.type_info = IS_RESOURCE_EX;
    value
}

/// A new string.
pub fn bytes(content: &[u8]) -> Zval {
    text(Text::new(content))
}

/// A string that is known to live for ever.
pub fn interned(string: &super::string::Interned) -> Zval {
    raw_text(string.as_ptr())
}

fn raw_text(string: *mut zend_string) -> Zval {
    let mut value = Zval::new();
    value.value.str_ = string;
    // SAFETY: the string is live: it comes from a `Text` or is interned.
    let interned = unsafe { (*string).gc.u.type_info & GC_IMMUTABLE != 0 };
    value.u1.type_info = if interned { IS_INTERNED_STRING_EX } else { IS_STRING_EX };
    value
}

/// One more reference to an object.
///
/// # Safety
///
/// `object` points to a live object.
pub unsafe fn object(object: *mut zend_object) -> Zval {
    // SAFETY: the caller's promise.
    unsafe {
        (*object).gc.refcount += 1;
        owned_object(object)
    }
}

/// A reference to an object, which moves into the value.
///
/// # Safety
///
/// `object` points to a live object, and one reference is the caller's.
pub unsafe fn owned_object(object: *mut zend_object) -> Zval {
    let mut value = Zval::new();
    value.value.obj = object;
    value.u1.type_info = OBJECT;
    value
}

/// A key of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayKey<'a> {
    /// A number.
    Index(i64),
    /// A text, in any bytes.
    Text(&'a [u8]),
}

impl ArrayKey<'_> {
    /// The key as PHP code would write it.
    pub fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Index(number) => number.to_string().into_bytes(),
            Self::Text(text) => text.to_vec(),
        }
    }
}

/// The entries of an array, in their order. Values may be references: see `Zval::dereference`. No PHP
/// code may run while it is walked through.
pub fn entries(table: &HashTable) -> impl Iterator<Item = (ArrayKey<'_>, &zval)> {
    let place = std::ptr::from_ref(table).cast_mut();
    let mut position: HashPosition = 0;
    // A table that PHP has walked through itself may begin with holes.
    let mut begun = false;
    std::iter::from_fn(move || {
        let mut key = std::ptr::null_mut::<zend_string>();
        let mut index = 0;
        // SAFETY: the table is borrowed, so it stays as it is; a key lives as long as its entry.
        unsafe {
            if std::mem::replace(&mut begun, true) {
                zend_hash_move_forward_ex(place, &raw mut position);
            } else {
                zend_hash_internal_pointer_reset_ex(place, &raw mut position);
            }
            let value = zend_hash_get_current_data_ex(place, &raw mut position).as_ref()?;
            zend_hash_get_current_key_ex(place, &raw mut key, &raw mut index, &raw const position);
            let key = match key.is_null() {
                true => ArrayKey::Index(index as i64),
                false => ArrayKey::Text(bytes_of(key)),
            };
            Some((key, value))
        }
    })
}

/// A PHP array that is being built.
#[derive(Debug)]
pub struct Array(*mut HashTable);

impl Array {
    /// An empty array with room for `capacity` elements.
    pub fn with_capacity(capacity: usize) -> Self {
        // SAFETY: the engine bails out instead of returning null.
        Self(unsafe { _zend_new_array(u32::try_from(capacity).unwrap_or(0)) })
    }

    /// An array with one reference.
    ///
    /// # Safety
    ///
    /// The table is live and has one reference, which the caller gives away or keeps from being
    /// dropped twice.
    pub unsafe fn of(table: *mut HashTable) -> Self {
        Self(table)
    }

    /// Sets `key`, which does not look like a number.
    pub fn set(&mut self, key: &super::string::Interned, value: Zval) {
        // SAFETY: the table is ours, and the key is interned.
        unsafe { zend_hash_update(self.0, key.as_ptr(), moved(value).as_mut_ptr()) };
    }

    /// Sets a key as PHP code would: one that looks like a number becomes one.
    pub fn set_symbol(&mut self, key: &[u8], value: Zval) {
        let mut array = std::mem::ManuallyDrop::new(Zval::new());
        array.value.arr = self.0;
        array.u1.type_info = IS_ARRAY_EX;
        // SAFETY: the key is copied and the value moves into the table.
        unsafe {
            add_assoc_zval_ex(
                &raw mut *array,
                key.as_ptr().cast(),
                key.len(),
                moved(value).as_mut_ptr(),
            );
        }
    }

    /// Sets a key that does not look like a number, by a string that is shared.
    pub fn set_text(&mut self, key: &Text, value: Zval) {
        // SAFETY: the table counts its own reference to the key.
        unsafe { zend_hash_update(self.0, key.as_ptr(), moved(value).as_mut_ptr()) };
    }

    /// The element at `key`, which does not look like a number.
    pub fn get_mut(&mut self, key: &Text) -> Option<&mut zval> {
        // SAFETY: the table is ours, and so is the element as long as `self` is borrowed.
        unsafe { zend_hash_find(self.0, key.as_ptr()).as_mut() }
    }

    /// Appends an element.
    pub fn push(&mut self, value: Zval) {
        // SAFETY: the table is ours.
        unsafe { zend_hash_next_index_insert(self.0, moved(value).as_mut_ptr()) };
    }

    /// The array as a value.
    pub fn into_value(self) -> Zval {
        let mut value = Zval::new();
        value.value.arr = std::mem::ManuallyDrop::new(self).0;
        value.u1.type_info = IS_ARRAY_EX;
        value
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        drop(Array(self.0).into_value());
    }
}

/// A value whose ownership the engine takes by copying its bytes.
pub fn moved(value: Zval) -> std::mem::MaybeUninit<zval> {
    std::mem::MaybeUninit::new(value)
}
