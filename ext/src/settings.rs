//! Converts the array of `set()` to option assignments, and keeps the property `$setting`.

use config::options;
use config::options::option_type::Assignment;
use config::options::table::Scope;
use config::options::value::Value;
use ext_php_rs::ffi::zval;
use ext_php_rs::types::{ZendHashTable, Zval};

use crate::engine::zend::value::{Array, ArrayKey, entries};
use crate::php::error::Failure;

/// The options of a property `$setting`, by their keys.
///
/// # Safety
///
/// `slot` points to the slot of a live object.
pub unsafe fn of_slot(slot: *mut zval) -> Vec<(String, Value)> {
    // SAFETY: the caller's promise.
    let array = unsafe { &*slot }.array();
    let entries = array.into_iter().flat_map(entries);
    entries.map(|(key, value)| (text(key), convert(value, ARRAY_DEPTH_MAX))).collect()
}

/// Checks every option of an array, all or nothing.
pub fn check(given: &Zval, scope: Scope) -> Result<Vec<Assignment>, Failure> {
    let Some(array) = given.array() else { return Ok(Vec::new()) };
    entries(array).map(|(key, value)| check_one(key, value, scope)).collect()
}

/// Merges an array into the array of a property's slot.
///
/// # Safety
///
/// `slot` points to the slot of a live object.
pub unsafe fn merge_slot(slot: *mut zval, given: &Zval) {
    // SAFETY: the caller's promise.
    let former = unsafe { &*slot };
    let mut merged = Array::with_capacity(former.array().map_or(0, ZendHashTable::len));
    for array in [former.array(), given.array()].into_iter().flatten() {
        for (key, value) in entries(array) {
            merged.set_symbol(&key.to_bytes(), value.shallow_clone());
        }
    }
    // SAFETY: the caller's promise; the old value is taken out before it is released.
    drop(unsafe { std::ptr::replace(slot, merged.into_value()) });
}

/// The error of `set()`, `on()` and `listen()` after `start()`.
pub fn too_late(method: &str) -> Failure {
    Failure::State(format!("{method}() is possible before start() only"))
}

fn check_one(key: ArrayKey<'_>, value: &Zval, scope: Scope) -> Result<Assignment, Failure> {
    let key = text(key);
    options::check(&key, &convert(value, ARRAY_DEPTH_MAX), scope).map_err(|error| {
        let message = format!("is not valid: {error}");
        if error.is_type() { Failure::Type(1, message) } else { Failure::Value(1, message) }
    })
}

/// Arrays within arrays that any option takes. An array may contain itself.
const ARRAY_DEPTH_MAX: u8 = 2;

/// Bytes that are not UTF-8 are replaced: no option's name has any.
fn text(key: ArrayKey<'_>) -> String {
    String::from_utf8_lossy(&key.to_bytes()).into_owned()
}

fn convert(value: &Zval, depth: u8) -> Value {
    let value = value.dereference();
    if value.is_null() {
        Value::Null
    } else if let Some(on) = value.bool() {
        Value::Bool(on)
    } else if let Some(number) = value.long().filter(|_| value.is_long()) {
        Value::Int(number)
    } else if let Some(number) = value.double().filter(|_| value.is_double()) {
        Value::Float(number)
    } else if let Some(text) = value.zend_str() {
        Value::Text(String::from_utf8_lossy(text.as_bytes()).into_owned())
    } else if let Some(array) = value.array() {
        if depth == 0 {
            return Value::Other("an array within arrays");
        }
        let entries = entries(array).map(|(key, value)| (text(key), convert(value, depth - 1)));
        Value::Array(entries.collect())
    } else if value.is_object() {
        Value::Other("an object")
    } else {
        Value::Other("a resource")
    }
}
