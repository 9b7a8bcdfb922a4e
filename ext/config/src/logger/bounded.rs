//! Texts that are cut: however long what somebody says is, a line of the log has a bound.

use std::fmt::{self, Write};

/// What stands in the place of what was cut off.
pub const CUT: &str = "…";

/// At most so many bytes of a text, and a sign where more would follow.
pub(super) struct Bounded<'a>(pub &'a str, pub usize);

impl fmt::Display for Bounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, max) = *self;
        if text.len() <= max {
            return f.write_str(text);
        }
        f.write_str(&text[..floor(text, max)])?;
        f.write_str(CUT)
    }
}

/// The last boundary between characters up to there.
pub(super) fn floor(text: &str, max: usize) -> usize {
    (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A text of which at most so many bytes are kept, as JSON writes them; a sign where more would follow.
/// What is left out is not even looked at.
pub fn escaped(said: impl fmt::Display, max: usize) -> String {
    let mut kept = BoundedText { text: String::new(), left: max, cut: false };
    // It fails where the text is cut.
    let _ = write!(kept, "{said}");
    if kept.cut {
        kept.text.push_str(CUT);
    }
    kept.text
}

struct BoundedText {
    text: String,
    left: usize,
    cut: bool,
}

impl Write for BoundedText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for c in part.chars() {
            let Some(left) = self.left.checked_sub(char_len(c)) else {
                self.cut = true;
                return Err(fmt::Error);
            };
            self.left = left;
            self.text.push(c);
        }
        Ok(())
    }
}

/// Bytes that JSON needs for a text, without its quotes.
pub fn json_len(text: &str) -> usize {
    text.chars().map(char_len).sum()
}

/// Bytes that JSON needs for a character (RFC 8259, 7).
fn char_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..' ' => 6,
        c => c.len_utf8(),
    }
}

/// Writes a text to a line: line ends and other control characters as escapes, so that a message is one line,
/// nobody can forge another, and no terminal obeys what a client has sent. What is past the bound is cut.
pub(super) struct LineEscaper<'a> {
    /// The line.
    pub line: &'a mut Vec<u8>,
    /// Its length at most.
    pub end: usize,
}

impl Write for LineEscaper<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let mut rest = part;
        while !rest.is_empty() {
            let plain = rest.find(is_escaped).unwrap_or(rest.len());
            let room = self.end.saturating_sub(self.line.len());
            if plain > room {
                self.line.extend_from_slice(&rest.as_bytes()[..floor(rest, room)]);
                return self.cut();
            }
            self.line.extend_from_slice(&rest.as_bytes()[..plain]);
            let mut behind = rest[plain..].chars();
            if let Some(c) = behind.next() {
                let before = self.line.len();
                escape(self.line, c);
                if self.line.len() > self.end {
                    self.line.truncate(before);
                    return self.cut();
                }
            }
            rest = behind.as_str();
        }
        Ok(())
    }
}

impl LineEscaper<'_> {
    fn cut(&mut self) -> fmt::Result {
        self.line.extend_from_slice(CUT.as_bytes());
        Err(fmt::Error)
    }
}

/// Control characters of both sets but the tab, and those that turn the direction of what follows.
fn is_escaped(c: char) -> bool {
    c.is_control() && c != '\t'
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

fn escape(line: &mut Vec<u8>, c: char) {
    use std::io::Write;
    // Writing to memory cannot fail.
    let _ = match c {
        '\n' => write!(line, "\\n"),
        c if c.is_ascii() => write!(line, "\\x{:02x}", u32::from(c)),
        c => write!(line, "\\u{{{:x}}}", u32::from(c)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_line(text: &str, end: usize) -> String {
        let mut line = Vec::new();
        let _ = LineEscaper { line: &mut line, end }.write_str(text);
        String::from_utf8(line).expect("UTF-8")
    }

    #[test]
    fn nothing_in_a_line_does_anything() {
        for (text, shown) in [
            ("plain \u{fc}\t.", "plain \u{fc}\t."),
            ("a\nb\r", "a\\nb\\x0d"),
            ("\x1b[0m\x7f", "\\x1b[0m\\x7f"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}txt\u{2028}", "\\u{202e}txt\\u{2028}"),
        ] {
            assert_eq!(one_line(text, 100), shown);
        }
    }

    #[test]
    fn a_line_is_cut_between_characters_and_between_escapes() {
        assert_eq!(one_line("üüü", 5), "üü…");
        assert_eq!(one_line("aaa", 3), "aaa");
        assert_eq!(one_line("aaaa", 3), "aaa…");
        assert_eq!(one_line("a\n\n", 4), "a\\n…");
        assert_eq!(one_line("a\u{9b}", 4), "a…");
        assert_eq!(Bounded("üüü", 5).to_string(), "üü…");
    }

    #[test]
    fn a_text_of_json_is_cut_as_json_has_it() {
        for (text, max, kept) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "abc…"),
            ("\"\"", 3, "\"…"),
            ("\u{1}a", 5, "…"),
            ("ü", 1, "…"),
        ] {
            assert_eq!(escaped(text, max), kept);
        }
        let long = "\u{1}".repeat(100);
        assert_eq!(
            serde_json::Value::from(escaped(&long, 60)).to_string().len(),
            60 + 2 + CUT.len()
        );
    }

    /// It stops where it is full: what quotes the whole memory of a process is not copied.
    #[test]
    fn what_is_left_out_is_not_made() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("again ")?;
                }
            }
        }
        assert_eq!(escaped(Endless, 9), "again aga…");
    }
}
