//! Where a protocol or a connection stands is said by enums, not by flags.

use crate::lexer::{block_end, line_of, words};
use crate::{Finding, Tree};

/// The folders, and files beside them, whose structs the rule looks at.
const FOLDERS: &[&str] = &["reactor/protocol/src/", "reactor/src/conn"];

/// Two flags have four states; of more, most are as a rule impossible, and nobody says which.
const FLAGS_MAX: usize = 2;

/// A struct has at most two fields of type `bool`.
pub fn flags(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let below = |path: &str| FOLDERS.iter().any(|folder| path.starts_with(folder));
    for file in tree.files.iter().filter(|file| file.is_rust() && below(&file.path)) {
        let code = file.product();
        for at in words(code, "struct") {
            let Some(open) = code[at..].find(['{', ';', '(']).map(|len| at + len) else { continue };
            if code.as_bytes()[open] != b'{' {
                continue;
            }
            let Some(end) = block_end(code, open) else { continue };
            let flags = flags_in(&code[open + 1..end - 1]);
            if flags > FLAGS_MAX {
                let message = format!(
                    "a struct with {flags} fields of type bool ({FLAGS_MAX} at most): make an enum \
                     of the states that there are"
                );
                findings.push(Finding::new(&file.path, line_of(code, at), message));
            }
        }
    }
    findings
}

/// How many fields are of type `bool`.
fn flags_in(fields: &str) -> usize {
    words(fields, "bool")
        .filter(|at| {
            let before = fields[..*at].trim_end();
            // Not a segment of a path, and not an argument of another type.
            let is_type = before.ends_with(':') && !before.ends_with("::");
            let after = fields[at + "bool".len()..].trim_start();
            is_type && (after.is_empty() || after.starts_with(','))
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_counted() {
        let found = |path: &str, text: &str| flags(&Tree::of(&[(path, text)])).len();
        let three = "struct A<T> {\n    pub a: bool,\n    b: bool, // c: bool\n    c: bool\n}\n";
        assert_eq!(found("reactor/protocol/src/h3/mod.rs", three), 1);
        assert_eq!(found("reactor/src/conn.rs", three), 1);
        assert_eq!(found("reactor/src/conn/ends.rs", three), 1);
        assert_eq!(found("reactor/src/link.rs", three), 0);
        for two in [
            "struct A {\n    a: bool,\n    // c: bool,\n    b: bool,\n}\nstruct B {\n    a: bool,\n}\n",
            "struct A {\n    a: bool,\n    b: bool,\n    c: Option<bool>,\n    d: fn(bool) -> bool,\n}\n",
            "struct A(bool, bool, bool);\nfn f(a: bool, b: bool, c: bool) {}\n",
        ] {
            assert_eq!(found("reactor/protocol/src/a.rs", two), 0, "{two}");
        }
    }
}
