//! As much of Rust's lexical structure as the rules need: what is code, and what is not.

/// The text with comments and the contents of string and character literals replaced by spaces.
/// Lines and byte offsets stay the same.
pub fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        match end {
            Some(end) => {
                blank(&bytes[at..end], &mut out);
                at = end;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The line, from 1, that a byte offset is in.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// The offsets at which `word` stands by itself.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].bytes().next_back();
        let after = code[at + word.len()..].bytes().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The offset behind the bracket that closes the one at `open`.
pub fn block_end(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a byte may be part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn blank(literal: &[u8], out: &mut Vec<u8>) {
    let quote = literal.first() == Some(&b'"');
    for (at, &byte) in literal.iter().enumerate() {
        let edge = quote && (at == 0 || at + 1 == literal.len());
        out.push(if byte == b'\n' || edge { byte } else { b' ' });
    }
}

/// Where the comment or literal that starts at `at` ends, if one does.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let starts_word = at == 0 || !is_word(bytes[at - 1]);
    match rest[0] {
        b'/' if rest.starts_with(b"//") => {
            Some(at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()))
        }
        b'/' if rest.starts_with(b"/*") => Some(at + comment_len(rest)),
        b'"' => Some(at + string_len(rest)),
        b'r' if starts_word => raw_len(rest).map(|len| at + len),
        b'b' | b'c' if starts_word && rest.get(1) == Some(&b'r') => {
            raw_len(&rest[1..]).map(|len| at + 1 + len)
        }
        b'\'' => char_len(rest).map(|len| at + len),
        _ => None,
    }
}

fn comment_len(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn string_len(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"` and `r#"…"#`; not `r#name`.
fn raw_len(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = 2 + hashes;
    let found = rest[body..].windows(close.len()).position(|window| window == close);
    Some(found.map_or(rest.len(), |at| body + at + close.len()))
}

/// A character literal, and not a lifetime.
fn char_len(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        let close = rest[3..].iter().position(|&byte| byte == b'\'')?;
        return Some(3 + close + 1);
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(5)])
        .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]));
    let len = text.ok()?.chars().next()?.len_utf8();
    (rest.get(1 + len) == Some(&b'\'')).then_some(len + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        let text = "a(\"x { \\\" y\", '{', '\\'', b\"}\", r#\"}\"#); // }\n/* { /* } */ */ b<'a>";
        let code = code(text);
        assert_eq!(code.len(), text.len());
        assert!(!code.contains(['{', '}']), "{code}");
        assert!(code.contains("b<'a>"));
        assert!(code.contains('\n'));
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(words("fork fork_it unfork x.fork()", "fork").count(), 2);
    }

    #[test]
    fn blocks_nest() {
        assert_eq!(block_end("{ { } } }", 0), Some(7));
        assert_eq!(block_end("{ {", 0), None);
    }
}
