//! The context of a line that an application logs: from PHP's array to JSON, within bounds, and without
//! running code of the application.

use config::logger::context::{ContextRoom, Map, Value};
use ext_php_rs::types::{ZendHashTable, ZendObject, Zval};
use wire::limits::LOG_CONTEXT_DEPTH_MAX;

use crate::engine::thrown::{class_name, thrown};
use crate::engine::zend::string::bytes;
use crate::engine::zend::value::{ArrayKey, entries};

/// The context; `None` when there is nothing in it. What is past the bounds is left out, and `…` says so.
pub fn of(array: &Zval) -> Option<Value> {
    let table = array.array().filter(|table| !table.is_empty())?;
    Some(object(table, LOG_CONTEXT_DEPTH_MAX, &mut ContextRoom::default()))
}

fn json(value: &Zval, depth: usize, room: &mut ContextRoom) -> Value {
    let value = value.dereference();
    if let Some(number) = value.long() {
        return number.into();
    }
    if let Some(yes) = value.bool() {
        return yes.into();
    }
    if let Some(number) = value.double() {
        return ContextRoom::number(number);
    }
    if let Some(text) = value.zend_str() {
        // SAFETY: the array keeps the string alive, and no PHP code runs meanwhile.
        return room.text(unsafe { bytes(text) }).into();
    }
    if let Some(table) = value.array() {
        return match depth.checked_sub(1) {
            None => ContextRoom::cut().into(),
            Some(depth) if table.has_sequential_keys() => list(table, depth, room),
            Some(depth) => object(table, depth, room),
        };
    }
    match value.object() {
        Some(object) => described(object, depth, room),
        None if value.is_null() => Value::Null,
        None => room.text(value.get_type().to_string().as_bytes()).into(),
    }
}

fn list(table: &ZendHashTable, depth: usize, room: &mut ContextRoom) -> Value {
    let mut list = Vec::new();
    for (_, value) in entries(table) {
        if !room.take() {
            list.push(ContextRoom::cut().into());
            break;
        }
        list.push(json(value, depth, room));
    }
    Value::Array(list)
}

fn object(table: &ZendHashTable, depth: usize, room: &mut ContextRoom) -> Value {
    let mut object = Map::new();
    for (key, value) in entries(table) {
        if !room.take() {
            object.insert(ContextRoom::cut(), Value::Null);
            break;
        }
        let key = room.text(&key_of(key));
        let value = json(value, depth, room);
        object.insert(key, value);
    }
    Value::Object(object)
}

fn key_of(key: ArrayKey<'_>) -> std::borrow::Cow<'_, [u8]> {
    match key {
        ArrayKey::Index(number) => number.to_string().into_bytes().into(),
        ArrayKey::Text(text) => text.into(),
    }
}

/// Exceptions by what they say, other objects by their class: anything more might run code.
fn described(object: &ZendObject, depth: usize, room: &mut ContextRoom) -> Value {
    let Some((thrown, previous)) = thrown(object) else {
        return room.text(format!("object of {}", class_name(object)).as_bytes()).into();
    };
    let mut said = Map::new();
    said.insert("class".into(), room.text(thrown.class.as_bytes()).into());
    said.insert("message".into(), room.text(thrown.message.as_bytes()).into());
    said.insert("file".into(), room.text(thrown.file.as_bytes()).into());
    said.insert("line".into(), thrown.line.into());
    if let (Some(previous), Some(depth)) = (previous.object(), depth.checked_sub(1))
        && room.take()
    {
        said.insert("previous".into(), described(previous, depth, room));
    }
    Value::Object(said)
}
