//! [`Lines`]: the header or trailer fields that a handler has set.

use ext_php_rs::types::Zval;
use reactor::protocol::message::{content_length, is_field_text, is_token, may_trail};
use wire::limits::RESPONSE_HEAD_BYTES_MAX;
use wire::{Fields, FieldsBuilder};

use crate::engine::zend::string::Text;
use crate::engine::zend::value::{self, Array};
use crate::php::error::Failure;

/// One field line, in PHP's own strings: nothing is copied before the head is built.
#[derive(Debug, Clone)]
struct Line {
    name: Text,
    value: Text,
}

/// Field lines in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub struct Lines(Vec<Line>);

impl Lines {
    /// Replaces all lines of a field by these values.
    pub fn set(&mut self, name: &Text, values: impl IntoIterator<Item = Text>) {
        self.remove(name.as_bytes());
        self.append(name, values);
    }

    /// Adds lines of a field behind those that it has.
    pub fn append(&mut self, name: &Text, values: impl IntoIterator<Item = Text>) {
        self.0.extend(values.into_iter().map(|value| Line { name: name.clone(), value }));
    }

    /// Removes all lines of a field.
    pub fn remove(&mut self, name: &[u8]) {
        self.0.retain(|line| !line.name.as_bytes().eq_ignore_ascii_case(name));
    }

    /// Removes all lines.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Names and values, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|line| (line.name.as_bytes(), line.value.as_bytes()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first value of a field.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let line = self.0.iter().find(|line| line.name.as_bytes().eq_ignore_ascii_case(name));
        line.map(|line| line.value.as_bytes())
    }

    /// The lines as a message carries them, with more behind them.
    pub fn build(&self, more: &[(&[u8], &[u8])]) -> Result<Fields, Failure> {
        let lines = || {
            let own = self.0.iter().map(|line| (line.name.as_bytes(), line.value.as_bytes()));
            own.chain(more.iter().copied())
        };
        let bytes: usize = lines().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > RESPONSE_HEAD_BYTES_MAX {
            return Err(Failure::State(format!(
                "the fields of the response have {bytes} bytes; at most {RESPONSE_HEAD_BYTES_MAX} \
                 are possible"
            )));
        }
        let mut builder = FieldsBuilder::with_capacity(self.0.len() + more.len(), bytes);
        for (name, value) in lines() {
            builder.push(name, value);
        }
        Ok(builder.build())
    }

    /// As PHP sees them: name as it was set, to the value or the list of values. NULL when empty.
    pub fn array(&self) -> Zval {
        if self.0.is_empty() {
            return value::null();
        }
        let mut array = Array::with_capacity(self.0.len());
        for (at, line) in self.0.iter().enumerate() {
            let same = |other: &&Line| other.name.as_bytes() == line.name.as_bytes();
            if self.0[..at].iter().any(|other| same(&other)) {
                continue;
            }
            let mut values = self.0[at..].iter().filter(same).map(|line| line.value.clone());
            let (first, second) = (values.next(), values.next());
            let content = match (first, second) {
                (Some(only), None) => value::text(only),
                (first, second) => {
                    let mut list = Array::with_capacity(2);
                    let all = first.into_iter().chain(second).chain(values);
                    all.for_each(|value| list.push(value::text(value)));
                    list.into_value()
                }
            };
            array.set_symbol(line.name.as_bytes(), content);
        }
        array.into_value()
    }
}

/// Whether a second line of this field would make the message malformed or ambiguous (RFC 9110, 5.3).
pub fn is_single(name: &[u8]) -> bool {
    [&b"content-length"[..], b"content-type", b"location"]
        .iter()
        .any(|single| name.eq_ignore_ascii_case(single))
}

/// Refuses a name that is none (RFC 9110, 5.1).
pub fn check_name(argument: u32, name: &[u8]) -> Result<(), Failure> {
    if name.len() > usize::from(u16::MAX) {
        return Err(Failure::Value(argument, "must be shorter than 64 KiB".into()));
    }
    if !is_token(name) {
        return Err(Failure::Value(
            argument,
            format!("must be a field name, \"{}\" is none", shown(name)),
        ));
    }
    Ok(())
}

/// Refuses a value that would not stay in its line (RFC 9110, 5.5), and a length that is none.
pub fn check_value(argument: u32, name: &[u8], value: &[u8]) -> Result<(), Failure> {
    if !is_field_text(value) {
        return Err(Failure::Value(
            argument,
            format!("must not contain CR, LF, NUL or another control character in {}", shown(name)),
        ));
    }
    if name.eq_ignore_ascii_case(b"content-length") && content_length(value).is_none() {
        return Err(Failure::Value(argument, "must be a number in Content-Length".into()));
    }
    Ok(())
}

/// Refuses a field that must not be a trailer (RFC 9110, 6.5.1).
pub fn check_trailer(argument: u32, name: &[u8]) -> Result<(), Failure> {
    if may_trail(&name.to_ascii_lowercase()) {
        return Ok(());
    }
    Err(Failure::Value(argument, format!("must not be {}, which cannot be a trailer", shown(name))))
}

/// Text in an error message, without what could break the line.
fn shown(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}
