//! [`OneLine`]: escapes control characters, so that a text stays in its line of the log.

use std::fmt;

/// Text that may come from a client, made fit for one line of a log.
pub struct OneLine<'a>(pub &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(char::is_control) {
            match part.char_indices().next_back() {
                Some((at, last)) if last.is_control() => {
                    write!(f, "{}{}", &part[..at], last.escape_default())?;
                }
                _ => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, shown) in [
            ("", ""),
            ("plain \u{fc}", "plain \u{fc}"),
            ("a\nb\r", "a\\nb\\r"),
            ("\x1b[0m", "\\u{1b}[0m"),
        ] {
            assert_eq!(OneLine(text).to_string(), shown);
        }
    }
}
