//! [`OptionType`]: what values an option takes, and where they go.

use std::fmt;
use std::time::Duration;

use reactor::config::TrustedProxies;

use super::config::ConfigBuilder;
use super::tls::NamedCertificate;
use super::value::Value;

/// The type and range of an option, with the place its value goes to.
#[derive(Clone, Copy)]
pub enum OptionType {
    /// true or false
    Switch(fn(&mut ConfigBuilder, bool)),
    /// A whole number.
    Count {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// Where it goes.
        set: fn(&mut ConfigBuilder, i64),
    },
    /// A number of bytes, also as `"2M"`.
    Bytes {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// Where it goes.
        set: fn(&mut ConfigBuilder, u64),
    },
    /// A time in seconds, also in fractions.
    Seconds {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// Where it goes.
        set: fn(&mut ConfigBuilder, Duration),
    },
    /// A string without NUL bytes.
    Text(fn(&mut ConfigBuilder, &str)),
    /// A list of strings without control characters.
    List(fn(&mut ConfigBuilder, &[String])),
    /// Strings by keys that are strings, without control characters.
    Map(fn(&mut ConfigBuilder, &[(String, String)])),
    /// A string, or a switch.
    SwitchOrText(fn(&mut ConfigBuilder, BoolOr<'_>)),
    /// One of a few words, or nothing.
    Word {
        /// The words.
        words: &'static [&'static str],
        /// Where it goes.
        set: fn(&mut ConfigBuilder, &str),
    },
    /// A sum of these constants, or 0.
    Flags {
        /// The constants.
        of: &'static [(&'static str, i64)],
        /// Where it goes.
        set: fn(&mut ConfigBuilder, i64),
    },
    /// Permissions of a file: an octal number, also as a string of octal digits.
    Permissions(fn(&mut ConfigBuilder, u32)),
    /// A list of CPUs, by their numbers.
    Cpus(fn(&mut ConfigBuilder, &[usize])),
    /// Settings of PHP's, by their names, as php.ini has them.
    Ini(fn(&mut ConfigBuilder, &[(String, String)])),
    /// Addresses and networks of proxies.
    Proxies(fn(&mut ConfigBuilder, &TrustedProxies)),
    /// Certificates by server name.
    Certificates(fn(&mut ConfigBuilder, &[NamedCertificate])),
    /// What the function finds good; in words; where it goes.
    Parsed(fn(&Value) -> Result<(), InvalidValue>, &'static str, fn(&mut ConfigBuilder, &Value)),
    /// Known from Swoole, without effect here: only values that ask for nothing are taken.
    Absent(NoOp),
}

/// The value of a [`OptionType::SwitchOrText`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoolOr<'a> {
    /// true or false
    Switch(bool),
    /// The string.
    Text(&'a str),
}

/// The values of an option without effect that are taken.
#[derive(Debug, Clone, Copy)]
pub enum NoOp {
    /// Every value: the option refines another one that is absent.
    Any,
    /// false, 0, an empty string or array, null.
    Off,
    /// true or 1.
    On,
    /// One of these numbers.
    OneOf(&'static [i64]),
}

/// A value that has been found good, on its way to where it belongs.
#[derive(Clone)]
pub enum Assignment {
    /// See [`OptionType::Switch`].
    Switch(fn(&mut ConfigBuilder, bool), bool),
    /// See [`OptionType::Count`].
    Count(fn(&mut ConfigBuilder, i64), i64),
    /// See [`OptionType::Bytes`].
    Bytes(fn(&mut ConfigBuilder, u64), u64),
    /// See [`OptionType::Seconds`].
    Seconds(fn(&mut ConfigBuilder, Duration), Duration),
    /// See [`OptionType::Text`].
    Text(fn(&mut ConfigBuilder, &str), String),
    /// See [`OptionType::List`].
    List(fn(&mut ConfigBuilder, &[String]), Vec<String>),
    /// See [`OptionType::Map`].
    Map(fn(&mut ConfigBuilder, &[(String, String)]), Vec<(String, String)>),
    /// See [`OptionType::SwitchOrText`], the switch.
    Switched(fn(&mut ConfigBuilder, BoolOr<'_>), bool),
    /// See [`OptionType::SwitchOrText`], the string.
    Named(fn(&mut ConfigBuilder, BoolOr<'_>), String),
    /// See [`OptionType::Permissions`].
    Permissions(fn(&mut ConfigBuilder, u32), u32),
    /// See [`OptionType::Cpus`].
    Cpus(fn(&mut ConfigBuilder, &[usize]), Vec<usize>),
    /// See [`OptionType::Proxies`].
    Proxies(fn(&mut ConfigBuilder, &TrustedProxies), TrustedProxies),
    /// See [`OptionType::Certificates`].
    Certificates(fn(&mut ConfigBuilder, &[NamedCertificate]), Vec<NamedCertificate>),
    /// See [`OptionType::Parsed`].
    Parsed(fn(&mut ConfigBuilder, &Value), Value),
    /// See [`OptionType::Absent`].
    Nothing,
}

/// The value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidValue {
    /// Its type is wrong.
    Type,
    /// Its type is right, but it is outside of the range.
    Range,
    /// This entry of a list is none that is known.
    Entry(String),
    /// It asks for something that does not exist here.
    Absent,
}

impl OptionType {
    /// Checks a value.
    pub fn accept(&self, value: &Value) -> Result<Assignment, InvalidValue> {
        match *self {
            Self::Switch(set) => {
                let invalid = if matches!(value, Value::Int(_)) {
                    InvalidValue::Range
                } else {
                    InvalidValue::Type
                };
                Ok(Assignment::Switch(set, value.switch().ok_or(invalid)?))
            }
            Self::Count { min, max, set } => {
                let count = value.int().ok_or(InvalidValue::Type)?;
                within(count, min, max).map(|count| Assignment::Count(set, count))
            }
            Self::Bytes { min, max, set } => {
                let invalid = if matches!(value, Value::Int(_) | Value::Text(_)) {
                    InvalidValue::Range
                } else {
                    InvalidValue::Type
                };
                within(value.bytes().ok_or(invalid)?, min, max)
                    .map(|bytes| Assignment::Bytes(set, bytes))
            }
            Self::Seconds { min, max, set } => {
                let seconds = within(value.seconds().ok_or(InvalidValue::Type)?, min, max)?;
                let time = Duration::try_from_secs_f64(seconds).map_err(|_| InvalidValue::Range)?;
                Ok(Assignment::Seconds(set, time))
            }
            Self::Text(set) => match value {
                Value::Text(text) if text.contains('\0') => Err(InvalidValue::Range),
                Value::Text(text) => Ok(Assignment::Text(set, text.clone())),
                _ => Err(InvalidValue::Type),
            },
            Self::List(set) => Ok(Assignment::List(set, list(value)?)),
            Self::Map(set) => Ok(Assignment::Map(set, texts(value)?)),
            Self::SwitchOrText(set) => match value {
                Value::Bool(on) => Ok(Assignment::Switched(set, *on)),
                Value::Text(text) if text.bytes().any(|b| b.is_ascii_control()) => {
                    Err(InvalidValue::Range)
                }
                Value::Text(text) => Ok(Assignment::Named(set, text.clone())),
                _ => Err(InvalidValue::Type),
            },
            Self::Word { words, set } => match value {
                value if value.is_off() => Ok(Assignment::Text(set, String::new())),
                Value::Text(word) if words.contains(&word.as_str()) => {
                    Ok(Assignment::Text(set, word.clone()))
                }
                Value::Text(_) => Err(InvalidValue::Range),
                _ => Err(InvalidValue::Type),
            },
            Self::Flags { of, set } => Ok(Assignment::Count(set, flags(value, of)?)),
            Self::Permissions(set) => Ok(Assignment::Permissions(set, permissions(value)?)),
            Self::Ini(set) => {
                value.ini_settings().map(|v| Assignment::Map(set, v)).ok_or(InvalidValue::Type)
            }
            Self::Cpus(set) => Ok(Assignment::Cpus(set, cpus(value)?)),
            Self::Proxies(set) => Ok(Assignment::Proxies(set, proxies(value)?)),
            Self::Certificates(set) => Ok(Assignment::Certificates(set, certificates(value)?)),
            Self::Parsed(check, _, set) => {
                check(value).map(|()| Assignment::Parsed(set, value.clone()))
            }
            Self::Absent(no_op) => match no_op.covers(value) {
                true => Ok(Assignment::Nothing),
                false => Err(InvalidValue::Absent),
            },
        }
    }
}

fn flags(value: &Value, of: &[(&str, i64)]) -> Result<i64, InvalidValue> {
    let all = of.iter().fold(0, |all, (_, bit)| all | bit);
    let flags = value.int().ok_or(InvalidValue::Type)?;
    if flags & !all == 0 { Ok(flags) } else { Err(InvalidValue::Range) }
}

fn certificates(value: &Value) -> Result<Vec<NamedCertificate>, InvalidValue> {
    let Value::Array(entries) = value else { return Err(InvalidValue::Type) };
    let named = entries.iter().map(|(name, entry)| named_certificate(name, entry));
    named.collect::<Option<_>>().ok_or(InvalidValue::Range)
}

/// The keys are of no interest.
fn list(value: &Value) -> Result<Vec<String>, InvalidValue> {
    Ok(texts(value)?.into_iter().map(|(_, text)| text).collect())
}

fn texts(value: &Value) -> Result<Vec<(String, String)>, InvalidValue> {
    let Value::Array(entries) = value else { return Err(InvalidValue::Type) };
    let text = |(key, entry): &(String, Value)| match entry {
        Value::Text(text) if !key.chars().chain(text.chars()).any(char::is_control) => {
            Some((key.clone(), text.clone()))
        }
        _ => None,
    };
    entries.iter().map(text).collect::<Option<_>>().ok_or(InvalidValue::Range)
}

fn permissions(value: &Value) -> Result<u32, InvalidValue> {
    let bits = match value {
        Value::Int(bits) => Some(*bits),
        Value::Text(digits) => i64::from_str_radix(digits, 8).ok(),
        _ => return Err(InvalidValue::Type),
    };
    within(bits.ok_or(InvalidValue::Range)?, 0, 0o777).map(|bits| bits as u32)
}

fn cpus(value: &Value) -> Result<Vec<usize>, InvalidValue> {
    let Value::Array(entries) = value else { return Err(InvalidValue::Type) };
    let number = |(_, entry): &(String, Value)| usize::try_from(entry.int()?).ok();
    entries.iter().map(number).collect::<Option<_>>().ok_or(InvalidValue::Range)
}

/// A list, also as a string with commas, as environment variables have it.
fn proxies(value: &Value) -> Result<TrustedProxies, InvalidValue> {
    let words: Vec<&str> = match value {
        Value::Array(entries) => {
            let words = entries.iter().map(|(_, entry)| entry.text());
            words.collect::<Option<_>>().ok_or(InvalidValue::Type)?
        }
        Value::Text(list) => {
            list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
        }
        _ => return Err(InvalidValue::Type),
    };
    let mut trusted = TrustedProxies::default();
    match words.into_iter().find(|word| !trusted.add(word)) {
        None => Ok(trusted),
        Some(wrong) => Err(InvalidValue::Entry(wrong.to_owned())),
    }
}

/// An entry of `ssl_sni_certs`: its files, and nothing else.
fn named_certificate(name: &str, entry: &Value) -> Option<NamedCertificate> {
    let Value::Array(entry) = entry else { return None };
    let file = |key: &str| match &entry.iter().find(|(known, _)| known == key)?.1 {
        Value::Text(path) if !path.is_empty() && !path.contains('\0') => Some(path.into()),
        _ => None,
    };
    let named = NamedCertificate {
        name: name.to_owned(),
        certificate: file("ssl_cert_file")?,
        key: file("ssl_key_file")?,
        staple: file("ssl_stapling_file"),
    };
    let known = 2 + usize::from(named.staple.is_some());
    (entry.len() == known).then_some(named)
}

fn within<T: PartialOrd>(value: T, min: T, max: T) -> Result<T, InvalidValue> {
    if value >= min && value <= max { Ok(value) } else { Err(InvalidValue::Range) }
}

impl NoOp {
    fn covers(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Off => value.is_off(),
            Self::On => value.switch() == Some(true),
            Self::OneOf(numbers) => value.int().is_some_and(|value| numbers.contains(&value)),
        }
    }
}

impl Assignment {
    /// Writes the value to its place.
    pub fn apply(&self, builder: &mut ConfigBuilder) {
        match self {
            Self::Switch(set, value) => set(builder, *value),
            Self::Count(set, value) => set(builder, *value),
            Self::Bytes(set, value) => set(builder, *value),
            Self::Seconds(set, value) => set(builder, *value),
            Self::Text(set, value) => set(builder, value),
            Self::List(set, value) => set(builder, value),
            Self::Map(set, value) => set(builder, value),
            Self::Switched(set, value) => set(builder, BoolOr::Switch(*value)),
            Self::Named(set, value) => set(builder, BoolOr::Text(value)),
            Self::Permissions(set, value) => set(builder, *value),
            Self::Cpus(set, value) => set(builder, value),
            Self::Proxies(set, value) => set(builder, value),
            Self::Certificates(set, value) => set(builder, value),
            Self::Parsed(set, value) => set(builder, value),
            Self::Nothing => {}
        }
    }
}

/// What is allowed, for errors and for the documentation.
impl fmt::Display for OptionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(_) => f.write_str("true or false"),
            Self::Count { min, max, .. } => write!(f, "an int from {min} to {max}"),
            Self::Bytes { min, max, .. } => {
                write!(f, "bytes from {} to {}", Size(*min), Size(*max))
            }
            Self::Seconds { min, max, .. } => write!(f, "seconds from {min} to {max}"),
            Self::Text(_) => f.write_str("a string without NUL bytes"),
            Self::List(_) => f.write_str("an array of strings without control characters"),
            Self::Map(_) => f.write_str("an array of string => string without control characters"),
            Self::SwitchOrText(_) => {
                f.write_str("true, false or a string without control characters")
            }
            Self::Word { words, .. } => write!(f, "'{}' or ''", words.join("', '")),
            Self::Flags { of, .. } => {
                let names: Vec<_> = of.iter().map(|(name, _)| *name).collect();
                write!(f, "0 or a sum of {}", names.join(", "))
            }
            Self::Permissions(_) => f.write_str("octal permissions from 0 to 0777, or as '0660'"),
            Self::Ini(_) => f.write_str("an array of settings by name, as php.ini has them"),
            Self::Cpus(_) => f.write_str("an array of CPU numbers"),
            Self::Proxies(_) => f.write_str(
                "an array of addresses, networks as '10.0.0.0/8', 'private_ranges' and 'unix:'",
            ),
            Self::Certificates(_) => f.write_str(
                "an array of server name => ['ssl_cert_file' => file, 'ssl_key_file' => file]",
            ),
            Self::Parsed(_, allowed, _) => f.write_str(allowed),
            Self::Absent(NoOp::Any) => f.write_str("anything"),
            Self::Absent(NoOp::Off) => f.write_str("false, 0, '' or []"),
            Self::Absent(NoOp::On) => f.write_str("true"),
            Self::Absent(NoOp::OneOf(numbers)) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                f.write_str(&numbers.join(" or "))
            }
        }
    }
}

/// A number of bytes with the unit that fits.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            0 => (0, ""),
            n if n % (1 << 30) == 0 => (n >> 30, "G"),
            n if n % (1 << 20) == 0 => (n >> 20, "M"),
            n if n % (1 << 10) == 0 => (n >> 10, "K"),
            n => (n, ""),
        };
        write!(f, "{number}{unit}")
    }
}
