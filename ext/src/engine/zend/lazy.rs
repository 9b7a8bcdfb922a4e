//! Properties that are made at their first access.
//!
//! A lazy property is a declared one whose slot is UNDEF at first. The engine reads and writes slots
//! that hold something by itself, and asks the object's handlers about UNDEF ones: these fill
//! the slot and leave the rest to the standard handler. So the property is an ordinary one in every
//! use: nested writes, references, unset(), foreach.

use std::ffi::{c_int, c_void};

use ext_php_rs::ffi::{
    HashTable, IS_UNDEF, zend_object, zend_object_handlers, zend_std_compare_objects,
    zend_std_get_properties, zend_std_get_property_ptr_ptr, zend_std_has_property,
    zend_std_read_property, zend_std_unset_property, zend_std_write_property, zend_string, zval,
};
use ext_php_rs::types::Zval;

use super::object::{NativeObject, Object};
use super::signature::Property;

/// A class with lazy properties: those whose stub has neither a type nor a default.
pub trait Lazy: NativeObject {
    /// One bit for each slot whose property has been neither made nor given up. At first
    /// it is the `LAZY` of the class's signature.
    fn pending(&mut self) -> &mut u16;

    /// The value of the property with this slot. May [`offer`] others.
    ///
    /// # Safety
    ///
    /// `this` is live, and no reference into it exists.
    unsafe fn make(this: *mut Object<Self>, slot: usize) -> Zval;
}

/// Puts the handlers into a class's table.
pub fn adapt<T: Lazy>(handlers: &mut zend_object_handlers) {
    handlers.read_property = Some(read_property::<T>);
    handlers.write_property = Some(write_property::<T>);
    handlers.has_property = Some(has_property::<T>);
    handlers.get_property_ptr_ptr = Some(get_property_ptr_ptr::<T>);
    handlers.unset_property = Some(unset_property::<T>);
    handlers.get_properties = Some(get_properties::<T>);
    handlers.get_gc = Some(get_gc);
    handlers.compare = Some(compare::<T>);
}

/// Puts a value into the slot of a lazy property that is still pending, and drops it otherwise.
///
/// # Safety
///
/// `this` is live, no reference into its state exists, and `slot` is that of a lazy property.
pub unsafe fn offer<T: Lazy>(this: *mut Object<T>, slot: usize, value: Zval) {
    // SAFETY: the caller's promise.
    unsafe {
        let pending = (*this).state.pending();
        if *pending & 1 << slot != 0 {
            *pending &= !(1 << slot);
            put(this, slot, value);
        }
    }
}

/// Empties the slot of a lazy property: it will be made anew at its next access.
///
/// # Safety
///
/// As for [`offer`].
pub unsafe fn forget<T: Lazy>(this: *mut Object<T>, slot: usize) {
    // SAFETY: the caller's promise. The old value is taken out before it is released.
    unsafe {
        let pending = (*this).state.pending();
        if *pending & 1 << slot != 0 {
            return;
        }
        *pending |= 1 << slot;
        drop(std::ptr::replace(Object::slot(this, slot), super::value::undef()));
    }
}

/// # Safety
///
/// As for [`offer`].
unsafe fn put<T: Lazy>(this: *mut Object<T>, slot: usize, value: Zval) {
    // SAFETY: the caller's promise; an UNDEF slot owns nothing, so it may be overwritten.
    unsafe {
        let slot = Object::slot(this, slot);
        if (*slot).u1.type_info == IS_UNDEF {
            slot.write(value);
        }
    }
}

unsafe fn make_one<T: Lazy>(this: *mut Object<T>, slot: usize) {
    // SAFETY: the caller has checked that the property is pending.
    unsafe {
        // Cleared first: what `make` calls may look at the property.
        *(*this).state.pending() &= !(1 << slot);
        let value = T::make(this, slot);
        put(this, slot, value);
    }
}

/// The slot of the lazy property with this name, if it is pending.
///
/// # Safety
///
/// `name` points to a live string.
unsafe fn named<T: Lazy>(pending: u16, name: *mut zend_string) -> Option<usize> {
    let properties = T::class().signature().properties.iter().enumerate();
    // SAFETY: the caller's promise.
    let is_it = |(_, property): &(usize, &Property)| unsafe { property.name.is(name) };
    let mut pending = properties.filter(|(slot, _)| pending & 1 << slot != 0);
    pending.find(is_it).map(|(slot, _)| slot)
}

unsafe fn make_named<T: Lazy>(object: *mut zend_object, name: *mut zend_string) {
    // SAFETY: the engine passes a live object of this class and a live string.
    unsafe {
        let this = Object::<T>::of(object);
        if let Some(slot) = named::<T>(*(*this).state.pending(), name) {
            make_one(this, slot);
        }
    }
}

/// A property that the script has written or unset is not made any more.
unsafe fn give_up<T: Lazy>(object: *mut zend_object, name: *mut zend_string) {
    // SAFETY: the engine passes a live object of this class and a live string.
    unsafe {
        let pending = (*Object::<T>::of(object)).state.pending();
        if let Some(slot) = named::<T>(*pending, name) {
            *pending &= !(1 << slot);
        }
    }
}

unsafe fn make_all<T: Lazy>(object: *mut zend_object) {
    // SAFETY: the engine passes a live object of this class.
    unsafe {
        let this = Object::<T>::of(object);
        loop {
            let pending = *(*this).state.pending();
            if pending == 0 {
                return;
            }
            make_one(this, pending.trailing_zeros() as usize);
        }
    }
}

/// The engine iterates over the table of properties, once there is one, without asking: nothing may
/// be pending behind it.
unsafe fn table_made<T: Lazy>(object: *mut zend_object, had_table: bool) {
    // SAFETY: the engine passes a live object of this class.
    unsafe {
        if !had_table && !(*object).properties.is_null() {
            make_all::<T>(object);
        }
    }
}

unsafe extern "C" fn read_property<T: Lazy>(
    object: *mut zend_object,
    name: *mut zend_string,
    kind: c_int,
    cache: *mut *mut c_void,
    rv: *mut zval,
) -> *mut zval {
    // SAFETY: the arguments are the engine's, passed on to its own handler.
    unsafe {
        make_named::<T>(object, name);
        zend_std_read_property(object, name, kind, cache, rv)
    }
}

unsafe extern "C" fn write_property<T: Lazy>(
    object: *mut zend_object,
    name: *mut zend_string,
    value: *mut zval,
    cache: *mut *mut c_void,
) -> *mut zval {
    // SAFETY: as above.
    unsafe {
        give_up::<T>(object, name);
        let had_table = !(*object).properties.is_null();
        let written = zend_std_write_property(object, name, value, cache);
        table_made::<T>(object, had_table);
        written
    }
}

unsafe extern "C" fn has_property<T: Lazy>(
    object: *mut zend_object,
    name: *mut zend_string,
    kind: c_int,
    cache: *mut *mut c_void,
) -> c_int {
    // SAFETY: as above.
    unsafe {
        make_named::<T>(object, name);
        zend_std_has_property(object, name, kind, cache)
    }
}

unsafe extern "C" fn get_property_ptr_ptr<T: Lazy>(
    object: *mut zend_object,
    name: *mut zend_string,
    kind: c_int,
    cache: *mut *mut c_void,
) -> *mut zval {
    // SAFETY: as above.
    unsafe {
        make_named::<T>(object, name);
        let had_table = !(*object).properties.is_null();
        let slot = zend_std_get_property_ptr_ptr(object, name, kind, cache);
        table_made::<T>(object, had_table);
        slot
    }
}

unsafe extern "C" fn unset_property<T: Lazy>(
    object: *mut zend_object,
    name: *mut zend_string,
    cache: *mut *mut c_void,
) {
    // SAFETY: as above.
    unsafe {
        give_up::<T>(object, name);
        zend_std_unset_property(object, name, cache);
    }
}

unsafe extern "C" fn get_properties<T: Lazy>(object: *mut zend_object) -> *mut HashTable {
    // SAFETY: as above.
    unsafe {
        make_all::<T>(object);
        zend_std_get_properties(object)
    }
}

/// The collector must see what is there, and make nothing: the standard handler would call
/// `get_properties`.
unsafe extern "C" fn get_gc(
    object: *mut zend_object,
    table: *mut *mut zval,
    count: *mut c_int,
) -> *mut HashTable {
    // SAFETY: the engine passes a live object and places for the answer.
    unsafe {
        if (*object).properties.is_null() {
            *table = (&raw mut (*object).properties_table).cast();
            *count = (*(*object).ce).default_properties_count;
        } else {
            *table = std::ptr::null_mut();
            *count = 0;
        }
        (*object).properties
    }
}

unsafe extern "C" fn compare<T: Lazy>(left: *mut zval, right: *mut zval) -> c_int {
    // SAFETY: the engine passes two live values, at least one of them an object of this class.
    unsafe {
        for value in [left, right] {
            if let Some(object) = (*value).object_mut()
                && std::ptr::fn_addr_eq(
                    (*object.handlers).compare.unwrap_or(zend_std_compare_objects),
                    compare::<T> as unsafe extern "C" fn(*mut zval, *mut zval) -> c_int,
                )
            {
                make_all::<T>(object);
            }
        }
        zend_std_compare_objects(left, right)
    }
}
