//! The values of a field, as methods of a response are given them.

use std::ffi::CStr;

use ext_php_rs::types::Zval;

use super::lines::check_value;
use crate::engine::zend::string::Text;
use crate::engine::zend::value::entries;
use crate::engine::zend::{zend_zval_type_name, zval_try_get_string_func};
use crate::php::error::Failure;

/// The values that `header()` was given.
#[derive(Debug)]
pub enum Values {
    /// One.
    One(Text),
    /// A list of them; an empty one for NULL.
    Many(Vec<Text>),
}

/// Takes the values of a field out of an argument, and checks them.
pub fn field_values(argument: u32, name: &[u8], content: &Zval) -> Result<Values, Failure> {
    let content = content.dereference();
    if content.is_null() {
        return Ok(Values::Many(Vec::new()));
    }
    // One more reference: __toString() of an element may change the variable that holds the array.
    let held = content.shallow_clone();
    let Some(array) = held.array() else {
        return field_value(argument, name, content).map(Values::One);
    };
    let mut values = Vec::with_capacity(array.len());
    for (_, element) in entries(array) {
        let element = element.shallow_clone();
        values.push(field_value(argument, name, element.dereference())?);
    }
    if values.len() > 1 && name.eq_ignore_ascii_case(b"content-length") {
        return Err(Failure::Value(argument, "must be a number in Content-Length".into()));
    }
    Ok(Values::Many(values))
}

fn field_value(argument: u32, name: &[u8], content: &Zval) -> Result<Text, Failure> {
    let is_text = content.is_string() || content.is_long() || content.is_double();
    if !is_text && !content.is_object() {
        // SAFETY: the engine returns a constant C string.
        let kind = unsafe { CStr::from_ptr(zend_zval_type_name(content)) };
        return Err(Failure::Type(
            argument,
            format!(
                "must be a string, a list of strings or null, {} given",
                kind.to_string_lossy()
            ),
        ));
    }
    // SAFETY: the value is live, and only read; objects are asked for __toString(), which may throw.
    let text =
        unsafe { Text::adopt(zval_try_get_string_func(std::ptr::from_ref(content).cast_mut())) };
    let text = text.ok_or(Failure::Pending)?;
    check_value(argument, name, text.as_bytes())?;
    Ok(text)
}
