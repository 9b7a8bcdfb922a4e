//! The paths that Rust code names: `use` trees, flattened, and paths in expressions and types.

use crate::lexer::{is_word, words};

/// Every path of at least two segments in the code, with its byte offset. A `use` tree gives one
/// path for each leaf. A leading `::` and `r#` are dropped.
pub fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut covered = Vec::new();
    for at in words(code, "use") {
        let start = at + "use".len();
        let Some(len) = code[start..].find(';') else { continue };
        leaves(code[start..start + len].trim(), "", at, &mut found);
        covered.push(start..start + len);
    }
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let end = path_end(bytes, at);
        let path = &code[at..end];
        if path.contains("::") && !covered.iter().any(|range| range.contains(&at)) {
            found.push((at, path.trim_end_matches(':').to_owned()));
        }
        at = end;
    }
    for at in words(code, "extern") {
        if let Some(rest) = code[at..].strip_prefix("extern crate ") {
            let name: String = rest.bytes().take_while(|&b| is_word(b)).map(char::from).collect();
            found.push((at, name));
        }
    }
    found
}

/// Whether a path starts with these segments.
pub fn starts_with(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn path_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() {
        if is_word(bytes[at]) {
            at += 1;
        } else if bytes[at..].starts_with(b"::") && bytes.get(at + 2).is_some_and(|&b| is_word(b)) {
            at += 2;
        } else {
            break;
        }
    }
    at
}

fn leaves(tree: &str, prefix: &str, at: usize, found: &mut Vec<(usize, String)>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let head = format!("{prefix}{}", compact(&tree[..open]));
        let inner =
            tree[open + 1..].rfind('}').map_or("", |close| &tree[open + 1..open + 1 + close]);
        for part in split(inner) {
            leaves(part, &head, at, found);
        }
        return;
    }
    let name = tree.split(" as ").next().unwrap_or(tree);
    let path = format!("{prefix}{}", compact(name));
    if !path.is_empty() {
        found.push((at, path.trim_start_matches("::").to_owned()));
    }
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().replace("r#", "")
}

/// The parts between commas that are not inside braces.
fn split(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0usize, 0, Vec::new());
    for (at, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|(_, path)| path).collect()
    }

    #[test]
    fn use_trees_are_flattened() {
        let found = names("use std::{net::{TcpStream, self}, fs as f};\nuse ::mio::Poll;");
        assert_eq!(
            found,
            ["std::net::TcpStream", "std::net::self", "std::fs", "mio::Poll"].map(String::from)
        );
    }

    #[test]
    fn paths_in_code_are_found() {
        assert_eq!(names("let x = std::fs::read(y); a.b::<C>()"), ["std::fs::read"]);
        assert_eq!(names("extern crate mio;"), ["mio"]);
    }

    #[test]
    fn prefixes_end_at_a_segment() {
        assert!(starts_with("std::net::X", "std::net"));
        assert!(!starts_with("std::network", "std::net"));
    }
}
