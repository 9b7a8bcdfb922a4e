//! [`ContextRoom`]: how much of the context of an application's line there is still room for.

pub use serde_json::{Map, Number, Value};
use wire::limits::LOG_CONTEXT_BYTES_MAX;

use super::bounded::{CUT, escaped, json_len};

/// What an element costs beside its text: quotes, a colon and a comma, or a number.
const ELEMENT_BYTES: usize = 8;

/// The room for a context while it is made, in bytes of JSON.
#[derive(Debug)]
pub struct ContextRoom(usize);

impl Default for ContextRoom {
    /// All of it.
    fn default() -> Self {
        Self(LOG_CONTEXT_BYTES_MAX)
    }
}

impl ContextRoom {
    /// Whether there is room for one more element. Otherwise nothing more comes, and [`cut`](Self::cut) says so.
    pub fn take(&mut self) -> bool {
        let left = self.0.checked_sub(ELEMENT_BYTES);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    /// As much of a text as there is room for. What is no UTF-8 is replaced.
    pub fn text(&mut self, text: &[u8]) -> String {
        // The rest would not fit, so that nobody looks at it.
        let begin = &text[..text.len().min(self.0)];
        let whole = begin.len() == text.len();
        let mut kept = escaped(String::from_utf8_lossy(begin), self.0);
        self.0 = self.0.saturating_sub(json_len(&kept));
        if !whole && !kept.ends_with(CUT) {
            kept.push_str(CUT);
        }
        kept
    }

    /// A number; JSON has no infinity.
    pub fn number(number: f64) -> Value {
        Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
    }

    /// What stands in the place of what there is no room for.
    pub fn cut() -> String {
        CUT.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_fits_and_nothing_comes_behind_it() {
        let mut room = ContextRoom::default();
        assert_eq!(room.text(b"a\xff"), "a\u{fffd}");
        let long = "x".repeat(1 << 20);
        let kept = room.text(long.as_bytes());
        assert!(kept.ends_with("x…") && kept.len() <= LOG_CONTEXT_BYTES_MAX + CUT.len());
        assert_eq!((&room.text(b"more")[..], room.take()), (CUT, false));
        assert_eq!(
            ContextRoom::default().text(&[1; 1 << 20]).len(),
            LOG_CONTEXT_BYTES_MAX / 6 + CUT.len()
        );
    }

    #[test]
    fn there_is_an_end_to_elements() {
        let mut room = ContextRoom::default();
        let count = (0..1_000_000).take_while(|_| room.take()).count();
        assert_eq!(count, LOG_CONTEXT_BYTES_MAX / ELEMENT_BYTES);
        assert_eq!(
            (ContextRoom::number(0.5), ContextRoom::number(f64::NAN)),
            (0.5.into(), "NaN".into())
        );
    }
}
