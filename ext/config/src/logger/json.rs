//! Lines of the log as JSON objects (`log_format` => 'json'), one for each event.

use std::process;

use log::kv::{Error, Key, Value as Field, VisitSource, VisitValue};
use log::{Level, Record};
use serde_json::{Map, Value};
use wire::event::{self, LogEvent};
use wire::hex::Hex;
use wire::ids;
use wire::limits::{LOG_FIELD_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_RECORD_BYTES_MAX};

use super::bounded::{escaped, json_len};
use super::{LogSource, Timestamp};

/// The object, with a line end behind it.
pub fn line(now: Timestamp, role: LogSource, record: &Record<'_>) -> Vec<u8> {
    let mut object = Map::new();
    begin(&mut object, now, record.level(), LogEvent::MESSAGE, role);
    object.insert("message".into(), escaped(record.args(), LOG_LINE_BYTES_MAX).into());
    let mut fields = FieldCollector { object: &mut object, left: FIELDS_BYTES_MAX };
    // It fails for a visitor that refuses something: this one does not.
    let _ = record.key_values().visit(&mut fields);
    end(object)
}

/// What every line begins with.
pub fn begin(
    object: &mut Map<String, Value>,
    now: Timestamp,
    level: Level,
    event: &str,
    role: LogSource,
) {
    object.insert("time".into(), now.to_string().into());
    object.insert("level".into(), level.as_str().to_ascii_lowercase().into());
    object.insert("event".into(), event.into());
    object.insert("process".into(), writer(role));
}

/// The line: with the ids of the request that it is about, and its end.
pub fn end(mut object: Map<String, Value>) -> Vec<u8> {
    let ids = ids::current();
    if let Some(id) = ids.request {
        object.insert("request_id".into(), id.as_str().into());
    }
    if let Some(id) = &ids.trace {
        object.insert("trace_id".into(), Hex(id).to_string().into());
    }
    let mut text = Value::Object(object).to_string().into_bytes();
    text.push(b'\n');
    text
}

/// Which process says it.
fn writer(role: LogSource) -> Value {
    let mut writer = Map::new();
    let name = match role {
        LogSource::Script => "script",
        LogSource::Supervisor => "supervisor",
        LogSource::Reactor => "reactor",
        LogSource::Worker(_) => "worker",
    };
    writer.insert("role".into(), name.into());
    if let LogSource::Worker(id) = role {
        writer.insert("worker".into(), id.into());
    }
    writer.insert("pid".into(), process::id().into());
    Value::Object(writer)
}

/// Bytes of all texts beside the message.
const FIELDS_BYTES_MAX: usize = LOG_RECORD_BYTES_MAX / 2;

struct FieldCollector<'a> {
    object: &'a mut Map<String, Value>,
    /// Bytes of texts that may still come.
    left: usize,
}

impl<'kvs> VisitSource<'kvs> for FieldCollector<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Field<'kvs>) -> Result<(), Error> {
        let mut taken =
            ValueCollector { value: Value::Null, room: self.left.min(LOG_FIELD_BYTES_MAX) };
        value.visit(&mut taken)?;
        if let Value::String(text) = &taken.value {
            self.left = self.left.saturating_sub(json_len(text));
        }
        // What every line has is no event's to change, but for its name.
        if key.as_str() == event::KEY || !self.object.contains_key(key.as_str()) {
            self.object.insert(key.as_str().to_owned(), taken.value);
        }
        Ok(())
    }
}

struct ValueCollector {
    value: Value,
    /// Bytes of a text.
    room: usize,
}

impl VisitValue<'_> for ValueCollector {
    fn visit_any(&mut self, value: Field<'_>) -> Result<(), Error> {
        self.value = escaped(value, self.room).into();
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        self.value = Value::Null;
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        self.value = value.into();
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        self.value = value.into();
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        self.value = value.into();
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        self.value = value.into();
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), Error> {
        self.value = escaped(value, self.room).into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use wire::{RequestId, RequestIds};

    use super::*;

    fn parsed(role: LogSource, fields: &[(&str, Field<'_>)], message: &str) -> Value {
        let line = line(
            Timestamp(UNIX_EPOCH),
            role,
            &Record::builder()
                .level(Level::Warn)
                .key_values(&fields)
                .args(format_args!("{message}"))
                .build(),
        );
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&line).expect("one object")
    }

    #[test]
    fn a_line_is_an_object_whatever_the_text_holds() {
        let said = "a\nb\r\u{1b}\"}{\\ ü";
        let fields = [("event", "worker_died".into()), ("pid", 7.into()), ("path", said.into())];
        let object = parsed(LogSource::Worker(3), &fields, said);
        assert_eq!(object["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!((&object["level"], &object["event"]), (&"warn".into(), &"worker_died".into()));
        assert_eq!((&object["message"], &object["path"]), (&said.into(), &said.into()));
        assert_eq!(object["pid"], 7);
        assert_eq!(object["process"]["role"], "worker");
        assert_eq!(object["process"]["worker"], 3);
        assert_eq!(object["process"]["pid"], process::id());
    }

    #[test]
    fn a_line_without_a_name_is_a_message_and_fields_replace_nothing() {
        let object =
            parsed(LogSource::Reactor, &[("message", "x".into()), ("time", 0.into())], "said");
        assert_eq!((&object["event"], &object["message"]), (&"message".into(), &"said".into()));
        assert_eq!(object["time"], "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_line_about_a_request_has_its_id() {
        let ids = RequestIds { request: RequestId::parse(b"id-1"), trace: Some([0xa5; 16]) };
        let about = ids::about(&ids);
        let object = parsed(LogSource::Reactor, &[], "said");
        assert_eq!(
            (&object["request_id"], &object["trace_id"]),
            (&"id-1".into(), &"a5".repeat(16).into())
        );
        drop(about);
        assert_eq!(parsed(LogSource::Reactor, &[], "said").get("request_id"), None);
    }

    /// Whatever a client or PHP has said, and however JSON has to write it.
    #[test]
    fn a_line_is_bounded_whatever_it_quotes() {
        for long in ["ü".repeat(1 << 20), "\u{1}".repeat(1 << 20), "\"\n".repeat(1 << 20)] {
            let names: Vec<_> = (0..100).map(|nth| format!("field{nth}")).collect();
            let fields: Vec<(&str, Field<'_>)> =
                names.iter().map(|name| (&name[..], (&long[..]).into())).collect();
            let object = parsed(LogSource::Script, &fields, &long);
            let text = object["message"].as_str().expect("text");
            assert!(json_len(text) <= LOG_LINE_BYTES_MAX + 3 && text.ends_with('…'));
            let text = object["field0"].as_str().expect("text");
            assert!(json_len(text) <= LOG_FIELD_BYTES_MAX + 3 && text.ends_with('…'));
            assert!(object.to_string().len() <= LOG_RECORD_BYTES_MAX);
        }
    }
}
