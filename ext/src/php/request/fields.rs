//! `$request->header` and `$request->trailer`.

use ext_php_rs::ffi::{IS_ARRAY, zval};
use ext_php_rs::types::Zval;
use wire::Fields;

use super::names;
use crate::engine::zend::string::{Text, bytes};
use crate::engine::zend::value::{self, Array};

/// Fields as an array: names in lower case, values as strings. A field that was sent more than once
/// becomes a list of its values, except that
/// - `cookie` lines are one list, cut up for compression (RFC 9113, 8.2.3): they are put together;
/// - of a field that is a single value by definition, the last one counts.
///
/// NULL when there is none.
pub fn array(fields: &Fields) -> Zval {
    if fields.is_empty() {
        return value::null();
    }
    let mut array = Array::with_capacity(fields.len());
    for (name, content) in fields.iter() {
        let key = names::field(name);
        // Names that PHP arrays would take for numbers go the long way.
        if matches!(name.first(), Some(b'0'..=b'9' | b'-')) {
            array.set_symbol(name, value::bytes(content));
            continue;
        }
        match array.get_mut(&key) {
            None => array.set_text(&key, value::bytes(content)),
            Some(_) if is_single(name) => array.set_text(&key, value::bytes(content)),
            Some(first) => append(first, name, content),
        }
    }
    array.into_value()
}

/// The cookies of a request as one line (RFC 6265, 5.4); `None` when there is none.
pub fn cookie_line(fields: &Fields) -> Option<Vec<u8>> {
    let mut lines = fields.get_all(b"cookie");
    let mut line = lines.next()?.to_vec();
    for more in lines {
        line.extend_from_slice(b"; ");
        line.extend_from_slice(more);
    }
    Some(line)
}

/// Fields that are defined as one value, not as a list (RFC 9110, 5.6.1).
fn is_single(name: &[u8]) -> bool {
    matches!(
        name,
        b"authorization"
            | b"content-length"
            | b"content-type"
            | b"date"
            | b"from"
            | b"host"
            | b"if-modified-since"
            | b"if-range"
            | b"if-unmodified-since"
            | b"origin"
            | b"proxy-authorization"
            | b"range"
            | b"referer"
            | b"user-agent"
    )
}

fn append(element: &mut zval, name: &[u8], content: &[u8]) {
    // SAFETY: an element of our own array holds a string or an array that nobody shares.
    let first = match unsafe { element.u1.v.type_ } {
        kind if u32::from(kind) == IS_ARRAY => {
            // SAFETY: as the type says.
            let mut list = std::mem::ManuallyDrop::new(unsafe { Array::of(element.value.arr) });
            list.push(value::bytes(content));
            return;
        }
        // SAFETY: as above.
        _ => unsafe { Text::share(element.value.str_) },
    };
    *element = if name == b"cookie" {
        // SAFETY: `first` keeps the string alive.
        let line = [unsafe { bytes(first.as_ptr()) }, b"; ", content].concat();
        value::bytes(&line)
    } else {
        let mut list = Array::with_capacity(2);
        list.push(value::text(first));
        list.push(value::bytes(content));
        list.into_value()
    };
}
