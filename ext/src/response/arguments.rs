//! Arguments of the response's methods.

use std::ffi::CStr;

use ext_php_rs::ffi::zval;

use super::lines::check_value;
use crate::error::Failure;
use crate::zend::string::Text;
use crate::zend::value::entries;
use crate::zend::{zend_zval_type_name, zval_try_get_string_func};

/// Takes the arguments of a call by PHP's rules: `parse!(call, specification, place…)?`. The
/// specification's letters must fit the places' types: `S` a string pointer, `P` one without NUL,
/// `l` an integer, `b` a `bool`, `z` a value pointer.
macro_rules! parse {
    ($call:expr, $specification:literal, $($place:ident),+) => {{
        let (count, specification) = ($call.count(), $specification);
        // SAFETY: the places are as many and of such types as the specification says.
        let outcome = unsafe {
            $crate::zend::zend_parse_parameters(
                count, specification.as_ptr(), $(&raw mut $place),+
            )
        };
        if outcome == $crate::zend::SUCCESS { Ok(()) } else { Err(Failure::Pending) }
    }};
}
pub(super) use parse;

/// The values that `header()` was given.
#[derive(Debug)]
pub enum Values {
    /// One.
    One(Text),
    /// A list of them; an empty one for NULL.
    Many(Vec<Text>),
}

/// Takes the values of a field out of an argument, and checks them.
pub fn field_values(argument: u32, name: &[u8], content: &mut zval) -> Result<Values, Failure> {
    let content = content.dereference_mut();
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
        let mut element = element.shallow_clone();
        values.push(field_value(argument, name, element.dereference_mut())?);
    }
    if values.len() > 1 && name.eq_ignore_ascii_case(b"content-length") {
        return Err(Failure::Value(argument, "must be a number in Content-Length".into()));
    }
    Ok(Values::Many(values))
}

fn field_value(argument: u32, name: &[u8], content: &mut zval) -> Result<Text, Failure> {
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
    // SAFETY: the value is live; objects are asked for __toString(), which may throw.
    let text = unsafe { Text::adopt(zval_try_get_string_func(content)) };
    let text = text.ok_or(Failure::Pending)?;
    check_value(argument, name, text.as_bytes())?;
    Ok(text)
}
