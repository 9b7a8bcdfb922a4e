//! [`Value`]: the value of an option as PHP gave it, without Zend.

use std::fmt;

/// A value from the array that was given to `set()`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// null
    Null,
    /// true or false
    Bool(bool),
    /// int
    Int(i64),
    /// float
    Float(f64),
    /// string; bytes that are not UTF-8 are replaced
    Text(String),
    /// array
    Array(Vec<(String, Value)>),
    /// Something that no option takes, by the name of its type.
    Other(&'static str),
}

/// Characters of a string that an error message repeats.
const TEXT_SHOWN_MAX: usize = 60;

/// What was given, as an error message names it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(value) if value.chars().count() > TEXT_SHOWN_MAX => {
                let start: String = value.chars().take(TEXT_SHOWN_MAX).collect();
                write!(f, "\"{}…\"", start.escape_debug())
            }
            Self::Text(value) => write!(f, "\"{}\"", value.escape_debug()),
            Self::Array(entries) => write!(f, "an array of {}", entries.len()),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl Value {
    /// Settings of PHP's by their names, with values as php.ini would have them.
    pub fn ini_settings(&self) -> Option<Vec<(String, String)>> {
        let Self::Array(entries) = self else { return None };
        let setting = |(name, value): &(String, Self)| {
            let value = match value {
                Self::Null | Self::Bool(false) => String::new(),
                Self::Bool(true) => "1".to_owned(),
                Self::Int(number) => number.to_string(),
                Self::Float(number) => number.to_string(),
                Self::Text(text) if !text.contains('\0') => text.clone(),
                Self::Text(_) | Self::Array(_) | Self::Other(_) => return None,
            };
            // A list has numbers for names.
            name.parse::<i64>().is_err().then(|| (name.clone(), value))
        };
        entries.iter().map(setting).collect()
    }

    /// A switch: true, false, 0, 1 and their strings.
    pub fn switch(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Int(0) => Some(false),
            Self::Int(1) => Some(true),
            Self::Text(text) if text == "0" => Some(false),
            Self::Text(text) if text == "1" => Some(true),
            _ => None,
        }
    }

    /// A whole number, or a string of digits (as environment variables are).
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number of seconds.
    pub fn seconds(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A number of bytes: a whole number, or one followed by K, M or G (powers of 1,024).
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Int(value) => u64::try_from(*value).ok(),
            Self::Text(text) => parse_bytes(text),
            _ => None,
        }
    }

    /// Whether this asks for nothing.
    pub fn is_off(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) | Self::Int(0) => true,
            Self::Array(entries) => entries.is_empty(),
            Self::Float(value) => *value == 0.0,
            Self::Text(text) => text.is_empty() || text == "0",
            _ => false,
        }
    }
}

fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_suffix(['b', 'B']).unwrap_or(text);
    let (digits, shift) = match text.chars().last()?.to_ascii_uppercase() {
        'K' => (&text[..text.len() - 1], 10),
        'M' => (&text[..text.len() - 1], 20),
        'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.trim_end().parse().ok()?;
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn sizes_take_units() {
        assert_eq!(text("2M").bytes(), Some(2 << 20));
        assert_eq!(text("64 kb").bytes(), Some(64 << 10));
        assert_eq!(text("1g").bytes(), Some(1 << 30));
        assert_eq!(text("17").bytes(), Some(17));
        assert_eq!(Value::Int(5).bytes(), Some(5));
        for bad in ["", "M", "2T", "-1", "1.5M", "99999999999G"] {
            assert_eq!(text(bad).bytes(), None, "{bad}");
        }
        assert_eq!(Value::Int(-1).bytes(), None);
    }

    #[test]
    fn switches_take_0_and_1_only() {
        assert_eq!(Value::Int(1).switch(), Some(true));
        assert_eq!(text("0").switch(), Some(false));
        assert_eq!(Value::Int(2).switch(), None);
        assert_eq!(text("yes").switch(), None);
    }
}
